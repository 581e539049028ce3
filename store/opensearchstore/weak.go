package opensearchstore

import (
	"context"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Weaknesses implements driver.Weak: a table with replicas can have a primary that was
// deposed and does not know it yet.
func (s *Store) Weaknesses(ctx context.Context) ([]driver.Weakness, error) {
	bound, cancel := s.bound(ctx)
	defer cancel()
	var found settings
	err := s.read(bound, func(ctx context.Context, n *node) (err error) {
		found, err = s.settings(ctx, n)
		return err
	})
	if err != nil {
		return nil, s.why(ctx, "read the table's settings", err)
	}
	if found.replicas() == 0 {
		return nil, nil
	}
	const (
		why    = "a primary shard that was deposed while it was cut off or frozen answers reads from what it has until it learns of that"
		risk   = "for some seconds after a failover a proxy that reaches the old primary may send reads to a placement that has just been left; writes are safe, because a transition needs the copies that the old primary no longer has, and a proxy admits writes only under a session that it can renew"
		remedy = "nothing removes it; lower cluster.fault_detection.*.timeout to shorten it, or use etcd"
	)
	return []driver.Weakness{
		{Guarantee: "GetSeesEveryAcknowledgedWrite", Why: why, Risk: risk, Remedy: remedy},
		{Guarantee: "VersionsSeeEveryAcknowledgedWrite", Why: why, Risk: risk, Remedy: remedy},
		{Guarantee: "SurvivesLeaderFreeze", Why: why + "; nothing acknowledged is lost", Risk: risk, Remedy: remedy},
	}, nil
}

// Reasons implements driver.Reasoner. The server's clock cannot be moved from outside:
// a Java program asks the kernel for the time, not the C library.
func (s *Store) Reasons() map[string]string {
	const why = "sessions end by the observers' monotonic clocks, and no change depends on the servers' clocks"
	return map[string]string{"SurvivesClockAhead": why, "SurvivesClockBack": why}
}

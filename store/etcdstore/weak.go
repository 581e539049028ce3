package etcdstore

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Weaknesses implements driver.Weak: a cluster of one or two members has nobody
// who could take over. It asks etcd for its members, learners not counted.
func (s *Store) Weaknesses(ctx context.Context) ([]driver.Weakness, error) {
	var r *clientv3.MemberListResponse
	err := s.ask(ctx, "list the members", func(ctx context.Context) (err error) {
		r, err = s.c.MemberList(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	voters := 0
	for _, m := range r.Members {
		if !m.IsLearner {
			voters++
		}
	}
	if voters > 2 {
		return nil, nil
	}
	why := fmt.Sprintf("the cluster has %d of the 3 members that it takes for two to go on without the third", voters)
	const (
		risk   = "while a member is down or does not answer placements cannot be read, so requests get 503 and moves stand still; nothing is lost, and all goes on when it is back"
		remedy = "run an etcd of three members, and name them in store.etcd.endpoints"
	)
	return []driver.Weakness{
		{Guarantee: "SurvivesLeaderKill", Why: why, Risk: risk, Remedy: remedy},
		{Guarantee: "SurvivesLeaderFreeze", Why: why, Risk: risk, Remedy: remedy},
	}, nil
}

// Reasons implements driver.Reasoner. No clock decides anything but the end of a
// lease, and that one cannot be moved from outside: a Go program asks the kernel for
// the time, not the C library.
func (s *Store) Reasons() map[string]string {
	const why = "leases count on the monotonic clock of etcd's leader, which does not jump"
	return map[string]string{"SurvivesClockAhead": why, "SurvivesClockBack": why}
}

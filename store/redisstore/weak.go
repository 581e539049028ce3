package redisstore

import (
	"context"
	"fmt"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Weaknesses implements driver.Weak: what the server that is master now, and this
// Store's configuration, cannot promise.
func (s *Store) Weaknesses(ctx context.Context) ([]driver.Weakness, error) {
	var out []driver.Weakness
	if s.need > 0 {
		out = append(out, driver.Weakness{
			Guarantee: "GetSeesEveryAcknowledgedWrite",
			Why: "a master that was cut off or frozen, and replaced, does not know it until it has missed its replicas for min-replicas-max-lag (10 s by default), " +
				"by its wall clock: one that is set back meanwhile takes longer, by as much",
			Risk:   "whoever still reaches only the old master reads older placements for that long; its writes are not acknowledged, and a process that has seen newer ones notices",
			Remedy: "let a failover take longer than min-replicas-max-lag: with sentinels, down-after-milliseconds above 1000 times that; let the servers' clocks be slewed, not set",
		})
	}
	if s.dialer.c.SkipSettingsCheck {
		return out, nil
	}
	r, err := s.call(ctx, "read the settings", transient, func(ctx context.Context) (reply, error) {
		values, err := read(ctx, s.client.Load())
		return reply{rest: []any{values}}, err
	})
	if err != nil {
		return nil, err
	}
	values, _ := r.rest[0].(map[string]string)
	if err := judge(values, false); err != nil {
		out = append(out, driver.Weakness{
			Guarantee: "SurvivesKill",
			Why:       fmt.Sprintf("appendfsync is %s and no-appendfsync-on-rewrite %s: a killed process loses nothing, a machine without power loses what was not synced", values["appendfsync"], values["no-appendfsync-on-rewrite"]),
			Risk:      "acknowledged transitions of the last seconds are lost; processes that saw them stop with an error, others go on from an older table",
			Remedy:    "appendfsync always, no-appendfsync-on-rewrite no",
		})
	}
	return out, nil
}

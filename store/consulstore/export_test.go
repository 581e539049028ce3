package consulstore

import (
	"context"

	"github.com/hashicorp/consul/api"
)

// Compact trims the log of a space up to now, as writers do with the oldest of it.
func (s *Store) Compact(ctx context.Context, space string) error {
	if err := s.prepare(ctx, space); err != nil {
		return err
	}
	for {
		h, err := s.history(ctx, "compact", space)
		if err != nil {
			return err
		}
		next, ops := s.open(space, h, 1)
		done := false
		err = s.send(ctx, "compact", func(ctx context.Context, a *agent) error {
			ok, _, _, err := a.Txn().Txn(txnOps(ops), (&api.QueryOptions{}).WithContext(ctx))
			done = ok && len(next.Starts) == 0
			return err
		})
		if err != nil || done {
			return err
		}
	}
}

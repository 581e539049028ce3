package consulstore

import (
	"context"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/store/driver"
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

// MaxValue is the longest value.
const MaxValue = maxValue

func Escape(name string) string { return escape(name) }

func Encode(id uint64, name string, value []byte, deleted bool) []byte {
	return envelope{id: id, name: name, value: value, deleted: deleted}.encode()
}

func Decode(b []byte) (name string, value []byte, deleted bool, err error) {
	e, err := decode(b)
	return e.name, e.value, e.deleted, err
}

// ReadHistory returns the oldest and the newest bucket of a history that was
// changed last at index, and the one that has what is after a version.
func ReadHistory(text string, index uint64, at driver.Version) (first, newest, located uint64, ok bool) {
	h, err := parseHistory(&api.KVPair{Value: []byte(text), ModifyIndex: index})
	if err != nil {
		return 0, 0, 0, false
	}
	return h.first(), h.Bucket, h.locate(at), true
}

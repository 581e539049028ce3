package consulstore

import (
	"context"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Compact trims the whole log of a space, up to now.
func (s *Store) Compact(ctx context.Context, space string) error {
	for done := false; !done; {
		h, err := s.history(ctx, "compact", space)
		if err != nil {
			return err
		}
		gen, err := s.get(ctx, "compact", s.gen(space))
		if err != nil {
			return err
		}
		next := history{Bucket: h.Bucket + 1, Starts: []uint64{}, Gone: gen.ModifyIndex}
		err = s.send(ctx, "compact", func(ctx context.Context, a *agent) (err error) {
			done, _, _, err = a.Txn().Txn(txnOps([]*api.KVTxnOp{
				{Verb: api.KVCAS, Key: s.meta(space), Value: next.text(), Index: h.index},
				{Verb: api.KVCheckIndex, Key: s.gen(space), Index: gen.ModifyIndex},
				{Verb: api.KVDeleteTree, Key: s.prefix + "log/" + space + "/"},
			}), (&api.QueryOptions{}).WithContext(ctx))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
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

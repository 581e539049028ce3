package consulstore

import (
	"context"
	"io"

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

// ReadList decodes an answer of Consul to a list of the space "s".
func ReadList(body io.Reader, yield func(driver.KV) bool) (driver.Version, error) {
	s := &Store{prefix: "p/"}
	return s.decodeList(body, "s", yield)
}

// ListKeys are the keys of the generation and of a record in that answer.
func ListKeys(name string) (gen, record string) {
	s := &Store{prefix: "p/"}
	return s.gen("s"), s.record(driver.Key{Space: "s", Name: name})
}

// NextHistory opens n more buckets, each at the next index, of which keep stay, and
// returns the text, or false when there is a gap in what is dropped.
func NextHistory(text string, index uint64, n, keep int) (string, uint64, bool) {
	h, err := parseHistory(&api.KVPair{Value: []byte(text), ModifyIndex: index})
	if err != nil {
		return "", 0, false
	}
	for range n {
		next, dropped := h.next(keep)
		for i, d := range dropped {
			if d != h.first()+uint64(i) {
				return "", 0, false
			}
		}
		next.index = h.index + 1
		h = next
	}
	return string(h.text()), h.index, true
}

package consulstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/store/driver"
)

// bucketSize is about how many changes a bucket of the log holds when so many are to
// be kept: an eighth, from 32 to 512. A watch reads the whole bucket whenever it is
// woken, so it is not larger; opening the next one makes the writers that are under way
// try again, so that with small ones who is far from the server would never win.
func bucketSize(keep int) uint64 { return uint64(min(max(keep/8, 32), 512)) }

// history is what the key meta/<space> says: which buckets of the log there are.
// Every change checks, in its transaction, that the key has not changed, and puts
// its log record into the newest bucket. So once a bucket has been opened, at some
// index, all records of the buckets before it are older than that index and final,
// and its own and all later ones are not older.
type history struct {
	Bucket uint64   `json:"bucket"` // the newest, counted from 1
	Starts []uint64 `json:"starts"` // the index at which each other bucket that is kept was opened, the oldest first
	Gone   uint64   `json:"gone"`   // not below the index of anything that was trimmed

	index uint64 // the key's own: at which the newest bucket was opened
}

func parseHistory(p *api.KVPair) (history, error) {
	h := history{index: p.ModifyIndex}
	if err := json.Unmarshal(p.Value, &h); err != nil {
		return history{}, fmt.Errorf("%s: %w: %w", p.Key, errEnvelope, err)
	}
	if h.Bucket == 0 || uint64(len(h.Starts)) >= h.Bucket {
		return history{}, fmt.Errorf("%s: %w", p.Key, errEnvelope)
	}
	return h, nil
}

func (h history) text() []byte {
	b, _ := json.Marshal(h) // which numbers cannot fail
	return b
}

// first is the oldest bucket that is kept.
func (h history) first() uint64 { return h.Bucket - uint64(len(h.Starts)) }

// start is the index at which a bucket that is kept was opened.
func (h history) start(bucket uint64) uint64 {
	if bucket == h.Bucket {
		return h.index
	}
	return h.Starts[bucket-h.first()]
}

// locate returns the bucket that has the first change after a version, if there
// is one: the newest that was opened at or before that version.
func (h history) locate(v driver.Version) uint64 {
	b := h.Bucket
	for b > h.first() && h.start(b) > uint64(v) {
		b--
	}
	return b
}

// mostTrimmed is how many buckets one transaction removes at most, far below the
// 64 operations that Consul allows.
const mostTrimmed = 16

// next is the history with one more bucket, and which buckets are to be removed
// so that no more than keep, two at least, stay. What is gone then is older than the
// opening of the oldest that stays: a watch that is just there is sent to list again,
// which it need not be.
func (h history) next(keep int) (history, []uint64) {
	n := history{Bucket: h.Bucket + 1, Starts: append(append([]uint64{}, h.Starts...), h.index), Gone: h.Gone}
	var dropped []uint64
	for len(n.Starts)+1 > max(keep, 2) && len(dropped) < mostTrimmed {
		dropped = append(dropped, n.first())
		n.Starts = n.Starts[1:]
		n.Gone = n.Starts[0] - 1
	}
	return n, dropped
}

// open returns the operations that open the next bucket instead of h's newest,
// and the history then.
func (s *Store) open(space string, h history) (history, []*api.KVTxnOp) {
	next, dropped := h.next(s.keep)
	ops := []*api.KVTxnOp{{Verb: api.KVCAS, Key: s.meta(space), Value: next.text(), Index: h.index}}
	for _, b := range dropped {
		ops = append(ops, &api.KVTxnOp{Verb: api.KVDeleteTree, Key: s.bucket(space, b)})
	}
	return next, ops
}

// prepare makes a space's keys, once per space and process: the history with its
// first bucket, the generation before the first change, and the leases' sentinel.
func (s *Store) prepare(ctx context.Context, space string) error {
	if _, ok := s.ready.Load(space); ok {
		return nil
	}
	doing := "prepare " + space
	for attempt := 0; ; attempt++ {
		p, err := s.get(ctx, doing, s.meta(space))
		switch {
		case err != nil:
			return err
		case p != nil:
			s.ready.Store(space, true)
			return nil
		case attempt == 5:
			return fmt.Errorf("consul: %s: %s is not there, though other keys are: restore it, or remove everything under the prefix", doing, s.meta(space))
		}
		// If somebody else was quicker the transaction is rolled back, and the key is
		// there. Whether it has taken effect when it fails does not matter either.
		err = s.send(ctx, doing, func(ctx context.Context, a *agent) error {
			ok, r, _, err := a.Txn().Txn(txnOps([]*api.KVTxnOp{
				{Verb: api.KVCAS, Key: s.meta(space), Value: history{Bucket: 1, Starts: []uint64{}}.text()},
				{Verb: api.KVCAS, Key: s.gen(space), Value: nil},
				{Verb: api.KVCAS, Key: s.sentinel(space), Value: nil},
			}), (&api.QueryOptions{}).WithContext(ctx))
			if err == nil && !ok && forbiddenText(rolledBack(r)) {
				err = rolledBack(r)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
}

// history reads a space's history, and makes it if there is none.
func (s *Store) history(ctx context.Context, doing, space string) (history, error) {
	if err := s.prepare(ctx, space); err != nil {
		return history{}, err
	}
	p, err := s.get(ctx, doing, s.meta(space))
	if err != nil {
		return history{}, err
	}
	h, err := s.learn(space, p)
	if err != nil {
		return history{}, fmt.Errorf("consul: %s: %w", doing, err)
	}
	return h, nil
}

// fresh is for how long a history is used for changes without being read again.
// An old one costs a transaction that is rolled back.
const fresh = time.Second

type memory struct {
	history
	at time.Time
}

// learn takes in a history that was read, also by those who have no use for it
// themselves: a change that follows then is one round trip.
func (s *Store) learn(space string, p *api.KVPair) (history, error) {
	if p == nil || p.ModifyIndex == 0 { // nobody has used the space, or somebody has removed everything
		s.ready.Delete(space)
		s.memory.Delete(space)
		return history{}, fmt.Errorf("%s is not there", s.meta(space))
	}
	h, err := parseHistory(p)
	if err == nil {
		s.remember(space, h)
	}
	return h, err
}

func (s *Store) remember(space string, h history) { s.memory.Store(space, memory{h, time.Now()}) }

func (s *Store) remembered(space string) (history, bool) {
	m, ok := s.memory.Load(space)
	if !ok || time.Since(m.(memory).at) > fresh {
		return history{}, false
	}
	return m.(memory).history, true
}

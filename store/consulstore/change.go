package consulstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/store/driver"
)

// bucketSize is about how many changes a bucket of the log holds. A watch reads
// the whole bucket whenever it is woken; opening the next one makes the writers
// that are under way try again.
const bucketSize = 32

// history is what the key meta/<space> says: which buckets of the log there are.
// Every change checks, in its transaction, that the key has not changed, and puts
// its log record into the newest bucket. So once a bucket has been opened, at some
// index, all records of the buckets before it are older than that index and final,
// and its own and all later ones are not older.
type history struct {
	Bucket uint64   `json:"bucket"` // the newest, counted from 1
	Starts []uint64 `json:"starts"` // the index at which each other bucket that is kept was opened, the oldest first

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

// first is the oldest bucket that is kept.
func (h history) first() uint64 { return h.Bucket - uint64(len(h.Starts)) }

// start is the index at which a bucket that is kept was opened.
func (h history) start(bucket uint64) uint64 {
	if bucket == h.Bucket {
		return h.index
	}
	return h.Starts[bucket-h.first()]
}

// gone is a version that is not below that of anything that was trimmed.
func (h history) gone() driver.Version {
	if h.first() == 1 {
		return 0
	}
	return driver.Version(h.start(h.first()) - 1)
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
// so that no more than keep stay.
func (h history) next(keep int) (history, []uint64) {
	n := history{Bucket: h.Bucket + 1, Starts: append(append([]uint64{}, h.Starts...), h.index)}
	var dropped []uint64
	for len(n.Starts)+1 > max(keep, 1) && len(dropped) < mostTrimmed {
		dropped = append(dropped, n.first())
		n.Starts = n.Starts[1:]
	}
	return n, dropped
}

// open returns the operations that open the next bucket instead of h's newest,
// and the history then.
func (s *Store) open(space string, h history, keep int) (history, []*api.KVTxnOp) {
	next, dropped := h.next(keep)
	text, _ := json.Marshal(next) // two fields of numbers
	ops := []*api.KVTxnOp{{Verb: api.KVCAS, Key: s.meta(space), Value: text, Index: h.index}}
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
	for {
		p, err := s.get(ctx, doing, s.meta(space))
		if err != nil {
			return err
		}
		if p != nil {
			s.ready.Store(space, true)
			return nil
		}
		// If somebody else was quicker the transaction is rolled back, and the key is
		// there. Whether it has taken effect when it fails does not matter either.
		err = s.send(ctx, doing, func(ctx context.Context, a *agent) error {
			ok, r, _, err := a.Txn().Txn(txnOps([]*api.KVTxnOp{
				{Verb: api.KVCAS, Key: s.meta(space), Value: []byte(`{"bucket":1,"starts":[]}`)},
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

// change is one change of one record.
type change struct {
	doing, space, name string
	value              []byte
	deleted            bool
	// ops compare and change the record's keys; packed is the value to store.
	ops func(packed []byte) []*api.KVTxnOp
	// refused says, after Consul has rolled the transaction back, what answer that
	// is, or nil when no comparison of ops is the reason. It reads the keys again,
	// because it must not depend on the wording of errors: a transaction is rolled
	// back for want of permission, too. What it finds is true whatever happened
	// meanwhile: nothing was written, and the record is not as it had to be.
	refused func(ctx context.Context) (answer, err error)
}

// apply makes one change, in one transaction with the generation and the log, and
// returns its version: the index in Consul's log, one for all that the transaction
// writes.
//
// Writers of one record are in each other's way as they must be, by the comparison
// of its version. Writers of different records of a space are not: the generation is
// overwritten, not compared, and each log record has a key of its own. Only the
// history is compared, and it changes once in bucketSize changes. Whoever loses that
// race has had nothing written and tries again.
//
// A transaction that was sent is not sent again (see send).
func (s *Store) apply(ctx context.Context, c change) (driver.Version, error) {
	ctx, cancel := s.bound(ctx, s.timeout) // one bound for all steps
	defer cancel()
	for attempt := 0; ; attempt++ {
		h, ok := s.remembered(c.space)
		if !ok {
			var err error
			if h, err = s.history(ctx, c.doing, c.space); err != nil {
				return 0, err
			}
		}
		id := rand.Uint64()
		packed := envelope{id: id, name: c.name, value: c.value}.encode()
		logged := packed
		if c.deleted {
			logged = envelope{id: id, name: c.name, deleted: true}.encode()
		}
		target := h
		ops := []*api.KVTxnOp{{Verb: api.KVCheckIndex, Key: s.meta(c.space), Index: h.index}}
		if id%bucketSize == 0 {
			target, ops = s.open(c.space, h, s.keep)
		}
		text := strconv.FormatUint(id, 16)
		ops = append(ops,
			&api.KVTxnOp{Verb: api.KVSet, Key: s.gen(c.space), Value: []byte(text)},
			&api.KVTxnOp{Verb: api.KVSet, Key: s.bucket(c.space, target.Bucket) + text, Value: logged})
		ops = append(ops, c.ops(packed)...)

		var r *api.TxnResponse
		err := s.send(ctx, c.doing, func(ctx context.Context, a *agent) (err error) {
			ok, r, _, err = a.Txn().Txn(txnOps(ops), (&api.QueryOptions{}).WithContext(ctx))
			return err
		})
		if err != nil {
			return 0, err
		}
		if !ok {
			if err := s.again(ctx, c, h, attempt, rolledBack(r)); err != nil {
				return 0, err
			}
			continue
		}
		v, err := s.versionIn(c, r)
		if err == nil && target.Bucket != h.Bucket {
			target.index = uint64(v)
		}
		if err == nil {
			s.remember(c.space, target)
		}
		return v, err
	}
}

// riddles is how often a change is tried that is rolled back though nothing of
// what it compares is different when it is read again. Another writer can have made
// and removed a record in between, but hardly so often.
const riddles = 20

// again decides what follows a transaction that was rolled back: nil when it
// makes sense to try again. Nothing was written, so that is safe.
func (s *Store) again(ctx context.Context, c change, h history, attempt int, why error) error {
	answer, err := c.refused(ctx)
	if err != nil {
		return err
	}
	if answer != nil {
		return answer
	}
	now, err := s.history(ctx, c.doing, c.space)
	switch {
	case err != nil:
		return err
	case now.index != h.index:
		return nil
	case forbiddenText(why) || attempt >= riddles:
		return fmt.Errorf("consul: %s: %w", c.doing, why)
	}
	// A session's name that has just become free is locked for a millisecond, too.
	s.sleep(ctx, firstPause)
	return s.alive(ctx)
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

// versionIn is the index at which a transaction wrote the generation.
func (s *Store) versionIn(c change, r *api.TxnResponse) (driver.Version, error) {
	for _, result := range r.Results {
		if result.KV != nil && result.KV.Key == s.gen(c.space) {
			return driver.Version(result.KV.ModifyIndex), nil
		}
	}
	return 0, fmt.Errorf("consul: %s: the answer lacks the version: the token may not read %s", c.doing, s.gen(c.space))
}

func txnOps(ops []*api.KVTxnOp) api.TxnOps {
	out := make(api.TxnOps, len(ops))
	for i, op := range ops {
		out[i] = &api.TxnOp{KV: op}
	}
	return out
}

// rolledBack says why Consul rolled a transaction back.
func rolledBack(r *api.TxnResponse) error {
	var why []error
	for _, e := range r.Errors {
		why = append(why, errors.New(e.What))
	}
	return fmt.Errorf("the transaction was rolled back: %w", errors.Join(why...))
}

func forbiddenText(err error) bool { return strings.Contains(err.Error(), "Permission denied") }

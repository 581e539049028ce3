package consulstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/store/driver"
)

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
		if id%s.each == 0 {
			target, ops = s.open(c.space, h)
		}
		text := strconv.FormatUint(id, 16)
		ops = append(ops,
			&api.KVTxnOp{Verb: api.KVSet, Key: s.gen(c.space), Value: []byte(text)},
			&api.KVTxnOp{Verb: api.KVCAS, Key: s.bucket(c.space, target.Bucket) + text, Value: logged})
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

// versionIn is the index at which a transaction wrote the generation.
func (s *Store) versionIn(c change, r *api.TxnResponse) (driver.Version, error) {
	for _, result := range r.Results {
		if result.KV != nil && result.KV.Key == s.gen(c.space) {
			return driver.Version(result.KV.ModifyIndex), nil
		}
	}
	return 0, fmt.Errorf("consul: %s: the answer lacks the version: %w: the token may not read %s", c.doing, errForbidden, s.gen(c.space))
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

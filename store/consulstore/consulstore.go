package consulstore

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Store implements driver.Driver and driver.Header over Consul.
type Store struct {
	*conn
	prefix string
	node   string
	each   uint64 // about how many changes a bucket of the log holds
	keep   int    // buckets of the log that stay, the one that is written included

	ready  sync.Map // spaces whose keys are known to be there
	memory sync.Map // space to memory: the history as it was read last
}

// get reads one key, linearizably; nil when there is none.
func (s *Store) get(ctx context.Context, doing, key string) (*api.KVPair, error) {
	var pair *api.KVPair
	err := s.read(ctx, doing, func(ctx context.Context, a *agent) (err error) {
		pair, _, err = a.KV().Get(key, consistent(ctx))
		return err
	})
	return pair, err
}

// look reads several keys and trees of keys at one moment, linearizably. A key
// that does not exist is in the answer, at index 0. One that is missing in it was
// kept back because the token may not read it, which Consul does not say: absence
// and failure must not look the same.
func (s *Store) look(ctx context.Context, doing string, keys []string, tree string) (map[string]*api.KVPair, []*api.KVPair, error) {
	var ops api.TxnOps
	for _, key := range keys {
		ops = append(ops, &api.TxnOp{KV: &api.KVTxnOp{Verb: api.KVGetOrEmpty, Key: key}})
	}
	if tree != "" {
		ops = append(ops, &api.TxnOp{KV: &api.KVTxnOp{Verb: api.KVGetTree, Key: tree}})
	}
	var r *api.TxnResponse
	err := s.read(ctx, doing, func(ctx context.Context, a *agent) error {
		ok, resp, _, err := a.Txn().Txn(ops, consistent(ctx))
		if err == nil && !ok {
			err = rolledBack(resp)
		}
		r = resp
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	single := map[string]*api.KVPair{}
	for _, key := range keys {
		single[key] = nil
	}
	var under []*api.KVPair
	for _, result := range r.Results {
		kv := result.KV
		if kv == nil {
			continue
		}
		if _, ok := single[kv.Key]; ok {
			single[kv.Key] = kv
		} else {
			under = append(under, kv)
		}
	}
	for key, kv := range single {
		if kv == nil {
			return nil, nil, fmt.Errorf("consul: %s: %w: the token may not read %s", doing, errForbidden, key)
		}
	}
	return single, under, nil
}

// Get implements driver.Driver, by one consistent read of the record and of its
// lease. A record whose lease has ended is removed first (see reap); as long as that
// cannot be done it is there.
func (s *Store) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	doing := "read " + key.Space
	if err := key.Validate(); err != nil {
		return driver.KV{}, fmt.Errorf("consul: %s: %w", doing, err)
	}
	ctx, cancel := s.bound(ctx, s.timeout) // one bound for all steps
	defer cancel()
	record, lease, meta := s.record(key), s.lease(key), s.meta(key.Space)
	for tried := false; ; tried = true {
		found, _, err := s.look(ctx, doing, []string{record, lease, meta}, "")
		if err != nil {
			return driver.KV{}, err
		}
		_, _ = s.learn(key.Space, found[meta]) // whoever reads may want to write
		if released(found[lease]) && !tried {
			s.reapInPassing(ctx, key.Space, found[lease])
			continue
		}
		if found[record].ModifyIndex == 0 {
			return driver.KV{}, driver.ErrNotFound
		}
		kv, err := unpack(found[record])
		if err != nil {
			return driver.KV{}, fmt.Errorf("consul: %s: %w", doing, err)
		}
		return kv, nil
	}
}

// unpack returns what a record's pair holds.
func unpack(p *api.KVPair) (driver.KV, error) {
	e, err := decode(p.Value)
	if err != nil {
		return driver.KV{}, fmt.Errorf("%s: %w", p.Key, err)
	}
	return driver.KV{Name: e.name, Value: e.value, Version: driver.Version(p.ModifyIndex)}, nil
}

// Head implements driver.Header: the index at which the space's generation was
// changed last, by one consistent read.
func (s *Store) Head(ctx context.Context, space string) (driver.Version, error) {
	p, err := s.get(ctx, "read the head of "+space, s.gen(space))
	if err != nil {
		return 0, err
	}
	return generation(p), nil
}

// generation is the version of a space's newest change, 0 when there was none:
// the key is made, empty, before the first change.
func generation(p *api.KVPair) driver.Version {
	if p == nil || len(p.Value) == 0 {
		return 0
	}
	return driver.Version(p.ModifyIndex)
}

// Write implements driver.Driver.
//
// Deleting a record also deletes its lease, if it has one, in the same
// transaction: without, its session is lost.
func (s *Store) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	doing := "write " + w.Key.Space
	err := w.Key.Validate()
	switch {
	case err != nil:
	case w.Delete && w.Expect == 0:
		err = fmt.Errorf("a deletion must name the expected version")
	default:
		err = checkValue(w.Value)
	}
	if err != nil {
		return 0, fmt.Errorf("consul: %s: %w", doing, err)
	}
	record := s.record(w.Key)
	c := change{
		doing: doing, space: w.Key.Space, name: w.Key.Name, value: w.Value, deleted: w.Delete,
		ops: func(packed []byte) []*api.KVTxnOp {
			if w.Delete {
				return []*api.KVTxnOp{
					// Not delete-cas, which is content with a key that does not exist.
					{Verb: api.KVCheckIndex, Key: record, Index: uint64(w.Expect)},
					{Verb: api.KVDelete, Key: record},
					{Verb: api.KVDelete, Key: s.lease(w.Key)},
				}
			}
			// An index of 0 means that the key must not exist.
			return []*api.KVTxnOp{{Verb: api.KVCAS, Key: record, Value: packed, Index: uint64(w.Expect)}}
		},
		refused: func(ctx context.Context) (error, error) {
			p, err := s.get(ctx, doing, record)
			if err != nil {
				return nil, err
			}
			if p == nil && w.Expect != 0 || p != nil && p.ModifyIndex != uint64(w.Expect) {
				return driver.ErrConflict, nil
			}
			return nil, nil
		},
	}
	return s.apply(ctx, c)
}

package consulstore

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
)

// session is a record whose lease is locked by a session of Consul.
type session struct {
	s   *Store
	key driver.Key
	id  string        // of Consul's session
	at  atomic.Uint64 // the record's version, as far as is known here
}

// Open implements driver.Driver. Consul says what the shortest TTL is; a shorter
// one is a *placement.InvalidError. When the record could not be created, or it is
// unknown whether it was, Consul's session is destroyed in the background, and then
// the record is removed like one whose lease has ended; should that fail, it ends by
// itself.
func (s *Store) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	doing := "open a session in " + key.Space
	err := key.Validate()
	if err == nil && ttl <= 0 {
		err = fmt.Errorf("the ttl must be positive, not %v", ttl)
	}
	if err == nil {
		err = checkValue(value)
	}
	if err != nil {
		return nil, fmt.Errorf("consul: %s: %w", doing, err)
	}
	ctx, cancel := s.bound(ctx, s.timeout) // one bound for all steps
	defer cancel()
	if err := s.prepare(ctx, key.Space); err != nil { // before the lease's time runs
		return nil, err
	}
	id, err := s.newSession(ctx, doing, ttl)
	if err != nil {
		return nil, err
	}
	v, err := s.apply(ctx, change{
		doing: doing, space: key.Space, name: key.Name, value: value,
		ops: func(packed []byte) []*api.KVTxnOp {
			return []*api.KVTxnOp{
				{Verb: api.KVCAS, Key: s.record(key), Value: packed},
				{Verb: api.KVLock, Key: s.lease(key), Value: envelope{name: key.Name}.encode(), Session: id},
			}
		},
		refused: func(ctx context.Context) (error, error) {
			p, err := s.get(ctx, doing, s.record(key))
			if err != nil || p == nil {
				return nil, err
			}
			return driver.ErrConflict, nil
		},
	})
	if err != nil {
		s.destroy(id)
		return nil, err
	}
	x := &session{s: s, key: key, id: id}
	x.at.Store(uint64(v))
	return x, nil
}

// newSession makes a session of Consul that ends with its TTL and nothing else. By
// default one also ends when the agent that it was made through leaves or fails its
// health check, which would be earlier than the TTL. So it has no checks, and is
// bound to a node of the catalog that is no machine.
func (s *Store) newSession(ctx context.Context, doing string, ttl time.Duration) (id string, err error) {
	entry := &api.SessionEntry{
		Name: "sluice", Node: s.node, TTL: ttl.String(), Behavior: api.SessionBehaviorRelease,
		LockDelay: time.Millisecond, // the default of 15 s would keep the name from its next owner
	}
	// It may be repeated: a session that nobody knows of ends by itself.
	err = s.read(ctx, doing, func(ctx context.Context, a *agent) (err error) {
		options := (&api.WriteOptions{}).WithContext(ctx)
		id, _, err = a.Session().CreateNoChecks(entry, options)
		if err != nil && strings.Contains(err.Error(), "Missing node registration") {
			_, err = a.Catalog().Register(&api.CatalogRegistration{Node: s.node, Address: "127.0.0.1", SkipNodeUpdate: true}, options)
			if err == nil {
				id, _, err = a.Session().CreateNoChecks(entry, options)
			}
		}
		if err != nil && strings.Contains(err.Error(), "Invalid Session TTL") {
			return &certain{fmt.Errorf("consul: %s: %w (%w)", doing, &placement.InvalidError{
				Field: "session_ttl", Value: ttl.String(),
				Fix: "must be what Consul grants: from 10s, or from session_ttl_min of its servers, to 24h",
			}, err)}
		}
		return err
	})
	return id, err
}

// destroy ends a session of Consul that nobody uses any more, in the background
// and without insisting.
func (s *Store) destroy(id string) {
	s.mu.Lock() // so that Close waits for this one, or this one finds it closed
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.background.Go(func() {
		ctx, cancel := s.bound(context.Background(), s.timeout)
		defer cancel()
		_ = s.read(ctx, "destroy a session", func(ctx context.Context, a *agent) error {
			_, err := a.Session().Destroy(id, (&api.WriteOptions{}).WithContext(ctx))
			return err
		})
	})
}

// Renew implements driver.Session. The leader extends the session from the moment
// that the request reaches it. A leader that was replaced without knowing cannot
// make it outlive what the new one grants: it steps down within its lease of half a
// second or a few, and the new leader begins by granting every session its whole
// time again, which is twice the TTL.
//
// After that it is checked, consistently, that the lease is still this session's: its
// end is decided there. Somebody may have deleted the record, which ends the
// session here, though not in Consul.
func (x *session) Renew(ctx context.Context) error {
	const doing = "renew a session"
	ctx, cancel := x.s.bound(ctx, x.s.timeout)
	defer cancel()
	known := false
	err := x.s.read(ctx, doing, func(ctx context.Context, a *agent) error {
		entry, _, err := a.Session().Renew(x.id, (&api.WriteOptions{}).WithContext(ctx))
		known = entry != nil
		return err
	})
	if err != nil {
		return err
	}
	mine, err := x.mine(ctx, doing)
	switch {
	case err != nil:
		return err
	case !mine:
		return x.lost()
	case !known:
		return fmt.Errorf("consul: %s: the agent does not know it, though its lease is there; ask again", doing)
	}
	return nil
}

// mine reads whether the lease is the session's, and the record's version. Consul
// releases the lease in the very step in which it ends the session.
func (x *session) mine(ctx context.Context, doing string) (bool, error) {
	record, lease, meta := x.s.record(x.key), x.s.lease(x.key), x.s.meta(x.key.Space)
	found, _, err := x.s.look(ctx, doing, []string{record, lease, meta}, "")
	if err != nil {
		return false, err
	}
	_, _ = x.s.learn(x.key.Space, found[meta]) // the next thing may be an update
	x.at.Store(found[record].ModifyIndex)
	return found[lease].Session == x.id, nil
}

// lost lets go of what a session that has ended may still hold in Consul.
func (x *session) lost() error {
	x.s.destroy(x.id)
	return driver.ErrSessionLost
}

// change is a change of the record while the lease is the session's: no other
// session has its id.
func (x *session) change(ctx context.Context, c change, ops func(packed []byte) []*api.KVTxnOp) (driver.Version, error) {
	c.space, c.name = x.key.Space, x.key.Name
	c.ops = func(packed []byte) []*api.KVTxnOp {
		return append([]*api.KVTxnOp{{Verb: api.KVCheckSession, Key: x.s.lease(x.key), Session: x.id}}, ops(packed)...)
	}
	c.refused = func(ctx context.Context) (error, error) {
		if mine, err := x.mine(ctx, c.doing); err != nil || mine {
			return nil, err
		}
		return x.lost(), nil
	}
	return x.s.apply(ctx, c)
}

// Update implements driver.Session. The record's version is compared, so that an
// update that failed, and is still on its way, finds another one when it arrives
// after a later update. If it arrives before that, the later one finds it, reads the
// version and tries again; as it does when somebody else has written the record.
func (x *session) Update(ctx context.Context, value []byte) (driver.Version, error) {
	const doing = "update a session"
	if err := checkValue(value); err != nil {
		return 0, fmt.Errorf("consul: %s: %w", doing, err)
	}
	v, err := x.change(ctx, change{doing: doing, value: value}, func(packed []byte) []*api.KVTxnOp {
		return []*api.KVTxnOp{{Verb: api.KVCAS, Key: x.s.record(x.key), Value: packed, Index: x.at.Load()}}
	})
	if err == nil {
		x.at.Store(uint64(v))
	}
	return v, err
}

// Close implements driver.Session. The record and the lease are removed in one
// transaction; Consul's session, with nothing under it, is then destroyed in the
// background.
func (x *session) Close(ctx context.Context) error {
	_, err := x.change(ctx, change{doing: "close a session", deleted: true}, func([]byte) []*api.KVTxnOp {
		return []*api.KVTxnOp{{Verb: api.KVDelete, Key: x.s.record(x.key)}, {Verb: api.KVDelete, Key: x.s.lease(x.key)}}
	})
	if err != nil {
		return err // unless it is lost it may or may not be closed; it may be closed again
	}
	x.s.destroy(x.id)
	return nil
}

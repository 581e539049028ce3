package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sluiceproxy/sluice/store/driver"
)

// pageSize is how many keys List reads at a time.
const pageSize = 5_000

// Store implements driver.Driver and driver.Header over an etcd client.
type Store struct {
	c       *clientv3.Client
	prefix  string
	timeout time.Duration
	log     *slog.Logger
	local   bool // the only member runs in this process
}

func newStore(c *clientv3.Client, prefix string, o Options) *Store {
	if prefix == "" {
		prefix = DefaultPrefix
	}
	return &Store{c: c, prefix: prefix, timeout: o.Timeout, log: o.Logger}
}

// Close closes the client's connections.
func (s *Store) Close() error { return s.c.Close() }

func (s *Store) key(k driver.Key) string        { return s.prefix + k.Space + "/" + k.Name }
func (s *Store) spaceOf(space string) string    { return s.prefix + space + "/" }
func (s *Store) generation(space string) string { return s.prefix + "gen/" + space }

func (s *Store) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout)
}

// Get implements driver.Driver; etcd's reads are linearizable unless asked not
// to be.
func (s *Store) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	r, err := s.c.Get(ctx, s.key(key))
	if err != nil {
		return driver.KV{}, fmt.Errorf("etcd get: %w", err)
	}
	if len(r.Kvs) == 0 {
		return driver.KV{}, driver.ErrNotFound
	}
	return driver.KV{Name: key.Name, Value: r.Kvs[0].Value, Version: driver.Version(r.Kvs[0].ModRevision)}, nil
}

// List implements driver.Driver. The first page's revision is the moment of the
// list; the other pages are read at that revision. A compaction past it in the
// meantime is an error, not a list of two moments.
func (s *Store) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	from, end := s.spaceOf(space), clientv3.GetPrefixRangeEnd(s.spaceOf(space))
	cut := len(from)
	var rev int64
	for {
		c, cancel := s.bound(ctx)
		opts := []clientv3.OpOption{clientv3.WithRange(end), clientv3.WithLimit(pageSize)}
		if rev != 0 {
			opts = append(opts, clientv3.WithRev(rev))
		}
		r, err := s.c.Get(c, from, opts...)
		cancel()
		if err != nil {
			return 0, fmt.Errorf("etcd list: %w", err)
		}
		if rev == 0 {
			rev = r.Header.Revision
		}
		for _, kv := range r.Kvs {
			if !yield(driver.KV{Name: string(kv.Key[cut:]), Value: kv.Value, Version: driver.Version(kv.ModRevision)}) {
				return driver.Version(rev), nil
			}
		}
		if !r.More || len(r.Kvs) == 0 {
			return driver.Version(rev), nil
		}
		from = string(r.Kvs[len(r.Kvs)-1].Key) + "\x00"
	}
}

// Write implements driver.Driver as one transaction. ErrConflict is certain: the
// client library repeats a transaction only if it was never sent (its policy for
// mutable calls: "no address/connection available"), and gRPC only if the server
// has not seen it; so a conflict cannot be the answer to a repetition of a write
// that took effect.
func (s *Store) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if w.Delete && w.Expect == 0 {
		return 0, errors.New("etcd write: a deletion must name the expected version")
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	k := s.key(w.Key)
	op := clientv3.OpPut(k, string(w.Value))
	if w.Delete {
		op = clientv3.OpDelete(k)
	}
	r, err := s.c.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(k), "=", int64(w.Expect))).
		Then(op, clientv3.OpPut(s.generation(w.Key.Space), "")).Commit()
	if err != nil {
		return 0, fmt.Errorf("etcd write: %w", err)
	}
	if !r.Succeeded {
		return 0, driver.ErrConflict
	}
	return driver.Version(r.Header.Revision), nil
}

// Head implements driver.Header. In the process of a single member the read is
// local: that member is the one that acknowledges, and it acknowledges a write
// after it has applied it, so what it has applied holds everything acknowledged.
func (s *Store) Head(ctx context.Context, space string) (driver.Version, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	opts := []clientv3.OpOption{clientv3.WithKeysOnly()}
	if s.local {
		opts = append(opts, clientv3.WithSerializable())
	}
	r, err := s.c.Get(ctx, s.generation(space), opts...)
	if err != nil {
		return 0, fmt.Errorf("etcd head: %w", err)
	}
	if len(r.Kvs) == 0 {
		return 0, nil
	}
	return driver.Version(r.Kvs[0].ModRevision), nil
}

// Watch implements driver.Driver. The client library resumes a broken watch
// after the last revision that it delivered, and never splits a revision's events
// over two responses unless fragments are asked for, which they are not. What ends
// a watch for another reason (a member that lost its leader) is begun again here,
// at the next revision.
func (s *Store) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	prefix := s.spaceOf(space)
	pause := 20 * time.Millisecond
	for {
		err := s.watchOnce(ctx, prefix, &from, func(evs []driver.Event) error {
			pause = 20 * time.Millisecond
			return apply(evs)
		})
		var stop *stopError
		switch {
		case errors.As(err, &stop):
			return stop.err
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, rpctypes.ErrCompacted):
			return driver.ErrCompacted
		}
		s.log.Warn("etcd watch ended, beginning again", "space", space, "error", err)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
		pause = min(2*pause, time.Second)
	}
}

// stopError carries what apply returned through the loop that begins again.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }

func (s *Store) watchOnce(ctx context.Context, prefix string, from *driver.Version, apply func([]driver.Event) error) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	for r := range s.c.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(int64(*from)+1)) {
		if r.CompactRevision != 0 {
			return rpctypes.ErrCompacted
		}
		if err := r.Err(); err != nil {
			return err
		}
		if len(r.Events) == 0 {
			continue
		}
		evs := make([]driver.Event, len(r.Events))
		for i, e := range r.Events {
			evs[i] = driver.Event{
				KV:      driver.KV{Name: string(e.Kv.Key[len(prefix):]), Version: driver.Version(e.Kv.ModRevision)},
				Deleted: e.Type == mvccpb.DELETE,
			}
			if !evs[i].Deleted {
				evs[i].Value = e.Kv.Value
			}
		}
		if err := apply(evs); err != nil {
			return &stopError{err}
		}
		*from = evs[len(evs)-1].Version
	}
	return errors.New("the watch channel was closed")
}

// session is a key under an etcd lease.
type session struct {
	s       *Store
	key     driver.Key
	lease   clientv3.LeaseID
	created int64 // revision at which the key was created: its identity
}

// Open implements driver.Driver. A lease whose key could not be created is
// revoked; if that fails too it ends by itself, with no key under it.
func (s *Store) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	if ttl <= 0 {
		return nil, fmt.Errorf("etcd open session: the ttl must be positive, not %v", ttl)
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	l, err := s.c.Grant(ctx, int64((ttl+time.Second-1)/time.Second))
	if err != nil {
		return nil, fmt.Errorf("etcd grant lease: %w", err)
	}
	k := s.key(key)
	r, err := s.c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(k), "=", 0)).
		Then(clientv3.OpPut(k, string(value), clientv3.WithLease(l.ID)), clientv3.OpPut(s.generation(key.Space), "")).Commit()
	if err != nil || !r.Succeeded {
		c, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = s.c.Revoke(c, l.ID)
		if err != nil {
			return nil, fmt.Errorf("etcd open session: %w", err)
		}
		return nil, driver.ErrConflict
	}
	return &session{s: s, key: key, lease: l.ID, created: r.Header.Revision}, nil
}

func (x *session) Renew(ctx context.Context) error {
	ctx, cancel := x.s.bound(ctx)
	defer cancel()
	_, err := x.s.c.KeepAliveOnce(ctx, x.lease)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return driver.ErrSessionLost
	}
	if err != nil {
		return fmt.Errorf("etcd renew: %w", err)
	}
	return nil
}

func (x *session) Update(ctx context.Context, value []byte) (driver.Version, error) {
	ctx, cancel := x.s.bound(ctx)
	defer cancel()
	k := x.s.key(x.key)
	r, err := x.s.c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(k), "=", x.created)).
		Then(clientv3.OpPut(k, string(value), clientv3.WithLease(x.lease)), clientv3.OpPut(x.s.generation(x.key.Space), "")).Commit()
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return 0, driver.ErrSessionLost
	}
	if err != nil {
		return 0, fmt.Errorf("etcd update session: %w", err)
	}
	if !r.Succeeded {
		return 0, driver.ErrSessionLost
	}
	return driver.Version(r.Header.Revision), nil
}

func (x *session) Close(ctx context.Context) error {
	ctx, cancel := x.s.bound(ctx)
	defer cancel()
	_, err := x.s.c.Revoke(ctx, x.lease)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return driver.ErrSessionLost
	}
	if err != nil {
		return fmt.Errorf("etcd close session: %w", err)
	}
	return nil
}

package etcdstore

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Store implements driver.Driver and driver.Header over etcd.
type Store struct {
	*client
	prefix string
	seen   atomic.Pointer[seenHead] // see LocalHead
}

// client is what all Stores of one connection share.
type client struct {
	c       *clientv3.Client
	timeout time.Duration
	log     *slog.Logger
	page    int64 // records that List reads at a time

	newRenewal func() renewal         // how a session renews its lease
	member     *etcdserver.EtcdServer // the only one, in this process; nil: none is

	done       chan struct{}  // closed by Close
	release    func()         // of what the connection holds beside the client
	background sync.WaitGroup // leases being revoked for nobody

	mu     sync.Mutex
	closed bool
}

// pageSize is how many records List reads at a time: few enough that an answer
// stays at some megabytes, many enough that a million take seconds.
const pageSize = 5_000

func newStore(c *clientv3.Client, prefix string, o Options) *Store {
	if prefix == "" {
		prefix = DefaultPrefix
	}
	return &Store{prefix: prefix, client: &client{
		c: c, timeout: o.Timeout, log: o.Logger, page: pageSize, done: make(chan struct{}), release: func() {},
	}}
}

// Close closes the connections; calls that are under way return ErrClosed.
// Sessions that are open live on until their ttl has passed. It may be called
// more than once.
func (s *Store) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	if first {
		close(s.done)
	}
	s.mu.Unlock()
	if first {
		s.background.Wait()
		_ = s.c.Close() // it says that its context was cancelled, which it was by this very call
		s.release()
	}
	return nil
}

func (s *Store) key(k driver.Key) string        { return s.prefix + k.Space + "/" + k.Name }
func (s *Store) spaceOf(space string) string    { return s.prefix + space + "/" }
func (s *Store) generation(space string) string { return s.prefix + "gen/" + space }

// touch is the operation that moves a space's head, part of every transaction
// that changes the space.
func (s *Store) touch(space string) clientv3.Op { return clientv3.OpPut(s.generation(space), "") }

// valid refuses what no driver takes, and the one space that would collide with
// the generations.
func valid(k driver.Key) error {
	if k.Space == "gen" {
		return fmt.Errorf("the space %q is taken by this driver", k.Space)
	}
	return k.Validate()
}

// Get implements driver.Driver; etcd's reads are linearizable unless asked not
// to be. A read that fails for a reason that passes is tried again until the
// deadline.
func (s *Store) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	var r *clientv3.GetResponse
	err := s.ask(ctx, "read "+key.Space, func(ctx context.Context) (err error) {
		r, err = s.c.Get(ctx, s.key(key))
		return err
	})
	if err != nil {
		return driver.KV{}, err
	}
	if len(r.Kvs) == 0 {
		return driver.KV{}, driver.ErrNotFound
	}
	return driver.KV{Name: key.Name, Value: r.Kvs[0].Value, Version: driver.Version(r.Kvs[0].ModRevision)}, nil
}

// Write implements driver.Driver as one transaction that compares the key's
// modification revision.
//
// A transaction is sent once. Sent again after an answer was lost, it would find
// its own effect, and the conflict that it reported would be a lie: the caller
// takes ErrConflict for "nothing was written". The client library's retries are
// therefore off (MaxUnaryRetries is 1): with its default of 100 it repeats any
// call, transactions too, whenever an attempt ends with Canceled or
// DeadlineExceeded while the caller's context is alive (unaryClientInterceptor
// in retry_interceptor.go asks isContextError before it asks whether the call
// may be repeated), and a proxy that resets a stream makes it end so. What gRPC
// repeats by itself is safe: only what was never sent, or what the server says,
// by GOAWAY or REFUSED_STREAM, that it has not looked at.
//
// Only a write that etcd rejected before looking at it (see refused) is sent
// again here.
func (s *Store) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	doing := "write " + w.Key.Space
	if err := valid(w.Key); err != nil {
		return 0, fmt.Errorf("etcd: %s: %w", doing, err)
	}
	k := s.key(w.Key)
	var op clientv3.Op
	switch {
	case w.Delete && w.Expect == 0:
		return 0, fmt.Errorf("etcd: %s: a deletion must name the expected version", doing)
	case w.Delete:
		op = clientv3.OpDelete(k)
	case w.Expect == 0:
		op = clientv3.OpPut(k, string(w.Value))
	default:
		// A put without a lease would take the record of a session off its lease,
		// to stay for ever. The key exists, says the comparison, as this needs.
		op = clientv3.OpPut(k, string(w.Value), clientv3.WithIgnoreLease())
	}
	// The revision of a key that does not exist compares as 0.
	r, err := s.commit(ctx, doing, clientv3.Compare(clientv3.ModRevision(k), "=", int64(w.Expect)), op, s.touch(w.Key.Space))
	if err != nil {
		return 0, err
	}
	if !r.Succeeded {
		return 0, driver.ErrConflict
	}
	return driver.Version(r.Header.Revision), nil
}

// commit sends one transaction, once.
func (s *Store) commit(ctx context.Context, doing string, cmp clientv3.Cmp, ops ...clientv3.Op) (*clientv3.TxnResponse, error) {
	var r *clientv3.TxnResponse
	err := s.call(ctx, doing, refused, func(ctx context.Context) (err error) {
		r, err = s.c.Txn(ctx).If(cmp).Then(ops...).Commit()
		return err
	})
	return r, err
}

// Head implements driver.Header: the revision of the space's generation. Beside a
// member in this process it is read from that member's memory; see LocalHead.
func (s *Store) Head(ctx context.Context, space string) (driver.Version, error) {
	if s.member != nil {
		if err := s.alive(ctx); err != nil {
			return 0, fmt.Errorf("etcd: read the head of %s: %w", space, err)
		}
		if v, ok := s.readLocal(space); ok {
			return v, nil
		}
	}
	var r *clientv3.GetResponse
	err := s.ask(ctx, "read the head of "+space, func(ctx context.Context) (err error) {
		r, err = s.c.Get(ctx, s.generation(space), clientv3.WithKeysOnly())
		return err
	})
	if err != nil || len(r.Kvs) == 0 {
		return 0, err
	}
	return driver.Version(r.Kvs[0].ModRevision), nil
}

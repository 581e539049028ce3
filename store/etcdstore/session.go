package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/sluiceproxy/sluice/store/driver"
)

// session is a key under an etcd lease of its own.
type session struct {
	s       *Store
	key     driver.Key
	lease   clientv3.LeaseID
	created int64 // revision at which the key was created: the session's identity
	renewal renewal

	modified atomic.Int64 // revision of the record's last change, as far as it is known
}

// Open implements driver.Driver. The ttl is rounded up to whole seconds, and by
// etcd to its minimum (see the package's limits). When the key could not be
// created, or it is unknown whether it was, the lease is revoked in the
// background, and the key with it; should that fail, the lease ends by itself.
func (s *Store) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	doing := "open a session in " + key.Space
	if err := valid(key); err != nil {
		return nil, fmt.Errorf("etcd: %s: %w", doing, err)
	}
	if ttl <= 0 {
		return nil, fmt.Errorf("etcd: %s: the ttl must be positive, not %v", doing, ttl)
	}
	ctx, cancel := s.bound(ctx) // one bound for both steps
	defer cancel()
	var l *clientv3.LeaseGrantResponse
	// Granting may be repeated: a lease that nobody knows of ends by itself.
	err := s.call(ctx, doing, transient, func(ctx context.Context) (err error) {
		l, err = s.c.Grant(ctx, int64((ttl+time.Second-1)/time.Second))
		return err
	})
	if err != nil {
		return nil, err
	}
	k := s.key(key)
	r, err := s.commit(ctx, doing, clientv3.Compare(clientv3.CreateRevision(k), "=", 0),
		clientv3.OpPut(k, string(value), clientv3.WithLease(l.ID)), s.touch(key.Space))
	if err == nil && r.Succeeded {
		x := &session{s: s, key: key, lease: l.ID, created: r.Header.Revision, renewal: s.newRenewal()}
		x.modified.Store(x.created)
		return x, nil
	}
	s.revoke(l.ID)
	if err != nil {
		return nil, err
	}
	return nil, driver.ErrConflict
}

// revoke ends a lease that nobody uses any more, in the background and without
// insisting.
func (s *Store) revoke(id clientv3.LeaseID) {
	s.mu.Lock() // so that Close waits for this one, or this one finds it closed
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
		defer cancel()
		over := make(chan struct{})
		go func() {
			defer close(over)
			_, _ = s.c.Revoke(ctx, id)
		}()
		select {
		case <-over:
		case <-s.done:
			cancel()
			<-over
		}
	})
}

// Renew implements driver.Session. The lease is extended by the leader, from the
// moment that the request reaches it. A leader that was replaced without knowing
// cannot make the session outlive what the new one grants: it steps down within
// two election timeouts, and the new leader begins by granting every lease its
// ttl and one election timeout more.
//
// After that it is checked that the record is still there: someone may have
// deleted it, which ends the session, though not its lease.
func (x *session) Renew(ctx context.Context) error {
	const doing = "renew a session"
	ctx, cancel := x.s.bound(ctx)
	defer cancel()
	var ttl int64
	err := x.s.call(ctx, doing, transient, func(ctx context.Context) (err error) {
		ttl, err = x.renewal.renew(ctx, x.lease)
		return err
	})
	if errors.Is(err, rpctypes.ErrLeaseNotFound) || err == nil && ttl <= 0 {
		return x.lost()
	}
	if err != nil {
		return err
	}
	var r *clientv3.GetResponse
	err = x.s.call(ctx, doing, transient, func(ctx context.Context) (err error) {
		r, err = x.s.c.Get(ctx, x.s.key(x.key), clientv3.WithKeysOnly())
		return err
	})
	if err != nil {
		return err
	}
	if len(r.Kvs) == 0 || r.Kvs[0].CreateRevision != x.created {
		return x.lost()
	}
	return nil
}

// lost lets go of what a session that has ended still holds.
func (x *session) lost() error {
	x.renewal.close()
	return driver.ErrSessionLost
}

// mine is true of the store while the record is the session's: no other key ever
// has its creation revision.
func (x *session) mine() clientv3.Cmp {
	return clientv3.Compare(clientv3.CreateRevision(x.s.key(x.key)), "=", x.created)
}

// Update implements driver.Session. A lease that ended took the record with it,
// so whether the record is there is all there is to compare for the session's
// sake. That it is also at the revision that was last seen is compared because
// of an earlier update that failed and may still be on its way, over a connection
// that was given up or to a member that was slow: whichever of the two takes
// effect first moves the revision, and the other does nothing. Is it the later
// one that is refused, it is tried again from where the earlier one has led.
func (x *session) Update(ctx context.Context, value []byte) (driver.Version, error) {
	ctx, cancel := x.s.bound(ctx) // one bound for all attempts
	defer cancel()
	k := x.s.key(x.key)
	for {
		at := x.modified.Load()
		var r *clientv3.TxnResponse
		err := x.s.call(ctx, "update a session", refused, func(ctx context.Context) (err error) {
			r, err = x.s.c.Txn(ctx).
				If(x.mine(), clientv3.Compare(clientv3.ModRevision(k), "=", at)).
				Then(clientv3.OpPut(k, string(value), clientv3.WithLease(x.lease)), x.s.touch(x.key.Space)).
				Else(clientv3.OpGet(k, clientv3.WithKeysOnly())).
				Commit()
			return err
		})
		if errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return 0, x.lost() // etcd refuses the whole transaction
		}
		if err != nil {
			return 0, err
		}
		if r.Succeeded {
			x.saw(r.Header.Revision)
			return driver.Version(r.Header.Revision), nil
		}
		kvs := r.Responses[0].GetResponseRange().Kvs
		if len(kvs) == 0 || kvs[0].CreateRevision != x.created {
			return 0, x.lost()
		}
		x.saw(kvs[0].ModRevision)
	}
}

// saw moves the known revision, forward only: updates may run side by side.
func (x *session) saw(rev int64) {
	for at := x.modified.Load(); at < rev && !x.modified.CompareAndSwap(at, rev); at = x.modified.Load() {
		continue
	}
}

// Close implements driver.Session. The record is deleted by a transaction that
// moves the head, because revoking the lease, which would remove it too, does
// not; the lease, with nothing under it, is then revoked in the background.
func (x *session) Close(ctx context.Context) error {
	r, err := x.s.commit(ctx, "close a session", x.mine(), clientv3.OpDelete(x.s.key(x.key)), x.s.touch(x.key.Space))
	if err != nil {
		return err // it may or may not be closed; it may be closed again
	}
	x.s.revoke(x.lease)
	if !r.Succeeded {
		return x.lost()
	}
	x.renewal.close()
	return nil
}

// renewal is how one session renews its lease.
type renewal interface {
	// renew returns the lease's ttl in seconds, or 0 when there is no such lease.
	renew(ctx context.Context, id clientv3.LeaseID) (int64, error)
	close()
}

// renewalStream renews over a gRPC stream that stays open between renewals,
// because with a password each new stream makes the cluster compute a bcrypt.
// The client library's KeepAliveOnce opens one per renewal and, on errors,
// begins again without a pause.
type renewalStream struct {
	client pb.LeaseClient
	turn   chan struct{} // of capacity one, held while a renewal runs; guards the rest
	stream pb.Lease_LeaseKeepAliveClient
	cancel context.CancelFunc
}

func newRenewalStream(c pb.LeaseClient) *renewalStream {
	return &renewalStream{client: c, turn: make(chan struct{}, 1)}
}

func (r *renewalStream) renew(ctx context.Context, id clientv3.LeaseID) (int64, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if r.stream == nil {
		if err := r.open(ctx); err != nil {
			return 0, err
		}
	}
	// Requests and answers alternate on the stream. When the context ends between
	// them the stream is given up, so that the answer cannot be taken for the next.
	stop := context.AfterFunc(ctx, r.cancel)
	resp, err := r.exchange(id)
	if !stop() || err != nil {
		r.drop()
	}
	if err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, clientv3.ContextError(ctx, err)
	}
	return resp.TTL, nil
}

func (r *renewalStream) exchange(id clientv3.LeaseID) (*pb.LeaseKeepAliveResponse, error) {
	if err := r.stream.Send(&pb.LeaseKeepAliveRequest{ID: int64(id)}); err != nil {
		// Send says no more than io.EOF when the stream is broken; the reason is here.
		if _, reason := r.stream.Recv(); reason != nil {
			return nil, reason
		}
		return nil, err
	}
	return r.stream.Recv()
}

// open waits for a connection as long as ctx lives; the stream lives longer, at
// most until the connection is closed.
func (r *renewalStream) open(ctx context.Context) error {
	base, cancel := context.WithCancel(clientv3.WithRequireLeader(context.Background()))
	stop := context.AfterFunc(ctx, cancel)
	stream, err := r.client.LeaseKeepAlive(base, grpc.WaitForReady(true))
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		return clientv3.ContextError(ctx, err)
	}
	r.stream, r.cancel = stream, cancel
	return nil
}

func (r *renewalStream) drop() {
	if r.stream != nil {
		r.cancel()
		r.stream, r.cancel = nil, nil
	}
}

// close does not wait for a renewal that is under way: that one finds the session
// lost too, and closes then.
func (r *renewalStream) close() {
	select {
	case r.turn <- struct{}{}:
		r.drop()
		<-r.turn
	default:
	}
}

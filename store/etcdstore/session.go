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
	ttl     int64 // seconds
	created int64 // revision at which the key was created: the session's identity
	renewal renewal

	modified atomic.Int64 // revision of the record's last change, as far as it is known
	lease    atomic.Int64 // that the record is under, as far as it is known

	turn chan struct{} // of capacity one, held while a Renew runs; guards the rest
	term uint64        // the lease was granted in this term of a leader, or in a later one
}

func (x *session) leaseID() clientv3.LeaseID { return clientv3.LeaseID(x.lease.Load()) }

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
	ctx, cancel := s.bound(ctx) // one bound for all steps
	defer cancel()
	k, seconds := s.key(key), int64((ttl+time.Second-1)/time.Second)
	// The term before the lease is granted: see Renew.
	var now *clientv3.GetResponse
	err := s.ask(ctx, doing, func(ctx context.Context) (err error) {
		now, err = s.c.Get(ctx, k, clientv3.WithKeysOnly())
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(now.Kvs) > 0 {
		return nil, driver.ErrConflict
	}
	lease, err := s.grant(ctx, doing, seconds)
	if err != nil {
		return nil, err
	}
	r, err := s.commit(ctx, doing, clientv3.Compare(clientv3.CreateRevision(k), "=", 0),
		clientv3.OpPut(k, string(value), clientv3.WithLease(lease)), s.touch(key.Space))
	if err == nil && r.Succeeded {
		x := &session{s: s, key: key, ttl: seconds, created: r.Header.Revision, renewal: s.newRenewal(), turn: make(chan struct{}, 1), term: now.Header.RaftTerm}
		x.modified.Store(x.created)
		x.lease.Store(int64(lease))
		return x, nil
	}
	s.revoke(lease)
	if err != nil {
		return nil, err
	}
	return nil, driver.ErrConflict
}

// grant makes a lease. It may be repeated: one that nobody knows of ends by itself.
func (s *Store) grant(ctx context.Context, doing string, seconds int64) (clientv3.LeaseID, error) {
	var l *clientv3.LeaseGrantResponse
	err := s.ask(ctx, doing, func(ctx context.Context) (err error) {
		l, err = s.c.Grant(ctx, seconds)
		return err
	})
	if err != nil {
		return 0, err
	}
	return l.ID, nil
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
// moment that the request reaches it; a new leader begins by granting every lease
// its ttl and one election timeout more. Then it is checked that the record is
// still there: someone may have deleted it, which ends the session, though not its
// lease.
//
// A leader that was paused for longer than a ttl is a danger when it wakes up. For
// a moment it takes itself for the leader, finds by its own count that the lease
// has ended, because it was renewed elsewhere meanwhile, and proposes to revoke
// it; it checks whether it still leads before, but not when it has just heard its
// own clock tick (isActive in etcd's server.go), and what it proposed is passed on
// to the new leader. That ended sessions whose holders had renewed them in time.
// So when the term has changed the record is moved to another lease, which was
// granted in the new term: the old leader does not know it, and to revoke the one
// that it knows does nothing. A session that has not been renewed since has run
// out by its holder's count by the time that the old leader can find it so.
//
// The term is that of a linearizable read which began after the renewal: it is at
// least that of the leader who renewed.
func (x *session) Renew(ctx context.Context) error {
	const doing = "renew a session"
	ctx, cancel := x.s.bound(ctx)
	defer cancel()
	select {
	case x.turn <- struct{}{}:
		defer func() { <-x.turn }()
	case <-ctx.Done():
		return fmt.Errorf("etcd: %s: %w", doing, ctx.Err())
	}
	for {
		lease := x.leaseID()
		var ttl int64
		err := x.s.ask(ctx, doing, func(ctx context.Context) (err error) {
			ttl, err = x.renewal.renew(ctx, lease)
			return err
		})
		ended := errors.Is(err, rpctypes.ErrLeaseNotFound) || err == nil && ttl <= 0
		if err != nil && !ended {
			return err
		}
		var r *clientv3.GetResponse
		err = x.s.ask(ctx, doing, func(ctx context.Context) (err error) {
			r, err = x.s.c.Get(ctx, x.s.key(x.key)) // etcd 3.7 leaves out the lease when it is asked for keys only
			return err
		})
		if err != nil {
			return err
		}
		if len(r.Kvs) == 0 || r.Kvs[0].CreateRevision != x.created {
			return x.lost()
		}
		under := r.Kvs[0].Lease
		switch {
		case under != 0 && under != int64(lease):
			x.lease.Store(under) // by a move whose outcome was not learned; that one is to be renewed
			continue
		case ended:
			return x.lost()
		case under != 0 && r.Header.RaftTerm == x.term:
			return nil
		}
		if moved, err := x.move(ctx, doing, r.Kvs[0].ModRevision, r.Header.RaftTerm); moved || err != nil {
			return err
		}
	}
}

// move puts the record, as it was at revision at, under a lease of its own that is
// granted in this term or a later one. It has not if the record has changed.
func (x *session) move(ctx context.Context, doing string, at int64, term uint64) (bool, error) {
	lease, err := x.s.grant(ctx, doing, x.ttl)
	if err != nil {
		return false, err
	}
	k := x.s.key(x.key)
	var r *clientv3.TxnResponse
	err = x.s.call(ctx, doing, refused, func(ctx context.Context) (err error) {
		r, err = x.s.c.Txn(ctx).If(x.mine(), clientv3.Compare(clientv3.ModRevision(k), "=", at)).
			Then(clientv3.OpPut(k, "", clientv3.WithIgnoreValue(), clientv3.WithLease(lease)), x.s.touch(x.key.Space)).Commit()
		return err
	})
	if err != nil {
		return false, err // the record may be under the new lease: it must not be revoked
	}
	if !r.Succeeded {
		x.s.revoke(lease)
		return false, nil
	}
	x.saw(r.Header.Revision)
	x.s.revoke(clientv3.LeaseID(x.lease.Swap(int64(lease))))
	x.term = term
	return true, nil
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
				Then(clientv3.OpPut(k, string(value), clientv3.WithIgnoreLease()), x.s.touch(x.key.Space)).
				Else(clientv3.OpGet(k, clientv3.WithKeysOnly())).
				Commit()
			return err
		})
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
	x.s.revoke(x.leaseID())
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

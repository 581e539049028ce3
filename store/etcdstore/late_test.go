package etcdstore_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
)

// sluggish passes requests on to a real etcd, and holds back each transaction that
// puts a value that begins with "late" until it is let go: by then the client has
// given up, but the request goes on, as it does in a member that was frozen.
type sluggish struct {
	pb.UnimplementedKVServer
	pb.UnimplementedLeaseServer
	kv      pb.KVClient
	lease   pb.LeaseClient
	held    chan struct{}        // gets a value when a transaction is held back
	letGo   chan struct{}        // closed to let them go
	arrived chan *pb.TxnResponse // what became of them
}

func (l *sluggish) Range(ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
	return l.kv.Range(ctx, r)
}

func (l *sluggish) LeaseGrant(ctx context.Context, r *pb.LeaseGrantRequest) (*pb.LeaseGrantResponse, error) {
	return l.lease.LeaseGrant(ctx, r)
}

func (l *sluggish) LeaseRevoke(ctx context.Context, r *pb.LeaseRevokeRequest) (*pb.LeaseRevokeResponse, error) {
	return l.lease.LeaseRevoke(ctx, r)
}

func (l *sluggish) Txn(ctx context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error) {
	put := r.Success[0].GetRequestPut()
	if put == nil || !bytes.HasPrefix(put.Value, []byte("late")) {
		return l.kv.Txn(ctx, r)
	}
	l.held <- struct{}{}
	<-l.letGo
	resp, err := l.kv.Txn(context.WithoutCancel(ctx), r)
	l.arrived <- resp
	return resp, err
}

// An update whose caller gave up, and which etcd looks at after a later one, does
// nothing.
func TestLateUpdateDoesNothing(t *testing.T) {
	t.Parallel()
	e := startEmbedded(t, t.TempDir())
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{e.Endpoint()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	l := &sluggish{
		kv: pb.NewKVClient(c.ActiveConnection()), lease: pb.NewLeaseClient(c.ActiveConnection()),
		held: make(chan struct{}, 1), letGo: make(chan struct{}), arrived: make(chan *pb.TxnResponse, 1),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterKVServer(server, l)
	pb.RegisterLeaseServer(server, l)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()

	s := connect(t, prefix(), "http://"+listener.Addr().String())
	k := driver.Key{Space: "sessions", Name: "s"}
	x, err := s.Open(t.Context(), k, []byte("opened"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	go func() {
		<-l.held
		giveUp()
	}()
	if _, err := x.Update(ctx, []byte("late")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	v, err := x.Update(t.Context(), []byte("newer"))
	if err != nil {
		t.Fatal(err)
	}
	close(l.letGo)
	if r := <-l.arrived; r == nil || r.Succeeded {
		t.Errorf("the update that came late was answered with %v", r)
	}
	kv, err := s.Get(t.Context(), k)
	if err != nil || string(kv.Value) != "newer" || kv.Version != v {
		t.Fatalf("the record is %q at %d, %v; want what was acknowledged at %d", kv.Value, kv.Version, err, v)
	}
	// And one that finds a change that it did not know of goes on from there.
	put(t, s, k, "theirs", v)
	if v, err = x.Update(t.Context(), []byte("mine")); err != nil {
		t.Fatal(err)
	}
	if kv, err := s.Get(t.Context(), k); err != nil || string(kv.Value) != "mine" || kv.Version != v {
		t.Fatalf("the record is %q at %d, %v", kv.Value, kv.Version, err)
	}
}

// leaseOf returns the lease that a session's record is under.
func leaseOf(t *testing.T, c *clientv3.Client, key string) clientv3.LeaseID {
	t.Helper()
	r, err := c.Get(t.Context(), key)
	if err != nil || len(r.Kvs) != 1 {
		t.Fatalf("get %s: %v, %v", key, r, err)
	}
	return clientv3.LeaseID(r.Kvs[0].Lease)
}

// A leader that was paused, and wakes up, may revoke the leases that it knew, by
// its own count. A session that was renewed with its successor is not under such
// a lease any more.
func TestOldLeaderCannotEndASession(t *testing.T) {
	t.Parallel()
	cluster := enginetest.EtcdCluster(t, 3)
	c, err := clientv3.New(clientv3.Config{Endpoints: cluster.URLs(), Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ns := prefix()
	s := connect(t, ns, cluster.URLs()...)
	k := driver.Key{Space: "sessions", Name: "s"}
	x, err := s.Open(t.Context(), k, []byte("opened"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// As long as the leader stays, so does the lease; on a busy machine it may take a
	// while until it stays.
	first, settled := leaseOf(t, c, ns+"sessions/s"), false
	for i := 0; i < 20 && !settled; i++ {
		if err := x.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := first
		first = leaseOf(t, c, ns+"sessions/s")
		settled = first == before
	}
	if !settled {
		t.Fatal("each renewal moved the record to another lease")
	}

	leader, err := cluster.Leader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := leader.Kill(); err != nil {
		t.Fatal(err)
	}
	renewed := errors.New("not renewed")
	for deadline := time.Now().Add(30 * time.Second); renewed != nil && time.Now().Before(deadline); {
		renewed = x.Renew(t.Context())
	}
	if renewed != nil {
		t.Fatal(renewed)
	}
	if err := leader.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := leaseOf(t, c, ns+"sessions/s")
	if second == first {
		t.Fatalf("with another leader the record is still under lease %x", first)
	}
	if _, err := c.Revoke(t.Context(), first); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		t.Fatal(err)
	}
	if v, err := x.Update(t.Context(), []byte("alive")); err != nil {
		t.Fatal(err)
	} else if kv, err := s.Get(t.Context(), k); err != nil || string(kv.Value) != "alive" || kv.Version != v {
		t.Fatalf("the record is %q at %d, %v", kv.Value, kv.Version, err)
	}
	if third := leaseOf(t, c, ns+"sessions/s"); third == 0 || third == first {
		t.Fatalf("the update moved the record from lease %x to %x", second, third)
	}
	// A session that lost its record's lease to somebody who wrote without one takes
	// it under a lease again.
	if _, err := c.Put(t.Context(), ns+"sessions/s", "theirs"); err != nil {
		t.Fatal(err)
	}
	if err := x.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if fourth := leaseOf(t, c, ns+"sessions/s"); fourth == 0 {
		t.Fatal("the record is under no lease")
	}
	if err := x.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

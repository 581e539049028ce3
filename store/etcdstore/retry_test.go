package etcdstore_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// fickle is an etcd with one key, which executes transactions and then answers
// with an error: what a client behind a proxy sees that resets streams.
type fickle struct {
	pb.UnimplementedKVServer
	mu       sync.Mutex
	revision int64
	answers  []error // to the next transactions; the rest succeeds
	reject   bool    // the answers are given without executing
	txns     int
	reads    int
	readErrs []error // to the next reads
	silent   int     // so many reads are not answered
}

func (f *fickle) Range(ctx context.Context, _ *pb.RangeRequest) (*pb.RangeResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if f.silent > 0 {
		f.silent--
		f.mu.Unlock()
		<-ctx.Done()
		f.mu.Lock()
		return nil, ctx.Err()
	}
	if len(f.readErrs) > 0 {
		err := f.readErrs[0]
		f.readErrs = f.readErrs[1:]
		return nil, err
	}
	r := &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: f.revision}}
	if f.revision > 0 {
		r.Kvs = []*mvccpb.KeyValue{{Key: []byte("k"), ModRevision: f.revision}}
	}
	return r, nil
}

func (f *fickle) Txn(_ context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.txns++
	var answer error
	if len(f.answers) > 0 {
		answer, f.answers = f.answers[0], f.answers[1:]
	}
	if answer != nil && f.reject {
		return nil, answer
	}
	ok := r.Compare[0].GetModRevision() == f.revision
	if ok {
		f.revision++
	}
	if answer != nil {
		return nil, answer
	}
	return &pb.TxnResponse{Header: &pb.ResponseHeader{Revision: f.revision}, Succeeded: ok}, nil
}

func (f *fickle) serve(t *testing.T) (endpoint string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	pb.RegisterKVServer(s, f)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return "http://" + l.Addr().String()
}

func (f *fickle) counts() (txns, reads int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.txns, f.reads
}

// A write is sent once, whatever the answer: sent again after it took effect it
// would come back as ErrConflict, which means that nothing was written.
func TestWriteIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	for _, answer := range []error{
		status.Error(codes.Canceled, "stream reset"),
		status.Error(codes.DeadlineExceeded, "too late"),
		status.Error(codes.Unavailable, "connection reset"),
		status.Error(codes.Internal, "broken frame"),
		status.Error(codes.Unknown, "?"),
		rpctypes.ErrGRPCTimeout,
		rpctypes.ErrGRPCLeaderChanged,
	} {
		f := &fickle{answers: []error{answer}}
		s := connect(t, "", f.serve(t))
		_, err := s.Write(t.Context(), driver.Write{Key: key("k"), Value: []byte("x")})
		if err == nil || errors.Is(err, driver.ErrConflict) {
			t.Errorf("answered with %v, write returned %v; want an unknown outcome", answer, err)
		}
		if n, _ := f.counts(); n != 1 {
			t.Errorf("answered with %v, the write was sent %d times", answer, n)
		}
		// The truth can be read, and the old version does conflict.
		if kv, err := s.Get(t.Context(), key("k")); err != nil || kv.Version != 1 {
			t.Errorf("get: version %d, %v", kv.Version, err)
		}
		if _, err := s.Write(t.Context(), driver.Write{Key: key("k"), Value: []byte("x")}); !errors.Is(err, driver.ErrConflict) {
			t.Errorf("repeated by the caller: %v; want ErrConflict", err)
		}
	}
}

// This is why the client library's own retries are off.
func TestTheClientLibraryWouldSendItTwice(t *testing.T) {
	t.Parallel()
	f := &fickle{answers: []error{status.Error(codes.Canceled, "stream reset")}}
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{f.serve(t)}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	r, err := c.Txn(t.Context()).If(clientv3.Compare(clientv3.ModRevision("k"), "=", 0)).Then(clientv3.OpPut("k", "x")).Commit()
	if err != nil || r.Succeeded {
		t.Fatalf("the library has changed: it returned %v, %v", r, err)
	}
	if n, _ := f.counts(); n != 2 {
		t.Fatalf("the library has changed: it sent the transaction %d times", n)
	}
}

// What the member rejected before it looked at the write is sent again.
func TestRefusedWriteIsSentAgain(t *testing.T) {
	t.Parallel()
	f := &fickle{reject: true, answers: []error{rpctypes.ErrGRPCInvalidAuthToken, rpctypes.ErrGRPCAuthOldRevision}}
	s := connect(t, "", f.serve(t))
	v, err := s.Write(t.Context(), driver.Write{Key: key("k"), Value: []byte("x")})
	if err != nil || v != 1 {
		t.Fatalf("write: version %d, %v", v, err)
	}
	if n, _ := f.counts(); n != 3 {
		t.Fatalf("the write was sent %d times", n)
	}
}

// A read is asked again while there is time, and its last error is told.
func TestReadIsAskedAgain(t *testing.T) {
	t.Parallel()
	f := &fickle{}
	s := connect(t, "", f.serve(t))
	f.mu.Lock()
	f.readErrs = []error{rpctypes.ErrGRPCNoLeader, status.Error(codes.Canceled, "stream reset"), status.Error(codes.Unavailable, "reset")}
	f.mu.Unlock()
	if _, err := s.Get(t.Context(), key("k")); !errors.Is(err, driver.ErrNotFound) {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.readErrs = []error{rpctypes.ErrGRPCPermissionDenied}
	f.mu.Unlock()
	_, before := f.counts()
	if _, err := s.Get(t.Context(), key("k")); err == nil || !strings.Contains(err.Error(), "read entries") || !strings.Contains(err.Error(), "permission denied") {
		t.Fatalf("%v; want what was done and why it failed", err)
	}
	if _, after := f.counts(); after != before+1 {
		t.Fatal("a definitive refusal was asked again")
	}
}

// A read that is not answered is asked again well before its deadline, so that
// one member of several that is frozen does not take all the time.
func TestSilentReadIsAskedAgain(t *testing.T) {
	t.Parallel()
	f := &fickle{}
	s := connect(t, "", f.serve(t))
	f.mu.Lock()
	f.silent = 2
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.Get(ctx, key("k")); !errors.Is(err, driver.ErrNotFound) {
		t.Fatalf("%v; want the answer to the third question", err)
	}
}

// After Close every call says so.
func TestClosedStore(t *testing.T) {
	t.Parallel()
	e := startEmbedded(t, t.TempDir())
	for name, s := range map[string]*etcdstore.Store{"over the network": connect(t, prefix(), e.Endpoint()), "in process": e.Store()} {
		v := put(t, s, key("k"), "x", 0)
		x, err := s.Open(t.Context(), driver.Key{Space: "sessions", Name: "s"}, nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		watched := make(chan error, 1)
		go func() {
			watched <- s.Watch(t.Context(), "entries", v, func([]driver.Event) error { return nil })
		}()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		_, get := s.Get(t.Context(), key("k"))
		_, head := s.Head(t.Context(), "entries")
		_, write := s.Write(t.Context(), driver.Write{Key: key("l")})
		_, list := s.List(t.Context(), "entries", func(driver.KV) bool { return true })
		_, open := s.Open(t.Context(), driver.Key{Space: "sessions", Name: "t"}, nil, 1)
		for call, err := range map[string]error{
			"Get": get, "Head": head, "Write": write, "List": list, "Open": open, "Watch": <-watched,
			"Renew": x.Renew(t.Context()), "Close": x.Close(t.Context()), "Close again": s.Close(),
		} {
			if !errors.Is(err, etcdstore.ErrClosed) && call != "Close again" || call == "Close again" && err != nil {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
	}
}

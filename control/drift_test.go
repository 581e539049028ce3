package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// around writes to a cluster and not through a proxy, one document after the other,
// and counts those that were taken, until the context ends.
func (b *bench) around(ctx context.Context, index string, wrote *atomic.Int64) *sync.WaitGroup {
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := int64(0); ctx.Err() == nil; {
			code, err := b.try(context.Background(), "a", http.MethodPut, fmt.Sprintf("/%s/_doc/x%d", index, n), `{"n":1}`, nil)
			if err == nil && code < 300 {
				n++
				wrote.Store(n)
			}
			sleepUnless(ctx, 5*time.Millisecond)
		}
	})
	return &wg
}

// paused requests a move to b and lets it come to where only its cutover is left.
func (b *bench) paused(t *testing.T, o control.MoveOptions) control.Move {
	t.Helper()
	// However long a busy machine takes: nothing that these tests write is held.
	o.DrainBarrier, o.PauseBudget, o.CutoverDeadline, o.CopyEager = time.Second, time.Minute, 2*time.Minute, true
	m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b", Options: o})
	if err != nil {
		t.Fatal(err)
	}
	x, err := b.s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "deaf"}, store.Report{}, &store.SessionOptions{TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	b.await(t, m.ID, func(m control.Move) bool { return len(m.Progress.Laggards) > 0 })
	publish(t, x, store.Report{Applied: 1 << 62}) // it may copy now
	b.await(t, m.ID, func(m control.Move) bool { return m.Stage == control.StageCatchingUp })
	if _, err := control.RequestPause(t.Context(), b.s, m.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	return b.await(t, m.ID, func(m control.Move) bool { return strings.HasPrefix(m.Progress.Note, "paused") })
}

func (b *bench) resume(t *testing.T, m control.Move) {
	t.Helper()
	if _, err := control.RequestPause(t.Context(), b.s, m.ID, false); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) acceptDrift(t *testing.T, m control.Move) {
	t.Helper()
	yes := true
	if _, err := control.RequestBounds(t.Context(), b.s, m.ID, control.Bounds{AcceptDrift: &yes}); err != nil {
		t.Fatal(err)
	}
}

func drifting(m control.Move) bool { return m.Drift != nil && m.Error != "" || m.Settled() }

// Somebody who writes around the proxies keeps the move from its cutover: it names the
// index, the times and the documents, and waits. An abort leaves nothing; accepted, what
// differs is taken over, and the receipt counts it. Logs name no document.
func TestWritingAroundTheProxiesIsFound(t *testing.T) {
	t.Parallel()
	b := newBench(t, "around", 200)
	var log syncBuffer
	run(t, control.NewController(b.s, gate.NewPeers(secret, nil), &control.ControllerOptions{Name: "c1", TTL: 2 * time.Second, Scan: 100 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil))}))
	m := b.paused(t, control.MoveOptions{})
	const secretID = "id-of-a-document"
	put := func(path, body string) { b.call(t, "a", http.MethodPut, "/"+m.From.Index+"/_doc/"+path, body, nil) }
	put(secretID, `{"n":1}`)
	put("d3", `{"n":1}`)
	b.call(t, "a", http.MethodDelete, "/"+m.From.Index+"/_doc/d4", "", nil)
	b.resume(t, m)
	m = b.await(t, m.ID, drifting)
	if m.Settled() || m.Drift == nil || m.Verified == nil || m.Verified.Unsettled != 3 || m.Drift.Documents != 3 || m.Drift.Accepted != 0 || len(m.Drift.Differences) != 3 || len(m.Drift.Indices) != 1 {
		t.Fatalf("it is %s (%s): drift %+v, verified %+v", m.Stage, m.Error, m.Drift, m.Verified)
	}
	i := m.Drift.Indices[0]
	if i.Index != "around" || i.Documents != 3 || i.After == nil || i.Seen.Before(*i.After) || i.Last.Before(i.Seen) {
		t.Errorf("%+v", i)
	}
	kinds := map[mover.DiffKind]string{}
	for _, x := range m.Drift.Differences {
		kinds[x.Kind] = x.ID
	}
	if kinds[mover.DiffMissing] != secretID || kinds[mover.DiffOlder] != "d3" || kinds[mover.DiffExtra] != "d4" {
		t.Errorf("%v", kinds)
	}
	for _, says := range []string{"3 documents", "1 only at the source", "1 only at the target", "1 with another version", "in around", "--accept-drift"} {
		if !strings.Contains(m.Error, says) {
			t.Errorf("the error does not say %q: %s", says, m.Error)
		}
	}
	m = b.await(t, m.ID, func(m control.Move) bool {
		return strings.Contains(m.Progress.Note, "around the proxies") || m.Settled()
	})
	b.acceptDrift(t, m)
	m = b.await(t, m.ID, settled)
	if m.Stage != control.StageFlipped || m.Error != "" || m.Receipt.Verification.Accepted != 3 || m.Receipt.Verification.Late != 0 || m.Receipt.Verification.Unsettled != 0 || m.Receipt.Fence != "clean" {
		t.Fatalf("it ended as %s: %q, %+v", m.Stage, m.Error, m.Receipt)
	}
	for id, want := range map[string]int{secretID: 200, "d3": 200, "d4": 404} {
		if code, err := b.try(t.Context(), "b", http.MethodGet, "/"+m.To.Index+"/_doc/"+id, "", nil); err != nil || code != want {
			t.Errorf("%s at the target: %d, %v", id, code, err)
		}
	}
	if strings.Contains(log.String(), secretID) || !strings.Contains(log.String(), "around the proxies") {
		t.Errorf("logs name a document, or do not say what happened")
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A document that somebody has changed at the target without a new version is found
// where contents are compared, and an abort of the move that waits leaves nothing. A
// verification that an earlier driver had finished in part is gone on with.
func TestVerifyContent(t *testing.T) {
	t.Parallel()
	b := newBench(t, "content", 100)
	b.start(t, b.s, "c1")
	var invalid *placement.InvalidError
	if _, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b", Options: control.MoveOptions{Verify: "all"}}); !errors.As(err, &invalid) || invalid.Field != "verify" {
		t.Errorf("%v", err)
	}
	tamper := func(m control.Move) {
		b.call(t, "b", http.MethodPut, "/"+m.To.Index+"/_doc/d7?version=1&version_type=external_gte", `{"n":7}`, nil)
		b.resume(t, m)
	}
	m := b.paused(t, control.MoveOptions{Verify: control.VerifyContent})
	tamper(m)
	m = b.await(t, m.ID, drifting)
	if m.Settled() || m.Drift == nil || m.Drift.Documents != 1 || m.Verified.Content != 1 || m.Drift.Indices[0].After != nil {
		t.Fatalf("it is %s (%s): drift %+v, verified %+v", m.Stage, m.Error, m.Drift, m.Verified)
	}
	if x := m.Drift.Differences[0]; x.ID != "d7" || x.Kind != mover.DiffContent || x.Source.Bytes != len(`{"n":0}`) || x.Source.SHA256 == x.Target.SHA256 {
		t.Errorf("%+v", x)
	}
	if _, err := control.RequestAbort(t.Context(), b.s, m.ID); err != nil {
		t.Fatal(err)
	}
	if m = b.await(t, m.ID, settled); m.Stage != control.StageAborted || !strings.Contains(m.Error, "around the proxies") {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
	if code := b.call(t, "b", http.MethodGet, "/"+m.To.Index, "", nil); code != http.StatusNotFound {
		t.Errorf("something is left at the target: %d", code)
	}

	m = b.paused(t, control.MoveOptions{Verify: control.VerifyContent})
	at := &mover.Verification{Content: true, Scanned: 200, Equal: []mover.Slice{{Index: m.From.Index, Shard: 0}, {Index: m.From.Index, Shard: 1}}}
	for {
		r, err := control.Moves(b.s).Get(t.Context(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		r.Value.Verification = at
		if _, err = control.Moves(b.s).Put(t.Context(), m.ID, r.Value, r.Version); err == nil {
			break
		}
	}
	tamper(m) // what was compared is not looked at again
	m = b.await(t, m.ID, settled)
	if m.Stage != control.StageFlipped || m.Verification != nil || m.Receipt.Verification != (control.DiffCounts{Mode: control.VerifyContent, Scanned: 200}) {
		t.Errorf("it ended as %s (%s): %+v", m.Stage, m.Error, m.Receipt)
	}
}

// Somebody who never stops writing around the proxies does not hold a move that accepts
// it for ever. What he wrote before the last comparison is at the target, and the
// receipt says that there was more. Writes through the proxy are all there.
func TestDriftThatNeverStopsIsAccepted(t *testing.T) {
	t.Parallel()
	b := newBench(t, "noisy", 200)
	b.start(t, b.s, "c1")
	m := b.paused(t, control.MoveOptions{AcceptDrift: true})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wrote atomic.Int64
	others := b.around(ctx, m.From.Index, &wrote)
	if err := b.write(1, 1); err != nil {
		t.Fatal(err)
	}
	for wrote.Load() < 10 {
		sleepUnless(ctx, time.Millisecond)
	}
	b.resume(t, m)
	m = b.await(t, m.ID, func(m control.Move) bool { return m.Stage == control.StageCutover || m.Settled() })
	before := wrote.Load()
	m = b.await(t, m.ID, settled)
	cancel()
	others.Wait()
	if err := b.write(1, 2); err != nil {
		t.Fatal(err)
	}
	v := m.Receipt
	if m.Stage != control.StageFlipped || v.Verification.Accepted < 10 || v.Fence != "written" && v.Verification.Late == 0 {
		t.Fatalf("it ended as %s: %q, %+v", m.Stage, m.Error, v)
	}
	t.Logf("%d written around, %d accepted, %d late, fence %s, %d cutovers", wrote.Load(), v.Verification.Accepted, v.Verification.Late, v.Fence, v.Cutovers)
	for n := range before {
		if code, err := b.try(t.Context(), "b", http.MethodGet, fmt.Sprintf("/%s/_doc/x%d", m.To.Index, n), "", nil); err != nil || code != http.StatusOK {
			t.Errorf("x%d, written before the cutover, at the target: %d, %v", n, code, err)
		}
	}
	b.mu.Lock()
	for n := range wrote.Load() {
		id := fmt.Sprintf("x%d", n)
		code, err := b.try(t.Context(), "b", http.MethodGet, "/"+m.To.Index+"/_doc/"+id, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		b.docs[id] = doc{n: 1, version: 1, deleted: code == http.StatusNotFound} // may be lacking, and nothing else
	}
	b.mu.Unlock()
	b.check(t)
}

// A verification that takes long tells how far it is, and takes over meanwhile what the
// proxies write.
func TestALongVerificationCatchesUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, "slow", 300)
	to, err := url.Parse(b.urls["a"])
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(to)
	var slow atomic.Bool
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slow.Load() && r.URL.Path == "/_search" {
			time.Sleep(time.Second) // a page of a scan takes so long
		}
		pass.ServeHTTP(w, r)
	}))
	defer front.Close()
	c, err := b.s.Clusters().Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	c.Value.Endpoints = []string{front.URL}
	if _, err := b.s.Clusters().Put(t.Context(), "a", c.Value, c.Version); err != nil {
		t.Fatal(err)
	}
	b.start(t, b.s, "c1")
	m := b.paused(t, control.MoveOptions{})
	slow.Store(true)
	b.resume(t, m)
	b.await(t, m.ID, func(m control.Move) bool { return m.Stage == control.StageVerifying || m.Settled() })
	if err := b.write(3, 1); err != nil {
		t.Fatal(err)
	}
	m = b.await(t, m.ID, func(m control.Move) bool { return m.Progress.Comparing != nil || m.Settled() })
	if m.Settled() || m.Progress.Comparing.Total < 600 {
		t.Fatalf("it is %s (%s), and tells %+v", m.Stage, m.Error, m.Progress.Comparing)
	}
	for deadline := time.Now().Add(30 * time.Second); ; sleepUnless(t.Context(), 20*time.Millisecond) {
		var got struct {
			Source struct{ N int } `json:"_source"`
		}
		b.call(t, "b", http.MethodGet, "/"+m.To.Index+"/_doc/d13", "", &got)
		if got.Source.N == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("what was written while both sides were compared is not at the target")
		}
	}
	now, err := control.Moves(b.s).Get(t.Context(), m.ID)
	if err != nil || now.Value.Stage != control.StageVerifying {
		t.Errorf("the comparison had ended: %s, %v", now.Value.Stage, err)
	}
	slow.Store(false)
	if m = b.await(t, m.ID, settled); m.Stage != control.StageFlipped || m.Progress.Comparing != nil || m.Receipt.Verification.Unsettled != 0 {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
	b.check(t)
}

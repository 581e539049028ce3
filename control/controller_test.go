package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/telemetry"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

var secret = []byte("a secret of this test")

// bench is two clusters, a store, and one proxy's gate with writers behind it.
type bench struct {
	d      *memstore.Store
	s      *store.Store
	g      *gate.Gate
	urls   map[string]string
	tenant placement.PartitionID
	tracer trace.Tracer // nil: none

	mu     sync.Mutex
	docs   map[string]doc // what was acknowledged last
	writes atomic.Int64
}

type doc struct {
	n       int
	version int64
	deleted bool
}

var nodes struct {
	sync.Once
	a, b *engines.OpenSearch
}

func clusters(t *testing.T) map[string]string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs two OpenSearch nodes")
	}
	a := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	nodes.Do(func() {
		b, err := engines.StartOpenSearch(context.Background(), &engines.OpenSearchOptions{
			Version: engines.OpenSearch2, Progress: os.Stderr,
			Settings: map[string]string{"path.repo": a.SnapshotDir()}, // snapshots of one are restored at the other
		})
		if err != nil {
			t.Error(err)
			return
		}
		nodes.b = b
	})
	if nodes.b == nil {
		t.Fatal("the second node did not start")
	}
	return map[string]string{"a": a.URL(), "b": nodes.b.URL()}
}

func TestMain(m *testing.M) {
	code := enginetest.Run(m)
	if nodes.b != nil {
		_ = nodes.b.Stop()
	}
	os.Exit(code)
}

func newBench(t *testing.T, tenant string, docs int) *bench {
	t.Helper()
	return newBenchOn(t, clusters(t), tenant, docs)
}

// newBenchOn is newBench with clusters of the test's own.
func newBenchOn(t *testing.T, urls map[string]string, tenant string, docs int) *bench {
	t.Helper()
	b := &bench{d: memstore.New(nil), urls: urls, docs: map[string]doc{}, tenant: placement.PartitionID(tenant)}
	b.s = store.New(b.d, nil)
	ctx := t.Context()
	for name, url := range b.urls {
		if _, err := b.s.Clusters().Put(ctx, name, placement.Cluster{Name: name, Endpoints: []string{url}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	from := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: tenant + "-0", Logical: tenant}
	if _, err := b.s.Register(ctx, b.tenant, from); err != nil {
		t.Fatal(err)
	}
	b.call(t, "a", http.MethodPut, "/"+from.Index, `{"settings":{"number_of_shards":2,"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"integer"}}}}`, nil)
	var bulk bytes.Buffer
	for i := range docs {
		fmt.Fprintf(&bulk, "{\"index\":{\"_id\":\"d%d\"}}\n{\"n\":0}\n", i)
		b.docs[fmt.Sprintf("d%d", i)] = doc{version: 1}
	}
	if docs > 0 {
		b.call(t, "a", http.MethodPost, "/"+from.Index+"/_bulk?refresh=true", bulk.String(), nil)
	}

	var handler atomic.Pointer[http.Handler]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	g, err := gate.New(b.s, &gate.Options{Name: "proxy-1", Address: srv.URL, FleetSecret: secret, CloseDeadline: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	h := g.FleetHandler()
	handler.Store(&h)
	b.g = g
	life, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = g.Run(life) })
	t.Cleanup(func() { cancel(); wg.Wait(); srv.Close(); _ = b.d.Close() })
	return b
}

func (b *bench) call(t *testing.T, cluster, method, path, body string, into any) int {
	t.Helper()
	code, err := b.try(t.Context(), cluster, method, path, body, into)
	if err != nil || code >= 300 && code != http.StatusNotFound {
		t.Fatalf("%s %s: %d, %v", method, path, code, err)
	}
	return code
}

func (b *bench) try(ctx context.Context, cluster, method, path, body string, into any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, b.urls[cluster]+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if bytes.Contains([]byte(path), []byte("_bulk")) {
		req.Header.Set("Content-Type", "application/x-ndjson")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(raw, into)
	}
	return resp.StatusCode, err
}

// load writes through the gate until the context ends; each writer has ids of
// its own, so it knows what each of its documents must be.
func (b *bench) load(ctx context.Context, t *testing.T, writers int) *sync.WaitGroup {
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := 1; ctx.Err() == nil; n++ {
				if err := b.write(w, n); err != nil {
					t.Errorf("a write failed: %v", err)
					return
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	t.Cleanup(wg.Wait)
	return &wg
}

func (b *bench) write(w, n int) error {
	id := fmt.Sprintf("d%d", w+10*(n%30))
	tk, err := b.g.Write(context.Background(), b.tenant, 100)
	if err != nil {
		return err
	}
	tk.Record(gate.DocRef{Index: string(b.tenant), ID: id})
	if err := tk.Send(); err != nil {
		tk.Cancel()
		return err
	}
	p := tk.Entry().State.From
	method, path, body := http.MethodPut, "/"+p.Index+"/_doc/"+id+"?", fmt.Sprintf(`{"n":%d}`, n)
	if p.Kind == placement.SharedIndex {
		path, body = inPool(b.tenant, p.Index, id, body)
	}
	if n%7 == 0 {
		method, body = http.MethodDelete, ""
	}
	if n%11 == 0 {
		path += "&refresh=wait_for"
	}
	var ans struct {
		Version int64 `json:"_version"`
	}
	code, err := b.try(context.Background(), p.Cluster, method, path, body, &ans)
	if err != nil || code >= 300 && code != http.StatusNotFound {
		tk.Unknown()
		return fmt.Errorf("%s: %d, %w", method, code, err)
	}
	if err := tk.Done(); err != nil {
		return err
	}
	b.writes.Add(1)
	b.mu.Lock()
	b.docs[id] = doc{n, ans.Version, method == http.MethodDelete}
	b.mu.Unlock()
	return nil
}

// check compares what was acknowledged with where the entry says that it is.
func (b *bench) check(t *testing.T) {
	t.Helper()
	e, err := b.s.State(t.Context(), b.tenant)
	if err != nil {
		t.Fatal(err)
	}
	p := e.State.From
	lost, resurrected, wrong, live := 0, 0, 0, 0
	for id, want := range b.docs {
		var got struct {
			Found   bool  `json:"found"`
			Version int64 `json:"_version"`
			Source  struct {
				N int `json:"n"`
			} `json:"_source"`
		}
		b.call(t, p.Cluster, http.MethodGet, "/"+p.Index+"/_doc/"+id, "", &got)
		switch {
		case want.deleted && got.Found:
			resurrected++
		case !want.deleted && !got.Found:
			lost++
		case !want.deleted && (got.Source.N != want.n || got.Version != want.version):
			wrong++
		}
		if got.Found {
			live++
		}
	}
	b.call(t, p.Cluster, http.MethodPost, "/"+p.Index+"/_refresh", "", nil)
	var count struct{ Count int }
	b.call(t, p.Cluster, http.MethodGet, "/"+p.Index+"/_count", "", &count)
	if lost+resurrected+wrong > 0 || count.Count != live {
		t.Errorf("of %d documents at %s: lost %d, resurrected %d, wrong version %d; %d counted, %d live", len(b.docs), p, lost, resurrected, wrong, count.Count, live)
	}
}

// start runs a controller over s until the returned function is called.
func (b *bench) start(t *testing.T, s *store.Store, name string) (stop func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("SLUICE_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil)).With("controller", name)
	}
	c := control.NewController(s, gate.NewPeers(secret, nil), &control.ControllerOptions{Name: name, TTL: 2 * time.Second, Scan: 100 * time.Millisecond, Logger: log, Tracer: b.tracer})
	return run(t, c)
}

// run runs a controller until the returned function is called.
func run(t *testing.T, c *control.Controller) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// await follows the move's record until ok says so.
func (b *bench) await(t *testing.T, id string, ok func(control.Move) bool) control.Move {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Second)
	defer cancel()
	var last control.Move
	found := errors.New("found")
	err := control.Moves(b.s).Follow(ctx, func(all []store.Record[control.Move]) error {
		for _, r := range all {
			if last = r.Value; r.Value.ID == id && ok(r.Value) {
				return found
			}
		}
		return nil
	}, func(cs []store.RecordChange[control.Move]) error {
		for _, c := range cs {
			if last = c.Value; c.Value.ID == id && ok(c.Value) {
				return found
			}
		}
		return nil
	})
	if !errors.Is(err, found) {
		t.Fatalf("waiting for move %s, which is %s (%s; error %q): %v", id, last.Stage, last.Progress.Note, last.Error, err)
	}
	return last
}

func settled(m control.Move) bool { return m.Settled() }

// request asks for a move whose copy is not gentle: few tests are about that.
func (b *bench) request(t *testing.T, cluster string) control.Move {
	t.Helper()
	m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: cluster, Options: control.MoveOptions{DrainBarrier: 2 * time.Second, PauseBudget: 2 * time.Second, CutoverDeadline: 4 * time.Second, CopyEager: true}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMoveThereAndBackUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t, "load", 2000)
	spans := tracetest.NewInMemoryExporter()
	b.tracer = telemetry.NewSDK(0, sdk.WithSyncer(spans)).Tracer("test")
	ctx, cancel := context.WithCancel(t.Context())
	wg := b.load(ctx, t, 4)
	b.start(t, b.s, "c1")
	rep, err := control.Precheck(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b"})
	if err != nil || rep.Failed() {
		t.Fatalf("precheck: %+v, %v", rep, err)
	}
	var moves []control.Move
	for _, to := range []string{"b", "a", "b"} {
		m := b.await(t, b.request(t, to).ID, settled)
		if m.Stage != control.StageFlipped || m.Receipt == nil {
			t.Fatalf("it ended as %s: %s", m.Stage, m.Error)
		}
		r := m.Receipt
		t.Logf("to %s: %d docs, %d rounds, %d caught up, pause %+v, cutovers %d, fence %s", to, r.Docs, r.Rounds, r.CaughtUp, r.Pause, r.Cutovers, r.Fence)
		if r.Fence != "clean" || r.Verification.Unsettled != 0 || r.Pause.Refused != 0 || len(r.Instances) != 1 || r.Pause.Unanswered != 0 {
			t.Errorf("receipt %+v", r)
		}
		checkReceipt(t, m)
		if known := r.Predicted != nil && r.Predicted.Moves > 0; known != (len(moves) == 2) { // of the three, the last goes where the first went
			t.Errorf("move %d was predicted by %+v", len(moves)+1, r.Predicted)
		}
		moves = append(moves, m)
		checkSpans(t, m, spans)
	}
	cancel()
	wg.Wait()
	b.check(t)
	t.Logf("%d writes", b.writes.Load())
	var scroll struct {
		ID string `json:"_scroll_id"`
	}
	b.call(t, "a", http.MethodPost, "/"+moves[2].From.Index+"/_search?scroll=5m&size=1", `{}`, &scroll)
	if _, err := control.RequestRetire(t.Context(), b.s, moves[2].ID); err != nil {
		t.Fatal(err)
	}
	// The old copy stays for as long as a cursor is open on it.
	b.await(t, moves[2].ID, func(m control.Move) bool { return strings.Contains(m.Progress.Note, "scrolls or points in time") })
	b.call(t, "a", http.MethodDelete, "/_search/scroll", `{"scroll_id":"`+scroll.ID+`"}`, nil)
	if m := b.await(t, moves[2].ID, func(m control.Move) bool { return m.Terminal() || m.Error != "" }); m.Stage != control.StageDone {
		t.Errorf("retire: %s %s", m.Stage, m.Error)
	}
	if code := b.call(t, "a", http.MethodGet, "/"+moves[2].From.Index, "", nil); code != http.StatusNotFound {
		t.Errorf("the old copy is still there: %d", code)
	}
	b.check(t)
}

func TestAbortLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, "abort", 500)
	// A proxy that has not heard of begin keeps the move from copying.
	x, err := b.s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "deaf"}, store.Report{}, &store.SessionOptions{TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	b.start(t, b.s, "c1")
	m := b.request(t, "b")
	b.await(t, m.ID, func(m control.Move) bool {
		return len(m.Progress.Laggards) == 1 && m.Progress.Laggards[0].Name == "deaf"
	})
	if _, err := control.RequestAbort(t.Context(), b.s, m.ID); err != nil {
		t.Fatal(err)
	}
	m = b.await(t, m.ID, settled)
	if m.Stage != control.StageAborted {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
	if code := b.call(t, "b", http.MethodGet, "/"+m.To.Index, "", nil); code != http.StatusNotFound {
		t.Errorf("something is left at the target: %d", code)
	}
	e, err := b.s.State(t.Context(), b.tenant)
	if err != nil || e.State != (placement.State{From: m.From}) {
		t.Errorf("%v, %v", e.State, err)
	}
	_ = x.Close(t.Context(), true)
	b.check(t)
}

// An abort that comes around the move's record ends the proxies' journals. What
// they write then is no drift, and the move does not accuse anybody of it.
func TestWritesAfterAnAbortAreNoDrift(t *testing.T) {
	t.Parallel()
	b := newBench(t, "ended", 200)
	x, err := b.s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "mute", Address: "http://127.0.0.1:1"}, store.Report{}, &store.SessionOptions{TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	b.start(t, b.s, "c1")
	m := b.request(t, "b")
	b.await(t, m.ID, func(m control.Move) bool { return len(m.Progress.Laggards) == 1 })
	publish(t, x, store.Report{Applied: 1 << 62}) // its journal cannot be read, so nothing is verified yet
	b.await(t, m.ID, func(m control.Move) bool { return m.Stage == control.StageCatchingUp })
	e, err := b.s.State(t.Context(), b.tenant)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.s.Apply(t.Context(), b.tenant, placement.Command{Op: placement.OpAbort, Expect: e.Epoch, Attempt: e.Attempt}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	b.load(ctx, t, 2).Wait()
	if b.writes.Load() == 0 {
		t.Fatal("nothing was written after the abort")
	}
	if err := x.Close(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	m = b.await(t, m.ID, settled)
	if m.Stage != control.StageAborted || strings.Contains(m.Error, "around the proxies") {
		t.Errorf("it ended as %s: %q, %+v", m.Stage, m.Error, m.Verified)
	}
	if code := b.call(t, "b", http.MethodGet, "/"+m.To.Index, "", nil); code != http.StatusNotFound {
		t.Errorf("something is left at the target: %d", code)
	}
	b.check(t)
}

// What a vanished proxy has written, and journaled where nobody can read it any
// more, is found by comparing, after its drain.
func TestVanishedProxyIsReconciled(t *testing.T) {
	t.Parallel()
	b := newBench(t, "vanish", 3000)
	all := store.Report{Applied: 1 << 62}
	x, err := b.s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "doomed", Address: "http://127.0.0.1:1"}, store.Report{}, &store.SessionOptions{TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	b.start(t, b.s, "c1")
	m := b.request(t, "b")
	b.await(t, m.ID, func(m control.Move) bool { return len(m.Progress.Laggards) == 1 })
	publish(t, x, all) // it does not answer the mover, so no cutover can come
	b.await(t, m.ID, func(m control.Move) bool { return m.Stage == control.StageCatchingUp })
	for i := range 50 {
		id := fmt.Sprintf("v%d", i)
		b.call(t, "a", http.MethodPut, "/"+m.From.Index+"/_doc/"+id, `{"n":7}`, nil)
		b.docs[id] = doc{n: 7, version: 1}
	}
	vanished := time.Now()
	if err := x.Close(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	m = b.await(t, m.ID, settled)
	if m.Stage != control.StageFlipped || !m.Reconciled[x.ID()] {
		t.Errorf("it ended as %s: %s; reconciled %v", m.Stage, m.Error, m.Reconciled)
	}
	if waited := time.Since(vanished); waited < 2*time.Second {
		t.Errorf("flipped %s after the proxy vanished, its drain is 2 s", waited)
	}
	b.check(t)
}

// mortal is a controller's view of the store. Its controller dies at the n-th
// write: that one fails, or takes effect and seems to fail, and from then on
// nothing reaches the store.
type mortal struct {
	driver.Driver
	left    atomic.Int64
	persist bool
	only    []string // spaces whose writes count (default: moves and entries)
	dead    chan struct{}
	die     sync.Once
}

func (m *mortal) gone() bool {
	select {
	case <-m.dead:
		return true
	default:
		return false
	}
}

func (m *mortal) Get(ctx context.Context, k driver.Key) (driver.KV, error) {
	if m.gone() {
		return driver.KV{}, errCut
	}
	return m.Driver.Get(ctx, k)
}

func (m *mortal) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	if m.gone() {
		return 0, errCut
	}
	return m.Driver.List(ctx, space, yield)
}

func (m *mortal) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if m.gone() {
		return 0, errCut
	}
	only := m.only
	if only == nil {
		only = []string{store.SpaceMoves, store.SpaceEntries}
	}
	if !slices.Contains(only, w.Key.Space) {
		return m.Driver.Write(ctx, w)
	}
	if m.left.Add(-1) > 0 {
		return m.Driver.Write(ctx, w)
	}
	if m.persist {
		_, _ = m.Driver.Write(ctx, w)
	}
	m.die.Do(func() { close(m.dead) })
	return 0, errCut
}

func (m *mortal) Open(ctx context.Context, k driver.Key, v []byte, ttl time.Duration) (driver.Session, error) {
	if m.gone() {
		return nil, errCut
	}
	x, err := m.Driver.Open(ctx, k, v, ttl)
	return mortalSession{x, m}, err
}

type mortalSession struct {
	driver.Session
	m *mortal
}

func (x mortalSession) Renew(ctx context.Context) error {
	if x.m.gone() {
		return errCut
	}
	return x.Session.Renew(ctx)
}

func (x mortalSession) Close(ctx context.Context) error {
	if x.m.gone() {
		return errCut
	}
	return x.Session.Close(ctx)
}

// The controller is killed at each of its writes in turn, in both ways; another
// takes the move to its end, under load, and nothing is lost. Both ways are tried at
// the same time, each with a tenant of its own: most of it is waiting for leases.
func TestKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	clusters(t) // skips or fails here, not twice
	for _, persist := range []bool{false, true} {
		t.Run(fmt.Sprintf("persisted=%t", persist), func(t *testing.T) {
			t.Parallel()
			killedAtEveryWrite(t, persist)
		})
	}
}

// killedAtEveryWrite kills controllers at writes that do not take effect, or that do
// and seem to fail.
func killedAtEveryWrite(t *testing.T, persist bool) {
	b := newBench(t, fmt.Sprintf("killed-%t", persist), 300)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wg := b.load(ctx, t, 2)
	to, stages := []string{"b", "a"}, map[control.Stage]int{}
	const writes = 20 // a few more than an undisturbed move makes
	moved := 0
	for n := writes; n > 0; n-- {
		if os.Getenv("CI") == "" && (n%2 == 0) != persist {
			continue // elsewhere each write is tried in one of the two ways
		}
		m := &mortal{Driver: b.d, dead: make(chan struct{}), persist: persist}
		m.left.Store(int64(n))
		victim := b.start(t, store.New(m, nil), fmt.Sprintf("victim-%d", n))
		move := b.request(t, to[moved%2])
		finished := make(chan struct{})
		watch, unwatch := context.WithCancel(ctx)
		go func() {
			defer close(finished)
			_ = control.Moves(b.s).Follow(watch, func([]store.Record[control.Move]) error { return nil }, func(cs []store.RecordChange[control.Move]) error {
				for _, c := range cs {
					if c.Value.ID == move.ID && c.Value.Settled() {
						return errCut
					}
				}
				return nil
			})
		}()
		select {
		case <-m.dead:
		case <-finished:
		case <-time.After(60 * time.Second):
			t.Fatal("the victim neither died nor finished")
		}
		r, err := control.Moves(b.s).Get(t.Context(), move.ID)
		if err != nil {
			t.Fatal(err)
		}
		stages[r.Value.Stage]++
		victim()
		heir := b.start(t, b.s, fmt.Sprintf("heir-%d", n))
		done := b.await(t, move.ID, settled)
		heir()
		unwatch()
		<-finished
		if done.Stage != control.StageFlipped {
			t.Fatalf("kill %d (persisted %v) in %s: it ended as %s: %s", n, m.persist, r.Value.Stage, done.Stage, done.Error)
		}
		t.Logf("kill %d (persisted %v) in %s: flipped by attempt %d, longest hold %.0f ms", n, m.persist, r.Value.Stage, done.Attempt, done.Receipt.Pause.LongestMS)
		moved++
	}
	cancel()
	wg.Wait()
	b.check(t)
	t.Logf("%d writes, killed in %v", b.writes.Load(), stages)
}

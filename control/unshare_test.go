package control_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// kill runs one controller after another on the move, each of which dies at that many of
// its writes to the store, in turn applied and not, and returns the stages at which they did.
func (b *bench) kill(t *testing.T, move string, at ...int64) (stages []control.Stage) {
	t.Helper()
	for n, writes := range at {
		d := &mortal{Driver: b.d, dead: make(chan struct{}), persist: n%2 == 0}
		d.left.Store(writes)
		victim := b.start(t, store.New(d, nil), fmt.Sprintf("victim-%d", n))
		select {
		case <-d.dead:
		case <-time.After(60 * time.Second):
			t.Fatal("the victim did not die")
		}
		victim()
		r, err := control.Moves(b.s).Get(t.Context(), move)
		if err != nil {
			t.Fatal(err)
		}
		if stages = append(stages, r.Value.Stage); r.Value.Settled() {
			break
		}
	}
	return stages
}

// inPool is the path, with the beginning of a query, and the body of a write as a
// proxy sends it to a shared index.
func inPool(id placement.PartitionID, index, doc, body string) (string, string) {
	tn, err := shared.New(id, "tenant")
	if err != nil {
		panic(err) // the tests' own names
	}
	phys, err := tn.ID(doc)
	if err != nil {
		panic(err)
	}
	marked, err := tn.Document(nil, []byte(body))
	if err != nil {
		panic(err)
	}
	return "/" + index + "/_doc/" + url.PathEscape(phys) + "?routing=" + url.QueryEscape(tn.Routing("")), string(marked)
}

// newPoolBench is a bench whose tenant shares its index with another, which writes
// there all the time until stop is called. None of its writes may fail.
func newPoolBench(t *testing.T, tenant string) (b *bench, pool placement.Placement, others *atomic.Int64, stop func()) {
	t.Helper()
	b = newBench(t, tenant, 0)
	pool = placement.Placement{Kind: placement.SharedIndex, Cluster: "a", Index: tenant + "-0", Logical: tenant, PartitionField: "tenant"}
	b.call(t, "a", http.MethodPut, "/"+pool.Index+"/_mapping", `{"properties":{"tenant":{"type":"keyword"}}}`, nil)
	if err := b.s.Remove(t.Context(), b.tenant); err != nil {
		t.Fatal(err)
	}
	for _, id := range []placement.PartitionID{b.tenant, "neighbour"} {
		if _, err := b.s.Register(t.Context(), id, pool); err != nil {
			t.Fatal(err)
		}
	}
	var bulk strings.Builder
	for n := range 500 {
		id := fmt.Sprintf("d%d", n)
		tn, _ := shared.New(b.tenant, "tenant")
		phys, _ := tn.ID(id)
		_, body := inPool(b.tenant, pool.Index, id, `{"n":0}`)
		fmt.Fprintf(&bulk, `{"index":{"_id":%q,"routing":%q}}`+"\n%s\n", phys, tn.Routing(""), body)
		b.docs[id] = doc{version: 1}
	}
	b.call(t, "a", http.MethodPost, "/"+pool.Index+"/_bulk", bulk.String(), nil)
	others = &atomic.Int64{}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			select {
			case <-quit:
				return
			case <-time.After(5 * time.Millisecond):
			}
			path, body := inPool("neighbour", pool.Index, fmt.Sprintf("n%d", n), `{"n":-1}`)
			if code, err := b.try(context.Background(), "a", http.MethodPut, path, body, nil); err != nil || code != http.StatusCreated {
				t.Errorf("a write of the other tenant: %d, %v", code, err)
				return
			}
			others.Add(1)
		}
	}()
	stop = sync.OnceFunc(func() { close(quit); <-done })
	t.Cleanup(stop)
	return b, pool, others, stop
}

func (b *bench) unshare(t *testing.T, cluster string) control.Move {
	t.Helper()
	m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: cluster, Kind: placement.DedicatedIndex,
		Options: control.MoveOptions{DrainBarrier: 2 * time.Second, PauseBudget: 4 * time.Second, CutoverDeadline: 8 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (b *bench) poolCount(t *testing.T, index string) int64 {
	t.Helper()
	b.call(t, "a", http.MethodPost, "/"+index+"/_refresh", "", nil)
	var n struct{ Count int64 }
	b.call(t, "a", http.MethodGet, "/"+index+"/_count", "", &n)
	return n.Count
}

// A tenant leaves a shared index under load, by drivers that are killed one after
// the other; the other tenant of the index notices nothing.
func TestMoveOutOfASharedIndex(t *testing.T) {
	t.Parallel()
	b, pool, others, stop := newPoolBench(t, "leaver")
	ctx, cancel := context.WithCancel(t.Context())
	wg := b.load(ctx, t, 3)
	rep, err := control.Precheck(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b", Kind: placement.DedicatedIndex})
	if err != nil || rep.Failed() {
		t.Fatalf("precheck: %+v, %v", rep, err)
	}

	// An abort takes the target away, and nothing else.
	ended := b.start(t, b.s, "first")
	m := b.unshare(t, "a")
	b.await(t, m.ID, func(m control.Move) bool { return m.BeginEpoch != 0 || m.Settled() })
	if _, err := control.RequestAbort(t.Context(), b.s, m.ID); err != nil {
		t.Fatal(err)
	}
	if m = b.await(t, m.ID, settled); m.Stage != control.StageAborted {
		t.Fatalf("it ended as %s: %s", m.Stage, m.Error)
	}
	if code := b.call(t, "a", http.MethodGet, "/"+m.To.Index, "", nil); code != http.StatusNotFound {
		t.Errorf("the target after the abort: %d", code)
	}
	ended()

	m = b.unshare(t, "b")
	stages := b.kill(t, m.ID, 3, 6, 8, 9)
	b.start(t, b.s, "heir")
	if m = b.await(t, m.ID, settled); m.Stage != control.StageFlipped || m.Receipt == nil {
		t.Fatalf("it ended as %s: %s", m.Stage, m.Error)
	}
	r := m.Receipt
	t.Logf("killed in %v; %d docs, %d rounds, %d caught up, %d attempts, pause %+v, fence %q", stages, r.Docs, r.Rounds, r.CaughtUp, r.Attempts, r.Pause, r.Fence)
	if r.Verification.Unsettled != 0 || r.Pause.Refused != 0 || strings.Contains(r.Fence, "written") {
		t.Errorf("receipt: %+v", r)
	}
	cancel()
	wg.Wait()
	b.check(t)

	// Who writes to the old copy now is found before it is removed.
	path, body := inPool(b.tenant, pool.Index, "late", `{"n":1}`)
	b.call(t, "a", http.MethodPut, path, body, nil)
	retire := func(ok func(control.Move) bool) control.Move {
		if _, err := control.RequestRetire(t.Context(), b.s, m.ID); err != nil {
			t.Fatal(err)
		}
		return b.await(t, m.ID, ok)
	}
	kept := retire(func(m control.Move) bool { return m.Terminal() || !m.RetireRequested })
	if kept.Stage != control.StageFlipped || !strings.Contains(kept.Error, "not retired: ") || !strings.Contains(kept.Error, "written to after the flip") {
		t.Fatalf("with a late write: %s, %q", kept.Stage, kept.Error)
	}
	if e, err := b.s.State(t.Context(), b.tenant); err != nil || e.Previous != pool {
		t.Errorf("the way back after a refused retire: %+v, %v", e, err)
	}
	b.call(t, "a", http.MethodDelete, path, "", nil)
	if done := retire(func(m control.Move) bool { return m.Terminal() || !m.RetireRequested }); done.Stage != control.StageDone {
		t.Fatalf("retire: %s, %q", done.Stage, done.Error)
	}
	stop()
	if left := b.poolCount(t, pool.Index); left != others.Load() || left == 0 {
		t.Errorf("%d documents are left of the shared index, the other tenant has written %d", left, others.Load())
	}
	b.check(t)
	t.Logf("%d writes of the tenant, %d of its neighbour", b.writes.Load(), others.Load())
}

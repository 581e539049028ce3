package mover_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

var moves atomic.Int64

// rig is a source and a target on one or two real nodes, with index names of
// this test alone.
type rig struct {
	t        *testing.T
	src, dst *upstream.Client
	a, b     string
	spec     mover.Spec
	gentle   bool // its movers heed the clusters' pressure
}

func client(t *testing.T, name string, n *engines.OpenSearch) *upstream.Client {
	t.Helper()
	c, err := upstream.New(placement.Cluster{Name: name, Endpoints: []string{n.URL()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// newRig moves within one 2.19.6 node, between two clients of it: nothing in the
// mover knows the difference, and nodes are dear.
func newRig(t *testing.T, body string) *rig {
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	return newRigOn(t, n, n, body)
}

func newRigOn(t *testing.T, a, b *engines.OpenSearch, body string) *rig {
	t.Helper()
	id := fmt.Sprintf("m%d", moves.Add(1))
	r := &rig{t: t, src: client(t, "a", a), dst: client(t, "b", b), a: "src-" + id, b: "dst-" + id}
	r.spec = mover.Spec{Move: id, Attempt: 1, Partition: "tenant",
		From: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: r.a, Logical: "docs"},
		To:   placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: r.b, Logical: "docs"}}
	r.call(r.src, "PUT", "/"+r.a, "", body, nil)
	t.Cleanup(func() {
		for c, i := range map[*upstream.Client]string{r.src: r.a, r.dst: r.b} {
			_ = c.JSON(context.Background(), "DELETE", "/"+i, nil, nil, nil)
		}
	})
	return r
}

func (r *rig) call(c *upstream.Client, method, path, query, body string, into any) {
	r.t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		r.t.Fatal(err)
	}
	var b any
	if body != "" {
		b = []byte(body)
	}
	if err := c.JSON(r.t.Context(), method, path, q, b, into); err != nil {
		r.t.Fatal(err)
	}
}

// try is call that returns the status.
func (r *rig) try(c *upstream.Client, method, path, body string) int {
	r.t.Helper()
	var b any
	if body != "" {
		b = []byte(body)
	}
	err := c.JSON(r.t.Context(), method, path, nil, b, nil)
	var s *upstream.StatusError
	if errors.As(err, &s) {
		return s.Status
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return http.StatusOK
}

// mover is a mover that copies eagerly, where o has no limits: gently, which few tests
// are about, it would take many times as long.
func (r *rig) mover(o *mover.Options) *mover.Mover {
	r.t.Helper()
	var own mover.Options
	if o != nil {
		own = *o
	}
	if own.Limits == (mover.Limits{}) {
		own.Limits.Eager = !r.gentle
	}
	m, err := mover.New(r.spec, r.src, r.dst, &own)
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// taken is a mover that is ready to write.
func (r *rig) taken(o *mover.Options) *mover.Mover {
	r.t.Helper()
	m := r.mover(o)
	if _, err := m.Prepare(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if err := m.Take(r.t.Context(), false); err != nil {
		r.t.Fatal(err)
	}
	return m
}

func (r *rig) copyAll(m *mover.Mover) {
	r.t.Helper()
	if err := m.Copy(r.t.Context(), mover.Checkpoint{}, func(mover.Checkpoint) error { return nil }); err != nil {
		r.t.Fatal(err)
	}
}

// fill writes n documents d0, d1, ...; every third has a routing, every fifth is
// written twice.
func (r *rig) fill(n int) {
	r.t.Helper()
	for from := 0; from < n; from += 5000 {
		var b bytes.Buffer
		for i := from; i < min(n, from+5000); i++ {
			times := 1
			if i%5 == 0 {
				times = 2
			}
			for v := range times {
				routing := ""
				if i%3 == 0 {
					routing = fmt.Sprintf(`,"routing":"r%d"`, i%7)
				}
				fmt.Fprintf(&b, `{"index":{"_id":"d%d"%s}}`+"\n"+`{"n":%d,"v":%d,"text":"some text"}`+"\n", i, routing, i, v)
			}
		}
		var ans struct{ Errors bool }
		r.call(r.src, "POST", "/"+r.a+"/_bulk", "", b.String(), &ans)
		if ans.Errors {
			r.t.Fatal("the fill had errors")
		}
	}
}

func ref(id, routing string) gate.DocRef { return gate.DocRef{Index: "docs", ID: id, Routing: routing} }

// equal fails the test unless Reconcile finds both sides equal with n documents each.
func (r *rig) equal(m *mover.Mover, n int64) {
	r.t.Helper()
	d, err := m.Reconcile(r.t.Context(), false)
	if err != nil {
		r.t.Fatal(err)
	}
	if !d.Empty() || d.Scanned != 2*n {
		r.t.Fatalf("scanned %d (want %d), missing %d, extra %d, older %d", d.Scanned, 2*n, d.NMissing, d.NExtra, d.NOlder)
	}
}

func (r *rig) apply(m *mover.Mover, refs ...gate.DocRef) mover.Applied {
	r.t.Helper()
	a, err := m.Apply(r.t.Context(), refs)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

type hit struct {
	Found   bool            `json:"found"`
	Version int64           `json:"_version"`
	Routing string          `json:"_routing"`
	Source  json.RawMessage `json:"_source"`
}

func (r *rig) get(c *upstream.Client, index, id, routing string) hit {
	r.t.Helper()
	var h struct{ Docs []hit }
	rt := ""
	if routing != "" {
		rt = fmt.Sprintf(`,"routing":%q`, routing)
	}
	r.call(c, "POST", "/"+index+"/_mget", "", fmt.Sprintf(`{"docs":[{"_id":%q%s}]}`, id, rt), &h)
	return h.Docs[0]
}

func TestCopyKeepsVersionsAndRouting(t *testing.T) {
	r := newRigOn(t, enginetest.SharedOpenSearch(t, engines.OpenSearch2), enginetest.OpenSearch(t, engines.OpenSearch2), `{"settings":{"number_of_shards":5,"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"long"}}},"aliases":{"nick-copy":{"filter":{"term":{"n":1}}}}}`)
	const n = 20_000
	r.fill(n)
	var last mover.Progress
	m := r.taken(&mover.Options{Progress: func(p mover.Progress) { last = p }})
	began := time.Now()
	r.copyAll(m)
	t.Logf("copied %d documents in %v", n, time.Since(began))
	if last.Docs != n || last.Total != n {
		t.Errorf("progress ended at %d of %d", last.Docs, last.Total)
	}
	r.equal(m, n)
	for id, routing := range map[string]string{"d0": "r0", "d15": "r1", "d7": ""} {
		a, b := r.get(r.src, r.a, id, routing), r.get(r.dst, r.b, id, routing)
		if !a.Found || !b.Found || a.Version != b.Version || a.Routing != b.Routing || string(a.Source) != string(b.Source) {
			t.Errorf("%s: %+v, %+v", id, a, b)
		}
	}
	ctx := t.Context()
	if err := m.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	r.flip(m)
	var al map[string]struct{ Aliases map[string]json.RawMessage }
	r.call(r.dst, "GET", "/"+r.b+"/_alias", "", "", &al)
	if got := al[r.b].Aliases; len(got) != 1 || !strings.Contains(string(got["nick-copy"]), "filter") {
		t.Errorf("aliases after seal: %s", got)
	}
	var st map[string]struct{ Settings map[string]any }
	r.call(r.dst, "GET", "/"+r.b+"/_settings", "flat_settings=true", "", &st)
	for _, k := range []string{"index.gc_deletes", "index.refresh_interval", "index.blocks.write"} {
		if v, ok := st[r.b].Settings[k]; ok {
			t.Errorf("%s is still %v", k, v)
		}
	}
	t.Logf("rates: %+v, pause for 100 dirty: %v", m.Rates(), m.PredictPause(100))
	if _, err := m.Apply(ctx, []gate.DocRef{ref("d7", "")}); !errors.Is(err, mover.ErrFenced) {
		t.Errorf("apply after seal: %v", err)
	}
	if seen, err := m.Fence(ctx); err != nil || seen {
		t.Errorf("fence: %t, %v", seen, err)
	}
	if got := r.try(r.src, "PUT", "/"+r.a+"/_doc/late", `{"n":1}`); got != http.StatusForbidden {
		t.Errorf("a write to the fenced source: %d", got)
	}
	if err := m.Retire(ctx); err != nil {
		t.Error(err)
	}
	if got := r.try(r.src, "GET", "/"+r.a, ""); got != http.StatusNotFound {
		t.Errorf("the source after retire: %d", got)
	}
}

func TestNoDocumentIsLostOverShards(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 documents")
	}
	r := newRig(t, `{"settings":{"number_of_shards":5,"number_of_replicas":0,"refresh_interval":"100ms"}}`)
	const n = 100_000
	r.fill(n)
	m := r.taken(nil)
	began := time.Now()
	r.copyAll(m)
	copied := time.Since(began)
	r.equal(m, n)
	t.Logf("copied %d in %v, reconciled in %v", n, copied, time.Since(began)-copied)
}

func TestApplyConverges(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":3,"number_of_replicas":0,"gc_deletes":"0s"}}`)
	r.fill(300)
	m := r.taken(nil)
	r.copyAll(m)
	put := func(id, routing, body string) {
		t.Helper()
		r.call(r.src, "PUT", "/"+r.a+"/_doc/"+id, "routing="+routing, body, nil)
	}
	put("d1", "", `{"n":-1}`)
	put("new", "r9", "{\n \"n\": 5, // of late\r\n \"late_field\": 1.5}")
	r.call(r.src, "DELETE", "/"+r.a+"/_doc/d2", "", "", nil)
	r.call(r.src, "DELETE", "/"+r.a+"/_doc/d3", "routing=r3", "", nil)
	// d5 is at version 2; deleted, forgotten and created again it starts at 1.
	r.call(r.src, "DELETE", "/"+r.a+"/_doc/d5", "", "", nil)
	for v := int64(0); v != 1; {
		put("d5", "", `{"n":5,"again":true}`)
		if v = r.get(r.src, r.a, "d5", "").Version; v != 1 {
			r.call(r.src, "DELETE", "/"+r.a+"/_doc/d5", "", "", nil)
			r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
		}
	}
	refs := []gate.DocRef{ref("d1", ""), ref("new", "r9"), ref("d2", ""), ref("d3", "r3"), ref("d5", ""), ref("d5", ""), ref("never", "")}
	got := r.apply(m, refs...)
	if got.IDs != 6 || got.Indexed != 3 || got.Deleted != 3 {
		t.Errorf("%+v", got)
	}
	if b := r.get(r.dst, r.b, "d5", ""); b.Version != 1 || !strings.Contains(string(b.Source), "again") {
		t.Errorf("the document that was created again: %+v", b)
	}
	d, err := m.CheckRefs(t.Context(), refs)
	if err != nil || !d.Empty() {
		t.Errorf("%+v, %v", d, err)
	}
	r.equal(m, 299)
	var mp map[string]json.RawMessage
	r.call(r.dst, "GET", "/"+r.b+"/_mapping", "", "", &mp)
	if !strings.Contains(string(mp[r.b]), `"late_field":{"type":"float"}`) {
		t.Errorf("the mapping was not carried over: %s", mp[r.b])
	}
}

func TestReconcileFindsAndRepairs(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	const n = 2000
	r.fill(n)
	m := r.taken(nil)
	r.copyAll(m)
	r.equal(m, n)
	r.call(r.dst, "DELETE", "/"+r.b+"/_doc/d1", "", "", nil)                                     // missing
	r.call(r.dst, "PUT", "/"+r.b+"/_doc/stray", "", `{"n":0}`, nil)                              // extra
	r.call(r.src, "PUT", "/"+r.a+"/_doc/d2", "", `{"n":2}`, nil)                                 // older at B
	r.call(r.dst, "DELETE", "/"+r.b+"/_doc/d3", "routing=r3", "", nil)                           // other routing: r3 here, x there
	r.call(r.dst, "PUT", "/"+r.b+"/_doc/d3", "routing=x", `{"n":3}`, nil)                        //
	r.call(r.dst, "PUT", "/"+r.b+"/_doc/d4", "version=99&version_type=external", `{"n":4}`, nil) // newer at B
	d, err := m.Reconcile(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if d.NExtra < 1 || d.NMissing < 1 || d.NOlder < 1 || d.NNewer < 1 || d.Repaired < 5 {
		t.Errorf("%+v", d)
	}
	r.equal(m, n)
}

func TestStaleAttemptIsRefused(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r.fill(50)
	ctx := t.Context()
	stale := r.taken(nil)
	r.copyAll(stale)
	r.spec.Attempt = 2
	next := r.mover(nil)
	next.Use(stale.Indexes())
	if err := next.Take(ctx, true); err != nil {
		t.Fatal(err)
	}
	r.call(r.src, "PUT", "/"+r.a+"/_doc/d1", "", `{"n":-1}`, nil)
	r.call(r.src, "DELETE", "/"+r.a+"/_doc/d2", "", "", nil)
	for _, id := range []string{"d1", "d2"} { // an index operation, and a delete
		if _, err := stale.Apply(ctx, []gate.DocRef{ref(id, "")}); !errors.Is(err, mover.ErrFenced) {
			t.Errorf("stale apply of %s: %v", id, err)
		}
	}
	if err := stale.Take(ctx, false); !errors.Is(err, mover.ErrFenced) {
		t.Errorf("stale take: %v", err)
	}
	r.apply(next, ref("d1", ""), ref("d2", ""))
	r.equal(next, 49)
	if err := next.Take(ctx, true); err != nil { // again, as after a reopen
		t.Fatal(err)
	}
	r.apply(next, ref("d1", ""))
}

func TestDiscardLeavesNothing(t *testing.T) {
	for _, remembered := range []bool{true, false} {
		r := newRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
		r.fill(100)
		m := r.taken(nil)
		r.copyAll(m)
		if !remembered {
			m = r.mover(nil)
		}
		for range 2 { // and again, for nothing
			if err := m.Discard(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := r.try(r.dst, "GET", "/"+r.b, ""); got != http.StatusNotFound {
			t.Errorf("the target after discard: %d", got)
		}
		// An index of the same name that somebody else made since stays.
		r.call(r.dst, "PUT", "/"+r.b, "", "", nil)
		if err := m.Discard(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.try(r.dst, "GET", "/"+r.b, ""); got != http.StatusOK {
			t.Errorf("somebody else's index: %d", got)
		}
	}
}

func TestRetireRefusesAnotherIndex(t *testing.T) {
	r := newRig(t, "")
	m := r.taken(nil)
	r.call(r.src, "DELETE", "/"+r.a, "", "", nil)
	r.call(r.src, "PUT", "/"+r.a, "", "", nil)
	if err := m.CheckSource(t.Context()); !errors.Is(err, mover.ErrSourceChanged) {
		t.Errorf("check: %v", err)
	}
	if err := m.Retire(t.Context()); !errors.Is(err, mover.ErrSourceChanged) {
		t.Errorf("retire: %v", err)
	}
	if got := r.try(r.src, "GET", "/"+r.a, ""); got != http.StatusOK {
		t.Errorf("the index that was created again: %d", got)
	}
}

func TestCopyResumes(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":4,"number_of_replicas":0}}`)
	const n = 4000
	r.fill(n)
	m := r.taken(nil)
	stop := errors.New("stop")
	var cp mover.Checkpoint
	err := m.Copy(t.Context(), cp, func(c mover.Checkpoint) error {
		cp = c
		if len(c.Done) == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || len(cp.Done) != 2 {
		t.Fatalf("%+v, %v", cp, err)
	}
	idx := m.Indexes()
	r.spec.Attempt = 2
	m = r.mover(nil)
	m.Use(idx)
	if err := m.Take(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	slices := 0
	if err := m.Copy(t.Context(), cp, func(c mover.Checkpoint) error { slices += len(c.Done) - len(cp.Done); cp = c; return nil }); err != nil {
		t.Fatal(err)
	}
	if slices != 2 || cp.Docs != n || cp.Scan != "" {
		t.Errorf("%d slices after the interruption, %d documents", slices, cp.Docs)
	}
	r.equal(m, n)
}

// A copy that is held to a rate takes its time from the first batch on, however
// small the tenant is and however fast the clusters are.
func TestCopyRate(t *testing.T) {
	r := newRig(t, "")
	const n, rate = 100, 40
	r.fill(n)
	m := r.taken(&mover.Options{Limits: mover.Limits{Docs: rate}, Workers: 8})
	began := time.Now()
	r.copyAll(m)
	if took, least := time.Since(began), time.Duration(n-rate)*time.Second/rate; took < least {
		t.Errorf("%d documents at %d a second were copied in %s; a second's worth may come at once, so %s is the least", n, rate, took, least)
	}
	r.equal(m, n)

	idx := m.Indexes()
	r.spec.Attempt = 2
	m = r.mover(&mover.Options{Limits: mover.Limits{Docs: 1}})
	m.Use(idx)
	if err := m.Take(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	defer time.AfterFunc(100*time.Millisecond, func() { cancel(stop) }).Stop()
	if err := m.Copy(ctx, mover.Checkpoint{}, func(mover.Checkpoint) error { return nil }); !errors.Is(err, stop) {
		t.Errorf("a copy that waits was stopped: %v", err)
	}
}

func TestLeaseStopsTheWork(t *testing.T) {
	r := newRig(t, "")
	r.fill(300)
	lost, calls := errors.New("lease lost"), atomic.Int64{}
	m := r.taken(&mover.Options{BatchDocs: 10, Lease: func() error {
		if calls.Add(1) > 12 {
			return lost
		}
		return nil
	}})
	if err := m.Copy(t.Context(), mover.Checkpoint{}, func(mover.Checkpoint) error { return nil }); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
}

func TestToANewerMajorVersion(t *testing.T) {
	r := newRigOn(t, enginetest.SharedOpenSearch(t, engines.OpenSearch2), enginetest.SharedOpenSearch(t, engines.OpenSearch3),
		`{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	r.fill(3000)
	m := r.taken(nil)
	r.copyAll(m)
	r.call(r.src, "DELETE", "/"+r.a+"/_doc/d1", "", "", nil)
	r.apply(m, ref("d1", ""))
	r.equal(m, 2999)
	back, err := mover.New(r.spec, r.dst, r.src, nil)
	if err != nil {
		t.Fatal(err)
	}
	var refused *mover.RefusedError
	if _, err := back.Prepare(t.Context()); !errors.As(err, &refused) || refused.Code != mover.CodeVersion {
		t.Errorf("to an older version: %v", err)
	}
	if err := m.Discard(t.Context()); err != nil {
		t.Error(err)
	}
}

func ref2(index, id string) []gate.DocRef { return []gate.DocRef{{Index: index, ID: id}} }

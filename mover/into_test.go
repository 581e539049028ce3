package mover_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// intoRig is a rig whose target is an index that another tenant uses.
type intoRig struct {
	*rig
	mine, other *shared.Tenant
	docs        map[gate.DocRef]string // what the tenant wrote last
	mu          sync.Mutex             // guards others
	others      map[string]string      // documents of the other tenant, as they are in the index
}

const ownBody = `{"settings":{"number_of_shards":3,"number_of_replicas":0},
	"mappings":{"properties":{"n":{"type":"double"},"text":{"type":"text","fields":{"raw":{"type":"keyword"}}},"z":{"type":"object","enabled":false},"deep":{"properties":{"own":{"type":"date"}}}}}}`

const pondBody = `{"settings":{"number_of_shards":2,"number_of_replicas":0,"gc_deletes":"4s","refresh_interval":"7s"},
	"mappings":{"properties":{"tenant":{"type":"keyword"},"n":{"type":"double"},"text":{"type":"text"},"theirs":{"type":"ip"},"deep":{"properties":{"theirs":{"type":"long"}}}}},
	"aliases":{"%s":{"filter":{"term":{"n":1}}}}}`

func newInto(t *testing.T, on *engines.OpenSearch, own, pond string) *intoRig {
	t.Helper()
	r := &intoRig{rig: newRigOn(t, enginetest.SharedOpenSearch(t, engines.OpenSearch2), on, own), docs: map[gate.DocRef]string{}, others: map[string]string{}}
	r.spec.Partition = "a:\"ä,\\"
	r.spec.To = placement.Placement{Kind: placement.SharedIndex, Cluster: "b", Index: r.b, Logical: "docs", PartitionField: "tenant"}
	for id, into := range map[placement.PartitionID]**shared.Tenant{r.spec.Partition: &r.mine, "a:\"ä,\\x": &r.other} {
		tn, err := shared.New(id, "tenant")
		if err != nil {
			t.Fatal(err)
		}
		*into = tn
	}
	r.call(r.dst, "PUT", "/"+r.b, "", pond, nil)
	return r
}

func (r *intoRig) put(id, routing, source string) gate.DocRef {
	r.t.Helper()
	r.call(r.src, "PUT", "/"+r.a+"/_doc/"+url.PathEscape(id), "routing="+url.QueryEscape(routing), source, nil)
	d := ref(id, routing)
	r.docs[d] = source
	return d
}

func (r *intoRig) remove(d gate.DocRef) gate.DocRef {
	r.t.Helper()
	r.call(r.src, "DELETE", "/"+r.a+"/_doc/"+url.PathEscape(d.ID), "routing="+url.QueryEscape(d.Routing), "", nil)
	delete(r.docs, d)
	return d
}

// neighbour writes and deletes documents of the other tenant until the returned function
// is called, which then compares all of them. No request of it may fail.
func (r *intoRig) neighbour() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	request := func(method string, n int, body []byte) error {
		id, err := r.other.ID(fmt.Sprintf("n%d", n))
		if err != nil {
			return err
		}
		var b any
		r.mu.Lock()
		if delete(r.others, id); body != nil {
			b, r.others[id] = body, string(body)
		}
		r.mu.Unlock()
		return r.dst.JSON(r.t.Context(), method, "/"+r.b+"/_doc/"+url.PathEscape(id), url.Values{"routing": {r.other.Routing("")}}, b, nil)
	}
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			select {
			case <-quit:
				return
			default:
			}
			body, err := r.other.Document(nil, []byte(fmt.Sprintf(`{ "n":%d,"theirs":"10.0.0.1" }`, n)))
			if err == nil {
				err = request("PUT", n, body)
			}
			if err == nil && n%3 == 2 {
				err = request("DELETE", n-1, nil)
			}
			if err != nil && r.t.Context().Err() == nil {
				r.t.Errorf("a write of the other tenant failed: %v", err)
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(quit)
		<-done
		if got := r.held(r.other); len(got) != len(r.others) || len(got) == 0 {
			r.t.Errorf("the other tenant has %d documents, and wrote %d", len(got), len(r.others))
		} else {
			for id, want := range r.others {
				if got[id] != want {
					r.t.Errorf("%s of the other tenant is %s, and was %s", id, got[id], want)
				}
			}
		}
		r.t.Logf("the other tenant has %d documents", len(r.others))
	})
}

// held are the documents of a tenant in the pool, by their ids there.
func (r *intoRig) held(tn *shared.Tenant) map[string]string {
	r.t.Helper()
	r.call(r.dst, "POST", "/"+r.b+"/_refresh", "", "", nil)
	var ans struct {
		Hits struct {
			Hits []struct {
				ID     string          `json:"_id"`
				Source json.RawMessage `json:"_source"`
			}
		}
	}
	r.call(r.dst, "POST", "/"+r.b+"/_search", "size=10000", `{"query":`+string(tn.Filter())+`}`, &ans)
	out := map[string]string{}
	for _, h := range ans.Hits.Hits {
		out[h.ID] = string(h.Source)
	}
	return out
}

// same fails the test unless the pool holds of the tenant what it wrote, as the proxy
// would have written it there, with the versions of the source.
func (r *intoRig) same(m *mover.Mover) {
	r.t.Helper()
	r.equal(m, int64(len(r.docs)))
	for d, want := range r.docs {
		id, _ := r.mine.ID(d.ID)
		marked, err := r.mine.Document(nil, []byte(want))
		if err != nil {
			r.t.Fatal(err)
		}
		a, b := r.get(r.src, r.a, d.ID, d.Routing), r.get(r.dst, r.b, id, r.mine.Routing(d.Routing))
		if !b.Found || b.Routing != r.mine.Routing(d.Routing) || b.Version != a.Version || string(b.Source) != string(marked) {
			r.t.Errorf("%q, routing %q: %+v %s, want version %d, %s", d.ID, d.Routing, b, b.Source, a.Version, marked)
		}
	}
}

// described is the pool without its mapping.
func (r *intoRig) described() string {
	var ans map[string]map[string]json.RawMessage
	r.call(r.dst, "GET", "/"+r.b, "", "", &ans)
	return string(ans[r.b]["settings"]) + string(ans[r.b]["aliases"])
}

func (r *intoRig) fill(n int) (routed []gate.DocRef) {
	for n := range n {
		routing := ""
		if n%3 == 0 {
			routing = []string{"r", " r, s", "ü:"}[n%9/3]
		}
		d := r.put(fmt.Sprintf("_d:%d %c/", n, "aä\"\n"[n%3]), routing, sources[n%len(sources)])
		if n%5 == 0 {
			d = r.put(d.ID, routing, sources[n%len(sources)])
		}
		if routing != "" {
			routed = append(routed, d)
		}
	}
	r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
	return routed
}

func TestMovesIntoASharedIndexAndBack(t *testing.T) {
	alias := fmt.Sprintf("everybody-%d", moves.Load())
	r := newInto(t, enginetest.SharedOpenSearch(t, engines.OpenSearch2), ownBody, fmt.Sprintf(pondBody, alias))
	stop := r.neighbour()
	defer stop()
	routed := r.fill(200)
	before := r.described()
	rep, err := r.mover(nil).Precheck(t.Context())
	if err != nil || rep.Failed() || rep.Docs != int64(len(r.docs)) || r.described() != before {
		t.Fatalf("precheck: %+v, %v", rep, err)
	}
	m := r.taken(&mover.Options{BatchDocs: 20})
	r.copyAll(m)
	r.same(m)

	// While it catches up: new fields, other routings, deletions.
	refs := []gate.DocRef{r.put("new", "", `{"late":{"tenant":"x"} , "n":7}`), r.put("new too", "r,r", `{"fresh":1}`), r.put(routed[0].ID, routed[0].Routing, `{"fresh":1.5}`), r.remove(routed[1])}
	refs = append(refs, r.remove(refs[0]), r.put("new", "", `{"n":8}`), ref("never", ""))
	r.apply(m, refs...)
	r.same(m)
	if d, err := m.CheckRefs(t.Context(), refs); err != nil || !d.Empty() {
		t.Errorf("%+v, %v", d, err)
	}
	var mp map[string]json.RawMessage
	r.call(r.dst, "GET", "/"+r.b+"/_mapping", "", "", &mp)
	for _, yes := range []string{`"fresh":{"type":"long"}`, `"own":{"type":"date"}`, `"theirs":{"type":"ip"}`, `"raw":{"type":"keyword"}`, `"tenant":{"type":"keyword"},`} {
		if !strings.Contains(string(mp[r.b]), yes) {
			t.Errorf("the shared index has not %s: %s", yes, mp[r.b])
		}
	}
	// A difference is found, by the client's names, and put right: when the shared
	// index has forgotten what was deleted there.
	lost := routed[3]
	id, _ := r.mine.ID(lost.ID)
	r.call(r.dst, "DELETE", "/"+r.b+"/_doc/"+url.PathEscape(id), "routing="+url.QueryEscape(r.mine.Routing(lost.Routing)), "", nil)
	if d, err := m.Reconcile(t.Context(), true); err != nil || d.NMissing != 1 || len(d.Differences) != 1 || d.Differences[0].Ref() != lost || d.Repaired != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	r.same(m)
	if err := m.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.flip(m)
	if now := r.described(); now != before {
		t.Errorf("the shared index became\n%s, and was\n%s", now, before)
	}
	if seen, err := m.Fence(t.Context()); err != nil || seen {
		t.Errorf("fence: %t, %v", seen, err)
	}

	// Back into an index of its own: what the tenant wrote, byte by byte.
	back := *r.rig
	back.spec.Move += "-back"
	back.spec.From, back.spec.To = r.spec.To, r.spec.From
	back.spec.To.Index += "-back"
	back.src, back.dst, back.a, back.b = r.dst, r.src, r.b, back.spec.To.Index
	t.Cleanup(func() { _ = back.dst.JSON(context.Background(), "DELETE", "/"+back.b, nil, nil, nil) })
	home := back.taken(nil)
	back.copyAll(home)
	back.equal(home, int64(len(r.docs)))
	back.flip(home)
	for d, want := range r.docs {
		a, b := r.get(r.src, r.a, d.ID, d.Routing), back.get(back.dst, back.b, d.ID, d.Routing)
		if !b.Found || b.Version != a.Version || b.Routing != d.Routing || string(b.Source) != want || string(a.Source) != want {
			t.Errorf("%q, routing %q, there and back: %+v %s, was %+v %s", d.ID, d.Routing, b, b.Source, a, a.Source)
		}
	}
	if _, err := home.Fence(t.Context()); err != nil {
		t.Error(err)
	}
	for _, m := range []*mover.Mover{m, home} {
		if err := m.Retire(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if got := r.held(r.mine); len(got) > 0 {
		t.Errorf("%d documents of the tenant are left", len(got))
	}
	stop()
}

// From one shared index into another, of a newer OpenSearch.
func TestMovesFromOneSharedIndexToAnother(t *testing.T) {
	from := newPool(t, `{"settings":{"number_of_shards":3,"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"},"n":{"type":"double"},"z":{"type":"object","enabled":false}}}}`)
	r := newInto(t, enginetest.SharedOpenSearch(t, engines.OpenSearch3), `{}`, fmt.Sprintf(pondBody, "everybody"))
	stop := r.neighbour()
	defer stop()
	r.spec.From = from.spec.From
	for n := range 60 {
		from.put(fmt.Sprint(n), []string{"", "r", "s"}[n%3], sources[n%len(sources)])
	}
	m := r.taken(&mover.Options{BatchDocs: 7})
	r.copyAll(m)
	r.equal(m, 60)
	refs := []gate.DocRef{from.put("60", "", `{"n":1}`), from.put("1", "r", `{"n":2}`), from.remove(ref("2", "s"))}
	r.apply(m, refs...)
	r.equal(m, 60)
	for d, want := range from.docs {
		id, _ := r.mine.ID(d.ID)
		a, b := r.get(r.src, from.a, id, r.mine.Routing(d.Routing)), r.get(r.dst, r.b, id, r.mine.Routing(d.Routing))
		if !b.Found || b.Version != a.Version || string(b.Source) != string(a.Source) || !strings.Contains(string(b.Source), want[1:]) {
			t.Errorf("%q, routing %q: %+v %s, was %+v %s", d.ID, d.Routing, b, b.Source, a, a.Source)
		}
	}
	if err := m.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.flip(m)
	stop()
}

// What an abort deletes is remembered by the pool for a while, and so refused in its old
// versions. The next move waits for that, and keeps the versions.
func TestIntoASharedIndexAfterAnAbort(t *testing.T) {
	r := newInto(t, enginetest.SharedOpenSearch(t, engines.OpenSearch2), ownBody, fmt.Sprintf(pondBody, fmt.Sprintf("everybody-%d", moves.Load())))
	stop := r.neighbour()
	defer stop()
	routed := r.fill(60)
	before := r.described()
	m := r.taken(nil)
	r.copyAll(m)
	// A driver that comes back from the dead writes nothing, and deletes nothing.
	r.spec.Attempt = 2
	heir := r.mover(nil)
	heir.Use(m.Indexes())
	if err := heir.Take(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Apply(t.Context(), []gate.DocRef{r.put("late", "", `{"n":1}`), r.remove(routed[0])}); !errors.Is(err, mover.ErrFenced) {
		t.Errorf("a write of the attempt before: %v", err)
	}
	if err := m.Take(t.Context(), false); !errors.Is(err, mover.ErrFenced) {
		t.Errorf("the attempt before takes over: %v", err)
	}
	for range 2 {
		if err := heir.Discard(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got, now := r.held(r.mine), r.described(); len(got) > 0 || now != before {
		t.Errorf("after the abort: %d documents, %s; was %s", len(got), now, before)
	}
	if err := heir.Take(t.Context(), false); !errors.Is(err, mover.ErrFenced) {
		t.Errorf("take after the abort: %v", err)
	}

	r.spec.Move += "-again"
	m = r.taken(nil)
	began := time.Now()
	r.copyAll(m)
	t.Logf("copied over tombstones in %v", time.Since(began))
	r.same(m)
	// A document that starts over at version 1 while its former self is at B.
	r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.gc_deletes":"0s"}`, nil)
	again := r.put("over", "q", `{"n":1}`)
	again = r.put(again.ID, again.Routing, `{"n":2}`)
	r.apply(m, again)
	for v := int64(0); v != 1; { // until the source has forgotten it
		r.remove(again)
		r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
		again = r.put(again.ID, again.Routing, `{"n":3}`)
		v = r.get(r.src, r.a, again.ID, again.Routing).Version
	}
	r.apply(m, again)
	r.same(m)
	stop()
}

// deletions notes where the first deletion by query went.
type deletions struct {
	*http.Transport
	first atomic.Value
}

func (d *deletions) RoundTrip(q *http.Request) (*http.Response, error) {
	if strings.HasSuffix(q.URL.Path, "/_delete_by_query") {
		d.first.CompareAndSwap(nil, q.URL.Path)
	}
	return d.Transport.RoundTrip(q)
}

// A sweep that was begun, and lost its driver, deletes nothing after a later move.
func TestALateSweepOfASharedIndexDeletesNothing(t *testing.T) {
	r := newInto(t, enginetest.SharedOpenSearch(t, engines.OpenSearch2), ownBody, fmt.Sprintf(pondBody, fmt.Sprintf("everybody-%d", moves.Load())))
	r.fill(20)
	seen := &deletions{Transport: &http.Transport{}}
	t.Cleanup(seen.CloseIdleConnections)
	c, err := upstream.New(placement.Cluster{Name: "b", Endpoints: []string{enginetest.SharedOpenSearch(t, engines.OpenSearch2).URL()}}, &upstream.Options{Transport: seen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r.dst = c
	m := r.taken(nil)
	r.copyAll(m)
	if err := m.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	late, _ := seen.first.Load().(string)
	if !strings.Contains(late, "sluice-"+r.spec.Move+"-") {
		t.Fatalf("the deletion went to %q, which is not a name of the move", late)
	}
	r.spec.Move += "-again"
	m = r.taken(nil)
	r.copyAll(m)
	r.flip(m)
	err = r.dst.JSON(t.Context(), "POST", late, nil, []byte(`{"query":`+string(r.mine.Filter())+`}`), nil)
	var status *upstream.StatusError
	if !errors.As(err, &status) || status.Status != 404 {
		t.Errorf("the late deletion: %v", err)
	}
	if got := r.held(r.mine); len(got) != len(r.docs) {
		t.Errorf("%d documents of the tenant are left of %d", len(got), len(r.docs))
	}
}

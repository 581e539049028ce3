package mover_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// poolRig is a rig whose source is an index that two tenants share.
type poolRig struct {
	*rig
	mine, other *shared.Tenant
	docs        map[gate.DocRef]string // what the tenant wrote last
	others      atomic.Int64           // documents of the other tenant
}

// newPool has names of tenants that begin one another and hold what queries, ids
// and lists give a meaning.
func newPool(t *testing.T, body string) *poolRig {
	t.Helper()
	r := &poolRig{rig: newRig(t, body), docs: map[gate.DocRef]string{}}
	r.spec.Partition = "a:\"ä,\\"
	r.spec.From = placement.Placement{Kind: placement.SharedIndex, Cluster: "a", Index: r.a, Logical: "docs", PartitionField: "tenant"}
	for id, into := range map[placement.PartitionID]**shared.Tenant{r.spec.Partition: &r.mine, "a:\"ä,\\x": &r.other} {
		tn, err := shared.New(id, "tenant")
		if err != nil {
			t.Fatal(err)
		}
		*into = tn
	}
	return r
}

// send writes as the proxy does, and returns an error rather than to end the test.
func (r *poolRig) send(tn *shared.Tenant, verb, id, routing, source string) error {
	phys, err := tn.ID(id)
	if err != nil {
		return err
	}
	method, body := "PUT", []byte(nil)
	switch verb {
	case "_update":
		method = "POST"
		body, err = tn.Update(nil, []byte(source))
	case "delete":
		method, verb = "DELETE", "_doc"
	default:
		body, err = tn.Document(nil, []byte(source))
	}
	if err != nil {
		return err
	}
	var b any
	if body != nil {
		b = body
	}
	return r.src.JSON(r.t.Context(), method, "/"+r.a+"/"+verb+"/"+url.PathEscape(phys), url.Values{"routing": {tn.Routing(routing)}}, b, nil)
}

func (r *poolRig) put(id, routing, source string) gate.DocRef {
	r.t.Helper()
	if err := r.send(r.mine, "_doc", id, routing, source); err != nil {
		r.t.Fatal(err)
	}
	d := ref(id, routing)
	r.docs[d] = source
	return d
}

func (r *poolRig) remove(d gate.DocRef) gate.DocRef {
	r.t.Helper()
	if err := r.send(r.mine, "delete", d.ID, d.Routing, ""); err != nil {
		r.t.Fatal(err)
	}
	delete(r.docs, d)
	return d
}

// neighbour writes documents of the other tenant until the returned function is
// called. No write of it may fail.
func (r *poolRig) neighbour() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			select {
			case <-quit:
				return
			default:
			}
			if err := r.send(r.other, "_doc", fmt.Sprintf("n%d", n), "", `{"n":1,"secret":"of another"}`); err != nil && r.t.Context().Err() == nil {
				r.t.Errorf("a write of the other tenant failed: %v", err)
				return
			}
			r.others.Add(1)
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-done })
}

// sources are documents whose bytes a parser would not write again as they are.
var sources = []string{
	`{}`, `{ }`, `{"n":1}`, `{ "n" : 1.50 ,"text":"\u00e9\/é" }`, `{"z":{"tenant":"a"},"n":-0}`, `{"text":"{\"tenant\":\"x\"}","z":[1e3,null,{"x":[]}]}`, `{"n":10000000000000000000000}`,
}

// same fails the test unless B holds what the tenant wrote, byte by byte, and nothing else.
func (r *poolRig) same(m *mover.Mover) {
	r.t.Helper()
	r.equal(m, int64(len(r.docs)))
	for d, want := range r.docs {
		got := r.get(r.dst, r.b, d.ID, d.Routing)
		if !got.Found || got.Routing != d.Routing || string(got.Source) != want {
			r.t.Errorf("%q, routing %q: %+v %s, want %s", d.ID, d.Routing, got, got.Source, want)
		}
	}
	var all struct {
		Hits struct {
			Total struct{ Value int64 }
		}
	}
	r.call(r.dst, "GET", "/"+r.b+"/_search", "size=0&q=of+another+tenant", "", &all)
	if all.Hits.Total.Value != 0 {
		r.t.Errorf("%d documents of B match words of the other tenant", all.Hits.Total.Value)
	}
}

// state is the index as the cluster describes it.
func (r *poolRig) state(index string) string {
	var ans map[string]json.RawMessage
	r.call(r.src, "GET", "/"+index, "", "", &ans)
	return string(ans[index])
}

const poolBody = `{"settings":{"number_of_shards":3,"number_of_replicas":0,"routing_partition_size":2,"index.sort.field":["tenant","n"],"analysis":{"analyzer":{"own":{"type":"keyword"}}}},
	"mappings":{"dynamic":"true","_routing":{"required":true},"properties":{"tenant":{"type":"keyword"},"n":{"type":"double"},"text":{"type":"text","analyzer":"own"},"z":{"type":"object","enabled":false}}},
	"aliases":{"%s":{"filter":{"term":{"n":1}}}}}`

func TestLeavesASharedIndex(t *testing.T) {
	alias := fmt.Sprintf("everyone-%d", moves.Load())
	r := newPool(t, fmt.Sprintf(poolBody, alias))
	stop := r.neighbour()
	defer stop()
	var routed []gate.DocRef
	for n := range 300 {
		routing := ""
		if n%3 == 0 {
			routing = []string{"r", " r, s", "ü:"}[n%9/3]
		}
		d := r.put(fmt.Sprintf("_d:%d %c/", n, "aä\"\n"[n%3]), routing, sources[n%len(sources)])
		if routing != "" {
			routed = append(routed, d)
		}
	}
	r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
	rep, err := r.mover(nil).Precheck(t.Context())
	if err != nil || rep.Failed() || rep.Docs != int64(len(r.docs)) || rep.Bytes <= 0 {
		t.Fatalf("precheck: %+v, %v", rep, err)
	}
	m := r.taken(&mover.Options{BatchDocs: 20})
	r.copyAll(m)
	r.same(m)

	// While it catches up.
	refs := []gate.DocRef{r.put("new", "", `{"late":{"tenant":"x"} , "n":7}`), r.put("new too", "r,r", `{}`), r.put(routed[0].ID, routed[0].Routing, `{"n":2}`), r.remove(routed[1])}
	refs = append(refs, r.remove(refs[0]), r.put("new", "", `{"n":8}`), ref("never", ""))
	if err := r.send(r.mine, "_update", routed[2].ID, routed[2].Routing, `{"doc":{"x":[1.0]},"upsert":{}}`); err != nil {
		t.Fatal(err)
	}
	if err := r.send(r.mine, "_update", "upserted", "u", `{"doc":{"n":5},"doc_as_upsert":true}`); err != nil {
		t.Fatal(err)
	}
	refs = append(refs, routed[2], ref("upserted", "u"))
	r.docs[ref("upserted", "u")] = `{"n":5}`
	delete(r.docs, routed[2]) // its bytes are the cluster's own
	if got := r.apply(m, refs...); got.IDs != 7 {
		t.Errorf("%+v", got)
	}
	if got := r.get(r.dst, r.b, routed[2].ID, routed[2].Routing); !got.Found || !strings.Contains(string(got.Source), `"x":[1.0]`) || strings.Contains(string(got.Source), "tenant\":\"a") || got.Version != 2 {
		t.Errorf("a partial update: %+v %s", got, got.Source)
	}
	r.docs[routed[2]] = string(r.get(r.dst, r.b, routed[2].ID, routed[2].Routing).Source)
	if d, err := m.CheckRefs(t.Context(), refs); err != nil || !d.Empty() {
		t.Errorf("%+v, %v", d, err)
	}
	r.same(m)
	// A difference is found, by the client's names, and put right.
	lost := routed[3]
	r.call(r.dst, "DELETE", "/"+r.b+"/_doc/"+url.PathEscape(lost.ID), "routing="+url.QueryEscape(lost.Routing), "", nil)
	if d, err := m.Reconcile(t.Context(), true); err != nil || d.NMissing != 1 || len(d.Differences) != 1 || d.Differences[0].Ref() != lost || d.Repaired != 1 {
		t.Errorf("%+v, %v", d, err)
	}

	pool := r.state(r.a)
	if err := m.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.same(m)
	r.flip(m)
	b := r.state(r.b)
	for _, no := range []string{alias, `"tenant":{"type":"keyword"`, `"_routing"`, "routing_partition_size"} {
		if strings.Contains(b, no) {
			t.Errorf("the target has %s: %s", no, b)
		}
	}
	for _, yes := range []string{`"own":{"type":"keyword"}`, `"field":["n"]`, `"late"`} {
		if !strings.Contains(b, yes) {
			t.Errorf("the target lacks %s: %s", yes, b)
		}
	}
	if seen, err := m.Fence(t.Context()); err != nil || seen {
		t.Errorf("fence: %t, %v", seen, err)
	}
	if now := r.state(r.a); now != pool {
		t.Errorf("the shared index became\n%s, and was\n%s", now, pool)
	}
	r.retires(m, stop)
}

// retires goes on where the move has flipped: late writers are found, and then only
// the tenant's documents are deleted.
func (r *poolRig) retires(m *mover.Mover, stop func()) {
	t, ctx := r.t, r.t.Context()
	idx := m.Indexes()
	// Another process, which knows what was persisted.
	heir := r.mover(nil)
	heir.Use(idx)
	late := r.put("late", "q", `{"n":1}`)
	if seen, err := heir.Fence(ctx); err != nil || !seen {
		t.Errorf("fence after a late write: %t, %v", seen, err)
	}
	if err := heir.Untouched(ctx); !errors.Is(err, mover.ErrSourceWritten) {
		t.Errorf("a late write: %v", err)
	}
	if err := heir.Retire(ctx); !errors.Is(err, mover.ErrSourceWritten) { // as if it came between the two
		t.Errorf("retire after a late write: %v", err)
	}
	if err := r.send(r.mine, "delete", late.ID, late.Routing, ""); err != nil {
		t.Fatal(err)
	}
	if err := heir.Untouched(ctx); err != nil { // nothing is left: somebody has looked into it
		t.Error(err)
	}
	if heir.Indexes()[0].Held != nil {
		t.Error("the counts of the fence are still there")
	}
	for range 2 {
		if err := heir.Retire(ctx); err != nil {
			t.Error(err)
		}
	}
	stop()
	r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
	var n struct{ Count int64 }
	r.call(r.src, "GET", "/"+r.a+"/_count", "", "", &n)
	if n.Count != r.others.Load() || n.Count == 0 {
		t.Errorf("%d documents are left of the pool, the other tenant has %d", n.Count, r.others.Load())
	}
	t.Logf("the other tenant wrote %d documents meanwhile", n.Count)
}

func TestALateDeleteInASharedIndexIsFound(t *testing.T) {
	r := newPool(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`)
	first := r.put("1", "", `{"n":1}`)
	r.put("2", "x", `{"n":2}`)
	m := r.taken(nil)
	r.copyAll(m)
	r.flip(m)
	unmarked := m.Indexes()
	if seen, err := m.Fence(t.Context()); err != nil || seen {
		t.Fatalf("%t, %v", seen, err)
	}
	r.remove(first)
	if err := m.Untouched(t.Context()); !errors.Is(err, mover.ErrSourceWritten) {
		t.Errorf("a late delete: %v", err)
	}
	unmarked[0].Mark, unmarked[0].Held = nil, nil
	m.Use(unmarked)
	if _, err := m.Fence(t.Context()); !errors.Is(err, mover.ErrNoMark) {
		t.Errorf("fence without marks: %v", err)
	}
	r.put("3", "", `{}`)
	if err := m.Untouched(t.Context()); !errors.Is(err, mover.ErrSourceWritten) {
		t.Errorf("a write after the marks of the fence: %v", err)
	}
}

func TestDiscardLeavesTheSharedIndexAlone(t *testing.T) {
	r := newPool(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`)
	stop := r.neighbour()
	defer stop()
	for n := range 50 {
		r.put(fmt.Sprint(n), "", `{"n":1}`)
	}
	before := r.state(r.a)
	m := r.taken(nil)
	r.copyAll(m)
	if err := m.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.try(r.dst, "GET", "/"+r.b, ""); got != 404 {
		t.Errorf("the target: %d", got)
	}
	if now := r.state(r.a); !strings.Contains(now, `"uuid"`) || strings.Contains(now, "blocks") || strings.Contains(now, "sluice") {
		t.Errorf("the pool was %s, and is %s", before, now)
	}
	for d := range r.docs {
		phys, _ := r.mine.ID(d.ID)
		if !r.get(r.src, r.a, phys, r.mine.Routing("")).Found {
			t.Errorf("%s is gone", d.ID)
		}
	}
	stop()
	// As the index's operator may change it later.
	r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.default_pipeline":"p"}`, nil)
	if rep, err := r.mover(nil).Precheck(t.Context()); err != nil || !strings.Contains(fmt.Sprint(rep.Checks), "default_pipeline") || !rep.Failed() {
		t.Errorf("%+v, %v", rep, err)
	}
	r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.default_pipeline":null}`, nil)
	// Marked as the tenant's, and not written by a proxy.
	j, _ := json.Marshal(map[string]any{"tenant": r.spec.Partition})
	r.call(r.src, "PUT", "/"+r.a+"/_doc/1", "", string(j), nil)
	r.spec.To.Index += "-again"
	t.Cleanup(func() { _ = r.dst.JSON(context.Background(), "DELETE", "/"+r.spec.To.Index, nil, nil, nil) })
	m = r.taken(nil)
	var refused *mover.RefusedError
	if err := m.Copy(t.Context(), mover.Checkpoint{}, func(mover.Checkpoint) error { return nil }); !errors.As(err, &refused) || refused.Code != mover.CodeDocument {
		t.Errorf("a document that no proxy wrote: %v", err)
	}
}

// shardOf asks which shard a routing leads to.
func (r *poolRig) shardOf(index, routing string) int {
	r.t.Helper()
	var ans struct{ Shards [][]struct{ Shard int } }
	r.call(r.src, "GET", "/"+index+"/_search_shards", "routing="+url.QueryEscape(routing), "", &ans)
	return ans.Shards[0][0].Shard
}

// Documents that share an _id: which of them are one depends on how many shards there
// are, and on what the routing is made of.
func TestSameIDsLeaveASharedIndex(t *testing.T) {
	r := newPool(t, `{"settings":{"number_of_shards":3,"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`)
	m := r.taken(nil)
	// Two routings that are one at A and two at B, two that are two on both sides, and
	// two that are two at A and one at B.
	var one, two, clash [2]string
	for n := 0; one[1] == "" || two[1] == "" || clash[1] == ""; n++ {
		x, y := fmt.Sprintf("x%d", n), fmt.Sprintf("y%d", n)
		a := r.shardOf(r.a, r.mine.Routing(x)) == r.shardOf(r.a, r.mine.Routing(y))
		b := r.shardOf(r.b, x) == r.shardOf(r.b, y)
		switch {
		case a && !b:
			one = [2]string{x, y}
		case !a && !b:
			two = [2]string{x, y}
		case !a && b:
			clash = [2]string{x, y}
		}
	}
	r.put("one", one[0], `{"v":1}`)
	r.put("two", two[0], `{"v":1}`)
	r.put("clash", clash[0], `{"v":1}`)
	r.copyAll(m)
	r.same(m)

	delete(r.docs, ref("one", one[0])) // is replaced, and no journal says so
	r.apply(m, r.put("one", one[1], `{"v":2}`), r.put("two", two[1], `{"v":2}`))
	r.same(m)
	delete(r.docs, ref("one", one[1]))
	r.apply(m, r.put("one", one[0], `{"v":3}`), r.remove(ref("two", two[0])), ref("two", two[1]))
	r.same(m)
	if got := r.get(r.dst, r.b, "one", one[0]); got.Version != 3 {
		t.Errorf("%+v", got)
	}

	// Moved from one to the other it is one document throughout.
	r.remove(ref("clash", clash[0]))
	r.apply(m, r.put("clash", clash[1], `{"v":2}`), ref("clash", clash[0]))
	r.same(m)
	_, err := m.Apply(t.Context(), []gate.DocRef{r.put("clash", clash[0], `{"v":4}`)})
	var refused *mover.RefusedError
	if !errors.As(err, &refused) || refused.Code != mover.CodeDocument || !strings.Contains(refused.Detail, "same _id") {
		t.Errorf("two documents that fall on one shard: %v", err)
	}
	if d, err := m.Reconcile(t.Context(), false); err != nil || d.NMissing != 1 {
		t.Errorf("the comparison: %+v, %v", d, err)
	}
}

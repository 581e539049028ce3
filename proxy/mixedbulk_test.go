package proxy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

// counted is a way to a node that counts bulks.
func counted(t *testing.T, node string) (string, *atomic.Int32) {
	t.Helper()
	u, err := url.Parse(node)
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int32
	to := httputil.NewSingleHostReverseProxy(u)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/_bulk") {
			n.Add(1)
		}
		to.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, &n
}

// mixedRig has a tenant with an index of its own at each of two clusters, and two that
// share one; one name has to be escaped.
func mixedRig(t *testing.T) (r *rig, node string, a, b *atomic.Int32) {
	t.Helper()
	node = enginetest.SharedOpenSearch(t, engines.OpenSearch2).URL()
	for _, i := range []string{placeA.Index, placeB.Index, pool.Index} {
		send(t, node, "DELETE", "/"+i, "")
		m := `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"integer"}}}}`
		if i == pool.Index {
			m = poolMapping
		}
		send(t, node, "PUT", "/"+i, m).want(t, 200)
	}
	urlA, a := counted(t, node)
	urlB, b := counted(t, node)
	r = newRig(t, urlA, urlB, &proxy.Options{MixedBulk: true})
	r.register(acme, placeA)
	r.register("to/b", placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: placeB.Index, Logical: "docs"})
	r.register("pooled", pool)
	r.register(other, pool)
	return r, node, a, b
}

// mixed sends a bulk that names no tenant itself.
func (r *rig) mixed(path, body string) reply {
	return send(r.t, r.url, "POST", path, body, "Content-Type", "application/x-ndjson")
}

func TestMixedBulk(t *testing.T) {
	r, node, a, b := mixedRig(t)
	tenants := []string{"acme", "to%2Fb", "pooled", "other"}
	var body strings.Builder
	const each = 300
	for i := range each {
		for _, id := range tenants {
			fmt.Fprintf(&body, `{"index":{"_index":"%s/docs","_id":"%d"}}`+"\n"+`{"n":%d,"k":"%s"}`+"\n", id, i, i, id)
		}
	}
	got := r.mixed("/_bulk?refresh=true", body.String()).want(t, 200, "errors", false)
	if na, nb := a.Load(), b.Load(); na != 1 || nb != 1 {
		t.Errorf("%d and %d bulks were sent", na, nb)
	}
	items := got.at("items").([]any)
	if len(items) != each*len(tenants) {
		t.Fatalf("%d items", len(items))
	}
	for i := range items {
		is := items[i].(map[string]any)["index"].(map[string]any)
		if is["_id"] != fmt.Sprint(i/len(tenants)) || is["_index"] != tenants[i%len(tenants)]+"/docs" {
			t.Fatalf("item %d is of %v %v", i, is["_index"], is["_id"])
		}
	}
	for _, id := range tenants {
		name, _ := url.PathUnescape(id)
		r.as(placement.PartitionID(name), "POST", "/docs/_search", `{"query":{"match":{"k":"pooled"}}}`).want(t, 200, "hits/total/value", map[bool]string{true: "300", false: "0"}[id == "pooled"])
		r.as(placement.PartitionID(name), "GET", "/_count", "").want(t, 200, "count", fmt.Sprint(each))
	}
	send(t, node, "GET", "/pool-1/_count", "").want(t, 200, "count", fmt.Sprint(2*each))

	// Each item has an outcome of its own.
	got = r.mixed("/acme%2Fdocs/_bulk", `{"create":{"_id":"0"}}
{}
{"create":{"_id":"new"}}
{"n":"no number"}
{"delete":{"_index":"pooled/docs","_id":"1"}}
{"index":{"_index":"nobody/docs","_id":"1"}}
{}
{"index":{"_index":"docs","_id":"1"}}
{}
{"update":{"_index":"other/docs","_id":"5"}}
{"doc":{"n":-5}}
{"index":{"_index":"other/pool-1","_id":"5"}}
{}
{"index":{"_index":"%zz/docs","_id":"5"}}
{}
{"index":{"_index":"to%2Fb/acme-1","_id":"5"}}
{}
{"index":{"_index":"pooled/docs","_id":"5"}}
{"tenant":"other"}
`).want(t, 200, "errors", true,
		"items/0/create/status", "409", "items/0/create/_index", "acme/docs", "items/1/create/status", "400", "items/1/create/error/type", "mapper_parsing_exception",
		"items/2/delete/result", "deleted", "items/2/delete/_index", "pooled/docs", "items/3/index/error/type", "sluice_unknown_tenant", "items/3/index/status", "404",
		"items/4/index/error/type", "sluice_tenant_required", "items/5/update/result", "updated", "items/5/update/_id", "5", "items/6/index/error/type", "index_not_found_exception",
		"items/7/index/status", "400", "items/8/index/error/type", "index_not_found_exception", "items/9/index/error/type", "sluice_shared_index")
	for _, mark := range []string{"other:", "pooled:"} {
		if strings.Contains(got.raw, mark) {
			t.Errorf("it shows %s: %s", mark, got.raw)
		}
	}

	// What fails a cluster's bulk as a whole fails one tenant's part.
	a.Store(0)
	got = r.mixed("/_bulk", `{"update":{"_index":"acme/docs"}}
{"doc":{}}
{"index":{"_index":"pooled/docs","_id":"after"}}
{"n":1}
{"index":{"_index":"acme/docs","_id":"after"}}
{"n":1}
`).want(t, 200, "errors", true, "items/0/update/status", "400", "items/1/index/result", "created", "items/2/index/status", "400", "items/2/index/_index", "acme/docs")
	if n := a.Load(); n != 3 {
		t.Errorf("%d bulks were sent", n)
	}
	r.do("GET", "/docs/_doc/after", "").want(t, 404)
	r.as("pooled", "GET", "/docs/_doc/after", "").want(t, 200)

	// It is for bulks that name no tenant, and takes no defaults for all of them.
	const one = "{\"index\":{\"_index\":\"acme/docs\",\"_id\":\"1\"}}\n{}\n"
	r.do("POST", "/_bulk", one).want(t, 200, "items/0/index/status", "404")
	for _, p := range []string{"pipeline=x", "routing=x", "require_alias=true", "_source=true"} {
		r.mixed("/_bulk?"+p, one).want(t, 400, "error/type", "sluice_unsupported")
	}
	r.mixed("/_bulk", "").want(t, 400, "error/type", "action_request_validation_exception")
	r.mixed("/docs/_search", "{}").want(t, 400, "error/type", "sluice_tenant_required")
	plain, _ := engine(t)
	plain.mixed("/_bulk", one).want(t, 400, "error/type", "sluice_tenant_required")
}

// A tenant in a cutover holds its own items up, and no others'.
func TestMixedBulkInACutover(t *testing.T) {
	r, node, a, b := mixedRig(t)
	r.step(placement.OpBegin)
	r.step(placement.OpCutover)
	done := make(chan reply, 1)
	go func() {
		done <- r.mixed("/_bulk?refresh=true", `{"index":{"_index":"acme/docs","_id":"1"}}
{"n":1}
{"index":{"_index":"pooled/docs","_id":"1"}}
{"n":1}
{"index":{"_index":"to%2Fb/docs","_id":"x"}}
{"n":1}
{"index":{"_index":"acme/docs","_id":"2"}}
{"n":1}
`)
	}()
	waitFor(t, "the items of acme are held", func() bool { return r.held() == 1 })
	r.as("pooled", "GET", "/docs/_doc/1", "").want(t, 200)
	waitFor(t, "the others' tickets have ended", func() bool { return r.gate.Stats().OpenWrites == 0 })
	select {
	case got := <-done:
		t.Fatalf("it was answered: %d %s", got.status, got.raw)
	default:
	}
	r.step(placement.OpComplete)
	(<-done).want(t, 200, "errors", false, "items/0/index/_index", "acme/docs", "items/0/index/_id", "1", "items/1/index/_index", "pooled/docs", "items/3/index/_id", "2")
	if na, nb := a.Load(), b.Load(); na != 1 || nb != 2 {
		t.Errorf("%d and %d bulks were sent", na, nb)
	}
	send(t, node, "GET", "/acme-2/_count", "").want(t, 200, "count", "3") // to/b's, and acme's two
	send(t, node, "GET", "/acme-1/_count", "").want(t, 200, "count", "0")
}

// An outcome that cannot be learned is so for each tenant of that bulk, and for no
// other.
func TestMixedBulkOfUnknownOutcome(t *testing.T) {
	ok := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, `{"took":1,"errors":false,"items":[{"index":{"_index":"acme-2","_id":"1","status":201}}]}`)
	})
	broken := faulty(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	r := newRig(t, broken, ok, &proxy.Options{MixedBulk: true})
	r.register(acme, placeA)
	r.register(other, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "other-1", Logical: "docs"})
	r.register("b", placeB)
	r.mixed("/_bulk", "{\"index\":{\"_index\":\"acme/docs\",\"_id\":\"1\"}}\n{}\n{\"index\":{\"_index\":\"b/docs\",\"_id\":\"1\"}}\n{}\n{\"index\":{\"_index\":\"other/docs\",\"_id\":\"1\"}}\n{}\n").
		want(t, 200, "errors", true, "items/0/index/error/type", "sluice_outcome_unknown", "items/0/index/status", "504", "items/1/index/status", "201", "items/2/index/status", "504")
	if s := r.gate.Stats(); s.Unresolved != 2 || s.OpenWrites != 0 {
		t.Errorf("%+v", s)
	}
}

package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

// TestExplain: what it says is what happens, and it sends nothing.
func TestExplain(t *testing.T) {
	var got atomic.Pointer[string]
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + " " + r.URL.EscapedPath()
		got.Store(&line)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(cluster.Close)
	r := newRig(t, cluster.URL, cluster.URL, nil)
	r.register(acme, placeA)
	admin := httptest.NewServer(r.proxy.ExplainHandler())
	t.Cleanup(admin.Close)
	explain := func(tenant placement.PartitionID, method, path string) reply {
		t.Helper()
		return send(t, admin.URL, "GET", "/-/explain?"+url.Values{"tenant": {string(tenant)}, "method": {method}, "path": {path}}.Encode(), "")
	}

	// A request that is served: what is said is what the cluster gets.
	for _, c := range []struct{ method, path, upstream string }{
		{"GET", "/docs/_doc/a%2Fb", "GET /acme-1/_doc/a%2Fb"},
		{"GET", "/docs/_search", "GET /acme-1/_search"},
		{"DELETE", "/docs/_doc/1", "DELETE /acme-1/_doc/1"},
	} {
		explain(acme, c.method, c.path).want(t, 200, "upstream", c.upstream, "placement/cluster", "a", "phase", "Active", "held", false, "refusal", nil)
		if l := got.Load(); l != nil {
			t.Fatalf("explaining %s %s has sent %s", c.method, c.path, *l)
		}
		r.do(c.method, c.path, "")
		if l := got.Swap(nil); l == nil || *l != c.upstream {
			t.Errorf("%s %s has sent %v, not %s", c.method, c.path, l, c.upstream)
		}
	}
	explain(acme, "", "/docs/_doc/1").want(t, 200, "method", "GET", "class", "read", "endpoint", "GET HEAD /{i}/_doc/{id}")

	// One that is not: the refusal is the one that the client gets.
	for _, c := range []struct{ method, path string }{
		{"GET", "/_render/template/x"}, {"PUT", "/docs"}, {"GET", "/others/_search"}, {"GET", "/docs,others/_search"}, {"PATCH", "/docs/_doc/1"}, {"GET", "/nothing/of/the/kind"},
	} {
		is := r.do(c.method, c.path, "")
		said := explain(acme, c.method, c.path).want(t, 200, "refusal/type", is.at("error/type"), "refusal/reason", is.at("error/reason"), "upstream", nil)
		if is.status < 400 || said.at("refusal/status") != is.at("status") {
			t.Errorf("%s %s is answered with %d, and said to be with %v", c.method, c.path, is.status, said.at("refusal/status"))
		}
	}
	if l := got.Load(); l != nil {
		t.Errorf("a refused request was sent: %s", *l)
	}

	r.step(placement.OpBegin)
	explain(acme, "PUT", "/docs/_doc/1").want(t, 200, "phase", "Draining", "held", false, "move", "m", "target/cluster", "b", "placement/cluster", "a")
	r.step(placement.OpCutover)
	explain(acme, "PUT", "/docs/_doc/1").want(t, 200, "phase", "Cutover", "held", true)
	explain(acme, "GET", "/docs/_doc/1").want(t, 200, "phase", "Cutover", "held", false, "placement/cluster", "a")
	r.step(placement.OpComplete)
	explain(acme, "PUT", "/docs/_doc/1").want(t, 200, "phase", "Active", "placement/cluster", "b", "upstream", "PUT /acme-2/_doc/1", "target", nil)

	// What cannot be explained.
	explain("nobody", "GET", "/docs/_search").want(t, 404, "error/type", proxy.TypeUnknownTenant)
	explain("", "GET", "/docs/_search").want(t, 400, "error/type", proxy.TypeBadRequest)
	for _, path := range []string{"", "docs/_search", "http://a/docs/_search", "/%zz"} {
		explain(acme, "GET", path).want(t, 400, "error/type", proxy.TypeBadRequest)
	}
}

package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/store"
)

// load and served are what a client decodes of the answer.
type load struct {
	Requests, Failed int64
	Seconds          float64
}

type served struct {
	Session, Name, Error string
	Tenants, Held        int
	UnderWay             int             `json:"under_way"`
	ByClass              map[string]load `json:"by_class"`
	ByCluster            map[string]load `json:"by_cluster"`
	Tenant               *load
}

// What proxies have served is read from their metrics, of each by itself; one that does
// not answer is named with the reason, and keeps nobody from reading the others.
func TestTraffic(t *testing.T) {
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/metrics" {
			t.Errorf("asked for %s", r.URL)
		}
		_, _ = io.WriteString(w, `# TYPE sluice_gate_partitions gauge
sluice_gate_partitions 1200
# TYPE sluice_gate_held_writes gauge
sluice_gate_held_writes 3
# TYPE sluice_proxy_requests_under_way gauge
sluice_proxy_requests_under_way 5
# TYPE sluice_proxy_requests_total counter
sluice_proxy_requests_total{class="write",status="201"} 90
sluice_proxy_requests_total{class="write",status="503"} 10
sluice_proxy_requests_total{class="read",status="404"} 7
# TYPE sluice_proxy_request_seconds histogram
sluice_proxy_request_seconds_bucket{class="write",le="+Inf"} 100
sluice_proxy_request_seconds_sum{class="write"} 2.5
sluice_proxy_request_seconds_count{class="write"} 100
# TYPE sluice_proxy_upstream_seconds histogram
sluice_proxy_upstream_seconds_bucket{cluster="a",outcome="ok",le="+Inf"} 95
sluice_proxy_upstream_seconds_sum{cluster="a",outcome="ok"} 1.5
sluice_proxy_upstream_seconds_count{cluster="a",outcome="ok"} 95
sluice_proxy_upstream_seconds_bucket{cluster="a",outcome="error",le="+Inf"} 2
sluice_proxy_upstream_seconds_sum{cluster="a",outcome="error"} 0.5
sluice_proxy_upstream_seconds_count{cluster="a",outcome="error"} 2
# TYPE sluice_proxy_tenant_requests_total counter
sluice_proxy_tenant_requests_total{tenant="acme",status="2xx"} 40
sluice_proxy_tenant_requests_total{tenant="acme",status="5xx"} 1
# TYPE sluice_proxy_tenant_request_seconds_total counter
sluice_proxy_tenant_request_seconds_total{tenant="acme"} 0.75
`)
	}))
	defer proxy.Close()
	strange := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{nonsense") }))
	defer strange.Close()
	moved := httptest.NewServer(http.RedirectHandler(proxy.URL, http.StatusFound))
	defer moved.Close()

	w := newWorld(t, nil)
	var empty struct{ Items []served }
	if w.get("/traffic").is(200, &empty); empty.Items == nil || len(empty.Items) != 0 {
		t.Errorf("of no fleet: %+v", empty)
	}
	for _, info := range []store.Info{
		{Kind: store.KindProxy, Name: "p1", Address: proxy.URL}, {Kind: store.KindProxy, Name: "strange", Address: strange.URL}, {Kind: store.KindProxy, Name: "moved", Address: moved.URL},
		{Kind: store.KindProxy, Name: "gone", Address: "http://127.0.0.1:1"}, {Kind: store.KindProxy, Name: "shy"}, {Kind: store.KindController, Name: "c1"},
	} {
		x, err := w.s.OpenSession(t.Context(), info, store.Report{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = x.Close(t.Context(), true) }()
	}
	read := func(query string) map[string]served {
		var got struct{ Items []served }
		w.get("/traffic"+query).is(200, &got)
		out := map[string]served{}
		for _, s := range got.Items {
			out[s.Name] = s
		}
		return out
	}
	got := read("?tenant=acme")
	want := served{Session: got["p1"].Session, Name: "p1", Tenants: 1200, Held: 3, UnderWay: 5,
		ByClass:   map[string]load{"write": {100, 10, 2.5}, "read": {7, 0, 0}},
		ByCluster: map[string]load{"a": {97, 2, 2}}, Tenant: &load{41, 1, 0.75}}
	if d := cmp.Diff(want, got["p1"]); d != "" || want.Session == "" {
		t.Errorf("-want +have:\n%s", d)
	}
	for name, says := range map[string]string{"strange": "cannot be read", "moved": "302", "gone": "refused", "shy": "no address"} {
		if !strings.Contains(got[name].Error, says) || got[name].ByClass != nil {
			t.Errorf("%s: %+v, want an error with %q", name, got[name], says)
		}
	}
	if len(got) != 5 {
		t.Errorf("a controller serves nobody: %v", got)
	}
	before := asked.Load()
	if other := read("?tenant=initech")["p1"]; other.Tenant != nil || other.Tenants != 1200 {
		t.Errorf("a tenant that is not counted: %+v", other)
	}
	if n := asked.Load() - before; n > 1 { // within a second the answer is kept; a slow machine may ask again
		t.Errorf("asked %d times", n)
	}
}

// A caller learns who he is taken for.
func TestWhoami(t *testing.T) {
	w := newWorld(t, nil)
	var v struct{ Name, Role string }
	if w.get("/whoami").is(200, &v); v.Name != "local" || v.Role != "viewer" {
		t.Errorf("on the same machine: %+v", v)
	}
	if p := w.get("/whoami", "From", "192.0.2.1:5").fails("unauthenticated"); p.Status != 401 {
		t.Errorf("from elsewhere: %+v", p)
	}
	w.get("/whoami", "Authorization", "Bearer nobody's").fails("unauthenticated")
}

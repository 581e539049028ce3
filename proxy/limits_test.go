package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sluiceproxy/sluice/proxy"
)

// TestLimits: a cluster that hangs fills the share of its tenant and no more.
func TestLimits(t *testing.T) {
	release, hanging := make(chan struct{}), atomic.Int64{}
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hanging.Add(1)
		<-release
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"_index":"x","_id":"1","found":true}`))
	}))
	t.Cleanup(slow.Close)
	registry := prometheus.NewPedanticRegistry()
	r := newRig(t, slow.URL, slow.URL, &proxy.Options{Requests: 3, TenantRequests: 2, Registerer: registry})
	r.register(acme, placeA)
	r.register(other, placeB)
	var done sync.WaitGroup
	var free sync.Once
	open := func() { free.Do(func() { close(release) }) }
	t.Cleanup(func() { open(); done.Wait() })
	hang := func(id, method string) {
		before := hanging.Load()
		done.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), method, r.url+"/docs/_doc/1", nil)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("X-Sluice-Tenant", id)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Errorf("%s of %s that was let in: %d", method, id, resp.StatusCode)
			}
		})
		waitFor(t, "the cluster has the request", func() bool { return hanging.Load() > before })
	}
	refused := func(a reply) {
		t.Helper()
		a.want(t, http.StatusTooManyRequests, "error/type", proxy.TypeTooMany, "status", "429")
		if a.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
		}
	}
	hang("acme", "GET")
	hang("acme", "DELETE")
	refused(r.do("GET", "/docs/_doc/1", ""))
	refused(r.do("PUT", "/docs/_doc/1", `{}`))
	refused(r.do("POST", "/_bulk", `{"delete":{"_index":"docs","_id":"1"}}`+"\n"))
	hang("other", "GET") // who has its share
	refused(r.as(other, "GET", "/docs/_doc/1", ""))
	if n, err := testutil.GatherAndCount(registry, "sluice_proxy_requests_under_way"); err != nil || n != 1 {
		t.Errorf("the gauge: %d %v", n, err)
	}
	if got := r.gate.Stats().OpenWrites; got != 1 {
		t.Errorf("%d writes are admitted; what is over a limit must not be", got)
	}
	open()
	done.Wait()
	r.do("GET", "/docs/_doc/1", "").want(t, 200)
	r.as(other, "GET", "/docs/_doc/1", "").want(t, 200)
	// A request that fails, or that nobody listens to, leaves as well.
	for range 10 {
		r.do("GET", "/docs/_nothing", "").want(t, 400)
		r.as("stranger", "GET", "/docs/_doc/1", "").want(t, 404)
	}
	r.do("GET", "/docs/_doc/1", "").want(t, 200)
}

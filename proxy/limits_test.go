package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
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

// TestBodyLimits: bodies that are in memory fill the share of their tenant and no
// more, and are given back; those that stream do not count.
func TestBodyLimits(t *testing.T) {
	release, hanging := make(chan struct{}), atomic.Int64{}
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		hanging.Add(1)
		<-release
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(slow.Close)
	registry := prometheus.NewPedanticRegistry()
	const mib = 1 << 20
	r := newRig(t, slow.URL, slow.URL, &proxy.Options{BodyBytes: 5 * mib, TenantBodyBytes: 3 * mib, Registerer: registry})
	r.register(acme, placeA)
	r.register(other, placeB)
	var done sync.WaitGroup
	var free sync.Once
	open := func() { free.Do(func() { close(release) }) }
	t.Cleanup(func() { open(); done.Wait() })
	body := func(n int) string { return `{"query":{"match":{"a":"` + strings.Repeat("x", n) + `"}}}` }
	hang := func(id placement.PartitionID, method, path, body string) {
		before := hanging.Load()
		done.Go(func() { r.as(id, method, path, body).want(t, 200) })
		waitFor(t, "the cluster has the request", func() bool { return hanging.Load() > before })
	}
	full := func(a reply) {
		t.Helper()
		a.want(t, http.StatusTooManyRequests, "error/type", proxy.TypeTooMany)
		if a.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
		}
	}
	hang(acme, "POST", "/docs/_search", body(2*mib))
	full(r.do("POST", "/docs/_search", body(mib)))
	full(r.do("PUT", "/docs/_doc/1", body(mib))) // its first MiB is kept
	full(r.do("POST", "/_bulk", `{"index":{"_index":"docs"}}`+"\n"+body(mib)+"\n"))
	hang(acme, "GET", "/docs/_doc/1", "") // who sends nothing needs no room
	hang(other, "POST", "/docs/_search", body(2*mib))
	full(r.as(other, "POST", "/docs/_search", body(mib))) // what is left of all is less than its share
	if got := r.gate.Stats().OpenWrites; got != 0 {
		t.Errorf("%d writes are admitted; what is over a limit must not be", got)
	}
	open()
	done.Wait()
	r.do("PUT", "/docs/_doc/1", body(8*mib)).want(t, 200) // streams, and counts its first MiB
	for range 5 {
		r.do("POST", "/docs/_search", body(2*mib)).want(t, 200)
		r.do("POST", "/_bulk", strings.Repeat(`{"index":{"_index":"docs"}}`+"\n"+body(1000)+"\n", 1000)).want(t, 504) // this cluster answers no bulk
	}
	text := "# HELP sluice_proxy_body_bytes Bytes of bodies of the requests under way that are in memory.\n# TYPE sluice_proxy_body_bytes gauge\nsluice_proxy_body_bytes 0\n"
	if err := testutil.GatherAndCompare(registry, strings.NewReader(text), "sluice_proxy_body_bytes"); err != nil {
		t.Error(err)
	}
}

// What is over the bounds of held writes is refused like what is over the others.
func TestHoldLimits(t *testing.T) {
	u := faulty(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{}`) })
	r := newRigOver(t, u, u, nil, gate.Options{HoldRequests: 1, HoldDeadline: time.Minute})
	r.register(acme, placeA)
	r.step(placement.OpBegin)
	r.step(placement.OpCutover)
	var held sync.WaitGroup
	held.Go(func() { r.do("PUT", "/docs/_doc/1", `{}`).want(t, 200) })
	waitFor(t, "a write is held", func() bool { return r.held() == 1 })
	a := r.do("PUT", "/docs/_doc/2", `{}`).want(t, http.StatusTooManyRequests, "error/type", proxy.TypeTooMany, "error/retryable", true)
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	r.do("GET", "/docs/_doc/2", "").want(t, 200)
	r.step(placement.OpAbort)
	held.Wait()
	r.do("PUT", "/docs/_doc/2", `{}`).want(t, 200)
}

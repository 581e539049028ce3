package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sluiceproxy/sluice/proxy"
)

// A cluster that answers nothing is left alone, and tried again; the other cluster's
// tenants notice nothing; no write is left open or unknown by a refusal.
func TestBreaker(t *testing.T) {
	var broken atomic.Bool
	var calls atomic.Int64
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if broken.Load() {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		answer(w, 200, `{}`)
	})
	well := faulty(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{}`) })
	registry := prometheus.NewPedanticRegistry()
	const pause = 300 * time.Millisecond
	r := newRig(t, u, well, &proxy.Options{BreakerFailures: 6, BreakerPause: pause, Registerer: registry})
	r.register(acme, placeA)
	r.register(other, placeB)
	metric := func(want string) {
		t.Helper()
		text := "# HELP sluice_proxy_breaker_open Whether requests are kept off a cluster (1), or let through to try it (0.5), or let through (0), by cluster.\n# TYPE sluice_proxy_breaker_open gauge\n"
		if err := testutil.GatherAndCompare(registry, strings.NewReader(text+want), "sluice_proxy_breaker_open"); err != nil {
			t.Error(err)
		}
	}
	r.do("GET", "/docs/_doc/1", "").want(t, 200)
	r.as(other, "GET", "/docs/_doc/1", "").want(t, 200)
	metric("sluice_proxy_breaker_open{cluster=\"a\"} 0\nsluice_proxy_breaker_open{cluster=\"b\"} 0\n")

	broken.Store(true)
	refused := func() bool {
		before := calls.Load()
		a := r.do("GET", "/docs/_doc/1", "")
		return calls.Load() == before && a.status == 503
	}
	// A read is tried twice, so three are six failures; a pause that ends meanwhile
	// lets one more through.
	waitFor(t, "the breaker opens", refused)
	waitFor(t, "a write is refused unsent", func() bool {
		before := calls.Load()
		a := r.do("PUT", "/docs/_doc/1", `{}`)
		if calls.Load() > before {
			return false // it was a probe
		}
		a.want(t, 503, "error/type", proxy.TypeUnavailable)
		if s, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || s < 1 {
			t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
		}
		return true
	})
	if n := r.gate.Stats().OpenWrites; n != 0 {
		t.Errorf("%d writes are open after refusals", n)
	}
	r.as(other, "PUT", "/docs/_doc/1", `{}`).want(t, 200)
	if n, err := testutil.GatherAndCount(registry, "sluice_proxy_breaker_refused_total"); err != nil || n != 1 {
		t.Errorf("the counter: %d, %v", n, err)
	}

	broken.Store(false)
	waitFor(t, "the breaker closes", func() bool {
		r.do("GET", "/docs/_doc/1", "")
		return testutil.GatherAndCompare(registry, strings.NewReader("# HELP sluice_proxy_breaker_open Whether requests are kept off a cluster (1), or let through to try it (0.5), or let through (0), by cluster.\n# TYPE sluice_proxy_breaker_open gauge\nsluice_proxy_breaker_open{cluster=\"a\"} 0\nsluice_proxy_breaker_open{cluster=\"b\"} 0\n"), "sluice_proxy_breaker_open") == nil
	})
	r.do("PUT", "/docs/_doc/1", `{}`).want(t, 200)
}

// What says nothing of a cluster opens nothing: its refusals, its failures that are
// answers, clients that go away, and bodies that break off. And it can be off.
func TestBreakerIsNotOpenedByWhatIsNoFailure(t *testing.T) {
	status := atomic.Int64{}
	status.Store(429)
	var waiting atomic.Int64
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" && strings.HasSuffix(r.URL.Path, "/hang") {
			waiting.Add(1)
			<-r.Context().Done()
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		answer(w, int(status.Load()), `{"error":{"type":"x","reason":"y"},"status":429}`)
	})
	r := newRig(t, u, u, &proxy.Options{BreakerFailures: 3, BreakerPause: time.Hour})
	r.register(acme, placeA)
	for _, s := range []int64{400, 404, 409, 429, 500, 503} {
		status.Store(s)
		for range 5 {
			if a := r.do("GET", "/docs/_doc/1", ""); a.status != int(s) {
				t.Fatalf("status %d arrives as %d %s", s, a.status, a.raw)
			}
		}
	}
	status.Store(200)
	var done sync.WaitGroup
	for range 5 {
		before := waiting.Load()
		ctx, cancel := context.WithCancel(t.Context())
		done.Go(func() {
			req, _ := http.NewRequestWithContext(ctx, "GET", r.url+"/docs/_doc/hang", nil)
			req.Header.Set("X-Sluice-Tenant", "acme")
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_ = resp.Body.Close()
			}
		})
		waitFor(t, "the cluster has the request", func() bool { return waiting.Load() > before })
		cancel()
	}
	done.Wait()
	for range 5 { // longer than is read before it is sent, and cut off
		req, _ := http.NewRequestWithContext(t.Context(), "PUT", r.url+"/docs/_doc/1", io.MultiReader(strings.NewReader(strings.Repeat("x", 2<<20)), cut{}))
		req.Header.Set("X-Sluice-Tenant", "acme")
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}
	waitFor(t, "all have left", func() bool { return r.gate.Stats().OpenWrites == 0 })
	r.do("GET", "/docs/_doc/1", "").want(t, 200)

	dead := newRig(t, "http://127.0.0.1:1", u, &proxy.Options{BreakerFailures: -1})
	dead.register(acme, placeA)
	for range 30 {
		dead.do("GET", "/docs/_doc/1", "").want(t, 503, "error/type", proxy.TypeUpstream, "status", fmt.Sprint(503))
	}
}

// cut is the end of a body that breaks off.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

package proxy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

// faulty is a cluster that misbehaves as told.
func faulty(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func TestUnknownOutcome(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"connection broken":    func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		"no answer in time":    func(w http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body); <-r.Context().Done() },
		"load balancer speaks": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502); _, _ = io.WriteString(w, "<html>") },
		"half an answer": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			answer(w, 200, `{"_index"`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var hits atomic.Int32
			u := faulty(t, func(w http.ResponseWriter, r *http.Request) { hits.Add(1); h(w, r) })
			r := newRig(t, u, u, &proxy.Options{WriteTimeout: 300 * time.Millisecond})
			r.register(acme, placeA)
			for i, req := range [][3]string{
				{"PUT", "/docs/_doc/1", `{}`}, {"POST", "/docs/_bulk", "{\"index\":{\"_id\":\"1\"}}\n{}\n"}, {"POST", "/docs/_delete_by_query", `{}`},
			} {
				r.do(req[0], req[1], req[2]).want(t, 504, "error/type", "sluice_outcome_unknown")
				if n := hits.Load(); n != int32(i+1) {
					t.Fatalf("%d requests were sent for %d", n, i+1)
				}
			}
			if s := r.gate.Stats(); s.Unresolved != 1 || s.OpenWrites != 0 { // partitions
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestNothingSentIsNotUnknown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	r := newRig(t, "http://"+l.Addr().String(), "http://"+l.Addr().String(), nil)
	r.register(acme, placeA)
	for _, req := range [][3]string{{"PUT", "/docs/_doc/1", `{}`}, {"POST", "/docs/_bulk", "{\"index\":{}}\n{}\n"}, {"GET", "/docs/_search", ""}} {
		a := r.do(req[0], req[1], req[2]).want(t, 503)
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%v: no Retry-After", req)
		}
	}
	if s := r.gate.Stats(); s.Unresolved != 0 || s.OpenWrites != 0 {
		t.Errorf("%+v", s)
	}
}

// A write whose client goes away runs to its end; a read does not.
func TestClientGoesAway(t *testing.T) {
	arrived, finish, ended := make(chan string, 2), make(chan struct{}), make(chan error, 2)
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		arrived <- r.Method
		select {
		case <-finish:
			answer(w, 200, `{}`)
		case <-r.Context().Done():
		}
		ended <- r.Context().Err()
	})
	r := newRig(t, u, u, nil)
	r.register(acme, placeA)
	leave := func(method, path, body string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, method, r.url+path, strings.NewReader(body))
		req.Header.Set("X-Sluice-Tenant", string(acme))
		c := &http.Client{Transport: &http.Transport{}}
		done := make(chan error, 1)
		go func() { _, err := c.Do(req); done <- err }()
		<-arrived
		cancel()
		if err := <-done; err == nil {
			t.Error("not cancelled")
		}
	}
	leave("GET", "/docs/_search", "")
	if err := <-ended; err == nil {
		t.Error("the read went on without its client")
	}
	leave("PUT", "/docs/_doc/1", "{}")
	if n := r.gate.Stats().OpenWrites; n != 1 {
		t.Errorf("%d tickets are open", n)
	}
	close(finish)
	if err := <-ended; err != nil {
		t.Errorf("the write was cancelled: %v", err)
	}
	waitFor(t, "the ticket ends", func() bool { return r.gate.Stats().OpenWrites == 0 })
	if n := r.gate.Stats().Unresolved; n != 0 {
		t.Errorf("%d partitions are unresolved", n)
	}
}

func TestReadIsRepeatedOnce(t *testing.T) {
	var hits atomic.Int32
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		if hits.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		answer(w, 200, `{"count":1}`)
	})
	r := newRig(t, u, u, nil)
	r.register(acme, placeA)
	r.do("POST", "/docs/_count", `{}`).want(t, 200, "count", "1")
}

// What a client sends must not reach the cluster, nor the other way around.
func TestHeaders(t *testing.T) {
	got := make(chan http.Header, 1)
	query := make(chan string, 1)
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header
		query <- r.URL.RawQuery
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Warning", "299 x")
		answer(w, 200, `{}`)
	})
	reg := prometheus.NewRegistry()
	r := newRig(t, u, u, &proxy.Options{Registerer: reg})
	r.register(acme, placeA)
	a := r.do("PUT", "/docs/_doc/1?refresh=wait_for&timeout=5m&pipeline=p", `{}`,
		"Authorization", "Basic eDp5", "Cookie", "c", "X-Proxy-User", "admin", "Idempotency-Key", "k", "X-Opaque-Id", "o", "Accept-Encoding", "gzip").want(t, 200)
	h := <-got
	for _, k := range []string{"Authorization", "Cookie", "X-Proxy-User", "Idempotency-Key", "X-Sluice-Tenant", "Accept-Encoding"} {
		if h.Get(k) != "" {
			t.Errorf("the cluster got %s: %s", k, h.Get(k))
		}
	}
	if h.Get("X-Opaque-Id") != "o" || a.header.Get("Set-Cookie") != "" || a.header.Get("Warning") == "" {
		t.Errorf("passed on: %v, %v", h, a.header)
	}
	if q := <-query; q != "pipeline=p&refresh=wait_for&timeout=15000ms" {
		t.Errorf("query %s", q)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "sluice_proxy_requests_total" {
			continue
		}
		m := f.GetMetric()
		if len(m) != 1 || m[0].GetCounter().GetValue() != 1 || m[0].GetLabel()[0].GetValue() != "write" || m[0].GetLabel()[1].GetValue() != "200" {
			t.Errorf("%v", f)
		}
		return
	}
	t.Error("requests are not counted")
}

// A body that breaks off is not a write.
func TestHalfABody(t *testing.T) {
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil {
			t.Error("the cluster got a whole body")
		}
	})
	r := newRig(t, u, u, nil)
	r.register(acme, placeA)
	req, _ := http.NewRequest("PUT", r.url+"/docs/_doc/1", io.MultiReader(strings.NewReader(strings.Repeat("x", 2<<20)), brokenReader{}))
	req.Header.Set("X-Sluice-Tenant", string(acme))
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Error("answered")
	}
	waitFor(t, "the ticket ends", func() bool { return r.gate.Stats().OpenWrites == 0 })
	if n := r.gate.Stats().Unresolved; n != 0 {
		t.Errorf("%d partitions are unresolved", n)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestDirectoryFollowsTheStore(t *testing.T) {
	first := faulty(t, func(w http.ResponseWriter, r *http.Request) { answer(w, 200, `{"from":"first"}`) })
	second := faulty(t, func(w http.ResponseWriter, r *http.Request) { answer(w, 200, `{"from":"second"}`) })
	r := newRig(t, first, first, nil)
	r.register(acme, placeA)
	r.do("GET", "/", "").want(t, 200, "from", "first")
	rec, err := r.store.Clusters().Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.store.Clusters().Put(t.Context(), "a", placement.Cluster{Name: "a", Endpoints: []string{second}}, rec.Version)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the change is seen", func() bool { return r.do("GET", "/", "").str("from") == "second" })
	if err := r.store.Clusters().Delete(t.Context(), "a", v); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the removal is seen", func() bool { return r.do("GET", "/", "").status == 503 })
}

package proxy_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/tenancy"
)

// broken is a source of clusters, and a connection to them, that fail as a
// mistake in the program would.
type broken struct {
	source, before, after bool
}

func (b *broken) Cluster(name string) (*upstream.Client, error) {
	if b.source {
		panic("the secret document")
	}
	return upstream.New(placement.Cluster{Name: name, Endpoints: []string{"http://127.0.0.1:9"}}, &upstream.Options{Transport: b})
}

func (b *broken) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.before {
		panic(errors.New("the secret document"))
	}
	w := httptest.NewRecorder()
	answer(w, 200, `{"task":"node:7","took":1,"errors":false,"items":[{"index":{"_index":"acme-1","_id":"1","status":201}}]}`)
	resp := w.Result()
	if b.after {
		resp.Body, resp.ContentLength = exploding{}, 50 // short enough to be read before the answer begins
	}
	return resp, nil
}

type exploding struct{}

func (exploding) Read([]byte) (int, error) { var none []byte; return int(none[len(none)]), nil }
func (exploding) Close() error             { return nil }

// A panic reaches no client: it gets an error in shape, and what became of a write
// is unknown from the moment in which it may have been sent. No ticket stays open.
func TestPanics(t *testing.T) {
	for name, tt := range map[string]struct {
		b    broken
		sent bool
	}{
		"before anything is sent": {b: broken{source: true}},
		"while it is sent":        {b: broken{before: true}, sent: true},
		"in the answer":           {b: broken{after: true}, sent: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "http://127.0.0.1:9", "http://127.0.0.1:9", nil)
			r.register(acme, placeA)
			tenants, err := tenancy.New(tenancy.Default(), nil)
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			reg := prometheus.NewRegistry()
			p, err := proxy.New(r.gate, &tt.b, tenants, &proxy.Options{CursorKeys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Registerer: reg, MixedBulk: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			var escaped atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				defer func() {
					if v := recover(); v != nil {
						escaped.Add(1)
						panic(v)
					}
				}()
				p.ServeHTTP(w, req)
			}))
			t.Cleanup(srv.Close)
			r.url = srv.URL
			n := 0
			for _, req := range []struct {
				method, path, body string
				write              bool
			}{
				{"PUT", "/docs/_doc/1", `{}`, true}, {"POST", "/docs/_bulk", "{\"index\":{\"_id\":\"1\"}}\n{}\n", true}, {"POST", "/docs/_delete_by_query", `{}`, true},
				{"PUT", "/docs/_mapping", `{}`, true}, {"GET", "/docs/_search", "", false}, {"POST", "/docs/_msearch/template", "{}\n{\"source\":\"{}\"}\n", false},
			} {
				n++
				a := r.do(req.method, req.path, req.body)
				if req.write && tt.sent {
					a.want(t, 504, "error/type", proxy.TypeOutcomeUnknown, "error/retryable", false)
				} else {
					a.want(t, 500, "error/type", proxy.TypeInternal, "error/retryable", false)
				}
				if got := r.gate.Stats().OpenWrites; got != 0 {
					t.Fatalf("%s %s: %d tickets stay open", req.method, req.path, got)
				}
			}
			n++
			kind := proxy.TypeInternal
			if tt.sent {
				kind = proxy.TypeOutcomeUnknown
			}
			send(t, r.url, "POST", "/_bulk", `{"index":{"_index":"acme/docs","_id":"1"}}`+"\n{}\n", "Content-Type", "application/x-ndjson").
				want(t, 200, "errors", true, "items/0/index/error/type", kind)
			if got := r.gate.Stats().OpenWrites; got != 0 {
				t.Fatalf("a bulk of several tenants: %d tickets stay open", got)
			}
			if tt.sent != (r.gate.Stats().Unresolved == 1) {
				t.Errorf("%+v", r.gate.Stats())
			}
			if got := int(testutil.ToFloat64(collector(t, reg, "sluice_proxy_panics_total"))); got != n {
				t.Errorf("%d panics are counted, want %d", got, n)
			}
			if escaped.Load() != 0 || strings.Contains(log.String(), "secret") || strings.Count(log.String(), "recover_test.go") < n {
				t.Errorf("%d panics left the proxy; log:\n%s", escaped.Load(), log.String())
			}
			waitFor(t, "nothing is under way", func() bool { return testutil.ToFloat64(collector(t, reg, "sluice_proxy_requests_under_way")) == 0 })
		})
	}
}

// collector returns one metric without labels of a registry.
func collector(t *testing.T, r *prometheus.Registry, name string) prometheus.Collector {
	t.Helper()
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name}, func() float64 { return m.GetCounter().GetValue() + m.GetGauge().GetValue() })
		}
	}
	t.Fatalf("there is no metric %s", name)
	return nil
}

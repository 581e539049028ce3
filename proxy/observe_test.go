package proxy_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/sluiceproxy/sluice/internal/telemetry"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/tenancy"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// tracing is a rig whose spans are kept, and whose cluster keeps what it is told.
type tracing struct {
	*rig
	spans *tracetest.InMemoryExporter

	mu   sync.Mutex
	seen []http.Header
}

func newTracing(t *testing.T, o *proxy.Options) *tracing {
	x := &tracing{spans: tracetest.NewInMemoryExporter()}
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		x.mu.Lock()
		x.seen = append(x.seen, r.Header.Clone())
		x.mu.Unlock()
		switch {
		case strings.HasSuffix(r.URL.Path, "/broken"):
			panic(http.ErrAbortHandler)
		case strings.HasSuffix(r.URL.Path, "/_bulk"):
			answer(w, 200, `{"took":1,"errors":false,"items":[{"index":{"_index":"acme-1","_id":"1","status":201}}]}`)
		case r.URL.Path == "/_render/template":
			answer(w, 200, `{"template_output":{"size":1}}`)
		default:
			answer(w, 200, `{}`)
		}
	})
	if o == nil {
		o = &proxy.Options{Tracer: telemetry.NewSDK(1, sdk.WithSyncer(x.spans)).Tracer("test")}
	}
	x.rig = newRig(t, u, u, o)
	x.register(acme, placeA)
	return x
}

// take returns the spans of one request, the request's own first.
func (x *tracing) take(t *testing.T, n int) []tracetest.SpanStub {
	t.Helper()
	// A request's span ends after its answer has been read.
	waitFor(t, "the spans have ended", func() bool { return len(x.spans.GetSpans()) >= n })
	all := x.spans.GetSpans()
	x.spans.Reset()
	if len(all) != n {
		t.Fatalf("%d spans, want %d", len(all), n)
	}
	slices.Reverse(all) // they are kept as they end
	return all
}

func value(s tracetest.SpanStub, key string) any {
	for _, a := range s.Attributes {
		if a.Key == attribute.Key(key) {
			return a.Value.AsInterface()
		}
	}
	return nil
}

func TestTraces(t *testing.T) {
	x := newTracing(t, nil)
	x.do("PUT", "/docs/_doc/private-id", `{}`, "Traceparent", traceparent, "Tracestate", "v=1").want(t, 200)
	all := x.take(t, 2)
	server, client := all[0], all[1]
	if server.SpanContext.TraceID().String() != traceparent[3:35] || server.Parent.SpanID().String() != traceparent[36:52] || server.SpanKind != trace.SpanKindServer {
		t.Errorf("the client's trace is not continued: %+v", server)
	}
	if client.Parent.SpanID() != server.SpanContext.SpanID() || client.SpanKind != trace.SpanKindClient || client.SpanContext.TraceID() != server.SpanContext.TraceID() {
		t.Errorf("the request to the cluster is no part of the request: %+v", client)
	}
	if want := "00-" + traceparent[3:35] + "-" + client.SpanContext.SpanID().String() + "-01"; x.seen[0].Get("Traceparent") != want || x.seen[0].Get("Tracestate") != "v=1" {
		t.Errorf("the cluster is told %v, want %s", x.seen[0], want)
	}
	if server.Name != "PUT /{i}/_doc/{id}" {
		t.Errorf("the span is called %q", server.Name)
	}
	for key, want := range map[string]any{
		"http.request.method": "PUT", "http.response.status_code": int64(200), "sluice.class": "write", "sluice.cluster": "a", "sluice.tenant": nil, "error.type": nil, "sluice.held_ms": nil,
	} {
		if got := value(server, key); got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	b, err := json.Marshal(all)
	if err != nil || bytes.Contains(b, []byte("private-id")) {
		t.Errorf("a document's id is in a span: %s, %v", b, err)
	}
	// Without a trace of the client's one begins here; what is no traceparent is not passed on.
	x.do("GET", "/docs/_search", "", "Traceparent", "nonsense", "Tracestate", "stale=1").want(t, 200)
	all = x.take(t, 2)
	if all[0].Parent.IsValid() || x.seen[1].Get("Traceparent")[3:35] != all[0].SpanContext.TraceID().String() || x.seen[1].Get("Tracestate") != "" {
		t.Errorf("the cluster is told %v of %+v", x.seen[1], all[0].SpanContext)
	}
	// Failures, of the cluster and of the proxy.
	x.do("PUT", "/docs/_doc/broken", `{}`).want(t, 504)
	all = x.take(t, 2)
	if all[0].Status.Code != codes.Error || value(all[0], "error.type") != proxy.TypeOutcomeUnknown || all[1].Status.Code != codes.Error {
		t.Errorf("%+v", all)
	}
	x.do("GET", "/_cluster/state", "").want(t, 403)
	if s := x.take(t, 1)[0]; s.Status.Code == codes.Error || value(s, "error.type") != proxy.TypeNotAllowed {
		t.Errorf("%+v", s)
	}
	// What a request asks clusters side by side is told in parts of its span.
	x.do("POST", "/docs/_msearch/template", strings.Repeat("{}\n{\"source\":\"{}\"}\n", 8)).want(t, 200)
	for _, s := range x.take(t, 10)[1:] {
		if s.SpanKind != trace.SpanKindClient {
			t.Errorf("%+v", s)
		}
	}
	// A hold is an event.
	x.step(placement.OpBegin)
	x.step(placement.OpCutover)
	done := make(chan reply, 1)
	go func() { done <- x.do("POST", "/_bulk", "{\"index\":{\"_id\":\"1\"}}\n{}\n") }()
	waitFor(t, "the write is held", func() bool { return x.held() == 1 })
	x.step(placement.OpAbort)
	(<-done).want(t, 200)
	s := x.take(t, 2)[0]
	if ms, _ := value(s, "sluice.held_ms").(float64); ms <= 0 || len(s.Events) != 1 || s.Events[0].Name != "held" {
		t.Errorf("%+v", s)
	}
}

func TestTracesOfTenantsWhenAsked(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	x := newTracing(t, &proxy.Options{Tracer: telemetry.NewSDK(0, sdk.WithSyncer(spans)).Tracer("test"), TraceTenants: true})
	x.spans = spans
	x.do("GET", "/docs/_search", "").want(t, 200) // not chosen
	x.do("GET", "/docs/_search", "", "Traceparent", traceparent).want(t, 200)
	s := x.take(t, 2)[0]
	if value(s, "sluice.tenant") != "acme" || s.SpanContext.TraceID().String() != traceparent[3:35] {
		t.Errorf("%+v", s)
	}
	if p := x.seen[0].Get("Traceparent"); !strings.HasSuffix(p, "-00") {
		t.Errorf("a trace that is not kept is passed on as %q", p)
	}
}

func TestTracesOffPassOn(t *testing.T) {
	x := newTracing(t, &proxy.Options{})
	x.do("GET", "/docs/_search", "", "Traceparent", traceparent, "Tracestate", "v=1").want(t, 200)
	if h := x.seen[0]; h.Get("Traceparent") != traceparent || h.Get("Tracestate") != "v=1" || len(x.spans.GetSpans()) != 0 {
		t.Errorf("the cluster is told %v", h)
	}
}

// lockedBuffer is a log that requests write at the same time.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.b.String(), "\n"), "\n")
}

// Each request is a line, and nothing that a client wants kept is in one.
func TestAccessLog(t *testing.T) {
	const secret = "s3cr3t"
	var access, ordinary lockedBuffer
	x := newTracing(t, &proxy.Options{
		AccessLog: &proxy.AccessLog{Logger: slog.New(slog.NewJSONHandler(&access, nil)), Sample: 1},
		Logger:    slog.New(slog.NewTextHandler(&ordinary, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	hidden := []string{"Authorization", "Basic " + secret, "Cookie", secret + "=" + secret, "X-Api-Key", secret, "X-Forwarded-User", secret, "User-Agent", secret}
	n := 0
	for _, r := range []struct{ method, path, body string }{
		{"PUT", "/docs/_doc/" + secret + "?routing=" + secret, `{"` + secret + `":"` + secret + `"}`},
		{"PUT", "/docs/_doc/broken?pipeline=" + secret, `{"f":"` + secret + `"}`},
		{"POST", "/docs/_bulk?token=" + secret, "{\"index\":{\"_id\":\"" + secret + "\"}}\n{\"f\":\"" + secret + "\"}\n"},
		{"POST", "/docs/_bulk", "{\"index\":{\"" + secret + "\":1}}\n{}\n"},
		{"POST", "/docs/_search", `{"query":{"match":{"f":"` + secret + `"}}}`},
		{"POST", "/docs/_search", `{"query":` + secret},
		{"GET", "/" + secret + "/_search", ""},
		{"GET", "/_" + secret, ""},
		{"GET", "/docs/_search?" + secret + "=%zz", ""},
		{"DELETE", "/_search/scroll/" + secret, ""},
		{"X" + secret, "/docs/_search", ""},
	} {
		n++
		x.do(r.method, r.path, r.body, append(hidden, "X-Opaque-Id", "job-7", "Traceparent", traceparent)...)
	}
	send(t, x.url, "GET", "/docs/_search", "", append(hidden, "X-Sluice-Tenant", strings.Repeat(secret, 200))...)
	n++
	waitFor(t, "all lines are there", func() bool { return len(access.lines()) == n })
	for _, log := range []*lockedBuffer{&access, &ordinary} {
		if text := strings.Join(log.lines(), "\n"); strings.Contains(text, secret) {
			t.Errorf("a secret is in a log:\n%s", text)
		}
	}
	type line struct {
		Time, Method, Endpoint, Class, Tenant, Cluster, Error string
		TraceID                                               string `json:"trace_id"`
		RequestID                                             string `json:"request_id"`
		Status, Retries                                       int
		In                                                    int64   `json:"bytes_in"`
		Out                                                   int64   `json:"bytes_out"`
		Duration                                              float64 `json:"duration_ms"`
	}
	var all []line
	for _, text := range access.lines() {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, l)
	}
	first := all[0]
	if at, err := time.Parse(time.RFC3339Nano, first.Time); err != nil || time.Since(at) > time.Hour {
		t.Errorf("time %q", first.Time)
	}
	if first.Duration <= 0 || first.In != 19 || first.Out != 2 {
		t.Errorf("%+v", first)
	}
	first.Time, first.Duration = "", 0
	if want := (line{Method: "PUT", Endpoint: "/{i}/_doc/{id}", Class: "write", Tenant: "acme", Cluster: "a", TraceID: traceparent[3:35], RequestID: "job-7", Status: 200, In: 19, Out: 2}); first != want {
		t.Errorf("the first line is %+v, want %+v", first, want)
	}
	if l := all[1]; l.Status != 504 || l.Error != proxy.TypeOutcomeUnknown || l.Cluster != "a" {
		t.Errorf("%+v", l)
	}
	if l := all[n-1]; l.Tenant != "" || l.Error != proxy.TypeTenantRequired || l.Endpoint != "" {
		t.Errorf("%+v", l)
	}
	if all[n-2].Method != "_OTHER" {
		t.Errorf("%+v", all[n-2])
	}
}

// Errors and what is slow are logged always; the rest as the share says.
func TestAccessLogSampling(t *testing.T) {
	var access lockedBuffer
	log := &proxy.AccessLog{Logger: slog.New(slog.NewJSONHandler(&access, nil))}
	x := newTracing(t, &proxy.Options{AccessLog: log})
	for range 20 {
		x.do("GET", "/docs/_search", "").want(t, 200)
	}
	x.do("GET", "/docs/_nope", "").want(t, 400)
	waitFor(t, "the error is logged", func() bool { return strings.Contains(access.lines()[0], `"status":400`) })
	if n := len(access.lines()); n != 1 {
		t.Errorf("%d lines with a share of none: %s", n, access.lines())
	}
	slow := newTracing(t, &proxy.Options{AccessLog: &proxy.AccessLog{Logger: log.Logger, Slow: time.Nanosecond}})
	slow.do("GET", "/docs/_search", "").want(t, 200)
	waitFor(t, "the slow one is logged", func() bool { return len(access.lines()) == 2 })
	const n, share = 2000, 0.25
	some := &proxy.AccessLog{Sample: share}
	chosen := 0
	for range n {
		if proxy.Wants(some, 200, time.Hour) {
			chosen++
		}
	}
	if chosen < n*share*8/10 || chosen > n*share*12/10 { // six standard deviations
		t.Errorf("%d of %d requests are chosen by a share of %v", chosen, n, share)
	}
	for status, want := range map[int]bool{200: false, 404: false, 409: false, 400: true, 429: true, 500: true, 503: true} {
		if got := proxy.Wants(&proxy.AccessLog{}, status, 0); got != want {
			t.Errorf("status %d: %t", status, got)
		}
	}
}

// What spans and lines cost; off, they cost nothing.
func BenchmarkObserved(b *testing.B) {
	for name, o := range map[string]func() *proxy.Options{
		"off": func() *proxy.Options { return &proxy.Options{} },
		"access log": func() *proxy.Options {
			return &proxy.Options{AccessLog: &proxy.AccessLog{Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)), Sample: 1}}
		},
		"traces not kept": func() *proxy.Options { return &proxy.Options{Tracer: telemetry.NewSDK(0).Tracer("bench")} },
	} {
		b.Run(name, func(b *testing.B) {
			tenants, err := tenancy.New(tenancy.Default(), nil)
			if err != nil {
				b.Fatal(err)
			}
			opt := o()
			opt.CursorKeys = [][]byte{bytes.Repeat([]byte("k"), 32)}
			p, err := proxy.New(nil, nil, tenants, opt)
			if err != nil {
				b.Fatal(err)
			}
			// Refused by the table of endpoints, so that what is measured is the way of
			// every request and no cluster.
			r := httptest.NewRequest("GET", "/docs/_nope", nil)
			r.Header.Set("X-Sluice-Tenant", "acme")
			b.ReportAllocs()
			for b.Loop() {
				p.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

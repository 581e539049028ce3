package proxy

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// AccessLog says which requests are logged, one line each. A line names the
// endpoint by its pattern, and holds nothing of a request's path, parameters,
// headers or body but the X-Opaque-Id and the trace's id.
type AccessLog struct {
	Logger *slog.Logger
	// Sample is the share of the requests that are logged, from 0 to 1. Errors and
	// slow requests are logged always: what the proxy itself refused, and every status
	// of 400 and above but 404 and 409, which are answers like others.
	Sample float64
	Slow   time.Duration // what is slow; 0: nothing is
}

// propagator reads and writes the headers traceparent and tracestate.
var propagator propagation.TraceContext

// begin starts the span of a request, when there are spans, as a part of the
// client's trace.
func (p *Proxy) begin(r *http.Request) (context.Context, trace.Span) {
	if p.o.Tracer == nil {
		return r.Context(), nil
	}
	ctx := propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	return p.o.Tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
}

// finish tells of a request that has ended: the metrics, the span, the log.
func (q *request) finish(start time.Time) {
	took := time.Since(start)
	q.p.m.done(q.class, q.status, took, q.held)
	if m := q.p.m.tenants; m != nil {
		m.done(q.tenant, q.entry.Epoch > 0, q.status, took)
	}
	q.noteFailure()
	if q.span != nil {
		q.endSpan()
	}
	if a := q.p.o.AccessLog; a != nil && a.wants(q, took) {
		q.logAccess(start, took)
	}
}

// methodName is the method, if it is one: else it could be any text of a client's.
func (q *request) methodName() string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, http.MethodConnect, http.MethodTrace}
	if slices.Contains(known, q.r.Method) {
		return q.r.Method
	}
	return "_OTHER"
}

func (q *request) endSpan() {
	name := q.methodName()
	set := []attribute.KeyValue{
		attribute.String("http.request.method", name), attribute.Int("http.response.status_code", q.status), attribute.String("sluice.class", string(q.class)),
	}
	if q.pattern != "" {
		name += " " + q.pattern
		set = append(set, attribute.String("http.route", q.pattern))
	}
	if c := q.asked.Load(); c != nil {
		set = append(set, attribute.String("sluice.cluster", c.Name()), attribute.Int64("sluice.epoch", int64(q.entry.Epoch)))
	}
	if q.held > 0 {
		set = append(set, attribute.Float64("sluice.held_ms", milliseconds(q.held)))
	}
	if n := q.retries.Load(); n > 0 {
		set = append(set, attribute.Int("sluice.retries", int(n)))
	}
	if q.p.o.TraceTenants && q.tenant != "" {
		set = append(set, attribute.String("sluice.tenant", string(q.tenant)))
	}
	if q.code != "" {
		set = append(set, attribute.String("error.type", q.code))
	}
	if q.status >= 500 {
		q.span.SetStatus(otelcodes.Error, q.code)
	}
	q.span.SetName(name)
	q.span.SetAttributes(set...)
	q.span.End()
}

// wasHeld notes in the span when a hold ended, and how long it was.
func (q *request) wasHeld(d time.Duration) {
	if q.span != nil && d > 0 {
		q.span.AddEvent("held", trace.WithAttributes(attribute.Float64("sluice.held_ms", milliseconds(d))))
	}
}

// tracedCall is one request to a cluster as a span, which the cluster is told of.
func (q *request) tracedCall(c *upstream.Client, req *http.Request) (*http.Response, error) {
	ctx, span := q.p.o.Tracer.Start(req.Context(), req.Method+" cluster", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("http.request.method", req.Method), attribute.String("sluice.cluster", c.Name())))
	defer span.End()
	req = req.WithContext(ctx)
	req.Header.Del("Tracestate") // of a traceparent that was not understood
	propagator.Inject(ctx, propagation.HeaderCarrier(req.Header))
	resp, err := c.RoundTrip(req)
	if err != nil {
		// The error's text may hold addresses of nodes, but nothing of the request.
		span.SetStatus(otelcodes.Error, err.Error())
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	return resp, nil
}

func (a *AccessLog) wants(q *request, took time.Duration) bool {
	switch {
	case q.code != "", q.status >= 400 && q.status != http.StatusNotFound && q.status != http.StatusConflict, a.Slow > 0 && took >= a.Slow:
		return true
	}
	return a.Sample >= 1 || rand.Float64() < a.Sample
}

func (q *request) logAccess(start time.Time, took time.Duration) {
	var in int64
	if q.received != nil {
		in = q.received.n
	}
	cluster := ""
	if c := q.asked.Load(); c != nil {
		cluster = c.Name()
	}
	a := []slog.Attr{
		slog.String("method", q.methodName()), slog.String("endpoint", q.pattern), slog.String("class", string(q.class)),
		slog.String("tenant", string(q.tenant)), slog.String("cluster", cluster), slog.Int("status", q.status),
		slog.Int64("bytes_in", in), slog.Int64("bytes_out", q.out.bytes),
		slog.Float64("duration_ms", milliseconds(took)), slog.Float64("held_ms", milliseconds(q.held)), slog.Int("retries", int(q.retries.Load())),
	}
	if q.code != "" {
		a = append(a, slog.String("error", q.code))
	}
	if id := q.traceID(); id != "" {
		a = append(a, slog.String("trace_id", id))
	}
	if id := opaqueID(q.r.Header.Get("X-Opaque-Id")); id != "" {
		a = append(a, slog.String("request_id", id))
	}
	if q.broken {
		a = append(a, slog.Bool("broken_off", true))
	}
	a = append(a, slog.Time("began", start))
	q.p.o.AccessLog.Logger.LogAttrs(context.Background(), slog.LevelInfo, "request", a...)
}

// traceID is that of the span, or else of the client's.
func (q *request) traceID() string {
	ctx := q.r.Context()
	if q.span == nil {
		ctx = propagator.Extract(ctx, propagation.HeaderCarrier(q.r.Header))
	}
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		return sc.TraceID().String()
	}
	return ""
}

// opaqueID is what is logged of a client's X-Opaque-Id: text that can be printed, and
// not too much of it.
func opaqueID(s string) string {
	if len(s) > 100 {
		s = s[:100]
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return ""
		}
	}
	return s
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// countedBody counts what a client sent, as it was on the wire.
type countedBody struct {
	io.ReadCloser
	n int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	return n, err
}

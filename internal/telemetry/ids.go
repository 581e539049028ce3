package telemetry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"

	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

// workKey is of a context whose next span is the root of a named work's trace.
type workKey struct{}

// workIDs are the ids that a name stands for.
func workIDs(name string) (t api.TraceID, s api.SpanID) {
	sum := sha256.Sum256([]byte("sluice:" + name))
	copy(t[:], sum[:])
	copy(s[:], sum[len(t):])
	return t, s
}

// Root returns a context in which the next span that is started is the root of the
// trace of a work, such as a move. Whoever has the name makes the same ids, so that
// processes which take the work over from one another tell of it in one trace.
func Root(ctx context.Context, name string) context.Context {
	return context.WithValue(api.ContextWithSpanContext(ctx, api.SpanContext{}), workKey{}, name)
}

// Part returns a context in which spans are below that root, whether that has been
// started or not. They are always kept.
func Part(ctx context.Context, name string) context.Context {
	t, s := workIDs(name)
	return api.ContextWithRemoteSpanContext(ctx, api.NewSpanContext(api.SpanContextConfig{TraceID: t, SpanID: s, TraceFlags: api.FlagsSampled, Remote: true}))
}

// ids are random, but for those of a work's root.
type ids struct{}

func (ids) NewIDs(ctx context.Context) (t api.TraceID, s api.SpanID) {
	if name, ok := ctx.Value(workKey{}).(string); ok {
		return workIDs(name)
	}
	_, _ = rand.Read(t[:]) // never fails: it ends the process instead
	_, _ = rand.Read(s[:])
	return t, s
}

func (ids) NewSpanID(context.Context, api.TraceID) (s api.SpanID) {
	_, _ = rand.Read(s[:])
	return s
}

// sampler keeps the roots of works, and leaves the rest to another.
type sampler struct{ trace.Sampler }

func (s sampler) ShouldSample(p trace.SamplingParameters) trace.SamplingResult {
	if p.ParentContext.Value(workKey{}) != nil {
		return trace.SamplingResult{Decision: trace.RecordAndSample}
	}
	return s.Sampler.ShouldSample(p)
}

package telemetry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/sluiceproxy/sluice/internal/telemetry"
	"github.com/sluiceproxy/sluice/placement"
)

func headers(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// What is sent arrives at a collector that reads OTLP, with the headers of the file.
func TestCollector(t *testing.T) {
	var mu sync.Mutex
	var got []*collector.ExportTraceServiceRequest
	var asked []*http.Request
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		m := &collector.ExportTraceServiceRequest{}
		if err == nil {
			err = proto.Unmarshal(b, m)
		}
		if err != nil {
			t.Errorf("the collector cannot read it: %v", err)
		}
		mu.Lock()
		got, asked = append(got, m), append(asked, r)
		mu.Unlock()
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(srv.Close)
	p, err := telemetry.New(telemetry.Options{Endpoint: srv.URL + "/", HeadersFile: headers(t, "Authorization: Bearer x\nX-Scope: sluice\n"), Ratio: 1, Name: "proxy-1", Version: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, outer := p.Tracer("test").Start(t.Context(), "outer")
	_, inner := p.Tracer("test").Start(ctx, "inner")
	inner.End()
	outer.End()
	if err := p.Close(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 || asked[0].URL.Path != "/v1/traces" || asked[0].Header.Get("Authorization") != "Bearer x" || asked[0].Header.Get("X-Scope") != "sluice" {
		t.Fatalf("%d requests: %+v", len(got), asked)
	}
	rs := got[0].ResourceSpans[0]
	if text := rs.Resource.String(); !strings.Contains(text, "service.name") || !strings.Contains(text, "sluice") || !strings.Contains(text, "proxy-1") {
		t.Errorf("resource %s", text)
	}
	spans := rs.ScopeSpans[0].Spans
	if len(spans) != 2 || spans[0].Name != "inner" || string(spans[0].ParentSpanId) != string(spans[1].SpanId) || len(spans[1].ParentSpanId) != 0 {
		t.Errorf("spans %v", spans)
	}
}

func TestBadInput(t *testing.T) {
	secret := headers(t, "no header, but s3cr3t\n")
	for name, o := range map[string]telemetry.Options{
		"telemetry.otlp.endpoint":     {Endpoint: "collector"},
		"telemetry.otlp.headers_file": {Endpoint: "http://127.0.0.1:1", HeadersFile: filepath.Join(t.TempDir(), "none")},
		"headers_file":                {Endpoint: "http://127.0.0.1:1", HeadersFile: secret},
		"telemetry.otlp.ca_file":      {Endpoint: "https://127.0.0.1:1", CAFile: secret},
	} {
		_, err := telemetry.New(o)
		var inv *placement.InvalidError
		if !errors.As(err, &inv) || !strings.Contains(inv.Field, name) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var off *telemetry.Provider
	if off.Tracer("x") != nil || off.Close(time.Second) != nil {
		t.Error("a provider that is off is not")
	}
}

// Whoever has the name of a work tells of it in the same trace, whatever the share
// that is kept, and its parts may be told before it.
func TestWorks(t *testing.T) {
	kept := tracetest.NewInMemoryExporter()
	process := func() work { return work{telemetry.NewSDK(0, sdk.WithSyncer(kept))} }
	process().part("copying")
	process().part("cutover")
	process().root()
	s := kept.GetSpans()
	if len(s) != 3 {
		t.Fatalf("%d spans are kept", len(s))
	}
	root := s[2].SpanContext
	if s[2].Parent.IsValid() || s[0].Parent.SpanID() != root.SpanID() || s[1].Parent.SpanID() != root.SpanID() || s[0].SpanContext.TraceID() != root.TraceID() ||
		s[0].SpanContext.SpanID() == s[1].SpanContext.SpanID() {
		t.Errorf("%+v", s)
	}
	_, other := process().Tracer("t").Start(context.Background(), "request")
	if other.IsRecording() {
		t.Error("a request is kept with a share of none")
	}
}

type work struct{ *sdk.TracerProvider }

func (w work) part(name string) {
	_, s := w.Tracer("t").Start(telemetry.Part(context.Background(), "move/m1"), name)
	s.End()
}

func (w work) root() {
	_, s := w.Tracer("t").Start(telemetry.Root(context.Background(), "move/m1"), "move")
	s.End()
}

// Package telemetry sends spans to a collector by OTLP over HTTP.
//
// It is the only place that knows OpenTelemetry's SDK: what makes spans takes a
// trace.Tracer, and makes none where that is nil. Spans are sent in the background in
// batches; what a collector does not take in time is dropped, and never delays a
// request. Secrets for the collector are in a file and never in the configuration.
package telemetry

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/textproto"
	"net/url"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"

	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/placement"
)

// Options of New.
type Options struct {
	// Endpoint is the base URL of the collector, such as http://127.0.0.1:4318; spans
	// go to /v1/traces below it.
	Endpoint string
	// HeadersFile has a line NAME: VALUE for each header to send, such as one that
	// authenticates; empty: none. It is read once.
	HeadersFile string
	CAFile      string // certificates that verify the collector; empty: the system's
	// Ratio is the share of the traces that begin here which are kept, from 0 to 1.
	// Whoever sends a traceparent decides for its own; moves are always kept.
	Ratio   float64
	Name    string // of this process, for people
	Version string
	Logger  *slog.Logger // of failures to send; default: discard
}

// Provider makes tracers. A nil *Provider is one that is off.
type Provider struct{ sdk *trace.TracerProvider }

// New returns a provider that sends to the collector. It does not connect yet: a
// collector that is away must not keep a proxy from serving. Errors name the field.
func New(o Options) (*Provider, error) {
	headers, err := readHeaders(o.HeadersFile)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" {
		return nil, &placement.InvalidError{Field: "telemetry.otlp.endpoint", Value: placement.HideUser(o.Endpoint), Fix: "must be a URL such as http://127.0.0.1:4318"}
	}
	opts := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(strings.TrimSuffix(o.Endpoint, "/") + "/v1/traces"), otlptracehttp.WithHeaders(headers)}
	if u.Scheme == "https" {
		tc, err := credentials.TLS{CAFile: o.CAFile}.Config("telemetry.otlp.")
		if err != nil {
			return nil, err
		}
		opts = append(opts, otlptracehttp.WithTLSClientConfig(tc))
	}
	exporter, err := otlptracehttp.New(context.Background(), opts...)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	if o.Logger != nil {
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { o.Logger.Warn("spans could not be sent", "error", err) }))
	}
	res := resource.NewSchemaless(attribute.String("service.name", "sluice"), attribute.String("service.instance.id", o.Name), attribute.String("service.version", o.Version))
	return &Provider{NewSDK(o.Ratio, trace.WithBatcher(exporter), trace.WithResource(res))}, nil
}

// NewSDK returns OpenTelemetry's provider with this package's sampling and ids; tests
// give it an exporter of their own.
func NewSDK(ratio float64, o ...trace.TracerProviderOption) *trace.TracerProvider {
	return trace.NewTracerProvider(append([]trace.TracerProviderOption{
		trace.WithSampler(sampler{trace.ParentBased(trace.TraceIDRatioBased(ratio))}), trace.WithIDGenerator(ids{}),
	}, o...)...)
}

// Tracer returns a tracer, or nil when the provider is off.
func (p *Provider) Tracer(name string) api.Tracer {
	if p == nil {
		return nil
	}
	return p.sdk.Tracer("github.com/sluiceproxy/sluice/" + name)
}

// Close sends what is left, for as long as it may take, and ends the provider.
func (p *Provider) Close(bound time.Duration) error {
	if p == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if err := p.sdk.Shutdown(ctx); err != nil {
		return fmt.Errorf("telemetry: send the last spans: %w", err)
	}
	return nil
}

func readHeaders(file string) (map[string]string, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, &placement.InvalidError{Field: "telemetry.otlp.headers_file", Value: file, Fix: "must be a file that can be read: " + err.Error()}
	}
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(strings.TrimSpace(string(b)) + "\r\n\r\n"))).ReadMIMEHeader()
	if err != nil || len(h) == 0 { // the error would quote the file
		return nil, &placement.InvalidError{Field: "telemetry.otlp.headers_file", Value: file, Fix: "must have a line NAME: VALUE for each header"}
	}
	out := make(map[string]string, len(h))
	for name := range h {
		out[name] = h.Get(name)
	}
	return out, nil
}

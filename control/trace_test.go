package control_test

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/sluiceproxy/sluice/control"
)

// checkSpans holds the spans of a move that has just flipped against its timeline.
func checkSpans(t *testing.T, m control.Move, kept *tracetest.InMemoryExporter) {
	t.Helper()
	// The record is written before the spans are made.
	var all tracetest.SpanStubs
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if all = kept.GetSpans(); len(all) > 0 && all[len(all)-1].Name == "move" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("there is no span of the move: %+v", all)
		}
	}
	kept.Reset()
	root := all[len(all)-1]
	stages := all[:len(all)-1]
	if len(stages) != len(m.Timeline)-1 {
		t.Fatalf("%d spans of stages for %+v", len(stages), m.Timeline)
	}
	for i, s := range stages {
		at := m.Timeline[i]
		if s.Name != string(at.Stage) || !s.StartTime.Equal(at.Started) || s.EndTime.Sub(s.StartTime) != at.Duration {
			t.Errorf("span %s from %s for %s, want %+v", s.Name, s.StartTime, s.EndTime.Sub(s.StartTime), at)
		}
		if s.SpanContext.TraceID() != root.SpanContext.TraceID() || s.Parent.SpanID() != root.SpanContext.SpanID() {
			t.Errorf("the span %s is no part of the move's", s.Name)
		}
	}
	last := m.Timeline[len(m.Timeline)-1]
	if root.Parent.IsValid() || !root.StartTime.Equal(m.Created) || !root.EndTime.Equal(last.Started) {
		t.Errorf("the move's span is %+v", root)
	}
	set := map[attribute.Key]any{}
	for _, a := range root.Attributes {
		set[a.Key] = a.Value.AsInterface()
	}
	if set["sluice.move"] != m.ID || set["sluice.from"] != m.From.Cluster || set["sluice.to"] != m.To.Cluster || set["sluice.docs"] != m.Receipt.Docs || set["sluice.tenant"] != nil {
		t.Errorf("its attributes are %v", set)
	}
}

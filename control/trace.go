package control

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/sluiceproxy/sluice/internal/telemetry"
)

// traceStage makes a span of the stage that has just ended, and one of the whole
// move when that is settled. They are made from the record, whose times outlive the
// driver that wrote them, and belong to one trace whoever drives.
func (c *Controller) traceStage(before, after Move) {
	n := len(after.Timeline)
	if c.opt.Tracer == nil || n < 2 || before.Stage == after.Stage {
		return
	}
	ended := after.Timeline[n-2]
	c.span(telemetry.Part(context.Background(), "move/"+after.ID), string(ended.Stage), ended.Started, ended.Started.Add(ended.Duration), after)
	if after.Settled() && !before.Settled() {
		c.span(telemetry.Root(context.Background(), "move/"+after.ID), "move", after.Created, after.Timeline[n-1].Started, after)
	}
}

func (c *Controller) span(ctx context.Context, name string, began, ended time.Time, m Move) {
	set := []attribute.KeyValue{
		attribute.String("sluice.move", m.ID), attribute.String("sluice.from", m.From.Cluster), attribute.String("sluice.to", m.To.Cluster),
		attribute.Int64("sluice.attempt", int64(m.Attempt)), attribute.String("sluice.controller", c.opt.Name),
	}
	if name == "move" {
		set = append(set, attribute.String("sluice.stage", string(m.Stage)))
		if m.Receipt != nil {
			set = append(set, attribute.Int64("sluice.docs", m.Receipt.Docs), attribute.Float64("sluice.pause_ms", m.Receipt.Pause.ControllerMS))
		}
	}
	if c.opt.TraceTenants {
		set = append(set, attribute.String("sluice.tenant", string(m.Partition)))
	}
	_, s := c.opt.Tracer.Start(ctx, name, trace.WithTimestamp(began), trace.WithAttributes(set...))
	if name == "move" && (m.Stage == StageAborted || m.Stage == StageFailed) {
		s.SetStatus(codes.Error, string(m.Stage))
	}
	s.End(trace.WithTimestamp(ended))
}

package control

import (
	"context"
	"fmt"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

// errRewrites: the move has to be cut over in another way than it was prepared for.
var errRewrites = catalog.New("pipeline_rewrites", "an ingest pipeline that may change ids is in use now: both sides have to be compared")

// adopt takes in indices that the tenant of a dedicated cluster or a pattern has created. They
// are persisted before anything is written to them, so that a successor knows
// them.
func (d *drive) adopt(ctx context.Context) error {
	fresh, err := d.mv.Adopt(ctx)
	if err != nil {
		return fmt.Errorf("take in new indices: %w", err)
	}
	if !fresh {
		return nil
	}
	idx := d.mv.Indexes()
	return d.update(ctx, func(m *Move) { m.Indices = idx })
}

// learnPipelines notes whether the journals name what is written. Once they did
// not they are not believed for the rest of the attempt: what was journaled
// meanwhile is of the same kind.
func (d *drive) learnPipelines(ctx context.Context) (changed bool, err error) {
	if d.rewrites {
		return false, nil
	}
	if d.rewrites, err = d.mv.Rewrites(ctx); err != nil {
		return false, fmt.Errorf("look at the ingest pipelines: %w", err)
	}
	return d.rewrites, nil
}

// resyncs reports whether journals alone do not bring the target up to the
// source, so that both are compared once more while writes are held: there are
// none, or an ingest pipeline writes other documents than they name, or somebody who
// writes around the proxies is accepted. See timed.go for how.
func (d *drive) resyncs() bool { return d.c.timed != nil || d.rewrites || d.accepting() }

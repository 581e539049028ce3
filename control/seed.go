package control

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/mover"
)

// A move that copies by snapshot. See mover's snapshot.go for why it is safe.

// seeds reports whether the move copies by snapshot.
func (m Move) seeds() bool { return m.CopiedBy != nil && m.CopiedBy.Method == mover.CopySnapshot }

// unwritten reports whether nothing can have been written to the target yet, except by
// a restore. It is in the record before the first write is sent.
func (m Move) unwritten() bool {
	return m.seeds() && (m.Seed == nil || m.Seed.Step != mover.SeedDone)
}

// choose decides how a move copies that has not begun. For a scan nothing is asked or
// written.
func (d *drive) choose(ctx context.Context) error {
	if d.move().RollbackOf != "" {
		return nil // what is there already is brought up to date
	}
	c, err := d.mv.Choose(ctx)
	if err != nil {
		return fmt.Errorf("choose how to copy: %w", err)
	}
	if c == nil {
		return nil
	}
	d.log.Info("chose how to copy", "method", string(c.Method), "reason", c.Reason)
	if err := d.update(ctx, func(m *Move) { m.CopiedBy = c }); err != nil {
		return err
	}
	if d.move().unwritten() {
		d.mv.Unwritten()
	}
	return nil
}

// seed copies by snapshot, from the step on that an earlier attempt has left. A pause
// waits for the end of a step: a cluster's own work is not held up half-way.
func (d *drive) seed(ctx context.Context, save *newest) error {
	m := d.move()
	from := mover.Seed{Repository: m.Options.Copy.Repository}
	if m.Seed != nil {
		from = *m.Seed
	}
	done := make(chan struct{})
	var tell sync.WaitGroup
	tell.Go(func() {
		t := time.NewTicker(save.every)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				// As in copy: an error shows in the work itself.
				_ = d.update(ctx, func(m *Move) { save.into(&m.Progress) })
			}
		}
	})
	last := from
	err := d.mv.Seed(ctx, from, func(s mover.Seed) error {
		last = s
		return d.update(ctx, func(m *Move) { m.Seed = &s })
	}, func() error {
		if d.paused.Load() {
			return errPaused
		}
		return nil
	})
	close(done)
	tell.Wait()
	if err != nil {
		return fmt.Errorf("copy by snapshot: %w", err)
	}
	last.Step = mover.SeedDone
	d.c.opt.Metrics.copied(last.Docs, last.Bytes)
	return d.stage(ctx, StageCatchingUp, func(m *Move) {
		m.Seed = &last
		p := &m.Progress
		p.Docs, p.Total, p.Bytes, p.TotalBytes, p.Step, p.Rate, p.ETA = last.Docs, last.Docs, last.Bytes, 0, "", 0, 0
	})
}

// unseed removes what a copy by snapshot may have left once the target is discarded.
func (d *drive) unseed(ctx context.Context) error {
	if s := d.move().Seed; s != nil {
		return d.mv.DiscardSeed(ctx, s.Repository)
	}
	return nil
}

// unsnap looks after the flip once more for snapshots: one that was asked for without an
// answer may have come late. The tenant has arrived, so nothing waits for it.
func (d *drive) unsnap(ctx context.Context) {
	s := d.move().Seed
	if s == nil {
		return
	}
	if err := d.mv.DropSnapshots(ctx, s.Repository); err != nil {
		d.log.Warn("snapshots of the move may be left", "repository", s.Repository, "error", err)
	}
}

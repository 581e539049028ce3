package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// A timed move is one whose proxies, or some of them, hold no session. Nobody
// acknowledges, and nothing is journaled, so two things take other forms:
//
//   - Catching up is Mover.Resync: what was written since the copy, by sequence
//     number, and then all ids and versions both ways. It is done once before the
//     cutover, so that the one within it has little left to do.
//   - The cutover waits until it has lasted for the drain barrier, and resyncs
//     then. By the operator's assumption nothing is written to the source any more:
//     so the resync sees the last of it, and a difference that comes after it
//     means that the assumption is false. That is drift, and ends the move.
//
// Writes are thus held, or refused, for the drain barrier and a comparison of
// both sides. The pause budget and the cutover deadline mean the whole of it.
//
// What holds as ever: transitions are compare-and-swaps at the proven epoch (one
// winner, M6), an abort leaves nothing at the target (M3), and whatever was
// written to the source within the barrier is at the target (M5). What is the
// operator's word: that each proxy refuses writes once the barrier has passed
// since Cutover (M1), and resolves afresh once it has passed since the flip (M2).
// The fence after the flip makes later writes to the old copy fail, and the
// receipt says so.
//
// Sessions that exist are still waited for, and their journals are read. That
// costs nothing, and makes a fleet of both kinds no less safe than its parts.
//
// A driver that takes over reopens the partition, as ever, so that writes go on
// while it finds its place, and enters another cutover, whose barrier begins
// anew: never shorter than the first would have been.

// timedCompareEvery is how often a timed move that waits for its budget measures
// again how long the comparison takes.
const timedCompareEvery = 30 * time.Second

// timedCompare takes over, before the cutover, what was written since the copy.
func (d *drive) timedCompare(ctx context.Context) error {
	if err := d.stage(ctx, StageVerifying, nil); err != nil {
		return err
	}
	diff, err := d.resync(ctx)
	if err != nil {
		return err
	}
	if err := d.compareContent(ctx, &diff); err != nil {
		return err
	}
	d.verified = true
	idx, counts := d.mv.Indexes(), countsOf(diff)
	return d.stage(ctx, StageCatchingUp, func(m *Move) {
		counts.Mode = m.Options.Verify
		m.Indices, m.Verified, m.Verification, m.Progress.Comparing = idx, &counts, nil, nil
	})
}

// resync does what the cutover will do once more, and measures it.
func (d *drive) resync(ctx context.Context) (mover.Diff, error) {
	began := d.c.opt.Now()
	diff, err := d.mv.Resync(ctx)
	if err != nil {
		return diff, fmt.Errorf("compare: %w", err)
	}
	d.compared = d.c.opt.Now()
	d.compare = d.compared - began
	return diff, nil
}

// timedPause is what a timed cutover takes beyond an ordinary one.
func (d *drive) timedPause() time.Duration {
	switch {
	case d.c.timed != nil:
		return d.c.timed.wait + d.compare
	case d.resyncs():
		return d.compare
	}
	return 0
}

// awaitTime waits for the timed barrier of e, which this driver has put into
// Cutover.
func (d *drive) awaitTime(ctx context.Context, e placement.Entry) error {
	if err := d.note(ctx, catalog.Errorf("timed_barrier", "timed barrier: writes are held for %s", d.c.timed.wait)); err != nil {
		return err
	}
	for {
		err := d.c.timed.Prove(ctx, e)
		var pending *BarrierPending
		if !errors.As(err, &pending) {
			return err
		}
		// Writes with refresh=wait_for end only when the source is refreshed.
		_ = d.mv.RefreshSource(ctx) // its error would show in the comparison
		sleep(ctx, min(pending.Remaining, time.Second))
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", context.Cause(ctx), pending)
		}
	}
}

// lastCompare takes over what was written before the barrier passed. stillQuiet,
// asked when the target is sealed, makes certain that nothing came after.
func (d *drive) lastCompare(ctx context.Context) (err error) {
	if d.flip.marks, err = d.mv.Marks(ctx); err != nil {
		return fmt.Errorf("the last comparison: %w", err)
	}
	diff, err := d.mv.Resync(ctx)
	if err != nil {
		return fmt.Errorf("the last comparison: %w", err)
	}
	counts := countsOf(diff)
	counts.Mode = d.move().Options.Verify
	if d.accepting() {
		d.flip.verified = d.move().accepted(diff) // whether it stood still meanwhile, stillQuiet tells
		return nil
	}
	if !diff.Empty() {
		// What was found has been put right: that both are equal now is seen here.
		if diff, err = d.mv.Reconcile(ctx, false); err != nil {
			return fmt.Errorf("the last comparison: %w", err)
		}
		if !diff.Empty() {
			return lastRoundDrift("after the barrier", diff)
		}
	}
	d.flip.verified = &counts
	return nil
}

// stillQuiet compares the sequence numbers that the seal has noted with those
// from before the last comparison. Every index and delete moves them; so if they
// are the same, the comparison was of a source that stood still, and the flip
// loses nothing. What is written after the seal the fence reveals.
func (d *drive) stillQuiet() error {
	for n, i := range d.mv.Indexes() {
		if n < len(d.flip.marks) && maps.Equal(i.Mark, d.flip.marks[n]) {
			continue
		}
		if d.accepting() && d.c.timed == nil {
			return d.noise()
		}
		if d.c.timed == nil {
			return fmt.Errorf("%w: the source was written to after the barrier", errDrift)
		}
		return fmt.Errorf("%w: the source was written to after the timed barrier, so a proxy does not keep to controller.drain_barrier", errDrift)
	}
	return nil
}

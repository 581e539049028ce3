package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// settle does what follows the flip: the old copy is fenced, which stops and
// reveals whoever writes around the proxies, and the receipt is written. The
// move then rests until its old copy is retired. e is the completed entry.
func (d *drive) settle(ctx context.Context, e placement.Entry) error {
	// What Seal has noted about the source goes into the record first: Fence
	// compares with it, and may have to be repeated by another driver.
	// And that a fence may be under way, of which a successor cannot know what becomes.
	idx, unanswered := d.mv.Indexes(), d.move().Fencing
	if err := d.update(ctx, func(m *Move) {
		m.Indices, m.Fencing = idx, m.From.Kind != placement.SharedIndex
		if d.flip.verified != nil {
			m.Verified = d.flip.verified
		}
		if m.CompleteEpoch == 0 {
			m.CompleteEpoch = e.Epoch
		}
		m.soak(time.Now().UTC())
	}); err != nil {
		return err
	}
	if err := d.mv.Release(ctx); err != nil {
		return fmt.Errorf("release the target: %w", err)
	}
	d.unsnap(ctx)
	fence, err := d.fence(ctx, e)
	if err != nil {
		return err
	}
	f, err := d.look(ctx)
	if err != nil {
		return err
	}
	var live []store.Info
	for _, r := range f.sessions {
		live = append(live, r.Info)
	}
	waited := d.flip.proxies
	if waited == nil {
		waited = live // another driver flipped: the fleet as it is now
	}
	instances := names(waited)
	sort.Strings(instances)
	pause := feltPause(ctx, d.c.peers, live, f.missing(nil), d.id(), d.flip)
	if err := d.rolledBack(ctx); err != nil {
		return err
	}
	return d.stage(ctx, StageFlipped, func(m *Move) {
		r := &Receipt{
			Partition: m.Partition, RollbackOf: m.RollbackOf, From: m.From, To: m.To, Attempts: m.Attempt, Docs: m.Progress.Docs, Bytes: m.Progress.Bytes,
			Rounds: m.Progress.Rounds, CaughtUp: m.Progress.CaughtUp, Instances: instances, Pause: pause, Cutovers: m.Progress.Cutovers, Fence: fence,
		}
		if m.Verified != nil {
			r.Verification = *m.Verified
		}
		r.Timeline, r.CopiedBy, r.Shadow = slices.Clone(m.Timeline), m.CopiedBy, m.Progress.Shadow
		r.CopyTime, r.Predicted = m.copyTime(), m.Predicted
		m.Receipt, m.Owner = r, ""
		m.because(nil)
		m.Fencing = unanswered
		m.Indices = d.mv.Indexes() // with what Fence has noted of a shared source
		if fence != FenceClean && fence != FenceShared {
			m.Progress.waits(catalog.Errorf("fence_found", "fence of the old copy: %s", fence))
		}
	})
}

// outlast waits until a fence of an old copy that was sent, and never answered, can
// take effect no more. It is set by the index's name, so if it came later it would
// block whatever is there by then: the tenant's own index, after a rollback, or another
// one of that name. How long that can take is the assumption that is made of the creation
// of an index, too, and of a write whose outcome is unknown.
func (d *drive) outlast(ctx context.Context) error {
	if err := d.note(ctx, catalog.New("fence_unanswered", "the old copy may still be fenced by a request without an answer: waiting it out")); err != nil {
		return err
	}
	sleep(ctx, d.move().Options.DrainBarrier)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// What a receipt says of a fence that found nothing.
const (
	FenceClean  = "clean"
	FenceShared = "clean, and not blocked: other tenants write to the shared index"
)

// fence blocks writes to the old copy, which the entry announced before: nobody
// else's block is touched. An entry that has moved on owns no block any more. A
// shared index is not blocked; what a late writer does there is found by retire.
func (d *drive) fence(ctx context.Context, e placement.Entry) (string, error) {
	m := d.move()
	if e.Fenced != m.ID || e.PreviousMove != m.ID {
		return "not set: the partition has moved on", nil
	}
	written, err := d.mv.Fence(ctx)
	switch {
	case err == nil && written:
		d.c.opt.Metrics.bypass()
		d.log.Error("the old copy was written to after the last check of the cutover: somebody writes around the proxies")
		return "written", nil
	case err == nil && m.From.Kind == placement.SharedIndex:
		return FenceShared, nil
	case err == nil:
		return FenceClean, nil
	case errors.Is(err, mover.ErrNoMark), errors.Is(err, mover.ErrSourceChanged):
		return err.Error(), nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	}
	return "", fmt.Errorf("fence the old copy: %w", err)
}

// retire removes the old copy, once nobody reads it any more. The entry forgets
// it first, by compare-and-swap, so that no way back leads to something that is
// being deleted.
func (d *drive) retire(ctx context.Context, e placement.Entry) error {
	if back, err := d.goingBack(ctx, e); err != nil {
		return err
	} else if back {
		return d.putOff(ctx)
	}
	if err := d.stage(ctx, StageRetiring, nil); err != nil {
		return err
	}
	m := d.move()
	if !m.TrashUntil.IsZero() { // all that follows was done, and the old copy let go
		return d.putAside(ctx)
	}
	if m.Fencing {
		if err := d.outlast(ctx); err != nil {
			return err
		}
	}
	for began := time.Now(); ; {
		var err error
		e, err = d.c.s.State(ctx, m.Partition)
		gone := errors.Is(err, placement.ErrUnknownPartition)
		if err != nil && !gone {
			return fmt.Errorf("retire: %w", err)
		}
		if back, err := d.goingBack(ctx, e); err != nil {
			return err
		} else if back {
			return d.putOff(ctx)
		}
		if !gone && (m.From.Overlaps(e.State.From) || m.From.Overlaps(e.State.To)) {
			return d.keep(ctx, catalog.New("old_copy_in_use", "the tenant lives there again, or is moving there"))
		}
		if why := m.unasked(); why != nil {
			return d.keep(ctx, why)
		}
		f, err := d.look(ctx)
		if err != nil {
			return err
		}
		busy := f.readers(m)
		// A cursor that a client opened before the flip is served by the old copy
		// until it ends, which its keep-alive bounds.
		if m.Options.Keep {
			busy = nil // whoever reads it goes on
		} else if open, err := d.mv.OpenCursors(ctx); err != nil {
			return fmt.Errorf("retire: %w", err)
		} else if open > 0 {
			busy = append(busy, fmt.Sprintf("scrolls or points in time, %d open over its shards", open))
		}
		if len(busy) == 0 && !m.Options.Keep {
			// The last look before the way back is gone: what was written to the old copy
			// since the flip is nowhere else.
			if err := d.untouched(ctx); written(err) {
				return d.keep(ctx, err)
			} else if err != nil {
				return err
			}
		}
		if len(busy) == 0 && !gone && e.PreviousMove == m.ID {
			_, err = d.c.s.ApplyTo(ctx, e, placement.Command{Op: placement.OpRetire, Expect: e.Epoch})
			if errors.Is(err, placement.ErrStaleEpoch) {
				continue // it changed meanwhile: judge it again
			}
			if err != nil {
				return fmt.Errorf("retire: %w", err)
			}
		}
		if len(busy) == 0 {
			break
		}
		if err := d.note(ctx, catalog.Errorf("reads_open", "waiting for reads of the old copy: %s", strings.Join(busy, ", "))); err != nil {
			return err
		}
		if time.Since(began) > retirePatience && d.c.retiresCrowded() {
			d.c.postpone(m.ID, retirePatience)
			return nil // it stays this controller's, and is taken up again
		}
		sleep(ctx, 500*time.Millisecond)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	switch {
	case m.Options.Keep:
		return d.stage(ctx, StageDone, func(m *Move) { m.Owner, m.Kept = "", true; m.because(nil) })
	case d.trashTime(m) > 0:
		return d.putAside(ctx)
	}
	if err := d.mv.Retire(ctx); err != nil {
		if written(err) {
			return d.keep(ctx, err)
		}
		return fmt.Errorf("retire: %w", err)
	}
	return d.stage(ctx, StageDone, func(m *Move) { m.Owner = ""; m.because(nil) })
}

// written reports that the old copy is not what the move has left there.
func written(err error) bool {
	return errors.Is(err, mover.ErrSourceChanged) || errors.Is(err, mover.ErrSourceWritten) || errors.Is(err, mover.ErrSourceClosed)
}

// keep leaves the old copy where it is, and the move flipped. It is not tried again
// without being asked.
func (d *drive) keep(ctx context.Context, why error) error {
	return d.stage(ctx, StageFlipped, func(m *Move) {
		m.Owner, m.RetireRequested, m.RetireAt = "", false, time.Time{}
		m.because(fmt.Errorf("the old copy was not retired: %w", why))
	})
}

// untouched makes certain that nobody has written to the old copy since it was
// fenced, and to the tenant's documents in a shared index since the flip. Of those it
// is persisted that they were looked at, because their number changes when they are
// deleted.
func (d *drive) untouched(ctx context.Context) error {
	if err := d.mv.Untouched(ctx); err != nil {
		return fmt.Errorf("retire: %w", err)
	}
	if d.move().From.Kind != placement.SharedIndex {
		return nil
	}
	idx := d.mv.Indexes()
	return d.update(ctx, func(m *Move) { m.Indices = idx })
}

// readers are the proxies that may still read the old copy: they have not heard
// of the flip, or have reads open that were resolved before it.
func (f fleet) readers(m Move) []string {
	var out []string
	for _, r := range f.sessions {
		if r.Applied < m.CompleteEpoch || slices.Contains(r.OldReads, m.Partition) {
			out = append(out, r.Name)
		}
	}
	sort.Strings(out)
	return out
}

package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// preparingTries bounds how often a move that has not begun is tried before it
// fails: nothing waits for it, and its user should hear of it. While a cluster or the
// store gives no answer it is tried for longer, about half a minute by backoff: a node
// that restarts, or a network that is cut for some seconds, is no reason to give up.
const (
	preparingTries  = 6
	unansweredTries = 12
)

// migrate takes the partition from where the entry says to the flip, or back.
// work is ctx, and ends earlier, by stop, when an abort is requested.
func (d *drive) migrate(ctx, work context.Context, stop context.CancelCauseFunc, e placement.Entry, save *newest) error {
	go func() { // ends with work, which ends with the attempt
		select {
		case <-d.abort:
			stop(errAborted)
		case <-work.Done():
		}
	}()
	err := d.forward(work, e, save)
	begun := d.move().BeginEpoch != 0
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || errors.Is(err, errSuperseded) || errors.Is(err, store.ErrSessionLost):
		return err
	case errors.Is(context.Cause(work), errAborted), d.move().AbortRequested:
		// Also before the request has ended work: what failed first may fail again and
		// again, as a takeover of a target whose indices the record does not have.
		return d.abandon(ctx, nil)
	case hopeless(err), !begun && d.enough(err):
		return d.abandon(ctx, err)
	}
	return err
}

// enough reports whether a move that has not begun was tried often enough.
func (d *drive) enough(err error) bool {
	tries := uint32(unansweredTries)
	var s *upstream.StatusError
	if errors.As(err, &s) && s.Status < http.StatusInternalServerError && s.Status != http.StatusTooManyRequests {
		tries = preparingTries
	}
	return d.move().Attempt >= tries
}

// unreached reports an attempt that could not even ask a cluster for its version,
// which precedes everything that is sent to the target.
func unreached(err error) bool {
	var refused *mover.RefusedError
	return errors.As(err, &refused) && refused.Code == mover.CodeUnreachable
}

// hopeless reports an error that trying again cannot cure.
func hopeless(err error) bool {
	var refused *mover.RefusedError
	var invalid *placement.InvalidError
	switch {
	case errors.As(err, &refused):
		return refused.Code != mover.CodeUnreachable
	case errors.As(err, &invalid):
		return true
	}
	for _, e := range []error{errDrift, errReplaced, mover.ErrSourceChanged, mover.ErrTargetChanged, placement.ErrAlreadyMigrating, placement.ErrSamePlacement, placement.ErrNoWayBack, placement.ErrUnknownPartition} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// forward performs the stages up to and including the work after the flip.
func (d *drive) forward(ctx context.Context, e placement.Entry, save *newest) error {
	if err := d.begin(ctx, e); err != nil {
		return err
	}
	if d.move().Stage == StagePreparing {
		if err := d.beginBarrier(ctx); err != nil {
			return err
		}
	}
	defer d.startShadow(ctx)()
	if d.move().Stage == StageCopying {
		copy := func() error { return d.copyInHours(ctx, save) }
		switch m := d.move(); {
		case m.RollbackOf != "":
			copy = func() error { return d.bringBack(ctx) }
		case m.seeds():
			copy = func() error { return d.seed(ctx, save) }
		}
		if err := copy(); err != nil {
			return err
		}
	}
	return d.catchUp(ctx)
}

// begin makes this attempt the partition's and the target's only mover: for a
// fresh move it prepares the target and begins, for one that was left it takes
// over. A takeover bumps the epoch, so whatever the last driver still sends to
// the store - a cutover, a completion - is refused; and it takes the target's
// write alias, so what it still sends to the target is, too.
func (d *drive) begin(ctx context.Context, e placement.Entry) error {
	m := d.move()
	if e.State.Migrating() {
		n, err := d.c.s.ApplyTo(ctx, e, placement.Command{Op: placement.OpReopen, Expect: e.Epoch, Attempt: d.tag()})
		if err != nil {
			return fmt.Errorf("take the partition over: %w", err)
		}
		d.entry = n
		if err := d.mv.Take(ctx, true); err != nil {
			return fmt.Errorf("take the target over: %w", err)
		}
		if m.Stage == StagePreparing {
			// Whether an earlier driver had recorded its begin or not: a barrier
			// at this later epoch covers it.
			return d.update(ctx, func(m *Move) { m.BeginEpoch = n.Epoch })
		}
		return nil
	}
	if (m.From.Kind == placement.SharedIndex || m.To.Kind == placement.SharedIndex) && d.c.timed != nil {
		// Its proof is a source that stands still, and other tenants write to this one;
		// nor was anybody to try it with a target that others write to.
		return &mover.RefusedError{Code: mover.CodeUnsupported, Field: "controller.barrier", Detail: "no tenant moves out of a shared index, or into one, by a timed barrier", Fix: "use proxies that hold sessions"}
	}
	if err := d.stage(ctx, StagePreparing, func(m *Move) { m.Creating = true }); err != nil {
		return err
	}
	if err := d.choose(ctx); err != nil {
		return err
	}
	idx, err := d.mv.Prepare(ctx)
	d.known = !m.Creating && !d.mv.Creating()
	if err != nil {
		return fmt.Errorf("prepare the target: %w", err)
	}
	p := d.foresee(ctx)
	if err := d.update(ctx, func(m *Move) { m.Indices, m.Creating, m.Predicted = idx, !d.known, p }); err != nil {
		return err
	}
	if err := d.mv.Take(ctx, m.Attempt > 1); err != nil {
		return fmt.Errorf("take the target: %w", err)
	}
	n, err := d.c.s.ApplyTo(ctx, e, placement.Command{Op: placement.OpBegin, Expect: e.Epoch, To: m.To, Attempt: d.tag(), Back: m.RollbackOf})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	d.entry = n
	return d.update(ctx, func(m *Move) { m.BeginEpoch = n.Epoch })
}

// beginBarrier lets the copy begin only when no write is left that was admitted
// under Active: it is in no journal, so the copy itself must see it. Every
// session must have applied the begin epoch with nothing older open; a vanished
// proxy's writes are waited out. Then the source is refreshed, because a scan
// does not see what is not.
func (d *drive) beginBarrier(ctx context.Context) error {
	m, began := d.move(), time.Now()
	for {
		f, err := d.look(ctx)
		if err != nil {
			return err
		}
		drained, err := d.drained(ctx, f.missing(func(s string) bool { return m.Reconciled[s] }))
		if err != nil {
			return err
		}
		accounted := func(session string) bool { return m.Reconciled[session] || drained[session] }
		bound, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err = d.c.barrier.Wait(bound, m.Partition, m.BeginEpoch, accounted)
		cancel()
		if err == nil {
			d.c.opt.Metrics.passed("begin", time.Since(began))
			if m.RollbackOf != "" {
				if m.OldFencing {
					if err := d.outlast(ctx); err != nil {
						return err
					}
				}
				if err := d.mv.OpenOld(ctx); err != nil {
					return err
				}
			}
			// What was created before this moment is in no journal and has to be
			// copied; what is created later is.
			if err := d.adopt(ctx); err != nil {
				return err
			}
			if err := d.mv.NoteBase(ctx); err != nil {
				return err
			}
			if err := d.mv.RefreshSource(ctx); err != nil {
				return err
			}
			idx := d.mv.Indexes()
			return d.stage(ctx, StageCopying, func(m *Move) {
				m.account(drained)
				m.Indices = idx
			})
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, ErrStoreUnavailable) {
			return err
		}
		if err := d.note(ctx, fmt.Errorf("barrier at begin: %w", err)); err != nil {
			return err
		}
		sleep(ctx, 200*time.Millisecond)
	}
}

func (m *Move) account(sessions map[string]bool) {
	if len(sessions) == 0 {
		return
	}
	if m.Reconciled == nil {
		m.Reconciled = map[string]bool{}
	}
	for s := range sessions {
		m.Reconciled[s] = true
	}
}

// drained returns those of the missing whose writes can take effect no more, and that
// will not begin either: they were absent for the drain, and are struck.
func (d *drive) drained(ctx context.Context, missing []store.Info) (map[string]bool, error) {
	var ids []string
	for _, p := range missing {
		if d.c.absent.absent(p.ID) >= d.move().Options.DrainBarrier {
			ids = append(ids, p.ID)
		}
	}
	return d.c.s.Strike(ctx, ids)
}

// look reads the fleet and remembers who is missing.
func (d *drive) look(ctx context.Context) (fleet, error) {
	f, err := readFleet(ctx, d.c.s, fleet{})
	if err == nil {
		d.c.absent.note(f)
	}
	return f, err
}

// copy scans the source into the target from the checkpoint on. The record is
// written at each checkpoint, and once a second for whoever watches.
func (d *drive) copy(ctx context.Context, save *newest) error {
	done := make(chan struct{})
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var tell sync.WaitGroup
	docs, bytes := d.move().Checkpoint.Docs, d.move().Checkpoint.Bytes // that were counted before
	if at := d.move().Checkpoint.At; at != nil {
		docs, bytes = docs+at.Docs, bytes+at.Bytes
	}
	tell.Go(func() {
		t := time.NewTicker(save.every)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				save.since(d.c.opt.Metrics, &docs, &bytes)
				// An error needs no handling here: if the move was taken over, the
				// lease says so to the copy.
				_ = d.update(ctx, func(m *Move) {
					save.into(&m.Progress)
					m.Progress.SlowedBy = d.mv.SlowedBy()
				})
				d.mv.SetLimits(d.options.Load().limits())
				if err := d.held(); err != nil {
					stop(err) // the checkpoint is what it goes on from
				}
			}
		}
	})
	err := d.mv.Copy(work, d.move().Checkpoint, func(cp mover.Checkpoint) error {
		return d.update(ctx, func(m *Move) {
			m.Checkpoint = cp
			save.into(&m.Progress)
		})
	})
	close(done)
	tell.Wait()
	save.since(d.c.opt.Metrics, &docs, &bytes)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return d.stage(ctx, StageCatchingUp, func(m *Move) {
		save.into(&m.Progress)
		m.Progress.Docs, m.Progress.Bytes = max(m.Progress.Docs, m.Checkpoint.Docs), max(m.Progress.Bytes, m.Checkpoint.Bytes)
		m.Progress.ETA, m.Progress.SlowedBy = 0, ""
	})
}

// abandon takes the partition back to its source and cleans the target. why is
// nil when a person asked for it.
func (d *drive) abandon(ctx context.Context, why error) error {
	m := d.move()
	e, err := d.c.s.State(ctx, m.Partition)
	switch {
	case errors.Is(err, placement.ErrUnknownPartition):
		return d.discard(ctx, why)
	case err != nil:
		return fmt.Errorf("abort: %w", err)
	case e.State.Migrating() && e.Attempt.Move == m.ID:
		if e.Attempt.Number > m.Attempt {
			return d.supersede()
		}
		// An unknown outcome, or a flip that came first: the next attempt reads
		// what became of it.
		if _, err := d.c.s.ApplyTo(ctx, e, placement.Command{Op: placement.OpAbort, Expect: e.Epoch, Attempt: e.Attempt}); err != nil {
			return fmt.Errorf("abort: %w", err)
		}
	case !e.State.Migrating() && e.PreviousMove == m.ID:
		return d.settle(ctx, e) // flipped: too late to abort
	}
	return d.discard(ctx, why)
}

// discard removes what the move has made at the target; the entry is, or never
// was taken, back at the source. It ends the move.
func (d *drive) discard(ctx context.Context, why error) error {
	if err := d.stage(ctx, StageAborting, func(m *Move) {
		if why != nil {
			m.because(why)
		}
	}); err != nil {
		return err
	}
	m := d.move()
	// Whatever has led here, the place where the partition lives, or is moving to
	// by another move, is never removed.
	e, err := d.c.s.State(ctx, m.Partition)
	if err != nil && !errors.Is(err, placement.ErrUnknownPartition) {
		return fmt.Errorf("clean the target: %w", err)
	}
	if err == nil && (m.To.Overlaps(e.State.From) || e.Attempt.Move != m.ID && m.To.Overlaps(e.State.To)) {
		return d.stage(ctx, StageFailed, func(m *Move) {
			m.Owner = ""
			m.because(catalog.New("target_not_cleaned", "the target was not cleaned: the partition lives there, or is moving there by another move"))
		})
	}
	// A cluster that could not even be asked has nothing of this move, unless an
	// earlier attempt came further.
	untouched := unreached(why) && m.Unreached == m.Attempt-1 && len(m.Indices) == 0
	if d.mv != nil && m.Checkpoint.At != nil { // nobody goes on from there
		d.mv.EndScan(ctx, m.Checkpoint)
	}
	if d.mv != nil && !untouched {
		if err := d.clean(ctx); err != nil {
			if m.BeginEpoch != 0 || m.Attempt < preparingTries+unansweredTries || ctx.Err() != nil {
				return fmt.Errorf("clean the target: %w", err)
			}
			why = catalog.Errorf("target_not_cleaned", "%s; and the target could not be cleaned, look for indices of move %s there: %w", m.Error, m.ID, err)
		}
	}
	final := StageAborted
	if m.BeginEpoch == 0 && !m.AbortRequested {
		final = StageFailed
	}
	return d.stage(ctx, final, func(m *Move) {
		if why != nil {
			m.because(why)
		}
		m.Owner = ""
	})
}

// clean removes what the move has made at the target. An index whose creation was
// sent, by this driver or by one before it, and never answered may come into being
// later: so that is waited out first.
func (d *drive) clean(ctx context.Context) error {
	m := d.move()
	// The tenant's new indices are created at any stage, without a note of it.
	unnoted := (m.To.Kind == placement.DedicatedCluster || m.To.Many() || m.Seed != nil && m.unwritten()) && m.Attempt > 1
	if d.mv.Creating() || unnoted || m.Creating && !d.known {
		if err := d.note(ctx, catalog.New("create_unanswered", "an index may still be created at the target by a request without an answer: waiting it out")); err != nil {
			return err
		}
		sleep(ctx, m.Options.DrainBarrier)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if m.RollbackOf != "" {
		return d.giveBack(ctx)
	}
	if err := d.mv.Discard(ctx); err != nil {
		return err
	}
	return d.unseed(ctx)
}

package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/mover"
)

// catchUp repeats rounds until what is left fits the pause budget, verifies
// once, and tries to flip. Whatever stands in the way of a cutover is waited out
// here, where nobody's writes are held.
func (d *drive) catchUp(ctx context.Context) error {
	if s := d.move().Stage; s != StageCatchingUp {
		if err := d.stage(ctx, StageCatchingUp, nil); err != nil {
			return err
		}
	}
	tell := &newest{every: time.Second}
	for tries, rounds := 0, 0; ; rounds++ {
		wait, dirty, err := d.approach(ctx, tell)
		if err != nil {
			return err
		}
		if wait == nil {
			done, why, err := d.cutover(ctx)
			if err != nil || done {
				return err
			}
			wait = why
			tries++
		}
		var over *overBudget
		busy := errors.As(wait, &over) && dirty > 0
		level := slog.LevelInfo
		if busy {
			level = slog.LevelDebug // several times a second; the record's note says it too
		}
		d.log.Log(ctx, level, "no cutover yet", "reason", wait, "predicted_pause", d.move().Progress.PredictedPause, "pause_budget", d.move().Options.PauseBudget)
		if err := d.note(ctx, wait); err != nil {
			return err
		}
		if busy && rounds < eagerRounds {
			continue // the round itself took time; the next one is shorter
		}
		// After those, hurrying costs the clusters what keeps the prediction high.
		sleep(ctx, min(100*time.Millisecond<<min(tries, 5), 3*time.Second))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// eagerRounds is how many rounds follow one another without a pause: by then
// what is left is what is written during a round, and does not shrink further.
const eagerRounds = 8

// overBudget: a cutover now would hold writes for too long.
type overBudget struct{}

// Error names no figures: it is written into the record when it changes, and
// those are in Progress and in the options already.
func (e *overBudget) Error() string {
	return "the predicted pause is above the pause budget: catching up until it fits; `sluice moves set` changes the budget"
}

// approach does one round and says what, if anything, a cutover has to wait for.
func (d *drive) approach(ctx context.Context, tell *newest) (wait error, dirty int, err error) {
	waiting, err := d.recover(ctx)
	if err != nil {
		return nil, 0, err
	}
	refs, err := d.round(ctx)
	if err != nil {
		var peer *peerError
		switch {
		case ctx.Err() != nil:
			return nil, 0, context.Cause(ctx)
		case errors.As(err, &peer):
			return peer, 0, nil
		}
		return nil, 0, err
	}
	dirty = len(refs)
	predicted := d.predict(dirty)
	count := func(m *Move) {
		m.Progress.Rounds++
		m.Progress.CaughtUp += int64(dirty)
		m.Progress.Dirty, m.Progress.PredictedPause = dirty, predicted
	}
	budget := d.move().Options.PauseBudget
	switch {
	case tell.due() || waiting == nil && predicted <= budget:
		if err := d.update(ctx, count); err != nil {
			return nil, 0, err
		}
	default:
		d.mu.Lock()
		count(&d.m) // written with the next change
		d.mu.Unlock()
	}
	switch {
	case waiting != nil:
		return waiting, dirty, nil
	case len(d.unsure) > 0:
		return errJournalLost, dirty, nil
	case d.paused.Load():
		return errPaused, dirty, nil
	case predicted > budget:
		// What was measured once, in a bad moment, must not decide for ever:
		// measure again, and believe less in what cannot be measured here.
		d.calm++
		d.ack -= d.ack / 8
		if err := d.mv.RefreshTarget(ctx); err != nil {
			return nil, 0, err
		}
		if d.resyncs() && d.compared > 0 && d.c.opt.Now()-d.compared >= timedCompareEvery {
			if err := d.timedCompare(ctx); err != nil {
				return nil, 0, err
			}
		}
		return &overBudget{}, dirty, nil
	}
	check := d.c.barrier.Check(ctx, d.move().Partition, d.accounted())
	if check != nil || d.verified {
		return check, dirty, nil
	}
	switch err := d.verify(ctx); {
	case err == nil:
		// It took time, in which journals grew: another round before the cutover.
		return errors.New("verified; catching up with what was written meanwhile"), dirty, nil
	case ctx.Err() != nil:
		return nil, 0, context.Cause(ctx)
	case waitable(err):
		return err, dirty, nil
	default:
		return nil, 0, err
	}
}

// waitable reports an error that is about the fleet and not about the move.
func waitable(err error) bool {
	var peer *peerError
	var vanished *VanishedError
	var unresolved *UnresolvedError
	return errors.As(err, &peer) || errors.As(err, &vanished) || errors.As(err, &unresolved) || errors.Is(err, errJournalLost)
}

// predict is how long writes would be held by a cutover now: the mover's part and
// the acknowledgements. A seal can only be measured by sealing, so the measure of
// one halves with every eight rounds that were spent waiting since.
func (d *drive) predict(dirty int) time.Duration {
	seal := d.mv.Rates().Seal
	return d.mv.PredictPause(dirty) + d.timedPause() + d.ack - (seal - seal>>min(d.calm/8, 16))
}

// accounted tells the barrier whom this move has accounted for.
func (d *drive) accounted() func(string) bool {
	done := d.move().clone().Reconciled
	return func(s string) bool { return done[s] }
}

// verify compares every id and version of both sides. A document that is being
// written differs for a moment; so each difference has to vanish, or to be named
// by a journal that is read after it was seen. What is left for longer than any
// write takes was written by somebody whom no proxy has seen: that is drift, and
// the move is aborted, since nothing would keep such writes from being lost at
// the flip.
func (d *drive) verify(ctx context.Context) error {
	if _, err := d.learnPipelines(ctx); err != nil {
		return err
	}
	if d.resyncs() {
		return d.timedCompare(ctx) // what no journal names would be drift
	}
	if err := d.stage(ctx, StageVerifying, nil); err != nil {
		return err
	}
	// A difference is suspect for as long as it has been seen, not for as long as
	// the comparison took: that may be many times what a write takes.
	var began time.Duration
	var diff mover.Diff
	for try := 0; ; try++ {
		var err error
		if diff, err = d.mv.Reconcile(ctx, false); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if try == 0 {
			began = d.c.opt.Now()
		}
		if diff.Empty() || int(diff.NMissing+diff.NExtra+diff.NOlder) == len(diff.Missing)+len(diff.Extra)+len(diff.Older) {
			break
		}
		// More differences than are listed: let the journals explain them first.
		if _, err := d.round(ctx); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if err := d.suspect(ctx, began, diff); err != nil {
			return err
		}
		sleep(ctx, backoff(try))
	}
	counts := countsOf(diff)
	began = d.c.opt.Now()
	open := append(append(append([]gate.DocRef(nil), diff.Missing...), diff.Extra...), diff.Older...)
	for try := 0; len(open) > 0; try++ {
		var left mover.Diff
		var err error
		if open, left, err = d.unexplained(ctx, open, backoff(try+1)); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if len(open) == 0 {
			break
		}
		if err := d.suspect(ctx, began, left); err != nil {
			counts.Unsettled = int64(len(open))
			if uerr := d.update(ctx, func(m *Move) { m.Verified = &counts }); uerr != nil {
				return uerr
			}
			return err
		}
	}
	d.verified = true
	return d.stage(ctx, StageCatchingUp, func(m *Move) { m.Verified = &counts })
}

func countsOf(d mover.Diff) DiffCounts {
	return DiffCounts{Scanned: d.Scanned, Missing: d.NMissing, Extra: d.NExtra, Older: d.NOlder}
}

// unexplained returns which of the documents still differ after the journals
// were read, and are not named by journals read after that, which is when a
// write that was under way has ended.
func (d *drive) unexplained(ctx context.Context, open []gate.DocRef, pause time.Duration) ([]gate.DocRef, mover.Diff, error) {
	if _, err := d.round(ctx); err != nil {
		return nil, mover.Diff{}, err
	}
	left, err := d.mv.CheckRefs(ctx, open)
	if err != nil || left.Empty() {
		return nil, left, err
	}
	sleep(ctx, pause)
	refs, err := d.round(ctx)
	if err != nil {
		return nil, left, err
	}
	journaled := map[gate.DocRef]bool{}
	for _, r := range refs {
		journaled[r] = true
	}
	var still []gate.DocRef
	for _, list := range [][]gate.DocRef{left.Missing, left.Extra, left.Older} {
		for _, r := range list {
			if !journaled[r] {
				still = append(still, r)
			}
		}
	}
	return still, left, nil
}

// suspect decides what differences mean that no journal explains. A write whose
// proxy has vanished, or whose outcome is unknown, or that belongs to a task, is
// in no readable journal: then the error is one to wait for. A write may be under
// way for as long as the drain barrier; only after that is it drift. Nil: look
// again.
//
// Proxies journal only for a partition that moves. The entry is read after the
// differences were seen: if it is not this move's any more, an abort that came
// around the record has ended the journals, and the differences are ordinary
// writes.
func (d *drive) suspect(ctx context.Context, began time.Duration, diff mover.Diff) error {
	m := d.move()
	e, err := d.c.s.State(ctx, m.Partition)
	switch {
	case err != nil:
		return fmt.Errorf("verify: %w", err)
	case !e.State.Migrating() || e.Attempt != d.tag():
		return errReplaced
	}
	if len(d.unsure) > 0 {
		return errJournalLost
	}
	if err := d.c.barrier.Check(ctx, m.Partition, d.accounted()); err != nil {
		return err
	}
	if d.c.opt.Now()-began >= m.Options.DrainBarrier {
		return drift(diff)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

func drift(d mover.Diff) error {
	return fmt.Errorf("%w: %d documents only at the source, %d only at the target, %d with another version; no proxy has journaled them", errDrift, d.NMissing, d.NExtra, d.NOlder)
}

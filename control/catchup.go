package control

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
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
			wait = d.shadowed()
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
		level, pause := slog.LevelInfo, min(100*time.Millisecond<<min(tries, 5), 3*time.Second)
		if isShadowWait(wait) {
			level, pause = slog.LevelDebug, 500*time.Millisecond
		}
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
		sleep(ctx, pause)
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
	d.c.opt.Metrics.caught(dirty)
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
			if err := d.compareAgain(ctx); err != nil {
				return nil, 0, err
			}
		}
		return &overBudget{}, dirty, nil
	}
	check := d.c.barrier.Check(ctx, d.move().Partition, d.accounted())
	if check != nil || d.verified {
		return check, dirty, nil
	}
	if d.drift != nil && !d.accept.Load() && d.c.opt.Now() < d.driftUntil {
		return d.drift, dirty, nil
	}
	switch err := d.verify(ctx); {
	case err == nil:
		// It took time, in which journals grew: another round before the cutover.
		return catalog.New("verified", "verified; catching up with what was written meanwhile"), dirty, nil
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
	var drift *driftError
	return errors.As(err, &drift) && drift.wait || errors.As(err, &peer) || errors.As(err, &vanished) || errors.As(err, &unresolved) || errors.Is(err, errJournalLost)
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

package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Hours of the day bound the copy and nothing else. Outside of them the copy rests,
// and the rounds of catching up go on, so that the proxies' journals stay short. What
// has been copied needs no hours: a move that has copied everything goes on to its
// flip at any time of the day. `sluice moves pause` is for whoever wants no cutover.

// catchUpEvery is the pause between two rounds of a copy that rests.
const catchUpEvery = 2 * time.Second

// restError: it is not in the hours of the copy.
type restError struct{ hours []Window }

func (e *restError) Error() string {
	return "the copy rests: it may run between " + hoursText(e.hours)
}

func hoursText(hours []Window) string {
	text := make([]string, len(hours))
	for i, w := range hours {
		text[i] = w.String()
	}
	return strings.Join(text, ", ")
}

// inHours reports whether t is in one of the windows, or there are none.
func inHours(hours []Window, t time.Time) (bool, error) {
	for _, w := range hours {
		if open, err := w.open(t); open || err != nil {
			return open, err
		}
	}
	return len(hours) == 0, nil
}

// held says why the copy may not go on now, if it may not.
func (d *drive) held() error {
	if d.paused.Load() {
		return errPaused // whoever drives rests before the next attempt
	}
	hours := d.options.Load().CopyHours
	if open, err := inHours(hours, time.Now()); err != nil || !open {
		return errors.Join(&restError{hours}, err)
	}
	return nil
}

// copyInHours copies whenever it may.
func (d *drive) copyInHours(ctx context.Context, save *newest) error {
	for {
		if err := d.restHours(ctx); err != nil {
			return err
		}
		err := d.copy(ctx, save)
		var rest *restError
		if err == nil || !errors.As(err, &rest) || ctx.Err() != nil {
			return err
		}
		d.log.Info("the copy rests", "hours", hoursText(rest.hours))
	}
}

// restHours catches up until the copy may go on. What the journals name is written to
// the target before the rest of the documents are; that is as good as after, because
// the copy goes on with a scan that begins after it. The point in time of the scan that
// was interrupted is given up for that, before the first round: it still shows documents
// that have been deleted since, and would bring back those whose deletion a round has
// carried over. The next scan goes on after it; mover/rests.go says why nothing is lost.
func (d *drive) restHours(ctx context.Context) error {
	for first := true; ; first = false {
		err := d.held()
		var rest *restError
		if err == nil || !errors.As(err, &rest) {
			return err
		}
		if first {
			cp := d.move().Checkpoint
			if uerr := d.update(ctx, func(m *Move) { m.Checkpoint = m.Checkpoint.Rested() }); uerr != nil {
				return uerr
			}
			d.mv.EndScan(ctx, cp)
		}
		if uerr := d.update(ctx, func(m *Move) {
			m.Progress.waits(err)
			m.Progress.Rate, m.Progress.ETA, m.Progress.SlowedBy = 0, 0, ""
		}); uerr != nil {
			return uerr
		}
		refs, rerr := d.round(ctx)
		var peer *peerError
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(rerr, &peer): // a proxy that is away; the journals are read again
		case rerr != nil:
			return fmt.Errorf("catch up while the copy rests: %w", rerr)
		case len(refs) > 0:
			d.mu.Lock()
			d.m.Progress.CaughtUp += int64(len(refs)) // written with the next change
			d.mu.Unlock()
		}
		for wake := time.Now().Add(catchUpEvery); time.Now().Before(wake); {
			if sleep(ctx, 200*time.Millisecond); ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if d.held() == nil {
				return d.update(ctx, func(m *Move) { m.Progress.waits(nil) })
			}
		}
	}
}

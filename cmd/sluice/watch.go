package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
)

// view shows the states of a move as they come.
type view interface {
	show(control.Move) error
	// end shows the last state, with the receipt.
	end(control.Move) error
}

// watchMove shows a move until it is settled, and returns its outcome: nil when
// the tenant has flipped, a *moveError when it has not.
func watchMove(c *cobra.Command, f *fleet, id string) error {
	m, err := watchUntil(c, f, id, watched)
	if err != nil {
		return err
	}
	return outcome(m)
}

// watchPause is between two looks at a move. A stage that is over sooner is in the
// timeline that the end shows.
const watchPause = 250 * time.Millisecond

// watchUntil shows a move until it is as asked for, and returns it.
func watchUntil(c *cobra.Command, f *fleet, id string, until func(control.Move) bool) (control.Move, error) {
	v := newView(c)
	var m control.Move
	err := poll(c.Context(), watchPause, func(ctx context.Context) (bool, error) {
		now, err := client.Read[control.Move](f.GetMove(ctx, id))
		if isCode(err, api.CodeUnknownMove) {
			return false, refused("move %s is gone from the store", id)
		}
		if err != nil {
			return false, err
		}
		if m = now; until(m) {
			return true, v.end(m)
		}
		return false, v.show(m)
	})
	return m, err
}

// poll looks until it is done, pausing in between. A fleet that does not answer may be
// away for a minute: its controllers are started anew now and then.
func poll(ctx context.Context, pause time.Duration, look func(context.Context) (done bool, err error)) error {
	const patience = time.Minute
	var missed time.Time
	for {
		done, err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil && done:
			return nil
		case err == nil:
			missed = time.Time{}
		case exitCode(err) != exitUnavailable:
			return err
		case missed.IsZero():
			missed = time.Now()
		case time.Since(missed) > patience:
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// watched reports whether there is nothing more to wait for. A flip is followed
// by the receipt, which is written a moment later.
func watched(m control.Move) bool { return m.Terminal() || m.Settled() && m.Receipt != nil }

// outcome is the error that the move ended with.
func outcome(m control.Move) error {
	if m.Stage != control.StageAborted && m.Stage != control.StageFailed {
		return nil
	}
	msg := fmt.Sprintf("move %s: %s", m.ID, m.Stage)
	if m.Error != "" {
		msg += ": " + m.Error
	}
	return &moveError{msg + "; the tenant is where it was, " + m.From.String()}
}

func newView(c *cobra.Command) view {
	w := c.OutOrStdout()
	switch {
	case forPrograms(c):
		return &dataView{write: func(m control.Move) error { return writeState(c, m) }}
	case quiet(c):
		return idView{w}
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		return &liveView{w: w, width: func() int {
			if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 20 {
				return n
			}
			return 80
		}}
	}
	return &lineView{w: w, now: time.Now}
}

// idView writes the move's id at its end.
type idView struct{ w io.Writer }

func (v idView) show(control.Move) error { return nil }

func (v idView) end(m control.Move) error {
	_, err := fmt.Fprintln(v.w, m.ID)
	return err
}

// dataView writes each state once, for programs.
type dataView struct {
	write func(control.Move) error
	last  time.Time
}

func (v *dataView) show(m control.Move) error {
	if m.Updated.Equal(v.last) {
		return nil
	}
	v.last = m.Updated
	return v.write(m)
}

func (v *dataView) end(m control.Move) error { return v.write(m) }

// lineView writes a line when the stage changes, and every other second.
type lineView struct {
	w     io.Writer
	now   func() time.Time
	stage control.Stage
	at    time.Time
}

const linePause = 2 * time.Second

func (v *lineView) show(m control.Move) error {
	now := v.now()
	if m.Stage == v.stage && now.Sub(v.at) < linePause {
		return nil
	}
	v.stage, v.at = m.Stage, now
	text := strings.Join(details(m), "  ")
	if m.Progress.Note != "" {
		text += "  " + printable(m.Progress.Note)
	}
	if m.Progress.SlowedBy != "" {
		text += "  slowed by: " + printable(m.Progress.SlowedBy)
	}
	_, err := fmt.Fprintf(v.w, "%s %-11s %s\n", now.Format(time.TimeOnly), m.Stage, strings.TrimSpace(text))
	return err
}

func (v *lineView) end(m control.Move) error { return writeMove(v.w, m) }

// liveView redraws a few lines in place.
type liveView struct {
	w     io.Writer
	width func() int
	lines int // drawn the last time
}

func (v *liveView) show(m control.Move) error {
	width := v.width()
	lines := frame(m, width)
	var b strings.Builder
	v.erase(&b)
	for _, l := range lines {
		b.WriteString(clip(l, width-1) + "\n") // a full line would wrap, and the next erase miss one
	}
	v.lines = len(lines)
	_, err := io.WriteString(v.w, b.String())
	return err
}

// erase goes back to the first line drawn and clears to the end of the screen.
func (v *liveView) erase(b *strings.Builder) {
	if v.lines > 0 {
		fmt.Fprintf(b, "\x1b[%dA\r\x1b[J", v.lines)
	}
}

func (v *liveView) end(m control.Move) error {
	var b strings.Builder
	v.erase(&b)
	v.lines = 0
	if _, err := io.WriteString(v.w, b.String()); err != nil {
		return err
	}
	return writeMove(v.w, m)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// view shows the states of a move as they come.
type view interface {
	show(control.Move) error
	// end shows the last state, with the receipt.
	end(control.Move) error
}

// watchMove shows a move until it is settled, and returns its outcome: nil when
// the tenant has flipped, a *moveError when it has not.
func watchMove(c *cobra.Command, s *store.Store, id string) error {
	m, err := watchUntil(c, s, id, watched)
	if err != nil {
		return err
	}
	return outcome(m)
}

// watchUntil shows a move until it is as asked for, and returns it.
func watchUntil(c *cobra.Command, s *store.Store, id string, until func(control.Move) bool) (control.Move, error) {
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	v := newView(c)
	states := make(chan control.Move)
	ended := make(chan error, 1)
	// One goroutine reads the store, this one draws: the channel is all that
	// they share, and ctx's end stops the reader however this function returns.
	go func() { ended <- followMove(ctx, s, id, states) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last control.Move
	for {
		select {
		case last = <-states:
			if until(last) {
				return last, v.end(last)
			}
		case <-tick.C:
			if last.ID == "" {
				continue
			}
		case err := <-ended:
			if err := c.Context().Err(); err != nil {
				return last, err
			}
			return last, err
		}
		if err := v.show(last); err != nil {
			return last, err
		}
	}
}

// watched reports whether there is nothing more to wait for. A flip is followed
// by the receipt, which is written a moment later.
func watched(m control.Move) bool { return m.Terminal() || m.Settled() && m.Receipt != nil }

// followMove sends each state of the move. The driver resumes a broken watch by
// itself; a list that fails is repeated for as long as a store may be away.
func followMove(ctx context.Context, s *store.Store, id string, states chan<- control.Move) error {
	send := func(m control.Move) error {
		select {
		case states <- m:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var corrupt *store.CorruptError
	for since := time.Now(); ; {
		err := control.Moves(s).Follow(ctx, func(all []store.Record[control.Move]) error {
			since = time.Now()
			for _, r := range all {
				if r.Name == id {
					return send(r.Value)
				}
			}
			return refused("move %s is gone from the store", id)
		}, func(changes []store.RecordChange[control.Move]) error {
			for _, ch := range changes {
				switch {
				case ch.Name != id:
				case ch.Removed:
					return refused("move %s is gone from the store", id)
				case ch.Err != nil:
					return ch.Err
				default:
					if err := send(ch.Value); err != nil {
						return err
					}
				}
			}
			return nil
		})
		var gone *refusedError
		if ctx.Err() != nil || errors.As(err, &gone) || errors.As(err, &corrupt) || errors.Is(err, driver.ErrNotFound) || time.Since(since) > time.Minute {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

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
	if wantJSON(c) {
		return &jsonView{enc: json.NewEncoder(w)}
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

// jsonView writes one object a line, each state once.
type jsonView struct {
	enc  *json.Encoder
	last time.Time
}

func (v *jsonView) show(m control.Move) error {
	if m.Updated.Equal(v.last) {
		return nil
	}
	v.last = m.Updated
	return v.enc.Encode(m)
}

func (v *jsonView) end(m control.Move) error { return v.enc.Encode(m) }

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

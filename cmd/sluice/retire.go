package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/store"
)

// afterwardsFlags are the flags of what becomes of a move's old copy.
func afterwardsFlags(c *cobra.Command, a *control.Afterwards) {
	f := c.Flags()
	f.Var((*days)(&a.RetireAfter), "retire-after", "retire the old copy by itself so long after the flip, such as 24h or 7d (default: only when asked)")
	f.BoolVar(&a.Keep, "keep", false, "never delete the old copy; sluice moves retire --keep lets go of it in the end")
	f.Var(optionalDays{&a.Trash}, "trash", "for how long the old copy can be restored when it was retired, 0s for not at all (default controller.trash)")
}

// retireFlags are the flags of how to retire; what returns the request.
func retireFlags(c *cobra.Command) (what func() control.RetireRequest) {
	var r control.RetireRequest
	var keep bool
	f := c.Flags()
	f.BoolVar(&r.Now, "now", false, "do not wait for the end of the soak time (--retire-after)")
	f.BoolVar(&keep, "keep", false, "delete nothing: end the move and leave the old copy, blocked for writes, to you; --keep=false removes one that was to be kept")
	f.Var(optionalDays{&r.Trash}, "trash", "for how long it can be restored, 0s for not at all (default: what the move says, then controller.trash)")
	return func() control.RetireRequest {
		if c.Flags().Changed("keep") {
			r.Keep = &keep
		}
		return r
	}
}

func movesRetire() *cobra.Command {
	var wait bool
	var how func() control.RetireRequest
	c := oneMove(&cobra.Command{
		Use:   "retire MOVE",
		Short: "Remove the old copy that a flipped move left; after it there is no way back but another move",
		Long: `Remove the old copy that a flipped move left. After it there is no way back but another
move. The removal waits until no proxy reads the old copy and the scrolls and points in
time that are open on it have ended, which their keep-alive bounds; --wait shows what it
waits for. An old copy that was written to since its fence stays, and the move says so.

With a trash time (--trash, of the move or here, or controller.trash) its indices are closed
in place of being deleted, and sluice trash restores them until that time has passed.`,
		Example: `  sluice moves retire m1k2j3h4g5abcdef
  sluice moves retire m1k2j3h4g5abcdef --now --wait   # although its soak time has not passed
  sluice moves retire m1k2j3h4g5abcdef --trash 7d
  sluice moves retire m1k2j3h4g5abcdef --keep         # end the move, delete nothing`,
	}, func(c *cobra.Command, s *store.Store, id string) error {
		m, err := control.RequestRetireAs(c.Context(), s, id, how())
		if err != nil {
			return err
		}
		warnWithoutController(c, s)
		if !wait {
			return requested(c, m, "retire")
		}
		// The driver clears the request when it refuses: the move is flipped again.
		m, err = watchUntil(c, s, id, func(m control.Move) bool {
			return m.Terminal() || m.Stage == control.StageFlipped && !m.RetireRequested
		})
		if err == nil && m.Stage != control.StageDone {
			err = &moveError{"move " + id + ": " + m.Error}
		}
		return err
	})
	how = retireFlags(c)
	c.Flags().BoolVar(&wait, "wait", false, "wait until the old copy is gone")
	return c
}

// oldCopy says what has become of the old copy of a move that has flipped.
func oldCopy(m control.Move) string {
	switch {
	case m.Stage == control.StageRetiring && m.Progress.Note != "":
		return "is being retired: " + m.Progress.Note
	case m.Stage == control.StageRetiring:
		return "is being retired"
	case m.Kept:
		return "left at " + m.From.String() + ", blocked for writes; yours to delete"
	case m.Stage == control.StageDone && !m.TrashUntil.IsZero():
		return "put into the trash until " + m.TrashUntil.Local().Format(time.DateTime) + "; see sluice trash show " + m.ID
	case m.Stage == control.StageDone:
		return "removed"
	case m.RetireRequested:
		return "is to be retired"
	case m.Options.Keep:
		return "kept, until sluice moves retire --keep lets go of it"
	case !m.RetireAt.IsZero():
		return "kept, and retired by itself at " + m.RetireAt.Local().Format(time.DateTime)
	}
	return "kept, until sluice moves retire removes it"
}

func waveRetire() *cobra.Command {
	var wait bool
	var how func() control.RetireRequest
	c := oneWave(&cobra.Command{
		Use:   "retire WAVE",
		Short: "Retire the old copies of all tenants of a wave that have flipped; says of each what came of it",
		Long: `Retire the old copies of all tenants of a wave that have flipped, as sluice moves retire does
for one. Those that cannot be retired, because they are soaking, are to be kept or were
written to, stay and are listed with the reason; it may be called again.`,
		Example: `  sluice wave retire w1k2j3h4g5abcdef
  sluice wave retire w1k2j3h4g5abcdef --now --trash 7d --wait`,
	}, func(c *cobra.Command, s *openedStore, id string) error {
		all, err := control.RequestWaveRetire(c.Context(), s.Store, id, how())
		if err != nil {
			return err
		}
		warnWithoutController(c, s.Store)
		if wait {
			if all, err = watchWaveRetire(c, s.Store, id, all); err != nil {
				return err
			}
		}
		return writeWaveRetire(c, id, all)
	})
	how = retireFlags(c)
	c.Flags().BoolVar(&wait, "wait", false, "wait until each is gone or stays, with progress")
	return c
}

// watchWaveRetire writes a line whenever the numbers change, until nothing is under way.
// What a request was refused for stays with its tenant.
func watchWaveRetire(c *cobra.Command, s *store.Store, id string, asked []control.WaveRetire) ([]control.WaveRetire, error) {
	refusedFor := map[string]string{}
	for _, r := range asked {
		if r.State != control.RetireUnderWay {
			refusedFor[r.Move] = r.Reason
		}
	}
	last := ""
	var missed time.Time
	for {
		all, err := control.ReadWaveRetire(c.Context(), s, id)
		switch {
		case errors.Is(err, store.ErrUnavailable) && c.Context().Err() == nil:
			if missed.IsZero() {
				missed = time.Now()
			}
			if time.Since(missed) > time.Minute {
				return nil, err
			}
		case err != nil:
			return nil, err
		default:
			missed = time.Time{}
			for n := range all {
				if why := refusedFor[all[n].Move]; why != "" && all[n].Reason == "" {
					all[n].Reason = why
				}
			}
			line := retireCounts(all)
			if line != last && !wantJSON(c) {
				fmt.Fprintf(c.OutOrStdout(), "%s %s\n", time.Now().Format(time.TimeOnly), line)
			}
			last = line
			if countOf(all, control.RetireUnderWay) == 0 {
				return all, nil
			}
		}
		select {
		case <-c.Context().Done():
			return nil, context.Cause(c.Context())
		case <-time.After(time.Second):
		}
	}
}

func countOf(all []control.WaveRetire, s control.RetireState) (n int) {
	for _, r := range all {
		if r.State == s {
			n++
		}
	}
	return n
}

func retireCounts(all []control.WaveRetire) string {
	var text []string
	for _, s := range control.RetireStates {
		if n := countOf(all, s); n > 0 {
			text = append(text, fmt.Sprintf("%d %s", n, s))
		}
	}
	return fmt.Sprintf("%d old copies: %s", len(all), strings.Join(text, ", "))
}

// writeWaveRetire lists those that are not gone; it is an error if one stays that was
// to go.
func writeWaveRetire(c *cobra.Command, id string, all []control.WaveRetire) error {
	if wantJSON(c) {
		if err := writeJSON(c.OutOrStdout(), all); err != nil {
			return err
		}
	} else {
		var rows [][]string
		for _, r := range all {
			if r.State != control.RetireGone {
				rows = append(rows, []string{string(r.Partition), r.Move, string(r.State), r.Reason})
			}
		}
		if len(rows) > 0 {
			if err := table(c.OutOrStdout(), []string{"TENANT", "MOVE", "OLD COPY", "BECAUSE"}, rows); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(c.OutOrStdout(), retireCounts(all)); err != nil {
			return err
		}
	}
	if n := countOf(all, control.RetireStays); n > 0 {
		return &moveError{fmt.Sprintf("wave %s: %d of %d old copies stay", id, n, len(all))}
	}
	return nil
}

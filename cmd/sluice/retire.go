package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
)

// afterwardsFlags are the flags of what becomes of a move's old copy.
func afterwardsFlags(c *cobra.Command, a *control.Afterwards) {
	f := c.Flags()
	f.Var((*days)(&a.RetireAfter), "retire-after", "retire the old copy by itself so long after the flip, such as 24h or 7d (default: only when asked)")
	f.BoolVar(&a.Keep, "keep", false, "never delete the old copy; sluice moves retire --keep lets go of it in the end")
	f.Var(optionalDays{&a.Trash}, "trash", "for how long the old copy can be restored when it was retired, 0s for not at all (default controller.trash)")
}

// retireFlags are the flags of how to retire; what returns the request.
func retireFlags(c *cobra.Command) (what func() client.RetireBody) {
	var r client.RetireBody
	var now, keep bool
	var trash *time.Duration
	f := c.Flags()
	f.BoolVar(&now, "now", false, "do not wait for the end of the soak time (--retire-after)")
	f.BoolVar(&keep, "keep", false, "delete nothing: end the move and leave the old copy, blocked for writes, to you; --keep=false removes one that was to be kept")
	f.Var(optionalDays{&trash}, "trash", "for how long it can be restored, 0s for not at all (default: what the move says, then controller.trash)")
	return func() client.RetireBody {
		r.Now = given(now)
		if c.Flags().Changed("keep") {
			r.Keep = &keep
		}
		if trash != nil {
			r.Trash = new(int64(*trash))
		}
		return r
	}
}

func movesRetire() *cobra.Command {
	var wait bool
	var how func() client.RetireBody
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
	}, func(c *cobra.Command, f *fleet, id string) error {
		m, err := client.Read[control.Move](f.RetireMove(c.Context(), id, nil, how()))
		if err != nil {
			return err
		}
		warnWithoutController(c, f)
		if !wait {
			return requested(c, m, "retire")
		}
		// The driver clears the request when it refuses: the move is flipped again.
		m, err = watchUntil(c, f, id, func(m control.Move) bool {
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
	var how func() client.RetireBody
	c := oneWave(&cobra.Command{
		Use:   "retire WAVE",
		Short: "Retire the old copies of all tenants of a wave that have flipped; says of each what came of it",
		Long: `Retire the old copies of all tenants of a wave that have flipped, as sluice moves retire does
for one. Those that cannot be retired, because they are soaking, are to be kept or were
written to, stay and are listed with the reason; it may be called again.`,
		Example: `  sluice wave retire w1k2j3h4g5abcdef
  sluice wave retire w1k2j3h4g5abcdef --now --trash 7d --wait`,
	}, func(c *cobra.Command, f *fleet, id string) error {
		all, err := client.Read[[]control.WaveRetire](f.RetireWave(c.Context(), id, nil, how()))
		if err != nil {
			return err
		}
		warnWithoutController(c, f)
		if wait {
			if all, err = watchWaveRetire(c, f, id, all); err != nil {
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
func watchWaveRetire(c *cobra.Command, f *fleet, id string, asked []control.WaveRetire) ([]control.WaveRetire, error) {
	refusedFor := map[string]string{}
	for _, r := range asked {
		if r.State != control.RetireUnderWay {
			refusedFor[r.Move] = r.Reason
		}
	}
	last := ""
	var all []control.WaveRetire
	err := poll(c.Context(), time.Second, func(ctx context.Context) (done bool, err error) {
		if all, err = client.Read[[]control.WaveRetire](f.ListWaveRetires(ctx, id)); err != nil {
			return false, err
		}
		for n := range all {
			if why := refusedFor[all[n].Move]; why != "" && all[n].Reason == "" {
				all[n].Reason = why
			}
		}
		line := retireCounts(all)
		if line != last && !forPrograms(c) && !quiet(c) {
			fmt.Fprintf(c.OutOrStdout(), "%s %s\n", time.Now().Format(time.TimeOnly), line)
		}
		last = line
		return countOf(all, control.RetireUnderWay) == 0, nil
	})
	return all, err
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
	rows, tenants := [][]string(nil), []string(nil)
	for _, r := range all {
		if r.State != control.RetireGone {
			tenants = append(tenants, string(r.Partition))
			rows = append(rows, []string{string(r.Partition), r.Move, string(r.State), r.Reason})
		}
	}
	if err := answer(c, all, func() error {
		if len(rows) > 0 {
			if err := table(c.OutOrStdout(), []string{"TENANT", "MOVE", "OLD COPY", "BECAUSE"}, rows); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintln(c.OutOrStdout(), retireCounts(all))
		return err
	}, tenants...); err != nil {
		return err
	}
	if n := countOf(all, control.RetireStays); n > 0 {
		return &moveError{fmt.Sprintf("wave %s: %d of %d old copies stay", id, n, len(all))}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
)

func waveCommand() *cobra.Command {
	return group("wave", "Move many tenants as one piece of work",
		`  sluice wave plan --all-from a --to b,c            # what it would do, and the load before and after
  sluice wave plan --rebalance --by bytes -o json > plan.json
  sluice wave run --plan plan.json --per-target 1 --window 22:00-06:00 --zone Europe/Berlin
  sluice wave show w1k2j3h4g5abcdef
  sluice wave plan --all-from a --pack small --tenant-limit 10000   # into a shared index
  sluice wave retire w1k2j3h4g5abcdef --wait        # the old copies of its tenants
  sluice wave rollback w1k2j3h4g5abcdef --wait      # or back to those`,
		wavePlan(), waveRun(), waveList(), waveShow(), waveWatch(), waveSet(),
		waveState("pause", "Begin no more moves; those under way go on", func(f *fleet, ctx context.Context, id string) (*http.Response, error) {
			return f.PauseWave(ctx, id, nil)
		}),
		waveState("resume", "Go on with a wave that was paused, or that has stopped for its failures", func(f *fleet, ctx context.Context, id string) (*http.Response, error) {
			return f.ResumeWave(ctx, id, nil)
		}),
		waveState("abort", "Begin no more moves, and abort those that have not flipped; tenants that have flipped stay where they are", func(f *fleet, ctx context.Context, id string) (*http.Response, error) {
			return f.AbortWave(ctx, id, nil)
		}),
		waveRetire(), waveRollback())
}

func wavePlan() *cobra.Command {
	var from planFlags
	c := &cobra.Command{
		Use:   "plan (--all-from CLUSTER --to CLUSTERS | --label KEY=VALUE --to CLUSTERS | --rebalance | --file FILE | --unpack INDEX)",
		Short: "Say which tenants would move where, and what that makes of each cluster; change nothing",
		Long: `Say which tenants would move where, and what that makes of each cluster. Nothing is
changed. The plan that -o json prints is what sluice wave run --plan takes, and may be
edited before.

With --pack the small ones of the chosen tenants move into a shared index, the least first, for
as long as it holds them; with --unpack those that have outgrown it leave it.

A file has a line TENANT CLUSTER or TENANT CLUSTER INDEX for each tenant, or a JSON object
{"partition": "acme", "to": "b"} where a tenant's id holds spaces; the object may have an index,
a kind of placement, and a field by which a shared index tells its tenants apart.`,
		Example: `  sluice wave plan --all-from a --to b,c --by bytes
  sluice wave plan --label tier=small --to b
  sluice wave plan --rebalance --by requests --sample 30s
  sluice wave plan --all-from a --pack small --by bytes --tenant-limit 100MiB --pool-limit 50GiB
  sluice wave plan --unpack small --tenant-limit 100000 --to b
  sluice wave plan --file tenants.txt -o json > plan.json`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := from.check(); err != nil {
				return err
			}
			f, err := openFleet(c)
			if err != nil {
				return err
			}
			defer f.close()
			p, err := from.plan(c, f)
			if err != nil {
				return err
			}
			return answer(c, p, func() error { return writePlan(c, p) }, planned(p)...)
		},
	}
	from.add(c)
	fleetFlags(c)
	outputFlag(c, "the tenants that would move")
	return c
}

// planned are the tenants that a plan moves.
func planned(p control.WavePlan) (tenants []string) {
	for _, i := range p.Items {
		tenants = append(tenants, string(i.Partition))
	}
	return tenants
}

func writePlan(c *cobra.Command, p control.WavePlan) error {
	w := c.OutOrStdout()
	var rows [][]string
	for _, i := range p.Items {
		rows = append(rows, []string{string(i.Partition), i.From, itemTarget(i)})
	}
	if len(rows) > 0 {
		if err := table(w, []string{"TENANT", "FROM", "TO"}, rows); err != nil {
			return err
		}
	}
	if len(p.Stay) > 0 {
		rows = nil
		for _, t := range p.Stay {
			rows = append(rows, []string{string(t.Partition), t.Cluster, t.Stays})
		}
		fmt.Fprintln(w)
		if err := table(w, []string{"STAYS", "AT", "BECAUSE"}, rows); err != nil {
			return err
		}
	}
	rows = nil
	head := []string{"CLUSTER", "TENANTS", "THEN"}
	if p.Unit != "" {
		head = append(head, strings.ToUpper(string(p.Unit)), "THEN")
	}
	for _, l := range p.Clusters {
		rows = append(rows, []string{l.Cluster, fmt.Sprint(l.TenantsBefore), fmt.Sprint(l.TenantsAfter), load(p.Unit, l.Before), load(p.Unit, l.After)}[:len(head)])
	}
	if len(rows) > 0 {
		fmt.Fprintln(w)
		if err := table(w, head, rows); err != nil {
			return err
		}
	}
	if err := writePools(c, p); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d tenants would move; nothing was changed\n", len(p.Items))
	return err
}

func load(unit control.LoadUnit, v float64) string {
	switch unit {
	case control.LoadBytes:
		return size(int64(v))
	case control.LoadRequests:
		return fmt.Sprintf("%.1f/s", v)
	}
	return count(int64(v))
}

// limitFlags are the flags of a wave's limits.
func limitFlags(c *cobra.Command, l *control.WaveLimits, defaults bool) {
	text := func(what string, def string) string {
		if defaults {
			return what + " (default " + def + ")"
		}
		return what
	}
	f := c.Flags()
	f.IntVar(&l.AtOnce, "at-once", 0, text("moves under way at once; a controller drives at most controller.moves_at_once", "4"))
	f.IntVar(&l.PerSource, "per-source", 0, text("of them, from one cluster", "2"))
	f.IntVar(&l.PerTarget, "per-target", 0, text("of them, to one cluster", "2"))
	f.IntVar(&l.StopAfter, "stop-after", 0, text("failed moves that stop the wave, -1 for none", "1"))
}

func waveRun() *cobra.Command {
	var from planFlags
	var r control.WaveRequest
	var windows []string
	var copying copyBoundFlags // of each move
	var zone string
	var wait bool
	var shadow func()
	c := &cobra.Command{
		Use:   "run (--plan FILE | --all-from CLUSTER --to CLUSTERS | --label KEY=VALUE --to CLUSTERS | --rebalance | --file FILE | --unpack INDEX)",
		Short: "Begin a wave; controllers do the work, and go on after each other",
		Long: `Begin a wave. Controllers begin its moves in the plan's order, within its limits and hours,
and go on after each other when one dies. A failed move stops the wave (--stop-after);
what is under way goes on, and sluice wave resume takes the rest up.`,
		Example: `  sluice wave run --plan plan.json --wait
  sluice wave run --all-from a --to b,c --at-once 8 --per-target 4
  sluice wave run --all-from a --to b --copy auto --repository backups
  sluice wave run --file - --paused < tenants.txt`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := from.check(); err != nil {
				return err
			}
			if err := checkVerify(r.Options.Verify); err != nil {
				return err
			}
			if err := copying.into(c, &r.Options); err != nil {
				return err
			}
			for _, w := range windows {
				x, err := control.ParseWindow(w, zone)
				if err != nil {
					return err
				}
				r.Windows = append(r.Windows, x)
			}
			if zone != "" && len(windows) == 0 {
				return &usageError{errors.New("--zone: there is no --window that is in it")}
			}
			f, err := openFleet(c)
			if err != nil {
				return err
			}
			defer f.close()
			p, err := from.plan(c, f)
			if err != nil {
				return err
			}
			if len(p.Items) == 0 {
				return refused("no tenant is to move; `sluice wave plan` says why")
			}
			shadow()
			w, err := client.Read[control.Wave](f.RequestWave(c.Context(), nil, client.RequestWaveInputBody{
				Items: new(itemRequests(p.Items)), Plan: new(clip(from.String(), 256)), Limits: new(givenLimits(r.Limits)),
				Windows: new(as[[]client.GivenWindow](r.Windows)), Options: givenOptions(r.Options), Paused: &r.Paused}))
			if err != nil {
				return err
			}
			warnWithoutController(c, f)
			if wait {
				return watchWave(c, f, w.ID)
			}
			return answer(c, w, func() error {
				_, err := fmt.Fprintf(c.OutOrStdout(), "wave %s requested: %d tenants\nwatch it with: sluice wave watch %s\n", w.ID, w.Items, w.ID)
				return err
			}, w.ID)
		},
	}
	from.add(c)
	from.addPlan(c)
	limitFlags(c, &r.Limits, true)
	f := c.Flags()
	f.StringArrayVar(&windows, "window", nil, "begin moves only between these times of the day, such as 22:00-06:00; may be given several times")
	f.StringVar(&zone, "zone", "", "time zone of the windows (default UTC)")
	f.BoolVar(&r.Paused, "paused", false, "begin nothing until sluice wave resume")
	f.BoolVar(&wait, "wait", false, "watch until it has ended or stopped, and exit by the outcome")
	f.DurationVar(&r.Options.PauseBudget, "pause-budget", 0, "of each move (default controller.pause_budget)")
	f.DurationVar(&r.Options.CutoverDeadline, "cutover-deadline", 0, "of each move (default controller.cutover_deadline)")
	afterwardsFlags(c, &r.Options.Afterwards)
	copyFlags(c, &r.Options.Copy)
	copying.add(c)
	verifyFlags(c, &r.Options)
	shadow = shadowFlags(f, &r.Options)
	fleetFlags(c)
	outputFlag(c, "the wave's id")
	return c
}

func waveList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List waves, newest first",
		Example: "  sluice wave list\n  sluice wave list -o json",
		Args:    args(cobra.NoArgs),
		RunE: onFleet(func(c *cobra.Command, f *fleet, _ []string) error {
			all, unreadable, err := every[control.Wave](func(cursor *string) (*http.Response, error) {
				return f.ListWaves(c.Context(), &client.ListWavesParams{Limit: pageLimit, Cursor: cursor})
			})
			if err != nil {
				return err
			}
			rows, ids := [][]string(nil), []string(nil)
			for _, w := range all {
				ids = append(ids, w.ID)
				rows = append(rows, []string{w.ID, string(w.State), fmt.Sprint(w.Items), since(w.Created), w.Plan, w.Reason})
			}
			return errors.Join(append(unreadable, answer(c, all, func() error {
				return table(c.OutOrStdout(), []string{"WAVE", "STATE", "TENANTS", "AGE", "PLAN", "REASON"}, rows)
			}, ids...))...)
		}),
	}
	fleetFlags(c)
	outputFlag(c, "the waves' ids")
	return c
}

// oneWave completes a command about one wave.
func oneWave(c *cobra.Command, do func(*cobra.Command, *fleet, string) error) *cobra.Command {
	c.Args = args(cobra.ExactArgs(1))
	c.RunE = onFleet(func(c *cobra.Command, f *fleet, a []string) error {
		if a[0] == "" || len(a[0]) > maxID {
			return refused("unknown wave %q", a[0])
		}
		return do(c, f, a[0])
	})
	c.ValidArgsFunction = completeWaves
	fleetFlags(c)
	outputFlag(c, "the wave's id")
	return c
}

// readWave is a wave with its items and the moves that are under way.
func readWave(ctx context.Context, f *fleet, id string) (control.WaveStatus, error) {
	st := control.WaveStatus{Moves: map[string]control.Move{}}
	w, err := client.Read[struct {
		Wave   control.Wave
		Counts map[control.ItemState]int
		ETA    time.Duration
	}](f.GetWave(ctx, id))
	if err != nil {
		return st, err
	}
	st.Wave, st.Counts, st.ETA = w.Wave, w.Counts, w.ETA
	st.Items, _, err = every[control.WaveItem](func(cursor *string) (*http.Response, error) {
		return f.ListWaveItems(ctx, id, &client.ListWaveItemsParams{Limit: pageLimit, Cursor: cursor})
	})
	if err != nil || w.Counts[control.ItemMoving] == 0 {
		return st, err
	}
	moves, _, err := every[control.Move](func(cursor *string) (*http.Response, error) {
		return f.ListMoves(ctx, &client.ListMovesParams{Wave: &id, Active: new(true), Limit: pageLimit, Cursor: cursor})
	})
	for _, m := range moves {
		st.Moves[m.ID] = m
	}
	return st, err
}

func waveShow() *cobra.Command {
	var all bool
	c := oneWave(&cobra.Command{
		Use:     "show WAVE",
		Short:   "Show a wave: how far it is, what is under way, what has failed and why",
		Example: "  sluice wave show w1k2j3h4g5abcdef\n  sluice wave show w1k2j3h4g5abcdef --all -o json",
	}, func(c *cobra.Command, f *fleet, id string) error {
		st, err := readWave(c.Context(), f, id)
		if err != nil {
			return err
		}
		return answer(c, st, func() error { return writeWave(c, st, all) }, id)
	})
	c.Flags().BoolVar(&all, "all", false, "show tenants that wait and those that are done, too")
	return c
}

func writeWave(c *cobra.Command, st control.WaveStatus, all bool) error {
	w, out := st.Wave, c.OutOrStdout()
	rows := [][]string{{"wave", w.ID}, {"plan", w.Plan}, {"state", string(w.State)}}
	if w.Reason != "" {
		rows = append(rows, []string{"because", w.Reason})
	}
	stops := fmt.Sprintf("stops after %d failures", w.Limits.StopAfter)
	if w.Limits.StopAfter < 0 {
		stops = "no failures stop it"
	}
	rows = append(rows, []string{"tenants", waveCounts(st)},
		[]string{"limits", fmt.Sprintf("%d at once, %d from one cluster, %d to one cluster, %s", w.Limits.AtOnce, w.Limits.PerSource, w.Limits.PerTarget, stops)})
	for _, x := range w.Windows {
		rows = append(rows, []string{"hours", x.String()})
	}
	if st.ETA > 0 {
		text := st.ETA.Round(time.Second).String()
		if len(w.Windows) > 0 {
			text += " of its hours"
		}
		rows = append(rows, []string{"ends in about", text})
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(out, "%-14s %s\n", r[0], printable(r[1])); err != nil {
			return err
		}
	}
	rows = nil
	for _, i := range st.Items {
		if !all && i.State != control.ItemMoving && i.State != control.ItemFailed {
			continue
		}
		note := i.Error
		if m, ok := st.Moves[i.Move]; ok && i.State == control.ItemMoving {
			note = string(m.Stage)
			if m.Progress.Note != "" {
				note += ": " + m.Progress.Note
			}
		}
		rows = append(rows, []string{string(i.Partition), i.From, itemTarget(i), string(i.State), i.Move, note})
	}
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	return table(out, []string{"TENANT", "FROM", "TO", "STATE", "MOVE", "NOTE"}, rows)
}

func waveCounts(st control.WaveStatus) string {
	text := []string{}
	for _, s := range []control.ItemState{control.ItemDone, control.ItemMoving, control.ItemWaiting, control.ItemFailed, control.ItemSkipped} {
		if n := st.Counts[s]; n > 0 {
			text = append(text, fmt.Sprintf("%d %s", n, s))
		}
	}
	return fmt.Sprintf("%d: %s", len(st.Items), strings.Join(text, ", "))
}

func waveWatch() *cobra.Command {
	return oneWave(&cobra.Command{
		Use:     "watch WAVE",
		Short:   "Watch a wave until it has ended or stopped; exits by the outcome",
		Example: "  sluice wave watch w1k2j3h4g5abcdef",
	}, watchWave)
}

// watchWave writes a line whenever something has changed, with -o json the whole
// state, and shows the wave at its end.
func watchWave(c *cobra.Command, f *fleet, id string) error {
	last := ""
	var st control.WaveStatus
	err := poll(c.Context(), time.Second, func(ctx context.Context) (done bool, err error) {
		if st, err = readWave(ctx, f, id); err != nil {
			return false, err
		}
		return st.Wave.State.Ended() || st.Wave.State == control.WaveStopped && st.Counts[control.ItemMoving] == 0, showWave(c, st, &last)
	})
	if err != nil {
		return err
	}
	return waveOutcome(c, st)
}

func showWave(c *cobra.Command, st control.WaveStatus, last *string) error {
	line := fmt.Sprintf("%s  %s", st.Wave.State, waveCounts(st))
	if st.Wave.Reason != "" {
		line += "  " + printable(st.Wave.Reason)
	}
	if line == *last {
		return nil
	}
	*last = line
	switch {
	case forPrograms(c):
		return writeState(c, st)
	case quiet(c):
		return nil
	}
	if st.ETA > 0 {
		line += "  ends in about " + st.ETA.Round(time.Second).String()
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s %s\n", time.Now().Format(time.TimeOnly), line)
	return err
}

func waveOutcome(c *cobra.Command, st control.WaveStatus) error {
	switch {
	case forPrograms(c): // the last state was the last that was written
	case quiet(c):
		fmt.Fprintln(c.OutOrStdout(), st.Wave.ID)
	default:
		fmt.Fprintln(c.OutOrStdout())
		if err := writeWave(c, st, false); err != nil {
			return err
		}
	}
	if n := st.Counts[control.ItemFailed]; n > 0 {
		return &moveError{fmt.Sprintf("wave %s: %d of %d tenants were not moved", st.Wave.ID, n, len(st.Items))}
	}
	if st.Wave.State == control.WaveAborted {
		return &moveError{fmt.Sprintf("wave %s was aborted; %d of %d tenants had been moved", st.Wave.ID, st.Counts[control.ItemDone], len(st.Items))}
	}
	return nil
}

func waveSet() *cobra.Command {
	var l control.WaveLimits
	c := oneWave(&cobra.Command{
		Use:     "set WAVE",
		Short:   "Change the limits of a wave that is under way",
		Example: "  sluice wave set w1k2j3h4g5abcdef --at-once 8 --per-target 4",
	}, func(c *cobra.Command, f *fleet, id string) error {
		if l == (control.WaveLimits{}) {
			return &usageError{errors.New("give a limit to change")}
		}
		w, err := client.Read[control.Wave](f.SetWave(c.Context(), id, nil, givenLimits(l)))
		if err != nil {
			return err
		}
		return waveChanged(c, w)
	})
	limitFlags(c, &l, false)
	return c
}

func waveState(verb, short string, ask func(*fleet, context.Context, string) (*http.Response, error)) *cobra.Command {
	return oneWave(&cobra.Command{
		Use:     verb + " WAVE",
		Short:   short,
		Example: "  sluice wave " + verb + " w1k2j3h4g5abcdef",
	}, func(c *cobra.Command, f *fleet, id string) error {
		w, err := client.Read[control.Wave](ask(f, c.Context(), id))
		if err != nil {
			return err
		}
		warnWithoutController(c, f)
		return waveChanged(c, w)
	})
}

// givenLimits are limits for a request; what is 0 was not given.
func givenLimits(l control.WaveLimits) client.GivenLimits {
	return client.GivenLimits{AtOnce: given(int64(l.AtOnce)), PerSource: given(int64(l.PerSource)), PerTarget: given(int64(l.PerTarget)), StopAfter: given(int64(l.StopAfter))}
}

func waveChanged(c *cobra.Command, w control.Wave) error {
	return answer(c, w, func() error {
		_, err := fmt.Fprintf(c.OutOrStdout(), "wave %s is %s; `sluice wave watch %s` follows it\n", w.ID, w.State, w.ID)
		return err
	}, w.ID)
}

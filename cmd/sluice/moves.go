package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/docs"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

func movesCommand() *cobra.Command {
	return group("moves", "Look at moves, watch them, abort them, roll them back, retire what they left",
		"  sluice moves list --active\n  sluice moves watch acme\n  sluice moves abort acme\n  sluice moves rollback acme\n  sluice moves retire m1k2j3h4g5abcdef",
		movesList(), movesShow(), movesWatch(), movesSet(), movesPause(true), movesPause(false), movesAbort(), movesRollback(), movesRetire(), movesSchema())
}

func movesList() *cobra.Command {
	var active bool
	var tenant string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List moves, newest first",
		Example: "  sluice moves list\n  sluice moves list --active\n  sluice moves list --tenant acme -o json",
		Args:    args(cobra.NoArgs),
		RunE: onStore(func(c *cobra.Command, s *openedStore, _ []string) error {
			all, err := newestMoves(c.Context(), s.Store)
			if err != nil {
				return err
			}
			out, rows := []control.Move{}, [][]string(nil)
			for _, m := range all {
				if active && m.Settled() || tenant != "" && string(m.Partition) != tenant {
					continue
				}
				out = append(out, m)
				rows = append(rows, []string{m.ID, string(m.Partition), m.From.String(), m.To.String(), string(m.Stage), count(m.Progress.Docs), since(m.Created)})
			}
			if wantJSON(c) {
				return writeJSON(c.OutOrStdout(), out)
			}
			return table(c.OutOrStdout(), []string{"MOVE", "TENANT", "FROM", "TO", "STAGE", "DOCS", "AGE"}, rows)
		}),
	}
	c.Flags().BoolVar(&active, "active", false, "only moves that have not flipped, aborted or failed")
	c.Flags().StringVar(&tenant, "tenant", "", "only moves of this tenant")
	_ = c.RegisterFlagCompletionFunc("tenant", completeTenants)
	storeFlags(c)
	outputFlag(c)
	return c
}

func movesShow() *cobra.Command {
	return oneMove(&cobra.Command{
		Use:     "show MOVE|TENANT",
		Short:   "Show a move, or a tenant's newest one, with its timeline and receipt",
		Example: "  sluice moves show m1k2j3h4g5abcdef\n  sluice moves show acme -o json",
	}, func(c *cobra.Command, s *store.Store, id string) error {
		r, err := control.Moves(s).Get(c.Context(), id)
		if err != nil {
			return err
		}
		v, err := control.ViewMove(c.Context(), s, r.Value)
		if err != nil {
			return err
		}
		if wantJSON(c) {
			return writeJSON(c.OutOrStdout(), v)
		}
		return writeMove(c.OutOrStdout(), r.Value, rollbackRow(v))
	})
}

func movesSchema() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON schema of a move's receipt",
		Example: "  sluice moves schema > receipt.schema.json",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(docs.ReceiptSchema)
			return err
		},
	}
}

func movesWatch() *cobra.Command {
	return oneMove(&cobra.Command{
		Use:   "watch MOVE|TENANT",
		Short: "Watch a move until the tenant has flipped; exits by the outcome",
		Long: `Watch a move until the tenant has flipped, or the move was aborted or has failed. On a
terminal the view is redrawn in place; elsewhere it is lines, with -o json one JSON
object a line.`,
		Example: "  sluice moves watch acme\n  sluice moves watch m1k2j3h4g5abcdef -o json",
	}, func(c *cobra.Command, s *store.Store, id string) error { return watchMove(c, s, id) })
}

func movesSet() *cobra.Command {
	var budget, deadline time.Duration
	var limits copyBoundFlags
	var accept bool
	var differences int
	c := oneMove(&cobra.Command{
		Use:   "set MOVE|TENANT",
		Short: "Change the pause budget, the cutover deadline, the bounds of the copy or what drift means or how many shadow reads may differ, of a move that is under way",
		Long: `Change the pause budget, the cutover deadline, the bounds of the copy or what drift means or how many shadow reads may differ, of a move
that has not flipped. Its controller heeds them within a second, or at its next try; what was copied is kept. sluice moves show
tells when a move waits because the pause that it predicts is above its budget, or because
somebody writes around the proxies, and what slows its copy down.`,
		Example: `  sluice moves set acme --pause-budget 500ms
  sluice moves set acme --pause-budget 3s --cutover-deadline 4s
  sluice moves set acme --copy-bytes 20 --copy-hours 22:00-06:00 --copy-zone Europe/Berlin
  sluice moves set acme --copy-rate 0 --copy-hours always
  sluice moves set acme --accept-drift`,
	}, func(c *cobra.Command, s *store.Store, id string) error {
		b, err := limits.bounds(c)
		if err != nil {
			return err
		}
		if c.Flags().Changed("pause-budget") {
			b.PauseBudget = &budget
		}
		if c.Flags().Changed("cutover-deadline") {
			b.CutoverDeadline = &deadline
		}
		if c.Flags().Changed("shadow-max-differences") {
			b.ShadowMaxDifferences = &differences
		}
		if c.Flags().Changed("accept-drift") {
			b.AcceptDrift = &accept
		}
		if b == (control.Bounds{}) {
			return &usageError{errors.New("give --pause-budget, --cutover-deadline, --copy-rate, --copy-bytes, --copy-hours, --copy-throttle, --accept-drift, --shadow-max-differences or several")}
		}
		m, err := control.RequestBounds(c.Context(), s, id, b)
		if err != nil {
			return err
		}
		if wantJSON(c) {
			return writeJSON(c.OutOrStdout(), m)
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "move %s: pause budget %s, cutover deadline %s, drift %s; copy: %s\n", m.ID, m.Options.PauseBudget, m.Options.CutoverDeadline, driftPolicy(m.Options.AcceptDrift), copyBounds(m.Options))
		return err
	})
	limits.add(c)
	c.Flags().IntVar(&differences, "shadow-max-differences", 0, "begin the cutover when at most so many shadow reads differ at the target or fail there")
	c.Flags().BoolVar(&accept, "accept-drift", false, "take over what somebody has written around the proxies, instead of waiting; --accept-drift=false waits again")
	c.Flags().DurationVar(&budget, "pause-budget", 0, "hold writes only when the predicted pause is at most this")
	c.Flags().DurationVar(&deadline, "cutover-deadline", 0, "undo a cutover that takes longer, and try again; below the proxies' hold deadline, or held writes fail")
	return c
}

func movesPause(pause bool) *cobra.Command {
	verb, short := "resume", "Let a move that was paused go on from where it is"
	if pause {
		verb, short = "pause", "Stop copying, and begin no cutover, until the move is resumed; what was copied is kept"
	}
	return oneMove(&cobra.Command{
		Use:     verb + " MOVE|TENANT",
		Short:   short,
		Example: "  sluice moves " + verb + " acme",
	}, func(c *cobra.Command, s *store.Store, id string) error {
		m, err := control.RequestPause(c.Context(), s, id, pause)
		if err != nil {
			return err
		}
		return requested(c, m, verb)
	})
}

func movesAbort() *cobra.Command {
	var wait bool
	c := oneMove(&cobra.Command{
		Use:     "abort MOVE|TENANT",
		Short:   "Take a tenant that has not flipped back to where it was; nothing is left at the target",
		Example: "  sluice moves abort acme\n  sluice moves abort m1k2j3h4g5abcdef --wait",
	}, func(c *cobra.Command, s *store.Store, id string) error {
		m, err := control.RequestAbort(c.Context(), s, id)
		if err != nil {
			return err
		}
		if wait {
			// Aborted is what was asked for here, so it is no failure.
			var aborted *moveError
			err := watchMove(c, s, id)
			if errors.As(err, &aborted) {
				return nil
			}
			if err == nil {
				return &moveError{"move " + id + " had flipped before it could be aborted"}
			}
			return err
		}
		return requested(c, m, "abort")
	})
	c.Flags().BoolVar(&wait, "wait", false, "wait until it is aborted")
	return c
}

func requested(c *cobra.Command, m control.Move, what string) error {
	if wantJSON(c) {
		return writeJSON(c.OutOrStdout(), m)
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s of move %s requested; `sluice moves show %s` tells when it is done\n", what, m.ID, m.ID)
	return err
}

// oneMove completes a command about one move.
func oneMove(c *cobra.Command, do func(*cobra.Command, *store.Store, string) error) *cobra.Command {
	tenants := strings.Contains(c.Use, "TENANT")
	c.Args = args(cobra.ExactArgs(1))
	c.RunE = onStore(func(c *cobra.Command, s *openedStore, a []string) error {
		id, err := findMove(c.Context(), s.Store, a[0], tenants)
		if err != nil {
			return err
		}
		return do(c, s.Store, id)
	})
	c.ValidArgsFunction = completeMoves
	storeFlags(c)
	outputFlag(c)
	return c
}

// findMove returns the id of a move that is named by itself or, where that may
// not remove anything, by its tenant.
func findMove(ctx context.Context, s *store.Store, name string, tenants bool) (string, error) {
	if name == "" {
		return "", &placement.InvalidError{Field: "MOVE", Value: "", Fix: "must be a move's id; `sluice moves list` shows them"}
	}
	_, err := control.Moves(s).Get(ctx, name)
	if err == nil {
		return name, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	if tenants {
		all, err := newestMoves(ctx, s)
		if err != nil {
			return "", err
		}
		for _, m := range all {
			if string(m.Partition) == name {
				return m.ID, nil
			}
		}
	}
	return "", refused("unknown move %q; `sluice moves list` shows all", name)
}

// newestMoves are all moves, newest first: their ids sort by age.
func newestMoves(ctx context.Context, s *store.Store) ([]control.Move, error) {
	all, _, err := control.Moves(s).List(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b store.Record[control.Move]) int { return strings.Compare(b.Name, a.Name) })
	out := make([]control.Move, len(all))
	for i, r := range all {
		out[i] = r.Value
	}
	return out, nil
}

func completeMoves(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	return complete(c, len(a) > 0, func(s *openedStore) (ids []string) {
		all, _ := newestMoves(c.Context(), s.Store)
		for _, m := range all {
			ids = append(ids, m.ID+"\t"+string(m.Partition)+" "+string(m.Stage))
		}
		return ids
	})
}

// since is an age for people.
func since(t time.Time) string {
	d := time.Since(t)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

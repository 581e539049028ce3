package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/docs"
	"github.com/sluiceproxy/sluice/placement"
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
		RunE: onFleet(func(c *cobra.Command, f *fleet, _ []string) error {
			p := client.ListMovesParams{Limit: pageLimit, Active: &active, Tenant: given(tenant)}
			all, unreadable, err := every[control.Move](func(cursor *string) (*http.Response, error) {
				p.Cursor = cursor
				return f.ListMoves(c.Context(), &p)
			})
			if err != nil {
				return err
			}
			rows, ids := [][]string(nil), []string(nil)
			for _, m := range all {
				ids = append(ids, m.ID)
				rows = append(rows, []string{m.ID, string(m.Partition), m.From.String(), m.To.String(), string(m.Stage), count(m.Progress.Docs), since(m.Created)})
			}
			return errors.Join(append(unreadable, answer(c, all, func() error {
				return table(c.OutOrStdout(), []string{"MOVE", "TENANT", "FROM", "TO", "STAGE", "DOCS", "AGE"}, rows)
			}, ids...))...)
		}),
	}
	c.Flags().BoolVar(&active, "active", false, "only moves that have not flipped, aborted or failed")
	c.Flags().StringVar(&tenant, "tenant", "", "only moves of this tenant")
	_ = c.RegisterFlagCompletionFunc("tenant", completeTenants)
	fleetFlags(c)
	outputFlag(c, "the moves' ids")
	return c
}

func movesShow() *cobra.Command {
	return oneMove(&cobra.Command{
		Use:     "show MOVE|TENANT",
		Short:   "Show a move, or a tenant's newest one, with its timeline and receipt",
		Example: "  sluice moves show m1k2j3h4g5abcdef\n  sluice moves show acme -o json",
	}, func(c *cobra.Command, f *fleet, id string) error {
		v, err := client.Read[control.MoveView](f.GetMove(c.Context(), id))
		if err != nil {
			return err
		}
		return answer(c, v, func() error { return writeMove(c.OutOrStdout(), v.Move, rollbackRow(v)) }, id)
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
	}, func(c *cobra.Command, f *fleet, id string) error { return watchMove(c, f, id) })
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
	}, func(c *cobra.Command, f *fleet, id string) error {
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
		m, err := client.Read[control.Move](f.SetMove(c.Context(), id, nil, givenBounds(b)))
		if err != nil {
			return err
		}
		return answer(c, m, func() error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "move %s: pause budget %s, cutover deadline %s, drift %s; copy: %s\n", m.ID, m.Options.PauseBudget, m.Options.CutoverDeadline, driftPolicy(m.Options.AcceptDrift), copyBounds(m.Options))
			return err
		}, m.ID)
	})
	limits.add(c)
	c.Flags().IntVar(&differences, "shadow-max-differences", 0, "begin the cutover when at most so many shadow reads differ at the target or fail there")
	c.Flags().BoolVar(&accept, "accept-drift", false, "take over what somebody has written around the proxies, instead of waiting; --accept-drift=false waits again")
	c.Flags().DurationVar(&budget, "pause-budget", 0, "hold writes only when the predicted pause is at most this")
	c.Flags().DurationVar(&deadline, "cutover-deadline", 0, "undo a cutover that takes longer, and try again; below the proxies' hold deadline, or held writes fail")
	return c
}

// givenBounds are bounds for a request.
func givenBounds(b control.Bounds) client.SetMoveInputBody {
	out := client.SetMoveInputBody{PauseBudget: (*int64)(b.PauseBudget), CutoverDeadline: (*int64)(b.CutoverDeadline),
		CopyRate: b.CopyRate, CopyBytes: b.CopyBytes, CopyEager: b.CopyEager, AcceptDrift: b.AcceptDrift}
	if b.CopyHours != nil {
		out.CopyHours = new(as[[]client.GivenWindow](*b.CopyHours))
	}
	if b.ShadowMaxDifferences != nil {
		out.ShadowMaxDifferences = new(int64(*b.ShadowMaxDifferences))
	}
	return out
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
	}, func(c *cobra.Command, f *fleet, id string) error {
		ask := f.ResumeMove
		if pause {
			ask = func(ctx context.Context, id string, _ *client.ResumeMoveParams, with ...client.RequestEditorFn) (*http.Response, error) {
				return f.PauseMove(ctx, id, nil, with...)
			}
		}
		m, err := client.Read[control.Move](ask(c.Context(), id, nil))
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
	}, func(c *cobra.Command, f *fleet, id string) error {
		m, err := client.Read[control.Move](f.AbortMove(c.Context(), id, nil))
		if err != nil {
			return err
		}
		if wait {
			// Aborted is what was asked for here, so it is no failure.
			var aborted *moveError
			err := watchMove(c, f, id)
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
	return answer(c, m, func() error {
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s of move %s requested; `sluice moves show %s` tells when it is done\n", what, m.ID, m.ID)
		return err
	}, m.ID)
}

// oneMove completes a command about one move.
func oneMove(c *cobra.Command, do func(*cobra.Command, *fleet, string) error) *cobra.Command {
	tenants := strings.Contains(c.Use, "TENANT")
	c.Args = args(cobra.ExactArgs(1))
	c.RunE = onFleet(func(c *cobra.Command, f *fleet, a []string) error {
		id, err := findMove(c.Context(), f, a[0], tenants)
		if err != nil {
			return err
		}
		return do(c, f, id)
	})
	c.ValidArgsFunction = completeMoves
	fleetFlags(c)
	outputFlag(c, "the move's id")
	return c
}

// maxID is the most bytes that the id of a move may have; a tenant's name may have more.
const maxID = 64

// findMove returns the id of a move that is named by itself or, where that may
// not remove anything, by its tenant.
func findMove(ctx context.Context, f *fleet, name string, tenants bool) (string, error) {
	if name == "" {
		return "", &placement.InvalidError{Field: "MOVE", Value: "", Fix: "must be a move's id; `sluice moves list` shows them"}
	}
	if len(name) <= maxID {
		m, err := client.Read[client.MoveView](f.GetMove(ctx, name))
		if err == nil || !isCode(err, api.CodeUnknownMove) {
			return m.ID, err
		}
	}
	if tenants {
		p, err := client.Read[client.Page[client.Move]](f.ListMoves(ctx, &client.ListMovesParams{Tenant: &name, Limit: new(int64(1))}))
		if err != nil {
			return "", err
		}
		if len(p.Items) > 0 {
			return p.Items[0].ID, nil
		}
	}
	return "", refused("unknown move %q; `sluice moves list` shows all", name)
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

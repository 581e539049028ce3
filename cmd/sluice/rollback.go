package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

func movesRollback() *cobra.Command {
	var wait bool
	var o control.MoveOptions
	c := &cobra.Command{
		Use:   "rollback MOVE|TENANT",
		Short: "Take a tenant back to the old copy that its last move has left, with all that was written since",
		Long: `Take a tenant back to the old copy that its last move has left, with all that was written,
deleted and changed since. It is a move of its own, with the same guarantees, pause and
receipt, but nothing is copied again that is there, so it takes a fraction of the time. It
may lead to an older version of OpenSearch, unless that does not accept the mappings as they
have become.

It is possible until the old copy is retired; sluice moves show tells. Refused is a move into
or out of a shared index, and an old copy that somebody has written to around the proxies: use
a new move then. Afterwards the copy that was rolled back from is the old one: it is kept,
blocked for writes, until sluice moves retire removes it, and can be gone back to in turn.
Until the tenant has flipped, sluice moves abort leaves it where it is.`,
		Example: "  sluice moves rollback acme --wait\n  sluice moves rollback m1k2j3h4g5abcdef --pause-budget 500ms --wait -o json",
		Args:    args(cobra.ExactArgs(1)),
		RunE: onStore(func(c *cobra.Command, s *openedStore, a []string) error {
			id, err := lastMove(c.Context(), s.Store, a[0])
			if err != nil {
				return err
			}
			if !c.Flags().Changed("pause-budget") {
				o.PauseBudget = s.cfg.Controller.PauseBudget
			}
			if !c.Flags().Changed("cutover-deadline") {
				o.CutoverDeadline = s.cfg.Controller.CutoverDeadline
			}
			o.DrainBarrier = s.cfg.Controller.DrainBarrier
			m, err := control.RequestRollback(c.Context(), s.Store, id, o)
			if err != nil {
				return err
			}
			warnWithoutController(c, s.Store)
			switch {
			case wait:
				return watchMove(c, s.Store, m.ID)
			case wantJSON(c):
				return writeJSON(c.OutOrStdout(), m)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "move %s requested: it takes %s back from %s to %s\nwatch it with: sluice moves watch %s\n", m.ID, printable(string(m.Partition)), m.From, m.To, m.ID)
			return err
		}),
	}
	c.ValidArgsFunction = completeMoves
	f := c.Flags()
	f.BoolVar(&wait, "wait", false, "watch until the tenant has flipped, print the receipt, and exit by the outcome")
	f.DurationVar(&o.PauseBudget, "pause-budget", 0, "hold writes only when the predicted pause is at most this (default controller.pause_budget)")
	f.DurationVar(&o.CutoverDeadline, "cutover-deadline", 0, "undo a cutover that takes longer, and try again (default controller.cutover_deadline)")
	storeFlags(c)
	outputFlag(c)
	return c
}

// lastMove is findMove that takes a tenant for the move which has left its old copy,
// not for the newest, which may have failed since.
func lastMove(ctx context.Context, s *store.Store, name string) (string, error) {
	id, err := findMove(ctx, s, name, false)
	if err == nil {
		return id, nil
	}
	e, serr := s.State(ctx, placement.PartitionID(name))
	switch {
	case errors.Is(serr, placement.ErrUnknownPartition), placement.PartitionID(name).Validate() != nil:
		return "", err
	case serr != nil:
		return "", serr
	case e.PreviousMove == "":
		return "", refused("tenant %q has no old copy to go back to", name)
	}
	return e.PreviousMove, nil
}

// rollbackRow says whether a move that has flipped can be rolled back.
func rollbackRow(v control.MoveView) []string {
	switch {
	case v.Rollback == nil:
		return nil
	case v.Rollback.Possible:
		until := "the old copy is retired"
		if !v.RetireAt.IsZero() {
			until += " at " + v.RetireAt.Local().Format(time.DateTime)
		}
		return []string{"rollback", "possible until " + until + ": sluice moves rollback " + v.ID}
	}
	return []string{"rollback", v.Rollback.Reason}
}

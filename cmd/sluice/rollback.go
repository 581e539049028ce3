package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
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
		RunE: onFleet(func(c *cobra.Command, f *fleet, a []string) error {
			id, err := lastMove(c, f, a[0])
			if err != nil {
				return err
			}
			m, err := client.Read[control.Move](f.RollbackMove(c.Context(), id, nil, client.RollbackInputBody{
				PauseBudget: given(int64(o.PauseBudget)), CutoverDeadline: given(int64(o.CutoverDeadline))}))
			if err != nil {
				return err
			}
			warnWithoutController(c, f)
			if wait {
				return watchMove(c, f, m.ID)
			}
			return answer(c, m, func() error {
				_, err := fmt.Fprintf(c.OutOrStdout(), "move %s requested: it takes %s back from %s to %s\nwatch it with: sluice moves watch %s\n", m.ID, printable(string(m.Partition)), m.From, m.To, m.ID)
				return err
			}, m.ID)
		}),
	}
	c.ValidArgsFunction = completeMoves
	f := c.Flags()
	f.BoolVar(&wait, "wait", false, "watch until the tenant has flipped, print the receipt, and exit by the outcome")
	f.DurationVar(&o.PauseBudget, "pause-budget", 0, "hold writes only when the predicted pause is at most this (default controller.pause_budget)")
	f.DurationVar(&o.CutoverDeadline, "cutover-deadline", 0, "undo a cutover that takes longer, and try again (default controller.cutover_deadline)")
	fleetFlags(c)
	outputFlag(c, "the new move's id")
	return c
}

// lastMove is findMove that takes a tenant for the move which has left its old copy,
// not for the newest, which may have failed since.
func lastMove(c *cobra.Command, f *fleet, name string) (string, error) {
	id, err := findMove(c.Context(), f, name, false)
	if err == nil {
		return id, nil
	}
	if placement.PartitionID(name).Validate() != nil {
		return "", err
	}
	v, terr := readTenant(c, f, name)
	switch {
	case isCode(terr, api.CodeUnknownTenant):
		return "", err
	case terr != nil:
		return "", terr
	case v.PreviousBy == "":
		return "", refused("tenant %q has no old copy to go back to", name)
	}
	return v.PreviousBy, nil
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

package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
)

// precheck is the dry run: it changes nothing, and is refused when something is
// in the way, so that a script can branch on its exit code.
func precheck(c *cobra.Command, f *fleet, req client.MoveRequest) error {
	v, err := client.Read[control.PrecheckView](f.PrecheckMove(c.Context(), req))
	if err != nil {
		return moveRefusal(req, err)
	}
	if err := answer(c, v, func() error { return writePrecheck(c, v) }); err != nil {
		return err
	}
	if !v.OK {
		return refused("tenant %q cannot be moved to %s as things are; nothing was changed", req.Tenant, req.To)
	}
	return nil
}

func writePrecheck(c *cobra.Command, v control.PrecheckView) error {
	var rows [][]string
	for _, k := range v.Checks {
		rows = append(rows, []string{k.Name, string(k.Verdict), k.Detail})
	}
	if err := table(c.OutOrStdout(), []string{"CHECK", "VERDICT", "DETAIL"}, rows); err != nil {
		return err
	}
	p := v.Prediction
	if p == nil {
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s documents, %s in %d indices\n", count(v.Docs), size(v.Bytes), v.Indices)
		return err
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s documents, %s in %d indices; copying takes about %s, and writes are held for about %s\nthe time rests on %s, the pause on %s: %s\n",
		count(v.Docs), size(v.Bytes), v.Indices, clock(p.CopyTime), p.Pause.Round(time.Millisecond), p.RestsOn, p.PauseRestsOn, p.Basis)
	return err
}

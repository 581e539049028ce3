package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/mover"
)

// precheckView is the dry run as the API answers.
type precheckView struct {
	OK            bool          `json:"ok"`
	Checks        []mover.Check `json:"checks"`
	Docs          int64         `json:"docs"`
	Bytes         int64         `json:"bytes"`
	Indices       int           `json:"indices"`
	Shards        int           `json:"shards"`
	SourceVersion string        `json:"source_version"`
	TargetVersion string        `json:"target_version"`
	CopySeconds   float64       `json:"copy_seconds"`
	// CopiedBy is left out if nobody has put a scan into question.
	CopiedBy *mover.Choice `json:"copied_by,omitempty"`
	// Prediction says by itself what it rests on; nil where something is in the way.
	Prediction *control.Prediction `json:"prediction,omitempty"`
}

// precheck is the dry run: it changes nothing, and is refused when something is
// in the way, so that a script can branch on its exit code.
func precheck(c *cobra.Command, f *fleet, req client.MoveRequest) error {
	v, err := client.Read[precheckView](f.PrecheckMove(c.Context(), req))
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

func writePrecheck(c *cobra.Command, v precheckView) error {
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

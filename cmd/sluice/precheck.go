package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/store"
)

// precheckView is the dry run for programs.
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
func precheck(c *cobra.Command, s *store.Store, req control.Request) error {
	r, err := control.Precheck(c.Context(), s, req)
	if err != nil {
		return moveRefusal(c.Context(), s, req, err)
	}
	var p *control.Prediction
	if !r.Failed() {
		made, err := control.PredictMove(c.Context(), s, req, r)
		if err != nil {
			return err
		}
		p, r.CopyTime = &made, made.CopyTime
	}
	if wantJSON(c) {
		err = writeJSON(c.OutOrStdout(), precheckView{!r.Failed(), r.Checks, r.Docs, r.Bytes, r.Indices, r.Shards,
			r.SourceVersion, r.TargetVersion, r.CopyTime.Seconds(), r.Copy, p})
	} else {
		err = writePrecheck(c, r, p)
	}
	if err == nil && r.Failed() {
		return refused("tenant %q cannot be moved to %s as things are; nothing was changed", string(req.Partition), req.Cluster)
	}
	return err
}

func writePrecheck(c *cobra.Command, r mover.Report, p *control.Prediction) error {
	var rows [][]string
	for _, k := range r.Checks {
		rows = append(rows, []string{k.Name, string(k.Verdict), k.Detail})
	}
	if err := table(c.OutOrStdout(), []string{"CHECK", "VERDICT", "DETAIL"}, rows); err != nil {
		return err
	}
	if p == nil {
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s documents, %s in %d indices\n", count(r.Docs), size(r.Bytes), r.Indices)
		return err
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s documents, %s in %d indices; copying takes about %s, and writes are held for about %s\nthe time rests on %s, the pause on %s: %s\n",
		count(r.Docs), size(r.Bytes), r.Indices, clock(p.CopyTime), p.Pause.Round(time.Millisecond), p.RestsOn, p.PauseRestsOn, p.Basis)
	return err
}

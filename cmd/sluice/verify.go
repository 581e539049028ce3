package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// verifyFlags are what a move, or each of a wave, compares and what it makes of it.
func verifyFlags(c *cobra.Command, o *control.MoveOptions) {
	f := c.Flags()
	f.StringVar((*string)(&o.Verify), "verify", string(control.VerifyVersions), "what to compare before the cutover: versions (every id, routing and version), or content (the documents too)")
	f.BoolVar(&o.AcceptDrift, "accept-drift", false, "take over what somebody has written around the proxies, instead of waiting because of it")
	_ = c.RegisterFlagCompletionFunc("verify", cobra.FixedCompletions([]string{string(control.VerifyVersions), string(control.VerifyContent)}, cobra.ShellCompDirectiveNoFileComp))
}

// checkVerify refuses what --verify cannot be.
func checkVerify(v control.Verify) error {
	if v != control.VerifyVersions && v != control.VerifyContent {
		return &placement.InvalidError{Field: "--verify", Value: string(v), Fix: "must be versions or content"}
	}
	return nil
}

func driftPolicy(accept bool) string {
	if accept {
		return "accepted"
	}
	return "waited for"
}

// compared is how far a verification is.
func compared(m control.Move) []string {
	p := m.Progress.Comparing
	if p == nil || m.Stage != control.StageVerifying {
		return nil
	}
	out := []string{fmt.Sprintf("%s / %s documents of both sides compared", count(p.Scanned), count(p.Total))}
	if p.ETA > 0 {
		out = append(out, "ETA "+clock(p.ETA))
	}
	return out
}

// verifiedText is the result of a verification.
func verifiedText(v control.DiffCounts) string {
	what := "ids and versions"
	if v.Mode == control.VerifyContent {
		what = "ids, versions and contents"
	}
	kinds := fmt.Sprintf("%s missing, %s extra, %s older", count(v.Missing), count(v.Extra), count(v.Older))
	if v.Routing > 0 {
		kinds += fmt.Sprintf(", %s with another routing", count(v.Routing))
	}
	if v.Mode == control.VerifyContent {
		kinds += fmt.Sprintf(", %s with another content", count(v.Content))
	}
	text := fmt.Sprintf("%s %s compared; at first sight %s; unexplained %s", count(v.Scanned), what, kinds, count(v.Unsettled))
	if v.Accepted > 0 {
		text += fmt.Sprintf("; %s written around the proxies were accepted", count(v.Accepted))
	}
	if v.Late > 0 {
		text += fmt.Sprintf("; %s more operations went around the proxies during the cutover, which the target may lack", count(v.Late))
	}
	return text
}

// driftRows are what was written around the proxies: by index, and by document as far
// as the record names them.
func driftRows(m control.Move) [][]string {
	if m.Drift == nil {
		return nil
	}
	rows := [][]string{{"drift", fmt.Sprintf("%s documents that no proxy has journaled, %s accepted", count(m.Drift.Documents), count(m.Drift.Accepted))}}
	for _, i := range m.Drift.Indices {
		after := "before the move, or at the target, or since"
		if i.After != nil {
			after = "after " + i.After.Local().Format(time.DateTime)
		}
		rows = append(rows, []string{"", fmt.Sprintf("%s in %s: written %s; seen %s to %s", count(i.Documents), printable(i.Index), after, i.Seen.Local().Format(time.DateTime), i.Last.Local().Format(time.TimeOnly))})
	}
	for _, x := range m.Drift.Differences {
		rows = append(rows, []string{"", differenceText(x)})
	}
	if more := m.Drift.Documents - int64(len(m.Drift.Differences)); more > 0 {
		rows = append(rows, []string{"", fmt.Sprintf("and %s more", count(more))})
	}
	return rows
}

// differenceText is one document, with both sides.
func differenceText(x mover.Difference) string {
	name := printable(x.Index + "/" + x.ID)
	if x.Routing != "" {
		name += " routing " + printable(x.Routing)
	}
	return fmt.Sprintf("%-7s %s: source %s, target %s", x.Kind, name, sideText(x.Source), sideText(x.Target))
}

func sideText(s mover.Side) string {
	if !s.Present {
		return "has none"
	}
	parts := []string{fmt.Sprintf("version %d", s.Version)}
	if s.Routing != "" {
		parts = append(parts, "routing "+printable(s.Routing))
	}
	if s.SHA256 != "" {
		parts = append(parts, fmt.Sprintf("%s, sha256 %.8s", size(int64(s.Bytes)), s.SHA256))
	}
	return strings.Join(parts, " ")
}

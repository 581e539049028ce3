package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
)

// shadowFlags are those of moves and of waves. What they return sets the options that
// have no value of their own for "not given".
func shadowFlags(f *pflag.FlagSet, o *control.MoveOptions) func() {
	f.IntVar(&o.ShadowReads, "shadow-reads", 0, fmt.Sprintf("compare up to so many of the tenant's searches on both sides before the flip, %d at most (default none)", gate.MaxShadowReads))
	f.DurationVar(&o.ShadowTime, "shadow-time", 0, fmt.Sprintf("time that the shadow reads may add to a move (default %s)", control.DefaultShadowTime))
	limit := f.Int("shadow-max-differences", 0, "begin no cutover when more shadow reads than this differ at the target or fail there (default any number)")
	return func() {
		if f.Changed("shadow-max-differences") {
			o.ShadowMaxDifferences = limit
		}
	}
}

// shadowLines are the shadow reads of a move for people: what, and each difference.
func shadowLines(r *control.ShadowReads) []string {
	if r == nil {
		return nil
	}
	if !r.Done {
		return []string{fmt.Sprintf("%d of %d sampled, of %s searches", r.Sampled, r.Asked, count(int64(r.Seen)))}
	}
	if r.Sampled == 0 {
		out := "no searches came while they were sampled; nothing was compared"
		if r.Silent > 0 {
			out += fmt.Sprintf(" (%d proxies did not sample)", r.Silent)
		}
		return []string{out}
	}
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(r.Equal, "equal")
	add(r.ScoresOnly, "equal but for scores")
	add(r.Differing, "differ")
	add(r.Unsettled, "kept changing")
	add(r.FailedSource, "failed at the source")
	add(r.FailedTarget, "failed at the target")
	add(r.Uncompared, "not compared")
	out := []string{
		fmt.Sprintf("%d of %s searches: %s", r.Sampled, count(int64(r.Seen)), strings.Join(parts, ", ")),
		fmt.Sprintf("p50 %.1f ms and p95 %.1f ms at the source, %.1f ms and %.1f ms at the target", r.Source.P50MS, r.Source.P95MS, r.Target.P50MS, r.Target.P95MS),
	}
	if r.Silent > 0 {
		out = append(out, fmt.Sprintf("%d proxies did not sample", r.Silent))
	}
	for _, e := range r.Examples {
		out = append(out, shadowExample(e))
	}
	return out
}

// shadowExample describes a difference.
func shadowExample(e control.ShadowDifference) string {
	where := e.Endpoint
	if e.Item > 0 {
		where += fmt.Sprintf(", search %d", e.Item)
	}
	where += " by " + e.Proxy + ": "
	switch e.Outcome {
	case gate.ShadowFailedSource:
		return where + "failed at the source: " + e.Source.Failed
	case gate.ShadowFailedTarget:
		return where + "failed at the target: " + e.Target.Failed
	}
	where += strings.Join(e.Parts, ", ") + " differ"
	if e.Source.Total >= 0 || e.Target.Total >= 0 {
		where += fmt.Sprintf("; %s hits at the source, %s at the target", total(e.Source), total(e.Target))
	}
	if len(e.Positions) > 0 {
		where += "; at " + strings.Trim(fmt.Sprint(e.Positions), "[]")
	}
	return where
}

func total(a gate.ShadowAnswer) string {
	switch {
	case a.Total < 0:
		return "uncounted"
	case a.Capped:
		return count(a.Total) + " or more"
	}
	return count(a.Total)
}

package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/sluiceproxy/sluice/bench/report"
)

// results is what was measured.
type results struct {
	plan
	Startup float64  `json:"elasticdump_startup_s"` // taken off its times
	Samples []sample `json:"samples"`

	machine    report.Machine
	opensearch string
}

// of returns something of every sample of one contender.
func (r *results) of(by string, what func(sample) float64) []float64 {
	var out []float64
	for _, s := range r.Samples {
		if s.By == by {
			out = append(out, what(s))
		}
	}
	return out
}

func (r *results) report() *report.Result {
	rate := func(s sample) float64 { return float64(r.Docs) / s.Seconds }
	effort := func(s sample) float64 { return float64(r.Docs) / max(s.Target, 0.01) }
	best, bestOf := 0.0, ""
	for _, by := range []string{reindex, elasticdump, python} {
		if m := median(r.of(by, rate)); m > best {
			best, bestOf = m, by
		}
	}
	flags, processors := " -apart=false", "All share the machine's processors"
	notes := "Source and target share the machine's processors, so whoever reads the source takes from what the target could do; the plain load has no source, and what it takes is a bound for all that write document by document. " +
		"The rows of documents per second of the target's processor leave that out: they say what a document costs the target. "
	if r.Target != "" {
		flags, processors = "", "The target has half of the processors for itself, everything else has the others, so that who reads the source takes nothing from the target, as where each cluster has its own machines"
		notes = "The plain load is what the target's processors allow to whoever writes document by document. "
	}
	out := &report.Result{
		Name: fmt.Sprintf("copy-%d", r.Size), Title: fmt.Sprintf("A copy of documents of %d bytes", r.Size), Order: 100, Machine: r.machine, Raw: r,
		Command: fmt.Sprintf("make bench-copy COPY=\"-size %d -rounds %d%s\"", r.Size, r.Rounds, flags),
		Method: fmt.Sprintf("Two OpenSearch %s nodes with %d MiB of heap each, a controller and a proxy are processes of their own, on one machine. %s. In each of %d rounds an index of %d documents "+
			"in %d shards is copied by each contender, one after the other, in an order that turns; a round before does not count. No index is refreshed while it is filled. "+
			"A move copies as it does by default, by reading and writing documents (sluice move), but without its throttle (--copy-throttle off), as nobody else uses the clusters; or, where that is asked for, by "+
			"snapshot and restore (--copy snapshot) with a repository in a directory that both nodes see and that has no limit of bytes a second. Its time and processor time are those of its copying stage, without "+
			"the comparison of every version that follows; it reads the documents' versions too and writes them with those. _reindex and helpers.reindex take 1,000 documents at a time, elasticdump as well, from whose time its start (%.2f s) is taken off, and the interpreter's start "+
			"is not in that of helpers.reindex. The plain load sends the same documents in requests of 4 MiB, %d at a time, and reads nothing; a move sends two at a time, of up to 1,000 documents. The spread is the least to the most.",
			r.opensearch, r.HeapMB, processors, r.Rounds, r.Docs, r.Shards, r.Startup, r.Writers),
		Notes: notes + "A snapshot copies the files of segments, so nothing is indexed again; [Moves](moves.md#by-snapshot) says what it needs and when it is chosen.",
	}
	row := func(what, by string, value func(sample) float64, format string) report.Row {
		v := r.of(by, value)
		return report.Row{What: what, Value: fmt.Sprintf(format, median(v)), N: len(v), Spread: fmt.Sprintf(format+" to "+format, slices.Min(v), slices.Max(v))}
	}
	against := func(x report.Row, name string, mine, other float64, format string) report.Row {
		x.Against, x.Other, x.Ratio = name, fmt.Sprintf(format, other), math.Round(mine/other*100)/100
		return x
	}
	const docs = "%.0f docs/s"
	ceiling := median(r.of(plain, rate))
	for _, by := range []string{move, snapshot} {
		what := map[string]string{move: "copied by a move", snapshot: "copied by a move, by snapshot"}[by]
		ours := median(r.of(by, rate))
		for _, o := range []string{reindex, elasticdump, python} {
			x := against(row(what, by, rate, docs), o, ours, median(r.of(o, rate)), docs)
			if o == bestOf {
				x.Against += ", the best"
				x.Target = ">= 2 times the best"
				x.JudgeAtLeast(ours/best, 2)
			}
			out.Rows = append(out.Rows, x)
		}
		x := against(row(what, by, rate, docs), plain, ours, ceiling, docs)
		x.Target = ">= 0.9 times the plain load"
		x.JudgeAtLeast(ours/ceiling, 0.9)
		out.Rows = append(out.Rows, x)
	}
	const perS = "%.0f docs"
	out.Rows = append(out.Rows, against(row("documents per second of the target's processor, while a move copies", move, effort, perS), plain, median(r.of(move, effort)), median(r.of(plain, effort)), perS))
	for _, by := range []string{move, snapshot, reindex, elasticdump, python, plain} {
		out.Rows = append(out.Rows, row("processor time of both nodes, the copy: "+by, by, func(s sample) float64 { return s.Source + s.Target }, "%.2f s"))
	}
	for _, by := range []string{move, snapshot} {
		out.Rows = append(out.Rows,
			row("processor time of the controller, the copy: "+by, by, func(s sample) float64 { return s.Controller }, "%.2f s"),
			row("processor time of nodes and controller, the whole move: "+by, by, func(s sample) float64 { return s.WholeUsed }, "%.2f s"),
			row("asked for, copied, every version compared, flipped: "+by, by, func(s sample) float64 { return s.Whole }, "%.1f s"))
	}
	out.Rows = append(out.Rows, row("most memory of the controller until then", move, func(s sample) float64 { return s.PeakMB }, "%.0f MiB"))
	return out
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

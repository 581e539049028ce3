package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
	"github.com/sluiceproxy/sluice/internal/load"
)

// results is what was measured.
type results struct {
	plan
	Done   []moved     `json:"done"`
	Counts load.Counts `json:"counts"`

	machine          report.Machine
	opensearch, etcd string
}

// timed is how long a barrier that waits by time alone holds writes, in milliseconds.
const timed = 30_000.0

func (r *results) of(what func(moved) float64) []float64 {
	out := make([]float64, len(r.Done))
	for i, m := range r.Done {
		out[i] = what(m)
	}
	return out
}

func (r *results) report() *report.Result {
	held, errs, tries := 0, 0, 0
	for _, m := range r.Done {
		held, errs, tries = held+m.Held, errs+m.Errors, tries+m.Cutovers
	}
	out := &report.Result{
		Name: "pause", Title: "How long a move holds writes", Order: 120, Command: "make bench-pause", Machine: r.machine, Raw: r,
		Method: fmt.Sprintf("Two OpenSearch %s nodes, an etcd %s, a controller and %d proxies are processes of their own, on one machine. %d clients do %.0f operations a second through all proxies, "+
			"half of them writes, on a tenant of %d documents, which is moved there and back, copied without a throttle, and its old copy retired after each move; four moves before do not count. A move counts once, with its longest hold. "+
			"Clients measure with their own clocks: all writes of which any part fell between the request for a move and its flip, against those of the %v before each move, in which nothing moves. "+
			"At the end every acknowledged write was there. The spread is p10 to p90 over the moves.",
			r.opensearch, r.etcd, r.Proxies, r.Clients, r.Rate, r.Docs, r.Calm),
		Notes: fmt.Sprintf("%d writes were held, %d cutovers tried for %d moves; clients were answered with %d errors because of moves. A move without a held write has a hold of 0.", held, tries, len(r.Done), errs),
	}
	row := func(what string, q float64, value func(moved) float64) report.Row {
		v := r.of(value)
		return report.Row{What: what, Value: fmt.Sprintf("%.1f ms", at(v, q)), N: len(v), Spread: fmt.Sprintf("%.1f to %.1f ms", at(v, .1), at(v, .9))}
	}
	longest := func(m moved) float64 { return m.Longest }
	for _, t := range []struct {
		name     string
		q, limit float64
	}{{"p50", .5, 25}, {"p99", .99, 100}} {
		x := row("longest hold of a move, "+t.name, t.q, longest)
		x.Against, x.Other, x.Ratio = "a timed barrier", fmt.Sprintf("%.0f ms", timed), math.Round(at(r.of(longest), t.q)/timed*1e5)/1e5
		x.Target = fmt.Sprintf("<= %.0f ms", t.limit)
		x.Judge(at(r.of(longest), t.q), t.limit)
		out.Rows = append(out.Rows, x)
	}
	in := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	for _, t := range []struct {
		what        string
		during, not func(moved) float64
	}{
		{"slowest write that a client had during a move", func(m moved) float64 { return in(m.Writes.Max) }, func(m moved) float64 { return in(m.Calm.Max) }},
		{"median write of the clients during a move", func(m moved) float64 { return in(m.Writes.P50) }, func(m moved) float64 { return in(m.Calm.P50) }},
	} {
		for _, q := range []float64{.5, .99} {
			x := row(fmt.Sprintf("%s, p%.0f", t.what, 100*q), q, t.during)
			other := at(r.of(t.not), q)
			x.Against, x.Other, x.Ratio = fmt.Sprintf("in %v without a move", r.Calm), fmt.Sprintf("%.1f ms", other), math.Round(at(r.of(t.during), q)/max(other, .001)*100)/100
			out.Rows = append(out.Rows, x)
		}
	}
	for _, p := range []struct {
		what  string
		value func(moved) float64
	}{
		{"the cutover, as the controller sees it", func(m moved) float64 { return m.Whole }},
		{"of it: the barrier over all proxies", func(m moved) float64 { return m.Barrier }},
		{"of it: the last round, and a look at both sides", func(m moved) float64 { return m.LastRound }},
		{"of it: checking, refreshing and sealing the target", func(m moved) float64 { return m.Seal }},
		{"of it: the store's transitions, and what is left", func(m moved) float64 { return max(0, m.Whole-m.Barrier-m.LastRound-m.Seal) }},
	} {
		out.Rows = append(out.Rows, row(p.what+", p50", .5, p.value))
	}
	took := r.of(func(m moved) float64 { return m.Took })
	out.Rows = append(out.Rows, report.Row{What: "a whole move until its flip, p50", Value: fmt.Sprintf("%.2f s", at(took, .5)), N: len(took), Spread: fmt.Sprintf("%.2f to %.2f s", at(took, .1), at(took, .9))})
	return out
}

// at is a quantile.
func at(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return s[max(0, int(math.Ceil(q*float64(len(s))))-1)]
}

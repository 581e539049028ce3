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
	Cutovers map[int][]cutover `json:"cutovers"` // by the number of instances
	Crowd    []crowd           `json:"crowd"`
	Turns    []turn            `json:"turns"`

	machine report.Machine
	etcd    string
}

// targets of the time to acknowledge, in milliseconds, by the number of instances.
var targets = map[int]float64{10: 10, 100: 25, 1000: 150}

// report makes the rows.
func (r *results) report() *report.Result {
	out := &report.Result{
		Name: "fleet", Title: "A fleet acknowledges a cutover; moves that only flip", Order: 110, Command: "make bench-fleet", Machine: r.machine, Raw: r,
		Method: fmt.Sprintf("An etcd %s is a process of its own. The instances are gates, the code that a proxy runs, with a replica, a session and a publisher each, "+
			"and each with an etcd client and a connection of its own; all of them, and the controller with another connection, are in one process beside it. Fleets of %s instances "+
			"exist at the same time, over tables of their own, and take turns in every round, in an order that is turned; two rounds before do not count. "+
			"The time is from the answer to the write that enters the cutover until the controller's barrier has passed. Writes are counted by etcd's revision. "+
			"Moves that only flip are begin, enter the cutover, wait for the barrier, complete, of %d tenants; after each turn of them the same number of clients makes "+
			"three conditional writes after one another as often, which is the store's limit; a first turn of each does not count. The spread is p10 to p90, of turns the least to the most.",
			r.etcd, numbersText(r.Sizes), r.Flips),
		Notes: "A move is three transitions, each decided on the entry that the one before has left and written, and two looks at the roster and the sessions: the barrier that is waited for, and the one that the completion proves; the limit is three writes and no read.",
	}
	for _, n := range r.Sizes {
		out.Rows = append(out.Rows, r.acknowledged(n)...)
	}
	for _, n := range r.Crowds {
		out.Rows = append(out.Rows, r.crowded(n)...)
	}
	for _, s := range []string{"memory", "etcd", acknowledging} {
		for _, n := range r.AtOnce {
			out.Rows = append(out.Rows, r.flipped(s, n))
		}
	}
	return out
}

func (r *results) acknowledged(n int) []report.Row {
	var acked, whole, through, after []float64
	for _, c := range r.Cutovers[n] {
		acked, whole = append(acked, c.Acked), append(whole, c.Published+c.Acked)
		through, after = append(through, float64(c.Through)), append(after, float64(c.After))
	}
	a := report.Row{What: fmt.Sprintf("cutover published until all of %d instances have acknowledged, median", n), Value: fmt.Sprintf("%.1f ms", at(acked, .5)),
		N: len(acked), Spread: fmt.Sprintf("%.1f to %.1f ms", at(acked, .1), at(acked, .9))}
	if limit := targets[n]; limit > 0 {
		a.Target = fmt.Sprintf("<= %.0f ms", limit)
		a.Judge(at(acked, .5), limit)
	}
	w := report.Row{What: fmt.Sprintf("store writes of a cutover of %d instances, until the flip is written, median", n), Value: fmt.Sprintf("%.0f", at(through, .5)), N: len(through),
		Spread: fmt.Sprintf("%.0f to %.0f", at(through, .1), at(through, .9)), Target: fmt.Sprintf("<= %d (instances + 3)", n+3)}
	w.Judge(at(through, .5), float64(n+3))
	return []report.Row{a,
		{What: fmt.Sprintf("the same with the write that enters the cutover, %d instances", n), Value: fmt.Sprintf("%.1f ms", at(whole, .5)), N: len(whole), Spread: fmt.Sprintf("%.1f to %.1f ms", at(whole, .1), at(whole, .9))},
		w,
		{What: fmt.Sprintf("and with the acknowledgements of the flip, which nobody waits for, %d instances", n), Value: fmt.Sprintf("%.0f", at(after, .5)), N: len(after), Spread: fmt.Sprintf("%.0f to %.0f", at(after, .1), at(after, .9))},
	}
}

func (r *results) crowded(n int) []report.Row {
	var took, writes, one []float64
	for _, c := range r.Crowd {
		if c.AtOnce == n {
			took, writes = append(took, c.Took), append(writes, c.Writes)
		}
		if c.AtOnce == 1 {
			one = append(one, c.Writes)
		}
	}
	w := report.Row{What: fmt.Sprintf("store writes per cutover, %d at the same time, %d instances", n, r.Crowded), Value: fmt.Sprintf("%.1f", at(writes, .5)), N: len(writes),
		Spread: fmt.Sprintf("%.1f to %.1f", at(writes, .1), at(writes, .9))}
	if n > 1 && len(one) > 0 {
		w.Against, w.Other, w.Ratio = "one alone", fmt.Sprintf("%.1f", at(one, .5)), math.Round(at(writes, .5)/at(one, .5)*1000)/1000
		w.Target = "fewer than one alone"
		w.Judge(w.Ratio, 0.999)
	}
	return []report.Row{w, {What: fmt.Sprintf("from the first write until all have acknowledged all, %d at the same time", n), Value: fmt.Sprintf("%.1f ms", at(took, .5)), N: len(took),
		Spread: fmt.Sprintf("%.1f to %.1f ms", at(took, .1), at(took, .9))}}
}

func (r *results) flipped(s string, n int) report.Row {
	var moves, limit []float64
	for _, t := range r.Turns {
		if t.Store == s && t.AtOnce == n {
			moves, limit = append(moves, t.Moves), append(limit, t.Limit)
		}
	}
	return report.Row{What: fmt.Sprintf("moves that only flip, %s, %d at once", s, n), Against: "three writes of the store alone", Value: fmt.Sprintf("%.0f moves/s", at(moves, .5)),
		Other: fmt.Sprintf("%.0f/s", at(limit, .5)), Ratio: math.Round(at(moves, .5)/at(limit, .5)*1000) / 1000, N: len(moves) * r.Flips,
		Spread: fmt.Sprintf("%.0f to %.0f", at(moves, 0), at(moves, 1))}
}

// at is a quantile.
func at(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	return s[max(0, int(math.Ceil(q*float64(len(s))))-1)]
}

func numbersText(n []int) string {
	s := ""
	for i, x := range n {
		switch {
		case i == 0:
		case i == len(n)-1:
			s += " and "
		default:
			s += ", "
		}
		s += fmt.Sprint(x)
	}
	return s
}

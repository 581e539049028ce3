package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
)

// result is what was measured. Times are in milliseconds, as the quiet tenant's client
// saw them, on the machine that ran proxy, cluster and all clients.
type result struct {
	OpenSearch string `json:"opensearch"`
	Plan       plan   `json:"plan"`
	Cases      []cell `json:"cases"`
	// Ratios are the quiet tenant's times with the flood over those without.
	Ratios []ratio `json:"ratios"`
}

// cell is one case, all rounds together.
type cell struct {
	Limit bool    `json:"limit"`
	Flood bool    `json:"flood"`
	N     int     `json:"n"` // requests of the quiet tenant
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
	// What became of the flood's requests.
	Served  int64 `json:"flood_served"`
	Refused int64 `json:"flood_refused"`
}

// ratio compares two cases.
type ratio struct {
	Limit bool    `json:"limit"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
}

// fill sums the samples of a case up.
func (c *cell) fill(samples []time.Duration) {
	slices.Sort(samples)
	at := func(q float64) float64 {
		return round(float64(samples[int(math.Ceil(q*float64(len(samples))))-1]) / 1e6)
	}
	c.N, c.P50, c.P99, c.Max = len(samples), at(.5), at(.99), at(1)
}

// compare fills in the ratios.
func (r *result) compare() {
	for _, limit := range []bool{true, false} {
		calm, flooded := r.of(limit, false), r.of(limit, true)
		r.Ratios = append(r.Ratios, ratio{limit, round(flooded.P50 / calm.P50), round(flooded.P99 / calm.P99)})
	}
}

// of returns a case.
func (r *result) of(limit, flood bool) cell {
	for _, c := range r.Cases {
		if c.Limit == limit && c.Flood == flood {
			return c
		}
	}
	panic("no such case")
}

// report is the result in the form of all benchmarks.
func (r *result) report(m report.Machine) *report.Result {
	out := &report.Result{
		Name: "flood", Order: 70, Title: "What a tenant feels of one that floods", Command: "make bench-flood", Machine: m, Raw: r,
		Method: fmt.Sprintf("One OpenSearch node (%s); one process has the proxy and all clients. The quiet tenant gets documents one after another, with a pause of %v. %d clients of the other tenant search with an aggregation "+
			"over all of its %d documents, as fast as they are answered, and try again %v after a refusal. Four cases take turns in each of %d rounds, %v each, in an order that turns: with and without the flood, "+
			"with a limit of %d requests of one tenant at once and without.", r.OpenSearch, r.Plan.Think, r.Plan.Clients, r.Plan.Docs, r.Plan.Backoff, r.Plan.Rounds, r.Plan.Slice, r.Plan.Limit),
		Notes: "Proxy, node and all clients share the machine's processors: a limit holds a flood off the cluster, not off what refuses it.",
	}
	for _, x := range r.Ratios {
		name, flooded, calm := "with the limit", r.of(x.Limit, true), r.of(x.Limit, false)
		if !x.Limit {
			name = "without"
		}
		row := func(what string, a, b, ratio float64) report.Row {
			return report.Row{What: what + " of the quiet tenant's get, flooded, " + name, Against: "no flood", Value: fmt.Sprintf("%.1f ms", a), Other: fmt.Sprintf("%.1f ms", b), Ratio: ratio, N: flooded.N}
		}
		out.Rows = append(out.Rows, row("p50", flooded.P50, calm.P50, x.P50), row("p99", flooded.P99, calm.P99, x.P99),
			report.Row{What: "searches of the flood served, " + name, Against: "refused", Value: fmt.Sprint(flooded.Served), Other: fmt.Sprint(flooded.Refused), N: int(flooded.Served + flooded.Refused)})
	}
	return out
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
)

// result is what was measured. Times are in milliseconds, as the tenant's clients saw
// them, on the machine that ran the proxy, both clusters, the controller and the clients.
type result struct {
	When       string `json:"when"` // UTC, at the start
	CPUs       int    `json:"cpus"`
	System     string `json:"system"`
	Go         string `json:"go"`
	LoadBefore string `json:"load_before"` // averages over 1, 5 and 15 minutes; of others, since nothing of this had begun
	LoadAfter  string `json:"load_after"`  // of this and of others
	OpenSearch string `json:"opensearch"`
	Method     string `json:"method"`
	Plan       plan   `json:"plan"`
	Cases      []cell `json:"cases"`
	// Ratios are the times while copying over those without a move.
	Ratios []ratio `json:"ratios"`
}

const method = "processes of their own: two OpenSearch nodes, a controller with its etcd, one proxy; clients in this process. Three cases take turns in every round, " +
	"in an order that is turned by one each round: no move; a move that copies with the throttle's defaults; one with --copy-throttle off. A move begins before its turn and is aborted after it. " +
	"A client reads, writes and searches in turn, with a pause between"

// cell is one case, all rounds together.
type cell struct {
	Case   string           `json:"case"`
	Times  map[string]times `json:"times"`                // by kind of request
	Copied float64          `json:"copied_docs_a_second"` // while it was measured
	Slowed []string         `json:"slowed_by,omitempty"`  // what the move said at the end of a turn, each once
	raw    map[string][]time.Duration
}

type times struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50_ms"`
	P90 float64 `json:"p90_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// ratio compares a case with the one without a move.
type ratio struct {
	Case string  `json:"case"`
	Kind string  `json:"kind"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	// Rounds are the p99 ratios of single rounds, in order: how far they scatter.
	Rounds []float64 `json:"rounds_p99"`
}

func newResult(p plan) *result {
	return &result{When: time.Now().UTC().Format(time.RFC3339), CPUs: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		LoadBefore: loadAverage(), Method: method, Plan: p}
}

func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(b)); err == nil && len(f) >= 3 {
		return strings.Join(f[:3], " ")
	}
	return "unknown"
}

func quantile(samples []time.Duration, q float64) float64 {
	s := slices.Sorted(slices.Values(samples))
	return round(float64(s[int(math.Ceil(q*float64(len(s))))-1]) / 1e6)
}

// sum fills in the figures of a case.
func (c *cell) sum() {
	c.Times = map[string]times{}
	for kind, s := range c.raw {
		c.Times[kind] = times{len(s), quantile(s, .5), quantile(s, .9), quantile(s, .99), quantile(s, 1)}
	}
}

// compare fills in the ratios. rounds holds the samples of each round, by case and kind.
func (r *result) compare(rounds []map[string]map[string][]time.Duration) {
	calm := r.Cases[0]
	for _, c := range r.Cases[1:] {
		for _, kind := range kinds {
			x := ratio{c.Case, kind, round(c.Times[kind].P50 / calm.Times[kind].P50), round(c.Times[kind].P99 / calm.Times[kind].P99), nil}
			for _, one := range rounds {
				x.Rounds = append(x.Rounds, round(quantile(one[c.Case][kind], .99)/quantile(one[calm.Case][kind], .99)))
			}
			r.Ratios = append(r.Ratios, x)
		}
	}
}

// report is the result in the form of all benchmarks. The target is a p99 that rises by
// at most a fifth while copying with the throttle's defaults.
func (r *result) report(m report.Machine) *report.Result {
	out := &report.Result{Name: "copying", Order: 60, Title: "What a tenant feels of the copy of its own move", Command: "make bench-copying", Machine: m, Raw: r,
		Method: fmt.Sprintf("Real OpenSearch %s, %d documents. P%s. %d clients, %d rounds of %s each, a pause of %s before each turn. The spread is the p99's ratio in single rounds, from the second lowest to the second highest.",
			r.OpenSearch, r.Plan.Docs, r.Method[1:], r.Plan.Clients, r.Plan.Rounds, r.Plan.Slice, r.Plan.Settle)}
	calm := r.Cases[0]
	for _, x := range r.Ratios {
		i := slices.IndexFunc(r.Cases, func(c cell) bool { return c.Case == x.Case })
		t := r.Cases[i].Times[x.Kind]
		row := report.Row{What: fmt.Sprintf("p99 of a %s, %s at %.0f documents/s", x.Kind, x.Case, r.Cases[i].Copied), Against: calm.Case,
			Value: fmt.Sprintf("%.1f ms", t.P99), Other: fmt.Sprintf("%.1f ms", calm.Times[x.Kind].P99), Ratio: x.P99, N: t.N}
		if s := slices.Sorted(slices.Values(x.Rounds)); len(s) > 3 {
			row.Spread = fmt.Sprintf("%.2f to %.2f", s[1], s[len(s)-2])
		}
		if i == 1 { // with the defaults
			row.Target = "<= 1.20 times"
			row.Judge(x.P99, 1.2)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

package main

import (
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// result is what was measured. Times are in milliseconds, as the quiet tenant's client
// saw them, on the machine that ran proxy, cluster and all clients.
type result struct {
	When       string `json:"when"` // UTC, at the start
	CPUs       int    `json:"cpus"`
	System     string `json:"system"`
	Go         string `json:"go"`
	LoadBefore string `json:"load_before"` // averages over 1, 5 and 15 minutes; of others, since nothing of this had begun
	OpenSearch string `json:"opensearch"`
	Method     string `json:"method"`
	Plan       plan   `json:"plan"`
	Cases      []cell `json:"cases"`
	// Ratios are the quiet tenant's times with the flood over those without.
	Ratios []ratio `json:"ratios"`
}

const method = "one process with the proxy and all clients, one node; four cases take turns in every round, in an order that is turned by one each round; " +
	"the quiet tenant gets a document, waits, and gets the next; the flood searches with an aggregation over all of its documents, as fast as it can"

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

func newResult(p plan) *result {
	r := &result{
		When: time.Now().UTC().Format(time.RFC3339), CPUs: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		LoadBefore: "unknown", Method: method, Plan: p,
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		if f := strings.Fields(string(b)); len(f) >= 3 {
			r.LoadBefore = strings.Join(f[:3], " ")
		}
	}
	return r
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
		var calm, flooded cell
		for _, c := range r.Cases {
			switch {
			case c.Limit == limit && c.Flood:
				flooded = c
			case c.Limit == limit:
				calm = c
			}
		}
		r.Ratios = append(r.Ratios, ratio{limit, round(flooded.P50 / calm.P50), round(flooded.P99 / calm.P99)})
	}
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

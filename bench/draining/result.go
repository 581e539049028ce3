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
	Rates     map[string][]float64 `json:"requests_s"` // of each round
	Requests  int                  `json:"requests"`
	Journaled int64                `json:"journaled"` // entries that were read from the journal

	machine report.Machine
}

// limit is what journaling may cost.
const limit = 0.03

func (r *results) report() *report.Result {
	out := &report.Result{
		Name: "draining", Title: "What journaling costs while a tenant drains", Order: 140, Command: "make bench-draining", Machine: r.machine, Raw: r,
		Method: fmt.Sprintf("A proxy, an etcd, a controller and a stub that answers every request alike are processes of their own; %d clients, each with a connection, write documents of %d bytes with ids in this one, "+
			"%d ids each, again and again. A tenant that is Draining, whose journal is read and confirmed five times a second, and two that are Active take turns of %v in %d rounds, in an order that turns; "+
			"two rounds before do not count. Each round gives one ratio; the value is their mean, the spread twice its standard error.", r.Clients, r.Bytes, r.IDs, r.Slice, r.Rounds),
		Notes: fmt.Sprintf("%d requests, and %d journal entries were read: a document that was written several times between two readings is one. The journal belongs to the tenant and not to a move's speed: "+
			"what reading it costs the proxy is in the figure, what the controller does with it is not.", r.Requests, r.Journaled),
	}
	for _, x := range []struct {
		what, name, against, other string
		judge                      bool
	}{
		{"requests a second of a tenant that is Draining", draining, "Active", active, true},
		{"requests a second of a second tenant that is Active (by chance alone)", another, "Active", active, false},
	} {
		mean, twice := ratios(r.Rates[x.name], r.Rates[x.other])
		row := report.Row{What: x.what, Against: x.against, Value: fmt.Sprintf("%.0f/s", average(r.Rates[x.name])), Other: fmt.Sprintf("%.0f/s", average(r.Rates[x.other])),
			Ratio: math.Round(mean*1e4) / 1e4, N: len(r.Rates[x.name]), Spread: fmt.Sprintf("ratio %.4f +- %.4f", mean, twice)}
		if x.judge {
			row.Target = "<= 3 % less"
			row.Judge(1-mean, limit)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// ratios is the mean of the ratios of two cases, round by round, and twice its standard error.
func ratios(a, b []float64) (mean, twice float64) {
	x := make([]float64, min(len(a), len(b)))
	for i := range x {
		x[i] = a[i] / b[i]
	}
	mean = average(x)
	sum := 0.0
	for v := range slices.Values(x) {
		sum += (v - mean) * (v - mean)
	}
	n := float64(len(x))
	return mean, 2 * math.Sqrt(sum/(n-1)/n)
}

func average(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

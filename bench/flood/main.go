// Command flood measures what a tenant that works normally feels of one that floods:
//
//	go run ./bench/flood -out bench/results
//
// Both live on one OpenSearch node, which it starts, and use one proxy process. A
// quiet tenant gets documents one after another, with a pause between; a flooding one
// searches with many clients at once that repeat what is refused after a short pause,
// whatever Retry-After says. In one run four cases take turns: with and without the
// flood, with and without a limit on the requests of one tenant. So the ratios
// compare what was measured within seconds of each other.
//
// It is no test: it asserts that what it measured happened (the quiet tenant's
// requests all succeeded, the flood was there, the limit refused some of it where it
// was, and nothing where it was not) and judges no figure.
package main

import (
	"context"
	"flag"
	"io"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
	"github.com/sluiceproxy/sluice/internal/engines"
)

// plan is how much is measured.
type plan struct {
	Clients int           `json:"flood_clients"`
	Limit   int           `json:"tenant_requests"` // in the cases with a limit
	Docs    int           `json:"documents"`       // of each tenant
	Rounds  int           `json:"rounds"`
	Slice   time.Duration `json:"slice_ns"`   // of one case in a round
	Think   time.Duration `json:"think_ns"`   // between two requests of the quiet tenant
	Backoff time.Duration `json:"backoff_ns"` // of a flooding client that was refused
}

func main() { report.Main("flood", benchmark) }

func benchmark(f *flag.FlagSet) report.Measure {
	var p plan
	f.IntVar(&p.Clients, "clients", 64, "clients of the tenant that floods")
	f.IntVar(&p.Limit, "limit", 2, "requests of one tenant at once, where there is a limit")
	f.IntVar(&p.Docs, "docs", 20_000, "documents of each tenant")
	f.IntVar(&p.Rounds, "rounds", 8, "rounds, in each of which every case has a turn")
	f.DurationVar(&p.Slice, "slice", 3*time.Second, "how long a turn is")
	f.DurationVar(&p.Think, "think", 5*time.Millisecond, "pause of the quiet tenant between two requests")
	f.DurationVar(&p.Backoff, "backoff", 100*time.Millisecond, "pause of a flooding client that was refused")
	cluster := f.String("cluster", "", "`URL` of an OpenSearch to use; empty: one is started")
	return func(ctx context.Context, progress io.Writer, give func(*report.Result) error) error {
		if p.Clients <= p.Limit || p.Limit < 1 || p.Rounds < 1 || p.Slice <= 0 || p.Docs < 1 {
			return report.Wrong("-clients must be above -limit, and all numbers above 0")
		}
		machine, version := report.Here(), "given"
		if *cluster == "" {
			node, err := engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{Progress: progress})
			if err != nil {
				return err
			}
			defer func() { _ = node.Stop() }() // it ends with this process anyway
			*cluster, version = node.URL(), node.Version()
		}
		res, err := measure(ctx, *cluster, p, progress)
		if err != nil {
			return err
		}
		res.OpenSearch = version
		return give(res.report(machine))
	}
}

// Command pause measures for how long a move holds its tenant's writes:
//
//	go run ./bench/pause -program bin/sluice -out bench/results
//
// It starts two OpenSearch nodes, an etcd, a controller and three proxies, each a process
// of its own, and lets clients write and read through all proxies while their tenant is
// moved there and back. Each move counts once, with the longest hold that any of the
// proxies measured, and with the slowest write that any client had meanwhile. Beside
// them is what the clients' writes take while nothing moves, in the pauses between the
// moves of the same run.
//
// It is no test, but a pause of a fleet that loses something is worth nothing: it fails
// unless every acknowledged write is there in the end.
package main

import (
	"context"
	"flag"
	"io"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
	"github.com/sluiceproxy/sluice/control"
)

// plan is how much is measured.
type plan struct {
	Moves   int           `json:"moves"`
	Docs    int           `json:"documents"`
	Proxies int           `json:"proxies"`
	Clients int           `json:"clients"`
	Rate    float64       `json:"operations_s"`
	Calm    time.Duration `json:"calm_ns"` // between two moves
	Limit   time.Duration `json:"limit_ns"`
	Budget  time.Duration `json:"budget_ns"`
}

func main() { report.Main("pause", benchmark) }

func benchmark(f *flag.FlagSet) report.Measure {
	var p plan
	f.IntVar(&p.Moves, "moves", 200, "moves, there and back")
	f.IntVar(&p.Docs, "docs", 1000, "documents of the tenant")
	f.IntVar(&p.Proxies, "proxies", 3, "proxies")
	f.IntVar(&p.Clients, "clients", 8, "clients")
	f.Float64Var(&p.Rate, "rate", 150, "operations a second of all clients")
	f.DurationVar(&p.Calm, "calm", 400*time.Millisecond, "pause between two moves")
	f.DurationVar(&p.Limit, "for", 15*time.Minute, "no move begins after this time; the result says how many there were")
	f.DurationVar(&p.Budget, "budget", control.DefaultPauseBudget, "the moves' pause budget: a move waits while a longer pause is predicted, so that on a machine that is at work it takes more")
	program := report.Program(f)
	return func(ctx context.Context, progress io.Writer, give func(*report.Result) error) error {
		if p.Moves < 1 || p.Docs < 100 || p.Proxies < 1 || p.Clients < 1 || p.Rate <= 0 || p.Calm < 0 || p.Limit <= 0 || p.Budget <= 0 {
			return report.Wrong("-docs must be at least 100, all other numbers above 0")
		}
		r := &results{plan: p, machine: report.Here()}
		path, err := program()
		if err != nil {
			return err
		}
		if err := r.measure(ctx, path, progress); err != nil {
			return err
		}
		return give(r.report())
	}
}

// Command copying measures what a tenant feels of the copy of its own move:
//
//	go run ./bench/copying -program bin/sluice -out bench/results
//
// It starts two OpenSearch nodes, a controller and a proxy, each a process of its own.
// Clients of the tenant read, write and search through the proxy. In one run the cases
// take turns: no move, a move that copies with the throttle's defaults, and one that
// copies without a throttle. A move is asked for before its turn, and aborted after it,
// which leaves nothing at the target; between turns everything rests. So the ratios
// compare what was measured within seconds of each other.
//
// It is no test: it asserts that what it measured happened (every request succeeded,
// the move was copying from the beginning of its turn to the end) and judges no figure.
package main

import (
	"context"
	"flag"
	"io"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
)

// plan is how much is measured.
type plan struct {
	Docs    int           `json:"documents"`
	Clients int           `json:"clients"`
	Rounds  int           `json:"rounds"`
	Slice   time.Duration `json:"slice_ns"`        // of one case in a round
	Settle  time.Duration `json:"settle_ns"`       // before each turn; with a move it is copying by then
	Think   time.Duration `json:"think_ns"`        // between two requests of a client
	Flags   []string      `json:"flags,omitempty"` // of more cases
}

func main() { report.Main("copying", benchmark) }

func benchmark(f *flag.FlagSet) report.Measure {
	var p plan
	f.IntVar(&p.Docs, "docs", 300_000, "documents of the tenant, about 500 bytes each")
	f.IntVar(&p.Clients, "clients", 3, "clients of the tenant")
	f.IntVar(&p.Rounds, "rounds", 12, "rounds, in each of which every case has a turn")
	f.DurationVar(&p.Slice, "slice", 6*time.Second, "how long a turn is")
	f.DurationVar(&p.Settle, "settle", 2*time.Second, "pause before each turn")
	f.DurationVar(&p.Think, "think", 10*time.Millisecond, "pause of a client between two requests")
	f.Func("flags", "`FLAGS` of the move in one more case, such as '--copy-rate 500'; may be given several times", func(s string) error { p.Flags = append(p.Flags, s); return nil })
	program := report.Program(f)
	return func(ctx context.Context, progress io.Writer, give func(*report.Result) error) error {
		if p.Docs < 1 || p.Clients < 1 || p.Rounds < 1 || p.Slice <= 0 || p.Settle < 0 || p.Think < 0 {
			return report.Wrong("all numbers must be above 0")
		}
		machine := report.Here()
		path, err := program()
		if err != nil {
			return err
		}
		res, err := measure(ctx, path, p, progress)
		if err != nil {
			return err
		}
		return give(res.report(machine))
	}
}

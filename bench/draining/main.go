// Command draining measures what journaling costs: the requests a second that a proxy
// serves of a tenant that is Draining, beside one that is Active.
//
//	go run ./bench/draining -program bin/sluice -out bench/results
//
// It starts an etcd, a controller, a proxy and a stub in place of a cluster, each a
// process of its own; the load comes from this one. Three tenants take turns: one is
// Draining, and what it journals is read and confirmed as a move does; two are Active, so
// that their difference says how far two cases differ by chance.
//
// It is no test: it asserts that every write was answered as it should, and that the
// journal held what was written.
package main

import (
	"context"
	"flag"
	"io"
	"os"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
)

// plan is how much is measured.
type plan struct {
	Rounds  int           `json:"rounds"`
	Slice   time.Duration `json:"slice_ns"`
	Clients int           `json:"clients"`
	Bytes   int           `json:"bytes"` // of a document
	IDs     int           `json:"ids"`   // of each client
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == stubArg {
		os.Exit(stub())
	}
	report.Main("draining", benchmark)
}

func benchmark(f *flag.FlagSet) report.Measure {
	var p plan
	f.IntVar(&p.Rounds, "rounds", 50, "rounds, in each of which every tenant has a turn")
	f.DurationVar(&p.Slice, "slice", time.Second, "how long a turn is")
	f.IntVar(&p.Clients, "clients", 16, "clients, each with a connection")
	f.IntVar(&p.Bytes, "bytes", 256, "bytes of a document")
	f.IntVar(&p.IDs, "ids", 2000, "documents of each client, which it writes again and again")
	program := report.Program(f)
	return func(ctx context.Context, progress io.Writer, give func(*report.Result) error) error {
		if p.Rounds < 2 || p.Slice <= 0 || p.Clients < 1 || p.Bytes < 20 || p.IDs < 1 {
			return report.Wrong("-rounds must be at least 2, -bytes at least 20, all other numbers above 0")
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

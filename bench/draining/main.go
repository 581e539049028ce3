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
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, errw io.Writer) int {
	f := flag.NewFlagSet("draining", flag.ContinueOnError)
	f.SetOutput(errw)
	var p plan
	f.IntVar(&p.Rounds, "rounds", 50, "rounds, in each of which every tenant has a turn")
	f.DurationVar(&p.Slice, "slice", time.Second, "how long a turn is")
	f.IntVar(&p.Clients, "clients", 16, "clients, each with a connection")
	f.IntVar(&p.Bytes, "bytes", 256, "bytes of a document")
	f.IntVar(&p.IDs, "ids", 2000, "documents of each client, which it writes again and again")
	program := f.String("program", "bin/sluice", "the sluice to measure")
	out := f.String("out", "", "`directory` of the result, besides standard error")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if p.Rounds < 2 || p.Slice <= 0 || p.Clients < 1 || p.Bytes < 20 || p.IDs < 1 {
		_, _ = fmt.Fprintln(errw, "draining: -rounds must be at least 2, -bytes at least 20, all other numbers above 0")
		return 2
	}
	machine := report.Here()
	path, err := filepath.Abs(*program) // processes are started elsewhere
	if err != nil {
		_, _ = fmt.Fprintln(errw, err)
		return 2
	}
	r := &results{plan: p, machine: machine}
	err = r.measure(ctx, path, errw)
	if err == nil && *out != "" {
		err = r.report().Write(*out)
	}
	if err != nil {
		_, _ = fmt.Fprintln(errw, err)
		return 1
	}
	r.report().Print(errw)
	return 0
}

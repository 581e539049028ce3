// Command copy measures how fast a move copies a tenant, beside what a person would take
// instead:
//
//	go run ./bench/copy -program bin/sluice -out bench/results
//
// It starts two OpenSearch nodes and a fleet, each a process of its own. In every round
// an index is filled at one node with bulk requests, which is the ceiling, and then each
// of the others copies it to the other node: a move by `sluice move`, OpenSearch's remote
// _reindex, elasticdump, and opensearch-py's helpers.reindex. Their order turns with the
// rounds. Nothing else runs, so a move is asked to copy without a throttle.
//
// It is no test: it asserts that every document has arrived, and judges figures only
// against the targets of their rows.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/sluiceproxy/sluice/bench/report"
)

// plan is how much is measured.
type plan struct {
	Size    int `json:"document_bytes"`
	Docs    int `json:"documents"`
	Rounds  int `json:"rounds"`
	Shards  int `json:"shards"`
	HeapMB  int `json:"heap_mb"` // of each node
	Writers int `json:"writers"` // of the plain load, which the target does not wait for
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, errw io.Writer) int {
	f := flag.NewFlagSet("copy", flag.ContinueOnError)
	f.SetOutput(errw)
	var p plan
	sizes := f.String("size", "500,4096", "bytes of a document, about; several are measured one after the other")
	f.IntVar(&p.Docs, "docs", 0, "documents; 0: as many as make 100 MB, and at least 40,000")
	f.IntVar(&p.Rounds, "rounds", 4, "rounds, besides one before that does not count")
	f.IntVar(&p.Shards, "shards", 2, "primary shards of the index")
	f.IntVar(&p.HeapMB, "heap", 1024, "MiB of heap of each node")
	f.IntVar(&p.Writers, "writers", 4, "bulk requests at the same time of the plain load; a move has controller.copy_workers, which is 2")
	program := f.String("program", "bin/sluice", "the sluice to measure")
	tools := f.Bool("fetch", false, "fetch the other tools into the cache, and measure nothing")
	out := f.String("out", "", "`directory` of the result, besides standard error")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if p.Docs < 0 || p.Rounds < 1 || p.Shards < 1 || p.HeapMB < 256 || p.Writers < 1 {
		_, _ = fmt.Fprintln(errw, "copy: -heap must be at least 256, the other numbers above 0")
		return 2
	}
	var plans []plan
	for s := range strings.SplitSeq(*sizes, ",") {
		p := p
		var err error
		if p.Size, err = strconv.Atoi(s); err != nil || p.Size < 200 || p.Size > 1<<20 {
			_, _ = fmt.Fprintf(errw, "copy: -size: %q must be 200 to 1048576\n", s)
			return 2
		}
		if p.Docs == 0 {
			p.Docs = max(40_000, 100_000_000/p.Size)
		}
		plans = append(plans, p)
	}
	machine := report.Here()
	path, err := filepath.Abs(*program) // processes are started elsewhere
	if err != nil {
		_, _ = fmt.Fprintln(errw, err)
		return 2
	}
	others, err := fetch(ctx, errw)
	if err == nil && *tools {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(errw, err)
		return 1
	}
	for _, p := range plans {
		r := &results{plan: p, machine: machine}
		err = r.measure(ctx, path, others, errw)
		if err == nil && *out != "" {
			err = r.report().Write(*out)
		}
		if err != nil {
			_, _ = fmt.Fprintln(errw, err)
			return 1
		}
		r.report().Print(errw)
	}
	return 0
}

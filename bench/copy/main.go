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
	"io"
	"strconv"
	"strings"

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
	// Target are the processors that the target has for itself; empty: all share all.
	Target string `json:"target_processors,omitempty"`
}

func main() { report.Main("copy", benchmark) }

func benchmark(f *flag.FlagSet) report.Measure {
	var p plan
	sizes := f.String("size", "500,4096", "bytes of a document, about; several are measured one after the other")
	f.IntVar(&p.Docs, "docs", 0, "documents; 0: as many as make 100 MB, and at least 40,000")
	f.IntVar(&p.Rounds, "rounds", 4, "rounds, besides one before that does not count")
	f.IntVar(&p.Shards, "shards", 2, "primary shards of the index")
	f.IntVar(&p.HeapMB, "heap", 1024, "MiB of heap of each node")
	f.IntVar(&p.Writers, "writers", 4, "bulk requests at the same time of the plain load; a move has controller.copy_workers, which is 2")
	parted := f.Bool("apart", true, "give the target half of the processors for itself, and everything else the others: what reads the source takes nothing from it then, as on machines of their own")
	tools := f.Bool("fetch", false, "fetch the other tools into the cache, and measure nothing")
	program := report.Program(f)
	return func(ctx context.Context, progress io.Writer, give func(*report.Result) error) error {
		if p.Docs < 0 || p.Rounds < 1 || p.Shards < 1 || p.HeapMB < 256 || p.Writers < 1 {
			return report.Wrong("-heap must be at least 256, the other numbers above 0")
		}
		plans, err := p.of(*sizes)
		if err != nil {
			return err
		}
		machine := report.Here()
		path, err := program()
		if err != nil {
			return err
		}
		others, err := fetch(ctx, progress)
		if err != nil || *tools {
			return err
		}
		target := ""
		if *parted {
			if target, err = apart(); err != nil {
				return err
			}
		}
		for _, p := range plans {
			p.Target = target
			r := &results{plan: p, machine: machine}
			if err := r.measure(ctx, path, others, progress); err != nil {
				return err
			}
			if err := give(r.report()); err != nil {
				return err
			}
		}
		return nil
	}
}

// of is the plan for each of these sizes of documents.
func (p plan) of(sizes string) ([]plan, error) {
	var plans []plan
	for s := range strings.SplitSeq(sizes, ",") {
		one := p
		var err error
		if one.Size, err = strconv.Atoi(s); err != nil || one.Size < 200 || one.Size > 1<<20 {
			return nil, report.Wrong("-size: %q must be 200 to 1048576", s)
		}
		if one.Docs == 0 {
			one.Docs = max(40_000, 100_000_000/one.Size)
		}
		plans = append(plans, one)
	}
	return plans, nil
}

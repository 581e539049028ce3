// Command pause sums up the write pauses in receipts of `sluice demo -o json`:
//
//	sluice demo --moves 20 -o json > receipt.json
//	go run ./bench/pause receipt.json
//
// Each move counts once, with its longest hold as the proxies measured it. It
// exits with 1 when a receipt is not clean: a pause of a move that lost
// something is worth nothing.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
)

// target is the longest hold that an undisturbed move should have.
const target = 250 * time.Millisecond

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(files []string, out, errw io.Writer) int {
	if len(files) == 0 {
		fmt.Fprintln(errw, "usage: pause RECEIPT.json ...")
		return 2
	}
	var longest, medians, slowest []time.Duration
	var parts [5][]time.Duration // of moves whose receipt has them
	var worst demo.Holds
	held, refused, tries, docs := 0, 0, 0, 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			fmt.Fprintln(errw, err)
			return 2
		}
		var r demo.Result
		if err := json.Unmarshal(b, &r); err != nil {
			fmt.Fprintf(errw, "%s: not a receipt of sluice demo -o json: %v\n", f, err)
			return 2
		}
		if !r.OK {
			fmt.Fprintf(errw, "%s: the receipt is not clean: %v\n", f, r.Trouble)
			return 1
		}
		docs = r.Documents
		for _, l := range r.Legs {
			longest, medians, slowest = append(longest, l.Holds.Longest), append(medians, l.Holds.P50), append(slowest, l.ClientWrite.Max)
			if p := l.Holds.Parts; p.Whole > 0 {
				for i, v := range []float64{p.Whole, p.Barrier, p.LastRound, p.Seal, p.Rest()} {
					parts[i] = append(parts[i], time.Duration(v*float64(time.Millisecond)))
				}
			}
			if l.Holds.Longest > worst.Longest {
				worst = l.Holds
			}
			held, refused, tries = held+l.Holds.Held, refused+l.Holds.Refused, tries+l.Holds.Cutovers
		}
	}
	if len(longest) == 0 {
		fmt.Fprintln(errw, "no move in these receipts")
		return 1
	}
	within := 0
	for _, d := range longest {
		if d <= target {
			within++
		}
	}
	fmt.Fprintf(out, "moves                               n=%d, %d documents each, %d CPUs\n", len(longest), docs, runtime.NumCPU())
	fmt.Fprintf(out, "writes held                         %d, refused %d; cutovers tried %d\n", held, refused, tries)
	line(out, "longest hold of a move", longest)
	line(out, "median hold of a move", medians)
	line(out, "slowest write of a client", slowest)
	for i, name := range []string{"cutover, as the controller sees it", "  barrier", "  last round", "  check and seal", "  the store's transitions"} {
		if len(parts[i]) > 0 {
			line(out, name, parts[i])
		}
	}
	if worst.Parts.Whole > 0 {
		fmt.Fprintf(out, "the longest hold                    %.0f ms: %s\n", float64(worst.Longest)/1e6, worst.Parts)
	}
	fmt.Fprintf(out, "longest hold <= %v              %d of %d moves\n", target, within, len(longest))
	return 0
}

func line(out io.Writer, what string, d []time.Duration) {
	slices.Sort(d)
	at := func(q float64) string {
		return fmt.Sprintf("%.0f ms", float64(d[int(q*float64(len(d)-1)+0.5)])/1e6)
	}
	fmt.Fprintf(out, "%-35s p50 %s, p90 %s, max %s\n", what, at(0.5), at(0.9), at(1))
}

// Command stores measures the drivers of the placement table against real
// servers, which it starts on this machine:
//
//	go run ./bench/stores -stores etcd,redis -entries 100000 -out bench/results
//	go run ./bench/stores -page docs/stores/measured.md bench/results/stores-*.json
//
// Of each store it measures a table of many entries (filling, listing, the first
// watch, a change from its acknowledgement to a watch, how an instance starts, the
// bytes on the wire, one change seen by a hundred watches), and what reading
// placements fresh on every request costs beside the leased mode, in latency and in
// calls to the store. The raw figures of one store are one JSON file, and the page is
// made of the files, so no figure is kept twice.
//
// It is no test: it asserts that what it measured happened (every entry was listed,
// every change was seen, a replica knows what is in the table) and judges no figure.
// A phase that does not end within its bound is in the result as such, and the next
// one follows. It refuses to fill a table through anything but what a driver wrote,
// except OpenSearch's, see fillOpenSearch.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// plan is how much is measured. The zero value of entries is each store's own.
type plan struct {
	entries   int           // of the large table
	fillLimit time.Duration // the table is as large as it became until then
	limit     time.Duration // of each other phase

	firstWatches int           // times that a watch is begun
	changes      int           // made one by one for the steady state
	between      time.Duration // longest pause between two of them
	quiet        time.Duration // for which a table without changes is watched

	watches   int // of the fan-out, each with connections of its own
	fanWrites int // seen by all of them

	freshEntries int           // of the table for the two modes
	rounds       int           // in which the modes take turns
	slice        time.Duration // of one mode in a round
}

func full() plan {
	return plan{
		fillLimit: 2 * time.Minute, limit: 90 * time.Second,
		firstWatches: 20, changes: 200, between: 150 * time.Millisecond, quiet: 3 * time.Second,
		watches: 100, fanWrites: 30, freshEntries: 10_000, rounds: 3, slice: 500 * time.Millisecond,
	}
}

// quick is enough to see that the program works. Its figures mean nothing.
func quick() plan {
	return plan{
		fillLimit: time.Minute, limit: time.Minute,
		firstWatches: 3, changes: 20, between: time.Millisecond, quiet: 10 * time.Millisecond,
		watches: 5, fanWrites: 3, freshEntries: 100, rounds: 1, slice: 20 * time.Millisecond,
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, errw io.Writer) int {
	names := make([]string, len(backends))
	for i, b := range backends {
		names[i] = b.name
	}
	f := flag.NewFlagSet("stores", flag.ContinueOnError)
	f.SetOutput(errw)
	list := f.String("stores", strings.Join(names, ","), "which `stores`, separated by commas")
	entries := f.Int("entries", 0, "size of the large table; 0: as many as each store takes in some minutes, a million at most")
	out := f.String("out", "bench/results", "`directory` of the results, one stores-NAME.json each")
	page := f.String("page", "", "measure nothing: write the page of the results given as arguments to this `file`")
	fresh := f.Bool("fresh", false, "measure only what fresh reads add with etcd, and write fresh.result.json")
	fp := freshPlan{Slice: 500 * time.Millisecond, Entries: 10_000}
	f.IntVar(&fp.Rounds, "fresh-rounds", 16, "rounds of -fresh")
	small := f.Bool("quick", false, "few samples, to see that it works; the figures mean nothing")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if *page != "" {
		if err := writePage(*page, f.Args()); err != nil {
			fmt.Fprintln(errw, err)
			return 1
		}
		return 0
	}
	if *fresh {
		if fp.Rounds < 1 {
			fmt.Fprintln(errw, "-fresh-rounds: must be above 0")
			return 2
		}
		res, err := measureFresh(ctx, fp, errw)
		if err == nil {
			err = res.Write(*out)
		}
		if err != nil {
			fmt.Fprintln(errw, err)
			return 1
		}
		res.Print(errw)
		return 0
	}
	p := full()
	if *small {
		p = quick()
	}
	if p.entries = *entries; p.entries < 0 || p.entries > 10_000_000 {
		fmt.Fprintf(errw, "-entries: %d must be 0 to 10000000\n", p.entries)
		return 2
	}
	if p.entries > 0 { // asked for by name: Consul takes a million, at a rate that falls to a few hundred a second
		p.fillLimit = 2 * time.Hour
	}
	var chosen []backend
	for name := range strings.SplitSeq(*list, ",") {
		i := slices.IndexFunc(backends, func(b backend) bool { return b.name == name })
		if i < 0 {
			fmt.Fprintf(errw, "-stores: %q must be one of %s\n", name, strings.Join(names, ", "))
			return 2
		}
		chosen = append(chosen, backends[i])
	}
	code := 0
	for _, b := range chosen {
		if err := measureInto(ctx, *out, b, p, errw); err != nil {
			fmt.Fprintf(errw, "%s: %v\n", b.name, err)
			code = 1
		}
		if ctx.Err() != nil {
			return 1
		}
	}
	return code
}

// measureInto writes one store's result, also when something in it failed.
func measureInto(ctx context.Context, dir string, b backend, p plan, progress io.Writer) error {
	res, err := measure(ctx, b, p, progress)
	if res == nil {
		return err
	}
	text, jerr := json.MarshalIndent(res, "", "  ")
	if jerr != nil {
		return errors.Join(err, jerr)
	}
	if werr := os.MkdirAll(dir, 0o755); werr != nil {
		return errors.Join(err, werr)
	}
	return errors.Join(err, os.WriteFile(filepath.Join(dir, "stores-"+b.name+".json"), append(text, '\n'), 0o644))
}

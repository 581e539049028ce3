// Command fleet measures how a fleet acknowledges cutovers, and how fast moves are that
// only flip:
//
//	go run ./bench/fleet -out bench/results
//
// It starts an etcd as a process of its own. The instances are the gates of proxies, the
// shipped code with its replica, session and publisher, each with a client and a
// connection of its own; all of them are in this process, which is what limits them on a
// machine with few processors. A fleet of each size has a table of its own in the same
// etcd, all of them run all the time, and in every round each takes its turn.
//
// It is no test: it asserts that what it measured happened (every instance has
// acknowledged, every move has flipped) and judges figures only against the targets of
// their rows.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/bench/report"
	"github.com/sluiceproxy/sluice/internal/engines"
)

// plan is how much is measured.
type plan struct {
	Sizes    []int `json:"sizes"`    // of the fleets
	Rounds   int   `json:"rounds"`   // of one cutover in each fleet
	Crowds   []int `json:"crowds"`   // cutovers at the same time
	Crowded  int   `json:"crowded"`  // size of the fleet that takes those
	Repeats  int   `json:"repeats"`  // of each crowd
	Flips    int   `json:"flips"`    // moves in a turn of those that only flip
	AtOnce   []int `json:"at_once"`  // of them
	FlipRuns int   `json:"flipruns"` // turns of each
}

func main() { report.Main("fleet", benchmark) }

func benchmark(f *flag.FlagSet) report.Measure {
	p := plan{Sizes: []int{10, 100, 1000}, Crowds: []int{1, 8, 64}, AtOnce: []int{1, 8, 64}}
	numbers := func(name, use string, to *[]int) {
		f.Func(name, use, func(s string) (err error) { *to, err = parseNumbers(s); return err })
	}
	numbers("sizes", "`numbers` of instances, separated by commas (default 10,100,1000)", &p.Sizes)
	numbers("crowds", "`numbers` of cutovers at the same time (default 1,8,64)", &p.Crowds)
	numbers("at-once", "`numbers` of moves that only flip at the same time (default 1,8,64)", &p.AtOnce)
	f.IntVar(&p.Rounds, "rounds", 60, "cutovers of each fleet, one by one")
	f.IntVar(&p.Crowded, "crowded", 100, "instances of the fleet with many cutovers at the same time; one of -sizes")
	f.IntVar(&p.Repeats, "repeats", 10, "times that each of -crowds is measured")
	f.IntVar(&p.Flips, "flips", 500, "moves that only flip in one turn")
	f.IntVar(&p.FlipRuns, "flip-runs", 3, "turns of each number at once")
	return func(ctx context.Context, progress io.Writer, give func(*report.Result) error) error {
		if p.Rounds < 1 || p.Repeats < 1 || p.Flips < 1 || p.FlipRuns < 1 || !slices.Contains(p.Sizes, p.Crowded) {
			return report.Wrong("all numbers must be above 0, and -crowded one of -sizes")
		}
		res, err := measure(ctx, p, progress)
		if err != nil {
			return err
		}
		return give(res)
	}
}

func parseNumbers(s string) ([]int, error) {
	var out []int
	for one := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(one)
		if err != nil || n < 1 || n > 100_000 {
			return nil, fmt.Errorf("%q must be a number from 1 to 100000", one)
		}
		out = append(out, n)
	}
	return out, nil
}

// measure runs everything.
func measure(ctx context.Context, p plan, progress io.Writer) (_ *report.Result, err error) {
	r := &results{plan: p, machine: report.Here()}
	etcd, err := engines.StartEtcd(ctx, &engines.EtcdOptions{Progress: progress})
	if err != nil {
		return nil, err
	}
	defer func() { _ = etcd.Stop() }() // it ends with this process anyway
	r.etcd = etcd.Version()
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(progress, format+"\n", args...) }
	if err := r.flips(ctx, etcd.URL(), say); err != nil {
		return nil, err
	}
	if err := r.cutovers(ctx, etcd.URL(), say); err != nil {
		return nil, err
	}
	return r.report(), nil
}

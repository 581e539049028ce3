package sim_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/sim"
)

var (
	seeds    = flag.Int("sim.seeds", 100, "how many seeds to run")
	first    = flag.Uint64("sim.first", 1, "the first of them")
	trace    = flag.Bool("sim.trace", false, "print what happens")
	stop     = flag.Bool("sim.stop", false, "stop at the first seed that fails")
	noShrink = flag.Bool("sim.noshrink", false, "do not look for a smaller failing run")
	soak     = flag.Duration("sim.soak", 0, "run seeds for so long, from -sim.first on")
)

// TestSeeds runs seeds. A failing one is made small, by leaving out faults, and
// printed whole.
func TestSeeds(t *testing.T) {
	began := time.Now()
	var total sim.Result
	total.Counts = map[string]int{}
	n := 0
	for ; n < *seeds || time.Since(began) < *soak; n++ {
		seed := *first + uint64(n)
		o := &sim.Options{}
		if *trace {
			o.Trace = func(l string) { fmt.Println(l) }
		}
		r := sim.Run(t, seed, o)
		total.Ops += r.Ops
		total.Unknown += r.Unknown
		total.Failed += r.Failed
		total.Flips += r.Flips
		total.Aborts += r.Aborts
		total.Virtual += r.Virtual
		for k, v := range r.Counts {
			if k == "held" {
				total.Counts[k] = max(total.Counts[k], v)
			} else {
				total.Counts[k] += v
			}
		}
		if len(r.Breaches) > 0 {
			report(t, seed, r)
			if *stop {
				return
			}
		}
	}
	t.Logf("%d seeds in %v: %v of virtual time, %d operations (%d of unknown outcome, %d refused), %d flips, %d aborts, longest hold %d ms",
		n, time.Since(began).Round(time.Millisecond), total.Virtual.Round(time.Second), total.Ops, total.Unknown, total.Failed, total.Flips, total.Aborts, total.Counts["held"])
	var met []string
	for _, k := range slices.Sorted(maps.Keys(total.Counts)) {
		if k != "held" {
			met = append(met, fmt.Sprintf("%s %d", k, total.Counts[k]))
		}
	}
	t.Logf("faults met (lossy: 0 refused, 1 lost on the way, 2 and 3 answer lost, 4 late, 5 twice): %s", strings.Join(met, ", "))
	if n >= 100 { // so many meet every kind
		for _, k := range []string{"cut/0", "slow/0", "down/0", "pause/0", "kill/0", "restart/0", "abort/0", "lossy/0", "lossy/1", "lossy/2", "lossy/3", "lossy/4", "lossy/5"} {
			if total.Counts[k] == 0 {
				t.Errorf("no seed has met the fault %s", k)
			}
		}
		if total.Flips < n || total.Aborts == 0 {
			t.Errorf("%d flips and %d aborts in %d seeds", total.Flips, total.Aborts, n)
		}
	}
}

// report prints a failing run, made small.
func report(t *testing.T, seed uint64, r sim.Result) {
	t.Errorf("seed %d: %q", seed, r.Breaches)
	if *noShrink {
		return
	}
	skip := map[int]bool{}
	for i := range r.Faults {
		skip[i] = true
		if again := sim.Run(t, seed, &sim.Options{Skip: skip}); len(again.Breaches) == 0 {
			delete(skip, i) // it is needed
		}
	}
	var lines []string
	small := sim.Run(t, seed, &sim.Options{Skip: skip, Trace: func(l string) { lines = append(lines, l) }})
	t.Logf("seed %d with %d of its %d faults: %q\nfaults:\n%v\nhistory:\n%s", seed, len(small.Faults), len(r.Faults), small.Breaches, small.Faults, strings.Join(lines, "\n"))
}

// A seed is a run: whatever happens in it happens again.
func TestMain(m *testing.M) {
	runtime.GOMAXPROCS(1) // who runs next is then the same in every run
	os.Exit(m.Run())
}

func TestSeedsRepeat(t *testing.T) {
	for seed := uint64(1); seed <= 40; seed++ {
		run := func() string {
			var b strings.Builder
			for _, o := range sim.Run(t, seed, nil).History {
				fmt.Fprintln(&b, o)
			}
			return b.String()
		}
		if a, b := run(), run(); a != b {
			t.Errorf("seed %d did not repeat", seed)
		}
	}
}

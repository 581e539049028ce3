package sim_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/sim"
)

var (
	seeds    = flag.Int("sim.seeds", 60, "how many seeds to run")
	first    = flag.Uint64("sim.first", 1, "the first of them")
	trace    = flag.Bool("sim.trace", false, "print what happens")
	options  = flag.String("sim.options", "{}", "sim.Options of every run, as JSON; durations in nanoseconds")
	stop     = flag.Bool("sim.stop", false, "stop at the first seed that fails")
	noShrink = flag.Bool("sim.noshrink", false, "do not look for a smaller failing run")
	soak     = flag.Duration("sim.soak", 0, "run seeds for so long, from -sim.first on")
	child    = flag.Bool("sim.child", false, "run the seeds in this process, and end with the totals as JSON")
)

// TestMain makes this a program with one thread for Go: which goroutine runs
// next is then nearly always the same in every run of a seed. TestSeeds starts
// the program once for each core.
func TestMain(m *testing.M) {
	flag.Parse()
	cores = runtime.GOMAXPROCS(1)
	debug.SetGCPercent(1500) // worlds are small and many
	os.Exit(m.Run())
}

var cores int

// totals of many seeds.
type totals struct {
	Seeds, Ops, Unknown, Refused, Flips, Aborts int
	Virtual, Longest                            time.Duration
	Faults                                      map[string]int
}

func (t *totals) add(o totals) {
	t.Seeds, t.Ops, t.Unknown, t.Refused = t.Seeds+o.Seeds, t.Ops+o.Ops, t.Unknown+o.Unknown, t.Refused+o.Refused
	t.Flips, t.Aborts, t.Virtual, t.Longest = t.Flips+o.Flips, t.Aborts+o.Aborts, t.Virtual+o.Virtual, max(t.Longest, o.Longest)
	if t.Faults == nil {
		t.Faults = map[string]int{}
	}
	for k, v := range o.Faults {
		t.Faults[k] += v
	}
}

// TestSeeds runs seeds. A failing one is made small, by leaving out faults, and
// printed whole.
func TestSeeds(t *testing.T) {
	began := time.Now()
	if *child || *trace || *stop {
		sum := runSeeds(t, *first, 1)
		if *child {
			b, err := json.Marshal(sum)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf("\n%s%s\n", inTotal, b)
		}
		return
	}
	sum := inChildren(t)
	t.Logf("%d seeds in %v: %v of virtual time, %d operations (%d of unknown outcome, %d refused), %d flips, %d aborts, longest hold %v",
		sum.Seeds, time.Since(began).Round(time.Second), sum.Virtual.Round(time.Second), sum.Ops, sum.Unknown, sum.Refused, sum.Flips, sum.Aborts, sum.Longest)
	var met []string
	for _, k := range slices.Sorted(maps.Keys(sum.Faults)) {
		met = append(met, fmt.Sprintf("%s %d", k, sum.Faults[k]))
	}
	t.Logf("faults met: %s", strings.Join(met, ", "))
	for _, k := range sim.FaultNames() {
		if sum.Faults[k] == 0 && sum.Seeds >= 100 { // so many meet every kind
			t.Errorf("no seed has met the fault %q", k)
		}
	}
	if sum.Flips < sum.Seeds || sum.Aborts == 0 {
		t.Errorf("%d flips and %d aborts in %d seeds", sum.Flips, sum.Aborts, sum.Seeds)
	}
}

// given are the options that were asked for.
func given(t *testing.T) *sim.Options {
	o := &sim.Options{}
	if err := json.Unmarshal([]byte(*options), o); err != nil {
		t.Fatal(err)
	}
	return o
}

// runSeeds runs every step-th seed from a first one on.
func runSeeds(t *testing.T, from uint64, step int) totals {
	began, told := time.Now(), time.Now()
	var sum totals
	var failed []uint64
	for n := 0; n < *seeds || time.Since(began) < *soak; n++ {
		seed := from + uint64(n*step)
		o := given(t)
		if *trace {
			o.Trace = func(l string) { fmt.Println(l) }
		}
		r := sim.Run(t, seed, o)
		sum.add(totals{1, r.Ops, r.Unknown, r.Failed, r.Flips, r.Aborts, r.Virtual, r.Longest, r.Counts})
		if len(r.Breaches) > 0 {
			failed = append(failed, seed)
			report(t, seed, r)
			if *stop {
				break
			}
		}
		if *child && time.Since(told) > time.Second {
			told = time.Now()
			fmt.Printf("\n%s%d %v\n", progress, n+1, failed)
		}
	}
	return sum
}

// inChildren shares the seeds out to one process for each core, and says every
// ten seconds how far they have come.
func inChildren(t *testing.T) totals {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	each := (*seeds + cores - 1) / cores
	sums, done, failed := make([]totals, cores), make([]atomic.Int64, cores), make([]atomic.Value, cores)
	began := time.Now()
	tell := time.NewTicker(10 * time.Second)
	defer tell.Stop()
	ended := make(chan struct{})
	var wg sync.WaitGroup
	for i := range cores {
		wg.Go(func() {
			args := []string{"-test.run=^TestSeeds$", "-test.timeout=0", "-sim.child", fmt.Sprintf("-sim.seeds=%d", each),
				fmt.Sprintf("-sim.first=%d", *first+uint64(i*each)+uint64(i)*soakStride()), fmt.Sprintf("-sim.soak=%v", *soak), fmt.Sprintf("-sim.noshrink=%t", *noShrink), "-sim.options=" + *options}
			said, err := follow(exec.CommandContext(t.Context(), self, args...), &sums[i], func(n int64, bad string) {
				done[i].Store(n)
				failed[i].Store(bad)
			})
			if err != nil {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
	go func() { wg.Wait(); close(ended) }()
	for {
		select {
		case <-ended:
			var sum totals
			for i := range sums {
				sum.add(sums[i])
			}
			return sum
		case <-tell.C:
			n, bad := int64(0), ""
			for i := range done {
				n += done[i].Load()
				if f, _ := failed[i].Load().(string); f != "[]" {
					bad += f
				}
			}
			of := fmt.Sprintf(" of %d", each*cores)
			if *soak > 0 {
				of = ""
			}
			if bad != "" {
				bad = ", failed: " + bad
			}
			fmt.Printf("   %d%s seeds in %v%s\n", n, of, time.Since(began).Round(time.Second), bad)
		}
	}
}

// What a child writes between its test's own output.
const (
	progress = "progress: "
	inTotal  = "totals: "
)

// follow runs a child to its end, and returns what else it has said.
func follow(cmd *exec.Cmd, sum *totals, far func(seeds int64, failed string)) (said string, err error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	var rest, errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		return "", err
	}
	lines := bufio.NewReader(out)
	whole := false
	for {
		line, rerr := lines.ReadString('\n')
		if p, ok := strings.CutPrefix(line, progress); ok {
			count, bad, _ := strings.Cut(strings.TrimSpace(p), " ")
			if n, err := strconv.ParseInt(count, 10, 64); err == nil {
				far(n, bad)
			}
		} else if p, ok := strings.CutPrefix(line, inTotal); ok {
			whole = json.Unmarshal([]byte(p), sum) == nil
		} else {
			rest.WriteString(line)
		}
		if rerr != nil {
			break
		}
	}
	err = cmd.Wait()
	if !whole {
		err = errors.Join(err, errors.New("no totals"))
	}
	return rest.String() + errs.String(), err
}

// soakStride keeps the processes of a soak, which does not know how far it will
// come, apart from one another.
func soakStride() uint64 {
	if *soak > 0 {
		return 1 << 32
	}
	return 0
}

// report prints a failing run, made small.
func report(t *testing.T, seed uint64, r sim.Result) {
	t.Errorf("seed %d: %q\nfaults: %v", seed, r.Breaches, r.Faults)
	if *noShrink {
		return
	}
	fails := func(skip map[int]bool, trace func(string)) (sim.Result, bool) {
		for range 4 {
			o := given(t)
			o.Skip, o.Trace = skip, trace
			if r := sim.Run(t, seed, o); len(r.Breaches) > 0 {
				return r, true
			}
		}
		return sim.Result{}, false
	}
	skip := map[int]bool{}
	for i := range r.Faults {
		skip[i] = true
		if _, still := fails(skip, nil); !still {
			delete(skip, i) // it is needed
		}
	}
	var lines []string
	small, ok := fails(skip, func(l string) { lines = append(lines, l) })
	if !ok {
		t.Logf("seed %d did not fail again", seed)
		return
	}
	t.Logf("seed %d with %d of its %d faults: %q\nfaults:\n%v\nhistory:\n%s", seed, len(small.Faults), len(r.Faults), small.Breaches, small.Faults, strings.Join(lines, "\n"))
}

// A seed is a run: whatever happens in it happens again. What is left to chance
// is which of the goroutines that are ready in one instant Go lets go first.
func TestSeedsRepeat(t *testing.T) {
	if raced {
		t.Skip("the race detector changes which goroutine goes first; make test runs this without it as well")
	}
	const runs = 40
	same := 0
	for seed := uint64(1); seed <= runs; seed++ {
		run := func() string {
			var b strings.Builder
			for _, o := range sim.Run(t, seed, nil).History {
				fmt.Fprintln(&b, o)
			}
			return b.String()
		}
		before := run()
		if again := run(); again == before {
			same++
		}
	}
	t.Logf("%d of %d seeds repeated their whole history", same, runs)
	if same < runs*8/10 {
		t.Errorf("only %d of %d seeds repeated their whole history", same, runs)
	}
}

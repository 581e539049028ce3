package sim_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/sim"
)

var (
	seeds = flag.Int("sim.seeds", 200, "how many seeds to run")
	first = flag.Uint64("sim.first", 1, "the first of them")
	trace = flag.Bool("sim.trace", false, "print what happens")
)

func TestSeeds(t *testing.T) {
	began := time.Now()
	var total sim.Result
	for n := range *seeds {
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
		if len(r.Breaches) > 0 {
			t.Errorf("seed %d: %q\nfaults: %v", seed, r.Breaches, r.Faults)
		}
	}
	t.Logf("%d seeds in %v: %d ops, %d unknown, %d failed, %d flips, %d aborts, %v virtual", *seeds, time.Since(began), total.Ops, total.Unknown, total.Failed, total.Flips, total.Aborts, total.Virtual)
}

package sim_test

import (
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/sim"
)

// What seeds have found, with only the faults that it takes. Each failed for the
// reason that its name gives until the code was put right.
func TestFound(t *testing.T) {
	creating := func(nth int, f sim.Fault) sim.Fault {
		f.When, f.Nth = "creating", nth
		return f
	}
	for _, f := range []struct {
		name   string
		faults []sim.Fault
	}{
		{"aborted while the target's index is created", []sim.Fault{
			creating(1, sim.Fault{Kind: sim.Slow, A: "controller-1", B: "b", For: time.Millisecond, By: 5 * time.Second}),
			creating(1, sim.Fault{Kind: sim.Abort, At: 100 * time.Millisecond}),
		}},
		{"aborted when the creation of the target's index was not answered", []sim.Fault{
			creating(1, sim.Fault{Kind: sim.Lossy, A: "controller-1", B: "b", For: time.Millisecond, P: 1}),
			creating(2, sim.Fault{Kind: sim.Abort, At: 20 * time.Millisecond}),
		}},
	} {
		t.Run(f.name, func(t *testing.T) {
			for seed := uint64(1); seed <= 24; seed++ {
				r := sim.Run(t, seed, &sim.Options{Faults: f.faults, Controllers: 1, Load: 20 * time.Second, Sessions: true})
				if len(r.Breaches) > 0 {
					t.Errorf("seed %d: %q", seed, r.Breaches)
				}
			}
		})
	}
}

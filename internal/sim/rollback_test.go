package sim_test

import (
	"testing"

	"github.com/sluiceproxy/sluice/internal/sim"
)

// TestRollbacks runs worlds in which moves, and rollbacks, are rolled back, with all
// the faults there are.
func TestRollbacks(t *testing.T) {
	backs, aborts := 0, 0
	const seeds = 40
	for seed := uint64(1); seed <= seeds; seed++ {
		r := sim.Run(t, seed, &sim.Options{Rollbacks: true, Sessions: true})
		backs, aborts = backs+r.Rollbacks, aborts+r.Aborts
		if len(r.Breaches) > 0 {
			t.Errorf("seed %d: %q", seed, r.Breaches)
		}
	}
	t.Logf("%d rollbacks and %d aborts in %d seeds", backs, aborts, seeds)
	if backs < seeds/2 || aborts == 0 {
		t.Error("that is too few")
	}
}

package sim_test

import (
	"testing"

	"github.com/sluiceproxy/sluice/internal/sim"
)

// TestDynamicMappings runs worlds in which documents have fields that the source has not
// mapped, or maps by a document, with all faults.
func TestDynamicMappings(t *testing.T) {
	const seeds = 40
	flips := 0
	for seed := uint64(1); seed <= seeds; seed++ {
		r := sim.Run(t, seed, &sim.Options{Dynamic: true})
		for _, b := range r.Breaches {
			t.Errorf("seed %d: %s", seed, b)
		}
		flips += r.Flips
	}
	t.Logf("%d flips in %d seeds", flips, seeds)
	if flips == 0 {
		t.Error("nothing moved")
	}
}

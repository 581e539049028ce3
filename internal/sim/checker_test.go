package sim_test

import (
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/sim"
)

// calm is a seed whose run has a flip, and the old copy is kept.
const calm = 3

// The checker sees each thing that it looks for, when it is there, and nothing
// where it is not.
func TestTheCheckerSees(t *testing.T) {
	for _, p := range sim.Plants() {
		t.Run(p.Name, func(t *testing.T) {
			r := sim.RunPlanted(t, calm, p)
			for _, b := range r.Breaches {
				if strings.Contains(b, p.Want) {
					t.Log(b)
					return
				}
			}
			t.Errorf("the checker says %q and not %q", r.Breaches, p.Want)
		})
	}
	t.Run("nothing", func(t *testing.T) {
		if r := sim.RunPlanted(t, calm, sim.Plant{}); len(r.Breaches) > 0 || r.Flips == 0 {
			t.Errorf("%d flips, and the checker says %q", r.Flips, r.Breaches)
		}
	})
}

// Each invariant is named by a plant.
func TestEveryInvariantHasAPlant(t *testing.T) {
	all := ""
	for _, p := range sim.Plants() {
		all += p.Want + "\n"
	}
	for _, m := range []string{"M1", "M2", "M3", "M4", "M5", "M6"} {
		if !strings.Contains(all, m+":") && !strings.Contains(all, m+"/") {
			t.Errorf("no plant violates %s", m)
		}
	}
}

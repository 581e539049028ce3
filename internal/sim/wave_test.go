package sim_test

import (
	"testing"

	"github.com/sluiceproxy/sluice/internal/sim"
)

func TestWaveOf500(t *testing.T) {
	if raced {
		t.Skip("takes minutes with the race detector, which a run of one thread has little use for; make test runs this without it")
	}
	sim.RunWaveOf500(t)
}

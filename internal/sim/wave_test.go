package sim_test

import (
	"testing"

	"github.com/sluiceproxy/sluice/internal/sim"
)

func TestWaveOf500(t *testing.T) { sim.RunWaveOf500(t) }

package gate_test

import (
	"fmt"
	"testing"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
)

// However many kinds and moves there are, what is kept of errors is bounded.
func TestErrorsKeptAreBounded(t *testing.T) {
	moving := func(move string) placement.Entry {
		return placement.Entry{State: placement.State{Phase: placement.Draining}, Attempt: placement.Attempt{Move: move, Number: 1}}
	}
	kinds, moves := gate.ErrorsKept(func(note func(under placement.Entry, kind string)) {
		for n := range 1000 {
			note(moving("m"), fmt.Sprint(n))
		}
		for n := range 1000 {
			note(moving(fmt.Sprint(n)), "x")
		}
		note(placement.Entry{Partition: "acme"}, "not moving")
	})
	if kinds != 65 || moves > 256 {
		t.Errorf("%d kinds of one move, %d moves", kinds, moves)
	}
}

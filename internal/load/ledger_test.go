package load_test

import (
	"testing"

	"github.com/sluiceproxy/sluice/internal/load"
)

func TestFits(t *testing.T) {
	state := func(version, marker int64) load.State {
		return load.State{Exists: true, Version: version, Marker: marker}
	}
	gone := load.State{Marker: 7}
	for _, test := range []struct {
		name           string
		before         load.State
		started, del   int64 // what had been sent when the answer came
		got            load.State
		want           bool
		explainOfFalse string
	}{
		{"the acknowledged state", state(3, 7), 7, 0, state(3, 7), true, ""},
		{"an older write", state(3, 7), 7, 0, state(2, 5), false, "stale"},
		{"a write under way", state(3, 7), 9, 0, state(4, 9), true, ""},
		{"the old state during a write", state(3, 7), 9, 0, state(3, 7), true, ""},
		{"another version of the same write", state(3, 7), 7, 0, state(4, 7), false, "applied twice"},
		{"a write nobody sent", state(3, 7), 7, 0, state(4, 8), false, "invented"},
		{"missing", state(3, 7), 7, 0, load.State{}, false, "lost"},
		{"missing during an update", state(3, 7), 9, 5, load.State{}, false, "no deletion is under way"},
		{"missing during a deletion", state(3, 7), 9, 9, load.State{}, true, ""},
		{"deleted and missing", gone, 7, 7, load.State{}, true, ""},
		{"deleted and there", gone, 7, 7, state(2, 5), false, "stale"},
		{"deleted and created again", gone, 9, 7, state(1, 9), true, ""},
		{"never written", load.State{}, 0, 0, load.State{}, true, ""},
	} {
		got := load.Fits(load.View(test.before, test.before.Marker, 0), load.View(test.before, test.started, test.del), test.got)
		if got != test.want {
			t.Errorf("%s: fits is %v, want %v (%s)", test.name, got, test.want, test.explainOfFalse)
		}
	}
}

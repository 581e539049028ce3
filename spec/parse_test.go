package spec_test

import "testing"

// A search counts as one that holds only if it is certain that it was whole.
func TestParse(t *testing.T) {
	const whole = "State-vector 96 byte, depth reached 45, errors: 0\n  1348674 states, stored\n  283.017\ttotal actual memory usage\n"
	const stopped = "Warning: Search not completed\n"
	names := map[string]string{"5": "M5_acked_readable"}
	for _, test := range []struct {
		name, out, violated string
		fails               bool
	}{
		{name: "holds", out: whole},
		{name: "violated", out: "pan:1: assertion violated (bad!=5) (at depth 40)\n" + stopped + "depth reached 46, errors: 1\n", violated: "M5_acked_readable"},
		{name: "a cycle", out: "pan:1: acceptance cycle (at depth 97)\n" + stopped + "depth reached 98, errors: 1\n", violated: "M6_ends"},
		{name: "nothing", out: "", fails: true},
		{name: "killed", out: "Depth=      52 States=    5e+06\n", fails: true},
		{name: "too shallow", out: "error: max search depth too small\n" + whole, fails: true},
		{name: "out of memory", out: "pan: out of memory\n" + stopped + whole, fails: true},
		{name: "memory limit", out: "pan: reached -DMEMLIM bound\n" + stopped + whole, fails: true},
		{name: "not completed", out: stopped + whole, fails: true},
		{name: "not all states are kept", out: "Bit statespace search for:\n" + whole, fails: true},
		{name: "an unknown property", out: "pan:1: assertion violated (bad!=7) (at depth 4)\n" + stopped + "depth reached 6, errors: 1\n", fails: true},
		{name: "an error of the model", out: "pan:1: indexing hist[9] - size is 5 (at depth 4)\n" + stopped + "depth reached 6, errors: 1\n", fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := parse(test.out, names, "M6_ends")
			if (err != nil) != test.fails || f.violated != test.violated {
				t.Errorf("violated %q, error %v; want violated %q, an error: %t", f.violated, err, test.violated, test.fails)
			}
		})
	}
	f, err := parse(whole, names, "")
	if err != nil || f.states != 1348674 || f.depth != 45 || f.mib != 283.017 {
		t.Errorf("sizes are %+v, %v", f, err)
	}
}

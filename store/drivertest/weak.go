package drivertest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluiceproxy/sluice/store/driver"
)

// declared returns what the driver declares to be weak in, which guarantees are not its
// own because it is no Header, Batcher or Pager, with the reason, and those that it keeps
// for a reason that no test can show.
func declared(t *testing.T, h Harness) (weak map[string]driver.Weakness, other, given map[string]string) {
	t.Helper()
	d := h.New(t).Driver
	_, header := d.(driver.Header)
	_, batcher := d.(driver.Batcher)
	if !header && !batcher {
		t.Fatal("the driver must be a driver.Header or a driver.Batcher: without, nobody can tell that he has seen everything")
	}
	_, pager := d.(driver.Pager)
	other = map[string]string{}
	for _, g := range driver.Guarantees() {
		if !g.Binds(d) {
			other[g.Name] = fmt.Sprintf("not owed by this driver: it is a Header: %t, a Batcher: %t, a Pager: %t", header, batcher, pager)
		}
	}
	return weaknesses(t, d), other, reasons(t, d)
}

// weaknesses are by the guarantee's name.
func weaknesses(t *testing.T, d driver.Driver) map[string]driver.Weakness {
	t.Helper()
	out := map[string]driver.Weakness{}
	w, ok := d.(driver.Weak)
	if !ok {
		return out
	}
	declared, err := w.Weaknesses(t.Context())
	if err != nil {
		t.Fatalf("the driver cannot say what its weaknesses are: %v", err)
	}
	names := map[string]bool{}
	for _, g := range driver.Guarantees() {
		names[g.Name] = true
	}
	for _, w := range declared {
		_, twice := out[w.Guarantee]
		switch {
		case !names[w.Guarantee]:
			t.Errorf("the driver declares to be weak in %q, which is no guarantee", w.Guarantee)
		case twice:
			t.Errorf("the driver declares to be weak in %s twice", w.Guarantee)
		case w.Why == "" || w.Risk == "" || w.Remedy == "":
			t.Errorf("the weakness in %s must say why, what could happen and what to set: %+v", w.Guarantee, w)
		default:
			out[w.Guarantee] = w
		}
	}
	return out
}

// reasons returns what the driver says of guarantees that cannot be tested.
func reasons(t *testing.T, d driver.Driver) map[string]string {
	t.Helper()
	r, ok := d.(driver.Reasoner)
	if !ok {
		return nil
	}
	given := r.Reasons()
	for name, why := range given {
		if why == "" || !slices.ContainsFunc(driver.Guarantees(), func(g driver.Guarantee) bool { return g.Name == name }) {
			t.Errorf("the driver gives the reason %q for %s; want a reason for a guarantee", why, name)
		}
	}
	return given
}

// demonstrate shows a declared weakness.
func demonstrate(t *testing.T, show func(*testing.T) string, w driver.Weakness) {
	if show == nil {
		t.Fatalf("the driver declares to be weak in %s, and Shows has nothing to demonstrate it", w.Guarantee)
	}
	seen := show(t)
	if seen == "" {
		t.Fatalf("the driver declares to be weak in %s (%s), and that did not show", w.Guarantee, w.Why)
	}
	t.Logf("weak, because %s: %s", w.Why, seen)
}

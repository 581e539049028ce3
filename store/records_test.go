package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// Whoever lists by name again gets what List returns, whatever was created, changed,
// removed and created anew since; and what is still the same is not decoded again.
func TestListByName(t *testing.T) {
	s, d := newStore(t)
	type value struct{ N *int }
	r := store.RecordsOf[value](s, "things")
	at := map[string]driver.Version{}
	set := func(name string, n int) {
		at[name] = must[driver.Version](t)(r.Put(t.Context(), name, value{&n}, at[name]))
	}
	remove := func(name string) {
		if err := r.Delete(t.Context(), name, at[name]); err != nil {
			t.Fatal(err)
		}
		at[name] = 0
	}
	var last map[string]store.Record[value]
	for i, step := range []struct {
		change func()
		same   []string
	}{
		{func() { set("a", 1); set("b", 2); set("c", 3) }, nil},
		{func() {}, []string{"a", "b", "c"}},
		{func() { set("a", 1); remove("b"); set("d", 4) }, []string{"c"}},
		{func() { remove("c"); set("c", 3); set("b", 5) }, []string{"a", "d"}},
	} {
		step.change()
		now, err := r.ListByName(t.Context(), last)
		if err != nil {
			t.Fatal(err)
		}
		all, _, err := r.List(t.Context())
		want := map[string]store.Record[value]{}
		for _, x := range all {
			want[x.Name] = x
		}
		if d := cmp.Diff(want, now); d != "" || err != nil {
			t.Errorf("step %d: %v (-want +got):\n%s", i, err, d)
		}
		var same []string
		for _, name := range []string{"a", "b", "c", "d"} {
			if before, ok := last[name]; ok && before.Value.N == now[name].Value.N {
				same = append(same, name)
			}
		}
		if d := cmp.Diff(step.same, same); d != "" {
			t.Errorf("step %d: not decoded again (-want +got):\n%s", i, d)
		}
		last = now
	}
	must[driver.Version](t)(d.Driver.Write(t.Context(), driver.Write{Key: driver.Key{Space: "things", Name: "bad"}, Value: []byte("null")}))
	var corrupt *store.CorruptError
	if _, err := r.ListByName(t.Context(), last); !errors.As(err, &corrupt) || corrupt.Name != "bad" {
		t.Errorf("a record that cannot be decoded: %v", err)
	}
	d.plan([]fault{failed}, nil)
	if _, err := r.ListByName(t.Context(), last); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a store that cannot be read: %v", err)
	}
}

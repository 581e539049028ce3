package consulstore_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/store/consulstore"
	"github.com/sluiceproxy/sluice/store/driver"
)

// Keys hold nothing that has a meaning, are never long, and differ when names do.
func FuzzEscape(f *testing.F) {
	f.Add("a", "a/")
	f.Add("a~2f", "a/")
	f.Add("", "\x00")
	f.Add(strings.Repeat("/", 66), strings.Repeat("/", 67))
	f.Add(strings.Repeat("n", 199), strings.Repeat("n", 200))
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := consulstore.Escape(a), consulstore.Escape(b)
		if (a == b) != (x == y) {
			t.Fatalf("%q and %q become %q and %q", a, b, x, y)
		}
		if len(x) > 210 || strings.Trim(x, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~") != "" {
			t.Fatalf("%q becomes %q", a, x)
		}
		if x == "gen" || x == "all" {
			t.Fatalf("%q becomes a key of the driver's own", a)
		}
	})
}

// Whatever is in a value, decoding it neither panics nor makes up a name, and
// what was encoded comes back.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte{}, "n", []byte("v"), uint64(1))
	f.Add(consulstore.Encode(7, "name", []byte("value"), false), "x", []byte{}, uint64(2))
	f.Add(consulstore.Encode(7, "name", nil, true), "x", []byte{}, uint64(2))
	f.Fuzz(func(t *testing.T, raw []byte, name string, value []byte, id uint64) {
		if name, value, deleted, err := consulstore.Decode(raw); err == nil {
			if name == "" || len(name) > driver.MaxName || deleted && len(value) > 0 {
				t.Fatalf("%q holds %q and %q (deleted %t)", raw, name, value, deleted)
			}
		}
		if name == "" || len(name) > driver.MaxName {
			return
		}
		gotName, gotValue, deleted, err := consulstore.Decode(consulstore.Encode(id, name, value, false))
		if err != nil || deleted || gotName != name || !bytes.Equal(gotValue, value) {
			t.Fatalf("%q and %q came back as %q and %q (deleted %t), %v", name, value, gotName, gotValue, deleted, err)
		}
		gotName, _, deleted, err = consulstore.Decode(consulstore.Encode(id, name, nil, true))
		if err != nil || !deleted || gotName != name {
			t.Fatalf("the deletion of %q came back as of %q (deleted %t), %v", name, gotName, deleted, err)
		}
	})
}

// A history that can be read has its buckets in order, whatever it says.
func FuzzHistory(f *testing.F) {
	f.Add(`{"bucket":1,"starts":[]}`, uint64(5), uint64(7))
	f.Add(`{"bucket":4,"starts":[10,20]}`, uint64(30), uint64(15))
	f.Add(`{"bucket":2,"starts":[1,2,3]}`, uint64(30), uint64(15))
	f.Add(`{"bucket":0}`, uint64(30), uint64(0))
	f.Fuzz(func(t *testing.T, text string, index, at uint64) {
		first, newest, located, ok := consulstore.ReadHistory(text, index, driver.Version(at))
		if ok && (first < 1 || first > newest || located < first || located > newest) {
			t.Fatalf("%q has buckets %d to %d, and %d has what is after %d", text, first, newest, located, at)
		}
	})
}

// The bucket that a watch begins with has the first change after its version.
func TestLocate(t *testing.T) {
	t.Parallel()
	const text = `{"bucket":5,"starts":[10,20]}` // 3 from 10, 4 from 20, 5 from 30
	for at, want := range map[driver.Version]uint64{0: 3, 9: 3, 10: 3, 19: 3, 20: 4, 29: 4, 30: 5, 99: 5} {
		if _, _, got, ok := consulstore.ReadHistory(text, 30, at); !ok || got != want {
			t.Errorf("after %d: bucket %d (%t), want %d", at, got, ok, want)
		}
	}
}

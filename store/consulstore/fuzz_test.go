package consulstore_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/store/consulstore"
	"github.com/sluiceproxy/sluice/store/driver"
)

// A list that is read to its end has the records that encoding/json finds in it and
// the generation's version; whatever breaks off, or lacks the generation, is an error.
func FuzzList(f *testing.F) {
	gen, key := consulstore.ListKeys("n")
	answer := func(pairs ...*api.KVPair) []byte {
		b, err := json.Marshal(pairs)
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	g := &api.KVPair{Key: gen, Value: []byte("7"), ModifyIndex: 9}
	r := &api.KVPair{Key: key, Value: consulstore.Encode(1, "n", []byte("v"), false), ModifyIndex: 8}
	for _, b := range [][]byte{answer(g, r), answer(r, g), answer(r), answer(), answer(r, r, g)[:60], []byte("null"), []byte("{}"), answer(&api.KVPair{Key: key, Value: []byte("x")}, g)} {
		f.Add(b, uint8(10))
		f.Add(b, uint8(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, enough uint8) {
		var got []driver.KV
		v, err := consulstore.ReadList(bytes.NewReader(b), func(kv driver.KV) bool {
			got = append(got, kv)
			return len(got) < int(enough)
		})
		if err != nil || len(got) >= int(enough) {
			return
		}
		var pairs []*api.KVPair
		d := json.NewDecoder(bytes.NewReader(b)) // what follows the list is not looked at
		if err := d.Decode(&pairs); err != nil {
			t.Fatalf("%q was read as %v, and is not whole: %v", b, got, err)
		}
		found := false
		for _, p := range pairs {
			if p == nil {
				p = &api.KVPair{}
			}
			if p.Key == gen {
				found = true
				if len(p.Value) > 0 && v != driver.Version(p.ModifyIndex) && bytes.Count(b, []byte(gen)) == 1 {
					t.Fatalf("%q is at %d", b, v)
				}
				continue
			}
			name, value, _, err := consulstore.Decode(p.Value)
			if err != nil || len(got) == 0 || got[0].Name != name || !bytes.Equal(got[0].Value, value) || got[0].Version != driver.Version(p.ModifyIndex) {
				t.Fatalf("%q was read as %v, though it has %q", b, got, p.Value)
			}
			got = got[1:]
		}
		if !found || len(got) > 0 {
			t.Fatalf("%q was read with %v too many, its version: %t", b, got, found)
		}
	})
}

// However many buckets are opened and dropped, the history can be read again, keeps
// as many as it shall, and says where each change is.
func FuzzNextHistory(f *testing.F) {
	f.Add(`{"bucket":1,"starts":[]}`, uint64(5), uint8(40), uint8(3))
	f.Add(`{"bucket":4,"starts":[10,20]}`, uint64(30), uint8(1), uint8(0))
	f.Fuzz(func(t *testing.T, text string, index uint64, n, keep uint8) {
		first, newest, _, ok := consulstore.ReadHistory(text, index, 0)
		if !ok || index > 1<<62 || newest > 1<<62 {
			return
		}
		after, at, ok := consulstore.NextHistory(text, index, int(n), int(keep))
		if !ok {
			t.Fatalf("%q: what is dropped is not the oldest", text)
		}
		first2, newest2, located, ok := consulstore.ReadHistory(after, at, driver.Version(at))
		if !ok || newest2 != newest+uint64(n) || first2 < first || located != newest2 {
			t.Fatalf("%q became %q: buckets %d to %d, what is next in %d", text, after, first2, newest2, located)
		}
		if kept := int(newest2 - first2 + 1); n >= 40 && newest-first < 40 && kept > max(int(keep), 2) {
			t.Fatalf("%q became %q: %d buckets, want %d", text, after, kept, keep)
		}
	})
}

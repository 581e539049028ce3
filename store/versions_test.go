package store_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// Records of a newer version, as docs/upgrades.md says: what a tenant's requests go by is
// refused, what others say of themselves is read as far as it is known.
func TestRecordsOfANewerVersion(t *testing.T) {
	d := memstore.New(nil)
	t.Cleanup(func() { _ = d.Close() })
	put := func(space, name, value string) {
		t.Helper()
		if _, err := d.Write(t.Context(), driver.Write{Key: driver.Key{Space: space, Name: name}, Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
	}
	s := store.New(d, nil)
	at := `"phase":"Active","from":` + string(must[[]byte](t)(json.Marshal(east)))
	for name, entry := range map[string]string{"member": `{"v":1,` + at + `,"tier":"hot"}`, "version": `{"v":2,` + at + `}`} {
		put(store.SpaceEntries, name, entry)
		var bad *store.CorruptError
		seen := 0
		if _, err := s.Entries(t.Context(), func(_ placement.Entry, err error) bool {
			if errors.As(err, &bad) && bad.Name == name {
				seen++
			}
			return true
		}); err != nil || seen != 1 {
			t.Errorf("an entry with a newer %s: %v, %d refused", name, err, seen)
		}
	}
	put(store.SpaceSessions, "s1", `{"id":"s1","kind":"proxy","name":"p1","applied":7,"mood":"good"}`)
	r, err := s.Sessions().Get(t.Context(), "s1")
	if err != nil || r.Value.Name != "p1" || r.Value.Applied != 7 {
		t.Errorf("a session with a newer member: %+v, %v", r, err)
	}
	// Who writes back a record of the kinds that others drive drops what he does not know:
	// the page warns of it, and says in which order to upgrade.
	put(store.SpaceClusters, "a", `{"name":"a","endpoints":["http://a:9200"],"zone":"eu"}`)
	c := must[store.Record[placement.Cluster]](t)(s.Clusters().Get(t.Context(), "a"))
	if _, err := s.Clusters().Put(t.Context(), "a", c.Value, c.Version); err != nil {
		t.Fatal(err)
	}
	kv := must[driver.KV](t)(d.Get(t.Context(), driver.Key{Space: store.SpaceClusters, Name: "a"}))
	if strings.Contains(string(kv.Value), "zone") {
		t.Errorf("it keeps what it does not know, and docs/upgrades.md says otherwise: %s", kv.Value)
	}
	other := memstore.New(nil)
	t.Cleanup(func() { _ = other.Close() })
	key := store.TableKey()
	if _, err := other.Write(t.Context(), driver.Write{Key: key, Value: []byte(`{"v":2,"state":"open"}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), other, nil); !store.IsCorrupt(err) || !strings.Contains(err.Error(), "another version") {
		t.Errorf("a table of a newer version is opened: %v", err)
	}
}

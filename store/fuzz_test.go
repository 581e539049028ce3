package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// Every entry that Step makes of names of all kinds comes back as it was.
func FuzzEntry(f *testing.F) {
	f.Add("acme", "acme-1", "docs", "m1", "boot", uint32(1), int64(5), int64(1<<40), []byte{0, 1, 2, 3})
	f.Add("a\x00\u2028", "größe", "<>&\"", "\u2028", "", uint32(1<<32-1), int64(0), int64(-1), []byte{0, 1, 3, 0, 4})
	f.Add("acme", "acme-1", "docs", "m1", "boot", uint32(1), int64(5), int64(1), []byte{0, 1, 3, 132, 4, 132, 1, 3})
	f.Fuzz(func(t *testing.T, id, index, logical, move, boot string, n uint32, since, wall int64, steps []byte) {
		for _, s := range []string{id, index, logical, move, boot} {
			if !utf8.ValidString(s) {
				return // the table gives no such name
			}
		}
		from := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "east", Index: index, Logical: logical}
		if from.Validate() != nil || len(steps) > 50 {
			return
		}
		to := placement.Placement{Kind: placement.SharedIndex, Cluster: "west", Index: index, Logical: logical}
		e := placement.Entry{Partition: placement.PartitionID(id), Epoch: 9, State: placement.State{From: from}}
		for i, s := range steps {
			cmd := placement.Command{
				Op:    []placement.Op{placement.OpBegin, placement.OpCutover, placement.OpReopen, placement.OpComplete, placement.OpAbort, placement.OpRetire}[int(s)%6],
				To:    to,
				Start: placement.Start{Boot: boot, Since: time.Duration(max(since, 0)), Wall: time.Unix(wall&(1<<37-1), since&(1<<29-1)).UTC()},
			}
			if cmd.Op == placement.OpBegin {
				cmd.Attempt = placement.Attempt{Move: move, Number: max(n, 1)}
				if i%2 == 1 {
					cmd.To = from
				}
				if s >= 128 {
					cmd.To, cmd.Back = e.Previous, e.PreviousMove
				}
			}
			if next, err := placement.Step(e, cmd); err == nil {
				e = next
			}
			b := store.EncodeEntry(e)
			got, err := store.DecodeEntry(driver.KV{Name: id, Value: b, Version: 9})
			if err != nil || !cmp.Equal(e, got) {
				t.Fatalf("%s: %v (-was +is):\n%s", b, err, cmp.Diff(e, got))
			}
			if again := store.EncodeEntry(got); !bytes.Equal(b, again) {
				t.Fatalf("equal entries encode differently:\n%s\n%s", b, again)
			}
		}
	})
}

// A session's report comes back as it was published.
func FuzzReport(f *testing.F) {
	f.Add("id", "proxy", "host:1", "acme", "größe\u2028", uint64(7), uint64(1<<63), true)
	f.Fuzz(func(t *testing.T, id, kind, name, one, two string, applied, head uint64, flag bool) {
		for _, s := range []string{id, kind, name, one, two} {
			if !utf8.ValidString(s) {
				return
			}
		}
		a, b := placement.PartitionID(one), placement.PartitionID(two)
		want := store.SessionRecord{
			Info: store.Info{ID: id, Kind: kind, Name: name},
			Report: store.Report{
				Applied: placement.Epoch(applied), Pending: []placement.PartitionID{a, b}, Unresolved: []placement.PartitionID{b}, OldReads: []placement.PartitionID{a}, Closing: flag,
				Journals: map[placement.PartitionID]store.JournalHead{a: {Head: head, Lost: flag}, b: {}}, Tasks: map[placement.PartitionID][]store.Task{b: {{Cluster: name, ID: id}}},
			},
		}
		s := store.New(memstore.New(nil), nil)
		if _, err := s.Sessions().Put(t.Context(), "x", want, 0); err != nil {
			t.Fatal(err)
		}
		got, err := s.Sessions().Get(t.Context(), "x")
		if err != nil || !cmp.Equal(want, got.Value) {
			t.Fatalf("%v (-was +is):\n%s", err, cmp.Diff(want, got.Value))
		}
	})
}

// Whatever a record is, it is a value that survives being written again, or the
// very record is called corrupt: never absent, and never the zero value.
func FuzzRecords(f *testing.F) {
	for _, s := range []string{
		`{"id":"x","kind":"proxy","applied":7,"pending":["a"],"journals":{"a":{"head":3}}}`, `{"struck":true,"id":"x"}`, `{"name":"a","endpoints":["http://a"]}`,
		`null`, ` null `, `[]`, `1`, `{"applied":-1}`, `{"journals":null,"tasks":{"a":null}}`, `{} {}`, ``, `{"ID":"a","id":"b"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		record(t, store.SpaceSessions, b, func(s *store.Store) store.Records[store.SessionRecord] { return s.Sessions() })
		record(t, store.SpaceRoster, b, func(s *store.Store) store.Records[store.RosterRecord] { return s.Roster() })
		record(t, store.SpaceClusters, b, func(s *store.Store) store.Records[placement.Cluster] { return s.Clusters() })
	})
}

func record[T any](t *testing.T, space string, b []byte, of func(*store.Store) store.Records[T]) {
	t.Helper()
	d := memstore.New(nil)
	if _, err := d.Write(t.Context(), driver.Write{Key: driver.Key{Space: space, Name: "x"}, Value: b}); err != nil {
		t.Fatal(err)
	}
	r := of(store.New(d, nil))
	got, err := r.Get(t.Context(), "x")
	all, _, lerr := r.List(t.Context())
	if err != nil {
		var bad, listed *store.CorruptError
		var zero T
		if !errors.As(err, &bad) || bad.Space != space || bad.Name != "x" || bad.Reason == "" || !errors.As(lerr, &listed) || !cmp.Equal(got.Value, zero) {
			t.Fatalf("%q of %s: %v; listed: %v", b, space, err, lerr)
		}
		return
	}
	if trimmed := strings.TrimSpace(string(b)); !json.Valid(b) || trimmed[0] != '{' || lerr != nil || len(all) != 1 || !cmp.Equal(all[0].Value, got.Value) {
		t.Fatalf("%q of %s: %+v; listed: %v, %v", b, space, got.Value, all, lerr)
	}
	v, err := r.Put(t.Context(), "x", got.Value, got.Version)
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.Get(t.Context(), "x")
	if err != nil || again.Version != v {
		t.Fatal(err)
	}
	first, _ := json.Marshal(got.Value)
	if second, _ := json.Marshal(again.Value); !bytes.Equal(first, second) {
		t.Fatalf("%q of %s became %s and then %s", b, space, first, second)
	}
}

// The table's own record is read as it was written, and anything else refuses
// the table.
func FuzzTable(f *testing.F) {
	for _, s := range []string{
		`{"v":1,"state":"open","base":7,"file":"x"}`, `{"v":1,"state":"closed","base":0}`, `{"v":1,"state":"importing","base":4611686018427387905,"replace":true}`,
		`{"v":2,"state":"open","base":0}`, `{"v":1,"state":"open","base":1,"more":1}`, `null`, ``, `{"v":1,"state":"open","base":1}x`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := memstore.New(nil)
		if _, err := d.Write(t.Context(), driver.Write{Key: store.TableKey(), Value: b}); err != nil {
			t.Fatal(err)
		}
		got, err := store.ReadTable(t.Context(), d)
		_, oerr := store.Open(t.Context(), d, nil)
		if err != nil {
			var bad *store.CorruptError
			if !errors.As(err, &bad) || bad.Reason == "" || oerr == nil {
				t.Fatalf("%q: %v, opened: %v", b, err, oerr)
			}
			return
		}
		if (oerr == nil) != (got.State == store.TableOpen) || got.Base > store.MaxBase || got.Version == 0 {
			t.Fatalf("%q is %+v, opened: %v", b, got, oerr)
		}
		want, err := store.WriteTable(t.Context(), d, got)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := store.ReadTable(t.Context(), d); err != nil || again != want || want.Base != got.Base || want.File != got.File {
			t.Fatalf("%q is %+v and then %+v, %v", b, got, again, err)
		}
	})
}

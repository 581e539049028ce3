package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// legal returns one entry of each kind that Step can produce.
func legal(t testing.TB) []placement.Entry {
	t.Helper()
	e := placement.Entry{Partition: "acme", Epoch: 7, State: placement.State{From: east}}
	all := []placement.Entry{e}
	for _, cmd := range []placement.Command{
		{Op: placement.OpBegin, To: west, Attempt: move},
		{Op: placement.OpCutover, Start: start},
		{Op: placement.OpReopen, Attempt: placement.Attempt{Move: "m1", Number: 2}},
		{Op: placement.OpCutover}, // a start that nobody measured
		{Op: placement.OpComplete},
		{Op: placement.OpBegin, To: placement.Placement{Kind: placement.DedicatedCluster, Cluster: "north"}},
		{Op: placement.OpAbort},
		{Op: placement.OpBegin, To: placement.Placement{Kind: placement.SharedIndex, Cluster: "north", Index: "größe", Logical: "docs", PartitionField: "tenant"}, Attempt: placement.Attempt{Move: "\u2028 \"<>&", Number: 1<<32 - 1}},
	} {
		n, err := placement.Step(e, cmd)
		if err != nil {
			t.Fatalf("%s: %v", cmd.Op, err)
		}
		e = n
		all = append(all, e)
	}
	return all
}

func TestEntryRoundTrip(t *testing.T) {
	for _, want := range legal(t) {
		b := store.EncodeEntry(want)
		got, err := store.DecodeEntry(driver.KV{Name: string(want.Partition), Value: b, Version: driver.Version(want.Epoch)})
		if err != nil {
			t.Errorf("%s: %v", b, err)
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", b, d)
		}
		if byJSON, err := store.EncodeByJSON(want); err != nil || !bytes.Equal(b, byJSON) {
			t.Errorf("it is written as\n%s\nencoding/json writes\n%s %v", b, byJSON, err)
		}
		if again := store.EncodeEntry(got); !bytes.Equal(b, again) {
			t.Errorf("equal entries encode differently:\n%s\n%s", b, again)
		}
	}
}

// What is written is read without encoding/json, but for texts with escapes: else it would
// be slow and nobody would notice.
func TestWhatIsWrittenIsScanned(t *testing.T) {
	for i, e := range legal(t) {
		b := store.EncodeEntry(e)
		if got, want := store.Scanned(b), i < len(legal(t))-1; got != want {
			t.Errorf("scanned: %t\n%s", got, b)
		}
		for cut := range b {
			if store.Scanned(b[:cut]) {
				t.Fatalf("scanned, though cut off: %s", b[:cut])
			}
		}
		if store.Scanned(append(b, ' ')) {
			t.Errorf("scanned, with something after it: %s", b)
		}
	}
}

func TestDecodeEntryCorrupt(t *testing.T) {
	const from = `"from":{"kind":"dedicated_cluster","cluster":"east"}`
	const to = `"to":{"kind":"dedicated_cluster","cluster":"west"},"attempt":{"move":"m","number":1}`
	good := `{"v":1,"phase":"Draining",` + from + `,` + to + `}`
	if _, err := store.DecodeEntry(driver.KV{Name: "acme", Value: []byte(good), Version: 1}); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, value := range map[string]string{
		"empty":                     ``,
		"not JSON":                  `PNG`,
		"cut off":                   good[:len(good)-5],
		"data after it":             good + `{}`,
		"null":                      `null`,
		"an array":                  `[]`,
		"an unknown field":          `{"v":1,"phase":"Active",` + from + `,"colour":"red"}`,
		"no schema":                 `{"phase":"Active",` + from + `}`,
		"a newer schema":            `{"v":2,"phase":"Active",` + from + `}`,
		"no phase":                  `{"v":1,` + from + `}`,
		"another phase":             `{"v":1,"phase":"Flipping",` + from + `}`,
		"no placement":              `{"v":1,"phase":"Active"}`,
		"a bad placement":           `{"v":1,"phase":"Active","from":{"kind":"x","cluster":"east"}}`,
		"Active with a target":      `{"v":1,"phase":"Active",` + from + `,` + to + `}`,
		"Draining without a target": `{"v":1,"phase":"Draining",` + from + `}`,
		"a target without attempt":  `{"v":1,"phase":"Draining",` + from + `,"to":{"kind":"dedicated_cluster","cluster":"west"}}`,
		"a bad target":              `{"v":1,"phase":"Draining",` + from + `,"to":{"kind":"dedicated_cluster","cluster":""},"attempt":{"move":"m","number":1}}`,
		"a cutover's start outside": `{"v":1,"phase":"Draining",` + from + `,` + to + `,"cutover_at":{"boot":"b","wall":"2026-01-01T00:00:00Z"}}`,
		"a bad time":                `{"v":1,"phase":"Cutover",` + from + `,` + to + `,"cutover_at":{"boot":"b","wall":"yesterday"}}`,
		"a target where it is":      `{"v":1,"phase":"Draining",` + from + `,"to":{"kind":"dedicated_cluster","cluster":"east"},"attempt":{"move":"m","number":1}}`,
		"a previous while moving":   `{"v":1,"phase":"Draining",` + from + `,` + to + `,"previous":{"kind":"dedicated_cluster","cluster":"north"}}`,
		"a fence of no previous":    `{"v":1,"phase":"Active",` + from + `,"fenced":"m"}`,
		"a move of no previous":     `{"v":1,"phase":"Active",` + from + `,"previous_move":"m"}`,
		"a start before the boot":   `{"v":1,"phase":"Cutover",` + from + `,` + to + `,"cutover_at":{"boot":"b","since":-1,"wall":"2026-01-01T00:00:00Z"}}`,
		"a bad previous":            `{"v":1,"phase":"Active",` + from + `,"previous":{"kind":"","cluster":"x"}}`,
		"a negative incarnation":    `{"v":1,"phase":"Active",` + from + `,"incarnation":-1}`,
		"too great an incarnation":  `{"v":1,"phase":"Active",` + from + `,"incarnation":4294967296}`,
	} {
		e, err := store.DecodeEntry(driver.KV{Name: "acme", Value: []byte(value), Version: 9})
		var bad *store.CorruptError
		if !errors.As(err, &bad) || bad.Name != "acme" || bad.Space != store.SpaceEntries || bad.Reason == "" {
			t.Errorf("%s: %v, want a *CorruptError", name, err)
		}
		if e.Partition != "acme" || e.Epoch != 9 {
			t.Errorf("%s: the entry does not say whose it is: %+v", name, e)
		}
	}
}

// Whatever the bytes: no panic, a *CorruptError or an entry that survives being
// written and read again.
func FuzzDecodeEntry(f *testing.F) {
	for _, e := range legal(f) {
		f.Add(store.EncodeEntry(e))
	}
	const at = `{"kind":"dedicated_cluster","cluster":"east"}`
	for _, s := range []string{
		`{"v":1,"phase":"Draining","from":{},"to":null,"attempt":{}}`, `{"v":1,"phase":"Active","from":` + at + `,"fenced":"m"}`,
		`{"v":1,"phase":"Draining","from":` + at + `,"to":` + at + `,"attempt":{"move":"m","number":1}}`,
		`{"V":1,"phase":"Active","from":` + at + `,"from":{"kind":"x"}}`, "{\"v\":1,\"phase\":\"Active\",\"from\":" + at + ",\"previous\":" + at + ",\"previous_move\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		kv := driver.KV{Name: "acme", Value: b, Version: 3}
		e, err := store.DecodeEntry(kv)
		if byJSON, jerr := store.DecodeByJSON(kv); fmt.Sprint(err) != fmt.Sprint(jerr) || !cmp.Equal(e, byJSON) {
			t.Fatalf("read as\n%+v, %v\nencoding/json reads\n%+v, %v", e, err, byJSON, jerr)
		}
		if err != nil {
			var bad *store.CorruptError
			if !errors.As(err, &bad) {
				t.Fatalf("not a *CorruptError: %v", err)
			}
			return
		}
		idle := !e.State.Migrating()
		switch {
		case e.State.From.Validate() != nil || idle == (e.State.To.Validate() == nil) || e.State.To == e.State.From,
			idle == (e.Attempt.Number > 0),
			e.Previous.IsZero() && (e.PreviousMove != "" || e.Fenced != "") || !e.Previous.IsZero() && (!idle && e.Previous != e.State.To || e.Previous.Validate() != nil),
			e.CutoverAt != (placement.Start{}) && e.State.Phase != placement.Cutover || e.CutoverAt.Since < 0:
			t.Fatalf("accepted: %+v", e)
		}
		written := store.EncodeEntry(e)
		if byJSON, err := store.EncodeByJSON(e); err != nil || string(written) != string(byJSON) {
			t.Fatalf("written as\n%s\nencoding/json writes\n%s %v", written, byJSON, err)
		}
		again, err := store.DecodeEntry(driver.KV{Name: "acme", Value: written, Version: 3})
		if err != nil || !cmp.Equal(e, again) {
			t.Fatalf("written and read again (%v):\n%s", err, cmp.Diff(e, again))
		}
	})
}

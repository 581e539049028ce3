package gate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// FuzzJournal runs a string of operations, two bytes each, and compares with a list
// of all that was ever touched: whatever a mover has not confirmed it finds, newest
// touch last and each once, in pages of any size, or it is told that something is
// lost.
func FuzzJournal(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 0, 1, 4, 0, 5, 2, 0, 1, 4, 3})
	f.Add([]byte{0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 4, 0, 5, 9, 0, 1, 4, 0})
	f.Add([]byte{1, 0, 2, 0, 3, 7, 4, 1, 6, 0, 0, 1, 5, 1, 4, 0, 7, 0, 0, 1, 4, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		const limit = 5
		const id = placement.PartitionID("acme")
		type touch struct {
			seq   uint64
			kind  string
			doc   gate.DocRef
			other bool // something that no entry names
		}
		js := gate.NewJournals(limit)
		js.Open("s")
		var all []touch
		var seq, confirmed, lostAt uint64
		for ; len(ops) >= 2; ops = ops[2:] {
			n := int(ops[1])
			ref := gate.DocRef{Index: "docs", ID: fmt.Sprint(n % 8)}
			switch ops[0] % 8 {
			case 0, 3:
				seq++
				all = append(all, touch{seq, gate.EntryDoc, ref, false})
				if js.Add(id, []gate.DocRef{ref}, false, false) {
					lostAt = seq
				}
			case 1:
				seq++
				all = append(all, touch{seq, gate.EntryAdmin, gate.DocRef{}, false})
				if js.Add(id, nil, true, false) {
					lostAt = seq
				}
			case 2:
				seq++
				all = append(all, touch{seq, "", gate.DocRef{}, true})
				if !js.Add(id, nil, false, true) {
					t.Fatal("what cannot be listed is not lost")
				}
				lostAt = seq
			case 4:
				var got []gate.JournalEntry
				for after, size := confirmed, n%3+1; ; {
					p, ok := js.Pull("s", id, after, size)
					if !ok || len(p.Entries) > size || p.Check("s", after) != nil || p.Head != seq && p.Head != 0 {
						t.Fatalf("after %d of %d: %+v, %t, %v", after, seq, p, ok, p.Check("s", after))
					}
					if p.Lost != (lostAt > confirmed) {
						t.Fatalf("lost %t, at %d with %d confirmed", p.Lost, lostAt, confirmed)
					}
					got = append(got, p.Entries...)
					if !p.More {
						break
					}
					after = p.Entries[len(p.Entries)-1].Seq
				}
				var want []gate.JournalEntry
				for i, x := range all {
					if x.seq <= max(confirmed, lostAt) || x.other || slices.ContainsFunc(all[i+1:], func(y touch) bool { return y.kind == x.kind && y.doc == x.doc }) {
						continue
					}
					want = append(want, gate.JournalEntry{Seq: x.seq, Kind: x.kind, Doc: x.doc})
				}
				for _, e := range want {
					if !slices.Contains(got, e) {
						t.Fatalf("%+v is missing in %+v", e, got)
					}
				}
				if lostAt <= confirmed && !slices.Equal(got, want) {
					t.Fatalf("%+v, want %+v", got, want)
				}
			case 5:
				upto := min(confirmed+uint64(n%4), seq)
				if !js.Confirm("s", id, upto) {
					t.Fatal("not confirmed")
				}
				confirmed = max(confirmed, upto)
			case 6:
				js.Drop(id)
				all, confirmed, lostAt = nil, seq, 0
			case 7:
				if _, ok := js.Pull("other", id, 0, 10); ok || js.Confirm("other", id, seq) || js.Confirm("", id, seq) {
					t.Fatal("another session is served")
				}
				js.Open("s")
				all, seq, confirmed, lostAt = nil, 0, 0, 0
			}
			if kept := js.Kept(id); kept > 2*limit+1024+1 {
				t.Fatalf("%d entries are in memory", kept)
			}
		}
	})
}

// What a controller asks for over HTTP is what the instance has, whatever names
// there are; without the secret nothing is told.
func FuzzFleet(f *testing.F) {
	f.Add("acme", "docs", "1", "r", "after=0&max=5")
	f.Add("a&b=c/\u2028", "größe", "<>\"\x00", "", "after=-1&max=0&session=x")
	s := store.New(memstore.New(nil), nil)
	g, err := gate.New(s, &gate.Options{FleetSecret: []byte("a secret of the fleet")})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, partition, index, id, routing, raw string) {
		for _, path := range []string{"journal", "journal/confirm", "holds"} {
			for _, method := range []string{"GET", "POST"} {
				r := &http.Request{Method: method, URL: &url.URL{Path: "/-/fleet/v1/" + path, RawQuery: raw}, Header: http.Header{}, Host: "h"}
				w := httptest.NewRecorder()
				g.FleetHandler().ServeHTTP(w, r)
				if w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "{") {
					t.Fatalf("%s %s?%s without the secret: %d %s", method, path, raw, w.Code, w.Body)
				}
			}
		}
		for _, s := range []string{partition, index, id, routing} {
			if !utf8.ValidString(s) {
				return // the proxy journals no such name
			}
		}
		js := gate.NewJournals(10)
		js.Open("s " + partition)
		ref := gate.DocRef{Index: index, ID: id, Routing: routing}
		js.Add(placement.PartitionID(partition), []gate.DocRef{ref}, true, false)
		want, ok := js.Pull("s "+partition, placement.PartitionID(partition), 0, 10)
		if !ok {
			t.Fatal("not served")
		}
		secret := []byte("a secret of the fleet")
		peers := gate.NewPeers(secret, &http.Client{Transport: inProcess(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if q.Get("session") != "s "+partition || q.Get("partition") != partition || q.Get("after") != "0" || q.Get("max") != "10" {
				t.Errorf("asked for %v", q)
			}
			_ = json.NewEncoder(w).Encode(want)
		})})
		got, err := peers.Pull(t.Context(), store.Info{ID: "s " + partition, Address: "http://h"}, placement.PartitionID(partition), 0, 10)
		if err != nil || !cmp.Equal(want, got) {
			t.Fatalf("%v (-was +is):\n%s", err, cmp.Diff(want, got))
		}
		// The instance itself holds another session, or none.
		peers = gate.NewPeers(secret, &http.Client{Transport: inProcess(g.FleetHandler().ServeHTTP)})
		if _, err := peers.Pull(t.Context(), store.Info{ID: "s " + partition, Address: "http://h"}, placement.PartitionID(partition), 0, 10); !errors.Is(err, gate.ErrJournalLost) {
			t.Fatalf("of another session: %v", err)
		}
	})
}

// inProcess answers without a network.
type inProcess http.HandlerFunc

func (h inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h(w, r)
	return w.Result(), nil
}

// A page that a controller takes is one of the journal that it asked for, in order.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"session":"s","head":3,"entries":[{"seq":2,"kind":"doc","doc":{"id":"1"}},{"seq":3,"kind":"admin"}]}`), uint64(1))
	f.Add([]byte(`{}`), uint64(0))
	f.Add([]byte(`null`), uint64(0))
	f.Add([]byte(`{"session":"s","more":true}`), uint64(0))
	f.Add([]byte(`{"session":"s","head":9,"entries":[{"seq":5,"kind":"doc"},{"seq":5,"kind":"doc"}]}`), uint64(0))
	f.Fuzz(func(t *testing.T, body []byte, after uint64) {
		peers := gate.NewPeers([]byte("a secret of the fleet"), &http.Client{Transport: inProcess(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })})
		p, err := peers.Pull(t.Context(), store.Info{ID: "s", Address: "http://h"}, "acme", after, 10)
		if err != nil {
			if p.Session != "" || len(p.Entries) > 0 {
				t.Fatalf("%v, and %+v", err, p)
			}
			return
		}
		if p.Session != "s" || p.More && len(p.Entries) == 0 {
			t.Fatalf("%q was taken for %+v", body, p)
		}
		last := after
		for _, e := range p.Entries {
			if e.Seq <= last || e.Seq > p.Head {
				t.Fatalf("%q was taken for %+v", body, p)
			}
			last = e.Seq
		}
	})
}

package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// entry is one of the table as a proxy decodes it.
type entry struct {
	Tenant              placement.PartitionID
	Epoch               placement.Epoch
	Removed, Unreadable bool
	Phase, Move         string
	Placement           *placement.Placement
	MovingTo            *placement.Placement `json:"moving_to"`
}

// tableLine is a line of the changes.
type tableLine struct {
	Alive   bool
	Anew    bool `json:"list_anew"`
	Applied placement.Epoch
	Changes []entry
}

// followed is a connection that follows the table.
type followed struct {
	t     *testing.T
	lines *bufio.Scanner
}

func (w *world) follow(base string, from placement.Epoch) followed {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	w.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("%s%s/fleet/table/changes?from=%d", base, api.Prefix, from), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer p1")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/x-ndjson" {
		w.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	f := followed{w.t, bufio.NewScanner(resp.Body)}
	if l, ok := f.next(); !ok || !l.Alive {
		w.t.Fatalf("the first line is %+v, %t", l, ok)
	}
	return f
}

// awaitFollowed returns when Run has begun.
func (w *world) awaitFollowed(base string) {
	w.t.Helper()
	until(w.t, "the table is followed", func() bool {
		r, err := http.NewRequestWithContext(w.t.Context(), "GET", base+api.Prefix+"/fleet/table/changes?from=1", nil)
		if err != nil {
			w.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer p1")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			w.t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode == 200
	})
}

// next is the next line; false at the end.
func (f followed) next() (l tableLine, ok bool) {
	f.t.Helper()
	if !f.lines.Scan() {
		return l, false
	}
	if err := json.Unmarshal(f.lines.Bytes(), &l); err != nil {
		f.t.Fatalf("%v: %s", err, f.lines.Text())
	}
	return l, true
}

// change is the next change.
func (f followed) change() entry {
	f.t.Helper()
	for {
		l, ok := f.next()
		if !ok {
			f.t.Fatal("the changes have ended")
		}
		if l.Alive {
			continue
		}
		if len(l.Changes) != 1 || l.Applied != l.Changes[0].Epoch {
			f.t.Fatalf("%+v", l)
		}
		return l.Changes[0]
	}
}

// list is the table by its pages, and its version.
func (w *world) list(limit int) (items []entry, version placement.Epoch) {
	w.t.Helper()
	for n, cursor := 0, ""; ; n++ {
		var p struct {
			Items   []entry
			Next    string
			Version *placement.Epoch
		}
		w.with("p1", "GET", fmt.Sprintf("/fleet/table?limit=%d&cursor=%s", limit, url.QueryEscape(cursor)), "").is(200, &p)
		if (p.Version != nil) != (n == 0) || len(p.Items) > limit {
			w.t.Fatalf("page %d: %+v", n, p)
		}
		if n == 0 {
			version = *p.Version
		}
		items = append(items, p.Items...)
		if cursor = p.Next; cursor == "" {
			return items, version
		}
	}
}

func TestTableOfAProxy(t *testing.T) { tableOfAProxy(t, memstore.New(nil)) }

func tableOfAProxy(t *testing.T, d driver.Driver) {
	w := fleetWorld(t, d, "http://c1")
	w.cluster("a", "b")
	for i := range 7 {
		w.tenant(fmt.Sprintf("t-%d", i), "a")
	}
	if _, err := d.Write(t.Context(), driver.Write{Key: driver.Key{Space: store.SpaceEntries, Name: "t-3x"}, Value: []byte("{")}); err != nil {
		t.Fatal(err)
	}
	cmd := placement.Command{Op: placement.OpBegin, To: place("b", "new"), Attempt: placement.Attempt{Move: "m1", Number: 1}}
	e, err := w.s.Apply(t.Context(), "t-5", cmd)
	if err != nil {
		t.Fatal(err)
	}
	items, version := w.list(3)
	if len(items) != 8 || version < e.Epoch {
		t.Fatalf("%d entries at version %d: %+v", len(items), version, items)
	}
	for _, x := range items {
		switch x.Tenant {
		case "t-3x":
			if !x.Unreadable || x.Placement != nil {
				t.Errorf("%+v", x)
			}
		case "t-5":
			if x.Phase != "draining" || x.Move != "m1" || x.MovingTo == nil || *x.MovingTo != place("b", "new") || x.Epoch != e.Epoch {
				t.Errorf("%+v", x)
			}
		default:
			if x.Phase != "active" || x.Placement == nil || x.Placement.Cluster != "a" || x.Epoch == 0 || x.Move != "" {
				t.Errorf("%+v", x)
			}
		}
	}
	server := httptest.NewServer(w.a.Handler())
	defer server.Close()
	w.with("p1", "GET", "/fleet/table/changes?from=1", "").fails(api.CodeStoreUnavailable) // nobody follows the table
	w.with("p1", "GET", "/fleet/table/changes", "").fails(api.CodeInvalid)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- w.a.Run(ctx) }()
	w.awaitFollowed(server.URL)
	f := w.follow(server.URL, version)
	cutover, err := w.s.Apply(t.Context(), "t-5", placement.Command{Op: placement.OpCutover, Expect: e.Epoch})
	if err != nil {
		t.Fatal(err)
	}
	if x := f.change(); x.Tenant != "t-5" || x.Phase != "cutover" || x.Epoch != cutover.Epoch {
		t.Errorf("%+v", x)
	}
	if err := w.s.Remove(t.Context(), "t-0"); err != nil {
		t.Fatal(err)
	}
	gone := f.change()
	if gone.Tenant != "t-0" || !gone.Removed || gone.Epoch <= cutover.Epoch {
		t.Errorf("%+v", gone)
	}
	// Whoever comes back goes on where he was; whoever is ahead has seen another table.
	if x := w.follow(server.URL, cutover.Epoch).change(); x.Tenant != "t-0" || x.Epoch != gone.Epoch {
		t.Errorf("%+v", x)
	}
	ahead := w.follow(server.URL, gone.Epoch+1000)
	if l, ok := ahead.next(); !ok || !l.Anew {
		t.Errorf("%+v, %t", l, ok)
	}
	if l, ok := ahead.next(); ok {
		t.Errorf("it goes on with %+v", l)
	}
	stop()
	for ok := true; ok; _, ok = f.next() {
	}
	<-ended
}

// A client who comes back to a history that is gone is told to list anew.
func TestTableAnew(t *testing.T) {
	d := memstore.New(&memstore.Options{History: 4})
	w := fleetWorld(t, d, "http://c1")
	first := w.tenant("t-0", "a")
	for i := range 20 {
		w.tenant(fmt.Sprintf("t-%d", i+1), "a")
	}
	server := httptest.NewServer(w.a.Handler())
	defer server.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.a.Run(ctx) }()
	defer func() { stop(); <-ended }()
	w.awaitFollowed(server.URL)
	if l, ok := w.follow(server.URL, first.Epoch).next(); !ok || !l.Anew {
		t.Errorf("%+v, %t", l, ok)
	}
}

// What a request has to wait for is at least its tenant's newest change.
func TestReadBarrier(t *testing.T) {
	mem := memstore.New(nil)
	for _, d := range []driver.Driver{mem, drivertest.NewHeadless(memstore.New(nil))} {
		w := fleetWorld(t, d, "http://c1")
		first, second := w.tenant("one", "a"), w.tenant("two", "a")
		var b struct {
			Epochs map[placement.PartitionID]placement.Epoch
		}
		w.with("p1", "GET", "/fleet/barrier?tenant=one&tenant=two&tenant=none", "").is(200, &b)
		if len(b.Epochs) != 3 || b.Epochs["one"] < first.Epoch || b.Epochs["two"] < second.Epoch || b.Epochs["two"] > second.Epoch {
			t.Errorf("%T: %+v after %d and %d", d, b, first.Epoch, second.Epoch)
		}
		if d != driver.Driver(mem) && (b.Epochs["none"] != 0 || b.Epochs["one"] != first.Epoch) {
			t.Errorf("without a head: %+v", b)
		}
		w.with("p1", "GET", "/fleet/barrier", "").fails(api.CodeInvalid)
		// What a session must have applied is what listing after it brings, with either.
		o := w.open("")
		if _, version := w.list(100); version < o.MustApply || o.MustApply < second.Epoch {
			t.Errorf("%T: version %d, to apply %d", d, version, o.MustApply)
		}
	}
}

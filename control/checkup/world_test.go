package checkup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/control/checkup"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

var worlds atomic.Int64

// world is a table of its own, and a cluster that it shares with the other tests, of
// which one runs at a time. Its indices begin with its name.
type world struct {
	t    *testing.T
	d    *memstore.Store
	s    *store.Store
	c    *upstream.Client
	name string
	stop func() // the controller, if one runs
}

func newWorld(t *testing.T) *world {
	t.Helper()
	node := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	w := &world{t: t, d: memstore.New(nil), name: fmt.Sprintf("w%d", worlds.Add(1))}
	w.s = store.New(w.d, nil)
	w.cluster("a", node.URL())
	var err error
	if w.c, err = upstream.New(placement.Cluster{Name: "a", Endpoints: []string{node.URL()}}, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.stop != nil {
			w.stop()
		}
		_ = w.c.JSON(context.Background(), http.MethodDelete, "/"+w.name+"-*", url.Values{"expand_wildcards": {"all"}}, nil, nil)
		_ = w.c.JSON(context.Background(), http.MethodDelete, "/_snapshot/"+w.name+"-*", nil, nil, nil)
		w.c.Close()
		_ = w.d.Close()
	})
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) cluster(name, endpoint string) {
	w.t.Helper()
	_, err := w.s.Clusters().Put(w.t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{endpoint}}, 0)
	w.must(err)
}

// call sends a request to the cluster; body may be empty.
func (w *world) call(method, path, body string, into any) {
	w.t.Helper()
	var b any
	if body != "" {
		b = []byte(body)
	}
	path, query, _ := strings.Cut(path, "?")
	q, err := url.ParseQuery(query)
	w.must(err)
	w.must(w.c.JSON(w.t.Context(), method, path, q, b, into))
}

func (w *world) exists(index string) bool {
	err := w.c.JSON(w.t.Context(), http.MethodGet, "/"+index, nil, nil, nil)
	var s *upstream.StatusError
	if errors.As(err, &s) && s.Status == http.StatusNotFound {
		return false
	}
	w.must(err)
	return true
}

// place is an index of this world.
func (w *world) place(index string) placement.Placement {
	return placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: w.name + "-" + index, Logical: "docs"}
}

// tenant adds acme, with an index of three documents.
func (w *world) tenant() placement.PartitionID {
	w.t.Helper()
	p := w.place("acme")
	w.call("PUT", "/"+p.Index, `{"settings":{"number_of_replicas":0}}`, nil)
	for i := range 3 {
		w.call("PUT", fmt.Sprintf("/%s/_doc/%d?refresh=true", p.Index, i), `{"n":1}`, nil)
	}
	_, err := w.s.Register(w.t.Context(), "acme", p)
	w.must(err)
	return "acme"
}

func (w *world) entry() placement.Entry {
	w.t.Helper()
	e, err := w.s.State(w.t.Context(), "acme")
	w.must(err)
	return e
}

// raw writes a record as somebody does who edits the store.
func (w *world) raw(space, name, value string) {
	w.t.Helper()
	key := driver.Key{Space: space, Name: name}
	expect := driver.Version(0)
	if kv, err := w.d.Get(w.t.Context(), key); err == nil {
		expect = kv.Version
	}
	_, err := w.d.Write(w.t.Context(), driver.Write{Key: key, Value: []byte(value), Expect: expect})
	w.must(err)
}

func (w *world) remove(space, name string) {
	w.t.Helper()
	key := driver.Key{Space: space, Name: name}
	kv, err := w.d.Get(w.t.Context(), key)
	w.must(err)
	_, err = w.d.Write(w.t.Context(), driver.Write{Key: key, Expect: kv.Version, Delete: true})
	w.must(err)
}

func (w *world) put(m control.Move) {
	w.t.Helper()
	_, err := control.Moves(w.s).Put(w.t.Context(), m.ID, m, 0)
	w.must(err)
}

func (w *world) move(id string) control.Move {
	w.t.Helper()
	r, err := control.Moves(w.s).Get(w.t.Context(), id)
	w.must(err)
	return r.Value
}

// control runs a controller until the test ends, or stop is called.
func (w *world) control() {
	if w.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := control.NewController(w.s, gate.NewPeers([]byte("x"), nil), &control.ControllerOptions{Scan: 20 * time.Millisecond, DrainBarrier: 20 * time.Millisecond, Waves: true})
	var wg sync.WaitGroup
	wg.Go(func() { _ = c.Run(ctx) })
	w.stop = func() { cancel(); wg.Wait(); w.stop = nil }
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) { // polls a controller
		if time.Now().After(end) {
			w.t.Fatalf("%s: not within two minutes", what)
		}
	}
}

// request asks for a move of acme.
func (w *world) request(o control.MoveOptions) control.Move {
	w.t.Helper()
	o.DrainBarrier = 20 * time.Millisecond
	o.PauseBudget, o.CutoverDeadline = 5*time.Second, 10*time.Second
	m, err := control.RequestMove(w.t.Context(), w.s, control.Request{Partition: "acme", Cluster: "a", Index: w.name + "-new", Options: o})
	w.must(err)
	return m
}

// flip moves acme, and stops the controller.
func (w *world) flip() control.Move {
	w.t.Helper()
	m := w.request(control.MoveOptions{})
	w.control()
	w.until("the flip", func() bool { return w.move(m.ID).Stage == control.StageFlipped })
	w.stop()
	return w.move(m.ID)
}

// half copies acme half-way, and stops the controller as it would be if it were killed:
// its session gone, its move as it is.
func (w *world) half() control.Move {
	w.t.Helper()
	m := w.request(control.MoveOptions{CopyRate: 1})
	w.control()
	w.until("the copy", func() bool {
		now := w.move(m.ID)
		return now.Stage == control.StageCopying && w.entry().State.Migrating()
	})
	w.stop()
	return w.move(m.ID)
}

func (w *world) examine() *checkup.Report {
	w.t.Helper()
	r, err := checkup.Examine(w.t.Context(), w.s, &checkup.Options{Pause: -1, DrainBarrier: 20 * time.Millisecond})
	w.must(err)
	return r
}

// found are the findings of a code.
func (w *world) found(code string) []checkup.Finding {
	w.t.Helper()
	return slices.DeleteFunc(w.examine().Findings, func(f checkup.Finding) bool { return f.Code != code })
}

func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

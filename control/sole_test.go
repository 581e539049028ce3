package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// A tenant that may have any number of indices moves into a place for one. Whenever it
// creates another, up to the last creation that was admitted before the cutover, the
// move ends with its name, nothing of it is lost, and nothing is left at the target.
func TestACreationEndsAMoveIntoOneIndex(t *testing.T) {
	t.Parallel()
	b := newBench(t, "lone", 0)
	many := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "lone-*", Logical: "*"}
	if err := b.s.Remove(t.Context(), b.tenant); err != nil {
		t.Fatal(err)
	}
	if _, err := b.s.Register(t.Context(), b.tenant, many); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		b.call(t, "a", http.MethodPut, fmt.Sprintf("/lone-0/_doc/%d", i), `{"n":1}`, nil)
	}
	request := func() control.Move {
		t.Helper()
		m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b", Kind: placement.DedicatedIndex, Index: "sole",
			Options: control.MoveOptions{DrainBarrier: 2 * time.Second, PauseBudget: 4 * time.Second, CutoverDeadline: 8 * time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	f := &flaky{Store: b.d}
	var mu sync.Mutex
	var at func(driver.Write)
	f.wrote = func(w driver.Write) {
		mu.Lock()
		defer mu.Unlock()
		if at != nil {
			at(w)
		}
	}
	watch := func(do func(driver.Write)) { mu.Lock(); defer mu.Unlock(); at = do }
	create := func(what string) {
		if code, err := b.try(context.Background(), "a", http.MethodPut, "/lone-late/_doc/1", `{"l":1}`, nil); err != nil || code != http.StatusCreated {
			t.Errorf("%s: the creation: %d, %v", what, code, err)
		}
	}
	b.start(t, store.New(f, nil), "c1")
	stage := func(w driver.Write, s control.Stage) bool {
		var m control.Move
		return w.Key.Space == store.SpaceMoves && json.Unmarshal(bytes.TrimSpace(w.Value), &m) == nil && m.Stage == s
	}
	points := map[string]func() func(driver.Write){
		"in the cutover": func() func(driver.Write) { // was admitted before
			var tk interface{ Done() error }
			return func(w driver.Write) {
				switch {
				case tk == nil && stage(w, control.StageCutover):
					x, err := b.g.Write(context.Background(), b.tenant, 100)
					if err == nil {
						err = x.Send()
					}
					if err != nil {
						t.Error(err)
					}
					tk = x
				case tk != nil && w.Key.Space == store.SpaceEntries:
					at = nil
					done := tk
					go func() {
						create("in the cutover")
						if err := done.Done(); err != nil {
							t.Errorf("the creation's ticket: %v", err)
						}
					}()
				}
			}
		},
	}
	for _, s := range []control.Stage{control.StageCopying, control.StageCatchingUp, control.StageCutover} {
		points["with stage "+string(s)] = func() func(driver.Write) {
			return func(w driver.Write) {
				if stage(w, s) {
					at = nil
					create(string(s))
				}
			}
		}
	}
	for name, point := range points {
		watch(point())
		began := time.Now()
		m := b.await(t, request().ID, settled)
		if m.Stage != control.StageAborted || !strings.Contains(m.Error, "many_indices") || !strings.Contains(m.Error, "2 indices") || !strings.Contains(m.Error, "0, late") {
			t.Errorf("%s: it ended as %s: %s", name, m.Stage, m.Error)
		}
		t.Logf("%s: %v", name, time.Since(began))
		e, err := b.s.State(t.Context(), b.tenant)
		if err != nil || e.State != (placement.State{From: many}) {
			t.Errorf("%s: the tenant is %s, %v", name, e.State, err)
		}
		var got struct{ Found bool }
		if b.call(t, "a", http.MethodGet, "/lone-late/_doc/1", "", &got); !got.Found {
			t.Errorf("%s: what was created is lost", name)
		}
		if code, err := b.try(t.Context(), "b", http.MethodHead, "/sole", "", nil); err != nil || code != http.StatusNotFound {
			t.Errorf("%s: the target: %d, %v", name, code, err)
		}
		b.call(t, "a", http.MethodDelete, "/lone-late", "", nil)
	}
	watch(nil)
	if m := b.await(t, request().ID, settled); m.Stage != control.StageFlipped || m.To.Logical != "0" {
		t.Errorf("undisturbed it ended as %s: %s", m.Stage, m.Error)
	}
	var n struct{ Count int }
	if b.call(t, "b", http.MethodGet, "/sole/_count", "", &n); n.Count != 20 {
		t.Errorf("%d documents have moved", n.Count)
	}
}

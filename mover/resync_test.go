package mover_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A document that was deleted, forgotten and created again has the version that
// was copied. Comparing versions does not find it; Resync does.
func TestResyncFindsWhatVersionsDoNot(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":3,"number_of_replicas":0,"gc_deletes":"0s"}}`)
	r.fill(300)
	r.call(r.src, "PUT", "/"+r.a+"/_doc/x", "refresh=true", `{"n":1}`, nil)
	m := r.taken(nil)
	if err := m.NoteBase(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.copyAll(m)
	r.equal(m, 301)
	for first := true; first || r.get(r.src, r.a, "x", "").Version != 1; first = false {
		r.call(r.src, "DELETE", "/"+r.a+"/_doc/x", "", "", nil)
		r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
		r.call(r.src, "PUT", "/"+r.a+"/_doc/x", "", `{"n":2,"again":true}`, nil)
	}
	r.call(r.src, "DELETE", "/"+r.a+"/_doc/d2", "", "", nil)
	r.call(r.src, "PUT", "/"+r.a+"/_doc/new", "", `{"n":3}`, nil)
	if d, err := m.Reconcile(t.Context(), true); err != nil || d.NExtra != 1 || d.NMissing != 1 || d.NOlder != 0 {
		t.Errorf("by versions: %+v, %v", d, err)
	}
	if b := r.get(r.dst, r.b, "x", ""); strings.Contains(string(b.Source), "again") {
		t.Fatal("versions told the two apart: this test shows nothing")
	}
	base := m.Indexes()[0].Base
	if d, err := m.Resync(t.Context()); err != nil || !d.Empty() {
		t.Errorf("after what was written was applied, versions differ: %+v, %v", d, err)
	}
	if b := r.get(r.dst, r.b, "x", ""); b.Version != 1 || !strings.Contains(string(b.Source), "again") {
		t.Errorf("the document that was created again: %+v", b)
	}
	r.equal(m, 301)
	if now := m.Indexes()[0].Base; len(now) != 3 || cmp.Equal(base, now) {
		t.Errorf("the base did not advance: %v, %v", base, now)
	}
	// A second one begins where the first did, and finds what a record of an
	// older version, which has no base, does too.
	r.call(r.src, "PUT", "/"+r.a+"/_doc/d1", "", `{"n":-1}`, nil)
	idx := m.Indexes()
	idx[0].Base = nil
	m.Use(idx)
	if _, err := m.Resync(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.equal(m, 301)
}

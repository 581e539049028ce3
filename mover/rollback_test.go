package mover_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
)

// moved carries the rig's move through its flip and the fence, and returns what its
// record would have.
func (r *rig) moved() []mover.Index {
	r.t.Helper()
	m := r.taken(nil)
	r.copyAll(m)
	if err := m.Ready(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if err := m.NoteTarget(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.flip(m)
	if seen, err := m.Fence(r.t.Context()); err != nil || seen {
		r.t.Fatalf("fence: %t, %v", seen, err)
	}
	return m.Indexes()
}

// back is a mover of a rollback of the rig's move.
func (r *rig) back(old []mover.Index) *mover.Mover {
	r.t.Helper()
	spec := r.spec
	spec.Move, spec.From, spec.To, spec.RollbackOf, spec.Old = r.spec.Move+"-back", r.spec.To, r.spec.From, r.spec.Move, old
	m, err := mover.New(spec, r.dst, r.src, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// begun is back that has begun.
func (r *rig) begun(old []mover.Index) *mover.Mover {
	r.t.Helper()
	m := r.back(old)
	if _, err := m.Prepare(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if err := m.Take(r.t.Context(), false); err != nil {
		r.t.Fatal(err)
	}
	if err := m.OpenOld(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if _, err := m.Adopt(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if err := m.NoteBase(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	return m
}

// refusedBack fails unless Prepare refuses the rollback so, and it leaves the old copy
// as it is.
func (r *rig) refusedBack(old []mover.Index, code, detail string) {
	r.t.Helper()
	m := r.back(old)
	_, err := m.Prepare(r.t.Context())
	var refused *mover.RefusedError
	if !errors.As(err, &refused) || refused.Code != code || !strings.Contains(err.Error(), detail) {
		r.t.Errorf("%v; want %s, %q", err, code, detail)
	}
	r.given(m, true)
}

// given gives the old copy back.
func (r *rig) given(m *mover.Mover, fence bool) {
	r.t.Helper()
	for range 2 { // and again, for nothing
		if _, err := m.GiveBack(r.t.Context(), fence); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := m.Discard(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	for range 2 {
		if err := m.Forget(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// names are the indices and aliases that a pattern matches.
func (r *rig) names(c *upstream.Client, pattern string) []string {
	r.t.Helper()
	var all map[string]struct{ Aliases map[string]any }
	r.call(c, "GET", "/"+pattern, "expand_wildcards=all", "", &all)
	var out []string
	for n, x := range all {
		out = append(out, n)
		for a := range x.Aliases {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return out
}

// TestRollbackOfManyIndices: of a tenant with a pattern, what it has dropped since is
// dropped from the old copy, what it has dropped and created again is made anew, and
// what is new comes along. An abort before the flip leaves nothing of the new, and the
// rest fenced.
func TestRollbackOfManyIndices(t *testing.T) {
	r := patternRig(t)
	old := r.moved()
	if len(old) != 3 {
		t.Fatalf("%+v", old)
	}
	two := r.b + ".two-x"
	r.call(r.dst, "DELETE", "/"+r.b+".hid-x", "", "", nil)
	r.call(r.dst, "DELETE", "/"+two, "", "", nil)
	r.call(r.dst, "PUT", "/"+two, "", `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"other":{"type":"long"}}}}`, nil)
	r.call(r.dst, "PUT", "/"+two+"/_doc/9", "", `{"other":9}`, nil)
	r.call(r.dst, "PUT", "/"+r.b+".new-x/_doc/1", "", `{"a":1}`, nil)
	r.call(r.dst, "PUT", "/"+r.b+".one-x/_doc/2", "", `{"a":2}`, nil)
	r.call(r.dst, "DELETE", "/"+r.b+".one-x/_doc/1", "", "", nil)

	m := r.begun(old)
	if n, diff, err := m.BringBack(t.Context()); err != nil || n != 3 || diff.NExtra != 1 || diff.Repaired != 1 {
		t.Fatalf("%d written since, %+v, %v", n, diff, err)
	}
	r.equal(m, 3)
	r.given(m, true)
	if got := r.names(r.src, r.a+".*"); !slices.Equal(got, []string{r.a + ".one"}) {
		t.Errorf("after the abort: %v", got)
	}
	if got := r.try(r.src, "PUT", "/"+r.a+".one/_doc/x", `{}`); got != 403 {
		t.Errorf("the old copy after the abort: %d", got)
	}
	old[slices.IndexFunc(old, func(i mover.Index) bool { return i.Logical == "one" })].Mark = nil

	m = r.begun(old)
	if _, _, err := m.BringBack(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.equal(m, 3)
	if err := m.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.flip(m)
	if got := r.names(r.src, r.a+".*"); !slices.Equal(got, []string{r.a + ".new", r.a + ".one", r.a + ".two"}) {
		t.Errorf("after the flip: %v", got)
	}
	for index, doc := range map[string]string{".one": "2", ".two": "9", ".new": "1"} {
		if got := r.get(r.src, r.a+index, doc, ""); !got.Found || got.Version != 1 {
			t.Errorf("%s/%s: %+v", index, doc, got)
		}
		if got := r.try(r.src, "PUT", "/"+r.a+index+"/_doc/after", `{}`); got != 200 {
			t.Errorf("a write to %s after the flip: %d", index, got)
		}
	}
}

// TestRollbackRefusals: what is not the old copy any more is not written to.
func TestRollbackRefusals(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	r.fill(20)
	old := r.moved()
	r.call(r.dst, "PUT", "/"+r.b+"/_doc/d1", "", `{"n":-1}`, nil)

	// A driver that is replaced after it has begun lifts no fence: its alias is gone.
	stale := r.begun(old)
	r.given(stale, true)
	if err := stale.OpenOld(t.Context()); !errors.Is(err, mover.ErrFenced) {
		t.Errorf("a stale driver opens the old copy: %v", err)
	}
	if got := r.try(r.src, "PUT", "/"+r.a+"/_doc/x", `{}`); got != 403 {
		t.Errorf("the old copy: %d", got)
	}
	// What the entry does not lead to any more is nobody's to fence.
	m := r.begun(old)
	r.given(m, false)
	if got := r.try(r.src, "PUT", "/"+r.a+"/_doc/x", `{}`); got != 200 {
		t.Errorf("without a fence: %d", got)
	}
	r.refusedBack(old, mover.CodeOldCopy, "was written to since it was fenced")

	// An index that is not the one that the move has left.
	r.call(r.src, "DELETE", "/"+r.a, "", "", nil)
	r.refusedBack(old, mover.CodeOldCopy, "is gone, or was created again")
	r.call(r.src, "PUT", "/"+r.a+"/_doc/precious", "", `{}`, nil)
	r.refusedBack(old, mover.CodeOldCopy, "is gone, or was created again")
	if got := r.get(r.src, r.a, "precious", ""); !got.Found {
		t.Error("somebody else's document is gone")
	}
	r.call(r.dst, "DELETE", "/"+r.b, "", "", nil)
	r.call(r.dst, "PUT", "/"+r.b, "", "", nil)
	r.refusedBack(old, mover.CodeOldCopy, "was created again since the move")
}

// TestRollbackToAnOlderVersion: an older OpenSearch takes its documents back, but not
// a mapping that it does not know.
func TestRollbackToAnOlderVersion(t *testing.T) {
	r := newRigOn(t, enginetest.SharedOpenSearch(t, engines.OpenSearch2), enginetest.SharedOpenSearch(t, engines.OpenSearch3),
		`{"settings":{"number_of_shards":2,"number_of_replicas":0,"analysis":{"analyzer":{"own":{"type":"custom","tokenizer":"standard","filter":["lowercase"]}}}},"mappings":{"properties":{"text":{"type":"text","analyzer":"own"},"at":{"type":"date"},"o":{"type":"nested"}}}}`)
	r.fill(500)
	old := r.moved()
	r.call(r.dst, "PUT", "/"+r.b+"/_mapping", "", `{"properties":{"more":{"type":"keyword"}}}`, nil)
	r.call(r.dst, "PUT", "/"+r.b+"/_doc/d1", "", `{"n":-1,"more":"x"}`, nil)
	r.call(r.dst, "DELETE", "/"+r.b+"/_doc/d2", "", "", nil)
	r.call(r.dst, "POST", "/"+r.b+"/_delete_by_query", "refresh=true", `{"query":{"term":{"n":7}}}`, nil)
	r.call(r.dst, "POST", "/"+r.b+"/_update_by_query", "refresh=true", `{"query":{"term":{"n":8}}}`, nil)
	r.call(r.dst, "PUT", "/"+r.b+"/_doc/d3", "routing=else", `{"n":3}`, nil)
	m := r.begun(old)
	if n, diff, err := m.BringBack(t.Context()); err != nil || n != 3 || diff.NExtra != 2 {
		t.Fatalf("%d written since, %+v, %v", n, diff, err)
	}
	r.equal(m, 498)
	if got := r.get(r.src, r.a, "d1", ""); string(got.Source) != `{"n":-1,"more":"x"}` || got.Version != 2 {
		t.Errorf("%+v: %s", got, got.Source)
	}
	r.given(m, true)
	for n := range old {
		old[n].Mark = nil // GiveBack has told it anew
	}
	// A mapping that the old copy's cluster does not accept, as of a type that only a
	// newer version has: here it has the field already, as another.
	r.call(r.src, "PUT", "/"+r.a+"/_mapping", "", `{"properties":{"clash":{"type":"keyword"}}}`, nil)
	r.call(r.dst, "PUT", "/"+r.b+"/_mapping", "", `{"properties":{"clash":{"type":"long"}}}`, nil)
	r.refusedBack(old, mover.CodeTargetRefused, "the tenant cannot go back there")
	if got := r.try(r.src, "PUT", "/"+r.a+"/_doc/x", `{}`); got != 403 {
		t.Errorf("the old copy after a refusal: %d", got)
	}
}

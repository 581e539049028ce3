package mover_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// TestOneOfAPattern: a tenant that may have any number of indices moves into a place for
// one while it has one. What it makes beside that is found at every look, by its name.
func TestOneOfAPattern(t *testing.T) {
	r := patternRig(t)
	r.spec.To = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: r.b, Logical: "one"}
	refused := func(what string, err error, says ...string) {
		t.Helper()
		var refused *mover.RefusedError
		if !errors.As(err, &refused) || refused.Code != mover.CodeManyIndices || refused.Fix == "" {
			t.Errorf("%s: %v", what, err)
			return
		}
		for _, s := range says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %q is not in %v", what, s, err)
			}
		}
	}
	sole := func() error { _, err := mover.Sole(t.Context(), r.src, r.spec.From); return err }

	refused("three", sole(), "3 indices", "hid, one, two")
	_, err := r.mover(nil).Prepare(t.Context())
	refused("prepare of three", err, "hid, one, two")
	if rep, err := r.mover(nil).Precheck(t.Context()); err != nil || !rep.Failed() || !strings.Contains(fmt.Sprint(rep.Checks), "hid, one, two") {
		t.Errorf("precheck of three: %+v, %v", rep, err)
	}
	for _, i := range []string{".two", ".hid"} {
		r.call(r.src, "DELETE", "/"+r.a+i, "", "", nil)
	}
	r.call(r.src, "PUT", "/"+r.a+".one/_alias/"+r.a+".uno", "", "", nil)
	refused("an alias that clients can name", sole(), "index one by aliases", ": uno ")
	r.call(r.src, "DELETE", "/"+r.a+".one/_alias/"+r.a+".uno", "", "", nil)
	if name, err := mover.Sole(t.Context(), r.src, r.spec.From); err != nil || name != "one" {
		t.Fatalf("one: %q, %v", name, err)
	}
	r.call(r.src, "PUT", "/"+r.a+".one/_doc/2", "routing=r&version=7&version_type=external", `{ "a": 2.0 }`, nil)

	m := r.taken(nil)
	r.copyAll(m)
	r.equal(m, 2)
	r.call(r.src, "PUT", "/"+r.a+".late/_doc/1", "", `{}`, nil)
	_, err = m.Adopt(t.Context())
	refused("adopt", err, "late, one")
	refused("the look in the cutover", m.CheckSource(t.Context()), "late, one")
	refused("ready", m.Ready(t.Context()), "late, one")
	r.call(r.src, "DELETE", "/"+r.a+".late", "", "", nil)
	r.call(r.src, "PUT", "/"+r.a+".one/_alias/"+r.a+".uno", "", "", nil)
	refused("an alias, in the cutover", m.CheckSource(t.Context()), ": uno ")
	refused("an alias", m.Ready(t.Context()), ": uno ")
	r.call(r.src, "DELETE", "/"+r.a+".one/_alias/"+r.a+".uno", "", "", nil)

	for what, do := range map[string]func() error{"adopt": func() error { _, err := m.Adopt(t.Context()); return err }, "ready": func() error { return m.Ready(t.Context()) },
		"look": func() error { return m.CheckSource(t.Context()) }} {
		if err := do(); err != nil {
			t.Errorf("%s of one: %v", what, err)
		}
	}
	if err := m.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := m.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	var al map[string]struct{ Aliases map[string]any }
	r.call(r.dst, "GET", "/"+r.b+"/_alias", "", "", &al)
	if have := al[r.b].Aliases; len(have) != 0 {
		t.Errorf("aliases of the target: %v", have)
	}
	if err := m.Retire(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused("none", sole(), "has no index")
}

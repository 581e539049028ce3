package mover_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// patternRig is a tenant with the indices one and two, and one that is hidden, under
// one pattern, and another pattern to move to; beside both are indices of others.
func patternRig(t *testing.T) *rig {
	r := newRig(t, "")
	r.call(r.src, "DELETE", "/"+r.a, "", "", nil)
	from, to := r.a+".*", r.b+".*-x"
	r.spec.From = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: from, Logical: "*"}
	r.spec.To = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: to, Logical: "*"}
	t.Cleanup(func() {
		for _, i := range []string{r.a + ".*", r.b + ".*", r.a + "x", r.b + ".y"} {
			_ = r.src.JSON(context.Background(), "DELETE", "/"+i, url.Values{"expand_wildcards": {"all"}}, nil, nil)
		}
	})
	r.call(r.src, "PUT", "/"+r.a+".one", "", `{"settings":{"number_of_replicas":0}}`, nil)
	r.call(r.src, "PUT", "/"+r.a+".two", "", `{"settings":{"number_of_shards":3,"number_of_replicas":0},"mappings":{"properties":{"k":{"type":"keyword"}}}}`, nil)
	r.call(r.src, "PUT", "/"+r.a+".hid", "", `{"settings":{"number_of_replicas":0,"index.hidden":true}}`, nil)
	r.call(r.src, "POST", "/_aliases", "", fmt.Sprintf(`{"actions":[{"add":{"index":"%[1]s.two","alias":"%[1]s.deux"}}]}`, r.a), nil)
	for _, i := range []string{".one", ".two", ".hid", "x"} {
		r.call(r.src, "PUT", "/"+r.a+i+"/_doc/1", "refresh=true", `{"a":1}`, nil)
	}
	r.call(r.src, "PUT", "/"+r.b+".y/_doc/1", "", `{"a":1}`, nil)
	return r
}

// TestPattern: what matches the pattern moves, under the names of the target's, and
// also what the tenant creates while it moves; nothing else does.
func TestPattern(t *testing.T) {
	r := patternRig(t)
	rep, err := r.mover(nil).Precheck(t.Context())
	if err != nil || rep.Failed() || rep.Indices != 3 || rep.Shards != 5 || rep.Docs != 3 {
		t.Fatalf("%+v, %v", rep, err)
	}
	m := r.taken(nil)
	for _, i := range m.Indexes() {
		if i.Source != r.a+"."+i.Logical || i.Target != r.b+"."+i.Logical+"-x" {
			t.Errorf("%+v", i)
		}
	}
	if len(m.Indexes()) != 3 {
		t.Fatalf("%+v", m.Indexes())
	}
	r.copyAll(m)
	r.equal(m, 3)
	// The journals have logical names. One of them is also the source's name of another.
	name := r.a + ".one"
	r.call(r.src, "PUT", "/"+r.a+"."+name+"/_doc/2", "routing=r", `{"a":2}`, nil)
	r.call(r.src, "PUT", "/"+r.a+".two/_doc/2", "routing=r", `{"a":2}`, nil)
	r.call(r.src, "DELETE", "/"+r.a+".one/_doc/1", "", "", nil)
	refs := []gate.DocRef{{Index: "two", ID: "2", Routing: "r"}, {Index: "one", ID: "1"}, {Index: "deux", ID: "1"}, {Index: "none", ID: "1"}, {Index: "No*ne", ID: "1"}}
	if a, err := m.Apply(t.Context(), refs); err != nil || a.Indexed != 2 || a.Deleted != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	fresh := []gate.DocRef{{Index: name, ID: "2", Routing: "r"}}
	if err := m.CheckSource(t.Context()); !errors.Is(err, mover.ErrSourceAdded) {
		t.Errorf("a new index: %v", err)
	}
	if _, err := m.Apply(t.Context(), fresh); !errors.Is(err, mover.ErrSourceAdded) {
		t.Errorf("a document of a new index: %v", err)
	}
	if fresh, err := m.Adopt(t.Context()); err != nil || !fresh || len(m.Indexes()) != 4 {
		t.Fatalf("adopt: %t, %v: %+v", fresh, err, m.Indexes())
	}
	if a, err := m.Apply(t.Context(), fresh); err != nil || a.Indexed != 1 {
		t.Errorf("a document of an adopted index: %+v, %v", a, err)
	}
	if fresh, err := m.Adopt(t.Context()); err != nil || fresh {
		t.Errorf("adopt again: %t, %v", fresh, err)
	}
	r.equal(m, 4)
	// What no journal has is found by comparing, and put where it belongs.
	r.call(r.src, "PUT", "/"+r.a+"."+name+"/_doc/3", "", `{"a":3}`, nil)
	r.call(r.src, "PUT", "/"+r.a+".one/_doc/3", "", `{"a":3}`, nil)
	if d, err := m.Reconcile(t.Context(), true); err != nil || d.NMissing != 2 || d.Repaired != 2 {
		t.Errorf("reconcile: %+v, %v", d, err)
	}
	r.equal(m, 6)
	if err := m.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := m.CheckSource(t.Context()); err != nil {
		t.Error(err)
	}
	if err := m.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	// An alias that clients use as an index keeps the name that they use.
	var al map[string]struct{ Aliases map[string]any }
	r.call(r.dst, "GET", "/"+r.b+".*/_alias", "expand_wildcards=all", "", &al)
	if _, ok := al[r.b+".two-x"].Aliases[r.b+".deux-x"]; !ok || len(al[r.b+".two-x"].Aliases) != 1 {
		t.Errorf("aliases of two: %v", al)
	}
	if len(al[r.b+".one-x"].Aliases) != 0 {
		t.Errorf("aliases of one: %v", al)
	}
	if seen, err := m.Fence(t.Context()); err != nil || seen {
		t.Errorf("fence: %t, %v", seen, err)
	}
	if err := m.Retire(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left map[string]any
	r.call(r.src, "GET", "/"+r.a+"*,"+r.b+"*/_settings", "expand_wildcards=all", "", &left)
	if len(left) != 6 || left[r.a+"x"] == nil || left[r.b+".y"] == nil {
		t.Errorf("left: %v", left)
	}
}

// TestPatternRefused: what would become reachable, or cease to be, stops a move
// before it has made anything.
func TestPatternRefused(t *testing.T) {
	r := patternRig(t)
	long := r.a + "." + strings.Repeat("n", 247)
	unblocked := `/` + r.a + `.one/_settings {"index.blocks.write":null}`
	for _, c := range []struct{ make, undo, field, code string }{
		{"/" + r.b + ".one-x", "", "to.index", mover.CodeTargetExists},
		{"/" + r.b + `.hidden-x {"settings":{"index.hidden":true}}`, "", "to.index", mover.CodeTargetExists},
		{"/" + r.a + `y {"aliases":{"` + r.b + `.alias-x":{}}}`, "", "to.index", mover.CodeAliasConflict},
		{"/" + r.a + "._odd", "", r.a + "._odd", mover.CodeUnsupported},
		{"/" + long, "", long, mover.CodeTargetRefused},
		{"/" + r.a + ".one/_block/write", unblocked, r.a + ".one index.blocks.write", mover.CodeSourceBlocked},
	} {
		path, body, _ := strings.Cut(c.make, " ")
		r.call(r.src, "PUT", path, "", body, nil)
		var refused *mover.RefusedError
		_, err := r.mover(nil).Prepare(t.Context())
		if !errors.As(err, &refused) || refused.Code != c.code || refused.Field != c.field {
			t.Errorf("%s: prepare: %v", c.make, err)
		}
		if rep, err := r.mover(nil).Precheck(t.Context()); err != nil || !rep.Failed() {
			t.Errorf("%s: precheck: %+v, %v", c.make, rep, err)
		}
		if got := r.try(r.dst, "GET", "/"+r.b+".two-x", ""); got != 404 {
			t.Errorf("%s: something was made at the target: %d", c.make, got)
		}
		if path, body, ok := strings.Cut(c.undo, " "); ok {
			r.call(r.src, "PUT", path, "", body, nil)
		} else {
			r.call(r.src, "DELETE", strings.Split(c.make, " ")[0], "", "", nil)
		}
	}
	if rep, err := r.mover(nil).Precheck(t.Context()); err != nil || rep.Failed() {
		t.Errorf("with all of it gone: %+v, %v", rep, err)
	}
	s := r.spec
	s.From.Index, s.From.Logical = "src-1", "docs"
	var refused *mover.RefusedError
	if _, err := mover.New(s, r.src, r.dst, nil); !errors.As(err, &refused) || refused.Code != mover.CodeUnsupported {
		t.Errorf("an index to a pattern: %v", err)
	}
	s.From = s.To
	s.To.Index = strings.Replace(s.To.Index, "*", "more-*", 1)
	if _, err := mover.New(s, r.src, r.dst, nil); err == nil {
		t.Error("a pattern into itself")
	}
}

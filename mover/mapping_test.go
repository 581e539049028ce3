package mover_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
)

// onBoth runs a test on a node of each version.
func onBoth(t *testing.T, f func(t *testing.T, n *engines.OpenSearch)) {
	for _, v := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(v, func(t *testing.T) { f(t, enginetest.SharedOpenSearch(t, v)) })
	}
}

// mapping is an index's mapping in one form.
func (r *rig) mapping(c *upstream.Client, index string) string {
	r.t.Helper()
	var mp map[string]struct{ Mappings any }
	r.call(c, "GET", "/"+index+"/_mapping", "", "", &mp)
	b, err := json.Marshal(mp[index].Mappings)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// sameMappings fails the test unless both sides have the same mapping, and the mover's
// comparison finds the same n documents on both.
func (r *rig) sameMappings(m *mover.Mover, n int64) {
	r.t.Helper()
	if d := cmp.Diff(r.mapping(r.src, r.a), r.mapping(r.dst, r.b)); d != "" {
		r.t.Errorf("the target's mapping is another (-source +target):\n%s", d)
	}
	r.equal(m, n)
}

// remove is for what a test has made, when its context has ended.
func (r *rig) remove(path string, q url.Values) {
	if err := r.src.JSON(context.Background(), "DELETE", path, q, nil, nil); err != nil {
		r.t.Error(err)
	}
}

// sealed makes the target ready and seals it.
func (r *rig) sealed(m *mover.Mover) {
	r.t.Helper()
	if err := m.Ready(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if err := m.Seal(r.t.Context(), nil); err != nil {
		r.t.Fatal(err)
	}
}

// A field gets its type at the source, whichever document the target is given first.
func TestAFieldGetsItsTypeAtTheSource(t *testing.T) {
	onBoth(t, func(t *testing.T, n *engines.OpenSearch) {
		for _, values := range [][]string{{`1`, `1.5`, `"x"`}, {`"x"`, `1.5`, `1`}, {`1.5`, `1`, `"x"`}, {`"2024-01-01"`, `"x"`, `1`}, {`{"in":1}`, `{"in":1.5}`, `{"in":"x"}`}} {
			r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
			live := int64(0)
			write := func(field string) (ids []gate.DocRef) {
				for i, v := range values {
					id := fmt.Sprintf("%s%d", field, i)
					switch code := r.try(r.src, "PUT", "/"+r.a+"/_doc/"+id, fmt.Sprintf(`{%q:%s}`, field, v)); code {
					case 200:
						live, ids = live+1, append([]gate.DocRef{ref(id, "")}, ids...) // the newest first
					case 400: // it does not fit what the first has made of the field
					default:
						t.Fatalf("%s: %d", v, code)
					}
				}
				return ids
			}
			write("copied")
			r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
			m := r.taken(nil)
			r.copyAll(m)
			for _, x := range write("caughtup") { // one by one, in the reverse order
				r.apply(m, x)
			}
			if err := m.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, x := range write("last") {
				r.apply(m, x)
			}
			if err := m.Seal(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			r.sameMappings(m, live)
		}
	})
}

// What the source has not mapped, because dynamic was false when it was written, the
// target must not map either, now that dynamic is true: a later document would give
// the field another type at the source, or the target would refuse what it takes.
func TestWhatTheSourceHasNotMappedStaysSo(t *testing.T) {
	onBoth(t, func(t *testing.T, n *engines.OpenSearch) {
		r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"dynamic":false,"properties":{
			"dynamic":{"properties":{"k":{"type":"keyword"}}},
			"o":{"dynamic":"strict","properties":{"k":{"type":"keyword"}}},
			"in":{"type":"nested","dynamic":false,"properties":{"k":{"type":"keyword"}}}}}}`)
		put := func(id, body string) { r.call(r.src, "PUT", "/"+r.a+"/_doc/"+id, "refresh=true", body, nil) }
		remap := func(body string) { r.call(r.src, "PUT", "/"+r.a+"/_mapping", "", body, nil) }
		put("1", `{"day":"2024-01-01","num":1,"in":[{"day":"2024-01-01"}],"dynamic":{"x":1}}`)
		remap(`{"dynamic":true,"properties":{"in":{"type":"nested","dynamic":true},"o":{"type":"object","dynamic":false}}}`)
		put("2", `{"o":{"num":1}}`)
		m := r.taken(nil)
		r.copyAll(m) // the target would map day as a date, num as a long
		remap(`{"properties":{"o":{"type":"object","dynamic":true}}}`)
		put("3", `{"day":"x","num":1.5,"o":{"num":"x"},"in":[{"day":"x"}],"dynamic":{"x":"x"}}`)
		r.apply(m, ref("3", ""))
		remap(`{"dynamic":false}`)
		put("4", `{"late":"2024-01-01"}`)
		remap(`{"dynamic":"strict"}`)
		r.apply(m, ref("4", "")) // strict would refuse it
		r.sealed(m)
		r.sameMappings(m, 4)
		// Opened again, it is so again.
		if err := m.Take(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		remap(`{"dynamic":true}`)
		r.apply(m, ref("4", ""))
		put("5", `{"late":"x"}`)
		r.apply(m, ref("5", ""))
		r.sealed(m)
		r.sameMappings(m, 5)
		// What is written from now on is mapped as the source would.
		r.call(r.dst, "PUT", "/"+r.b+"/_doc/6", "", `{"new":1.5}`, nil)
		if mp := r.mapping(r.dst, r.b); !strings.Contains(mp, `"new":{"type":"float"}`) {
			t.Errorf("dynamic is not what it is at the source: %s", mp)
		}
	})
}

// A mapping that the tenant puts at any time is at the target before a document that
// needs it, and also if none does.
func TestMappingsThatArePutMeanwhile(t *testing.T) {
	onBoth(t, func(t *testing.T, n *engines.OpenSearch) {
		r := newRigOn(t, n, n, `{"settings":{"number_of_shards":2,"number_of_replicas":0,"mapping.total_fields.limit":4}}`)
		put := func(field string) {
			r.call(r.src, "PUT", "/"+r.a+"/_mapping", "", fmt.Sprintf(`{"properties":{%q:{"type":"keyword","ignore_above":7}}}`, field), nil)
		}
		write := func(id, field string) gate.DocRef {
			r.call(r.src, "PUT", "/"+r.a+"/_doc/"+id, "refresh=true", fmt.Sprintf(`{%q:"2024-01-01"}`, field), nil)
			return ref(id, "")
		}
		write("0", "before")
		m := r.taken(nil)
		put("copying") // after the target was made
		write("1", "copying")
		r.copyAll(m)
		r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.mapping.total_fields.limit":40}`, nil)
		put("catchup")
		r.apply(m, write("2", "catchup"))
		if err := m.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		put("last")
		r.apply(m, write("3", "last"))
		// After the last round, within the cutover's last look: nobody writes it.
		put("unused")
		r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.max_result_window":4321}`, nil)
		if err := m.Seal(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		r.sameMappings(m, 4)
		var set map[string]struct{ Settings map[string]string }
		r.call(r.dst, "GET", "/"+r.b+"/_settings", "flat_settings=true", "", &set)
		if s := set[r.b].Settings; s["index.max_result_window"] != "4321" || s["index.mapping.total_fields.limit"] != "40" {
			t.Errorf("settings that were changed last: %v", s)
		}
	})
}

// A template of the target that would give a field a type of its own is no way around.
func TestATemplateOfTheTargetAddsNoField(t *testing.T) {
	r := newRig(t, "")
	r.call(r.dst, "PUT", "/_index_template/"+r.b, "", `{"index_patterns":["`+r.b+`"],"priority":900,"template":{"settings":{"refresh_interval":"7s"},"mappings":{"properties":{"o":{"properties":{"f":{"type":"keyword"}}}}}}}`, nil)
	t.Cleanup(func() { r.remove("/_index_template/"+r.b, nil) })
	m := r.mover(nil)
	var refused *mover.RefusedError
	if _, err := m.Prepare(t.Context()); !errors.As(err, &refused) || refused.Code != mover.CodeTargetRefused || refused.Field != r.b+" o" {
		t.Errorf("%v", err)
	}
	if err := m.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	// With the field at the source it says nothing new.
	r.call(r.src, "PUT", "/"+r.a+"/_mapping", "", `{"properties":{"o":{"properties":{"f":{"type":"keyword"}}}}}`, nil)
	r.sealed(r.taken(nil))
}

// An alias that is rolled over while its indices move is one at the target, with the
// same index to write to; a data stream is refused before anything is made.
func TestRolloverAliasMovesWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, n *engines.OpenSearch) {
		r := newRigOn(t, n, n, "")
		r.call(r.src, "DELETE", "/"+r.a, "", "", nil)
		r.spec.From.Index, r.spec.From.Logical, r.spec.To.Index, r.spec.To.Logical = r.a+".*", "*", r.b+".*", "*"
		t.Cleanup(func() {
			r.remove("/"+r.a+".*", url.Values{"expand_wildcards": {"all"}})
			r.remove("/"+r.b+".*", url.Values{"expand_wildcards": {"all"}})
		})
		r.call(r.src, "PUT", "/"+r.a+".log-000001", "", `{"settings":{"number_of_replicas":0},"aliases":{"`+r.a+`.log":{"is_write_index":true},"`+r.a+`.some":{"filter":{"term":{"n":1}}}}}`, nil)
		r.call(r.src, "PUT", "/"+r.a+".log/_doc/1", "refresh=true", `{"n":1}`, nil)
		m := r.taken(nil)
		r.copyAll(m)
		r.call(r.src, "POST", "/"+r.a+".log/_rollover", "", `{"settings":{"number_of_replicas":0}}`, nil)
		r.call(r.src, "PUT", "/"+r.a+".log/_doc/2", "", `{"n":2}`, nil)
		if fresh, err := m.Adopt(t.Context()); err != nil || !fresh {
			t.Fatalf("%t, %v", fresh, err)
		}
		r.apply(m, gate.DocRef{Index: "log-000002", ID: "2"})
		r.equal(m, 2)
		r.sealed(m)
		if err := m.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		var al [2]map[string]struct{ Aliases map[string]any }
		r.call(r.src, "GET", "/"+r.a+".*/_alias", "", "", &al[0])
		r.call(r.dst, "GET", "/"+r.b+".*/_alias", "", "", &al[1])
		text := func(side int, prefix string) string {
			b, err := json.Marshal(al[side])
			if err != nil {
				t.Fatal(err)
			}
			return strings.ReplaceAll(string(b), prefix, "")
		}
		if d := cmp.Diff(text(0, r.a), text(1, r.b)); d != "" || !strings.Contains(text(1, r.b), `".log-000002":{"Aliases":{".log":{"is_write_index":true}}}`) {
			t.Errorf("aliases (-source +target):\n%s\n%s", d, text(1, r.b))
		}
		r.call(r.dst, "POST", "/"+r.b+".log/_rollover", "", "", nil)

		for what, spec := range map[string]func(*mover.Spec){
			"in a pattern": func(*mover.Spec) {},
			"by its name": func(s *mover.Spec) {
				s.From.Index, s.From.Logical, s.To.Index, s.To.Logical = r.a+".stream", "stream", r.b+".stream", "stream"
			},
		} {
			r.call(r.src, "PUT", "/_index_template/"+r.a, "", `{"index_patterns":["`+r.a+`.stream"],"priority":900,"data_stream":{}}`, nil)
			r.call(r.src, "PUT", "/_data_stream/"+r.a+".stream", "", "", nil)
			next := r.spec
			next.Move, next.To.Index = r.spec.Move+"-next", r.b+"-next.*"
			spec(&next)
			to := next.To.Index
			var refused *mover.RefusedError
			again, err := mover.New(next, r.src, r.dst, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := again.Prepare(t.Context()); !errors.As(err, &refused) || refused.Code != mover.CodeDataStream {
				t.Errorf("a data stream %s: %v", what, err)
			}
			var made map[string]any
			if err := r.dst.JSON(t.Context(), "GET", "/"+to+"/_settings", url.Values{"ignore_unavailable": {"true"}, "expand_wildcards": {"all"}}, nil, &made); err != nil || len(made) != 0 {
				t.Errorf("a data stream %s was refused, and there is %v, %v", what, made, err)
			}
			r.call(r.src, "DELETE", "/_data_stream/"+r.a+".stream", "", "", nil)
			r.call(r.src, "DELETE", "/_index_template/"+r.a, "", "", nil)
		}
	})
}

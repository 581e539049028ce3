package mover_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/mover"
)

// What cannot be in the shared index is said before anything is done, by name.
func TestSharedIndexThatDoesNotFitIsRefused(t *testing.T) {
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	pond := `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"},"n":{"type":"long"},"o":{"properties":{"x":{"type":"date"},"y":{"type":"text"}}}}}}`
	for name, c := range map[string]struct {
		own, pond string
		do        func(*intoRig)
		want      []string
	}{
		"no pool":       {do: func(r *intoRig) { r.call(r.dst, "DELETE", "/"+r.b, "", "", nil) }, want: []string{"target_missing", "has no index"}},
		"no field":      {pond: `{}`, want: []string{"[tenant] is not in the mapping"}},
		"types":         {own: `{"mappings":{"properties":{"n":{"type":"keyword"},"o":{"properties":{"x":{"type":"long"},"y":{"type":"text"}}},"new":{"type":"ip"}}}}`, want: []string{"n (keyword, there long)", "o.x (long, there date)"}},
		"parameters":    {own: `{"mappings":{"properties":{"o":{"properties":{"y":{"type":"text","analyzer":"english"}}}}}}`, want: []string{"o.y (text, with other parameters)"}},
		"its field":     {own: `{"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`, want: []string{"has a field tenant"}},
		"leads to it":   {own: `{"mappings":{"properties":{"copied":{"type":"text","copy_to":"tenant"}}}}`, want: []string{"copy_to"}},
		"unmapped":      {own: `{"mappings":{"dynamic":false}}`, want: []string{"dynamic: false"}},
		"join":          {own: `{"mappings":{"properties":{"o":{"properties":{"y":{"type":"text"}}},"j":{"type":"join","relations":{"a":"b"}}}}}`, want: []string{"type join", ": j"}},
		"analyzer":      {own: `{"settings":{"analysis":{"analyzer":{"own":{"type":"keyword"}}}}}`, want: []string{"index.analysis.analyzer.own.type"}},
		"default there": {pond: `{"settings":{"analysis":{"analyzer":{"default":{"type":"keyword"}}}},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`, want: []string{"index.analysis.analyzer.default.type"}},
		"alias":         {do: func(r *intoRig) { r.call(r.src, "PUT", "/"+r.a+"/_alias/nick-"+r.a, "", "", nil) }, want: []string{"alias_conflict", "nick-"}},
		"pipeline": {do: func(r *intoRig) {
			r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.default_pipeline":"p"}`, nil)
		}, want: []string{"ingest pipeline p"}},
		"pipeline there": {do: func(r *intoRig) { r.call(r.dst, "PUT", "/"+r.b+"/_settings", "", `{"index.final_pipeline":"p"}`, nil) }, want: []string{"final_pipeline"}},
		"blocked": {do: func(r *intoRig) {
			r.call(r.dst, "PUT", "/"+r.b+"/_settings", "", `{"index.blocks.read_only_allow_delete":true}`, nil)
		}, want: []string{"index.blocks.read_only_allow_delete"}},
		"partitioned": {pond: `{"settings":{"number_of_shards":3,"routing_partition_size":2},"mappings":{"_routing":{"required":true},"properties":{"tenant":{"type":"keyword"}}}}`, want: []string{"routing_partition_size"}},
		"left-overs": {do: func(r *intoRig) {
			doc, _ := r.mine.Document(nil, []byte(`{}`))
			id, _ := r.mine.ID("1")
			r.call(r.dst, "POST", "/"+r.b+"/_bulk", "", fmt.Sprintf(`{"index":{"_id":%q}}`+"\n%s\n", id, doc), nil)
		}, want: []string{"target_exists", "1 documents of the tenant", "_delete_by_query", "sluice moves list"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.own == "" {
				c.own = `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`
			}
			if c.pond == "" {
				c.pond = pond
			}
			r := newInto(t, n, c.own, c.pond)
			if c.do != nil {
				c.do(r)
			}
			rep, err := r.mover(nil).Precheck(t.Context())
			text := fmt.Sprint(rep.Checks)
			if err != nil || !rep.Failed() {
				t.Fatalf("precheck: %s, %v", text, err)
			}
			_, err = r.mover(nil).Prepare(t.Context())
			var refused *mover.RefusedError
			if !errors.As(err, &refused) || refused.Fix == "" {
				t.Fatalf("prepare: %v", err)
			}
			for _, w := range c.want {
				if !strings.Contains(text, w) || !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in %s, or not in %v", w, text, err)
				}
			}
			if r.try(r.dst, "GET", "/"+r.b, "") == 200 && strings.Contains(r.described(), "sluice-") {
				t.Error("the shared index was marked")
			}
		})
	}
}

// A document that cannot be the tenant's there ends the move, and says nothing of itself.
func TestDocumentThatCannotBeShared(t *testing.T) {
	for name, c := range map[string][2]string{
		"the partition field": {"1", `{"tenant":"someone"}`},
		"a long _id":          {strings.Repeat("x", 510), `{}`},
		"another type":        {"1", `{"theirs":"no address"}`},
	} {
		t.Run(name, func(t *testing.T) {
			own := `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"dynamic":"false"}}`
			r := newInto(t, enginetest.SharedOpenSearch(t, engines.OpenSearch2), own, `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"dynamic":"false","properties":{"tenant":{"type":"keyword"},"theirs":{"type":"ip"}}}}`)
			r.put(c[0], "", c[1])
			m := r.taken(nil)
			var refused *mover.RefusedError
			err := m.Copy(t.Context(), mover.Checkpoint{}, func(mover.Checkpoint) error { return nil })
			if !errors.As(err, &refused) || refused.Code != mover.CodeDocument || strings.Contains(err.Error(), "someone") || strings.Contains(err.Error(), "address") {
				t.Errorf("%v", err)
			}
			if err := m.Discard(t.Context()); err != nil || len(r.held(r.mine)) > 0 {
				t.Errorf("discard: %v", err)
			}
		})
	}
}

// Documents that share an _id: which of them are one depends on the shards of both.
func TestSameIDsIntoASharedIndex(t *testing.T) {
	r := newInto(t, enginetest.SharedOpenSearch(t, engines.OpenSearch2), `{"settings":{"number_of_shards":3,"number_of_replicas":0}}`,
		`{"settings":{"number_of_shards":3,"number_of_replicas":0,"gc_deletes":"1s"},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`)
	shard := func(index, routing string) int { return (&poolRig{rig: r.rig}).shardOf(index, routing) }
	var one, clash [2]string
	for n := 0; one[1] == "" || clash[1] == ""; n++ {
		x, y := fmt.Sprintf("x%d", n), fmt.Sprintf("y%d", n)
		a, b := shard(r.a, x) == shard(r.a, y), shard(r.b, r.mine.Routing(x)) == shard(r.b, r.mine.Routing(y))
		switch {
		case a && !b:
			one = [2]string{x, y}
		case !a && b:
			clash = [2]string{x, y}
		}
	}
	r.put("one", one[0], `{"v":1}`)
	r.put("clash", clash[0], `{"v":1}`)
	m := r.taken(nil)
	r.copyAll(m)
	r.same(m)
	delete(r.docs, ref("one", one[0])) // is replaced, and no journal says so
	r.apply(m, r.put("one", one[1], `{"v":2}`))
	r.same(m)
	_, err := m.Apply(t.Context(), []gate.DocRef{r.put("clash", clash[1], `{"v":2}`)})
	var refused *mover.RefusedError
	if err == nil { // it has replaced the other, which the comparison finds
		d, err := m.Reconcile(t.Context(), false)
		if err != nil || d.NMissing != 1 {
			t.Errorf("the comparison: %+v, %v", d, err)
		}
		_, err = m.Apply(t.Context(), []gate.DocRef{ref("clash", clash[0]), ref("clash", clash[1])})
		if !errors.As(err, &refused) || refused.Code != mover.CodeDocument {
			t.Errorf("both: %v", err)
		}
	} else if !errors.As(err, &refused) || refused.Code != mover.CodeDocument || !strings.Contains(refused.Detail, "same _id") {
		t.Errorf("two documents that fall on one shard: %v", err)
	}
}

// What a drain of a shared index waits for, in lists of tasks that follow one another.
func TestDrainOfASharedIndexWaitsForOrphans(t *testing.T) {
	bulk := func(node string, id int64, parent, text string) mover.Task {
		return mover.Task{Node: node, ID: id, Parent: parent, Description: text}
	}
	own := bulk("a", 1, "", "requests[2], indices[sluice-m1-2-1-0]")
	shardOf := bulk("b", 7, "a:1", "requests[2], index[pool][0]")
	replica := bulk("c", 9, "b:7", "[requests[2], index[pool][0]] for aID [x] and term [1]")
	other := bulk("a", 2, "", "requests[5], indices[pool]")
	others := bulk("b", 8, "a:2", "requests[5], index[pool][0]")
	elsewhere := bulk("b", 5, "z:1", "requests[5], index[pool2][0]")
	sweep := bulk("a", 3, "", "delete-by-query [sluice-m1-2-2-sweep]")
	for name, c := range map[string]struct {
		lists [][]mover.Task
		want  []int
	}{
		"nothing":                    {[][]mover.Task{{}}, []int{0}},
		"only others":                {[][]mover.Task{{other, others, elsewhere}}, []int{0}},
		"its own":                    {[][]mover.Task{{own, shardOf, other}, {other}}, []int{1, 0}},
		"a deletion":                 {[][]mover.Task{{sweep}, {}}, []int{1, 0}},
		"its node has died":          {[][]mover.Task{{own, shardOf}, {replica, shardOf, other, others}, {replica}, {other}}, []int{1, 2, 1, 0}},
		"a replica that came later":  {[][]mover.Task{{shardOf}, {replica, shardOf}, {replica}, {}}, []int{1, 2, 1, 0}},
		"what came later is others'": {[][]mover.Task{{shardOf}, {bulk("b", 11, "y:1", "requests[1], index[pool][0]")}}, []int{1, 0}},
	} {
		if got := mover.Drained(c.lists, "sluice-m1-", "pool"); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

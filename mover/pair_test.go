package mover_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// twin fills the target with what fill has written to the source, as somebody else's copy
// would have it.
func (r *rig) twin(body string, n int) {
	r.t.Helper()
	r.call(r.dst, "PUT", "/"+r.b, "", body, nil)
	var b strings.Builder
	for i := range n {
		routing, v := "", 1
		if i%3 == 0 {
			routing = fmt.Sprintf(`,"routing":"r%d"`, i%7)
		}
		if i%5 == 0 {
			v = 2
		}
		fmt.Fprintf(&b, `{"index":{"_id":"d%d","version":%d,"version_type":"external"%s}}`+"\n"+`{"n":%d,"v":%d,"text":"some text"}`+"\n", i, v, routing, i, v-1)
	}
	var ans struct{ Errors bool }
	r.call(r.dst, "POST", "/"+r.b+"/_bulk", "", b.String(), &ans)
	if ans.Errors {
		r.t.Fatal("the copy had errors")
	}
}

// openScans are the points in time that a cluster holds open.
func (r *rig) openScans() (n int64) {
	r.t.Helper()
	var st struct {
		Nodes map[string]struct {
			Indices struct {
				Search struct {
					Now int64 `json:"point_in_time_current"`
				}
			}
		}
	}
	r.call(r.src, "GET", "/_nodes/stats/indices/search", "", "", &st)
	for _, node := range st.Nodes {
		n += node.Indices.Search.Now
	}
	return n
}

// Two indices that nobody moves are compared as they are found, also where they do not
// choose shards alike: each planted difference is found for what it is.
func TestPairOfTwoPlaces(t *testing.T) {
	onBoth(t, func(t *testing.T, n *engines.OpenSearch) {
		for _, shards := range []int{3, 2} {
			r := newRigOn(t, n, n, `{"settings":{"number_of_shards":3,"number_of_replicas":0}}`)
			const docs = 600
			r.fill(docs)
			r.twin(fmt.Sprintf(`{"settings":{"number_of_shards":%d,"number_of_replicas":0}}`, shards), docs)
			m := r.mover(nil)
			p, err := m.Pair(t.Context(), true)
			if err != nil || len(p.Indices) != 1 || p.OnlySource != nil || p.OnlyTarget != nil {
				t.Fatalf("%+v, %v", p, err)
			}
			if d := r.verified(m); !d.Empty() || d.Scanned != 2*docs {
				t.Fatalf("%d shards, before: %+v", shards, d)
			}
			if total, err := m.Documents(t.Context()); err != nil || total != 2*docs {
				t.Errorf("%d documents, %v", total, err)
			}
			r.call(r.dst, "DELETE", "/"+r.b+"/_doc/d1", "", "", nil)
			r.call(r.dst, "PUT", "/"+r.b+"/_doc/stray", "", `{}`, nil)
			r.call(r.src, "PUT", "/"+r.a+"/_doc/d2", "", `{"n":2}`, nil)
			r.call(r.dst, "PUT", "/"+r.b+"/_doc/d7", "version=9&version_type=external", `{"n":7}`, nil)
			r.call(r.dst, "PUT", "/"+r.b+"/_doc/d4", "version=1&version_type=external_gte", `{"n":-4}`, nil)
			if shards == 2 {
				r.call(r.dst, "DELETE", "/"+r.b+"/_doc/d6", "routing=r6", "", nil)
			}
			r.call(r.dst, "PUT", "/"+r.b+"/_doc/d6", fmt.Sprintf("routing=%s&version=%d&version_type=external_gte", sameShard(r, "d6"), 7-2*shards), `{"n":6,"v":0,"text":"some text"}`, nil)
			d := r.verified(m)
			got := map[string]int{}
			for _, x := range d.Differences {
				got[x.ID+" "+string(x.Kind)]++
			}
			want := map[string]int{"d1 missing": 1, "stray extra": 1, "d2 older": 1, "d7 newer": 1, "d4 content": 1, "d6 routing": 2}
			if shards == 2 { // of another routing it is another document
				delete(want, "d6 routing")
				want["d6 missing"], want["d6 extra"] = 1, 1
			}
			if diff := cmp.Diff(want, got); diff != "" || d.NNewer != 1 || d.NOlder != 1 || int(d.N()) != len(d.Differences) {
				t.Errorf("%d shards: %+v (-want +got):\n%s", shards, d, diff)
			}
			if again, err := m.CheckContent(t.Context(), d.Refs()); err != nil || again.N() != d.N() {
				t.Errorf("%d shards, by name: %+v, %v", shards, again, err)
			}
		}
	})
}

// A comparison that is interrupted leaves no point in time open, and one of indices that
// cannot be read says why.
func TestPairThatCannotBeCompared(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	r.fill(2000)
	m := r.mover(nil)
	refused := func(says string) {
		t.Helper()
		var no *mover.RefusedError
		if _, err := r.mover(nil).Pair(t.Context(), true); !errors.As(err, &no) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v; want it to say %q", err, says)
		}
	}
	refused("b has no index " + r.b)
	r.twin(`{"settings":{"number_of_shards":2,"number_of_replicas":0}}`, 2000)
	before := r.openScans()
	if _, err := m.Pair(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := m.Verify(ctx, mover.VerifyOptions{Scanned: func(int64, int64) { cancel() }}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if now := r.openScans(); now != before {
		t.Errorf("%d points in time are left open", now-before)
	}
	r.call(r.dst, "POST", "/"+r.b+"/_close", "", "", nil)
	refused("closed")
	r.call(r.dst, "DELETE", "/"+r.b, "", "", nil)
	r.call(r.dst, "PUT", "/"+r.b, "", `{"settings":{"number_of_replicas":0},"mappings":{"_source":{"enabled":false}}}`, nil)
	refused("_source is disabled")
	if _, err := r.mover(nil).Pair(t.Context(), false); err != nil {
		t.Errorf("without contents: %v", err)
	}
	r.spec.To.Index = "nick-" + r.b
	r.call(r.dst, "PUT", "/"+r.b+"/_alias/nick-"+r.b, "", "", nil)
	refused("but an alias")
}

// Of patterns each index is compared with its counterpart, and what has none is named.
func TestPairOfPatterns(t *testing.T) {
	r := newRig(t, `{}`)
	pre := r.spec.Move
	r.spec.From = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: pre + "-from-*", Logical: "*"}
	r.spec.To = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: pre + "-to.*", Logical: "*"}
	one := `{"settings":{"number_of_replicas":0}}`
	for _, name := range []string{"-from-one", "-from-two", "-from-lost", "-to.one", "-to.two", "-to.stray"} {
		r.call(r.src, "PUT", "/"+pre+name, "", one, nil)
		t.Cleanup(func() { _ = r.src.JSON(context.Background(), "DELETE", "/"+pre+name, nil, nil, nil) })
		r.call(r.src, "PUT", "/"+pre+name+"/_doc/1", "", `{"n":1}`, nil)
	}
	r.call(r.src, "PUT", "/"+pre+"-to.two/_doc/1", "", `{"n":2}`, nil)
	m := r.mover(nil)
	p, err := m.Pair(t.Context(), false)
	if err != nil || len(p.Indices) != 2 || fmt.Sprint(p.OnlySource, p.OnlyTarget) != fmt.Sprintf("[%s-from-lost] [%s-to.stray]", pre, pre) {
		t.Fatalf("%+v, %v", p, err)
	}
	d, err := m.Verify(t.Context(), mover.VerifyOptions{})
	if err != nil || d.Scanned != 4 || d.N() != 1 || d.NNewer != 1 || d.Differences[0].Index != "two" {
		t.Errorf("%+v, %v", d, err)
	}
	if again, err := m.CheckRefs(t.Context(), d.Refs()); err != nil || again.NNewer != 1 {
		t.Errorf("by name: %+v, %v", again, err)
	}
}

package mover_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/mover"
)

// verified is what a verification of content finds.
func (r *rig) verified(m *mover.Mover) mover.Diff {
	r.t.Helper()
	d, err := m.Verify(r.t.Context(), mover.VerifyOptions{Content: true})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// One difference of each kind is planted, and found for what it is, with both sides;
// what the mover itself changes is none. A comparison of versions does not see the
// content, and a repair puts everything right.
func TestVerifyFindsEachKind(t *testing.T) {
	onBoth(t, func(t *testing.T, n *engines.OpenSearch) {
		r := newRigOn(t, n, n, `{"settings":{"number_of_shards":3,"number_of_replicas":0}}`)
		const docs = 1000
		r.fill(docs)
		r.call(r.src, "PUT", "/"+r.a+"/_doc/odd", "", " {\r\n \"a\" : 1.0,\n\t\"b\":\"\\n \u00e9<&>\" , \"c\" : 1e2 }\n", nil)
		r.call(r.src, "PUT", "/"+r.a+"/_doc/commented", "", "{\"a\":1, /* \"}}, { */\"b\":\"/*\" // \"\n}", nil)
		m := r.taken(nil)
		r.copyAll(m)
		if d := r.verified(m); !d.Empty() || d.Scanned != 2*docs+4 {
			t.Fatalf("after the copy: %+v", d)
		}
		same := sameShard(r, "d6")                                                                                           // its routing is r6
		r.call(r.dst, "DELETE", "/"+r.b+"/_doc/d1", "", "", nil)                                                             // missing
		r.call(r.dst, "PUT", "/"+r.b+"/_doc/stray", "version=7&version_type=external", `{"secret":0}`, nil)                  // extra
		r.call(r.src, "PUT", "/"+r.a+"/_doc/d2", "", `{"n":2}`, nil)                                                         // older at B
		r.call(r.dst, "PUT", "/"+r.b+"/_doc/d4", "version=1&version_type=external_gte", `{"n":4,"v":0,"text":"other"}`, nil) // content
		r.call(r.dst, "PUT", "/"+r.b+"/_doc/d6", "routing="+same+"&version=1&version_type=external_gte", `{"n":6,"v":0,"text":"some text"}`, nil)
		r.call(r.dst, "DELETE", "/"+r.b+"/_doc/d3", "routing=r3", "", nil)
		far := otherShard(r, "d3", "r3")
		r.call(r.dst, "PUT", "/"+r.b+"/_doc/d3", "routing="+far+"&version=1&version_type=external", `{"n":3}`, nil)

		present := func(v int64, routing string, source string) mover.Side {
			return mover.Side{Present: true, Version: v, Routing: routing, Bytes: len(source)}
		}
		n4, n6 := `{"n":4,"v":0,"text":"some text"}`, `{"n":6,"v":0,"text":"some text"}`
		want := []mover.Difference{
			{Index: "docs", ID: "d1", Kind: mover.DiffMissing, Source: present(1, "", `{"n":1,"v":0,"text":"some text"}`)},
			{Index: "docs", ID: "d2", Kind: mover.DiffOlder, Source: present(2, "", `{"n":2}`), Target: present(1, "", `{"n":2,"v":0,"text":"some text"}`)},
			{Index: "docs", ID: "d3", Routing: "r3", Kind: mover.DiffMissing, Source: present(1, "r3", `{"n":3,"v":0,"text":"some text"}`)},
			{Index: "docs", ID: "d3", Routing: far, Kind: mover.DiffExtra, Target: present(1, far, `{"n":3}`)},
			{Index: "docs", ID: "d4", Kind: mover.DiffContent, Source: present(1, "", n4), Target: present(1, "", `{"n":4,"v":0,"text":"other"}`)},
			{Index: "docs", ID: "d6", Routing: "r6", Kind: mover.DiffRouting, Source: present(1, "r6", n6), Target: present(1, same, n6)},
			{Index: "docs", ID: "d6", Routing: same, Kind: mover.DiffRouting, Source: present(1, "r6", n6), Target: present(1, same, n6)},
			{Index: "docs", ID: "stray", Kind: mover.DiffExtra, Target: present(7, "", `{"secret":0}`)},
		}
		opts := cmp.Options{cmpopts.IgnoreFields(mover.Side{}, "SHA256", "SeqNo"), cmpopts.IgnoreFields(mover.Difference{}, "Shard"), cmpopts.SortSlices(func(a, b mover.Difference) bool {
			return a.ID+" "+string(a.Kind)+a.Routing < b.ID+" "+string(b.Kind)+b.Routing
		})}
		sorted := cmp.Options{opts}
		d := r.verified(m)
		if diff := cmp.Diff(want, d.Differences, sorted); diff != "" || d.NMissing != 2 || d.NExtra != 2 || d.NOlder != 1 || d.NRouting != 2 || d.NContent != 1 {
			t.Errorf("%+v (-want +got):\n%s", d, diff)
		}
		for _, x := range d.Differences {
			if x.ID == "d2" && x.Shard != r.shardOf("d2") {
				t.Errorf("%+v is of shard %d", x, r.shardOf("d2"))
			}
			if x.Kind == mover.DiffContent && (len(x.Source.SHA256) != 32 || x.Source.SHA256 == x.Target.SHA256) || strings.Contains(fmt.Sprintf("%+v", x), "secret") {
				t.Errorf("%+v", x)
			}
		}
		v, err := m.Verify(t.Context(), mover.VerifyOptions{})
		if err != nil || v.NContent != 0 || v.N() != d.N()-1 {
			t.Errorf("by versions: %+v, %v", v, err)
		}
		if c, err := m.CheckContent(t.Context(), d.Refs()); err != nil || c.N() != d.N() {
			t.Errorf("by name: %+v, %v", c, err)
		}
		r.apply(m, d.Refs()...)
		if d := r.verified(m); !d.Empty() {
			t.Errorf("after a repair: %+v", d)
		}
	})
}

// shardOf is where a routing leads to.
func (r *rig) shardOf(routing string) int {
	r.t.Helper()
	var ans struct{ Shards [][]struct{ Shard int } }
	r.call(r.dst, "GET", "/"+r.b+"/_search_shards", "routing="+routing, "", &ans)
	return ans.Shards[0][0].Shard
}

// sameShard is another routing for a document of fill that leads to the same shard.
func sameShard(r *rig, id string) string {
	for n := 0; ; n++ {
		if to := fmt.Sprintf("s%d", n); r.shardOf(to) == r.shardOf("r"+id[1:]) {
			return to
		}
	}
}

// otherShard is a routing that leads elsewhere.
func otherShard(r *rig, id, routing string) string {
	for n := 0; ; n++ {
		if to := fmt.Sprintf("o%d", n); r.shardOf(to) != r.shardOf(routing) {
			return to
		}
	}
}

// A verification that is interrupted goes on after the shards that it found equal;
// a shard with a difference is compared again.
func TestVerifyResumes(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":4,"number_of_replicas":0}}`)
	const docs = 4000
	r.fill(docs)
	m := r.taken(nil)
	r.copyAll(m)
	r.call(r.dst, "PUT", "/"+r.b+"/_doc/d1", "version=1&version_type=external_gte", `{"n":-1}`, nil)
	bad := r.shardOf("d1")
	var at mover.Verification
	stop := errors.New("stop")
	_, err := m.Verify(t.Context(), mover.VerifyOptions{Content: true, Save: func(v mover.Verification) error {
		if at = v; len(v.Equal) == 2 {
			return stop
		}
		return nil
	}})
	if !errors.Is(err, stop) || len(at.Equal) != 2 || at.Scanned == 0 || at.Scanned >= 2*docs {
		t.Fatalf("%+v, %v", at, err)
	}
	for _, s := range at.Equal {
		if s.Shard == bad {
			t.Errorf("shard %d has a difference and is not compared again", bad)
		}
	}
	next := r.mover(nil) // of another process
	next.Use(m.Indexes())
	var told, more atomic.Int64
	var saved mover.Verification
	d, err := next.Verify(t.Context(), mover.VerifyOptions{Content: true, From: at, Save: func(v mover.Verification) error { saved = v; return nil }, Scanned: func(n, again int64) {
		for _, x := range []struct {
			most *atomic.Int64
			now  int64
		}{{&told, n}, {&more, again}} {
			for old := x.most.Load(); x.now > old && !x.most.CompareAndSwap(old, x.now); old = x.most.Load() {
			}
		}
	}})
	if err != nil || d.NContent != 1 || d.N() != 1 || d.Scanned != 2*docs || more.Load() == 0 || told.Load() != 2*docs+more.Load() || len(saved.Equal) != 3 {
		t.Errorf("%+v, %v; told %d and %d, saved %+v", d, err, told.Load(), more.Load(), saved)
	}
	// What was compared by versions is not what is wanted now.
	if d, err := next.Verify(t.Context(), mover.VerifyOptions{From: saved}); err != nil || d.Scanned != 2*docs || !d.Empty() {
		t.Errorf("%+v, %v", d, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := next.Verify(ctx, mover.VerifyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// What the journals name is applied while both sides are compared, which may take long.
func TestApplyBesideAVerify(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	r.fill(500)
	m := r.taken(nil)
	r.copyAll(m)
	r.call(r.src, "PUT", "/"+r.a+"/_doc/d1", "", `{"n":-7}`, nil)
	var once sync.Once
	d, err := m.Verify(t.Context(), mover.VerifyOptions{Scanned: func(int64, int64) {
		once.Do(func() { // and the comparison waits for it
			if a := r.apply(m, ref("d1", "")); a.Indexed != 1 {
				t.Errorf("%+v", a)
			}
		})
	}})
	if err != nil || !d.Empty() || d.Scanned != 1000 {
		t.Errorf("%+v, %v", d, err)
	}
}

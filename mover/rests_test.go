package mover_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/mover"
)

// again deletes a document and creates it anew, with the version 1: the index forgets at once.
func (r *rig) again(id, routing string) {
	r.t.Helper()
	for v := int64(0); v != 1; {
		r.call(r.src, "DELETE", "/"+r.a+"/_doc/"+id, "routing="+routing, "", nil)
		r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
		r.call(r.src, "PUT", "/"+r.a+"/_doc/"+id, "routing="+routing, `{"n":0,"again":true}`, nil)
		v = r.get(r.src, r.a, id, routing).Version
	}
}

// A copy rests again and again within one shard, and every other time its process is killed
// in its rest. It goes on where it was. Documents that it has passed, and such as it has
// yet to read, are written, deleted and created again meanwhile, and beside the scan.
func TestACopyRestsWithinAShard(t *testing.T) {
	onBoth(t, func(t *testing.T, n *engines.OpenSearch) {
		r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0,"gc_deletes":"0s","sort.field":"n","sort.order":"desc"},"mappings":{"properties":{"n":{"type":"long"}}}}`)
		const docs, batch, workers, rests = 4000, 50, 2, 5
		// Two segments, which a merge sorts into one: the order by _doc is another one then.
		r.fill(docs / 2)
		r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
		r.fill(docs)
		rest := errors.New("rest")
		o := &mover.Options{BatchDocs: batch, Workers: workers, Limits: mover.Limits{Rests: true, Eager: true}}
		var bell func()
		var left atomic.Int64
		o.Lease = func() error {
			if left.Add(-1) == 0 {
				bell()
			}
			return nil
		}
		m := r.taken(o)
		idx := m.Indexes()
		routing := func(i int) string {
			if i%3 == 0 {
				return fmt.Sprintf("r%d", i%7)
			}
			return ""
		}
		var journal []gate.DocRef
		touch := func(i int, what string) {
			id := fmt.Sprintf("d%d", i)
			switch what {
			case "delete":
				r.call(r.src, "DELETE", "/"+r.a+"/_doc/"+id, "routing="+routing(i), "", nil)
			case "again":
				r.again(id, routing(i))
			default:
				r.call(r.src, "PUT", "/"+r.a+"/_doc/"+id, "routing="+routing(i), `{"n":-1}`, nil)
			}
			journal = append(journal, ref(id, routing(i)))
		}
		var cp mover.Checkpoint
		passed, extra := int64(0), int64(0)
		for w := 0; ; w++ {
			ctx, stop := context.WithCancelCause(t.Context())
			var once sync.Once
			bell = func() { stop(rest) }
			left.Store(int64(2 * docs / batch / (rests + 2))) // a batch asks its lease twice
			if w == rests {
				left.Store(1 << 40)
			}
			err := m.Copy(ctx, cp, func(c mover.Checkpoint) error {
				if cp = c; c.At != nil {
					once.Do(func() { // beside the scan, which shows them as they were
						touch(3900-w, "delete")
						touch(3800-w, "put")
						touch(10+w, "delete")
					})
				}
				return nil
			})
			stop(nil)
			if err == nil {
				break
			}
			if !errors.Is(err, rest) && !errors.Is(err, context.Canceled) || w == rests {
				t.Fatal(err)
			}
			if now := cp.Docs + cp.At.Docs; len(cp.Done) > 0 || cp.At.Known == nil || now <= passed {
				t.Fatalf("after rest %d: %+v, at %+v; %d before", w, cp, cp.At, passed)
			} else {
				passed = now
			}
			rested := cp.Rested()
			m.EndScan(t.Context(), cp)
			if cp = rested; cp.Scan != "" || cp.At == nil {
				t.Fatalf("rested: %+v", cp)
			}
			touch(100+w, "put")
			touch(200+w, "delete")
			touch(300+w, "again")
			touch(3700-w, "delete")
			touch(3600-w, "again")
			touch(3500-w, "put")
			touch(9000+w, "put")
			r.call(r.src, "POST", "/"+r.a+"/_forcemerge", "max_num_segments=1", "", nil)
			r.apply(m, journal...)
			extra += int64(2 * len(journal)) // by the round, and by the scan, at most
			journal = nil
			if w%2 == 1 {
				m = r.heir(idx, uint32(w+2), o)
			}
		}
		r.apply(m, journal...)
		total := r.written()
		t.Logf("%d documents after %d rests; %d were written at the target", docs, rests, total)
		if most := docs + extra + (rests+1)*batch*workers; total > most {
			t.Errorf("%d documents were written, at most %d are allowed: a rest made it begin anew", total, most)
		}
		if len(cp.Done) != 1 || cp.Scan != "" || cp.At != nil {
			t.Errorf("the last checkpoint: %+v", cp)
		}
		if d := r.verified(m); !d.Empty() {
			t.Errorf("%+v", d)
		}
	})
}

// Such a copy also survives the loss of its point in time.
func TestACopyThatRestsSurvivesALostScan(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	const n = 2000
	r.fill(n)
	o := &mover.Options{BatchDocs: 50, Workers: 2, Limits: mover.Limits{Rests: true, Eager: true}}
	m := r.taken(o)
	lost := false
	var cp mover.Checkpoint
	if err := m.Copy(t.Context(), cp, func(c mover.Checkpoint) error {
		if cp = c; c.At != nil && c.At.Docs > n/2 && !lost {
			lost = true
			m.EndScan(t.Context(), c)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if again := r.written() - n; !lost || again > 2*2*50 {
		t.Errorf("lost: %t; %d documents were written again", lost, again)
	}
	r.equal(m, n)
}

// In another point in time a position holds up to the checkpoint that was known before its
// own was opened.
func TestPositionElsewhere(t *testing.T) {
	known := int64(100)
	for name, test := range map[string]struct {
		at   mover.Position
		want *mover.Position
	}{
		"by _doc": {mover.Position{After: "[7]"}, nil},
		"below":   {mover.Position{Known: &known, After: "[99]", Docs: 5}, &mover.Position{Known: &known, After: "[99]", Docs: 5}},
		"at it":   {mover.Position{Known: &known, After: "[100]"}, &mover.Position{Known: &known, After: "[100]"}},
		"above":   {mover.Position{Known: &known, After: "[101]"}, &mover.Position{Known: &known, After: "[100]"}},
		"ahead": {mover.Position{Known: &known, After: "[50]", Ahead: []mover.Span{{From: 60, To: 70}, {From: 90, To: 110}, {From: 101, To: 120}}},
			&mover.Position{Known: &known, After: "[50]", Ahead: []mover.Span{{From: 60, To: 70}, {From: 90, To: 100}}}},
		"nothing yet": {mover.Position{Known: &known, Ahead: []mover.Span{{From: 60, To: 70}}}, &mover.Position{Known: &known, Ahead: []mover.Span{{From: 60, To: 70}}}},
		"unreadable":  {mover.Position{Known: &known, After: "[null]"}, nil},
	} {
		got := mover.Checkpoint{Scan: "x", At: &test.at}.Rested()
		if diff := cmp.Diff(mover.Checkpoint{At: test.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := (mover.Checkpoint{Scan: "x"}).Rested(); got.At != nil || got.Scan != "" {
		t.Errorf("%+v", got)
	}
}

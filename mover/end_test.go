package mover_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/mover"
)

func TestFenceRevealsWhoWritesAround(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	r.fill(50)
	ctx := t.Context()
	m := r.taken(nil)
	r.copyAll(m)
	if err := m.Seal(ctx, nil); err != nil {
		t.Fatal(err)
	}
	sealed := m.Indexes()
	r.call(r.src, "PUT", "/"+r.a+"/_doc/around", "", `{"n":1}`, nil)
	for range 2 { // and again, as after a crash
		if seen, err := m.Fence(ctx); err != nil || !seen {
			t.Errorf("fence: %t, %v", seen, err)
		}
	}
	if err := m.Unfence(ctx); err != nil {
		t.Fatal(err)
	}
	gone := errors.New("replaced")
	replaced := r.mover(&mover.Options{Lease: func() error { return gone }})
	replaced.Use(m.Indexes())
	if _, err := replaced.Fence(ctx); !errors.Is(err, gone) {
		t.Errorf("by a mover that was replaced: %v", err)
	}
	r.call(r.src, "DELETE", "/"+r.a+"/_doc/around", "", "", nil) // it is not fenced
	for i := range sealed {
		sealed[i].Mark = nil
	}
	forgetful := r.mover(nil)
	forgetful.Use(sealed)
	if _, err := forgetful.Fence(ctx); !errors.Is(err, mover.ErrNoMark) {
		t.Errorf("without marks: %v", err)
	}
	if got := r.try(r.src, "PUT", "/"+r.a+"/_doc/1", `{}`); got != 403 {
		t.Errorf("it is not fenced: %d", got)
	}
}

func TestSealThenReopen(t *testing.T) {
	r := newRig(t, "")
	r.fill(50)
	m := r.taken(nil)
	r.copyAll(m)
	if err := m.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := m.Take(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	r.call(r.src, "DELETE", "/"+r.a+"/_doc/d1", "", "", nil)
	r.apply(m, ref("d1", ""))
	r.equal(m, 49)
	if err := m.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func TestTasksAreFound(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r.fill(200)
	r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
	m := r.taken(nil)
	if ids, err := m.Tasks(t.Context()); err != nil || len(ids) != 0 {
		t.Fatalf("%v, %v", ids, err)
	}
	var task struct{ Task string }
	r.call(r.src, "POST", "/"+r.a+"/_update_by_query", "wait_for_completion=false&requests_per_second=1&scroll_size=10&conflicts=proceed", "", &task)
	ids, err := m.Tasks(t.Context())
	if err != nil || !slices.Contains(ids, task.Task) {
		t.Errorf("%v does not hold %s, %v", ids, task.Task, err)
	}
	other := newRig(t, "")
	if ids, err := other.taken(nil).Tasks(t.Context()); err != nil || len(ids) != 0 {
		t.Errorf("another tenant's: %v, %v", ids, err)
	}
	r.call(r.src, "POST", "/_tasks/"+task.Task+"/_cancel", "wait_for_completion=true", "", nil)
}

// Cursors on the source are counted until they are closed: the old copy is not
// to be deleted under a client that still reads it.
func TestOpenCursorsAreCounted(t *testing.T) {
	r := newRig(t, "")
	r.fill(50)
	m := r.taken(nil)
	r.copyAll(m)
	want := func(when string, n int) {
		t.Helper()
		if got, err := m.OpenCursors(t.Context()); err != nil || got != n {
			t.Errorf("%s: %d, %v; want %d", when, got, err, n)
		}
	}
	want("after the copy, whose own are closed", 0)
	var scroll struct {
		ID string `json:"_scroll_id"`
	}
	r.call(r.src, "POST", "/"+r.a+"/_search", "scroll=1m&size=5", `{}`, &scroll)
	var pit struct {
		ID string `json:"pit_id"`
	}
	r.call(r.src, "POST", "/"+r.a+"/_search/point_in_time", "keep_alive=1m", "", &pit)
	want("a scroll and a point in time", 2)
	r.call(r.src, "DELETE", "/_search/scroll", "", `{"scroll_id":["`+scroll.ID+`"]}`, nil)
	r.call(r.src, "DELETE", "/_search/point_in_time", "", `{"pit_id":["`+pit.ID+`"]}`, nil)
	want("both closed", 0)

	// A process that was killed left its own open, and its checkpoint names it.
	r.call(r.src, "POST", "/"+r.a+"/_search/point_in_time", "keep_alive=10m", "", &pit)
	want("of a copy that was killed", 1)
	var saved []mover.Checkpoint
	err := m.Copy(t.Context(), mover.Checkpoint{Scan: pit.ID}, func(c mover.Checkpoint) error {
		saved = append(saved, c)
		return nil
	})
	if err != nil || len(saved) < 2 || saved[0].Scan == "" || saved[0].Scan == pit.ID || saved[len(saved)-1].Scan != "" {
		t.Errorf("%v; the checkpoints were %+v; want the first to name the scan, and the last none", err, saved)
	}
	want("after a copy that took over", 0)
}

// What Ready has given back of gc_deletes does not keep a document away that was deleted
// and created again, with a lower version; and the target has it when it is sealed.
func TestTargetForgetsAgainAfterReady(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0,"gc_deletes":"0s"}}`)
	r.fill(20)
	m := r.taken(nil)
	r.copyAll(m)
	r.call(r.src, "PUT", "/"+r.a+"/_doc/d5", "", `{"n":5}`, nil)
	r.apply(m, ref("d5", ""))
	for v := int64(0); v != 1; v = r.get(r.src, r.a, "d5", "").Version { // until it is forgotten
		r.call(r.src, "DELETE", "/"+r.a+"/_doc/d5", "", "", nil)
		r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
		r.call(r.src, "PUT", "/"+r.a+"/_doc/d5", "", `{"n":5,"again":true}`, nil)
	}
	r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.gc_deletes":"7m"}`, nil)
	gc := func() any {
		var set map[string]struct{ Settings map[string]any }
		r.call(r.dst, "GET", "/"+r.b+"/_settings", "flat_settings=true", "", &set)
		return set[r.b].Settings["index.gc_deletes"]
	}
	if err := m.Ready(t.Context()); err != nil || gc() != "7m" {
		t.Fatalf("ready: %v, gc_deletes %v", err, gc())
	}
	r.apply(m, ref("d5", ""))
	r.equal(m, 20)
	if gc() != "0s" {
		t.Error("the document was written over a deletion that the target remembered: this shows nothing")
	}
	r.flip(m)
	if gc() != "7m" {
		t.Errorf("after the flip: gc_deletes %v", gc())
	}
}

// A seal that goes by a look from before the write alias was rotated removes the alias
// that there is now.
func TestSealLooksAgainAfterARotation(t *testing.T) {
	r := newRig(t, "")
	r.fill(20)
	m := r.taken(nil)
	r.copyAll(m)
	look, err := m.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Take(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if err := m.Seal(t.Context(), look); err != nil {
		t.Fatal(err)
	}
	for a := range r.sluiceAliases() {
		if !strings.Contains(a, "-sealed-") {
			t.Errorf("%s is left on the sealed target", a)
		}
	}
}

// What a look is for: the source is what it was, nobody writes there, and its numbers
// are noted.
func TestLookFindsWhatHasChanged(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r.fill(200)
	m := r.taken(nil)
	r.copyAll(m)
	r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
	var task struct{ Task string }
	r.call(r.src, "POST", "/"+r.a+"/_update_by_query", "wait_for_completion=false&requests_per_second=1&scroll_size=10&conflicts=proceed", "", &task)
	look, err := m.Look(t.Context())
	if err != nil || !slices.Contains(look.Tasks, task.Task) || look.Rewrites {
		t.Errorf("%+v, %v; want the task %s", look, err, task.Task)
	}
	r.call(r.src, "POST", "/_tasks/"+task.Task+"/_cancel", "wait_for_completion=true", "", nil)
	r.call(r.src, "DELETE", "/"+r.a, "", "", nil)
	r.call(r.src, "PUT", "/"+r.a, "", `{}`, nil)
	if _, err := m.Look(t.Context()); !errors.Is(err, mover.ErrSourceChanged) {
		t.Errorf("of an index that was created again: %v", err)
	}
}

// The refresh in the pause merges nothing, for which it would wait; and what the target has
// for that is gone after the flip, or after a rollback that was aborted.
func TestRefreshesOfThePauseMergeNothing(t *testing.T) {
	for what, floor := range map[string]any{"default": nil, "its own": "5mb"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0,"refresh_interval":"-1"}}`)
			r.fill(20)
			if floor != nil {
				r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.merge.policy.floor_segment":"5mb"}`, nil)
			}
			segments := func() int {
				var ans struct {
					All struct {
						Primaries struct{ Segments struct{ Count int } }
					} `json:"_all"`
				}
				r.call(r.dst, "GET", "/"+r.b+"/_stats/segments", "", "", &ans)
				return ans.All.Primaries.Segments.Count
			}
			has := func() any {
				var set map[string]struct{ Settings map[string]any }
				r.call(r.dst, "GET", "/"+r.b+"/_settings", "flat_settings=true", "", &set)
				return set[r.b].Settings["index.merge.policy.floor_segment"]
			}
			// rounds are of one document each, and each leaves a segment. It returns the most that there were.
			rounds := func(m *mover.Mover, n int) (most int) {
				for i := range n {
					id := fmt.Sprintf("d%d", i%20)
					r.call(r.src, "PUT", "/"+r.a+"/_doc/"+id, "", fmt.Sprintf(`{"n":%d}`, 100+i), nil)
					r.apply(m, ref(id, ""))
					if err := m.RefreshTarget(t.Context()); err != nil {
						t.Fatal(err)
					}
					most = max(most, segments())
				}
				return most
			}
			m := r.taken(nil)
			r.copyAll(m)
			before := rounds(m, 15)
			if err := m.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			// One after the other merges in the background as far as that is worth it, which nobody waits for.
			if after := rounds(m, 15); before > 10 || after <= 10 {
				t.Errorf("%d segments at most while refreshes merge, and %d when they do not", before, after)
			}
			r.equal(m, 20)
			if err := m.Seal(t.Context(), nil); err != nil || has() != "1kb" {
				t.Fatalf("seal: %v, with %v", err, has())
			}
			for range 2 { // a driver that died after it does it again
				if err := m.Release(t.Context()); err != nil || has() != floor {
					t.Fatalf("release: %v; the target has %v, want %v", err, has(), floor)
				}
			}
			r.call(r.dst, "PUT", "/"+r.b+"/_settings", "", `{"index.merge.policy.floor_segment":"7mb"}`, nil) // the tenant's
			if err := m.Release(t.Context()); err != nil || has() != "7mb" {
				t.Fatalf("release after the tenant has changed it: %v; the target has %v", err, has())
			}
		})
	}
}

package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

func (b *bench) compare(t *testing.T, content bool) control.Compared {
	t.Helper()
	c, err := control.Compare(t.Context(), b.s, control.CompareRequest{Partition: b.tenant, Content: content, Settle: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// kindsOf are the listed differences, by what differs.
func kindsOf(c control.Compared) map[string]mover.DiffKind {
	out := map[string]mover.DiffKind{}
	for _, x := range c.Differences {
		out[x.ID] = x.Kind
	}
	return out
}

// The copies of a move are compared while its tenant writes, and after the flip: what is
// planted is found, what is caught up with is not, and nothing of the store changes.
func TestCompareTheCopiesOfAMove(t *testing.T) {
	t.Parallel()
	b := newBench(t, "compared", 400)
	if _, err := control.Compare(t.Context(), b.s, control.CompareRequest{Partition: b.tenant}); !errors.Is(err, control.ErrOneCopy) {
		t.Errorf("without a move: %v", err)
	}
	if _, err := control.Compare(t.Context(), b.s, control.CompareRequest{Partition: "nobody"}); !errors.Is(err, placement.ErrUnknownPartition) {
		t.Errorf("without a tenant: %v", err)
	}
	stop := b.start(t, b.s, "c1")
	m := b.paused(t, control.MoveOptions{Verify: control.VerifyContent})

	// While clients write. The move catches up all the time.
	ctx, cancel := context.WithCancel(t.Context())
	wg := b.load(ctx, t, 2)
	for range 3 {
		c, err := control.Compare(t.Context(), b.s, control.CompareRequest{Partition: b.tenant, Content: true, Settle: time.Minute})
		if err != nil || !c.Equal || c.Documents() != 0 || c.Scanned < 500 || c.Move != m.ID || c.Stage != control.StageCatchingUp {
			t.Errorf("under load: %+v, %v", c, err)
		}
	}
	cancel()
	wg.Wait()
	if c := b.compare(t, true); !c.Equal || c.Changing != 0 {
		t.Errorf("at rest: %+v", c)
	}

	// Planted, with nobody who would put it right.
	stop()
	put := func(cluster, index, path, body string) {
		b.call(t, cluster, http.MethodPut, "/"+index+"/_doc/"+path, body, nil)
	}
	b.call(t, "b", http.MethodDelete, "/"+m.To.Index+"/_doc/d301", "", nil)
	put("b", m.To.Index, "stray", `{"n":1}`)
	put("a", m.From.Index, "d302", `{"n":2}`)
	put("b", m.To.Index, "d303", `{"n":3}`)
	put("b", m.To.Index, "d304?version=1&version_type=external_gte", `{"n":4}`)
	before, err := control.Moves(b.s).Get(t.Context(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	c := b.compare(t, true)
	want := map[string]mover.DiffKind{"d301": mover.DiffMissing, "stray": mover.DiffExtra, "d302": mover.DiffOlder, "d303": mover.DiffNewer, "d304": mover.DiffContent}
	if diff := cmp.Diff(want, kindsOf(c)); diff != "" || c.Equal || c.Documents() != 5 || c.Missing*c.Extra*c.Older*c.Newer*c.Content != 1 || c.Unlisted+c.Changing+c.SinceFlip != 0 {
		t.Errorf("%+v (-want +got):\n%s", c, diff)
	}
	if x := c.Differences[0]; x.ID != "d301" || x.Shard < 0 || x.Source.SHA256 == "" || !x.Source.Present || x.Target.Present {
		t.Errorf("%+v", x)
	}
	if c := b.compare(t, false); c.Documents() != 4 || c.Content != 0 {
		t.Errorf("without contents: %+v", c)
	}
	// A document that is written all the time is none that differs.
	ctx, cancel = context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; ctx.Err() == nil; n++ {
			if _, err := b.try(context.Background(), "a", http.MethodPut, "/"+m.From.Index+"/_doc/d305", fmt.Sprintf(`{"n":%d}`, n), nil); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	c, err = control.Compare(t.Context(), b.s, control.CompareRequest{Partition: b.tenant, Settle: 2 * time.Second})
	if err != nil || c.Documents() != 4 || c.Changing != 1 {
		t.Errorf("beside a writer: %+v, %v", c, err)
	}
	cancel()
	<-ended
	after, err := control.Moves(b.s).Get(t.Context(), m.ID)
	if err != nil || after.Version != before.Version {
		t.Errorf("the record has changed: %v, %v to %v", err, before.Version, after.Version)
	}
	places := control.CompareRequest{From: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: m.To.Index, Logical: m.To.Index}, To: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: m.From.Index, Logical: m.From.Index}}
	c, err = control.Compare(t.Context(), b.s, places)
	if want := map[string]mover.DiffKind{"d301": mover.DiffExtra, "stray": mover.DiffMissing, "d302": mover.DiffNewer, "d303": mover.DiffOlder, "d305": mover.DiffNewer}; err != nil || cmp.Diff(want, kindsOf(c)) != "" {
		t.Errorf("by name, the other way round: %+v, %v", c, err)
	}

	// After the flip the target goes on.
	b.start(t, b.s, "c2")
	b.acceptDrift(t, m)
	b.resume(t, m)
	if m = b.await(t, m.ID, func(m control.Move) bool { return m.Terminal() || m.Stage == control.StageFlipped && m.Receipt != nil }); m.Stage != control.StageFlipped {
		t.Fatalf("it ended as %s: %s", m.Stage, m.Error)
	}
	if c := b.compare(t, true); !c.Equal || c.Stage != control.StageFlipped || c.Note != "" {
		t.Errorf("after the flip: %+v", c)
	}
	put("b", m.To.Index, "d310", `{"n":10}`)
	put("b", m.To.Index, "fresh", `{"n":11}`)
	b.call(t, "b", http.MethodDelete, "/"+m.To.Index+"/_doc/d311", "", nil)
	c = b.compare(t, false)
	want = map[string]mover.DiffKind{"d310": mover.DiffNewer, "fresh": mover.DiffExtra, "d311": mover.DiffMissing}
	if diff := cmp.Diff(want, kindsOf(c)); diff != "" || c.SinceFlip != 2 || c.Note == "" {
		t.Errorf("%+v (-want +got):\n%s", c, diff)
	}
	if _, err := control.RequestRetire(t.Context(), b.s, m.ID); err != nil {
		t.Fatal(err)
	}
	b.await(t, m.ID, control.Move.Terminal)
	if _, err := control.Compare(t.Context(), b.s, control.CompareRequest{Partition: b.tenant}); !errors.Is(err, control.ErrOneCopy) {
		t.Errorf("after retire: %v", err)
	}
}

// A comparison that was interrupted goes on after the shards that were equal, and not of
// other indices.
func TestCompareResumes(t *testing.T) {
	t.Parallel()
	b := newBench(t, "resumed", 2000)
	m := b.request(t, "b")
	b.start(t, b.s, "c1")
	m = b.await(t, m.ID, func(m control.Move) bool { return m.Stage == control.StageFlipped && m.Receipt != nil })
	interrupted := errors.New("interrupted")
	var saved []byte
	_, err := control.Compare(t.Context(), b.s, control.CompareRequest{Partition: b.tenant, Save: func(s control.CompareState) error {
		if saved, _ = json.Marshal(s); len(s.Done.Equal) == 1 {
			return interrupted
		}
		return nil
	}})
	var state control.CompareState
	if !errors.Is(err, interrupted) || json.Unmarshal(saved, &state) != nil || len(state.Done.Equal) != 1 || state.Done.Scanned == 0 {
		t.Fatalf("%v, %s", err, saved)
	}
	var first atomic.Int64
	shards := 0
	c, err := control.Compare(t.Context(), b.s, control.CompareRequest{Partition: b.tenant, Resume: &state,
		Save: func(s control.CompareState) error { shards = len(s.Done.Equal); return nil },
		Progress: func(p control.Comparing) {
			first.CompareAndSwap(0, p.Scanned)
			if p.Total != 4000 {
				t.Errorf("%+v", p)
			}
		}})
	if err != nil || !c.Equal || c.Scanned != 4000 || shards != 2 || first.Load() <= state.Done.Scanned {
		t.Errorf("%+v, %v; %d shards, first %d", c, err, shards, first.Load())
	}
	for _, other := range []control.CompareRequest{{Content: true}, {Resume: &control.CompareState{From: state.From, To: state.To, Indices: []string{"x", "y"}}}} {
		if other.Partition = b.tenant; other.Resume == nil {
			other.Resume = &state
		}
		var bad *placement.InvalidError
		if _, err := control.Compare(t.Context(), b.s, other); !errors.As(err, &bad) || bad.Field != "resume" {
			t.Errorf("%v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := control.Compare(ctx, b.s, control.CompareRequest{Partition: b.tenant, Progress: func(control.Comparing) { cancel() }}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

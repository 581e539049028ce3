package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

var quickly = control.MoveOptions{DrainBarrier: 2 * time.Second, PauseBudget: 2 * time.Second, CutoverDeadline: 4 * time.Second}

func (b *bench) rollback(t *testing.T, id string) control.Move {
	t.Helper()
	m, err := control.RequestRollback(t.Context(), b.s, id, quickly)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// at is one write of a document through the gate, by whatever means.
func (b *bench) at(t *testing.T, method, id, body string) (version int64) {
	t.Helper()
	tk, err := b.g.Write(t.Context(), b.tenant, 100)
	if err != nil {
		t.Fatal(err)
	}
	tk.Record(gate.DocRef{Index: string(b.tenant), ID: id})
	if err := tk.Send(); err != nil {
		t.Fatal(err)
	}
	var ans struct {
		Version int64 `json:"_version"`
	}
	p := tk.Entry().State.From
	b.call(t, p.Cluster, method, "/"+p.Index+"/_doc/"+id, body, &ans)
	if err := tk.Done(); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var n struct{ N int }
	_ = json.Unmarshal([]byte(body), &n) // of a delete there is none
	b.docs[id] = doc{n.N, ans.Version, method == http.MethodDelete}
	return ans.Version
}

// indexOf describes an index: its aliases, its fields, and whether it is blocked.
func (b *bench) indexOf(t *testing.T, p placement.Placement) (aliases, fields []string, blocked bool, gc string) {
	t.Helper()
	var all map[string]struct {
		Aliases  map[string]any
		Mappings struct{ Properties map[string]any }
		Settings map[string]any
	}
	b.call(t, p.Cluster, http.MethodGet, "/"+p.Index+"?flat_settings=true", "", &all)
	x := all[p.Index]
	for a := range x.Aliases {
		aliases = append(aliases, a)
	}
	for f := range x.Mappings.Properties {
		fields = append(fields, f)
	}
	gc, _ = x.Settings["index.gc_deletes"].(string)
	return aliases, fields, x.Settings["index.blocks.write"] == "true", gc
}

func (b *bench) moveTo(t *testing.T, cluster string) control.Move {
	t.Helper()
	m := b.await(t, b.request(t, cluster).ID, settled)
	if m.Stage != control.StageFlipped {
		t.Fatalf("the move ended as %s: %s", m.Stage, m.Error)
	}
	return m
}

func (b *bench) moreWrites(t *testing.T, n int64) {
	t.Helper()
	until := b.writes.Load() + n
	for deadline := time.Now().Add(60 * time.Second); b.writes.Load() < until; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the writers have stopped")
		}
	}
}

// A tenant goes back to its old copy under load, by drivers that are killed one after
// the other, and forth again. What was written, deleted and created again since comes
// with it, however its versions count.
func TestRollbackUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t, "back", 2000)
	b.call(t, "a", http.MethodPost, "/_aliases", `{"actions":[{"add":{"index":"back-0","alias":"back-old"}},{"add":{"index":"back-0","alias":"back-both"}}]}`, nil)
	ctx, cancel := context.WithCancel(t.Context())
	wg := b.load(ctx, t, 3)
	stop := b.start(t, b.s, "c1")
	first := b.moveTo(t, "b")
	if len(first.Indices) != 1 || len(first.Indices[0].TargetBase) != 2 {
		t.Errorf("the target's sequence numbers before the flip are not in the record: %+v", first.Indices)
	}
	// A tombstone is forgotten at once, so that a document that is created again looks,
	// by its version, like the one that was copied.
	b.call(t, "b", http.MethodPut, "/"+first.To.Index+"/_settings", `{"index.gc_deletes":"0s"}`, nil)
	b.at(t, http.MethodDelete, "d1999", "")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) { // OpenSearch's clock ticks
		if b.at(t, http.MethodPut, "d1999", `{"n":777}`) == 1 {
			break
		}
		b.at(t, http.MethodDelete, "d1999", "")
		if time.Now().After(deadline) {
			t.Fatal("the tombstone was not forgotten")
		}
	}
	b.at(t, http.MethodDelete, "d1998", "")
	b.call(t, "b", http.MethodPut, "/"+first.To.Index+"/_mapping", `{"properties":{"later":{"type":"keyword"}}}`, nil)
	b.at(t, http.MethodPut, "d1997", `{"n":9,"later":"x"}`)
	b.call(t, "b", http.MethodPost, "/_aliases", fmt.Sprintf(`{"actions":[{"remove":{"index":%q,"alias":"back-old"}},{"add":{"index":%q,"alias":"back-new"}}]}`, first.To.Index, first.To.Index), nil)
	b.moreWrites(t, 100)

	stop()
	m := b.rollback(t, first.ID)
	stages := b.kill(t, m.ID, 3, 6, 9, 10)
	b.start(t, b.s, "heir")
	m = b.await(t, m.ID, settled)
	if m.Stage != control.StageFlipped || m.Receipt == nil || m.Receipt.RollbackOf != first.ID {
		t.Fatalf("the rollback ended as %s: %s", m.Stage, m.Error)
	}
	r := m.Receipt
	t.Logf("killed in %v; %d of 2000 documents brought over, %d attempts, pause %+v, fence %q", stages, r.Docs, r.Attempts, r.Pause, r.Fence)
	if r.Verification.Unsettled != 0 || r.Pause.Refused != 0 || strings.Contains(r.Fence, "written") || r.Docs > 1000 {
		t.Errorf("receipt: %+v", r)
	}
	old, err := control.Moves(b.s).Get(t.Context(), first.ID)
	if err != nil || old.Value.Stage != control.StageRolledBack || old.Value.RolledBackBy != m.ID {
		t.Errorf("the move that was rolled back: %s by %q, %v", old.Value.Stage, old.Value.RolledBackBy, err)
	}
	aliases, fields, blocked, gc := b.indexOf(t, first.From)
	if got := strings.Join(aliases, " "); blocked || gc != "0s" || len(aliases) != 2 || !strings.Contains(got, "back-new") || !strings.Contains(got, "back-both") || len(fields) != 2 {
		t.Errorf("the index that it is back at: aliases %v, fields %v, blocked %t, gc_deletes %q", aliases, fields, blocked, gc)
	}
	if _, _, blocked, _ := b.indexOf(t, first.To); !blocked {
		t.Error("what was rolled back from is not fenced")
	}
	b.moreWrites(t, 50)

	// And of that, too.
	again := b.await(t, b.rollback(t, m.ID).ID, settled)
	if again.Stage != control.StageFlipped || again.Receipt.Fence != "clean" || again.Receipt.Pause.Refused != 0 {
		t.Fatalf("the second rollback ended as %s: %s, %+v", again.Stage, again.Error, again.Receipt)
	}
	t.Logf("forth again: %d documents, pause %+v", again.Receipt.Docs, again.Receipt.Pause)
	cancel()
	wg.Wait()
	b.check(t)
	if _, err := control.RequestRetire(t.Context(), b.s, again.ID); err != nil {
		t.Fatal(err)
	}
	if done := b.await(t, again.ID, control.Move.Terminal); done.Stage != control.StageDone {
		t.Errorf("retire: %s", done.Error)
	}
	if code := b.call(t, "a", http.MethodGet, "/"+first.From.Index, "", nil); code != http.StatusNotFound {
		t.Errorf("the old copy after retire: %d", code)
	}
	b.check(t)
}

// An aborted rollback leaves the tenant where it was, and the old copy what it was:
// fenced, and something that can be gone back to.
func TestAnAbortedRollbackLeavesTheWayBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, "undone", 300)
	ctx, cancel := context.WithCancel(t.Context())
	wg := b.load(ctx, t, 2)
	b.start(t, b.s, "c1")
	first := b.moveTo(t, "b")
	b.moreWrites(t, 30)
	same := func(stage string) {
		t.Helper()
		e, err := b.s.State(t.Context(), b.tenant)
		if err != nil || e.State != (placement.State{From: first.To}) || e.Previous != first.From || e.PreviousMove != first.ID || e.Fenced != first.ID {
			t.Errorf("%s: %+v, %v", stage, e, err)
		}
		aliases, _, blocked, gc := b.indexOf(t, first.From)
		if len(aliases) != 0 || !blocked || gc != "" {
			t.Errorf("%s: the old copy has aliases %v, blocked %t, gc_deletes %q", stage, aliases, blocked, gc)
		}
		r, err := control.Moves(b.s).Get(t.Context(), first.ID)
		if err != nil || control.WayBack(r.Value, e) != nil {
			t.Errorf("%s: the way back: %v, %v", stage, control.WayBack(r.Value, e), err)
		}
	}
	// One that has gone far: it waits for a shorter pause than there can be.
	o := quickly
	o.PauseBudget = time.Nanosecond
	m, err := control.RequestRollback(t.Context(), b.s, first.ID, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := control.RequestRollback(t.Context(), b.s, first.ID, o); !errors.Is(err, control.ErrAlreadyMoving) {
		t.Errorf("two at once: %v", err)
	}
	b.await(t, m.ID, func(m control.Move) bool { return m.Progress.Rounds > 1 || m.Settled() })
	if _, _, blocked, _ := b.indexOf(t, first.From); blocked {
		t.Error("the old copy is fenced while it is written to")
	}
	// It cannot be retired meanwhile.
	if _, err := control.RequestRetire(t.Context(), b.s, first.ID); err != nil {
		t.Fatal(err)
	}
	kept := b.await(t, first.ID, func(m control.Move) bool { return !m.RetireRequested || m.Terminal() })
	if kept.Stage != control.StageFlipped || !strings.Contains(kept.Error, "moving there") {
		t.Fatalf("retire during a rollback: %s, %q", kept.Stage, kept.Error)
	}
	if _, err := control.RequestAbort(t.Context(), b.s, m.ID); err != nil {
		t.Fatal(err)
	}
	if m = b.await(t, m.ID, settled); m.Stage != control.StageAborted {
		t.Fatalf("it ended as %s: %s", m.Stage, m.Error)
	}
	same("aborted")

	// Somebody writes to the old copy, around the proxies and the fence.
	block := func(v string) {
		b.call(t, "a", http.MethodPut, "/"+first.From.Index+"/_settings", `{"index.blocks.write":`+v+`}`, nil)
	}
	block("null")
	b.call(t, "a", http.MethodPut, "/"+first.From.Index+"/_doc/stray", `{"n":1}`, nil)
	block("true")
	if m = b.await(t, b.rollback(t, first.ID).ID, settled); m.Stage != control.StageFailed || !strings.Contains(m.Error, "written to since it was fenced") {
		t.Fatalf("to an old copy that was written to: %s, %q", m.Stage, m.Error)
	}
	same("refused")
	cancel()
	wg.Wait()
	b.check(t)

	if _, err := control.RequestRetire(t.Context(), b.s, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := control.RequestRollback(t.Context(), b.s, first.ID, quickly); !errors.Is(err, control.ErrNoWayBack) {
		t.Errorf("of a move that is being retired: %v", err)
	}
}

func TestWayBack(t *testing.T) {
	a := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "x", Logical: "docs"}
	c := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "y", Logical: "docs"}
	pool := placement.Placement{Kind: placement.SharedIndex, Cluster: "a", Index: "pool", Logical: "docs", PartitionField: "tenant"}
	good := placement.Entry{State: placement.State{From: c}, Previous: a, PreviousMove: "m1", Fenced: "m1"}
	move := func(s control.Stage) control.Move { return control.Move{ID: "m1", From: a, To: c, Stage: s} }
	retiring, shared := move(control.StageFlipped), move(control.StageFlipped)
	retiring.RetireRequested, shared.From = true, pool
	moving, moved := good, good
	moving.State, moving.Attempt = placement.State{Phase: placement.Draining, From: c, To: a}, placement.Attempt{Move: "m2", Number: 1}
	moved.PreviousMove = "m2"
	for _, x := range []struct {
		m    control.Move
		e    placement.Entry
		want error
	}{
		{move(control.StageFlipped), good, nil},
		{move(control.StageCopying), good, control.ErrNotFlipped},
		{move(control.StageRetiring), good, control.ErrNoWayBack},
		{move(control.StageDone), good, control.ErrNoWayBack},
		{move(control.StageRolledBack), good, control.ErrNoWayBack},
		{move(control.StageAborted), good, control.ErrNoWayBack},
		{retiring, good, control.ErrNoWayBack},
		{shared, good, control.ErrNoWayBack},
		{move(control.StageFlipped), moving, control.ErrAlreadyMoving},
		{move(control.StageFlipped), moved, control.ErrNoWayBack},
		{move(control.StageFlipped), placement.Entry{State: placement.State{From: c}}, control.ErrNoWayBack},
	} {
		if err := control.WayBack(x.m, x.e); !errors.Is(err, x.want) || x.want == nil && err != nil {
			t.Errorf("%s, %+v: %v, want %v", x.m.Stage, x.e, err, x.want)
		}
	}
}

// An old copy becomes due while a rollback to it is under way. It stays until that has
// ended, and is retired then, because the rollback was aborted.
func TestAnOldCopyThatIsDueOutlivesARollback(t *testing.T) {
	t.Parallel()
	b := newBench(t, "due", 100)
	b.start(t, b.s, "c1")
	opt := quickly
	opt.RetireAfter = time.Hour
	m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b", Options: opt})
	if err != nil {
		t.Fatal(err)
	}
	first := b.await(t, m.ID, settled)
	if first.Stage != control.StageFlipped || first.RetireAt.IsZero() || first.Fencing {
		t.Fatalf("it ended as %s: %s; to be retired at %v, fencing %t", first.Stage, first.Error, first.RetireAt, first.Fencing)
	}
	// A proxy that hears of nothing keeps the rollback from going on.
	x, err := b.s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "deaf"}, store.Report{}, &store.SessionOptions{TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	back := b.rollback(t, first.ID)
	b.await(t, back.ID, func(m control.Move) bool { return len(m.Progress.Laggards) == 1 })
	r, err := control.Moves(b.s).Get(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	r.Value.RetireAt = time.Now().Add(-time.Second) // the hour has passed
	if _, err := control.Moves(b.s).Put(t.Context(), first.ID, r.Value, r.Version); err != nil {
		t.Fatal(err)
	}
	put := b.await(t, first.ID, func(m control.Move) bool { return m.Attempt > first.Attempt && m.Owner == "" })
	if put.Stage != control.StageFlipped || put.RetireAt.IsZero() || put.Error != "" || !strings.Contains(put.Progress.Note, "rollback") {
		t.Errorf("while it is rolled back it is %s, to be retired at %v: %q, %q", put.Stage, put.RetireAt, put.Error, put.Progress.Note)
	}
	if _, err := control.RequestAbort(t.Context(), b.s, back.ID); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if ended := b.await(t, back.ID, settled); ended.Stage != control.StageAborted {
		t.Fatalf("the rollback ended as %s: %s", ended.Stage, ended.Error)
	}
	if done := b.await(t, first.ID, func(m control.Move) bool { return m.Terminal() || m.Error != "" }); done.Stage != control.StageDone {
		t.Errorf("after it the move is %s: %s", done.Stage, done.Error)
	}
	if code := b.call(t, "a", http.MethodGet, "/"+first.From.Index, "", nil); code != http.StatusNotFound {
		t.Errorf("the old copy: %d", code)
	}
	b.check(t)
}

// A driver dies while it fences the old copy. What it has sent arrives late: not after a
// rollback has lifted the fence, because that waits for as long as it may be on its way.
func TestARollbackOutlastsALateFence(t *testing.T) {
	t.Parallel()
	b := newBench(t, "latefence", 100)
	ctx, cancel := context.WithCancel(t.Context())
	wg := b.load(ctx, t, 2)
	v := doomed{&mortal{Driver: b.d, dead: make(chan struct{}), persist: true}, `"fencing":true`}
	v.left.Store(1 << 40)
	stop := b.start(t, store.New(v, nil), "victim")
	m := b.request(t, "b")
	select {
	case <-v.dead:
	case <-time.After(60 * time.Second):
		t.Fatal("the victim did not come to fence the old copy")
	}
	stop()
	b.start(t, b.s, "heir")
	first := b.await(t, m.ID, settled)
	if first.Stage != control.StageFlipped || !first.Fencing {
		t.Fatalf("it ended as %s: %s, fencing %t", first.Stage, first.Error, first.Fencing)
	}
	opt := quickly
	opt.DrainBarrier = 5 * time.Second
	back, err := control.RequestRollback(t.Context(), b.s, first.ID, opt)
	if err != nil {
		t.Fatal(err)
	}
	b.await(t, back.ID, func(m control.Move) bool { return m.Settled() || strings.Contains(m.Progress.Note, "waiting it out") })
	b.call(t, "a", http.MethodPut, "/"+first.From.Index+"/_block/write", "", nil) // as the victim has sent it
	if back = b.await(t, back.ID, settled); back.Stage != control.StageFlipped {
		t.Fatalf("the rollback ended as %s: %s", back.Stage, back.Error)
	}
	if _, _, blocked, _ := b.indexOf(t, first.From); blocked {
		t.Error("the tenant's index is blocked")
	}
	b.moreWrites(t, 20)
	cancel()
	wg.Wait()
	b.check(t)
}

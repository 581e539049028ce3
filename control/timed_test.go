package control_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
)

// timedWait is longer than any write of the sessionless proxy takes, which its
// client bounds by sessionlessTimeout.
const (
	timedWait          = 8 * time.Second
	sessionlessTimeout = 7 * time.Second
)

// startTimed runs a controller with a timed barrier.
func (b *bench) startTimed(t *testing.T, name string) (stop func()) {
	t.Helper()
	return run(t, control.NewController(b.s, gate.NewPeers(secret, nil), &control.ControllerOptions{
		Name: name, TTL: 2 * time.Second, Scan: 100 * time.Millisecond, Timed: &control.TimeBarrierOptions{Wait: timedWait},
	}))
}

// sessionless writes as a proxy of another make would: it reads the entry before
// each write, refuses during Cutover unless it is stubborn, and tells nobody.
func (b *bench) sessionless(ctx context.Context, t *testing.T, w int, stubborn bool) {
	for n := 1; ctx.Err() == nil; n++ {
		e, err := b.s.State(context.Background(), b.tenant)
		if err != nil {
			t.Error(err)
			return
		}
		if e.State.Phase == placement.Cutover && !stubborn {
			sleepUnless(ctx, 20*time.Millisecond)
			continue
		}
		id, method := fmt.Sprintf("d%d", w+10*(n%30)), http.MethodPut
		if n%7 == 0 || n%13 == 0 {
			method = http.MethodDelete
		}
		var ans struct {
			Version int64 `json:"_version"`
		}
		p := e.State.From
		bound, cancel := context.WithTimeout(context.Background(), sessionlessTimeout)
		code, err := b.try(bound, p.Cluster, method, "/"+p.Index+"/_doc/"+id, fmt.Sprintf(`{"n":%d}`, n), &ans)
		cancel()
		if stubborn && code == http.StatusForbidden {
			return // the fence
		}
		if err != nil || code >= 300 && code != http.StatusNotFound {
			t.Errorf("%s: %d, %v", method, code, err)
			return
		}
		b.writes.Add(1)
		b.mu.Lock()
		b.docs[id] = doc{n, ans.Version, method == http.MethodDelete}
		b.mu.Unlock()
		sleepUnless(ctx, time.Millisecond)
	}
}

func sleepUnless(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (b *bench) requestTimed(t *testing.T) control.Move {
	t.Helper()
	m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b", Options: control.MoveOptions{PauseBudget: time.Minute, CutoverDeadline: 2 * time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A fleet whose proxies hold no session and journal nothing. The source forgets
// deletions at once, so documents start over at version 1 again and again. The
// first controller goes away while writes are held.
func TestTimedMoveOfASessionlessFleet(t *testing.T) {
	t.Parallel()
	b := newBench(t, "timed", 500)
	b.call(t, "a", http.MethodPut, "/timed-0/_settings", `{"index":{"gc_deletes":"0s"}}`, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() { b.sessionless(ctx, t, w, false) })
	}
	defer wg.Wait()
	defer cancel()
	stop := b.startTimed(t, "c1")
	m := b.requestTimed(t)
	b.await(t, m.ID, func(m control.Move) bool { return strings.Contains(m.Progress.Note, "timed barrier") })
	// Asked early, a completion is refused and says how long to wait.
	plane := control.New(b.s, control.NewTimeBarrier(&control.TimeBarrierOptions{Wait: timedWait}), nil)
	var pending *control.BarrierPending
	if _, err := plane.CompleteMigration(ctx, placement.Entry{Partition: b.tenant}); !errors.As(err, &pending) || pending.Remaining <= 0 || pending.Remaining > timedWait {
		t.Errorf("completed early: %v", err)
	}
	stop()
	b.startTimed(t, "c2")
	m = b.await(t, m.ID, settled)
	cancel()
	wg.Wait()
	if m.Stage != control.StageFlipped {
		t.Fatalf("it ended as %s: %s", m.Stage, m.Error)
	}
	r := m.Receipt
	if r.Attempts < 2 || r.Fence != "clean" || r.Pause.BarrierMS < float64(timedWait.Milliseconds()) || r.Verification.Unsettled != 0 || r.Verification.Scanned == 0 {
		t.Errorf("receipt %+v", r)
	}
	b.check(t)
	t.Logf("%d writes, pause %+v, %+v", b.writes.Load(), r.Pause, r.Verification)
}

// A proxy that goes on writing to the source after the barrier proves the
// assumption false: the move ends, and the tenant stays where its writes went.
func TestTimedMoveRefusesAProxyThatDoesNotStop(t *testing.T) {
	t.Parallel()
	b := newBench(t, "stubborn", 200)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { b.sessionless(ctx, t, 0, true) })
	defer wg.Wait()
	defer cancel()
	b.startTimed(t, "c1")
	m := b.await(t, b.requestTimed(t).ID, settled)
	cancel()
	wg.Wait()
	if m.Stage != control.StageAborted || !strings.Contains(m.Error, "around the proxies") {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
	b.check(t)
}

package control_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

// A move whose predicted pause stays above its budget says so and waits; a wider
// budget lets the same driver go on from where it stands.
func TestBudgetOfARunningMove(t *testing.T) {
	t.Parallel()
	b := newBench(t, "budget", 300)
	ctx, cancel := context.WithCancel(t.Context())
	wg := b.load(ctx, t, 2)
	b.start(t, b.s, "c1")
	m, err := control.RequestMove(ctx, b.s, control.Request{Partition: b.tenant, Cluster: "b", Options: control.MoveOptions{PauseBudget: time.Microsecond, CutoverDeadline: 4 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	m = b.await(t, m.ID, func(m control.Move) bool { return strings.Contains(m.Progress.Note, "above the pause budget") })
	if m.Progress.PredictedPause <= m.Options.PauseBudget || m.Progress.Cutovers != 0 {
		t.Errorf("it waits with a predicted pause of %s and after %d cutovers", m.Progress.PredictedPause, m.Progress.Cutovers)
	}
	budget, deadline := 3*time.Second, time.Millisecond
	var invalid *placement.InvalidError
	if _, err := control.RequestBounds(ctx, b.s, m.ID, control.Bounds{PauseBudget: &budget, CutoverDeadline: &deadline}); !errors.As(err, &invalid) {
		t.Errorf("a budget above the deadline: %v", err)
	}
	if _, err := control.RequestBounds(ctx, b.s, m.ID, control.Bounds{PauseBudget: &budget}); err != nil {
		t.Fatal(err)
	}
	m = b.await(t, m.ID, settled)
	cancel()
	wg.Wait()
	if m.Stage != control.StageFlipped || m.Attempt != 1 || m.Options.PauseBudget != budget || m.Options.CutoverDeadline != 4*time.Second {
		t.Errorf("it ended as %s by driver %d: %s; options %+v", m.Stage, m.Attempt, m.Error, m.Options)
	}
	if _, err := control.RequestBounds(t.Context(), b.s, m.ID, control.Bounds{PauseBudget: &budget}); !errors.Is(err, control.ErrFlipped) {
		t.Errorf("bounds of a flipped move: %v", err)
	}
	if _, err := control.RequestBounds(t.Context(), b.s, "m0", control.Bounds{}); !errors.Is(err, control.ErrUnknownMove) {
		t.Errorf("bounds of no move: %v", err)
	}
	b.check(t)
}

// A pause stops the copy at once, loses nothing of it, and keeps a move that has
// copied everything from its cutover; the rate can be changed meanwhile.
func TestPauseAndRateOfARunningMove(t *testing.T) {
	t.Parallel()
	b := newBench(t, "paused", 2000)
	ctx, cancel := context.WithCancel(t.Context())
	wg := b.load(ctx, t, 1)
	b.start(t, b.s, "c1")
	m, err := control.RequestMove(ctx, b.s, control.Request{Partition: b.tenant, Cluster: "b", Options: control.MoveOptions{PauseBudget: 3 * time.Second, CutoverDeadline: 4 * time.Second, CopyRate: 20}})
	if err != nil {
		t.Fatal(err)
	}
	b.await(t, m.ID, func(m control.Move) bool { return m.Stage == control.StageCopying && m.Progress.Docs > 0 })
	if _, err := control.RequestPause(ctx, b.s, m.ID, true); err != nil {
		t.Fatal(err)
	}
	m = b.await(t, m.ID, func(m control.Move) bool { return strings.HasPrefix(m.Progress.Note, "paused") })
	if m.Stage != control.StageCopying || m.Progress.Docs >= 1000 {
		t.Errorf("paused in %s with %d documents", m.Stage, m.Progress.Docs)
	}
	// No rate, so that it would be at its end in a moment if it were not paused.
	fast, slow := 0.0, 0.5
	var invalid *placement.InvalidError
	if _, err := control.RequestBounds(ctx, b.s, m.ID, control.Bounds{CopyRate: &slow}); !errors.As(err, &invalid) {
		t.Errorf("half a document a second: %v", err)
	}
	if _, err := control.RequestBounds(ctx, b.s, m.ID, control.Bounds{CopyRate: &fast}); err != nil {
		t.Fatal(err)
	}
	docs := func() int {
		var n struct{ Count int }
		b.call(t, "b", "POST", "/"+m.To.Index+"/_refresh", "", nil)
		b.call(t, "b", "GET", "/"+m.To.Index+"/_count", "", &n)
		return n.Count
	}
	before := docs()
	time.Sleep(1500 * time.Millisecond) // nothing tells that nothing happens
	if after := docs(); after != before || after >= 1000 {
		t.Errorf("%d documents were copied, and %d after a pause", before, after)
	}
	if _, err := control.RequestPause(ctx, b.s, m.ID, false); err != nil {
		t.Fatal(err)
	}
	// Paused again behind the copy: it catches up, and does not flip.
	b.await(t, m.ID, func(m control.Move) bool { return m.Stage == control.StageCatchingUp || m.Settled() })
	if _, err := control.RequestPause(ctx, b.s, m.ID, true); err == nil {
		m = b.await(t, m.ID, func(m control.Move) bool { return strings.HasPrefix(m.Progress.Note, "paused") || m.Settled() })
		if !m.Settled() {
			if _, err := control.RequestPause(ctx, b.s, m.ID, false); err != nil {
				t.Fatal(err)
			}
		}
	} else if !errors.Is(err, control.ErrFlipped) {
		t.Fatal(err)
	}
	m = b.await(t, m.ID, settled)
	cancel()
	wg.Wait()
	if m.Stage != control.StageFlipped || m.Attempt < 2 || m.Options.CopyRate != 0 {
		t.Errorf("it ended as %s by driver %d: %s; options %+v", m.Stage, m.Attempt, m.Error, m.Options)
	}
	if _, err := control.RequestPause(t.Context(), b.s, m.ID, true); !errors.Is(err, control.ErrFlipped) {
		t.Errorf("a flipped move was paused: %v", err)
	}
	b.check(t)
}

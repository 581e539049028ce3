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

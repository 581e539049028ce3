package control_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// slow is a controller's view of the store, which the first completion does not
// reach before goOn.
type slow struct {
	driver.Driver
	arrived, goOn chan struct{}
	first         sync.Once
}

func (s *slow) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if w.Key.Space == store.SpaceEntries && bytes.Contains(w.Value, []byte(`"previous_move"`)) {
		s.first.Do(func() { close(s.arrived) })
		select {
		case <-s.goOn:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return s.Driver.Write(ctx, w)
}

// A driver has sealed the target and comes too late with its completion: another
// controller has ended the Cutover, and no held write has failed. The completion is
// refused, and the driver, whose lease has never run out, goes on by itself.
func TestALateCutoverIsEndedByAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t, "late", 300)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wg := b.load(ctx, t, 2)
	s := &slow{Driver: b.d, arrived: make(chan struct{}), goOn: make(chan struct{})}
	b.start(t, store.New(s, nil), "slow")
	m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b",
		Options: control.MoveOptions{DrainBarrier: 2 * time.Second, PauseBudget: time.Second, CutoverDeadline: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	b.await(t, m.ID, func(m control.Move) bool { return m.Owner != "" })
	b.start(t, b.s, "other")
	select {
	case <-s.arrived:
	case <-time.After(60 * time.Second):
		t.Fatal("no completion was sent")
	}
	e, err := b.s.State(t.Context(), b.tenant)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for now := e; now.State.Phase == placement.Cutover; time.Sleep(20 * time.Millisecond) { // polls the store
		if now, err = b.s.State(t.Context(), b.tenant); err != nil {
			t.Fatal(err)
		}
		if now.Attempt != e.Attempt || time.Since(began) > 60*time.Second {
			t.Fatalf("%v by %v, and it was by %v", now.State, now.Attempt, e.Attempt)
		}
	}
	t.Logf("ended %v after the completion was sent", time.Since(began).Round(10*time.Millisecond))
	written := b.writes.Load()
	for began := time.Now(); b.writes.Load() < written+10; time.Sleep(20 * time.Millisecond) { // polls the writers
		if time.Since(began) > 60*time.Second {
			t.Fatal("writes do not go on")
		}
	}
	close(s.goOn)
	done := b.await(t, m.ID, settled)
	if done.Stage != control.StageFlipped || done.Attempt <= e.Attempt.Number {
		t.Errorf("it ended as %s: %s, attempt %d after %d", done.Stage, done.Error, done.Attempt, e.Attempt.Number)
	}
	cancel()
	wg.Wait()
	b.check(t)
}

package placement_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
)

// The invariants M1 to M4 and M6 as far as values alone can show them: what
// they mean for requests in flight is shown where requests are, and M5 is about
// documents.

func inPhase(t *testing.T, phase placement.Phase) (*placement.PlacementTable, placement.Entry) {
	t.Helper()
	table := placement.NewTable()
	if err := table.Set("acme", east); err != nil {
		t.Fatal(err)
	}
	e := must[placement.Entry](t)(table.State("acme"))
	if phase != placement.Active {
		e = must[placement.Entry](t)(table.BeginMigration("acme", west, placement.Attempt{Move: "m1", Number: 1}))
	}
	if phase == placement.Cutover {
		e = must[placement.Entry](t)(table.EnterCutover("acme", e.Epoch, placement.Start{Boot: "b", Since: 1}))
	}
	return table, e
}

// M1: no write is admitted against a stale epoch, nor during Cutover.
func TestM1NoWriteAtAStaleEpochOrInCutover(t *testing.T) {
	for _, phase := range []placement.Phase{placement.Active, placement.Draining, placement.Cutover} {
		table, e := inPhase(t, phase)
		for at := range e.Epoch + 3 {
			err := table.AdmitWrite("acme", at)
			switch {
			case phase == placement.Cutover:
				if !errors.Is(err, placement.ErrInCutover) {
					t.Errorf("in Cutover, at %d: %v", at, err)
				}
			case at == e.Epoch:
				if err != nil {
					t.Errorf("%s, at the current epoch: %v", phase, err)
				}
			case !errors.Is(err, placement.ErrStaleEpoch):
				t.Errorf("%s, at %d of %d: %v", phase, at, e.Epoch, err)
			}
		}
	}
	if err := placement.NewTable().AdmitWrite("nobody", 0); !errors.Is(err, placement.ErrUnknownPartition) {
		t.Errorf("a partition that is not there: %v", err)
	}
}

// M2: after the flip nothing resolves to the old placement.
func TestM2AfterTheFlipOnlyTheTarget(t *testing.T) {
	table, e := inPhase(t, placement.Cutover)
	done := must[placement.Entry](t)(table.CompleteMigration("acme", e.Epoch))
	now := must[placement.Entry](t)(table.State("acme"))
	if now != done || now.State != (placement.State{Phase: placement.Active, From: west}) || now.Incarnation != 1 {
		t.Errorf("after the flip: %+v", now)
	}
	for at := range done.Epoch {
		if err := table.AdmitWrite("acme", at); !errors.Is(err, placement.ErrStaleEpoch) {
			t.Errorf("a write resolved at %d, before the flip: %v", at, err)
		}
	}
}

// M3: an abort returns the partition to its source with nothing of the move left.
func TestM3AnAbortLeavesNothing(t *testing.T) {
	for _, phase := range []placement.Phase{placement.Draining, placement.Cutover} {
		table, e := inPhase(t, phase)
		aborted := must[placement.Entry](t)(table.AbortMigration("acme", e.Epoch))
		want := placement.Entry{Partition: "acme", State: placement.State{From: east}, Epoch: e.Epoch + 1}
		if aborted != want {
			t.Errorf("from %s: %+v, want %+v", phase, aborted, want)
		}
		// What the aborted move does afterwards is refused.
		for _, op := range []placement.Op{placement.OpCutover, placement.OpReopen, placement.OpComplete, placement.OpAbort} {
			if _, err := table.Apply("acme", placement.Command{Op: op, Attempt: e.Attempt}); !errors.Is(err, placement.ErrNotMigrating) {
				t.Errorf("%s after the abort: %v", op, err)
			}
		}
	}
}

// M4: a read sees exactly one placement, whole, whatever it runs into.
func TestM4AReadSeesOnePlacement(t *testing.T) {
	table, _ := inPhase(t, placement.Active)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			var last placement.Entry
			for {
				select {
				case <-stop:
					return
				default:
				}
				e, err := table.State("acme")
				if err != nil || e.State.From != east && e.State.From != west {
					t.Errorf("a mixture: %+v, %v", e, err)
					return
				}
				if e.Epoch < last.Epoch || e.Epoch == last.Epoch && e != last {
					t.Errorf("back in time, or two states of one epoch: %+v after %+v", e, last)
					return
				}
				last = e
			}
		})
	}
	for i := range 5000 {
		to := []placement.Placement{west, east}[i%2]
		must[placement.Entry](t)(table.BeginMigration("acme", to, placement.Attempt{Move: "m"}))
		must[placement.Entry](t)(table.EnterCutover("acme", 0, placement.Start{}))
		must[placement.Entry](t)(table.CompleteMigration("acme", 0))
	}
	close(stop)
	wg.Wait()
}

// M6: whoever drove the move may die at any step; another takes over, and the
// first one, if it wakes up, changes nothing any more.
func TestM6ATakeoverShutsTheOldDriverOut(t *testing.T) {
	for _, phase := range []placement.Phase{placement.Draining, placement.Cutover} {
		table, old := inPhase(t, phase)
		for _, number := range []uint32{0, 1} {
			cmd := placement.Command{Op: placement.OpReopen, Attempt: placement.Attempt{Move: "m1", Number: number}}
			if e, err := placement.Step(old, cmd); err == nil && e.Attempt != old.Attempt {
				t.Errorf("a takeover as attempt %d", number)
			}
		}
		next := placement.Attempt{Move: "m1", Number: 2}
		e := must[placement.Entry](t)(table.Apply("acme", placement.Command{Op: placement.OpReopen, Attempt: next}))
		if e.Attempt != next || e.State.Phase != placement.Draining || e.CutoverAt != (placement.Start{}) {
			t.Fatalf("takeover from %s: %+v", phase, e)
		}
		for _, op := range []placement.Op{placement.OpCutover, placement.OpReopen, placement.OpComplete, placement.OpAbort} {
			for _, cmd := range []placement.Command{{Op: op, Attempt: old.Attempt}, {Op: op, Expect: old.Epoch}} {
				if _, err := table.Apply("acme", cmd); err == nil {
					t.Errorf("the old driver's %s passed after a takeover from %s", op, phase)
				}
			}
		}
		e = must[placement.Entry](t)(table.Apply("acme", placement.Command{Op: placement.OpCutover, Expect: e.Epoch, Attempt: next}))
		must[placement.Entry](t)(table.CompleteMigration("acme", e.Epoch))
	}
}

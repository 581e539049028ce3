package placement_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
)

var (
	east   = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "east", Index: "acme-1", Logical: "docs"}
	west   = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "west", Index: "acme-2", Logical: "docs"}
	north  = placement.Placement{Kind: placement.DedicatedCluster, Cluster: "north"}
	pool   = placement.Placement{Kind: placement.SharedIndex, Cluster: "west", Index: "pool", Logical: "docs", PartitionField: "tenant"}
	places = []placement.Placement{east, west, north, pool, {}, {Kind: placement.DedicatedIndex, Cluster: "east"}}
	ops    = []placement.Op{
		placement.OpBegin, placement.OpCutover, placement.OpReopen, placement.OpComplete,
		placement.OpAbort, placement.OpRetire, "explode",
	}
	moves = []string{"", "m1", "m2"}
)

// FuzzStep runs a string of commands, four bytes each, from a fresh entry and
// holds every step against the invariants.
func FuzzStep(f *testing.F) {
	f.Add([]byte{0, 1, 1, 0, 1, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0})                                                                // move, retire
	f.Add([]byte{0, 1, 1, 0, 1, 0, 0, 1, 2, 0, 0, 0, 2, 0, 9, 0, 1, 0, 9, 1, 4, 0, 0, 1})                                        // reopen, takeover, abort
	f.Add([]byte{0, 2, 0, 0, 0, 3, 0, 0, 3, 0, 0, 0, 1, 0, 0, 2, 1, 0, 0, 1, 6, 0, 0, 0})                                        // refusals
	f.Add([]byte{0, 1, 1, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 3, 0, 0, 0, 5})                                     // there and back
	f.Add([]byte{0, 1, 1, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 2, 16, 4, 0, 0, 0, 0, 0, 2, 16, 1, 0, 0, 0, 3, 0, 0, 0, 0, 1, 1, 32}) // rollback, aborted, again, and of that
	f.Add([]byte{0, 1, 1, 0, 1, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 0, 0, 2, 16})                                                   // rollback after retire
	f.Fuzz(func(t *testing.T, b []byte) {
		e := placement.Entry{Partition: "acme", State: placement.State{From: east}, Epoch: 1}
		for ; len(b) >= 4; b = b[4:] {
			cmd := placement.Command{
				Op: ops[int(b[0])%len(ops)], To: places[int(b[1])%len(places)],
				Attempt: placement.Attempt{Move: moves[int(b[2])%len(moves)], Number: uint32(b[2]) / 3},
				Start:   placement.Start{Boot: "b", Since: 1},
				Back:    moves[int(b[3]>>4)%len(moves)],
			}
			if b[3]&1 != 0 {
				cmd.Expect = e.Epoch + placement.Epoch(b[3]>>1)%3 // the right one, or of a change to come
			} else if b[3]&2 != 0 && e.Epoch > 1 {
				cmd.Expect = e.Epoch - 1
			}
			n, err := placement.Step(e, cmd)
			checkStep(t, e, cmd, n, err)
			if err == nil {
				n.Epoch++ // the store's part
				checkEntry(t, n)
			}
			e = n
		}
	})
}

func checkStep(t *testing.T, e placement.Entry, cmd placement.Command, n placement.Entry, err error) {
	t.Helper()
	fail := func(rule string) {
		t.Helper()
		t.Fatalf("%s\nbefore  %+v\ncommand %+v\nafter   %+v\nerror   %v", rule, e, cmd, n, err)
	}
	stale := cmd.Expect != 0 && cmd.Expect != e.Epoch
	if err != nil {
		var r *placement.Refusal
		var bad *placement.InvalidError
		switch {
		case n != e:
			fail("a refusal changed the entry")
		case errors.As(err, &r):
			if r.Partition != e.Partition || r.Op != cmd.Op || r.Epoch != e.Epoch || r.State != e.State || r.Code == "" {
				fail("the refusal does not say what was refused")
			}
			if stale != errors.Is(err, placement.ErrStaleEpoch) {
				fail("the wrong epoch, and only that, is stale_epoch")
			}
		case !errors.As(err, &bad) || cmd.Op != placement.OpBegin:
			fail("neither a refusal nor a bad target")
		}
		return
	}
	takeover := n.Attempt.Move == e.Attempt.Move && n.Attempt.Number > e.Attempt.Number && e.State.Migrating()
	switch {
	case stale:
		fail("a command with another epoch passed")
	case n.Partition != e.Partition || n.Epoch != e.Epoch:
		fail("identity or epoch changed")
	case (n.Incarnation == e.Incarnation+1) != (cmd.Op == placement.OpComplete):
		fail("incarnation counts completions, by one")
	case cmd.Op != placement.OpComplete && (n.Incarnation != e.Incarnation || n.State.From != e.State.From):
		fail("only complete changes where reads go")
	case cmd.Op == placement.OpComplete && (e.State.Phase != placement.Cutover || n.State.From != e.State.To || n.Previous != e.State.From):
		fail("complete goes from Cutover to the target")
	case n.State.Phase == placement.Cutover && (cmd.Op != placement.OpCutover || e.State.Phase != placement.Draining):
		fail("only enter_cutover leads to Cutover, from Draining")
	case cmd.Op == placement.OpAbort && n.State != (placement.State{From: e.State.From}):
		fail("abort goes back to the source")
	case cmd.Op != placement.OpBegin && n.State.Migrating() && n.Attempt != e.Attempt && (cmd.Op != placement.OpReopen || !takeover):
		fail("only a takeover, to a higher number, changes the attempt")
	case cmd.Op == placement.OpReopen && e.State.Phase == placement.Draining && !takeover:
		fail("reopen of Draining is a takeover")
	case cmd.Op != placement.OpBegin && cmd.Op != placement.OpRetire && cmd.Attempt != (placement.Attempt{}) && cmd.Attempt != e.Attempt && !takeover:
		fail("a command of another attempt passed")
	case cmd.Op == placement.OpBegin && cmd.Back != "" && (cmd.To != e.Previous || cmd.Back != e.PreviousMove):
		fail("a rollback goes to what that very move has left")
	case cmd.Op == placement.OpBegin && cmd.Back == "" && !n.Previous.IsZero():
		fail("a move that is no rollback forgets the way back")
	case (cmd.Op == placement.OpBegin && cmd.Back != "" || cmd.Op == placement.OpCutover || cmd.Op == placement.OpReopen || cmd.Op == placement.OpAbort) &&
		(n.Previous != e.Previous || n.PreviousMove != e.PreviousMove || n.Fenced != e.Fenced):
		fail("the way back is lost before the rollback has completed")
	case e.State.Migrating() && n.State.Migrating() && n.State.To != e.State.To:
		fail("the target changed in mid-move")
	}
}

// checkEntry holds for every entry that Step may return.
func checkEntry(t *testing.T, e placement.Entry) {
	t.Helper()
	idle := !e.State.Migrating()
	switch {
	case idle && (!e.State.To.IsZero() || e.Attempt != (placement.Attempt{})):
		t.Fatalf("Active with a target or an attempt: %+v", e)
	case !idle && (e.State.To.IsZero() || e.Attempt.Number == 0 || e.State.To == e.State.From || !e.Previous.IsZero() && e.Previous != e.State.To):
		t.Fatalf("migrating without a target or an attempt, to where it is, or with a previous that is not the target: %+v", e)
	case e.State.Phase != placement.Cutover && e.CutoverAt != (placement.Start{}):
		t.Fatalf("a cutover's start outside Cutover: %+v", e)
	case e.Previous.IsZero() && (e.PreviousMove != "" || e.Fenced != ""):
		t.Fatalf("a fence or a move of no previous: %+v", e)
	case e.Journaling() == idle:
		t.Fatalf("journaling is for the time of a move: %+v", e)
	}
}

func TestStepRefusesAnEntryThatIsNowhere(t *testing.T) {
	for _, e := range []placement.Entry{{}, {Partition: "acme", State: placement.State{From: east}}, {Partition: "acme", Epoch: 7}} {
		for _, op := range ops {
			n, err := placement.Step(e, placement.Command{Op: op, To: west, Expect: 3})
			if !errors.Is(err, placement.ErrUnknownPartition) || n != e {
				t.Errorf("%s of %+v: %v, want unknown_partition", op, e, err)
			}
		}
	}
}

// Source and target that share an index would be copied onto themselves, and
// then deleted together.
func TestBeginRefusesPlacesThatOverlap(t *testing.T) {
	whole := placement.Placement{Kind: placement.DedicatedCluster, Cluster: "east"}
	other := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "east", Index: "acme-9", Logical: "docs"}
	renamed := east
	renamed.Logical = "letters"
	shared := east
	shared.Kind, shared.PartitionField = placement.SharedIndex, "tenant"
	for _, c := range []struct {
		name     string
		from, to placement.Placement
		want     error
	}{
		{"itself", east, east, placement.ErrSamePlacement},
		{"itself by another name", east, renamed, placement.ErrSamePlacement},
		{"the same index, shared", east, shared, placement.ErrSamePlacement},
		{"the cluster around it", east, whole, placement.ErrSamePlacement},
		{"an index of its own cluster", whole, east, placement.ErrSamePlacement},
		{"another index of the cluster", east, other, nil},
		{"the same index of another cluster", east, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "west", Index: "acme-1", Logical: "docs"}, nil},
		{"another cluster", whole, north, nil},
		{"out of a shared index", pool, east, nil},
		{"out of a shared index, beside it", pool, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "west", Index: "docs-1", Logical: "docs"}, nil},
	} {
		e := placement.Entry{Partition: "acme", State: placement.State{From: c.from}, Epoch: 1}
		if _, err := placement.Step(e, placement.Command{Op: placement.OpBegin, To: c.to}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestRefusalsCompareByCode(t *testing.T) {
	err := error(&placement.Refusal{Code: placement.CodeStaleEpoch, Partition: "acme", Epoch: 3})
	if !errors.Is(err, placement.ErrStaleEpoch) || errors.Is(err, placement.ErrInCutover) || errors.Is(err, errors.New("x")) {
		t.Error("errors.Is must go by the code and by nothing else")
	}
	got := []string{placement.Active.String(), placement.Draining.String(), placement.Cutover.String(), placement.Phase(9).String()}
	if d := cmp.Diff([]string{"Active", "Draining", "Cutover", "Phase(?)"}, got); d != "" {
		t.Error(d)
	}
}

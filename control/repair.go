package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// What an operator's repair needs of moves. Wherever it can, a repair only writes a
// record that a controller then acts on as after any crash, so that there is one way
// to clean a target, with all that makes it safe. Each is a compare-and-swap from what
// was judged: beside a controller that is at work, one of the two is refused.

// RestoreAborted writes the record of a move that is missing and that an entry is
// migrating by, with an abort requested: a controller takes the tenant back to its
// source and cleans the target. ErrConflict: the record is there.
func RestoreAborted(ctx context.Context, s *store.Store, e placement.Entry, o MoveOptions) (Move, error) {
	now := time.Now().UTC()
	opt, err := o.withDefaults()
	if err != nil {
		return Move{}, err
	}
	m := Move{
		ID: e.Attempt.Move, Partition: e.Partition, From: e.State.From, To: e.State.To, Created: now, Updated: now, Options: opt,
		Attempt: e.Attempt.Number, BeginEpoch: e.Epoch, AbortRequested: true,
		Creating: true, // for all that is known, so it is waited out
		Error:    "the record of this move was lost, and written anew to abort it",
	}
	m.enter(StageAborting, now)
	_, err = Moves(s).Put(ctx, m.ID, m, 0)
	return m, err
}

// RestoreFlipped writes the record of a move that is missing and that has left the old
// copy behind that the entry names; indices are those of the copy. It can be retired
// then like any other. ErrConflict: the record is there.
func RestoreFlipped(ctx context.Context, s *store.Store, e placement.Entry, indices []mover.Index, o MoveOptions) (Move, error) {
	now := time.Now().UTC()
	opt, err := o.withDefaults()
	if err != nil {
		return Move{}, err
	}
	m := Move{
		ID: e.PreviousMove, Partition: e.Partition, From: e.Previous, To: e.State.From, Created: now, Updated: now, Options: opt,
		Attempt: 1, BeginEpoch: e.Epoch, CompleteEpoch: e.Epoch, Indices: indices,
	}
	m.enter(StageFlipped, now)
	m.Progress.waits(catalog.New("record_rebuilt", "the record of this move was lost, and written anew from what the tenant's entry says"))
	_, err = Moves(s).Put(ctx, m.ID, m, 0)
	return m, err
}

// RequestCleaning has a controller clean the target of a move once more that was
// aborted or has failed. It is refused, with ErrConflict, unless the record is at
// version expect.
func RequestCleaning(ctx context.Context, s *store.Store, id string, expect driver.Version) (Move, error) {
	r, err := Moves(s).Get(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Move{}, fmt.Errorf("%w %q", ErrUnknownMove, id)
	case err != nil:
		return Move{}, err
	case r.Version != expect:
		return Move{}, fmt.Errorf("clean the target of move %s: %w", id, store.ErrConflict)
	case r.Value.Stage != StageAborted && r.Value.Stage != StageFailed:
		return Move{}, fmt.Errorf("clean the target of move %s: it is %s", id, r.Value.Stage)
	}
	m := r.Value.clone()
	m.enter(StageAborting, time.Now().UTC())
	m.Owner, m.Updated = "", time.Now().UTC()
	_, err = Moves(s).Put(ctx, id, m, expect)
	return m, err
}

// RollForward takes an entry to where its move had taken it, according to the record,
// before the store lost that. The caller has made certain that the source refuses
// writes, and has since before the record's receipt was written: so no write was
// acknowledged that the target has not, and no barrier is needed.
func RollForward(ctx context.Context, s *store.Store, m Move, e placement.Entry) (placement.Entry, error) {
	fail := func(err error) (placement.Entry, error) { return e, fmt.Errorf("roll %s forward: %w", m.ID, err) }
	var err error
	if !e.State.Migrating() {
		cmd := placement.Command{Op: placement.OpBegin, Expect: e.Epoch, To: m.To, Attempt: placement.Attempt{Move: m.ID, Number: m.Attempt + 1}}
		if e, err = s.ApplyTo(ctx, e, cmd); err != nil {
			return fail(err)
		}
	}
	if e.State.Phase == placement.Draining {
		if e, err = s.ApplyTo(ctx, e, placement.Command{Op: placement.OpCutover, Expect: e.Epoch, Attempt: e.Attempt}); err != nil {
			return fail(err)
		}
	}
	if e, err = s.ApplyTo(ctx, e, placement.Command{Op: placement.OpComplete, Expect: e.Epoch, Attempt: e.Attempt}); err != nil {
		return fail(err)
	}
	return e, nil
}

// CloseWave writes, for items whose wave has no record, one of a wave that was aborted:
// whoever may still be about to create it is refused. ErrConflict: it is there.
func CloseWave(ctx context.Context, s *store.Store, id string) error {
	now := time.Now().UTC()
	_, err := Waves(s).Put(ctx, id, Wave{ID: id, Created: now, Updated: now, State: WaveAborted, Reason: "its items were found without it"}, 0)
	return err
}

// EndItem ends an item of a wave that has ended, at the version that was read.
func EndItem(ctx context.Context, s *store.Store, r store.Record[WaveItem]) error {
	i := r.Value
	i.State, i.Error, i.Ended = ItemSkipped, "the wave has ended", time.Now().UTC()
	_, err := WaveItems(s).Put(ctx, r.Name, i, r.Version)
	return err
}

// MadeAt reads from the id of a move or a wave when it was made, by the clock of the
// machine that made it. False: it is no such id.
func MadeAt(id string) (time.Time, bool) {
	if len(id) != 16 {
		return time.Time{}, false
	}
	var t uint64
	for _, c := range id[1:10] {
		n := strings.IndexRune(idDigits, c)
		if n < 0 {
			return time.Time{}, false
		}
		t = t<<5 | uint64(n)
	}
	return time.UnixMilli(int64(t)), true
}

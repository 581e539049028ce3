package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// A rollback takes a partition back to the copy that its last move has left. It is a
// move of its own, with a record, a driver, an abort and a receipt like any other; see
// mover's rollback.go for what it does at the clusters. Who may delete or block the old
// copy is decided in the entry:
//
//   - Begin requires that the entry still leads to the old copy, which retire clears
//     before it deletes anything: whichever compare-and-swap comes second is refused.
//   - The entry keeps the way back, and with it the owner of the old copy's write
//     block, until the rollback completes; an abort thus leaves it as it was. The block
//     is lifted after begin and before the cutover, and set again by an abort.
//   - From the flip on, what the tenant was rolled back from is the old copy.
//
// Two things wait for one another. A rollback lifts the fence only when no other request
// to set it can be under way (drive.outlast). And an old copy that is due to be retired
// stays for as long as a rollback to it has not ended, and is retired then, if that was
// aborted: until it has given the copy back, nobody can tell who has written there.

// ErrNoWayBack: there is no old copy that the move could be rolled back to.
var ErrNoWayBack = catalog.New("no_way_back", "there is no way back")

// RequestRollback writes the record of a move that takes the partition back to where
// it was before the move id, which must be its last one, flipped and not retired.
// Errors: ErrUnknownMove, ErrNotFlipped, ErrNoWayBack, ErrAlreadyMoving,
// *placement.InvalidError. What only the clusters tell, such as an old copy that was
// written to, ends the rollback before it begins, with the reason in its record.
func RequestRollback(ctx context.Context, s *store.Store, id string, o MoveOptions) (Move, error) {
	return RequestRollbackAs(ctx, s, id, "", o)
}

// RequestRollbackAs is RequestRollback with the id of the new move's record, see Request.
func RequestRollbackAs(ctx context.Context, s *store.Store, id, as string, o MoveOptions) (Move, error) {
	if as != "" {
		made, err := Moves(s).Get(ctx, as)
		if !errors.Is(err, store.ErrNotFound) {
			return made.Value, err
		}
	} else {
		as = newMoveID(time.Now().UTC())
	}
	back, err := planRollback(ctx, s, id, as, o, listMoves(s))
	if err != nil {
		return Move{}, err
	}
	if _, err := Moves(s).Put(ctx, back.ID, back, 0); err != nil {
		return Move{}, fmt.Errorf("roll move %s back: %w", id, err)
	}
	return back, nil
}

// planRollback makes the record, under the id as, of a move that rolls the move id back.
func planRollback(ctx context.Context, s *store.Store, id, as string, o MoveOptions, others func(context.Context, bool) ([]store.Record[Move], error)) (Move, error) {
	fail := func(err error) (Move, error) { return Move{}, fmt.Errorf("roll move %s back: %w", id, err) }
	opt, err := o.withDefaults()
	if err != nil {
		return fail(err)
	}
	r, err := Moves(s).Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return Move{}, fmt.Errorf("%w %q", ErrUnknownMove, id)
	}
	if err != nil {
		return fail(err)
	}
	m := r.Value
	e, err := s.State(ctx, m.Partition)
	if err != nil {
		return fail(err)
	}
	if err := WayBack(m, e); err != nil {
		return fail(err)
	}
	for _, name := range []string{m.From.Cluster, m.To.Cluster} {
		if _, err := cluster(ctx, s, name); err != nil {
			return fail(err)
		}
	}
	moves, err := others(ctx, false)
	if err != nil {
		return fail(err)
	}
	for _, o := range moves {
		if o.Value.Partition == m.Partition && !o.Value.Settled() {
			return fail(fmt.Errorf("%w (move %s, %s)", ErrAlreadyMoving, o.Value.ID, o.Value.Stage))
		}
	}
	now := time.Now().UTC()
	back := Move{ID: as, Partition: m.Partition, From: m.To, To: m.From, Created: now, Updated: now, Options: opt,
		RollbackOf: m.ID, Old: slices.Clone(m.Indices), OldFencing: m.Fencing}
	back.enter(StagePreparing, now)
	return back, nil
}

// WayBack returns nil if the move m can be rolled back, as far as its record and the
// partition's entry e tell, or why not.
func WayBack(m Move, e placement.Entry) error {
	no := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrNoWayBack}, args...)...)
	}
	switch {
	case m.Kept:
		return no("its old copy was let go of")
	case m.Stage == StageDone:
		return no("its old copy was retired")
	case m.Stage == StageRolledBack:
		return no("it was rolled back by move %s", m.RolledBackBy)
	case m.Terminal():
		return no("it has not moved the tenant (%s)", m.Stage)
	case !m.Settled():
		return fmt.Errorf("%w (%s); `sluice moves abort` takes it back", ErrNotFlipped, m.Stage)
	case m.Stage == StageRetiring, m.RetireRequested:
		return no("its old copy is being retired")
	case m.From.Kind == placement.SharedIndex, m.To.Kind == placement.SharedIndex:
		return no("a move into or out of a shared index is not rolled back, since nothing fences what others write to; move the tenant by a new move")
	case m.To.Kind == placement.DedicatedCluster && m.From.Kind == placement.DedicatedIndex && !m.From.Many():
		return no("the tenant had one index and has a cluster since, where it may have made others that have no place to go back to; move it to a pattern by a new move")
	case e.State.Migrating() && e.Attempt.Move != "":
		return fmt.Errorf("%w (move %s, %s)", ErrAlreadyMoving, e.Attempt.Move, e.State.Phase)
	case e.PreviousMove != m.ID || e.Previous != m.From || e.State.From != m.To:
		return no("the tenant has moved on since")
	}
	return nil
}

// bringBack takes the place of the copy: what was written since the flip of the first
// move, and then all ids and versions of both sides compared and put right.
func (d *drive) bringBack(ctx context.Context) error {
	if err := d.note(ctx, catalog.New("taking_over", "taking over what was written since the move that is rolled back")); err != nil {
		return err
	}
	written, diff, err := d.mv.BringBack(ctx)
	if err != nil {
		return fmt.Errorf("take over what was written since: %w", err)
	}
	idx := d.mv.Indexes()
	return d.stage(ctx, StageCatchingUp, func(m *Move) {
		m.Indices = idx
		m.Progress.Docs = int64(written) + diff.Repaired
		m.Progress.Total = m.Progress.Docs
	})
}

// giveBack ends a rollback that will not flip. If the entry leads to the old copy
// still, that is fenced again, and the first move's record learns how it was left.
func (d *drive) giveBack(ctx context.Context) error {
	m := d.move()
	e, err := d.c.s.State(ctx, m.Partition)
	if err != nil && !errors.Is(err, placement.ErrUnknownPartition) {
		return err
	}
	fence := err == nil && !e.State.Migrating() && e.Previous == m.To && e.PreviousMove == m.RollbackOf
	marks, err := d.mv.GiveBack(ctx, fence)
	if err != nil {
		return err
	}
	if fence && len(marks) > 0 {
		_, err := flag(ctx, d.c.s, m.RollbackOf, func(first *Move) error {
			first.Indices = slices.Clone(first.Indices)
			for n, i := range first.Indices {
				if mark, ok := marks[i.SourceUUID]; ok {
					first.Indices[n].Mark = mark
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrUnknownMove) {
			return err
		}
	}
	if err := d.mv.Discard(ctx); err != nil { // indices that the tenant has created since the first move
		return err
	}
	return d.mv.Forget(ctx)
}

// goingBack reports whether a rollback of this move has begun and not ended. An entry
// that is still as the flip has left it says that none has begun; one that begins later
// is refused, or refuses what retire does to the entry.
func (d *drive) goingBack(ctx context.Context, e placement.Entry) (bool, error) {
	m := d.move()
	if e.Epoch == m.CompleteEpoch || !m.TrashUntil.IsZero() {
		return false, nil
	}
	all, _, err := Moves(d.c.s).List(ctx)
	if err != nil {
		return false, fmt.Errorf("retire: %w", err)
	}
	return slices.ContainsFunc(all, func(r store.Record[Move]) bool { return r.Value.RollbackOf == m.ID && !r.Value.Settled() }), nil
}

// putOff lets go of a move whose old copy cannot be retired before its rollback has
// ended. What is due by its soak time is due as before; what somebody has asked for is
// refused.
func (d *drive) putOff(ctx context.Context) error {
	d.c.postpone(d.id(), 5*time.Second)
	return d.stage(ctx, StageFlipped, func(m *Move) {
		m.Owner = ""
		if m.RetireRequested {
			m.RetireRequested = false
			m.because(catalog.New("old_copy_in_use", "the old copy was not retired: the tenant is moving there"))
		} else {
			m.Progress.waits(catalog.New("waits_for_rollback", "to be retired when its rollback has ended, if that is aborted"))
		}
	})
}

// rolledBack ends the record of the move that this one has rolled back.
func (d *drive) rolledBack(ctx context.Context) error {
	m := d.move()
	if m.RollbackOf == "" {
		return nil
	}
	_, err := flag(ctx, d.c.s, m.RollbackOf, func(first *Move) error {
		first.Progress.waits(nil)
		first.enter(StageRolledBack, time.Now().UTC())
		first.RolledBackBy, first.Owner, first.RetireRequested = m.ID, "", false
		return nil
	})
	if errors.Is(err, ErrUnknownMove) {
		return nil
	}
	return err
}

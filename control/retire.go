package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Why a request to retire is refused, beside ErrNotFlipped and ErrSettled.
var (
	ErrSoaking = catalog.New("soaking", "the soak time of the old copy has not passed")
	ErrKept    = catalog.New("kept", "the move keeps its old copy")
)

// Afterwards says what becomes of a move's old copy. The zero value keeps it until
// somebody asks for its removal.
type Afterwards struct {
	// RetireAfter is how long after the flip the old copy is retired without being
	// asked; 0: never.
	RetireAfter time.Duration `json:"retire_after,omitempty"`
	// Keep: the old copy is never deleted by Sluice.
	Keep bool `json:"keep,omitempty"`
	// Trash is for how long it can be restored when it was retired, 0: it is deleted
	// at once; nil: what the controller that retires it has configured.
	Trash *time.Duration `json:"trash,omitempty"`
}

func (a Afterwards) check() error {
	switch {
	case a.RetireAfter < 0:
		return &placement.InvalidError{Field: "retire_after", Value: a.RetireAfter.String(), Fix: "must not be negative"}
	case a.Trash != nil && *a.Trash < 0:
		return &placement.InvalidError{Field: "trash", Value: a.Trash.String(), Fix: "must not be negative"}
	case a.Keep && (a.RetireAfter > 0 || a.Trash != nil && *a.Trash > 0):
		return &placement.InvalidError{Field: "keep", Value: "true", Fix: "goes with neither retire_after nor trash: an old copy that is kept is not retired"}
	}
	return nil
}

// soak dates the end of the soak time, once.
func (m *Move) soak(now time.Time) {
	if m.RetireAt.IsZero() && m.Options.RetireAfter > 0 {
		m.RetireAt = now.Add(m.Options.RetireAfter)
	}
}

// soaked reports whether the old copy is to be retired although nobody has asked.
func (m Move) soaked(now time.Time) bool { return !m.RetireAt.IsZero() && !now.Before(m.RetireAt) }

// unasked is why the old copy stays, of a move that nobody has asked to retire; nil: it
// does not. What its fence has found, somebody should look at first.
func (m Move) unasked() error {
	if m.RetireRequested || m.Receipt == nil || m.Receipt.Fence == FenceClean || m.Receipt.Fence == FenceShared {
		return nil
	}
	return catalog.Errorf("fence_found", "its fence says: %s; `sluice moves retire` removes it all the same", m.Receipt.Fence)
}

// RetireRequest says how the old copy of a flipped move is to be retired. The zero value
// does what the move's own options say.
type RetireRequest struct {
	Now   bool           // do not wait for the end of the soak time
	Keep  *bool          // true: let go of the old copy and leave it where it is
	Trash *time.Duration // as Afterwards.Trash
}

// RequestRetire asks for the removal of the old copy of a flipped move, now. After
// it there is nothing to move back to but a copy made anew.
func RequestRetire(ctx context.Context, s *store.Store, id string) (Move, error) {
	return RequestRetireAs(ctx, s, id, RetireRequest{Now: true})
}

// RequestRetireAs is RequestRetire with a choice of how. Errors: ErrUnknownMove,
// ErrNotFlipped, ErrSettled, ErrSoaking, ErrKept, *placement.InvalidError.
func RequestRetireAs(ctx context.Context, s *store.Store, id string, r RetireRequest) (Move, error) {
	return flag(ctx, s, id, func(m *Move) error {
		switch {
		case m.Terminal():
			return fmt.Errorf("%w (%s)", ErrSettled, m.Stage)
		case !m.Settled():
			return fmt.Errorf("%w (%s)", ErrNotFlipped, m.Stage)
		case m.Options.Keep && r.Keep == nil:
			return fmt.Errorf("%w: --keep ends the move and leaves the copy to you, --keep=false removes it", ErrKept)
		case !r.Now && !m.RetireAt.IsZero() && !m.soaked(time.Now()):
			return fmt.Errorf("%w: it is retired by itself at %s; --now does not wait for that", ErrSoaking, m.RetireAt.Format(time.RFC3339))
		case m.Stage == StageRetiring && (r.Keep != nil || r.Trash != nil):
			// Its driver acts on what it has read.
			return fmt.Errorf("%w: its old copy is being retired already", ErrSettled)
		}
		next := m.Options.Afterwards
		if r.Keep != nil {
			next = Afterwards{Keep: *r.Keep} // it is retired now, so nothing else that was planned holds
		}
		if r.Trash != nil {
			if err := trashable(m.From, r.Trash); err != nil {
				return err
			}
			next.Trash = r.Trash
		}
		if err := next.check(); err != nil {
			return err
		}
		m.Options.Afterwards, m.RetireRequested = next, true
		return nil
	})
}

// trashable refuses to put documents into the trash that share their index.
func trashable(from placement.Placement, trash *time.Duration) error {
	if from.Kind == placement.SharedIndex && trash != nil && *trash > 0 {
		return &placement.InvalidError{Field: "trash", Value: trash.String(),
			Fix: fmt.Sprintf("must be 0: the tenant shares the index %s with others, so its documents there can only be deleted; the copy at the target, or a snapshot, is what remains", from.Index)}
	}
	return nil
}

// trashTime is for how long the old copy of m goes into the trash.
func (d *drive) trashTime(m Move) time.Duration {
	switch {
	case m.From.Kind == placement.SharedIndex:
		return 0
	case m.Options.Trash != nil:
		return *m.Options.Trash
	}
	return d.c.opt.TrashTime
}

// putAside takes the old copy out of service instead of deleting it. The move's record
// says so first, then the trash has a record, and then the indices are closed: so
// no index is closed that nobody accounts for. Nobody else touches what the record names
// before the move has ended; see tenancy.trash.
func (d *drive) putAside(ctx context.Context) error {
	if d.move().TrashUntil.IsZero() {
		until := time.Now().UTC().Add(d.trashTime(d.move()))
		if err := d.update(ctx, func(m *Move) { m.TrashUntil = until }); err != nil {
			return err
		}
	}
	m := d.move()
	_, err := TrashRecords(d.c.s).Put(ctx, m.ID, Trash{
		Move: m.ID, Partition: m.Partition, At: m.From, Indices: m.Indices, Since: time.Now().UTC(), Until: m.TrashUntil,
	}, 0)
	if err != nil && !errors.Is(err, store.ErrConflict) { // it is there: an earlier answer was lost
		return fmt.Errorf("retire: %w", err)
	}
	if err := d.mv.PutAside(ctx); err != nil {
		if errors.Is(err, mover.ErrSourceChanged) {
			return d.takeBack(ctx, err)
		}
		return fmt.Errorf("retire: %w", err)
	}
	return d.stage(ctx, StageDone, func(m *Move) { m.Owner = ""; m.because(nil) })
}

// takeBack undoes what putAside has recorded, when an index is not the one that the
// move knew: somebody has created it again.
func (d *drive) takeBack(ctx context.Context, why error) error {
	r, err := TrashRecords(d.c.s).Get(ctx, d.id())
	if err == nil {
		err = TrashRecords(d.c.s).Delete(ctx, r.Name, r.Version)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("retire: %w", err)
	}
	return d.stage(ctx, StageFlipped, func(m *Move) {
		m.Owner, m.RetireRequested, m.RetireAt, m.TrashUntil = "", false, time.Time{}, time.Time{}
		m.because(fmt.Errorf("the old copy was not retired: %w", why))
	})
}

// retirePatience is how long a driver waits for the readers of an old copy while other
// moves wait for it.
const retirePatience = 10 * time.Second

// full reports whether no more moves are taken up: of those that have flipped, or of the
// others. Each have slots of their own, so that old copies that are still read keep no
// tenant from moving. c.mu is held.
func (c *Controller) full(settled bool) bool {
	n := 0
	for _, d := range c.running {
		if d.settled == settled {
			n++
		}
	}
	return n >= c.opt.Workers
}

// retiresCrowded reports whether all slots for old copies are taken.
func (c *Controller) retiresCrowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.full(true)
}

// postpone keeps a move from being taken up for a while.
func (c *Controller) postpone(id string, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.later[id] = c.opt.Now() + d
}

// postponed reports whether a move is to wait still. c.mu is held.
func (c *Controller) postponed(id string) bool {
	at, ok := c.later[id]
	if ok && c.opt.Now() >= at {
		delete(c.later, id)
		ok = false
	}
	return ok
}

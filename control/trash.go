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

// Why a request about the trash is refused.
var (
	ErrNotInTrash = catalog.New("not_in_trash", "not in the trash")
	ErrTrashBusy  = catalog.New("trash_busy", "it leaves the trash already, or has not come there yet")
)

// TrashState is what is to become of an old copy in the trash. It only moves on, in the
// order below.
type TrashState string

// The states of an old copy in the trash. When one of the latter two is done the record
// goes.
const (
	TrashKept      TrashState = ""          // closed, until its time has passed
	TrashRestoring TrashState = "restoring" // to be opened
	TrashPurging   TrashState = "purging"   // to be deleted
)

// Trash is an old copy that was retired and can be restored: its indices are where they
// were, fenced and closed.
type Trash struct {
	Move      string                `json:"move"` // that left it
	Partition placement.PartitionID `json:"partition"`
	At        placement.Placement   `json:"at"`
	Indices   []mover.Index         `json:"indices"` // Source and SourceUUID count
	Since     time.Time             `json:"since"`
	Until     time.Time             `json:"until"` // on the controllers' wall clocks
	State     TrashState            `json:"state,omitempty"`
	Writable  bool                  `json:"writable,omitempty"` // restoring lifts the write block
	Error     string                `json:"error,omitempty"`    // of the last try to do as State says
}

// TrashRecords are what is in the trash, by the move that left it.
func TrashRecords(s *store.Store) store.Records[Trash] {
	return store.RecordsOf[Trash](s, store.SpaceTrash)
}

// trashFree refuses a target that meets what is in the trash, of whomever: a tenant
// there would find its indices.
func trashFree(ctx context.Context, s *store.Store, target placement.Placement) error {
	all, _, err := TrashRecords(s).List(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		if t := r.Value; target.Overlaps(t.At) {
			return fmt.Errorf("%w: %s", ErrPlaceTaken, t.meets(target))
		}
	}
	return nil
}

// meets says why nobody can be at p.
func (t Trash) meets(p placement.Placement) string {
	return fmt.Sprintf("%s meets %s, of tenant %q, which is in the trash until %s; `sluice trash purge %s` removes that now, or choose another place",
		p, t.At, string(t.Partition), t.Until.Format(time.RFC3339), t.Move)
}

// RequestRestore asks for the indices of an old copy to be opened, under their names,
// where they are; writable lifts the block on writes as well. They are the operator's
// from then on: where the tenant lives does not change. Errors: ErrNotInTrash,
// ErrTrashBusy.
func RequestRestore(ctx context.Context, s *store.Store, move string, writable bool) (Trash, error) {
	return leaveTrash(ctx, s, move, TrashRestoring, writable)
}

// RequestPurge asks for an old copy in the trash to be deleted now.
func RequestPurge(ctx context.Context, s *store.Store, move string) (Trash, error) {
	return leaveTrash(ctx, s, move, TrashPurging, false)
}

func leaveTrash(ctx context.Context, s *store.Store, move string, to TrashState, writable bool) (Trash, error) {
	for {
		r, err := TrashRecords(s).Get(ctx, move)
		if errors.Is(err, store.ErrNotFound) {
			return Trash{}, fmt.Errorf("move %q: %w", move, ErrNotInTrash)
		}
		if err != nil {
			return Trash{}, err
		}
		if t := r.Value; t.State == to && t.Writable == writable {
			return t, nil
		}
		there, err := arrived(ctx, s, r.Value)
		if err != nil {
			return Trash{}, err
		}
		// A restoring that cannot be done may be given up: whoever is at it still finds
		// nothing to open, or opens what is deleted then.
		if !there || r.Value.State != TrashKept && to == TrashRestoring || r.Value.State == TrashPurging {
			return r.Value, fmt.Errorf("move %q: %w", move, ErrTrashBusy)
		}
		next := r.Value
		next.State, next.Writable, next.Error = to, writable, ""
		if _, err = TrashRecords(s).Put(ctx, move, next, r.Version); err == nil {
			return next, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return Trash{}, err
		}
	}
}

// arrived reports whether the move that left t has ended. Before that its driver, and
// only it, touches the indices.
func arrived(ctx context.Context, s *store.Store, t Trash) (bool, error) {
	m, err := Moves(s).Get(ctx, t.Move)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return err == nil && m.Value.Terminal(), err
}

// trash does what is asked for what is in the trash, and deletes what has been there
// for long enough, until the tenure ends.
//
// Any number of controllers may do so at once: what is to be done is in the record, by
// compare-and-swap, before it is done, is never taken back, and may be done again.
// The record goes last.
func (t *tenancy) trash(ctx context.Context) { t.repeat(ctx, "looking into the trash", t.stepTrash) }

func (t *tenancy) stepTrash(ctx context.Context) error {
	all, _, err := TrashRecords(t.c.s).List(ctx)
	if err != nil {
		return err
	}
	t.c.opt.Metrics.lookTrash(all)
	for _, r := range all {
		if r.Value.State == TrashKept && time.Now().Before(r.Value.Until) {
			continue
		}
		t.c.mu.Lock()
		wait := t.c.postponed(r.Name)
		t.c.mu.Unlock()
		if wait {
			continue
		}
		err := t.empty(ctx, r)
		switch {
		case err == nil, errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNotFound): // another was first
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, store.ErrUnavailable):
			return err
		default:
			t.c.postpone(r.Name, 10*time.Second)
			t.c.log.Warn("what is in the trash could not be removed or restored, trying again", "move", r.Name, "error", err)
		}
	}
	return nil
}

// empty takes one old copy out of the trash.
func (t *tenancy) empty(ctx context.Context, r store.Record[Trash]) error {
	there, err := arrived(ctx, t.c.s, r.Value)
	if err != nil || !there {
		return err
	}
	records := TrashRecords(t.c.s)
	if r.Value.State == TrashKept {
		r.Value.State = TrashPurging
		if r.Version, err = records.Put(ctx, r.Name, r.Value, r.Version); err != nil {
			return err
		}
	}
	x := r.Value
	if err = t.carryOut(ctx, x); err != nil {
		if x.Error != err.Error() && ctx.Err() == nil {
			x.Error = err.Error()
			if _, perr := records.Put(ctx, r.Name, x, r.Version); perr != nil {
				return errors.Join(err, perr)
			}
		}
		return err
	}
	t.c.log.Info("an old copy has left the trash", "move", x.Move, "by", string(x.State))
	return records.Delete(ctx, r.Name, r.Version)
}

func (t *tenancy) carryOut(ctx context.Context, x Trash) error {
	u, err := t.c.client(ctx, x.At.Cluster)
	if err != nil {
		return err
	}
	lease := func() error {
		if !t.sess.Valid() {
			return store.ErrSessionLost
		}
		return nil
	}
	if x.State == TrashRestoring {
		return mover.Reopen(ctx, u, x.Indices, x.Writable, lease)
	}
	return mover.Purge(ctx, u, x.Indices, lease)
}

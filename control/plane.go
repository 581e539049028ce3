package control

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/sluiceproxy/sluice/internal/clock"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// ErrStoreUnavailable is store.ErrUnavailable: the store could not be read or
// written, or the outcome of a write could not be learned. Nothing may be
// concluded from it, least of all that a partition does not exist.
var ErrStoreUnavailable = store.ErrUnavailable

// MigrationStore is what the control plane needs of the placement table.
// *store.Store implements it.
type MigrationStore interface {
	// State reads an entry, linearizably. Absence is placement.ErrUnknownPartition,
	// failure is ErrStoreUnavailable.
	State(ctx context.Context, id placement.PartitionID) (placement.Entry, error)
	// ApplyTo performs one transition by compare-and-swap, beginning with the entry as
	// its caller knows it; one of which only the Partition is set is read first. What
	// was decided on an entry that was not the newest is neither written nor told.
	ApplyTo(ctx context.Context, e placement.Entry, cmd placement.Command) (placement.Entry, error)
}

// Barrier proves that no write which was admitted before a Cutover can still
// take effect on the source.
type Barrier interface {
	// Prove returns nil when that is proven for the epoch of e, which is in
	// Cutover. *BarrierPending: not yet. Any other error: it will not be, until
	// somebody leaves the Cutover again.
	Prove(ctx context.Context, e placement.Entry) error
}

// Options of a ControlPlane. The zero value is useful.
type Options struct {
	Logger *slog.Logger // default: discard
	// Start reads the clock that a cutover's start is recorded with (default:
	// this machine's clock.BootID, clock.SinceBoot and wall clock).
	Start func() placement.Start
}

// ControlPlane offers the transitions of one partition, each one atomic write.
// It keeps nothing in memory, so any number of them, restarted at any moment,
// may work on one store: at most one of several contenders wins a transition and
// the others get the typed refusal. It is safe for concurrent use.
//
// Each transition takes the entry as its caller knows it, from State or from the
// transition before, and is of that very epoch: where the entry has changed since,
// it is placement.ErrStaleEpoch. So a step of a move is one write and no read. An
// entry of which only the Partition is set stands for whatever the store has, which
// is read.
type ControlPlane struct {
	ms      MigrationStore
	barrier Barrier
	log     *slog.Logger
	start   func() placement.Start
}

// New returns a control plane over ms whose completions barrier proves.
func New(ms MigrationStore, barrier Barrier, o *Options) *ControlPlane {
	p := &ControlPlane{ms: ms, barrier: barrier, log: slog.New(slog.DiscardHandler), start: StartNow}
	if o != nil && o.Logger != nil {
		p.log = o.Logger
	}
	if o != nil && o.Start != nil {
		p.start = o.Start
	}
	return p
}

// StartNow is this moment on this machine's suspend-counting clock.
func StartNow() placement.Start {
	return placement.Start{Boot: clock.BootID(), Since: clock.SinceBoot(), Wall: time.Now().UTC()}
}

// State reads a partition's entry.
func (p *ControlPlane) State(ctx context.Context, id placement.PartitionID) (placement.Entry, error) {
	e, err := p.ms.State(ctx, id)
	if err != nil {
		return placement.Entry{}, fmt.Errorf("read the state of the partition: %w", err)
	}
	return e, nil
}

// BeginMigration takes a partition from Active to Draining towards to, for the
// move named by attempt.
func (p *ControlPlane) BeginMigration(ctx context.Context, e placement.Entry, to placement.Placement, attempt placement.Attempt) (placement.Entry, error) {
	return p.apply(ctx, e, placement.Command{Op: placement.OpBegin, To: to, Attempt: attempt})
}

// EnterCutover takes a partition from Draining to Cutover.
func (p *ControlPlane) EnterCutover(ctx context.Context, e placement.Entry) (placement.Entry, error) {
	return p.apply(ctx, e, placement.Command{Op: placement.OpCutover, Start: p.start()})
}

// Reopen takes a partition from Cutover back to Draining; journals are kept.
func (p *ControlPlane) Reopen(ctx context.Context, e placement.Entry) (placement.Entry, error) {
	return p.apply(ctx, e, placement.Command{Op: placement.OpReopen})
}

// AbortMigration takes a partition back to Active at its source.
func (p *ControlPlane) AbortMigration(ctx context.Context, e placement.Entry) (placement.Entry, error) {
	return p.apply(ctx, e, placement.Command{Op: placement.OpAbort})
}

// CompleteMigration takes a partition from Cutover to Active at its target, when
// the barrier is proven. *BarrierPending: too early, ask again after Remaining.
//
// The barrier is proven for the very epoch of the entry that is completed, and that
// epoch is what the compare-and-swap expects: whatever happened in between (an abort,
// a reopen and another cutover) makes it a refusal, never a flip on an old proof. An
// entry that its caller knew can be an old one from the start. Then the write is
// refused just so; and what stands in the way of completing it (its phase, or a
// barrier that is not proven) is told only if it is still the newest.
func (p *ControlPlane) CompleteMigration(ctx context.Context, e placement.Entry) (placement.Entry, error) {
	known := e.Epoch != 0
	if !known {
		var err error
		if e, err = p.ms.State(ctx, e.Partition); err != nil {
			return placement.Entry{}, fmt.Errorf("complete: read the state of the partition: %w", err)
		}
	}
	complete := placement.Command{Op: placement.OpComplete, Expect: e.Epoch}
	_, err := placement.Step(e, complete) // not in Cutover: a refusal, without a barrier
	if err == nil {
		err = p.barrier.Prove(ctx, e)
	}
	if err != nil && known {
		now, rerr := p.ms.State(ctx, e.Partition)
		if rerr != nil {
			return placement.Entry{}, fmt.Errorf("complete: read the state of the partition: %w", rerr)
		}
		if _, refused := placement.Step(now, complete); refused != nil {
			err = refused
		}
		e = now
	}
	if err != nil {
		return e, fmt.Errorf("complete: %w", err)
	}
	return p.apply(ctx, e, complete)
}

func (p *ControlPlane) apply(ctx context.Context, e placement.Entry, cmd placement.Command) (placement.Entry, error) {
	cmd.Expect = e.Epoch
	e, err := p.ms.ApplyTo(ctx, e, cmd)
	if err != nil {
		return e, fmt.Errorf("%s: %w", cmd.Op, err)
	}
	p.log.Info("transition", "op", cmd.Op, "phase", e.State.Phase.String(), "epoch", e.Epoch)
	return e, nil
}

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
	// Apply performs one transition by compare-and-swap.
	Apply(ctx context.Context, id placement.PartitionID, cmd placement.Command) (placement.Entry, error)
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
func (p *ControlPlane) BeginMigration(ctx context.Context, id placement.PartitionID, to placement.Placement, attempt placement.Attempt) (placement.Entry, error) {
	return p.apply(ctx, id, placement.Command{Op: placement.OpBegin, To: to, Attempt: attempt})
}

// EnterCutover takes a partition from Draining to Cutover, if it is still in the
// epoch that the caller decided on; 0 means "whatever it is in".
func (p *ControlPlane) EnterCutover(ctx context.Context, id placement.PartitionID, expect placement.Epoch) (placement.Entry, error) {
	return p.apply(ctx, id, placement.Command{Op: placement.OpCutover, Expect: expect, Start: p.start()})
}

// Reopen takes a partition from Cutover back to Draining; journals are kept.
func (p *ControlPlane) Reopen(ctx context.Context, id placement.PartitionID, expect placement.Epoch) (placement.Entry, error) {
	return p.apply(ctx, id, placement.Command{Op: placement.OpReopen, Expect: expect})
}

// AbortMigration takes a partition back to Active at its source.
func (p *ControlPlane) AbortMigration(ctx context.Context, id placement.PartitionID) (placement.Entry, error) {
	return p.apply(ctx, id, placement.Command{Op: placement.OpAbort})
}

// CompleteMigration takes a partition from Cutover to Active at its target, when
// the barrier is proven. *BarrierPending: too early, ask again after Remaining.
//
// The entry is read first, the barrier proven for its very epoch, and that epoch
// is what the compare-and-swap expects: whatever happened in between (an abort,
// a reopen and another cutover) makes it a refusal, never a flip on an old proof.
func (p *ControlPlane) CompleteMigration(ctx context.Context, id placement.PartitionID) (placement.Entry, error) {
	e, err := p.ms.State(ctx, id)
	if err != nil {
		return placement.Entry{}, fmt.Errorf("complete: read the state of the partition: %w", err)
	}
	complete := placement.Command{Op: placement.OpComplete, Expect: e.Epoch}
	if _, err := placement.Step(e, complete); err != nil {
		return e, err // not in Cutover: the same refusal, without a barrier
	}
	if err := p.barrier.Prove(ctx, e); err != nil {
		return e, fmt.Errorf("complete: %w", err)
	}
	return p.apply(ctx, id, complete)
}

func (p *ControlPlane) apply(ctx context.Context, id placement.PartitionID, cmd placement.Command) (placement.Entry, error) {
	e, err := p.ms.Apply(ctx, id, cmd)
	if err != nil {
		return e, fmt.Errorf("%s: %w", cmd.Op, err)
	}
	p.log.Info("transition", "op", cmd.Op, "phase", e.State.Phase.String(), "epoch", e.Epoch)
	return e, nil
}

package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Why a request about a move is refused. An unknown partition is
// placement.ErrUnknownPartition, a target that is the source
// placement.ErrSamePlacement, a bad field *placement.InvalidError.
var (
	ErrUnknownCluster = catalog.New("unknown_cluster", "unknown cluster")
	ErrAlreadyMoving  = catalog.New("moving", "the tenant is moving already")
	ErrUnknownMove    = catalog.New("unknown_move", "unknown move")
	ErrFlipped        = catalog.New("flipped", "the move has flipped; `sluice moves rollback` takes the tenant back")
	ErrNotFlipped     = catalog.New("not_flipped", "the move has not flipped")
	ErrSettled        = catalog.New("settled", "the move has ended")
	ErrPlaceTaken     = catalog.New("place_taken", "the place is taken")
)

// Request asks for a move.
type Request struct {
	Partition placement.PartitionID
	Cluster   string         // where to
	Kind      placement.Kind // default: the same as now
	Index     string         // physical index at the target (default "<logical>-<id>"), or the pattern there (default: the same), or the shared index
	Field     string         // the partition field of a shared index (default: that of its tenants)
	Options   MoveOptions
	// ID is of the move's record, for whoever has to be able to repeat the request: a move
	// of that id is then the answer. Empty: a new one.
	ID string
	// others are the moves that may have the target, for the first look; nil: all are listed.
	others func(context.Context, bool) ([]store.Record[Move], error)
}

// RequestMove checks the request and writes the record that a controller will
// take up. Nothing else is changed. Two requests at the same moment may both be
// accepted: begin lets one of them through and the other fails.
func RequestMove(ctx context.Context, s *store.Store, r Request) (Move, error) {
	if r.ID != "" {
		made, err := Moves(s).Get(ctx, r.ID)
		if !errors.Is(err, store.ErrNotFound) {
			return made.Value, err
		}
	}
	m, _, _, err := planMove(ctx, s, r)
	if err != nil {
		return Move{}, err
	}
	moves, _, err := Moves(s).List(ctx)
	if err != nil {
		return Move{}, fmt.Errorf("request a move: %w", err)
	}
	for _, o := range moves {
		if o.Value.Partition == r.Partition && !o.Value.Settled() {
			return Move{}, fmt.Errorf("request a move: %w (move %s, %s)", ErrAlreadyMoving, o.Value.ID, o.Value.Stage)
		}
	}
	// An unknown outcome is reported as such; the record, should it be there, is
	// found by the next request, which is refused with its id.
	if err := enlist(ctx, s, m); err != nil {
		return Move{}, fmt.Errorf("request a move: %w", err)
	}
	return m, nil
}

// enlist creates the record of a move, and looks for others who have its target once
// more when they can see it: of two who want one place at the same moment, whoever
// looks second sees the other.
func enlist(ctx context.Context, s *store.Store, m Move) error {
	version, err := Moves(s).Put(ctx, m.ID, m, 0)
	if err != nil {
		return err
	}
	if err = placeFree(ctx, s, m.Partition, m.To, listMoves(s)); err == nil {
		return nil
	}
	gone := Moves(s).Delete(ctx, m.ID, version)
	if errors.Is(gone, store.ErrConflict) { // a controller has taken it up
		_, gone = RequestAbort(ctx, s, m.ID)
	}
	return errors.Join(err, gone)
}

// Precheck is the dry run: it changes nothing, and reports what a move would do
// and what is in its way.
func Precheck(ctx context.Context, s *store.Store, r Request) (mover.Report, error) {
	mv, end, err := planned(ctx, s, r)
	if err != nil {
		return mover.Report{}, err
	}
	defer end()
	rep, err := mv.Precheck(ctx)
	if err != nil {
		return rep, fmt.Errorf("precheck: %w", err)
	}
	return rep, nil
}

// planned is the mover of a move that is asked for, before anything was done for it.
func planned(ctx context.Context, s *store.Store, r Request) (*mover.Mover, func(), error) {
	m, from, to, err := planMove(ctx, s, r)
	if err != nil {
		return nil, nil, err
	}
	src, err := upstream.New(from, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("precheck: %w", err)
	}
	dst, err := upstream.New(to, nil)
	if err != nil {
		src.Close()
		return nil, nil, fmt.Errorf("precheck: %w", err)
	}
	end := func() { src.Close(); dst.Close() }
	mv, err := mover.New(mover.Spec{Move: m.ID, Attempt: 1, Partition: m.Partition, From: m.From, To: m.To}, src, dst, &mover.Options{Copy: m.Options.Copy})
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("precheck: %w", err)
	}
	return mv, end, nil
}

// planMove turns a request into a record, or says what is wrong with it.
func planMove(ctx context.Context, s *store.Store, r Request) (m Move, from, to placement.Cluster, err error) {
	fail := func(err error) (Move, placement.Cluster, placement.Cluster, error) {
		return Move{}, placement.Cluster{}, placement.Cluster{}, fmt.Errorf("request a move: %w", err)
	}
	if err := r.Partition.Validate(); err != nil {
		return fail(err)
	}
	if err := placement.ValidateClusterName(r.Cluster); err != nil {
		return fail(err)
	}
	opt, err := r.Options.withDefaults()
	if err != nil {
		return fail(err)
	}
	e, err := s.State(ctx, r.Partition)
	if err != nil {
		return fail(err)
	}
	if e.State.Migrating() {
		return fail(fmt.Errorf("%w (move %s, %s)", ErrAlreadyMoving, e.Attempt.Move, e.State.Phase))
	}
	if to, err = cluster(ctx, s, r.Cluster); err != nil {
		return fail(err)
	}
	if from, err = cluster(ctx, s, e.State.From.Cluster); err != nil {
		return fail(err)
	}
	now := time.Now().UTC()
	if r.ID == "" {
		r.ID = newMoveID(now)
	}
	m = Move{ID: r.ID, Partition: r.Partition, From: e.State.From, Created: now, Updated: now, Options: opt}
	m.enter(StagePreparing, now)
	target := placement.Placement{Kind: e.State.From.Kind, Cluster: r.Cluster, Logical: e.State.From.Logical, Index: r.Index}
	if r.Kind != "" {
		target.Kind = r.Kind
	}
	if target.Kind == placement.DedicatedCluster {
		target.Logical = "" // its names are those that clients use
	}
	if err := movable(target.Kind); err != nil {
		return fail(err)
	}
	if err := trashable(e.State.From, opt.Trash); err != nil {
		return fail(err)
	}
	if err := opt.Copy.ByShared(e.State.From.Kind, target.Kind); err != nil {
		return fail(err)
	}
	if target.Kind != placement.SharedIndex && r.Field != "" {
		return fail(&placement.InvalidError{Field: "partition_field", Value: r.Field, Fix: "must be empty but for a move into a shared_index"})
	}
	many := e.State.From.Many() || e.State.From.Kind == placement.DedicatedCluster
	if many && (target.Kind == placement.SharedIndex || target.Kind == placement.DedicatedIndex && target.Index != "" && !target.Many()) {
		if target.Logical, err = soleIndex(ctx, from, e.State.From); err != nil {
			return fail(err)
		}
	}
	switch {
	case target.Kind == placement.SharedIndex:
		if target, err = sharedTarget(ctx, s, r, e.State.From, target); err != nil {
			return fail(err)
		}
	case target.Kind == placement.DedicatedCluster:
	case target.Index == "" && e.State.From.Many():
		target.Index = e.State.From.Index
	case target.Index == "" && !many:
		target.Index = target.Logical + "-" + m.ID
	case many && target.Index == "":
		return fail(&placement.InvalidError{Field: "index", Value: r.Index, Fix: fmt.Sprintf("must be a pattern with a *, such as %s-*, since the tenant may have any number of indices; or the name of an index, if it has one", r.Partition)})
	case !many && target.Many():
		return fail(&placement.InvalidError{Field: "index", Value: r.Index, Fix: "must be the name of an index: the tenant has one index, which a move does not change"})
	}
	if target.Overlaps(e.State.From) {
		return fail(&placement.Refusal{Code: placement.CodeSamePlacement, Op: placement.OpBegin, Partition: r.Partition, State: e.State, Epoch: e.Epoch, Detail: "the target is, or could share an index with, where it already is; name another with --index"})
	}
	if target.Many() {
		target.Logical = "*"
	}
	if err := target.Validate(); err != nil {
		return fail(err)
	}
	if r.others == nil {
		r.others = listMoves(s)
	}
	if err := placeFree(ctx, s, r.Partition, target, r.others); err != nil {
		return fail(err)
	}
	m.To = target
	return m, from, to, nil
}

// movable refuses what is no kind of place.
func movable(to placement.Kind) error {
	switch to {
	case placement.DedicatedCluster, placement.DedicatedIndex, placement.SharedIndex:
	default:
		return &placement.InvalidError{Field: "kind", Value: string(to), Fix: "must be dedicated_cluster, dedicated_index or shared_index"}
	}
	return nil
}

// soleIndex asks the cluster what clients call the one index of a tenant that may have any
// number of them, and is to move into a place for one. Whether that stays so is seen by
// the move itself.
func soleIndex(ctx context.Context, c placement.Cluster, from placement.Placement) (string, error) {
	u, err := upstream.New(c, nil)
	if err != nil {
		return "", err
	}
	defer u.Close()
	return mover.Sole(ctx, u, from)
}

func cluster(ctx context.Context, s *store.Store, name string) (placement.Cluster, error) {
	c, err := s.Clusters().Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return placement.Cluster{}, fmt.Errorf("%w %q: add it with `sluice cluster add`", ErrUnknownCluster, name)
	}
	return c.Value, err
}

// RequestAbort asks the driver to take the partition back to its source. It is
// refused once the move has flipped. A move that flips in the very moment wins:
// the record then ends as flipped.
func RequestAbort(ctx context.Context, s *store.Store, id string) (Move, error) {
	return flag(ctx, s, id, func(m *Move) error {
		switch {
		case m.Stage == StageAborted || m.Stage == StageFailed:
			return fmt.Errorf("%w (%s)", ErrSettled, m.Stage)
		case m.Settled():
			return ErrFlipped
		}
		m.AbortRequested = true
		return nil
	})
}

// Bounds are what may be changed of a move while it runs; nil leaves it as it is.
type Bounds struct {
	PauseBudget     *time.Duration
	CutoverDeadline *time.Duration
	CopyRate        *float64  // documents a second; 0: no limit
	CopyBytes       *float64  // bytes a second; 0: no limit
	CopyHours       *[]Window // none: always
	CopyEager       *bool
	AcceptDrift     *bool

	ShadowMaxDifferences *int // see MoveOptions
}

// Into changes options to what the bounds say.
func (b Bounds) Into(o *MoveOptions) {
	set(&o.PauseBudget, b.PauseBudget)
	set(&o.CutoverDeadline, b.CutoverDeadline)
	set(&o.CopyRate, b.CopyRate)
	set(&o.CopyBytes, b.CopyBytes)
	set(&o.CopyHours, b.CopyHours)
	set(&o.CopyEager, b.CopyEager)
	set(&o.AcceptDrift, b.AcceptDrift)
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// RequestBounds changes the bounds of a move that has not flipped, by
// compare-and-swap on its record, so the driver's own changes are kept. The
// driver reads them before each try to cut over, and a cutover that is under way
// keeps those that it began with: nothing is aborted or begun anew. Errors:
// ErrUnknownMove, ErrFlipped, ErrSettled, *placement.InvalidError.
func RequestBounds(ctx context.Context, s *store.Store, id string, b Bounds) (Move, error) {
	for _, f := range []struct {
		field string
		value *time.Duration
	}{{"pause_budget", b.PauseBudget}, {"cutover_deadline", b.CutoverDeadline}} {
		if f.value != nil && *f.value <= 0 {
			return Move{}, &placement.InvalidError{Field: f.field, Value: f.value.String(), Fix: "must be above 0"}
		}
	}
	return flag(ctx, s, id, func(m *Move) error {
		switch {
		case m.AbortRequested && !m.Settled():
			return fmt.Errorf("%w: an abort was requested", ErrSettled)
		case m.Stage == StageAborted || m.Stage == StageFailed:
			return fmt.Errorf("%w (%s)", ErrSettled, m.Stage)
		case m.Settled():
			return ErrFlipped
		}
		b.Into(&m.Options)
		if b.ShadowMaxDifferences != nil {
			m.Options.ShadowMaxDifferences = b.ShadowMaxDifferences
		}
		var err error
		m.Options, err = m.Options.withDefaults()
		return err
	})
}

// RequestPause stops the copying of a move, and keeps it from a cutover, or lets it go
// on. What was copied is kept, and what is caught up with stays so. It is refused once
// the move has flipped, or is being aborted.
func RequestPause(ctx context.Context, s *store.Store, id string, paused bool) (Move, error) {
	return flag(ctx, s, id, func(m *Move) error {
		switch {
		case m.Stage == StageAborted || m.Stage == StageFailed || m.AbortRequested && !m.Settled():
			return fmt.Errorf("%w (%s)", ErrSettled, m.Stage)
		case m.Settled():
			return ErrFlipped
		}
		m.Paused = paused
		return nil
	})
}

// flag sets a request on the record by compare-and-swap; the driver merges it.
func flag(ctx context.Context, s *store.Store, id string, set func(*Move) error) (Move, error) {
	for {
		r, err := Moves(s).Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return Move{}, fmt.Errorf("%w %q", ErrUnknownMove, id)
		}
		if err != nil {
			return Move{}, err
		}
		m := r.Value.clone()
		if err := set(&m); err != nil {
			return r.Value, fmt.Errorf("move %s: %w", id, err)
		}
		m.Updated = time.Now().UTC()
		if _, err = Moves(s).Put(ctx, id, m, r.Version); err == nil {
			return m, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return Move{}, err
		}
	}
}

// Validate returns a *placement.InvalidError unless a move can be asked for with the
// options, those that are left out having their defaults.
func (o MoveOptions) Validate() error {
	_, err := o.withDefaults()
	return err
}

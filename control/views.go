package control

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// TenantView is a tenant as programs see it, on the command line and by the API.
type TenantView struct {
	Tenant      placement.PartitionID `json:"tenant"`
	Phase       string                `json:"phase"` // active, draining or cutover
	Placement   placement.Placement   `json:"placement"`
	MovingTo    *placement.Placement  `json:"moving_to,omitempty"`
	Move        string                `json:"move,omitempty"` // that is under way
	Epoch       placement.Epoch       `json:"epoch"`
	Incarnation uint32                `json:"incarnation"`
	Previous    *placement.Placement  `json:"previous,omitempty"` // its old copy
	PreviousBy  string                `json:"previous_move,omitempty"`
	Labels      Labels                `json:"labels,omitempty"`
}

// ViewTenant is the view of an entry.
func ViewTenant(e placement.Entry, labels Labels) TenantView {
	v := TenantView{Tenant: e.Partition, Phase: strings.ToLower(e.State.Phase.String()), Placement: e.State.From,
		Move: e.Attempt.Move, Epoch: e.Epoch, Incarnation: e.Incarnation, PreviousBy: e.PreviousMove, Labels: labels}
	if e.State.Migrating() {
		v.MovingTo = &e.State.To
	}
	if !e.Previous.IsZero() {
		v.Previous = &e.Previous
	}
	return v
}

// MoveView is a move as programs see it: its record, and whether it can be rolled back.
type MoveView struct {
	Move
	Rollback *RollbackView `json:"rollback,omitempty"` // of a move that has flipped
}

// RollbackView says whether a move can be rolled back.
type RollbackView struct {
	Possible bool `json:"possible"`
	// Until is when the old copy is retired by itself; absent: when somebody asks for it.
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"` // why it is not
}

// ViewMove is the view of a move's record. It reads the entry of one that has flipped.
func ViewMove(ctx context.Context, s *store.Store, m Move) (MoveView, error) {
	v := MoveView{Move: m}
	if m.CompleteEpoch == 0 || !m.Settled() {
		return v, nil
	}
	e, err := s.State(ctx, m.Partition)
	if err != nil && !errors.Is(err, placement.ErrUnknownPartition) {
		return v, err
	}
	v.Rollback = &RollbackView{Possible: true, Until: m.RetireAt}
	if err := WayBack(m, e); err != nil {
		v.Rollback = &RollbackView{Reason: err.Error()}
	}
	return v, nil
}

// PrecheckView is the dry run of a move as programs see it.
type PrecheckView struct {
	OK            bool          `json:"ok"`
	Checks        []mover.Check `json:"checks"`
	Docs          int64         `json:"docs"`
	Bytes         int64         `json:"bytes"`
	Indices       int           `json:"indices"`
	Shards        int           `json:"shards"`
	SourceVersion string        `json:"source_version"`
	TargetVersion string        `json:"target_version"`
	CopySeconds   float64       `json:"copy_seconds" doc:"How long copying takes; 0: it cannot be told."`
	CopiedBy      *mover.Choice `json:"copied_by,omitempty"`
	Prediction    *Prediction   `json:"prediction,omitempty" doc:"Absent where something is in the way."`
}

// ViewPrecheck asks the clusters what is in the way of a move, and, where nothing is, how
// long it will take.
func ViewPrecheck(ctx context.Context, s *store.Store, req Request) (PrecheckView, error) {
	r, err := Precheck(ctx, s, req)
	if err != nil {
		return PrecheckView{}, err
	}
	v := PrecheckView{OK: !r.Failed(), Checks: r.Checks, Docs: r.Docs, Bytes: r.Bytes, Indices: r.Indices, Shards: r.Shards,
		SourceVersion: r.SourceVersion, TargetVersion: r.TargetVersion, CopiedBy: r.Copy, CopySeconds: r.CopyTime.Seconds()}
	if v.OK {
		p, err := PredictMove(ctx, s, req, r)
		if err != nil {
			return PrecheckView{}, err
		}
		v.Prediction, v.CopySeconds = &p, p.CopyTime.Seconds()
	}
	return v, nil
}

package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// AddTenant registers a tenant on a cluster that is known, in a place that is free.
// Both are looked at again after the registration, see RemoveCluster: of two who want
// one place at the same moment, whoever looks second sees the other.
func AddTenant(ctx context.Context, s *store.Store, id placement.PartitionID, p placement.Placement) (placement.Entry, error) {
	if err := id.ValidateNew(); err != nil {
		return placement.Entry{}, err
	}
	p, err := CompletePlacement(id, p)
	if err != nil {
		return placement.Entry{}, err
	}
	if err := ClusterKnown(ctx, s, p.Cluster); err != nil {
		return placement.Entry{}, err
	}
	if err := PlaceFree(ctx, s, id, p); err != nil {
		return placement.Entry{}, err
	}
	if p.Kind == placement.SharedIndex {
		if err := checkSharedIndex(ctx, s, p); err != nil {
			return placement.Entry{}, err
		}
	}
	e, err := s.Register(ctx, id, p)
	if errors.Is(err, placement.ErrAlreadyExists) {
		return e, refuse(ErrExists, "tenant %q exists already, %s; `sluice move` changes where it lives", string(id), e.State)
	}
	if err != nil {
		return e, err
	}
	err = ClusterKnown(ctx, s, p.Cluster)
	if err == nil {
		err = PlaceFree(ctx, s, id, p)
	}
	if err != nil {
		return e, errors.Join(err, s.Remove(ctx, id))
	}
	return e, nil
}

// RemoveTenant forgets a tenant that is not moving and has no old copy, and its labels. at is
// the epoch that its entry must have, 0 for any; another is store.ErrConflict.
func RemoveTenant(ctx context.Context, s *store.Store, id placement.PartitionID, at placement.Epoch) error {
	e, err := s.State(ctx, id)
	if err != nil {
		return UnknownTenant(string(id), err)
	}
	if !e.Previous.IsZero() {
		// The entry is the only record of that copy and of the write block on it.
		return refuse(ErrInUse, "tenant %q still has its old copy at %s; `sluice moves retire %s` removes that first", string(id), e.Previous, e.PreviousMove)
	}
	if err := tenantUnusedByMoves(ctx, s, id); err != nil {
		return err
	}
	if err = s.RemoveAt(ctx, id, at); err == nil {
		return forgetLabels(ctx, s, id)
	}
	if errors.Is(err, placement.ErrAlreadyMigrating) {
		return refuse(ErrAlreadyMoving, "tenant %q is moving; wait for it, or `sluice moves abort %s`", string(id), e.Attempt.Move)
	}
	return UnknownTenant(string(id), err)
}

// UnknownTenant says what to do about a tenant that is not there.
func UnknownTenant(id string, err error) error {
	if errors.Is(err, placement.ErrUnknownPartition) {
		return refuse(placement.ErrUnknownPartition, "unknown tenant %q; `sluice tenant list` shows all, `sluice tenant add` adds one", id)
	}
	return err
}

func tenantUnusedByMoves(ctx context.Context, s *store.Store, id placement.PartitionID) error {
	return noMove(ctx, s, func(m Move) error {
		if m.Partition == id {
			return refuse(ErrInUse, "tenant %q has move %s (%s); wait for it, or abort it", string(id), m.ID, m.Stage)
		}
		return nil
	})
}

// noMove calls check for every move that a controller works on.
func noMove(ctx context.Context, s *store.Store, check func(Move) error) error {
	all, _, err := Moves(s).List(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Value.Terminal() || r.Value.Stage == StageFlipped {
			continue
		}
		if err := check(r.Value); err != nil {
			return err
		}
	}
	return nil
}

// checkSharedIndex asks the cluster whether the index can be shared: tenants are
// told apart by its partition field alone.
func checkSharedIndex(ctx context.Context, s *store.Store, p placement.Placement) error {
	c, err := s.Clusters().Get(ctx, p.Cluster)
	if errors.Is(err, store.ErrNotFound) {
		return UnknownCluster(ctx, s, p.Cluster)
	}
	if err != nil {
		return err
	}
	client, err := upstream.New(c.Value, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var answer json.RawMessage
	err = client.JSON(ctx, "GET", "/"+url.PathEscape(p.Index), nil, nil, &answer)
	var status *upstream.StatusError
	switch {
	case errors.As(err, &status) && status.Status == 404:
		return refuse(ErrUnfit, "cluster %s has no index %s; create it with a field %s of type keyword, which tells its tenants apart", p.Cluster, p.Index, p.PartitionField)
	case err != nil:
		return &UnreachableError{"cluster " + p.Cluster + " must be asked whether its index can be shared", err}
	}
	err = shared.CheckIndex(answer, p.Index, p.PartitionField)
	var why *shared.RefusedError
	if errors.As(err, &why) {
		return refuse(ErrUnfit, "index %s of cluster %s cannot be shared: %s", p.Index, p.Cluster, why.Reason)
	}
	return err
}

// CompletePlacement fills in what follows from the rest of where a new tenant is, and
// checks it.
func CompletePlacement(id placement.PartitionID, p placement.Placement) (placement.Placement, error) {
	if err := id.Validate(); err != nil {
		return p, err
	}
	if p.Kind == "" {
		p.Kind = placement.DedicatedIndex
	}
	switch {
	case p.Logical != "" || p.Kind == placement.DedicatedCluster:
	case p.Many():
		p.Logical = "*"
	default:
		p.Logical = p.Index
	}
	if err := p.Validate(); err != nil {
		return p, err
	}
	if p.Kind == placement.SharedIndex {
		if _, err := shared.New(id, p.PartitionField); err != nil {
			return p, err
		}
	}
	return p, nil
}

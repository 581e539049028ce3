package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// PlaceFree refuses, with ErrPlaceTaken, a place for a tenant that another one has, or will
// have by a move, also by one that has yet to begin, or has its old copy at, or something
// in the trash: each would read and overwrite the other's documents. Tenants of a shared
// index are together in it, by the same field. An entry that cannot be decoded is passed
// over; the prechecks of a move look at the cluster itself.
func PlaceFree(ctx context.Context, s *store.Store, id placement.PartitionID, p placement.Placement) error {
	return placeFree(ctx, s, id, p, listMoves(s))
}

// placeFree is PlaceFree by the moves that others lists.
func placeFree(ctx context.Context, s *store.Store, id placement.PartitionID, p placement.Placement, others func(context.Context, bool) ([]store.Record[Move], error)) error {
	moves, err := others(ctx, false)
	if err != nil {
		return err
	}
	for _, o := range moves {
		if m := o.Value; m.Partition != id && !m.Settled() && p.Overlaps(m.To) && !together(p, m.To) {
			return fmt.Errorf("%w: %s meets %s, to which move %s takes tenant %q; choose another place", ErrPlaceTaken, p, m.To, m.ID, string(m.Partition))
		}
	}
	var taken error
	_, err = s.Entries(ctx, func(e placement.Entry, err error) bool {
		if err != nil || e.Partition == id {
			return true
		}
		for _, q := range []placement.Placement{e.State.From, e.State.To, e.Previous} {
			if p.Overlaps(q) && !together(p, q) {
				taken = fmt.Errorf("%w: %s; choose another place, or move that tenant and retire its move first", ErrPlaceTaken, meets(p, q, e.Partition))
			}
		}
		return taken == nil
	})
	if err = errors.Join(err, taken); err != nil {
		return err
	}
	return trashFree(ctx, s, p)
}

// meets says how a place is in the way of another one.
func meets(p, theirs placement.Placement, other placement.PartitionID) string {
	switch {
	case p.Kind == placement.SharedIndex && theirs.Kind == placement.SharedIndex:
		return fmt.Sprintf("%s is not shared by the field %s: tenant %q has it", p, p.PartitionField, string(other))
	case p.Many() || theirs.Many():
		return fmt.Sprintf("%s and %s can have an index in common, and that place belongs to tenant %q already", p, theirs, string(other))
	case p == theirs || p.Index == theirs.Index:
		return fmt.Sprintf("%s belongs to tenant %q already", p, string(other))
	}
	return fmt.Sprintf("%s meets %s, which belongs to tenant %q already", p, theirs, string(other))
}

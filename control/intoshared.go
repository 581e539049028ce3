package control

import (
	"context"
	"fmt"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// sharedTarget completes the placement of a move into a shared index. Which field tells
// the tenants there apart is known from those that are there already; two fields would
// let each find what is not its own.
func sharedTarget(ctx context.Context, s *store.Store, r Request, from, to placement.Placement) (placement.Placement, error) {
	if to.Index == "" && from.Kind == placement.SharedIndex {
		to.Index = from.Index // on another cluster
	}
	if to.Index == "" {
		return to, &placement.InvalidError{Field: "index", Value: "", Fix: "must name the shared index to move into; it has to exist"}
	}
	known := ""
	if _, err := s.Entries(ctx, func(e placement.Entry, err error) bool {
		for _, p := range []placement.Placement{e.State.From, e.State.To, e.Previous} {
			if err == nil && p.Kind == placement.SharedIndex && p.Cluster == to.Cluster && p.Index == to.Index {
				known = p.PartitionField
			}
		}
		return known == ""
	}); err != nil {
		return to, err
	}
	switch {
	case r.Field != "" && known != "" && r.Field != known:
		return to, &placement.InvalidError{Field: "partition_field", Value: r.Field, Fix: fmt.Sprintf("must be %s, by which the tenants of %s are told apart", known, to.Index)}
	case r.Field != "":
		to.PartitionField = r.Field
	case known != "":
		to.PartitionField = known
	case from.Kind == placement.SharedIndex:
		to.PartitionField = from.PartitionField
	default:
		return to, &placement.InvalidError{Field: "partition_field", Value: "", Fix: fmt.Sprintf("must name the field that tells the tenants of %s apart: no tenant is there yet", to.Index)}
	}
	if err := to.Validate(); err != nil {
		return to, err
	}
	_, err := shared.New(r.Partition, to.PartitionField) // refuses a name that is too long for every _id
	return to, err
}

// together reports that tenants may be in both places, because they share by one field.
func together(p, q placement.Placement) bool {
	return p.Kind == placement.SharedIndex && q.Kind == placement.SharedIndex && p.PartitionField == q.PartitionField
}

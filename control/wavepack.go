package control

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// PackRequest says which tenants a wave packs into a shared index, and how many.
type PackRequest struct {
	Cluster string
	Pool    string  // the index, which exists
	Field   string  // its partition field (default: that of its tenants)
	Tenant  float64 // a tenant with more is not packed
	Total   float64 // the index is to hold no more than this in all; 0: no limit
}

// UnpackRequest says which tenants a wave takes out of a shared index, into indices of
// their own.
type UnpackRequest struct {
	Pool  string
	Above float64  // of its tenants, those with more; below 0: all
	To    []string // clusters; none: each stays at its own
}

// PoolLoad is a shared index before and after a plan.
type PoolLoad struct {
	Cluster       string  `json:"cluster"`
	Index         string  `json:"index"`
	Before        float64 `json:"before"`
	After         float64 `json:"after"`
	TenantsBefore int     `json:"tenants_before"`
	TenantsAfter  int     `json:"tenants_after"`
}

// poolAt is a shared index as it is.
func (l Loads) poolAt(cluster, index string) PoolLoad {
	p := PoolLoad{Cluster: cluster, Index: index, Before: l.Indices[cluster][index]}
	for _, t := range l.Tenants {
		if t.Cluster == cluster && t.pool() == index {
			p.TenantsBefore++
		}
	}
	p.After, p.TenantsAfter = p.Before, p.TenantsBefore
	return p
}

// packable refuses units that a shared index has no limit of.
func packable(l Loads) error {
	if l.Unit != LoadDocs && l.Unit != LoadBytes {
		return &placement.InvalidError{Field: "by", Value: string(l.Unit), Fix: "must be docs or bytes, for tenants to be packed or taken out"}
	}
	return nil
}

// PlanPack moves the small ones of a choice of tenants into a shared index, the least
// first, for as long as it holds them. What is too large is not of the choice; what is
// small and cannot be packed stays, with the reason.
func PlanPack(l Loads, chosen func(TenantLoad) bool, r PackRequest) (WavePlan, error) {
	if err := packable(l); err != nil {
		return WavePlan{}, err
	}
	if !slices.Contains(l.Clusters, r.Cluster) {
		return WavePlan{}, fmt.Errorf("%w %q: add it with `sluice cluster add`", ErrUnknownCluster, r.Cluster)
	}
	if _, there := l.Indices[r.Cluster][r.Pool]; !there {
		return WavePlan{}, &placement.InvalidError{Field: "pack", Value: r.Pool, Fix: "must name an index of cluster " + r.Cluster + "; create it, with a keyword field that tells its tenants apart"}
	}
	if !(r.Tenant > 0 && r.Total >= 0) {
		return WavePlan{}, &placement.InvalidError{Field: "tenant_limit", Value: fmt.Sprint(r.Tenant), Fix: "must be above 0, the most that a tenant may have to be packed, and the limit of the index not below 0"}
	}
	field := r.Field
	for _, t := range l.Tenants {
		if t.Cluster != r.Cluster || t.pool() != r.Pool {
			continue
		}
		if r.Field != "" && t.place.PartitionField != r.Field {
			return WavePlan{}, &placement.InvalidError{Field: "partition_field", Value: r.Field, Fix: fmt.Sprintf("must be %s, by which the tenants of %s are told apart", t.place.PartitionField, r.Pool)}
		}
		field = t.place.PartitionField
	}
	if field == "" {
		return WavePlan{}, &placement.InvalidError{Field: "partition_field", Value: "", Fix: fmt.Sprintf("must name the field that tells the tenants of %s apart: no tenant is there yet", r.Pool)}
	}
	target := placement.Placement{Kind: placement.SharedIndex, Cluster: r.Cluster, Index: r.Pool, Logical: "x", PartitionField: field}
	if err := target.Validate(); err != nil {
		return WavePlan{}, err
	}
	p, pool := newPlanning(l), l.poolAt(r.Cluster, r.Pool)
	small := slices.DeleteFunc(slices.Clone(l.Tenants), func(t TenantLoad) bool {
		return !chosen(t) || t.Load > r.Tenant || t.Cluster == r.Cluster && t.pool() == r.Pool
	})
	slices.SortStableFunc(small, func(a, b TenantLoad) int { return cmp.Compare(a.Load, b.Load) })
	var stay []TenantLoad
	for _, t := range small {
		why := unpackable(t, target)
		if why == "" && r.Total > 0 && pool.After+t.Load > r.Total {
			why = "the shared index would hold more than its limit"
		}
		if why != "" {
			t.Stays = why
			stay = append(stay, t)
			continue
		}
		p.place(t, WaveItem{To: r.Cluster, Kind: placement.SharedIndex, Index: r.Pool, Field: r.Field})
		pool.After += t.Load
		pool.TenantsAfter++
	}
	out := p.done(stay)
	out.Pools = []PoolLoad{pool}
	return out, nil
}

// unpackable is why a tenant cannot be in a shared index; empty: as far as its placement
// tells, it can. What its index has to be like the move itself finds out.
func unpackable(t TenantLoad, target placement.Placement) string {
	_, err := shared.New(t.Partition, target.PartitionField)
	switch {
	case t.moving:
		return t.Stays
	case t.pool() != "":
		return "it shares the index " + t.pool() + " already"
	case t.place.Overlaps(target):
		return "the shared index is, or could be, one of its own"
	case err != nil:
		return err.Error()
	}
	if whole := t.place.Kind == placement.DedicatedCluster; !whole && (t.Stays != "" || !t.place.Many()) {
		return t.Stays
	}
	switch n := len(t.indices); {
	case n == 0:
		return "it has no index yet"
	case n > 3:
		return fmt.Sprintf("it has %d indices: %s and others", n, strings.Join(t.indices[:3], ", "))
	case n > 1:
		return fmt.Sprintf("it has %d indices: %s", n, strings.Join(t.indices, ", "))
	}
	return ""
}

// PlanUnpack moves those of a choice of tenants that have outgrown a shared index into
// indices of their own: each, the largest first, to the cluster that has the least by then.
func PlanUnpack(l Loads, chosen func(TenantLoad) bool, r UnpackRequest) (WavePlan, error) {
	if err := packable(l); err != nil {
		return WavePlan{}, err
	}
	for _, c := range r.To {
		if !slices.Contains(l.Clusters, c) {
			return WavePlan{}, fmt.Errorf("%w %q: add it with `sluice cluster add`", ErrUnknownCluster, c)
		}
	}
	of := slices.DeleteFunc(slices.Clone(l.Tenants), func(t TenantLoad) bool { return !chosen(t) || r.Pool == "" || t.pool() != r.Pool })
	if len(of) == 0 {
		return WavePlan{}, &placement.InvalidError{Field: "unpack", Value: r.Pool, Fix: "must name an index that some of these tenants share"}
	}
	slices.SortStableFunc(of, func(a, b TenantLoad) int { return cmp.Compare(b.Load, a.Load) })
	p := newPlanning(l)
	pools := map[string]PoolLoad{}
	var stay []TenantLoad
	for _, t := range of {
		pool, seen := pools[t.Cluster]
		if !seen {
			pool = l.poolAt(t.Cluster, r.Pool)
		}
		switch {
		case t.Load <= r.Above:
		case t.Stays != "":
			stay = append(stay, t)
		default:
			to := t.Cluster
			if len(r.To) > 0 {
				to = p.least(r.To)
			}
			p.place(t, WaveItem{To: to, Kind: placement.DedicatedIndex})
			pool.After = max(0, pool.After-t.Load)
			pool.TenantsAfter--
		}
		pools[t.Cluster] = pool
	}
	out := p.done(stay)
	for _, c := range l.Clusters {
		if pool, ok := pools[c]; ok {
			out.Pools = append(out.Pools, pool)
		}
	}
	return out, nil
}

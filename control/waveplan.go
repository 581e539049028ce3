package control

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// LoadUnit is what clusters are compared by.
type LoadUnit string

// The units of load.
const (
	LoadDocs     LoadUnit = "docs"     // documents
	LoadBytes    LoadUnit = "bytes"    // of the primary shards
	LoadRequests LoadUnit = "requests" // searches and indexed documents a second
)

// LoadUnits are all of them.
var LoadUnits = []LoadUnit{LoadDocs, LoadBytes, LoadRequests}

// TenantLoad is what a tenant is of its cluster's load.
type TenantLoad struct {
	Partition placement.PartitionID `json:"partition"`
	Cluster   string                `json:"cluster"`
	Load      float64               `json:"load"`
	// Stays is why a wave cannot move it; empty: it can.
	Stays string `json:"stays,omitempty"`
}

// Loads are the tenants of all clusters, and what they are of the load.
type Loads struct {
	Unit     LoadUnit
	Clusters []string // sorted
	Tenants  []TenantLoad
}

// ClusterLoad is a cluster before and after a plan. Only tenants' indices count.
type ClusterLoad struct {
	Cluster       string  `json:"cluster"`
	Before        float64 `json:"before"`
	After         float64 `json:"after"`
	TenantsBefore int     `json:"tenants_before"`
	TenantsAfter  int     `json:"tenants_after"`
}

// WavePlan is what a wave would do.
type WavePlan struct {
	Unit     LoadUnit      `json:"unit"`
	Items    []WaveItem    `json:"items"`
	Clusters []ClusterLoad `json:"clusters"`
	// Stay are tenants that the plan was to move and cannot.
	Stay []TenantLoad `json:"stay,omitempty"`
}

// ReadLoads asks all clusters for what their tenants' indices hold, or do. For
// LoadRequests it looks twice, over apart. Without a unit it asks none, and all loads
// are 0.
func ReadLoads(ctx context.Context, s *store.Store, unit LoadUnit, over time.Duration) (Loads, error) {
	out := Loads{Unit: unit}
	if unit != "" && !slices.Contains(LoadUnits, unit) {
		return out, &placement.InvalidError{Field: "by", Value: string(unit), Fix: fmt.Sprintf("must be one of %v", LoadUnits)}
	}
	clusters, _, err := s.Clusters().List(ctx)
	if err != nil {
		return out, err
	}
	sample := func() (map[string]map[string]float64, error) {
		all := map[string]map[string]float64{}
		if unit == "" {
			return all, nil
		}
		for _, c := range clusters {
			u, err := upstream.New(c.Value, nil)
			if err != nil {
				return nil, err
			}
			all[c.Name], err = indexLoads(ctx, u, unit)
			u.Close()
			if err != nil {
				return nil, fmt.Errorf("cluster %s: %w", c.Name, err)
			}
		}
		return all, nil
	}
	began := time.Now()
	loads, err := sample()
	if err != nil {
		return out, err
	}
	if unit == LoadRequests {
		sleep(ctx, over)
		first := loads
		if loads, err = sample(); err != nil {
			return out, err
		}
		took := time.Since(began).Seconds()
		for c, of := range loads {
			for i, n := range of {
				of[i] = max(0, n-first[c][i]) / took // a counter starts anew with its node
			}
		}
	}
	for _, c := range clusters {
		out.Clusters = append(out.Clusters, c.Name)
	}
	slices.Sort(out.Clusters)
	var bad error
	_, err = s.Entries(ctx, func(e placement.Entry, err error) bool {
		if err != nil {
			bad = err
			return false
		}
		out.Tenants = append(out.Tenants, tenantLoad(e, loads[e.State.From.Cluster]))
		return true
	})
	if err == nil {
		err = bad
	}
	slices.SortFunc(out.Tenants, func(a, b TenantLoad) int { return cmp.Compare(a.Partition, b.Partition) })
	return out, err
}

func tenantLoad(e placement.Entry, of map[string]float64) TenantLoad {
	pl := e.State.From
	t := TenantLoad{Partition: e.Partition, Cluster: pl.Cluster}
	switch pl.Kind {
	case placement.DedicatedCluster:
		for _, n := range of {
			t.Load += n
		}
		t.Stays = "it has a cluster of its own; move it by itself, to a cluster that no tenant has"
	case placement.SharedIndex:
		t.Stays = "it shares the index " + pl.Index + " with others; move it by itself, into an index of its own: sluice move --kind dedicated_index"
	default:
		if !pl.Many() {
			t.Load = of[pl.Index]
			break
		}
		for name, n := range of {
			if pl.Matches(name) {
				t.Load += n
			}
		}
	}
	if e.State.Migrating() {
		t.Stays = "it is moving"
	}
	return t
}

// indexLoads is the load of each index of a cluster; of an index that is shared, of
// all its tenants together.
func indexLoads(ctx context.Context, u *upstream.Client, unit LoadUnit) (map[string]float64, error) {
	var stats struct {
		Indices map[string]struct {
			Primaries struct {
				Docs struct {
					Count float64 `json:"count"`
				} `json:"docs"`
				Store struct {
					Bytes float64 `json:"size_in_bytes"`
				} `json:"store"`
				Indexing struct {
					Total float64 `json:"index_total"`
				} `json:"indexing"`
			} `json:"primaries"`
			Total struct {
				Search struct {
					Total float64 `json:"query_total"`
				} `json:"search"`
			} `json:"total"`
		} `json:"indices"`
	}
	if err := u.JSON(ctx, http.MethodGet, "/_stats/docs,store,search,indexing", nil, nil, &stats); err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for name, i := range stats.Indices {
		switch unit {
		case LoadDocs:
			out[name] = i.Primaries.Docs.Count
		case LoadBytes:
			out[name] = i.Primaries.Store.Bytes
		case LoadRequests:
			out[name] = i.Primaries.Indexing.Total + i.Total.Search.Total
		}
	}
	return out, nil
}

// planning is a plan in the making.
type planning struct {
	loads  Loads
	at     map[string]float64               // load by cluster, as planned so far
	count  map[string]int                   // tenants by cluster, likewise
	to     map[placement.PartitionID]string // planned moves
	of     map[string][]TenantLoad          // tenants that can be moved, by cluster, the least first
	before map[string]ClusterLoad
}

func newPlanning(l Loads) *planning {
	p := &planning{loads: l, at: map[string]float64{}, count: map[string]int{}, to: map[placement.PartitionID]string{}, of: map[string][]TenantLoad{}, before: map[string]ClusterLoad{}}
	for _, t := range l.Tenants {
		p.at[t.Cluster] += t.Load
		p.count[t.Cluster]++
		if t.Stays == "" {
			p.of[t.Cluster] = append(p.of[t.Cluster], t)
		}
	}
	for c, of := range p.of {
		slices.SortStableFunc(of, func(a, b TenantLoad) int { return cmp.Compare(a.Load, b.Load) })
		p.of[c] = of
	}
	for _, c := range l.Clusters {
		p.before[c] = ClusterLoad{Cluster: c, Before: p.at[c], TenantsBefore: p.count[c]}
	}
	return p
}

func (p *planning) move(t TenantLoad, to string) {
	p.to[t.Partition] = to
	p.at[t.Cluster] -= t.Load
	p.at[to] += t.Load
	p.count[t.Cluster]--
	p.count[to]++
}

// done is the plan: the least first, so that what is wrong with it shows early.
func (p *planning) done(stay []TenantLoad) WavePlan {
	out := WavePlan{Unit: p.loads.Unit, Stay: stay}
	moved := slices.DeleteFunc(slices.Clone(p.loads.Tenants), func(t TenantLoad) bool { return p.to[t.Partition] == "" })
	slices.SortStableFunc(moved, func(a, b TenantLoad) int { return cmp.Compare(a.Load, b.Load) })
	for n, t := range moved {
		out.Items = append(out.Items, WaveItem{N: n, Partition: t.Partition, From: t.Cluster, To: p.to[t.Partition], State: ItemWaiting})
	}
	for _, c := range p.loads.Clusters {
		l := p.before[c]
		l.After, l.TenantsAfter = p.at[c], p.count[c]
		out.Clusters = append(out.Clusters, l)
	}
	return out
}

// PlanMoves is the plan of moves that somebody has chosen, in their order. Of the items
// only To, Index and N are read.
func PlanMoves(l Loads, to map[placement.PartitionID]WaveItem) (WavePlan, error) {
	p := newPlanning(l)
	left := maps.Clone(to)
	var stay []TenantLoad
	for _, t := range l.Tenants {
		chosen, ok := to[t.Partition]
		if !ok {
			continue
		}
		target := chosen.To
		delete(left, t.Partition)
		switch {
		case !slices.Contains(l.Clusters, target):
			return WavePlan{}, fmt.Errorf("%w %q: add it with `sluice cluster add`", ErrUnknownCluster, target)
		case t.Stays != "":
			stay = append(stay, t)
		case t.Cluster == target:
			t.Stays = "it is there already"
			stay = append(stay, t)
		default:
			p.move(t, target)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		return WavePlan{}, fmt.Errorf("%w %q", placement.ErrUnknownPartition, string(id))
	}
	out := p.done(stay)
	slices.SortFunc(out.Items, func(a, b WaveItem) int { return to[a.Partition].N - to[b.Partition].N })
	for n := range out.Items {
		i := &out.Items[n]
		i.N, i.Index = n, to[i.Partition].Index
	}
	return out, nil
}

// PlanAllFrom empties a cluster: each tenant, the largest first, goes to the target
// that has the least by then.
func PlanAllFrom(l Loads, from string, targets []string) (WavePlan, error) {
	if !slices.Contains(l.Clusters, from) {
		return WavePlan{}, fmt.Errorf("%w %q: add it with `sluice cluster add`", ErrUnknownCluster, from)
	}
	if slices.Contains(targets, from) {
		return WavePlan{}, &placement.InvalidError{Field: "to", Value: fmt.Sprint(targets), Fix: "must name clusters other than " + from}
	}
	return PlanChosen(l, func(t TenantLoad) bool { return t.Cluster == from }, targets)
}

// PlanChosen moves each tenant of a choice, the largest first, to the target that has
// the least by then. Those that are at a target already stay.
func PlanChosen(l Loads, chosen func(TenantLoad) bool, targets []string) (WavePlan, error) {
	for _, c := range targets {
		if !slices.Contains(l.Clusters, c) {
			return WavePlan{}, fmt.Errorf("%w %q: add it with `sluice cluster add`", ErrUnknownCluster, c)
		}
	}
	if len(targets) == 0 {
		return WavePlan{}, &placement.InvalidError{Field: "to", Value: "", Fix: "must name the clusters to move to"}
	}
	p := newPlanning(l)
	var movable, stay []TenantLoad
	for _, t := range l.Tenants {
		switch {
		case !chosen(t):
		case t.Stays != "":
			stay = append(stay, t)
		case slices.Contains(targets, t.Cluster):
			t.Stays = "it is at " + t.Cluster + " already"
			stay = append(stay, t)
		default:
			movable = append(movable, t)
		}
	}
	slices.SortStableFunc(movable, func(a, b TenantLoad) int { return cmp.Compare(b.Load, a.Load) })
	for _, t := range movable {
		p.move(t, slices.MinFunc(targets, func(a, b string) int {
			return cmp.Or(cmp.Compare(p.at[a], p.at[b]), cmp.Compare(p.count[a], p.count[b]))
		}))
	}
	return p.done(stay), nil
}

// PlanRebalance evens clusters out until each is within tolerance (0.05 is 5 %) of
// their mean, or no single move brings two of them closer. No tenant moves twice.
func PlanRebalance(l Loads, among []string, tolerance float64) (WavePlan, error) {
	if len(among) == 0 {
		among = l.Clusters
	}
	for _, c := range among {
		if !slices.Contains(l.Clusters, c) {
			return WavePlan{}, fmt.Errorf("%w %q: add it with `sluice cluster add`", ErrUnknownCluster, c)
		}
	}
	if len(among) < 2 {
		return WavePlan{}, &placement.InvalidError{Field: "among", Value: fmt.Sprint(among), Fix: "must name two clusters at least"}
	}
	if !(tolerance >= 0 && tolerance < 1) {
		return WavePlan{}, &placement.InvalidError{Field: "tolerance", Value: fmt.Sprint(tolerance), Fix: "must be 0 or more and below 1"}
	}
	p := newPlanning(l)
	var sum float64
	for _, c := range among {
		sum += p.at[c]
	}
	mean := sum / float64(len(among))
	byLoad := func(a, b string) int { return cmp.Or(cmp.Compare(p.at[a], p.at[b]), cmp.Compare(a, b)) }
	full := map[string]bool{} // of these nothing helps
	for {
		most, least := "", slices.MinFunc(among, byLoad)
		for _, c := range among {
			if !full[c] && (most == "" || byLoad(c, most) > 0) {
				most = c
			}
		}
		if most == "" || most == least || p.at[most]-mean <= tolerance*mean && mean-p.at[least] <= tolerance*mean {
			break
		}
		// Half the difference evens the two out; anything below all of it helps.
		gap := p.at[most] - p.at[least]
		at := closest(p.of[most], gap/2)
		if at < 0 || p.of[most][at].Load <= 0 || p.of[most][at].Load >= gap {
			full[most] = true
			continue
		}
		t := p.of[most][at]
		p.of[most] = slices.Delete(p.of[most], at, at+1)
		p.move(t, least)
	}
	return p.done(nil), nil
}

// closest is the tenant whose load is closest to want, of some that are sorted; -1 if
// there is none.
func closest(of []TenantLoad, want float64) int {
	at, _ := slices.BinarySearchFunc(of, want, func(t TenantLoad, w float64) int { return cmp.Compare(t.Load, w) })
	best, diff := -1, math.Inf(1)
	for _, i := range []int{at - 1, at} {
		if i >= 0 && i < len(of) && math.Abs(of[i].Load-want) < diff {
			best, diff = i, math.Abs(of[i].Load-want)
		}
	}
	return best
}

package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

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

	place   placement.Placement // zero: an index of its own
	indices []string            // of a tenant that may have any number of them
	moving  bool
}

// pool is the index that the tenant shares; empty: none.
func (t TenantLoad) pool() string {
	if t.place.Kind == placement.SharedIndex {
		return t.place.Index
	}
	return ""
}

// Loads are the tenants of all clusters, and what they are of the load.
type Loads struct {
	Unit     LoadUnit
	Clusters []string // sorted
	Tenants  []TenantLoad
	// Indices is the load of each index, by cluster; nil: no cluster was asked.
	Indices map[string]map[string]float64
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
	// Pools are the shared indices that tenants are packed into, or taken out of.
	Pools []PoolLoad `json:"pools,omitempty"`
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
	began := time.Now()
	loads, err := sampleLoads(ctx, clusters, unit)
	if err != nil {
		return out, err
	}
	if unit == LoadRequests && len(clusters) > 0 {
		sleep(ctx, over)
		first := loads
		if loads, err = sampleLoads(ctx, clusters, unit); err != nil {
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
		out.Tenants = append(out.Tenants, tenantLoad(e, loads))
		return true
	})
	if err == nil {
		err = bad
	}
	if unit != "" && err == nil {
		out.Indices = loads
		err = poolShares(ctx, s, unit, loads, out.Tenants)
	}
	slices.SortFunc(out.Tenants, func(a, b TenantLoad) int { return cmp.Compare(a.Partition, b.Partition) })
	return out, err
}

const (
	// askedAtOnce is how many clusters are asked at the same time, and loadTime how long one may take.
	askedAtOnce = 16
	loadTime    = 20 * time.Second
	failTime    = time.Second
)

// sampleLoads asks all clusters side by side. Once one has failed the others have failTime
// to do so, too: so the error names all that do not take connections, in the same order
// each time, and nobody waits for one that hangs.
func sampleLoads(ctx context.Context, clusters []store.Record[placement.Cluster], unit LoadUnit) (clusterLoads, error) {
	all := clusterLoads{}
	if unit == "" {
		return all, nil
	}
	of, failed := make([]map[string]float64, len(clusters)), make([]error, len(clusters))
	asking, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.SetLimit(askedAtOnce)
	for i, c := range clusters {
		g.Go(func() error {
			if of[i], failed[i] = loadsOf(asking, c.Value, unit); failed[i] != nil {
				time.AfterFunc(failTime, stop)
			}
			return nil
		})
	}
	_ = g.Wait() // each has its own error
	var err error
	for i, c := range clusters {
		switch {
		case failed[i] == nil:
			all[c.Name] = of[i]
		case errors.Is(failed[i], context.Canceled) && ctx.Err() == nil: // not waited for
		case err == nil:
			err = fmt.Errorf("cluster %s: %w", c.Name, failed[i])
		default:
			err = fmt.Errorf("%w; cluster %s: %w", err, c.Name, failed[i])
		}
	}
	return all, err
}

func loadsOf(ctx context.Context, c placement.Cluster, unit LoadUnit) (map[string]float64, error) {
	bound, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	u, err := upstream.New(c, nil)
	if err != nil {
		return nil, err
	}
	defer u.Close()
	of, err := indexLoads(bound, u, unit)
	if err != nil && bound.Err() != nil && ctx.Err() == nil {
		err = &UnreachableError{What: fmt.Sprintf("it has not answered within %s", loadTime), Err: err}
	}
	return of, err
}

// tenantLoad is the load of a tenant's own indices; see poolShares for one that shares.
func tenantLoad(e placement.Entry, loads clusterLoads) TenantLoad {
	pl := e.State.From
	t := TenantLoad{Partition: e.Partition, Cluster: pl.Cluster, place: pl, moving: e.State.Migrating()}
	switch of := loads[pl.Cluster]; {
	case pl.Kind == placement.DedicatedCluster:
		for _, n := range of {
			t.Load += n
		}
		t.indices = loads.indicesOf(pl)
		t.Stays = "it has a cluster of its own; move it by itself, to a cluster that no tenant has"
	case pl.Many():
		t.indices = loads.indicesOf(pl)
		for _, name := range t.indices {
			t.Load += of[name]
		}
	case pl.Kind == placement.DedicatedIndex:
		t.Load = of[pl.Index]
	}
	if t.moving {
		t.Stays = "it is moving"
	}
	return t
}

// fits reports whether a cluster has a place for the tenant as it lives: one that shares
// an index needs the index of that name there. Where nobody was asked, the move finds out.
func (l Loads) fits(t TenantLoad, cluster string) bool {
	if t.pool() == "" || l.Indices == nil {
		return true
	}
	_, there := l.Indices[cluster][t.pool()]
	return there
}

// homeless is why a tenant that shares an index stays where no target has it.
func homeless(t TenantLoad, targets []string) string {
	return fmt.Sprintf("it shares the index %s, which there is not at %s: create it there, or take the tenant out of it first (--unpack)", t.pool(), strings.Join(targets, ", "))
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
	loads Loads
	at    map[string]float64                 // load by cluster, as planned so far
	count map[string]int                     // tenants by cluster, likewise
	to    map[placement.PartitionID]WaveItem // planned moves: where to
	// of are the tenants that can be moved, by cluster and by the index that they share,
	// the least first.
	of     map[string]map[string][]TenantLoad
	before map[string]ClusterLoad
}

func newPlanning(l Loads) *planning {
	p := &planning{loads: l, at: map[string]float64{}, count: map[string]int{}, to: map[placement.PartitionID]WaveItem{}, of: map[string]map[string][]TenantLoad{}, before: map[string]ClusterLoad{}}
	for _, t := range l.Tenants {
		p.at[t.Cluster] += t.Load
		p.count[t.Cluster]++
		if t.Stays != "" {
			continue
		}
		if p.of[t.Cluster] == nil {
			p.of[t.Cluster] = map[string][]TenantLoad{}
		}
		p.of[t.Cluster][t.pool()] = append(p.of[t.Cluster][t.pool()], t)
	}
	for _, pools := range p.of {
		for _, of := range pools {
			slices.SortStableFunc(of, func(a, b TenantLoad) int { return cmp.Compare(a.Load, b.Load) })
		}
	}
	for _, c := range l.Clusters {
		p.before[c] = ClusterLoad{Cluster: c, Before: p.at[c], TenantsBefore: p.count[c]}
	}
	return p
}

func (p *planning) move(t TenantLoad, to string) { p.place(t, WaveItem{To: to}) }

// place plans a move into a place of another kind, or name.
func (p *planning) place(t TenantLoad, i WaveItem) {
	to := i.To
	p.to[t.Partition] = i
	p.at[t.Cluster] -= t.Load
	p.at[to] += t.Load
	p.count[t.Cluster]--
	p.count[to]++
}

// done is the plan: the least first, so that what is wrong with it shows early.
func (p *planning) done(stay []TenantLoad) WavePlan {
	out := WavePlan{Unit: p.loads.Unit, Stay: stay}
	moved := slices.DeleteFunc(slices.Clone(p.loads.Tenants), func(t TenantLoad) bool { return p.to[t.Partition].To == "" })
	slices.SortStableFunc(moved, func(a, b TenantLoad) int { return cmp.Compare(a.Load, b.Load) })
	for n, t := range moved {
		i := p.to[t.Partition]
		i.N, i.Partition, i.From, i.State = n, t.Partition, t.Cluster, ItemWaiting
		out.Items = append(out.Items, i)
	}
	for _, c := range p.loads.Clusters {
		l := p.before[c]
		l.After, l.TenantsAfter = p.at[c], p.count[c]
		out.Clusters = append(out.Clusters, l)
	}
	return out
}

// PlanMoves is the plan of moves that somebody has chosen, in their order. Of the items
// only To, Kind, Index, Field and N are read.
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
		case t.Cluster == target && (chosen.Kind == "" || chosen.Kind == t.place.Kind):
			t.Stays = "it is there already"
			stay = append(stay, t)
		case chosen.Kind == "" && chosen.Index == "" && !l.fits(t, target):
			t.Stays = homeless(t, []string{target})
			stay = append(stay, t)
		default:
			p.place(t, WaveItem{To: target, Kind: chosen.Kind, Index: chosen.Index, Field: chosen.Field})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		return WavePlan{}, fmt.Errorf("%w %q", placement.ErrUnknownPartition, string(id))
	}
	out := p.done(stay)
	slices.SortFunc(out.Items, func(a, b WaveItem) int { return to[a.Partition].N - to[b.Partition].N })
	for n := range out.Items {
		out.Items[n].N = n
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
		have := slices.DeleteFunc(slices.Clone(targets), func(c string) bool { return !l.fits(t, c) })
		if len(have) == 0 {
			t.Stays = homeless(t, targets)
			stay = append(stay, t)
			continue
		}
		p.move(t, p.least(have))
	}
	return p.done(stay), nil
}

// least is the cluster of some that has the least by now.
func (p *planning) least(of []string) string {
	return slices.MinFunc(of, func(a, b string) int {
		return cmp.Or(cmp.Compare(p.at[a], p.at[b]), cmp.Compare(p.count[a], p.count[b]))
	})
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
		t, ok := p.take(most, least, gap)
		if !ok {
			full[most] = true
			continue
		}
		p.move(t, least)
	}
	return p.done(nil), nil
}

// take is the tenant of a cluster whose load is closest to half of gap, and below it, among
// those that fit another cluster; false if there is none.
func (p *planning) take(from, to string, gap float64) (best TenantLoad, ok bool) {
	in, at := "", -1
	for _, pool := range slices.Sorted(maps.Keys(p.of[from])) {
		of := p.of[from][pool]
		n := closest(of, gap/2)
		if n < 0 || of[n].Load <= 0 || of[n].Load >= gap || !p.loads.fits(of[n], to) {
			continue
		}
		if at < 0 || math.Abs(of[n].Load-gap/2) < math.Abs(best.Load-gap/2) {
			best, in, at = of[n], pool, n
		}
	}
	if at < 0 {
		return TenantLoad{}, false
	}
	p.of[from][in] = slices.Delete(p.of[from][in], at, at+1)
	return best, true
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

package control_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// randomPools are some tenants on some clusters, of which some share indices, and some
// may have any number of them. Not every cluster has every shared index.
func randomPools(r *rand.Rand) control.Loads {
	l := randomLoads(r)
	l.Indices = map[string]map[string]float64{}
	for _, c := range l.Clusters {
		l.Indices[c] = map[string]float64{"huge": 0}
		if r.IntN(3) > 0 {
			l.Indices[c]["pool"] = 0
		}
	}
	for n, t := range l.Tenants {
		at := placement.Placement{Kind: placement.DedicatedIndex, Cluster: t.Cluster, Index: string(t.Partition), Logical: "docs"}
		var indices []string
		switch r.IntN(6) {
		case 0, 1:
			at = placement.Placement{Kind: placement.SharedIndex, Cluster: t.Cluster, Index: "huge", Logical: "docs", PartitionField: "tenant"}
			if _, there := l.Indices[t.Cluster]["pool"]; there && r.IntN(2) == 0 {
				at.Index = "pool"
			}
			l.Indices[t.Cluster][at.Index] += t.Load
		case 2:
			at.Index, at.Logical = string(t.Partition)+"-*", "*"
			for i := range r.IntN(3) {
				indices = append(indices, fmt.Sprintf("%s-%d", t.Partition, i))
			}
		}
		l.Tenants[n] = control.Placed(t, at, indices...)
	}
	return l
}

// What every plan of tenants that share indices, and every plan that packs them or takes
// them out, must be.
func TestPackPlans(t *testing.T) {
	packed, unpacked, moved := 0, 0, 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 2))
		l := randomPools(r)
		is := map[placement.PartitionID]control.TenantLoad{}
		for _, x := range l.Tenants {
			is[x.Partition] = x
		}
		fits := func(i control.WaveItem) {
			t.Helper()
			at := control.PlaceOf(is[i.Partition])
			if _, there := l.Indices[i.To][at.Index]; at.Kind == placement.SharedIndex && i.Kind == "" && !there {
				t.Fatalf("seed %d: %+v, where there is no %s", seed, i, at.Index)
			}
			if at.Kind == placement.SharedIndex && i.Kind == "" {
				moved++
			}
		}
		for what, plan := range map[string]func() (control.WavePlan, error){
			"rebalance": func() (control.WavePlan, error) { return control.PlanRebalance(l, nil, 0.05) },
			"all from":  func() (control.WavePlan, error) { return control.PlanAllFrom(l, l.Clusters[0], l.Clusters[1:]) },
		} {
			p, err := plan()
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, what, err)
			}
			checkPlan(t, l, p)
			for _, i := range p.Items {
				fits(i)
			}
		}
		all := func(control.TenantLoad) bool { return true }
		to := l.Clusters[r.IntN(len(l.Clusters))]
		each, total := float64(1+r.IntN(1500)), float64(r.IntN(8000))
		p, err := control.PlanPack(l, all, control.PackRequest{Cluster: to, Pool: "pool", Field: "tenant", Tenant: each, Total: total})
		if _, there := l.Indices[to]["pool"]; !there {
			if err == nil {
				t.Fatalf("seed %d: packed into nothing", seed)
			}
		} else {
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			checkPack(t, l, is, p, to, each, total)
			packed += len(p.Items)
		}
		if p, err = control.PlanUnpack(l, all, control.UnpackRequest{Pool: "huge", Above: each}); err == nil {
			unpacked += len(p.Items)
			checkUnpack(t, l, is, p, each)
		}
	}
	if packed < 4000 || unpacked < 2000 || moved < 2000 {
		t.Errorf("%d were packed, %d taken out, %d moved as they are", packed, unpacked, moved)
	}
}

func checkPack(t *testing.T, l control.Loads, is map[placement.PartitionID]control.TenantLoad, p control.WavePlan, to string, each, total float64) {
	t.Helper()
	sum, seen, last := l.Indices[to]["pool"], map[placement.PartitionID]bool{}, 0.0
	for n, i := range p.Items {
		x, at := is[i.Partition], control.PlaceOf(is[i.Partition])
		if i.N != n || seen[i.Partition] || x.Stays != "" || x.Load > each || x.Load < last || at.Kind == placement.SharedIndex ||
			i.To != to || i.From != x.Cluster || i.Kind != placement.SharedIndex || i.Index != "pool" {
			t.Fatalf("item %d: %+v of %+v at %s", n, i, x, at)
		}
		seen[i.Partition], last = true, x.Load
		sum += x.Load
	}
	for _, x := range p.Stay {
		if seen[x.Partition] || x.Stays == "" || x.Load > each {
			t.Fatalf("%+v stays", x)
		}
		if strings.Contains(x.Stays, "than its limit") && sum+x.Load <= total {
			t.Fatalf("%+v would fit beside %v, of %v", x, sum, total)
		}
	}
	if got := p.Pools[0]; len(p.Pools) != 1 || math.Abs(got.After-sum) > 1e-6 || got.TenantsAfter-got.TenantsBefore != len(p.Items) || total > 0 && len(p.Items) > 0 && sum > total {
		t.Fatalf("%+v, of %d items with %v in all, limit %v", p.Pools, len(p.Items), sum, total)
	}
	for _, x := range l.Tenants { // nobody is forgotten
		at := control.PlaceOf(x)
		if small := x.Load <= each && (at.Cluster != to || at.Index != "pool"); small && !seen[x.Partition] && !slices.ContainsFunc(p.Stay, func(s control.TenantLoad) bool { return s.Partition == x.Partition }) {
			t.Fatalf("%+v at %s was forgotten", x, at)
		}
	}
}

func checkUnpack(t *testing.T, l control.Loads, is map[placement.PartitionID]control.TenantLoad, p control.WavePlan, above float64) {
	t.Helper()
	out := map[string]float64{}
	for n, i := range p.Items {
		x, at := is[i.Partition], control.PlaceOf(is[i.Partition])
		if i.N != n || x.Stays != "" || x.Load <= above || at.Index != "huge" || at.Kind != placement.SharedIndex || i.To != x.Cluster || i.Kind != placement.DedicatedIndex || i.Index != "" {
			t.Fatalf("item %d: %+v of %+v at %s", n, i, x, at)
		}
		out[x.Cluster] += x.Load
	}
	for _, pool := range p.Pools {
		if math.Abs(pool.Before-out[pool.Cluster]-pool.After) > 1e-6 {
			t.Fatalf("%+v, of which %v leaves", pool, out[pool.Cluster])
		}
	}
	for _, x := range l.Tenants {
		if at := control.PlaceOf(x); at.Kind == placement.SharedIndex && at.Index == "huge" && x.Load > above && x.Stays == "" && !slices.ContainsFunc(p.Items, func(i control.WaveItem) bool { return i.Partition == x.Partition }) {
			t.Fatalf("%+v has outgrown it, and stays", x)
		}
	}
}

func TestPackRefusals(t *testing.T) {
	pool := placement.Placement{Kind: placement.SharedIndex, Cluster: "a", Index: "pool", Logical: "docs", PartitionField: "tenant"}
	many := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "many-*", Logical: "*"}
	l := control.Loads{Unit: control.LoadDocs, Clusters: []string{"a", "b"}, Indices: map[string]map[string]float64{"a": {"pool": 7, "poolside": 0}, "b": {}}, Tenants: []control.TenantLoad{
		control.Placed(control.TenantLoad{Partition: "in", Load: 7}, pool),
		control.Placed(control.TenantLoad{Partition: "many", Load: 1}, many, "many-1", "many-2"),
		control.Placed(control.TenantLoad{Partition: "none"}, many),
		control.Placed(control.TenantLoad{Partition: placement.PartitionID(strings.Repeat("l", 256))}, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "long", Logical: "docs"}),
		control.Placed(control.TenantLoad{Partition: "around"}, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "poo*", Logical: "*"}, "poolside"),
		control.Placed(control.TenantLoad{Partition: "whole"}, placement.Placement{Kind: placement.DedicatedCluster, Cluster: "b"}, "one"),
	}}
	all := func(control.TenantLoad) bool { return true }
	good := control.PackRequest{Cluster: "a", Pool: "pool", Tenant: 10}
	p, err := control.PlanPack(l, all, good)
	if err != nil || len(p.Items) != 1 || p.Items[0].Partition != "whole" {
		t.Errorf("%+v, %v", p.Items, err)
	}
	why := map[placement.PartitionID]string{}
	for _, x := range p.Stay {
		why[x.Partition] = x.Stays
	}
	for id, want := range map[placement.PartitionID]string{"many": "2 indices: many-1, many-2", "none": "no index yet", "around": "could be", placement.PartitionID(strings.Repeat("l", 256)): "shorter id"} {
		if !strings.Contains(why[id], want) {
			t.Errorf("%s stays: %q; want %q", id, why[id], want)
		}
	}
	for what, change := range map[string]func(*control.PackRequest, *control.Loads){
		"by requests":     func(_ *control.PackRequest, l *control.Loads) { l.Unit = control.LoadRequests },
		"no cluster":      func(r *control.PackRequest, _ *control.Loads) { r.Cluster = "z" },
		"no index":        func(r *control.PackRequest, _ *control.Loads) { r.Cluster = "b" },
		"no limit":        func(r *control.PackRequest, _ *control.Loads) { r.Tenant = 0 },
		"below 0":         func(r *control.PackRequest, _ *control.Loads) { r.Total = -1 },
		"another field":   func(r *control.PackRequest, _ *control.Loads) { r.Field = "owner" },
		"nobody is there": func(r *control.PackRequest, _ *control.Loads) { r.Pool = "poolside" },
	} {
		r, of := good, l
		change(&r, &of)
		if p, err := control.PlanPack(of, all, r); err == nil {
			t.Errorf("pack, %s: %+v", what, p)
		}
	}
	for what, r := range map[string]control.UnpackRequest{"nobody's": {Pool: "puddle", Above: -1}, "no cluster": {Pool: "pool", Above: -1, To: []string{"z"}}, "no index": {Above: -1}} {
		if p, err := control.PlanUnpack(l, all, r); err == nil {
			t.Errorf("unpack, %s: %+v", what, p)
		}
	}
	if p, err := control.PlanUnpack(l, all, control.UnpackRequest{Pool: "pool", Above: 6, To: []string{"b"}}); err != nil || len(p.Items) != 1 || p.Items[0].To != "b" || p.Pools[0].After != 0 {
		t.Errorf("unpack: %+v, %v", p, err)
	}
	chosen, err := control.PlanMoves(l, map[placement.PartitionID]control.WaveItem{"in": {To: "b"}})
	if err != nil || len(chosen.Items) != 0 || len(chosen.Stay) != 1 || !strings.Contains(chosen.Stay[0].Stays, "pool, which there is not at b") {
		t.Errorf("to a cluster without that index: %+v, %v", chosen, err)
	}
	chosen, err = control.PlanMoves(l, map[placement.PartitionID]control.WaveItem{"in": {To: "a", Kind: placement.DedicatedIndex, Index: "own"}})
	if err != nil || len(chosen.Items) != 1 || chosen.Items[0].Kind != placement.DedicatedIndex || chosen.Items[0].Index != "own" {
		t.Errorf("into an index of its own: %+v, %v", chosen, err)
	}
}

// waveOptions are those of the tests' waves.
var waveOptions = control.MoveOptions{DrainBarrier: 2 * time.Second, PauseBudget: 3 * time.Second, CutoverDeadline: 4 * time.Second}

// runWave asks for a wave, whose first controller dies at a write of a move or of an
// entry, and returns it when it has ended.
func runWave(t *testing.T, b *bench, r control.WaveRequest, dies int64) control.WaveStatus {
	t.Helper()
	r.Limits = control.WaveLimits{AtOnce: 4, PerSource: 4, PerTarget: 4}
	began := time.Now()
	w, err := control.RequestWave(t.Context(), b.s, r)
	if err != nil {
		t.Fatal(err)
	}
	m := &mortal{Driver: b.d, dead: make(chan struct{}), persist: dies%2 == 0}
	m.left.Store(dies)
	victim := controllerWithWaves(t, store.New(m, nil), "victim")
	select {
	case <-m.dead:
	case <-time.After(2 * time.Minute):
		t.Fatal("that write was never made")
	}
	victim()
	died := time.Since(began)
	stop := controllerWithWaves(t, b.s, "heir")
	defer stop()
	st := awaitWave(t, b.s, w.ID, func(st control.WaveStatus) bool {
		if n := st.Counts[control.ItemMoving]; n > 4 {
			t.Errorf("%d moves at once", n)
		}
		return st.Wave.State.Ended() || st.Wave.State == control.WaveStopped
	})
	if st.Wave.State != control.WaveDone || st.Counts[control.ItemDone] != len(r.Items) {
		t.Fatalf("the wave is %s %s: %v %+v", st.Wave.State, st.Wave.Reason, st.Counts, st.Items)
	}
	t.Logf("%s: %d tenants in %v, the controller died after %v", r.Plan, len(r.Items), time.Since(began), died)
	return st
}

// Some of a dozen tenants move, and go back by a wave; all are packed into a shared index
// but for those that are too large, and the one that has outgrown it leaves it again; each time the
// controller dies on the way. Documents, versions and routings are what they were.
func TestWavesGoBackAndPack(t *testing.T) {
	t.Parallel()
	b := newBench(t, "packer", 1)
	const tenants, moving, large, late = 12, 5, 10, 3
	tenantsNamed(t, b, "pack", tenants)
	pool := placement.Placement{Kind: placement.SharedIndex, Cluster: "b", Index: "packed", Logical: "x", PartitionField: "tenant"}
	b.call(t, "b", http.MethodPut, "/packed", `{"settings":{"number_of_shards":2,"number_of_replicas":0,"gc_deletes":"1s"},"mappings":{"properties":{"tenant":{"type":"keyword"},"n":{"type":"long"}}}}`, nil)
	for n := range 5 {
		for _, i := range []int{large, large + 1} {
			b.call(t, "a", http.MethodPut, fmt.Sprintf("/pack-%02d-0/_doc/more-%d?routing=r", i, n), `{"n":2}`, nil)
		}
		for i := range tenants { // so that versions differ
			b.call(t, "a", http.MethodPut, fmt.Sprintf("/pack-%02d-0/_doc/v?version=%d&version_type=external&refresh=true", i, 10+n), `{"n":3}`, nil)
		}
	}
	at := func(i int) placement.Placement {
		e, err := b.s.State(t.Context(), placement.PartitionID(fmt.Sprintf("pack-%02d", i)))
		if err != nil || e.State.Migrating() {
			t.Fatalf("%d is %s, %v", i, e.State, err)
		}
		return e.State.From
	}
	check := func(i int, version int) {
		t.Helper()
		p, path := at(i), "/_doc/v"
		if p.Kind == placement.SharedIndex {
			tn, err := shared.New(placement.PartitionID(fmt.Sprintf("pack-%02d", i)), "tenant")
			if err != nil {
				t.Fatal(err)
			}
			id, _ := tn.ID("v")
			path = "/_doc/" + url.PathEscape(id) + "?routing=" + url.QueryEscape(tn.Routing(""))
		}
		var got struct {
			Version int             `json:"_version"`
			Source  struct{ N int } `json:"_source"`
		}
		if b.call(t, p.Cluster, http.MethodGet, "/"+p.Index+path, "", &got); got.Version != version || got.Source.N != 3 {
			t.Errorf("%d at %s: %+v", i, p, got)
		}
	}
	st := runWave(t, b, control.WaveRequest{Plan: "forth", Items: itemsNamed("pack", moving), Options: waveOptions}, 17)
	wave, back, err := control.PlanWaveRollback(t.Context(), b.s, st.Wave.ID)
	if err != nil || wave.ID != st.Wave.ID || len(back.Items) != moving || len(back.Stay) != 0 || back.Items[0].Partition != "pack-04" || back.Items[0].To != "a" {
		t.Fatalf("back: %+v, %v", back, err)
	}
	runWave(t, b, control.WaveRequest{Plan: "back", Items: back.Items, Options: waveOptions}, 12)
	for i := range tenants {
		if p := at(i); p.Cluster != "a" || p.Index != fmt.Sprintf("pack-%02d-0", i) {
			t.Errorf("%d is at %s", i, p)
		}
		check(i, 14)
	}
	if _, again, err := control.PlanWaveRollback(t.Context(), b.s, st.Wave.ID); err != nil || len(again.Items) != 0 || len(again.Stay) != moving || !strings.Contains(again.Stay[0].Stays, "was rolled back") {
		t.Errorf("back again: %+v, %v", again, err)
	}

	chosen := func(x control.TenantLoad) bool { return strings.HasPrefix(string(x.Partition), "pack-") }
	loads := func() control.Loads {
		t.Helper()
		b.call(t, "b", http.MethodPost, "/packed/_refresh", "", nil)
		l, err := control.ReadLoads(t.Context(), b.s, control.LoadDocs, 0)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	p, err := control.PlanPack(loads(), chosen, control.PackRequest{Cluster: "b", Pool: "packed", Field: "tenant", Tenant: 5, Total: 100})
	if err != nil || len(p.Items) != tenants-2 || p.Pools[0].After != 2*(tenants-2) || p.Pools[0].TenantsAfter != tenants-2 {
		t.Fatalf("pack: %+v, %v", p, err)
	}
	runWave(t, b, control.WaveRequest{Plan: "pack", Items: p.Items, Options: waveOptions}, 37)
	for i := range tenants {
		want := pool
		want.Logical = fmt.Sprintf("pack-%02d", i)
		if p := at(i); (p == want) != (i < large) {
			t.Errorf("%d is at %s", i, p)
		}
		check(i, 14)
	}
	for n := range 20 {
		path, body := inPool(placement.PartitionID(fmt.Sprintf("pack-%02d", late)), "packed", fmt.Sprintf("grown-%d", n), `{"n":4}`)
		b.call(t, "b", http.MethodPut, path, body, nil)
	}
	l := loads()
	for _, x := range l.Tenants {
		if want := map[bool]float64{true: 22, false: 2}[x.Partition == "pack-03"]; chosen(x) && control.PlaceOf(x).Kind == placement.SharedIndex && x.Load != want {
			t.Errorf("%s has %v documents in the shared index, want %v", x.Partition, x.Load, want)
		}
	}
	if p, err = control.PlanUnpack(l, chosen, control.UnpackRequest{Pool: "packed", Above: 20, To: []string{"a"}}); err != nil || len(p.Items) != 1 || p.Items[0].Partition != "pack-03" || p.Pools[0].After != 2*(tenants-3) {
		t.Fatalf("unpack: %+v, %v", p, err)
	}
	runWave(t, b, control.WaveRequest{Plan: "unpack", Items: p.Items, Options: waveOptions}, 4)
	if p := at(late); p.Kind != placement.DedicatedIndex || p.Cluster != "a" {
		t.Errorf("what has outgrown it is at %s", p)
	}
	check(late, 14)
}

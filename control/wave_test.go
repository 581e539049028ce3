package control_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// randomLoads are some tenants on some clusters.
func randomLoads(r *rand.Rand) control.Loads {
	l := control.Loads{Unit: control.LoadDocs}
	for i := range 2 + r.IntN(4) {
		l.Clusters = append(l.Clusters, string(rune('a'+i)))
	}
	for i := range r.IntN(60) {
		t := control.TenantLoad{Partition: placement.PartitionID(fmt.Sprintf("t%02d", i)), Cluster: l.Clusters[r.IntN(len(l.Clusters))], Load: math.Floor(r.ExpFloat64() * 1000)}
		if r.IntN(10) == 0 {
			t.Stays = "it must"
		}
		l.Tenants = append(l.Tenants, t)
	}
	return l
}

// spread is what the fullest and the emptiest of clusters differ by.
func spread(of []control.ClusterLoad, get func(control.ClusterLoad) float64) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, c := range of {
		lo, hi = min(lo, get(c)), max(hi, get(c))
	}
	return hi - lo
}

// checkPlan says what no plan may do.
func checkPlan(t *testing.T, l control.Loads, p control.WavePlan) {
	t.Helper()
	is := map[placement.PartitionID]control.TenantLoad{}
	at := map[string]float64{}
	for _, x := range l.Tenants {
		is[x.Partition] = x
		at[x.Cluster] += x.Load
	}
	seen := map[placement.PartitionID]bool{}
	for n, i := range p.Items {
		x := is[i.Partition]
		if i.N != n || seen[i.Partition] || x.Stays != "" || i.From != x.Cluster || i.To == i.From || !slices.Contains(l.Clusters, i.To) {
			t.Fatalf("item %d: %+v of %+v", n, i, x)
		}
		seen[i.Partition] = true
		at[i.From] -= x.Load
		at[i.To] += x.Load
	}
	for _, c := range p.Clusters {
		if math.Abs(c.After-at[c.Cluster]) > 1e-6 {
			t.Fatalf("cluster %s is said to have %v, and has %v", c.Cluster, c.After, at[c.Cluster])
		}
	}
}

func TestPlans(t *testing.T) {
	evener := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := randomLoads(r)
		p, err := control.PlanRebalance(l, nil, 0.05)
		if err != nil {
			t.Fatal(err)
		}
		checkPlan(t, l, p)
		before := spread(p.Clusters, func(c control.ClusterLoad) float64 { return c.Before })
		after := spread(p.Clusters, func(c control.ClusterLoad) float64 { return c.After })
		if after > before+1e-6 {
			t.Fatalf("seed %d: rebalancing made %v of %v", seed, after, before)
		}
		if after < before/4 {
			evener++
		}
		from, to := l.Clusters[0], l.Clusters[1:]
		if p, err = control.PlanAllFrom(l, from, to); err != nil {
			t.Fatal(err)
		}
		checkPlan(t, l, p)
		left := 0
		for _, x := range l.Tenants {
			if x.Cluster == from && x.Stays != "" {
				left++
			}
		}
		if len(p.Stay) != left || p.Clusters[0].TenantsAfter != left {
			t.Fatalf("seed %d: %d stay, %d are left, of %d", seed, len(p.Stay), p.Clusters[0].TenantsAfter, left)
		}
	}
	if evener < 1000 {
		t.Errorf("only %d of 2000 were evened out", evener)
	}

	l := control.Loads{Clusters: []string{"a", "b"}, Tenants: []control.TenantLoad{{Partition: "x", Cluster: "a", Load: 3}, {Partition: "y", Cluster: "a", Load: 1}, {Partition: "z", Cluster: "b", Stays: "it must"}}}
	p, err := control.PlanMoves(l, map[placement.PartitionID]control.WaveItem{"x": {To: "b", N: 0, Index: "x-2"}, "y": {To: "a", N: 1}, "z": {To: "a", N: 2}})
	if err != nil || len(p.Items) != 1 || p.Items[0].Partition != "x" || p.Items[0].Index != "x-2" || len(p.Stay) != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	for what, f := range map[string]func() (control.WavePlan, error){
		"unknown tenant": func() (control.WavePlan, error) {
			return control.PlanMoves(l, map[placement.PartitionID]control.WaveItem{"w": {To: "b"}})
		},
		"unknown cluster": func() (control.WavePlan, error) { return control.PlanAllFrom(l, "a", []string{"c"}) },
		"same cluster":    func() (control.WavePlan, error) { return control.PlanAllFrom(l, "a", []string{"b", "a"}) },
		"one cluster":     func() (control.WavePlan, error) { return control.PlanRebalance(l, []string{"a"}, 0.1) },
		"no tolerance":    func() (control.WavePlan, error) { return control.PlanRebalance(l, nil, math.NaN()) },
	} {
		if p, err := f(); err == nil {
			t.Errorf("%s: %+v", what, p)
		}
	}
}

func TestWindows(t *testing.T) {
	for _, bad := range [][2]string{{"22:00", ""}, {"22:00-22:00", ""}, {"25:00-01:00", ""}, {"22:00-06:00", "Mars/Olympus"}, {"", ""}} {
		if w, err := control.ParseWindow(bad[0], bad[1]); err == nil {
			t.Errorf("%q is %v", bad, w)
		}
	}
	w, err := control.ParseWindow("22:00-06:00", "Europe/Berlin")
	if err != nil || w.String() != "22:00-06:00 Europe/Berlin" {
		t.Fatal(w, err)
	}
	for at, open := range map[string]bool{ // Berlin is at +1 in winter and at +2 in summer
		"2026-01-10T20:59:00Z": false, "2026-01-10T21:00:00Z": true, "2026-01-11T04:59:00Z": true, "2026-01-11T05:00:00Z": false,
		"2026-07-10T20:00:00Z": true, "2026-07-11T04:00:00Z": false,
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if is, err := control.WindowOpen(w, when); err != nil || is != open {
			t.Errorf("%s: %v, %v", at, is, err)
		}
	}
}

func waveStore(t *testing.T, b *bench, tenants int) { tenantsNamed(t, b, "wave", tenants) }

func tenantsNamed(t *testing.T, b *bench, name string, tenants int) {
	t.Helper()
	for i := range tenants {
		id := fmt.Sprintf("%s-%02d", name, i)
		pl := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: id + "-0", Logical: id}
		if b.urls != nil {
			b.call(t, "a", http.MethodPut, "/"+pl.Index+"/_doc/1?refresh=true", `{"n":1}`, nil)
		}
		if _, err := b.s.Register(t.Context(), placement.PartitionID(id), pl); err != nil {
			t.Fatal(err)
		}
	}
}

func waveItems(tenants int) []control.WaveItem { return itemsNamed("wave", tenants) }

func itemsNamed(name string, tenants int) (items []control.WaveItem) {
	for i := range tenants {
		items = append(items, control.WaveItem{Partition: placement.PartitionID(fmt.Sprintf("%s-%02d", name, i)), To: "b"})
	}
	return items
}

func controllerWithWaves(t *testing.T, s *store.Store, name string) (stop func()) {
	t.Helper()
	return run(t, control.NewController(s, gate.NewPeers(secret, nil), &control.ControllerOptions{Name: name, TTL: 2 * time.Second, Scan: 50 * time.Millisecond, Workers: 8, Waves: true}))
}

func awaitWave(t *testing.T, s *store.Store, id string, ok func(control.WaveStatus) bool) control.WaveStatus {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		st, err := control.ReadWave(t.Context(), s, id)
		if err != nil {
			t.Fatal(err)
		}
		if ok(st) {
			return st
		}
		if time.Now().After(end) {
			t.Fatalf("waited too long for a wave, which is %+v %v", st.Wave, st.Counts)
		}
	}
}

// A wave of real moves goes on when its controller ends, keeps its limits, stops for
// a failure, and moves every tenant once.
func TestWave(t *testing.T) {
	t.Parallel()
	b := newBench(t, "loner", 1)
	const tenants, most = 12, 3
	waveStore(t, b, tenants)
	items := waveItems(tenants)
	for n := range items {
		items[n].Index = fmt.Sprintf("target-%02d", n)
	}
	w, err := control.RequestWave(t.Context(), b.s, control.WaveRequest{Plan: "test", Items: items, Limits: control.WaveLimits{AtOnce: most, PerSource: most, PerTarget: most},
		Options: control.MoveOptions{DrainBarrier: 2 * time.Second, PauseBudget: 3 * time.Second, CutoverDeadline: 4 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	stop := controllerWithWaves(t, b.s, "c1")
	within := func(st control.WaveStatus) {
		if n := st.Counts[control.ItemMoving]; n > most {
			t.Errorf("%d moves at once", n)
		}
	}
	awaitWave(t, b.s, w.ID, func(st control.WaveStatus) bool { within(st); return st.Counts[control.ItemDone] >= 1 })
	stop()

	// The next item's target exists, so its move is refused. It moves alone, so that
	// those after it still wait when the wave hears of it.
	st, err := control.ReadWave(t.Context(), b.s, w.ID)
	if err != nil {
		t.Fatal(err)
	}
	refused := slices.IndexFunc(st.Items, func(i control.WaveItem) bool { return i.State == control.ItemWaiting })
	if refused < 0 || refused == tenants-1 {
		t.Fatalf("the wave was over before its controller ended: %v", st.Counts)
	}
	b.call(t, "b", http.MethodPut, "/"+items[refused].Index, "", nil)
	limit := func(atOnce int) {
		t.Helper()
		if _, err := control.RequestWaveLimits(t.Context(), b.s, w.ID, control.WaveLimits{AtOnce: atOnce}); err != nil {
			t.Fatal(err)
		}
	}
	limit(1)
	controllerWithWaves(t, b.s, "c2")
	st = awaitWave(t, b.s, w.ID, func(st control.WaveStatus) bool { within(st); return st.Wave.State == control.WaveStopped })
	if st.Counts[control.ItemFailed] != 1 || st.Items[refused].State != control.ItemFailed || !strings.Contains(st.Items[refused].Error, items[refused].Index) || st.Counts[control.ItemWaiting] != tenants-1-refused {
		t.Errorf("%v, %+v", st.Counts, st.Items[refused])
	}
	limit(most)
	if _, err := control.RequestWaveState(t.Context(), b.s, w.ID, control.WaveRunning); err != nil {
		t.Fatal(err)
	}
	st = awaitWave(t, b.s, w.ID, func(st control.WaveStatus) bool { within(st); return st.Wave.State.Ended() })
	if st.Wave.State != control.WaveDone || st.Counts[control.ItemDone] != tenants-1 {
		t.Errorf("%s: %v", st.Wave.State, st.Counts)
	}
	moves, _, err := control.Moves(b.s).List(t.Context())
	if err != nil || len(moves) != tenants {
		t.Errorf("%d moves, %v", len(moves), err)
	}
	for n, i := range st.Items {
		e, err := b.s.State(t.Context(), i.Partition)
		if want := map[bool]string{true: "a", false: "b"}[n == refused]; err != nil || e.State.From.Cluster != want {
			t.Errorf("%s is at %s, %v", i.Partition, e.State, err)
		}
	}
	if _, err := control.RequestWaveState(t.Context(), b.s, w.ID, control.WavePaused); !errors.Is(err, control.ErrSettled) {
		t.Errorf("a wave that has ended was paused: %v", err)
	}
}

// Each write of the records of a wave fails in turn, or fails and took effect, and
// ends the controller; another goes on. No tenant is asked to be moved twice.
func TestWaveKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	const tenants, writes = 2, 5 // which the wave's records need
	urls := clusters(t)
	var died atomic.Int32
	t.Run("kills", func(t *testing.T) {
		for n := 1; n <= writes; n++ {
			for _, persist := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d/%v", n, persist), func(t *testing.T) {
					t.Parallel()
					s, f := newStore(t)
					for name, url := range urls {
						if _, err := s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{url}}, 0); err != nil {
							t.Fatal(err)
						}
					}
					name := fmt.Sprintf("killed-%d-%v", n, persist)
					tenantsNamed(t, &bench{s: s, urls: urls}, name, tenants)
					m := &mortal{Driver: f, dead: make(chan struct{}), persist: persist, only: []string{store.SpaceWaves, store.SpaceWaveItems}}
					m.left.Store(int64(n))
					w, err := control.RequestWave(t.Context(), s, control.WaveRequest{Items: itemsNamed(name, tenants), Limits: control.WaveLimits{AtOnce: 2},
						Options: control.MoveOptions{DrainBarrier: time.Second, PauseBudget: 3 * time.Second, CutoverDeadline: 4 * time.Second}})
					if err != nil {
						t.Fatal(err)
					}
					victim := controllerWithWaves(t, store.New(m, nil), "victim")
					select {
					case <-m.dead:
						died.Add(1)
					case <-time.After(60 * time.Second):
						t.Fatal("that write was never made")
					}
					victim()
					controllerWithWaves(t, s, "heir")
					st := awaitWave(t, s, w.ID, func(st control.WaveStatus) bool { return st.Wave.State.Ended() })
					moves, _, err := control.Moves(s).List(t.Context())
					if err != nil || len(moves) != tenants || st.Counts[control.ItemDone] != tenants {
						t.Errorf("%d moves, %v, %v", len(moves), st.Counts, err)
					}
					for _, i := range st.Items {
						if !slices.ContainsFunc(moves, func(r store.Record[control.Move]) bool {
							return r.Value.ID == i.Move && r.Value.Partition == i.Partition && r.Value.Wave == w.ID
						}) {
							t.Errorf("item %+v has no move", i)
						}
					}
				})
			}
		}
	})
	if died.Load() != 2*writes {
		t.Errorf("%d died", died.Load())
	}
}

// An abort skips what waits and aborts what has not flipped; a pause begins nothing.
func TestWaveAbortAndPause(t *testing.T) {
	s, _ := newStore(t)
	for _, name := range []string{"a", "b"} {
		if _, err := s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{"http://127.0.0.1:1"}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	waveStore(t, &bench{s: s}, 6)
	w, err := control.RequestWave(t.Context(), s, control.WaveRequest{Items: waveItems(6), Paused: true, Limits: control.WaveLimits{PerTarget: 1, StopAfter: -1}})
	if err != nil {
		t.Fatal(err)
	}
	// An item whose controller died between the id and the move.
	items, _, err := control.WaveItems(s).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	half := items[slices.IndexFunc(items, func(r store.Record[control.WaveItem]) bool { return r.Value.N == 3 })]
	half.Value.State, half.Value.Move = control.ItemMoving, "m000000000000000"
	if _, err := control.WaveItems(s).Put(t.Context(), half.Name, half.Value, half.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := control.RequestWaveState(t.Context(), s, w.ID, control.WaveAborting); err != nil {
		t.Fatal(err)
	}
	if _, err := control.RequestWaveState(t.Context(), s, w.ID, control.WaveRunning); !errors.Is(err, control.ErrSettled) {
		t.Errorf("a wave that is aborting was resumed: %v", err)
	}
	controllerWithWaves(t, s, "c1")
	st := awaitWave(t, s, w.ID, func(st control.WaveStatus) bool { return st.Wave.State.Ended() })
	if st.Wave.State != control.WaveAborted || st.Counts[control.ItemSkipped] != 6 {
		t.Errorf("%s: %v", st.Wave.State, st.Counts)
	}
	moves, _, err := control.Moves(s).List(t.Context())
	if err != nil || len(moves) != 1 || moves[0].Value.ID != "m000000000000000" || moves[0].Value.Stage != control.StageAborted {
		t.Errorf("%+v, %v: a move that is created late must find its place taken", moves, err)
	}

	w, err = control.RequestWave(t.Context(), s, control.WaveRequest{Items: waveItems(6), Windows: []control.Window{closedNow()}})
	if err != nil {
		t.Fatal(err)
	}
	awaitWave(t, s, w.ID, func(st control.WaveStatus) bool { return strings.Contains(st.Wave.Reason, "waiting for its hours") })
	if w, err = control.RequestWaveState(t.Context(), s, w.ID, control.WavePaused); err != nil || w.State != control.WavePaused {
		t.Fatal(w, err)
	}
	if w, err = control.RequestWaveLimits(t.Context(), s, w.ID, control.WaveLimits{AtOnce: 7}); err != nil || w.Limits.AtOnce != 7 || w.Limits.PerSource != 2 {
		t.Fatal(w.Limits, err)
	}
	for what, r := range map[string]control.WaveRequest{
		"nobody":    {},
		"twice":     {Items: append(waveItems(1), waveItems(1)...)},
		"unknown":   {Items: []control.WaveItem{{Partition: "nobody", To: "b"}}},
		"nowhere":   {Items: []control.WaveItem{{Partition: "wave-00", To: "z"}}},
		"no limits": {Items: waveItems(1), Limits: control.WaveLimits{AtOnce: -1}},
	} {
		if _, err := control.RequestWave(t.Context(), s, r); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	if all, _, err := control.Waves(s).List(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("%d waves, %v", len(all), err)
	}
}

// closedNow is a window that is not open for hours.
func closedNow() control.Window {
	m := time.Now().UTC().Hour()*60 + 12*60
	return control.Window{From: m % 1440, To: (m + 1) % 1440, Zone: "UTC"}
}

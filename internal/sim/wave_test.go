package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// 500 tenants move as one wave while two controllers share the work and are killed in
// turn: each moves once, all of its documents arrive, the wave keeps its limits, and what
// is asked of the store grows with the moves and not with their number times the time. Then all old
// copies are retired.
func TestWaveOf500(t *testing.T) {
	const tenants, docs, atOnce = 500, 3, 8
	synctest.Test(t, func(t *testing.T) {
		cryptotest.SetGlobalRandom(t, 1)
		var mu sync.Mutex
		calls, drove := map[string]int{}, map[string]int{}
		w := newWorld(t, 1, &Options{Calm: true, Sessions: true, Proxies: 1, Controllers: 2, waves: true, asked: func(who, kind, space string) {
			mu.Lock()
			defer mu.Unlock()
			calls[kind+" "+space]++
			if kind == "write" && space == store.SpaceMoves {
				drove[who]++
			}
		}})
		life, end := context.WithCancel(context.Background())
		w.life = life
		w.setUp(life)
		items := make([]control.WaveItem, tenants)
		for n := range items {
			id := placement.PartitionID(fmt.Sprintf("t%03d", n))
			x := w.clusters["a"].create(string(id)+"-docs", 1, map[string]string{}, json.RawMessage(`{}`), map[string]map[string]any{})
			for d := range docs {
				x.shards[0].seq++
				x.shards[0].docs[fmt.Sprint(d)] = &document{ID: fmt.Sprint(d), Version: int64(1 + n%5), Seq: x.shards[0].seq, Source: json.RawMessage(fmt.Sprintf(`{"of":%q,"n":%d}`, id, d))}
			}
			_, err := w.truth.Register(life, id, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: x.name, Logical: "docs"})
			w.must(err)
			items[n] = control.WaveItem{Partition: id, To: "b"}
		}
		for _, name := range []string{"proxy-1", "controller-1", "controller-2"} {
			w.start(name)
		}
		wave, err := control.RequestWave(life, w.truth, control.WaveRequest{Items: items, Limits: control.WaveLimits{AtOnce: atOnce, PerSource: atOnce, PerTarget: atOnce}})
		w.must(err)

		var st control.WaveStatus
		kills, eta := 0, []time.Duration{}
		began := time.Now()
		for time.Since(began) < 2*time.Hour {
			time.Sleep(730 * time.Millisecond) // in another phase than the controllers
			st, err = control.ReadWave(life, w.truth, wave.ID)
			w.must(err)
			if n := st.Counts[control.ItemMoving]; n > atOnce {
				t.Fatalf("%d moves at once", n)
			}
			done := st.Counts[control.ItemDone]
			if done >= 100*(kills+1) && kills < 4 {
				eta = append(eta, st.ETA)
				name := fmt.Sprintf("controller-%d", 1+kills%2)
				w.process(name).kill()
				w.start(name)
				kills++
			}
			if st.Wave.State.Ended() || st.Wave.State == control.WaveStopped {
				break
			}
		}
		took := time.Since(began)
		if st.Wave.State != control.WaveDone || st.Counts[control.ItemDone] != tenants || kills != 4 {
			t.Fatalf("%s (%s) after %s and %d kills: %v", st.Wave.State, st.Wave.Reason, took, kills, st.Counts)
		}
		moves, again := w.moves(), 0
		for _, m := range moves {
			if m.Attempt > 1 {
				again++
			}
		}
		if len(moves) != tenants || again == 0 {
			t.Errorf("%d moves, of which %d had more than one driver", len(moves), again)
		}
		for n, i := range st.Items {
			if i.N != n || i.Partition != items[n].Partition {
				t.Fatalf("item %d is %+v", n, i)
			}
			e, err := w.truth.State(life, i.Partition)
			w.must(err)
			x := w.clusters["b"].indices[e.State.From.Index]
			if e.State.From.Cluster != "b" || x == nil || e.Incarnation != 1 || e.PreviousMove != i.Move {
				t.Fatalf("%s is %+v", i.Partition, e)
			}
			old := w.clusters["a"].indices[string(i.Partition)+"-docs"]
			for id, d := range old.shards[0].docs {
				got := x.shards[0].docs[id]
				if got == nil || got.deleted || got.Version != d.Version || string(got.Source) != string(d.Source) || len(x.shards[0].docs) != docs {
					t.Fatalf("document %s of %s is %+v", id, i.Partition, got)
				}
			}
		}
		// At 100 done the rest takes four times what was, within a wide margin.
		if left := took - took/5; len(eta) == 0 || eta[0] < left/3 || eta[0] > left*3 {
			t.Errorf("after a fifth of %s it was said to end in %s", took, eta)
		}
		mu.Lock()
		t.Logf("%d tenants in %s of their time, %d kills, %d moves had several drivers, ETAs %s; moves written by %v; asked of the store: %v", tenants, took.Round(time.Second), kills, again, eta, drove, calls)
		for what, most := range map[string]int{
			"list " + store.SpaceMoves:     tenants + 100 + int(took.Seconds()/10), // one for each that begins
			"list " + store.SpaceWaveItems: 100,
			"list " + store.SpaceTrash:     tenants*2 + 2*int(took.Seconds()) + 100,
			"write " + store.SpaceMoves:    tenants * 20,
		} {
			if calls[what] > most {
				t.Errorf("%s: %d times, and %d would do", what, calls[what], most)
			}
		}
		for _, name := range []string{"controller-1", "controller-2"} {
			if drove[name] < tenants {
				t.Errorf("the controllers do not share the work: %v", drove)
			}
		}
		mu.Unlock()

		if _, err := control.RequestWaveRetire(life, w.truth, wave.ID, control.RetireRequest{}); err != nil {
			t.Fatal(err)
		}
		gone := w.await(time.Hour, func() bool {
			all, err := control.ReadWaveRetire(life, w.truth, wave.ID)
			w.must(err)
			return len(all) == tenants && !slices.ContainsFunc(all, func(r control.WaveRetire) bool { return r.State != control.RetireGone })
		})
		if !gone || len(w.clusters["a"].indices) != 1 || len(w.clusters["b"].indices) != tenants {
			t.Errorf("after retiring all there are %d at a and %d at b", len(w.clusters["a"].indices), len(w.clusters["b"].indices))
		}
		if len(w.breaches) > 0 {
			t.Error(w.breaches)
		}
		end()
		for _, p := range w.all {
			p.cancel()
		}
		for _, p := range w.all {
			p.done.Wait()
		}
		w.wires.Wait()
		w.must(w.store.Close())
	})
}

package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/store"
)

// Plant is something that must not be, and what the checker has to say about it.
type Plant struct {
	Name, Want string
	plant
}

// RunPlanted is a calm run with a plant.
func RunPlanted(t *testing.T, seed uint64, p Plant) Result {
	return Run(t, seed, &Options{Calm: true, Sessions: true, Load: 20 * time.Second, plant: p.plant})
}

// tampered changes answers to reads, or to writes.
func tampered(reads bool, change func(*httptest.ResponseRecorder)) plant {
	return plant{answer: func(rec *httptest.ResponseRecorder) {
		if strings.Contains(rec.Body.String(), `"found"`) == reads {
			change(rec)
		}
	}}
}

func refused(code int) func(*httptest.ResponseRecorder) {
	return func(rec *httptest.ResponseRecorder) {
		rec.Code = code
		rec.Body.Reset()
		rec.Body.WriteString(`{"error":{}}`)
	}
}

// home is the tenant's index, once it has flipped, and the copy that it left; nil
// if that has been retired.
func (w *World) home() (now, old *index) {
	flipped := func() bool {
		e, err := w.truth.State(w.life, tenant)
		if err != nil || e.Incarnation == 0 || e.State.Migrating() {
			return false
		}
		now, old = w.clusters[e.State.From.Cluster].indices[e.State.From.Index], nil
		if !e.Previous.IsZero() {
			old = w.clusters[e.Previous.Cluster].indices[e.Previous.Index]
		}
		return true
	}
	w.await(time.Hour, flipped)
	return now, old
}

// held runs f under the locks of the clusters.
func held(f func(w *World, now, old *index)) func(*World) {
	return func(w *World) {
		now, old := w.home()
		for _, n := range []string{"a", "b"} {
			w.clusters[n].mu.Lock()
			defer w.clusters[n].mu.Unlock()
		}
		f(w, now, old)
	}
}

// away is where the tenant is not.
func (w *World) away(now *index) (*cluster, *index) {
	for _, n := range []string{"a", "b"} {
		c := w.clusters[n]
		for _, x := range slices.SortedFunc(maps.Values(c.indices), func(a, b *index) int { return strings.Compare(a.name, b.name) }) {
			if x != now {
				return c, x
			}
		}
	}
	c := w.clusters["a"]
	return c, c.create("elsewhere", 1, map[string]string{}, json.RawMessage(`{}`), map[string]map[string]any{})
}

func anyDocument(x *index) *document {
	for _, s := range x.shards {
		for _, id := range slices.Sorted(maps.Keys(s.docs)) {
			if !s.docs[id].deleted {
				return s.docs[id]
			}
		}
	}
	d := &document{ID: "d0", Version: 1}
	x.shardOf("d0", "").docs["d0"] = d
	return d
}

// Plants are one for each thing that the checker looks at.
func Plants() []Plant {
	write := operation{id: "d0", ifSeq: -1, source: json.RawMessage(`{"v":"planted"}`)}
	moved := operation{id: "d0", ifSeq: -1, version: 7, internal: true, source: json.RawMessage(`{"v":"planted"}`)}
	return append([]Plant{
		{"a write after the flip", "M1: a write of proxy-1", plant{during: held(func(w *World, now, _ *index) {
			c, x := w.away(now)
			delete(x.settings, "index.blocks.write")
			c.apply(x, write, "proxy-1")
			x.settings["index.blocks.write"] = "true"
		})}},
		{"a stale read", "M2: a read in", tampered(true, func(rec *httptest.ResponseRecorder) { rec.Header().Set("X-Sluice-Epoch", "1") })},
		{"a write to a fenced copy", "M2: a write of proxy-1 to d0 reached", plant{during: held(func(w *World, now, _ *index) {
			c, x := w.away(now)
			x.settings["index.blocks.write"] = "true"
			c.apply(x, write, "proxy-1")
		})}},
		{"a way back to nothing", "M2: the entry leads back", plant{settled: func(w *World) {
			e, err := w.truth.State(w.life, tenant)
			w.must(err)
			delete(w.clusters[e.Previous.Cluster].indices, e.Previous.Index)
		}}},
		{"a mover's write to where nothing moves", "M3: the mover of", plant{during: held(func(w *World, now, _ *index) {
			c, x := w.away(now)
			delete(x.settings, "index.blocks.write")
			c.apply(x, moved, "controller-1")
			x.settings["index.blocks.write"] = "true"
		})}},
		{"a mover's delete where nothing moves", "M3: the mover of controller-1 changed", plant{during: held(func(w *World, now, _ *index) {
			c, x := w.away(now)
			delete(x.settings, "index.blocks.write")
			c.apply(x, operation{id: "d0", ifSeq: -1, delete: true}, "controller-1")
			x.settings["index.blocks.write"] = "true"
		})}},
		{"an index that is left", "M3: b/left is left", plant{settled: held(func(w *World, _, _ *index) {
			w.clusters["b"].create("left", 1, map[string]string{}, json.RawMessage(`{}`), map[string]map[string]any{})
		})}},
		{"an index's name again", "was used for a second index", plant{during: held(func(w *World, _, _ *index) {
			w.clusters["b"].createIndex("again", []byte(`{}`))
			delete(w.clusters["b"].indices, "again")
			w.clusters["b"].createIndex("again", []byte(`{}`))
			delete(w.clusters["b"].indices, "again")
		})}},
		{"a write alias that is left", "still has the alias", plant{settled: held(func(_ *World, now, _ *index) { now.aliases["sluice-x"] = map[string]any{} })}},
		{"a block that is left", "is blocked", plant{settled: held(func(_ *World, now, _ *index) { now.settings["index.blocks.write"] = "true" })}},
		{"an old copy without a fence", "is not fenced", plant{settled: held(func(w *World, _, old *index) {
			delete(old.settings, "index.blocks.write")
		})}},
		{"the tenant's index deleted", "is deleted while the tenant is", plant{settled: func(w *World) {
			e, err := w.truth.State(w.life, tenant)
			w.must(err)
			w.clusters[e.State.From.Cluster].serve("DELETE", "/"+e.State.From.Index, nil, nil, "controller-1")
		}}},
		{"a read of a deleted copy", "M4: a read met a copy", tampered(true, refused(404))},
		{"a lost write", "M4/M5: the history of", plant{settled: held(func(_ *World, now, _ *index) { anyDocument(now).Source = json.RawMessage(`{"v":"v0"}`) })}},
		{"another version", "had version", plant{settled: held(func(_ *World, now, _ *index) { anyDocument(now).Version += 100 })}},
		{"a lost field", "M5: ", plant{settled: held(func(w *World, now, _ *index) {
			w.fields = append(w.fields, "f0")
			now.mappings = json.RawMessage(`{}`)
		})}},
		{"a move that calls it drift", "M5: move", plant{settled: func(w *World) {
			m := w.moves()[0]
			r, err := control.Moves(w.truth).Get(w.life, m.ID)
			w.must(err)
			r.Value.Error = "somebody writes around the proxies"
			_, err = control.Moves(w.truth).Put(w.life, m.ID, r.Value, r.Version)
			w.must(err)
		}}},
	}, morePlants()...)
}

// morePlants are about what ends, and who is accounted for.
func morePlants() []Plant {
	return []Plant{
		{"a move that never ends", "M6: move", plant{during: func(w *World) {
			s, err := w.truth.OpenSession(w.life, store.Info{Kind: store.KindController, Name: "nobody"}, store.Report{}, nil)
			w.must(err)
			_, err = control.Moves(w.truth).Put(w.life, "m-planted", control.Move{ID: "m-planted", Partition: "other", Stage: control.StageCopying, Owner: s.ID()}, 0)
			w.must(err)
			_ = s.Run(w.life)
		}}},
		{"a cutover that lasts", "M6: a cutover lasted", plant{settled: func(w *World) {
			w.mu.Lock()
			defer w.mu.Unlock()
			last := w.epochs[len(w.epochs)-1]
			w.epochs = append(w.epochs, change{last.epoch + 1, placement.Cutover, last.at}, change{last.epoch + 2, placement.Active, last.at + time.Minute})
		}}},
		{"a failure for no reason", "nothing went wrong with anything but a controller, and", tampered(false, refused(503))},
		{"a write's ticket that never ends", "does not come to rest", plant{during: func(w *World) {
			w.await(time.Minute, func() bool { return w.process("proxy-1").ready() })
			_, err := w.process("proxy-1").gate.Write(context.Background(), tenant, 1)
			w.must(err)
		}}},
		{"a read's ticket that never ends", "a session has something left", plant{during: func(w *World) {
			w.await(time.Minute, func() bool { return w.process("proxy-1").ready() })
			_, err := w.process("proxy-1").gate.Read(context.Background(), tenant)
			w.must(err)
		}}},
		{"a hold beyond its bound", "a write was held for", tampered(false, func(rec *httptest.ResponseRecorder) { rec.Header().Set("X-Sluice-Held-Ms", "60000") })},
		{"a process that is not accounted for", "still on the roster", plant{settled: func(w *World) {
			w.wires.Go(func() {
				for w.life.Err() == nil {
					_, _ = w.truth.OpenSession(w.life, store.Info{Kind: store.KindProxy, Name: "nobody"}, store.Report{}, &store.SessionOptions{TTL: time.Second})
					time.Sleep(5 * time.Second)
				}
			})
		}}},
		{"a physical name", "an answer shows a physical name", tampered(true, func(rec *httptest.ResponseRecorder) { rec.Body.WriteString("acme-docs") })},
		{"the tenant unknown", "the tenant is said not to be", tampered(true, func(rec *httptest.ResponseRecorder) { rec.Body.WriteString(proxy.TypeUnknownTenant) })},
		{"half a bulk's answer", "a bulk was answered with", plant{answer: func(rec *httptest.ResponseRecorder) {
			if strings.Contains(rec.Body.String(), `"items"`) {
				rec.Body.Reset()
				rec.Body.WriteString(`{"items":[]}`)
			}
		}}},
	}
}

// RunWaveOf500: 500 tenants move as one wave while two controllers share the work and are killed in
// turn: each moves once, all of its documents arrive, the wave keeps its limits, and what
// is asked of the store grows with the moves and not with their number times the time. Then all old
// copies are retired.
func RunWaveOf500(t *testing.T) {
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

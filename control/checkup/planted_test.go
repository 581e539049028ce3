package checkup_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/control/checkup"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// planted is one state that does not belong, and how it is healed: by the doctor
// (nil), by persons, or by a controller alone. Whatever it is, a controller runs
// afterwards, and then nothing is found any more.
type planted struct {
	code    string
	subject string
	plant   func(w *world)
	heal    func(w *world) // what a person does; nil: nothing
	after   func(w *world) // what else must hold in the end
}

const oldWave = "w000000000aaaaaa" // of 1970

var states = []planted{
	{code: "entry_corrupt", subject: "tenant acme", plant: func(w *world) {
		w.tenant()
		w.raw(store.SpaceEntries, "acme", `{"v":1,"phase":"Wandering"}`)
	}, after: func(w *world) {
		if _, err := w.s.State(w.t.Context(), "acme"); !errors.Is(err, placement.ErrUnknownPartition) {
			w.t.Errorf("the entry: %v", err)
		}
	}},
	{code: "entry_move_gone", subject: "tenant acme", plant: func(w *world) {
		w.tenant()
		w.remove(store.SpaceMoves, w.half().ID)
	}, after: back},
	{code: "entry_move_ended", subject: "tenant acme", plant: func(w *world) {
		w.tenant()
		m := w.half()
		change(w, m.ID, func(m *control.Move) { m.Stage, m.Owner = control.StageAborted, "" })
	}, after: back},
	{code: "flip_lost", subject: "tenant acme", plant: func(w *world) {
		w.tenant()
		old := w.entry()
		m := w.flip()
		if m.Receipt.Fence != control.FenceClean {
			w.t.Fatalf("the fence: %s", m.Receipt.Fence)
		}
		w.raw(store.SpaceEntries, "acme", string(store.EncodeEntry(old)))
	}, after: func(w *world) {
		if e := w.entry(); e.State.From != w.place("new") || e.Previous != w.place("acme") {
			w.t.Errorf("the entry is %s", e.State)
		}
	}},
	{code: "previous_move_gone", subject: "tenant acme", plant: func(w *world) {
		w.tenant()
		w.remove(store.SpaceMoves, w.flip().ID)
	}, after: func(w *world) {
		_, err := control.RequestRetire(w.t.Context(), w.s, w.entry().PreviousMove)
		w.must(err)
		w.until("the old copy is retired", func() bool { return !w.exists(w.place("acme").Index) })
	}},
	{code: "entry_cluster_unknown", subject: "tenant acme", plant: func(w *world) {
		_, err := w.s.Register(w.t.Context(), "acme", placement.Placement{Kind: placement.DedicatedCluster, Cluster: "b"})
		w.must(err)
	}, heal: func(w *world) { w.cluster("b", w.endpoint()) }},
	{code: "place_taken_twice", subject: "tenant acme", plant: func(w *world) {
		w.tenant()
		_, err := w.s.Register(w.t.Context(), "initech", placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: w.name + "-*"})
		w.must(err)
	}, heal: func(w *world) { w.must(w.s.Remove(w.t.Context(), "initech")) }},
	{code: "index_missing", subject: "tenant acme", plant: func(w *world) {
		w.tenant()
		w.call("DELETE", "/"+w.place("acme").Index, "", nil)
	}, heal: func(w *world) { w.call("PUT", "/"+w.place("acme").Index, "", nil) }},

	{code: "move_corrupt", subject: "move m1", plant: func(w *world) { w.raw(store.SpaceMoves, "m1", `{"stage":1}`) }},
	{code: "move_without_driver", plant: func(w *world) {
		w.tenant()
		m := w.half()
		if m.Owner == "" {
			w.t.Fatal("nobody drove it")
		}
		_, err := control.RequestAbort(w.t.Context(), w.s, m.ID)
		w.must(err)
	}, after: back},
	{code: "move_without_entry", plant: func(w *world) {
		w.tenant()
		w.half()
		w.remove(store.SpaceEntries, "acme")
	}, after: func(w *world) { w.gone("new") }},
	{code: "move_cluster_unknown", subject: "move m1", plant: func(w *world) {
		w.tenant()
		to := w.place("new")
		to.Cluster = "b"
		w.put(control.Move{ID: "m1", Partition: "acme", From: w.place("acme"), To: to, Stage: control.StageAborting, AbortRequested: true})
	}, heal: func(w *world) { w.cluster("b", w.endpoint()) }},
	{code: "retire_waits", plant: func(w *world) {
		w.tenant()
		m := w.flip()
		var pit struct {
			ID string `json:"pit_id"`
		}
		w.call("POST", "/"+m.From.Index+"/_search/point_in_time?keep_alive=10m", "", &pit)
		_, err := control.RequestRetire(w.t.Context(), w.s, m.ID)
		w.must(err)
	}, heal: func(w *world) { w.call("DELETE", "/_search/point_in_time/_all", "", nil) },
		after: func(w *world) { w.gone("acme") }},
	{code: "no_controller", subject: "table controllers", plant: func(w *world) {
		w.tenant()
		w.request(control.MoveOptions{})
	}},

	{code: "wave_corrupt", subject: "wave w1", plant: func(w *world) { w.raw(store.SpaceWaves, "w1", `[]`) }},
	{code: "item_corrupt", subject: "item w1-000000", plant: func(w *world) { w.raw(store.SpaceWaveItems, "w1-000000", `7`) }},
	{code: "wave_without_driver", subject: "wave " + oldWave, plant: func(w *world) {
		w.wave(control.WaveAborting, "a session that is gone")
	}},
	{code: "item_without_move", subject: "item " + oldWave + "-000000", plant: func(w *world) {
		w.tenant()
		w.wave(control.WaveAborting, "")
		w.item(control.ItemMoving)
	}},
	{code: "item_without_wave", subject: "wave " + oldWave, plant: func(w *world) { w.item(control.ItemWaiting) }, after: func(w *world) {
		if _, err := control.Waves(w.s).Put(w.t.Context(), oldWave, control.Wave{ID: oldWave}, 0); !errors.Is(err, store.ErrConflict) {
			w.t.Errorf("whoever was still about to create the wave: %v", err)
		}
	}},
	{code: "item_not_ended", subject: "item " + oldWave + "-000000", plant: func(w *world) {
		w.wave(control.WaveDone, "")
		w.item(control.ItemWaiting)
	}},
	{code: "label_without_tenant", subject: "tenant ghost", plant: func(w *world) { w.raw(store.SpaceLabels, "ghost", `{"a":"b"}`) }},
	{code: "trash_corrupt", subject: "trash m0", plant: func(w *world) { w.raw(store.SpaceTrash, "m0", `{"move":1}`) }},
	{code: "label_corrupt", subject: "tenant ghost", plant: func(w *world) { w.raw(store.SpaceLabels, "ghost", `{"a":1}`) }},

	{code: "roster_corrupt", subject: "process p1", plant: func(w *world) { w.raw(store.SpaceRoster, "p1", `{`) }},
	{code: "session_corrupt", subject: "process p1", plant: func(w *world) { w.raw(store.SpaceSessions, "p1", `{`) },
		heal: func(w *world) { w.remove(store.SpaceSessions, "p1") }}, // as its lease does
	{code: "roster_without_session", subject: "process p1", plant: func(w *world) { w.raw(store.SpaceRoster, "p1", `{"kind":"proxy","name":"p"}`) }},
	{code: "journal_left", subject: "process p1", plant: func(w *world) {
		w.raw(store.SpaceSessions, "p1", `{"kind":"proxy","name":"p","applied":1,"journals":{"acme":{"head":7}}}`)
	}, heal: func(w *world) { w.raw(store.SpaceSessions, "p1", `{"kind":"proxy","name":"p","applied":1}`) }}, // as the proxy does
	{code: "cluster_corrupt", subject: "cluster b", plant: func(w *world) { w.raw(store.SpaceClusters, "b", `"b"`) }},
	{code: "cluster_unreachable", subject: "cluster b", plant: func(w *world) { w.cluster("b", "http://127.0.0.1:1") },
		heal: func(w *world) { w.remove(store.SpaceClusters, "b") }},

	{code: "target_left", plant: func(w *world) {
		w.tenant()
		w.put(control.Move{ID: "mleft", Partition: "acme", From: w.place("acme"), To: w.place("new"), Stage: control.StageFailed, Attempt: 3})
		w.call("PUT", "/"+w.place("new").Index, `{"aliases":{"sluice-move-mleft":{"is_hidden":true},"sluice-mleft-2-1-0":{}}}`, nil)
	}, after: func(w *world) { w.gone("new") }},
	{code: "target_unknown", plant: func(w *world) {
		w.call("PUT", "/"+w.place("new").Index, `{"aliases":{"sluice-move-mghost":{"is_hidden":true},"sluice-mghost-2-1-0":{}}}`, nil)
	}, after: func(w *world) { w.gone("new") }},
	{code: "alias_left", plant: func(w *world) {
		w.tenant()
		m := w.flip()
		w.call("POST", "/_aliases", fmt.Sprintf(`{"actions":[{"add":{"index":%q,"alias":"sluice-%s-1-9-0"}}]}`, m.To.Index, m.ID), nil)
	}},
	{code: "block_left", plant: func(w *world) {
		w.tenant()
		w.put(control.Move{ID: "mleft", Partition: "acme", From: w.place("acme"), To: w.place("new"), Stage: control.StageAborted})
		w.call("POST", "/_aliases", fmt.Sprintf(`{"actions":[{"add":{"index":%q,"alias":"sluice-mleft-1-1-drain-0"}}]}`, w.place("acme").Index), nil)
		w.call("PUT", "/"+w.place("acme").Index+"/_block/write", "", nil)
	}, after: writable},
	{code: "block_foreign", plant: func(w *world) {
		w.tenant()
		w.call("PUT", "/"+w.place("acme").Index+"/_block/write", "", nil)
	}, after: writable},
	{code: "fence_missing", plant: func(w *world) {
		w.tenant()
		m := w.flip()
		w.call("PUT", "/"+m.From.Index+"/_settings", `{"index.blocks.write":null}`, nil)
	}, after: func(w *world) {
		if err := w.c.JSON(w.t.Context(), http.MethodPut, "/"+w.place("acme").Index+"/_doc/x", nil, []byte(`{}`), nil); err == nil {
			w.t.Error("the old copy takes writes")
		}
	}},
	{code: "snapshot_left", plant: func(w *world) {
		w.tenant()
		w.repository("")
		w.put(control.Move{ID: "mleft", Partition: "acme", From: w.place("acme"), To: w.place("new"), Stage: control.StageAborted, Seed: &mover.Seed{Repository: w.name + "-repo", Step: mover.SeedTaking}})
		w.snapshot("sluice-mleft-2-1", "mleft")
		// Somebody else's, or of moves that the record does not speak of.
		w.snapshot("sluice-mleft-2-2", "")
		w.snapshot("sluice-mleft-1-1-x", "mleft")
		w.snapshot("nightly", "")
	}, after: func(w *world) {
		if got, want := w.snapshots(), []string{"nightly", "sluice-mleft-1-1-x", "sluice-mleft-2-2"}; !slices.Equal(got, want) {
			w.t.Errorf("the repository has %q, want %q", got, want)
		}
	}},
	{code: "snapshot_unknown", plant: func(w *world) {
		w.tenant()
		w.repository("")
		w.snapshot("sluice-mghost-1-1", "mghost")
	}, heal: func(w *world) {
		if len(w.snapshots()) != 1 {
			w.t.Error("it is gone")
		}
		w.call("DELETE", "/_snapshot/"+w.name+"-repo/sluice-mghost-1-1", "", nil)
	}},
	{code: "repository_unreadable", plant: func(w *world) {
		w.put(control.Move{ID: "mleft", Partition: "acme", From: w.place("acme"), To: w.place("new"), Stage: control.StageAborted, Seed: &mover.Seed{Repository: w.name + "-repo"}})
		dir := w.repository("?verify=false")
		w.must(os.WriteFile(dir, []byte("no directory"), 0o600))
	}, heal: func(w *world) { w.call("DELETE", "/_snapshot/"+w.name+"-repo", "", nil) }},
	{code: "orphan_documents", plant: func(w *world) {
		p := placement.Placement{Kind: placement.SharedIndex, Cluster: "a", Index: w.name + "-pool", Logical: "docs", PartitionField: "tenant"}
		w.call("PUT", "/"+p.Index, `{"settings":{"number_of_shards":2,"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`, nil)
		_, err := w.s.Register(w.t.Context(), "acme", p)
		w.must(err)
		for _, id := range []placement.PartitionID{"acme", `gh"ost/1`} {
			tn, err := shared.New(id, "tenant")
			w.must(err)
			for n := range 20 {
				source, err := tn.Document(nil, []byte(`{"n":1}`))
				w.must(err)
				at, err := tn.ID(fmt.Sprint(n))
				w.must(err)
				w.must(w.c.JSON(w.t.Context(), http.MethodPut, "/"+p.Index+"/_doc/"+url.PathEscape(at), url.Values{"routing": {tn.Routing("")}, "refresh": {"true"}}, source, nil))
			}
		}
	}, after: func(w *world) {
		var n struct{ Count int64 }
		w.call("GET", "/"+w.name+"-pool/_count", "", &n)
		if n.Count != 20 {
			w.t.Errorf("%d documents are left, and acme has 20", n.Count)
		}
	}},
}

// repository registers one of the world's own, and returns where it is.
func (w *world) repository(query string) string {
	w.t.Helper()
	dir := filepath.Join(enginetest.SharedOpenSearch(w.t, engines.OpenSearch2).SnapshotDir(), w.name)
	w.call("PUT", "/_snapshot/"+w.name+"-repo"+query, fmt.Sprintf(`{"type":"fs","settings":{"location":%q,"max_snapshot_bytes_per_sec":"20kb"}}`, dir), nil)
	return dir
}

// snapshot takes one of no index, with the note of a move if one is given.
func (w *world) snapshot(name, move string) {
	w.t.Helper()
	note := "{}"
	if move != "" {
		note = fmt.Sprintf(`{"taken_by":"sluice move %s, which deletes it"}`, move)
	}
	w.call("PUT", "/_snapshot/"+w.name+"-repo/"+name+"?wait_for_completion=true", `{"indices":"-*","include_global_state":false,"metadata":`+note+`}`, nil)
}

func (w *world) snapshots() []string {
	w.t.Helper()
	var ans struct{ Snapshots []struct{ Snapshot string } }
	w.call("GET", "/_snapshot/"+w.name+"-repo/_all?verbose=false", "", &ans)
	var out []string
	for _, s := range ans.Snapshots {
		out = append(out, s.Snapshot)
	}
	slices.Sort(out)
	return out
}

func change(w *world, id string, f func(*control.Move)) {
	w.t.Helper()
	r, err := control.Moves(w.s).Get(w.t.Context(), id)
	w.must(err)
	f(&r.Value)
	_, err = control.Moves(w.s).Put(w.t.Context(), id, r.Value, r.Version)
	w.must(err)
}

func (w *world) endpoint() string {
	r, err := w.s.Clusters().Get(w.t.Context(), "a")
	w.must(err)
	return r.Value.Endpoints[0]
}

func (w *world) wave(state control.WaveState, owner string) {
	_, err := control.Waves(w.s).Put(w.t.Context(), oldWave, control.Wave{ID: oldWave, State: state, Owner: owner, Items: 1}, 0)
	w.must(err)
}

func (w *world) item(state control.ItemState) {
	i := control.WaveItem{Wave: oldWave, Partition: "acme", To: "a", Index: w.name + "-new", State: state}
	if state == control.ItemMoving {
		i.Move = "m000000000aaaaaa"
	}
	_, err := control.WaveItems(w.s).Put(w.t.Context(), oldWave+"-000000", i, 0)
	w.must(err)
}

func (w *world) gone(index string) {
	w.t.Helper()
	w.until(index+" is gone", func() bool { return !w.exists(w.place(index).Index) })
}

// back: acme lives where it was, with what it had, and nothing is at the target.
func back(w *world) {
	w.t.Helper()
	w.until("it is back", func() bool { return !w.entry().State.Migrating() })
	var n struct{ Count int64 }
	w.call("GET", "/"+w.place("acme").Index+"/_count", "", &n)
	if e := w.entry(); e.State.Migrating() || e.State.From != w.place("acme") || n.Count != 3 {
		w.t.Errorf("%s with %d documents", e.State, n.Count)
	}
	w.gone("new")
}

func writable(w *world) {
	w.t.Helper()
	w.call("PUT", "/"+w.place("acme").Index+"/_doc/x", `{}`, nil)
}

// Every kind of finding is planted, found, healed as its kind says, and then not
// found any more, nor anything else that a person would have to see to.
func TestPlanted(t *testing.T) {
	for _, k := range checkup.Kinds {
		if !slices.ContainsFunc(states, func(p planted) bool { return p.code == k.Code }) {
			t.Errorf("nothing plants %s", k.Code)
		}
	}
	for _, p := range states {
		t.Run(p.code, func(t *testing.T) {
			k := checkup.Kinds[slices.IndexFunc(checkup.Kinds, func(k checkup.Kind) bool { return k.Code == p.code })]
			w := newWorld(t)
			if f := w.examine().Findings; len(f) > 0 {
				t.Fatalf("before: %s", compact(f))
			}
			p.plant(w)
			found := w.found(p.code)
			if len(found) != 1 {
				t.Fatalf("found %d of it: %s", len(found), compact(w.examine().Findings))
			}
			f := found[0]
			if p.subject != "" && f.Subject.String() != p.subject {
				t.Errorf("it is of %s, want %s", f.Subject, p.subject)
			}
			if f.Severity != k.Severity || f.Harm == "" || f.Repair == "" || f.Heals() != (k.By() == "itself") {
				t.Errorf("%s", compact(f))
			}
			if by := k.By(); f.Repairable != strings.HasPrefix(by, "doctor") || f.ByNaming != (by == "doctor, by naming") || checkup.Chosen(f, nil) != (by == "doctor") {
				t.Errorf("repairable %t, by naming %t, and the table says %q", f.Repairable, f.ByNaming, by)
			}
			if checkup.Chosen(f, []string{"some_code", p.code + ":other"}) {
				t.Error("chosen by another name")
			}
			if f.Repairable {
				done := checkup.Repair(t.Context(), found, []string{p.code + ":" + f.Subject.Name})
				if len(done) != 1 || done[0].Error != "" {
					t.Fatalf("the repair: %s", compact(done))
				}
				// Done again, from what is not true any more, it does nothing.
				if done := checkup.Repair(t.Context(), found, []string{p.code}); len(done) != 1 || done[0].Error == "" {
					t.Errorf("the repair, again: %s", compact(done))
				}
			}
			if p.heal != nil {
				p.heal(w)
			}
			w.control()
			w.until("nothing is found", func() bool {
				found := w.examine().Findings
				if f.Repairable { // as it would be done again, until nothing is left
					checkup.Repair(t.Context(), found, nil)
				}
				return len(found) == 0
			})
			if p.after != nil {
				p.after(w)
			}
		})
	}
}

// A fleet at work is not taken for a broken one: looks during a whole move and its
// retirement, and nothing is found that would be repaired.
func TestNothingToRepairDuringAMove(t *testing.T) {
	w := newWorld(t)
	w.tenant()
	w.control()
	m := w.request(control.MoveOptions{})
	looks := 0
	look := func() {
		for _, f := range w.examine().Findings {
			if f.Severity != checkup.Info {
				t.Errorf("at %s: %s", w.move(m.ID).Stage, compact(f))
			}
		}
		looks++
	}
	w.until("the flip", func() bool { look(); return w.move(m.ID).Stage == control.StageFlipped })
	_, err := control.RequestRetire(t.Context(), w.s, m.ID)
	w.must(err)
	w.until("the end", func() bool { look(); return w.move(m.ID).Stage == control.StageDone })
	t.Logf("%d looks", looks)
}

// A snapshot that a move is taking, or restores, is the move's; one that it has left is
// not, when its record says that it has ended.
func TestNothingToRepairDuringACopyBySnapshot(t *testing.T) {
	w := newWorld(t)
	w.tenant()
	w.repository("")
	w.call("PUT", "/"+w.place("acme").Index+"/_doc/big?refresh=true", fmt.Sprintf(`{"text":%q}`, rand.Text()+strings.Repeat(rand.Text(), 600)), nil)
	w.control()
	m := w.request(control.MoveOptions{Copy: mover.CopyOptions{Method: mover.CopySnapshot, Repository: w.name + "-repo"}})
	looks, taken := 0, 0
	w.until("the flip", func() bool {
		for _, f := range w.examine().Findings {
			if f.Severity != checkup.Info {
				t.Errorf("at %s: %s", w.move(m.ID).Stage, compact(f))
			}
		}
		looks++
		taken += len(w.snapshots())
		return w.move(m.ID).Stage == control.StageFlipped
	})
	t.Logf("%d looks, %d while there was a snapshot", looks, taken)
	if taken == 0 {
		t.Error("no look was taken while there was a snapshot: this shows nothing")
	}
	if s := w.snapshots(); len(s) > 0 {
		t.Errorf("it has left %q", s)
	}
}

// A flip that the store has lost is not taken for granted: what may have reached the
// old copy since would be lost by it.
func TestLostFlipIsNotTakenForwardBlindly(t *testing.T) {
	w := newWorld(t)
	w.tenant()
	old := w.entry()
	m := w.flip()
	w.call("PUT", "/"+m.From.Index+"/_settings", `{"index.blocks.write":null}`, nil)
	w.raw(store.SpaceEntries, "acme", string(store.EncodeEntry(old)))
	done := checkup.Repair(t.Context(), w.found("flip_lost"), []string{"flip_lost"})
	if len(done) != 1 || !strings.Contains(done[0].Error, "does not refuse writes") || w.entry().State != old.State {
		t.Errorf("%s; the entry is %s", compact(done), w.entry().State)
	}
}

// What has changed between the look and the repair is left alone.
func TestRepairLeavesAloneWhatHasChanged(t *testing.T) {
	w := newWorld(t)
	w.tenant()
	w.remove(store.SpaceMoves, w.half().ID)
	gone := w.found("entry_move_gone")
	w.raw(store.SpaceEntries, "acme", string(store.EncodeEntry(w.entry()))) // another epoch
	if done := checkup.Repair(t.Context(), gone, nil); len(done) != 1 || done[0].Error == "" {
		t.Errorf("an entry that has changed: %s", compact(done))
	}
	w.raw(store.SpaceLabels, "ghost", `{"a":"b"}`)
	label := w.found("label_without_tenant")
	_, err := w.s.Register(t.Context(), "ghost", placement.Placement{Kind: placement.DedicatedCluster, Cluster: "zzz"})
	w.must(err)
	if done := checkup.Repair(t.Context(), label, nil); len(done) != 1 || done[0].Error == "" {
		t.Errorf("labels of a tenant that was added meanwhile: %s", compact(done))
	}
	if _, err := w.d.Get(t.Context(), driver.Key{Space: store.SpaceLabels, Name: "ghost"}); err != nil {
		t.Errorf("its labels: %v", err)
	}
}

func TestNames(t *testing.T) {
	if err := checkup.CheckNames([]string{"flip_lost", "orphan_documents:a/pool/x"}); err != nil {
		t.Error(err)
	}
	if err := checkup.CheckNames([]string{"flip_last"}); err == nil {
		t.Error("a code that does not exist")
	}
	if at, ok := control.MadeAt(oldWave); !ok || at.After(time.Unix(0, 0).Add(time.Minute)) {
		t.Errorf("%s, %t", at, ok)
	}
}

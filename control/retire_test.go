package control_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// flippedMove is a tenant whose move from a to b has flipped, with an old copy of three
// documents, made of records alone: nothing was copied.
func flippedMove(t *testing.T, b *bench, name string, opt control.MoveOptions) control.Move {
	t.Helper()
	id := placement.PartitionID(name)
	m := control.Move{ID: "m-" + name, Partition: id, Stage: control.StageFlipped, BeginEpoch: 1, CompleteEpoch: 1, Options: opt,
		From:    placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: name + "-0", Logical: name},
		To:      placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: name + "-1", Logical: name},
		Receipt: &control.Receipt{Fence: "clean"}}
	b.call(t, "a", http.MethodPut, "/"+m.From.Index, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`, nil)
	for n := range 3 {
		b.call(t, "a", http.MethodPut, fmt.Sprintf("/%s/_doc/%d", m.From.Index, n), `{"n":1}`, nil)
	}
	var set map[string]struct {
		Settings struct {
			Index struct {
				UUID string `json:"uuid"`
			} `json:"index"`
		} `json:"settings"`
	}
	b.call(t, "a", http.MethodGet, "/"+m.From.Index+"/_settings", "", &set)
	b.call(t, "a", http.MethodPut, "/"+m.From.Index+"/_block/write", "", nil)
	m.Indices = []mover.Index{{Source: m.From.Index, SourceUUID: set[m.From.Index].Settings.Index.UUID, Target: m.To.Index, Shards: 2, Fenced: b.marks(t, m.From.Index)}}
	if _, err := b.s.Register(t.Context(), id, m.From); err != nil {
		t.Fatal(err)
	}
	for _, c := range []placement.Command{{Op: placement.OpBegin, To: m.To, Attempt: placement.Attempt{Move: m.ID, Number: 1}}, {Op: placement.OpCutover}, {Op: placement.OpComplete}} {
		if _, err := b.s.Apply(t.Context(), id, c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := control.Moves(b.s).Put(t.Context(), m.ID, m, 0); err != nil {
		t.Fatal(err)
	}
	return m
}

func (b *bench) marks(t *testing.T, index string) map[string]int64 {
	t.Helper()
	var ans struct {
		Indices map[string]struct {
			Shards map[string][]struct {
				SeqNo struct {
					Max int64 `json:"max_seq_no"`
				} `json:"seq_no"`
			} `json:"shards"`
		} `json:"indices"`
	}
	b.call(t, "a", http.MethodGet, "/"+index+"/_stats/docs?level=shards", "", &ans)
	out := map[string]int64{}
	for shard, copies := range ans.Indices[index].Shards {
		out[shard] = copies[0].SeqNo.Max
	}
	return out
}

// storeBench is a bench without a proxy, on a store of its own.
func storeBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{urls: clusters(t)}
	b.s, _ = newStore(t)
	for name, url := range b.urls {
		if _, err := b.s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{url}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func trashController(t *testing.T, s *store.Store, name string) (stop func()) {
	t.Helper()
	return run(t, control.NewController(s, gate.NewPeers(secret, nil), &control.ControllerOptions{Name: name, TTL: 2 * time.Second, Scan: 50 * time.Millisecond, Trash: true}))
}

// awaitTrash waits until the move's record in the trash is what ok wants; gone is nil.
func awaitTrash(t *testing.T, s *store.Store, move string, ok func(*control.Trash) bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		r, err := control.TrashRecords(s).Get(t.Context(), move)
		switch {
		case errors.Is(err, store.ErrNotFound):
			if ok(nil) {
				return
			}
		case err != nil:
			t.Fatal(err)
		case ok(&r.Value):
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited too long for the trash, where there is %+v, %v", r.Value, err)
		}
	}
}

func gone(x *control.Trash) bool { return x == nil }

func rested(m control.Move) bool {
	return m.Terminal() || m.Stage == control.StageFlipped && m.Error != ""
}

// A real move is retired by itself after its soak time, by another controller than the
// one that flipped it, into the trash; from there it is restored, blocked for writes.
func TestSoakThenTrashThenRestore(t *testing.T) {
	t.Parallel()
	b := newBench(t, "soak", 200)
	trash, soak := time.Hour, 3*time.Second
	first := b.start(t, b.s, "first")
	m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b", Options: control.MoveOptions{
		DrainBarrier: time.Second, PauseBudget: 3 * time.Second, CutoverDeadline: 4 * time.Second, Afterwards: control.Afterwards{RetireAfter: soak, Trash: &trash}}})
	if err != nil {
		t.Fatal(err)
	}
	m = b.await(t, m.ID, settled)
	if m.Stage != control.StageFlipped || m.RetireAt.Before(m.Timeline[len(m.Timeline)-1].Started) {
		t.Fatalf("it is %s, %s, retires at %s", m.Stage, m.Error, m.RetireAt)
	}
	first()
	if _, err := control.RequestRetireAs(t.Context(), b.s, m.ID, control.RetireRequest{}); !errors.Is(err, control.ErrSoaking) {
		t.Errorf("retire before the soak time has passed: %v", err)
	}
	trashController(t, b.s, "second")
	done := b.await(t, m.ID, rested)
	if done.Stage != control.StageDone || !done.RetireAt.Equal(m.RetireAt) || done.TrashUntil.Before(done.RetireAt.Add(trash)) || time.Now().Before(m.RetireAt) {
		t.Fatalf("it is %s, %q, retires at %s and then at %s, trash until %s", done.Stage, done.Error, m.RetireAt, done.RetireAt, done.TrashUntil)
	}
	if code, err := b.try(t.Context(), "a", http.MethodGet, "/"+m.From.Index+"/_count", "", nil); err != nil || code != http.StatusBadRequest {
		t.Errorf("the old copy is not closed: %d, %v", code, err)
	}
	e, err := b.s.State(t.Context(), b.tenant)
	if err != nil || !e.Previous.IsZero() || e.State.From != m.To {
		t.Errorf("the entry is %+v, %v", e, err)
	}
	// Nobody moves there meanwhile, under that name.
	if _, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "a", Index: m.From.Index}); !errors.Is(err, control.ErrPlaceTaken) || !strings.Contains(err.Error(), "sluice trash purge "+m.ID) {
		t.Errorf("a move onto what is in the trash: %v", err)
	}
	if _, err := control.RequestRestore(t.Context(), b.s, m.ID, false); err != nil {
		t.Fatal(err)
	}
	awaitTrash(t, b.s, m.ID, gone)
	var count struct{ Count int }
	b.call(t, "a", http.MethodGet, "/"+m.From.Index+"/_count", "", &count)
	if code, err := b.try(t.Context(), "a", http.MethodPut, "/"+m.From.Index+"/_doc/new", `{}`, nil); err != nil || code != http.StatusForbidden || count.Count != 200 {
		t.Errorf("the restored copy has %d documents, and a write got %d, %v", count.Count, code, err)
	}
	if now, err := b.s.State(t.Context(), b.tenant); err != nil || now.Epoch != e.Epoch {
		t.Errorf("restoring has changed where the tenant is: %+v, %v", now, err)
	}
	if _, err := control.RequestPurge(t.Context(), b.s, m.ID); !errors.Is(err, control.ErrNotInTrash) {
		t.Errorf("purge of what was restored: %v", err)
	}
	b.check(t)
}

// What was written to the old copy after its fence keeps it, by itself or asked; letting
// go of it ends the move and leaves it where it is.
func TestRetireLooksForWrites(t *testing.T) {
	b := storeBench(t)
	m := flippedMove(t, b, "written", control.MoveOptions{})
	clean := flippedMove(t, b, "unwritten", control.MoveOptions{})
	kept := flippedMove(t, b, "kept", control.MoveOptions{Afterwards: control.Afterwards{Keep: true}})
	closed := flippedMove(t, b, "closed", control.MoveOptions{})
	unclean := flippedMove(t, b, "unclean", control.MoveOptions{})
	change := func(m control.Move, f func(*control.Move)) {
		r, err := control.Moves(b.s).Get(t.Context(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		f(&r.Value)
		if _, err := control.Moves(b.s).Put(t.Context(), m.ID, r.Value, r.Version); err != nil {
			t.Fatal(err)
		}
	}
	change(unclean, func(m *control.Move) { m.Receipt.Fence = "written"; m.RetireAt = time.Now() })
	b.call(t, "a", http.MethodPost, "/"+closed.From.Index+"/_close", "", nil)
	b.call(t, "a", http.MethodPut, "/"+m.From.Index+"/_settings", `{"index.blocks.write":null}`, nil)
	b.call(t, "a", http.MethodPut, "/"+m.From.Index+"/_doc/late", `{}`, nil)
	b.call(t, "a", http.MethodPut, "/"+m.From.Index+"/_block/write", "", nil)
	trashController(t, b.s, "c1")
	ask := func(m control.Move, r control.RetireRequest) control.Move {
		t.Helper()
		if _, err := control.RequestRetireAs(t.Context(), b.s, m.ID, r); err != nil {
			t.Fatal(err)
		}
		return b.await(t, m.ID, func(m control.Move) bool { return m.Terminal() || !m.RetireRequested })
	}
	there := func(m control.Move) bool {
		return b.call(t, "a", http.MethodHead, "/"+m.From.Index, "", nil) == http.StatusOK
	}
	if got := ask(m, control.RetireRequest{}); got.Stage != control.StageFlipped || !strings.Contains(got.Error, "written to after the flip") || !there(m) {
		t.Errorf("with a late write: %s, %q", got.Stage, got.Error)
	}
	if e, err := b.s.State(t.Context(), m.Partition); err != nil || e.Previous != m.From {
		t.Errorf("the way back after a refused retire: %+v, %v", e, err)
	}
	if got := ask(closed, control.RetireRequest{}); got.Stage != control.StageFlipped || !strings.Contains(got.Error, "is closed") || !there(closed) {
		t.Errorf("closed: %s, %q", got.Stage, got.Error)
	}
	if got := b.await(t, unclean.ID, rested); got.Stage != control.StageFlipped || !strings.Contains(got.Error, "its fence says: written") || !got.RetireAt.IsZero() || !there(unclean) {
		t.Errorf("not clean: %s, %q, %s", got.Stage, got.Error, got.RetireAt)
	}
	if got := ask(unclean, control.RetireRequest{}); got.Stage != control.StageDone || there(unclean) {
		t.Errorf("not clean, and asked: %s, %q", got.Stage, got.Error)
	}
	if got := ask(clean, control.RetireRequest{}); got.Stage != control.StageDone || there(clean) {
		t.Errorf("without one: %s, %q", got.Stage, got.Error)
	}
	if _, err := control.RequestRetireAs(t.Context(), b.s, kept.ID, control.RetireRequest{}); !errors.Is(err, control.ErrKept) {
		t.Errorf("of a move that keeps its copy: %v", err)
	}
	yes := true
	for _, m := range []control.Move{m, kept} {
		if got := ask(m, control.RetireRequest{Keep: &yes}); got.Stage != control.StageDone || !got.Kept || !there(m) {
			t.Errorf("let go: %s, %q, kept %v", got.Stage, got.Error, got.Kept)
		}
		if e, err := b.s.State(t.Context(), m.Partition); err != nil || !e.Previous.IsZero() {
			t.Errorf("after letting go: %+v, %v", e, err)
		}
	}
}

// Each write on the way into the trash and out of it fails in turn, or fails and took
// effect, and ends the controller; another goes on.
func TestTrashKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	urls := clusters(t)
	const retiring, leaving = 6, 2 // writes
	var died atomic.Int32
	t.Run("kills", func(t *testing.T) {
		for n := 1; n <= retiring+leaving; n++ {
			for _, persist := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d/%v", n, persist), func(t *testing.T) {
					t.Parallel()
					b := &bench{urls: urls}
					s, f := newStore(t)
					b.s = s
					for name, url := range urls {
						if _, err := s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{url}}, 0); err != nil {
							t.Fatal(err)
						}
					}
					trash := time.Hour
					if n > retiring {
						trash = time.Millisecond // so that it is deleted right away
					}
					m := flippedMove(t, b, fmt.Sprintf("bin-%d-%v", n, persist), control.MoveOptions{Afterwards: control.Afterwards{Trash: &trash}})
					d := &mortal{Driver: f, dead: make(chan struct{}), persist: persist, only: []string{store.SpaceMoves, store.SpaceEntries, store.SpaceTrash}}
					d.left.Store(int64(n))
					if _, err := control.RequestRetire(t.Context(), s, m.ID); err != nil {
						t.Fatal(err)
					}
					victim := trashController(t, store.New(d, nil), "victim")
					select {
					case <-d.dead:
						died.Add(1)
					case <-time.After(60 * time.Second):
						t.Fatal("that write was never made")
					}
					victim()
					trashController(t, s, "heir")
					if got := b.await(t, m.ID, rested); got.Stage != control.StageDone || got.TrashUntil.IsZero() {
						t.Fatalf("it is %s: %q", got.Stage, got.Error)
					}
					if e, err := s.State(t.Context(), m.Partition); err != nil || !e.Previous.IsZero() {
						t.Errorf("the entry is %+v, %v", e, err)
					}
					if n > retiring {
						awaitTrash(t, s, m.ID, gone)
						if code := b.call(t, "a", http.MethodHead, "/"+m.From.Index, "", nil); code != http.StatusNotFound {
							t.Errorf("it is still there: %d", code)
						}
						return
					}
					awaitTrash(t, s, m.ID, func(x *control.Trash) bool { return x != nil && x.State == control.TrashKept })
					if _, err := control.RequestRestore(t.Context(), s, m.ID, true); err != nil {
						t.Fatal(err)
					}
					awaitTrash(t, s, m.ID, gone)
					var count struct{ Count int }
					b.call(t, "a", http.MethodPut, "/"+m.From.Index+"/_doc/new?refresh=true", `{}`, nil)
					b.call(t, "a", http.MethodGet, "/"+m.From.Index+"/_count", "", &count)
					if count.Count != 4 {
						t.Errorf("%d documents are in what was restored", count.Count)
					}
				})
			}
		}
	})
	if died.Load() != 2*(retiring+leaving) {
		t.Errorf("%d died", died.Load())
	}
}

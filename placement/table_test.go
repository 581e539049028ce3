package placement_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
)

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// A snapshot does not change, is whole, and agrees with a plain map after any
// sequence of changes.
func TestSnapshotsAgainstAMap(t *testing.T) {
	table := placement.NewTable()
	model := map[placement.PartitionID]placement.Entry{}
	type kept struct {
		s    *placement.Snapshot
		want map[placement.PartitionID]placement.Entry
	}
	var all []kept
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 5000 {
		id := placement.PartitionID(fmt.Sprint("t", rnd.IntN(700)))
		if _, ok := model[id]; !ok {
			if err := table.Set(id, east); err != nil {
				t.Fatal(err)
			}
		} else if _, err := table.Apply(id, placement.Command{Op: ops[rnd.IntN(6)], To: places[rnd.IntN(3)]}); err != nil {
			continue
		}
		model[id] = must[placement.Entry](t)(table.State(id))
		if i%500 == 0 {
			all = append(all, kept{table.Snapshot(), maps.Clone(model)})
		}
	}
	all = append(all, kept{table.Snapshot(), model})
	for _, k := range all {
		got := map[placement.PartitionID]placement.Entry{}
		for e := range k.s.All() {
			if e.Epoch > k.s.Epoch() {
				t.Fatalf("an entry at epoch %d in a snapshot of epoch %d", e.Epoch, k.s.Epoch())
			}
			if one, ok := k.s.Get(e.Partition); !ok || one != e {
				t.Fatalf("Get says %+v, All says %+v", one, e)
			}
			got[e.Partition] = e
		}
		if d := cmp.Diff(k.want, got); d != "" || k.s.Len() != len(got) {
			t.Fatalf("snapshot at epoch %d, length %d (-want +got):\n%s", k.s.Epoch(), k.s.Len(), d)
		}
	}
	for range table.Snapshot().All() {
		break // stopping early is allowed
	}
}

// The epochs of all partitions are one sequence without a gap.
func TestEpochsGrowByOne(t *testing.T) {
	table := placement.NewTable()
	var want placement.Epoch
	for i := range 50 {
		id := placement.PartitionID(fmt.Sprint(i % 10))
		if i < 10 {
			if err := table.Set(id, east); err != nil {
				t.Fatal(err)
			}
			if err := table.Set(id, east); err != nil {
				t.Fatal("again, where it is:", err)
			}
			want++
		} else if e, err := table.Apply(id, placement.Command{Op: ops[i%5], To: west}); err == nil {
			if want++; e.Epoch != want {
				t.Fatalf("epoch %d, want %d", e.Epoch, want)
			}
		}
		if table.Epoch() != want {
			t.Fatalf("table's epoch %d, want %d", table.Epoch(), want)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	table := placement.NewTable()
	wantField(t, "empty id", table.Set("", east), "partition")
	wantField(t, "no placement", table.Set("acme", placement.Placement{}), "placement.kind")
	if err := table.Set("acme", east); err != nil {
		t.Fatal(err)
	}
	if err := table.Set("acme", west); !errors.Is(err, placement.ErrAlreadyExists) {
		t.Errorf("elsewhere: %v", err)
	}
	must[placement.Entry](t)(table.BeginMigration("acme", west, placement.Attempt{Move: "m1"}))
	for _, p := range []placement.Placement{east, west, north} {
		if err := table.Set("acme", p); !errors.Is(err, placement.ErrAlreadyMigrating) {
			t.Errorf("while migrating, %s: %v", p, err)
		}
	}
	if e, _ := table.Get("acme"); e.State.Phase != placement.Draining || e.Epoch != 2 {
		t.Errorf("refused, and changed: %+v", e)
	}
}

// Whatever is interleaved: no write is admitted in Cutover, and none at an
// epoch that a transition had replaced before the write asked.
func TestAdmitWriteAgainstTransitions(t *testing.T) {
	table := placement.NewTable()
	if err := table.Set("acme", east); err != nil {
		t.Fatal(err)
	}
	// closed is odd while the partition is known to be in Cutover: it becomes odd
	// after EnterCutover has returned, and even before anything leaves Cutover. A
	// writer that sees the same odd number before and after asked in Cutover.
	// replaced is the newest epoch that a transition has returned.
	var closed, replaced atomic.Uint64
	stop := make(chan struct{})
	var admitted, held, stale atomic.Uint64
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				at, _ := table.Get("acme")
				if n%7 == 0 {
					runtime.Gosched() // let it become stale
				}
				before, floor := closed.Load(), placement.Epoch(replaced.Load())
				err := table.AdmitWrite("acme", at.Epoch)
				after := closed.Load()
				switch {
				case err == nil && before == after && before%2 == 1:
					t.Error("admitted during Cutover")
					return
				case err == nil && at.Epoch < floor:
					t.Errorf("admitted at epoch %d, %d was current", at.Epoch, floor)
					return
				case err == nil && at.State.Phase == placement.Cutover:
					t.Error("admitted at the epoch of a Cutover")
					return
				case err == nil:
					admitted.Add(1)
				case errors.Is(err, placement.ErrInCutover):
					held.Add(1)
				case errors.Is(err, placement.ErrStaleEpoch):
					stale.Add(1)
				default:
					t.Errorf("refused, and not for Cutover or epoch: %v", err)
					return
				}
			}
		})
	}
	targets := []placement.Placement{west, east}
	deadline := time.Now().Add(2 * time.Second)
	for i := 0; time.Now().Before(deadline) || i < 100; i++ {
		step := func(op placement.Op) {
			e, err := table.Apply("acme", placement.Command{Op: op, To: targets[i/2%2], Attempt: placement.Attempt{Move: "m", Number: 1}})
			if err != nil {
				t.Errorf("%s: %v", op, err)
			}
			replaced.Store(uint64(e.Epoch))
			runtime.Gosched()
		}
		step(placement.OpBegin)
		step(placement.OpCutover)
		closed.Add(1)
		runtime.Gosched()
		closed.Add(1)
		if i%2 == 0 {
			step(placement.OpAbort)
		} else {
			step(placement.OpComplete)
		}
	}
	close(stop)
	writers.Wait()
	t.Logf("admitted %d, held %d, stale %d over %d changes", admitted.Load(), held.Load(), stale.Load(), table.Epoch())
	if admitted.Load() == 0 || held.Load() == 0 {
		t.Error("the test tested nothing: nothing was admitted, or nothing was held")
	}
}

// Of contenders who decided on the same epoch exactly one wins.
func TestOneWinner(t *testing.T) {
	table := placement.NewTable()
	if err := table.Set("acme", east); err != nil {
		t.Fatal(err)
	}
	for round := range 200 {
		e := must[placement.Entry](t)(table.BeginMigration("acme", west, placement.Attempt{Move: "m"}))
		e = must[placement.Entry](t)(table.EnterCutover("acme", e.Epoch, placement.Start{}))
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				op := []placement.Op{placement.OpReopen, placement.OpAbort}[i%2]
				_, err := table.Apply("acme", placement.Command{Op: op, Expect: e.Epoch})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, placement.ErrStaleEpoch) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d: %d winners", round, won.Load())
		}
		if e, _ := table.Get("acme"); e.State.Migrating() {
			must[placement.Entry](t)(table.AbortMigration("acme", 0))
		}
	}
}

// A million partitions fit, and a look-up does not get slow.
func TestAMillionPartitions(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const n = 1_000_000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, began := heap(), time.Now()
	table := placement.NewTable()
	id := func(i int) placement.PartitionID { return placement.PartitionID(fmt.Sprintf("tenant-%07d", i)) }
	for i := range n {
		p := east
		p.Index = fmt.Sprintf("tenant-%07d-1", i)
		if err := table.Set(id(i), p); err != nil {
			t.Fatal(err)
		}
	}
	loaded := time.Since(began)
	used := heap() - before
	began = time.Now()
	for i := range n {
		if err := table.AdmitWrite(id(i), placement.Epoch(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	asked := time.Since(began)
	count := 0
	for range table.Snapshot().All() {
		count++
	}
	t.Logf("%d partitions: %d MB, %d B each; registered in %s, admitted in %s (%d ns each)",
		n, used>>20, used/n, loaded.Round(time.Millisecond), asked.Round(time.Millisecond), asked.Nanoseconds()/n)
	if count != n || table.Snapshot().Len() != n || table.Epoch() != n {
		t.Errorf("%d entries, length %d, epoch %d; want %d", count, table.Snapshot().Len(), table.Epoch(), n)
	}
	if used/n > 200 {
		t.Errorf("%d bytes a partition, want at most 200", used/n)
	}
	runtime.KeepAlive(table)
}

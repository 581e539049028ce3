package gate_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
)

// Whatever was applied and removed, in tables of any fill: what a look-up finds is what a
// plain map has.
func TestReplicaAgainstAMap(t *testing.T) {
	r := gate.NewReplica()
	model := map[placement.PartitionID]placement.Entry{}
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range 30_000 {
		id := placement.PartitionID(fmt.Sprint("t", rnd.IntN(1+i/20)))
		epoch := placement.Epoch(i + 1)
		if rnd.IntN(3) == 0 {
			r.Remove(id, epoch)
			delete(model, id)
		} else {
			model[id] = entryAt(id, epoch)
			r.Apply(model[id])
		}
		for range 3 {
			id := placement.PartitionID(fmt.Sprint("t", rnd.IntN(1+i/20)))
			if want, got := model[id], r.Entry(id); got != want {
				t.Fatalf("after %d changes %q is\n%+v, want\n%+v", i, id, got, want)
			}
		}
	}
	if r.Len() != len(model) {
		t.Errorf("%d partitions, want %d", r.Len(), len(model))
	}
}

// Who looks up while the table changes and grows, and partitions come back to other
// places: one that was there all the while is found, at an epoch that was current since
// the look-up began, and one that never was is not.
func TestReplicaLookedUpWhileItChanges(t *testing.T) {
	r := gate.NewReplica()
	const stable = 50
	name := func(i int) placement.PartitionID { return placement.PartitionID(fmt.Sprint("stable", i)) }
	var applied [stable]atomic.Uint64
	for i := range stable {
		r.Apply(entryAt(name(i), placement.Epoch(i+1)))
		applied[i].Store(uint64(i + 1))
	}
	stop := make(chan struct{})
	var looked atomic.Uint64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				n := i % stable
				floor := placement.Epoch(applied[n].Load())
				if e := r.Entry(name(n)); e.Partition != name(n) || e.Epoch < floor || e.State.From.Index != string(name(n)) {
					t.Errorf("%q is %+v, and was at epoch %d before", name(n), e, floor)
					return
				}
				if e := r.Entry("nobody"); e != (placement.Entry{}) {
					t.Errorf("nobody is %+v", e)
					return
				}
				looked.Add(1)
			}
		})
	}
	epoch := placement.Epoch(stable)
	for round := 0; round < 20 || looked.Load() < 1000; round++ {
		for i := range 100 * (1 + round%20) { // grows, and empties again
			epoch++
			r.Apply(entryAt(placement.PartitionID(fmt.Sprint("passing", i)), epoch))
			if i%10 == 0 {
				epoch++
				r.Apply(entryAt(name(i/10%stable), epoch))
				applied[i/10%stable].Store(uint64(epoch))
			}
		}
		for i := range 100 * (1 + round%20) {
			epoch++
			r.Remove(placement.PartitionID(fmt.Sprint("passing", i)), epoch)
		}
	}
	close(stop)
	wg.Wait()
}

func entryAt(id placement.PartitionID, epoch placement.Epoch) placement.Entry {
	return placement.Entry{Partition: id, Epoch: epoch, State: placement.State{
		From: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "east", Index: string(id), Logical: "docs"},
	}}
}

// Names of every length are found, whole, and none that is nearly theirs; also after the
// memory around them was used for others.
func TestReplicaOfNamesOfAnyLength(t *testing.T) {
	r := gate.NewReplica()
	text := strings.Repeat("abcdefghijklmnopqrstuvwxyz", 20)
	want := map[placement.PartitionID]placement.Entry{}
	for n := 1; n <= 200; n++ {
		for k, index := range []string{"", text[:1], text[:n/2], text[:255]} {
			e := entryAt(placement.PartitionID(fmt.Sprint(text[:n], k)), placement.Epoch(4*n+k))
			e.State.From.Kind, e.State.From.Index, e.State.From.Logical = placement.DedicatedIndex, index, text[:min(n, 30)]
			want[e.Partition] = e
			r.Apply(e)
			if n%2 == 0 { // garbage beside it
				r.Apply(entryAt("again", placement.Epoch(4*n+k)))
			}
		}
	}
	runtime.GC()
	for id, e := range want {
		if got := r.Entry(id); got != e {
			t.Fatalf("%q is\n%+v, want\n%+v", id, got, e)
		}
		for _, near := range []placement.PartitionID{id[:len(id)-1] + "x", "x" + id[1:], id + "x", id[1:]} {
			if got := r.Entry(near); got != want[near] {
				t.Fatalf("%q is\n%+v", near, got)
			}
		}
	}
}

package gate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// world is a gate in Leased mode over a table in memory: what a request costs in the
// process, without the read of the store that Fresh adds.
type world struct {
	table *store.Store
	gate  *gate.Gate
	ids   []placement.PartitionID // in the order in which they are asked for, by chance
}

var worlds = struct {
	sync.Mutex
	of map[int]*world
}{of: map[int]*world{}}

// worldOf makes the world of n partitions when it is asked for first: a million take seconds.
func worldOf(b *testing.B, n int) *world {
	b.Helper()
	worlds.Lock()
	defer worlds.Unlock()
	if w := worlds.of[n]; w != nil {
		return w
	}
	w := &world{table: store.New(filledStore(b, n, tenantName), nil)}
	g, _ := serving(b, w.table)
	w.gate = g
	// One text in the order of the requests: a request has its tenant's name at hand,
	// and does not wait for memory to learn it.
	var text strings.Builder
	for _, i := range rand.Perm(n) {
		text.WriteString(tenantName(i))
	}
	for all, l := text.String(), len(tenantName(0)); len(all) > 0; all = all[l:] {
		w.ids = append(w.ids, placement.PartitionID(all[:l]))
	}
	worlds.of[n] = w
	return w
}

func tenantName(i int) string { return fmt.Sprintf("tenant-%07d", i) }

// uuidName is of the length of a UUID.
func uuidName(i int) string { return fmt.Sprintf("6ba7b810-9dad-11d1-80b4-%012d", i) }

func filledStore(b *testing.B, n int, name func(int) string) *memstore.Store {
	b.Helper()
	d := memstore.New(&memstore.Options{History: 1000})
	for i := range n {
		e := placement.Entry{State: placement.State{From: placement.Placement{
			Kind: placement.DedicatedIndex, Cluster: "cluster-a", Index: name(i) + "-docs", Logical: "docs",
		}}}
		if _, err := d.Write(b.Context(), driver.Write{Key: driver.Key{Space: store.SpaceEntries, Name: name(i)}, Value: store.EncodeEntry(e)}); err != nil {
			b.Fatal(err)
		}
	}
	return d
}

// serving runs a gate until stop is called.
func serving(b *testing.B, table *store.Store) (g *gate.Gate, stop func()) {
	b.Helper()
	g, err := gate.New(table, &gate.Options{Name: "bench", Mode: gate.Leased, TTL: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	for g.Ready() != nil {
		time.Sleep(time.Millisecond)
	}
	return g, func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}

var tables = []int{1_000, 1_000_000}

func write(ctx context.Context, g *gate.Gate, id placement.PartitionID) error {
	t, err := g.Write(ctx, id, 0)
	if err != nil {
		return err
	}
	return t.Done()
}

func sent(ctx context.Context, g *gate.Gate, id placement.PartitionID) error {
	t, err := g.Write(ctx, id, 0)
	if err != nil {
		return err
	}
	if err := t.Send(); err != nil {
		return err
	}
	return t.Done()
}

func resolve(ctx context.Context, g *gate.Gate, id placement.PartitionID) error {
	t, err := g.Read(ctx, id)
	if err != nil {
		return err
	}
	t.Done()
	return nil
}

func one(b *testing.B, op func(context.Context, *gate.Gate, placement.PartitionID) error) {
	for _, n := range tables {
		b.Run(fmt.Sprintf("partitions=%d", n), func(b *testing.B) {
			w := worldOf(b, n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := op(b.Context(), w.gate, w.ids[i]); err != nil {
					b.Fatal(err)
				}
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

// BenchmarkWrite resolves a write, admits it and ends it.
func BenchmarkWrite(b *testing.B) { one(b, write) }

// BenchmarkWriteSent has the check in it that comes immediately before a write is sent.
func BenchmarkWriteSent(b *testing.B) { one(b, sent) }

// BenchmarkRead resolves a read and ends it.
func BenchmarkRead(b *testing.B) { one(b, resolve) }

// BenchmarkWriteParallel is for -cpu 1,2: each of two cores should do nearly as much as one alone.
func BenchmarkWriteParallel(b *testing.B) {
	for _, n := range tables {
		b.Run(fmt.Sprintf("partitions=%d", n), func(b *testing.B) { parallel(b, worldOf(b, n), write) })
	}
}

func parallel(b *testing.B, w *world, op func(context.Context, *gate.Gate, placement.PartitionID) error) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := rand.IntN(len(w.ids)); pb.Next(); {
			if err := op(b.Context(), w.gate, w.ids[i]); err != nil {
				b.Error(err)
				return
			}
			if i++; i == len(w.ids) {
				i = 0
			}
		}
	})
}

// perSecond is how many transitions are applied while others read: as of 300 moves that
// end in one second.
const perSecond = 1000

// BenchmarkReadWhile reads on all cores, alone and while transitions are applied, each of
// them written to the store, watched, decoded and put into the replica.
func BenchmarkReadWhile(b *testing.B) {
	const n = 1_000_000
	b.Run("quiet", func(b *testing.B) { parallel(b, worldOf(b, n), resolve) })
	b.Run("applying", func(b *testing.B) {
		w := worldOf(b, n)
		ctx, stop := context.WithCancel(b.Context())
		var done atomic.Int64
		var wg sync.WaitGroup
		wg.Go(func() { done.Store(transitions(b, ctx, w)) })
		began := time.Now()
		parallel(b, w, resolve)
		stop()
		wg.Wait()
		b.ReportMetric(float64(done.Load())/time.Since(began).Seconds(), "transitions/s")
	})
}

// transitions begins and aborts moves of partitions by chance, perSecond steps a second.
func transitions(b *testing.B, ctx context.Context, w *world) (n int64) {
	t := time.NewTicker(time.Second / perSecond)
	defer t.Stop()
	cmd := placement.Command{Op: placement.OpBegin, To: placement.Placement{Kind: placement.DedicatedCluster, Cluster: "cluster-b"}, Attempt: placement.Attempt{Move: "m", Number: 1}}
	id := w.ids[0]
	for ctx.Err() == nil {
		<-t.C
		if _, err := w.table.Apply(context.WithoutCancel(ctx), id, cmd); err != nil {
			b.Error(err)
			return n
		}
		n++
		switch cmd.Op {
		case placement.OpBegin:
			cmd.Op = placement.OpCutover
		case placement.OpCutover:
			cmd.Op = placement.OpAbort
		default:
			cmd.Op, id = placement.OpBegin, w.ids[rand.IntN(len(w.ids))]
		}
	}
	// Not in the midst of a move: the next benchmark finds an Active partition there.
	if cmd.Op != placement.OpBegin {
		if _, err := w.table.Apply(context.WithoutCancel(ctx), id, placement.Command{Op: placement.OpAbort}); err != nil {
			b.Error(err)
		}
	}
	return n
}

// BenchmarkReplica measures what the replica takes for each of a million partitions, with
// its names, and how long it is until it serves; -benchtime 1x.
func BenchmarkReplica(b *testing.B) {
	const n = 1_000_000
	for _, c := range []struct {
		names string
		of    func(int) string
	}{{"short", tenantName}, {"uuid", uuidName}} {
		b.Run("names="+c.names, func(b *testing.B) {
			table := store.New(filledStore(b, n, c.of), nil)
			before := inUse()
			b.ResetTimer()
			for range b.N {
				g, stop := serving(b, table)
				b.StopTimer()
				b.ReportMetric(float64(inUse()-before)/n, "B/partition")
				if got := g.Stats().Partitions; got != n {
					b.Fatalf("%d partitions", got)
				}
				stop()
				b.StartTimer()
			}
		})
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC() // what has a finalizer, or is weak, goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

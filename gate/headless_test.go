package gate_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// headless is a store without a Head, as an OpenSearch index is. It counts, and does
// with the reads of versions what a test wants.
type headless struct {
	*drivertest.Headless
	lists, reads, largest atomic.Int64
	versions              atomic.Pointer[func(ctx context.Context, names []string, read func() []driver.Sight) ([]driver.Sight, error)]
	watched               atomic.Pointer[func(evs []driver.Event, apply func([]driver.Event) error) error]
}

func (d *headless) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	if space == store.SpaceEntries {
		d.lists.Add(1)
	}
	return d.Headless.List(ctx, space, yield)
}

func (d *headless) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	return d.Headless.Watch(ctx, space, from, func(evs []driver.Event) error {
		if f := d.watched.Load(); f != nil && space == store.SpaceEntries {
			return (*f)(evs, apply)
		}
		return apply(evs)
	})
}

func (d *headless) Versions(ctx context.Context, space string, names []string) ([]driver.Sight, error) {
	d.reads.Add(1)
	for n := int64(len(names)); ; {
		if old := d.largest.Load(); old >= n || d.largest.CompareAndSwap(old, n) {
			break
		}
	}
	f := d.versions.Load()
	if f == nil {
		return d.Headless.Versions(ctx, space, names)
	}
	var failed error
	seen, err := (*f)(ctx, names, func() []driver.Sight {
		var seen []driver.Sight
		seen, failed = d.Headless.Versions(ctx, space, names)
		return seen
	})
	return seen, errors.Join(err, failed)
}

// onRead sets what happens at each read of versions; read makes it.
func (d *headless) onRead(f func(ctx context.Context, names []string, read func() []driver.Sight) ([]driver.Sight, error)) {
	d.versions.Store(&f)
}

// onWatch sets what is done with what a watch of the entries reports.
func (d *headless) onWatch(f func(evs []driver.Event, apply func([]driver.Event) error) error) {
	d.watched.Store(&f)
}

// headlessGate runs test in a bubble, with a gate that serves n partitions, tenant(0)
// and so on, from a store without a Head.
func headlessGate(t *testing.T, n int, o gate.Options, test func(t *testing.T, g *gate.Gate, d *headless, table *store.Store)) {
	var d *headless
	over := func(mem *memstore.Store) driver.Driver {
		d = &headless{Headless: drivertest.NewHeadless(mem)}
		return d
	}
	bubble(t, over, n, o, func(t *testing.T, g *gate.Gate, table *store.Store) { test(t, g, d, table) })
}

// bubble runs a test of a gate over a store of n tenants, with a time of its own.
func bubble(t *testing.T, over func(*memstore.Store) driver.Driver, n int, o gate.Options, test func(t *testing.T, g *gate.Gate, table *store.Store)) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		defer func() { _ = mem.Close() }()
		table := store.New(over(mem), nil)
		for i := range n {
			if _, err := table.Register(t.Context(), tenant(i), placeA); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		o.Now = func() time.Duration { return time.Since(began) }
		g, err := gate.New(table, &o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { left <- g.Run(ctx) }()
		synctest.Wait()
		if err := g.Ready(); err != nil {
			t.Error(err)
		} else {
			test(t, g, table)
		}
		leave()
		if err := <-left; err != nil {
			t.Error(err)
		}
	})
}

func tenant(i int) placement.PartitionID { return placement.PartitionID(fmt.Sprint("tenant-", i)) }

// read is what a request for a partition is told.
func read(g *gate.Gate, id placement.PartitionID) (placement.Entry, error) {
	r, err := g.Read(context.Background(), id)
	if err != nil {
		return placement.Entry{}, err
	}
	defer r.Done()
	return r.Entry(), nil
}

// What a store without a Head is asked does not grow with the requests, nor with the
// partitions that they are for: as often as it answers, one time after the other.
func TestFreshSharesReadsOfManyPartitions(t *testing.T) {
	const partitions, answer, each = 2000, 2 * time.Millisecond, 50
	headlessGate(t, partitions, gate.Options{}, func(t *testing.T, g *gate.Gate, d *headless, _ *store.Store) {
		d.onRead(func(_ context.Context, _ []string, read func() []driver.Sight) ([]driver.Sight, error) {
			time.Sleep(answer) // in the bubble
			return read(), nil
		})
		for _, clients := range []int{1, 16, 64, 400} {
			before, began := d.reads.Load(), time.Now()
			var wg sync.WaitGroup
			for c := range clients {
				wg.Go(func() {
					for i := range each {
						if _, err := read(g, tenant((c*each+i)%partitions)); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			took, reads := time.Since(began), d.reads.Load()-before
			if most := int64(took/answer) + 1; reads > most || took > 2*each*answer+answer {
				t.Errorf("%d clients: %d requests took %v and %d reads; no more than %d fit one after the other", clients, clients*each, took, reads, most)
			}
		}
	})
}

// A read has a bounded number of partitions; who comes when it is full has the next.
func TestReadsOfManyPartitionsAreBounded(t *testing.T) {
	const partitions = 2*driver.MaxBatch + 100
	headlessGate(t, partitions, gate.Options{}, func(t *testing.T, g *gate.Gate, d *headless, _ *store.Store) {
		d.onRead(func(_ context.Context, _ []string, read func() []driver.Sight) ([]driver.Sight, error) {
			time.Sleep(time.Second)
			return read(), nil
		})
		var wg sync.WaitGroup
		for i := range partitions {
			wg.Go(func() {
				if e, err := read(g, tenant(i)); err != nil || e.Partition != tenant(i) {
					t.Errorf("%d: %v, %v", i, e.Partition, err)
				}
			})
		}
		wg.Wait()
		if n, largest := d.reads.Load(), d.largest.Load(); n < 3 || n > 4 || largest != driver.MaxBatch {
			t.Errorf("%d reads, the largest of %d partitions", n, largest)
		}
	})
}

// A request does not share a read that began before it arrived: that may have been
// answered before something that the request must see.
func TestARequestIsServedByALaterRead(t *testing.T) {
	headlessGate(t, 2, gate.Options{}, func(t *testing.T, g *gate.Gate, d *headless, table *store.Store) {
		answered, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		d.onRead(func(_ context.Context, _ []string, read func() []driver.Sight) ([]driver.Sight, error) {
			seen := read()
			once.Do(func() { close(answered); <-release })
			return seen, nil
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := read(g, tenant(0)); err != nil {
				t.Error(err)
			}
		})
		<-answered // the store has; the gate does not know yet
		want, err := table.Apply(t.Context(), tenant(0), placement.Command{Op: placement.OpBegin, To: placeB, Attempt: placement.Attempt{Move: "m1"}})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			wg.Go(func() {
				if e, err := read(g, tenant(0)); err != nil || e.Epoch != want.Epoch {
					t.Errorf("a request after the change was decided at epoch %d, %v; want %d", e.Epoch, err, want.Epoch)
				}
			})
		}
		synctest.Wait()
		if n := d.reads.Load(); n != 1 {
			t.Errorf("%d reads while one is under way", n)
		}
		close(release)
		wg.Wait()
		if n := d.reads.Load(); n != 2 {
			t.Errorf("%d reads; the later requests should have shared one", n)
		}
	})
}

// What is wrong with one partition is no other's, and what is wrong with the read is
// everybody's.
func TestErrorsOfSharedReads(t *testing.T) {
	headlessGate(t, 3, gate.Options{StoreWait: 100 * time.Millisecond}, func(t *testing.T, g *gate.Gate, d *headless, table *store.Store) {
		k := driver.Key{Space: store.SpaceEntries, Name: string(tenant(2))}
		kv, err := d.Get(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Write(t.Context(), driver.Write{Key: k, Value: []byte("x"), Expect: kv.Version}); err != nil {
			t.Fatal(err)
		}
		down := atomic.Bool{}
		d.onRead(func(_ context.Context, names []string, read func() []driver.Sight) ([]driver.Sight, error) {
			time.Sleep(time.Millisecond) // for all requests to share the second read
			if down.Load() {
				return nil, drivertest.ErrBroken
			}
			seen := read()
			for i := range seen { // none, if the request's time was over
				if names[i] == string(tenant(1)) {
					seen[i] = driver.Sight{Err: drivertest.ErrBroken}
				}
			}
			return seen, nil
		})
		unavailable := func(reason gate.Reason) func(error) bool {
			return func(err error) bool {
				var u *gate.UnavailableError
				return errors.As(err, &u) && u.Reason == reason
			}
		}
		requests := func(want map[placement.PartitionID]func(error) bool) {
			t.Helper()
			var wg sync.WaitGroup
			for id, ok := range want {
				wg.Go(func() {
					if _, err := read(g, id); !ok(err) {
						t.Errorf("%q: %v", id, err)
					}
				})
			}
			wg.Wait()
		}
		unknown := func(err error) bool { return errors.Is(err, placement.ErrUnknownPartition) }
		requests(map[placement.PartitionID]func(error) bool{
			tenant(0): func(err error) bool { return err == nil },
			tenant(1): unavailable(gate.ReasonStore),
			tenant(2): unavailable(gate.ReasonCorrupt),
			"nobody":  unknown,
			"\xff":    unknown,
		})
		down.Store(true)
		requests(map[placement.PartitionID]func(error) bool{
			tenant(0): unavailable(gate.ReasonStore),
			tenant(1): unavailable(gate.ReasonStore),
			tenant(2): unavailable(gate.ReasonStore),
			"nobody":  unavailable(gate.ReasonStore),
		})
		down.Store(false)
		requests(map[placement.PartitionID]func(error) bool{tenant(0): func(err error) bool { return err == nil }})
	})
}

// Without a Head it is a read of what changed that proves the replica current: leased
// mode serves, goes on serving for longer than the first proof is good for, and does
// not list the table again.
func TestLeasedServesWithoutAHead(t *testing.T) {
	headlessGate(t, 1, gate.Options{Mode: gate.Leased}, func(t *testing.T, g *gate.Gate, d *headless, _ *store.Store) {
		for range 3 * gate.DefaultTTL / time.Second {
			time.Sleep(time.Second) // in the bubble
			if _, err := read(g, tenant(0)); err != nil {
				t.Fatal(err)
			}
		}
		if n := d.lists.Load(); n != 1 {
			t.Errorf("the table was listed %d times", n)
		}
		if n := d.reads.Load(); n != 0 {
			t.Errorf("the store was asked %d times for requests", n)
		}
	})
}

// A leased gate learns of what changed although its watch stands still; and when the
// watch comes to what is known already, a partition that was removed since does not
// come back.
func TestAWatchThatIsBehindBringsNothingBack(t *testing.T) {
	later := tenant(1)
	headlessGate(t, 1, gate.Options{Mode: gate.Leased}, func(t *testing.T, g *gate.Gate, d *headless, table *store.Store) {
		behind, release := make(chan struct{}), make(chan struct{})
		d.onWatch(func(evs []driver.Event, apply func([]driver.Event) error) error {
			<-release
			for _, ev := range evs { // one by one, so that each is looked at
				if err := apply([]driver.Event{ev}); err != nil {
					return err
				}
				if ev.Name == string(later) && !ev.Deleted {
					if _, err := read(g, later); !errors.Is(err, placement.ErrUnknownPartition) {
						t.Errorf("a partition that was removed is back: %v", err)
					}
				}
				if ev.Deleted {
					close(behind)
				}
			}
			return nil
		})
		if _, err := table.Register(t.Context(), later, placeA); err != nil {
			t.Fatal(err)
		}
		time.Sleep(gate.DefaultTTL / 4)
		if e, err := read(g, later); err != nil || e.State.From != placeA {
			t.Errorf("the new partition is not known: %v, %v", e, err)
		}
		if err := table.Remove(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		time.Sleep(gate.DefaultTTL / 4)
		if _, err := read(g, later); !errors.Is(err, placement.ErrUnknownPartition) {
			t.Errorf("the partition that was removed: %v", err)
		}
		close(release)
		<-behind
	})
}

// When it is not known any more what changed, the table is listed.
func TestLeasedListsAfterACompaction(t *testing.T) {
	headlessGate(t, 1, gate.Options{Mode: gate.Leased}, func(t *testing.T, g *gate.Gate, d *headless, table *store.Store) {
		hold := make(chan struct{})
		d.onWatch(func(evs []driver.Event, apply func([]driver.Event) error) error { <-hold; return apply(evs) })
		for i := range 3 {
			if _, err := table.Register(t.Context(), tenant(1+i), placeA); err != nil {
				t.Fatal(err)
			}
		}
		d.Driver.(*memstore.Store).Compact(store.SpaceEntries)
		time.Sleep(gate.DefaultTTL / 4)
		if _, err := read(g, tenant(3)); err != nil {
			t.Errorf("what was there when the history went: %v", err)
		}
		if n := d.lists.Load(); n != 2 {
			t.Errorf("the table was listed %d times; want twice", n)
		}
		close(hold)
	})
}

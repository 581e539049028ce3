package affinity_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/placement"
)

// scrollID is as long as OpenSearch's for an index of one shard.
func scrollID(i int) string {
	return fmt.Sprintf("FGluY2x1ZGVfY29udGV4dF91dWlkDXF1ZXJ5QW5kRmV0Y2gB%072d", i)
}

// filled returns n live cursors of 1,000 tenants on four clusters, and their ids,
// which lie in memory in another order than the cursors.
func filled(n int) (*affinity.CursorAffinity, []affinity.Envelope) {
	a := affinity.NewCursorAffinity(&affinity.CursorAffinityOptions{Limit: n})
	all := make([]affinity.Envelope, n)
	for i := range all {
		t := i % 1000
		all[i] = affinity.Envelope{
			Partition: tenants[t], Kind: affinity.Scroll, ID: scrollID(i), Incarnation: 2,
			Placement: placement.Placement{Kind: placement.DedicatedIndex, Cluster: clusters[t%4], Index: string(tenants[t]), Logical: "docs"},
		}
	}
	for _, i := range rand.Perm(n) {
		a.Pin(all[i], time.Minute)
	}
	return a, all
}

var clusters = []string{"cluster-0", "cluster-1", "cluster-2", "cluster-3"}

var tenants = func() (all [1000]placement.PartitionID) {
	for i := range all {
		all[i] = placement.PartitionID(fmt.Sprintf("tenant-%d", i))
	}
	return all
}()

var sizes = []int{1_000, 100_000, 1_000_000}

// The cost of a use must not depend on how many cursors there are. Sizes differ in
// what the processor's caches hold.
func BenchmarkResolve(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("live=%d", n), func(b *testing.B) {
			a, all := filled(n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				e := &all[i%n]
				if _, err := a.Resolve(e.ID, e.Partition, 0); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkResolveParallel(b *testing.B) {
	a, all := filled(100_000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := rand.IntN(len(all)); pb.Next(); i++ {
			e := &all[i%len(all)]
			if _, err := a.Resolve(e.ID, e.Partition, 0); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkPin pins a new cursor at the limit: another one goes.
func BenchmarkPin(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("live=%d", n), func(b *testing.B) {
			a, all := filled(n)
			ids := make([]string, 4*n)
			for i := range ids {
				ids[i] = scrollID(n + i)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				e := all[i%n]
				e.ID = ids[i%len(ids)]
				a.Pin(e, time.Minute)
				i++
			}
			if a.Len() != n {
				b.Fatalf("%d cursors", a.Len())
			}
		})
	}
}

// BenchmarkPinAgain is what every page of a scroll does.
func BenchmarkPinAgain(b *testing.B) {
	a, all := filled(100_000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		a.Pin(all[i%len(all)], 0)
		i++
	}
}

func BenchmarkResolveLongID(b *testing.B) {
	a := affinity.NewCursorAffinity(nil)
	e := envelope()
	e.ID = strings.Repeat("x", 10<<10)
	a.Pin(e, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Resolve(e.ID, e.Partition, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrap(b *testing.B) {
	s, e := sealer(b, keyA), envelope()
	e.ID = scrollID(1)
	b.ReportAllocs()
	for b.Loop() {
		s.Wrap(e)
	}
}

func BenchmarkUnwrap(b *testing.B) {
	s, e := sealer(b, keyA), envelope()
	e.ID = scrollID(1)
	text := s.Wrap(e)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Unwrap(text, e.Partition, noon.Add(-1)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSweptMap is what CursorAffinity replaces: a map under a lock that looks
// for what has expired on each pin.
func BenchmarkSweptMap(b *testing.B) {
	for _, n := range sizes[:2] {
		b.Run(fmt.Sprintf("live=%d", n), func(b *testing.B) {
			_, all := filled(n)
			var mu sync.Mutex
			until := map[string]time.Time{}
			for _, e := range all {
				until[e.ID] = time.Now().Add(time.Hour)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				now := time.Now()
				mu.Lock()
				for id, t := range until {
					if now.After(t) {
						delete(until, id)
					}
				}
				until[all[i%n].ID] = now.Add(time.Hour)
				mu.Unlock()
				i++
			}
		})
	}
}

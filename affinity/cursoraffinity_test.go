package affinity_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/placement"
)

// watch is a clock that is set by hand.
type watch struct{ at time.Time }

func (w *watch) now() time.Time          { return w.at }
func (w *watch) advance(d time.Duration) { w.at = w.at.Add(d) }
func opened(id, cluster string) affinity.Envelope {
	e := envelope()
	e.ID, e.Placement.Cluster, e.Expires = id, cluster, time.Time{}
	return e
}

func newAffinity(limit int) (*affinity.CursorAffinity, *watch) {
	w := &watch{noon}
	return affinity.NewCursorAffinity(&affinity.CursorAffinityOptions{Limit: limit, Now: w.now}), w
}

// known asks for an id and fails the test unless the answer is want.
func known(t *testing.T, a *affinity.CursorAffinity, id string, want error) {
	t.Helper()
	e, err := a.Resolve(id, envelope().Partition, 0)
	if !errors.Is(err, want) || err == nil && e.ID != id {
		t.Errorf("%.20q: %v, %v; want %v", id, e.ID, err, want)
	}
}

func TestPinAndResolve(t *testing.T) {
	a, w := newAffinity(10)
	for _, id := range []string{"short", "", strings.Repeat("long", 2560), strings.Repeat("long", 2560) + "er", "a\x00b", "a"} {
		want := opened(id, "east")
		a.Pin(want, 0)
		want.Expires = w.at.Add(affinity.DefaultTTL)
		got, err := a.Resolve(id, want.Partition, 0)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	if a.Len() != 6 {
		t.Errorf("%d cursors, want 6", a.Len())
	}
	a.Pin(opened("west", "west"), 0)
	if d := cmp.Diff(map[string]int{"east": 6, "west": 1}, a.Open(envelope().Partition)); d != "" || len(a.Open("other")) != 0 {
		t.Errorf("%s; of another tenant: %v", d, a.Open("other"))
	}
	a.Release("west", envelope().Partition)
	if _, err := a.Resolve("short", "other", 0); !errors.Is(err, affinity.ErrOtherTenant) {
		t.Errorf("another tenant: %v", err)
	}
	if a.Release("short", "other") || !a.Release("short", envelope().Partition) || a.Release("short", envelope().Partition) {
		t.Error("released by a stranger, not by its tenant, or twice")
	}
	known(t, a, "short", affinity.ErrUnknown)
	known(t, a, "never", affinity.ErrUnknown)
	if a.Len() != 5 {
		t.Errorf("%d cursors, want 5", a.Len())
	}
}

// A use begins the time anew, the request's keep-alive lengthens it, and what
// another tenant tries is no use.
func TestTimeToLive(t *testing.T) {
	a, w := newAffinity(10)
	a.Pin(opened("default", "east"), 0)
	a.Pin(opened("minute", "east"), time.Minute)
	w.advance(time.Minute - 1)
	if _, err := a.Resolve("minute", "other", time.Hour); !errors.Is(err, affinity.ErrOtherTenant) {
		t.Error(err)
	}
	known(t, a, "minute", nil)
	w.advance(time.Minute - 1)
	known(t, a, "minute", nil)
	if _, err := a.Resolve("minute", envelope().Partition, time.Second); err != nil { // not shortened
		t.Error(err)
	}
	w.advance(time.Minute - 1)
	a.Pin(opened("minute", "east"), 2*time.Minute) // the next page's answer is a use as well
	w.advance(2*time.Minute - 1)
	known(t, a, "minute", nil)
	w.advance(10)
	known(t, a, "default", affinity.ErrUnknown) // 300 s have passed
	w.advance(2 * time.Minute)
	known(t, a, "minute", affinity.ErrUnknown)
	if s := a.Stats(); s.Expired != 2 || s.Evicted != 0 || a.Len() != 0 {
		t.Errorf("%+v, %d held", s, a.Len())
	}
}

func TestOldestIsEvicted(t *testing.T) {
	a, w := newAffinity(3)
	for _, id := range []string{"1", "2", "3"} {
		a.Pin(opened(id, "east"), time.Hour)
		w.advance(10 * time.Minute)
	}
	known(t, a, "1", nil)
	a.Pin(opened("4", "east"), time.Hour)
	known(t, a, "2", affinity.ErrUnknown)
	if s := a.Stats(); s.Evicted != 1 || a.Len() != 3 {
		t.Errorf("%+v, %d held", s, a.Len())
	}
	// Whoever has expired goes before anybody who has not, however old, and of
	// different lifetimes the one that was used longest ago.
	a, w = newAffinity(3)
	a.Pin(opened("old", "east"), 10*time.Hour)
	a.Pin(opened("brief", "east"), time.Second)
	w.advance(2 * time.Second)
	a.Pin(opened("minute", "east"), time.Minute)
	a.Pin(opened("new", "east"), time.Hour)
	known(t, a, "brief", affinity.ErrUnknown)
	if s := a.Stats(); s.Evicted != 0 || s.Expired != 1 {
		t.Errorf("%+v", s)
	}
	a.Pin(opened("newer", "east"), time.Hour)
	known(t, a, "old", affinity.ErrUnknown)
	known(t, a, "minute", nil)
	if s := a.Stats(); s.Evicted != 1 || a.Len() != 3 {
		t.Errorf("%+v, %d held", s, a.Len())
	}
}

// The last answer counts: the cluster has given the id to whoever it is for.
func TestPinnedAgain(t *testing.T) {
	a, _ := newAffinity(10)
	e := opened("x", "east")
	a.Pin(e, 0)
	e.Partition, e.Placement.Cluster, e.Kind = "other", "west", affinity.Scroll
	a.Pin(e, 0)
	known(t, a, "x", affinity.ErrOtherTenant)
	got, err := a.Resolve("x", "other", 0)
	if err != nil || got.Placement.Cluster != "west" || got.Kind != affinity.Scroll || a.Len() != 1 {
		t.Errorf("%+v, %v, %d held", got, err, a.Len())
	}
	if d := cmp.Diff(map[string]int{"east": 0, "west": 1}, a.Stats().Open); d != "" {
		t.Error(d)
	}
}

// However many cursors come and none is ever asked for again, memory is given back
// as their time passes, without a sweep.
func TestExpiredMakeRoom(t *testing.T) {
	a, w := newAffinity(1000)
	for i := range 10_000 {
		a.Pin(opened(fmt.Sprint("s", i), "east"), time.Second)
		a.Pin(opened(fmt.Sprint("l", i), "east"), 5*time.Second)
		w.advance(20 * time.Millisecond)
		// 50 of each come in a second.
		if i > 1000 && a.Len() > 50*(1+5)*6/5 {
			t.Fatalf("%d cursors are held", a.Len())
		}
	}
	if s := a.Stats(); s.Evicted != 0 || s.Open["east"] != 50+5*50-2 {
		t.Errorf("%+v", s)
	}
}

// model is the plainest thing that behaves like a CursorAffinity without a limit.
type model map[string]struct {
	who   placement.PartitionID
	at    string
	until time.Time
	ttl   time.Duration
}

// A long random run against the model: the same answers, the same numbers.
func TestAgainstAModel(t *testing.T) {
	a, w := newAffinity(1 << 20)
	m := model{}
	r := rand.New(rand.NewPCG(1, 2))
	who := []placement.PartitionID{"a", "b", "c"}
	for step := range 100_000 {
		w.advance(time.Duration(r.IntN(400)) * time.Millisecond)
		id, p, cluster := fmt.Sprint(r.IntN(2000)), who[r.IntN(3)], fmt.Sprint("c", r.IntN(4))
		keep := time.Duration(r.IntN(3)) * time.Duration(r.IntN(600)) * time.Second
		now := w.at
		x, live := m[id]
		live = live && now.Before(x.until)
		switch r.IntN(5) {
		case 0, 1:
			e := opened(id, cluster)
			e.Partition = p
			a.Pin(e, keep)
			if !live || x.who != p || x.at != cluster {
				x.ttl = keep
				if keep == 0 {
					x.ttl = affinity.DefaultTTL
				}
			}
			x.who, x.at, x.ttl = p, cluster, max(x.ttl, keep)
			x.until = now.Add(x.ttl)
			m[id] = x
		case 2:
			want := live && x.who == p
			got := a.Release(id, p)
			if live && got != want || got && m[id].who != p {
				t.Fatalf("step %d: released %t, want %t", step, got, want)
			}
			if m[id].who == p {
				delete(m, id)
			}
		default:
			e, err := a.Resolve(id, p, keep)
			switch {
			case !live:
				if !errors.Is(err, affinity.ErrUnknown) {
					t.Fatalf("step %d: %v, want ErrUnknown", step, err)
				}
				delete(m, id)
			case x.who != p:
				if !errors.Is(err, affinity.ErrOtherTenant) {
					t.Fatalf("step %d: %v, want ErrOtherTenant", step, err)
				}
			default:
				x.ttl = max(x.ttl, keep)
				x.until = now.Add(x.ttl)
				m[id] = x
				if err != nil || e.Placement.Cluster != x.at || !e.Expires.Equal(x.until) {
					t.Fatalf("step %d: %+v, %v, want %+v", step, e, err, x)
				}
			}
		}
	}
	least, most := map[string]int{}, map[string]int{}
	for _, x := range m {
		if w.at.Before(x.until) {
			least[x.at]++
		}
		if w.at.Before(x.until.Add(x.ttl / 5)) {
			most[x.at]++
		}
	}
	got, sum := a.Stats().Open, 0
	for c, n := range got {
		if sum += n; n < least[c] || n > most[c] || n == 0 {
			t.Errorf("%d cursors are open at %s, want %d to %d", n, c, least[c], most[c])
		}
	}
	if sum != a.Len() || len(got) != 4 {
		t.Errorf("%v, %d in all", got, a.Len())
	}
}

// With the race detector; and what is left afterwards is what the goroutines left.
func TestConcurrentUse(t *testing.T) {
	a := affinity.NewCursorAffinity(&affinity.CursorAffinityOptions{Limit: 500})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			p := placement.PartitionID(fmt.Sprint("tenant-", g%3))
			for i := range 2000 {
				e := opened(fmt.Sprint(g%3, "/", i%200), fmt.Sprint("c", g%3))
				e.Partition = p
				a.Pin(e, 0)
				if got, err := a.Resolve(e.ID, p, 0); err == nil && got.Placement != e.Placement {
					t.Errorf("%+v", got)
				}
				if i%7 == 0 {
					a.Release(e.ID, p)
				}
				if i%100 == 0 {
					a.Stats()
				}
			}
		})
	}
	wg.Wait()
	s := a.Stats()
	if sum := s.Open["c0"] + s.Open["c1"] + s.Open["c2"]; sum != a.Len() || sum > 500 || sum == 0 {
		t.Errorf("%d by cluster, %d in all", sum, a.Len())
	}
}

func ExampleCursorAffinity() {
	a := affinity.NewCursorAffinity(&affinity.CursorAffinityOptions{Limit: 10_000})
	a.Pin(affinity.Envelope{
		Partition: "acme", Kind: affinity.Scroll, ID: "FGluY2x1ZGVf",
		Placement: placement.Placement{Kind: placement.DedicatedCluster, Cluster: "east"},
	}, time.Minute)
	e, err := a.Resolve("FGluY2x1ZGVf", "acme", 0)
	fmt.Println(e.Placement.Cluster, err)
	_, err = a.Resolve("FGluY2x1ZGVf", "someone-else", 0)
	fmt.Println(err)
	// Output:
	// east <nil>
	// the cursor belongs to another tenant
}

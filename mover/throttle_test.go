package mover_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/mover"
)

// nodes is an answer about one node. Its counters and its state are as given, and
// everything else is fine.
func nodes(more string) string {
	fine := `"thread_pool":{"write":{"threads":2,"queue":4,"rejected":7},"search":{"threads":4,"queue":0,"rejected":1}},"jvm":{"mem":{"heap_used_percent":85}},"breakers":{"parent":{"tripped":3},"request":{"tripped":0}},"os":{"cpu":{"percent":50}}`
	if more != "" {
		more = "," + more
	}
	return `{"nodes":{"x":{"name":"n1",` + fine + more + `}}}`
}

// idle is an answer about a node with processors to spare.
var idle = nodes(`"os":{"cpu":{"percent":39}},"thread_pool":{"write":{"threads":4,"queue":4,"rejected":7}}`)

// signals are all that a copy is slowed by: each is made for a while.
var signals = map[string]struct {
	cause string // of what it says
	least float64
	make  func(x mover.Throttle, l *mover.Looks) error
}{
	"refusals":      {"cluster B refuses requests (429)", mover.LeastLevel, func(x mover.Throttle, _ *mover.Looks) error { x.Refused("B"); return nil }},
	"slow writes":   {"bulk writes of cluster B take", mover.LeastLevel, func(x mover.Throttle, _ *mover.Looks) error { x.Answered(true, 1000, time.Second); return nil }},
	"slow searches": {"searches of cluster A take", mover.LeastLevel, func(x mover.Throttle, _ *mover.Looks) error { x.Answered(false, 1000, time.Second); return nil }},
	"heap": {"node n1 of cluster A: heap 86 % full", mover.LeastLevel, func(x mover.Throttle, l *mover.Looks) error {
		return l.Heard(x, "A", nodes(`"jvm":{"mem":{"heap_used_percent":86}}`))
	}},
	"write queue": {"node n1 of cluster A: 5 requests wait for 2 threads of write", mover.LeastLevel, func(x mover.Throttle, l *mover.Looks) error {
		return l.Heard(x, "A", nodes(`"thread_pool":{"write":{"threads":2,"queue":5,"rejected":7},"search":{"rejected":1}}`))
	}},
	"search queue": {"node n1 of cluster A: 9 requests wait for 4 threads of search", mover.LeastLevel, func(x mover.Throttle, l *mover.Looks) error {
		return l.Heard(x, "A", nodes(`"thread_pool":{"search":{"threads":4,"queue":9,"rejected":1},"write":{"rejected":7}}`))
	}},
	"processors": {"node n1 of cluster A: processors 61 % busy", mover.Gentle, func(x mover.Throttle, l *mover.Looks) error {
		return l.Heard(x, "A", nodes(`"os":{"cpu":{"percent":61}}`))
	}},
}

// Each signal alone cuts the level, is named, and cuts it to its bound and no further;
// when it is gone the copy comes back to where it was.
func TestPressureSlowsACopyAndItRecovers(t *testing.T) {
	for name, s := range signals {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, looks := mover.NewThrottle(2, mover.Limits{}), &mover.Looks{}
				// second is one of calm answers. The nodes are looked at as often as they really are.
				n := 0
				second := func(stats string) {
					t.Helper()
					for range 4 {
						time.Sleep(250 * time.Millisecond)
						x.Answered(true, 1000, 100*time.Millisecond)
						x.Answered(false, 1000, 20*time.Millisecond)
					}
					if n++; n%5 == 0 {
						if err := errors.Join(looks.Heard(x, "A", stats), (&mover.Looks{}).Heard(x, "B", stats)); err != nil {
							t.Fatal(err)
						}
					}
				}
				for range 60 {
					second(idle)
				}
				if x.Level() != 2 || x.SlowedBy() != "" {
					t.Fatalf("level %g in calm, slowed by %q", x.Level(), x.SlowedBy())
				}
				before := x.Level()
				for range 60 {
					time.Sleep(5 * time.Second)
					if err := s.make(x, looks); err != nil {
						t.Fatal(err)
					}
					// Falls, or is at its bound.
					if now := x.Level(); now > before || now < s.least {
						t.Fatalf("from %g to %g; its bound is %g", before, now, s.least)
					}
					before = x.Level()
				}
				if math.Abs(x.Level()-s.least) > 1e-9 || !strings.HasPrefix(x.SlowedBy(), s.cause) {
					t.Fatalf("level %g, want %g; slowed by %q, want %q", x.Level(), s.least, x.SlowedBy(), s.cause)
				}
				for range 120 {
					second(idle)
				}
				if x.Level() != 2 || x.SlowedBy() != "" {
					t.Errorf("level %g after the pressure, slowed by %q", x.Level(), x.SlowedBy())
				}
			})
		})
	}
}

// What was rejected and what tripped is told by counters: those of the first look are of
// old, and one that stands still is calm.
func TestCountersOfNodes(t *testing.T) {
	for name, test := range map[string]struct{ answer, cause string }{
		"rejections": {nodes(`"thread_pool":{"write":{"threads":2,"rejected":9},"search":{"rejected":1}}`), "2 requests were rejected"},
		"breakers":   {nodes(`"breakers":{"parent":{"tripped":3},"request":{"tripped":1}}`), "circuit breakers tripped 1 times"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, looks := mover.NewThrottle(2, mover.Limits{}), &mover.Looks{}
				hear := func(answer string) {
					t.Helper()
					time.Sleep(mover.NodesEvery)
					if err := looks.Heard(x, "B", answer); err != nil {
						t.Fatal(err)
					}
				}
				hear(nodes(""))
				if x.Level() != mover.Gentle || x.SlowedBy() != "" {
					t.Fatalf("level %g after a first look, slowed by %q", x.Level(), x.SlowedBy())
				}
				hear(test.answer)
				if x.Level() != mover.Gentle/2 || !strings.Contains(x.SlowedBy(), test.cause) {
					t.Fatalf("level %g, slowed by %q", x.Level(), x.SlowedBy())
				}
				hear(test.answer)
				if x.Level() <= mover.Gentle/2 {
					t.Errorf("level %g when the counter stands still", x.Level())
				}
			})
		})
	}
}

// A copy is not faster than gentle unless the nodes of both clusters have processors to
// spare, and have said so of late.
func TestOnlySpareProcessorsMakeACopyFaster(t *testing.T) {
	for name, test := range map[string]struct {
		a, b   string
		faster bool
	}{
		"nobody tells":  {"", "", false},
		"one tells":     {idle, "", false},
		"one is busier": {idle, nodes(""), false},
		"no processors": {idle, `{"nodes":{"x":{"name":"n1"}}}`, false},
		"not known":     {idle, nodes(`"os":{"cpu":{"percent":-1}}`), false},
		"no nodes":      {idle, `{"nodes":{}}`, false},
		"two at 30 %":   {idle, nodes(`"os":{"cpu":{"percent":30}}`), false},
		"both":          {idle, idle, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := mover.NewThrottle(4, mover.Limits{})
				hear := func() {
					for cluster, answer := range map[string]string{"A": test.a, "B": test.b} {
						if answer == "" {
							continue
						}
						if err := (&mover.Looks{}).Heard(x, cluster, answer); err != nil {
							t.Fatal(err)
						}
					}
				}
				calm := func(seconds int) {
					for range seconds {
						time.Sleep(time.Second)
						x.Answered(true, 1000, 100*time.Millisecond)
					}
				}
				for range 5 {
					hear()
					calm(5)
				}
				if got := x.Level() > mover.Gentle; got != test.faster {
					t.Errorf("level %g, faster %t", x.Level(), test.faster)
				}
				calm(10)
				at := x.Level()
				calm(60) // what was heard is old by now
				if x.Level() != at {
					t.Errorf("from %g to %g by what was said a minute ago", at, x.Level())
				}
			})
		})
	}
}

// The level is kept: so much of the time, by so many at once; never nothing; and without
// a throttle nobody waits.
func TestTurnsKeepTheLevel(t *testing.T) {
	work := func(t *testing.T, x mover.Throttle, workers int, each, long time.Duration) (share float64, most int64) {
		t.Helper()
		var busy, running, peak atomic.Int64
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for ctx.Err() == nil {
					err := x.Turn(ctx, func() error {
						peak.Store(max(peak.Load(), running.Add(1)))
						time.Sleep(each)
						running.Add(-1)
						busy.Add(int64(each))
						return nil
					})
					if err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		return float64(busy.Load()) / float64(long), peak.Load()
	}
	for _, test := range []struct {
		refusals int
		eager    bool
		share    float64
		peak     int64
	}{{0, false, 0.05, 1}, {1, false, 0.025, 1}, {20, false, 0.02, 1}, {0, true, 3, 3}, {20, true, 3, 3}} {
		t.Run(fmt.Sprint(test.refusals, test.eager), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := mover.NewThrottle(3, mover.Limits{Eager: test.eager})
				for range test.refusals {
					time.Sleep(2 * time.Second)
					x.Refused("B")
				}
				share, peak := work(t, x, 3, 100*time.Millisecond, time.Minute)
				if math.Abs(share-test.share) > 0.02*test.share+0.005 || peak != test.peak {
					t.Errorf("share %.3f by %d at once, want %g by %d", share, peak, test.share, test.peak)
				}
			})
		})
	}
	t.Run("the longest rest", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			x := mover.NewThrottle(1, mover.Limits{})
			for range 20 {
				time.Sleep(2 * time.Second)
				x.Refused("B")
			}
			began := time.Now()
			if err := x.Turn(t.Context(), func() error { time.Sleep(time.Minute); return nil }); err != nil {
				t.Fatal(err)
			}
			if rest := time.Since(began) - time.Minute; rest != 0 {
				t.Errorf("whoever has done its work rested for %s", rest)
			}
			if err := x.Turn(t.Context(), func() error { return nil }); err != nil {
				t.Fatal(err)
			}
			if rest := time.Since(began) - time.Minute; rest != mover.LongestRest {
				t.Errorf("the next piece waited for %s", rest)
			}
			// Whoever waits is let go when the throttle is taken away.
			hold, done := make(chan struct{}), make(chan error, 2)
			go func() { done <- x.Turn(t.Context(), func() error { <-hold; return nil }) }()
			synctest.Wait()
			second := false
			go func() { done <- x.Turn(t.Context(), func() error { second = true; return nil }) }()
			synctest.Wait()
			if second {
				t.Fatal("two at once")
			}
			x.Set(mover.Limits{Eager: true})
			if err := <-done; err != nil || !second {
				t.Errorf("%v; the second has run: %t", err, second)
			}
			close(hold)
			if err := <-done; err != nil {
				t.Error(err)
			}
			stop := errors.New("stop")
			if err := x.Turn(t.Context(), func() error { return stop }); !errors.Is(err, stop) {
				t.Errorf("the error of the work: %v", err)
			}
		})
	})
}

// The limits of an operator hold by themselves, one in documents and one in bytes, and
// take effect on whoever waits already.
func TestLimitsOfACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := mover.NewThrottle(2, mover.Limits{Bytes: 100_000})
		if n := x.Page(1000, 1000); n != 100 {
			t.Errorf("a page of %d documents of 1000 bytes at 100 kB a second", n)
		}
		if n := x.Page(1000, 1_000_000); n != 1 {
			t.Errorf("a page of %d documents that are larger than a second's worth", n)
		}
		began := time.Now()
		for range 10 {
			if err := x.Pace(t.Context(), 100, 100_000); err != nil {
				t.Fatal(err)
			}
		}
		// One document of ten seconds' worth.
		if err := x.Pace(t.Context(), 1, 1_000_000); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began).Round(time.Second); took != 20*time.Second {
			t.Errorf("2 MB at 100 kB a second took %s", took)
		}
		x.Set(mover.Limits{Docs: 10})
		began = time.Now()
		time.AfterFunc(5*time.Second, func() { x.Set(mover.Limits{Docs: 100}) })
		if err := x.Pace(t.Context(), 560, 1<<40); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 9*time.Second || took > 11*time.Second {
			t.Errorf("50 documents in 5 s and 500 in 5 more took %s", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := x.Pace(ctx, 1_000_000, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("whoever waited was stopped: %v", err)
		}
	})
}

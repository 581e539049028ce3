package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	const bound = 5 * time.Second
	engine := func(t *testing.T) (*memstore.Store, drivertest.Engine) {
		s := memstore.New(nil)
		t.Cleanup(func() { _ = s.Close() })
		d, fault := drivertest.NewFlaky(s, bound)
		return s, drivertest.Engine{Driver: d, Peer: s, Fault: fault, Compact: func() { s.Compact("entries") }}
	}
	drivertest.Run(t, drivertest.Harness{
		New:    func(t *testing.T) drivertest.Engine { _, e := engine(t); return e },
		TTL:    time.Second,
		Late:   time.Millisecond,
		Bound:  bound + time.Millisecond,
		Bubble: true,
		Outages: map[drivertest.Outage]func(*testing.T) drivertest.Victim{
			// Its leases go on, but nobody gets an answer.
			drivertest.Freeze: func(t *testing.T) drivertest.Victim {
				s, e := engine(t)
				peer, silence := drivertest.NewFlaky(s, bound)
				both := func(f drivertest.Fault) func() { return func() { e.Fault(f); silence(f) } }
				return drivertest.Victim{Driver: e.Driver, Peer: peer, Strike: both(drivertest.Silence), Heal: both(drivertest.None)}
			},
		},
		Cannot: map[drivertest.Outage]string{
			drivertest.FullDisk:     "it has no disk and no quota",
			drivertest.ClockAhead:   "it looks at the monotonic clock only",
			drivertest.ClockBack:    "it looks at the monotonic clock only",
			drivertest.LeaderKill:   "there is one of it",
			drivertest.LeaderFreeze: "there is one of it",
		},
		Shows: map[string]func(*testing.T) string{"SurvivesKill": forgets},
	})
}

// forgets shows that nothing outlives a store.
func forgets(t *testing.T) string {
	s := memstore.New(nil)
	put(t, s, "k", "", 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = memstore.New(nil)
	defer func() { _ = s.Close() }()
	if _, err := s.Get(t.Context(), key("k")); !errors.Is(err, driver.ErrNotFound) {
		return ""
	}
	return "a record that was acknowledged is not in the next store"
}

func key(name string) driver.Key { return driver.Key{Space: "entries", Name: name} }

func put(t testing.TB, s *memstore.Store, name, value string, expect driver.Version) driver.Version {
	t.Helper()
	v, err := s.Write(t.Context(), driver.Write{Key: key(name), Value: []byte(value), Expect: expect})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A lease ends to the moment, and a renewal moves that moment.
func TestLeaseEndsToTheMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(nil)
		defer func() { _ = s.Close() }()
		const ttl = 10 * time.Second
		k := driver.Key{Space: "sessions", Name: "s"}
		x, err := s.Open(t.Context(), k, []byte("x"), ttl)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(ttl - 1)
		if err := x.Renew(t.Context()); err != nil {
			t.Fatalf("renewed a nanosecond before its end: %v", err)
		}
		time.Sleep(ttl - 1)
		if _, err := s.Get(t.Context(), k); err != nil {
			t.Fatalf("a nanosecond before its end: %v", err)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if _, err := s.Get(t.Context(), k); !errors.Is(err, driver.ErrNotFound) {
			t.Fatalf("at its end: %v", err)
		}
		if err := x.Renew(t.Context()); !errors.Is(err, driver.ErrSessionLost) {
			t.Fatalf("renewed at its end: %v", err)
		}
	})
}

// The history is bounded: at least Options.History changes are kept, at most
// twice as many.
func TestHistoryIsBounded(t *testing.T) {
	const history = 10
	s := memstore.New(&memstore.Options{History: history})
	defer func() { _ = s.Close() }()
	var v driver.Version
	for range 95 {
		v = put(t, s, "k", "", v)
	}
	reached := errors.New("reached")
	watch := func(back driver.Version) error {
		return s.Watch(t.Context(), "entries", v-back, func(evs []driver.Event) error {
			if evs[0].Version != v-back+1 {
				t.Errorf("watched from %d, the first change is %d", v-back, evs[0].Version)
			}
			return reached
		})
	}
	if err := watch(history); err != reached {
		t.Errorf("as far back as promised: %v", err)
	}
	if err := watch(2*history + 1); !errors.Is(err, driver.ErrCompacted) {
		t.Errorf("farther back than what is kept: %v", err)
	}
}

// A list is what was there when it began, whatever is written while it runs, by
// its own yield too.
func TestListIsASnapshot(t *testing.T) {
	s := memstore.New(nil)
	defer func() { _ = s.Close() }()
	const n = 3000
	versions := map[string]driver.Version{}
	for i := range n {
		name := fmt.Sprint(i)
		versions[name] = put(t, s, name, "old", 0)
	}
	seen := 0
	at, err := s.List(t.Context(), "entries", func(kv driver.KV) bool {
		seen++
		if string(kv.Value) != "old" || kv.Version != versions[kv.Name] {
			t.Fatalf("%s is yielded with %q at %d", kv.Name, kv.Value, kv.Version)
		}
		other := fmt.Sprint((seen * 7) % n)
		if seen%3 == 0 {
			put(t, s, "new"+other, "new", 0)
		} else if kv, err := s.Get(t.Context(), key(other)); err == nil {
			put(t, s, other, "new", kv.Version)
		}
		return true
	})
	if err != nil || seen != n || at != versions[fmt.Sprint(n-1)] {
		t.Fatalf("%d records at %d, %v", seen, at, err)
	}
}

// After Close every call says so, watches too, and no timer is left.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(nil)
		v := put(t, s, "k", "", 0)
		x, err := s.Open(t.Context(), driver.Key{Space: "sessions", Name: "s"}, nil, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		watched := make(chan error, 1)
		go func() {
			watched <- s.Watch(t.Context(), "entries", v, func([]driver.Event) error { return nil })
		}()
		synctest.Wait()
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
		_, get := s.Get(t.Context(), key("k"))
		_, write := s.Write(t.Context(), driver.Write{Key: key("l")})
		_, list := s.List(t.Context(), "entries", nil)
		_, head := s.Head(t.Context(), "entries")
		_, open := s.Open(t.Context(), driver.Key{Space: "sessions", Name: "t"}, nil, 1)
		_, update := x.Update(t.Context(), nil)
		for call, err := range map[string]error{
			"Watch": <-watched, "Get": get, "Write": write, "List": list, "Head": head, "Open": open,
			"Renew": x.Renew(t.Context()), "Update": update, "Close": x.Close(t.Context()),
		} {
			if !errors.Is(err, memstore.ErrClosed) {
				t.Errorf("%s: %v", call, err)
			}
		}
		s.Compact("entries") // it has nothing to do
	})
}

// What is written and what is read are copies: their owners may change them.
func TestValuesAreCopied(t *testing.T) {
	s := memstore.New(nil)
	defer func() { _ = s.Close() }()
	value := []byte("x")
	if _, err := s.Write(t.Context(), driver.Write{Key: key("k"), Value: value}); err != nil {
		t.Fatal(err)
	}
	value[0] = '!'
	kv, err := s.Get(t.Context(), key("k"))
	if err != nil || string(kv.Value) != "x" {
		t.Fatalf("%q, %v", kv.Value, err)
	}
	kv.Value[0] = '!'
	if kv, err := s.Get(t.Context(), key("k")); err != nil || string(kv.Value) != "x" {
		t.Fatalf("%q, %v", kv.Value, err)
	}
}

// BenchmarkMillion measures what a list of a million records costs, and what it
// costs those who write meanwhile.
func BenchmarkMillion(b *testing.B) {
	s := memstore.New(nil)
	defer func() { _ = s.Close() }()
	for i := range 1_000_000 {
		put(b, s, fmt.Sprint(i), "value", 0)
	}
	v := put(b, s, "k", "", 0)
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			n := 0
			if _, err := s.List(b.Context(), "entries", func(driver.KV) bool { n++; return true }); err != nil || n != 1_000_001 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			v = put(b, s, "k", "", v)
		}
	})
	b.Run("write while listing", func(b *testing.B) {
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ctx.Err() == nil {
				_, _ = s.List(ctx, "entries", func(driver.KV) bool { return true })
			}
		}()
		var worst time.Duration
		for b.Loop() {
			began := time.Now()
			v = put(b, s, "k", "", v)
			worst = max(worst, time.Since(began))
		}
		cancel()
		<-done
		b.ReportMetric(float64(worst.Microseconds()), "us-worst")
	})
}

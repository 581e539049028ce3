package gate_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// stalling is a store whose watch can stop while everything else goes on, and
// that counts the reads of its head.
type stalling struct {
	*memstore.Store
	stalled atomic.Bool
	heads   atomic.Int64
	hung    atomic.Bool  // a read of the head that begins now never ends by itself
	slow    atomic.Int64 // ns that a read of the head takes, as over a network
}

func (s *stalling) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	return s.Store.Watch(ctx, space, from, func(evs []driver.Event) error {
		for space == store.SpaceEntries && s.stalled.Load() {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Millisecond):
			}
		}
		return apply(evs)
	})
}

func (s *stalling) Head(ctx context.Context, space string) (driver.Version, error) {
	s.heads.Add(1)
	if s.hung.Load() {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	time.Sleep(time.Duration(s.slow.Load()))
	return s.Store.Head(ctx, space)
}

// local is one that knows its head without being asked, as the etcd in the process.
type local struct{ *stalling }

func (l local) LocalHead(space string) (driver.Version, bool) {
	v, err := l.Store.Head(context.Background(), space)
	return v, err == nil
}

func stallingFleet(t *testing.T, o *gate.Options) (*fleet, *stalling, *gate.Gate) {
	d := &stalling{Store: memstore.New(nil)}
	return fleetOn(t, d, d, o)
}

func fleetOn(t *testing.T, d *stalling, as driver.Driver, o *gate.Options) (*fleet, *stalling, *gate.Gate) {
	f := &fleet{t: t, store: store.New(as, nil), mem: d.Store}
	if _, err := f.store.Register(t.Context(), acme, placeA); err != nil {
		t.Fatal(err)
	}
	g, _ := f.join(o)
	return f, d, g
}

// Leased mode asks the store nothing per request, and stops when its watch has
// not been proven to progress, although the session is renewed all the while.
func TestLeasedStopsWithItsWatch(t *testing.T) {
	f, d, g := stallingFleet(t, &gate.Options{Mode: gate.Leased, TTL: 2 * time.Second, StoreWait: 50 * time.Millisecond})
	before := d.heads.Load()
	for range 1000 {
		r, err := g.Read(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		r.Done()
	}
	if n := d.heads.Load() - before; n > 20 {
		t.Errorf("1000 leased reads asked the store %d times", n)
	}
	d.stalled.Store(true)
	began := time.Now()
	f.begin() // a change that the stalled watch does not show
	f.until("the instance stops serving", func() bool { return g.Ready() != nil })
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it served for %v with a stalled watch; the TTL is 2s", took)
	}
	var u *gate.UnavailableError
	if _, err := g.Write(t.Context(), acme, 0); !errors.As(err, &u) || u.Reason != gate.ReasonStore {
		t.Fatalf("a write meanwhile: %v, want %s", err, gate.ReasonStore)
	}
	d.stalled.Store(false)
	f.until("it serves again", func() bool { return g.Ready() == nil })
}

// In fresh mode a request is never decided on a replica that lags: it waits,
// and is refused as retryable when the wait is over.
func TestFreshRefusesWhatItCannotKnow(t *testing.T) {
	t.Run("asked", func(t *testing.T) { refusesWhatItCannotKnow(t, func(d *stalling) driver.Driver { return d }) })
	t.Run("known without asking", func(t *testing.T) {
		d := refusesWhatItCannotKnow(t, func(d *stalling) driver.Driver { return local{d} })
		if n := d.heads.Load(); n > 20 { // what keeps the replica proven does ask
			t.Errorf("1000 reads asked the store %d times", n)
		}
	})
}

func refusesWhatItCannotKnow(t *testing.T, as func(*stalling) driver.Driver) *stalling {
	stalls := &stalling{Store: memstore.New(nil)}
	f, d, g := fleetOn(t, stalls, as(stalls), &gate.Options{StoreWait: 100 * time.Millisecond})
	for range 1000 {
		r, err := g.Read(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		r.Done()
	}
	d.stalled.Store(true)
	f.begin()
	var u *gate.UnavailableError
	if _, err := g.Read(t.Context(), acme); !errors.As(err, &u) || u.Reason != gate.ReasonStore || u.RetryAfter <= 0 {
		t.Fatalf("got %v, want %s", err, gate.ReasonStore)
	}
	d.stalled.Store(false)
	f.until("reads are served again", func() bool {
		r, err := g.Read(t.Context(), acme)
		if err != nil {
			return false
		}
		defer r.Done()
		return r.Entry().State.Phase == placement.Draining
	})
	return d
}

// A read of the head that hangs, on a connection that died silently, costs the
// requests that waited for it, and not those that come when the store answers.
func TestAHungReadDoesNotBlockLaterOnes(t *testing.T) {
	f, d, g := stallingFleet(t, &gate.Options{StoreWait: 100 * time.Millisecond})
	d.hung.Store(true)
	var u *gate.UnavailableError
	if _, err := g.Read(t.Context(), acme); !errors.As(err, &u) || u.Reason != gate.ReasonStore {
		t.Fatalf("got %v, want %s", err, gate.ReasonStore)
	}
	d.hung.Store(false)
	f.until("reads are served again", func() bool {
		r, err := g.Read(t.Context(), acme)
		if err == nil {
			r.Done()
		}
		return err == nil
	})
}

// Concurrent requests share read barriers: the store is asked far less often than
// requests come.
func TestFreshSharesTheBarrier(t *testing.T) {
	_, d, g := stallingFleet(t, nil)
	d.slow.Store(int64(2 * time.Millisecond))
	before := d.heads.Load()
	const clients, each = 64, 50
	done := make(chan error)
	for range clients {
		go func() {
			for range each {
				r, err := g.Read(context.Background(), acme)
				if err != nil {
					done <- err
					return
				}
				r.Done()
			}
			done <- nil
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if n := d.heads.Load() - before; n > clients*each/2 {
		t.Errorf("%d requests asked the store %d times", clients*each, n)
	} else {
		t.Logf("%d requests, %d reads of the head", clients*each, n)
	}
}

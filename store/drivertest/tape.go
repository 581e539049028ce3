package drivertest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// tape records what a watch reports, and checks on the way what holds for every
// watch: batches are not empty, come from one goroutine, start after from, and
// their versions grow, so that nothing comes twice.
type tape struct {
	s      *suite
	done   chan struct{} // closed when Watch has returned
	inside atomic.Bool   // apply is running

	mu      sync.Mutex
	last    driver.Version
	events  []driver.Event
	changed chan struct{} // closed and replaced at each batch
	err     error         // what Watch returned
}

// record starts a watch that ends with the test.
func (s *suite) record(d driver.Driver, space string, from driver.Version) *tape {
	ctx, cancel := context.WithCancel(s.ctx)
	t := &tape{s: s, done: make(chan struct{}), changed: make(chan struct{}), last: from}
	go func() {
		defer close(t.done)
		err := d.Watch(ctx, space, from, t.apply)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.err = err
		t.wake()
		if err == nil {
			s.Error("watch returned nil")
		}
	}()
	s.Cleanup(func() {
		cancel()
		<-t.done
	})
	return t
}

func (t *tape) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *tape) apply(evs []driver.Event) error {
	if !t.inside.CompareAndSwap(false, true) {
		t.s.Error("apply was called while it was running")
	}
	defer t.inside.Store(false)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(evs) == 0 {
		t.s.Error("apply was called without changes")
		return nil
	}
	for i, ev := range evs {
		if ev.Version < t.last || ev.Version == t.last && i == 0 {
			t.s.Errorf("%q at %d was reported after %d", ev.Name, ev.Version, t.last)
		}
		if ev.Deleted && ev.Value != nil {
			t.s.Errorf("the deletion of %q at %d has a value", ev.Name, ev.Version)
		}
		t.last = ev.Version
		ev.Value = slices.Clone(ev.Value)
		t.events = append(t.events, ev)
	}
	t.wake()
	return nil
}

// await waits until the events satisfy a condition and returns them.
func (t *tape) await(what string, cond func([]driver.Event) bool) []driver.Event {
	t.s.Helper()
	return t.awaitFor(patience, what, cond)
}

func (t *tape) awaitFor(d time.Duration, what string, cond func([]driver.Event) bool) []driver.Event {
	t.s.Helper()
	timeout := time.NewTimer(d)
	defer timeout.Stop()
	for {
		t.mu.Lock()
		evs, changed, err := slices.Clip(t.events), t.changed, t.err
		t.mu.Unlock()
		if cond(evs) {
			return evs
		}
		if err != nil {
			t.s.Fatalf("watch ended while waiting for %s: %v", what, err)
		}
		select {
		case <-changed:
		case <-timeout.C:
			t.s.Fatalf("watch did not report %s within %v; it reported %d changes, the newest at %d", what, d, len(evs), newest(evs))
		}
	}
}

// reach waits until the watch is at a version.
func (t *tape) reach(v driver.Version) []driver.Event {
	t.s.Helper()
	return t.await("the version waited for", func(evs []driver.Event) bool { return newest(evs) >= v })
}

func newest(evs []driver.Event) driver.Version {
	if len(evs) == 0 {
		return 0
	}
	return evs[len(evs)-1].Version
}

// replica is a space as somebody sees it who lists and then watches.
type replica struct {
	mu      sync.Mutex
	at      driver.Version
	records map[string]driver.KV
	lists   int
	changed chan struct{}
}

// follow keeps a replica up to date until the test ends, listing again whenever
// the watch was compacted away.
func (s *suite) follow(d driver.Driver, space string) *replica {
	r := &replica{records: map[string]driver.KV{}, changed: make(chan struct{})}
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			all, at, err := listed(ctx, d, space)
			if err != nil {
				if ctx.Err() == nil && !errors.Is(err, driver.ErrCompacted) {
					s.Errorf("list %s: %v", space, err)
				}
				continue
			}
			r.set(all, at)
			err = d.Watch(ctx, space, at, r.apply)
			if ctx.Err() == nil && !errors.Is(err, driver.ErrCompacted) {
				s.Errorf("watch %s from %d: %v", space, at, err)
				return
			}
		}
	}()
	s.Cleanup(func() {
		cancel()
		<-done
	})
	return r
}

func (r *replica) set(all map[string]driver.KV, at driver.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records, r.at, r.lists = all, at, r.lists+1
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *replica) apply(evs []driver.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ev := range evs {
		if ev.Deleted {
			delete(r.records, ev.Name)
		} else {
			ev.Value = slices.Clone(ev.Value)
			r.records[ev.Name] = ev.KV
		}
		r.at = ev.Version
	}
	close(r.changed)
	r.changed = make(chan struct{})
	return nil
}

// await waits until the replica satisfies a condition.
func (r *replica) await(s *suite, what string, cond func() bool) {
	s.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		r.mu.Lock()
		ok, changed, at := cond(), r.changed, r.at
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			s.Fatalf("the replica is at %d and did not come to %s", at, what)
		}
	}
}

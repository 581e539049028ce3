// Package memstore is the driver that keeps everything in this process: the
// reference that the other drivers are compared with, and what tests and
// single-process programs use.
//
// Its limits: it serves one process and is gone with it. A watch reaches back
// over a bounded number of changes of its space (Options.History), after that it
// is driver.ErrCompacted. Time is the time package's, so that leases end on the
// monotonic clock, and at once in a bubble of testing/synctest.
package memstore

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/store/driver"
)

// DefaultHistory is how many changes of a space a watch can go back, unless
// Options say otherwise.
const DefaultHistory = 100_000

// ErrClosed is what every method returns after Close. A write that returns it
// has not taken effect.
var ErrClosed = catalog.New("store_client_closed", "memstore: closed")

// Options of a Store. The zero value is useful.
type Options struct {
	// History is how many changes of a space are kept at least for watches that
	// start in the past (default DefaultHistory). At most twice as many are.
	History int
}

// Store implements driver.Driver and driver.Header in memory. One mutex orders
// everything: what it protects is one version counter and, per space, the
// records and the log of changes. Nothing waits, and no caller's function runs,
// while it is held.
type Store struct {
	history int
	done    chan struct{} // closed by Close

	mu      sync.Mutex
	closed  bool
	version driver.Version // of the newest change in any space
	spaces  map[string]*space
	leased  map[*session]struct{} // sessions that have not ended
}

// New returns an empty store. Close it to stop its timers.
func New(o *Options) *Store {
	s := &Store{
		history: DefaultHistory,
		done:    make(chan struct{}),
		spaces:  map[string]*space{},
		leased:  map[*session]struct{}{},
	}
	if o != nil && o.History > 0 {
		s.history = o.History
	}
	return s
}

// Close ends all watches with ErrClosed and stops the leases' timers; the
// records are dropped. It may be called more than once and returns nil.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	close(s.done)
	for x := range s.leased {
		x.timer.Stop() // one that fires nevertheless finds the store closed
	}
	s.spaces, s.leased = nil, nil
	return nil
}

// lock takes the mutex, unless the context has ended or the store is closed.
// The context is looked at first, so an error means that nothing was done, and
// whatever was done under the lock is reported even if the context ended
// meanwhile.
func (s *Store) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	return nil
}

// space returns the space of that name. The mutex is held.
func (s *Store) space(name string) *space {
	sp := s.spaces[name]
	if sp == nil {
		sp = newSpace()
		s.spaces[name] = sp
	}
	return sp
}

// put and remove are the only changes. The mutex is held.
func (s *Store) put(key driver.Key, value []byte, lease *session) driver.Version {
	s.version++
	sp := s.space(key.Space)
	value = bytes.Clone(value) // records are never changed in place, readers hold them without the lock
	sp.records.set(key.Name, record{value: value, version: s.version, lease: lease})
	sp.append(driver.Event{KV: driver.KV{Name: key.Name, Value: value, Version: s.version}}, s.history)
	return s.version
}

func (s *Store) remove(key driver.Key) driver.Version {
	s.version++
	sp := s.space(key.Space)
	sp.records.remove(key.Name)
	sp.append(driver.Event{KV: driver.KV{Name: key.Name, Version: s.version}, Deleted: true}, s.history)
	return s.version
}

// Get implements driver.Driver.
func (s *Store) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	if err := s.lock(ctx); err != nil {
		return driver.KV{}, fmt.Errorf("read %s: %w", key.Space, err)
	}
	defer s.mu.Unlock()
	r, ok := s.space(key.Space).records.get(key.Name)
	if !ok {
		return driver.KV{}, driver.ErrNotFound
	}
	return driver.KV{Name: key.Name, Value: bytes.Clone(r.value), Version: r.version}, nil
}

// Write implements driver.Driver. Writing a session's record keeps its lease;
// deleting it ends the session.
func (s *Store) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if err := w.Key.Validate(); err != nil {
		return 0, fmt.Errorf("write %s: %w", w.Key.Space, err)
	}
	if w.Delete && w.Expect == 0 {
		return 0, fmt.Errorf("delete from %s: the expected version must be given", w.Key.Space)
	}
	if err := s.lock(ctx); err != nil {
		return 0, fmt.Errorf("write %s: %w", w.Key.Space, err)
	}
	defer s.mu.Unlock()
	r, _ := s.space(w.Key.Space).records.get(w.Key.Name)
	if r.version != w.Expect {
		return 0, driver.ErrConflict
	}
	if w.Delete {
		v := s.remove(w.Key)
		if r.lease != nil {
			r.lease.end()
		}
		return v, nil
	}
	return s.put(w.Key, w.Value, r.lease), nil
}

// List implements driver.Driver. What it yields is one moment because the
// records are a snapshot taken under the mutex, which no later change touches
// (see records); yield runs without the mutex.
func (s *Store) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	if err := s.lock(ctx); err != nil {
		return 0, fmt.Errorf("list %s: %w", space, err)
	}
	moment, at := s.space(space).records.snapshot(), s.version
	s.mu.Unlock()
	n := 0
	for name, r := range moment.all() {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return 0, fmt.Errorf("list %s: %w", space, ctx.Err())
		}
		if !yield(driver.KV{Name: name, Value: r.value, Version: r.version}) {
			break
		}
	}
	return at, nil
}

// Head implements driver.Header.
func (s *Store) Head(ctx context.Context, space string) (driver.Version, error) {
	if err := s.lock(ctx); err != nil {
		return 0, fmt.Errorf("read the head of %s: %w", space, err)
	}
	defer s.mu.Unlock()
	return s.space(space).head, nil
}

// Watch implements driver.Driver.
func (s *Store) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	for {
		if err := s.lock(ctx); err != nil {
			return fmt.Errorf("watch %s: %w", space, err)
		}
		sp := s.space(space)
		evs, ok := sp.after(from)
		if len(evs) == 0 && sp.more == nil {
			sp.more = make(chan struct{})
		}
		more := sp.more
		s.mu.Unlock()
		if !ok {
			return driver.ErrCompacted
		}
		if len(evs) > 0 {
			from = evs[len(evs)-1].Version
			if err := apply(evs); err != nil {
				return err
			}
			continue
		}
		// No change is missed between the unlock and here: whoever made one has
		// closed the very channel that was read under the same lock.
		select {
		case <-more:
		case <-s.done:
		case <-ctx.Done():
		}
	}
}

// Compact forgets the change log of a space up to now, as an engine may do at
// any time: watches that are behind get driver.ErrCompacted.
func (s *Store) Compact(space string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		sp := s.space(space)
		sp.log, sp.gone = nil, sp.head
	}
}

// Weaknesses implements driver.Weak.
func (s *Store) Weaknesses(context.Context) ([]driver.Weakness, error) {
	return []driver.Weakness{{
		Guarantee: "SurvivesKill",
		Why:       "the records are in the memory of this process",
		Risk:      "all placements and sessions are gone when the process ends",
		Remedy:    "use another store for anything but tests",
	}}, nil
}

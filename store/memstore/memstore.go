// Package memstore is the driver that keeps everything in this process: the
// reference that the other drivers are compared with, and what tests and
// single-process programs use. It is not durable and serves one process.
package memstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// DefaultHistory is how many changes of a space a watch can go back, unless
// Options say otherwise.
const DefaultHistory = 100_000

// Options of a Store. The zero value is useful.
type Options struct {
	// History is how many changes of a space are kept for watches that start in
	// the past (default DefaultHistory). An older start is ErrCompacted.
	History int
}

// Store implements driver.Driver and driver.Header in memory.
type Store struct {
	history int

	mu      sync.Mutex
	version driver.Version
	spaces  map[string]*space
}

type record struct {
	value   []byte
	version driver.Version
	lease   *session // nil unless leased
}

type space struct {
	records map[string]record
	log     []driver.Event // oldest first, versions growing
	gone    driver.Version // newest version that is not in log any more
	head    driver.Version
	more    chan struct{} // closed and replaced at each change
}

// New returns an empty store.
func New(o *Options) *Store {
	s := &Store{history: DefaultHistory, spaces: map[string]*space{}}
	if o != nil && o.History > 0 {
		s.history = o.History
	}
	return s
}

func (s *Store) space(name string) *space {
	sp := s.spaces[name]
	if sp == nil {
		sp = &space{records: map[string]record{}, more: make(chan struct{})}
		s.spaces[name] = sp
	}
	return sp
}

// change applies one event under the lock and wakes the watchers.
func (s *Store) change(spaceName, name string, value []byte, lease *session, deleted bool) driver.Version {
	s.version++
	sp := s.space(spaceName)
	sp.head = s.version
	ev := driver.Event{KV: driver.KV{Name: name, Version: s.version}, Deleted: deleted}
	if deleted {
		delete(sp.records, name)
	} else {
		ev.Value = value
		sp.records[name] = record{value, s.version, lease}
	}
	sp.log = append(sp.log, ev)
	if len(sp.log) >= 2*s.history { // amortised: half is dropped at a time
		drop := len(sp.log) - s.history
		sp.gone = sp.log[drop-1].Version
		sp.log = append([]driver.Event(nil), sp.log[drop:]...)
	}
	close(sp.more)
	sp.more = make(chan struct{})
	return s.version
}

// Get implements driver.Driver.
func (s *Store) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	if err := ctx.Err(); err != nil {
		return driver.KV{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.space(key.Space).records[key.Name]
	if !ok {
		return driver.KV{}, driver.ErrNotFound
	}
	return driver.KV{Name: key.Name, Value: append([]byte(nil), r.value...), Version: r.version}, nil
}

// List implements driver.Driver. The records are copied under the lock (values
// are never changed in place, so only their headers are), which makes the list
// one moment; yield runs without it.
func (s *Store) List(ctx context.Context, spaceName string, yield func(driver.KV) bool) (driver.Version, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	sp := s.space(spaceName)
	kvs := make([]driver.KV, 0, len(sp.records))
	for name, r := range sp.records {
		kvs = append(kvs, driver.KV{Name: name, Value: r.value, Version: r.version})
	}
	at := s.version
	s.mu.Unlock()
	for _, kv := range kvs {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if !yield(kv) {
			break
		}
	}
	return at, nil
}

// Write implements driver.Driver.
func (s *Store) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if w.Delete && w.Expect == 0 {
		return 0, fmt.Errorf("delete %s: the expected version must be given", w.Key.Space)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.space(w.Key.Space).records[w.Key.Name].version != w.Expect {
		return 0, driver.ErrConflict
	}
	return s.change(w.Key.Space, w.Key.Name, append([]byte(nil), w.Value...), nil, w.Delete), nil
}

// Head implements driver.Header.
func (s *Store) Head(ctx context.Context, spaceName string) (driver.Version, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.space(spaceName).head, nil
}

// Watch implements driver.Driver.
func (s *Store) Watch(ctx context.Context, spaceName string, from driver.Version, apply func([]driver.Event) error) error {
	for {
		s.mu.Lock()
		sp := s.space(spaceName)
		if from < sp.gone {
			s.mu.Unlock()
			return driver.ErrCompacted
		}
		i := len(sp.log)
		for i > 0 && sp.log[i-1].Version > from {
			i--
		}
		evs := append([]driver.Event(nil), sp.log[i:]...)
		more := sp.more
		s.mu.Unlock()
		if len(evs) > 0 {
			if err := apply(evs); err != nil {
				return err
			}
			from = evs[len(evs)-1].Version
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(evs) > 0 {
			continue
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Compact forgets the change log of a space up to now, as an engine may do at
// any time; watches that are behind get ErrCompacted.
func (s *Store) Compact(spaceName string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sp := s.space(spaceName)
	sp.log, sp.gone = nil, sp.head
}

// session is a leased record. Its lease is a timer on the monotonic clock.
type session struct {
	s     *Store
	key   driver.Key
	ttl   time.Duration
	timer *time.Timer
	ended bool      // under s.mu
	until time.Time // under s.mu
}

// Open implements driver.Driver.
func (s *Store) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ttl <= 0 {
		return nil, fmt.Errorf("open session: the ttl must be positive, not %v", ttl)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.space(key.Space).records[key.Name]; ok {
		return nil, driver.ErrConflict
	}
	x := &session{s: s, key: key, ttl: ttl, until: time.Now().Add(ttl)}
	s.change(key.Space, key.Name, append([]byte(nil), value...), x, false)
	x.timer = time.AfterFunc(ttl, x.expire)
	return x, nil
}

// expire ends the lease unless a renewal that won the lock has moved its end;
// the timer may fire although it was being reset.
func (x *session) expire() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if left := time.Until(x.until); !x.ended && left > 0 {
		x.timer.Reset(left)
		return
	}
	x.end()
}

func (x *session) end() {
	if x.ended {
		return
	}
	x.ended = true
	x.timer.Stop()
	x.s.change(x.key.Space, x.key.Name, nil, nil, true)
}

func (x *session) live(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !x.ended && !time.Now().Before(x.until) {
		x.end() // the timer is late; the lease is over all the same
	}
	if x.ended {
		return driver.ErrSessionLost
	}
	return nil
}

func (x *session) Renew(ctx context.Context) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if err := x.live(ctx); err != nil {
		return err
	}
	x.until = time.Now().Add(x.ttl)
	x.timer.Reset(x.ttl)
	return nil
}

func (x *session) Update(ctx context.Context, value []byte) (driver.Version, error) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if err := x.live(ctx); err != nil {
		return 0, err
	}
	return x.s.change(x.key.Space, x.key.Name, append([]byte(nil), value...), x, false), nil
}

func (x *session) Close(ctx context.Context) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if err := x.live(ctx); err != nil {
		return err
	}
	x.end()
	return nil
}

// Close releases nothing; it is there so that drivers can be closed alike.
func (s *Store) Close() error { return nil }

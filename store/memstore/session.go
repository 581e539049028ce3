package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// session is a leased record. Its lease is a timer on the monotonic clock; the
// record says whose lease it is, so that a session whose record was deleted, or
// replaced by a successor's, is lost and leaves the successor alone.
type session struct {
	s     *Store
	key   driver.Key
	ttl   time.Duration
	timer *time.Timer

	ended bool      // under s.mu
	until time.Time // under s.mu
}

// Open implements driver.Driver. Any positive ttl is granted as it is.
func (s *Store) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	if err := key.Validate(); err != nil {
		return nil, fmt.Errorf("open session in %s: %w", key.Space, err)
	}
	if ttl <= 0 {
		return nil, fmt.Errorf("open session in %s: the ttl must be positive, not %v", key.Space, ttl)
	}
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("open session in %s: %w", key.Space, err)
	}
	defer s.mu.Unlock()
	if _, ok := s.space(key.Space).records.get(key.Name); ok {
		return nil, driver.ErrConflict
	}
	x := &session{s: s, key: key, ttl: ttl, until: time.Now().Add(ttl)}
	s.put(key, value, x)
	s.leased[x] = struct{}{}
	x.timer = time.AfterFunc(ttl, x.expire) // expire waits for the lock, so it finds the timer set
	return x, nil
}

// expire ends the lease, unless a renewal that won the lock has moved its end:
// the timer may have fired while it was being reset.
func (x *session) expire() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if x.s.closed || x.ended {
		return
	}
	if left := time.Until(x.until); left > 0 {
		x.timer.Reset(left)
		return
	}
	x.remove()
}

// end makes the session lost. The mutex is held.
func (x *session) end() {
	x.ended = true
	x.timer.Stop()
	delete(x.s.leased, x)
}

// remove ends the session and removes its record, which is there: whoever
// deletes it otherwise ends the session in the same step. The mutex is held.
func (x *session) remove() {
	x.end()
	x.s.remove(x.key)
}

// lock takes the store's mutex for a session whose lease has not ended.
func (x *session) lock(ctx context.Context) error {
	if err := x.s.lock(ctx); err != nil {
		return err
	}
	if !x.ended && !time.Now().Before(x.until) {
		x.remove() // the timer is late; the lease is over all the same
	}
	if x.ended {
		x.s.mu.Unlock()
		return driver.ErrSessionLost
	}
	return nil
}

// Renew implements driver.Session.
func (x *session) Renew(ctx context.Context) error {
	if err := x.lock(ctx); err != nil {
		return fmt.Errorf("renew session: %w", err)
	}
	defer x.s.mu.Unlock()
	x.until = time.Now().Add(x.ttl)
	x.timer.Reset(x.ttl)
	return nil
}

// Update implements driver.Session.
func (x *session) Update(ctx context.Context, value []byte) (driver.Version, error) {
	if err := x.lock(ctx); err != nil {
		return 0, fmt.Errorf("update session: %w", err)
	}
	defer x.s.mu.Unlock()
	return x.s.put(x.key, value, x), nil
}

// Close implements driver.Session.
func (x *session) Close(ctx context.Context) error {
	if err := x.lock(ctx); err != nil {
		return fmt.Errorf("close session: %w", err)
	}
	defer x.s.mu.Unlock()
	x.remove()
	return nil
}

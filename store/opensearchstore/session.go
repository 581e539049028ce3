package opensearchstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// session is a leased record. That the record is the session's is said by the
// session's id in it; a renewal counts its beat on.
type session struct {
	s    *Store
	key  driver.Key
	id   string
	lost atomic.Bool // for ever
}

// Open implements driver.Driver. The ttl is rounded up to whole milliseconds. A key
// whose lease is over, as far as this process has observed, is free.
func (s *Store) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	doing := "open a session in " + key.Space
	if err := valid(key); err != nil {
		return nil, fmt.Errorf("opensearch: %s: %w", doing, err)
	}
	if ttl <= 0 {
		return nil, fmt.Errorf("opensearch: %s: the ttl must be positive, not %v", doing, ttl)
	}
	x := &session{s: s, key: key, id: rand.Text()}
	for again := true; ; again = false {
		var over *stored // what is in the way
		now, err := s.modify(ctx, doing, key, func(cur *stored) (*document, error) {
			if over = nil; cur.at() != 0 {
				if s.leases.note(cur, time.Now()) {
					over = cur
				}
				return nil, driver.ErrConflict
			}
			d := cur.next(key, value, false)
			d.TTL, d.Session = int64((ttl+time.Millisecond-1)/time.Millisecond), x.id
			return d, nil
		})
		if err == nil {
			s.leases.note(now, time.Now())
			return x, nil
		}
		if over == nil || !again {
			return nil, err
		}
		if err := s.endLease(ctx, key, sighting{session: over.Session, beat: over.Beat}); err != nil && !errors.Is(err, errAlive) {
			return nil, err
		}
	}
}

// change changes the session's record, which must be there.
func (x *session) change(ctx context.Context, doing string, f func(cur *stored) *document) (*stored, error) {
	if x.lost.Load() {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("opensearch: %s: %w", doing, err)
		}
		return nil, driver.ErrSessionLost
	}
	now, err := x.s.modify(ctx, doing, x.key, func(cur *stored) (*document, error) {
		if cur.at() == 0 || cur.Session != x.id {
			return nil, driver.ErrSessionLost
		}
		return f(cur), nil
	})
	if errors.Is(err, driver.ErrSessionLost) {
		x.lost.Store(true)
	}
	return now, err
}

// Renew implements driver.Session.
func (x *session) Renew(ctx context.Context) error {
	now, err := x.change(ctx, "renew a session", func(cur *stored) *document { return cur.renewed() })
	if err == nil {
		x.s.leases.note(now, time.Now())
	}
	return err
}

// Update implements driver.Session.
func (x *session) Update(ctx context.Context, value []byte) (driver.Version, error) {
	now, err := x.change(ctx, "update a session", func(cur *stored) *document { return cur.next(x.key, value, false) })
	if err != nil {
		return 0, err
	}
	return now.version(), nil
}

// Close implements driver.Session.
func (x *session) Close(ctx context.Context) error {
	_, err := x.change(ctx, "close a session", func(cur *stored) *document { return cur.next(x.key, nil, true) })
	if err == nil {
		x.lost.Store(true)
	}
	return err
}

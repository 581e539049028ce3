package opensearchstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// observer counts how long the leases that this process has seen have not been
// renewed, on its own monotonic clock: no two machines' clocks are compared. The
// clock stands still while the machine sleeps, which makes a lease last longer.
type observer struct {
	mu   sync.Mutex
	seen map[driver.Key]*sighting
}

// sighting is a lease as it was last seen.
type sighting struct {
	session string
	beat    uint64
	since   time.Time     // when it was first seen like that, which is after it was renewed
	limit   time.Duration // the ttl and a margin for clocks that run at different rates
}

// limitOf is how long a lease may stand still: a tenth more than its ttl.
func limitOf(ttl int64) time.Duration {
	d := time.Duration(ttl) * time.Millisecond
	return d + d/10
}

// note takes a record's state into account, that was read before now. It returns
// whether the lease is over as far as this process can tell; what ends it is the
// tombstone that is then written over this very state.
func (o *observer) note(d *stored, now time.Time) (over bool) {
	if d == nil {
		return false
	}
	k := driver.Key{Space: d.Space, Name: string(d.Name)}
	o.mu.Lock()
	defer o.mu.Unlock()
	was := o.seen[k]
	if d.Deleted || d.TTL <= 0 {
		delete(o.seen, k)
		return false
	}
	switch {
	case was == nil || was.session != d.Session:
	case d.Beat > was.beat:
	case d.Beat < was.beat:
		return false // an answer that was overtaken
	default:
		return now.Sub(was.since) > was.limit
	}
	if o.seen == nil {
		o.seen = map[driver.Key]*sighting{}
	}
	o.seen[k] = &sighting{d.Session, d.Beat, now, limitOf(d.TTL)}
	return false
}

// due is how long it takes until the next lease of the space may be over.
func (o *observer) due(space string) time.Duration {
	next := time.Hour
	o.mu.Lock()
	defer o.mu.Unlock()
	for k, s := range o.seen {
		if k.Space == space {
			next = min(next, time.Until(s.since.Add(s.limit)))
		}
	}
	// After a sweep that could not end one, not at once again.
	return max(next+time.Millisecond, 20*time.Millisecond)
}

// over returns the leases of a space that have stood still for too long.
func (o *observer) over(space string) map[driver.Key]sighting {
	out := map[driver.Key]sighting{}
	o.mu.Lock()
	defer o.mu.Unlock()
	for k, s := range o.seen {
		if k.Space == space && time.Since(s.since) > s.limit {
			out[k] = *s
		}
	}
	return out
}

// forget drops a lease unless it was seen differently meanwhile.
func (o *observer) forget(k driver.Key, was sighting) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.seen[k]; s != nil && *s == was {
		delete(o.seen, k)
	}
}

// errAlive: the lease was renewed, or has ended already.
var errAlive = errors.New("there is no such lease to end")

// sweep ends the leases of a space that are over. What fails is tried again at the
// next occasion.
func (s *Store) sweep(ctx context.Context, space string) {
	for k, was := range s.leases.over(space) {
		err := s.endLease(ctx, k, was)
		if err == nil {
			continue
		}
		if errors.Is(err, errAlive) {
			s.leases.forget(k, was) // unless its renewal was noted, in which case it differs
		}
		if ctx.Err() != nil || s.life.Err() != nil {
			return
		}
	}
}

// endLease writes a tombstone iff the lease still stands where it stood. A renewal
// that comes later finds the tombstone, and one that comes first makes this fail, so
// nobody loses a session that was renewed, or believes in one that was not.
func (s *Store) endLease(ctx context.Context, k driver.Key, was sighting) error {
	now, err := s.modify(ctx, "end a lease in "+k.Space, k, func(cur *stored) (*document, error) {
		if cur.at() == 0 || cur.Session != was.session || cur.Beat != was.beat || cur.TTL == 0 {
			if cur != nil {
				s.leases.note(cur, time.Now())
			}
			return nil, errAlive
		}
		return cur.next(k, nil, true), nil
	})
	if err != nil {
		return err
	}
	s.leases.note(now, time.Now())
	s.log.Info("a session was not renewed for its ttl and has been ended", "space", k.Space)
	return nil
}

// expire is endLease of a record that was just read; it returns what is there then.
func (s *Store) expire(ctx context.Context, k driver.Key, cur *stored) (*stored, error) {
	err := s.endLease(ctx, k, sighting{session: cur.Session, beat: cur.Beat})
	if err != nil && !errors.Is(err, errAlive) {
		return nil, err
	}
	return s.fetch(ctx, k)
}

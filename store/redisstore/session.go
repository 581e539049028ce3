package redisstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// session is a record with a lease: a heartbeat that others watch.
type session struct {
	s   *Store
	key driver.Key
	id  string // of the lease; no other has it

	updates atomic.Uint64 // number of the newest one that was asked for
}

// Open implements driver.Driver. The ttl is rounded up to milliseconds. When it is
// unknown whether the record was created, it may be there with nobody to renew it,
// and ends by itself.
func (s *Store) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	x, err := s.open(ctx, key, value, ttl)
	if err != nil {
		return nil, err
	}
	s.watchLeases(key.Space) // so that somebody watches as long as anybody lives
	return x, nil
}

func (s *Store) open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	doing := "open a session in " + key.Space
	if err := key.Validate(); err != nil {
		return nil, fmt.Errorf("redis: %s: %w", doing, err)
	}
	if ttl <= 0 {
		return nil, fmt.Errorf("redis: %s: the ttl must be positive, not %v", doing, ttl)
	}
	x := &session{s: s, key: key, id: rand.Text()}
	ms := (ttl + time.Millisecond - 1) / time.Millisecond
	if _, err := s.change(ctx, doing, openScript, key.Space, key.Name, value, x.id, int64(ms)); err != nil {
		return nil, err
	}
	return x, nil
}

// Renew implements driver.Session. The heartbeat is waited for like a change: one
// that a failover lost would let others count from the one before.
func (x *session) Renew(ctx context.Context) error {
	_, err := x.s.change(ctx, "renew a session", renewScript, x.key.Space, x.key.Name, x.id)
	return err
}

// Update implements driver.Session. Updates are numbered, and the server takes none
// after one with a higher number: one that failed, and arrives late over another
// connection, undoes nothing.
func (x *session) Update(ctx context.Context, value []byte) (driver.Version, error) {
	return x.s.change(ctx, "update a session", updateScript, x.key.Space, x.key.Name, value, x.id, x.updates.Add(1))
}

// Close implements driver.Session.
func (x *session) Close(ctx context.Context) error {
	_, err := x.s.change(ctx, "close a session", closeScript, x.key.Space, x.key.Name, x.id)
	return err
}

// sighting is a lease as an observer knows it.
type sighting struct {
	beat  string    // lease id, ttl and heartbeats, as the server holds them
	since time.Time // when it was first seen so, by this process's monotonic clock
}

// Bounds of the pause between two looks at the leases of a space.
const (
	shortestLook = 25 * time.Millisecond
	longestLook  = time.Second
	// crowd is how many leases may be looked at so often; with more, looks are
	// farther apart in proportion, since everybody looks at everybody's.
	crowd = 100
)

// watchLeases begins to observe the leases of a space, once, until Close.
func (s *Store) watchLeases(space string) {
	if !s.observed(space, true) {
		s.begin(func() { s.observeLeases(space) })
	}
}

// observed says whether a space has an observer from now on, and returns whether it
// had one.
func (s *Store) observed(space string, is bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.observers[space]
	if is {
		s.observers[space] = true
	} else {
		delete(s.observers, space)
	}
	return was
}

// observeLeases ends the leases whose heartbeat has not moved for their ttl and a
// tenth more, on this process's monotonic clock.
//
// That is never too early. What is seen in an answer was there before the answer
// came, so counting from then counts from after the last renewal; and the script
// that ends the lease does so only while the heartbeat is the one that was counted
// for. No clock of the server takes part. When another server answers, or one that
// was started anew, all counts begin again: it may have lost heartbeats that their
// holders rely on.
func (s *Store) observeLeases(space string) {
	known := map[string]sighting{}
	var server string
	for failing := false; s.ctx.Err() == nil; {
		look, err := s.leases(s.ctx, space)
		if err != nil {
			if !failing && s.ctx.Err() == nil {
				s.log.Warn("the leases in redis cannot be observed, it is tried again until it works", "space", space, "error", err)
			}
			failing = true
			s.sleep(s.ctx, longestLook)
			continue
		}
		failing = false
		if look.server != server {
			server, known = look.server, map[string]sighting{}
		}
		pause := longestLook / 2
		for name, raw := range look.leases {
			beat, ttl, err := lease(raw)
			if err != nil {
				continue // not one of this driver's; it has no end
			}
			pause = min(pause, ttl/8)
			if known[name].beat != beat {
				known[name] = sighting{beat, look.at}
				continue
			}
			if time.Since(known[name].since) >= ttl+ttl/10 {
				s.reap(space, name, beat, server)
			}
		}
		for name := range known {
			if _, ok := look.leases[name]; !ok {
				delete(known, name)
			}
		}
		pause = max(pause, shortestLook)
		s.sleep(s.ctx, pause*time.Duration(max(1, len(look.leases)/crowd)))
	}
}

// reap ends a lease that is over. Whether it succeeds is seen at the next look.
func (s *Store) reap(space, name, beat, server string) {
	_, err := s.change(s.ctx, "end a session", reapScript, space, name, beat, server)
	if err == nil {
		s.log.Info("a session was not renewed in time and has ended", "space", space)
	}
}

// look is what the leases of a space are at one moment.
type look struct {
	server string // run id: another process, or another server, has another one
	leases map[string]string
	at     time.Time // when the answer was there
}

func (s *Store) leases(ctx context.Context, space string) (look, error) {
	doing := "observe the leases of " + space
	r, err := s.read(ctx, doing, leasesScript, space)
	if err != nil {
		return look{}, err
	}
	server, err1 := r.text(0)
	pairs, err2 := r.texts(1)
	for _, err := range []error{err1, err2} {
		if err != nil {
			return look{}, fmt.Errorf("redis: %s: %w", doing, err)
		}
	}
	out := look{server: server, leases: make(map[string]string, len(pairs)/2), at: time.Now()}
	for i := 0; i < len(pairs); i += 2 {
		out.leases[pairs[i]] = pairs[i+1]
	}
	return out, nil
}

// lease reads "id:ttl in ms:heartbeats:updates", and returns it without the updates:
// those do not renew.
func lease(raw string) (beat string, ttl time.Duration, err error) {
	parts := strings.Split(raw, ":")
	if len(parts) != 4 {
		return "", 0, fmt.Errorf("a lease of %d parts", len(parts))
	}
	ms, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || ms <= 0 || ms > int64(math.MaxInt64/time.Millisecond/2) {
		return "", 0, fmt.Errorf("a lease of %q milliseconds", parts[1])
	}
	return strings.Join(parts[:3], ":"), time.Duration(ms) * time.Millisecond, nil
}

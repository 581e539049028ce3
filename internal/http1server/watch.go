package http1server

import "time"

// What a connection is at. The word conn.phase holds that and the period since when.
//
// Its goroutine changes the word from what it has itself put there last, and the watcher,
// Shutdown and nobody else from anything to ended; both by compare-and-swap. So one of
// two wins: a connection whose next request has been read in the same moment in which its
// time was up is either served, and not ended, or ended, and the request is not served.
// A connection that is serving is ended by neither.
const (
	fresh   = iota // nothing has come yet
	waiting        // between two requests
	reading        // a part of a head has come
	serving        // a request is in the handler
	ended          // it is being closed, or is net/http's
	phases
)

func at(phase, now uint64) uint64 { return now*phases + phase }

// enter is called by the goroutine of the connection. It reports false when the
// connection has been ended.
func (c *conn) enter(phase uint64) bool {
	next := at(phase, c.s.now.Load())
	if was := c.mine % phases; phase == reading && (was == reading || was == fresh) {
		next = at(phase, c.mine/phases) // the time of a head does not begin anew with each piece
	}
	if !c.phase.CompareAndSwap(c.mine, next) {
		return false
	}
	c.mine = next
	return true
}

// endIf ends a connection that is still at what was seen.
func (c *conn) endIf(seen uint64) {
	if c.phase.CompareAndSwap(seen, at(ended, 0)) {
		c.cut()
	}
}

// watch looks at all connections, in each period.
func (s *Server) watch() {
	tick := time.NewTicker(s.period)
	defer tick.Stop()
	var some []*conn
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		now := s.now.Add(1)
		some = some[:0]
		s.mu.Lock()
		for c := range s.conns {
			if s.late(c.phase.Load(), now) {
				some = append(some, c)
			}
		}
		s.mu.Unlock()
		for _, c := range some {
			c.look(now)
		}
		clear(some)
	}
}

// late reports whether something may have to be done about a connection. A phase that
// began in the last period but one has lasted for a whole one.
func (s *Server) late(seen, now uint64) bool {
	age := now - seen/phases
	switch seen % phases {
	case fresh, reading:
		return s.limits.head > 0 && age > s.limits.head
	case waiting:
		return s.limits.idle > 0 && age > s.limits.idle
	case serving:
		return age > 1
	}
	return false
}

// look does what has to be done. The connection may be at something else by now.
func (c *conn) look(now uint64) {
	seen := c.phase.Load()
	if !c.s.late(seen, now) {
		return
	}
	if seen%phases != serving {
		c.endIf(seen)
		return
	}
	// What is cancelled is the request that was current before the look at the socket. If
	// that has ended meanwhile, cancelling it changes nothing. The next one, which could
	// only have come before the end that is seen here, finds out by itself.
	w := c.current.Load()
	if w == nil || !w.bodyOver() {
		return // who reads a body sees its end
	}
	gone := false
	err := c.raw.Control(func(fd uintptr) { gone = left(fd) })
	if gone || err != nil {
		w.life.end()
	}
}

// endIdle ends connections that are at no request, and returns how many there still are.
// A new one gets the time of net/http to send its first.
func (s *Server) endIdle() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		seen := c.phase.Load()
		switch seen % phases {
		case waiting:
			c.endIf(seen)
		case fresh:
			if time.Duration(s.now.Load()-seen/phases)*s.period > firstRequest {
				c.endIf(seen)
			}
		}
	}
	return len(s.conns)
}

const firstRequest = 5 * time.Second

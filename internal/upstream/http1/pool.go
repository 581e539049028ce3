package http1

import (
	"context"
	"errors"
	"math"
	"net"
	"sync"
	"syscall"
	"time"
)

// pool is the connections to one address.
type pool struct {
	c       *Client
	secure  bool
	address string
	name    string // of the server, for TLS

	mu    sync.Mutex
	idle  []*conn // the one that was used last is the last
	epoch int     // counts closeIdle: connections from before it are not kept
	timer *time.Timer
}

// conn is a connection. Between requests nothing reads from it.
type conn struct {
	net.Conn          // of TLS, or raw
	raw      net.Conn // beneath TLS
	pool     *pool
	epoch    int
	since    time.Time // in the pool
	left     int64     // bytes that may be read
	quiet    func() bool
	end      func() // kill

	// The deadline of reading and writing, if fixed says that it is the same of both and
	// known; zero: none. It is left as it is in the pool, where nothing reads.
	by    time.Time
	fixed bool
	// later: before more is read, the deadline becomes then.
	then  time.Time
	later bool
}

// headBy is when the head of an answer must have come to a request that was sent now and
// ends at end; zero: never.
func (p *pool) headBy(now, end time.Time) time.Time {
	if t := p.c.HeaderTimeout; t > 0 {
		if by := now.Add(t); end.IsZero() || by.Before(end) {
			return by
		}
	}
	return end
}

// bound has reading and writing fail from a time on. Deadlines are timers of the runtime,
// so one that is hardly too early is left as it is.
func (k *conn) bound(now, by time.Time) {
	k.later = false
	if k.fixed && by.IsZero() == k.by.IsZero() {
		if early := by.Sub(k.by); early >= 0 && early <= by.Sub(now)/64 {
			return
		}
	}
	k.by, k.fixed = by, true
	_ = k.raw.SetDeadline(by) // of a closed connection: using it fails by itself
}

// boundAll is bound for who changes one of the deadlines afterwards.
func (k *conn) boundAll(by time.Time) {
	k.fixed, k.later = false, false
	_ = k.raw.SetDeadline(by) // as above
}

// kill closes a connection whose state is not known. It may be called from anywhere,
// and wakes whoever reads or writes. TLS is not told: that would have to wait for a
// write that is under way.
func (k *conn) kill() { _ = k.raw.Close() }

// close ends a connection in order.
func (k *conn) close() { _ = k.Conn.Close() } // nobody waits for anything on it any more

// Read implements io.Reader for a head, which is bounded, and then for a body.
func (k *conn) Read(b []byte) (int, error) {
	if k.left <= 0 {
		return 0, errHead
	}
	if k.later {
		k.bound(time.Now(), k.then)
	}
	if int64(len(b)) > k.left {
		b = b[:k.left]
	}
	n, err := k.Conn.Read(b)
	if k.left != math.MaxInt64 {
		k.left -= int64(n)
	}
	return n, err
}

// get takes a connection that was used before and looks well; nil if there is none.
func (p *pool) get() *conn {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		k := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		// What the server sent meanwhile is its end, or no answer to anything.
		if k.quiet() {
			return k
		}
		k.close()
	}
}

// put gives a connection back.
func (p *pool) put(k *conn) {
	p.mu.Lock()
	if k.epoch != p.epoch || len(p.idle) >= p.c.Idle {
		p.mu.Unlock()
		k.close()
		return
	}
	p.idle = append(p.idle, k)
	if t := p.c.IdleTimeout; t > 0 {
		k.since = time.Now()
		if p.timer == nil {
			p.timer = time.AfterFunc(t, p.reap)
		}
	}
	p.mu.Unlock()
}

// reap closes what was unused for too long.
func (p *pool) reap() {
	p.mu.Lock()
	now, n := time.Now(), 0
	for n < len(p.idle) && now.Sub(p.idle[n].since) >= p.c.IdleTimeout {
		n++
	}
	old := append([]*conn(nil), p.idle[:n]...)
	p.idle = append(p.idle[:0], p.idle[n:]...)
	p.timer = nil
	if len(p.idle) > 0 {
		p.timer = time.AfterFunc(p.c.IdleTimeout-now.Sub(p.idle[0].since), p.reap)
	}
	p.mu.Unlock()
	for _, k := range old {
		k.close()
	}
}

func (p *pool) closeIdle() {
	p.mu.Lock()
	old := p.idle
	p.idle = nil
	p.epoch++
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	p.mu.Unlock()
	for _, k := range old {
		k.close()
	}
}

func (p *pool) dial(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	epoch := p.epoch
	p.mu.Unlock()
	if end, ok := ctx.Deadline(); ok { // which the context may only tell of
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end)
		defer cancel()
	}
	raw, err := p.c.Dial(ctx, "tcp", p.address)
	if err != nil {
		if ctx.Err() != nil {
			err = cause(ctx)
		}
		return nil, err
	}
	k := &conn{Conn: raw, raw: raw, pool: p, epoch: epoch, fixed: true}
	if p.secure {
		if k.Conn, err = p.c.handshake(ctx, raw, p.name); err != nil {
			return nil, err
		}
	}
	k.quiet, k.end = quiet(raw), k.kill
	return k, nil
}

// quiet returns what reports that there is nothing to read from a connection, its end
// included. What is no socket always looks so.
func quiet(raw net.Conn) func() bool {
	s, ok := raw.(syscall.Conn)
	if !ok {
		return func() bool { return true }
	}
	rc, err := s.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	var still bool
	look := func(fd uintptr) { still = nothingToRead(fd) }
	return func() bool {
		still = false
		return rc.Control(look) == nil && still // Read would look at the deadline
	}
}

// errHead ends a head that is too large.
var errHead = errors.New("http1: the head of the answer is too large")

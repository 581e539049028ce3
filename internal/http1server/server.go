// Package http1server is a server of HTTP/1.1 that does its work on one goroutine for
// each connection: a request is read there, handled there and answered there. net/http
// reads ahead on another goroutine while it serves, for the sole purpose of seeing that a
// client has left, which costs a proxy more than the rest of its side to the client.
//
// It serves the plain requests that clients send all day, and hands a connection to
// net/http as soon as anything else comes on it: HTTP/2, HTTP/1.0, chunks, expectations,
// upgrades, odd or large heads, and whatever is to be refused. net/http gets the bytes
// from the beginning of that request on, and keeps the connection. So what a message
// is, and how a bad one is answered, is decided by net/http alone, and what is read here
// is a part of that of which there is only one reading.
//
// What it refuses: to say itself what is wrong with a message. It has no timers for
// requests either: one goroutine looks at all connections, a few times a second, for
// those that were idle or sent a head for too long, and for clients that have left while
// their request was served. That one sees no less than net/http, but up to two periods later.
package http1server

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Period is how often connections are looked at.
const Period = 200 * time.Millisecond

// Server serves what an [http.Server] is set up to serve.
type Server struct {
	rest   *http.Server
	state  func(net.Conn, http.ConnState) // nil: nobody asks
	secure bool                           // with TLS
	own    bool                           // plain connections are served here
	limits limits
	period time.Duration

	feed     *feed
	started  sync.Once
	running  sync.WaitGroup // the watcher, and net/http's server
	done     chan struct{}  // ends the watcher
	doneOnce sync.Once
	stopping atomic.Bool   // connections end after the request that they are at
	closed   atomic.Bool   // connections end at once
	now      atomic.Uint64 // time, in periods

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
}

// limits are in periods, but for the length of a head.
type limits struct {
	head, idle uint64 // 0: none
	bytes      int
}

// New returns a server that serves as rest would, and with it. It takes from rest the
// handler and what bounds and observes requests; rest belongs to it from now on. With
// TLS, or with what is set up for each connection or bounds a whole request, rest
// serves everything. ConnState is that of all connections.
func New(rest *http.Server) *Server { return newServer(rest, Period) }

func newServer(r *http.Server, period time.Duration) *Server {
	s := &Server{
		rest: r, period: period, state: r.ConnState, done: make(chan struct{}), listeners: map[net.Listener]struct{}{}, conns: map[*conn]struct{}{},
		feed: &feed{conns: make(chan net.Conn), done: make(chan struct{})}, secure: r.TLSConfig != nil,
		own:    served && r.BaseContext == nil && r.ConnContext == nil && r.ReadTimeout == 0 && r.WriteTimeout == 0 && r.Handler != nil,
		limits: limits{head: periods(r.ReadHeaderTimeout, period), idle: periods(r.IdleTimeout, period), bytes: r.MaxHeaderBytes},
	}
	if s.limits.bytes <= 0 {
		s.limits.bytes = http.DefaultMaxHeaderBytes
	}
	if s.state != nil {
		r.ConnState = s.handedState
	}
	return s
}

// periods is a time that has passed when so many periods have; 0: it has no end.
func periods(t, period time.Duration) uint64 {
	if t <= 0 {
		return 0
	}
	return uint64((t + period - 1) / period)
}

// start begins what serves connections.
func (s *Server) start() {
	s.running.Go(s.watch)
	s.running.Go(func() { _ = s.rest.Serve(s.feed) }) // it ends with the feed
}

// handedState tells of a connection that net/http serves. That it is new was told before.
func (s *Server) handedState(c net.Conn, state http.ConnState) {
	if h, ok := c.(*handed); ok {
		if state == http.StateNew {
			return
		}
		c = h.Conn
	}
	s.state(c, state)
}

func (s *Server) tell(c net.Conn, state http.ConnState) {
	if s.state != nil {
		s.state(c, state)
	}
}

// Serve accepts connections of l until that is closed; it closes l. It always returns an
// error, [http.ErrServerClosed] after Shutdown or Close.
func (s *Server) Serve(l net.Listener) error {
	if s.secure {
		return s.rest.ServeTLS(l, "", "")
	}
	defer func() { _ = l.Close() }() // it may be closed already
	s.mu.Lock()
	if s.stopping.Load() {
		s.mu.Unlock()
		return http.ErrServerClosed
	}
	s.listeners[l] = struct{}{}
	s.started.Do(s.start)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
	}()
	for wait := time.Duration(0); ; {
		c, err := l.Accept()
		switch {
		case err == nil:
			wait = 0
			s.serve(c)
			continue
		case s.stopping.Load():
			return http.ErrServerClosed
		case !temporary(err):
			return err
		}
		// There may be no more files just now.
		wait = min(max(2*wait, 5*time.Millisecond), time.Second)
		s.logf("http1server: accept: %v; again in %v", err, wait)
		select {
		case <-time.After(wait):
		case <-s.done:
		}
	}
}

// temporary reports whether a listener may accept again after an error.
func temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// serve begins to serve a connection.
func (s *Server) serve(nc net.Conn) {
	s.tell(nc, http.StateNew)
	raw := rawOf(nc)
	if !s.own || raw == nil {
		if !s.hand(nc, nil) {
			_ = nc.Close() // nobody has said anything on it
			s.tell(nc, http.StateClosed)
		}
		return
	}
	c := &conn{Conn: nc, s: s, raw: raw, peer: nc.RemoteAddr().String()}
	c.base = context.WithValue(context.WithValue(context.Background(), http.ServerContextKey, s.rest), http.LocalAddrContextKey, nc.LocalAddr())
	c.try = c.tryRead
	c.mine = at(fresh, s.now.Load())
	c.phase.Store(c.mine)
	s.mu.Lock()
	if s.stopping.Load() {
		s.mu.Unlock()
		_ = nc.Close() // as above
		s.tell(nc, http.StateClosed)
		return
	}
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	go c.serve()
}

// rawOf returns the socket of a connection; nil: it has none.
func rawOf(nc net.Conn) syscall.RawConn {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// hand gives a connection to net/http, with what was read of it. It reports false when
// that takes no more.
func (s *Server) hand(nc net.Conn, read []byte) bool {
	select {
	case s.feed.conns <- &handed{Conn: nc, read: read}:
		return true
	case <-s.feed.done:
		return false
	}
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// Shutdown ends the server in order: it accepts nothing more, ends the connections that
// are idle, and waits for the requests under way. It returns nil when all have ended, and
// the context's error when that ends before; then Close ends the rest.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	rest := make(chan error, 1)
	go func() { rest <- s.rest.Shutdown(ctx) }()
	for wait := time.Millisecond; s.endIdle() > 0; wait = min(2*wait, Period) {
		select {
		case <-ctx.Done():
			<-rest
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	if err := <-rest; err != nil {
		return err
	}
	s.end()
	return nil
}

// Close ends the server and all connections at once.
func (s *Server) Close() error {
	s.stop()
	s.closed.Store(true)
	s.mu.Lock()
	for c := range s.conns {
		c.cut()
		if w := c.current.Load(); w != nil {
			w.life.end() // a request that begins later sees closed
		}
	}
	s.mu.Unlock()
	err := s.rest.Close()
	s.end()
	return err
}

func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping.Store(true)
	s.started.Do(func() {}) // nothing begins any more
	for l := range s.listeners {
		_ = l.Close() // Serve tells what became of it
	}
	_ = s.feed.Close() // it has no error
}

// end waits for the goroutines that are the server's own.
func (s *Server) end() {
	s.doneOnce.Do(func() { close(s.done) })
	s.running.Wait()
}

func (s *Server) logf(format string, args ...any) {
	if s.rest.ErrorLog != nil {
		s.rest.ErrorLog.Printf(format, args...)
		return
	}
	log.Printf(format, args...)
}

// feed is the listener at which net/http gets its connections.
type feed struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// Accept implements net.Listener.
func (f *feed) Accept() (net.Conn, error) {
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (f *feed) Close() error {
	f.once.Do(func() { close(f.done) })
	return nil
}

// Addr implements net.Listener.
func (*feed) Addr() net.Addr { return &net.TCPAddr{} }

// handed is a connection that net/http serves, from where it was read.
type handed struct {
	net.Conn
	read []byte // and not yet read by net/http
}

// Read implements io.Reader. net/http never reads on two goroutines at once.
func (h *handed) Read(b []byte) (int, error) {
	if len(h.read) == 0 {
		return h.Conn.Read(b)
	}
	n := copy(b, h.read)
	if h.read = h.read[n:]; len(h.read) == 0 {
		h.read = nil
	}
	return n, nil
}

// CloseWrite is how net/http ends a connection whose client still sends.
func (h *handed) CloseWrite() error {
	if c, ok := h.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

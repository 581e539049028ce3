package http1server

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is a connection that is served here. All but phase and current belong to the
// goroutine of serve, and while it is in a handler the buffer belongs to the body.
type conn struct {
	net.Conn
	s    *Server
	raw  syscall.RawConn
	peer string
	base context.Context
	try  func(fd uintptr) bool // tryRead, made once

	// phase is what the connection is at, and since when. It says who may end it, see there.
	phase   atomic.Uint64
	mine    uint64 // what serve has last put there
	current atomic.Pointer[response]

	// buf[r:w] has been read and is not used yet. Without anything in it there is no
	// buffer while the connection waits.
	buf  *block
	r, w int
	err  error // of the last try

	writes deadline
	timed  atomic.Bool // reading has a deadline
	before bool        // there was a request before
	posted bool        // it was a POST
}

// block is what is read at once, and so the longest head that is served here.
type block [16 << 10]byte

var blocks = sync.Pool{New: func() any { return new(block) }}

// serve serves a connection until it ends or is handed on.
func (c *conn) serve() {
	handedOn := false
	defer func() {
		c.recovered(recover())
		c.s.forget(c)
		c.release()
		if !handedOn {
			c.cut()
			c.s.tell(c.Conn, http.StateClosed)
		}
	}()
	for {
		h, v := c.next()
		switch v {
		case foreign:
			handedOn = c.handOn()
			return
		case partial:
			return
		}
		if !c.enter(serving) {
			return
		}
		c.s.tell(c.Conn, http.StateActive)
		if !c.request(&h) {
			return
		}
		c.before, c.posted = true, h.method == http.MethodPost
		c.s.tell(c.Conn, http.StateIdle)
		if c.timed.Swap(false) && c.SetReadDeadline(time.Time{}) != nil {
			return
		}
		if c.s.stopping.Load() {
			return
		}
	}
}

// recovered ends the request at which a handler has panicked. Nothing of the answer is
// sent that has not been.
func (c *conn) recovered(v any) {
	if w := c.current.Swap(nil); w != nil {
		c.cut() // wakes who still reads the body
		w.over()
	}
	if v != nil && v != http.ErrAbortHandler {
		c.s.logf("http1server: panic serving %s: %v\n%s", c.peer, v, debug.Stack())
	}
}

// next reads a head. Without one, partial says that the connection has ended, and
// foreign that it is for net/http.
func (c *conn) next() (h head, v verdict) {
	begun := !c.before // behind a request net/http takes less than four bytes for none
	for reads := 0; ; reads++ {
		if !begun && c.w-c.r >= 4 {
			begun = true
			c.skipLines()
		}
		if c.r < c.w {
			n := 0
			if v = partial; begun {
				h, n, v = readHead(c.buf[c.r:c.w])
			}
			if n > c.s.limits.bytes {
				v = foreign
			}
			switch {
			case v == whole:
				c.r += n
				return h, whole
			case v == foreign || c.w-c.r == len(c.buf) || c.w-c.r > c.s.limits.bytes || reads > maxReads:
				return h, foreign
			case !c.enter(reading):
				return h, partial
			}
		} else if c.before && reads == 0 && !c.enter(waiting) {
			return h, partial
		}
		err := c.fill()
		if err == io.EOF && c.w-c.r > 0 && begun {
			return h, foreign // net/http tells that this is no request
		}
		if err != nil {
			return h, partial
		}
	}
}

// maxReads is in how many pieces a head may come that is served here: each piece is
// looked at together with those before it.
const maxReads = 16

// skipLines drops the line that some old clients send behind a body: net/http does so
// after a POST, up to four bytes. There are as many.
func (c *conn) skipLines() {
	for n := 0; c.posted && n < 4 && (c.buf[c.r] == '\r' || c.buf[c.r] == '\n'); n++ {
		c.r++
	}
}

// fill waits for more and reads it.
func (c *conn) fill() error {
	if c.r == c.w {
		c.release()
	} else if c.r > 0 {
		c.w = copy(c.buf[:], c.buf[c.r:c.w])
		c.r = 0
	}
	if err := c.raw.Read(c.try); err != nil {
		return err
	}
	return c.err
}

// tryRead is for a RawConn, which calls it again when there is something to read. It
// holds no buffer meanwhile, unless there is something in it.
func (c *conn) tryRead(fd uintptr) bool {
	c.hold()
	n, again, err := readSocket(fd, c.buf[c.w:])
	if again {
		if c.w == 0 {
			c.release()
		}
		return false
	}
	c.w += n
	c.err = err
	return true
}

func (c *conn) hold() {
	if c.buf == nil {
		c.buf = blocks.Get().(*block)
		c.r, c.w = 0, 0
	}
}

func (c *conn) release() {
	if c.buf != nil {
		blocks.Put(c.buf)
		c.buf = nil
	}
	c.r, c.w = 0, 0
}

// handOn gives the connection to net/http, which sets deadlines of its own and knows
// nothing of those that are set.
func (c *conn) handOn() bool {
	if !c.enter(ended) || c.SetDeadline(time.Time{}) != nil {
		return false
	}
	c.s.forget(c)
	var read []byte
	if c.r < c.w {
		if c.before && bytes.HasPrefix(c.buf[c.r:c.w], []byte("PRI")) {
			read = append(read, "\r\n"...) // HTTP/2 begins a connection, or is refused
		}
		read = append(read, c.buf[c.r:c.w]...)
	}
	return c.s.hand(c.Conn, read)
}

// cut ends the connection, whatever it is at. It may be called from anywhere.
func (c *conn) cut() { _ = c.Close() } // nobody waits for anything on it any more

// blank has what a request gets by a method only: its context.
var blank http.Request

// request serves one request, and reports whether another may follow.
func (c *conn) request(h *head) bool {
	w := &response{c: c, life: life{Context: c.base}, header: http.Header{}, length: -1, head: h.method == http.MethodHead, close: h.close}
	req := &w.req
	*req = *blank.WithContext(&w.life)
	req.Method, req.URL, req.Host, req.RequestURI, req.Header = h.method, h.url, h.host, h.uri, h.header
	req.Proto, req.ProtoMajor, req.ProtoMinor = "HTTP/1.1", 1, 1
	req.ContentLength, req.Close, req.RemoteAddr, req.Body = h.length, h.close, c.peer, http.NoBody
	if h.length > 0 {
		w.body = &body{c: c, w: w, left: h.length, here: h.length <= int64(c.w-c.r)}
		req.Body = w.body
	} else if c.r == c.w {
		c.release() // others may need it while the handler waits
	}
	c.current.Store(w)
	if c.s.closed.Load() {
		w.life.end() // Close may have come before current was there
	}
	c.s.rest.Handler.ServeHTTP(w, req)
	again := w.finish()
	_ = c.writes.set(c.Conn, time.Time{}) // nobody writes, so nothing can fail
	c.current.Store(nil)
	w.over()
	return again
}

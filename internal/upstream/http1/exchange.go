package http1

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"sync"
	"time"
)

// late is how long a server that answered before it had the whole request may take to
// get the rest, before the connection is given up; and one that ends a connection in the
// middle of a request, to have its answer read.
const (
	late      = 50 * time.Millisecond
	lastWords = time.Second
)

// exchange is one request and its answer on one connection.
type exchange struct {
	own    outgoing // of the first exchange of a request: one piece of memory for both
	o      *outgoing
	k      *conn
	ctx    context.Context
	in     *bufio.Reader
	unhook func() bool // undoes that the end of the context kills the connection
	wrote  *writing    // nil: the whole request was written before reading
	keep   bool        // the connection may be used again, as far as the messages say

	mu   sync.Mutex // guards what follows, and reading
	src  io.Reader  // nil: left bytes of in
	left int64
	err  error // sticky

	giving sync.Mutex
	over   bool // the connection is not this exchange's any more
}

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 16<<10) }}

// afterFuncer is a context that calls by itself, as context.AfterFunc knows it; it is not
// asked for a channel, which it may have to make.
type afterFuncer interface {
	AfterFunc(func()) func() bool
}

// begin sends a request and returns the answer, whose body is what is left of the
// exchange. again says, with an error, that the request may be sent on another connection.
func (x *exchange) begin(o *outgoing, k *conn) (resp *http.Response, again bool, err error) {
	x.o, x.k, x.ctx, x.in = o, k, o.req.Context(), readers.Get().(*bufio.Reader)
	k.left = maxHead
	x.in.Reset(k)
	if a, ok := x.ctx.(afterFuncer); ok {
		x.unhook = a.AfterFunc(k.end)
	} else if x.ctx.Done() != nil {
		x.unhook = context.AfterFunc(x.ctx, k.end)
	}
	untouched := false
	resp, untouched, err = x.run()
	if err != nil {
		x.give(false)
		if x.wrote != nil {
			<-x.wrote.done // the body is not touched after RoundTrip has failed
		}
		return nil, untouched, x.reason(err)
	}
	return resp, false, nil
}

// reason is what an error should be said to be: the end of the context and trouble with
// the request's body show as something else on the connection.
func (x *exchange) reason(err error) error {
	switch {
	case x.ctx.Err() != nil:
		return cause(x.ctx)
	case x.o.bad != nil:
		return x.o.bad
	case x.wrote != nil && x.wrote.err != nil:
		return x.wrote.err
	}
	return err
}

func (x *exchange) run() (resp *http.Response, untouched bool, err error) {
	if err := x.o.prepare(); err != nil {
		return nil, false, err
	}
	now := time.Now()
	end, _ := x.ctx.Deadline()
	head := x.k.pool.headBy(now, end)
	if x.o.rest == nil {
		x.k.bound(now, head)
		if n, err := x.k.Write(*x.o.wire); err != nil {
			return nil, n == 0, x.named(err)
		}
	} else {
		x.k.boundAll(end)
		x.wrote = &writing{done: make(chan struct{})}
		go x.write(end)
	}
	if _, err := x.in.Peek(1); err != nil {
		return nil, x.repeatable(err), x.named(err)
	}
	for {
		if resp = plainHead(x.in, x.o.req); resp != nil {
			break
		}
		resp, err = http.ReadResponse(x.in, x.o.req)
		if err != nil {
			return nil, false, x.named(err)
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return nil, false, errUpgrade
		}
		if resp.StatusCode/100 != 1 {
			break
		}
	}
	// A body may take as long as it likes, within the context.
	if x.wrote == nil {
		x.o.free()
		if !head.Equal(end) {
			x.k.then, x.k.later = end, true
		}
	} else {
		x.answered(end)
	}
	x.k.left = math.MaxInt64
	x.keep = !resp.Close && !x.o.wantsClose() && resp.StatusCode >= 200
	if x.src = resp.Body; resp.Body == nil {
		x.left = resp.ContentLength
	}
	if resp.Body == http.NoBody || resp.ContentLength == 0 || x.o.req.Method == http.MethodHead {
		x.end(io.EOF)
		resp.Body = http.NoBody
		return resp, false, nil
	}
	resp.Body = x
	return resp, false, nil
}

var errUpgrade = errors.New("http1: the server switches to another protocol, which nobody asked for")

// repeatable reports whether a connection that ended without an answer is like one that
// the server has ended because it was idle.
func (x *exchange) repeatable(err error) bool {
	if x.wrote != nil || x.o.req.Body != nil && x.o.req.Body != http.NoBody || errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	switch x.o.req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// named is an error of reading a head.
func (x *exchange) named(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errHeader
	case x.k.left <= 0:
		return errHead
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

// writing is a body that is written beside reading.
type writing struct {
	done chan struct{}
	err  error // valid after done

	mu       sync.Mutex
	answered bool // a head has come: no deadline any more
}

func (x *exchange) write(end time.Time) {
	w := x.wrote
	defer close(w.done)
	_, err := x.k.Write(*x.o.wire)
	x.o.free()
	if err == nil {
		err = x.o.writeRest(x.k.Conn)
	}
	w.err = err
	x.o.closeBody()
	now := time.Now()
	switch {
	case err == nil:
		x.await(x.k.pool.headBy(now, end))
	case x.o.bad != nil:
		x.k.kill() // the request will never be whole
	default:
		by := now.Add(lastWords) // it may have said why
		if !end.IsZero() && end.Before(by) {
			by = end
		}
		x.await(by)
	}
}

// await bounds the wait for the head, unless that has come.
func (x *exchange) await(by time.Time) {
	w := x.wrote
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.answered {
		_ = x.k.raw.SetReadDeadline(by) // of a closed connection: reading fails by itself
	}
}

// answered takes the bound of the head away.
func (x *exchange) answered(end time.Time) {
	w := x.wrote
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answered = true
	_ = x.k.raw.SetReadDeadline(end) // as above
}

// Read reads the answer's body.
func (x *exchange) Read(b []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		return 0, x.err
	}
	n, err := 0, error(nil)
	if x.src != nil {
		n, err = x.src.Read(b)
	} else {
		n, err = x.sized(b)
	}
	if err != nil {
		switch {
		case err == io.EOF:
		case x.ctx.Err() != nil:
			err = cause(x.ctx)
		case errors.Is(err, os.ErrDeadlineExceeded):
			err = errBody
		}
		x.end(err)
	}
	return n, err
}

// sized reads a body of known length as net/http does.
func (x *exchange) sized(b []byte) (int, error) {
	n, err := x.in.Read(b[:min(int64(len(b)), x.left)])
	x.left -= int64(n)
	switch {
	case x.left == 0:
		return n, io.EOF
	case err == io.EOF:
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// Close ends the exchange. With an answer that was not read to its end the connection
// ends, too. It wakes a Read that is under way.
func (x *exchange) Close() error {
	if !x.mu.TryLock() { // a read is under way
		x.giving.Lock()
		if !x.over {
			x.k.kill()
		}
		x.giving.Unlock()
		x.mu.Lock()
	}
	defer x.mu.Unlock()
	if x.err == nil {
		x.end(http.ErrBodyReadAfterClose)
	}
	return nil
}

// end ends the exchange with io.EOF after a whole answer. The lock is held, or nobody
// else has the exchange yet.
func (x *exchange) end(err error) {
	x.err = err
	x.give(err == io.EOF && x.keep && x.in.Buffered() == 0 && x.whole())
}

// whole reports whether the whole request was written. A server that has answered
// already is given a moment to take the rest.
func (x *exchange) whole() bool {
	if x.wrote == nil {
		return true
	}
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case <-x.wrote.done:
		return x.wrote.err == nil
	case <-timer.C:
		return false
	}
}

// give gives the connection back, to be used again or not.
func (x *exchange) give(well bool) {
	x.giving.Lock()
	x.over = true
	x.giving.Unlock()
	unhooked := x.unhook == nil || x.unhook()
	x.in.Reset(nil)
	readers.Put(x.in)
	x.in = nil
	if well && unhooked {
		x.k.pool.put(x.k)
		return
	}
	x.k.kill()
}

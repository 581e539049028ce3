package faultproxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// lingering is how long the server's side of a connection is kept without a sign of life after the client's was reset.
const lingering = 10 * time.Second

type direction int

const (
	toServer direction = iota
	toClient
)

// conn is one client's connection and its continuation to the target.
type conn struct {
	proxy  *Proxy
	client *net.TCPConn
	gone   chan struct{} // closed by reset

	// The rest is guarded by the proxy's mutex.
	server   *net.TCPConn // nil until dialled, and for a damaged connection for ever
	damaged  bool         // it lost bytes, or never had a server
	detached bool         // the client was reset while the server's side goes on
	ended    bool         // reset was called
}

// chunk is what one read brought.
type chunk struct {
	data []byte
	err  error     // io.EOF or the failure that ended the stream; the last chunk has it
	due  time.Time // not to be forwarded earlier
}

// run forwards until both ways have ended.
func (c *conn) run(dial bool) {
	defer c.close()
	if dial {
		if !c.dial() {
			return
		}
	}
	var ways sync.WaitGroup
	c.start(&ways, toServer)
	if dial {
		c.start(&ways, toClient)
	}
	ways.Wait()
	if !dial {
		<-c.gone // the client may have left; it is not our place to notice
	}
}

// dial connects to the target, or resets the client and reports false.
func (c *conn) dial() bool {
	nc, err := c.proxy.dial()
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	if err != nil {
		c.reset()
		return false
	}
	c.server = nc.(*net.TCPConn)
	if c.ended {
		_ = c.server.Close()
		return false
	}
	return true
}

// reset ends both sides abruptly. The caller holds the proxy's mutex.
func (c *conn) reset() {
	if c.ended {
		return
	}
	c.ended = true
	close(c.gone)
	if !c.detached {
		c.resetClient()
	}
	if c.server != nil {
		_ = c.server.SetLinger(0)
		_ = c.server.Close()
	}
}

func (c *conn) resetClient() {
	c.proxy.stats.Reset++
	_ = c.client.SetLinger(0) // makes Close send a reset instead of an end
	_ = c.client.Close()
}

// close releases both sides after the ways have ended by themselves.
func (c *conn) close() {
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	_ = c.client.Close()
	if c.server != nil {
		_ = c.server.Close()
	}
}

// start begins a reader and a writer for one way. There are two of them so that Delay delays without slowing down.
func (c *conn) start(ways *sync.WaitGroup, d direction) {
	queue := make(chan chunk, 64)
	src, dst := c.client, c.server
	if d == toClient {
		src, dst = dst, src
	}
	ways.Go(func() {
		defer close(queue)
		buf := make([]byte, 32<<10)
		for {
			n, err := src.Read(buf)
			c.proxy.mu.Lock()
			due := time.Now().Add(c.proxy.delay)
			c.proxy.mu.Unlock()
			queue <- chunk{bytes.Clone(buf[:n]), err, due}
			if err != nil {
				return
			}
		}
	})
	ways.Go(func() {
		for ch := range queue { // always to the end, so that the reader is never stuck
			c.wait(ch.due)
			c.forward(d, dst, ch)
		}
	})
}

func (c *conn) wait(due time.Time) {
	d := time.Until(due)
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.gone:
	}
}

// forward does with a chunk what the behaviour of the moment says.
func (c *conn) forward(d direction, dst *net.TCPConn, ch chunk) {
	if !c.admit(d, ch) {
		c.proxy.swallowed(len(ch.data))
		return
	}
	if len(ch.data) > 0 {
		// Counted first: who has seen the bytes must find them in the statistics.
		c.count(d, int64(len(ch.data)))
		if n, err := dst.Write(ch.data); err != nil {
			c.count(d, int64(n-len(ch.data)))
			c.abort()
			return
		}
	}
	switch {
	case ch.err == nil:
	case errors.Is(ch.err, io.EOF):
		_ = dst.CloseWrite()
	default:
		c.abort()
	}
}

// admit reports whether the chunk is to be forwarded, after doing what has to be done when it is not.
func (c *conn) admit(d direction, ch chunk) bool {
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	switch {
	case c.ended:
		return false
	case c.detached:
		if d == toServer {
			// What the client sent before still goes; that its side was closed, by us, does not.
			return ch.err == nil
		}
		if ch.err != nil {
			c.reset()
		} else {
			_ = c.server.SetReadDeadline(time.Now().Add(lingering))
		}
		return false
	case c.proxy.mode == blackhole:
		c.damaged = true
		return false
	case c.proxy.mode == dropRequests && d == toServer:
		c.reset()
		return false
	case c.proxy.mode == dropReplies && d == toClient:
		c.detached = true
		c.resetClient()
		if ch.err != nil {
			c.reset()
		} else {
			_ = c.server.SetReadDeadline(time.Now().Add(lingering))
		}
		return false
	}
	return !c.damaged
}

func (c *conn) count(d direction, n int64) {
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	if d == toServer {
		c.proxy.stats.ToServer += n
	} else {
		c.proxy.stats.ToClient += n
	}
}

func (p *Proxy) swallowed(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Swallowed += int64(n)
}

func (c *conn) abort() {
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	c.reset()
}

// Package faultproxy puts a TCP proxy between a client and a server that can fail in the ways a network does, on command.
// Each way is told apart by what the server saw and what the client learned:
//
//	                the request reached the server   the client learns
//	Pass            yes                              the reply
//	Refuse          no                               connection reset
//	Blackhole       no                               nothing, for ever
//	DropRequests    no                               connection reset, after it sent the request
//	DropReplies     yes                              connection reset, as if it had failed
//
// The proxy knows bytes, not requests. It refuses to guess at protocols: where the server speaks before the client does, as
// in HTTP/2, DropReplies resets a new connection at the server's greeting, before there is a request; connections that were
// open already behave as in the table.
package faultproxy

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

type mode int

const (
	pass mode = iota
	refuse
	blackhole
	dropRequests
	dropReplies
)

// Proxy forwards connections to one target. A new one passes everything. Its methods may be called from several goroutines.
// A change of behaviour applies to every byte that reaches the proxy after the call returned, and to bytes that Delay still
// holds back.
type Proxy struct {
	listener net.Listener
	dial     func() (net.Conn, error) // to the target
	cancel   context.CancelFunc       // ends dials under way
	running  sync.WaitGroup           // the accept loop and its connections

	mu     sync.Mutex
	mode   mode
	delay  time.Duration
	closed bool
	conns  map[*conn]struct{}
	stats  Stats
}

// Stats counts what went through a proxy since it was made.
type Stats struct {
	Accepted int   // connections
	Reset    int   // connections of clients that the proxy reset, for whatever reason
	ToServer int64 // bytes written to the target
	ToClient int64 // bytes written to clients
	// Swallowed are the bytes that were forwarded to nobody, of either way.
	Swallowed int64
}

// New listens on a free loopback port and forwards to target, a "host:port" that need not listen yet.
func New(target string) (*Proxy, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the fault proxy: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Proxy{listener: l, cancel: cancel, conns: map[*conn]struct{}{}}
	d := net.Dialer{Timeout: 5 * time.Second}
	p.dial = func() (net.Conn, error) { return d.DialContext(ctx, "tcp", target) }
	p.running.Go(p.accept)
	return p, nil
}

// Addr returns the address clients connect to, "127.0.0.1:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Pass forwards everything, both ways. Connections that lost bytes to an earlier fault are reset: a stream with a hole in it
// must not go on.
func (p *Proxy) Pass() { p.set(pass) }

// Refuse resets all connections, those that are open and each new one when it is accepted, which a client may learn while it
// still dials.
func (p *Proxy) Refuse() { p.set(refuse) }

// Blackhole accepts connections and swallows what is sent over them, both ways. Nothing is closed and nothing answered.
func (p *Proxy) Blackhole() { p.set(blackhole) }

// DropRequests resets a connection when the client sends something over it; none of that reaches the server. Replies to
// earlier requests still pass. This is "it failed".
func (p *Proxy) DropRequests() { p.set(dropRequests) }

// DropReplies forwards requests and resets the client's connection when the server begins to reply; none of that reaches the
// client. The server's side stays open until the server has been silent for 10 s, so that whatever it is doing gets done.
// This is "it failed, but took effect".
func (p *Proxy) DropReplies() { p.set(dropReplies) }

// Delay holds back what is sent, each way, for d from its arrival: a round trip takes 2d longer. It goes together with every
// other behaviour. Zero ends it for what arrives later.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Stats returns the counts so far.
func (p *Proxy) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Close stops listening, resets all connections and waits until nothing of the proxy runs any more. Calling it again does
// nothing more. The error is that of closing the listener.
func (p *Proxy) Close() error {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	for c := range p.conns {
		c.reset()
	}
	p.mu.Unlock()
	p.cancel()
	var err error
	if first {
		err = p.listener.Close()
	}
	p.running.Wait()
	return err
}

func (p *Proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mode == m {
		return
	}
	p.mode = m
	for c := range p.conns {
		if m == refuse || c.damaged {
			c.reset()
		}
	}
}

func (p *Proxy) accept() {
	for {
		nc, err := p.listener.Accept()
		if err != nil {
			p.mu.Lock()
			closed := p.closed
			p.mu.Unlock()
			if closed {
				return
			}
			time.Sleep(5 * time.Millisecond) // out of descriptors, most likely: it may pass
			continue
		}
		p.Take(nc.(*net.TCPConn))
	}
}

// Take forwards a connection that somebody else has accepted, as if the proxy had. The connection is the proxy's from then
// on.
func (p *Proxy) Take(nc *net.TCPConn) {
	c := &conn{proxy: p, client: nc, gone: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Accepted++
	dial := false
	switch {
	case p.closed || p.mode == refuse:
		c.reset()
	case p.mode == blackhole || p.mode == dropRequests:
		c.damaged = true // it will never have a server's side
		p.conns[c] = struct{}{}
	default:
		dial = true
		p.conns[c] = struct{}{}
	}
	if p.closed {
		return // Close does not wait for anything that begins now
	}
	p.running.Go(func() {
		c.run(dial)
		p.mu.Lock()
		delete(p.conns, c)
		p.mu.Unlock()
	})
}

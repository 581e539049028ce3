package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/internal/http1server"
)

// service is a part of the process that runs until it is stopped. Its context
// is its own, not the process's: at a stop the parts end one after another, in
// the order that serve gives, and not all at once.
type service struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error // read only after done is closed
}

// startService runs run in a goroutine. A part that ends before it was stopped
// is reported to failed, whose buffer must have room for every part.
func startService(name string, failed chan<- error, run func(context.Context) error) *service {
	ctx, cancel := context.WithCancel(context.Background())
	s := &service{name: name, cancel: cancel, done: make(chan struct{})}
	go func() {
		err := run(ctx)
		stopped := ctx.Err() != nil
		switch {
		case stopped && errors.Is(err, context.Canceled):
		case err != nil:
			s.err = fmt.Errorf("%s: %w", name, err)
		case !stopped:
			s.err = fmt.Errorf("%s: %w", name, errEnded)
		}
		close(s.done)
		if !stopped {
			failed <- s.err
		}
	}()
	return s
}

var errEnded = errors.New("it ended by itself")

// stop ends the part and waits for it. A nil service is stopped already.
func (s *service) stop() error {
	if s == nil {
		return nil
	}
	s.cancel()
	<-s.done
	return s.err
}

// serveHTTP serves at l what a server is set up for, until ctx ends, then stops accepting and gives
// the requests under way up to drain to end before it cuts them. Before that,
// connections between two requests have up to linger to end by their clients' doing:
// one that is closed at the moment in which its client sends on it is an error to
// that client. It is up to the handler to tell them (proxy.Proxy.Leave).
func serveHTTP(ctx context.Context, set *http.Server, l net.Listener, linger, drain time.Duration) error {
	open := &connections{}
	set.ConnState = open.state
	srv := http1server.New(set)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		_ = srv.Close() // what it has accepted
		return err
	case <-ctx.Done():
	}
	_ = l.Close()
	<-served
	open.wait(linger)
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := srv.Shutdown(bound); err != nil {
		// Whatever is cut here was admitted and is the gate's to account for:
		// writes run detached from their client.
		_ = srv.Close()
	}
	return nil
}

// connections counts those of a server.
type connections struct{ n atomic.Int64 }

// state is for http.Server.ConnState. HTTP/2 reports the same states.
func (c *connections) state(_ net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		c.n.Add(1)
	case http.StateClosed, http.StateHijacked:
		c.n.Add(-1)
	}
}

// wait returns when none is open, or after the bound.
func (c *connections) wait(bound time.Duration) {
	for end := time.Now().Add(bound); c.n.Load() > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond) // nobody is in a hurry here
	}
}

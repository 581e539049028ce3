package drivertest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// crowd watches sessions from outside and knows their holders: the store must
// never have ended one that its holder may still act on, and of no session a
// report comes back that was replaced.
type crowd struct {
	s      *suite
	opened atomic.Int64
	lost   atomic.Int64

	mu    sync.Mutex
	held  map[string]*held
	ended map[string]bool            // seen by the watch
	seen  map[string]placement.Epoch // newest report seen by the watch
}

// held is a session that a holder has, and the newest report that was
// acknowledged to it.
type held struct {
	*store.Session
	acked atomic.Uint64
}

// newCrowd watches until the test ends.
func (s *suite) newCrowd(from driver.Version) *crowd {
	c := &crowd{s: s, held: map[string]*held{}, ended: map[string]bool{}, seen: map[string]placement.Epoch{}}
	ctx, cancel := context.WithCancel(s.ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		if err := s.Peer.Watch(ctx, sessions, from, c.apply); !errors.Is(err, context.Canceled) {
			s.Errorf("watch sessions: %v", err)
		}
	}()
	s.Cleanup(func() { cancel(); <-over })
	return c
}

func (c *crowd) apply(evs []driver.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ev := range evs {
		if ev.Deleted {
			c.ended[ev.Name] = true
			c.outlived(c.held[ev.Name], "a watch")
			continue
		}
		var r store.SessionRecord
		if err := json.Unmarshal(ev.Value, &r); err != nil {
			c.s.Errorf("a session's record: %v", err)
			continue
		}
		if r.Applied < c.seen[ev.Name] {
			c.s.Errorf("a watch reported %d for a session after %d", r.Applied, c.seen[ev.Name])
		}
		c.seen[ev.Name] = r.Applied
	}
	return nil
}

// outlived checks a session of which somebody knows that it has ended. Valid is
// asked after that, and what it was before it cannot become again, so there is no
// race in which both are right.
func (c *crowd) outlived(x *held, who string) {
	if x != nil && x.Valid() {
		c.s.Errorf("%s says that a session has ended, and its holder may still act on it", who)
	}
}

func (c *crowd) enter(x *held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened.Add(1)
	c.held[x.ID()] = x
	if c.ended[x.ID()] {
		c.outlived(x, "a watch")
	}
}

// look lists the sessions and compares.
func (c *crowd) look(ctx context.Context, d driver.Driver) {
	c.mu.Lock()
	before := map[*held]uint64{}
	for _, x := range c.held {
		before[x] = x.acked.Load()
	}
	c.mu.Unlock()
	all, _, err := listed(ctx, d, sessions)
	if err != nil {
		return
	}
	for x, acked := range before {
		kv, ok := all[x.ID()]
		if !ok {
			c.outlived(x, "a list")
			continue
		}
		var r store.SessionRecord
		if err := json.Unmarshal(kv.Value, &r); err != nil || uint64(r.Applied) < acked {
			c.s.Errorf("a list has report %d for a session that had %d acknowledged before (%v)", r.Applied, acked, err)
		}
	}
}

// finish waits until no session is left: their holders have closed them or have
// lost them.
func (c *crowd) finish() {
	c.s.Helper()
	for began := time.Now(); ; {
		all, _ := c.s.list(c.s.Peer, sessions)
		if len(all) == 0 {
			return
		}
		if time.Since(began) > recovery {
			c.s.Fatalf("%d sessions that nobody renews are there after %v", len(all), recovery)
		}
		<-time.After(pace)
	}
}

// lease is the TTL of the sessions of a crowd: renewals, which have a quarter of
// it, must be possible when the way is slow.
func (s *suite) lease() time.Duration { return max(s.TTL, 20*Lag) }

// holder is a process that always wants a session.
type holder struct {
	crowd *crowd
	d     driver.Driver
	now   atomic.Pointer[held]
}

// valid reports whether it has one.
func (h *holder) valid() bool {
	x := h.now.Load()
	return x != nil && x.Valid()
}

// hold opens a session, renews it and publishes in it, and opens another when it
// is lost, until the context ends.
func (h *holder) hold(ctx context.Context) {
	s := h.crowd.s
	table := store.New(h.d, &store.Options{Timeout: attempt})
	options := &store.SessionOptions{TTL: s.lease()}
	if s.Bubble {
		began := time.Now()
		options.Now = func() time.Duration { return time.Since(began) }
	}
	for ctx.Err() == nil {
		opened, err := table.OpenSession(ctx, store.Info{Kind: store.KindProxy, Name: "drivertest"}, store.Report{}, options)
		if err != nil {
			<-time.After(pace)
			continue
		}
		x := &held{Session: opened}
		h.crowd.enter(x)
		h.now.Store(x)
		publishing, stop := context.WithCancel(ctx)
		var publisher sync.WaitGroup
		publisher.Go(func() { publish(publishing, x) })
		if err := x.Run(ctx); err != nil {
			h.crowd.lost.Add(1)
		}
		stop()
		publisher.Wait()
		closing, cancel := context.WithTimeout(s.ctx, attempt)
		_ = x.Close(closing, true) // or it ends by itself
		cancel()
	}
}

// publish says more and more until the context ends.
func publish(ctx context.Context, x *held) {
	for n, tick := uint64(1), time.NewTicker(5*pace); ; n++ {
		select {
		case <-tick.C:
			if x.Publish(ctx, store.Report{Applied: placement.Epoch(n)}) == nil {
				x.acked.Store(n)
			}
		case <-ctx.Done():
			tick.Stop()
			return
		}
	}
}

package store

import (
	"context"
	"sync"
	"time"
)

// bound is the context of one call to the driver: the caller's, for so long at most. It
// becomes one with a timer when somebody asks when it ends. A driver that answers
// without waiting does not, and a timer that is made and stopped again would be much of
// what its call costs.
type bound struct {
	caller context.Context
	limit  time.Duration

	mu    sync.Mutex
	timed context.Context    // nil: nobody has asked
	stop  context.CancelFunc // of timed
	over  bool
}

// bound returns the context of a call that begins now. The caller calls end when the
// call has returned.
func (s *Store) bound(ctx context.Context) *bound { return &bound{caller: ctx, limit: s.timeout} }

// begin returns the context with a timer. A driver asks for it before it waits for
// anything, so that the time counts from there is no longer than from the call.
func (b *bound) begin() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timed == nil {
		b.timed, b.stop = context.WithTimeout(b.caller, b.limit)
		if b.over { // what still runs for a call that has returned
			b.stop()
		}
	}
	return b.timed
}

func (b *bound) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.stop != nil {
		b.stop()
	}
}

// begun is the context that answers what no timer is needed for.
func (b *bound) begun() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timed == nil {
		return b.caller
	}
	return b.timed
}

// Deadline, Done, Err and Value implement context.Context. A context that is derived
// from this one asks for Done first, and then finds in Value the one with the timer.
func (b *bound) Deadline() (time.Time, bool) { return b.begin().Deadline() }
func (b *bound) Done() <-chan struct{}       { return b.begin().Done() }
func (b *bound) Err() error                  { return b.begun().Err() }
func (b *bound) Value(key any) any           { return b.begun().Value(key) }

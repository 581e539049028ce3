package control

import (
	"context"
	"sync"

	"github.com/sluiceproxy/sluice/store"
)

// looks lets barriers of several moves that wait at the same time share what they read
// of the fleet. One that asks while a look is under way waits for the next: the one
// under way may have read before its epoch was written. So there is one look at a time,
// however many moves there are.
type looks struct {
	s    *store.Store
	turn chan struct{} // of capacity one, held while a look is under way
	last fleet         // as it was seen last; of whoever has the turn

	mu   sync.Mutex
	next *sharedLook // that has not begun; nil: nobody waits for one
}

// sharedLook is one look and what came of it.
type sharedLook struct {
	done    chan struct{} // closed when the rest is set
	f       fleet         // read only
	err     error
	stopped bool // whoever looked was stopped, which says nothing to others
}

func newLooks(s *store.Store) *looks { return &looks{s: s, turn: make(chan struct{}, 1)} }

// look returns the fleet as it was at some moment after look was called.
func (l *looks) look(ctx context.Context) (fleet, error) {
	for {
		x := l.join()
		select {
		case <-x.done:
		case l.turn <- struct{}{}:
			l.read(ctx, x)
			<-l.turn
		case <-ctx.Done():
			return fleet{}, ctx.Err()
		}
		if !x.stopped || ctx.Err() != nil {
			return x.f, x.err
		}
	}
}

func (l *looks) join() *sharedLook {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = &sharedLook{done: make(chan struct{})}
	}
	return l.next
}

// read makes the look x, unless it was made while its caller waited for the turn.
func (l *looks) read(ctx context.Context, x *sharedLook) {
	l.mu.Lock()
	mine := l.next == x
	if mine {
		l.next = nil // whoever comes from here on waits for a later one
	}
	l.mu.Unlock()
	if !mine {
		<-x.done // closed before the turn was given up
		return
	}
	x.f, x.err = readFleet(ctx, l.s, l.last)
	if x.err == nil {
		l.last = x.f
	}
	x.stopped = x.err != nil && ctx.Err() != nil
	close(x.done)
}

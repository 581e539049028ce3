package http1server

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// life is the context of a request: it ends with the request, or when the client has
// left. Most handlers only ask whether it has ended, or have a function called when it
// does, by the method AfterFunc as package upstream does, and for that there is nothing to
// be made. Who wants a channel, makes a context of this one, or calls [context.AfterFunc],
// gets what [context.WithCancel] makes, then.
type life struct {
	context.Context // of the connection; it never ends

	ended atomic.Bool // set under mu

	mu     sync.Mutex
	real   context.Context // nil: nobody has asked
	cancel context.CancelFunc
	hooks  []*hook // not called yet, and not stopped
}

// hook is a function that is called when its life ends.
type hook struct {
	l *life
	f func()
}

// asked returns what context.WithCancel makes.
func (l *life) asked() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.real == nil {
		l.real, l.cancel = context.WithCancel(l.Context)
		if l.ended.Load() {
			l.cancel()
		}
	}
	return l.real
}

// Done implements context.Context.
func (l *life) Done() <-chan struct{} { return l.asked().Done() }

// Err implements context.Context. What it says after the channel was closed is what it
// says from before that on: end sets it first.
func (l *life) Err() error {
	if l.ended.Load() {
		return context.Canceled
	}
	return nil
}

// Value implements context.Context. Package context looks for what can be cancelled by a
// key of its own that is a pointer to an int; it takes what it finds for the parent only if
// that has the channel of Done. Another key of that type finds what it would without.
func (l *life) Value(key any) any {
	if _, ok := key.(*int); ok {
		return l.asked().Value(key)
	}
	return l.Context.Value(key)
}

// AfterFunc is like context.AfterFunc: f is called on a goroutine of its own when the life
// ends, unless stop is called before, which then returns true.
func (l *life) AfterFunc(f func()) (stop func() bool) {
	h := &hook{l, f}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended.Load() {
		go f()
	} else {
		l.hooks = append(l.hooks, h)
	}
	return h.stop
}

// stop is for the one who called AfterFunc. Under the lock a hook is among those that are
// not called yet or is not, so either end calls it or it is stopped here.
func (h *hook) stop() bool {
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	i := slices.Index(h.l.hooks, h)
	if i < 0 {
		return false
	}
	h.l.hooks = slices.Delete(h.l.hooks, i, i+1)
	return true
}

// end ends the life. It may be called from anywhere, and more than once.
func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended.Load() {
		return
	}
	l.ended.Store(true)
	for _, h := range l.hooks {
		go h.f()
	}
	l.hooks = nil
	if l.cancel != nil {
		l.cancel()
	}
}

package upstream

import (
	"context"
	"time"
)

// Within returns a context for RoundTrip that ends d from now, or sooner with ctx. It has
// no timer, which would cost more than all else that a request needs of one: its Done
// channel is that of ctx, its Err tells of the deadline, and RoundTrip keeps it. A ctx
// that has a sooner deadline is returned as it is: who set that keeps it, and says why.
func Within(ctx context.Context, d time.Duration) context.Context {
	end := time.Now().Add(d)
	if sooner, ok := ctx.Deadline(); ok && sooner.Before(end) {
		return ctx
	}
	return &within{ctx, end}
}

// timed returns ctx with a timer for the deadline that Within has given it, if it has.
// One that has another needs none: of two timers for the same instant either may be first.
func timed(ctx context.Context) (context.Context, context.CancelFunc) {
	if w, ok := ctx.Value(withinKey{}).(*within); ok {
		return context.WithDeadline(ctx, w.end)
	}
	return ctx, func() {}
}

type withinKey struct{}

type within struct {
	context.Context
	end time.Time
}

// Deadline implements context.Context.
func (c *within) Deadline() (time.Time, bool) { return c.end, true }

// Err implements context.Context.
func (c *within) Err() error {
	if err := c.Context.Err(); err != nil || time.Now().Before(c.end) {
		return err
	}
	return context.DeadlineExceeded
}

// AfterFunc is context.AfterFunc of what is beneath, as that knows it of contexts.
func (c *within) AfterFunc(f func()) func() bool {
	if a, ok := c.Context.(interface {
		AfterFunc(func()) func() bool
	}); ok {
		return a.AfterFunc(f)
	}
	if c.Context.Done() == nil {
		return notCalled
	}
	return context.AfterFunc(c.Context, f)
}

// notCalled stops what nothing would call.
func notCalled() bool { return true }

// Value implements context.Context.
func (c *within) Value(key any) any {
	if key == (withinKey{}) {
		return c
	}
	return c.Context.Value(key)
}

package upstream

import (
	"context"
	"time"
)

// Within returns a context for RoundTrip that ends d from now, or sooner with ctx. It has
// no timer, which would cost more than all else that a request needs of one: its Done
// channel is that of ctx, its Err tells of the deadline, and RoundTrip keeps it.
func Within(ctx context.Context, d time.Duration) context.Context {
	end := time.Now().Add(d)
	if sooner, ok := ctx.Deadline(); ok && sooner.Before(end) {
		end = sooner
	}
	return &within{ctx, end}
}

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
	return context.AfterFunc(c.Context, f)
}

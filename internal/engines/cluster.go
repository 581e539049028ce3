package engines

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// member is one process of a cluster.
type member interface {
	URL() string
	PID() int
	Restart(ctx context.Context) error
	Stop() error
	Leads(ctx context.Context) (bool, error)
}

// cluster is several members, each of which can be killed, paused and started again by itself.
type cluster[M member] struct {
	members []M
}

// Members returns the members; the slice is the caller's.
func (c *cluster[M]) Members() []M { return append([]M(nil), c.members...) }

// URLs returns the addresses of all members for clients, whether they run or not.
func (c *cluster[M]) URLs() []string {
	urls := make([]string, len(c.members))
	for i, m := range c.members {
		urls[i] = m.URL()
	}
	return urls
}

// start starts all members at the same time. They wait for each other: when one fails, the rest must not wait any longer,
// and its error is the one to tell. Then all are stopped.
func (c *cluster[M]) start(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := c.each(func(m M) error {
		err := m.Restart(ctx)
		if err != nil {
			cancel(err) // of several calls the first counts
		}
		return err
	})
	if err != nil {
		return errors.Join(context.Cause(ctx), c.Stop())
	}
	return nil
}

// Restart starts all members that do not run, at the same time: a member is ready only when a majority is there, so that one
// after the other would wait for ever. Members that run are left alone.
func (c *cluster[M]) Restart(ctx context.Context) error {
	return c.each(func(m M) error {
		if m.PID() != 0 {
			return nil
		}
		return m.Restart(ctx)
	})
}

// Stop stops all members at the same time, as Process.Stop does.
func (c *cluster[M]) Stop() error {
	return c.each(func(m M) error { return m.Stop() })
}

func (c *cluster[M]) each(f func(M) error) error {
	errs := make([]error, len(c.members))
	var wg sync.WaitGroup
	for i, m := range c.members {
		wg.Go(func() { errs[i] = f(m) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Leader returns the member that leads the cluster. It asks again until one says so or the context ends. Members that do not
// answer within half a second are passed over.
func (c *cluster[M]) Leader(ctx context.Context) (M, error) {
	for {
		var (
			found M
			any   bool
			mu    sync.Mutex
		)
		err := c.each(func(m M) error {
			ask, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
			defer cancel()
			leads, err := m.Leads(ask)
			if leads {
				mu.Lock()
				found, any = m, true
				mu.Unlock()
			}
			return err
		})
		if any {
			return found, nil
		}
		select {
		case <-ctx.Done():
			return found, errors.Join(fmt.Errorf("find the leader: %w", context.Cause(ctx)), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

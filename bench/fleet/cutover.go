package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/placement"
)

// cutover is one that was measured.
type cutover struct {
	Published float64 `json:"published_ms"` // the transition's own write
	Acked     float64 `json:"acked_ms"`     // from then until the controller knew that all have acknowledged
	Writes    int64   `json:"writes"`       // of the store, from before the transition until all have acknowledged
	Through   int64   `json:"through"`      // and until the flip was written
	After     int64   `json:"after"`        // and until all have acknowledged that, too
}

// crowd is several at the same time.
type crowd struct {
	AtOnce int     `json:"at_once"`
	Took   float64 `json:"took_ms"`     // from before the first until all have been acknowledged by all
	Writes float64 `json:"per_cutover"` // writes of the store
}

// counter tells how many writes etcd has made: every one raises its revision by one, and
// renewals of sessions do not.
type counter struct{ c *clientv3.Client }

func newCounter(url string) (*counter, error) {
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{url}, DialTimeout: 10 * time.Second, Logger: zap.NewNop()})
	return &counter{c}, err
}

func (c *counter) now(ctx context.Context) (int64, error) {
	r, err := c.c.Get(ctx, "revision", clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	return r.Header.Revision, nil
}

// cutovers measures the acknowledgements of all fleets.
func (r *results) cutovers(ctx context.Context, url string, say func(string, ...any)) (err error) {
	count, err := newCounter(url)
	if err != nil {
		return err
	}
	defer func() { _ = count.c.Close() }()
	fleets := map[int]*fleet{}
	tenants := 1
	for _, n := range r.Crowds {
		tenants = max(tenants, n)
	}
	for _, n := range r.Sizes {
		table := fmt.Sprintf("fleet%d", n)
		f, err := newFleet(ctx, url, table)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.stop()) }()
		fleets[n] = f
		if err := f.register(ctx, tenants); err != nil {
			return err
		}
		say("starting %d instances, each with a connection of its own", n)
		if err := f.join(ctx, url, table, n); err != nil {
			return err
		}
	}
	r.Cutovers = map[int][]cutover{}
	for round := range r.Rounds + 2 {
		for i := range r.Sizes {
			n := r.Sizes[(i+round)%len(r.Sizes)]
			c, err := fleets[n].cutover(ctx, count)
			if err != nil {
				return fmt.Errorf("a cutover of %d instances: %w", n, err)
			}
			if round >= 2 { // the first two warm everything up
				r.Cutovers[n] = append(r.Cutovers[n], c)
			}
		}
	}
	say("%d cutovers of each fleet", r.Rounds)
	for round := range r.Repeats + 1 {
		for i := range r.Crowds {
			n := r.Crowds[(i+round)%len(r.Crowds)]
			c, err := fleets[r.Crowded].crowd(ctx, count, n)
			if err != nil {
				return fmt.Errorf("%d cutovers at the same time: %w", n, err)
			}
			if round > 0 {
				r.Crowd = append(r.Crowd, c)
			}
		}
	}
	say("%d times each of %v cutovers at the same time", r.Repeats, r.Crowds)
	return nil
}

// cutover is one move of one tenant.
func (f *fleet) cutover(ctx context.Context, count *counter) (c cutover, err error) {
	e, err := f.drain(ctx, 0)
	if err != nil {
		return c, err
	}
	before, err := count.now(ctx)
	if err != nil {
		return c, err
	}
	began := time.Now()
	e, err = f.plane.EnterCutover(ctx, e)
	published := time.Now()
	if err == nil {
		_, err = f.barrier.Wait(ctx, e.Partition, e.Epoch, nil)
	}
	if err != nil {
		return c, err
	}
	acked := time.Now()
	after, err := count.now(ctx)
	if err != nil {
		return c, err
	}
	if err := f.flip(ctx, 0, e); err != nil {
		return c, err
	}
	end, err := count.now(ctx)
	return cutover{ms(published.Sub(began)), ms(acked.Sub(published)), after - before, after - before + 1, end - before}, err
}

// crowd is n moves, whose cutovers are entered at the same time.
func (f *fleet) crowd(ctx context.Context, count *counter, n int) (c crowd, err error) {
	all := func(do func(ctx context.Context, i int) error) error {
		g, gctx := errgroup.WithContext(ctx)
		for i := range n {
			g.Go(func() error { return do(gctx, i) })
		}
		return g.Wait()
	}
	entries := make([]placement.Entry, n)
	if err := all(func(ctx context.Context, i int) (err error) { entries[i], err = f.drain(ctx, i); return err }); err != nil {
		return c, err
	}
	before, err := count.now(ctx)
	if err != nil {
		return c, err
	}
	began := time.Now()
	err = all(func(ctx context.Context, i int) (err error) {
		entries[i], err = f.plane.EnterCutover(ctx, entries[i])
		if err == nil {
			_, err = f.barrier.Wait(ctx, tenant(i), entries[i].Epoch, nil)
		}
		return err
	})
	took := time.Since(began)
	if err != nil {
		return c, err
	}
	after, err := count.now(ctx)
	if err != nil {
		return c, err
	}
	err = all(func(ctx context.Context, i int) error { return f.flip(ctx, i, entries[i]) })
	return crowd{n, ms(took), float64(after-before) / float64(n)}, err
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

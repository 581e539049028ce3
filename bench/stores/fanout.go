package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// fanOut lets many watches, each of a driver of its own, see one change after the
// other: first with nothing between them and the server, for the times, then through
// the proxy, for the bytes.
func (b *bench) fanOut(ctx context.Context) error {
	w, err := b.writer(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	f := &fan{Watches: b.watches}
	began := time.Now()
	timed, err := b.crowd(ctx, w.at, b.direct)
	if err != nil {
		return err
	}
	err = timed.settle(ctx, w)
	f.OpenSeconds = round(time.Since(began).Seconds(), 2)
	if err == nil {
		f.Last, f.Median, err = timed.see(ctx, w, b.fanWrites)
	}
	if err = errors.Join(err, timed.stop()); err != nil {
		return err
	}
	b.res.Table.FanOut = f
	if b.proxy == nil {
		return nil
	}
	counted, err := b.crowd(ctx, w.at, b.counted)
	if err != nil {
		return err
	}
	err = counted.settle(ctx, w)
	if err == nil {
		err = b.countCrowd(ctx, counted, w, f)
	}
	return errors.Join(err, counted.stop())
}

func (b *bench) countCrowd(ctx context.Context, c *crowd, w *writer, f *fan) error {
	before, began := b.wire(), time.Now()
	if !pause(ctx, b.quiet) {
		return ctx.Err()
	}
	took := time.Since(began).Seconds()
	f.QuietBytesS = round(float64(b.flow(before))/took, 0)
	toClients := float64(b.wire().ToClient-before.ToClient) / took
	before, began = b.wire(), time.Now()
	last, _, err := c.see(ctx, w, b.fanWrites)
	if err != nil {
		return err
	}
	f.ProxiedLast = last
	sent := float64(b.wire().ToClient-before.ToClient) - toClients*time.Since(began).Seconds()
	f.WriteBytes = round(max(0, sent)/float64(b.fanWrites), 0)
	return nil
}

// crowd is many watches that report to one channel.
type crowd struct {
	seen chan sight
	ends []func() error
}

func (b *bench) crowd(ctx context.Context, from driver.Version, open func(context.Context, string) (store, error)) (*crowd, error) {
	c := &crowd{seen: make(chan sight, 64*b.watches)}
	var (
		mu     sync.Mutex // guards ends and failed
		failed error
		wg     sync.WaitGroup
		slots  = make(chan struct{}, 8)
	)
	for i := range b.watches {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			d, err := open(ctx, bigTable)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = errors.Join(failed, err)
				return
			}
			c.ends = append(c.ends, watcher(ctx, d, from, i, c.seen))
		})
	}
	wg.Wait()
	if failed != nil {
		return nil, errors.Join(failed, c.stop())
	}
	return c, nil
}

func (c *crowd) stop() error {
	errs := make([]error, len(c.ends))
	var wg sync.WaitGroup
	for i, end := range c.ends {
		wg.Go(func() { errs[i] = end() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// one makes a change, and returns how long after its acknowledgement each watch saw
// it, the first first.
func (c *crowd) one(ctx context.Context, w *writer) ([]time.Duration, error) {
	_, acked, err := w.change(ctx)
	if err != nil {
		return nil, err
	}
	after := make([]time.Duration, 0, len(c.ends))
	for len(after) < len(c.ends) {
		s, err := await(ctx, c.seen, w.at)
		if err != nil {
			return nil, fmt.Errorf("by %d of %d watches: %w", len(c.ends)-len(after), len(c.ends), err)
		}
		after = append(after, s.at.Sub(acked))
	}
	slices.Sort(after)
	return after, nil
}

// settle returns when all watches are known to watch.
func (c *crowd) settle(ctx context.Context, w *writer) error {
	if _, err := c.one(ctx, w); err != nil {
		return err
	}
	if !pause(ctx, time.Second/2) {
		return ctx.Err()
	}
	return nil
}

func (c *crowd) see(ctx context.Context, w *writer, n int) (last, median dist, err error) {
	var lasts, medians []time.Duration
	for range n {
		if !pause(ctx, 50*time.Millisecond) {
			return last, median, ctx.Err()
		}
		after, err := c.one(ctx, w)
		if err != nil {
			return last, median, err
		}
		lasts, medians = append(lasts, after[len(after)-1]), append(medians, after[len(after)/2])
	}
	return distOf(lasts), distOf(medians), nil
}

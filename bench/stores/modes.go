package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/store/driver"
)

// modesTable is the name of the table for the two modes.
const modesTable = "benchmodes"

// most is how many requests a client makes in one slice: without a store in the way
// it would make millions, and all their times are kept.
const most = 20_000

// modes measures what a request waits for its placement, in each mode. Both gates
// run all the time, and take turns.
func (b *bench) modes(ctx context.Context) {
	n := b.freshEntries
	filled := b.step(ctx, fmt.Sprintf("fill with %d entries for the modes", n), b.fillLimit, func(ctx context.Context) error {
		have, err := b.register(ctx, modesTable, n)
		if err == nil && have < n {
			err = ctx.Err()
		}
		return err
	})
	if filled {
		b.step(ctx, "fresh and leased", b.limit, b.measureModes)
	}
}

// side is one gate and what its driver is asked.
type side struct {
	mode  gate.Mode
	gate  *gate.Gate
	calls *atomic.Int64
}

func (b *bench) measureModes(ctx context.Context) (err error) {
	var sides []*side
	for _, mode := range []gate.Mode{gate.Fresh, gate.Leased} {
		d, err := b.direct(ctx, modesTable)
		if err != nil {
			return err
		}
		defer func() { _ = d.Close() }()
		counting, calls := count(d)
		g, stop, err := runGate(ctx, counting, mode)
		if err != nil {
			return fmt.Errorf("%s: %w", mode, err)
		}
		defer ending(&err, stop)
		sides = append(sides, &side{mode, g, calls})
	}
	for _, shape := range []struct{ concurrent, partitions int }{{1, b.freshEntries}, {16, b.freshEntries}, {64, b.freshEntries}, {64, 1}} {
		cells := make([]*sample, len(sides))
		for i, s := range sides {
			cells[i] = &sample{side: s, concurrent: shape.concurrent, partitions: shape.partitions}
		}
		for range b.rounds {
			for _, c := range cells {
				if err := c.run(ctx, b.slice); err != nil {
					return fmt.Errorf("%s: %w", c.mode, err)
				}
			}
		}
		for _, c := range cells {
			b.res.Fresh = append(b.res.Fresh, c.cell())
		}
	}
	return nil
}

// sample is one mode at one concurrency.
type sample struct {
	*side
	concurrent, partitions int

	times []time.Duration
	took  time.Duration
	asked int64
}

// run lets that many clients make one request after the other for a while.
func (c *sample) run(ctx context.Context, d time.Duration) error {
	before, began := c.calls.Load(), time.Now()
	times, errs := make([][]time.Duration, c.concurrent), make([]error, c.concurrent)
	var wg sync.WaitGroup
	for i := range c.concurrent { // each has a place of its own in times and errs
		wg.Go(func() {
			for len(times[i]) < most {
				id := partition(rand.N(c.partitions))
				sent := time.Now()
				r, err := c.gate.Read(ctx, id)
				if err != nil {
					errs[i] = err
					return
				}
				r.Done()
				answered := time.Now()
				times[i] = append(times[i], answered.Sub(sent))
				if answered.Sub(began) >= d {
					return
				}
			}
		})
	}
	wg.Wait()
	c.took += time.Since(began)
	c.asked += c.calls.Load() - before
	for _, t := range times {
		c.times = append(c.times, t...)
	}
	return errors.Join(errs...)
}

func (c *sample) cell() cell {
	s := c.took.Seconds()
	return cell{
		Mode: string(c.mode), Concurrent: c.concurrent, Partitions: c.partitions,
		RequestsS: round(float64(len(c.times))/s, 0), CallsS: round(float64(c.asked)/s, 1), Latency: distOf(c.times),
	}
}

// counting counts the calls of a driver. A watch is one call, whatever it does.
type counting struct {
	driver.Driver
	n *atomic.Int64
}

// countingHead is the same for drivers with a Head, which the gate looks for.
type countingHead struct {
	counting
	head driver.Header
}

// countingBatch is the same for drivers that have Versions and Since instead.
type countingBatch struct {
	counting
	batch driver.Batcher
}

func count(d driver.Driver) (driver.Driver, *atomic.Int64) {
	c := counting{d, &atomic.Int64{}}
	if h, ok := d.(driver.Header); ok {
		return countingHead{c, h}, c.n
	}
	if b, ok := d.(driver.Batcher); ok {
		return countingBatch{c, b}, c.n
	}
	return c, c.n
}

func (c counting) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	c.n.Add(1)
	return c.Driver.Get(ctx, key)
}

func (c counting) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	c.n.Add(1)
	return c.Driver.List(ctx, space, yield)
}

func (c counting) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	c.n.Add(1)
	return c.Driver.Write(ctx, w)
}

func (c counting) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	c.n.Add(1)
	return c.Driver.Watch(ctx, space, from, apply)
}

func (c counting) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	c.n.Add(1)
	s, err := c.Driver.Open(ctx, key, value, ttl)
	if err != nil {
		return nil, err
	}
	return countingSession{s, c.n}, nil
}

func (c countingHead) Head(ctx context.Context, space string) (driver.Version, error) {
	c.n.Add(1)
	return c.head.Head(ctx, space)
}

func (c countingBatch) Versions(ctx context.Context, space string, names []string) ([]driver.Sight, error) {
	c.n.Add(1)
	return c.batch.Versions(ctx, space, names)
}

func (c countingBatch) Since(ctx context.Context, space string, from driver.Version) ([]driver.Event, driver.Version, error) {
	c.n.Add(1)
	return c.batch.Since(ctx, space, from)
}

type countingSession struct {
	driver.Session
	n *atomic.Int64
}

func (s countingSession) Renew(ctx context.Context) error {
	s.n.Add(1)
	return s.Session.Renew(ctx)
}

func (s countingSession) Update(ctx context.Context, value []byte) (driver.Version, error) {
	s.n.Add(1)
	return s.Session.Update(ctx, value)
}

func (s countingSession) Close(ctx context.Context) error {
	s.n.Add(1)
	return s.Session.Close(ctx)
}

package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// turn is one turn of moves that only flip, and of the store alone.
type turn struct {
	Store  string  `json:"store"`
	AtOnce int     `json:"at_once"`
	Moves  float64 `json:"moves_s"`
	// Limit is what the store takes of three writes after one another, of an entry's
	// size, each conditional on the one before, from as many clients.
	Limit float64 `json:"limit_s"`
}

// acknowledging is the store with instances that acknowledge each cutover.
const acknowledging = "etcd, 3 instances"

// flips measures moves without data: begin, cutover, barrier, complete.
func (r *results) flips(ctx context.Context, url string, say func(string, ...any)) error {
	f, err := newFleet(ctx, url, "flips3")
	if err != nil {
		return err
	}
	if err = f.register(ctx, r.Flips); err == nil {
		err = f.join(ctx, url, "flips3", 3)
	}
	if err != nil {
		return err
	}
	alone, err := etcdstore.Open(ctx, etcdstore.Config{Endpoints: []string{url}, Prefix: "/flips0/"}, nil)
	if err != nil {
		return err
	}
	none := &fleet{s: store.New(alone, nil)}
	none.close = append(none.close, alone.Close)
	mem := memstore.New(nil)
	memory := &fleet{s: store.New(mem, nil)}
	memory.close = append(memory.close, mem.Close)
	for _, x := range []*fleet{none, memory} {
		x.barrier = control.NewFleetBarrier(x.s, nil)
		x.plane = control.New(x.s, x.barrier, nil)
		if err := x.register(ctx, r.Flips); err != nil {
			return err
		}
	}
	sides := []struct {
		name string
		f    *fleet
		d    driver.Driver
	}{{"memory", memory, mem}, {"etcd", none, alone}, {acknowledging, f, alone}}
	raw := 0
	for round := range r.FlipRuns + 1 {
		for i := range sides {
			side := sides[(i+round)%len(sides)]
			for _, n := range r.AtOnce {
				moves, err := side.f.only(ctx, r.Flips, n)
				if err != nil {
					return fmt.Errorf("moves that only flip on %s: %w", side.name, err)
				}
				raw++
				limit, err := writes(ctx, side.d, fmt.Sprintf("raw%d", raw), r.Flips, n)
				if err != nil {
					return fmt.Errorf("writes to %s: %w", side.name, err)
				}
				if round > 0 { // the first warms everything up
					r.Turns = append(r.Turns, turn{side.name, n, moves, limit})
				}
			}
		}
	}
	say("%d times %d moves that only flip, and as many writes, on each store", r.FlipRuns, r.Flips)
	for _, side := range sides {
		if err := side.f.stop(); err != nil {
			return err
		}
	}
	return nil
}

// only flips every tenant once, n at a time, and returns how many a second.
func (f *fleet) only(ctx context.Context, tenants, n int) (float64, error) {
	return rate(ctx, tenants, n, func(ctx context.Context, i int) error {
		to, attempt := f.target()
		e, err := f.plane.BeginMigration(ctx, f.entries[i], to, attempt)
		if err == nil {
			e, err = f.plane.EnterCutover(ctx, e)
		}
		if err == nil {
			_, err = f.barrier.Wait(ctx, e.Partition, e.Epoch, nil)
		}
		if err == nil {
			e, err = f.plane.CompleteMigration(ctx, e)
		}
		f.entries[i] = e
		if err == nil && e.State.Phase != placement.Active {
			err = fmt.Errorf("it is %s", e.State)
		}
		return err
	})
}

// writes makes three writes for each of that many keys, n keys at a time, and returns for
// how many keys a second.
func writes(ctx context.Context, d driver.Driver, prefix string, keys, n int) (float64, error) {
	value := store.EncodeEntry(placement.Entry{Partition: tenant(0), State: placement.State{Phase: placement.Draining, From: place("a", "copy-100000"), To: place("b", "copy-100001")},
		Attempt: placement.Attempt{Move: "move-100000", Number: 1}})
	return rate(ctx, keys, n, func(ctx context.Context, i int) error {
		at := driver.Version(0)
		for range 3 {
			var err error
			if at, err = d.Write(ctx, driver.Write{Key: driver.Key{Space: "bench", Name: fmt.Sprintf("%s-%d", prefix, i)}, Value: value, Expect: at}); err != nil {
				return err
			}
		}
		return nil
	})
}

// rate does something of each number below all, n at a time, and returns how many a second.
func rate(ctx context.Context, all, n int, do func(context.Context, int) error) (float64, error) {
	var next atomic.Int64
	g, gctx := errgroup.WithContext(ctx)
	began := time.Now()
	for range n {
		g.Go(func() error {
			for i := int(next.Add(1)) - 1; i < all; i = int(next.Add(1)) - 1 {
				if err := do(gctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	return float64(all) / time.Since(began).Seconds(), err
}

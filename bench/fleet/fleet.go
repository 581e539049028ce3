package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// ttl of the instances' sessions. It is longer than the default of 10 s, so that the
// renewals of the large fleet, which are no part of a cutover, take less of the
// processors that all of them share.
const ttl = 40 * time.Second

// fleet is some instances over a table of their own, and a controller's view of it.
type fleet struct {
	s       *store.Store
	plane   *control.ControlPlane
	barrier *control.FleetBarrier
	moves   int               // begun so far; names no index twice
	entries []placement.Entry // of the tenants by number, as the last transition has left them

	mu    sync.Mutex
	close []func() error
}

// newFleet connects a controller to the table of that name.
func newFleet(ctx context.Context, url, table string) (*fleet, error) {
	f := &fleet{}
	d, err := f.connect(ctx, url, table)
	if err != nil {
		return nil, err
	}
	f.s = d
	f.barrier = control.NewFleetBarrier(f.s, nil)
	f.plane = control.New(f.s, f.barrier, nil)
	return f, nil
}

func (f *fleet) connect(ctx context.Context, url, table string) (*store.Store, error) {
	d, err := etcdstore.Open(ctx, etcdstore.Config{Endpoints: []string{url}, Prefix: "/" + table + "/"}, &etcdstore.Options{DialTimeout: time.Minute, Timeout: time.Minute})
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.close = append(f.close, d.Close)
	f.mu.Unlock()
	return store.New(d, &store.Options{Timeout: time.Minute}), nil
}

// join adds n instances and returns when all of them serve.
func (f *fleet) join(ctx context.Context, url, table string, n int) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(32) // at a time: a session waits for its turn no longer than its deadline allows
	for i := range n {
		g.Go(func() error {
			s, err := f.connect(gctx, url, table)
			if err != nil {
				return err
			}
			x, err := gate.New(s, &gate.Options{Name: fmt.Sprintf("%s-%d", table, i), TTL: ttl, CloseDeadline: time.Second})
			if err != nil {
				return err
			}
			life, leave := context.WithCancel(context.WithoutCancel(ctx))
			left := make(chan error, 1)
			go func() { left <- x.Run(life) }()
			f.mu.Lock()
			f.close = append(f.close, func() error { leave(); return <-left })
			f.mu.Unlock()
			for why := x.Ready(); why != nil; why = x.Ready() {
				select {
				case <-gctx.Done():
					return fmt.Errorf("an instance does not begin to serve: %w", errors.Join(gctx.Err(), why))
				case <-time.After(5 * time.Millisecond):
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// stop ends the instances and then the connections, the last that came first.
func (f *fleet) stop() error {
	var errs []error
	for i := len(f.close) - 1; i >= 0; i-- {
		errs = append(errs, f.close[i]())
	}
	return errors.Join(errs...)
}

func tenant(i int) placement.PartitionID {
	return placement.PartitionID(fmt.Sprintf("tenant-%06d", i))
}

func place(cluster, index string) placement.Placement {
	return placement.Placement{Kind: placement.DedicatedIndex, Cluster: cluster, Index: index, Logical: "docs"}
}

func (f *fleet) register(ctx context.Context, n int) error {
	f.entries = make([]placement.Entry, n)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(32)
	for i := range n {
		g.Go(func() (err error) {
			f.entries[i], err = f.s.Register(gctx, tenant(i), place("a", fmt.Sprintf("first-%d", i)))
			return err
		})
	}
	return g.Wait()
}

// target is where the next move goes, and its name.
func (f *fleet) target() (placement.Placement, placement.Attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moves++
	return place([]string{"a", "b"}[f.moves%2], fmt.Sprintf("copy-%d", f.moves)), placement.Attempt{Move: fmt.Sprintf("move-%d", f.moves)}
}

// drain takes a tenant into Draining, and waits until every instance has heard of it.
func (f *fleet) drain(ctx context.Context, i int) (placement.Entry, error) {
	to, attempt := f.target()
	e, err := f.plane.BeginMigration(ctx, f.entries[i], to, attempt)
	if err == nil {
		_, err = f.barrier.Wait(ctx, e.Partition, e.Epoch, nil)
	}
	return e, err
}

// flip completes a cutover whose barrier has passed, and waits until every instance has
// heard of it too, so that the next measurement begins with a fleet at rest.
func (f *fleet) flip(ctx context.Context, i int, e placement.Entry) (err error) {
	f.entries[i], err = f.plane.CompleteMigration(ctx, e)
	if err == nil {
		_, err = f.barrier.Wait(ctx, e.Partition, f.entries[i].Epoch, nil)
	}
	return err
}

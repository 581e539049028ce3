package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	tables "github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// runGate runs a gate until its function is called, and returns when it serves.
func runGate(ctx context.Context, d driver.Driver, mode gate.Mode) (*gate.Gate, func() error, error) {
	g, err := gate.New(tables.New(d, nil), &gate.Options{Name: "bench", Mode: mode})
	if err != nil {
		return nil, nil, err
	}
	running, leave := context.WithCancel(ctx)
	left := make(chan error, 1)
	go func() { left <- g.Run(running) }()
	stop := func() error {
		leave()
		return <-left
	}
	for {
		why := g.Ready()
		if why == nil {
			return g, stop, nil
		}
		if !pause(ctx, time.Millisecond) {
			return nil, nil, errors.Join(fmt.Errorf("a gate does not begin to serve: %w", why), stop())
		}
	}
}

// replica measures how an instance starts: how long that takes, and its highest heap, less
// what was in use before the gate was made. The driver is there before; what it keeps for
// the replica counts.
func (b *bench) replica(ctx context.Context) (err error) {
	t := b.res.Table
	d, err := b.direct(ctx, bigTable)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	before := heapInUse()
	peak := watchHeap()
	began := time.Now()
	g, stop, err := runGate(ctx, d, gate.Fresh)
	if err != nil {
		peak()
		return err
	}
	defer ending(&err, stop)
	took := time.Since(began)
	highest := peak()
	for range min(1000, t.Entries) {
		i := rand.N(t.Entries)
		r, err := g.Read(ctx, partition(i))
		if err != nil {
			return fmt.Errorf("read entry %d: %w", i, err)
		}
		where := r.Entry().State.From
		r.Done()
		if where != placed(i) {
			return fmt.Errorf("the replica has entry %d at %v", i, where)
		}
	}
	t.ReplicaMs = ms(took)
	t.HeapPeak = round((float64(highest)-float64(before))/(1<<20), 0)
	return nil
}

// heapInUse is what is reachable on the heap, in bytes.
func heapInUse() uint64 {
	// Twice: what has a finalizer goes with the second.
	runtime.GC()
	debug.FreeOSMemory()
	return heapNow()
}

func heapNow() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// watchHeap looks at the heap until its function is called, which returns the
// highest that was seen.
func watchHeap() func() uint64 {
	end, highest := make(chan struct{}), make(chan uint64)
	go func() {
		most := heapNow()
		t := time.NewTicker(20 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				most = max(most, heapNow())
			case <-end:
				highest <- max(most, heapNow())
				return
			}
		}
	}()
	return func() uint64 {
		close(end)
		return <-highest
	}
}

package control_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// late is a store in which the next write takes effect, but only after the clock has moved on.
type late struct {
	driver.Driver
	on    atomic.Bool
	delay func()
}

func (l *late) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if l.on.CompareAndSwap(true, false) {
		l.delay()
	}
	return l.Driver.Write(ctx, w)
}

// A cutover that took effect late has lasted for less than its start says.
func TestTheTimeBarrierCountsFromWhenTheCutoverTookEffect(t *testing.T) {
	mem := memstore.New(nil)
	t.Cleanup(func() { _ = mem.Close() })
	var clock atomic.Int64
	now := func() time.Duration { return time.Duration(clock.Load()) }
	d := &late{Driver: mem, delay: func() { clock.Add(int64(20 * time.Second)) }}
	s := store.New(d, nil)
	if _, err := s.Register(t.Context(), "acme", placeA); err != nil {
		t.Fatal(err)
	}
	boot := func() string { return "boot" }
	p := control.New(s, control.NewTimeBarrier(&control.TimeBarrierOptions{Wait: 30 * time.Second, Now: now, Boot: boot}),
		&control.Options{Start: func() placement.Start { return placement.Start{Boot: boot(), Since: now()} }})
	e, err := p.BeginMigration(t.Context(), acme, placeB, attempt)
	if err != nil {
		t.Fatal(err)
	}
	d.on.Store(true)
	if _, err := p.EnterCutover(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	clock.Add(int64(10 * time.Second)) // 30 s since the start that was stamped, 10 s since the entry was in Cutover
	if _, err := p.CompleteMigration(t.Context(), acme); err == nil {
		t.Fatal("completed 10 s after the cutover took effect; the barrier is 30 s")
	}
}

package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

var (
	east = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "east", Index: "acme-1", Logical: "docs"}
	west = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "west", Index: "acme-2", Logical: "docs"}
	move = placement.Attempt{Move: "m1", Number: 1}

	errBroken = errors.New("connection reset")
)

// fault is what befalls one call.
type fault int

const (
	none        fault = iota
	failed            // an error, and nothing was done
	failedAfter       // an error, and it was done all the same
)

// faulty is a driver whose calls go wrong on demand.
type faulty struct {
	driver.Driver
	mu     sync.Mutex
	reads  []fault // what befalls the next reads, in order; none when empty
	writes []fault
	opens  []fault
	wrote  int
}

func take(f *[]fault) fault {
	if len(*f) == 0 {
		return none
	}
	first := (*f)[0]
	*f = (*f)[1:]
	return first
}

func (d *faulty) plan(reads, writes []fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads, d.writes, d.wrote = reads, writes, 0
}

func (d *faulty) next(f *[]fault) fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	return take(f)
}

func (d *faulty) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	if d.next(&d.reads) != none {
		return driver.KV{}, errBroken
	}
	return d.Driver.Get(ctx, key)
}

func (d *faulty) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	if d.next(&d.reads) != none {
		return 0, errBroken
	}
	return d.Driver.List(ctx, space, yield)
}

func (d *faulty) Head(ctx context.Context, space string) (driver.Version, error) {
	if d.next(&d.reads) != none {
		return 0, errBroken
	}
	return d.Driver.(driver.Header).Head(ctx, space)
}

func (d *faulty) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	d.mu.Lock()
	f := take(&d.writes)
	d.wrote++
	d.mu.Unlock()
	if f == failed {
		return 0, errBroken
	}
	v, err := d.Driver.Write(ctx, w)
	if f == failedAfter {
		return 0, errBroken
	}
	return v, err
}

func (d *faulty) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	f := d.next(&d.opens)
	if f == failed {
		return nil, errBroken
	}
	x, err := d.Driver.Open(ctx, key, value, ttl)
	if f == failedAfter {
		return nil, errBroken
	}
	return x, err
}

func newStore(t testing.TB) (*store.Store, *faulty) {
	t.Helper()
	m := memstore.New(nil)
	t.Cleanup(func() { _ = m.Close() })
	d := &faulty{Driver: m}
	return store.New(d, nil), d
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// inPhase registers acme and takes it to a phase.
func inPhase(t testing.TB, s *store.Store, phase placement.Phase) placement.Entry {
	t.Helper()
	e := must[placement.Entry](t)(s.Register(t.Context(), "acme", east))
	if phase != placement.Active {
		e = must[placement.Entry](t)(s.Apply(t.Context(), "acme", placement.Command{Op: placement.OpBegin, To: west, Attempt: move}))
	}
	if phase == placement.Cutover {
		e = must[placement.Entry](t)(s.Apply(t.Context(), "acme", placement.Command{Op: placement.OpCutover, Start: start}))
	}
	return e
}

var start = placement.Start{Boot: "boot-1", Since: 5 * time.Second, Wall: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}

// every legal transition, from the phase that it starts in.
var transitions = []struct {
	name string
	from placement.Phase
	cmd  placement.Command
}{
	{"begin", placement.Active, placement.Command{Op: placement.OpBegin, To: west, Attempt: move}},
	{"enter cutover", placement.Draining, placement.Command{Op: placement.OpCutover, Attempt: move, Start: start}},
	{"takeover in Draining", placement.Draining, placement.Command{Op: placement.OpReopen, Attempt: placement.Attempt{Move: "m1", Number: 2}}},
	{"reopen", placement.Cutover, placement.Command{Op: placement.OpReopen, Attempt: move}},
	{"takeover in Cutover", placement.Cutover, placement.Command{Op: placement.OpReopen, Attempt: placement.Attempt{Move: "m1", Number: 2}}},
	{"complete", placement.Cutover, placement.Command{Op: placement.OpComplete, Attempt: move}},
	{"abort from Draining", placement.Draining, placement.Command{Op: placement.OpAbort, Attempt: move}},
	{"abort from Cutover", placement.Cutover, placement.Command{Op: placement.OpAbort, Attempt: move}},
}

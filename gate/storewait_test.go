package gate_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// A store that does not answer keeps no request longer than StoreWait, whether it has a read
// to itself, waits for one that others wait for too, or for one that cannot begin while that
// of others hangs.
func TestNobodyWaitsLongerThanStoreWait(t *testing.T) {
	const wait = time.Second
	o := gate.Options{StoreWait: wait}
	arriving := func(t *testing.T, g *gate.Gate) {
		var wg sync.WaitGroup
		for range 40 { // some while nothing is under way, most in the midst of it
			for range 2 {
				wg.Go(func() {
					began := time.Now()
					_, err := read(g, tenant(0))
					var u *gate.UnavailableError
					if took := time.Since(began); !errors.As(err, &u) || u.Reason != gate.ReasonStore || took > wait {
						t.Errorf("after %v: %v", took, err)
					}
				})
			}
			time.Sleep(70 * time.Millisecond)
		}
		wg.Wait()
	}
	t.Run("its head", func(t *testing.T) {
		var d *stalling
		over := func(mem *memstore.Store) driver.Driver { d = &stalling{Store: mem}; return d }
		bubble(t, over, 1, o, func(t *testing.T, g *gate.Gate, _ *store.Store) {
			d.hung.Store(true)
			arriving(t, g)
		})
	})
	t.Run("epochs", func(t *testing.T) {
		headlessGate(t, 1, o, func(t *testing.T, g *gate.Gate, d *headless, _ *store.Store) {
			d.onRead(func(ctx context.Context, _ []string, _ func() []driver.Sight) ([]driver.Sight, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
			arriving(t, g)
		})
	})
	for name, as := range map[string]func(*stalling) driver.Driver{
		"a watch":                          func(d *stalling) driver.Driver { return d },
		"a watch, where the head is known": func(d *stalling) driver.Driver { return local{d} },
	} {
		t.Run(name, func(t *testing.T) {
			var d *stalling
			over := func(mem *memstore.Store) driver.Driver { d = &stalling{Store: mem}; return as(d) }
			bubble(t, over, 1, o, func(t *testing.T, g *gate.Gate, table *store.Store) {
				d.stalled.Store(true)
				if _, err := table.Apply(t.Context(), tenant(0), placement.Command{Op: placement.OpBegin, To: placeB, Attempt: placement.Attempt{Move: "m", Number: 1}}); err != nil {
					t.Fatal(err)
				}
				arriving(t, g)
				d.stalled.Store(false)
				time.Sleep(10 * time.Millisecond)
				if _, err := read(g, tenant(0)); err != nil {
					t.Errorf("when it goes on: %v", err)
				}
			})
		})
	}
	t.Run("a read that fails", func(t *testing.T) {
		headlessGate(t, 1, o, func(t *testing.T, g *gate.Gate, d *headless, _ *store.Store) {
			d.onRead(func(ctx context.Context, _ []string, _ func() []driver.Sight) ([]driver.Sight, error) {
				select {
				case <-time.After(time.Millisecond):
					return nil, drivertest.ErrBroken
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			})
			arriving(t, g)
		})
	})
}

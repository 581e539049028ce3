package gate_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// silent is a store that stops telling its newest version.
type silent struct {
	*memstore.Store
	stopped atomic.Bool
}

func (d *silent) Head(ctx context.Context, space string) (driver.Version, error) {
	if d.stopped.Load() {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return d.Store.Head(ctx, space)
}

// TestReplicaAge: without a request nothing proves the copy of the table current, until
// somebody asks; and a store that does not answer shows as an age that grows.
func TestReplicaAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		d := &silent{Store: memstore.New(nil)}
		f := &fleet{t: t, store: store.New(d, nil)}
		for _, id := range []placement.PartitionID{acme, "initech"} {
			if _, err := f.store.Register(t.Context(), id, placeA); err != nil {
				t.Fatal(err)
			}
		}
		var settled atomic.Int64
		g, stop := f.join(&gate.Options{Now: func() time.Duration { return time.Since(start) }, Settled: func(time.Duration) { settled.Add(1) }})
		prove := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return g.Prove(ctx)
		}
		if s := g.Stats(); s.Partitions != 2 || !s.Serving {
			t.Errorf("%+v", s)
		}
		time.Sleep(30 * time.Second)
		if s := g.Stats(); s.ReplicaAge < 30*time.Second {
			t.Errorf("nobody has asked the store, and the copy is %s old", s.ReplicaAge)
		}
		if err := prove(); err != nil || g.Stats().ReplicaAge > 0 {
			t.Errorf("proven: %v, and it is %s old", err, g.Stats().ReplicaAge)
		}
		d.stopped.Store(true)
		time.Sleep(proofAge / 2)
		if err := prove(); err != nil { // young enough not to be asked for
			t.Errorf("a second proof at once: %v", err)
		}
		time.Sleep(20 * time.Second)
		if err := prove(); !errors.Is(err, context.DeadlineExceeded) || g.Stats().ReplicaAge < 20*time.Second {
			t.Errorf("a store that does not answer: %v, %s", err, g.Stats().ReplicaAge)
		}
		d.stopped.Store(false)
		before := settled.Load()
		r, err := g.Read(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		r.Done()
		if n := settled.Load() - before; n != 1 {
			t.Errorf("%d told of one request", n)
		}
		if err := f.store.Remove(t.Context(), "initech"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := g.Stats().Partitions; n != 1 {
			t.Errorf("%d tenants", n)
		}
		stop()
		_ = d.Close()
	})
}

// proofAge is how old a proof may be that is not asked for again.
const proofAge = time.Second

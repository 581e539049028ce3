package control_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// flaky is a store that can be cut off, and tells of writes.
type flaky struct {
	*memstore.Store
	down  atomic.Bool
	wrote func(driver.Write) // behind a write; nil: nobody asks
}

var errCut = errors.New("connection refused")

func (f *flaky) Get(ctx context.Context, k driver.Key) (driver.KV, error) {
	if f.down.Load() {
		return driver.KV{}, errCut
	}
	return f.Store.Get(ctx, k)
}

func (f *flaky) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	if f.down.Load() {
		return 0, errCut
	}
	return f.Store.List(ctx, space, yield)
}

func (f *flaky) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if f.down.Load() {
		return 0, errCut
	}
	v, err := f.Store.Write(ctx, w)
	if err == nil && f.wrote != nil {
		f.wrote(w)
	}
	return v, err
}

var (
	placeA  = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "docs-1", Logical: "docs"}
	placeB  = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "docs-2", Logical: "docs"}
	attempt = placement.Attempt{Move: "m1", Number: 1}
)

func newStore(t *testing.T) (*store.Store, *flaky) {
	t.Helper()
	f := &flaky{Store: memstore.New(nil)}
	t.Cleanup(func() { _ = f.Close() })
	s := store.New(f, nil)
	if _, err := s.Register(t.Context(), "acme", placeA); err != nil {
		t.Fatal(err)
	}
	return s, f
}

// acme stands for whatever entry it has.
var acme = placement.Entry{Partition: "acme"}

// inCutover takes acme there and returns its entry.
func inCutover(t *testing.T, p *control.ControlPlane) placement.Entry {
	t.Helper()
	e, err := p.BeginMigration(t.Context(), acme, placeB, attempt)
	if err != nil {
		t.Fatal(err)
	}
	if e, err = p.EnterCutover(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPlaneGoesThereAndBack(t *testing.T) {
	s, _ := newStore(t)
	p := control.New(s, control.NewFleetBarrier(s, nil), nil)
	e := inCutover(t, p)
	if _, err := p.Reopen(t.Context(), placement.Entry{Partition: "acme", Epoch: e.Epoch + 1}); !errors.Is(err, placement.ErrStaleEpoch) {
		t.Errorf("reopen of another epoch: %v", err)
	}
	if _, err := p.Reopen(t.Context(), e); err != nil {
		t.Error(err)
	}
	if e, err := p.AbortMigration(t.Context(), acme); err != nil || e.State != (placement.State{From: placeA}) {
		t.Errorf("abort: %v, %v", e.State, err)
	}
	inCutover(t, p)
	e, err := p.CompleteMigration(t.Context(), acme)
	if err != nil || e.State != (placement.State{From: placeB}) {
		t.Errorf("complete: %v, %v", e.State, err)
	}
	if _, err := p.CompleteMigration(t.Context(), acme); !errors.Is(err, placement.ErrNotMigrating) {
		t.Errorf("complete again: %v", err)
	}
	if _, err := p.State(t.Context(), "nobody"); !errors.Is(err, placement.ErrUnknownPartition) {
		t.Errorf("unknown partition: %v", err)
	}
}

// An unreachable store is neither absence nor permission.
func TestUnreachableStoreChangesNothing(t *testing.T) {
	s, f := newStore(t)
	p := control.New(s, control.NewTimeBarrier(&control.TimeBarrierOptions{Wait: time.Nanosecond}), nil)
	before := inCutover(t, p)
	f.down.Store(true)
	for name, call := range map[string]func() (placement.Entry, error){
		"state":    func() (placement.Entry, error) { return p.State(t.Context(), "acme") },
		"begin":    func() (placement.Entry, error) { return p.BeginMigration(t.Context(), acme, placeB, attempt) },
		"cutover":  func() (placement.Entry, error) { return p.EnterCutover(t.Context(), acme) },
		"reopen":   func() (placement.Entry, error) { return p.Reopen(t.Context(), before) },
		"complete": func() (placement.Entry, error) { return p.CompleteMigration(t.Context(), acme) },
		"abort":    func() (placement.Entry, error) { return p.AbortMigration(t.Context(), acme) },
	} {
		if _, err := call(); !errors.Is(err, control.ErrStoreUnavailable) || errors.Is(err, placement.ErrUnknownPartition) {
			t.Errorf("%s: %v, want ErrStoreUnavailable", name, err)
		}
	}
	f.down.Store(false)
	after, err := p.State(t.Context(), "acme")
	if err != nil || !cmp.Equal(before, after) {
		t.Errorf("it changed: %s, %v", cmp.Diff(before, after), err)
	}
}

func TestOneOfManyCompletionsWins(t *testing.T) {
	s, _ := newStore(t)
	p := control.New(s, control.NewFleetBarrier(s, nil), nil)
	inCutover(t, p)
	const contenders = 16
	var won, refused atomic.Int32
	var wg sync.WaitGroup
	for range contenders {
		wg.Go(func() {
			_, err := control.New(s, control.NewFleetBarrier(s, nil), nil).CompleteMigration(t.Context(), acme)
			var r *placement.Refusal
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &r):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || refused.Load() != contenders-1 {
		t.Errorf("%d won, %d were refused", won.Load(), refused.Load())
	}
}

// reopening is a barrier that takes long: meanwhile somebody reopens the
// partition and enters another cutover.
type reopening struct{ s *store.Store }

func (b reopening) Prove(ctx context.Context, e placement.Entry) error {
	if _, err := b.s.Apply(ctx, e.Partition, placement.Command{Op: placement.OpReopen}); err != nil {
		return err
	}
	_, err := b.s.Apply(ctx, e.Partition, placement.Command{Op: placement.OpCutover})
	return err
}

func TestProofIsBoundToItsEpoch(t *testing.T) {
	s, _ := newStore(t)
	p := control.New(s, reopening{s}, nil)
	inCutover(t, p)
	if _, err := p.CompleteMigration(t.Context(), acme); !errors.Is(err, placement.ErrStaleEpoch) {
		t.Errorf("completed on an old proof: %v", err)
	}
}

func TestTimeBarrier(t *testing.T) {
	now, boot := 100*time.Second, "boot-1"
	fresh := func() *control.TimeBarrier { // a process that has just started
		return control.NewTimeBarrier(&control.TimeBarrierOptions{Now: func() time.Duration { return now }, Boot: func() string { return boot }})
	}
	e := placement.Entry{
		Partition: "acme", Epoch: 7, CutoverAt: placement.Start{Boot: "boot-1", Since: 100 * time.Second},
		State: placement.State{Phase: placement.Cutover, From: placeA, To: placeB},
	}
	remaining := func(b *control.TimeBarrier) time.Duration {
		t.Helper()
		err := b.Prove(t.Context(), e)
		var p *control.BarrierPending
		switch {
		case err == nil:
			return 0
		case errors.As(err, &p):
			return p.Remaining
		}
		t.Fatal(err)
		return 0
	}
	b := fresh()
	for _, step := range []struct {
		name string
		do   func()
		want time.Duration
	}{
		{"at the start", func() {}, 30 * time.Second},
		{"ten seconds later", func() { now += 10 * time.Second }, 20 * time.Second},
		{"restarted on the same boot it counts on, from when the cutover had taken effect for certain", func() { now += 15 * time.Second; b = fresh() }, 15 * time.Second},
		{"restarted before that it counts from now", func() { e.Epoch, e.CutoverAt.Since, b = 8, now-4*time.Second, fresh() }, 30 * time.Second},
		{"another boot begins anew", func() { boot, now, b = "boot-2", 500*time.Second, fresh() }, 30 * time.Second},
		{"and counts on its own clock", func() { now += 29 * time.Second }, time.Second},
		{"a later cutover begins anew", func() { e.Epoch = 9 }, 30 * time.Second},
		{"a start in the future is not from this clock", func() { e.Epoch, e.CutoverAt = 10, placement.Start{Boot: "boot-2", Since: now + time.Hour} }, 30 * time.Second},
		{"unknown boots are not the same boot", func() { boot, e.Epoch, e.CutoverAt = "", 11, placement.Start{Since: time.Second} }, 30 * time.Second},
		{"in the end it holds", func() { now += 30 * time.Second }, 0},
	} {
		step.do()
		if got := remaining(b); got != step.want {
			t.Errorf("%s: %s remaining, want %s", step.name, got, step.want)
		}
	}
	e.State.Phase = placement.Draining
	if err := b.Prove(t.Context(), e); !errors.Is(err, placement.ErrNotInCutover) {
		t.Errorf("outside Cutover: %v", err)
	}
}

func TestTimeBarrierRefusesEarlyCompletion(t *testing.T) {
	s, _ := newStore(t)
	p := control.New(s, control.NewTimeBarrier(nil), nil)
	inCutover(t, p)
	_, err := p.CompleteMigration(t.Context(), acme)
	var pending *control.BarrierPending
	if !errors.As(err, &pending) || pending.Remaining <= 25*time.Second || pending.Remaining > control.DefaultDrainBarrier {
		t.Errorf("early completion: %v", err)
	}
}

// Somebody who knows an old entry is told what stands in the way of the one that there is
// now, and not of the one that he knows.
func TestCompleteOfAnOldEntry(t *testing.T) {
	s, f := newStore(t)
	p := control.New(s, control.NewFleetBarrier(s, nil), nil)
	draining, err := p.BeginMigration(t.Context(), acme, placeB, attempt)
	if err != nil {
		t.Fatal(err)
	}
	cutover, err := p.EnterCutover(t.Context(), draining)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.CompleteMigration(t.Context(), draining); !errors.Is(err, placement.ErrStaleEpoch) {
		t.Errorf("complete of Draining, which is over: %v", err)
	}
	late := control.New(s, control.NewTimeBarrier(nil), nil)
	var pending *control.BarrierPending
	if e, err := late.CompleteMigration(t.Context(), cutover); !errors.As(err, &pending) || e != cutover {
		t.Errorf("complete before the barrier has passed: %v", err)
	}
	f.down.Store(true)
	if _, err := late.CompleteMigration(t.Context(), cutover); !errors.Is(err, control.ErrStoreUnavailable) {
		t.Errorf("complete before the barrier has passed, of a store that cannot be read: %v", err)
	}
	f.down.Store(false)
	if _, err := p.CompleteMigration(t.Context(), cutover); err != nil {
		t.Errorf("complete: %v", err)
	}
	if e, err := late.CompleteMigration(t.Context(), cutover); !errors.Is(err, placement.ErrStaleEpoch) || e.State.Migrating() {
		t.Errorf("complete of what has flipped, with a barrier that has not passed: %v", err)
	}
	if _, err := p.BeginMigration(t.Context(), cutover, placeA, attempt); !errors.Is(err, placement.ErrStaleEpoch) {
		t.Errorf("begin of an old entry: %v", err)
	}
}

package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// half tells the versions of all keys but one.
type half struct {
	*drivertest.Headless
	hidden string
}

func (d half) Versions(ctx context.Context, space string, names []string) ([]driver.Sight, error) {
	seen, err := d.Headless.Versions(ctx, space, names)
	for i, name := range names {
		if name == d.hidden {
			seen[i] = driver.Sight{Err: errBroken}
		}
	}
	return seen, err
}

// Of a store without a head many epochs are read at once, with the table's base
// added, and what is wrong with one entry is said of that one alone.
func TestEpochs(t *testing.T) {
	mem := memstore.New(nil)
	t.Cleanup(func() { _ = mem.Close() })
	const base = 1000
	must[store.Table](t)(store.WriteTable(t.Context(), mem, store.Table{State: store.TableOpen, Base: base}))
	s := store.New(half{drivertest.NewHeadless(mem), "hidden"}, nil)
	acme := must[placement.Entry](t)(s.Register(t.Context(), "acme", east))
	must[placement.Entry](t)(s.Register(t.Context(), "removed", east))
	if err := s.Remove(t.Context(), "removed"); err != nil {
		t.Fatal(err)
	}
	corrupt := must[driver.Version](t)(mem.Write(t.Context(), driver.Write{Key: driver.Key{Space: store.SpaceEntries, Name: "corrupt"}, Value: []byte("x")}))

	seen, err := s.Epochs(t.Context(), []placement.PartitionID{"acme", "removed", "never", "corrupt", "hidden", "", "\xff"})
	if err != nil {
		t.Fatal(err)
	}
	if err := seen["hidden"].Err; !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, errBroken) {
		t.Errorf("the one that cannot be told: %v", err)
	}
	delete(seen, "hidden")
	if d := cmp.Diff(map[placement.PartitionID]store.Seen{
		"acme": {Epoch: acme.Epoch}, "removed": {}, "never": {}, "corrupt": {Epoch: base + placement.Epoch(corrupt)}, "": {}, "\xff": {},
	}, seen); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if seen, err := s.Epochs(t.Context(), []placement.PartitionID{""}); err != nil || len(seen) != 1 {
		t.Errorf("of no partition that could be: %v, %v", seen, err)
	}
}

// Since tells what a watch reports, and one that follows it goes on from there.
func TestSince(t *testing.T) {
	mem := memstore.New(nil)
	t.Cleanup(func() { _ = mem.Close() })
	must[store.Table](t)(store.WriteTable(t.Context(), mem, store.Table{State: store.TableOpen, Base: 1000}))
	s := store.New(drivertest.NewHeadless(mem), nil)
	first := must[placement.Entry](t)(s.Register(t.Context(), "acme", east))
	second := must[placement.Entry](t)(s.Apply(t.Context(), "acme", placement.Command{Op: placement.OpBegin, To: west, Attempt: move}))
	changes, at, err := s.Since(t.Context(), first.Epoch)
	if d := cmp.Diff([]store.Change{{Entry: second}}, changes); d != "" || err != nil || at < second.Epoch {
		t.Errorf("it came to %d, %v (-want +got):\n%s", at, err, d)
	}
	if changes, again, err := s.Since(t.Context(), at); err != nil || len(changes) != 0 || again < at {
		t.Errorf("nothing happened since: %v, %d, %v", changes, again, err)
	}
	mem.Compact(store.SpaceEntries)
	if _, _, err := s.Since(t.Context(), 0); !errors.Is(err, driver.ErrCompacted) {
		t.Errorf("since what is forgotten: %v", err)
	}
}

// A store has the reads of its driver, fails when they do, and refuses the others.
func TestOtherReads(t *testing.T) {
	mem := memstore.New(nil)
	t.Cleanup(func() { _ = mem.Close() })
	with, without := store.New(mem, nil), store.New(drivertest.NewHeadless(mem), nil)
	if !with.HasHead() || without.HasHead() {
		t.Error("HasHead is wrong")
	}
	_, err1 := without.Head(t.Context())
	_, err2 := with.Epochs(t.Context(), nil)
	_, _, err3 := with.Since(t.Context(), 0)
	for _, err := range []error{err1, err2, err3} {
		if err == nil || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%v; want a refusal that is no matter of trying again", err)
		}
	}
	d, fault := drivertest.NewFlaky(drivertest.NewHeadless(mem), 0)
	s := must[*store.Store](t)(store.Open(t.Context(), d, nil))
	fault(drivertest.Cut)
	_, err1 = s.Epochs(t.Context(), []placement.PartitionID{"acme"})
	_, _, err2 = s.Since(t.Context(), 0)
	for _, err := range []error{err1, err2} {
		if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, drivertest.ErrBroken) {
			t.Errorf("unreachable: %v", err)
		}
	}
}

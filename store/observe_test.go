package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// heard is what an observer was told.
type heard struct {
	calls  []string
	failed []string
}

func (h *heard) observe(call string, took time.Duration, err error) {
	if took < 0 {
		call += " before it began"
	}
	h.calls = append(h.calls, call)
	if err != nil {
		h.failed = append(h.failed, call)
	}
}

// batcher has the other way to tell what is new, and no head.
type batcher struct{ driver.Driver }

func (batcher) Versions(context.Context, string, []string) ([]driver.Sight, error) {
	return make([]driver.Sight, 1), nil
}

func (batcher) Since(_ context.Context, _ string, from driver.Version) ([]driver.Event, driver.Version, error) {
	return nil, from, nil
}

func TestObserver(t *testing.T) {
	var h heard
	s := store.New(memstore.New(nil), &store.Options{Observe: h.observe})
	ctx := t.Context()
	must[placement.Entry](t)(s.Register(ctx, "acme", east))
	if _, err := s.Register(ctx, "acme", east); !errors.Is(err, placement.ErrAlreadyExists) {
		t.Fatal(err)
	}
	must[placement.Epoch](t)(s.Head(ctx))
	must[placement.Epoch](t)(s.Entries(ctx, func(placement.Entry, error) bool { return true }))
	x := must[*store.Session](t)(s.OpenSession(ctx, store.Info{Kind: store.KindProxy}, store.Report{}, nil))
	if err := errors.Join(x.Publish(ctx, store.Report{Applied: 1}), x.Close(ctx, true)); err != nil {
		t.Fatal(err)
	}
	// A conflict, and that there is no record of the table, are answers.
	if len(h.failed) > 0 {
		t.Errorf("said to have failed: %q", h.failed)
	}
	want := []string{"close", "get", "head", "list", "open", "update", "write"}
	got := slices.Compact(slices.Sorted(slices.Values(h.calls)))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

// What failed is told as such; what its caller gave up is not the store's doing.
func TestObserverOfFailures(t *testing.T) {
	var h heard
	d := &faulty{Driver: memstore.New(nil)}
	s := store.New(d, &store.Options{Observe: h.observe})
	if _, err := s.Head(t.Context()); err != nil { // has read the table's record
		t.Fatal(err)
	}
	h = heard{}
	d.plan([]fault{failed}, nil)
	if _, err := s.State(t.Context(), "acme"); !errors.Is(err, store.ErrUnavailable) {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Entries(gone, func(placement.Entry, error) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if !slices.Equal(h.failed, []string{"get"}) || len(h.calls) != 1 {
		t.Errorf("told of %q, of which failed %q", h.calls, h.failed)
	}
}

// The table asks an observed driver for a head only if the driver has one.
func TestObserverKeepsWhatADriverHas(t *testing.T) {
	var h heard
	s := store.New(batcher{memstore.New(nil)}, &store.Options{Observe: h.observe})
	if s.HasHead() {
		t.Fatal("it has a head")
	}
	if _, err := s.Epochs(t.Context(), []placement.PartitionID{"acme"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Since(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(h.calls, []string{"get", "versions", "since"}) {
		t.Errorf("%q", h.calls)
	}
}

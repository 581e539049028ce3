package drivertest

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Headless is a driver without a Head over one that has it: a driver.Batcher, for
// tests of what is built on a driver.
type Headless struct {
	driver.Driver
	head driver.Header
}

// NewHeadless returns a Headless over d.
func NewHeadless[D interface {
	driver.Driver
	driver.Header
}](d D) *Headless {
	return &Headless{d, d}
}

// Versions implements driver.Batcher.
func (h *Headless) Versions(ctx context.Context, space string, names []string) ([]driver.Sight, error) {
	if len(names) > driver.MaxBatch {
		return nil, fmt.Errorf("%d names; at most %d", len(names), driver.MaxBatch)
	}
	out := make([]driver.Sight, len(names))
	for i, name := range names {
		k := driver.Key{Space: space, Name: name}
		if err := k.Validate(); err != nil {
			return nil, err
		}
		kv, err := h.Driver.Get(ctx, k)
		if err != nil && !errors.Is(err, driver.ErrNotFound) {
			return nil, err
		}
		out[i].Version = kv.Version
	}
	return out, nil
}

// Since implements driver.Batcher.
func (h *Headless) Since(ctx context.Context, space string, from driver.Version) ([]driver.Event, driver.Version, error) {
	head, err := h.head.Head(ctx, space)
	if err != nil || head <= from {
		return nil, from, err
	}
	var out []driver.Event
	enough := errors.New("enough")
	err = h.Driver.Watch(ctx, space, from, func(evs []driver.Event) error {
		if out = append(out, evs...); out[len(out)-1].Version < head {
			return nil
		}
		return enough
	})
	if !errors.Is(err, enough) {
		return nil, 0, err
	}
	return out, out[len(out)-1].Version, nil
}

// Weaknesses implements driver.Weak: they are those of the driver beneath.
func (h *Headless) Weaknesses(ctx context.Context) ([]driver.Weakness, error) {
	if w, ok := h.Driver.(driver.Weak); ok {
		return w.Weaknesses(ctx)
	}
	return nil, nil
}

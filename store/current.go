package store

import (
	"context"
	"errors"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
)

// How somebody who watches the table makes sure that he has seen all of it: Head,
// where the driver has one, and otherwise Epochs and Since. Each is linearizable.

// errOtherDriver: the driver has the other way.
var errOtherDriver = errors.New("the store's driver has no such read")

// HasHead reports whether the driver has a Head. If not, it has Epochs and Since.
func (s *Store) HasHead() bool {
	_, ok := s.d.(driver.Header)
	return ok
}

// Head returns an epoch that is at least that of every change of the table that was
// acknowledged before Head was called, and that a watch reaches.
func (s *Store) Head(ctx context.Context) (placement.Epoch, error) {
	return s.HeadBy(ctx, time.Time{})
}

// HeadBy is Head that ends at a time, as with a context of that deadline, of which it saves
// the timer: the call has one of its own. The zero time is no such end.
func (s *Store) HeadBy(ctx context.Context, end time.Time) (placement.Epoch, error) {
	h, ok := s.d.(driver.Header)
	if !ok {
		return 0, errOtherDriver
	}
	base, err := s.opened(ctx)
	if err != nil {
		return 0, err
	}
	c := s.bound(ctx)
	if !end.IsZero() {
		c.limit = min(c.limit, time.Until(end))
	}
	defer c.end()
	v, err := h.Head(c, SpaceEntries)
	if err != nil {
		return 0, unavailable(ctx, "read the table's head", err)
	}
	return epochOf(base, v), nil
}

// LocalHead is what Head returns, where the driver can tell it without asking anybody;
// false: Head must be asked. An Observer is not told of it, for it is no call of the engine.
func (s *Store) LocalHead() (placement.Epoch, bool) {
	base := s.base.Load()
	if s.local == nil || base == notRead {
		return 0, false
	}
	v, ok := s.local.LocalHead(SpaceEntries)
	return epochOf(placement.Epoch(base), v), ok
}

// Seen is what Epochs says of one partition.
type Seen struct {
	Epoch placement.Epoch // of the entry, which need not be one that can be decoded; 0: there is none
	Err   error           // why that cannot be told
}

// Epochs reads the epochs of up to driver.MaxBatch entries at once. An error is about
// all of them.
func (s *Store) Epochs(ctx context.Context, ids []placement.PartitionID) (map[placement.PartitionID]Seen, error) {
	b, ok := s.d.(driver.Batcher)
	if !ok {
		return nil, errOtherDriver
	}
	base, err := s.opened(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[placement.PartitionID]Seen, len(ids))
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		out[id] = Seen{}
		if id.Validate() == nil { // Register takes no other, so there is none
			names = append(names, string(id))
		}
	}
	if len(names) == 0 {
		return out, nil
	}
	c := s.bound(ctx)
	defer c.end()
	seen, err := b.Versions(c, SpaceEntries, names)
	if err != nil {
		return nil, unavailable(ctx, "read epochs", err)
	}
	for i, x := range seen {
		switch {
		case x.Err != nil:
			out[placement.PartitionID(names[i])] = Seen{Err: unavailable(ctx, "read an epoch", x.Err)}
		case x.Version != 0:
			out[placement.PartitionID(names[i])] = Seen{Epoch: epochOf(base, x.Version)}
		}
	}
	return out, nil
}

// Since returns every change after epoch from that was acknowledged before Since was
// called, as Watch reports them, and the epoch that it has come to, up to which
// nothing is left out. driver.ErrCompacted: list instead.
func (s *Store) Since(ctx context.Context, from placement.Epoch) ([]Change, placement.Epoch, error) {
	b, ok := s.d.(driver.Batcher)
	if !ok {
		return nil, 0, errOtherDriver
	}
	base, err := s.opened(ctx)
	if err != nil {
		return nil, 0, err
	}
	c := s.bound(ctx)
	defer c.end()
	evs, v, err := b.Since(c, SpaceEntries, versionOf(base, from))
	switch {
	case errors.Is(err, driver.ErrCompacted):
		return nil, 0, err
	case err != nil:
		return nil, 0, unavailable(ctx, "read what changed", err)
	}
	return changesAt(base, evs), epochOf(base, v), nil
}

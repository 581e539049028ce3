package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
)

// Each calls yield for every record of the space as of one moment. One that cannot be
// decoded is passed as a *CorruptError, with its name and version. List is for
// whoever can do nothing without all of them.
func (r Records[T]) Each(ctx context.Context, yield func(Record[T], error) bool) error {
	if _, err := r.s.opened(ctx); err != nil {
		return err
	}
	_, err := r.s.d.List(ctx, r.space, func(kv driver.KV) bool { return yield(r.decode(kv)) })
	if err != nil {
		return unavailable(ctx, "list "+r.space, err)
	}
	return nil
}

// SetAside removes the record of that name, whatever it holds, iff it is at version
// expect, and returns what it held. It is for records that cannot be decoded, an entry
// included: nothing else may remove one.
func (s *Store) SetAside(ctx context.Context, space, name string, expect driver.Version) ([]byte, error) {
	key := driver.Key{Space: space, Name: name}
	kv, err := s.get(ctx, key)
	switch {
	case err != nil:
		return nil, fmt.Errorf("set %s %q aside: %w", space, name, err)
	case kv.Version != expect:
		return nil, fmt.Errorf("set %s %q aside: %w", space, name, ErrConflict)
	}
	if _, err := s.write(ctx, driver.Write{Key: key, Expect: expect, Delete: true}); err != nil {
		return nil, fmt.Errorf("set %s %q aside: %w", space, name, err)
	}
	return kv.Value, nil
}

// IsCorrupt reports whether err is of a record that cannot be decoded.
func IsCorrupt(err error) bool {
	var bad *CorruptError
	return errors.As(err, &bad)
}

// Now returns the version to watch a space from, as List does, without reading it.
func (r Records[T]) Now(ctx context.Context) (driver.Version, error) { return r.s.now(ctx, r.space) }

// Now returns the epoch to watch the entries from, as Entries does, without reading them.
func (s *Store) Now(ctx context.Context) (placement.Epoch, error) {
	v, err := s.now(ctx, SpaceEntries)
	if err != nil {
		return 0, err
	}
	base, err := s.opened(ctx)
	return epochOf(base, v), err
}

func (s *Store) now(ctx context.Context, space string) (driver.Version, error) {
	if _, err := s.opened(ctx); err != nil {
		return 0, err
	}
	v, err := s.d.List(ctx, space, func(driver.KV) bool { return false })
	if err != nil {
		return 0, unavailable(ctx, "list "+space, err)
	}
	return v, nil
}

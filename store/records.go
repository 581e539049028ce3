package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
)

// ErrNotFound: the record does not exist. Certain, never a failure to read.
var ErrNotFound = driver.ErrNotFound

// ErrConflict: the record is not at the version that the write expected, and
// nothing was written.
var ErrConflict = driver.ErrConflict

// Record is a decoded record and the version it was read at.
type Record[T any] struct {
	Name    string
	Version driver.Version
	Value   T
}

// Records is typed access to one space: JSON values, compare-and-swap writes.
type Records[T any] struct {
	s     *Store
	space string
}

// RecordsOf returns typed access to a space of s.
func RecordsOf[T any](s *Store, space string) Records[T] { return Records[T]{s, space} }

// Clusters are the named OpenSearch clusters.
func (s *Store) Clusters() Records[placement.Cluster] {
	return RecordsOf[placement.Cluster](s, SpaceClusters)
}

func (r Records[T]) decode(kv driver.KV) (Record[T], error) {
	rec := Record[T]{Name: kv.Name, Version: kv.Version}
	if err := json.Unmarshal(kv.Value, &rec.Value); err != nil {
		return Record[T]{Name: kv.Name, Version: kv.Version}, &CorruptError{Space: r.space, Name: kv.Name, Reason: err.Error()}
	}
	if string(bytes.TrimSpace(kv.Value)) == "null" { // which decodes into anything
		return rec, &CorruptError{Space: r.space, Name: kv.Name, Reason: "null"}
	}
	return rec, nil
}

// Get reads one record; ErrNotFound if there is none.
func (r Records[T]) Get(ctx context.Context, name string) (Record[T], error) {
	kv, err := r.s.get(ctx, driver.Key{Space: r.space, Name: name})
	if err != nil {
		return Record[T]{Name: name}, fmt.Errorf("%s %q: %w", r.space, name, err)
	}
	return r.decode(kv)
}

// List reads all records as of one moment, in no particular order, and the
// version to watch from. A record that cannot be decoded is an error.
func (r Records[T]) List(ctx context.Context) ([]Record[T], driver.Version, error) {
	if _, err := r.s.opened(ctx); err != nil {
		return nil, 0, err
	}
	var out []Record[T]
	var bad error
	v, err := r.s.d.List(ctx, r.space, func(kv driver.KV) bool {
		rec, err := r.decode(kv)
		if err != nil {
			bad = err
			return false
		}
		out = append(out, rec)
		return true
	})
	if bad != nil {
		return nil, 0, bad
	}
	if err != nil {
		return nil, 0, unavailable(ctx, "list "+r.space, err)
	}
	return out, v, nil
}

// ListByName is List by the records' names, for whoever lists again and again: what was at
// the same version in last, which it returned before, is taken from there and not decoded
// again. Values of both are the same, so they are read only.
func (r Records[T]) ListByName(ctx context.Context, last map[string]Record[T]) (map[string]Record[T], error) {
	if _, err := r.s.opened(ctx); err != nil {
		return nil, err
	}
	out := make(map[string]Record[T], len(last))
	var bad error
	_, err := r.s.d.List(ctx, r.space, func(kv driver.KV) bool {
		rec, known := last[kv.Name]
		if !known || rec.Version != kv.Version {
			rec, bad = r.decode(kv)
		}
		out[rec.Name] = rec
		return bad == nil
	})
	if bad != nil {
		return nil, bad
	}
	if err != nil {
		return nil, unavailable(ctx, "list "+r.space, err)
	}
	return out, nil
}

// Put writes the record iff it is at version expect (0: it must not exist).
// ErrConflict: nothing was written. Any other error: the outcome is unknown.
func (r Records[T]) Put(ctx context.Context, name string, value T, expect driver.Version) (driver.Version, error) {
	b, err := json.Marshal(value)
	if err != nil {
		return 0, fmt.Errorf("encode %s %q: %w", r.space, name, err)
	}
	v, err := r.s.write(ctx, driver.Write{Key: driver.Key{Space: r.space, Name: name}, Value: b, Expect: expect})
	if err != nil {
		return 0, fmt.Errorf("%s %q: %w", r.space, name, err)
	}
	return v, nil
}

// Delete removes the record iff it is at version expect.
func (r Records[T]) Delete(ctx context.Context, name string, expect driver.Version) error {
	_, err := r.s.write(ctx, driver.Write{Key: driver.Key{Space: r.space, Name: name}, Expect: expect, Delete: true})
	if err != nil {
		return fmt.Errorf("%s %q: %w", r.space, name, err)
	}
	return nil
}

// RecordChange is one change of a record as a watcher sees it.
type RecordChange[T any] struct {
	Record[T]
	Removed bool
	Err     error // *CorruptError
}

// Watch reports every change after version from, in order, each once, until the
// context ends or an error occurs. driver.ErrCompacted: list again.
func (r Records[T]) Watch(ctx context.Context, from driver.Version, apply func([]RecordChange[T]) error) error {
	if _, err := r.s.opened(ctx); err != nil {
		return err
	}
	return r.s.d.Watch(ctx, r.space, from, func(evs []driver.Event) error {
		out := make([]RecordChange[T], len(evs))
		for i, ev := range evs {
			if ev.Deleted {
				out[i] = RecordChange[T]{Record: Record[T]{Name: ev.Name, Version: ev.Version}, Removed: true}
				continue
			}
			rec, err := r.decode(ev.KV)
			out[i] = RecordChange[T]{Record: rec, Err: err}
		}
		return apply(out)
	})
}

// Follow keeps a live view of a space: it lists, calls reset with everything,
// then apply for each change, and lists again after a compaction. It returns
// when the context ends or when a callback fails; a store that cannot be reached
// is retried by the driver inside Watch and here with the caller's pause.
func (r Records[T]) Follow(ctx context.Context, reset func([]Record[T]) error, apply func([]RecordChange[T]) error) error {
	for {
		all, v, err := r.List(ctx)
		if err != nil {
			return err
		}
		if err := reset(all); err != nil {
			return err
		}
		err = r.Watch(ctx, v, apply)
		if !errors.Is(err, driver.ErrCompacted) {
			return err
		}
	}
}

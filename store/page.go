package store

import (
	"bytes"
	"container/heap"
	"context"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
)

// A page costs what it holds where the driver's engine keeps names in order
// (driver.Pager: etcd, Redis). Elsewhere (Consul, an OpenSearch index, memory) it is
// one pass over the space, of which no more than the page is kept.

// page returns the first records after a name, in the order of the names, at most
// limit, and whether there are more.
func (s *Store) page(ctx context.Context, space, after string, limit int) ([]driver.KV, bool, error) {
	if _, err := s.opened(ctx); err != nil {
		return nil, false, err
	}
	if p, ok := s.d.(driver.Pager); ok {
		c := s.bound(ctx)
		defer c.end()
		all, more, err := p.Page(c, space, after, limit)
		if err != nil {
			return nil, false, unavailable(ctx, "read a page of "+space, err)
		}
		return all, more, nil
	}
	kept := best[driver.KV]{before: func(a, b driver.KV) bool { return a.Name < b.Name }}
	if _, err := s.d.List(ctx, space, func(kv driver.KV) bool {
		if kv.Name > after && kept.wants(kv, limit+1) {
			kv.Value = bytes.Clone(kv.Value)
			kept.put(kv, limit+1)
		}
		return true
	}); err != nil {
		return nil, false, unavailable(ctx, "read a page of "+space, err)
	}
	all := kept.sorted()
	return all[:min(len(all), limit)], len(all) > limit, nil
}

// EntryPage returns entries whose partitions come after a name in the order of their
// bytes, at most limit of them, and whether there are more. What cannot be decoded is
// among them with its partition and epoch, and its *CorruptError beside it.
func (s *Store) EntryPage(ctx context.Context, after placement.PartitionID, limit int) (entries []Change, more bool, err error) {
	all, more, err := s.page(ctx, SpaceEntries, string(after), limit)
	if err != nil {
		return nil, false, err
	}
	base, err := s.opened(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, kv := range all {
		e, err := decodeAt(base, kv)
		entries = append(entries, Change{Entry: e, Err: err})
	}
	return entries, more, nil
}

// Page returns records whose names come after a name, in their order, at most limit of
// them, and whether there are more. One that cannot be decoded is among them with its
// *CorruptError.
func (r Records[T]) Page(ctx context.Context, after string, limit int) (records []RecordChange[T], more bool, err error) {
	all, more, err := r.s.page(ctx, r.space, after, limit)
	if err != nil {
		return nil, false, err
	}
	for _, kv := range all {
		rec, err := r.decode(kv)
		records = append(records, RecordChange[T]{Record: rec, Err: err})
	}
	return records, more, nil
}

// Newest returns the records that keep accepts whose names come before a name (empty:
// all), the last names first, at most limit of them, and whether there are more. It is
// for names that sort by age. It is one pass over the space, of which it keeps no more than
// it returns. What cannot be decoded is counted.
func (r Records[T]) Newest(ctx context.Context, before string, limit int, keep func(Record[T]) bool) (records []Record[T], more bool, unreadable int, err error) {
	kept := best[Record[T]]{before: func(a, b Record[T]) bool { return a.Name > b.Name }}
	err = r.Each(ctx, func(rec Record[T], err error) bool {
		switch {
		case err != nil:
			unreadable++
		case (before == "" || rec.Name < before) && kept.wants(rec, limit+1) && (keep == nil || keep(rec)):
			kept.put(rec, limit+1)
		}
		return true
	})
	if err != nil {
		return nil, false, 0, err
	}
	all := kept.sorted()
	return all[:min(len(all), limit)], len(all) > limit, unreadable, nil
}

// best keeps the first of many by an order: a heap with the last of them on top.
type best[T any] struct {
	before func(a, b T) bool
	of     []T
}

// wants reports whether put would keep it.
func (b *best[T]) wants(x T, limit int) bool { return len(b.of) < limit || b.before(x, b.of[0]) }

func (b *best[T]) put(x T, limit int) {
	if len(b.of) < limit {
		heap.Push(b, x)
		return
	}
	b.of[0] = x
	heap.Fix(b, 0)
}

// sorted empties it.
func (b *best[T]) sorted() []T {
	out := make([]T, len(b.of))
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = heap.Pop(b).(T)
	}
	return out
}

func (b *best[T]) Len() int           { return len(b.of) }
func (b *best[T]) Less(i, j int) bool { return b.before(b.of[j], b.of[i]) }
func (b *best[T]) Swap(i, j int)      { b.of[i], b.of[j] = b.of[j], b.of[i] }
func (b *best[T]) Push(x any)         { b.of = append(b.of, x.(T)) }
func (b *best[T]) Pop() any {
	last := len(b.of) - 1
	x := b.of[last]
	b.of = b.of[:last]
	return x
}

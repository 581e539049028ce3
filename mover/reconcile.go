package mover

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/gate"
)

const (
	// buckets of a reconciliation: each document's id and routing choose one.
	buckets = 1 << 16
	// listCap bounds how many documents of both sides are held in memory at once.
	listCap = 200_000
)

// sum is an order-independent digest of a set of documents: the sums of two
// independent 64-bit hashes of each. A difference that it does not show needs a
// collision of 128 bits under seeds that nobody outside this process knows.
type sum struct{ a, b uint64 }

// digest is what one side holds, by bucket. It takes 1 MiB.
type digest struct {
	mu   sync.Mutex // shards of one side are read concurrently
	n    int64
	sums []sum
}

type hasher struct{ bucket, a, b maphash.Seed }

func newHasher() hasher { return hasher{maphash.MakeSeed(), maphash.MakeSeed(), maphash.MakeSeed()} }

// key is what is hashed; the lengths make it unambiguous.
type key struct {
	index       int
	id, routing string
}

func (h hasher) of(k key) int {
	return int(maphash.Comparable(h.bucket, k) % buckets)
}

func (h hasher) sum(k key, version int64) sum {
	v := struct {
		k key
		v int64
	}{k, version}
	return sum{maphash.Comparable(h.a, v), maphash.Comparable(h.b, v)}
}

// Reconcile compares the ids, routings and versions of all documents of A and B,
// both ways, without sorting and in constant memory: both sides are scanned into
// sums by bucket, and only buckets that differ are scanned again and listed.
// Each difference is then looked at by realtime gets, twice, before it is
// believed; documents that clients write meanwhile may still be among them, and
// it is the caller who knows which ids a journal explains. With repair each is
// put right by Apply's rules.
func (m *Mover) Reconcile(ctx context.Context, repair bool) (Diff, error) {
	if err := m.work.Acquire(ctx, 1); err != nil {
		return Diff{}, err
	}
	defer m.work.Release(1)
	if err := m.settleAll(ctx); err != nil {
		return Diff{}, err
	}
	if err := errors.Join(m.RefreshSource(ctx), m.RefreshTarget(ctx)); err != nil {
		return Diff{}, err
	}
	var d Diff
	h := newHasher()
	a, b := &digest{sums: make([]sum, buckets)}, &digest{sums: make([]sum, buckets)}
	err := m.scanBoth(ctx, func(dst bool, index int, hits []doc) error {
		side := a
		if dst {
			side = b
		}
		side.mu.Lock()
		defer side.mu.Unlock()
		side.n += int64(len(hits))
		for _, x := range hits {
			k := key{index, x.ID, x.Routing}
			n, s := h.of(k), h.sum(k, x.Version)
			side.sums[n].a += s.a
			side.sums[n].b += s.b
		}
		return nil
	})
	if err != nil {
		return d, err
	}
	d.Scanned = a.n + b.n
	var differ []int
	for n := range a.sums {
		if a.sums[n] != b.sums[n] {
			differ = append(differ, n)
		}
	}
	// As many buckets at a time as fit in memory, supposing that they are filled evenly.
	each := max(1, int(d.Scanned/buckets)+1)
	for step := max(1, listCap/each); len(differ) > 0; {
		part := differ[:min(step, len(differ))]
		differ = differ[len(part):]
		if err := m.reconcileBuckets(ctx, h, part, repair, &d); err != nil {
			return d, err
		}
	}
	return d, nil
}

// reconcileBuckets lists what both sides hold in some buckets, and looks closer
// at what is not on both.
func (m *Mover) reconcileBuckets(ctx context.Context, h hasher, part []int, repair bool, d *Diff) error {
	want := make(map[int]bool, len(part))
	for _, n := range part {
		want[n] = true
	}
	type held struct {
		key
		version int64
	}
	// A document of one side adds 1, of the other -1: what both have comes to 0.
	var mu sync.Mutex
	balance := map[held]int{}
	err := m.scanBoth(ctx, func(dst bool, index int, hits []doc) error {
		by := 1
		if dst {
			by = -1
		}
		mu.Lock()
		defer mu.Unlock()
		for _, x := range hits {
			k := key{index, x.ID, x.Routing}
			if !want[h.of(k)] {
				continue
			}
			e := held{k, x.Version}
			if balance[e] += by; balance[e] == 0 {
				delete(balance, e)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	seen := map[target]bool{}
	var ts []target
	for e := range balance {
		if t := (target{e.index, e.id, e.routing}); !seen[t] {
			seen[t] = true
			ts = append(ts, t)
		}
	}
	for len(ts) > 0 {
		chunk := ts[:min(1000, len(ts))]
		ts = ts[len(chunk):]
		bad, err := m.differing(ctx, chunk, d)
		if err != nil {
			return err
		}
		if !repair || len(bad) == 0 {
			continue
		}
		idx := m.Indexes()
		refs := make([]gate.DocRef, len(bad))
		for k, t := range bad {
			refs[k] = gate.DocRef{Index: idx[t.index].Logical, ID: t.id, Routing: t.routing}
		}
		if _, err := m.apply(ctx, refs); err != nil {
			return err
		}
		d.Repaired += int64(len(bad))
	}
	return nil
}

// scanBoth reads ids, routings and versions of every shard of both sides. each
// may be called concurrently.
func (m *Mover) scanBoth(ctx context.Context, each func(dst bool, index int, hits []doc) error) error {
	idx, err := m.indices()
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(2, m.opt.Workers))
	for n, i := range idx {
		for shard := range i.Shards {
			g.Go(func() error {
				return m.scanIDs(gctx, m.src, i.Source, shard, m.where(), func(h []doc) error {
					h, err := m.written(h)
					if err != nil {
						return err
					}
					return each(false, n, h)
				})
			})
			g.Go(func() error {
				return m.scanIDs(gctx, m.dst, i.Target, shard, everything, func(h []doc) error { return each(true, n, h) })
			})
		}
	}
	return g.Wait()
}

package mover

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/upstream"
)

const (
	// buckets of a comparison: each document's id and routing choose one.
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

// compared is a document as it is compared. The content is two hashes of the source, and 0
// where that is not compared.
type compared struct {
	key
	version int64
	content sum
}

func (h hasher) doc(index int, x doc, content bool) compared {
	e := compared{key: key{index, x.ID, x.Routing}, version: x.Version}
	if content {
		b := canonical(x.Source)
		e.content = sum{maphash.Bytes(h.a, b), maphash.Bytes(h.b, b)}
	}
	return e
}

func (h hasher) sum(e compared) sum {
	return sum{maphash.Comparable(h.a, e), maphash.Comparable(h.b, e)}
}

// comparison is what is compared, and what is done about it.
type comparison struct {
	content bool
	repair  bool
	skip    []Slice                                // are known to be equal
	scanned func(docs, again int64)                // more of both, see VerifyOptions; may be called concurrently; nil: nobody asks
	done    func(u unit, docs int64, d Diff) error // after each part, one at a time; nil: nobody asks
}

func (c *comparison) looked(docs, again int) {
	if c.scanned != nil {
		c.scanned(int64(docs), int64(again))
	}
}

// unit is a part of both sides that is compared by itself: one shard, for both sides
// put a document into the same one. Where they do not, since a shared index has
// another way to choose, it is the whole index, and shard is -1.
type unit struct {
	n     int // of the index
	index Index
	shard int
}

func (u unit) slice() Slice { return Slice{u.index.Source, u.shard} }

// shards of a side that the unit has, of all that the side has.
func (u unit) shards(all int) []int {
	if u.shard >= 0 {
		return []int{u.shard}
	}
	out := make([]int, all)
	for n := range out {
		out[n] = n
	}
	return out
}

func (m *Mover) units(skip []Slice) ([]unit, error) {
	idx, err := m.indices()
	if err != nil {
		return nil, err
	}
	var out []unit
	for n, i := range idx {
		all := unit{n, i, -1}.shards(i.Shards)
		if m.scattered() {
			all = []int{-1}
		}
		for _, shard := range all {
			if u := (unit{n, i, shard}); !slices.Contains(skip, u.slice()) {
				out = append(out, u)
			}
		}
	}
	return out, nil
}

// Reconcile compares the ids, routings and versions of all documents of A and B,
// both ways, without sorting and in constant memory: shard by shard both sides are
// scanned into sums by bucket, and only buckets that differ are scanned again and listed.
// Each difference is then looked at by realtime gets, twice, before it is
// believed; documents that clients write meanwhile may still be among them, and
// it is the caller who knows which ids a journal explains. With repair each is
// put right by Apply's rules.
func (m *Mover) Reconcile(ctx context.Context, repair bool) (Diff, error) {
	return m.compareAll(ctx, comparison{repair: repair})
}

func (m *Mover) compareAll(ctx context.Context, c comparison) (Diff, error) {
	if err := m.work.Acquire(ctx, 1); err != nil {
		return Diff{}, err
	}
	err := m.settleAll(ctx)
	if c.repair {
		defer m.work.Release(1)
	} else {
		m.work.Release(1) // writes nothing, so what is written meanwhile is as what clients write
	}
	if err != nil {
		return Diff{}, err
	}
	if err := errors.Join(m.RefreshSource(ctx), m.RefreshTarget(ctx)); err != nil {
		return Diff{}, err
	}
	units, err := m.units(c.skip)
	if err != nil {
		return Diff{}, err
	}
	var mu sync.Mutex // guards all, and keeps done to one caller at a time
	var all Diff
	h := newHasher()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, m.opt.Workers/2)) // each unit reads both sides at once
	for _, u := range units {
		g.Go(func() error {
			d, err := m.compareUnit(gctx, u, h, c)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			all.add(d)
			if c.done == nil {
				return nil
			}
			return c.done(u, d.Scanned, d)
		})
	}
	err = g.Wait()
	return all, err
}

// compareUnit compares one unit. The hashes and their sums are those of one unit in
// one process, so none need be persisted for a comparison to be resumed.
func (m *Mover) compareUnit(ctx context.Context, u unit, h hasher, c comparison) (d Diff, err error) {
	a, b := &digest{sums: make([]sum, buckets)}, &digest{sums: make([]sum, buckets)}
	err = m.scanBoth(ctx, u, c.content, func(dst bool, hits []doc) error {
		side := a
		if dst {
			side = b
		}
		c.looked(len(hits), 0)
		side.mu.Lock()
		defer side.mu.Unlock()
		side.n += int64(len(hits))
		for _, x := range hits {
			e := h.doc(u.n, x, c.content)
			n, s := h.of(e.key), h.sum(e)
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
	step := max(1, listCap/each)
	c.looked(0, (len(differ)+step-1)/step*int(d.Scanned))
	for len(differ) > 0 {
		part := differ[:min(step, len(differ))]
		differ = differ[len(part):]
		if err := m.compareBuckets(ctx, u, h, part, c, &d); err != nil {
			return d, err
		}
	}
	return d, nil
}

// compareBuckets lists what both sides hold in some buckets, and looks closer at
// what is not on both.
func (m *Mover) compareBuckets(ctx context.Context, u unit, h hasher, part []int, c comparison, d *Diff) error {
	want := make(map[int]bool, len(part))
	for _, n := range part {
		want[n] = true
	}
	// A document of one side adds 1, of the other -1: what both have comes to 0.
	var mu sync.Mutex
	balance := map[compared]int{}
	err := m.scanBoth(ctx, u, c.content, func(dst bool, hits []doc) error {
		by := 1
		if dst {
			by = -1
		}
		c.looked(len(hits), 0)
		mu.Lock()
		defer mu.Unlock()
		for _, x := range hits {
			if !want[h.of(key{u.n, x.ID, x.Routing})] {
				continue
			}
			e := h.doc(u.n, x, c.content)
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
		chunk := ts[:min(m.checkDocs(c.content), len(ts))]
		ts = ts[len(chunk):]
		bad, err := m.differing(ctx, chunk, u.shard, c.content, d)
		if err != nil {
			return err
		}
		if !c.repair || len(bad) == 0 {
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

// checkDocs is how many documents are read on both sides at a time.
func (m *Mover) checkDocs(content bool) int {
	if content {
		return m.pageDocs()
	}
	return 1000
}

// scanBoth reads ids, routings and versions of a unit on both sides, with the sources
// if contents are compared. each may be called concurrently.
func (m *Mover) scanBoth(ctx context.Context, u unit, content bool, each func(dst bool, hits []doc) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(2, m.opt.Workers))
	for _, shard := range u.shards(u.index.Shards) {
		g.Go(func() error {
			return m.scanDocs(gctx, m.src, u.index.Source, shard, m.where(), content, func(h []doc) error {
				h, err := written(m.tenant, h)
				if err != nil {
					return err
				}
				return each(false, h)
			})
		})
	}
	for _, shard := range u.shards(u.index.atTarget()) {
		g.Go(func() error {
			return m.scanDocs(gctx, m.dst, u.index.Target, shard, m.whereInto(), content, func(h []doc) error {
				h, err := written(m.into, h)
				if err != nil {
					return err
				}
				return each(true, h)
			})
		})
	}
	return g.Wait()
}

// scanDocs is scanIDs, with the sources if they are asked for.
func (m *Mover) scanDocs(ctx context.Context, c *upstream.Client, index string, shard int, where map[string]any, source bool, each func([]doc) error) error {
	if !source {
		return m.scanIDs(ctx, c, index, shard, where, each)
	}
	s, err := m.openScan(ctx, c, index, shard, idsAlive)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	return s.pages(ctx, where, true, m.pageDocs, func(hits []doc) error {
		size := int64(0)
		for _, h := range hits {
			size += int64(len(h.Source))
		}
		m.sized(len(hits), size)
		return each(hits)
	})
}

// Verification says how far a verification has come. Control persists it as it is.
type Verification struct {
	Content bool    `json:"content,omitempty"` // sources were compared too
	Equal   []Slice `json:"equal,omitempty"`   // shards that had no difference
	Scanned int64   `json:"scanned"`           // documents of those, of both sides
}

// VerifyOptions say what Verify compares, and how to be told of it.
type VerifyOptions struct {
	// Content also compares the sources. They are equal if their bytes are, but for line
	// feeds and carriage returns between tokens, which become spaces in a bulk. Of a shared
	// source that is the document as the tenant has written it, without the partition field.
	Content bool
	// From is what was compared before, by this process or another; it is begun anew
	// unless the same was compared.
	From Verification
	// Save is called after each shard that has no difference, from one goroutine at a time.
	Save func(Verification) error
	// Scanned is told how many documents have been looked at, From's among them, and how many
	// are, or were, to be looked at again: those of shards in which something differs, of both
	// sides, once for each time. It is called from several goroutines, and not in order.
	Scanned func(docs, again int64)
}

// Verify is Reconcile that repairs nothing, that may run beside Apply and Adopt, and that
// can be resumed. What is left out
// then are shards that were equal when an earlier call looked. That says as much
// after a pause as without one: what a proxy has written since is in a journal, and
// what a journal loses is compared again as a whole (Resync). What goes around the
// proxies a comparison only sees if it was there before, however long it takes. Shards
// with a difference, and those that were not finished, are compared anew, so no sum
// and no seed outlives a call.
func (m *Mover) Verify(ctx context.Context, o VerifyOptions) (Diff, error) {
	v := Verification{Content: o.Content}
	if o.From.Content == o.Content {
		v.Equal, v.Scanned = slices.Clone(o.From.Equal), o.From.Scanned
	}
	before := v.Scanned
	c := comparison{content: o.Content, skip: v.Equal}
	if o.Scanned != nil {
		var docs, again atomic.Int64
		docs.Store(before)
		c.scanned = func(d, a int64) { o.Scanned(docs.Add(d), again.Add(a)) }
	}
	c.done = func(u unit, docs int64, d Diff) error {
		if !d.Empty() || o.Save == nil {
			return nil
		}
		v.Equal, v.Scanned = append(slices.Clone(v.Equal), u.slice()), v.Scanned+docs
		return o.Save(v)
	}
	d, err := m.compareAll(ctx, c)
	d.Scanned += before
	return d, err
}

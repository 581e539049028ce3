package mover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Applying to the copy of a tenant that leaves a shared index, or moves into one. Both sides choose a
// document's shard by its routing, but not the same one: in a shared index the routing has
// the tenant's prefix, and stands in for the _id where the client gave none. Documents
// that share an _id are one if they fall on one shard, and two otherwise. So
//
//   - a write at A may have replaced a document of another routing, whose copy at B is
//     on a shard of its own. No journal names that routing, so all shards of B are
//     asked for the _id;
//   - two documents of A may fall on one shard at B, where one would replace the
//     other. That is refused, because B cannot hold both.
//
// Hence the unit here is the _id with all its routings, and B is read at once and not
// only after a conflict.

// order puts the documents of one _id beside one another, for chunk.
func (m *Mover) order(ts []target) {
	if m.lifts() {
		slices.SortStableFunc(ts, func(a, b target) int { return cmp.Compare(a.id, b.id) })
	}
}

// chunk returns how many of the next documents one worker applies.
func (m *Mover) chunk(ts []target) int {
	n := min(m.pageDocs(), len(ts))
	if !m.lifts() {
		return n
	}
	if idx := m.Indexes(); len(idx) == 1 {
		n = max(1, n/max(1, idx[0].atTarget())) // each is asked for on every shard
	}
	for n < len(ts) && ts[n].id == ts[n-1].id {
		n++
	}
	return n
}

// everyShard returns routings that lead to each shard of the target. They are found
// by asking it.
func (m *Mover) everyShard(ctx context.Context, i Index) ([]string, error) {
	m.mu.Lock()
	ways := m.ways
	m.mu.Unlock()
	if len(ways) > 0 {
		return ways, nil
	}
	seen := map[int]bool{}
	for n := 0; len(seen) < i.atTarget(); n++ {
		if n > 100*i.atTarget() {
			return nil, fmt.Errorf("find routings to the shards of %s on %s: %d of %d", i.Target, m.dst.Name(), len(seen), i.atTarget())
		}
		way := strconv.Itoa(n)
		var ans struct {
			Shards [][]struct {
				Shard int `json:"shard"`
			} `json:"shards"`
		}
		if err := m.read(ctx, m.dst, http.MethodGet, "/"+esc(i.Target)+"/_search_shards", query("routing", way), nil, &ans); err != nil {
			return nil, fmt.Errorf("find routings to the shards of %s on %s: %w", i.Target, m.dst.Name(), err)
		}
		if len(ans.Shards) != 1 || len(ans.Shards[0]) == 0 {
			return nil, fmt.Errorf("find routings to the shards of %s on %s: the answer has not one shard", i.Target, m.dst.Name())
		}
		if s := ans.Shards[0][0].Shard; !seen[s] {
			seen[s] = true
			ways = append(ways, way)
		}
	}
	m.mu.Lock()
	m.ways = ways
	m.mu.Unlock()
	return ways, nil
}

// versions are the documents of one _id, by routing.
type versions map[string]doc

// lifted is one _id that is being applied.
type lifted struct {
	id       string
	routings []string // that were written, or found at B
	a, b     versions
	wrote    int // how many documents of it the last round wrote, all of them with success
}

// applyLifted is applyChunk for a shared source. todo has whole _ids.
func (m *Mover) applyLifted(ctx context.Context, todo []target) (Applied, error) {
	var out Applied
	idx, err := m.indices()
	if err != nil {
		return out, err
	}
	var left []*lifted
	for _, t := range todo {
		if len(left) == 0 || left[len(left)-1].id != t.id {
			left = append(left, &lifted{id: t.id})
		}
		l := left[len(left)-1]
		l.routings = append(l.routings, t.routing)
	}
	began, patience := time.Now(), time.Duration(0)
	for round := 0; len(left) > 0; round++ {
		if round == 4 {
			if patience, err = m.forgotten(ctx); err != nil {
				return out, err
			}
		}
		if round >= maxRounds && time.Since(began) >= patience {
			for _, l := range left {
				if len(l.a) > len(l.b) { // each write of one meets the other's higher version
					return out, l.merged(idx[0])
				}
			}
			return out, fmt.Errorf("apply: %d documents after %d rounds: %w", len(left), round, ErrNotSettled)
		}
		if round > 3 {
			if err := pause(ctx, 1+min(3, round/maxRounds)); err != nil { // tombstones: let the clock of B tick
				return out, err
			}
		}
		if err := m.readLifted(ctx, idx, left); err != nil {
			return out, err
		}
		if _, err := m.SyncMeta(ctx); err != nil { // after the documents were read, so that it covers their fields
			return out, err
		}
		var ops []op
		var of []*lifted
		var next []*lifted
		for _, l := range left {
			more, again, err := l.plan(idx[0])
			if err != nil {
				return out, err
			}
			if again {
				next = append(next, l)
			}
			for range more {
				of = append(of, l)
			}
			ops = append(ops, more...)
		}
		answers, err := m.write(ctx, ops)
		if err != nil {
			return out, err
		}
		if err := m.rejectedError(ops, answers); err != nil {
			return out, err
		}
		for k, ans := range answers {
			switch l := of[k]; {
			case ans.outcome == conflict:
				l.wrote = 0
				if !slices.Contains(next, l) {
					next = append(next, l)
				}
			case ops[k].delete:
				out.Deleted++
			default:
				out.Indexed++
				out.Bytes += int64(len(ops[k].source))
			}
		}
		if out.Indexed > 0 {
			m.sized(int(out.Indexed), out.Bytes)
		}
		left = next
	}
	return out, nil
}

// readLifted reads each _id at B, on every shard, and then at A under each routing
// that was written or that B has.
func (m *Mover) readLifted(ctx context.Context, idx []Index, ids []*lifted) error {
	ways, err := m.everyShard(ctx, idx[0])
	if err != nil {
		return err
	}
	var at []get
	for _, l := range ids {
		for _, w := range ways {
			at = append(at, get{idx[0].Target, l.id, w})
		}
	}
	if err := m.physical(at); err != nil {
		return err
	}
	b, err := m.fetch(ctx, m.dst, at, routed)
	if err != nil {
		return err
	}
	var ts []target
	var of []*lifted
	for n, l := range ids {
		l.a, l.b = versions{}, versions{}
		for _, d := range b[n*len(ways) : (n+1)*len(ways)] {
			if d.Found && m.into != nil {
				if err := unmark(m.into, &d); err != nil {
					return err
				}
			}
			if d.Found {
				l.b[d.Routing] = d
				l.routings = append(l.routings, d.Routing)
			}
		}
		slices.Sort(l.routings)
		l.routings = slices.Compact(l.routings)
		for _, r := range l.routings {
			ts, of = append(ts, target{0, l.id, r}), append(of, l)
		}
	}
	a, err := m.fetchSource(ctx, idx, ts, sourced)
	if err != nil {
		return err
	}
	for k, d := range a {
		if d.Found {
			of[k].a[d.Routing] = d
		}
	}
	return nil
}

// plan decides what to write, by the rules of plan for one document: A's version is
// written over an older one, or the same; what A has not, or has in a lower version,
// is deleted first, and then looked at again.
func (l *lifted) plan(i Index) (ops []op, again bool, err error) {
	had := l.wrote
	l.wrote = 0
	for r, d := range l.b {
		if at, ok := l.a[r]; !ok || at.Version < d.Version {
			ops = append(ops, op{id: l.id, routing: r, delete: true, seqNo: d.SeqNo, term: d.Term})
		}
	}
	if len(ops) > 0 {
		return ops, len(l.a) > 0, nil
	}
	whole := len(l.a) > 1 // if so, whether B has all of them
	for r, at := range l.a {
		d, ok := l.b[r]
		whole = whole && ok && d.Version == at.Version
		if !ok && had > 1 && had == len(l.a) {
			return nil, false, l.merged(i)
		}
	}
	if whole && had > 1 {
		return nil, false, nil
	}
	for r, at := range l.a {
		if len(at.Source) == 0 {
			return nil, false, errors.New("apply: a document of the source came without its source")
		}
		ops = append(ops, op{id: l.id, routing: r, version: at.Version, source: at.Source})
	}
	if l.wrote = len(ops); l.wrote < 2 {
		l.wrote = 0
	}
	// Two or more are looked at again: one may have replaced the other.
	return ops, l.wrote > 0, nil
}

// merged refuses two documents of A that are one at B.
func (l *lifted) merged(i Index) error {
	if len(l.a) < 2 {
		return fmt.Errorf("apply: a document after %d rounds: %w", maxRounds, ErrNotSettled)
	}
	return &RefusedError{Code: CodeDocument, Field: i.Target,
		Detail: "the tenant has documents with the same _id and different routings, which fall on one shard of the target, so that one replaces the other",
		Fix:    "have the tenant give them different ids"}
}

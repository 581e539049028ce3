package mover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/gate"
)

// Applied says what an Apply did.
type Applied struct {
	IDs     int   // distinct documents looked at
	Indexed int64 // written to B
	Deleted int64 // deleted from B
	Bytes   int64 // of the documents written
	Took    time.Duration
}

// maxRounds bounds how often a document is looked at again. Each round either
// settles it or finds that A changed meanwhile, or that a tombstone at B is
// younger than OpenSearch's clock tick of 200 ms.
const maxRounds = 40

// target names a document of one index of the move.
type target struct {
	index       int
	id, routing string
}

// Apply makes each document at B what it is at A now. A reference that no index
// of the move has is looked for at A: if it is there, the error is
// ErrSourceAdded.
//
// A document is read from A by a realtime get and written with A's version. If
// B answers with a conflict, or A does not have the document, both sides are
// read again, B first, and B is changed only if it is still what was read
// (if_seq_no): deleted, and then written, when A's version is the lower one,
// because a document that was deleted and created again starts over at 1.
func (m *Mover) Apply(ctx context.Context, refs []gate.DocRef) (Applied, error) {
	if err := m.work.Acquire(ctx, 1); err != nil {
		return Applied{}, err
	}
	defer m.work.Release(1)
	return m.apply(ctx, refs)
}

// apply is Apply for a caller that holds work.
func (m *Mover) apply(ctx context.Context, refs []gate.DocRef) (Applied, error) {
	began := time.Now()
	if err := m.settleAll(ctx); err != nil {
		return Applied{}, err
	}
	all, err := m.resolve(ctx, refs)
	if err != nil {
		return Applied{}, err
	}
	m.order(all)
	out := Applied{IDs: len(all)}
	var mu sync.Mutex // guards out among the workers
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(m.opt.Workers)
	// Each document is in one chunk only, so no two workers write the same one.
	for len(all) > 0 {
		chunk := all[:m.chunk(all)]
		all = all[len(chunk):]
		g.Go(func() error {
			apply := m.applyChunk
			if m.lifts() {
				apply = m.applyLifted
			}
			a, err := apply(gctx, chunk)
			mu.Lock()
			defer mu.Unlock()
			out.Indexed, out.Deleted, out.Bytes = out.Indexed+a.Indexed, out.Deleted+a.Deleted, out.Bytes+a.Bytes
			return err
		})
	}
	err = g.Wait()
	out.Took = time.Since(began)
	switch {
	case err != nil || out.IDs == 0:
	case out.IDs < 20: // so few measure the round trips, not the rate
		m.rates.note(func(r *Rates) *time.Duration { return &r.Round }, out.Took)
	default:
		m.rates.note(func(r *Rates) *time.Duration { return &r.PerID }, out.Took/time.Duration(out.IDs))
	}
	return out, err
}

// resolve turns references into documents of the move's indices, each once.
func (m *Mover) resolve(ctx context.Context, refs []gate.DocRef) ([]target, error) {
	idx, err := m.indices()
	if err != nil {
		return nil, err
	}
	seen := make(map[target]struct{}, len(refs))
	out := make([]target, 0, len(refs))
	add := func(n int, r gate.DocRef) {
		t := target{n, r.ID, r.Routing}
		if _, ok := seen[t]; !ok {
			seen[t] = struct{}{}
			out = append(out, t)
		}
	}
	byName := map[string][]int{}
	for n, i := range idx {
		byName[i.Logical] = []int{n}
	}
	for _, r := range refs {
		if r.ID == "" {
			return nil, fmt.Errorf("apply: a reference has no id")
		}
		if !m.many() {
			add(0, r) // whatever clients call it, the tenant has this one index
			continue
		}
		where, known := byName[r.Index]
		if !known {
			if where, err = m.resolveAlias(ctx, idx, r.Index); err != nil {
				return nil, err
			}
			byName[r.Index] = where
		}
		for _, n := range where {
			add(n, r)
		}
	}
	return out, nil
}

// resolveAlias returns which of the move's indices a name of the client's stands for
// that is none of theirs: an alias of A. A name that A does not know stands for none:
// what was written there is gone.
func (m *Mover) resolveAlias(ctx context.Context, idx []Index, name string) ([]int, error) {
	name, err := m.spec.From.Physical(name)
	if err != nil { // nothing can have been written by it
		return nil, nil
	}
	all, err := m.describe(ctx, m.src, name)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, f := range all {
		n := slices.IndexFunc(idx, func(i Index) bool { return i.Source == f.name })
		if n < 0 && m.stays(f) {
			return nil, &RefusedError{Code: CodeUnsupported, Field: f.name, Detail: "the tenant writes to an index that does not move, because it is hidden or has a name of the cluster's own, or does not fit the tenant's pattern", Fix: "let the tenant use an ordinary index"}
		}
		if n < 0 {
			if err := m.checkSourceIndex(f); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("index %s: %w", f.name, ErrSourceAdded)
		}
		out = append(out, n)
	}
	return out, nil
}

// gets names documents on one side.
func gets(idx []Index, ts []target, name func(Index) string) []get {
	out := make([]get, len(ts))
	for k, t := range ts {
		out[k] = get{name(idx[t.index]), t.id, t.routing}
	}
	return out
}

func sourceName(i Index) string { return i.Source }
func targetName(i Index) string { return i.Target }

func (m *Mover) applyChunk(ctx context.Context, todo []target) (Applied, error) {
	var out Applied
	idx, err := m.indices()
	if err != nil {
		return out, err
	}
	for round := 0; len(todo) > 0; round++ {
		if round == maxRounds {
			return out, fmt.Errorf("apply: %d documents after %d rounds: %w", len(todo), round, ErrNotSettled)
		}
		if round == 4 {
			if err := m.forget(ctx); err != nil {
				return out, err
			}
		}
		if round > 3 {
			if err := pause(ctx, 1); err != nil { // tombstones: let the clock of B tick
				return out, err
			}
		}
		var b []doc
		if round > 0 {
			if b, err = m.fetchTarget(ctx, idx, todo, bare); err != nil {
				return out, err
			}
		}
		a, err := m.fetchSource(ctx, idx, todo, sourced)
		if err != nil {
			return out, err
		}
		// After the documents have been read, so that it covers their fields.
		if _, err := m.SyncMeta(ctx); err != nil {
			return out, err
		}
		ops, of, left := plan(todo, a, b)
		answers, err := m.write(ctx, ops)
		if err != nil {
			return out, err
		}
		if err := m.rejectedError(ops, answers); err != nil {
			return out, err
		}
		for k, ans := range answers {
			switch {
			case ans.outcome == conflict:
				left = append(left, todo[of[k]])
			case ops[k].delete:
				out.Deleted++
				if a[of[k]].Found { // deleted only to be written with its lower version
					left = append(left, todo[of[k]])
				}
			default:
				out.Indexed++
				out.Bytes += int64(len(ops[k].source))
			}
		}
		if out.Indexed > 0 {
			m.sized(int(out.Indexed), out.Bytes)
		}
		todo = left
	}
	return out, nil
}

// plan decides what to write for each document. b is nil in the first round,
// when B has not been read: then only what A has is written, and the rest is
// left for the second round. of gives each op's document.
func plan(todo []target, a, b []doc) (ops []op, of []int, left []target) {
	for k, t := range todo {
		at := a[k]
		switch {
		case b == nil && !at.Found:
			left = append(left, t)
			continue
		case at.Found && (b == nil || !b[k].Found || b[k].Version <= at.Version):
			// The routing that A's document has, which need not be the one that
			// it was asked for: any routing of the same shard finds it.
			ops = append(ops, op{index: t.index, id: t.id, routing: at.Routing, version: at.Version, source: at.Source})
		case b[k].Found:
			// The shard is chosen by the routing that was asked for, on both
			// sides alike; B's own routing chooses the same.
			ops = append(ops, op{index: t.index, id: t.id, routing: t.routing, delete: true, seqNo: b[k].SeqNo, term: b[k].Term})
		default:
			continue // on neither side
		}
		of = append(of, k)
	}
	return ops, of, left
}

// CheckRefs compares documents on both sides by realtime gets: existence,
// version and routing. It believes a difference only when it is still there
// after a second look, since A may change between the two reads.
func (m *Mover) CheckRefs(ctx context.Context, refs []gate.DocRef) (Diff, error) {
	return m.check(ctx, refs, false)
}

// CheckContent is CheckRefs that compares the sources too.
func (m *Mover) CheckContent(ctx context.Context, refs []gate.DocRef) (Diff, error) {
	return m.check(ctx, refs, true)
}

func (m *Mover) check(ctx context.Context, refs []gate.DocRef, content bool) (Diff, error) {
	began := time.Now()
	if m.unsettled.Load() {
		return Diff{}, errors.Join(ErrNotSettled, errors.New("a bulk of unknown outcome has not been drained"))
	}
	all, err := m.resolve(ctx, refs)
	if err != nil {
		return Diff{}, err
	}
	var d Diff
	for rest := all; len(rest) > 0; {
		chunk := rest[:min(m.checkDocs(content), len(rest))]
		rest = rest[len(chunk):]
		if err := m.compare(ctx, chunk, content, &d); err != nil {
			return d, err
		}
	}
	if len(all) >= 20 && !content {
		m.rates.note(func(r *Rates) *time.Duration { return &r.Check }, time.Since(began)/time.Duration(len(all)))
	}
	return d, nil
}

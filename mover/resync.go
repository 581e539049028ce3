package mover

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/gate"
)

// NoteBase notes in Index.Base how far the source's shards have come. Call it
// before the refresh and the scan of a copy, and persist Indexes: what was
// written up to Base is in the copy, and Resync takes over what came later.
func (m *Mover) NoteBase(ctx context.Context) error {
	idx, err := m.indices()
	if err != nil || m.back() { // it has one: where the source stood at the first move's flip
		return err
	}
	if idx, err = m.based(ctx, idx); err != nil {
		return err
	}
	m.Use(idx)
	return nil
}

// based returns idx with the present global checkpoints as Base. Not the newest
// sequence numbers: what is above the checkpoint may not be on every copy, and
// another primary would give those numbers to other writes.
func (m *Mover) based(ctx context.Context, idx []Index) ([]Index, error) {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for n, i := range idx { // idx is this call's own copy; each goroutine has its element
		g.Go(func() error {
			seq, err := m.seqNos(gctx, i.Source)
			if err != nil {
				return err
			}
			idx[n].Base = map[string]int64{}
			for shard, s := range seq {
				idx[n].Base[shard] = s.Checkpoint
			}
			return nil
		})
	}
	return idx, g.Wait()
}

// Resync makes B equal to A without any journal: it takes over again every
// document that was written to A since Base, and then compares all ids and
// versions both ways and puts right what differs. Base becomes what it was when
// Resync began; persist Indexes.
//
// Versions alone would not do. A document that was deleted, forgotten by A
// (index.gc_deletes) and created again starts over at version 1: with its first
// version it looks like the one that was copied. But its sequence number is newer
// than Base. What was only deleted has no document any more, and the comparison
// finds it.
//
// The Diff is what the comparison found, before it was put right.
func (m *Mover) Resync(ctx context.Context) (Diff, error) {
	_, diff, err := m.resync(ctx)
	return diff, err
}

// resync is Resync; it also returns how many documents were taken over again.
func (m *Mover) resync(ctx context.Context) (again int, diff Diff, err error) {
	idx, err := m.indices()
	if err != nil {
		return 0, Diff{}, err
	}
	next, err := m.based(ctx, idx)
	if err != nil {
		return 0, Diff{}, err
	}
	// Whatever is up to next is visible to the scans after this refresh.
	if err := m.RefreshSource(ctx); err != nil {
		return 0, Diff{}, err
	}
	again, err = m.applyWritten(ctx)
	if err != nil {
		return again, Diff{}, err
	}
	diff, err = m.Reconcile(ctx, true)
	if err != nil {
		return again, diff, err
	}
	m.log.InfoContext(ctx, "resynced", "written_again", again, "scanned", diff.Scanned, "repaired", diff.Repaired)
	// What Reconcile has noted meanwhile is kept: Base is all that changes.
	now := m.Indexes()
	for n := range now {
		now[n].Base = next[n].Base
	}
	m.Use(now)
	return again, diff, nil
}

// applyWritten applies every document of A with a sequence number above Base. An
// index without Base was prepared by an older version: all of it is.
func (m *Mover) applyWritten(ctx context.Context) (n int, err error) {
	idx, err := m.indices()
	if err != nil {
		return 0, err
	}
	for _, i := range idx {
		for shard := range i.Shards {
			above, ok := i.Base[fmt.Sprint(shard)]
			if !ok {
				above = -1
			}
			where := map[string]any{"range": map[string]any{"_seq_no": map[string]any{"gt": above}}}
			err := m.scanIDs(ctx, m.src, i.Source, shard, where, func(hits []doc) error {
				refs := make([]gate.DocRef, len(hits))
				for k, h := range hits {
					refs[k] = gate.DocRef{Index: i.Logical, ID: h.ID, Routing: h.Routing}
				}
				n += len(refs)
				_, err := m.Apply(ctx, refs)
				return err
			})
			if err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

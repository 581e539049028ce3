package mover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"
)

// A rollback is a move whose target is the copy that another move has left behind,
// which Spec.RollbackOf and Spec.Old name. Everything but its beginning and its end
// is as in any move; what differs:
//
//   - The indices of the target exist. That they are the old copy is shown by their
//     UUIDs, and by the way back that is still in the entry. What is there must be as
//     the fence has left it: the sequence numbers tell.
//   - Nothing is copied. Base is where the present indices stood before the first
//     move flipped, so Resync brings over what was written since, however a document
//     that was deleted and created again counts its versions, and finds by comparison
//     what was deleted.
//   - The fence is lifted once the rollback has begun, through the write aliases: a
//     request of a driver that was replaced meets a name that is gone. The block's
//     owner stays in the entry until the rollback completes.
//   - An index that the tenant has dropped since, or created again, is removed from the
//     old copy, or it would come back; one that is new is taken in by Adopt.
//   - An abort deletes what the rollback has created and nothing of the old copy, which
//     is fenced again: GiveBack, and then Forget.
//   - An older version of OpenSearch is no obstacle by itself: the indices exist there.
//     What it does not accept of the mapping as it has become is refused by Prepare.

// back reports whether this is a rollback.
func (m *Mover) back() bool { return m.spec.RollbackOf != "" }

// old returns what the first move has noted of an index of the old copy.
func (m *Mover) old(uuid string) (Index, bool) {
	n := slices.IndexFunc(m.spec.Old, func(o Index) bool { return m.back() && o.SourceUUID == uuid && uuid != "" })
	if n < 0 {
		return Index{}, false
	}
	return m.spec.Old[n], true
}

// prepareBack is Prepare of a rollback.
func (m *Mover) prepareBack(ctx context.Context) ([]Index, error) {
	if _, err := m.version(ctx, m.src, "from.cluster"); err != nil {
		return nil, err
	}
	if _, err := m.version(ctx, m.dst, "to.cluster"); err != nil {
		return nil, err
	}
	sources, err := m.sources(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		if err := m.checkSourceIndex(s); err != nil {
			return nil, err
		}
	}
	idx, err := m.kept(ctx, sources)
	if err != nil {
		return nil, err
	}
	if err := m.checkEmpty(ctx); err != nil {
		return nil, err
	}
	if err := m.checkAliases(ctx, sources); err != nil {
		return nil, err
	}
	if err := m.checkPipelines(ctx, sources); err != nil {
		return nil, err
	}
	if err := m.opt.Lease(); err != nil {
		return nil, err
	}
	m.Use(idx)
	var actions []any
	for _, i := range idx {
		actions = append(actions, m.mark(i.Target))
	}
	if err := m.updateAliases(ctx, actions); err != nil {
		return nil, err
	}
	// Before anything has begun: what the old copy's cluster does not accept of the
	// mapping as it has become ends the rollback here.
	var refused *RefusedError
	if _, err := m.SyncMeta(ctx); errors.As(err, &refused) {
		refused.Fix = "the tenant cannot go back there; it can move to a cluster that accepts this"
		return nil, err
	} else if err != nil {
		return nil, err
	}
	m.log.InfoContext(ctx, "prepared a rollback", "of", m.spec.RollbackOf, "indices", len(idx))
	return m.Indexes(), nil
}

// kept returns those indices of the old copy whose present index is the one that
// their documents were copied into.
func (m *Mover) kept(ctx context.Context, sources []found) ([]Index, error) {
	there, err := m.uuids(ctx, m.dst, names(m.spec.Old, sourceName))
	if err != nil {
		return nil, err
	}
	here, err := m.uuids(ctx, m.src, names(m.spec.Old, targetName))
	if err != nil {
		return nil, err
	}
	var idx []Index
	for _, o := range m.spec.Old {
		n := slices.IndexFunc(sources, func(f found) bool { return f.name == o.Target && f.uuid == o.TargetUUID })
		if n < 0 && here[o.Target] == o.TargetUUID {
			return nil, &RefusedError{Code: CodeUnsupported, Field: o.Target, Detail: "the index has become hidden since the move, so it would not go back", Fix: "make it an ordinary index again, or delete it"}
		}
		switch {
		case there[o.Source] == o.SourceUUID && n >= 0:
		case m.many():
			continue // is made anew, or was dropped
		case n < 0:
			return nil, &RefusedError{Code: CodeOldCopy, Field: o.Target, Detail: "the tenant's index was created again since the move, so the old copy is of another", Fix: "move the tenant by a new move"}
		default:
			return nil, &RefusedError{Code: CodeOldCopy, Field: o.Source, Detail: "the old copy on " + m.dst.Name() + " is gone, or was created again", Fix: "move the tenant by a new move"}
		}
		now, err := m.seqNosOf(ctx, m.dst, o.Source)
		if err != nil {
			return nil, err
		}
		if o.Mark != nil && !maps.Equal(newest(now), o.Mark) {
			return nil, &RefusedError{Code: CodeOldCopy, Field: o.Source, Detail: "the old copy on " + m.dst.Name() + " was written to since it was fenced, by somebody who goes around the proxies; a rollback would undo that", Fix: "find out who it was; move the tenant by a new move"}
		}
		idx = append(idx, Index{Logical: o.Logical, Source: o.Target, SourceUUID: o.TargetUUID, Target: o.Source, TargetUUID: o.SourceUUID,
			Shards: o.Shards, GCDeletes: sources[n].settings[setGC], Base: o.TargetBase})
	}
	return idx, nil
}

// newest are the newest sequence numbers, as Index.Mark holds them.
func newest(seq map[string]seqNo) map[string]int64 {
	out := map[string]int64{}
	for shard, s := range seq {
		out[shard] = s.Max
	}
	return out
}

// NoteTarget notes in Index.TargetBase how far the target's shards have come before
// the flip: what a client writes there after it has a higher sequence number. Call it
// before the cutover, and persist Indexes.
func (m *Mover) NoteTarget(ctx context.Context) error {
	idx, err := m.indices()
	if err != nil || m.tenant != nil { // nothing is rolled back into a shared index
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for n, i := range idx { // idx is this call's own copy; each goroutine has its element
		idx[n].Mark = nil // of an earlier seal: whoever settles the flip must not compare with it
		g.Go(func() error {
			seq, err := m.seqNosOf(gctx, m.dst, i.Target)
			if err != nil {
				return err
			}
			idx[n].TargetBase = map[string]int64{}
			for shard, s := range seq {
				idx[n].TargetBase[shard] = s.Checkpoint
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	m.Use(idx)
	return nil
}

// OpenOld lifts the fence of the old copy, for this attempt, and removes from it what
// the tenant has dropped since. Call it once the rollback has begun, after Take; it
// may be repeated.
func (m *Mover) OpenOld(ctx context.Context) error {
	if err := m.openBlocks(ctx); err != nil {
		return err
	}
	idx := m.Indexes()
	there, err := m.uuids(ctx, m.dst, names(m.spec.Old, sourceName))
	if err != nil {
		return err
	}
	here, err := m.uuids(ctx, m.src, names(m.spec.Old, targetName))
	if err != nil {
		return err
	}
	for _, o := range m.spec.Old {
		stays := slices.ContainsFunc(idx, func(i Index) bool { return i.TargetUUID == o.SourceUUID })
		if stays || there[o.Source] != o.SourceUUID || here[o.Target] == o.TargetUUID {
			continue
		}
		if err := m.opt.Lease(); err != nil {
			return err
		}
		if err := m.remove(ctx, m.dst, o.Source, o.SourceUUID, ErrTargetChanged); err != nil {
			return err
		}
		m.log.InfoContext(ctx, "removed from the old copy what the tenant has dropped since", "index", o.Source)
	}
	return nil
}

// openBlocks makes the old copy what the target of a move is: nothing is blocked,
// tombstones are forgotten at once, and no pipeline rewrites what the mover writes.
func (m *Mover) openBlocks(ctx context.Context) error {
	return m.set(ctx, func(i Index) (map[string]any, error) {
		if _, ok := m.old(i.TargetUUID); !ok {
			return nil, nil
		}
		return map[string]any{"index.blocks.write": nil, setGC: "0s", setFinal: nil}, nil
	})
}

// BringBack makes the old copy what the source is: Resync from where the source
// stood at the flip. It returns how many documents were taken over because they were
// written since, before the comparison.
func (m *Mover) BringBack(ctx context.Context) (int, Diff, error) { return m.resync(ctx) }

// dropped returns the actions that remove from the old copy the aliases that the
// tenant has removed since.
func (m *Mover) dropped(l *Look) []any {
	var actions []any
	for n, i := range l.idx {
		keep := map[string]bool{}
		for a := range tenantAliases(l.src[n]) {
			keep[m.targetAlias(a)] = true
		}
		for _, a := range slices.Sorted(maps.Keys(tenantAliases(l.dst[n]))) {
			if !keep[a] {
				actions = append(actions, action("remove", i.Target, a, map[string]any{"must_exist": false}))
			}
		}
	}
	return actions
}

// GiveBack ends this move's hold of the old copy, after an abort: nothing that was
// sent to it can be applied any more when it returns. With fence it is blocked for
// writes, which is what the entry says of it then, and its newest sequence numbers
// are returned by the index's UUID: the first move's Mark from now on. Call Forget
// when those are persisted. Both may be repeated.
func (m *Mover) GiveBack(ctx context.Context, fence bool) (map[string]map[string]int64, error) {
	if err := m.work.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer m.work.Release(1)
	if err := m.gate.Acquire(ctx, rotation); err != nil {
		return nil, err
	}
	defer m.gate.Release(rotation)
	held, aliases, err := m.heldOld(ctx)
	if err != nil || len(held) == 0 {
		return nil, err
	}
	if err := m.opt.Lease(); err != nil {
		return nil, err
	}
	m.turn = 0
	m.begun++
	via := make([]string, len(held))
	for i := range held {
		via[i] = m.drainAlias(m.begun, i)
	}
	if err := m.drop(ctx, held, aliases, via); err != nil {
		return nil, err
	}
	if err := m.opt.Lease(); err != nil {
		return nil, err
	}
	if err := m.await(ctx, held, via); err != nil {
		return nil, err
	}
	m.unsettled.Store(false)
	marks := map[string]map[string]int64{}
	for n, i := range held {
		if err := m.restore(ctx, i, via[n], fence); err != nil {
			return nil, err
		}
		seq, err := m.seqNosOf(ctx, m.dst, i.Target)
		if err != nil {
			return nil, err
		}
		marks[i.TargetUUID] = newest(seq)
	}
	m.log.InfoContext(ctx, "gave the old copy back", "indices", len(held), "fenced", fence)
	return marks, nil
}

// restore gives an index of the old copy the settings that OpenOld has taken from it:
// those of the present index, as ever after a move.
func (m *Mover) restore(ctx context.Context, i Index, via string, fence bool) error {
	src, err := m.stillSource(ctx, i)
	if err != nil {
		return err
	}
	set := likeSource(src, setGC, setFinal, setFloor)
	if !fence {
		set["index.blocks.write"] = nil
	}
	if err := m.change(ctx, m.dst, http.MethodPut, "/"+esc(via)+"/_settings", nil, set, nil); err != nil {
		return fmt.Errorf("restore the settings of %s on %s: %w", i.Target, m.dst.Name(), gone(err))
	}
	return nil
}

// stillSource describes the source of an index; nothing if that is gone, or another by now.
func (m *Mover) stillSource(ctx context.Context, i Index) (found, error) {
	src, err := m.describe(ctx, m.src, i.Source)
	if err != nil || len(src) != 1 || src[0].uuid != i.SourceUUID {
		return found{}, err
	}
	return src[0], nil
}

// heldOld returns the indices of the old copy that bear an alias of this move: it may
// have changed something of those, and of no others.
func (m *Mover) heldOld(ctx context.Context) (held []Index, aliases [][]string, err error) {
	there, err := m.uuids(ctx, m.dst, names(m.spec.Old, sourceName))
	if err != nil {
		return nil, nil, err
	}
	var all []Index
	for _, o := range m.spec.Old {
		if there[o.Source] == o.SourceUUID {
			all = append(all, Index{Logical: o.Logical, Source: o.Target, SourceUUID: o.TargetUUID, Target: o.Source, TargetUUID: o.SourceUUID, Shards: o.Shards})
		}
	}
	have, err := m.aliases(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	for n, i := range all {
		if slices.ContainsFunc(have[n], m.ofThisMove) {
			held, aliases = append(held, i), append(aliases, have[n])
		}
	}
	return held, aliases, nil
}

func (m *Mover) ofThisMove(alias string) bool {
	return alias == m.marker() || m.isWriteAlias(alias) || m.isSealAlias(alias)
}

// Forget removes what tells that the old copy is this move's target.
func (m *Mover) Forget(ctx context.Context) error {
	held, aliases, err := m.heldOld(ctx)
	if err != nil {
		return err
	}
	if err := m.opt.Lease(); err != nil {
		return err
	}
	var actions []any
	for n, i := range held {
		for _, a := range aliases[n] {
			if m.ofThisMove(a) {
				actions = append(actions, action("remove", i.Target, a, map[string]any{"must_exist": false}))
			}
		}
	}
	return m.updateAliases(ctx, actions)
}

package mover

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// What follows the flip at a shared source; see shared.go for why it is safe.

// sweepDocs is how many documents one request deletes at most, so that none takes
// long: others' by-query tasks on the index, and cutovers that wait for such tasks,
// find their turn in between.
const sweepDocs = 5000

// sweepTries bounds how often a shard is looked at that does not become empty.
const sweepTries = 20

// held counts the tenant's documents that a refresh has made visible.
func (m *Mover) held(ctx context.Context, index string) (int64, error) {
	return m.countWhere(ctx, index, "", m.where())
}

// preferred is the search preference of one primary shard.
func preferred(shard int) string { return fmt.Sprintf("_shards:%d|_primary", shard) }

// countWhere counts documents, of one shard if preference says so. An answer of
// fewer shards than were asked is an error, because it would be too low.
func (m *Mover) countWhere(ctx context.Context, index, preference string, where map[string]any) (int64, error) {
	return m.countOn(ctx, m.src, index, preference, where)
}

// countOn is countWhere for either side.
func (m *Mover) countOn(ctx context.Context, c *upstream.Client, index, preference string, where map[string]any) (int64, error) {
	var ans struct {
		Count  int64
		Shards struct{ Total, Successful int } `json:"_shards"`
	}
	q := query()
	if preference != "" {
		q.Set("preference", preference)
	}
	if err := m.read(ctx, c, http.MethodPost, "/"+esc(index)+"/_count", q, map[string]any{"query": where}, &ans); err != nil {
		return 0, fmt.Errorf("count the tenant's documents of %s on %s: %w", index, c.Name(), err)
	}
	if ans.Shards.Successful != ans.Shards.Total || ans.Shards.Total == 0 {
		return 0, fmt.Errorf("count the tenant's documents of %s on %s: %d of %d shards", index, c.Name(), ans.Shards.Successful, ans.Shards.Total)
	}
	return ans.Count, nil
}

// watchShared is Fence for a shared source: nothing is blocked. It reports whether a
// document of the tenant's was written since Seal, and notes how many there are, for
// Untouched. Without Seal's marks those of this moment are noted, and it is ErrNoMark.
func (m *Mover) watchShared(ctx context.Context, idx []Index) (writesSeen bool, err error) {
	unknown := false
	for n := range idx {
		i := &idx[n]
		if i.Mark == nil {
			unknown = true
			if i.Mark, err = m.marks(ctx, i.Source); err != nil {
				return false, err
			}
		}
		held, late, err := m.sinceMark(ctx, *i)
		if err != nil {
			return false, err
		}
		if i.Held == nil { // of a repetition the first count is the better one
			i.Held = held
		}
		writesSeen = writesSeen || late > 0
	}
	m.Use(idx)
	if unknown && !writesSeen {
		return false, ErrNoMark
	}
	return writesSeen, nil
}

// sinceMark counts the tenant's documents by shard up to the marks, and all that are
// above them.
func (m *Mover) sinceMark(ctx context.Context, i Index) (held map[string]int64, late int64, err error) {
	if err := m.refreshOne(ctx, m.src, i.Source); err != nil {
		return nil, 0, err
	}
	held = map[string]int64{}
	for shard := range i.Shards {
		name := strconv.Itoa(shard)
		mark, ok := i.Mark[name]
		if !ok {
			return nil, 0, fmt.Errorf("index %s: %w", i.Source, ErrNoMark)
		}
		if held[name], err = m.countWhere(ctx, i.Source, preferred(shard), m.whereSeq("lte", mark)); err != nil {
			return nil, 0, err
		}
		n, err := m.countWhere(ctx, i.Source, preferred(shard), m.whereSeq("gt", mark))
		if err != nil {
			return nil, 0, err
		}
		late += n
	}
	return held, late, nil
}

// Untouched looks, before the source is deleted, whether somebody has written to it
// since it was fenced, or to the tenant's documents in a shared source since the flip:
// ErrSourceWritten. For a shared source the counts of the fence are forgotten when it
// returns nil, because Retire changes them: persist Indexes before that.
func (m *Mover) Untouched(ctx context.Context) error {
	idx, err := m.indices()
	if err != nil {
		return err
	}
	uuids, err := m.uuids(ctx, m.src, names(idx, sourceName))
	if err != nil {
		return err
	}
	if m.tenant == nil {
		return m.unwritten(ctx, idx, uuids)
	}
	for n := range idx {
		i := &idx[n]
		if uuids[i.Source] == "" {
			continue // Retire has nothing to do, either
		}
		if uuids[i.Source] != i.SourceUUID {
			return fmt.Errorf("retire %s on %s: %w", i.Source, m.src.Name(), ErrSourceChanged)
		}
		held, late, err := m.sinceMark(ctx, *i)
		if err != nil {
			return err
		}
		left := int64(0)
		for _, n := range held {
			left += n
		}
		// None at all is what an operator leaves who has looked into it.
		if late > 0 || left > 0 && i.Held != nil && !maps.Equal(held, i.Held) {
			return ErrSourceWritten
		}
		i.Held = nil
	}
	m.Use(idx)
	return nil
}

// sweep deletes the tenant's documents of a shared index that are no newer than the
// flip. It may be interrupted anywhere and begun again. ErrSourceWritten: newer ones
// are left.
func (m *Mover) sweep(ctx context.Context, i Index) error {
	for shard := range i.Shards {
		mark, ok := i.Mark[strconv.Itoa(shard)]
		if !ok {
			return fmt.Errorf("index %s: %w", i.Source, ErrNoMark)
		}
		if err := m.sweepShard(ctx, i, shard, mark); err != nil {
			return err
		}
	}
	_, late, err := m.sinceMark(ctx, i)
	if err == nil && late > 0 {
		err = ErrSourceWritten
	}
	return err
}

func (m *Mover) sweepShard(ctx context.Context, i Index, shard int, mark int64) error {
	where := m.whereSeq("lte", mark)
	for idle := 0; ; {
		if err := m.opt.Lease(); err != nil {
			return err
		}
		if err := m.refreshOne(ctx, m.src, i.Source); err != nil {
			return err
		}
		left, err := m.countWhere(ctx, i.Source, preferred(shard), where)
		if err != nil || left == 0 {
			return err
		}
		// By name, and the index may be another by now: its documents would be the
		// tenant's all the same, but none that this move has copied.
		if err := m.sameSource(ctx, []Index{i}); err != nil {
			return err
		}
		var ans struct{ Deleted int64 }
		// A document that changes between the search and its deletion is a conflict, and
		// above the mark then.
		q := query("conflicts", "proceed", "preference", preferred(shard), "max_docs", strconv.Itoa(sweepDocs), "wait_for_completion", "true")
		if err := m.change(ctx, m.src, http.MethodPost, "/"+esc(i.Source)+"/_delete_by_query", q, map[string]any{"query": where}, &ans); err != nil {
			return err
		}
		if ans.Deleted > 0 {
			idle = 0
			continue
		}
		if idle++; idle == sweepTries {
			return fmt.Errorf("%d documents are left: %w", left, ErrNotSettled)
		}
		if err := pause(ctx, idle); err != nil {
			return err
		}
	}
}

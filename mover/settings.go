package mover

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Settings that a move handles itself.
const (
	setGC       = "index.gc_deletes"
	setRefresh  = "index.refresh_interval"
	setReplicas = "index.number_of_replicas"
	setExpand   = "index.auto_expand_replicas"
	setFinal    = "index.final_pipeline"
	setRouting  = "index.number_of_routing_shards"
	setFloor    = "index.merge.policy.floor_segment"
)

// pauseFloor is what a target has as setFloor from Ready to Release. A refresh waits, for
// up to ten seconds, for the merging of segments below that size that it finds worthwhile
// (index.merge_on_flush, Lucene's findFullFlushMerges); no segment is so small. Without it
// about every ninth refresh is one that merges, and if that is the one for which writes are
// held, it alone may take a second.
const pauseFloor = "1kb"

// held are the settings that the target gets late: Ready gives it all but two. A final
// pipeline must not act while the mover still writes, for it would rewrite the
// mover's documents, which are already rewritten. That is for Seal. A
// default pipeline is named away in each bulk and needs no holding back. And merging
// must not delay the refresh in the pause, so its floor is for Release.
//
// With the source's gc_deletes the target remembers deletions again, while the mover
// still writes the last few documents. That makes nothing wrong: a document that was
// deleted and created again, and so has a lower version than the deletion, is refused
// and looked at again. Whoever meets that has the target forget (forget), and Seal, which
// compares, gives the setting back once more.
var held = map[string]bool{setGC: true, setRefresh: true, setReplicas: true, setExpand: true, setFinal: true, setFloor: true}

// Settings that belong to the source's index or cluster rather than to the
// tenant's data.
var foreign = []string{
	"index.uuid", "index.creation_date", "index.provided_name", "index.version.", "index.resize.", "index.routing.allocation.",
	"index.blocks.", "index.history.", "index.verified_before_close", "index.remote_store.", "index.shrink.", "index.split.",
	"index.recovery.", "index.store.snapshot.", "index.translog.retention.", "index.priority", setRouting,
}

// carried returns the settings that the target shall have from the beginning.
func carried(source map[string]string) map[string]string {
	out := maps.Clone(source)
	maps.DeleteFunc(out, func(k, _ string) bool {
		return held[k] || slices.ContainsFunc(foreign, func(f string) bool {
			return k == f || strings.HasSuffix(f, ".") && strings.HasPrefix(k, f)
		})
	})
	return out
}

// different returns what must be set at the target so that it has what the
// source has; nil removes a setting.
func different(source, target map[string]string) map[string]any {
	want, have := carried(source), carried(target)
	out := map[string]any{}
	for k, v := range want {
		if h, ok := have[k]; !ok || h != v {
			out[k] = settingValue(v)
		}
	}
	for k := range have {
		if _, ok := want[k]; !ok {
			out[k] = nil
		}
	}
	return out
}

// likeSource gives settings the source's values, and those that it has not the default. A
// source that is gone has none.
func likeSource(src found, settings ...string) map[string]any {
	out := map[string]any{}
	for _, k := range settings {
		out[k] = nil
		if v, ok := src.settings[k]; ok {
			out[k] = v
		}
	}
	return out
}

// set changes settings of the targets, of each to what want says, unless that is
// nothing. It does so through the write aliases: a request that comes late, of a mover
// that was replaced or after the flip, meets a name that is gone.
func (m *Mover) set(ctx context.Context, want func(Index) (map[string]any, error)) error {
	if err := m.gate.Acquire(ctx, 1); err != nil { // the turn stays what it is
		return err
	}
	defer m.gate.Release(1)
	for n, i := range m.Indexes() {
		set, err := want(i)
		if err != nil {
			return err
		}
		if len(set) == 0 {
			continue
		}
		if err := m.opt.Lease(); err != nil {
			return err
		}
		if m.turn == 0 {
			return fmt.Errorf("change settings of %s on %s before Take: %w", i.Target, m.dst.Name(), ErrFenced)
		}
		if err := m.change(ctx, m.dst, http.MethodPut, "/"+esc(m.writeAlias(m.turn, n))+"/_settings", nil, set, nil); err != nil {
			return fmt.Errorf("change settings of %s on %s: %w", i.Target, m.dst.Name(), gone(err))
		}
	}
	return nil
}

// forget has the targets that are the move's own forget deletions, as they did before
// Ready.
func (m *Mover) forget(ctx context.Context) error {
	return m.set(ctx, func(Index) (map[string]any, error) { return map[string]any{setGC: "0s"}, nil })
}

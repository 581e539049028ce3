package mover

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
)

// metaVersions are the cluster's counters of changes of an index's metadata.
type metaVersions struct {
	Mapping  int64 `json:"mapping_version"`
	Settings int64 `json:"settings_version"`
}

// synced is what SyncMeta has applied last: the counters, and the source as it was.
type synced struct {
	at metaVersions
	as found
}

// Ids of OpenSearch's global blocks of a node that has not read its cluster state,
// or has lost sight of whoever keeps it.
const (
	blockNotRecovered = "1"
	blockNoManager    = "2"
)

// SyncMeta gives B the mappings and the changed settings of A. One cheap call
// finds that nothing has changed. It must have run since the mapping
// changed before a document that needs it is written: dynamic mapping would
// guess another type at B when documents arrive in another order. What A has not
// mapped B does not map either: see frozen.
func (m *Mover) SyncMeta(ctx context.Context) (changed bool, err error) {
	idx, err := m.indices()
	if err != nil {
		return false, err
	}
	now, err := m.metaVersions(ctx, idx)
	if err != nil {
		return false, err
	}
	for n, i := range idx {
		c, err := m.syncOne(ctx, n, i, now[i.Source])
		if err != nil {
			return changed, err
		}
		changed = changed || c
	}
	return changed, nil
}

// metaVersions reads the counters of all source indices, usually in one call.
func (m *Mover) metaVersions(ctx context.Context, idx []Index) (map[string]metaVersions, error) {
	out := map[string]metaVersions{}
	q := query("ignore_unavailable", "true", "filter_path", "blocks.global,metadata.indices.*.mapping_version,metadata.indices.*.settings_version")
	for part := range lists(names(idx, sourceName)) {
		var st struct {
			Blocks struct {
				Global map[string]json.RawMessage `json:"global"`
			} `json:"blocks"`
			Metadata struct {
				Indices map[string]metaVersions `json:"indices"`
			} `json:"metadata"`
		}
		if err := m.read(ctx, m.src, http.MethodGet, "/_cluster/state/blocks,metadata/"+joined(part), q, nil, &st); err != nil {
			return nil, fmt.Errorf("read the metadata versions of the source: %w", err)
		}
		// Every other call is refused by a node that starts. This one is answered, with
		// the block that says why it knows no index.
		for _, id := range []string{blockNotRecovered, blockNoManager} {
			if _, ok := st.Blocks.Global[id]; ok {
				return nil, fmt.Errorf("read the metadata versions of the source: %s does not know its indices yet", m.src.Name())
			}
		}
		for _, n := range part {
			v, ok := st.Metadata.Indices[n]
			if !ok {
				return nil, fmt.Errorf("index %s: %w", n, ErrSourceChanged)
			}
			out[n] = v
		}
	}
	return out, nil
}

// syncOne syncs index n, which is i, unless its counters are those of the last time.
func (m *Mover) syncOne(ctx context.Context, n int, i Index, now metaVersions) (bool, error) {
	m.mu.Lock()
	last, known := m.meta[i.Source]
	m.mu.Unlock()
	if known && last.at == now {
		return false, nil
	}
	changed := false
	// The versions were read first: what changes between the two reads is
	// applied now, and found again, unchanged, the next time.
	src, err := m.describe(ctx, m.src, i.Source)
	if err != nil {
		return false, err
	}
	if len(src) != 1 || src[0].uuid != i.SourceUUID {
		return false, fmt.Errorf("index %s: %w", i.Source, ErrSourceChanged)
	}
	dst, err := m.describe(ctx, m.dst, i.Target)
	if err != nil {
		return false, err
	}
	if len(dst) != 1 || dst[0].uuid != i.TargetUUID {
		return false, fmt.Errorf("index %s on %s: %w", i.Target, m.dst.Name(), ErrTargetChanged)
	}
	if m.into != nil {
		s, err := m.lift(src[0])
		if err != nil {
			return false, err
		}
		if changed, err = m.enrich(ctx, s, dst[0]); err != nil {
			return false, err
		}
		m.mu.Lock()
		m.meta[i.Source] = synced{now, s}
		m.mu.Unlock()
		return changed, nil
	}
	for _, f := range []*found{&src[0], &dst[0]} { // the target's, too, so that both are written alike
		if *f, err = m.lift(*f); err != nil {
			return false, err
		}
	}
	want, _, err := frozen(src[0].mappings)
	if err != nil {
		return false, err
	}
	if err := m.gate.Acquire(ctx, 1); err != nil { // the turn stays what it is
		return false, err
	}
	defer m.gate.Release(1)
	if err := m.opt.Lease(); err != nil {
		return false, err
	}
	// A request that comes late, of a mover that was replaced or after the flip, would undo
	// what the tenant has changed since: it meets a name that is gone. Only a rollback that
	// is being prepared has none yet.
	name := i.Target
	if m.turn != 0 {
		name = m.writeAlias(m.turn, n)
	}
	if set := different(src[0].settings, dst[0].settings); len(set) > 0 {
		if err := m.putSettings(ctx, name, i.Target, set); err != nil {
			return false, err
		}
		changed = true
	}
	if !sameMapping(want, dst[0].mappings) && string(orEmpty(want)) != "{}" {
		if err := m.putMapping(ctx, name, i.Target, want); err != nil {
			return changed, err
		}
		changed = true
	}
	m.mu.Lock()
	m.meta[i.Source] = synced{now, src[0]}
	delete(m.thawed, n)
	m.mu.Unlock()
	return changed, nil
}

// putSettings and putMapping change a target through a name that it has.
func (m *Mover) putSettings(ctx context.Context, name, target string, set map[string]any) error {
	err := m.change(ctx, m.dst, http.MethodPut, "/"+esc(name)+"/_settings", nil, set, nil)
	return m.metaRefused(err, target, "settings")
}

func (m *Mover) putMapping(ctx context.Context, name, target string, mapping json.RawMessage) error {
	// By all nodes: one that has not applied it would map what a document brings.
	return m.metaRefused(m.acknowledged(ctx, m.dst, "/"+esc(name)+"/_mapping", []byte(mapping)), target, "mapping")
}

// last gives target n, through the name of the turn that ends, what SyncMeta held back of
// the source's mapping, and what has changed since SyncMeta looked for the last time: no
// document needed it, and nobody will look again. Ordinarily there is nothing to send.
func (m *Mover) last(ctx context.Context, turn, n int, i Index, src found) error {
	m.mu.Lock()
	last, known := m.meta[i.Source]
	thawed := m.thawed[n] != nil && m.thawed[n].sent
	m.mu.Unlock()
	if m.into != nil {
		if known && string(last.as.mappings) == string(src.mappings) {
			return nil
		}
		pool, err := m.pool(ctx)
		if err == nil {
			_, err = m.enrich(ctx, src, pool)
		}
		return err
	}
	_, held, err := frozen(src.mappings)
	if err != nil {
		return err
	}
	mapping := held && !thawed || !known || string(last.as.mappings) != string(src.mappings)
	var set map[string]any
	if known && !maps.Equal(last.as.settings, src.settings) {
		set = different(src.settings, last.as.settings)
	}
	if !mapping && len(set) == 0 {
		return nil
	}
	m.mu.Lock()
	delete(m.meta, i.Source) // a target that is taken again is synced again
	m.mu.Unlock()
	name := m.writeAlias(turn, n)
	if len(set) > 0 { // first: a mapping may need a higher limit
		if err := m.putSettings(ctx, name, i.Target, set); err != nil {
			return err
		}
	}
	if !mapping || string(orEmpty(src.mappings)) == "{}" {
		return nil
	}
	return m.putMapping(ctx, name, i.Target, src.mappings)
}

// metaRefused makes a 400 a typed refusal.
func (m *Mover) metaRefused(err error, target, what string) error {
	code, _ := status(err)
	switch {
	case err == nil:
		return nil
	case code == http.StatusBadRequest:
		return &RefusedError{Code: CodeTargetRefused, Field: target + " " + what, Detail: m.dst.Name() + " does not accept the source's " + what + " as it has become", Fix: "abort the move and begin a new one", Err: err}
	}
	return fmt.Errorf("update the %s of %s on %s: %w", what, target, m.dst.Name(), gone(err))
}

package mover

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// Prepare creates the target indices that do not exist yet, with the mappings
// and settings of the source, without replicas, refreshes and tombstones, and
// returns the move's indices to persist. It may be repeated. It refuses, with a
// *RefusedError and nothing created, what cannot be moved.
func (m *Mover) Prepare(ctx context.Context) ([]Index, error) {
	if m.back() {
		return m.prepareBack(ctx)
	}
	if _, _, err := m.checkVersions(ctx); err != nil {
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
	if m.into != nil {
		return m.prepareInto(ctx, sources[0])
	}
	have, err := m.checkTarget(ctx, sources)
	if err != nil {
		return nil, err
	}
	if err := m.checkAliases(ctx, sources); err != nil {
		return nil, err
	}
	if err := m.checkPipelines(ctx, sources); err != nil {
		return nil, err
	}
	var idx []Index
	for i := range sources {
		s := &sources[i]
		t := m.targetName(s.name)
		f, ok := have[t]
		if !ok {
			if f, err = m.create(ctx, s, t); err != nil {
				return nil, err
			}
		}
		idx = append(idx, m.index(*s, f))
	}
	m.Use(idx)
	m.log.InfoContext(ctx, "prepared", "indices", len(idx))
	return m.Indexes(), nil
}

func (m *Mover) index(s, target found) Index {
	return Index{
		Logical: m.logicalName(s.name), Source: s.name, SourceUUID: s.uuid,
		Target: target.name, TargetUUID: target.uuid, Shards: s.shards, GCDeletes: s.settings[setGC],
	}
}

// create makes one target index. It has the source's number of routing shards
// as well as of shards, so that both sides put every id and routing into the
// same shard: two documents that share an id under different routings stay two.
func (m *Mover) create(ctx context.Context, s *found, target string) (found, error) {
	routing, err := m.routingShards(ctx, m.src, s.name)
	if err != nil {
		return found{}, err
	}
	settings := map[string]any{}
	for k, v := range carried(s.settings) {
		settings[k] = settingValue(v)
	}
	settings[setRouting] = routing
	settings[setReplicas] = 0
	settings[setRefresh] = "-1"
	settings[setGC] = "0s"
	mappings, _, err := frozen(s.mappings)
	if err != nil {
		return found{}, err
	}
	body := map[string]any{
		"settings": settings,
		"mappings": json.RawMessage(orEmpty(mappings)),
		"aliases":  map[string]any{m.marker(): map[string]any{"is_hidden": true}},
	}
	code, kind, err := m.sendCreate(ctx, target, body)
	switch {
	case kind == "resource_already_exists_exception":
		// An earlier call of ours that was thought to have failed, or somebody
		// else's index: the marker tells.
	case code == http.StatusBadRequest:
		return found{}, &RefusedError{Code: CodeTargetRefused, Field: target, Detail: m.dst.Name() + " does not accept the source's settings and mappings", Fix: "see the cluster's reason", Err: err}
	case err != nil:
		return found{}, fmt.Errorf("create %s on %s: %w", target, m.dst.Name(), err)
	}
	all, err := m.describe(ctx, m.dst, target)
	if err != nil {
		return found{}, err
	}
	if len(all) != 1 || all[0].name != target {
		return found{}, fmt.Errorf("create %s on %s: it is not there: %w", target, m.dst.Name(), ErrTargetChanged)
	}
	if _, own := all[0].aliases[m.marker()]; !own {
		return found{}, m.refuseExisting(ctx, target)
	}
	if field, err := unasked(mappings, all[0].mappings); err != nil {
		return found{}, err
	} else if field != "" {
		return found{}, &RefusedError{Code: CodeTargetRefused, Field: target + " " + field, Detail: "an index template of " + m.dst.Name() + " adds a field that the source does not have, whose type could become another there", Fix: "change the template's patterns, or choose another name"}
	}
	if now, err := m.routingShards(ctx, m.dst, target); err != nil || now != routing || all[0].shards != s.shards {
		return found{}, fmt.Errorf("create %s on %s: it has other shards than the source (%d of %d, not %d of %d): %w", target, m.dst.Name(), all[0].shards, now, s.shards, routing, errOr(err, ErrTargetChanged))
	}
	return all[0], nil
}

// createPatience bounds how long the answer to the creation of an index is awaited.
const createPatience = time.Minute

// sendCreate sends the creation of an index and waits for its answer even if the
// caller is told to stop meanwhile: the cluster goes on with it, and whoever then
// removes what the move has made would not find what is not there yet. The lease is
// looked at last: what was read of the clusters may have taken long enough for another
// driver to have used that name, and the index under it may be gone again.
func (m *Mover) sendCreate(ctx context.Context, target string, body any) (code int, kind string, err error) {
	if err := m.opt.Lease(); err != nil {
		return 0, "", err
	}
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), createPatience)
	defer cancel()
	before := m.creating.Swap(true)
	err = m.change(bound, m.dst, http.MethodPut, "/"+esc(target), query("wait_for_active_shards", "1"), body, nil)
	code, kind = status(err)
	if err == nil || upstream.NotSent(err) || code != 0 && code < http.StatusInternalServerError {
		m.creating.Store(before)
	}
	return code, kind, err
}

// Creating reports whether a request to create an index was sent whose outcome is
// not known: the index may still come into being.
func (m *Mover) Creating() bool { return m.creating.Load() }

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func orEmpty(b json.RawMessage) []byte {
	if len(b) == 0 {
		return []byte("{}")
	}
	return b
}

// routingShards reads how many hash slots the index divides its ids into.
func (m *Mover) routingShards(ctx context.Context, c *upstream.Client, index string) (int, error) {
	var st struct {
		Metadata struct {
			Indices map[string]struct {
				N int `json:"routing_num_shards"`
			} `json:"indices"`
		} `json:"metadata"`
	}
	q := query("filter_path", "metadata.indices.*.routing_num_shards")
	if err := m.read(ctx, c, http.MethodGet, "/_cluster/state/metadata/"+esc(index), q, nil, &st); err != nil {
		return 0, fmt.Errorf("read the routing shards of %s on %s: %w", index, c.Name(), err)
	}
	n := st.Metadata.Indices[index].N
	if n <= 0 {
		return 0, fmt.Errorf("read the routing shards of %s on %s: the answer has none", index, c.Name())
	}
	return n, nil
}

// Ready gives the target, before the cutover, what takes time: the source's
// replicas, refresh interval, gc_deletes, whatever setting changed since, and its mapping
// as it is. Its refreshes merge nothing from here on. It waits a bounded time for new
// replicas to start.
func (m *Mover) Ready(ctx context.Context) error {
	if _, err := m.SyncMeta(ctx); err != nil {
		return err
	}
	if m.into != nil {
		return m.readyInto(ctx)
	}
	if m.narrows() { // no round sees an alias that was added
		if _, err := m.sources(ctx); err != nil {
			return err
		}
	}
	idx, err := m.indices()
	if err != nil {
		return err
	}
	err = m.set(ctx, func(i Index) (map[string]any, error) {
		src, err := m.describe(ctx, m.src, i.Source)
		if err != nil {
			return nil, err
		}
		if len(src) != 1 {
			return nil, fmt.Errorf("index %s: %w", i.Source, ErrSourceChanged)
		}
		if err := m.checkPipelines(ctx, src); err != nil { // the tenant may have named another one since Prepare
			return nil, err
		}
		set := likeSource(src[0], setReplicas, setRefresh, setExpand, setGC)
		set[setFloor] = pauseFloor
		if _, ok := m.old(i.TargetUUID); ok { // whatever has set these since; clients are to write here
			set["index.blocks.write"], set[setFinal] = nil, nil
		}
		return set, nil
	})
	if err != nil {
		return fmt.Errorf("restore the settings of the target: %w", err)
	}
	if err := m.thaw(ctx); err != nil {
		return err
	}
	for _, i := range idx {
		q := query("wait_for_no_initializing_shards", "true", "timeout", "30s")
		err := m.read(ctx, m.dst, http.MethodGet, "/_cluster/health/"+esc(i.Target), q, nil, nil)
		if code, _ := status(err); code == http.StatusRequestTimeout {
			m.log.WarnContext(ctx, "replicas of the target have not started yet", "index", i.Target)
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for %s on %s: %w", i.Target, m.dst.Name(), err)
		}
	}
	return nil
}

package mover

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// marker is the alias that tells a target index which this move created. It is
// part of the request that creates the index, so there is never one without.
// A shared target, which it did not, is marked by another name: nothing that is found by
// the first may be taken for the move's to delete.
func (m *Mover) marker() string {
	if m.into != nil {
		return m.prefix() + "shared"
	}
	return placement.ReservedPrefix + "move-" + m.spec.Move
}

// ownAlias reports whether an alias is one of Sluice's, of whatever move.
func ownAlias(name string) bool { return strings.HasPrefix(name, placement.ReservedPrefix) }

// many reports whether the tenant has whichever indices there are, and may create
// some at any time.
func (m *Mover) many() bool {
	return m.spec.From.Kind == placement.DedicatedCluster || m.spec.From.Many()
}

// targetName returns where a source index goes.
func (m *Mover) targetName(source string) string {
	if m.spec.To.Kind == placement.DedicatedIndex && !m.spec.To.Many() {
		return m.spec.To.Index
	}
	target, err := m.spec.To.Physical(m.logicalName(source))
	if err != nil {
		return source // of a data stream, which is refused
	}
	return target
}

// logicalName returns what clients call a source index.
func (m *Mover) logicalName(source string) string {
	logical, _ := m.spec.From.LogicalOf(source)
	return logical
}

// targetAlias returns the target's name for an alias of the source. One that the
// tenant's clients can name is an index to them, and stays it.
func (m *Mover) targetAlias(alias string) string {
	if !m.many() {
		return alias
	}
	if logical, ok := m.spec.From.LogicalOf(alias); ok {
		if target, err := m.spec.To.Physical(logical); err == nil {
			return target
		}
	}
	return alias
}

// version asks a cluster for its version.
func (m *Mover) version(ctx context.Context, c *upstream.Client, field string) (string, error) {
	var hello struct {
		Version struct {
			Number       string `json:"number"`
			Distribution string `json:"distribution"`
		} `json:"version"`
	}
	if err := c.JSON(ctx, http.MethodGet, "/", nil, nil, &hello); err != nil {
		return "", &RefusedError{Code: CodeUnreachable, Field: field, Detail: fmt.Sprintf("cluster %s does not answer", c.Name()), Fix: "check its endpoints and credentials", Err: err}
	}
	if hello.Version.Distribution != "opensearch" {
		return "", &RefusedError{Code: CodeVersion, Field: field, Detail: fmt.Sprintf("cluster %s is not OpenSearch but %q %s", c.Name(), hello.Version.Distribution, hello.Version.Number), Fix: "use an OpenSearch cluster"}
	}
	return hello.Version.Number, nil
}

func majorMinor(v string) (major, minor int) {
	p := strings.SplitN(v, ".", 3)
	major, _ = strconv.Atoi(p[0])
	if len(p) > 1 {
		minor, _ = strconv.Atoi(p[1])
	}
	return major, minor
}

// checkVersions refuses a target of an older major version: it could lack field
// types and settings of the source, and its documents could not go back.
func (m *Mover) checkVersions(ctx context.Context) (a, b string, err error) {
	if a, err = m.version(ctx, m.src, "from.cluster"); err != nil {
		return a, b, err
	}
	if b, err = m.version(ctx, m.dst, "to.cluster"); err != nil {
		return a, b, err
	}
	am, _ := majorMinor(a)
	bm, _ := majorMinor(b)
	if bm < am {
		return a, b, &RefusedError{Code: CodeVersion, Field: "to.cluster", Detail: fmt.Sprintf("%s runs %s, older than %s of %s", m.dst.Name(), b, a, m.src.Name()), Fix: "move to a cluster of the same or a newer major version"}
	}
	return a, b, nil
}

// checkSourceIndex refuses what cannot be copied without loss.
func (m *Mover) checkSourceIndex(f found) error {
	if f.dataStream != "" {
		return &RefusedError{Code: CodeDataStream, Field: f.name, Detail: "it belongs to the data stream " + f.dataStream, Fix: "data streams cannot be moved"}
	}
	if f.settings["index.verified_before_close"] == "true" {
		return &RefusedError{Code: CodeSourceClosed, Field: f.name, Detail: "the index is closed, so it cannot be read", Fix: "open it, or delete it if nothing needs it"}
	}
	for _, b := range []string{"write", "read_only", "read_only_allow_delete", "read", "metadata"} {
		if v := f.settings["index.blocks."+b]; v == "true" {
			return &RefusedError{Code: CodeSourceBlocked, Field: f.name + " index.blocks." + b, Detail: "the index is blocked", Fix: "remove the block, or leave the index where it is"}
		}
	}
	return sourceKept(f, "leave it where it is: what is written while it moves has to be read back, by whichever way it is copied")
}

// sourceKept refuses an index whose documents cannot be read back as they were written.
func sourceKept(f found, fix string) error {
	var mp struct {
		Source struct {
			Enabled  *bool    `json:"enabled"`
			Includes []string `json:"includes"`
			Excludes []string `json:"excludes"`
		} `json:"_source"`
	}
	if err := json.Unmarshal(f.mappings, &mp); err != nil {
		return fmt.Errorf("read the mapping of %s: %w", f.name, err)
	}
	switch {
	case mp.Source.Enabled != nil && !*mp.Source.Enabled:
		return &RefusedError{Code: CodeSourceDisabled, Field: f.name + " _source", Detail: "_source is disabled, so documents cannot be read back", Fix: fix}
	case len(mp.Source.Includes)+len(mp.Source.Excludes) > 0:
		return &RefusedError{Code: CodeSourceDisabled, Field: f.name + " _source", Detail: "_source leaves fields out, which a copy would lose", Fix: fix}
	}
	return nil
}

// checkTarget refuses a target that holds something, unless this move created
// it. It returns the target's indices by name.
func (m *Mover) checkTarget(ctx context.Context, sources []found) (map[string]found, error) {
	have := map[string]found{}
	if err := m.checkEmpty(ctx); err != nil {
		return nil, err
	}
	for _, s := range sources {
		t := m.targetName(s.name)
		all, err := m.describe(ctx, m.dst, t)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			continue
		}
		f := all[0]
		if len(all) > 1 || f.name != t {
			return nil, &RefusedError{Code: CodeTargetExists, Field: "to.index", Detail: fmt.Sprintf("%s is an alias on %s", t, m.dst.Name()), Fix: "choose another index name"}
		}
		have[t] = f
		if _, own := f.aliases[m.marker()]; !own {
			return nil, m.refuseExisting(ctx, t)
		}
	}
	return have, nil
}

// checkEmpty refuses a target cluster, or pattern, that is to belong to the partition
// alone and holds indices of others: after the flip the tenant would see them.
func (m *Mover) checkEmpty(ctx context.Context) error {
	pattern := "*"
	switch {
	case m.spec.To.Many():
		pattern = m.spec.To.Index
	case m.spec.To.Kind != placement.DedicatedCluster:
		return nil
	}
	all, err := m.describe(ctx, m.dst, pattern)
	if err != nil {
		return err
	}
	for _, f := range all {
		if _, own := f.aliases[m.marker()]; !own && !m.spec.To.Matches(f.name) {
			return &RefusedError{Code: CodeAliasConflict, Field: "to.index", Detail: fmt.Sprintf("an alias of index %s on %s fits %s, so the tenant would reach it", f.name, m.dst.Name(), pattern), Fix: "remove or rename the alias, or choose another pattern"}
		}
		if _, left := m.old(f.uuid); left {
			continue
		}
		if _, own := f.aliases[m.marker()]; !own && !strings.HasPrefix(f.name, ".") {
			return m.refuseExisting(ctx, f.name)
		}
	}
	return nil
}

// refuseExisting says why an index that somebody else made stops the move. An
// empty one does too: somebody made it for something, and its mapping is not
// the source's.
func (m *Mover) refuseExisting(ctx context.Context, index string) error {
	var n struct{ Count int64 }
	err := m.read(ctx, m.dst, http.MethodGet, "/"+esc(index)+"/_count", nil, nil, &n)
	if closed(err) {
		return &RefusedError{Code: CodeTargetExists, Field: "to.index", Detail: fmt.Sprintf("index %s exists on %s, closed, and this move did not create it", index, m.dst.Name()), Fix: "choose another target, or delete the index if nothing needs it"}
	}
	if err != nil {
		return fmt.Errorf("count the documents of %s on %s: %w", index, m.dst.Name(), err)
	}
	return &RefusedError{Code: CodeTargetExists, Field: "to.index", Detail: fmt.Sprintf("index %s exists on %s with %d documents, and this move did not create it", index, m.dst.Name(), n.Count), Fix: "choose another target, or delete the index if nothing needs it"}
}

// tenantAliases returns the aliases that the tenant's index has of its own. Those of
// an index that is shared are its operator's, and stay.
func tenantAliases(f found) map[string]json.RawMessage {
	out := maps.Clone(f.aliases)
	maps.DeleteFunc(out, func(k string, _ json.RawMessage) bool { return ownAlias(k) })
	return out
}

// checkAliases refuses an alias of the source whose name the target cluster
// already uses for something else: adding to it would mix two tenants.
func (m *Mover) checkAliases(ctx context.Context, sources []found) error {
	targets := map[string]bool{}
	for _, s := range sources {
		targets[m.targetName(s.name)] = true
	}
	for _, s := range sources {
		for _, a := range slices.Sorted(maps.Keys(tenantAliases(s))) {
			a = m.targetAlias(a)
			if targets[a] {
				return &RefusedError{Code: CodeAliasConflict, Field: "to.index", Detail: fmt.Sprintf("%s is an alias of the source and cannot be the name of an index too", a), Fix: "choose another index name, or remove the alias"}
			}
			all, err := m.describe(ctx, m.dst, a)
			if err != nil {
				return err
			}
			for _, f := range all {
				if !targets[f.name] {
					return &RefusedError{Code: CodeAliasConflict, Field: "alias " + a, Detail: fmt.Sprintf("the source's alias is in use on %s, by index %s", m.dst.Name(), f.name), Fix: "remove or rename one of the two"}
				}
			}
		}
	}
	return nil
}

// templated reports which of the names an index template of the target matches:
// it would add to the mapping.
func (m *Mover) templated(ctx context.Context, sources []found) ([]string, error) {
	var out []string
	for _, s := range sources {
		var ans []byte
		t := m.targetName(s.name)
		if err := m.read(ctx, m.dst, http.MethodPost, "/_index_template/_simulate_index/"+esc(t), nil, nil, &ans); err != nil {
			return nil, fmt.Errorf("look for templates of %s on %s: %w", t, m.dst.Name(), err)
		}
		if !bytes.Equal(bytes.TrimSpace(ans), []byte("{}")) {
			out = append(out, t)
		}
	}
	return out, nil
}

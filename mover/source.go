package mover

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// found is an index as a cluster describes it.
type found struct {
	name       string
	uuid       string
	shards     int
	settings   map[string]string // flat, as given: no defaults
	mappings   json.RawMessage
	aliases    map[string]json.RawMessage
	dataStream string
}

// expand says what a pattern matches: open and closed indices, and hidden ones only
// if all that match belong to the tenant, as those of a cluster do not.
func (m *Mover) expand(pattern string) string {
	if m.spec.From.Many() && strings.Contains(pattern, "*") {
		return "open,closed,hidden"
	}
	return "open,closed"
}

// describe reads indices by name, alias or pattern.
func (m *Mover) describe(ctx context.Context, c *upstream.Client, pattern string) ([]found, error) {
	var info map[string]struct {
		Aliases    map[string]json.RawMessage `json:"aliases"`
		Mappings   json.RawMessage            `json:"mappings"`
		Settings   map[string]json.RawMessage `json:"settings"`
		DataStream string                     `json:"data_stream"`
	}
	q := query("flat_settings", "true", "expand_wildcards", m.expand(pattern), "ignore_unavailable", "true", "allow_no_indices", "true")
	if err := m.read(ctx, c, http.MethodGet, "/"+esc(pattern), q, nil, &info); err != nil {
		return nil, fmt.Errorf("describe %s on %s: %w", pattern, c.Name(), err)
	}
	var all []found
	for _, name := range slices.Sorted(maps.Keys(info)) {
		i := info[name]
		f := found{name: name, settings: map[string]string{}, mappings: i.Mappings, aliases: i.Aliases, dataStream: i.DataStream}
		for k, v := range i.Settings {
			f.settings[k] = settingText(v)
		}
		f.uuid = f.settings["index.uuid"]
		n, err := strconv.Atoi(f.settings["index.number_of_shards"])
		if err != nil || f.uuid == "" {
			return nil, fmt.Errorf("describe %s on %s: the answer has no uuid or number of shards", name, c.Name())
		}
		f.shards = n
		all = append(all, f)
	}
	return all, nil
}

// settingText returns a setting as text: a string as it is, a list as JSON.
func settingText(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// settingValue is the inverse of settingText.
func settingValue(s string) any {
	if strings.HasPrefix(s, "[") && json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	return s
}

// stays reports whether the index of a dedicated cluster is the cluster's own, or
// does not fit the tenant's pattern. What is behind a data stream has such a name
// too, but is the tenant's.
func (m *Mover) stays(f found) bool {
	if m.spec.From.Many() {
		return !m.spec.From.Matches(f.name) && !(f.dataStream != "" && m.spec.From.Matches(f.dataStream))
	}
	return f.dataStream == "" && (strings.HasPrefix(f.name, ".") || f.settings["index.hidden"] == "true")
}

// sources describes what the placement holds at A now. Hidden and system
// indices (a name that begins with a dot) of a dedicated cluster are the
// cluster's own and stay where they are. Of a pattern everything moves that matches
// it, and what could not be named at the target is refused.
func (m *Mover) sources(ctx context.Context) ([]found, error) {
	all, err := m.present(ctx)
	if err != nil {
		return nil, err
	}
	return m.judged(ctx, all)
}

// present describes what A has under the name of the placement.
func (m *Mover) present(ctx context.Context) ([]found, error) {
	switch {
	case m.spec.From.Many():
		return m.describe(ctx, m.src, m.spec.From.Index)
	case m.many():
		return m.describe(ctx, m.src, "*")
	}
	return m.describe(ctx, m.src, m.spec.From.Index)
}

// judged makes of what is present what the tenant has there, or refuses it.
func (m *Mover) judged(ctx context.Context, all []found) ([]found, error) {
	if m.many() {
		all = slices.DeleteFunc(slices.Clone(all), m.stays)
		if err := m.checkSole(all); err != nil {
			return all, err
		}
		return all, m.checkNames(all)
	}
	if len(all) == 0 {
		return nil, &RefusedError{Code: CodeSourceMissing, Field: "from.index", Detail: fmt.Sprintf("%s has no index %s", m.src.Name(), m.spec.From.Index), Fix: "check the placement"}
	}
	if all[0].dataStream != "" {
		return nil, m.checkSourceIndex(all[0])
	}
	if len(all) != 1 || all[0].name != m.spec.From.Index {
		return nil, &RefusedError{Code: CodeSourceMissing, Field: "from.index", Detail: fmt.Sprintf("%s is not an index of %s, but an alias", m.spec.From.Index, m.src.Name()), Fix: "place the partition on the index itself"}
	}
	if m.tenant == nil {
		return all, nil
	}
	if err := m.checkShared(ctx); err != nil {
		return nil, err
	}
	f, err := m.lift(all[0])
	return []found{f}, err
}

// checkNames refuses indices under a pattern that no client can name, which a flip
// would make searchable or not as the pattern of the target is, and what would have
// no name there: it would be too long.
func (m *Mover) checkNames(all []found) error {
	for _, f := range all {
		if f.dataStream != "" {
			continue // is refused as what it is
		}
		logical, ok := m.spec.From.LogicalOf(f.name)
		if !ok {
			return &RefusedError{Code: CodeUnsupported, Field: f.name, Detail: "it fits the pattern of the tenant, whose clients cannot name it", Fix: "copy it to another name, or delete it if nothing needs it"}
		}
		if _, err := m.spec.To.Physical(logical); err != nil {
			return &RefusedError{Code: CodeTargetRefused, Field: f.name, Detail: "its name under the pattern of the target is none", Fix: "choose a shorter pattern, or copy it to another name", Err: err}
		}
		for _, a := range slices.Sorted(maps.Keys(tenantAliases(f))) {
			if name, ok := m.spec.From.LogicalOf(a); ok {
				if _, err := m.spec.To.Physical(name); err != nil {
					return &RefusedError{Code: CodeTargetRefused, Field: "alias " + a, Detail: "its name under the pattern of the target is none", Fix: "choose a shorter pattern, or remove the alias", Err: err}
				}
			}
		}
	}
	return nil
}

// CheckSource returns an error unless the source has exactly the indices, by
// UUID, that the move knows: ErrSourceAdded if there is a new one in a dedicated
// cluster or a pattern, ErrSourceChanged if one is gone or another.
func (m *Mover) CheckSource(ctx context.Context) error {
	idx, err := m.indices()
	if err != nil {
		return err
	}
	if err := m.sameSource(ctx, idx); err != nil {
		return err
	}
	if !m.many() {
		return nil
	}
	now, err := m.sources(ctx)
	if err != nil {
		return err
	}
	for _, f := range now {
		if !slices.ContainsFunc(idx, func(i Index) bool { return i.Source == f.name }) {
			return fmt.Errorf("index %s: %w", f.name, ErrSourceAdded)
		}
	}
	return nil
}

// sameSource compares the UUIDs of A's indices with those that were recorded.
func (m *Mover) sameSource(ctx context.Context, idx []Index) error {
	uuids, err := m.uuids(ctx, m.src, names(idx, sourceName))
	if err != nil {
		return err
	}
	for _, i := range idx {
		if uuids[i.Source] != i.SourceUUID {
			return fmt.Errorf("index %s: %w", i.Source, ErrSourceChanged)
		}
	}
	return nil
}

func names(idx []Index, f func(Index) string) []string {
	out := make([]string, len(idx))
	for i := range idx {
		out[i] = f(idx[i])
	}
	return out
}

// uuids returns the UUID of each named index that exists; an alias of that name
// is not one.
func (m *Mover) uuids(ctx context.Context, c *upstream.Client, names []string) (map[string]string, error) {
	out := map[string]string{}
	q := query("flat_settings", "true", "ignore_unavailable", "true", "allow_no_indices", "true")
	for part := range lists(names) {
		var s map[string]struct {
			Settings map[string]json.RawMessage `json:"settings"`
		}
		if err := m.read(ctx, c, http.MethodGet, "/"+joined(part)+"/_settings/index.uuid", q, nil, &s); err != nil {
			return nil, fmt.Errorf("read the uuids of %d indices on %s: %w", len(part), c.Name(), err)
		}
		for _, n := range part {
			if i, ok := s[n]; ok {
				out[n] = settingText(i.Settings["index.uuid"])
			}
		}
	}
	return out, nil
}

// lists cuts names into lists that fit in a URL: OpenSearch takes 4,096 bytes.
func lists(names []string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for len(names) > 0 {
			n, size := 1, len(esc(names[0]))
			for n < len(names) && size+len(esc(names[n])) < 3000 {
				size += len(esc(names[n])) + 1
				n++
			}
			if !yield(names[:n]) {
				return
			}
			names = names[n:]
		}
	}
}

// joined is a list of names for a path.
func joined(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = esc(n)
	}
	return strings.Join(out, ",")
}

// indices returns the move's indices, or an error when there are none to know of.
func (m *Mover) indices() ([]Index, error) {
	idx := m.Indexes()
	if len(idx) == 0 && !m.many() {
		return nil, fmt.Errorf("the move has not been prepared: call Prepare or Use first")
	}
	return idx, nil
}

// RefreshSource refreshes A, so that what was written is seen by a scan.
func (m *Mover) RefreshSource(ctx context.Context) error {
	return m.refresh(ctx, m.src, func(i Index) string { return i.Source })
}

// RefreshTarget refreshes B.
func (m *Mover) RefreshTarget(ctx context.Context) error {
	defer m.rates.since(func(r *Rates) *time.Duration { return &r.Refresh })()
	return m.refresh(ctx, m.dst, func(i Index) string { return i.Target })
}

func (m *Mover) refresh(ctx context.Context, c *upstream.Client, name func(Index) string) error {
	idx, err := m.indices()
	if err != nil {
		return err
	}
	for part := range lists(names(idx, name)) {
		if err := m.refreshOne(ctx, c, part...); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mover) refreshOne(ctx context.Context, c *upstream.Client, index ...string) error {
	var ans struct {
		Shards struct{ Failed int } `json:"_shards"`
	}
	if err := m.read(ctx, c, http.MethodPost, "/"+joined(index)+"/_refresh", nil, nil, &ans); err != nil {
		return fmt.Errorf("refresh %s on %s: %w", index, c.Name(), err)
	}
	if ans.Shards.Failed > 0 {
		return fmt.Errorf("refresh %s on %s: %d shards failed", index, c.Name(), ans.Shards.Failed)
	}
	return nil
}

package mover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// A tenant that leaves a shared index. Its documents are found by the filter on the
// partition field, and become at B what its clients wrote: their _id, routing and
// bytes. References, in journals and in a Diff, are the clients' on both sides.
//
// The source belongs to the others as much as to this tenant, so nothing of it is
// changed before the flip, and nothing but this tenant's documents after it: no
// block, no setting, no alias. What a block does for an index of one's own is done
// otherwise, or was never relied on:
//
//   - That no write of this tenant's is under way when A is read for the last time is
//     shown by the barrier alone, as ever: every proxy has said that it has none. A
//     write that a proxy has lost sight of (a killed one, an unknown outcome) is
//     waited out for the drain barrier, as ever. The fence has no part in that: it is
//     set after the flip, when nothing reads A any more.
//   - Who writes around the proxies before the cutover is found by the comparison of
//     all ids and versions, as ever. It sees this tenant's documents only.
//   - Who does so after the flip is not refused by A, as a fenced index would do. It
//     is found: every write to a shard has a higher sequence number than those before
//     it, so a document of the tenant's above what Seal has noted was written since,
//     and one that was only deleted is missing in the count that Fence has noted.
//     Both are looked at before anything is deleted, and nothing that was written
//     since the flip ever is.
//   - The attempt's own safety (see the package doc) concerns B; for one that is shared
//     as well, see into.go.
//
// What cannot be had without stopping the others is a comparison that stands still:
// a move whose proxies hold no sessions, or whose journals do not name what is
// written, needs that, and is refused: by package control, and by checkShared.

// where matches the documents of the source that are moved.
func (m *Mover) where() map[string]any {
	if m.tenant == nil {
		return everything
	}
	return map[string]any{"bool": map[string]any{"filter": []any{json.RawMessage(m.tenant.Filter())}}}
}

// whereSeq is where, in one range of sequence numbers.
func (m *Mover) whereSeq(op string, n int64) map[string]any {
	return map[string]any{"bool": map[string]any{"filter": []any{json.RawMessage(m.tenant.Filter()), map[string]any{"range": map[string]any{"_seq_no": map[string]any{op: n}}}}}}
}

// checkShared refuses a source that is not shared any more as it was when its
// tenants were added: a pipeline could write what no journal names, and a mapping
// could hide a document from the filter.
func (m *Mover) checkShared(ctx context.Context) error {
	var raw []byte
	if err := m.read(ctx, m.src, http.MethodGet, "/"+esc(m.spec.From.Index), nil, nil, &raw); err != nil {
		return fmt.Errorf("describe %s on %s: %w", m.spec.From.Index, m.src.Name(), err)
	}
	var refused *shared.RefusedError
	if err := shared.CheckIndex(raw, m.spec.From.Index, m.spec.From.PartitionField); errors.As(err, &refused) {
		return &RefusedError{Code: CodeUnsupported, Field: "from.index", Detail: "the shared index does not keep its tenants apart: " + refused.Reason, Fix: "set that right first"}
	} else if err != nil {
		return err
	}
	return nil
}

// lift makes of a shared index what an index of the tenant's own is to have: the
// mapping without the partition field, and without _routing, whose demand the proxy
// met for the clients; not how a routing is spread over shards, nor a sort by the
// field; and none of the aliases, which are its operator's. Anything else of it comes
// back as it is, an index that is not shared whole.
func (m *Mover) lift(f found) (found, error) {
	if m.tenant == nil {
		return f, nil
	}
	var mapping, properties map[string]json.RawMessage
	if err := json.Unmarshal(orEmpty(f.mappings), &mapping); err != nil {
		return f, fmt.Errorf("read the mapping of %s: %w", f.name, err)
	}
	delete(mapping, "_routing")
	if p, ok := mapping["properties"]; ok {
		if err := json.Unmarshal(p, &properties); err != nil {
			return f, fmt.Errorf("read the mapping of %s: %w", f.name, err)
		}
		delete(properties, m.tenant.Field())
		p, err := json.Marshal(properties)
		if err != nil {
			return f, err
		}
		if mapping["properties"] = p; len(properties) == 0 {
			delete(mapping, "properties") // a cluster does not show an empty one
		}
	}
	var err error
	if f.mappings, err = json.Marshal(mapping); err != nil {
		return f, err
	}
	f.aliases = maps.Clone(f.aliases)
	maps.DeleteFunc(f.aliases, func(name string, _ json.RawMessage) bool { return !ownAlias(name) })
	f.settings = liftedSettings(f.settings, m.tenant.Field())
	return f, nil
}

// liftedSettings are the settings without what speaks of the field, or of routings.
func liftedSettings(in map[string]string, field string) map[string]string {
	out := maps.Clone(in)
	delete(out, "index.routing_partition_size")
	sorted := settingList(out["index.sort.field"])
	at := slices.Index(sorted, field)
	if at < 0 {
		return out
	}
	for k, v := range out {
		if !strings.HasPrefix(k, "index.sort.") {
			continue
		}
		if list := settingList(v); len(list) == len(sorted) && len(list) > 1 {
			list = slices.Delete(list, at, at+1)
			b, err := json.Marshal(list)
			if err == nil { // strings always encode
				out[k] = string(b)
			}
			continue
		}
		delete(out, k)
	}
	return out
}

// settingList reads a setting that is one value or a list of them.
func settingList(setting string) []string {
	var list []string
	if json.Unmarshal([]byte(setting), &list) == nil {
		return list
	}
	return []string{setting}
}

// written turns documents of a shared index, as scans find them, into what the tenant
// wrote. One with the tenant's mark but not its prefix was written by somebody else.
func written(tenant *shared.Tenant, hits []doc) ([]doc, error) {
	if tenant == nil {
		return hits, nil
	}
	for k := range hits {
		if err := unmark(tenant, &hits[k]); err != nil {
			return nil, err
		}
	}
	return hits, nil
}

func unmark(tenant *shared.Tenant, d *doc) error {
	foreign := func(detail string) error {
		return &RefusedError{Code: CodeDocument, Field: d.Index, Detail: "a document of the tenant's is not as a proxy writes it: " + detail, Fix: "find out who writes to the shared index around the proxies, and remove or correct that document"}
	}
	id, mine := tenant.ClientID(d.ID)
	routing, too := tenant.ClientRouting(d.Routing)
	if !mine || !too {
		return foreign("its _id or its routing has not the tenant's prefix")
	}
	d.ID, d.Routing = id, routing
	if len(d.Source) == 0 {
		return nil // was not asked for, or is refused where it is needed
	}
	source, err := tenant.Original(nil, d.Source)
	if err != nil {
		var refused *shared.RefusedError
		if errors.As(err, &refused) {
			return foreign(refused.Reason)
		}
		return foreign("its source is " + shared.ErrSyntax.Error()) // no content in errors
	}
	d.Source = source
	return nil
}

// fetchSource reads documents of the move at A, one for each target. If a side is
// shared the document must be of that very routing: others can be on its shard
// there, and on another shard at B.
func (m *Mover) fetchSource(ctx context.Context, idx []Index, ts []target, what detail) ([]doc, error) {
	g := gets(idx, ts, sourceName)
	if m.tenant == nil {
		if m.scattered() {
			what = max(what, routed)
		}
		docs, err := m.fetch(ctx, m.src, g, what)
		for k := range docs {
			docs[k].Found = docs[k].Found && (!m.scattered() || docs[k].Routing == ts[k].routing)
		}
		return docs, err
	}
	for k, t := range ts {
		id, err := m.tenant.ID(t.id)
		if err != nil {
			return nil, fmt.Errorf("get documents from %s: %w", m.src.Name(), err)
		}
		g[k].id, g[k].routing = id, m.tenant.Routing(t.routing)
	}
	docs, err := m.fetch(ctx, m.src, g, max(what, routed))
	if err != nil {
		return nil, err
	}
	for k := range docs {
		d := &docs[k]
		if d.Found && d.Routing != g[k].routing {
			d.Found = false
		}
		if d.Found {
			if err := unmark(m.tenant, d); err != nil {
				return nil, err
			}
		}
	}
	return docs, nil
}

// fetchTarget is fetchSource for B.
func (m *Mover) fetchTarget(ctx context.Context, idx []Index, ts []target, what detail) ([]doc, error) {
	g := gets(idx, ts, targetName)
	if err := m.physical(g); err != nil {
		return nil, err
	}
	for k := range g {
		if m.into != nil {
			g[k].routing = m.into.Routing(ts[k].routing)
		}
	}
	if m.scattered() {
		what = max(what, routed)
	}
	docs, err := m.fetch(ctx, m.dst, g, what)
	if err != nil || !m.scattered() {
		return docs, err
	}
	for k := range docs {
		d := &docs[k]
		if d.Found = d.Found && d.Routing == g[k].routing; d.Found && m.into != nil {
			if err := unmark(m.into, d); err != nil {
				return nil, err
			}
		}
	}
	return docs, nil
}

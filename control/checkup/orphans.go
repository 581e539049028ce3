package checkup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// Documents in a shared index of tenants that have no place there.

// pool is a shared index by its partition field.
type pool struct{ index, field string }

// pools are the shared indices of a cluster that the table speaks of.
func (l *look) pools(cluster string) []pool {
	var out []pool
	note := func(p placement.Placement) {
		if x := (pool{p.Index, p.PartitionField}); p.Kind == placement.SharedIndex && p.Cluster == cluster && !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	for _, e := range l.entries {
		for _, p := range []placement.Placement{e.State.From, e.State.To, e.Previous} {
			note(p)
		}
	}
	for _, m := range l.moves { // also of tenants that have left
		note(m.Value.From)
		note(m.Value.To)
	}
	slices.SortFunc(out, func(a, b pool) int { return strings.Compare(a.index+"\x00"+a.field, b.index+"\x00"+b.field) })
	return out
}

// placed reports whether a tenant has, or will have, documents in the index.
func (l *look) placed(id placement.PartitionID, cluster, index string) bool {
	in := func(p placement.Placement) bool { return !p.IsZero() && p.Cluster == cluster && p.Matches(index) }
	e, ok := l.entries[id]
	if l.unread[id] || ok && (in(e.State.From) || in(e.State.To) || in(e.Previous)) {
		return true
	}
	for _, m := range l.moves {
		if m.Value.Partition == id && !m.Value.Terminal() && (in(m.Value.From) || in(m.Value.To)) {
			return true
		}
	}
	return false
}

// checkShared counts the documents of each tenant in each shared index.
func (l *look) checkShared(ctx context.Context, c placement.Cluster, client *upstream.Client, all map[string]index) error {
	for _, p := range l.pools(c.Name) {
		i, ok := all[p.index]
		if !ok {
			continue
		}
		held, whole, err := l.x.count(ctx, client, p)
		if err != nil {
			return fmt.Errorf("count the tenants of %s: %w", p.index, err)
		}
		for id, docs := range held {
			if l.placed(placement.PartitionID(id), c.Name, p.index) {
				continue
			}
			subject := Subject{"documents", c.Name + "/" + p.index + "/" + id}
			l.add("orphan_documents", subject, fmt.Sprintf("%d documents", docs), func(ctx context.Context) (string, error) {
				return l.deleteOrphans(ctx, c, p, i, placement.PartitionID(id), subject)
			})
		}
		if !whole {
			l.add("cluster_unreachable", Subject{"index", c.Name + "/" + p.index}, fmt.Sprintf("it has more than %d tenants, and the rest was not counted", l.x.opt.Values), nil)
		}
	}
	return nil
}

// count returns the number of documents by tenant, as far as a refresh has made them
// visible. whole is false when there are more tenants than are looked at.
func (x *examiner) count(ctx context.Context, c *upstream.Client, p pool) (held map[string]int64, whole bool, err error) {
	held = map[string]int64{}
	var after any
	for len(held) < x.opt.Values {
		source := map[string]any{"size": 1000, "sources": []any{map[string]any{"tenant": map[string]any{"terms": map[string]any{"field": p.field}}}}}
		if after != nil {
			source["after"] = after
		}
		var ans struct {
			Aggregations struct {
				Tenants struct {
					After   map[string]any `json:"after_key"`
					Buckets []struct {
						Key struct {
							Tenant string `json:"tenant"`
						} `json:"key"`
						Docs int64 `json:"doc_count"`
					} `json:"buckets"`
				} `json:"tenants"`
			} `json:"aggregations"`
		}
		body := map[string]any{"size": 0, "track_total_hits": false, "aggs": map[string]any{"tenants": map[string]any{"composite": source}}}
		if err := x.ask(ctx, c, http.MethodPost, "/"+url.PathEscape(p.index)+"/_search", nil, body, &ans); err != nil {
			return nil, false, err
		}
		for _, b := range ans.Aggregations.Tenants.Buckets {
			held[b.Key.Tenant] = b.Docs
		}
		if len(ans.Aggregations.Tenants.Buckets) == 0 || ans.Aggregations.Tenants.After == nil {
			return held, true, nil
		}
		after = ans.Aggregations.Tenants.After
	}
	return held, false, nil
}

// orphanBatch is how many documents one request deletes at most, so that none takes long.
const orphanBatch = 5000

// deleteOrphans deletes the documents of a tenant that has no place in the index. The
// shards' newest sequence numbers are read before the last look at the table: a tenant
// that is added after that look writes above them, and what is above them stays.
func (l *look) deleteOrphans(ctx context.Context, c placement.Cluster, p pool, i index, id placement.PartitionID, subject Subject) (string, error) {
	tenant, err := shared.New(id, p.field)
	if err != nil {
		return "", fmt.Errorf("%q is no tenant's name: delete its documents by hand: %w", string(id), err)
	}
	deleted := int64(0)
	err = l.x.with(c, func(client *upstream.Client) error {
		marks, err := l.x.marks(ctx, client, p.index)
		if err != nil {
			return err
		}
		now, err := l.again(ctx, c.Name, subject, "orphan_documents")
		if err != nil {
			return err
		}
		if now.on[c.Name][p.index].uuid != i.uuid {
			return errChanged
		}
		for shard, mark := range marks {
			n, err := l.x.deleteShard(ctx, client, p.index, shard, mark, tenant)
			if deleted += n; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("deleted %d documents", deleted), nil
}

// marks reads the newest sequence number of each primary shard.
func (x *examiner) marks(ctx context.Context, c *upstream.Client, index string) (map[string]int64, error) {
	var ans struct {
		Indices map[string]struct {
			Shards map[string][]struct {
				Routing struct{ Primary bool } `json:"routing"`
				SeqNo   struct {
					Max int64 `json:"max_seq_no"`
				} `json:"seq_no"`
			} `json:"shards"`
		} `json:"indices"`
	}
	q := url.Values{"level": {"shards"}, "filter_path": {"**.shards.*.seq_no,**.shards.*.routing.primary"}}
	if err := x.ask(ctx, c, http.MethodGet, "/"+url.PathEscape(index)+"/_stats/docs", q, nil, &ans); err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for shard, copies := range ans.Indices[index].Shards {
		for _, s := range copies {
			if s.Routing.Primary {
				out[shard] = s.SeqNo.Max
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the cluster tells no sequence numbers")
	}
	return out, nil
}

func (x *examiner) deleteShard(ctx context.Context, c *upstream.Client, index, shard string, mark int64, tenant *shared.Tenant) (int64, error) {
	path := "/" + url.PathEscape(index)
	where := map[string]any{"bool": map[string]any{"filter": []any{
		json.RawMessage(tenant.Filter()), map[string]any{"range": map[string]any{"_seq_no": map[string]any{"lte": mark}}},
	}}}
	q := url.Values{"conflicts": {"proceed"}, "preference": {"_shards:" + shard + "|_primary"}, "max_docs": {strconv.Itoa(orphanBatch)}, "refresh": {"true"}}
	for deleted := int64(0); ; {
		if err := x.ask(ctx, c, http.MethodPost, path+"/_refresh", nil, nil, nil); err != nil {
			return deleted, err
		}
		var ans struct{ Deleted, Total int64 }
		if err := x.ask(ctx, c, http.MethodPost, path+"/_delete_by_query", q, map[string]any{"query": where}, &ans); err != nil {
			return deleted, err
		}
		if deleted += ans.Deleted; ans.Deleted == 0 {
			return deleted, nil
		}
	}
}

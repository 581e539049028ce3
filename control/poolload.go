package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// countedAtOnce is how many tenants of a shared index one request counts.
const countedAtOnce = 200

// clusterLoads is the load of each index, by cluster.
type clusterLoads map[string]map[string]float64

// indicesOf are the names of a tenant's indices of its cluster, sorted. What begins with a
// dot is the cluster's own.
func (l clusterLoads) indicesOf(pl placement.Placement) (names []string) {
	for name := range l[pl.Cluster] {
		if pl.Matches(name) && name[0] != '.' {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// poolShares gives the tenants of shared indices their loads: of documents, those that
// their filter finds; of anything else, the same share of their index's load.
func poolShares(ctx context.Context, s *store.Store, unit LoadUnit, loads clusterLoads, tenants []TenantLoad) error {
	pools := map[placement.Placement][]*TenantLoad{} // by cluster, index and field
	for n := range tenants {
		t := &tenants[n]
		if _, there := loads[t.Cluster][t.place.Index]; t.place.Kind == placement.SharedIndex && there {
			key := t.place
			key.Logical = ""
			pools[key] = append(pools[key], t)
		}
	}
	clients := map[string]*upstream.Client{}
	defer func() {
		for _, u := range clients {
			u.Close()
		}
	}()
	for _, pool := range slices.SortedFunc(maps.Keys(pools), func(a, b placement.Placement) int { return strings.Compare(a.String(), b.String()) }) {
		u := clients[pool.Cluster]
		if u == nil {
			c, err := s.Clusters().Get(ctx, pool.Cluster)
			if err != nil {
				return err
			}
			if u, err = upstream.New(c.Value, nil); err != nil {
				return err
			}
			clients[pool.Cluster] = u
		}
		for part := range slices.Chunk(pools[pool], countedAtOnce) {
			all, own, err := countTenants(ctx, u, pool, part)
			if err != nil {
				return fmt.Errorf("count the tenants of %s: %w", pool, err)
			}
			for n, t := range part {
				switch t.Load = own[n]; {
				case unit != LoadDocs && all > 0:
					t.Load = loads[pool.Cluster][pool.Index] * own[n] / all
				case unit != LoadDocs:
					t.Load = 0
				}
			}
		}
	}
	return nil
}

// countTenants counts the documents of a shared index, and those of some of its tenants.
func countTenants(ctx context.Context, u *upstream.Client, pool placement.Placement, of []*TenantLoad) (all float64, own []float64, err error) {
	filters := map[string]any{}
	for n, t := range of {
		tn, err := shared.New(t.Partition, pool.PartitionField)
		if err != nil {
			return 0, nil, err
		}
		filters[strconv.Itoa(n)] = json.RawMessage(tn.Filter())
	}
	body := map[string]any{"size": 0, "track_total_hits": true, "aggs": map[string]any{"own": map[string]any{"filters": map[string]any{"filters": filters}}}}
	var ans struct {
		Shards struct{ Failed int } `json:"_shards"`
		Hits   struct {
			Total struct{ Value float64 }
		}
		Aggregations struct {
			Own struct {
				Buckets map[string]struct {
					Docs float64 `json:"doc_count"`
				}
			}
		}
	}
	if err := u.JSON(ctx, http.MethodPost, "/"+url.PathEscape(pool.Index)+"/_search", nil, body, &ans); err != nil {
		return 0, nil, err
	}
	if ans.Shards.Failed > 0 {
		return 0, nil, fmt.Errorf("%d of its shards have not answered", ans.Shards.Failed)
	}
	own = make([]float64, len(of))
	for n := range of {
		b, ok := ans.Aggregations.Own.Buckets[strconv.Itoa(n)]
		if !ok {
			return 0, nil, errors.New("the answer lacks a tenant")
		}
		own[n] = b.Docs
	}
	return ans.Hits.Total.Value, own, nil
}

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// clusterView is a cluster as programs see it.
type clusterView struct {
	placement.Cluster
	Tenants *int `json:"tenants,omitempty" doc:"How many live there, of those that can be read; when asked for."`
}

type clusterPath struct {
	Cluster string `path:"cluster" maxLength:"64"`
}

type clustersInput struct {
	PageQuery
	Tenants bool `query:"tenants" doc:"Count the tenants of each, which reads the whole table."`
}

type clusterOutput struct{ Body clusterView }

// clusterReaders are the operations that read clusters.
func (a *API) clusterReaders() {
	handle(a, huma.Operation{OperationID: "listClusters", Method: http.MethodGet, Path: "/clusters", Tags: []string{"clusters"}, Summary: "List clusters, in the order of their names"},
		Viewer, a.listClusters)
	handle(a, huma.Operation{OperationID: "getCluster", Method: http.MethodGet, Path: "/clusters/{cluster}", Tags: []string{"clusters"}, Summary: "Get a cluster"},
		Viewer, a.getCluster)
}

func (a *API) listClusters(ctx context.Context, in *clustersInput) (*pageOutput[clusterView], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	all, more, err := a.s.Clusters().Page(ctx, after, in.Limit)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	if in.Tenants {
		if _, err := a.s.Entries(ctx, func(e placement.Entry, err error) bool {
			if err == nil { // the list of tenants tells of the others
				count[e.State.From.Cluster]++
			}
			return true
		}); err != nil {
			return nil, err
		}
	}
	out := &pageOutput[clusterView]{Body: page[clusterView]{Items: []clusterView{}}}
	for _, r := range all {
		if r.Err != nil {
			out.Body.unreadable(r.Err)
			continue
		}
		v := clusterView{Cluster: r.Value}
		if in.Tenants {
			n := count[r.Name]
			v.Tenants = &n
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	if more {
		out.Body.Next = cursorOf(all[len(all)-1].Name)
	}
	return out, nil
}

func (a *API) getCluster(ctx context.Context, in *clusterPath) (*clusterOutput, error) {
	r, err := a.s.Clusters().Get(ctx, in.Cluster)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w %q", control.ErrUnknownCluster, in.Cluster)
	}
	if err != nil {
		return nil, err
	}
	return &clusterOutput{clusterView{Cluster: r.Value}}, nil
}

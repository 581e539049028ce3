package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

type addClusterInput struct {
	Change
	NoCheck bool `query:"no_check" doc:"Do not ask the cluster for its version."`
	Body    placement.Cluster
}

type setClusterInput struct {
	Change
	Cluster string `path:"cluster" maxLength:"64"`
	NoCheck bool   `query:"no_check" doc:"Do not ask the cluster for its version."`
	Body    placement.Cluster
}

type removeClusterInput struct {
	Change
	Cluster string `path:"cluster" maxLength:"64"`
}

// clusterChanges are the operations that change which clusters there are.
func (a *API) clusterChanges() {
	change(a, huma.Operation{OperationID: "addCluster", Method: http.MethodPost, Path: "/clusters", Tags: []string{"clusters"}, DefaultStatus: http.StatusCreated,
		Summary: "Register a cluster by its endpoints and by where its credentials are found, never the credentials"}, Admin, nil, a.addCluster)
	change(a, huma.Operation{OperationID: "setCluster", Method: http.MethodPut, Path: "/clusters/{cluster}", Tags: []string{"clusters"},
		Summary: "Change how a cluster is reached; it must stay the same cluster, with the same data"}, Admin, nil, a.setCluster)
	change(a, huma.Operation{OperationID: "removeCluster", Method: http.MethodDelete, Path: "/clusters/{cluster}", Tags: []string{"clusters"},
		Summary: "Forget a cluster that no tenant and no move uses; its data is not touched"}, Admin, nil, a.removeCluster)
}

// clusterChanged is a cluster as it was registered, and what it is.
type clusterChanged struct {
	placement.Cluster
	Found string `json:"found,omitempty" doc:"What it says that it is, such as OpenSearch 2.19.6; absent with no_check."`
}

// fit checks a cluster, and asks it who it is unless that is not wanted.
func (a *API) fit(ctx context.Context, c placement.Cluster, noCheck bool) (clusterChanged, error) {
	out := clusterChanged{Cluster: c}
	if err := c.Validate(); err != nil || noCheck {
		return out, err
	}
	found, err := control.CheckCluster(ctx, c)
	out.Found = strings.TrimPrefix(found, ": ")
	return out, err
}

func (a *API) addCluster(ctx context.Context, in *addClusterInput, d *deed) (clusterChanged, error) {
	c := in.Body
	d.target = "cluster/" + c.Name
	out, err := a.fit(ctx, c, in.NoCheck)
	if err != nil {
		return out, err
	}
	err = control.PutCluster(ctx, a.s, c, false)
	if d.again && errors.Is(err, control.ErrExists) {
		if now, gerr := a.s.Clusters().Get(ctx, c.Name); gerr == nil && reflect.DeepEqual(now.Value, c) {
			err = nil // the first time has done it
		}
	}
	return out, err
}

func (a *API) setCluster(ctx context.Context, in *setClusterInput, d *deed) (clusterChanged, error) {
	c := in.Body
	d.target = "cluster/" + in.Cluster
	if c.Name != in.Cluster {
		return clusterChanged{}, &placement.InvalidError{Field: "name", Value: c.Name, Fix: "must be that of the path: a cluster is not renamed"}
	}
	out, err := a.fit(ctx, c, in.NoCheck)
	if err != nil {
		return out, err
	}
	if now, err := a.s.Clusters().Get(ctx, c.Name); err == nil {
		d.before = now.Value
	}
	return out, control.PutCluster(ctx, a.s, c, true)
}

func (a *API) removeCluster(ctx context.Context, in *removeClusterInput, d *deed) (removed, error) {
	d.target = "cluster/" + in.Cluster
	out := removed{in.Cluster}
	now, err := a.s.Clusters().Get(ctx, in.Cluster)
	switch {
	case errors.Is(err, store.ErrNotFound) && d.again:
		return out, nil
	case err == nil:
		d.before = now.Value
	}
	return out, control.RemoveCluster(ctx, a.s, in.Cluster)
}

func conflict(err error) bool { return errors.Is(err, store.ErrConflict) }

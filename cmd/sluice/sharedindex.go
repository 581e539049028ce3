package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// checkSharedIndex asks the cluster whether the index can be shared: tenants are
// told apart by its partition field alone.
func checkSharedIndex(ctx context.Context, s *store.Store, p placement.Placement) error {
	c, err := s.Clusters().Get(ctx, p.Cluster)
	if errors.Is(err, store.ErrNotFound) {
		return unknownCluster(ctx, s, p.Cluster)
	}
	if err != nil {
		return err
	}
	client, err := upstream.New(c.Value, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var answer json.RawMessage
	err = client.JSON(ctx, "GET", "/"+url.PathEscape(p.Index), nil, nil, &answer)
	var status *upstream.StatusError
	switch {
	case errors.As(err, &status) && status.Status == 404:
		return refused("cluster %s has no index %s; create it with a field %s of type keyword, which tells its tenants apart", p.Cluster, p.Index, p.PartitionField)
	case err != nil:
		return &unreachableError{"cluster " + p.Cluster + " must be asked whether its index can be shared", err}
	}
	err = shared.CheckIndex(answer, p.Index, p.PartitionField)
	var why *shared.RefusedError
	if errors.As(err, &why) {
		return refused("index %s of cluster %s cannot be shared: %s", p.Index, p.Cluster, why.Reason)
	}
	return err
}

package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// oldestMajor is the oldest major version of OpenSearch that moves are tested
// against.
// ClusterKnown is nil if a cluster is registered.
func ClusterKnown(ctx context.Context, s *store.Store, name string) error {
	_, err := s.Clusters().Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return UnknownCluster(ctx, s, name)
	}
	return err
}

const oldestMajor = 2

// CheckCluster asks the cluster who it is.
func CheckCluster(ctx context.Context, in placement.Cluster) (string, error) {
	client, err := upstream.New(in, nil)
	if err != nil {
		return "", &placement.InvalidError{Field: "cluster", Value: in.Name, Fix: "cannot be connected to: " + err.Error()}
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var root struct {
		Version struct{ Distribution, Number string }
	}
	err = client.JSON(ctx, "GET", "/", nil, nil, &root)
	var status *upstream.StatusError
	switch {
	case errors.As(err, &status) && (status.Status == 401 || status.Status == 403):
		return "", refuse(ErrUnfit, "cluster %s answers %d: check its credentials", in.Name, status.Status)
	case err != nil:
		return "", &UnreachableError{"cluster " + in.Name + " does not answer as OpenSearch does (--no-check adds it all the same)", err}
	}
	major, _, _ := strings.Cut(root.Version.Number, ".")
	n, err := strconv.Atoi(major)
	if root.Version.Distribution != "opensearch" || err != nil || n < oldestMajor {
		return "", refuse(ErrUnfit, "cluster %s is %s %s; sluice moves data of OpenSearch %d and newer", in.Name,
			cmp.Or(root.Version.Distribution, "no OpenSearch, version"), cmp.Or(root.Version.Number, "unknown"), oldestMajor)
	}
	return ": OpenSearch " + root.Version.Number, nil
}

// PutCluster registers a cluster, or with replace changes one that exists.
func PutCluster(ctx context.Context, s *store.Store, in placement.Cluster, replace bool) error {
	expect := driver.Version(0)
	old, err := s.Clusters().Get(ctx, in.Name)
	switch {
	case err == nil && !replace:
		return refuse(ErrExists, "cluster %s exists already (%s); --replace changes it", in.Name, strings.Join(old.Value.Endpoints, ", "))
	case err == nil:
		expect = old.Version
	case errors.Is(err, store.ErrNotFound) && replace:
		return UnknownCluster(ctx, s, in.Name)
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	if _, err = s.Clusters().Put(ctx, in.Name, in, expect); errors.Is(err, store.ErrConflict) {
		return refuse(store.ErrConflict, "cluster %s was changed by somebody else at this moment; look at it with `sluice cluster list`", in.Name)
	}
	return err
}

// RemoveCluster looks for users before and after. A tenant is registered first
// and its cluster read again after it (see AddTenant), so whichever of the two
// acts second sees what the other did: no tenant is left on a cluster that is
// gone.
func RemoveCluster(ctx context.Context, s *store.Store, name string) error {
	rec, err := s.Clusters().Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return UnknownCluster(ctx, s, name)
	}
	if err != nil {
		return err
	}
	if err := clusterUnused(ctx, s, name); err != nil {
		return err
	}
	if err := s.Clusters().Delete(ctx, name, rec.Version); err != nil {
		if errors.Is(err, store.ErrConflict) {
			return refuse(store.ErrConflict, "cluster %s was changed by somebody else at this moment; nothing was removed", name)
		}
		return err
	}
	if used := clusterUnused(ctx, s, name); used != nil {
		if _, err := s.Clusters().Put(ctx, name, rec.Value, 0); err != nil && !errors.Is(err, store.ErrConflict) {
			return errors.Join(used, fmt.Errorf("cluster %s could not be put back, add it again: %w", name, err))
		}
		return used
	}
	return nil
}

// clusterUnused is nil when no tenant and no unfinished move uses the cluster.
func clusterUnused(ctx context.Context, s *store.Store, name string) error {
	users := 0
	var first placement.PartitionID
	var bad error
	_, err := s.Entries(ctx, func(e placement.Entry, err error) bool {
		if err != nil {
			bad = err // it may use the cluster: cannot tell
			return false
		}
		if e.State.From.Cluster == name || e.State.To.Cluster == name || e.Previous.Cluster == name {
			if users == 0 {
				first = e.Partition
			}
			users++
		}
		return true
	})
	if err = errors.Join(bad, err); err != nil {
		return err
	}
	if users > 0 {
		return refuse(ErrInUse, "cluster %s holds data of %d tenant(s), such as %q; move or remove them, and retire their moves, first", name, users, string(first))
	}
	trash, _, err := TrashRecords(s).List(ctx)
	if err != nil {
		return err
	}
	for _, r := range trash {
		if t := r.Value; t.At.Cluster == name {
			return refuse(ErrInUse, "cluster %s holds what is in the trash of move %s, of tenant %q, until %s; `sluice trash purge %s` removes it now", name, t.Move, string(t.Partition), t.Until.Format(time.RFC3339), t.Move)
		}
	}
	return clusterUnusedByMoves(ctx, s, name)
}

// UnknownCluster says which clusters there are, in place of one that is not.
func UnknownCluster(ctx context.Context, s *store.Store, name string) error {
	all, _, err := s.Clusters().List(ctx)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(all))
	for _, r := range all {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return refuse(ErrUnknownCluster, "unknown cluster %q: there is none yet; `sluice cluster add %s URL` adds it", name, name)
	}
	return refuse(ErrUnknownCluster, "unknown cluster %q: known are %s; `sluice cluster add %s URL` adds it", name, strings.Join(names, ", "), name)
}

// clusterUnusedByMoves refuses while a move reads, writes or cleans the cluster.
// The old copy of a flipped move is in the tenant's entry, see clusterUnused.
func clusterUnusedByMoves(ctx context.Context, s *store.Store, name string) error {
	return noMove(ctx, s, func(m Move) error {
		if m.From.Cluster == name || m.To.Cluster == name {
			return refuse(ErrInUse, "cluster %s is used by move %s (%s) of tenant %q; wait for it, or abort it", name, m.ID, m.Stage, string(m.Partition))
		}
		return nil
	})
}

package control

import (
	"context"
	"time"

	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// WindowOpen exposes when a window is open.
func WindowOpen(w Window, t time.Time) (bool, error) { return w.open(t) }

// PlanMove is what a request would become.
func PlanMove(ctx context.Context, s *store.Store, r Request) (Move, error) {
	m, _, _, err := planMove(ctx, s, r)
	return m, err
}

// InHours reports whether a copy of these hours may run at t.
var InHours = inHours

// Sampled completes a prediction by a sample.
func (p Prediction) Sampled(x mover.Sample, limit float64) Prediction { return p.sampled(x, limit) }

// Placed is a tenant's load, as ReadLoads makes it for an entry: at a placement, with
// those indices of the cluster if it may have any number of them.
func Placed(t TenantLoad, at placement.Placement, indices ...string) TenantLoad {
	t.Cluster, t.place, t.indices = at.Cluster, at, indices
	if at.Kind == placement.DedicatedCluster {
		t.Stays = "it has a cluster of its own"
	}
	return t
}

// PlaceOf is where Placed has put it.
func PlaceOf(t TenantLoad) placement.Placement { return t.place }

package gate

import (
	"context"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// settle is decidable, measured: it returns when this instance may decide about id, or
// with the reason why it cannot.
//
// In Leased mode, if it need not wait, it returns the session, too, so that the clock is
// read once for both.
func (g *Gate) settle(ctx context.Context, id placement.PartitionID) (*store.Session, error) {
	if g.opt.Mode == Leased {
		if sess, err := g.session(); err == nil {
			if g.opt.Settled != nil {
				g.opt.Settled(0)
			}
			return sess, nil
		}
	}
	if g.opt.Settled == nil {
		return nil, g.decidable(ctx, id)
	}
	began := time.Now()
	err := g.decidable(ctx, id)
	g.opt.Settled(time.Since(began))
	return nil, err
}

// proveAtMost is how often Prove asks the store.
const proveAtMost = time.Second

// Prove brings Stats.ReplicaAge up to date, by a read of the store, unless that was done
// less than a second ago. In Leased mode it does nothing, because there the age is kept
// up to date all the time. It is for whoever watches the instance: no request waits
// for it.
func (g *Gate) Prove(ctx context.Context) error {
	if g.opt.Mode == Leased || g.replicaAge() < proveAtMost {
		return nil
	}
	return g.catchUp(ctx)
}

// replicaAge is for how long the replica has not been proven to hold all that the store
// had acknowledged; before the first proof, since the clock's beginning.
func (g *Gate) replicaAge() time.Duration {
	return max(g.opt.Now()-time.Duration(g.progress.Load()), 0)
}

// Stats are gauges for metrics.
type Stats struct {
	Applied    placement.Epoch
	Partitions int64 // in the replica
	// ReplicaAge is how long ago it was that the replica was proven to hold everything
	// that the store had acknowledged; see Prove.
	ReplicaAge time.Duration
	Serving    bool
	OpenWrites int64
	Held       int64
	HeldBytes  int64
	Pending    int // partitions whose newest change waits for writes that were admitted before
	Unresolved int
	Journaled  int
}

// Stats returns the gate's gauges as of now.
func (g *Gate) Stats() Stats {
	return Stats{
		Applied: placement.Epoch(g.rep.applied.Load()), Partitions: g.rep.size.Load(), ReplicaAge: g.replicaAge(), Serving: g.Ready() == nil,
		OpenWrites: g.flight.open(), Held: g.holds.now.Load(), HeldBytes: g.holds.bytes.Load(), Pending: len(g.rep.pending()),
		Unresolved: len(g.flight.unresolvedPartitions()), Journaled: g.journals.size(),
	}
}

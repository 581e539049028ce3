package control

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/clock"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// DefaultVanishGrace is for how long a roster record may stand without a session
// before its proxy counts as vanished: one that starts has written the first but
// not yet the second, one that closes cleanly the other way round.
const DefaultVanishGrace = time.Second

// FleetBarrierOptions of a FleetBarrier. The zero value is useful.
type FleetBarrierOptions struct {
	Grace time.Duration        // default DefaultVanishGrace
	Now   func() time.Duration // suspend-counting clock (default clock.SinceBoot)
}

// FleetBarrier waits for the acknowledgement of every proxy.
//
// Why it is safe. Let E be an epoch that was written before Wait was called.
// Wait reads the roster, then the sessions, each linearizably.
//
//   - A proxy whose session opened after the sessions were read lists the table
//     after it opened, so it has never admitted anything older than E - unless it
//     is a process that carries tickets over from an earlier session, and that
//     earlier one is on the roster that was read before.
//   - A proxy with a session is clear when it has applied E and publishes, in the
//     same atomic record, nothing of the partition as pending, unresolved or as a
//     task. It closes the older view before it publishes E as applied, so nothing
//     will be admitted under it again: a session that was clear once stays clear
//     of what is older than E, and one look at it is enough.
//   - A proxy without a session, but on the roster, may have anything in flight.
//     It is never waited for and never skipped: the caller accounts for it by
//     waiting out the drain and reconciling, or leaves the Cutover.
//   - A proxy that is neither in the one nor in the other closed cleanly before
//     the roster was read, or never admitted anything.
//
// Wait looks again until all are clear, each time at both, the roster first, so a clean
// close in between is told from a vanish.
type FleetBarrier struct {
	looks *looks
	grace time.Duration
	now   func() time.Duration
}

// NewFleetBarrier returns a FleetBarrier over the roster and sessions of s.
func NewFleetBarrier(s *store.Store, o *FleetBarrierOptions) *FleetBarrier {
	b := &FleetBarrier{looks: newLooks(s), grace: DefaultVanishGrace, now: clock.SinceBoot}
	if o != nil && o.Grace > 0 {
		b.grace = o.Grace
	}
	if o != nil && o.Now != nil {
		b.now = o.Now
	}
	return b
}

// Clear is what a passed barrier has learned.
type Clear struct {
	Proxies []store.Info // the sessions that were waited for
	// Heads is how far each of their journals of the partition had come when it
	// was clear: what has been read up to it is all that was written before E.
	Heads map[string]store.JournalHead
}

// Prove is one look, for a ControlPlane: *BarrierPending names the laggards, a
// vanished proxy is a *VanishedError, an unknown outcome an *UnresolvedError.
func (b *FleetBarrier) Prove(ctx context.Context, e placement.Entry) error {
	_, err := b.wait(ctx, e.Partition, e.Epoch, nil, false)
	return err
}

// Wait waits until every proxy is clear of everything about id that is older
// than epoch, or the context ends, which is *BarrierPending. It returns at once
// with *UnresolvedError, or *VanishedError after the grace, because those do not
// end within a cutover. A vanished session that accounted (which may be nil)
// answers for is none.
func (b *FleetBarrier) Wait(ctx context.Context, id placement.PartitionID, epoch placement.Epoch, accounted func(session string) bool) (Clear, error) {
	return b.wait(ctx, id, epoch, accounted, true)
}

// Check is asked before a Cutover is entered: is anything unresolved, any task
// running, any proxy vanished that accounted does not answer for? It does not
// wait for acknowledgements; pending writes of Draining are the ordinary case.
func (b *FleetBarrier) Check(ctx context.Context, id placement.PartitionID, accounted func(session string) bool) error {
	f, err := b.looks.look(ctx)
	if err != nil {
		return err
	}
	if err := f.unresolved(id); err != nil {
		return err
	}
	return vanishedError(f.missing(accounted))
}

func (b *FleetBarrier) wait(ctx context.Context, id placement.PartitionID, epoch placement.Epoch, accounted func(string) bool, patient bool) (Clear, error) {
	var missingSince time.Duration // when members were first seen missing
	w := &fleetWait{id: id, epoch: epoch, now: b.now, began: b.now(), seen: map[string]sight{}}
	last := &BarrierPending{}
	for {
		f, err := b.looks.look(ctx)
		if err != nil {
			if patient && ctx.Err() != nil {
				return Clear{}, last
			}
			return Clear{}, err
		}
		missing := f.missing(accounted)
		if len(missing) > 0 {
			if missingSince == 0 {
				missingSince = max(b.now(), 1)
			}
			if gone := b.now() - missingSince; gone >= b.grace {
				return Clear{}, vanishedError(missing)
			}
			// One that is starting or closing: look again, at most after the grace.
			select {
			case <-ctx.Done():
				return Clear{}, vanishedError(missing)
			case <-time.After(b.grace / 8):
			}
			continue
		}
		missingSince = 0
		clear, err := w.verdict(f)
		var pending *BarrierPending
		if err == nil || !patient || !errors.As(err, &pending) {
			return clear, err
		}
		last = pending
		// Not a watch: an engine may take its time to begin one that starts in the past
		// (etcd does so ten times a second), and writes are held meanwhile. A look costs
		// the store a list, so there are the fewer the longer it lasts, and a barrier
		// takes at most an eighth longer than the slowest acknowledgement.
		select {
		case <-ctx.Done():
			_, err := w.verdict(f)
			return Clear{}, err
		case <-time.After(min(max((b.now()-w.began)/8, firstLook), lastLook)):
		}
	}
}

// Bounds of the pause between two looks.
const (
	firstLook = time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// fleetWait is what one wait has seen.
type fleetWait struct {
	id    placement.PartitionID
	epoch placement.Epoch
	now   func() time.Duration
	began time.Duration
	seen  map[string]sight // the last change of each that was late, by session
}

// sight is a version of a session's record, and when it was first seen.
type sight struct {
	version driver.Version
	at      time.Duration
}

// verdict judges a look: nil, *UnresolvedError or *BarrierPending.
func (w *fleetWait) verdict(f fleet) (Clear, error) {
	if err := f.unresolved(w.id); err != nil {
		return Clear{}, err
	}
	c := Clear{Heads: map[string]store.JournalHead{}}
	var late []Laggard
	for id, r := range f.sessions {
		reason := ""
		switch {
		case r.Applied < w.epoch:
			reason = "applying"
		case slices.Contains(r.Pending, w.id):
			reason = "pending"
		}
		if reason == "" {
			c.Proxies = append(c.Proxies, r.Info)
			c.Heads[id] = r.Journals[w.id]
			continue
		}
		last, known := w.seen[id]
		switch v := f.versions[id]; {
		case !known: // it may not have changed since the wait began
			last = sight{v, w.began}
		case last.version != v:
			last = sight{v, w.now()}
		}
		w.seen[id] = last
		late = append(late, Laggard{Session: id, Name: r.Name, Reason: reason, Silent: w.now() - last.at})
	}
	if len(late) > 0 {
		slices.SortFunc(late, func(a, b Laggard) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Session, b.Session))
		})
		return Clear{}, &BarrierPending{Laggards: late}
	}
	return c, nil
}

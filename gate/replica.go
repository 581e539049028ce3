package gate

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// replica is this instance's copy of the table, fed by the watch. Lookups take
// no lock; changes are applied by one goroutine at a time, under mu.
type replica struct {
	views *views

	mu       sync.Mutex
	draining map[*view]struct{} // closed views that still had tickets when closed
	oldReads map[*view]struct{} // replaced views that still had reads open

	size     atomic.Int64  // partitions that have a view
	applied  atomic.Uint64 // every change up to this epoch is in views
	advanced atomic.Uint64 // and up to this one, if it is greater; see advance
	waitMu   sync.Mutex
	waiters  chan struct{}           // closed and replaced when applied grows
	ends     map[*view]chan struct{} // of the views whose end somebody waits for, closed when it has come
	listed   chan struct{}           // closed after the first list
	once     sync.Once

	// told is told of a view that was replaced, and says whether that is to be published
	// at once.
	told func(before, after *view) bool
	wake func() // something that is published may have changed
}

func newReplica(told func(before, after *view) bool, wake func()) *replica {
	return &replica{
		views: newViews(), draining: map[*view]struct{}{}, oldReads: map[*view]struct{}{},
		waiters: make(chan struct{}), ends: map[*view]chan struct{}{}, listed: make(chan struct{}),
		told: told, wake: wake,
	}
}

func (r *replica) lookup(id placement.PartitionID) *view {
	return r.views.lookup(r.views.hash(id), id)
}

// admit counts a ticket on v, or reports that v has been closed. Add and test
// are one atomic step: after close set the bit, no admission can go uncounted.
func (r *replica) admit(v *view) bool {
	if v.tickets.Add(1)&closedBit == 0 {
		return true
	}
	r.release(v)
	return false
}

// release takes a ticket's count back. The last one of a closed view makes the
// acknowledgement possible, so it wakes the publisher.
func (r *replica) release(v *view) {
	if v.tickets.Add(-1) == closedBit {
		r.mu.Lock()
		delete(r.draining, v)
		r.mu.Unlock()
		r.wake()
	}
}

// admitRead counts a read on v, or reports that v has been replaced, in one step as in
// admit: so no read on an old placement, which its removal has to wait for, goes
// uncounted.
func (r *replica) admitRead(v *view) bool {
	if v.reads.Add(1)&closedBit == 0 {
		return true
	}
	r.releaseRead(v)
	return false
}

func (r *replica) releaseRead(v *view) {
	if v.reads.Add(-1) != closedBit {
		return
	}
	r.mu.Lock()
	_, was := r.oldReads[v]
	delete(r.oldReads, v)
	r.mu.Unlock()
	if was {
		r.wake()
	}
}

// changed is closed when another view has replaced v. A view is closed before ended looks
// for who waits, under the lock under which its closing is looked at here: one of the two
// sees the other.
func (r *replica) changed(v *view) <-chan struct{} {
	r.waitMu.Lock()
	defer r.waitMu.Unlock()
	end := r.ends[v]
	if end == nil {
		end = make(chan struct{})
		r.ends[v] = end
	}
	if v.tickets.Load()&closedBit != 0 { // it has come already, and nobody will look again
		delete(r.ends, v)
		close(end)
	}
	return end
}

// ended tells who waits for v, which was just closed.
func (r *replica) ended(v *view) {
	r.waitMu.Lock()
	defer r.waitMu.Unlock()
	if end := r.ends[v]; end != nil {
		delete(r.ends, v)
		close(end)
	}
}

// apply puts changes into the replica, then lets applied grow to upto. The new
// view is visible before the old one is closed, so a write that finds the old
// one closed finds the new one at its next look; the old view is in draining
// before applied says that its successor was applied.
//
// The watch and advance both bring changes, and one may be behind the other. What is
// up to applied is in views, so it is left out: the watch, when it comes to the
// creation of a partition that advance already knows to be removed, must not bring it
// back.
func (r *replica) apply(changes []store.Change, upto placement.Epoch) {
	r.mu.Lock()
	done := placement.Epoch(r.applied.Load())
	tell := false
	for _, ch := range changes {
		if ch.Entry.Epoch > done {
			tell = r.applyOne(ch) || tell
		}
	}
	if upto > done {
		r.applied.Store(uint64(upto))
	}
	r.mu.Unlock()
	if tell {
		r.wake() // not before: a publisher that was faster would publish what was applied before, and wait for the next wake
	}
	if upto > done {
		r.waitMu.Lock()
		close(r.waiters)
		r.waiters = make(chan struct{})
		r.waitMu.Unlock()
	}
}

func (r *replica) applyOne(ch store.Change) (tell bool) {
	id := ch.Entry.Partition
	old := r.lookup(id)
	if old == nil && ch.Removed || old != nil && old.entry.Epoch() >= ch.Entry.Epoch {
		return false // a list and a watch may both bring it
	}
	var next *view
	if ch.Removed {
		r.views.set(id, old, removed)
	} else {
		next = newView(ch.Entry)
		if ch.Err != nil {
			next.corrupt = &UnavailableError{Reason: ReasonCorrupt, RetryAfter: 10 * time.Second, Err: ch.Err}
		}
		r.views.set(id, old, next)
	}
	r.size.Store(int64(r.views.live))
	if old != nil {
		if old.tickets.Or(closedBit) != 0 {
			r.draining[old] = struct{}{}
			// The last ticket may have ended between Or and here; it waits for mu
			// in release and deletes the view again.
			if old.tickets.Load() == closedBit {
				delete(r.draining, old)
			}
		}
		if old.reads.Or(closedBit) != 0 {
			r.oldReads[old] = struct{}{}
			if old.reads.Load() == closedBit { // as above
				delete(r.oldReads, old)
			}
		}
		r.ended(old)
	}
	return r.told(old, next)
}

// pending returns the partitions with tickets on closed views.
func (r *replica) pending() []placement.PartitionID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return partitionsOf(r.draining, func(v *view) bool { return v.tickets.Load() != closedBit })
}

// readsOnOld returns the partitions with reads open under an older placement.
func (r *replica) readsOnOld() []placement.PartitionID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return partitionsOf(r.oldReads, func(v *view) bool { return v.reads.Load() != closedBit })
}

func partitionsOf(views map[*view]struct{}, open func(*view) bool) []placement.PartitionID {
	var ids []placement.PartitionID
	seen := map[placement.PartitionID]bool{}
	for v := range views {
		if !open(v) {
			delete(views, v)
			continue
		}
		if id := v.entry.Partition(); !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// has reports whether every change up to epoch has been applied.
func (r *replica) has(epoch placement.Epoch) bool { return r.applied.Load() >= uint64(epoch) }

// wait returns when every change up to epoch has been applied.
func (r *replica) wait(ctx context.Context, epoch placement.Epoch) error {
	for {
		r.waitMu.Lock()
		ch := r.waiters
		r.waitMu.Unlock()
		if r.has(epoch) {
			return nil
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// list reads the whole table and makes the replica equal to it. Entries that are
// not in the list were removed; the watch's version orders them after everything
// that the list has seen.
func (r *replica) list(ctx context.Context, s *store.Store) (placement.Epoch, error) {
	seen := map[placement.PartitionID]struct{}{}
	var changes []store.Change
	at, err := s.Entries(ctx, func(e placement.Entry, err error) bool {
		seen[e.Partition] = struct{}{}
		changes = append(changes, store.Change{Entry: e, Err: err})
		return true
	})
	if err != nil {
		return 0, err
	}
	for v := range r.views.all() {
		id := v.entry.Partition()
		if _, ok := seen[id]; !ok && v.entry.Epoch() <= at {
			changes = append(changes, store.Change{Entry: placement.Entry{Partition: id, Epoch: at + 1}, Removed: true})
		}
	}
	r.apply(changes, at)
	r.once.Do(func() { close(r.listed) })
	return at, nil
}

// advance applies everything that was acknowledged before it was called, where the
// store has no head that the watch could be waited for to reach. It reads what changed
// since it was last called, or since the watch's last change, whichever is newer; the
// table is listed only when that is not known any more.
func (r *replica) advance(ctx context.Context, s *store.Store) error {
	changes, at, err := s.Since(ctx, placement.Epoch(max(r.advanced.Load(), r.applied.Load())))
	if errors.Is(err, driver.ErrCompacted) {
		_, err = r.list(ctx, s)
		return err
	}
	if err != nil {
		return err
	}
	if n := len(changes); n > 0 {
		r.apply(changes, changes[n-1].Entry.Epoch)
	}
	// Not applied: it says what was acknowledged to whom, and is published when it grows;
	// this grows with every write to the store, a publication too.
	r.advanced.Store(uint64(at))
	return nil
}

// run keeps the replica fed until the context ends.
func (r *replica) run(ctx context.Context, s *store.Store, warn func(string, error)) {
	pause := newBackoff()
	at, have := placement.Epoch(0), false
	for ctx.Err() == nil {
		var err error
		if !have {
			if at, err = r.list(ctx, s); err == nil {
				have = true
			}
		}
		if err == nil {
			err = s.Watch(ctx, at, func(changes []store.Change) error {
				at = changes[len(changes)-1].Entry.Epoch
				r.apply(changes, at)
				pause.reset()
				return nil
			})
		}
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, driver.ErrCompacted) {
			have = false
		}
		warn("watching the placement table failed, trying again", err)
		pause.sleep(ctx)
	}
}

// backoff is a bounded exponential pause: 10 ms to 1 s.
type backoff struct{ d time.Duration }

func newBackoff() *backoff { return &backoff{10 * time.Millisecond} }

func (b *backoff) reset() { b.d = 10 * time.Millisecond }

func (b *backoff) sleep(ctx context.Context) {
	t := time.NewTimer(b.d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	b.d = min(2*b.d, time.Second)
}

package gate

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// readBarrier makes "fresh" cheap: requests that arrive while a read is under way
// share the next one, whatever their partitions. They cannot share the one under way:
// the store may have answered it before they arrived. There is one read at a time, so
// the store is asked no more often than it answers, however many requests there are.
//
// A read is of the table's head, or, of a store that has none, of the epochs of all
// partitions that are waited for. Either is linearizable, and begins after each
// request that it serves had arrived: what it tells is at least the epoch of any change
// of the request's partition that was acknowledged by then. A replica that has applied
// that epoch has applied the change. Of a head that is known without asking each request
// takes what it is then.
type readBarrier struct {
	store *store.Store
	rep   *replica
	head  bool          // the store has one
	limit time.Duration // of a read, from when it was asked for first: one that hangs must not keep later ones from beginning

	mu      sync.Mutex
	waiting []*barrierRead // not yet begun, the next first; only the last may have room
	busy    bool           // a read is under way, or serve about to begin one; if not, none waits
}

// barrierRead is one read and who waits for it.
type barrierRead struct {
	want  map[placement.PartitionID]struct{} // nil where the head is read
	n     int                                // requests that wait for it
	until time.Time                          // when it fails, begun or not
	done  chan struct{}                      // closed when the rest is set
	head  placement.Epoch
	seen  map[placement.PartitionID]store.Seen
	err   error // of the read as a whole
}

func newReadBarrier(s *store.Store, r *replica, limit time.Duration) *readBarrier {
	return &readBarrier{store: s, rep: r, head: s.HasHead(), limit: limit}
}

// pass returns when the replica has applied everything that was acknowledged
// before pass was called (of the partition, at least), or with the reason why
// that cannot be known, no later than the limit.
//
// Nobody needs a timer for that, besides the read. It has ended, with or without an answer,
// a limit after its first request has come, so no later than a limit after each. And it is
// begun by then: those before it were asked for before it, so that they have ended, too.
func (b *readBarrier) pass(ctx context.Context, life context.Context, id placement.PartitionID) error {
	if head, ok := b.store.LocalHead(); ok {
		return b.applied(ctx, head, time.Now().Add(b.limit))
	}
	read, alone := b.join(id)
	if alone {
		b.do(ctx, read)
		b.mu.Lock()
		if b.busy = len(b.waiting) > 0; b.busy {
			go b.serve(life)
		}
		b.mu.Unlock()
	}
	select {
	case <-read.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	// Waiting for the replica is each request's own: a partition that has just
	// changed keeps no other from being read.
	switch seen := read.seen[id]; {
	case read.err != nil:
		return read.err
	case b.head:
		return b.applied(ctx, read.head, read.until)
	case seen.Err != nil:
		return seen.Err
	case seen.Epoch == 0:
		return unknownPartition(id)
	default:
		return b.applied(ctx, seen.Epoch, read.until)
	}
}

// applied waits for the replica, which seldom has to be waited for.
func (b *readBarrier) applied(ctx context.Context, epoch placement.Epoch, until time.Time) error {
	if b.rep.has(epoch) {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return b.rep.wait(ctx, epoch)
}

// passed is pass that waits for nothing: false says nothing.
func (b *readBarrier) passed() bool {
	head, ok := b.store.LocalHead()
	return ok && b.rep.has(head)
}

// join returns a read that has not begun and will be of the partition. If none is under
// way, it is the caller's alone, who does it and then lets those read who came meanwhile:
// a request that nobody shares with wakes nobody.
func (b *readBarrier) join(id placement.PartitionID) (read *barrierRead, alone bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.waiting); n > 0 && len(b.waiting[n-1].want) < driver.MaxBatch {
		read = b.waiting[n-1]
	} else {
		read = &barrierRead{until: time.Now().Add(b.limit), done: make(chan struct{})}
		if !b.head {
			read.want = map[placement.PartitionID]struct{}{}
		}
		if alone = !b.busy; alone {
			b.busy = true
		} else {
			b.waiting = append(b.waiting, read)
		}
	}
	read.n++
	if !b.head {
		read.want[id] = struct{}{}
	}
	return read, alone
}

// serve reads until nobody waits. It takes a read off waiting before it begins it, so
// whoever comes later waits for a later one.
func (b *readBarrier) serve(life context.Context) {
	for served := 0; ; {
		read := b.next(served)
		if read == nil {
			return
		}
		b.do(life, read)
		served = read.n
	}
}

func (b *readBarrier) do(ctx context.Context, read *barrierRead) {
	if b.head {
		read.head, read.err = b.store.HeadBy(ctx, read.until)
	} else {
		ctx, cancel := context.WithDeadline(ctx, read.until)
		defer cancel()
		read.seen, read.err = b.store.Epochs(ctx, slices.Collect(maps.Keys(read.want)))
	}
	close(read.done)
}

// next takes the read that is to begin off waiting; nil: nobody waits, and serve ends.
//
// Clients that were served together often ask together again. The first of them would
// have a read to itself, and all others wait for its end before theirs begins; or all of
// them wait for that of others who ask together, and those for theirs: two reads each, in
// turn. So those that are ready to run go first, for as long as it makes more of them wait.
// That takes a moment, whether they do ask again or not, and no time that anybody waits
// for the store.
func (b *readBarrier) next(served int) *barrierRead {
	for try, before := 0, 0; ; try++ {
		b.mu.Lock()
		n := 0
		if len(b.waiting) > 0 {
			n = b.waiting[0].n
		}
		if served < 2 || try == yields || try > 0 && n > 0 && n == before {
			defer b.mu.Unlock()
			if n == 0 {
				b.busy = false
				return nil
			}
			read := b.waiting[0]
			b.waiting = b.waiting[1:]
			return read
		}
		before = n
		b.mu.Unlock()
		runtime.Gosched()
	}
}

// yields is how often those that are ready to run go first, at most.
const yields = 4

package gate

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// readBarrier makes "fresh" cheap: requests that arrive while a read of the
// table's head is under way share the next one. They cannot share the one under
// way: it may have been answered by the store before they arrived.
type readBarrier struct {
	store *store.Store
	rep   *replica
	limit time.Duration // of one read: one that hangs must not keep later ones from beginning

	mu   sync.Mutex
	next map[placement.PartitionID]*barrierCall // not yet begun; key "" where the driver has a Head
	busy map[placement.PartitionID]bool
}

type barrierCall struct {
	done chan struct{}
	err  error
}

func newReadBarrier(s *store.Store, r *replica, limit time.Duration) *readBarrier {
	return &readBarrier{store: s, rep: r, limit: limit, next: map[placement.PartitionID]*barrierCall{}, busy: map[placement.PartitionID]bool{}}
}

// pass returns when the replica has applied everything that was acknowledged
// before pass was called (of the partition, at least), or with the reason why
// that cannot be known.
func (b *readBarrier) pass(ctx context.Context, life context.Context, id placement.PartitionID, hasHead bool) error {
	key := id
	if hasHead {
		key = ""
	}
	b.mu.Lock()
	call := b.next[key]
	if call == nil {
		call = &barrierCall{done: make(chan struct{})}
		b.next[key] = call
		if !b.busy[key] {
			b.busy[key] = true
			go b.serve(life, key, id)
		}
	}
	b.mu.Unlock()
	select {
	case <-call.done:
		return call.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serve performs reads for one key until nobody waits. Each takes the waiting
// call off next before it reads, so whoever comes later waits for a later read.
func (b *readBarrier) serve(life context.Context, key, id placement.PartitionID) {
	for {
		b.mu.Lock()
		call := b.next[key]
		if call == nil {
			delete(b.busy, key)
			b.mu.Unlock()
			return
		}
		delete(b.next, key)
		b.mu.Unlock()
		bound, cancel := context.WithTimeout(life, b.limit)
		call.err = b.read(bound, key, id)
		cancel()
		close(call.done)
	}
}

func (b *readBarrier) read(life context.Context, key, id placement.PartitionID) error {
	if key == "" {
		head, _, err := b.store.Head(life)
		if err != nil {
			return err
		}
		return b.rep.wait(life, head)
	}
	e, err := b.store.State(life, id)
	var corrupt *store.CorruptError
	switch {
	case errors.Is(err, placement.ErrUnknownPartition):
		return err
	case errors.As(err, &corrupt):
		return b.rep.wait(life, e.Epoch)
	case err != nil:
		return err
	}
	return b.rep.wait(life, e.Epoch)
}

package control

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/clock"
	"github.com/sluiceproxy/sluice/placement"
)

// TimeBarrierOptions of a TimeBarrier. The zero value is useful.
type TimeBarrierOptions struct {
	Wait time.Duration        // default DefaultDrainBarrier
	Now  func() time.Duration // suspend-counting clock (default clock.SinceBoot)
	Boot func() string        // names the boot that Now counts from (default clock.BootID)
}

// TimeBarrier holds when a cutover has lasted for a fixed time. It is for fleets
// whose proxies hold no session, and is an assumption about them: that each
// stops writing to the source within that time.
//
// The start is in the entry. Prove may be asked by any process at any time: a
// completion that is asked for early is refused with *BarrierPending. A process
// counts from when it first saw the entry in that Cutover. One on the same boot of
// the same machine that comes later, after a restart, counts on from the start in
// the entry, plus lateEffect, because that was noted before the transition was sent
// to the store. Any other process cannot compare its clock with the one that wrote the
// start, so it begins anew: longer, never shorter.
type TimeBarrier struct {
	wait time.Duration
	now  func() time.Duration
	boot func() string

	mu    sync.Mutex
	first map[placement.PartitionID]sighting
}

// lateEffect is how much later than it was sent a transition can take effect: above
// the bound of a call to the store, and of what the engines do with one that nobody
// waits for any more.
const lateEffect = 10 * time.Second

type sighting struct {
	epoch placement.Epoch
	at    time.Duration
}

// NewTimeBarrier returns a TimeBarrier.
func NewTimeBarrier(o *TimeBarrierOptions) *TimeBarrier {
	b := &TimeBarrier{wait: DefaultDrainBarrier, now: clock.SinceBoot, boot: clock.BootID, first: map[placement.PartitionID]sighting{}}
	if o != nil && o.Wait > 0 {
		b.wait = o.Wait
	}
	if o != nil && o.Now != nil {
		b.now = o.Now
	}
	if o != nil && o.Boot != nil {
		b.boot = o.Boot
	}
	return b
}

// Prove never blocks: nil, or *BarrierPending with what remains.
func (b *TimeBarrier) Prove(_ context.Context, e placement.Entry) error {
	if e.State.Phase != placement.Cutover {
		return fmt.Errorf("time barrier: %w", &placement.Refusal{Code: placement.CodeNotInCutover, Op: placement.OpComplete, Partition: e.Partition, State: e.State, Epoch: e.Epoch})
	}
	now := b.now()
	start := b.began(e, now)
	if passed := now - start; passed < b.wait {
		return &BarrierPending{Remaining: b.wait - passed}
	}
	return nil
}

// began is when e's cutover had begun for certain, on this process's clock.
func (b *TimeBarrier) began(e placement.Entry, now time.Duration) time.Duration {
	b.mu.Lock()
	// Bound to the epoch: a later cutover of the same partition is another one.
	s, ok := b.first[e.Partition]
	if !ok || s.epoch != e.Epoch {
		s = sighting{e.Epoch, now}
		b.first[e.Partition] = s
	}
	b.mu.Unlock()
	// An empty boot id is "unknown", and two unknowns are not the same boot. A
	// start in the future is not from this clock, whatever the id says.
	if boot := b.boot(); boot != "" && boot == e.CutoverAt.Boot && e.CutoverAt.Since <= now {
		return min(s.at, e.CutoverAt.Since+lateEffect)
	}
	return s.at
}

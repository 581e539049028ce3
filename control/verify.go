package control

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/mover"
)

// Verify says what a move compares before its cutover.
type Verify string

// What can be compared.
const (
	VerifyVersions Verify = "versions" // every id, routing and version of both sides: always
	VerifyContent  Verify = "content"  // the documents' sources too
)

// Comparing is how far a verification is, of both sides together. The documents of a shard
// in which something differs are looked at again, and count again.
type Comparing struct {
	Scanned int64         `json:"scanned"`
	Total   int64         `json:"total"` // about
	ETA     time.Duration `json:"eta"`   // 0 while unknown
}

// farness is what a verification tells of how far it is.
type farness struct {
	began       time.Time
	total       int64        // documents of both sides, about
	from        int64        // of those, what was compared before
	docs, again atomic.Int64 // as of mover.VerifyOptions.Scanned
}

func (l *farness) told(docs, again int64) {
	raise(&l.docs, docs)
	raise(&l.again, again)
}

// raise has n be at least v.
func raise(n *atomic.Int64, v int64) {
	for old := n.Load(); v > old && !n.CompareAndSwap(old, v); old = n.Load() {
	}
}

func (l *farness) comparing() Comparing {
	docs, again := l.docs.Load(), l.again.Load()
	c := Comparing{Scanned: docs, Total: max(l.total+again, docs)}
	if done := docs - l.from; done > 0 {
		c.ETA = time.Duration(float64(time.Since(l.began)) / float64(done) * float64(c.Total-docs))
	}
	return c
}

// verify compares every id and version of both sides, and if asked for the
// contents. A document that is being written differs for a moment; so each
// difference has to vanish, or to be named by a journal that is read after it was
// seen. What is left for longer than any write takes was written by somebody whom
// no proxy has seen: that is drift, see drift.go.
func (d *drive) verify(ctx context.Context) error {
	if _, err := d.learnPipelines(ctx); err != nil {
		return err
	}
	if d.c.timed != nil || d.rewrites {
		return d.timedCompare(ctx) // what no journal names would be drift
	}
	if err := d.stage(ctx, StageVerifying, nil); err != nil {
		return err
	}
	// A difference is suspect for as long as it has been seen, not for as long as
	// the comparison took: that may be many times what a write takes.
	d.verifying = d.c.opt.Now()
	var began time.Duration
	var first time.Time
	var diff mover.Diff
	for try := 0; ; try++ {
		var err error
		if diff, err = d.compareSides(ctx); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if try == 0 {
			began, first = d.c.opt.Now(), time.Now()
		}
		if diff.Empty() || diff.N() == int64(len(diff.Differences)) {
			break
		}
		// More differences than are listed: let the journals explain them first.
		if _, err := d.round(ctx); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if is, err := d.suspect(ctx, began); err != nil {
			return err
		} else if is {
			if err := d.drifted(ctx, diff, countsOf(diff), first); err != nil {
				return err
			}
		}
		sleep(ctx, backoff(try))
	}
	counts := countsOf(diff)
	began = d.c.opt.Now()
	open := diff.Refs()
	for try := 0; len(open) > 0; try++ {
		var left mover.Diff
		var err error
		if open, left, err = d.unexplained(ctx, open, backoff(try+1)); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if len(open) == 0 {
			break
		}
		if is, err := d.suspect(ctx, began); err != nil {
			return err
		} else if is {
			if err := d.drifted(ctx, only(left, open, diff), counts, first); err != nil {
				return err
			}
		}
	}
	if err := d.readyForDrift(ctx); err != nil {
		return err
	}
	d.verified = true
	idx := d.mv.Indexes()
	return d.stage(ctx, StageCatchingUp, func(m *Move) {
		if counts.Mode = m.Options.Verify; m.Drift != nil {
			counts.Accepted = m.Drift.Accepted
		}
		m.Indices, m.Verified, m.Verification, m.Progress.Comparing = idx, &counts, nil, nil
		m.because(nil)
	})
}

func countsOf(d mover.Diff) DiffCounts {
	return DiffCounts{Scanned: d.Scanned, Missing: d.NMissing, Extra: d.NExtra, Older: d.NOlder + d.NNewer, Routing: d.NRouting, Content: d.NContent}
}

// compareSides compares both sides, from where an earlier driver has left it. That may
// take hours, for which no journal is long enough: so once a second what they hold is
// taken over meanwhile, and the record says how far it is. A small tenant is compared in
// less, and has none of that.
func (d *drive) compareSides(ctx context.Context) (mover.Diff, error) {
	m := d.move()
	o := mover.VerifyOptions{Content: m.Options.Verify == VerifyContent}
	if m.Verification != nil {
		o.From = *m.Verification
	}
	far := farness{began: time.Now(), total: 2 * max(m.Progress.Docs, m.Progress.Total), from: o.From.Scanned}
	o.Scanned = far.told
	var at atomic.Pointer[mover.Verification]
	o.Save = func(v mover.Verification) error { at.Store(&v); return nil }
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var diff mover.Diff
	compared := make(chan error, 1) // also orders the write of diff before its use
	go func() {
		var err error
		diff, err = d.mv.Verify(work, o)
		compared <- err
	}()
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case err := <-compared:
			if err == nil && d.move().Verification != nil {
				// It has served its purpose: whatever is compared next is compared anew.
				err = d.update(ctx, func(m *Move) { m.Verification, m.Progress.Comparing = nil, nil })
			}
			return diff, err
		case <-t.C:
		}
		now := far.comparing()
		err := d.update(ctx, func(m *Move) {
			if m.Progress.Comparing = &now; at.Load() != nil {
				m.Verification = at.Load()
			}
		})
		if err == nil {
			_, err = d.round(ctx)
		}
		var peer *peerError
		if err != nil && !errors.As(err, &peer) { // a proxy that does not answer is asked again
			stop(err)
			<-compared
			return diff, err
		}
	}
}

// unexplained returns which of the documents still differ after the journals
// were read, and are not named by journals read after that, which is when a
// write that was under way has ended.
func (d *drive) unexplained(ctx context.Context, open []gate.DocRef, pause time.Duration) ([]gate.DocRef, mover.Diff, error) {
	if _, err := d.round(ctx); err != nil {
		return nil, mover.Diff{}, err
	}
	check := d.mv.CheckRefs
	if d.move().Options.Verify == VerifyContent {
		check = d.mv.CheckContent
	}
	left, err := check(ctx, open)
	if err != nil || left.Empty() {
		return nil, left, err
	}
	sleep(ctx, pause)
	refs, err := d.round(ctx)
	if err != nil {
		return nil, left, err
	}
	journaled := map[gate.DocRef]bool{}
	for _, r := range refs {
		journaled[r] = true
	}
	var still []gate.DocRef
	for _, x := range left.Differences {
		if r := x.Ref(); !journaled[r] {
			still = append(still, r)
		}
	}
	return still, left, nil
}

// suspect decides what differences mean that no journal explains. A write whose
// proxy has vanished, or whose outcome is unknown, or that belongs to a task, is
// in no readable journal: then the error is one to wait for. A write may be under
// way for as long as the drain barrier; only after that is it drift. Neither: look
// again.
//
// Proxies journal only for a partition that moves. The entry is read after the
// differences were seen: if it is not this move's any more, an abort that came
// around the record has ended the journals, and the differences are ordinary
// writes.
func (d *drive) suspect(ctx context.Context, began time.Duration) (drift bool, err error) {
	m := d.move()
	e, err := d.c.s.State(ctx, m.Partition)
	switch {
	case err != nil:
		return false, fmt.Errorf("verify: %w", err)
	case !e.State.Migrating() || e.Attempt != d.tag():
		return false, errReplaced
	}
	if len(d.unsure) > 0 {
		return false, errJournalLost
	}
	if err := d.c.barrier.Check(ctx, m.Partition, d.accounted()); err != nil {
		return false, err
	}
	if d.c.opt.Now()-began >= m.Options.DrainBarrier {
		return true, nil
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return false, nil
}

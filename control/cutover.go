package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// errDeadline is why a cutover was left.
var errDeadline = catalog.New("cutover_deadline", "the cutover deadline has passed")

// rollForward bounds how long a completion of unknown outcome is pursued by this
// driver; after it the next attempt reads what became of it.
const rollForward = 20 * time.Second

// cutover holds the writes, takes the last of them over, and flips. done: the
// move has flipped and its after-work is done. Otherwise why says what stood in
// the way and the partition is in Draining again, with nothing lost; err means
// that this attempt is over.
func (d *drive) cutover(ctx context.Context) (done bool, why, err error) {
	// What takes time comes before the writes are held.
	if err := d.mv.Ready(ctx); err != nil {
		return false, nil, fmt.Errorf("make the target ready: %w", err)
	}
	if changed, err := d.learnPipelines(ctx); err != nil || changed {
		d.verified = d.verified && !changed // in the other way now
		return false, errRewrites, err
	}
	tasks, err := d.mv.Tasks(ctx)
	if err != nil {
		return false, nil, err
	}
	if len(tasks) > 0 {
		return false, &UnresolvedError{Proxies: []string{"the source cluster"}, Tasks: len(tasks)}, nil
	}
	if err := d.mv.NoteTarget(ctx); err != nil {
		return false, nil, fmt.Errorf("look at the target: %w", err)
	}
	idx := d.mv.Indexes()
	if err := d.stage(ctx, StageCutover, func(m *Move) { m.Progress.Cutovers++; m.Indices = idx }); err != nil {
		return false, nil, err
	}
	if err := errors.Join(d.mv.RefreshTarget(ctx), d.mv.RefreshSource(ctx)); err != nil {
		return false, nil, err
	}
	if _, err := d.round(ctx); err != nil {
		// A proxy that does not answer now would not acknowledge the Cutover either:
		// this is where a dead one is found before anybody's writes are held for it.
		var peer *peerError
		if ctx.Err() == nil && errors.As(err, &peer) {
			return false, peer, d.stage(ctx, StageCatchingUp, nil)
		}
		return false, nil, err
	}
	if len(d.unsure) > 0 {
		return false, errJournalLost, d.stage(ctx, StageCatchingUp, nil)
	}
	m := d.move()
	began := time.Now()
	// An unknown outcome ends the attempt: the next one takes over at a new
	// epoch, which a cutover that arrives late cannot match.
	e, err := d.c.s.ApplyTo(ctx, d.entry, placement.Command{Op: placement.OpCutover, Expect: d.entry.Epoch, Attempt: d.tag(), Start: StartNow()})
	if err != nil {
		return false, nil, fmt.Errorf("enter cutover: %w", err)
	}
	d.entry, d.calm = e, 0
	limit, cancel := context.WithTimeoutCause(ctx, m.Options.CutoverDeadline-time.Since(began), errDeadline)
	defer cancel()
	sealed, err := d.closeAndTake(limit, e)
	if err == nil {
		e, err = d.complete(limit)
		if err == nil {
			d.flip.pause = time.Since(began)
			d.c.opt.Metrics.flipped(d.flip.pause)
			d.log.Info("flipped", "pause", d.flip.pause, "barrier", d.flip.barrier, "last_round", d.flip.lastRound, "check_and_seal", d.flip.seal)
			return true, nil, d.settle(ctx, e)
		}
		if !refusedOrEarly(limit, err) {
			d.c.opt.Metrics.left("unknown")
			return false, nil, err // unknown: the next attempt finds out
		}
	}
	why = err
	if cause := context.Cause(limit); cause != nil {
		why = fmt.Errorf("%w: %w", cause, err)
	}
	if err := d.reopen(ctx, sealed); err != nil {
		d.c.opt.Metrics.left("unknown")
		return false, nil, err
	}
	d.c.opt.Metrics.left("reopened")
	if d.c.timed != nil && errors.Is(why, errDrift) {
		return false, nil, why // the assumption is false; it would be the next time
	}
	return false, why, nil
}

// closeAndTake waits for the barrier at the cutover's epoch and brings over what
// is left. When it returns nil, both sides are equal, nothing that was admitted
// before can still change the source, and no mover can change the target. Steps
// that do not need one another run at the same time.
func (d *drive) closeAndTake(ctx context.Context, e placement.Entry) (sealed bool, err error) {
	at := time.Now()
	early := d.takeEarly(ctx)
	clear, err := d.barrier(ctx, at, e)
	at = time.Now()
	refs := early()
	if err != nil {
		return false, err
	}
	for _, h := range clear.Heads {
		if h.Lost {
			return false, errJournalLost
		}
	}
	// The entry stays in Cutover at this epoch or every later step of this driver
	// is refused; so from here on the source changes only by what goes around the
	// proxies, and a look at it cannot be too early. The last round changes nothing
	// that the look sees but the target's documents.
	var look *mover.Look
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		look, err = d.lastLook(gctx)
		return err
	})
	g.Go(func() error {
		last, err := d.lastRound(gctx, clear)
		if err == nil && d.resyncs() {
			err = d.lastCompare(gctx)
		}
		refs = append(refs, last...)
		return err
	})
	err = g.Wait() // also orders the goroutines' writes before what follows
	d.flip.lastRound = time.Since(at)
	if err != nil {
		return false, err
	}
	if d.resyncs() {
		look = nil // others may have written meanwhile: stillQuiet goes by a look that comes after the comparison
	}
	at = time.Now()
	err = d.equalAndSealed(ctx, refs, look)
	d.flip.seal = time.Since(at)
	d.flip.proxies = clear.Proxies
	if err == nil && d.resyncs() {
		err = d.stillQuiet()
	}
	return true, err // sealed, or it may be, whatever the error
}

// barrier waits for the barrier at the cutover's epoch, which was entered at that time.
func (d *drive) barrier(ctx context.Context, at time.Time, e placement.Entry) (Clear, error) {
	// Writes with refresh=wait_for end only when the source is refreshed, and
	// the barrier waits for them: so it is, again and again, until it has passed.
	// An error of it shows as a barrier that does not pass.
	refreshing, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for refreshing.Err() == nil {
			_ = d.mv.RefreshSource(refreshing)
			sleep(refreshing, 20*time.Millisecond)
		}
	}()
	clear, err := d.c.barrier.Wait(ctx, d.move().Partition, d.entry.Epoch, d.accounted())
	stop()
	if err != nil {
		return clear, err
	}
	d.ack = time.Since(at)
	if d.c.timed != nil {
		if err := d.awaitTime(ctx, e); err != nil {
			return clear, err
		}
	}
	d.flip.barrier = time.Since(at)
	d.c.opt.Metrics.passed("cutover", d.flip.barrier)
	return clear, nil
}

// takeEarly takes over what is journaled by now, while the barrier is waited for: what
// is left for the last round is then what was in flight when the writes were closed. It
// is a round as any other, of documents whose writes have ended; a later write of one of
// them is journaled again. The function that it returns waits for the end of it and
// returns what was taken. What could not be taken is not: the journals are read on from
// where the target stands, so the last round meets it again, and says why.
func (d *drive) takeEarly(ctx context.Context) (wait func() []gate.DocRef) {
	if d.c.timed != nil { // there may be no journals, and is no hurry
		return func() []gate.DocRef { return nil }
	}
	// A proxy that does not answer does not keep the barrier's passing, or its
	// failing, waiting. What is being written is seen through: a bulk without an answer
	// would have to be drained.
	asking, enough := context.WithCancel(ctx)
	var refs []gate.DocRef
	done := make(chan struct{})
	go func() {
		defer close(done)
		h, err := d.pull(asking, d.asked, nil)
		if err == nil && len(h.lost) == 0 && len(h.refs) > 0 && d.absorb(ctx, h) == nil {
			refs = h.refs
		}
	}()
	return func() []gate.DocRef {
		enough()
		<-done // which orders what it has written before what follows
		return refs
	}
}

// lastLook looks whether the source is still what the move takes it for, and who may
// still write there, and notes what the seal needs.
func (d *drive) lastLook(ctx context.Context) (*mover.Look, error) {
	look, err := d.mv.Look(ctx)
	switch {
	case err != nil:
		return nil, err
	case look.Rewrites && !d.resyncs():
		return nil, errRewrites // the next try finds it, too
	case len(look.Tasks) > 0:
		return nil, &UnresolvedError{Proxies: []string{"the source cluster"}, Tasks: len(look.Tasks)}
	}
	return look, nil
}

// equalAndSealed checks the documents of the last rounds, refreshes the target, so
// that searches there see them, and seals it. None of these changes a document,
// so none need wait for another; the flip waits for all of them, and a
// difference found while sealing only means that the target is taken again.
func (d *drive) equalAndSealed(ctx context.Context, last []gate.DocRef, look *mover.Look) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.mv.RefreshTarget(gctx) })
	g.Go(func() error { return d.mv.Seal(gctx, look) })
	if len(last) > 0 {
		g.Go(func() error {
			diff, err := d.mv.CheckRefs(gctx, last)
			if err == nil && !diff.Empty() {
				err = lastRoundDrift("the last round", diff)
			}
			return err
		})
	}
	return g.Wait()
}

// lastRound takes what the proxies had journaled when they were clear. Nothing
// is confirmed: the flip drops the journals, and a reopened move reads on from
// where it stands. Mappings that no document needs are left for the seal.
func (d *drive) lastRound(ctx context.Context, clear Clear) ([]gate.DocRef, error) {
	var refs []gate.DocRef
	for {
		h, err := d.pull(ctx, clear.Proxies, clear.Heads)
		if err != nil {
			return nil, err
		}
		if err := d.absorb(ctx, h); err != nil {
			return nil, err
		}
		if len(h.lost) > 0 {
			return nil, errJournalLost
		}
		refs = append(refs, h.refs...)
		if h.more {
			continue
		}
		for s, head := range clear.Heads {
			if d.after[s] < head.Head {
				return nil, fmt.Errorf("%w: it ends at %d of %d", errJournalLost, d.after[s], head.Head)
			}
		}
		return refs, nil
	}
}

// complete flips the entry. What was proven stays proven for as long as the
// entry is in Cutover at that epoch, so after an unknown outcome the same
// compare-and-swap is simply repeated until it is known: it wins, or it meets
// the flip that had won already, or the epoch of somebody who was faster. The
// deadline and the caller's end do not interrupt that: they would leave the
// writes held with nobody to answer for it.
func (d *drive) complete(limit context.Context) (placement.Entry, error) {
	if limit.Err() != nil {
		return placement.Entry{}, context.Cause(limit)
	}
	m := d.move()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(limit), rollForward)
	defer cancel()
	for n := 0; ; n++ {
		e, err := d.c.s.ApplyTo(ctx, d.entry, placement.Command{Op: placement.OpComplete, Expect: d.entry.Epoch, Attempt: d.tag()})
		if err == nil {
			return e, nil
		}
		var refusal *placement.Refusal
		if errors.As(err, &refusal) {
			now, rerr := d.c.s.State(ctx, m.Partition)
			switch {
			case rerr == nil && !now.State.Migrating() && now.PreviousMove == m.ID:
				return now, nil
			case rerr == nil:
				return now, fmt.Errorf("complete: %w", err)
			}
		}
		if ctx.Err() != nil || !d.sess.Valid() {
			return placement.Entry{}, fmt.Errorf("complete: the outcome is unknown: %w: %w", ErrStoreUnavailable, err)
		}
		sleep(ctx, backoff(n))
	}
}

// refusedOrEarly reports whether a failed completion certainly did not happen.
func refusedOrEarly(limit context.Context, err error) bool {
	var refusal *placement.Refusal
	return errors.As(err, &refusal) || !errors.Is(err, ErrStoreUnavailable) && limit.Err() != nil
}

// reopen leaves the Cutover, also when the driver is being stopped: held writes
// should not wait for the next driver. The mover's write aliases are taken again
// if they were, or may have been, given up.
func (d *drive) reopen(ctx context.Context, sealed bool) error {
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	e, err := d.c.s.ApplyTo(bound, d.entry, placement.Command{Op: placement.OpReopen, Expect: d.entry.Epoch, Attempt: d.tag()})
	if err != nil {
		return fmt.Errorf("reopen: %w", err)
	}
	d.entry = e
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if sealed {
		if err := d.mv.Take(ctx, false); err != nil {
			return fmt.Errorf("take the target again: %w", err)
		}
	}
	return d.stage(ctx, StageCatchingUp, nil)
}

// names of proxies, for people.
func names(proxies []store.Info) []string {
	out := make([]string, len(proxies))
	for i, p := range proxies {
		out[i] = p.Name
	}
	return out
}

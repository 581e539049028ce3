package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// Why a driver stops.
var (
	errSuperseded = catalog.New("superseded", "another driver has taken the move over")
	errAborted    = catalog.New("abort_requested", "an abort was requested")
	errReplaced   = catalog.New("entry_moved_on", "the partition is not in this move any more")
	errPaused     = catalog.New("paused", "paused: `sluice moves resume` lets it go on")
	errDrift      = catalog.New("drift", "somebody writes around the proxies")
)

// drive is one process's work on one move. run is one goroutine; observe, the
// mover's callbacks and the lease are called by others.
type drive struct {
	c    *Controller
	sess *store.Session
	log  *slog.Logger

	settled   bool          // it had flipped when this driver took it up
	abort     chan struct{} // closed when an abort was requested
	abortOnce sync.Once
	paused    atomic.Bool
	accept    atomic.Bool // of drift
	options   atomic.Pointer[MoveOptions]

	writing *semaphore.Weighted // held while the record is changed: one change after the other

	mu      sync.Mutex // guards the following
	m       Move       // as last written or read
	version driver.Version
	lost    error // why the lease is gone, beyond the session

	// The rest belongs to run's goroutine, for one attempt.
	mv         *mover.Mover
	entry      placement.Entry   // as this driver last wrote it
	after      map[string]uint64 // by session: journal sequence that is at the target
	asked      []store.Info      // the proxies of the last round
	unsure     map[string]uint64 // by session: lost journals of living sessions, and the head that a reconcile covers
	known      bool              // what has become of every creation of an index, this attempt's and earlier ones'
	verified   bool
	ack        time.Duration // what the last barrier took, less with every round of waiting
	rewrites   bool          // an ingest pipeline may write other documents than the journals name
	compare    time.Duration // what the last comparison of a move that resyncs took
	compared   time.Duration // when it ended
	calm       int           // rounds spent waiting for a shorter predicted pause since the last cutover
	flip       flipped
	verifying  time.Duration // when the last verification began
	drift      error         // why the last verification failed, if it is to be waited for
	driftUntil time.Duration // when to compare again
	noisy      int           // cutovers that were undone because somebody wrote around the proxies
	shadow     *shadowReader // nil: no searches are compared
}

// flipped is what only the driver that flipped knows.
type flipped struct {
	pause                    time.Duration      // entering Cutover to completion
	barrier, lastRound, seal time.Duration      // its parts
	proxies                  []store.Info       // waited for
	marks                    []map[string]int64 // of a timed move: the source's sequence numbers before the last comparison
	verified                 *DiffCounts        // of a timed move: what its last comparison found and put right
}

func newDrive(c *Controller, sess *store.Session, r store.Record[Move]) *drive {
	d := &drive{writing: semaphore.NewWeighted(1), c: c, sess: sess, m: r.Value, version: r.Version, settled: r.Value.Settled(), abort: make(chan struct{}), log: c.log.With("move", r.Value.ID)}
	d.observe(r.Value)
	return d
}

// observe takes note of what the record says now.
func (d *drive) observe(m Move) {
	d.paused.Store(m.Paused)
	d.accept.Store(m.Options.AcceptDrift)
	d.options.Store(&m.Options)
	if m.AbortRequested {
		d.abortOnce.Do(func() { close(d.abort) })
	}
}

// run claims the move and drives it to rest, beginning anew - with a higher
// attempt, reading the entry again - after every failure: there is one way to
// recover, and it is the one that a crash takes.
func (d *drive) run(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		d.rest(ctx)
		began := time.Now()
		err := d.attempt(ctx)
		switch {
		case err == nil, ctx.Err() != nil:
			return
		case errors.Is(err, errPaused):
			d.log.Info("the move was paused")
			n = -1
			continue
		case errors.Is(err, errSuperseded):
			d.log.Info("another driver has the move")
			d.afterSuperseded(ctx)
			return
		}
		d.log.Warn("the move was interrupted, going on", "error", err)
		_ = d.update(ctx, func(m *Move) {
			m.Progress.waits(fmt.Errorf("interrupted, trying again: %w", err))
			m.Creating = m.Creating && !d.known
			if unreached(err) && m.Unreached == m.Attempt-1 {
				m.Unreached = m.Attempt
			}
		})
		if time.Since(began) > time.Minute {
			n = 0
		}
		sleep(ctx, backoff(n))
	}
}

// rest waits out a pause that was asked for. A move that has copied everything is not
// kept here: it goes on catching up, so that the journals stay short, and begins no
// cutover.
func (d *drive) rest(ctx context.Context) {
	said := false
	for d.paused.Load() && ctx.Err() == nil {
		if s := d.move().Stage; s != StagePreparing && s != StageCopying {
			return
		}
		if !said {
			// An error needs no handling: a driver that was replaced learns it from
			// its next attempt.
			_ = d.update(ctx, func(m *Move) {
				m.Progress.waits(errPaused)
				m.Progress.Rate, m.Progress.ETA = 0, 0
			})
			said = true
		}
		select {
		case <-d.abort:
			return
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// afterSuperseded undoes a begin that this driver may have written after its
// move had been ended by another.
func (d *drive) afterSuperseded(ctx context.Context) {
	r, err := Moves(d.c.s).Get(ctx, d.id())
	if err == nil && (r.Value.Stage == StageAborted || r.Value.Stage == StageFailed) {
		d.c.mu.Lock()
		delete(d.c.checked, r.Value.ID)
		d.c.mu.Unlock()
		d.c.unstick(ctx, r.Value)
	}
}

func (d *drive) id() string { return d.move().ID }

// move is a copy of the record as last known.
func (d *drive) move() Move {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.m
}

// lease is asked by the mover before and after everything that it sends.
func (d *drive) lease() error {
	d.mu.Lock()
	lost := d.lost
	d.mu.Unlock()
	if lost != nil {
		return lost
	}
	if !d.sess.Valid() {
		return fmt.Errorf("the controller's lease on the move: %w", store.ErrSessionLost)
	}
	return nil
}

// claim makes this session the record's owner, with a new attempt.
func (d *drive) claim(ctx context.Context) error {
	me, first := d.sess.ID(), true
	for {
		m, v := d.snapshot()
		if !first {
			r, err := Moves(d.c.s).Get(ctx, m.ID)
			if err != nil {
				return fmt.Errorf("claim: %w", err)
			}
			m, v = r.Value, r.Version
			f, err := readFleet(ctx, d.c.s, fleet{})
			if err != nil {
				return fmt.Errorf("claim: %w", err)
			}
			if !claimable(m, me, f.alive) {
				return errSuperseded
			}
		}
		first = false
		d.observe(m)
		next := m.clone()
		next.Owner, next.Updated = me, time.Now().UTC()
		next.Attempt++
		nv, err := Moves(d.c.s).Put(ctx, m.ID, next, v)
		if err == nil {
			d.mu.Lock()
			d.m, d.version, d.lost = next, nv, nil
			d.mu.Unlock()
			return nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("claim: %w", err) // unknown: the next try reads first
		}
	}
}

func (d *drive) snapshot() (Move, driver.Version) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.m, d.version
}

// update changes the record by compare-and-swap. change is applied to what is
// there, so a request that the CLI has written meanwhile is kept; another owner
// or attempt there ends this driver. change may be called several times.
//
// It may be called concurrently: changes are written one after the other.
func (d *drive) update(ctx context.Context, change func(*Move)) error {
	if err := d.writing.Acquire(ctx, 1); err != nil {
		return err
	}
	defer d.writing.Release(1)
	m, v := d.snapshot()
	owner, attempt := m.Owner, m.Attempt
	for n := 0; ; n++ {
		if n > 0 {
			r, err := Moves(d.c.s).Get(ctx, m.ID)
			switch {
			case errors.Is(err, store.ErrNotFound):
				return d.supersede()
			case err != nil:
				return fmt.Errorf("record the move: %w", err)
			case r.Value.Owner != owner || r.Value.Attempt != attempt:
				return d.supersede()
			}
			m, v = r.Value, r.Version
			d.observe(m)
		}
		next := m.clone()
		change(&next)
		next.Updated = time.Now().UTC()
		nv, err := Moves(d.c.s).Put(ctx, m.ID, next, v)
		if err == nil {
			d.mu.Lock()
			d.m, d.version = next, nv
			d.mu.Unlock()
			return nil
		}
		// A conflict, or an unknown outcome: what is there tells. Changes set
		// values, so one that took effect may be applied again.
		if !errors.Is(err, store.ErrConflict) && (ctx.Err() != nil || n >= 3) {
			return fmt.Errorf("record the move: %w", err)
		}
	}
}

func (d *drive) supersede() error {
	d.mu.Lock()
	d.lost = errSuperseded
	d.mu.Unlock()
	return errSuperseded
}

// stage persists the next stage.
func (d *drive) stage(ctx context.Context, s Stage, change func(*Move)) error {
	d.log.Info("stage", "stage", string(s))
	now, before := time.Now().UTC(), d.move()
	err := d.update(ctx, func(m *Move) {
		m.enter(s, now)
		m.Progress.waits(nil)
		m.Progress.Laggards = nil
		if change != nil {
			change(m)
		}
	})
	if err == nil {
		d.c.traceStage(before, d.move())
		d.c.opt.Metrics.staged(before, d.move())
	}
	return err
}

// note tells watchers what the driver waits for, at most when it changes.
func (d *drive) note(ctx context.Context, err error) error {
	if m := d.move(); m.Progress.Note == err.Error() {
		return nil
	}
	var pending *BarrierPending
	var late []Laggard
	if errors.As(err, &pending) {
		late = pending.Laggards
	}
	return d.update(ctx, func(m *Move) {
		m.Progress.waits(err)
		m.Progress.Laggards = late
	})
}

func (d *drive) tag() placement.Attempt {
	m := d.move()
	return placement.Attempt{Move: m.ID, Number: m.Attempt}
}

// attempt is one tenure of the move, from the claim to its rest.
func (d *drive) attempt(ctx context.Context) error {
	if err := d.claim(ctx); err != nil {
		return err
	}
	m := d.move()
	d.mv, d.entry, d.verified, d.flip, d.ack, d.calm = nil, placement.Entry{}, false, flipped{}, 0, 0
	d.rewrites, d.compare, d.compared, d.known = false, 0, 0, false
	d.drift, d.driftUntil, d.noisy = nil, 0, 0
	d.after, d.unsure = map[string]uint64{}, map[string]uint64{}
	src, err := d.c.client(ctx, m.From.Cluster)
	if err != nil {
		return err
	}
	dst, err := d.c.client(ctx, m.To.Cluster)
	if err != nil {
		return err
	}
	work, stop := context.WithCancelCause(ctx) // also ended by an abort
	defer stop(nil)
	save := &newest{every: time.Second}
	d.mv, err = mover.New(mover.Spec{Move: m.ID, Attempt: m.Attempt, Partition: m.Partition, From: m.From, To: m.To, RollbackOf: m.RollbackOf, Old: m.Old}, src, dst, &mover.Options{
		Logger: d.log, Lease: d.lease, Progress: save.progress, Workers: d.c.opt.CopyWorkers, Limits: m.Options.limits(),
		Copy: m.Options.Copy,
	})
	if err != nil {
		return d.discard(ctx, err)
	}
	if len(m.Indices) > 0 {
		d.mv.Use(m.Indices)
	}
	if m.unwritten() {
		d.mv.Unwritten()
	}
	e, err := d.c.s.State(ctx, m.Partition)
	if err != nil && !errors.Is(err, placement.ErrUnknownPartition) {
		return err
	}
	switch situation(m, e, err) {
	case caseFresh, caseTakeover:
		return d.migrate(ctx, work, stop, e, save)
	case caseFlipped:
		return d.settle(ctx, e)
	case caseRetire:
		return d.retire(ctx, e)
	}
	return d.discard(ctx, nil)
}

type situationCase int

const (
	caseGone     situationCase = iota // aborted, replaced or removed: clean up
	caseFresh                         // not begun
	caseTakeover                      // under way
	caseFlipped                       // completed, the work after the flip is left
	caseRetire                        // completed and recorded; the old copy is to go
)

// situation believes the entry; the record only says what the entry cannot.
func situation(m Move, e placement.Entry, err error) situationCase {
	switch {
	case m.Stage == StageFlipped || m.Stage == StageRetiring:
		return caseRetire
	case err != nil:
		return caseGone
	case e.State.Migrating() && e.Attempt.Move == m.ID:
		return caseTakeover
	case !e.State.Migrating() && e.PreviousMove == m.ID:
		return caseFlipped
	case !e.State.Migrating() && e.State.From == m.From && m.Stage == StagePreparing && m.BeginEpoch == 0:
		return caseFresh
	}
	return caseGone
}

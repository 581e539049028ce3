package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Waves are worked on by controllers, each by one at a time: its record names that
// one's session, and is taken by compare-and-swap once the session is gone.
//
// Why a crash loses and doubles nothing: an item is given the id of its move, by
// compare-and-swap on the item, before the record of the move is created under that
// id. Whoever comes next finds either no id, and gives one, or an id, and creates that
// record if it is missing. Two that both believe to own a wave meet at the item: one
// of them is refused. A move itself has one driver, whoever asked for it; and begin
// refuses a second move of one tenant.

// waves works on waves until the tenure ends.
func (t *tenancy) waves(ctx context.Context) { t.repeat(ctx, "working on waves", t.stepWaves) }

// repeat takes a step every Scan, and later after one that failed, until ctx ends.
func (t *tenancy) repeat(ctx context.Context, what string, step func(context.Context) error) {
	tick := time.NewTicker(t.c.opt.Scan)
	defer tick.Stop()
	for n := 0; ; {
		if err := step(ctx); err != nil && ctx.Err() == nil {
			t.c.log.Warn(what+" failed, trying again", "error", err)
			sleep(ctx, backoff(n))
			n++
		} else {
			n = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// stepWaves takes up what nobody works on, and takes one step in each wave that this
// controller has.
func (t *tenancy) stepWaves(ctx context.Context) error {
	waves, _, err := Waves(t.c.s).List(ctx)
	if err != nil {
		return err
	}
	t.c.opt.Metrics.lookWaves(waves)
	waves = slices.DeleteFunc(waves, func(r store.Record[Wave]) bool { return r.Value.State.Ended() })
	if len(waves) == 0 {
		return nil
	}
	// After the list: an owner whom this look does not show has ended for good.
	f, err := readFleet(ctx, t.c.s, fleet{})
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range waves {
		if r.Value.Owner != t.sess.ID() {
			if r.Value.Owner != "" && f.alive(r.Value.Owner) {
				continue
			}
			w := r.Value
			w.Owner = t.sess.ID()
			if r.Version, err = Waves(t.c.s).Put(ctx, w.ID, w, r.Version); err != nil {
				if !errors.Is(err, store.ErrConflict) {
					errs = append(errs, err)
				}
				continue
			}
			r.Value = w
			t.c.log.Info("working on a wave", "wave", w.ID, "items", w.Items)
		}
		if err := t.stepWave(ctx, r); err != nil && !errors.Is(err, store.ErrConflict) { // somebody changed it: next time
			errs = append(errs, fmt.Errorf("wave %s: %w", r.Value.ID, err))
		}
	}
	return errors.Join(errs...)
}

// waveStep is one look at a wave.
type waveStep struct {
	t     *tenancy
	wave  store.Record[Wave]
	items []store.Record[WaveItem]
	busy  map[placement.PartitionID]Move // moves that have not settled, of any origin
	from  map[string]int                 // moves of the wave under way, by cluster
	to    map[string]int
	under int
}

func (t *tenancy) stepWave(ctx context.Context, r store.Record[Wave]) (err error) {
	st := &waveStep{t: t, wave: r, items: t.items[r.Value.ID], busy: map[placement.PartitionID]Move{}, from: map[string]int{}, to: map[string]int{}}
	defer func() {
		t.items[r.Value.ID] = st.items
		if err != nil || st.wave.Value.State.Ended() {
			delete(t.items, r.Value.ID) // what is there is not known
		}
	}()
	if st.items == nil {
		if st.items, err = itemsOf(ctx, t.c.s, r.Value.ID); err != nil {
			return err
		}
	}
	moves, err := t.openMoves(ctx, false)
	if err != nil {
		return err
	}
	for _, m := range moves {
		if !m.Value.Settled() {
			st.busy[m.Value.Partition] = m.Value
		}
	}
	if err := st.follow(ctx); err != nil {
		return err
	}
	failed, left := 0, 0
	for _, i := range st.items {
		if i.Value.State == ItemFailed {
			failed++
		}
		if !i.Value.State.Ended() {
			left++
		}
	}
	w := st.wave.Value
	limit := w.Limits.StopAfter
	switch {
	case left == 0 && w.State == WaveAborting:
		return st.become(ctx, WaveAborted, nil)
	case left == 0:
		return st.become(ctx, WaveDone, nil)
	case w.State == WaveRunning && limit > 0 && failed-w.Forgiven >= limit:
		return st.become(ctx, WaveStopped, catalog.Errorf("wave_stopped", "%d moves have failed; look at them, then resume it", failed-w.Forgiven))
	case w.State == WaveRunning:
		return st.begin(ctx)
	}
	return nil
}

// become changes the wave's state, if nobody has changed it meanwhile.
func (st *waveStep) become(ctx context.Context, to WaveState, why error) error {
	w := st.wave.Value
	before := w
	w.State = to
	w.waits(why)
	if w.State == before.State && w.Reason == before.Reason {
		return nil
	}
	w.Updated = time.Now().UTC()
	v, err := Waves(st.t.c.s).Put(ctx, w.ID, w, st.wave.Version)
	if err == nil {
		st.wave.Value, st.wave.Version = w, v
		st.t.c.log.Info("a wave has changed", "wave", w.ID, "state", string(to), "reason", w.Reason)
	}
	return err
}

// Why an item ends without the move that it was for.
var (
	errWaveAborted = catalog.New("wave_aborted", "the wave was aborted")
	errMoveAborted = catalog.New("abort_requested", "the move was aborted")
)

// follow brings the items up to their moves, and counts what is under way.
func (st *waveStep) follow(ctx context.Context) error {
	aborting := st.wave.Value.State == WaveAborting
	for n := range st.items {
		i := &st.items[n]
		switch {
		case i.Value.State == ItemWaiting && aborting:
			if err := st.end(ctx, i, ItemSkipped, errWaveAborted); err != nil {
				return err
			}
		case i.Value.State == ItemMoving:
			if err := st.followMove(ctx, i, aborting); err != nil {
				return err
			}
		}
		if i.Value.State == ItemMoving {
			st.under++
			st.from[i.Value.From]++
			st.to[i.Value.To]++
		}
	}
	return nil
}

func (st *waveStep) followMove(ctx context.Context, i *store.Record[WaveItem], aborting bool) error {
	r, err := Moves(st.t.c.s).Get(ctx, i.Value.Move)
	m := r.Value
	switch {
	case errors.Is(err, store.ErrNotFound) && aborting:
		return st.forestall(ctx, i)
	case errors.Is(err, store.ErrNotFound):
		return st.ask(ctx, i)
	case err != nil:
		return err
	case m.Stage == StageAborted && aborting:
		return st.end(ctx, i, ItemSkipped, errWaveAborted)
	case m.Stage == StageAborted || m.Stage == StageFailed:
		why := errMoveAborted
		if m.Error != "" {
			why = catalog.New(cmp.Or(m.ErrorCode, "unexpected"), m.Error)
		}
		return st.end(ctx, i, ItemFailed, why)
	case m.Settled():
		return st.end(ctx, i, ItemDone, nil)
	case aborting && !m.AbortRequested:
		_, err := RequestAbort(ctx, st.t.c.s, m.ID)
		if errors.Is(err, ErrFlipped) || errors.Is(err, ErrSettled) {
			return nil // seen at the next step
		}
		return err
	}
	return nil
}

// forestall ends an item whose move has an id and no record. One that ended at once
// takes its place: whoever gave the id may still be about to create it.
func (st *waveStep) forestall(ctx context.Context, i *store.Record[WaveItem]) error {
	m, err := st.plan(ctx, i.Value)
	if err == nil {
		m.Wave = st.wave.Value.ID
		m.because(errWaveAborted)
		m.enter(StageAborted, time.Now().UTC())
		_, err = Moves(st.t.c.s).Put(ctx, m.ID, m, 0)
		if errors.Is(err, store.ErrConflict) {
			return nil // it is there by now, and aborted at the next step
		}
	}
	if err != nil && !refusal(err) {
		return err
	}
	return st.end(ctx, i, ItemSkipped, errWaveAborted)
}

// end writes an item's outcome.
func (st *waveStep) end(ctx context.Context, i *store.Record[WaveItem], to ItemState, why error) error {
	next := i.Value
	next.State, next.Ended = to, time.Now().UTC()
	next.Error, next.ErrorCode = reason(why, "unexpected")
	return st.put(ctx, i, next)
}

func (st *waveStep) put(ctx context.Context, i *store.Record[WaveItem], next WaveItem) error {
	v, err := WaveItems(st.t.c.s).Put(ctx, next.name(), next, i.Version)
	if err == nil {
		i.Value, i.Version = next, v
	}
	return err
}

// begin begins as many moves as the limits allow.
func (st *waveStep) begin(ctx context.Context) error {
	w := st.wave.Value
	if len(w.Windows) > 0 {
		now, open := time.Now(), false
		var hours []string
		for _, x := range w.Windows {
			is, err := x.open(now)
			if err != nil {
				return err
			}
			open = open || is
			hours = append(hours, x.String())
		}
		if !open {
			return st.become(ctx, WaveRunning, catalog.Errorf("outside_wave_hours", "waiting for its hours, %s", strings.Join(hours, ", ")))
		}
	}
	var waits error
	for n := range st.items {
		i := &st.items[n]
		if i.Value.State != ItemWaiting {
			continue
		}
		if st.under >= w.Limits.AtOnce {
			break
		}
		// Before its entry is read: of a cluster that is emptied hundreds wait for this.
		if st.from[i.Value.From] >= w.Limits.PerSource || st.to[i.Value.To] >= w.Limits.PerTarget {
			continue
		}
		e, err := st.t.c.s.State(ctx, i.Value.Partition)
		var bad *store.CorruptError
		switch {
		case errors.Is(err, placement.ErrUnknownPartition):
			if err := st.end(ctx, i, ItemFailed, catalog.New("tenant_gone", "there is no such tenant any more")); err != nil {
				return err
			}
			continue
		case errors.As(err, &bad):
			if err := st.end(ctx, i, ItemFailed, err); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		from := e.State.From.Cluster
		if m, ok := st.busy[i.Value.Partition]; ok || e.State.Migrating() {
			waits = catalog.Errorf("already_migrating", "tenant %q has move %s of its own, and is taken up after it", string(i.Value.Partition), m.ID)
			continue
		}
		if i.Value.arrived(e.State.From) {
			if err := st.end(ctx, i, ItemDone, nil); err != nil {
				return err
			}
			continue
		}
		if st.from[from] >= w.Limits.PerSource || st.to[i.Value.To] >= w.Limits.PerTarget {
			continue
		}
		next := i.Value
		next.State, next.From, next.Move, next.Began = ItemMoving, from, newMoveID(time.Now().UTC()), time.Now().UTC()
		if err := st.put(ctx, i, next); err != nil {
			return err
		}
		if err := st.ask(ctx, i); err != nil {
			return err
		}
		if i.Value.State == ItemMoving {
			st.under++
			st.from[from]++
			st.to[i.Value.To]++
		}
	}
	return st.become(ctx, WaveRunning, waits)
}

// ask creates the record of an item's move, under the id that the item has. A refusal
// ends the item.
func (st *waveStep) ask(ctx context.Context, i *store.Record[WaveItem]) error {
	m, err := st.plan(ctx, i.Value)
	if err == nil {
		m.Wave = st.wave.Value.ID
		err = st.create(ctx, m)
		if errors.Is(err, store.ErrConflict) {
			return nil // it is there: an earlier answer was lost
		}
	}
	if err == nil {
		st.t.c.log.Info("a wave begins a move", "wave", m.Wave, "move", m.ID, "to", m.To.String())
		return nil
	}
	if !refusal(err) {
		return err
	}
	return st.end(ctx, i, ItemFailed, err)
}

// refusal tells what cannot be had from what could not be learned.
func refusal(err error) bool {
	var invalid *placement.InvalidError
	var refused *placement.Refusal
	var r *mover.RefusedError
	if errors.As(err, &invalid) || errors.As(err, &refused) || errors.As(err, &r) {
		return true
	}
	for _, e := range []error{ErrUnknownCluster, ErrAlreadyMoving, ErrPlaceTaken, ErrNoWayBack, ErrNotFlipped, ErrUnknownMove, placement.ErrUnknownPartition, placement.ErrSamePlacement} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

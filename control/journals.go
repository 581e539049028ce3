package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/store"
)

// pullLimit is how many journal entries are asked for at a time.
const pullLimit = 5000

// errJournalLost: something that a living proxy's journal should hold is not
// known. Nothing completes before a reconcile.
var errJournalLost = catalog.New("journal_lost", "a proxy's journal is incomplete")

// peerError: a proxy does not answer, or holds another session by now. It may be
// closing or about to vanish; which of them, its session will tell. Nothing is
// wrong with the move, so its driver waits.
type peerError struct{ err error }

func (e *peerError) Error() string { return e.err.Error() }

func (e *peerError) Unwrap() error { return e.err }

// harvest is one page from each of several proxies' journals.
type harvest struct {
	refs []gate.DocRef     // distinct
	upto map[string]uint64 // by session: what the page covers
	lost map[string]uint64 // by session: the head up to which something is unknown
	more bool
}

// pull reads one page after what is at the target from each proxy, all at once.
// A proxy whose entry in upto says that its journal ends where this driver
// stands is not asked: what it published there is all that it had journaled.
func (d *drive) pull(ctx context.Context, proxies []store.Info, heads map[string]store.JournalHead) (harvest, error) {
	h := harvest{upto: map[string]uint64{}, lost: map[string]uint64{}}
	id := d.move().Partition
	seen := map[gate.DocRef]bool{}
	var mu sync.Mutex // guards h and seen among the goroutines
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(32)
	for _, p := range proxies {
		after := d.after[p.ID]
		if head, known := heads[p.ID]; known && !head.Lost && head.Head <= after {
			continue
		}
		g.Go(func() error {
			page, err := d.c.peers.Pull(gctx, p, id, after, pullLimit)
			if err != nil {
				return &peerError{fmt.Errorf("read the journal: %w", err)}
			}
			mu.Lock()
			defer mu.Unlock()
			upto := page.Head
			if n := len(page.Entries); page.More && n > 0 {
				upto = page.Entries[n-1].Seq
				h.more = true
			}
			h.upto[p.ID] = upto
			if page.Lost {
				h.lost[p.ID] = page.Head
			}
			for _, e := range page.Entries {
				if e.Kind == gate.EntryDoc && !seen[e.Doc] {
					seen[e.Doc] = true
					h.refs = append(h.refs, e.Doc)
				}
			}
			return nil
		})
	}
	return h, g.Wait()
}

// absorb makes the target what the source is for everything in h. What documents need
// of mappings and settings comes before them (Apply).
func (d *drive) absorb(ctx context.Context, h harvest) error {
	if len(h.refs) > 0 {
		if _, err := d.mv.Apply(ctx, h.refs); err != nil {
			return fmt.Errorf("catch up: %w", err)
		}
	}
	for s, upto := range h.upto {
		d.after[s] = max(d.after[s], upto)
	}
	for s, head := range h.lost {
		d.unsure[s] = max(d.unsure[s], head)
	}
	return nil
}

// confirm lets the proxies forget what is at the target. Never where something
// is unknown: confirming says that nothing is, and only a reconcile may.
func (d *drive) confirm(ctx context.Context, proxies []store.Info, h harvest) error {
	id := d.move().Partition
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(32)
	for _, p := range proxies {
		upto, pulled := h.upto[p.ID]
		_, unsure := d.unsure[p.ID]
		if !pulled || upto == 0 || unsure {
			continue
		}
		g.Go(func() error { return d.c.peers.Confirm(gctx, p, id, upto) })
	}
	if err := g.Wait(); err != nil {
		return &peerError{fmt.Errorf("confirm the journal: %w", err)}
	}
	return nil
}

// round brings the target up to what the journals hold now, and returns the
// distinct ids that it took.
func (d *drive) round(ctx context.Context) ([]gate.DocRef, error) {
	f, err := d.look(ctx)
	if err != nil {
		return nil, err
	}
	var proxies []store.Info
	for _, id := range slices.Sorted(maps.Keys(f.sessions)) { // in the same order every time, for whoever replays it
		proxies = append(proxies, f.sessions[id].Info)
	}
	d.asked = proxies
	var refs []gate.DocRef
	for {
		h, err := d.pull(ctx, proxies, nil)
		if err != nil {
			return nil, err
		}
		if err := d.adopt(ctx); err != nil {
			return nil, err
		}
		if _, err := d.mv.SyncMeta(ctx); err != nil { // also when no document needs it
			return nil, fmt.Errorf("carry mappings and settings over: %w", err)
		}
		if err := d.absorb(ctx, h); err != nil {
			return nil, err
		}
		if err := d.confirm(ctx, proxies, h); err != nil {
			return nil, err
		}
		refs = append(refs, h.refs...)
		if !h.more {
			return refs, nil
		}
	}
}

// recover accounts for what no journal tells: proxies that vanished, once their
// drain has passed, and journals of living ones that are incomplete. It reports
// whether something is left to wait for.
//
// A reconcile that begins after a session's drain sees everything that the
// session's writes have done, because none of them can take effect after it. For
// a living session the head was read before the reconcile began, and whatever
// is below it was written before the head was read.
//
// Why the source is not fenced for a moment instead of waiting the drain out. A
// write block ends the writes that the cluster has begun and refuses those that
// come while it stands. What was on its way all the time - half of a bulk's body
// from a process that was stopped, a segment that is sent again - is applied when
// the block is gone (mover's TestLiftedBlockIsNoProof). It would then be on the
// source after the resync, be read by somebody, and be lost at the flip. So only
// a block that stands until the flip is proof; and since the journal of a
// vanished proxy is lost, all of both sides would have to be compared under it,
// with everybody's writes held: minutes, for one proxy that died. The same block
// without holding writes makes every live write fail. And where nothing is lost
// but an outcome is unknown, it would lengthen the pause by the 100-350 ms that
// setting it takes, to spare a wait in which nobody is held up. The unusual never
// lengthens a pause: so it waits, and costs nobody but the move.
func (d *drive) recover(ctx context.Context) (waiting error, err error) {
	m := d.move()
	f, err := d.look(ctx)
	if err != nil {
		return nil, err
	}
	missing := f.missing(func(s string) bool { return m.Reconciled[s] })
	drained, err := d.drained(ctx, missing)
	if err != nil {
		return nil, err
	}
	var left []store.Info
	for _, p := range missing {
		if !drained[p.ID] {
			left = append(left, p) // one that is starting or closing is waited for as well, shortly
		}
	}
	for s := range d.unsure {
		if _, alive := f.sessions[s]; !alive {
			delete(d.unsure, s) // on the roster it counts as vanished
		}
	}
	if len(drained) > 0 || len(d.unsure) > 0 {
		if err := d.note(ctx, catalog.New("comparing", "comparing both sides, because a journal is lost")); err != nil {
			return nil, err
		}
		heads := map[string]uint64{}
		for s, h := range d.unsure {
			heads[s] = h
		}
		if _, err := d.mv.Resync(ctx); err != nil {
			return nil, fmt.Errorf("reconcile: %w", err)
		}
		idx := d.mv.Indexes()
		if err := d.update(ctx, func(m *Move) {
			m.account(drained)
			m.Indices = idx
		}); err != nil {
			return nil, err
		}
		for s, head := range heads {
			if err := d.c.peers.Confirm(ctx, f.sessions[s].Info, m.Partition, head); err != nil {
				return &peerError{fmt.Errorf("confirm the journal: %w", err)}, nil // compared again later
			}
			d.after[s] = max(d.after[s], head)
			delete(d.unsure, s)
		}
	}
	return vanishedError(left), nil
}

package opensearchstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// most is how many changed documents a watch reads in one go. A watch that is
// further behind is sent to list.
const most = 50_000

// Watch implements driver.Driver.
//
// The poller that all watches of a Store share publishes how far the shard has come
// without holes. A watch then searches the documents that were written since its
// last step, and takes the changes between that step and the publication out of
// their histories. The search has no upper bound: a document that was changed on
// both sides of the publication is only there with its newest number.
//
// A tombstone may have been collected meanwhile. Compaction first moves a mark, so
// the mark is read after the search: at or before where the watch is, nothing was
// missing.
func (s *Store) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	doing := "watch " + space
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("opensearch: %s: %w", doing, err)
	}
	defer s.join()()
	w := &watch{s: s, space: space, last: from, done: -2}
	failing := false
	for pause := firstPause; ; {
		t, err := w.next(ctx)
		if err != nil {
			return s.why(ctx, doing, err)
		}
		evs, err := w.step(ctx, t)
		switch {
		case err == nil:
			failing, pause = false, firstPause
		case errors.Is(err, driver.ErrCompacted):
			return driver.ErrCompacted
		case ctx.Err() != nil || s.life.Err() != nil || !transient(err):
			return s.why(ctx, doing, err)
		default:
			if !failing {
				s.log.Warn("a watch of the placement table failed, it goes on until it works", "space", space, "error", err)
			}
			failing = true
			s.leave(ctx, t.at, err)
			s.pulse.poke() // so that another node's publication comes soon
			s.sleep(ctx, pause)
			pause = min(2*pause, lastPause)
			continue
		}
		if len(evs) > 0 {
			if err := apply(evs); err != nil {
				return err
			}
		}
		w.last, w.done = max(w.last, upTo(t.seq)), t.seq
	}
}

// watch is where one Watch is.
type watch struct {
	s     *Store
	space string
	last  driver.Version // everything up to it has been reported
	done  int64          // of the publication that was worked off last
	knows bool           // the leases that were there before
}

// next waits for a publication that is not worked off, and meanwhile ends the leases
// whose time has come.
func (w *watch) next(ctx context.Context) (tick, error) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now, have, changed, err := w.s.pulse.state()
		switch {
		case ctx.Err() != nil:
			return tick{}, ctx.Err()
		case w.s.life.Err() != nil:
			return tick{}, ErrClosed
		case err != nil:
			return tick{}, err
		case have && now.seq > w.done:
			return now, nil
		}
		timer.Reset(w.s.leases.due(w.space))
		select {
		case <-changed:
		case <-timer.C:
			w.s.sweep(ctx, w.space)
		case <-ctx.Done():
		case <-w.s.life.Done():
		}
	}
}

// step reads what happened up to a publication.
func (w *watch) step(ctx context.Context, t tick) ([]driver.Event, error) {
	s, n := w.s, w.s.nodeAt(t.at)
	if !w.knows {
		if err := w.observe(ctx, n); err != nil {
			return nil, err
		}
		w.knows = true
	}
	upto := upTo(t.seq)
	if upto <= w.last {
		return nil, nil
	}
	return s.between(ctx, n, w.space, w.last, upto)
}

// between reads the changes of a space after one version and up to another, which
// must be visible through the node; driver.ErrCompacted if some are forgotten.
func (s *Store) between(ctx context.Context, n *node, space string, from, upto driver.Version) ([]driver.Event, error) {
	q := search{query: all(inSpace(space), seqFrom(seqOf(from))), sort: "_seq_no", records: s.page}
	var evs []driver.Event
	for read := 0; ; {
		hits, err := s.pageOf(ctx, n, q)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		for i := range hits {
			d := hits[i].stored()
			s.leases.note(d, now)
			some, err := d.changes(from, upto)
			if err != nil {
				return nil, driver.ErrCompacted
			}
			evs = append(evs, some...)
		}
		if len(hits) < q.records {
			break
		}
		if read += len(hits); read >= most {
			return nil, driver.ErrCompacted
		}
		q.after = hits[len(hits)-1].Sort
	}
	mark, err := s.mark(ctx, n)
	if err != nil {
		return nil, err
	}
	if mark > from {
		return nil, driver.ErrCompacted
	}
	// A document that was changed between two pages is on both, with the same past.
	slices.SortFunc(evs, func(a, b driver.Event) int { return cmpVersion(a.Version, b.Version) })
	return slices.CompactFunc(evs, func(a, b driver.Event) bool { return a.Version == b.Version }), nil
}

func cmpVersion(a, b driver.Version) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// observe begins to count for the leases that were there before the watch.
func (w *watch) observe(ctx context.Context, n *node) error {
	q := search{query: all(inSpace(w.space), isDeleted(false), isLeased()), sort: "_seq_no", records: w.s.page, noPast: true}
	for {
		hits, err := w.s.pageOf(ctx, n, q)
		if err != nil {
			return err
		}
		now := time.Now()
		for i := range hits {
			w.s.leases.note(hits[i].stored(), now)
		}
		if len(hits) < q.records {
			return nil
		}
		q.after = hits[len(hits)-1].Sort
	}
}

// pageOf is one page of a search within its time.
func (s *Store) pageOf(ctx context.Context, n *node, q search) ([]hit, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout/2)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	return s.search(ctx, n, q)
}

// metaID is the _id of the document that says what the table is. No key has it: their
// hashes are longer.
const metaID = "meta"

// meta is that document.
type meta struct {
	Format    int    `json:"format"`
	Identity  string `json:"identity"`            // that the index was created with
	Compacted uint64 `json:"compacted,omitempty"` // tombstones up to this version may be gone
}

type gotMeta struct {
	Seq    int64 `json:"_seq_no"`
	Term   int64 `json:"_primary_term"`
	Source meta  `json:"_source"`
}

func (s *Store) readMeta(ctx context.Context, n *node) (gotMeta, error) {
	var g gotMeta
	err := n.send(ctx, request{http.MethodGet, s.docPath(metaID), url.Values{"realtime": {"true"}, "preference": {"_primary"}}, nil}, &g)
	return g, err
}

// mark reads how far the table has been compacted.
func (s *Store) mark(ctx context.Context, n *node) (driver.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout/2)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	g, err := s.readMeta(ctx, n)
	return driver.Version(g.Source.Compacted), err
}

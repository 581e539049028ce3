package opensearchstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// keepAlive is how long a point in time outlives its last page.
const keepAlive = "2m"

// List implements driver.Driver.
//
// The moment is a checkpoint that is read first; everything up to it is then made
// visible. What a search sees besides is newer and may have holes, so a record that
// was changed after the moment is yielded as its history says that it was, and one
// that was created after it is left out; the watch that follows brings both. Should
// a record have changed so often since that its history does not say, the moment is
// gone, and that is driver.ErrCompacted, as with a watch: list again.
//
// A small space is one search. For a larger one a point in time keeps all pages at
// one state of the shard.
func (s *Store) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	doing := "list " + space
	at, err := s.list(ctx, space, yield)
	switch {
	case errors.Is(err, errForgotten):
		return 0, fmt.Errorf("opensearch: %s: %w: what it was then was forgotten while it was being read", doing, driver.ErrCompacted)
	case err != nil:
		return 0, s.why(ctx, doing, err)
	}
	return at, nil
}

func (s *Store) list(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	if err := s.identity.replaced(); err != nil {
		return 0, err
	}
	s.sweep(ctx, space)
	first, err := s.begin(ctx, space)
	if err != nil {
		return 0, err
	}
	l := &listing{s: s, node: first.node, moment: upTo(first.seq), yield: yield}
	if len(first.hits) < s.page {
		if more, err := l.hits(first.hits); err != nil || !more {
			return l.moment, err
		}
		return l.moment, l.whole(ctx)
	}
	pit, err := s.openPIT(ctx, first.node)
	if err != nil {
		return 0, err
	}
	defer s.closePIT(first.node, pit)
	// Both searches are of one state of the shard: each record is in one of them.
	older := all(inSpace(space), isDeleted(false), seqUpTo(first.seq))
	newer := all(inSpace(space), seqFrom(first.seq+1))
	for _, q := range []search{
		{query: older, sort: "_doc", pit: pit, records: s.page, noPast: true},
		{query: newer, sort: "_doc", pit: pit, records: s.page},
	} {
		if more, err := l.pages(ctx, q); err != nil || !more {
			return l.moment, err
		}
	}
	return l.moment, l.whole(ctx)
}

// opening is the moment of a list and the first page of what is there.
type opening struct {
	node *node
	seq  int64
	hits []hit
}

func (s *Store) begin(ctx context.Context, space string) (opening, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var o opening
	err := s.read(ctx, func(ctx context.Context, n *node) (err error) {
		o.node = n
		if o.seq, err = s.settled(ctx, n); err != nil {
			return err
		}
		o.hits, err = s.search(ctx, n, search{
			query: all(inSpace(space), either(isDeleted(false), seqFrom(o.seq+1))), sort: "_seq_no", records: s.page,
		})
		return err
	})
	return o, err
}

// listing yields what documents were at a moment.
type listing struct {
	s      *Store
	node   *node
	moment driver.Version
	yield  func(driver.KV) bool
}

// whole makes sure that no record is missing that was deleted after the moment and
// whose tombstone, with the past that would have said so, has been collected since: like
// a watch it reads the mark after it has searched.
func (l *listing) whole(ctx context.Context) error {
	var mark driver.Version
	err := l.again(ctx, func(ctx context.Context) (err error) {
		mark, err = l.s.mark(ctx, l.node)
		return err
	})
	if err == nil && mark > l.moment {
		return errForgotten
	}
	return err
}

// pages goes through a search; false if yield wants no more.
func (l *listing) pages(ctx context.Context, q search) (bool, error) {
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		var hits []hit
		err := l.again(ctx, func(ctx context.Context) (err error) {
			hits, err = l.s.search(ctx, l.node, q)
			return err
		})
		if err != nil {
			return false, err
		}
		if more, err := l.hits(hits); err != nil || !more {
			return false, err
		}
		if len(hits) < q.records {
			return true, nil
		}
		q.after = hits[len(hits)-1].Sort
	}
}

// again runs a step of a list. Only the node that has the point in time can, so errors
// are waited out there.
func (l *listing) again(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := l.s.bound(ctx)
	defer cancel()
	var last error
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if err := ctx.Err(); err != nil {
			return atEnd(err, last)
		}
		err := step(ctx)
		if err == nil || !transient(err) {
			return err
		}
		last = err
		l.s.sleep(ctx, pause)
	}
}

func (l *listing) hits(hits []hit) (bool, error) {
	now := time.Now()
	for i := range hits {
		d := hits[i].stored()
		l.s.leases.note(d, now)
		kv, ok, err := d.moment(l.moment)
		if err != nil {
			return false, err
		}
		if ok && !l.yield(kv) {
			return false, nil
		}
	}
	return true, nil
}

func (s *Store) openPIT(ctx context.Context, n *node) (string, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var answer struct {
		ID string `json:"pit_id"`
	}
	err := n.send(ctx, request{
		http.MethodPost, "/" + s.alias + "/_search/point_in_time",
		url.Values{"keep_alive": {keepAlive}, "preference": {"_primary"}, "allow_partial_pit_creation": {"false"}}, nil,
	}, &answer)
	if err != nil {
		return "", fmt.Errorf("open a point in time: %w", err)
	}
	return answer.ID, nil
}

// closePIT lets go of a point in time. It is not insisted on: it ends by itself.
func (s *Store) closePIT(n *node, id string) {
	ctx, cancel := s.bound(context.Background())
	defer cancel()
	err := n.send(ctx, request{http.MethodDelete, "/_search/point_in_time", nil, object{"pit_id": []string{id}}}, nil)
	if err != nil && s.life.Err() == nil {
		s.log.Warn("a point in time was left to end by itself", "error", err)
	}
}

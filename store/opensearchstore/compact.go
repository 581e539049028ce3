package opensearchstore

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// collected is how many tombstones must be old enough before they are collected.
const collected = 1000

// maintain collects tombstones that are older than s.retain: a watch that was away for
// longer lists again. How old is counted by this process, from when it saw how far
// the shard was. Several processes may do it; the mark only moves forward.
func (s *Store) maintain(ctx context.Context) {
	type sample struct {
		at  time.Time
		seq int64
	}
	var samples []sample
	t := time.NewTicker(max(s.retain/8, time.Second))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		old := int64(-1)
		for len(samples) > 0 && time.Since(samples[0].at) >= s.retain {
			old, samples = samples[0].seq, samples[1:]
		}
		if old >= 0 {
			if err := s.compact(ctx, old, collected); err != nil && ctx.Err() == nil {
				s.log.Warn("collecting old tombstones failed, it will be tried again", "error", err)
			}
		}
		bound, cancel := s.bound(ctx)
		var sh shard
		err := s.read(bound, func(ctx context.Context, n *node) (err error) {
			sh, err = s.checkpoint(ctx, n)
			return err
		})
		cancel()
		if err == nil {
			samples = append(samples, sample{time.Now(), sh.global})
		}
	}
}

// Compact makes the table forget all deletions up to now. Watches that have not come
// as far are told driver.ErrCompacted. It happens by itself for what is old enough
// (Options.Retain); this is for who wants it at once.
func (s *Store) Compact(ctx context.Context) error {
	var at int64
	bound, cancel := s.bound(ctx)
	defer cancel()
	err := s.read(bound, func(ctx context.Context, n *node) (err error) {
		at, err = s.settled(ctx, n)
		return err
	})
	if err == nil {
		err = s.compact(ctx, at, 0)
	}
	if err != nil {
		return s.why(ctx, "compact", err)
	}
	return nil
}

// compact collects the tombstones up to seq, if there are at least so many.
//
// The mark moves before the first tombstone goes, and watches read it after they have
// searched: who finds the mark where he is, or before, had all tombstones after it.
func (s *Store) compact(ctx context.Context, seq int64, least int) error {
	q := search{query: all(isDeleted(true), seqUpTo(seq)), sort: "_seq_no", records: max(least, s.page), noPast: true}
	for first := true; ; first = false {
		var hits []hit
		bound, cancel := s.bound(ctx)
		err := s.read(bound, func(ctx context.Context, n *node) (err error) {
			if err = s.refresh(ctx, n); err == nil {
				hits, err = s.search(ctx, n, q)
			}
			return err
		})
		cancel()
		if err != nil {
			return err
		}
		if first {
			if len(hits) < least {
				return nil
			}
			if err := s.moveMark(ctx, upTo(seq)); err != nil {
				return err
			}
		}
		for i := range hits {
			if err := s.collect(ctx, &hits[i]); err != nil {
				return err
			}
		}
		if len(hits) < q.records {
			return nil
		}
		q.after = hits[len(hits)-1].Sort
	}
}

// moveMark raises the mark to at least that version.
func (s *Store) moveMark(ctx context.Context, to driver.Version) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	for {
		var g gotMeta
		err := s.read(ctx, func(ctx context.Context, n *node) (err error) {
			if _, err = s.checkpoint(ctx, n); err == nil {
				g, err = s.readMeta(ctx, n)
			}
			return err
		})
		if err != nil || driver.Version(g.Source.Compacted) >= to {
			return err
		}
		g.Source.Compacted = uint64(to)
		q := s.condition(g.Seq, g.Term)
		q.Set("require_alias", "true")
		err = s.nodeAt(s.current.Load()).send(ctx, request{http.MethodPut, s.docPath(metaID), q, g.Source}, nil)
		if !is(err, http.StatusConflict, conflictKind) {
			return err
		}
	}
}

func (s *Store) condition(seq, term int64) url.Values {
	return url.Values{
		"if_seq_no": {strconv.FormatInt(seq, 10)}, "if_primary_term": {strconv.FormatInt(term, 10)},
		"wait_for_active_shards": {s.wait},
	}
}

// collect removes a tombstone, unless a record has taken its place.
func (s *Store) collect(ctx context.Context, h *hit) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	err := s.nodeAt(s.current.Load()).send(ctx, request{http.MethodDelete, s.docPath(h.ID), s.condition(h.Seq, h.Term), nil}, nil)
	if err == nil || is(err, http.StatusConflict, conflictKind) || is(err, http.StatusNotFound, "not_found") {
		s.cache.drop(h.ID)
		return nil
	}
	return fmt.Errorf("remove a tombstone: %w", err)
}

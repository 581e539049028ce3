package consulstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Watch implements driver.Driver. It reads the log, bucket by bucket, and between
// readings waits for the generation to change.
//
// Why there is no gap, no repetition and no disorder: every change of the space is
// one transaction, with one log record, and the record's index is the version of the
// change. What is read is one moment (look): the history, the generation and one
// bucket. All that this bucket has after the last version reported is reported, by
// index. If the bucket was not the newest at that moment, it is final and the next
// one has only newer records: go on there. If it was the newest, there was no other
// change up to that moment: wait until the generation is another than at that
// moment. It is read consistently, so the moments never go back.
//
// While it runs, it removes the records whose lease has ended; that is a change as
// any other, in the log.
func (s *Store) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	if err := (driver.Key{Space: space, Name: "x"}).Validate(); err != nil {
		return fmt.Errorf("consul: watch %s: %w", space, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	var reaper sync.WaitGroup
	defer reaper.Wait()
	defer cancel()
	reaper.Go(func() { s.reapWhileWatching(ctx, space) })

	w := &watch{s: s, space: space, at: from, apply: apply}
	failing := false
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		before := w.at
		err := w.run(ctx)
		if errors.As(err, new(*certain)) {
			return errors.Unwrap(err)
		}
		if gone := s.alive(ctx); gone != nil {
			return fmt.Errorf("consul: watch %s: %w", space, gone)
		}
		if definite(err) {
			return err // waiting does not change it
		}
		if w.at > before {
			failing, pause = false, firstPause
		}
		if !failing {
			s.log.Warn("a watch of Consul failed, it is tried again until it works", "space", space, "error", err)
			failing = true
		}
		s.sleep(ctx, pause)
	}
}

// watch is the state of one Watch.
type watch struct {
	s     *Store
	space string
	apply func([]driver.Event) error

	at     driver.Version // everything up to here was reported
	bucket uint64         // to read next; 0: not known yet
	last   string         // key of the newest record reported, if it was in bucket
}

// run reads and waits until something fails. What ends the watch is a *certain.
func (w *watch) run(ctx context.Context) error {
	s := w.s
	if err := s.prepare(ctx, w.space); err != nil {
		return err
	}
	for {
		gen, more, err := w.step(ctx)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		if err := w.wait(ctx, gen); err != nil {
			return err
		}
	}
}

// step reads one moment and reports what is new in it. more: there may be more
// to report at once; if not, the generation then was gen.
func (w *watch) step(ctx context.Context) (gen *api.KVPair, more bool, err error) {
	s := w.s
	tree := ""
	if w.bucket > 0 {
		tree = s.bucket(w.space, w.bucket)
	}
	metaKey, genKey := s.meta(w.space), s.gen(w.space)
	keys, records, err := s.look(ctx, "watch "+w.space, []string{metaKey, genKey}, tree)
	if err != nil {
		return nil, false, err
	}
	gen = keys[genKey]
	h, err := s.learn(w.space, keys[metaKey])
	if keys[metaKey].ModifyIndex == 0 {
		return nil, false, w.reset("the space's keys were removed")
	}
	if err != nil {
		return nil, false, &certain{fmt.Errorf("consul: watch %s: %w", w.space, err)}
	}
	head := generation(gen)
	switch {
	case head < w.at:
		return nil, false, w.reset("the space's head is older than what was seen")
	case head > w.at && uint64(w.at) < h.Gone:
		return nil, false, &certain{driver.ErrCompacted}
	case w.bucket < h.first() || w.bucket > h.Bucket:
		w.bucket, w.last = h.locate(w.at), ""
		return gen, true, nil
	}
	if err := w.report(records); err != nil {
		return nil, false, err
	}
	if w.bucket < h.Bucket {
		w.bucket, w.last = w.bucket+1, ""
		return gen, true, nil
	}
	return gen, false, nil
}

// reset ends the watch because Consul's data went back, as with a snapshot that
// was restored: what was reported may not be true any more.
func (w *watch) reset(why string) error {
	w.s.log.Warn("Consul's data have changed in a way that a watch cannot follow; everything is listed again", "space", w.space, "reason", why)
	return &certain{driver.ErrCompacted}
}

// report applies what a bucket has after the version that was reported last.
func (w *watch) report(records []*api.KVPair) error {
	seen := w.last == ""
	slices.SortFunc(records, func(a, b *api.KVPair) int { return cmp.Compare(a.ModifyIndex, b.ModifyIndex) })
	var evs []driver.Event
	last := w.last
	for _, p := range records {
		v := driver.Version(p.ModifyIndex)
		if v <= w.at {
			seen = seen || p.Key == w.last && v == w.at
			continue
		}
		e, err := decode(p.Value)
		if err != nil {
			return &certain{fmt.Errorf("consul: watch %s: %s: %w", w.space, p.Key, err)}
		}
		ev := driver.Event{KV: driver.KV{Name: e.name, Version: v}, Deleted: e.deleted}
		if !e.deleted {
			ev.Value = e.value
		}
		evs = append(evs, ev)
		last = p.Key
	}
	if !seen {
		return w.reset("the change that was seen last is not in the log")
	}
	if len(evs) == 0 {
		return nil
	}
	if err := w.apply(evs); err != nil {
		return &certain{err}
	}
	w.at, w.last = evs[len(evs)-1].Version, last
	return nil
}

// wait returns when the generation is another than gen. That is a question which
// Consul answers when there is something to say; it is asked again after a while, so
// that a connection, or a server that nobody talks to any more, is noticed.
func (w *watch) wait(ctx context.Context, gen *api.KVPair) error {
	for {
		var p *api.KVPair
		err := w.s.block(ctx, "watch "+w.space, func(a *agent, q *api.QueryOptions) (err error) {
			q.WaitIndex = gen.ModifyIndex
			p, _, err = a.KV().Get(gen.Key, q)
			return err
		})
		if err != nil {
			return err
		}
		if p == nil || p.ModifyIndex != gen.ModifyIndex {
			return nil
		}
	}
}

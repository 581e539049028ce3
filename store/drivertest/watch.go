package drivertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// A watch may begin in the past, and reports the same then as it did to whoever
// was there: every acknowledged write, once, in the order of the versions.
func watchBack(s *suite) {
	_, empty := s.list(s.Driver, entries)
	start := s.put(s.Driver, key("start"), "", 0)
	a, wait := s.writers(4, 25)
	wait()
	end := s.put(s.Driver, key("end"), "", 0)
	a.add(key("end"), nil, end, false)
	middle := a.after(start)[50].Version
	for _, from := range []driver.Version{start, middle, end - 1} {
		s.equal(s.record(s.Driver, entries, from).reach(end), a, from)
	}
	a.add(key("start"), nil, start, false)
	s.equal(s.record(s.Peer, entries, empty).reach(end), a, empty)
}

// A watch ends when its context does, with the context's error, and when apply
// returns an error, with that very error; apply is not called again.
func watchEnds(s *suite) {
	v := s.put(s.Driver, key("k"), "", 0)
	quiet := make(chan error, 1)
	ctx, cancel := context.WithCancel(s.ctx)
	go func() {
		quiet <- s.Driver.Watch(ctx, entries, v, func([]driver.Event) error { return errors.New("there was nothing to report") })
	}()
	cancel()
	select {
	case err := <-quiet:
		if !errors.Is(err, context.Canceled) {
			s.Fatalf("the watch ended with %v; want the context's error", err)
		}
	case <-time.After(prompt):
		s.Fatalf("the watch did not end within %v of its context", prompt)
	}

	for _, d := range []driver.Driver{s.Driver, s.Peer} {
		mine := errors.New("apply has had enough")
		calls := 0
		ended := make(chan error, 1)
		from := v
		go func() {
			ended <- d.Watch(s.ctx, entries, from, func([]driver.Event) error { calls++; return mine })
		}()
		for i := range 3 {
			v = s.put(s.Driver, key("k"), strconv.Itoa(i), v)
		}
		select {
		case err := <-ended:
			if err != mine || calls != 1 {
				s.Fatalf("the watch ended with %v after %d calls; want what apply returned, after one", err, calls)
			}
		case <-time.After(patience):
			s.Fatal("the watch did not end with apply's error")
		}
	}
}

// A watch whose connection breaks, or goes silent, is resumed by the driver when
// the way is open again: without a gap, without a repetition, and meanwhile it
// does not give up.
func watchResumes(s *suite, f Fault) {
	a := &acknowledged{}
	v := s.put(s.Peer, key("k"), "", 0)
	from := v
	tape := s.record(s.Driver, entries, from)
	write := func(n int) {
		for i := range n {
			value := fmt.Appendf(nil, "%d", i)
			v = s.put(s.Peer, key("k"), string(value), v)
			a.add(key("k"), value, v, false)
		}
	}
	write(3)
	tape.reach(v)
	for range 3 {
		s.Fault(f)
		write(5)
		s.Fault(None)
		write(2)
		tape.reach(v)
	}
	s.equal(tape.reach(v), a, from)
}

// Apply may take as long as it wants: what changes meanwhile, more than what any
// buffer on the way holds, is reported when it returns, or the watch ends with
// ErrCompacted.
func slowApply(s *suite) {
	const n = 600
	k := key("k")
	start := s.put(s.Driver, k, "", 0)
	ctx, cancel := context.WithTimeout(s.ctx, 2*patience)
	defer cancel()
	entered, enough := make(chan struct{}), make(chan struct{})
	var seen []driver.Event
	over := errors.New("that was all")
	ended := make(chan error, 1)
	go func() {
		ended <- s.Driver.Watch(ctx, entries, start, func(evs []driver.Event) error {
			if len(seen) == 0 {
				close(entered)
				<-enough
			}
			for _, ev := range evs {
				ev.Value = slices.Clone(ev.Value)
				seen = append(seen, ev)
			}
			if string(seen[len(seen)-1].Value) == "end" {
				return over
			}
			return nil
		})
	}()
	a, v := &acknowledged{}, start
	value := bytes.Repeat([]byte("x"), 4096)
	for range n {
		v = s.put(s.Driver, k, string(value), v)
		a.add(k, value, v, false)
		if len(a.writes) == 1 {
			<-entered
		}
	}
	v = s.put(s.Driver, k, "end", v)
	a.add(k, []byte("end"), v, false)
	close(enough)
	switch err := <-ended; {
	case errors.Is(err, driver.ErrCompacted):
		want := a.after(start)
		if len(seen) > len(want) || !s.prefix(seen, want) {
			s.Fatalf("before it was too late the watch reported %d changes that are not the first of %d", len(seen), len(want))
		}
	case !errors.Is(err, over):
		s.Fatalf("the watch ended with %v", err)
	default:
		s.equal(seen, a, start)
	}
}

// prefix reports whether evs are the first of want.
func (s *suite) prefix(evs, want []driver.Event) bool {
	for i, ev := range evs {
		if ev.Version != want[i].Version || string(ev.Value) != string(want[i].Value) {
			return false
		}
	}
	return true
}

// A watch from before a compaction is told so, with ErrCompacted, and is never
// given a part of what there was, nor is who asks Since; listing again and watching from there has no
// gap. What is watched from after the compaction goes on.
func compaction(s *suite) {
	k := key("k")
	v := s.put(s.Driver, k, "", 0)
	old := v
	for i := range 20 {
		v = s.put(s.Driver, k, strconv.Itoa(i), v)
	}
	gone := s.put(s.Driver, key("gone"), "", 0)
	gone = s.delete(s.Driver, key("gone"), gone)
	s.Compact()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	err := s.Driver.Watch(ctx, entries, old, func(evs []driver.Event) error {
		return fmt.Errorf("it reported the change at %d", evs[0].Version)
	})
	if !errors.Is(err, driver.ErrCompacted) {
		s.Fatalf("a watch from before the compaction: %v; want ErrCompacted", err)
	}
	if b, ok := s.Driver.(driver.Batcher); ok {
		if evs, _, err := b.Since(s.ctx, entries, old); !errors.Is(err, driver.ErrCompacted) {
			s.Fatalf("since a version from before the compaction: %d changes, %v; want ErrCompacted", len(evs), err)
		}
	}
	all, at := s.list(s.Driver, entries)
	if len(all) != 1 || all["k"].Version != v || at < gone {
		s.Fatalf("after the compaction a list at %d has %v", at, all)
	}
	tape := s.record(s.Driver, entries, at)
	v = s.put(s.Driver, k, "after", v)
	if evs := tape.reach(v); len(evs) != 1 || string(evs[0].Value) != "after" {
		s.Fatalf("the watch from after the compaction reported %v", evs)
	}
}

// Whoever lists, watches, and lists again at ErrCompacted has no gap, however
// often the engine compacts while writers are at work.
func followThroughCompactions(s *suite) {
	replicas := []*replica{s.follow(s.Driver, entries), s.follow(s.Peer, entries)}
	const writers, each = 4, 25
	a, wait := s.writers(writers, each)
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait()
	}()
	for compacted, writing := 0, true; writing; { // once for every ten writes
		n, grew := a.count()
		if n/10 > compacted {
			compacted = n / 10
			s.Compact()
			continue
		}
		select {
		case <-grew:
		case <-done:
			writing = false
		}
	}
	end := s.put(s.Driver, key("end"), "", 0)
	all, _ := s.list(s.Driver, entries)
	for _, r := range replicas {
		r.await(s, "the end", func() bool { return r.at >= end })
		s.same(r, all)
	}
}

// same checks that a replica holds what is there.
func (s *suite) same(r *replica, all map[string]driver.KV) {
	s.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, kv := range all {
		if mine := r.records[name]; mine.Version != kv.Version || string(mine.Value) != string(kv.Value) {
			s.Fatalf("a replica has %q at %d for %q; there is %q at %d", mine.Value, mine.Version, name, kv.Value, kv.Version)
		}
	}
	if len(r.records) != len(all) {
		s.Fatalf("a replica has %d records; there are %d", len(r.records), len(all))
	}
}

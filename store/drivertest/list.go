package drivertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"

	"github.com/sluiceproxy/sluice/store/driver"
)

// What List yields is one moment: of two keys that are written in turn, the
// second is never ahead of the first and never more than one behind. And its
// version covers what was acknowledged before, and what it yields.
func listMoment(s *suite) {
	var filler []driver.Key
	for i := range 40 {
		filler = append(filler, key(fmt.Sprintf("m-%02d", i)))
		s.put(s.Driver, filler[i], "filler", 0)
	}
	first, second := key("zz-last-in-most-orders"), key("aa-first-in-most-orders")
	v1, v2 := s.put(s.Driver, first, "0", 0), s.put(s.Driver, second, "0", 0)
	ctx, stop := context.WithCancel(s.ctx)
	var acked struct {
		sync.Mutex
		v driver.Version
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 1; ctx.Err() == nil; i++ {
			value := []byte(strconv.Itoa(i))
			var err1, err2 error
			v1, err1 = s.Peer.Write(s.ctx, driver.Write{Key: first, Value: value, Expect: v1})
			v2, err2 = s.Peer.Write(s.ctx, driver.Write{Key: second, Value: value, Expect: v2})
			if err := errors.Join(err1, err2); err != nil {
				s.Errorf("write: %v", err)
				return
			}
			acked.Lock()
			acked.v = v2
			acked.Unlock()
		}
	})
	defer writer.Wait()
	defer stop()
	for range 40 {
		acked.Lock()
		floor := acked.v
		acked.Unlock()
		all, at := s.list(s.Driver, entries)
		a, err1 := strconv.Atoi(string(all[first.Name].Value))
		b, err2 := strconv.Atoi(string(all[second.Name].Value))
		if err := errors.Join(err1, err2); err != nil {
			s.Fatal(err)
		}
		if a != b && a != b+1 {
			s.Fatalf("a list at %d has %d in the key that is written first and %d in the other", at, a, b)
		}
		if at < floor || at < all[first.Name].Version || at < all[second.Name].Version {
			s.Fatalf("a list at %d has versions %d and %d, and %d was acknowledged before", at, all[first.Name].Version, all[second.Name].Version, floor)
		}
	}
}

// List yields each record once, and stops without error when yield returns
// false.
func listOnce(s *suite) {
	const n = 120
	for i := range n {
		s.put(s.Driver, key(fmt.Sprintf("k-%03d", i)), strconv.Itoa(i), 0)
	}
	all, at := s.list(s.Driver, entries) // it fails when one is yielded twice
	if len(all) != n {
		s.Fatalf("list yields %d records, want %d", len(all), n)
	}
	for i := range n {
		if kv := all[fmt.Sprintf("k-%03d", i)]; string(kv.Value) != strconv.Itoa(i) || kv.Version > at {
			s.Fatalf("record %d is %q at %d; the list is at %d", i, kv.Value, kv.Version, at)
		}
	}
	calls := 0
	if _, err := s.Driver.List(s.ctx, entries, func(driver.KV) bool { calls++; return calls < 3 }); err != nil || calls != 3 {
		s.Fatalf("stopped at the third record: %d calls, %v", calls, err)
	}
}

// acknowledged are the writes of concurrent writers.
type acknowledged struct {
	sync.Mutex
	writes []driver.Event
	grew   chan struct{} // closed and replaced at each write
}

func (a *acknowledged) add(k driver.Key, value []byte, v driver.Version, deleted bool) {
	a.Lock()
	defer a.Unlock()
	ev := driver.Event{KV: driver.KV{Name: k.Name, Version: v}, Deleted: deleted}
	if !deleted {
		ev.Value = value
	}
	a.writes = append(a.writes, ev)
	if a.grew != nil {
		close(a.grew)
	}
	a.grew = make(chan struct{})
}

// count returns how many writes there are, and a channel that is closed when
// there are more.
func (a *acknowledged) count() (int, chan struct{}) {
	a.Lock()
	defer a.Unlock()
	if a.grew == nil {
		a.grew = make(chan struct{})
	}
	return len(a.writes), a.grew
}

// newest is the version of the newest write.
func (a *acknowledged) newest() driver.Version {
	a.Lock()
	defer a.Unlock()
	var v driver.Version
	for _, w := range a.writes {
		v = max(v, w.Version)
	}
	return v
}

// after returns the writes after a version, in their order.
func (a *acknowledged) after(v driver.Version) []driver.Event {
	a.Lock()
	defer a.Unlock()
	var out []driver.Event
	for _, w := range a.writes {
		if w.Version > v {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(x, y driver.Event) int { return int(int64(x.Version) - int64(y.Version)) })
	return out
}

// writers starts writers that create, change and delete shared keys, n writes
// each, and returns what they will have had acknowledged when wait returns. A test
// that fails before waits for them too: what a writer complains of after its test's
// end would end the program, and the failure would not be told.
func (s *suite) writers(writers, n int) (a *acknowledged, wait func()) {
	a = &acknowledged{}
	var group sync.WaitGroup
	s.Cleanup(group.Wait)
	for w := range writers {
		d := s.Driver
		if w%2 == 1 {
			d = s.Peer
		}
		random := rand.New(rand.NewPCG(uint64(w), 1))
		group.Go(func() {
			for i := 0; i < n; {
				k := key("shared-" + strconv.Itoa(random.IntN(8)))
				kv, err := d.Get(s.ctx, k)
				if err != nil && !errors.Is(err, driver.ErrNotFound) {
					s.Errorf("get: %v", err)
					return
				}
				write := driver.Write{Key: k, Expect: kv.Version, Value: fmt.Appendf(nil, "%d/%d", w, i)}
				write.Delete = err == nil && random.IntN(3) == 0
				v, err := d.Write(s.ctx, write)
				switch {
				case err == nil:
					a.add(k, write.Value, v, write.Delete)
					i++
				case !errors.Is(err, driver.ErrConflict):
					s.Errorf("write: %v", err)
					return
				}
			}
		})
	}
	return a, group.Wait
}

// equal checks that a watch reported exactly the acknowledged writes after from.
func (s *suite) equal(evs []driver.Event, a *acknowledged, from driver.Version) {
	s.Helper()
	want := a.after(from)
	if len(evs) != len(want) {
		s.Fatalf("a watch from %d reported %d changes; %d were acknowledged", from, len(evs), len(want))
	}
	for i, ev := range evs {
		if w := want[i]; ev.Name != w.Name || ev.Version != w.Version || ev.Deleted != w.Deleted || string(ev.Value) != string(w.Value) {
			s.Fatalf("change %d of a watch from %d is %q at %d (deleted %t); acknowledged was %q at %d (deleted %t)",
				i, from, ev.Name, ev.Version, ev.Deleted, w.Name, w.Version, w.Deleted)
		}
	}
}

// List and then Watch, begun at any time while writers are at work, see every
// change exactly once, in the order of the versions, and end up with what is
// there.
func listThenWatch(s *suite) {
	start := s.put(s.Driver, key("start"), "", 0)
	type observer struct {
		from driver.Version
		tape *tape
	}
	observers := []observer{{start, s.record(s.Driver, entries, start)}}
	replicas := []*replica{s.follow(s.Driver, entries)}
	a, wait := s.writers(6, 25)
	for i := range 5 {
		observers[len(observers)-1].tape.await("more changes", func(evs []driver.Event) bool { return len(evs) >= 10*(i+1) })
		_, from := s.list(s.Driver, entries)
		observers = append(observers, observer{from, s.record(s.Driver, entries, from)})
		replicas = append(replicas, s.follow(s.Driver, entries))
		observers = append(observers, observers[0]) // whose progress paces the next round
	}
	wait()
	end := s.put(s.Driver, key("end"), "", 0)
	a.add(key("end"), nil, end, false)
	for _, o := range observers {
		s.equal(o.tape.reach(end), a, o.from)
	}
	all, _ := s.list(s.Peer, entries)
	for _, r := range replicas {
		r.await(s, "the end", func() bool { return r.at >= end })
		s.same(r, all)
	}
}

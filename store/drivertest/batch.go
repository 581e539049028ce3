package drivertest

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// versions reads the versions of keys, and none may be untold.
func (s *suite) versions(d driver.Driver, space string, names ...string) []driver.Version {
	s.Helper()
	seen, err := d.(driver.Batcher).Versions(s.ctx, space, names)
	if err != nil || len(seen) != len(names) {
		s.Fatalf("versions of %d keys: %d, %v", len(names), len(seen), err)
	}
	out := make([]driver.Version, len(seen))
	for i, x := range seen {
		if out[i] = x.Version; x.Err != nil {
			s.Fatalf("the version of %q: %v", names[i], x.Err)
		}
	}
	return out
}

// Versions of many keys, in whatever order they are asked for, are those of the
// newest writes that were acknowledged on either way, while writers are at work too.
// A key that does not exist, or not any more, is 0, and so is a session's that has
// ended; names in other spaces do not count; what no key can be called is refused.
func batchedVersions(s *suite) {
	ways := [2]driver.Driver{s.Driver, s.Peer}
	names := make([]string, driver.MaxBatch)
	want := make([]driver.Version, len(names))
	for i := range names {
		names[i] = fmt.Sprintf("k-%d\x00\xff", len(names)-i)
		k, w := key(names[i]), ways[i%2]
		if i%40 > 2 {
			continue // never written
		}
		want[i] = s.put(w, k, "1", 0)
		if i%40 > 0 {
			want[i] = s.put(ways[(i+1)%2], k, "2", want[i])
		}
		if i%40 > 1 {
			s.delete(w, k, want[i])
			want[i] = 0
		}
		s.put(w, driver.Key{Space: "other", Name: names[i]}, "", 0)
	}
	for _, d := range ways {
		if have := s.versions(d, entries, names...); !slices.Equal(have, want) {
			s.Fatalf("the versions are %d; want %d", have, want)
		}
	}
	for what, bad := range map[string][]string{"one too many": append(names, "k"), "no name": {"k", ""}} {
		if _, err := s.Driver.(driver.Batcher).Versions(s.ctx, entries, bad); err == nil || answer(err) {
			s.Errorf("%s: %v; want a refusal", what, err)
		}
	}

	s.versionsOfSessions()

	s.versionsUnderLoad()
}

// versionsUnderLoad: whoever reads versions while writers are at work gets at least
// what had been acknowledged when the reading began.
func (s *suite) versionsUnderLoad() {
	s.Helper()
	ways := [2]driver.Driver{s.Driver, s.Peer}
	names := []string{"hot-0", "hot-1", "hot-2", "hot-3"}
	acked := make([]atomic.Uint64, len(names))
	for i, name := range names {
		acked[i].Store(uint64(s.put(ways[i%2], key(name), "", 0)))
	}
	// read returns false when it does not go on.
	read := func(d driver.Driver) bool {
		floor := make([]driver.Version, len(names))
		for i := range floor {
			floor[i] = driver.Version(acked[i].Load())
		}
		seen, err := d.(driver.Batcher).Versions(s.ctx, entries, names)
		if err != nil {
			s.Errorf("versions: %v", err)
			return false
		}
		for i, x := range seen {
			if x.Err != nil || x.Version < floor[i] {
				s.Errorf("%q is at %d, %v; %d was acknowledged", names[i], x.Version, x.Err, floor[i])
				return false
			}
		}
		return true
	}
	read(s.Driver)
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for w, name := range names {
		writers.Go(func() {
			for i := range 25 {
				v, err := ways[w%2].Write(s.ctx, driver.Write{
					Key: key(name), Value: strconv.AppendInt(nil, int64(i), 10), Expect: driver.Version(acked[w].Load()),
				})
				if err != nil {
					s.Errorf("write: %v", err)
					return
				}
				acked[w].Store(uint64(v))
			}
		})
	}
	for _, d := range ways {
		readers.Go(func() {
			for read(d) {
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	read(s.Driver)
	read(s.Peer)
}

// versionsOfSessions: a renewal leaves the version alone, and who reads nothing but
// versions learns of a session's end as well.
func (s *suite) versionsOfSessions() {
	s.Helper()
	x := s.open(s.Peer, session("s"), "", s.TTL)
	v := s.version(session("s"))
	if err := x.Renew(s.ctx); err != nil {
		s.Fatalf("renew: %v", err)
	}
	if have := s.versions(s.Driver, sessions, "s", "none"); have[0] != v || have[1] != 0 {
		s.Fatalf("the session is at %d and one that is not there at %d; want %d and 0", have[0], have[1], v)
	}
	over := time.After(s.TTL + s.Late + patience)
	for tick := time.NewTicker(pace); s.versions(s.Driver, sessions, "s")[0] != 0; <-tick.C {
		select {
		case <-over:
			s.Fatal("the session does not end")
		default:
		}
	}
	s.lost(x)
}

// Since returns what a watch from there reports: all that was acknowledged before the
// call, each change once and in order. Calls that follow each other, each from where
// the last has come to, have neither a gap nor a repetition while writers are at work,
// and a watch goes on from where any of them has come to.
func changesSince(s *suite) {
	since := func(d driver.Driver, from driver.Version) ([]driver.Event, driver.Version) {
		s.Helper()
		evs, v, err := d.(driver.Batcher).Since(s.ctx, entries, from)
		if err != nil {
			s.Fatalf("since %d: %v", from, err)
		}
		last := from
		for _, ev := range evs {
			if ev.Version <= last || ev.Version > v {
				s.Fatalf("since %d, which came to %d, has a change at %d after one at %d", from, v, ev.Version, last)
			}
			last = ev.Version
		}
		if v < from {
			s.Fatalf("since %d came to %d", from, v)
		}
		return evs, v
	}
	_, empty := s.list(s.Driver, entries)
	if evs, _ := since(s.Driver, empty); len(evs) != 0 {
		s.Fatalf("nothing was written, and since tells of %v", evs)
	}
	start := s.put(s.Peer, key("start"), "", 0)
	s.put(s.Peer, driver.Key{Space: "other", Name: "start"}, "", 0)
	type observer struct {
		from driver.Version
		tape *tape
	}
	observers := []observer{{start, s.record(s.Driver, entries, start)}}
	a, wait := s.writers(4, 25)
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait()
	}()
	var all []driver.Event
	at := start
	ways := [2]driver.Driver{s.Driver, s.Peer}
	for i, writing := 0, true; writing; i++ {
		floor := a.newest()
		evs, v := since(ways[i%2], at)
		if v < floor {
			s.Fatalf("since %d came to %d; %d had been acknowledged", at, v, floor)
		}
		all, at = append(all, evs...), v
		if len(observers) < 4 {
			observers = append(observers, observer{v, s.record(s.Peer, entries, v)})
		}
		select {
		case <-done:
			writing = false
		default:
		}
	}
	end := s.put(s.Peer, key("end"), "", 0)
	a.add(key("end"), nil, end, false)
	last, v := since(s.Driver, at)
	if v < end {
		s.Fatalf("since %d came to %d; %d had been acknowledged", at, v, end)
	}
	s.equal(append(all, last...), a, start)
	for _, o := range observers {
		s.equal(o.tape.reach(end), a, o.from)
	}
	whole, _ := since(s.Driver, start)
	s.equal(whole, a, start)
}

package drivertest

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/sluiceproxy/sluice/store/driver"
)

// head reads the head of a space.
func (s *suite) head(d driver.Driver, space string) driver.Version {
	s.Helper()
	v, err := d.(driver.Header).Head(s.ctx, space)
	if err != nil {
		s.Fatalf("head of %s: %v", space, err)
	}
	return v
}

// covers checks that a head is not behind what was acknowledged, and that a
// watch comes to it with no further write.
func (s *suite) covers(tape *tape, d driver.Driver, space string, acked driver.Version) {
	s.Helper()
	v := s.head(d, space)
	if v < acked {
		s.Fatalf("the head of %s is %d; %d was acknowledged", space, v, acked)
	}
	if l, ok := d.(driver.LocalHeader); ok {
		if v, known := l.LocalHead(space); known && v < acked {
			s.Fatalf("the head of %s without asking is %d; %d was acknowledged", space, v, acked)
		}
	}
	tape.reach(v)
}

// The head is never behind a write that was acknowledged, to anyone, and a watch
// comes to it without a further write: what happens in another space must not
// move it.
func head(s *suite) {
	_, from := s.list(s.Driver, entries)
	tape := s.record(s.Driver, entries, from)
	if v := s.head(s.Driver, entries); v > from {
		s.Fatalf("the head of an empty space is %d, ahead of a list at %d", v, from)
	}
	ways := [2]driver.Driver{s.Driver, s.Peer}
	var v driver.Version
	for i := range 40 {
		k := key(strconv.Itoa(i % 3))
		writer, reader := ways[i%2], ways[(i/2)%2]
		if i >= 3 {
			v = s.delete(writer, k, s.version(k))
			s.covers(tape, reader, entries, v)
		}
		v = s.put(writer, k, strconv.Itoa(i), 0)
		s.put(writer, driver.Key{Space: "other", Name: strconv.Itoa(i)}, "", 0)
		s.covers(tape, reader, entries, v)
	}
	// A refused write is no change.
	s.conflicts(driver.Write{Key: key("0"), Value: []byte("x"), Expect: 0})
	s.covers(tape, s.Driver, entries, v)
}

func (s *suite) version(k driver.Key) driver.Version {
	s.Helper()
	kv, err := s.Driver.Get(s.ctx, k)
	if err != nil {
		s.Fatalf("get %q: %v", k.Name, err)
	}
	return kv.Version
}

// Opening, updating and closing a session are acknowledged changes too. The end
// of a lease is acknowledged to nobody, so the head need not cover it; but it
// must not run ahead of it either.
func headOfSessions(s *suite) {
	_, from := s.list(s.Driver, sessions)
	tape := s.record(s.Driver, sessions, from)
	ends := s.open(s.Peer, session("ends"), "", s.TTL)
	s.covers(tape, s.Driver, sessions, s.version(session("ends")))
	x := s.open(s.Driver, session("s"), "", 20*s.TTL)
	v := s.version(session("s"))
	s.covers(tape, s.Peer, sessions, v)
	updated, err := x.Update(s.ctx, []byte("x"))
	if err != nil {
		s.Fatalf("update: %v", err)
	}
	s.covers(tape, s.Driver, sessions, updated)
	if err := x.Close(s.ctx); err != nil {
		s.Fatalf("close: %v", err)
	}
	// The version of the end is not told, but it is newer than the update.
	s.covers(tape, s.Driver, sessions, updated+1)
	tape.awaitFor(s.TTL+s.Late, "the end of both sessions", deletions(2))
	s.covers(tape, s.Driver, sessions, updated+1)
	s.lost(ends)
	s.covers(tape, s.Driver, sessions, updated+1)
}

// Whoever asks for the head while writers are at work gets at least what had
// been acknowledged when the asking began.
func headUnderLoad(s *suite) {
	_, from := s.list(s.Driver, entries)
	tape := s.record(s.Driver, entries, from)
	s.head(s.Driver, entries)
	var acked atomic.Uint64
	note := func(v driver.Version) {
		for old := acked.Load(); old < uint64(v) && !acked.CompareAndSwap(old, uint64(v)); old = acked.Load() {
			continue
		}
	}
	ways := [2]driver.Driver{s.Driver, s.Peer}
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			k := key(strconv.Itoa(w))
			var v driver.Version
			for i := range 25 {
				var err error
				v, err = ways[w%2].Write(s.ctx, driver.Write{Key: k, Value: strconv.AppendInt(nil, int64(i), 10), Expect: v})
				if err != nil {
					s.Errorf("write: %v", err)
					return
				}
				note(v)
			}
		})
	}
	for r := range 2 {
		readers.Go(func() {
			h := ways[r%2].(driver.Header)
			for {
				floor := driver.Version(acked.Load())
				if l, ok := h.(driver.LocalHeader); ok {
					if v, known := l.LocalHead(entries); known && v < floor {
						s.Errorf("the head without asking is %d; %d was acknowledged", v, floor)
						return
					}
				}
				if v, err := h.Head(s.ctx, entries); err != nil || v < floor {
					s.Errorf("head %d, %v; %d was acknowledged", v, err, floor)
					return
				}
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
	s.covers(tape, s.Driver, entries, driver.Version(acked.Load()))
}

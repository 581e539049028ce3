package drivertest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// deletions is the condition that the watch has reported n of them.
func deletions(n int) func([]driver.Event) bool {
	return func(evs []driver.Event) bool {
		for _, ev := range evs {
			if ev.Deleted {
				n--
			}
		}
		return n <= 0
	}
}

// ends waits for the end of a lease that counts from some moment after began and
// before now, and checks that it comes in time: not before the TTL and not much
// later.
func (s *suite) ends(tape *tape, began time.Time) {
	s.Helper()
	tape.awaitFor(s.TTL+s.Late, "the end of the session", deletions(1))
	if lived := time.Since(began); lived < s.TTL {
		s.Fatalf("the session ended %v after it was last renewed, before its TTL of %v", lived, s.TTL)
	}
}

// lost checks that a session is lost for ever and that nothing it is asked
// changes anything.
func (s *suite) lost(x driver.Session) {
	s.Helper()
	for range 2 {
		if err := x.Renew(s.ctx); !errors.Is(err, driver.ErrSessionLost) {
			s.Fatalf("renew: %v; want ErrSessionLost", err)
		}
		if v, err := x.Update(s.ctx, []byte("from the dead")); !errors.Is(err, driver.ErrSessionLost) {
			s.Fatalf("update: version %d, %v; want ErrSessionLost", v, err)
		}
		if err := x.Close(s.ctx); !errors.Is(err, driver.ErrSessionLost) {
			s.Fatalf("close: %v; want ErrSessionLost", err)
		}
	}
}

// A session that is not renewed ends: never before its TTL, soon after it, and
// Get, List and Watch see that.
func sessionExpires(s *suite) {
	_, from := s.list(s.Driver, sessions)
	tape := s.record(s.Driver, sessions, from)
	began := time.Now()
	s.open(s.Driver, session("s"), "alive", s.TTL)
	all, at := s.list(s.Peer, sessions)
	if kv := all["s"]; string(kv.Value) != "alive" || at < kv.Version {
		s.Fatalf("a list at %d has %v", at, all)
	}
	s.has(session("s"), "alive", all["s"].Version)
	s.ends(tape, began)
	s.lacks(session("s"))
	if all, _ := s.list(s.Driver, sessions); len(all) != 0 {
		s.Fatalf("after its end the session is listed: %v", all)
	}
	evs := tape.await("the end", deletions(1))
	if len(evs) != 2 || evs[0].Deleted || evs[1].Name != "s" || evs[1].Version <= evs[0].Version {
		s.Fatalf("watch reported %v", evs)
	}
}

// A session that is renewed in time does not end, however long; from the last
// renewal on it lasts its TTL.
func renewal(s *suite) {
	_, from := s.list(s.Driver, sessions)
	tape := s.record(s.Driver, sessions, from)
	x := s.open(s.Driver, session("s"), "", s.TTL)
	tick := time.NewTicker(s.TTL / 4)
	defer tick.Stop()
	var last time.Time
	for range 10 { // two and a half TTLs
		<-tick.C
		last = time.Now()
		if err := x.Renew(s.ctx); err != nil {
			s.Fatalf("renew: %v", err)
		}
		if _, err := s.Driver.Get(s.ctx, session("s")); err != nil {
			s.Fatalf("the session was renewed in time, but: %v", err)
		}
	}
	s.ends(tape, last)
}

// Updates are seen and do not extend the lease. Once it has ended, the session
// is lost for ever, and what it tries leaves no trace.
func updateDoesNotRenew(s *suite) {
	_, from := s.list(s.Driver, sessions)
	tape := s.record(s.Driver, sessions, from)
	began := time.Now()
	x := s.open(s.Driver, session("s"), "0", s.TTL)
	opened := time.Now()
	updates := 0
	for tick := time.NewTicker(s.TTL / 8); ; updates++ {
		<-tick.C
		value := strconv.Itoa(updates)
		v, err := x.Update(s.ctx, []byte(value))
		if errors.Is(err, driver.ErrSessionLost) {
			tick.Stop()
			break
		}
		if err != nil {
			s.Fatalf("update: %v", err)
		}
		kv, err := s.Driver.Get(s.ctx, session("s"))
		if err == nil && (kv.Version != v || string(kv.Value) != value) || err != nil && !errors.Is(err, driver.ErrNotFound) {
			s.Fatalf("after an update at %d: %q at %d, %v", v, kv.Value, kv.Version, err)
		}
		if lived := time.Since(opened); lived > s.TTL+s.Late {
			s.Fatalf("%v after it was opened, without a renewal, the session lives", lived)
		}
	}
	if lived := time.Since(began); lived < s.TTL {
		s.Fatalf("the session ended after %v, before its TTL of %v", lived, s.TTL)
	}
	tape.await("the end of the session", deletions(1))
	s.lost(x)
	s.lacks(session("s"))
	end := s.put(s.Driver, session("end"), "", 0)
	if evs := tape.reach(end); len(evs) != updates+3 { // opened, updated, ended, "end"
		s.Fatalf("watch reported %d changes; want %d", len(evs), updates+3)
	}
}

// An update whose caller gave up may still be on its way. It must not undo a
// later one that was acknowledged: what it says about its process was true
// before, and is not any more.
func lateUpdate(s *suite) {
	x := s.open(s.Driver, session("s"), "", max(20*s.TTL, 4*s.Bound))
	for i := range 5 {
		s.Fault(Slow)
		ctx, cancel := context.WithTimeout(s.ctx, Lag/5)
		if v, err := x.Update(ctx, fmt.Appendf(nil, "old %d", i)); err == nil || answer(err) {
			s.Errorf("an update with less time than the way takes: version %d, %v", v, err)
		}
		cancel()
		s.Fault(None)
		value := fmt.Sprintf("new %d", i)
		v, err := x.Update(s.ctx, []byte(value))
		if err != nil {
			s.Fatalf("update: %v", err)
		}
		// The old one has arrived by the time that its delay is over.
		<-time.After(2 * Lag)
		s.has(session("s"), value, v)
	}
}

// A session needs a key that does not exist; what is there, a session or not, is
// left alone, and so is its lease.
func sessionConflict(s *suite) {
	first := s.open(s.Driver, session("taken"), "first", 20*s.TTL)
	v := s.put(s.Driver, session("plain"), "plain", 0)
	for _, k := range []driver.Key{session("taken"), session("plain")} {
		if _, err := s.Peer.Open(s.ctx, k, []byte("second"), s.TTL); !errors.Is(err, driver.ErrConflict) {
			s.Fatalf("open %q: %v; want ErrConflict", k.Name, err)
		}
	}
	s.conflicts(driver.Write{Key: session("taken"), Value: []byte("third")})
	s.has(session("plain"), "plain", v)
	if err := first.Renew(s.ctx); err != nil {
		s.Fatalf("renew: %v", err)
	}
	if v, err := first.Update(s.ctx, []byte("still first")); err != nil {
		s.Fatalf("update: %v", err)
	} else {
		s.has(session("taken"), "still first", v)
	}
}

// Close removes the record, visibly, and the session is lost.
func sessionClose(s *suite) {
	_, from := s.list(s.Driver, sessions)
	tape := s.record(s.Peer, sessions, from)
	x := s.open(s.Driver, session("s"), "", 20*s.TTL)
	if err := x.Close(s.ctx); err != nil {
		s.Fatalf("close: %v", err)
	}
	s.lacks(session("s"))
	tape.await("the end of the session", deletions(1))
	s.lost(x)
	s.lacks(session("s"))
}

// A session that has ended leaves whoever took its key alone.
func successor(s *suite) {
	x := s.open(s.Driver, session("s"), "first", 20*s.TTL)
	if err := x.Close(s.ctx); err != nil {
		s.Fatalf("close: %v", err)
	}
	y := s.open(s.Peer, session("s"), "second", 20*s.TTL)
	v, err := y.Update(s.ctx, []byte("second"))
	if err != nil {
		s.Fatalf("update: %v", err)
	}
	s.lost(x)
	s.has(session("s"), "second", v)
	if err := y.Renew(s.ctx); err != nil {
		s.Fatalf("renew: %v", err)
	}
	if err := y.Close(s.ctx); err != nil {
		s.Fatalf("close: %v", err)
	}
}

// A session's record that somebody else writes stays leased.
func writtenSession(s *suite) {
	_, from := s.list(s.Driver, sessions)
	tape := s.record(s.Driver, sessions, from)
	began := time.Now()
	s.open(s.Driver, session("s"), "mine", s.TTL)
	kv, err := s.Peer.Get(s.ctx, session("s"))
	if err != nil {
		s.Fatal(err)
	}
	s.put(s.Peer, session("s"), "theirs", kv.Version)
	s.ends(tape, began)
	s.lacks(session("s"))
}

// A session whose record somebody deletes is lost.
func deletedSession(s *suite) {
	x := s.open(s.Driver, session("s"), "", 20*s.TTL)
	v, err := x.Update(s.ctx, []byte("x"))
	if err != nil {
		s.Fatal(err)
	}
	s.delete(s.Peer, session("s"), v)
	s.lost(x)
	s.lacks(session("s"))
}

package drivertest

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// tries is how often a fault is made until it hits a write the way it is meant
// to: what is lost on a real connection is a matter of moments.
const tries = 30

// A write that fails with anything but ErrConflict may have taken effect or not:
// reading tells, and repeating it at the old version is ErrConflict exactly when
// it has. It has not taken effect twice, and an error that looks like an answer
// is never given instead.
//
// Each round makes one such failure, until one was of the wanted kind.
func failedWrite(s *suite, f Fault, wanted bool) {
	a := &acknowledged{}
	k := key("k")
	v := s.put(s.Peer, k, "", 0)
	from := v
	tape := s.record(s.Peer, entries, from)
	hit := false
	for i := 0; i < tries && !hit; i++ {
		s.recovered(k, v) // so that there is a connection for the write to be sent on
		s.Fault(f)
		ctx, cancel := context.WithTimeout(s.ctx, time.Second)
		_, err := s.Driver.Write(ctx, driver.Write{Key: k, Value: []byte("first"), Expect: v})
		cancel()
		s.Fault(None)
		if err == nil || answer(err) {
			s.Fatalf("a write whose request or reply was lost: %v; want an error that is no answer", err)
		}
		// The first write may still be on its way. Repeating it settles that: only
		// one of the two can find the old version.
		s.recovered(k, 0)
		again, err := s.Driver.Write(s.ctx, driver.Write{Key: k, Value: []byte("again"), Expect: v})
		persisted := errors.Is(err, driver.ErrConflict)
		if err != nil && !persisted {
			s.Fatalf("repeating the write: %v", err)
		}
		value := "again"
		if persisted {
			value, again = "first", s.version(k)
		}
		if again <= v {
			s.Fatalf("the write is at %d, its predecessor at %d", again, v)
		}
		s.has(k, value, again)
		a.add(k, []byte(value), again, false)
		v, hit = again, persisted == wanted
	}
	if !hit {
		s.Fatalf("none of %d failures was of the wanted kind (took effect: %t)", tries, wanted)
	}
	v = s.put(s.Peer, k, "end", v)
	a.add(k, []byte("end"), v, false)
	s.equal(tape.reach(v), a, from) // none took effect twice, or late
}

// recovered waits until the driver answers again, and checks the key's version
// unless that is 0.
func (s *suite) recovered(k driver.Key, at driver.Version) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	for {
		kv, err := s.Driver.Get(ctx, k)
		switch {
		case err == nil && (at == 0 || kv.Version == at):
			return
		case err == nil:
			s.Fatalf("%q is at %d; want %d", k.Name, kv.Version, at)
		case answer(err) || ctx.Err() != nil:
			s.Fatalf("get %q after the fault: %v", k.Name, err)
		}
	}
}

// When the engine cannot be reached, or does not answer, every call fails within
// the bound, though its context has no deadline, with an error that is none of
// the answers: absence and failure are never the same. A watch goes on trying.
// When the engine is back, so is everything.
func unreachable(s *suite, f Fault) {
	v := s.put(s.Driver, key("k"), "x", 0)
	x := s.open(s.Driver, session("s"), "", max(20*s.TTL, 4*s.Bound))
	y := s.open(s.Driver, session("t"), "", max(20*s.TTL, 4*s.Bound))
	tape := s.record(s.Driver, entries, v)
	s.Fault(f)
	type result struct {
		name string
		err  error
	}
	calls := s.calls(x)
	results := make(chan result, len(calls))
	for name, call := range calls {
		go func() { results <- result{name, call(s.ctx)} }()
	}
	late := time.After(s.Bound)
	for range calls {
		select {
		case r := <-results:
			if r.err == nil || answer(r.err) {
				s.Errorf("%s: %v; want an error that is no answer", r.name, r.err)
			}
		case <-late:
			s.Fatalf("some calls did not fail within %v", s.Bound)
		}
	}
	v = s.put(s.Peer, key("k"), "meanwhile", v)
	s.Fault(None)
	s.recovered(key("k"), v)
	tape.reach(v)
	if err := y.Renew(s.ctx); err != nil {
		s.Fatalf("renew: %v", err)
	}
	if _, err := y.Update(s.ctx, []byte("back")); err != nil {
		s.Fatalf("update: %v", err)
	}
}

// An Open that fails at whatever step leaves no record that would stay: each
// barrier would wait for it for ever. Here it is cut off by its context after
// every part of the time that its steps take on a slow way.
func failedOpen(s *suite) {
	_, from := s.list(s.Driver, sessions)
	tape := s.record(s.Peer, sessions, from)
	failed := 0
	s.Fault(Slow)
	for i := 1; i <= 12; i++ {
		ctx, cancel := context.WithTimeout(s.ctx, time.Duration(i)*Lag/2)
		x, err := s.Driver.Open(ctx, session(strconv.Itoa(i)), nil, s.TTL)
		cancel()
		switch {
		case answer(err):
			s.Errorf("open: %v; want an error that is no answer", err)
		case err != nil:
			failed++
		default:
			if err := x.Close(s.ctx); err != nil && !errors.Is(err, driver.ErrSessionLost) {
				s.Errorf("close: %v", err)
			}
		}
	}
	s.Fault(None)
	if failed == 0 {
		s.Fatal("no Open failed, though the first had a quarter of the time that a round trip takes")
	}
	<-time.After(2 * Lag) // what was under way has arrived
	deadline := time.After(s.TTL + s.Late + patience)
	for tick := time.NewTicker(pace); ; <-tick.C {
		all, _ := s.list(s.Peer, sessions)
		if len(all) == 0 {
			break
		}
		select {
		case <-deadline:
			s.Fatalf("%d records of sessions that nobody has stay", len(all))
		default:
		}
	}
	end := s.put(s.Peer, session("end"), "", 0)
	opened := 0
	for _, ev := range tape.reach(end) {
		if !ev.Deleted {
			opened++
		}
	}
	s.Logf("%d of 12 opens failed, %d records were there", failed, opened-1)
}

// Renew, Update and Close that failed may have taken effect. Repeating them is
// right in either case: it is answered as if it was the first, but for a Close
// that had taken effect, which may be told that there was nothing left.
func failedSessionCalls(s *suite) {
	ttl := max(20*s.TTL, 4*s.Bound)
	for _, f := range []Fault{LoseRequests, LoseReplies} {
		k := session(f.String())
		x := s.open(s.Driver, k, "opened", ttl)
		again := func(what string, call func(context.Context) error) error {
			s.Fault(f)
			ctx, cancel := context.WithTimeout(s.ctx, time.Second)
			err := call(ctx)
			cancel()
			s.Fault(None)
			if err == nil || answer(err) {
				s.Errorf("%s, %s: %v; want an error that is no answer", what, f, err)
			}
			s.reachable()
			return call(s.ctx)
		}
		if err := again("renew", x.Renew); err != nil {
			s.Errorf("renew again after %s: %v", f, err)
		}
		err := again("update", func(ctx context.Context) error { _, err := x.Update(ctx, []byte("updated")); return err })
		if err != nil {
			s.Errorf("update again after %s: %v", f, err)
		}
		if kv, err := s.Peer.Get(s.ctx, k); err != nil || string(kv.Value) != "updated" {
			s.Errorf("after %s the record is %q, %v", f, kv.Value, err)
		}
		if err := again("close", x.Close); err != nil && !errors.Is(err, driver.ErrSessionLost) {
			s.Errorf("close again after %s: %v", f, err)
		}
		s.lacks(k)
	}
}

// reachable waits until the driver answers.
func (s *suite) reachable() {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	for {
		_, err := s.Driver.Get(ctx, key("none"))
		if errors.Is(err, driver.ErrNotFound) {
			return
		}
		if err == nil || ctx.Err() != nil {
			s.Fatalf("get of a key that does not exist after a fault: %v", err)
		}
	}
}

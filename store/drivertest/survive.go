package drivertest

import (
	"context"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// outage runs the test of one outage, or says why there is none.
func outage(t *testing.T, h Harness, o Outage, weak map[string]driver.Weakness) {
	victim, reason := h.Outages[o], h.Cannot[o]
	_, declared := weak["Survives"+string(o)]
	switch {
	case declared && (victim != nil || reason != ""):
		t.Fatalf("the driver declares that it does not survive %s; the harness must not have it in Outages or Cannot", o)
	case declared:
		t.Logf("the driver declares that it does not survive this: see Weak/Survives%s", o)
	case victim != nil && reason != "":
		t.Fatalf("the harness has %s in Outages, and says in Cannot that there is none: %s", o, reason)
	case victim == nil && reason == "":
		t.Fatalf("the harness has no %s in Outages, and no reason for that in Cannot", o)
	case victim == nil:
		t.Skipf("cannot be done with this engine: %s", reason)
	default:
		v := victim(t)
		survives(&suite{T: t, Harness: h, Engine: Engine{Driver: v.Driver, Peer: v.Peer}, ctx: t.Context()}, o, v)
	}
}

// What was acknowledged before an outage, or during it, is there after it.
func survives(s *suite, o Outage, v Victim) {
	at := s.put(s.Driver, key("k"), "0", 0)
	for range 2 {
		v.Strike()
		ctx, cancel := context.WithTimeout(s.ctx, time.Second)
		next, err := s.Driver.Write(ctx, driver.Write{Key: key("k"), Value: []byte("x"), Expect: at})
		cancel()
		if answer(err) {
			s.Errorf("%s: a write during the outage: %v; want an error that is no answer", o, err)
		}
		if err == nil {
			at = next
		}
		v.Heal()
		s.recovered(key("k"), 0)
		if now := s.version(key("k")); now < at {
			s.Fatalf("%s: the key is at %d, %d was acknowledged", o, now, at)
		} else {
			at = s.put(s.Peer, key("k"), "y", now)
		}
	}
}

// With a slow way to the engine, deadlines are honoured all the same, and
// nothing is lost, invented or applied twice.
func slowness(s *suite) {
	start := s.put(s.Driver, key("start"), "", 0)
	s.Fault(Slow)
	defer s.Fault(None)
	tape := s.record(s.Driver, entries, start)
	ctx, cancel := context.WithTimeout(s.ctx, Lag)
	began := time.Now()
	_, err := s.Driver.Get(ctx, key("start"))
	cancel()
	if took := time.Since(began); err == nil || answer(err) || took > Lag+prompt {
		s.Fatalf("a read with less time than the way takes: %v after %v; want the end of its context", err, took)
	}
	a, wait := s.writers(4, 5)
	wait()
	end := s.put(s.Driver, key("end"), "", 0)
	a.add(key("end"), nil, end, false)
	s.equal(tape.reach(end), a, start)
}

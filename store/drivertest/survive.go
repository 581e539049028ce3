package drivertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// outage runs the test of one outage, or says why there is none.
func outage(t *testing.T, h Harness, o Outage, weak map[string]driver.Weakness, reasons map[string]string) {
	victim, reason := h.Outages[o], cmp.Or(h.Cannot[o], reasons["Survives"+string(o)])
	_, declared := weak["Survives"+string(o)]
	switch {
	case declared && (victim != nil || reason != ""):
		t.Fatalf("the driver declares that it does not survive %s; it must not give a reason why it does, nor the harness have it in Outages or Cannot", o)
	case declared:
		t.Logf("the driver declares that it does not survive this: see Weak/Survives%s", o)
	case victim != nil && reason != "":
		t.Fatalf("the harness has %s in Outages, and there is a reason why it cannot: %s", o, reason)
	case victim == nil && reason == "":
		t.Fatalf("the harness has no %s in Outages, and no reason for that in Cannot or from the driver", o)
	case victim == nil:
		t.Skipf("cannot be done with this engine: %s", reason)
	case h.Bubble:
		synctest.Test(t, func(t *testing.T) { survives(t, h, o, victim(t)) })
	default:
		survives(t, h, o, victim(t))
	}
}

// Outages come while writers, readers, watches and sessions are at work, twice.
// Each time the work goes on when the outage is over, and where the guarantee
// says so before. In the end everything that anybody was told is judged: see
// verify and crowd.
func survives(t *testing.T, h Harness, o Outage, v Victim) {
	s := &suite{T: t, Harness: h, Engine: Engine{Driver: v.Driver, Peer: v.Peer, Fault: v.Fault}, ctx: t.Context()}
	l := s.startLoad()
	for round := range 2 {
		l.progress("before the outage")
		var lost, unanswered string
		if o == Kill {
			lost, unanswered = l.strikeAmidst(v, round)
		} else {
			v.Strike()
		}
		switch struck := time.Now(); o {
		case Kill:
			l.fails(2)
			if round > 0 {
				l.outlast(struck)
			}
		case Freeze:
			l.outlast(struck)
		case FullDisk:
			l.fails(10)
			l.readable()
		case ClockAhead, ClockBack:
			l.outlast(struck)
			l.progress("with the wrong clock")
		case LeaderKill:
			l.progress("without the old leader")
		case LeaderFreeze:
			l.progress("without the old leader")
			l.outlast(struck)
		}
		v.Heal()
		l.progress("after the outage")
		if o == Kill {
			l.settled(lost, unanswered)
		}
	}
	l.outlast(time.Now()) // the sessions live on as they should
	l.finish()
}

// fails waits until that many more calls have failed on each way.
func (l *load) fails(n int64) {
	l.Helper()
	want := [2]int64{l.failed[0].Load() + n, l.failed[1].Load() + n}
	l.until(recovery, "calls fail in the outage", func() bool {
		return l.failed[0].Load() >= want[0] && l.failed[1].Load() >= want[1]
	})
}

// outlast waits until every lease from before the outage has ended, by any count.
// Time is what is waited for here; the holders must have noticed by then without
// being told, which crowd checks when the store tells.
func (l *load) outlast(struck time.Time) {
	l.until(recovery, "time passes", func() bool { return time.Since(struck) > l.lease()*3/2 })
}

// readable checks that reads are answered.
func (l *load) readable() {
	l.Helper()
	for w := range l.ways {
		if _, known := l.get(w, "shared-0"); !known {
			l.Errorf("a read failed on way %d", w)
		}
		if _, _, err := listed(l.ctx, l.ways[w], entries); err != nil {
			l.Errorf("list: %v", err)
		}
	}
}

// strikeAmidst kills the server between the two halves of writes: of one the
// request is lost, of the other the reply, when it has taken effect and somebody
// has seen it. It returns the names of their keys.
func (l *load) strikeAmidst(v Victim, round int) (lost, unanswered string) {
	l.Helper()
	if v.Fault == nil {
		l.Fatal("the victim of Kill needs a Fault")
	}
	lost = fmt.Sprint("lost-", round)
	v.Fault(LoseRequests)
	l.unanswered(lost)
	v.Fault(None)
	for i := range tries {
		l.until(recovery, "the way is open again", func() bool { _, known := l.get(0, lost); return known })
		unanswered = fmt.Sprint("unanswered-", round, "-", i)
		v.Fault(LoseReplies)
		l.unanswered(unanswered)
		for soon := time.Now(); time.Since(soon) < Lag; { // it has left; here it is if it ever will
			if kv, known := l.get(1, unanswered); known && kv.Version > 0 {
				v.Strike()
				v.Fault(None)
				return lost, unanswered
			}
		}
		v.Fault(None)
	}
	l.Fatalf("none of %d writes whose reply was lost took effect", tries)
	return lost, unanswered
}

// unanswered creates a key, which must fail without an answer.
func (l *load) unanswered(name string) {
	l.Helper()
	value := fmt.Append(nil, l.values.Add(1))
	o := l.h.begin(write, name, string(value), 0)
	c, cancel := context.WithTimeout(l.ctx, attempt)
	defer cancel()
	v, err := l.Driver.Write(c, driver.Write{Key: key(name), Value: value})
	l.h.end(o, v, err)
	if o.outcome != unknown {
		l.Errorf("a write whose request or reply was lost: %v; want an error that is no answer", err)
	}
}

// settled checks what came of the writes of strikeAmidst.
func (l *load) settled(lost, unanswered string) {
	l.Helper()
	if _, err := l.Peer.Get(l.ctx, key(lost)); !errors.Is(err, driver.ErrNotFound) {
		l.Errorf("the write whose request was lost: %v; want ErrNotFound", err)
	}
	if _, err := l.Peer.Get(l.ctx, key(unanswered)); err != nil {
		l.Errorf("the write that took effect, and was seen, before the server was killed: %v", err)
	}
}

// With a slow way to the engine, deadlines are honoured all the same, and
// nothing is lost, invented or applied twice.
func slowness(s *suite) {
	start := s.put(s.Driver, key("start"), "", 0)
	s.Fault(Slow)
	ctx, cancel := context.WithTimeout(s.ctx, Lag)
	began := time.Now()
	_, err := s.Driver.Get(ctx, key("start"))
	cancel()
	if took := time.Since(began); err == nil || answer(err) || took > Lag+prompt {
		s.Fatalf("a read with less time than the way takes: %v after %v; want the end of its context", err, took)
	}
	s.Fault(None)
	s.delete(s.Driver, key("start"), start)
	l := s.startLoad()
	l.progress("before it is slow")
	s.Fault(Slow)
	l.progress("while it is slow")
	s.Fault(None)
	l.progress("after it was slow")
	l.finish()
}

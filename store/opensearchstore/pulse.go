package opensearchstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// fastest is the shortest pause between two polls.
const fastest = 5 * time.Millisecond

// tick is one publication: everything with a _seq_no of at most seq is on all
// copies and visible to searches through the node at. Both stay true.
type tick struct {
	seq int64
	at  uint64
}

// pulse is what the watches of a Store share: one poller, which runs while there
// are any.
type pulse struct {
	mu      sync.Mutex
	watches int
	stop    context.CancelFunc // of the poller
	now     tick
	have    bool
	err     error         // the watches cannot go on
	changed chan struct{} // closed and replaced when now or err is set
	wake    chan struct{} // of capacity one
	high    int64         // the newest _seq_no that is known to be there to stay
	want    int64         // the newest _seq_no that was seen by a read
	hot     time.Time     // until then want is polled for without pauses
}

func newPulse() pulse {
	return pulse{now: tick{seq: -1}, high: -1, want: -1, changed: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// expect tells that a change with that number is there: watches that have not seen
// it yet are polled for at once. This is how a request's read barrier need not wait
// for the next poll: it reads the record, and the reading wakes the poller.
//
// Only what was acknowledged is certain. What was merely read may be taken back (see
// the package's limits), so it is waited for, but not for ever.
func (p *pulse) expect(seq int64, acknowledged bool) {
	p.mu.Lock()
	newer := seq > max(p.high, p.want)
	if acknowledged {
		p.high = max(p.high, seq)
	}
	if newer {
		p.want, p.hot = seq, time.Now().Add(time.Second)
	}
	p.mu.Unlock()
	if newer {
		p.poke()
	}
}

// wanted reports whether something newer than seq is waited for.
func (p *pulse) wanted(seq int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return seq < p.high || seq < p.want && time.Now().Before(p.hot)
}

func (p *pulse) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *pulse) known() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.high
}

// state returns the newest publication, if there is one yet, and a channel that is
// closed when there is a newer.
func (p *pulse) state() (now tick, have bool, changed <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, p.have, p.changed, p.err
}

func (p *pulse) publish(t tick, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err = err; err == nil {
		p.now, p.have, p.high = t, true, max(p.high, t.seq)
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// join starts the poller with the first watch; the returned function ends it with
// the last.
func (s *Store) join() func() {
	p := &s.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watches++
	if p.watches == 1 && s.life.Err() == nil {
		// What was published stays true, but a failure may be over, and the node gone.
		p.have, p.err = false, nil
		ctx, cancel := context.WithCancel(s.life)
		p.stop = cancel
		s.background.Go(func() { s.beat(ctx) })
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.watches--; p.watches == 0 && p.stop != nil {
			p.stop()
			p.stop = nil
		}
	}
}

// beat polls until its context ends. Two may overlap for a moment, when the last
// watch ends and another begins: both publish what is true, see publish.
func (s *Store) beat(ctx context.Context) {
	pause, failing := fastest, false
	last := tick{seq: -2}
	for ctx.Err() == nil {
		at := s.current.Load()
		t, err := s.beatOnce(ctx, at, last)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if hopeless(err) {
				s.pulse.publish(tick{}, err)
			}
			if !failing {
				s.log.Warn("polling the placement table failed, trying again", "error", err)
			}
			failing = true
			s.leave(ctx, at, err)
			pause = min(2*pause, max(lastPause, s.poll))
		default:
			if failing {
				s.log.Info("polling the placement table works again")
			}
			if t != last || failing {
				s.pulse.publish(t, nil)
			}
			failing = false
			pause = min(2*pause, s.poll)
			if t.seq > last.seq || s.pulse.wanted(t.seq) {
				pause = fastest // more is on its way, or likely to come
			}
			last = t
		}
		s.await(ctx, pause)
	}
}

// await waits that long, or until something is expected.
func (s *Store) await(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.pulse.wake:
	case <-ctx.Done():
	}
}

// beatOnce reads the checkpoint and then, if it has moved, refreshes: in this order,
// so that all that it covers is visible. Both are asked of the same node, and so is
// the search that follows: what a node knows of the cluster only grows, so the
// primary that it searches is the one that told the checkpoint or a later one,
// which has everything that the checkpoint covers.
func (s *Store) beatOnce(ctx context.Context, at uint64, last tick) (tick, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout/2)
	defer cancel()
	n := s.nodeAt(at)
	sh, err := s.checkpoint(ctx, n)
	if err != nil {
		return tick{}, err
	}
	if high := s.pulse.known(); sh.max < high {
		return tick{}, fmt.Errorf("%w: at %d, known is %d", errBehind, sh.max, high)
	}
	if sh.global == last.seq && at == last.at {
		return last, nil
	}
	return tick{sh.global, at}, s.refresh(ctx, n)
}

// hopeless reports whether watches had better end than wait: the table is gone, or
// the user may not read it.
func hopeless(err error) bool {
	return errors.Is(err, ErrReplaced) || errors.Is(err, errUnfit) || is(err, http.StatusNotFound, noIndexKind) ||
		is(err, http.StatusUnauthorized, "") || is(err, http.StatusForbidden, "security_exception")
}

package control

import (
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/mover"
)

// maxPause bounds one pause of a throttled copy, so that the source's scan is
// not forgotten meanwhile.
const maxPause = 20 * time.Second

// throttle keeps the newest progress of a copy, says when it is time to write a
// record, and holds the copy to a rate.
type throttle struct {
	every time.Duration
	stop  <-chan struct{} // ends a pause
	rate  float64         // documents a second; 0: no limit

	mu    sync.Mutex
	p     mover.Progress
	seen  bool
	last  time.Time
	began time.Time
	from  int64 // documents at began
}

// progress is called by the mover from one goroutine at a time, a few times a
// second, and the mover's workers wait for it: so pausing here slows the copy.
func (t *throttle) progress(p mover.Progress) {
	t.mu.Lock()
	if !t.seen {
		t.began, t.from = time.Now(), p.Docs
	}
	t.p, t.seen = p, true
	ahead := time.Duration(0)
	if t.rate > 0 {
		ahead = time.Duration(float64(p.Docs-t.from)/t.rate*float64(time.Second)) - time.Since(t.began)
	}
	t.mu.Unlock()
	if ahead > 0 {
		select {
		case <-t.stop:
		case <-time.After(min(ahead, maxPause)):
		}
	}
}

// due reports whether it is time to write again, and takes note that it is done.
func (t *throttle) due() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); now.Sub(t.last) >= t.every {
		t.last = now
		return true
	}
	return false
}

// into writes the newest progress into a record's.
func (t *throttle) into(p *Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen {
		p.Docs, p.Total, p.Bytes, p.Rate, p.ETA = t.p.Docs, t.p.Total, t.p.Bytes, t.p.Rate, t.p.ETA
	}
}

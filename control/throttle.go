package control

import (
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/mover"
)

// throttle keeps the newest progress of a copy, and says when it is time to
// write a record. The mover calls progress from its own goroutine.
type throttle struct {
	every time.Duration

	mu   sync.Mutex
	p    mover.Progress
	seen bool
	last time.Time
}

func (t *throttle) progress(p mover.Progress) {
	t.mu.Lock()
	t.p, t.seen = p, true
	t.mu.Unlock()
}

// due reports whether a second has passed since it last was.
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

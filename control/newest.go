package control

import (
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/mover"
)

// newest keeps the newest progress of a copy, and says when it is time to write
// a record.
type newest struct {
	every time.Duration

	mu   sync.Mutex
	p    mover.Progress
	seen bool
	last time.Time
}

// progress is called by the mover from one goroutine at a time.
func (t *newest) progress(p mover.Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.p, t.seen = p, true
}

// due reports whether it is time to write again, and takes note that it is done.
func (t *newest) due() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); now.Sub(t.last) >= t.every {
		t.last = now
		return true
	}
	return false
}

// into writes the newest progress into a record's.
func (t *newest) into(p *Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen {
		p.Docs, p.Total, p.Bytes, p.Rate, p.ETA = t.p.Docs, t.p.Total, t.p.Bytes, t.p.Rate, t.p.ETA
		p.Step, p.TotalBytes = t.p.Step, t.p.TotalBytes
	}
}

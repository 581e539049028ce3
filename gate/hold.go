package gate

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// HoldStats say what clients of one move felt at one instance.
type HoldStats struct {
	Held    int             `json:"held"`    // writes that waited and went on
	Refused int             `json:"refused"` // writes that waited in vain, or were over the bounds
	Longest time.Duration   `json:"longest"` // ns
	Sum     time.Duration   `json:"sum"`     // ns
	Samples []time.Duration `json:"samples"` // ns; the first maxHoldSamples
	// Errors are those that clients were answered with while the partition was moving,
	// by kind; see NoteErrors.
	Errors map[string]int `json:"errors,omitempty"`
}

const (
	maxHoldSamples = 10_000
	maxHoldMoves   = 256
)

// holds bounds and measures what waits out cutovers.
type holds struct {
	maxRequests, maxBytes int64
	now, bytes            atomic.Int64

	mu    sync.Mutex
	moves map[string]*HoldStats
	order []string // oldest first, to bound moves
}

func newHolds(requests int, bytes int64) *holds {
	return &holds{maxRequests: int64(requests), maxBytes: bytes, moves: map[string]*HoldStats{}}
}

// hold is one request's waiting; the zero value has not waited.
type hold struct {
	began   time.Time
	move    string
	size    int64
	counted bool
	refused bool
}

func (h *hold) total() time.Duration {
	if h.began.IsZero() {
		return 0
	}
	return time.Since(h.began)
}

// wait returns when v has been replaced, which closes changed, or with the reason why the request is
// held no longer. The deadline counts from the request's first wait.
func (h *holds) wait(ctx context.Context, x *hold, v *view, changed <-chan struct{}, size int64, deadline time.Duration) error {
	if x.began.IsZero() {
		x.began, x.move = time.Now(), v.entry.Move()
	}
	if !x.counted {
		x.counted, x.size = true, max(size, 0)
		n, b := h.now.Add(1), h.bytes.Add(x.size)
		if n > h.maxRequests || b > h.maxBytes {
			x.refused = true
			return &UnavailableError{Reason: ReasonHoldFull, RetryAfter: time.Second}
		}
	}
	t := time.NewTimer(deadline - time.Since(x.began))
	defer t.Stop()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		x.refused = true
		return ctx.Err()
	case <-t.C:
		x.refused = true
		return &UnavailableError{Reason: ReasonHoldDeadline, RetryAfter: time.Second}
	}
}

// end gives the request's share of the bounds back and records what it felt.
func (h *holds) end(x *hold) {
	if x.began.IsZero() {
		return
	}
	d := time.Since(x.began)
	h.now.Add(-1)
	h.bytes.Add(-x.size)
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.statsOf(x.move)
	if x.refused {
		s.Refused++
		return
	}
	s.Held++
	s.Sum += d
	s.Longest = max(s.Longest, d)
	if len(s.Samples) < maxHoldSamples {
		s.Samples = append(s.Samples, d)
	}
}

func (h *holds) of(move string) HoldStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.moves[move]
	if s == nil {
		return HoldStats{}
	}
	return s.clone()
}

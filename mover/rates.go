package mover

import (
	"sync"
	"time"
)

// Rates are what was measured on the two clusters, of late.
type Rates struct {
	PerID   time.Duration // to apply one dirty id, among many
	Round   time.Duration // to apply a few dirty ids: the round trips alone
	Refresh time.Duration // to refresh the target
	Check   time.Duration // to compare one id on both sides
	Seal    time.Duration // of the last Seal; 0: none yet
}

type rates struct {
	mu sync.Mutex
	r  Rates
}

// note moves *field a third of the way to a sample, and the whole way when it
// is the first.
func (r *rates) note(field func(*Rates) *time.Duration, sample time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := field(&r.r)
	if *f == 0 {
		*f = sample
		return
	}
	*f += (sample - *f) / 3
}

// Rates returns what was measured.
func (m *Mover) Rates() Rates {
	m.rates.mu.Lock()
	defer m.rates.mu.Unlock()
	return m.rates.r
}

// PredictPause estimates how long the mover's part of a cutover takes when that
// many ids are dirty: apply them, refresh the target, compare them, seal. What
// was never measured counts with a guess on the safe side.
func (m *Mover) PredictPause(dirty int) time.Duration {
	r := m.Rates()
	or := func(d, guess time.Duration) time.Duration {
		if d == 0 {
			return guess
		}
		return d
	}
	n := time.Duration(dirty)
	round := time.Duration(0)
	if dirty > 0 {
		round = or(r.Round, 30*time.Millisecond)
	}
	return round + n*or(r.PerID, time.Millisecond) + n*or(r.Check, 200*time.Microsecond) +
		or(r.Refresh, 20*time.Millisecond) + or(r.Seal, 40*time.Millisecond)
}

// since returns a function that notes the time since.
func (r *rates) since(field func(*Rates) *time.Duration) func() {
	began := time.Now()
	return func() { r.note(field, time.Since(began)) }
}

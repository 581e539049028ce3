package load

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// samples are the durations of writes, each with the moment at which it ended.
type samples struct {
	mu  sync.Mutex
	all []sample
}

type sample struct {
	end  time.Time
	took time.Duration
}

func (s *samples) add(start time.Time) {
	now := time.Now()
	s.mu.Lock()
	s.all = append(s.all, sample{now, now.Sub(start)})
	s.mu.Unlock()
}

// Latency sums up durations of writes as their clients measured them, repetitions included.
type Latency struct {
	N   int           `json:"n"`
	P50 time.Duration `json:"p50_ns"`
	P99 time.Duration `json:"p99_ns"`
	Max time.Duration `json:"max_ns"`
}

func (s *samples) between(from, to time.Time) Latency {
	s.mu.Lock()
	defer s.mu.Unlock()
	var d []time.Duration
	for _, one := range s.all {
		// A write belongs to the time in which any part of it fell.
		if !one.end.Before(from) && !one.end.Add(-one.took).After(to) {
			d = append(d, one.took)
		}
	}
	if len(d) == 0 {
		return Latency{}
	}
	slices.Sort(d)
	return Latency{N: len(d), P50: d[len(d)/2], P99: d[len(d)*99/100], Max: d[len(d)-1]}
}

// trouble keeps what went wrong, for people: a bounded number of distinct messages of each kind, and how often.
type trouble struct {
	mu    sync.Mutex
	seen  map[string]int
	kinds map[string]int // distinct messages
}

// troubleLimit bounds the distinct messages of a kind; counters elsewhere count all.
const troubleLimit = 200

func (t *trouble) note(kind, message string) {
	if len(message) > 400 {
		message = message[:400]
	}
	key := kind + ": " + message
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil {
		t.seen, t.kinds = map[string]int{}, map[string]int{}
	}
	if t.seen[key] == 0 {
		if t.kinds[kind] == troubleLimit {
			return
		}
		t.kinds[kind]++
	}
	t.seen[key]++
}

// lines returns the messages, sorted, those that occurred often with their number.
func (t *trouble) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for _, key := range slices.Sorted(maps.Keys(t.seen)) {
		if n := t.seen[key]; n > 1 {
			key = fmt.Sprintf("%s (%d times)", key, n)
		}
		out = append(out, key)
	}
	return out
}

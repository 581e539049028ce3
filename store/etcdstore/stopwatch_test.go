package etcdstore_test

import (
	"slices"
	"time"
)

// stopwatch keeps how long each of many calls took.
type stopwatch []time.Duration

func (s *stopwatch) time(f func()) {
	began := time.Now()
	f()
	*s = append(*s, time.Since(began))
}

func (s stopwatch) median() float64 {
	slices.Sort(s)
	return float64(s[len(s)/2])
}

package proxy

import (
	"maps"
	"sync"
	"sync/atomic"
)

// series are those of a metric that have been asked for, by their labels, of which there
// are few. They are found without a lock and without making text of the labels, which
// costs more than counting does.
type series[Labels comparable, Series any] struct {
	of atomic.Pointer[map[Labels]Series] // never changed, only replaced
	mu sync.Mutex                        // of who replaces it
}

// find returns the series of some labels; look finds it when it is asked for first.
func (s *series[Labels, Series]) find(l Labels, look func(Labels) Series) Series {
	if of := s.of.Load(); of != nil {
		if found, ok := (*of)[l]; ok {
			return found
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[Labels]Series{}
	if of := s.of.Load(); of != nil {
		maps.Copy(next, *of)
	}
	next[l] = look(l) // the same, if another has just looked
	s.of.Store(&next)
	return next[l]
}

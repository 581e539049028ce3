package sim

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// streams are random sources by name. Each draws the same numbers in every run
// of a seed, whatever the others do.
type streams struct {
	seed uint64
	mu   sync.Mutex
	at   map[string]uint64
}

// next returns a source for the next event of that name.
func (s *streams) next(name string) *rand.Rand {
	s.mu.Lock()
	n := s.at[name]
	s.at[name]++
	s.mu.Unlock()
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(s.seed, h.Sum64()+n*0x9e3779b97f4a7c15))
}

// between is uniform in [a, b).
func between(r *rand.Rand, a, b time.Duration) time.Duration {
	if b <= a {
		return a
	}
	return a + time.Duration(r.Int64N(int64(b-a)))
}

// logBetween is uniform in the logarithm: as often near a as near b.
func logBetween(r *rand.Rand, a, b time.Duration) time.Duration {
	x := math.Log(float64(a)) + r.Float64()*(math.Log(float64(b))-math.Log(float64(a)))
	return time.Duration(math.Exp(x))
}

func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

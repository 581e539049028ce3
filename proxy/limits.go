package proxy

import (
	"net/http"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/placement"
)

// limits bound how many requests are under way, in all and of one tenant. What is
// over them is refused at once, so that a tenant that floods, or whose cluster
// hangs, neither pins memory nor takes the others' room.
type limits struct {
	all, each int // at most

	mu    sync.Mutex
	under int
	of    map[placement.PartitionID]int // never 0
}

func newLimits(all, each int) *limits {
	return &limits{all: all, each: each, of: map[placement.PartitionID]int{}}
}

// enter counts a request; an error says that it was refused and not counted.
func (l *limits) enter(id placement.PartitionID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of[id] >= l.each {
		return tooMany("the tenant has %d requests under way at this instance, which is the limit of one tenant", l.each)
	}
	if l.under >= l.all {
		return tooMany("%d requests are under way at this instance, which is its limit", l.all)
	}
	l.under++
	l.of[id]++
	return nil
}

// leave ends what enter counted.
func (l *limits) leave(id placement.PartitionID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.under--
	if l.of[id]--; l.of[id] == 0 {
		delete(l.of, id)
	}
}

// underWay is how many requests are counted.
func (l *limits) underWay() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.under
}

func tooMany(format string, n int) *apiError {
	e := fail(http.StatusTooManyRequests, TypeTooMany, format+"; nothing was sent, repeat the request later", n)
	e.retryAfter = time.Second
	return e
}

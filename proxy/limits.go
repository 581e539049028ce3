package proxy

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/placement"
)

// limits bound how many requests are under way, and how many bytes of their bodies
// are in memory, in all and of one tenant. What is over them is refused at once, so
// that a tenant that floods, or whose cluster hangs, neither pins memory nor takes the
// others' room.
type limits struct {
	all, each           int   // requests, at most
	allBytes, eachBytes int64 // of bodies

	mu    sync.Mutex
	under usage
	of    map[placement.PartitionID]usage // none without requests
}

// usage is what is under way.
type usage struct {
	requests int
	bytes    int64
}

func newLimits(o *Options) *limits {
	return &limits{all: o.Requests, each: o.TenantRequests, allBytes: o.BodyBytes, eachBytes: o.TenantBodyBytes, of: map[placement.PartitionID]usage{}}
}

// enter counts a request; an error says that it was refused and not counted.
func (l *limits) enter(id placement.PartitionID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.of[id]
	if u.requests >= l.each {
		return tooMany("the tenant has %d requests under way at this instance, which is the limit of one tenant", int64(l.each))
	}
	if l.under.requests >= l.all {
		return tooMany("%d requests are under way at this instance, which is its limit", int64(l.all))
	}
	l.under.requests++
	u.requests++
	l.of[id] = u
	return nil
}

// keep counts n more bytes of a request that was counted.
func (l *limits) keep(id placement.PartitionID, n int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.of[id]
	if u.bytes+n > l.eachBytes {
		return tooMany("the bodies of the tenant's requests under way at this instance have %d bytes, which is the limit of one tenant", l.eachBytes)
	}
	if l.under.bytes+n > l.allBytes {
		return tooMany("the bodies of the requests under way at this instance have %d bytes, which is its limit", l.allBytes)
	}
	l.under.bytes += n
	u.bytes += n
	l.of[id] = u
	return nil
}

// leave ends what enter counted, and the bytes that were kept since.
func (l *limits) leave(id placement.PartitionID, kept int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.under.requests--
	l.under.bytes -= kept
	u := l.of[id]
	u.requests--
	u.bytes -= kept
	if u.requests == 0 {
		delete(l.of, id)
		return
	}
	l.of[id] = u
}

// underWay is what is counted.
func (l *limits) underWay() usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.under
}

func tooMany(format string, n int64) *apiError {
	e := fail(http.StatusTooManyRequests, TypeTooMany, format+"; nothing was sent, repeat the request later", n)
	e.retryAfter = time.Second
	return e
}

// keeping reads what stays in memory, and counts it. What a request has counted is
// the most that it had at once, and is given back when it ends: a bulk, which is read
// chunk by chunk, counts its largest chunk.
type keeping struct {
	io.Reader
	q    *request
	have int64 // bytes in memory now
}

// keep returns r with what is read of it counted, on top of have bytes.
func (q *request) keep(r io.Reader, have int) *keeping {
	return &keeping{r, q, int64(have)}
}

// Read implements io.Reader. It reads first: what a client has not sent takes no room.
func (k *keeping) Read(b []byte) (int, error) {
	n, err := k.Reader.Read(b)
	k.have += int64(n)
	if more := k.have - k.q.kept; more > 0 {
		if full := k.q.p.limits.keep(k.q.tenant, more); full != nil {
			return n, full
		}
		k.q.kept += more
	}
	return n, err
}

// forget says that what was read is not in memory any more.
func (k *keeping) forget() { k.have = 0 }

package affinity

import (
	"hash/maphash"
	"math"
	"math/bits"
	"strings"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
)

// Affinity says how a cursor finds back to the cluster that it was opened on.
type Affinity string

// The values of Affinity; the empty one is Off.
const (
	Off Affinity = "off" // clients hold envelopes, instances hold nothing
	Pin Affinity = "pin" // clients hold the clusters' own ids, the instance holds a CursorAffinity
)

// Defaults of CursorAffinityOptions.
const (
	DefaultLimit = 100_000
	DefaultTTL   = 300 * time.Second
)

// ErrUnknown is the refusal of Resolve for an id that is not pinned, or no more.
var ErrUnknown = catalog.New("sluice_bad_cursor", "the cursor is not known to this instance")

// CursorAffinityOptions of a CursorAffinity. The zero value is useful.
type CursorAffinityOptions struct {
	// Limit is how many cursors are pinned at most (default DefaultLimit).
	Limit int
	// TTL is how long a cursor stays pinned after its last use when no request says
	// how long it is kept alive (default DefaultTTL).
	TTL time.Duration
	// Now is a clock for tests (default time.Now).
	Now func() time.Time
}

// CursorAffinity remembers where cursors were opened, for clients that cannot
// carry an [Envelope] and are given the clusters' own ids. It is safe for
// concurrent use.
//
// It is bounded in number, and in bytes: an id of any length is kept as a hash of
// 128 bits, under seeds that are random in each process and never leave it. A
// client would have to present an id that a cluster gave to somebody else and that
// by chance has the hash of one of the client's own, which the clusters chose too:
// one in 2^128 for each pair, with nothing to learn from a failure. The tenant is
// not hashed but compared, so that no collision ever gives one the cursor of
// another in the map.
//
// At the limit, a new cursor takes the place of one that has expired, or else of
// the one that was used longest ago, give or take a sixteenth of its lifetime;
// that is counted ([Stats]).
//
// Every operation takes constant time, whatever the number of cursors. There is
// one lock, held for some tens of nanoseconds; ids are hashed before it is taken,
// and nobody goes through all cursors under it. What has expired is refused at
// once, and its memory is taken back by later calls, a few cursors by each.
type CursorAffinity struct {
	limit int
	ttl   time.Duration
	now   func() time.Time
	base  time.Time // what times in cursors are counted from
	seeds [2]maphash.Seed

	mu sync.Mutex
	n  int // cursors
	// A table of its own, as large as the limit wants from the beginning: a map would
	// grow under the lock, and touch twice as much memory in each use.
	buckets []*cursor                         // linked by same; its length is a power of two
	bonds   map[placement.PartitionID]*shared // linked by next: a tenant has few
	open    map[string]*int                   // cursors by cluster
	free    *cursor                           // reusable ones, linked by next
	// Cursors by how long they live, each list in the order of their last use. In one
	// list lives differ by less than an eighth, so that who has expired comes to the
	// front soon.
	lists   [classes]list
	filled  [(classes + 63) / 64]uint64 // a bit for each list that is not empty
	evicted uint64
	expired uint64
}

// Stats of a CursorAffinity.
type Stats struct {
	// Open cursors by cluster.
	Open map[string]int
	// Evicted is how many cursors were forgotten before their time, for newer ones.
	Evicted uint64
	// Expired is how many were forgotten because nobody used them in time.
	Expired uint64
}

// key is an id, hashed under both seeds.
type key [2]uint64

func (a *CursorAffinity) keyOf(id string) key {
	return key{maphash.String(a.seeds[0], id), maphash.String(a.seeds[1], id)}
}

// bond is what a cursor is bound to. A tenant's cursors share it.
type bond struct {
	partition   placement.PartitionID
	place       placement.Placement
	incarnation uint32
	kind        Kind
}

type shared struct {
	bond
	cursors int
	open    *int // of the cluster
	next    *shared
}

// cursor has 64 bytes: one cache line, which is most of what a use costs.
type cursor struct {
	key        key
	same       *cursor // the next one of its bucket
	at         *shared
	used       time.Duration // when it was used last, since base
	ttl        millis
	queued     millis  // when it was put at the end of its list, since base
	prev, next *cursor // in its list
}

func (c *cursor) expires() time.Duration { return c.used + c.ttl.duration() }

// millis are milliseconds, up to 49 days. A moment begins at 0 again after that, so
// that only differences of moments mean something; no cursor lives longer.
type millis uint32

func (m millis) duration() time.Duration { return time.Duration(m) * time.Millisecond }

// lifetime is d, at least a millisecond.
func lifetime(d time.Duration) millis {
	return millis(min(max(d/time.Millisecond, 1), math.MaxUint32))
}

func moment(d time.Duration) millis { return millis(d / time.Millisecond) }

// list is a list of cursors; both ends are nil when it is empty.
type list struct{ first, last *cursor }

// NewCursorAffinity returns an empty CursorAffinity.
func NewCursorAffinity(o *CursorAffinityOptions) *CursorAffinity {
	var opt CursorAffinityOptions
	if o != nil {
		opt = *o
	}
	if opt.Limit <= 0 {
		opt.Limit = DefaultLimit
	}
	if opt.TTL <= 0 {
		opt.TTL = DefaultTTL
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &CursorAffinity{
		limit: opt.Limit, ttl: opt.TTL, now: opt.Now, base: opt.Now(), seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		buckets: make([]*cursor, 1<<bits.Len(uint(opt.Limit-1))), bonds: map[placement.PartitionID]*shared{}, open: map[string]*int{},
	}
}

// Pin remembers where e.ID was opened, and for whom; e.Expires does not count.
// keepAlive is what the request asked for, or 0. A cursor that is pinned already
// is used by it, and is bound as e says from now on: clusters repeat an id in the
// answers to its use, and never give one id to two.
func (a *CursorAffinity) Pin(e Envelope, keepAlive time.Duration) {
	k, now := a.keyOf(e.ID), a.now().Sub(a.base)
	b := bond{e.Partition, e.Placement, e.Incarnation, e.Kind}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reap(now, 2) // more than comes in
	c := a.find(k)
	if c != nil && (c.at.bond != b || now >= c.expires()) {
		a.forget(c)
		c = nil
	}
	if c != nil {
		a.use(c, now, keepAlive)
		return
	}
	if a.n >= a.limit && a.reap(now, 1) == 0 {
		a.forget(a.oldest())
		a.evicted++
	}
	if keepAlive <= 0 {
		keepAlive = a.ttl
	}
	c = a.take()
	c.key, c.at, c.used, c.ttl, c.queued = k, a.bind(b), now, lifetime(keepAlive), moment(now)
	a.enqueue(c)
	bucket := a.bucket(k)
	c.same, *bucket = *bucket, c
	a.n++
}

// Resolve returns what an id is bound to, for the tenant who presents it, and
// counts as a use: the cursor's time begins anew. keepAlive is what the request
// asks for, or 0; it makes a cursor's life longer and never shorter, as in
// OpenSearch. The refusals are ErrUnknown, also for what has expired, and
// ErrOtherTenant, which is no use.
func (a *CursorAffinity) Resolve(id string, presenter placement.PartitionID, keepAlive time.Duration) (Envelope, error) {
	k, now := a.keyOf(id), a.now().Sub(a.base)
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.find(k)
	switch {
	case c == nil:
		return Envelope{}, ErrUnknown
	case now >= c.expires():
		a.forget(c)
		a.expired++
		return Envelope{}, ErrUnknown
	case c.at.partition != presenter:
		return Envelope{}, ErrOtherTenant
	}
	a.use(c, now, keepAlive)
	return Envelope{
		Partition: c.at.partition, Placement: c.at.place, Incarnation: c.at.incarnation, Kind: c.at.kind, ID: id,
		Expires: a.base.Add(c.expires()),
	}, nil
}

// Release forgets a cursor that its tenant has closed, and reports whether it was
// there. Another tenant's is left alone.
func (a *CursorAffinity) Release(id string, presenter placement.PartitionID) bool {
	k := a.keyOf(id)
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.find(k)
	if c == nil || c.at.partition != presenter {
		return false
	}
	a.forget(c)
	return true
}

// Len returns how many cursors are held. Some may have expired and still wait to
// be forgotten.
func (a *CursorAffinity) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n
}

// Open returns how many cursors of a tenant are held, by the cluster that serves
// them. It takes time for the placements that they were opened under, which are few.
// Some may have expired and still wait to be forgotten.
func (a *CursorAffinity) Open(p placement.PartitionID) map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	open := map[string]int{}
	for s := a.bonds[p]; s != nil; s = s.next {
		open[s.place.Cluster] += s.cursors
	}
	return open
}

// Stats forgets what has expired, a few cursors at a time so that nobody waits for
// it, and returns the numbers. A cursor is counted for at most a fifth of its
// lifetime too long.
func (a *CursorAffinity) Stats() Stats {
	const batch = 64
	now := a.now().Sub(a.base)
	for {
		a.mu.Lock()
		if a.reap(now, batch) < batch {
			break
		}
		a.mu.Unlock()
	}
	defer a.mu.Unlock()
	s := Stats{Open: make(map[string]int, len(a.open)), Evicted: a.evicted, Expired: a.expired}
	for cluster, n := range a.open {
		s.Open[cluster] = *n
	}
	return s
}

func (a *CursorAffinity) bucket(k key) **cursor { return &a.buckets[k[0]&uint64(len(a.buckets)-1)] }

func (a *CursorAffinity) find(k key) *cursor {
	c := *a.bucket(k)
	for c != nil && c.key != k {
		c = c.same
	}
	return c
}

// classOf is the list of cursors that live so long: eight lists for each doubling,
// in steps of 128 ms at first.
func classOf(ttl millis) int {
	v := uint32(ttl) >> 7
	e := max(bits.Len32(v)-4, 0)
	return e*8 + int(v>>e)
}

const classes = 184 // of the longest lifetime, and one more

// use begins c's time anew. It moves c in its list only once in a while: what else
// is in that list is far away in memory, and the order need not be exact.
func (a *CursorAffinity) use(c *cursor, now, keepAlive time.Duration) {
	c.used = now
	longer := keepAlive > c.ttl.duration()
	if !longer && moment(now)-c.queued < c.ttl/16 {
		return
	}
	a.dequeue(c)
	if longer {
		c.ttl = lifetime(keepAlive)
	}
	c.queued = moment(now)
	a.enqueue(c)
}

// enqueue puts c at the end of the list for its lifetime.
func (a *CursorAffinity) enqueue(c *cursor) {
	i := classOf(c.ttl)
	l := &a.lists[i]
	c.prev, c.next = l.last, nil
	if l.last != nil {
		l.last.next = c
	} else {
		l.first = c
		a.filled[i/64] |= 1 << (i % 64)
	}
	l.last = c
}

func (a *CursorAffinity) dequeue(c *cursor) {
	i := classOf(c.ttl)
	l := &a.lists[i]
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		l.last = c.prev
	}
	if l.first == nil {
		a.filled[i/64] &^= 1 << (i % 64)
	}
	c.prev, c.next = nil, nil
}

// fronts yields each list that is not empty; the loop's body may empty it.
func (a *CursorAffinity) fronts(yield func(*list) bool) {
	for w, set := range a.filled {
		for ; set != 0; set &= set - 1 {
			if !yield(&a.lists[w*64+bits.TrailingZeros64(set)]) {
				return
			}
		}
	}
}

// reap forgets up to n cursors that have expired, and returns how many it has.
func (a *CursorAffinity) reap(now time.Duration, n int) (reaped int) {
	for l := range a.fronts {
		for ; l.first != nil && now >= l.first.expires(); reaped++ {
			if reaped == n {
				return n
			}
			a.forget(l.first)
			a.expired++
		}
	}
	return reaped
}

// oldest is the cursor that was used longest ago: the oldest of the lists' oldest.
func (a *CursorAffinity) oldest() (c *cursor) {
	for l := range a.fronts {
		if c == nil || l.first.used < c.used {
			c = l.first
		}
	}
	return c
}

// bind returns what the cursors of b share, with one more of them.
func (a *CursorAffinity) bind(b bond) *shared {
	s := a.bonds[b.partition]
	for s != nil && s.bond != b {
		s = s.next
	}
	if s == nil {
		// A name may be a part of a long text, which would be kept with it.
		b.partition = placement.PartitionID(strings.Clone(string(b.partition)))
		n := a.open[b.place.Cluster]
		if n == nil {
			n = new(int) // and stays, at 0, so that a gauge goes back to it: clusters are few
			a.open[b.place.Cluster] = n
		}
		s = &shared{bond: b, open: n, next: a.bonds[b.partition]}
		a.bonds[b.partition] = s
	}
	s.cursors++
	*s.open++
	return s
}

// unbind takes one cursor off s, and drops s with its last.
func (a *CursorAffinity) unbind(s *shared) {
	*s.open--
	if s.cursors--; s.cursors > 0 {
		return
	}
	first := a.bonds[s.partition]
	p := &first
	for *p != s {
		p = &(*p).next
	}
	*p = s.next
	if first == nil {
		delete(a.bonds, s.partition)
		return
	}
	a.bonds[s.partition] = first
}

func (a *CursorAffinity) forget(c *cursor) {
	p := a.bucket(c.key)
	for *p != c {
		p = &(*p).same
	}
	*p = c.same
	a.n--
	a.dequeue(c)
	a.unbind(c.at)
	*c = cursor{next: a.free}
	a.free = c
}

func (a *CursorAffinity) take() *cursor {
	c := a.free
	if c == nil {
		return &cursor{}
	}
	a.free, c.next = c.next, nil
	return c
}

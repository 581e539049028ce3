package mover

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound a copy; they may change while it runs. The zero value heeds the
// clusters' own pressure and nothing else.
type Limits struct {
	Docs  float64 // documents a second; 0: no limit
	Bytes float64 // bytes of sources a second; 0: no limit
	// Eager leaves pressure unheeded: as fast as the clusters can, with all workers.
	// What a cluster refuses is waited out all the same.
	Eager bool
	// Rests: the copy will be interrupted for hours. Its scans then go in an order in which
	// another one can go on; see rests.go.
	Rests bool
}

// What a throttle holds to.
const (
	// leastLevel is what remains under the worst pressure, in workers: a copy that
	// stood still would hold its scan, and the files that the scan keeps, for ever.
	leastLevel = 0.02
	// gentle is where a copy begins, and what it needs no leave for: one request for a
	// twentieth of the time. bench/copying measures what tenants feel of it.
	gentle = 0.05
	// longestRest bounds the wait after one piece of work.
	longestRest = 5 * time.Second
	// adjustEvery is how often the level changes.
	adjustEvery = time.Second
	// slowdown and halving are what pressure, and a refusal, leave of the level.
	slowdown, halving = 0.7, 0.5
	// raise is what a calm second adds, as a share of what there may be.
	raise = 0.025
	// tolerance is by how much an answer may take longer than it did in calm before
	// that counts as pressure.
	tolerance = 2
	// believed is for how long a cluster's reading counts.
	believed = 3 * nodesEvery
)

// throttle holds a copy to an operator's limits, and to what the clusters bear.
//
// The level is how many workers' worth of time the copy may spend on requests: 2 is
// two requests at all times, 0.05 one request for a twentieth of the time. It is cut by a
// factor when something is wrong: a cluster refuses requests, answers take much longer
// than they did, or a node says that its queues are deep, its heap is full or its
// processors are busy. It is raised by steps while nothing is; beyond gentle only while
// the nodes of both clusters say that they have processors to spare, because a tenant
// feels those long before anything is refused. Rest is measured by what the work took,
// so the copy of a slow cluster is as gentle as that of a fast one. Reads of the source
// and writes to the target share the level: on one machine they would add up.
type throttle struct {
	docs, bytes   *rate.Limiter
	batch, volume int     // most documents and bytes of a burst
	most          float64 // workers

	mu       sync.Mutex // guards the following
	eager    bool
	resting  bool // see Limits.Rests
	level    float64
	running  int           // pieces of work under way, rests included
	changed  chan struct{} // closed when one of them ends or the level changes
	adjusted time.Time
	refused  string             // cluster that has refused something since adjusted
	nodes    map[string]reading // by cluster
	times    [2]latency         // searches of the source, bulks of the target
	names    [2]string          // of the clusters
	cause    string             // what has cut the level last
	refusals uint64             // ever
}

// reading is what a cluster's nodes have said last.
type reading struct {
	severity severity
	trouble  string // what is wrong, for people
	spare    bool   // all of them have processors to spare
	untold   bool   // they do not say how they are, and are not asked again
	at       time.Time
	heeded   bool // its cut has been made
}

type severity uint8

const (
	calm   severity = iota
	busy            // processors: no reason to be slower than gentle
	strain          // deep queues, a full heap
	harm            // something was rejected, or a breaker tripped
)

// The two kinds of answers that are timed.
const (
	searches = iota
	bulks
)

func newThrottle(o Options, src, dst string) *throttle {
	t := &throttle{docs: rate.NewLimiter(rate.Inf, 1), bytes: rate.NewLimiter(rate.Inf, 1), batch: o.BatchDocs, volume: o.BatchBytes,
		most: float64(o.Workers), changed: make(chan struct{}), nodes: map[string]reading{}, names: [2]string{src, dst}}
	t.level = gentle
	t.set(o.Limits)
	return t
}

// set changes the limits of a copy that may be under way.
func (t *throttle) set(l Limits) {
	for _, f := range []struct {
		lim   *rate.Limiter
		value float64
		most  int
	}{{t.docs, l.Docs, t.batch}, {t.bytes, l.Bytes, t.volume}} {
		limit, burst := rate.Inf, f.most
		if f.value > 0 {
			limit, burst = rate.Limit(f.value), int(math.Ceil(min(f.value, float64(f.most))))
		}
		f.lim.SetBurst(burst)
		f.lim.SetLimit(limit)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.resting = l.Rests
	if t.eager != l.Eager {
		t.eager = l.Eager
		t.wake()
	}
}

// page returns how many documents to ask for at a time: no more than the limits
// allow in a second, so that a writer waits for a second at most.
func (t *throttle) page(want int, avg int64) int {
	want = min(want, t.docs.Burst())
	if avg > 0 && t.bytes.Limit() != rate.Inf {
		want = min(want, int(int64(t.bytes.Burst())/avg))
	}
	return max(1, want)
}

// pace waits until so much more may be written.
func (t *throttle) pace(ctx context.Context, docs int, bytes int64) error {
	if err := wait(ctx, t.docs, docs); err != nil {
		return err
	}
	return wait(ctx, t.bytes, int(bytes))
}

// wait takes n from a limiter. In parts: the limit may have been lowered since n was
// chosen, and one document may be larger than a second's worth.
func wait(ctx context.Context, lim *rate.Limiter, n int) error {
	for n > 0 {
		part := min(n, max(1, lim.Burst()))
		if err := lim.WaitN(ctx, part); err != nil {
			if ctx.Err() == nil && part > lim.Burst() {
				continue // lowered in this very moment
			}
			return err
		}
		n -= part
	}
	return nil
}

// turn performs a piece of work when the level has room for it. The room stays taken
// after it for as long as the level demands rest; nobody but the next piece waits for that.
func (t *throttle) turn(ctx context.Context, work func() error) error {
	if err := t.enter(ctx); err != nil {
		return err
	}
	began := time.Now()
	err := work()
	t.mu.Lock()
	d := time.Duration(float64(time.Since(began)) * (math.Ceil(t.level)/t.level - 1))
	if t.eager || err != nil {
		d = 0
	}
	t.mu.Unlock()
	if d <= 0 {
		t.leave()
	} else {
		time.AfterFunc(min(d, longestRest), t.leave)
	}
	return err
}

func (t *throttle) enter(ctx context.Context) error {
	for {
		t.mu.Lock()
		if t.eager || float64(t.running) < math.Ceil(t.level) {
			t.running++
			t.mu.Unlock()
			return nil
		}
		changed := t.changed
		t.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (t *throttle) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running--
	t.wake()
}

// wake lets everybody look again. The lock is held.
func (t *throttle) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// answered notes that a cluster has answered a request about so many documents and bytes.
func (t *throttle) answered(kind, docs int, bytes int64, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times[kind].sample(float64(docs)+float64(bytes)/1024, took.Seconds())
	t.adjust()
}

// refusedBy notes that a cluster has refused a request for lack of capacity.
func (t *throttle) refusedBy(cluster string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused = cluster
	t.refusals++
	t.adjust()
}

// refusedSoFar counts refusals: what was refused meanwhile tells nothing about time.
func (t *throttle) refusedSoFar() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refusals
}

// heard notes what a cluster's nodes say.
func (t *throttle) heard(cluster string, r reading) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.at = time.Now()
	t.nodes[cluster] = r
	t.adjust()
}

// untold reports whether a cluster has refused to say how its nodes are.
func (t *throttle) untold(cluster string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.nodes[cluster].untold
}

// adjust changes the level, at most every adjustEvery. The lock is held.
func (t *throttle) adjust() {
	now := time.Now()
	if now.Sub(t.adjusted) < adjustEvery {
		return
	}
	before := t.level
	factor, floor, cause := t.verdict(now)
	switch {
	case factor < 1:
		t.level = max(min(floor, t.level), t.level*factor)
	case cause != "": // has cut already
	case t.level < gentle:
		t.level = min(gentle, t.level+raise*t.most)
	case t.spare(now):
		t.level = min(t.most, t.level+raise*t.most)
	}
	if cause != "" || t.level >= gentle {
		t.cause = cause
	}
	t.adjusted = now
	if t.level != before {
		t.wake()
	}
}

// spare reports whether the nodes of both clusters have processors to spare.
func (t *throttle) spare(now time.Time) bool {
	for _, name := range t.names {
		if r := t.nodes[name]; !r.spare || now.Sub(r.at) > believed {
			return false
		}
	}
	return true
}

// verdict says what the level has to be multiplied with, down to which, and why. A
// cause with a factor of 1 keeps it where it is: a reading of the nodes cuts once, and
// is believed until the next. The lock is held.
func (t *throttle) verdict(now time.Time) (factor, floor float64, cause string) {
	factor, floor = 1, gentle
	cut := func(by, down float64, why string) {
		if by < factor {
			factor = by
		}
		floor = min(floor, down)
		if cause == "" || down < gentle {
			cause = why
		}
	}
	for kind, what := range []string{"searches", "bulk writes"} {
		if x := t.times[kind].ratio(); x > tolerance {
			cut(slowdown, leastLevel, fmt.Sprintf("%s of cluster %s take %.1f times as long as in calm", what, t.names[kind], x))
		}
	}
	for _, name := range t.names {
		r := t.nodes[name]
		if r.severity == calm || now.Sub(r.at) > believed {
			continue
		}
		by, down := slowdown, leastLevel
		switch {
		case r.heeded:
			by = 1
		case r.severity == harm:
			by = halving
		}
		if r.severity == busy {
			down = gentle
		}
		cut(by, down, r.trouble)
		r.heeded = true
		t.nodes[name] = r
	}
	if t.refused != "" {
		cut(halving, leastLevel, "cluster "+t.refused+" refuses requests (429)")
		t.refused = ""
	}
	return factor, floor, cause
}

// slowedBy says what holds the copy below its most; empty: nothing does.
func (t *throttle) slowedBy() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.eager {
		return ""
	}
	return t.cause
}

// latency is what a unit of work takes of late, and what it takes in calm.
type latency struct {
	now, calm, largest float64
	n                  int
}

// sample notes one answer. Small ones are passed over: what they take is mostly
// what every request takes. What is longer for good becomes calm slowly, so that
// an index that has grown does not slow its copy down for ever.
func (l *latency) sample(units, seconds float64) {
	l.largest = max(units, l.largest*0.99)
	if units < l.largest/4 || units <= 0 {
		return
	}
	x := seconds / units
	if l.n++; l.n == 1 {
		l.now, l.calm = x, x
		return
	}
	l.now += (x - l.now) / 4
	if l.now < l.calm {
		l.calm = l.now
	} else {
		l.calm += (l.now - l.calm) / 500
	}
}

func (l *latency) ratio() float64 {
	if l.n < 8 || l.calm <= 0 {
		return 1
	}
	return l.now / l.calm
}

package drivertest

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

const (
	// attempt bounds a call under load: what has no answer by then is tried again.
	attempt = 2 * time.Second
	// pace is the pause between two calls of one worker.
	pace = 4 * time.Millisecond
	// recovery is how long work may take to go on when nothing is wrong any more.
	recovery = time.Minute
)

// load is everybody who uses a server while it is harmed: on each of two ways
// writers, readers, a watch, and a process that holds a session.
type load struct {
	*suite
	ways    [2]driver.Driver
	h       *history
	tapes   [2]*tape
	holders [2]*holder
	crowd   *crowd

	values  atomic.Int64    // written so far, so that each is another
	acked   [2]atomic.Int64 // writes that were acknowledged on each way
	failed  [2]atomic.Int64 // calls that failed on each way
	last    [2]atomic.Value // failure: of the newest of those
	stop    context.CancelFunc
	workers sync.WaitGroup
}

// failure is an error in an atomic.Value, which wants one type.
type failure struct{ error }

// startLoad begins to work. It goes on until finish.
func (s *suite) startLoad() *load {
	l := &load{suite: s, ways: [2]driver.Driver{s.Driver, s.Peer}, h: newHistory()}
	_, from := s.list(s.Driver, entries)
	_, sessionsFrom := s.list(s.Driver, sessions)
	ctx, stop := context.WithCancel(s.ctx)
	l.stop = stop
	s.Cleanup(func() { stop(); l.workers.Wait() }) // for a test that fails
	l.crowd = s.newCrowd(sessionsFrom)
	for w := range l.ways {
		l.tapes[w] = s.record(l.ways[w], entries, from)
		l.holders[w] = &holder{crowd: l.crowd, d: l.ways[w]}
		l.workers.Go(func() { l.holders[w].hold(ctx) })
		for _, name := range []string{"own-" + strconv.Itoa(w), "shared-0", "shared-1"} {
			l.workers.Go(func() { l.write(ctx, w, name) })
		}
		l.workers.Go(func() { l.read(ctx, w, from) })
	}
	return l
}

// every calls f at the pace until the context ends. The pause is what keeps the
// history short, and a bubble's clock going; nothing waits for it.
func every(ctx context.Context, f func(random *rand.Rand)) {
	random := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for tick := time.NewTicker(pace); ; {
		select {
		case <-tick.C:
			f(random)
		case <-ctx.Done():
			tick.Stop()
			return
		}
	}
}

// write changes a key again and again, each time from the version that it knows.
// After anything but a success it reads, as users of a driver do.
func (l *load) write(ctx context.Context, way int, name string) {
	var at driver.Version
	sure := true // that at is the key's version
	every(ctx, func(random *rand.Rand) {
		if !sure {
			var kv driver.KV
			kv, sure = l.get(way, name)
			at = kv.Version
			return
		}
		w := driver.Write{Key: key(name), Expect: at, Value: strconv.AppendInt(nil, l.values.Add(1), 10)}
		v := write
		if at != 0 && random.IntN(8) == 0 {
			v, w.Delete, w.Value = remove, true, nil
		}
		o := l.h.begin(v, name, string(w.Value), at)
		c, cancel := context.WithTimeout(l.ctx, attempt)
		version, err := l.ways[way].Write(c, w)
		cancel()
		l.end(way, o, version, err)
		if sure = o.outcome == done; sure {
			l.acked[way].Add(1)
			if at = version; w.Delete {
				at = 0
			}
		}
	})
}

func (l *load) end(way int, o *op, v driver.Version, err error) {
	if l.h.end(o, v, err); o.outcome == unknown {
		l.failed[way].Add(1)
		l.last[way].Store(failure{err})
	}
}

// get reads a key; known is whether there was an answer.
func (l *load) get(way int, name string) (kv driver.KV, known bool) {
	o := l.h.begin(get, name, "", 0)
	c, cancel := context.WithTimeout(l.ctx, attempt)
	defer cancel()
	kv, err := l.ways[way].Get(c, key(name))
	o.value = string(kv.Value)
	l.end(way, o, kv.Version, err)
	return kv, o.outcome != unknown
}

// list reads the whole space.
func (l *load) list(way int) {
	o := l.h.begin(list, "", "", 0)
	c, cancel := context.WithTimeout(l.ctx, attempt)
	defer cancel()
	all, v, err := listed(c, l.ways[way], entries)
	o.all = all
	l.end(way, o, v, err)
}

// glance reads the versions of several keys.
func (l *load) glance(c context.Context, b driver.Batcher, way int, names []string) {
	ops := make([]*op, len(names))
	for i, name := range names {
		ops[i] = l.h.begin(glance, name, "", 0)
	}
	seen, err := b.Versions(c, entries, names)
	for i, o := range ops {
		var v driver.Version
		told := err
		if err == nil {
			if v, told = seen[i].Version, seen[i].Err; v == 0 && told == nil {
				told = driver.ErrNotFound
			}
		}
		l.end(way, o, v, told)
	}
}

// since reads what changed after a version, and returns where it has come to.
func (l *load) since(c context.Context, b driver.Batcher, way int, from driver.Version) driver.Version {
	o := l.h.begin(since, "", "", from)
	evs, v, err := b.Since(c, entries, from)
	o.changes = evs
	if l.end(way, o, v, err); o.outcome != done {
		return from
	}
	return v
}

// read reads keys, the whole space and its head, or what takes the place of the head,
// in turn.
func (l *load) read(ctx context.Context, way int, from driver.Version) {
	names := []string{"own-0", "own-1", "shared-0", "shared-1"}
	header, _ := l.ways[way].(driver.Header)
	batcher, _ := l.ways[way].(driver.Batcher)
	i := 0
	every(ctx, func(random *rand.Rand) {
		c, cancel := context.WithTimeout(l.ctx, attempt)
		defer cancel()
		switch i++; {
		case i%10 == 0:
			l.list(way)
			l.crowd.look(c, l.ways[way])
		case i%3 == 0 && header != nil:
			o := l.h.begin(ahead, "", "", 0)
			v, err := header.Head(c, entries)
			l.end(way, o, v, err)
		case i%3 == 0 && batcher != nil:
			l.glance(c, batcher, way, names)
		case i%7 == 0 && batcher != nil:
			from = l.since(c, batcher, way, from)
		default:
			l.get(way, names[random.IntN(len(names))])
		}
	})
}

// progress waits until both ways have had more writes acknowledged, and both hold
// a session.
func (l *load) progress(when string) {
	l.Helper()
	want := [2]int64{l.acked[0].Load() + 10, l.acked[1].Load() + 10}
	l.until(recovery, "writes and sessions go on "+when, func() bool {
		for w := range l.ways {
			if l.acked[w].Load() < want[w] || !l.holders[w].valid() {
				return false
			}
		}
		return true
	})
}

// until waits for a condition.
func (l *load) until(d time.Duration, what string, cond func() bool) {
	l.Helper()
	began := time.Now()
	for tick := time.NewTicker(pace); !cond(); <-tick.C {
		if l.Failed() {
			l.FailNow()
		}
		if time.Since(began) > d {
			l.Fatalf("%s: not within %v (acknowledged: %d and %d; sessions: %t and %t; failed: %d and %d, of late %v and %v)", what, d,
				l.acked[0].Load(), l.acked[1].Load(), l.holders[0].valid(), l.holders[1].valid(),
				l.failed[0].Load(), l.failed[1].Load(), l.last[0].Load(), l.last[1].Load())
		}
	}
}

// finish ends the work and judges it.
func (l *load) finish() {
	l.Helper()
	l.stop()
	l.workers.Wait()
	o := l.h.begin(write, "end", "end", 0)
	end := l.put(l.Peer, key("end"), "end", 0)
	l.h.end(o, end, nil)
	for w := range l.ways {
		l.get(w, "end")
		l.list(w)
	}
	first, second := l.tapes[0].reach(end), l.tapes[1].reach(end)
	took, err := verify(l.h.ops, first)
	if err != nil {
		l.Error(err)
	}
	if !slices.EqualFunc(first, second, same) {
		l.Errorf("the watches of the two ways differ: one reported %d changes, the other %d", len(first), len(second))
	}
	l.crowd.finish()
	l.Logf("%d writes acknowledged, %d refused, %d of unknown outcome, of which %d took effect; %d sessions, %d lost",
		l.h.count(done), l.h.count(conflict), l.h.count(unknown), took, l.crowd.opened.Load(), l.crowd.lost.Load())
}

// Package collector has Go's garbage collector run less often in a process in which it
// would run many times a second.
//
// By default a collection begins when as much has been allocated as lived after the one
// before. A proxy has little that lives, some megabytes, and under load allocates a hundred
// and more each second, so that it would be collected twenty times a second. A collection
// takes some milliseconds, in which requests take longer: with two a second it is one request
// in a hundred that does. Here the room
// doubles, up to a bound, once some collections have followed closely upon one another, and
// halves when they are far from one another: memory is taken by who is busy, for as long as
// that lasts, and not by who starts.
package collector

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	soon = time.Second      // a collection so close to the one before should have had more room
	busy = 10               // so many in a row are no start, and no answer that was large
	late = 30 * time.Second // after such a time half of it would have done
	most = 32 << 20         // bytes that may be allocated between two, or as much as lives if that is more; four times that brought no more
	fair = 100              // Go's own percentage: as much as lives
)

// pace is what is known between two collections.
type pace struct {
	last time.Time
	row  int    // so many collections were soon after the one before
	room uint64 // bytes; 0: as much as lives
}

// after takes notice of a collection that left so many bytes alive, and returns by how
// many percent of them the heap may grow until the next.
func (p *pace) after(now time.Time, live uint64) int {
	since := now.Sub(p.last)
	p.last = now
	live = max(live, 1<<20)
	if p.row++; since >= soon {
		p.row = 0
	}
	switch {
	case p.row >= busy:
		p.room = min(2*max(p.room, live), most)
	case since > late:
		p.room /= 2
	}
	return max(int(p.room*100/live), fair)
}

// Pace does so until ctx ends. Where GOGC is set in the environment it does nothing: then
// somebody has decided. GOMEMLIMIT holds as ever.
func Pace(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	defer debug.SetGCPercent(fair)
	p, percent := pace{}, fair
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	ended := make(chan struct{}, 1)
	tell(ctx, ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ended:
		}
		metrics.Read(live)
		if next := p.after(time.Now(), live[0].Value.Uint64()); next != percent {
			percent = next
			debug.SetGCPercent(percent) // stops the world for some microseconds; collections are rare by now
		}
	}
}

// cycle is an object that nothing refers to, so that each collection finds it.
type cycle struct{ _ *cycle }

// tell sends on ended after each collection, until ctx ends.
func tell(ctx context.Context, ended chan<- struct{}) {
	runtime.SetFinalizer(&cycle{}, func(*cycle) {
		if ctx.Err() != nil {
			return
		}
		select {
		case ended <- struct{}{}:
		default: // the one before has not been looked at
		}
		tell(ctx, ended)
	})
}

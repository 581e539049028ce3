package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Kind of a fault.
type Kind string

// The kinds.
const (
	Cut     Kind = "cut"     // nothing passes between A and B
	Slow    Kind = "slow"    // everything between A and B takes up to By longer, each way
	Lossy   Kind = "lossy"   // a call between A and B fails with probability P: before, after, or long before it takes effect
	Down    Kind = "down"    // the store does not answer
	Deaf    Kind = "deaf"    // process A's watches of the store stand still, and nothing else does
	Pause   Kind = "pause"   // process A is stopped, and goes on
	Kill    Kind = "kill"    // process A is killed, and another is started when For is over
	Stop    Kind = "stop"    // process A is told to end, as by SIGTERM, and another is started once it has and For is over
	Restart Kind = "restart" // cluster A loses what is under way, and is back when For is over
	Abort   Kind = "abort"   // somebody asks to abort whatever move there is
	Meddle  Kind = "meddle"  // somebody makes transition A himself, past the controllers
)

// clockRate is counted for every process that is started: each has a clock of
// its own rate, and of its own beginning.
const clockRate = "clock of another rate"

// lossy names what a lossy link does to a call.
var lossy = []string{"refused", "lost", "answer lost", "answer lost", "late", "twice"}

// watching is where the store's watches come from, for a fault of only them.
const watching = "watching"

// Where a process can be paused within a call, besides at any time.
const (
	atLookup = "before it looks the cluster up" // it has admitted the write, and checked nothing since
	atDial   = "before it connects"
	atSend   = "before it sends"   // after it has decided to
	atAnswer = "before it answers" // before it sees the answer
)

// FaultNames are the names under which Result.Counts has the faults. A fault on
// the way between two counts when something has met it.
func FaultNames() []string {
	names := []string{clockRate}
	for _, k := range []Kind{Cut, Slow, Down, Deaf, Pause, Kill, Stop, Restart, Abort, Meddle} {
		names = append(names, string(k))
	}
	for _, at := range []string{atLookup, atDial, atSend, atAnswer} {
		names = append(names, string(Pause)+" "+at)
	}
	for _, l := range lossy {
		if n := string(Lossy) + ": " + l; !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// Fault is one thing that goes wrong.
type Fault struct {
	Kind Kind
	// When is what At counts from: a change of the tenant's entry ("draining",
	// "cutover", "active"), a request that creates an index, just before it is sent
	// ("creating"), or the world's beginning if it is empty.
	When string
	Nth  int // of those; from 1
	At   time.Duration
	For  time.Duration
	A, B string
	// Point: from At on, the pause waits for process A to come to this point of a
	// call to B, of the kind Of unless that is empty.
	Point, Of string
	// Until: the pause ends with such a change of the entry, if that comes before
	// For is over.
	Until string
	P     float64
	By    time.Duration
}

func (f Fault) String() string {
	s := fmt.Sprintf("%8.3fs %s %s", f.At.Seconds(), f.Kind, f.A)
	if f.When != "" {
		s = fmt.Sprintf("%s %d+%s", f.When, f.Nth, strings.TrimSpace(s))
	}
	if f.B != "" {
		s += "~" + f.B
	}
	if f.Point != "" {
		s += strings.TrimRight(" "+f.Point+" "+f.Of, " ")
	}
	if f.For > 0 {
		s += fmt.Sprintf(" for %.3fs", f.For.Seconds())
	}
	if f.Until != "" {
		s += " or until " + f.Until
	}
	if f.P > 0 {
		s += fmt.Sprintf(" p=%.2f", f.P)
	}
	if f.By > 0 {
		s += fmt.Sprintf(" by %v", f.By.Round(time.Millisecond))
	}
	return s
}

// fault is one of a world.
type fault struct {
	Fault
	began atomic.Int64 // ns since the world began; 0: not yet
	armed atomic.Bool  // a pause that waits for its Point
}

// plan draws the faults of a seed. A third of all seeds have one fault or none:
// what goes wrong there has a short story.
func (w *World) plan(r *rand.Rand) []Fault {
	n := r.IntN(3)
	if !chance(r, 0.33) {
		n = 2 + r.IntN(8)
	}
	var procs []string
	for i := range w.o.Proxies {
		procs = append(procs, fmt.Sprintf("proxy-%d", i+1))
	}
	for i := range w.o.Controllers {
		procs = append(procs, fmt.Sprintf("controller-%d", i+1))
	}
	var out []Fault
	for range n {
		f := Fault{At: between(r, 0, w.o.Load), For: logBetween(r, 50*time.Millisecond, 30*time.Second), A: procs[r.IntN(len(procs))]}
		if chance(r, 0.4) {
			// In time with the protocol: most of a run nothing is at stake.
			f.When, f.Nth = []string{"creating", "draining", "cutover", "cutover", "active"}[r.IntN(5)], 1+r.IntN(2)
			f.At = logBetween(r, time.Millisecond, 2*time.Second)
		}
		to := []string{storeName, storeName, "a", "b", procs[r.IntN(w.o.Proxies)]}
		switch r.IntN(12) {
		case 0:
			f.Kind, f.B = Cut, to[r.IntN(len(to))]
		case 1:
			f.Kind, f.B, f.By = Slow, to[r.IntN(len(to))], logBetween(r, 5*time.Millisecond, 5*time.Second)
		case 2, 3, 4:
			f.Kind, f.B, f.P = Lossy, to[r.IntN(len(to))], 0.05+0.5*r.Float64()
			switch x := r.Float64(); {
			case x < 0.3: // what a proxy writes is lost, or late
				f.A, f.B = procs[r.IntN(w.o.Proxies)], []string{"a", "b"}[r.IntN(2)]
			case x < 0.5: // what is asked of a journal
				f.A, f.B = procs[w.o.Proxies+r.IntN(w.o.Controllers)], procs[r.IntN(w.o.Proxies)]
			case x < 0.65: // what a mover does
				f.A, f.B = procs[w.o.Proxies+r.IntN(w.o.Controllers)], []string{"a", "b"}[r.IntN(2)]
			case x < 0.8 && w.o.Timed:
				f.A, f.B = "outsider", []string{"a", "b"}[r.IntN(2)]
			}
		case 5:
			f.Kind, f.A, f.For = Down, storeName, logBetween(r, 50*time.Millisecond, 15*time.Second)
		case 6, 7:
			f.Kind = Pause
			if chance(r, 0.4) {
				f.For = between(r, 10*time.Second, 100*time.Second) // its session is gone when it goes on
			}
			if chance(r, 0.3) {
				f.Until, f.For = []string{"cutover", "active"}[r.IntN(2)], between(r, 20*time.Second, 100*time.Second)
			}
			if chance(r, 0.6) {
				f.Point, f.B = []string{atLookup, atDial, atSend, atAnswer}[r.IntN(4)], to[r.IntN(4)]
				if f.B == storeName && chance(r, 0.7) {
					f.Of = []string{"write", "write", "open", "update", "renew", "list", "get", "head"}[r.IntN(8)]
				}
				if f.Point == atLookup {
					f.B, f.Of, f.For = "a", "", between(r, 40*time.Second, 100*time.Second)
					if chance(r, 0.3) {
						f.B = "b"
					}
				}
			}
		case 8:
			f.Kind, f.For = Kill, logBetween(r, 50*time.Millisecond, 10*time.Second)
		case 9:
			f.Kind, f.A, f.For = Restart, []string{"a", "b"}[r.IntN(2)], logBetween(r, 50*time.Millisecond, 5*time.Second)
			switch x := r.Float64(); {
			case x < 0.4:
				f = Fault{Kind: Abort, When: f.When, Nth: f.Nth, At: f.At}
			case x < 0.7:
				f = Fault{Kind: Meddle, When: f.When, Nth: f.Nth, At: f.At, A: []string{"abort", "reopen", "cutover"}[r.IntN(3)]}
			}
		case 10:
			f.Kind, f.A, f.For = Deaf, procs[r.IntN(w.o.Proxies)], between(r, time.Second, 40*time.Second)
			if chance(r, 0.5) {
				f.When, f.Nth, f.At = "cutover", 1, logBetween(r, 10*time.Microsecond, 100*time.Millisecond)
			}
		case 11:
			f.Kind, f.For = Stop, logBetween(r, 50*time.Millisecond, 10*time.Second)
		}
		if w.o.Ghosts && chance(r, 0.5) {
			f = Fault{Kind: Pause, When: "draining", Nth: 1 + r.IntN(2), At: logBetween(r, time.Millisecond, 2*time.Second), For: 100 * time.Second,
				A: procs[r.IntN(w.o.Proxies)], B: []string{"a", "a", "b"}[r.IntN(3)], Point: atSend, Until: []string{"cutover", "active"}[r.IntN(2)]}
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Fault) int { return int(a.At - b.At) })
	return out
}

// active returns the faults that are on now between two.
func (w *World) active(from, to string) []Fault {
	now := int64(w.elapsed())
	var out []Fault
	for _, f := range w.faults {
		began := f.began.Load()
		if began == 0 || now < began || now >= began+int64(f.For) || w.healed.Load() {
			continue
		}
		switch f.Kind {
		case Cut, Slow, Lossy:
			if f.A == from && f.B == to || f.A == to && f.B == from {
				out = append(out, f.Fault)
			}
		case Deaf:
			if f.A == from && to == watching {
				out = append(out, f.Fault)
			}
		case Down, Restart:
			if f.A == from || f.A == to {
				on := f.Fault
				on.Kind = Down
				out = append(out, on)
			}
		}
	}
	return out
}

// inject begins the faults whose time is known.
func (w *World) inject() {
	for _, f := range w.faults {
		if f.When != "" {
			continue
		}
		if d := f.At - w.elapsed(); d > 0 {
			time.Sleep(d)
		}
		w.strike(f)
	}
}

// changed begins the faults that come with the nth change of the entry to a phase,
// or with the nth creation of an index.
func (w *World) changed(phase string, nth int) {
	w.mu.Lock()
	for _, p := range w.all {
		if until, _ := p.until.Load().(string); until == phase {
			p.until.Store("")
			p.resumes.Store(int64(w.elapsed() + logBetween(w.random.next("resume "+p.name), 10*time.Microsecond, 50*time.Millisecond)))
		}
	}
	w.mu.Unlock()
	for _, f := range w.faults {
		switch {
		case f.When != phase || f.Nth != nth:
		case f.At == 0:
			w.strike(f)
		default:
			w.wires.Go(func() {
				time.Sleep(f.At)
				w.strike(f)
			})
		}
	}
}

// strike is when a fault begins; one that is an act is performed.
func (w *World) strike(f *fault) {
	if w.healed.Load() {
		return
	}
	w.note("fault", "%v", f.Fault)
	f.began.Store(max(int64(w.elapsed()), 1))
	switch f.Kind {
	case Pause:
		if f.Point != "" {
			f.armed.Store(true)
			return
		}
		if p := w.process(f.A); p != nil {
			p.pause(f.For, f.Until)
		}
	case Kill:
		if p := w.process(f.A); p != nil && p.kill() {
			w.count(string(Kill))
			w.wires.Go(func() {
				time.Sleep(f.For)
				w.start(f.A)
			})
		}
	case Stop:
		if p := w.process(f.A); p != nil && p.alive() && !p.told.Swap(true) {
			w.count(string(Stop))
			w.wires.Go(func() {
				after := time.NewTimer(f.For)
				defer after.Stop()
				if p.stop() {
					<-after.C
					w.start(f.A)
				}
			})
		}
	case Restart:
		w.count(string(Restart))
		w.clusters[f.A].restart()
	case Abort:
		w.count(string(Abort))
		w.abort()
	case Meddle:
		w.count(string(Meddle))
		w.meddle(f.A)
	}
}

// ambush pauses a process at a point of a call to another, if a fault waits for
// it there.
func (w *World) ambush(p *Process, to, kind, point string) {
	for _, f := range w.faults {
		if f.Kind == Pause && f.Point == point && f.A == p.name && f.B == to && (f.Of == "" || f.Of == kind) && f.armed.Load() && !w.healed.Load() &&
			chance(w.random.next("ambush "+p.name), 0.3) && f.armed.Swap(false) {
			w.note("fault", "%v, now", f.Fault)
			w.count(string(Pause) + " " + point)
			p.pause(f.For, f.Until)
		}
	}
}

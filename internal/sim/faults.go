package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
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
	Pause   Kind = "pause"   // process A is stopped, and goes on
	Kill    Kind = "kill"    // process A is killed, and another is started when For is over
	Restart Kind = "restart" // cluster A loses what is under way, and is back when For is over
	Abort   Kind = "abort"   // somebody asks to abort whatever move there is
)

// lossy names what a lossy link does to a call.
var lossy = []string{"refused", "lost", "answer lost", "answer lost", "late", "twice"}

// FaultNames are the names under which Result.Counts has the faults.
func FaultNames() []string {
	names := []string{string(Cut), string(Slow), string(Down), string(Pause), string(Kill), string(Restart), string(Abort)}
	for _, l := range lossy {
		names = append(names, string(Lossy)+": "+l)
	}
	return names
}

// Fault is one thing that goes wrong.
type Fault struct {
	Kind Kind
	At   time.Duration // since the world began
	For  time.Duration
	A, B string
	P    float64
	By   time.Duration
}

func (f Fault) String() string {
	s := fmt.Sprintf("%8.3fs %s %s", f.At.Seconds(), f.Kind, f.A)
	if f.B != "" {
		s += "~" + f.B
	}
	if f.For > 0 {
		s += fmt.Sprintf(" for %.3fs", f.For.Seconds())
	}
	if f.P > 0 {
		s += fmt.Sprintf(" p=%.2f", f.P)
	}
	if f.By > 0 {
		s += fmt.Sprintf(" by %v", f.By.Round(time.Millisecond))
	}
	return s
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
		to := []string{storeName, storeName, "a", "b", procs[r.IntN(w.o.Proxies)]}
		switch r.IntN(10) {
		case 0:
			f.Kind, f.B = Cut, to[r.IntN(len(to))]
		case 1:
			f.Kind, f.B, f.By = Slow, to[r.IntN(len(to))], logBetween(r, 5*time.Millisecond, 2*time.Second)
		case 2, 3, 4:
			f.Kind, f.B, f.P = Lossy, to[r.IntN(len(to))], 0.05+0.5*r.Float64()
		case 5:
			f.Kind, f.A, f.For = Down, storeName, logBetween(r, 50*time.Millisecond, 15*time.Second)
		case 6, 7:
			f.Kind = Pause
			if chance(r, 0.4) {
				f.For = between(r, 10*time.Second, 100*time.Second) // its session is gone when it goes on
			}
		case 8:
			f.Kind, f.For = Kill, logBetween(r, 50*time.Millisecond, 10*time.Second)
		case 9:
			f.Kind, f.A, f.For = Restart, []string{"a", "b"}[r.IntN(2)], logBetween(r, 50*time.Millisecond, 5*time.Second)
			if chance(r, 0.5) {
				f = Fault{Kind: Abort, At: f.At}
			}
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Fault) int { return int(a.At - b.At) })
	return out
}

// active returns the faults that are on now between two.
func (w *World) active(from, to string) []Fault {
	now := w.elapsed()
	var out []Fault
	for _, f := range w.faults {
		if now < f.At || now >= f.At+f.For || w.healed.Load() {
			continue
		}
		switch f.Kind {
		case Cut, Slow, Lossy:
			if f.A == from && f.B == to || f.A == to && f.B == from {
				out = append(out, f)
			}
		case Down:
			if f.A == from || f.A == to {
				out = append(out, f)
			}
		case Restart:
			if f.A == from || f.A == to {
				f.Kind = Down
				out = append(out, f)
			}
		}
	}
	return out
}

// inject performs the faults that are acts.
func (w *World) inject() {
	for _, f := range w.faults {
		if d := f.At - w.elapsed(); d > 0 {
			time.Sleep(d)
		}
		w.note("fault", "%v", f)
		w.count(string(f.Kind))
		switch f.Kind {
		case Pause:
			if p := w.process(f.A); p != nil {
				p.resumes.Store(int64(w.elapsed() + f.For))
			}
		case Kill:
			if p := w.process(f.A); p != nil && p.alive() {
				p.kill()
				w.wires.Go(func() {
					time.Sleep(f.For)
					w.start(f.A)
				})
			}
		case Restart:
			w.clusters[f.A].restart()
		case Abort:
			w.abort()
		}
	}
}

package sim

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How a message fails.
var (
	errRefused = errors.New("connection refused")           // nothing was sent
	errBroken  = errors.New("connection broken")            // it may have arrived, or arrive
	errTooLate = errors.New("nobody listens any more")      // the sender was paused for so long
	errDead    = errors.New("this process has been killed") // nobody is there to see it
)

// fate is what one call meets.
type fate struct {
	out, back  time.Duration // there, and back again
	refuse     bool          // no connection is had
	loseOut    bool          // it never arrives
	loseBack   bool          // its answer never arrives
	brokenAt   time.Duration // > 0: the sender is told that the connection broke, whatever becomes of the call
	duplicated time.Duration // > 0: it arrives once more, so much later
}

// draw decides what the next call from one to another meets, by the faults that
// are on now.
func (w *World) draw(from *Process, to, kind string) fate {
	r := w.random.next("call " + from.name + " " + to + " " + kind)
	f := fate{out: logBetween(r, 50*time.Microsecond, 2*time.Millisecond), back: logBetween(r, 50*time.Microsecond, 2*time.Millisecond)}
	if chance(r, 0.01) {
		f.out += logBetween(r, 5*time.Millisecond, 200*time.Millisecond)
	}
	if chance(r, 0.01) {
		f.back += logBetween(r, 5*time.Millisecond, 200*time.Millisecond)
	}
	x, how := r.Float64(), r.IntN(len(lossy))
	late := logBetween(r, 100*time.Millisecond, w.o.LateMax)
	told := logBetween(r, time.Millisecond, 3*time.Second)
	for _, on := range w.active(from.name, to) {
		switch on.Kind {
		case Slow:
			w.count(string(Slow))
			f.out += time.Duration(r.Float64() * float64(on.By))
			f.back += time.Duration(r.Float64() * float64(on.By))
		case Lossy:
			if x >= on.P {
				continue
			}
			w.count(string(Lossy) + ": " + lossy[how])
			switch how {
			case 0:
				f.refuse = true
			case 1:
				f.loseOut, f.brokenAt = true, told
			case 2, 3: // failed, but took effect
				f.loseBack, f.brokenAt = true, told
			case 4: // failed, and takes effect when nobody thinks of it any more
				f.out, f.loseBack, f.brokenAt = f.out+late, true, told
			case 5:
				// HTTP is not repeated on the way, and a write that arrived twice
				// would be two writes.
				if w.clusters[to] == nil {
					f.duplicated = late
				}
			}
		}
	}
	return f
}

// reachable reports whether a message can pass now.
func (w *World) reachable(from, to string) bool {
	for _, on := range w.active(from, to) {
		if on.Kind == Cut || on.Kind == Down {
			w.count(string(on.Kind))
			return false
		}
	}
	return true
}

// call carries one request from a process to a server. do is what the server
// does, once it arrives; it runs whether or not the caller still waits, and its
// result reaches the caller only if the answer does. connected is called when a
// connection is had, before anything is sent. sent is false when certainly
// nothing was.
func call[T any](ctx context.Context, w *World, from *Process, to, kind string, connected func(), do func() T) (answer T, sent bool, err error) {
	var none T
	decided := w.elapsed()
	w.ambush(from, to, kind, atDial)
	if err := from.awake(ctx); err != nil {
		return none, false, err
	}
	f := w.draw(from, to, kind)
	if f.refuse || !w.reachable(from.name, to) && w.random.next("dial "+from.name+" "+to).IntN(2) == 0 {
		if err := from.sleep(ctx, f.out); err != nil {
			return none, false, err
		}
		return none, false, fmt.Errorf("%s: %w", to, errRefused)
	}
	connected()
	// Paused since: the caller has decided to send, and sends later. If it does so
	// much later, nobody listens any more: that is the one thing that no check of
	// the sender can help.
	w.ambush(from, to, kind, atSend)
	if err := from.awake(ctx); err != nil {
		return none, true, err
	}
	left := w.o.LateMax - (w.elapsed() - decided)
	if left < 0 {
		return none, true, fmt.Errorf("%s: %w: %w", to, errBroken, errTooLate)
	}
	f.out = min(f.out, left)
	got := make(chan T, 1)
	broken := make(chan struct{}, 1)
	w.wires.Go(func() {
		time.Sleep(f.out)
		if f.loseOut || !w.reachable(from.name, to) {
			return // for ever without an answer
		}
		v := do()
		if f.duplicated > 0 {
			w.wires.Go(func() { time.Sleep(f.duplicated); do() })
		}
		time.Sleep(f.back)
		if !f.loseBack && w.reachable(to, from.name) {
			got <- v
		}
	})
	if f.brokenAt > 0 {
		w.wires.Go(func() { time.Sleep(f.brokenAt); broken <- struct{}{} })
	}
	// Nobody waits for ever: keep-alives find a peer that is silent.
	silent := time.NewTimer(15 * time.Second)
	if w.clusters[to] != nil {
		silent.Reset(time.Minute)
	}
	defer silent.Stop()
	select {
	case answer = <-got:
	case <-broken:
		err = fmt.Errorf("%s: %w", to, errBroken)
	case <-silent.C:
		err = fmt.Errorf("%s: %w", to, errBroken)
	case <-ctx.Done():
		err = fmt.Errorf("%s: %w", to, ctx.Err())
	case <-from.dead:
		err = errDead
	}
	// Whatever happened, a paused process sees it when it goes on.
	w.ambush(from, to, kind, atAnswer)
	if aerr := from.awake(ctx); aerr != nil {
		return none, true, aerr
	}
	if err != nil {
		return none, true, err
	}
	return answer, true, nil
}

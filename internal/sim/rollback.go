package sim

import (
	"time"

	"github.com/sluiceproxy/sluice/control"
)

// turnBack is the operator of a world of rollbacks: every move that has left an old
// copy is likely to be rolled back, and so is every rollback. Some of them are
// aborted, and some old copies are to be retired at whatever moment it is.
func (w *World) turnBack() {
	r := w.random.next("operator")
	w.wait(between(r, 200*time.Millisecond, w.o.Load/6))
	for range 6 {
		w.await(w.o.Load-w.elapsed(), func() bool { return w.idle() })
		if w.elapsed() > w.o.Load*4/5 {
			return
		}
		e, err := w.truth.State(w.life, tenant)
		w.must(err)
		to := "b"
		if e.State.From.Cluster == "b" {
			to = "a"
		}
		if e.PreviousMove != "" && chance(r, 0.8) {
			m, err := control.RequestRollback(w.life, w.truth, e.PreviousMove, w.bounds())
			w.note("operator", "rollback of %s: %s %v", e.PreviousMove, m.ID, err)
		} else {
			if e.PreviousMove != "" { // or nothing would lead to that copy any more
				w.retire(e.PreviousMove)
			}
			m, err := control.RequestMove(w.life, w.truth, control.Request{Partition: tenant, Cluster: to, Options: w.bounds()})
			w.note("operator", "move to %s: %s %v", to, m.ID, err)
		}
		if chance(r, 0.25) {
			w.wait(logBetween(r, 10*time.Millisecond, 5*time.Second))
			w.abort()
		}
		w.wait(between(r, 0, 3*time.Second)) // the clients write to what may be gone back from
		if e.PreviousMove != "" && chance(r, 0.2) {
			_, err := control.RequestRetire(w.life, w.truth, e.PreviousMove)
			w.note("operator", "retire %s: %v", e.PreviousMove, err)
		}
	}
}

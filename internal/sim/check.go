package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/history"
	"github.com/sluiceproxy/sluice/store"
)

// onWrite is told of every write at the moment at which it takes effect.
func (w *World) onWrite(cluster string, x *index, o operation, from string) {
	e, err := w.truth.State(w.life, tenant)
	if err != nil {
		return // the world has ended
	}
	at := e.State.From
	if o.internal || o.version > 0 {
		if !e.State.Migrating() || e.State.To.Cluster != cluster || e.State.To.Index != x.name {
			w.breach("M3: the mover of %s changed %s at %s/%s, and the tenant is %v", from, o.id, cluster, x.name, e.State)
		}
		return
	}
	// A delete of the mover is not told by the request; it goes to the target.
	if strings.HasPrefix(from, "controller") {
		if !e.State.Migrating() || e.State.To.Cluster != cluster || e.State.To.Index != x.name {
			w.breach("M3: the mover of %s deleted %s at %s/%s, and the tenant is %v", from, o.id, cluster, x.name, e.State)
		}
		return
	}
	if at.Cluster != cluster || at.Index != x.name {
		w.breach("M1: a write of %s took effect on %s at %s/%s, and the tenant is %v", from, o.id, cluster, x.name, e.State)
	}
}

// onCreate is told of every index that is created.
func (w *World) onCreate(cluster, name string) {
	w.mu.Lock()
	again := w.created[cluster+"/"+name]
	w.created[cluster+"/"+name] = true
	w.mu.Unlock()
	if again {
		w.breach("the name %s/%s was used for a second index", cluster, name)
	}
	w.note("cluster", "%s creates %s", cluster, name)
}

// onDelete is told of every index that is deleted.
func (w *World) onDelete(cluster, name string) {
	w.note("cluster", "%s deletes %s", cluster, name)
	e, err := w.truth.State(w.life, tenant)
	if err == nil && e.State.From.Cluster == cluster && e.State.From.Index == name {
		w.breach("the tenant's index %s/%s is deleted while the tenant is %v", cluster, name, e.State)
	}
}

// settle waits, with every fault over, until all moves have ended.
func (w *World) settle() {
	if !w.await(10*time.Minute, w.idle) {
		for _, m := range w.moves() {
			if !m.Settled() {
				w.breach("M6: move %s is still %s ten minutes after the last fault: %s", m.ID, m.Stage, m.Progress.Note)
			}
		}
	}
	// Everything in flight ends, and is accounted for.
	quiet := func() bool {
		for _, p := range w.proxies() {
			if s := p.gate.Stats(); s.OpenWrites != 0 || s.Held != 0 || s.Unresolved != 0 || !s.Serving {
				return false
			}
		}
		return true
	}
	if !w.await(5*time.Minute, quiet) {
		for _, p := range w.proxies() {
			w.breach("%s does not come to rest: %+v", p.name, p.gate.Stats())
		}
	}
}

// finalReads reads every document through every proxy.
func (w *World) finalReads() {
	time.Sleep(w.o.TTL) // a proxy in leased mode has caught up by then
	for i := range w.o.Proxies {
		name := fmt.Sprintf("proxy-%d", i+1)
		for d := range w.o.Docs {
			n := len(w.history)
			w.read(100+i, name, fmt.Sprintf("d%d", d), time.Minute)
			w.mu.Lock()
			o := w.history[n]
			o.Stale = false
			failed := o.Outcome != history.OK
			w.mu.Unlock()
			if failed {
				w.breach("after all faults a read fails: %v", o)
			}
		}
	}
}

// residue looks at what is left in the clusters and in the store.
func (w *World) residue() {
	e, err := w.truth.State(w.life, tenant)
	w.must(err)
	if e.State.Migrating() {
		return // settle has said so
	}
	keep := map[string]bool{e.State.From.Cluster + "/" + e.State.From.Index: true}
	for _, m := range w.moves() {
		if m.Stage == control.StageFlipped {
			keep[m.From.Cluster+"/"+m.From.Index] = true // until it is retired
		}
	}
	for _, c := range w.clusters {
		c.mu.Lock()
		for name, x := range c.indices {
			if !keep[c.name+"/"+name] {
				w.breach("M3: %s/%s is left, and nothing owns it", c.name, name)
			}
			for a := range x.aliases {
				w.breach("%s/%s still has the alias %s", c.name, name, a)
			}
			here := c.name == e.State.From.Cluster && name == e.State.From.Index
			if here && x.blocked() {
				w.breach("the tenant's index %s/%s is blocked", c.name, name)
			}
			if !here && keep[c.name+"/"+name] && !x.blocked() {
				w.breach("the old copy %s/%s is not fenced", c.name, name)
			}
		}
		c.mu.Unlock()
	}
	w.rosterEmpty()
}

// rosterEmpty checks that every process that has gone is accounted for.
func (w *World) rosterEmpty() {
	ok := w.await(3*time.Minute, func() bool {
		live := map[string]bool{}
		sessions, _, err := w.truth.Sessions().List(w.life)
		w.must(err)
		for _, s := range sessions {
			live[s.Name] = true
		}
		roster, _, err := w.truth.Roster().List(w.life)
		w.must(err)
		return !slices.ContainsFunc(roster, func(r store.Record[store.RosterRecord]) bool { return !live[r.Name] })
	})
	if !ok {
		w.breach("a process that has gone is still on the roster")
	}
}

// result checks the history.
func (w *World) result() Result {
	res := Result{Seed: w.random.seed, Faults: w.faults, Counts: w.counts, Virtual: w.elapsed(), History: w.history,
		Longest: w.longest}
	var judged []history.Op
	for _, o := range w.history {
		res.Ops++
		switch o.Outcome {
		case history.Unknown:
			res.Unknown++
		case history.Failed:
			res.Failed++
		}
		if !o.Stale {
			judged = append(judged, o.Op)
		}
	}
	for _, m := range w.lastMoves {
		switch m.Stage {
		case control.StageFlipped, control.StageDone:
			res.Flips++
		case control.StageAborted, control.StageFailed:
			res.Aborts++
		}
	}
	if len(w.faults) == 0 && res.Failed > 0 {
		w.breaches = append(w.breaches, fmt.Sprintf("nothing went wrong, and %d requests failed", res.Failed))
	}
	if err := history.Check(judged, 0); err != nil {
		w.breaches = append(w.breaches, fmt.Sprintf("M4/M5: %v", err))
	}
	res.Breaches = w.breaches
	return res
}

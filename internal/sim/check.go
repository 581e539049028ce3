package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/history"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// onWrite is told of every write at the moment at which it takes effect.
func (w *World) onWrite(cluster string, x *index, o operation, from string) {
	if w.o.waves {
		return // hundreds of tenants, none of whom writes
	}
	e, err := w.truth.State(w.life, tenant)
	if err != nil {
		return // the world has ended
	}
	at := e.State.From
	if w.haunted(o) {
		return
	}
	// A delete of the mover is not told by the request; who sends it is.
	if o.internal || o.version > 0 || strings.HasPrefix(from, "controller") {
		if !w.movesTo(e, cluster, x.name) {
			w.breach("M3: the mover of %s changed %s at %s/%s, and the tenant is %v", from, o.id, cluster, x.name, e.State)
		}
		return
	}
	if at.Cluster != cluster || at.Index != x.name {
		w.breach("M1: a write of %s took effect on %s at %s/%s, and the tenant is %v", from, o.id, cluster, x.name, e.State)
	}
}

// onFields is told of fields that an index has mapped because a document has them: the
// target of a move would choose their type, and has to leave that to the source.
func (w *World) onFields(cluster string, x *index, o operation, from string, fresh []string) {
	if len(fresh) > 0 && (o.internal || o.version > 0) {
		w.breach("a document of the mover of %s, %s, has %s/%s map %v, which the source has not mapped", from, o.id, cluster, x.name, fresh)
	}
}

// onAside is told of every write that meets a fence, or no index: one of a proxy
// was sent to a copy that the tenant had left.
func (w *World) onAside(cluster, index string, o operation, from string) {
	if strings.HasPrefix(index, ".") || strings.HasPrefix(from, "controller") {
		return // a task's stored result; a mover that was overtaken
	}
	if w.haunted(o) {
		return
	}
	w.breach("M2: a write of %s to %s reached %s/%s, which the tenant has left", from, o.id, cluster, index)
}

// movesTo reports whether a mover may write to an index: the tenant moves there,
// or did, is back, and the move has not ended, so that the index is still to go.
func (w *World) movesTo(e placement.Entry, cluster, index string) bool {
	if e.State.Migrating() {
		return e.State.To.Cluster == cluster && e.State.To.Index == index
	}
	if e.State.From.Cluster == cluster && e.State.From.Index == index {
		return false
	}
	return slices.ContainsFunc(w.moves(), func(m control.Move) bool {
		return !m.Settled() && m.To.Cluster == cluster && m.To.Index == index
	})
}

// haunt notes a write that is sent too late.
func (w *World) haunt(body []byte) {
	var d struct{ V string }
	if json.Unmarshal(body, &d) == nil {
		w.mu.Lock()
		w.ghosts[d.V] = true
		w.mu.Unlock()
		w.note("network", "%s is sent too late", d.V)
	}
}

func (w *World) haunted(o operation) bool {
	var d struct{ V string }
	w.mu.Lock()
	defer w.mu.Unlock()
	return json.Unmarshal(o.source, &d) == nil && w.ghosts[d.V]
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
			if !resting(m) {
				w.breach("M6: move %s is still %s ten minutes after the last fault: %s", m.ID, m.Stage, m.Progress.Note)
			}
		}
	}
	// Whoever was stopped goes on, everything in flight ends, and is accounted for.
	quiet := func() bool {
		for _, p := range w.proxies() {
			if s := p.gate.Stats(); p.paused() || s.OpenWrites != 0 || s.Held != 0 || s.Unresolved != 0 || !s.Serving {
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
			if here && !w.hasFields(x) {
				w.breach("M5: %s/%s has not all fields that were acknowledged: %s", c.name, name, x.mappings)
			}
			if !here && keep[c.name+"/"+name] && !x.blocked() {
				w.breach("the old copy %s/%s is not fenced", c.name, name)
			}
		}
		c.mu.Unlock()
	}
	if p := e.Previous; !p.IsZero() && w.clusters[p.Cluster].indices[p.Index] == nil {
		w.breach("M2: the entry leads back to %s/%s, which was deleted", p.Cluster, p.Index)
	}
	w.noDrift()
	w.rosterEmpty()
	w.reportsClear()
}

// noDrift: nobody writes around the proxies, so no move may think so.
func (w *World) noDrift() {
	if w.o.Ghosts {
		return
	}
	for _, m := range w.moves() {
		if strings.Contains(m.Error, "around the proxies") || m.Receipt != nil && m.Receipt.Fence == "written" {
			w.breach("M5: move %s has found writes that no proxy made: %s", m.ID, m.Error)
		}
	}
}

// reportsClear checks that no living session has anything open or unaccounted for.
func (w *World) reportsClear() {
	var last string
	ok := w.await(time.Minute, func() bool {
		sessions, _, err := w.truth.Sessions().List(w.life)
		w.must(err)
		last = ""
		for _, s := range sessions {
			r := s.Value
			if len(r.Pending)+len(r.Unresolved)+len(r.OldReads)+len(r.Journals)+len(r.Tasks) > 0 {
				last = fmt.Sprintf("%s: %+v", r.Name, r.Report)
			}
		}
		return last == ""
	})
	if !ok {
		w.breach("a session has something left: %s", last)
	}
}

// hasFields reports whether an index has every field that was acknowledged.
func (w *World) hasFields(x *index) bool {
	for _, f := range w.fields {
		if !strings.Contains(string(x.mappings), fmt.Sprintf("%q", f)) {
			return false
		}
	}
	return true
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
	res := Result{Seed: w.random.seed, Faults: w.planned(), Counts: w.counts, Virtual: w.elapsed(), History: w.history,
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
		// A ghost may be seen and not be there any more: nobody was told that it is.
		ghost := w.ghosts[o.Value] && (o.Verb == history.Get || o.Outcome != history.OK)
		if !o.Stale && o.Outcome != void && !ghost {
			judged = append(judged, o.Op)
		}
	}
	for _, m := range w.lastMoves {
		switch m.Stage {
		case control.StageFlipped, control.StageDone, control.StageRolledBack:
			res.Flips++
			if m.RollbackOf != "" {
				res.Rollbacks++
			}
		case control.StageAborted, control.StageFailed:
			res.Aborts++
		}
	}
	w.cutoversShort()
	if w.controllersOnly() && !w.o.Timed && w.o.HoldRequests == 0 && res.Failed > 0 {
		w.breaches = append(w.breaches, fmt.Sprintf("M6: nothing went wrong with anything but a controller, and %d requests failed", res.Failed))
	}
	if err := history.Check(judged, 0); err != nil {
		w.breaches = append(w.breaches, fmt.Sprintf("M4/M5: %v", err))
	}
	res.Breaches = w.breaches
	return res
}

// spared reports whether there is a controller with which nothing went wrong.
func (w *World) spared() bool {
	for i := range w.o.Controllers {
		name := fmt.Sprintf("controller-%d", i+1)
		if !slices.ContainsFunc(w.faults, func(f *fault) bool { return f.A == name || f.B == name }) {
			return true
		}
	}
	return false
}

// controllersOnly reports whether everything that went wrong went wrong with
// controllers, and at least one was spared.
func (w *World) controllersOnly() bool {
	return w.spared() && !slices.ContainsFunc(w.faults, func(f *fault) bool { return !strings.HasPrefix(f.A, "controller") })
}

// cutoversShort checks that a cutover is left by its deadline, whatever becomes of its
// driver, where a controller was spared and nothing was wrong with the store and the clusters.
func (w *World) cutoversShort() {
	if !w.spared() {
		return
	}
	for _, f := range w.faults {
		proxyOnly := strings.HasPrefix(f.A, "proxy") && (f.Kind == Kill || f.Kind == Stop || f.Kind == Deaf || f.Kind == Pause)
		if !proxyOnly && !strings.HasPrefix(f.A, "controller") && f.Kind != Abort {
			return
		}
	}
	if w.o.Timed {
		return
	}
	for n, c := range w.epochs {
		if c.phase == placement.Cutover && n+1 < len(w.epochs) && w.epochs[n+1].at-c.at > control.DefaultCutoverDeadline+2*time.Second {
			w.breach("M6: a cutover lasted %v", w.epochs[n+1].at-c.at)
		}
	}
}

// planned are the faults of this run.
func (w *World) planned() []Fault {
	var out []Fault
	for _, f := range w.faults {
		out = append(out, f.Fault)
	}
	return out
}

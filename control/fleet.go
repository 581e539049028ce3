package control

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// fleet is one look at the proxies: the roster, and the sessions as they were
// after the roster was read.
type fleet struct {
	roster      map[string]store.Record[store.RosterRecord]
	all         map[string]store.Record[store.SessionRecord]
	sessions    map[string]store.SessionRecord // proxies only
	controllers map[string]bool                // controllers' sessions
	versions    map[string]driver.Version      // of the sessions' records
}

// readFleet reads the roster first. A proxy that closes cleanly ends its session
// and then strikes itself off: read in this order it can look vanished for a
// moment, which a second look corrects. In the other order one that opens
// between the two reads and dies would be in neither. Of last, an earlier look, it takes
// what is still the same: of a large fleet that acknowledges, most is.
func readFleet(ctx context.Context, s *store.Store, last fleet) (f fleet, err error) {
	if f.roster, err = s.Roster().ListByName(ctx, last.roster); err != nil {
		return f, fmt.Errorf("read the fleet: %w", err)
	}
	if f.all, err = s.Sessions().ListByName(ctx, last.all); err != nil {
		return f, fmt.Errorf("read the fleet: %w", err)
	}
	f.sessions, f.controllers, f.versions = make(map[string]store.SessionRecord, len(f.all)), map[string]bool{}, make(map[string]driver.Version, len(f.all))
	for _, r := range f.all {
		switch r.Value.Kind {
		case store.KindController:
			f.controllers[r.Name] = true
		default:
			// Anything that is not certainly a controller may admit writes.
			f.sessions[r.Name], f.versions[r.Name] = r.Value, r.Version
		}
	}
	return f, nil
}

// alive reports whether the session, of either kind, exists.
func (f fleet) alive(session string) bool {
	_, ok := f.sessions[session]
	return ok || f.controllers[session]
}

// missing are the proxies on the roster that hold no session and that accounted
// does not answer for.
func (f fleet) missing(accounted func(string) bool) []store.Info {
	var out []store.Info
	for id, r := range f.roster {
		if r.Value.Kind == store.KindController || f.alive(id) || accounted != nil && accounted(id) {
			continue
		}
		info := r.Value.Info
		info.ID = id
		out = append(out, info)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

func (f fleet) unresolved(id placement.PartitionID) error {
	e := &UnresolvedError{}
	for _, r := range f.sessions {
		if tasks := len(r.Tasks[id]); tasks > 0 || slices.Contains(r.Unresolved, id) {
			e.Proxies = append(e.Proxies, r.Name)
			e.Tasks += tasks
		}
	}
	if len(e.Proxies) == 0 {
		return nil
	}
	sort.Strings(e.Proxies)
	return e
}

func vanishedError(missing []store.Info) error {
	if len(missing) == 0 {
		return nil
	}
	e := &VanishedError{}
	for _, m := range missing {
		e.Sessions, e.Names = append(e.Sessions, m.ID), append(e.Names, m.Name)
	}
	return e
}

// absences remembers, on this process's own clock, since when it has seen which
// roster record without a session. It is shared by all moves of a controller and
// starts empty in every process: nobody's wall clock is compared with another's.
type absences struct {
	now func() time.Duration

	mu    sync.Mutex
	since map[string]time.Duration
}

func newAbsences(now func() time.Duration) *absences {
	return &absences{now: now, since: map[string]time.Duration{}}
}

// note takes a look into account. The absence counts from after the look, so it
// is never counted too long; a session that was there resets it. Looks of several
// moves may arrive out of order: an old look can only reset a count, which makes
// a wait longer, or start one for a session that was truly missing then.
func (a *absences) note(f fleet) {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.since {
		if _, listed := f.roster[id]; !listed || f.alive(id) {
			delete(a.since, id)
		}
	}
	for id := range f.roster {
		if _, known := a.since[id]; !known && !f.alive(id) {
			a.since[id] = now
		}
	}
}

// absent is for how long the session has been seen missing; 0 if it has not.
func (a *absences) absent(session string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, ok := a.since[session]
	if !ok {
		return 0
	}
	return max(a.now()-at, 1)
}

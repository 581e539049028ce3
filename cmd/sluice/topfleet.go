package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluiceproxy/sluice/control"
)

// topFleet is one look at a fleet.
type topFleet struct {
	At       time.Time
	Store    string // for people
	Tenants  int
	Clusters []topCluster
	Moves    []control.Move // newest first: those under way, and some that have ended
	Waves    []topWave      // newest first
	Fleet    []topInstance
	Short    []string // what could not be read, in a few words
}

// topCluster is a cluster and what it does.
type topCluster struct {
	Name     string
	Tenants  int
	Requests float64 // a second, of all proxies; below 0: not known yet
	Failed   float64 // of them
	Latency  time.Duration
}

// topWave is a wave and how far it is.
type topWave struct {
	control.Wave
	Counts map[control.ItemState]int
	ETA    time.Duration
}

// topInstance is a process of the fleet.
type topInstance struct {
	ID, Name, Kind, State     string
	Pending, Unresolved, Held int
	Requests                  float64 // a second; below 0: not known yet
	Error                     string  // why it did not tell what it serves
}

// topEvent is something that has happened.
type topEvent struct {
	At   time.Time
	Text string
	Bad  bool
}

// topChanges are what has changed between two looks, but for the moves: their timelines
// tell that, also of what was before the first look.
func topChanges(old, now topFleet) (out []topEvent) {
	say := func(bad bool, format string, a ...any) {
		out = append(out, topEvent{now.At, fmt.Sprintf(format, a...), bad})
	}
	before := map[string]topInstance{}
	for _, i := range old.Fleet {
		before[i.ID] = i
	}
	for _, i := range now.Fleet {
		was, there := before[i.ID]
		delete(before, i.ID)
		switch {
		case !there:
			say(i.State == "vanished", "%s %s is %s", i.Kind, i.Name, i.State)
		case was.State != i.State:
			say(i.State == "vanished", "%s %s: %s, then %s", i.Kind, i.Name, was.State, i.State)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		say(false, "%s %s has gone", before[id].Kind, before[id].Name)
	}
	waves := map[string]topWave{}
	for _, w := range old.Waves {
		waves[w.ID] = w
	}
	for _, w := range now.Waves {
		if was, there := waves[w.ID]; !there || was.State != w.State || was.Reason != w.Reason {
			text := fmt.Sprintf("wave %s: %s", w.ID, w.State)
			if w.Reason != "" {
				text += ", " + w.Reason
			}
			say(w.State == control.WaveStopped, "%s", text)
		}
	}
	if old.Tenants != now.Tenants {
		say(false, "%d tenants, before %d", now.Tenants, old.Tenants)
	}
	return out
}

// events are the newest first: what was seen to change, and what the timelines of moves
// tell.
func (m topModel) events() []topEvent {
	out := slices.Clone(m.seen)
	for _, v := range m.fleet.Moves {
		for i, t := range v.Timeline {
			e := topEvent{At: t.Started, Text: fmt.Sprintf("%s: %s (move %s)", printable(string(v.Partition)), t.Stage, v.ID)}
			if i == len(v.Timeline)-1 && v.Error != "" {
				e.Text, e.Bad = e.Text+": "+printable(v.Error), true
			}
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b topEvent) int { return cmp.Compare(b.At.UnixNano(), a.At.UnixNano()) })
	return out[:min(len(out), topKept)]
}

package main

import "time"

// instance is one that acknowledges.
type instance struct {
	heard   int // cutovers that it has heard of
	written int // and that its writes, answered or not, cover
	acked   int // and that answered ones do
}

// change is a committed cutover that is on its way to the instances.
type change struct {
	number int
	next   int           // instance that hears of it next
	at     time.Duration // when that is
}

// simulate lets k cutovers be entered at the same moment in a fleet of n, and returns
// when all instances have acknowledged all of them, and how many writes that took.
//
// Time goes from one group of the store to the next. A group takes all writes that wait,
// and lasts the commit and a share for each. While it lasts instances hear of what was
// committed before, and those without a write under way send one.
func simulate(m measured, n, k int) (took time.Duration, writes int) {
	fleet := make([]instance, n)
	var waiting, group []int // instances with a write that waits, or is in the group
	var changes []change
	transitions := k // that wait for a group; all are in the first
	committed, done, now := 0, 0, time.Duration(0)
	for done < n {
		// What waits is the next group; if nothing does, time goes on to the next that hears.
		if transitions == 0 && len(waiting) == 0 {
			now = earliest(changes)
			waiting = hear(fleet, changes, now, m.perHear, waiting)
			continue
		}
		group, waiting = waiting, group[:0]
		for _, i := range group {
			fleet[i].written = fleet[i].heard
		}
		end := now + m.commit + time.Duration(len(group)+transitions)*m.perTxn
		writes += len(group) + transitions
		before := committed
		committed, transitions = committed+transitions, 0
		waiting = hear(fleet, changes, end, m.perHear, waiting)
		now = end
		for _, i := range group {
			x := &fleet[i]
			x.acked = x.written
			switch {
			case x.acked == k:
				done++
			case x.heard > x.acked:
				waiting = append(waiting, i) // the next acknowledges all that came meanwhile
			}
		}
		for c := before; c < committed; c++ { // watches hear of what one group has committed together
			changes = append(changes, change{number: c + 1, at: now + m.perHear})
		}
	}
	return now, writes
}

// earliest is when an instance hears of something next.
func earliest(changes []change) time.Duration {
	at := time.Duration(-1)
	for _, c := range changes {
		if at < 0 || c.at < at {
			at = c.at
		}
	}
	return at
}

// hear tells the instances what they hear of until then, and returns who waits to write.
func hear(fleet []instance, changes []change, until, per time.Duration, waiting []int) []int {
	for c := range changes {
		x := &changes[c]
		for ; x.next < len(fleet) && x.at <= until; x.next, x.at = x.next+1, x.at+per {
			i := &fleet[x.next]
			idle := i.heard == i.acked // nothing of it waits, or is under way
			i.heard++
			if idle {
				waiting = append(waiting, x.next)
			}
		}
		if x.next == len(fleet) {
			x.at = 1 << 62
		}
	}
	return waiting
}

package drivertest

import (
	"fmt"
	"slices"

	"github.com/sluiceproxy/sluice/store/driver"
)

// verify judges a history by what a watch reported, from the empty space to its
// end. The watch's order is the order of the changes; that it is the right one is
// what is checked. So nothing has to be searched for: each answer is right or
// wrong by itself.
//
// It returns what is wrong first, or nil: no acknowledged write is missing, none
// is there that nobody made or that was refused, none twice; each was made to
// exactly the version that it expected; and no answer is older than what anybody
// had been told before it was asked for. took is how many writes took effect of
// which nobody was told so.
func verify(ops []*op, tape []driver.Event) (took int, err error) {
	j := &judge{tape: tape, chains: map[string][]driver.Event{}, at: map[driver.Version]int{}}
	for i, ev := range tape {
		if i > 0 && ev.Version <= tape[i-1].Version {
			return 0, fmt.Errorf("the watch reported version %d after %d", ev.Version, tape[i-1].Version)
		}
		j.at[ev.Version] = i
		j.chains[ev.Name] = append(j.chains[ev.Name], ev)
	}
	if err := j.match(ops); err != nil {
		return 0, err
	}
	for _, o := range ops {
		if err := j.answer(o); err != nil {
			return 0, fmt.Errorf("%s %q at %d (floor %d): %w", o.verb, o.name, o.expect, o.floor, err)
		}
	}
	for _, o := range j.by {
		if o.outcome == unknown {
			took++
		}
	}
	return took, j.lists(ops)
}

type judge struct {
	tape   []driver.Event
	chains map[string][]driver.Event // the changes of each key
	at     map[driver.Version]int    // where in tape
	by     map[driver.Version]*op    // who made the change
}

// match finds for each change the call that made it.
func (j *judge) match(ops []*op) error {
	type removal struct {
		name   string
		expect driver.Version
	}
	byValue, removals := map[string]*op{}, map[removal]*op{}
	for _, o := range ops {
		switch o.verb {
		case write:
			byValue[o.value] = o
		case remove:
			// Of several only those whose outcome is unknown can be at the same version,
			// or are refused; the one that began first has the lowest floor.
			r := removal{o.name, o.expect}
			if before := removals[r]; o.outcome != conflict && (before == nil || o.outcome == done || before.outcome == unknown && o.began < before.began) {
				removals[r] = o
			}
		}
	}
	j.by = map[driver.Version]*op{}
	used := map[*op]bool{}
	newest := map[string]driver.Version{} // of each key, 0 while it does not exist
	for _, ev := range j.tape {
		o := byValue[string(ev.Value)]
		if ev.Deleted {
			o = removals[removal{ev.Name, newest[ev.Name]}]
		}
		switch {
		case o == nil || o.name != ev.Name:
			return fmt.Errorf("nobody made the change of %q at %d (%q, deleted %t)", ev.Name, ev.Version, ev.Value, ev.Deleted)
		case used[o]:
			return fmt.Errorf("the %s of %q in %q took effect twice, again at %d", o.verb, o.value, ev.Name, ev.Version)
		case o.outcome == conflict:
			return fmt.Errorf("the write of %q in %q was answered with a conflict and took effect at %d", o.value, ev.Name, ev.Version)
		case o.expect != newest[ev.Name]:
			return fmt.Errorf("the write of %q in %q expected version %d and took effect at %d over %d", o.value, ev.Name, o.expect, ev.Version, newest[ev.Name])
		case o.outcome == done && o.version != ev.Version:
			return fmt.Errorf("the %s of %q in %q was acknowledged at %d and is at %d", o.verb, o.value, ev.Name, o.version, ev.Version)
		case ev.Version <= o.floor:
			return fmt.Errorf("the %s of %q in %q took effect at %d; when it was asked for, %d was acknowledged already", o.verb, o.value, ev.Name, ev.Version, o.floor)
		}
		used[o], j.by[ev.Version] = true, o
		newest[ev.Name] = ev.Version
		if ev.Deleted {
			newest[ev.Name] = 0
		}
	}
	return nil
}

// answer judges what one call was told.
func (j *judge) answer(o *op) error {
	switch {
	case (o.verb == write || o.verb == remove) && o.outcome == done:
		if j.by[o.version] != o {
			return fmt.Errorf("it was acknowledged at %d and is lost", o.version)
		}
	case (o.verb == write || o.verb == remove) && o.outcome == conflict:
		return j.conflict(o)
	case (o.verb == get || o.verb == glance) && o.outcome == done:
		i, ok := j.at[o.version]
		if !ok || j.tape[i].Name != o.name || j.tape[i].Deleted || o.verb == get && string(j.tape[i].Value) != o.value {
			return fmt.Errorf("it read %q at %d, which was never there", o.value, o.version)
		}
		if o.version < o.floor {
			return fmt.Errorf("it read version %d, which had been replaced", o.version)
		}
	case (o.verb == get || o.verb == glance) && o.outcome == absent:
		return j.absent(o)
	case o.verb == ahead && o.outcome == done:
		if o.version < o.floor {
			return fmt.Errorf("it read %d", o.version)
		}
		if n := newest(j.tape); o.version > n {
			return fmt.Errorf("it read %d, and the newest change is at %d", o.version, n)
		}
	case o.verb == since && o.outcome == done:
		return j.since(o)
	}
	return nil
}

// since is right when it tells exactly of the changes after one version and up to
// another, and that is not from before the floor.
func (j *judge) since(o *op) error {
	if o.version < o.floor {
		return fmt.Errorf("it came to %d", o.version)
	}
	var want []driver.Event
	for _, ev := range j.tape {
		if ev.Version > o.expect && ev.Version <= o.version {
			want = append(want, ev)
		}
	}
	if !slices.EqualFunc(o.changes, want, same) {
		return fmt.Errorf("it came to %d with %d changes; there were %d, or others", o.version, len(o.changes), len(want))
	}
	return nil
}

// same reports whether two changes are one.
func same(a, b driver.Event) bool {
	return a.Name == b.Name && a.Version == b.Version && a.Deleted == b.Deleted && string(a.Value) == string(b.Value)
}

// conflict is right unless the key was at the expected version, or absent as it
// expected, for as long as the call took: from before it began, and until a
// change that was asked for only after it had ended, if there is one.
func (j *judge) conflict(o *op) error {
	var at driver.Version // 0 while the key does not exist
	var since int64       // when the change that made it so had certainly taken effect
	for _, ev := range j.chains[o.name] {
		by := j.by[ev.Version]
		if at == o.expect && since < o.began && by.began > o.ended {
			break
		}
		at, since = ev.Version, by.ended
		if ev.Deleted {
			at = 0
		}
	}
	if at == o.expect && since < o.began {
		return fmt.Errorf("it was answered with a conflict, though it was right")
	}
	return nil
}

// absent is right when the key did not exist at some moment since the floor.
func (j *judge) absent(o *op) error {
	missing, chain := true, j.chains[o.name]
	for i, ev := range chain {
		if missing && ev.Version > o.floor {
			return nil
		}
		if missing = ev.Deleted; missing && i+1 == len(chain) {
			return nil
		}
	}
	if len(chain) == 0 {
		return nil
	}
	return fmt.Errorf("it was told that there is no such key")
}

// lists compares each list with what the watch says there was at its version.
func (j *judge) lists(ops []*op) error {
	var lists []*op
	for _, o := range ops {
		if o.verb == list && o.outcome == done {
			lists = append(lists, o)
		}
	}
	slices.SortFunc(lists, func(a, b *op) int { return int(int64(a.version) - int64(b.version)) })
	there, next := map[string]driver.Event{}, 0
	for _, o := range lists {
		for ; next < len(j.tape) && j.tape[next].Version <= o.version; next++ {
			if there[j.tape[next].Name] = j.tape[next]; j.tape[next].Deleted {
				delete(there, j.tape[next].Name)
			}
		}
		if o.version < o.floor {
			return fmt.Errorf("a list is at %d; when it was asked for, %d was acknowledged already", o.version, o.floor)
		}
		if len(o.all) != len(there) {
			return fmt.Errorf("a list at %d has %d records; there were %d", o.version, len(o.all), len(there))
		}
		for name, ev := range there {
			if kv := o.all[name]; kv.Version != ev.Version || string(kv.Value) != string(ev.Value) {
				return fmt.Errorf("a list at %d has %q at %d for %q; there was %q at %d", o.version, kv.Value, kv.Version, name, ev.Value, ev.Version)
			}
		}
	}
	return nil
}

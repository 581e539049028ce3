package placement

import (
	"math"
	"unique"
)

// Packed is an [Entry] in little memory, for tables of millions: 48 bytes and its names,
// where an Entry has 384. It never changes; the zero Packed is the zero Entry.
//
// What many entries have in common is kept once in the process: the cluster, the kind,
// and all of a placement that is shared. The names of a dedicated index are its
// partition's own, so they are kept in one text with the partition's. What an entry
// that is Active seldom has is kept apart.
type Packed struct {
	names       string // the partition, and From's index and logical name, if they are the partition's own
	epoch       Epoch
	from        unique.Handle[Placement] // without what is in names
	rest        *rest                    // nil if all of it is zero
	incarnation uint32
	phase       Phase
	index       uint8 // how much of names is From's index, behind the partition
	logical     uint8 // and, at its end, its logical name
}

// rest is what an Active entry seldom has.
type rest struct {
	to           Placement
	attempt      Attempt
	cutoverAt    Start
	previous     Placement
	previousMove string
	fenced       string
}

// Pack returns e in its small form, which keeps nothing of e's texts.
func Pack(e Entry) Packed {
	text := make([]byte, 0, MaxPartitionID+2*math.MaxUint8) // on the stack, but for an id that is none
	return PackWith(e, string(AppendNames(text, e)))
}

// PackWith is [Pack] with the text of e's names, as [AppendNames] writes it: for whoever
// has a place for that.
func PackWith(e Entry, names string) Packed {
	p := Packed{names: names, epoch: e.Epoch, incarnation: e.Incarnation, phase: e.State.Phase}
	from := e.State.From
	index, logical := ownNames(e)
	p.index, p.logical = uint8(index), uint8(logical)
	from.Index, from.Logical = from.Index[index:], from.Logical[logical:]
	p.from = unique.Make(from)
	if r := (rest{e.State.To, e.Attempt, e.CutoverAt, e.Previous, e.PreviousMove, e.Fenced}); r != (rest{}) {
		p.rest = &r
	}
	return p
}

// AppendNames appends the names that the small form of e keeps to b: the partition, and
// what of From's is its own.
func AppendNames(b []byte, e Entry) []byte {
	index, logical := ownNames(e)
	b = append(b, e.Partition...)
	b = append(b, e.State.From.Index[:index]...)
	return append(b, e.State.From.Logical[:logical]...)
}

// ownNames is how much of From's index and logical name are the partition's own.
func ownNames(e Entry) (index, logical int) {
	from := e.State.From
	if from.Kind == DedicatedIndex && len(from.Index) <= math.MaxUint8 && len(from.Logical) <= math.MaxUint8 {
		return len(from.Index), len(from.Logical)
	}
	return 0, 0
}

// Entry is what was packed.
func (p *Packed) Entry() Entry {
	e := Entry{Partition: p.Partition(), Epoch: p.epoch, Incarnation: p.incarnation}
	if p.from != (unique.Handle[Placement]{}) {
		e.State.From = p.from.Value()
	}
	e.State.Phase = p.phase
	own := p.names[len(e.Partition):]
	if p.index > 0 {
		e.State.From.Index = own[:p.index]
	}
	if p.logical > 0 {
		e.State.From.Logical = own[p.index:]
	}
	if r := p.rest; r != nil {
		e.State.To, e.Attempt, e.CutoverAt = r.to, r.attempt, r.cutoverAt
		e.Previous, e.PreviousMove, e.Fenced = r.previous, r.previousMove, r.fenced
	}
	return e
}

// Partition is the entry's own.
func (p *Packed) Partition() PartitionID {
	return PartitionID(p.names[:len(p.names)-int(p.index)-int(p.logical)])
}

// Epoch is the entry's own.
func (p *Packed) Epoch() Epoch { return p.epoch }

// Phase is that of the entry's state.
func (p *Packed) Phase() Phase { return p.phase }

// Move is that of the entry's attempt; empty if it is not migrating.
func (p *Packed) Move() string {
	if p.rest == nil {
		return ""
	}
	return p.rest.attempt.Move
}

package gate

import (
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Journals are those of one instance, without the instance.
type Journals struct{ js *journals }

// NewJournals keeps up to limit entries of each partition.
func NewJournals(limit int) Journals { return Journals{newJournals(limit)} }

// Open begins anew for a session.
func (j Journals) Open(session string) { j.js.reset(); j.js.belongTo(session) }

// Add appends what an ended write touched.
func (j Journals) Add(id placement.PartitionID, refs []DocRef, admin, unlisted bool) bool {
	return j.js.add(id, refs, admin, unlisted)
}

// Pull reads a page.
func (j Journals) Pull(session string, id placement.PartitionID, after uint64, limit int) (JournalPage, bool) {
	return j.js.pull(session, id, after, limit)
}

// Confirm forgets.
func (j Journals) Confirm(session string, id placement.PartitionID, upto uint64) bool {
	return j.js.confirm(session, id, upto)
}

// Drop ends a partition's journal.
func (j Journals) Drop(id placement.PartitionID) { j.js.drop(id) }

// Kept is how many entries are in memory, those that were replaced included.
func (j Journals) Kept(id placement.PartitionID) int {
	if x := j.js.of[id]; x != nil {
		return len(x.order)
	}
	return 0
}

// Check is what a controller looks at in a page.
func (p JournalPage) Check(session string, after uint64) error { return p.check(session, after) }

// Replica is the table as one instance has it, without the instance.
type Replica struct{ r *replica }

// NewReplica returns an empty one.
func NewReplica() Replica {
	return Replica{newReplica(func(_, _ *view) bool { return false }, func() {})}
}

// Apply makes e the newest that the replica knows of its partition.
func (r Replica) Apply(e placement.Entry) { r.r.apply([]store.Change{{Entry: e}}, e.Epoch) }

// Remove removes the partition, at an epoch.
func (r Replica) Remove(id placement.PartitionID, at placement.Epoch) {
	r.r.apply([]store.Change{{Entry: placement.Entry{Partition: id, Epoch: at}, Removed: true}}, at)
}

// Entry is the partition's, or the zero one.
func (r Replica) Entry(id placement.PartitionID) placement.Entry {
	if v := r.r.lookup(id); v != nil {
		return v.entry.Entry()
	}
	return placement.Entry{}
}

// Len is the number of partitions.
func (r Replica) Len() int { return int(r.r.size.Load()) }

// Look finds the partition's entry, as a read does, and returns what admits the read there.
func (r Replica) Look(id placement.PartitionID) (admit func() bool) {
	v := r.r.lookup(id)
	return func() bool { return r.r.admitRead(v) }
}

// OldReads are the partitions with reads that are open on an entry which was replaced.
func (r Replica) OldReads() []placement.PartitionID { return r.r.readsOnOld() }

// ErrorsKept runs f with NoteErrors of a gate over an empty table, and returns how many
// kinds are kept of move m while it is kept, and how many moves.
func ErrorsKept(f func(note func(under placement.Entry, kind string))) (kinds, moves int) {
	g := &Gate{rep: newReplica(func(_, _ *view) bool { return false }, func() {}), holds: newHolds(1, 1)}
	f(func(under placement.Entry, kind string) {
		g.NoteErrors(under.Partition, under, kind, 1)
		kinds = max(kinds, len(g.holds.of("m").Errors))
	})
	return kinds, len(g.holds.moves)
}

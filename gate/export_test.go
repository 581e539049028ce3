package gate

import "github.com/sluiceproxy/sluice/placement"

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

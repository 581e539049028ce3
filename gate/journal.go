package gate

import (
	"sort"
	"sync"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Kinds of JournalEntry.
const (
	EntryDoc   = "doc"   // a document was, or may have been, written
	EntryAdmin = "admin" // mappings, settings or aliases changed
)

// JournalEntry is one thing that writes touched since the partition began to
// drain. A later touch of the same thing replaces the earlier entry, at the
// journal's end.
type JournalEntry struct {
	Seq  uint64 `json:"seq"`
	Kind string `json:"kind"`
	Doc  DocRef `json:"doc"`
}

// JournalPage is part of one instance's journal of one partition.
type JournalPage struct {
	Session string         `json:"session"`
	Head    uint64         `json:"head"` // newest sequence, 0 if there is none
	Lost    bool           `json:"lost"` // something up to Head is unknown: reconcile, then confirm Head
	More    bool           `json:"more"`
	Entries []JournalEntry `json:"entries"`
}

type touched struct {
	kind string
	doc  DocRef
}

// journal is one partition's. Entries are in order of seq; those that a later
// touch has replaced stay in the slice until it is compacted, and are skipped.
type journal struct {
	seq       uint64
	confirmed uint64
	lostAt    uint64 // newest sequence at which something went unrecorded
	order     []JournalEntry
	newest    map[touched]uint64
}

// journals are those of one instance under one session.
type journals struct {
	limit   int
	mu      sync.Mutex
	session string // whose they are; empty while none is open
	of      map[placement.PartitionID]*journal
	// ended is where the last journal of a partition ended, under this session. The
	// next one goes on from there: a confirmation that was meant for the earlier
	// move, and comes late, then confirms nothing of the later one.
	ended map[placement.PartitionID]uint64
}

func newJournals(limit int) *journals {
	return &journals{limit: limit, of: map[placement.PartitionID]*journal{}, ended: map[placement.PartitionID]uint64{}}
}

// add appends what an ended write touched, in one step. It reports whether
// something was lost by it, which must be published.
func (js *journals) add(id placement.PartitionID, refs []DocRef, admin, unlisted bool) (lost bool) {
	js.mu.Lock()
	defer js.mu.Unlock()
	j := js.of[id]
	if j == nil {
		j = &journal{seq: js.ended[id], confirmed: js.ended[id], newest: map[touched]uint64{}}
		js.of[id] = j
	}
	if admin {
		j.touch(touched{kind: EntryAdmin})
	}
	for _, r := range refs {
		j.touch(touched{EntryDoc, r})
	}
	if unlisted {
		j.seq++
		j.lostAt = j.seq
		lost = true
	}
	if len(j.newest) > js.limit {
		// Given up: what it held is found by comparing A and B instead.
		j.newest, j.order = map[touched]uint64{}, nil
		j.lostAt = j.seq
		lost = true
	}
	return lost
}

func (j *journal) touch(t touched) {
	j.seq++
	j.newest[t] = j.seq
	j.order = append(j.order, JournalEntry{Seq: j.seq, Kind: t.kind, Doc: t.doc})
	if len(j.order) > 2*len(j.newest)+1024 {
		kept := j.order[:0]
		for _, e := range j.order {
			if j.newest[touched{e.Kind, e.Doc}] == e.Seq {
				kept = append(kept, e)
			}
		}
		j.order = kept
	}
}

func (j *journal) lost() bool { return j.lostAt > j.confirmed }

// pull reads a page of the journal that the session keeps; false if the journals
// are another session's. That is looked at under the same lock as the journal:
// a session that changes in between would lend its sequences to the other's.
func (js *journals) pull(session string, id placement.PartitionID, after uint64, limit int) (JournalPage, bool) {
	js.mu.Lock()
	defer js.mu.Unlock()
	if session == "" || session != js.session {
		return JournalPage{}, false
	}
	p := JournalPage{Session: session}
	j := js.of[id]
	if j == nil {
		return p, true
	}
	p.Head, p.Lost = j.seq, j.lost()
	from := sort.Search(len(j.order), func(i int) bool { return j.order[i].Seq > after })
	for _, e := range j.order[from:] {
		if j.newest[touched{e.Kind, e.Doc}] != e.Seq {
			continue
		}
		if len(p.Entries) == limit {
			p.More = true
			break
		}
		p.Entries = append(p.Entries, e)
	}
	return p, true
}

// confirm forgets what the mover has applied at the target; false if the
// journals are another session's.
func (js *journals) confirm(session string, id placement.PartitionID, upto uint64) bool {
	js.mu.Lock()
	defer js.mu.Unlock()
	if session == "" || session != js.session {
		return false
	}
	j := js.of[id]
	if j == nil || upto <= j.confirmed {
		return true
	}
	j.confirmed = min(upto, j.seq)
	n := sort.Search(len(j.order), func(i int) bool { return j.order[i].Seq > upto })
	for _, e := range j.order[:n] {
		if t := (touched{e.Kind, e.Doc}); j.newest[t] == e.Seq {
			delete(j.newest, t)
		}
	}
	j.order = append([]JournalEntry(nil), j.order[n:]...)
	return true
}

func (js *journals) drop(id placement.PartitionID) {
	js.mu.Lock()
	defer js.mu.Unlock()
	if j := js.of[id]; j != nil {
		js.ended[id] = j.seq
		delete(js.of, id)
	}
}

// reset begins anew: what the last session held is lost to the mover, which
// knows it by the session's id. What is journaled from now on is the next one's.
func (js *journals) reset() {
	js.mu.Lock()
	clear(js.of)
	clear(js.ended)
	js.session = ""
	js.mu.Unlock()
}

// belongTo names the session that was opened after reset.
func (js *journals) belongTo(session string) {
	js.mu.Lock()
	js.session = session
	js.mu.Unlock()
}

func (js *journals) heads() map[placement.PartitionID]store.JournalHead {
	js.mu.Lock()
	defer js.mu.Unlock()
	if len(js.of) == 0 {
		return nil
	}
	out := make(map[placement.PartitionID]store.JournalHead, len(js.of))
	for id, j := range js.of {
		out[id] = store.JournalHead{Head: j.seq, Lost: j.lost()}
	}
	return out
}

// size is how many entries have not been confirmed.
func (js *journals) size() int {
	js.mu.Lock()
	defer js.mu.Unlock()
	n := 0
	for _, j := range js.of {
		n += len(j.newest)
		if j.lost() {
			n++
		}
	}
	return n
}

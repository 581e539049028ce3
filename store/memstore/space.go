package memstore

import (
	"hash/maphash"
	"iter"
	"maps"
	"sort"

	"github.com/sluiceproxy/sluice/store/driver"
)

// batch is the most changes that one call of a watch's apply gets, so that the
// copy under the mutex is short.
const batch = 1024

// record is immutable once it is in records.
type record struct {
	value   []byte
	version driver.Version
	lease   *session // nil unless leased
}

// space is one space's records and the log of its changes.
type space struct {
	records *records
	log     []driver.Event // oldest first, versions growing, one change each
	gone    driver.Version // newest version that is not in log any more
	head    driver.Version // newest version
	more    chan struct{}  // closed at the next change; nil: nobody waits for one
}

func newSpace() *space {
	return &space{records: newRecords()}
}

// append logs a change and wakes the watches.
func (sp *space) append(ev driver.Event, history int) {
	sp.head = ev.Version
	sp.log = append(sp.log, ev)
	if len(sp.log) >= 2*history { // half of it at a time: constant work per change on average
		drop := len(sp.log) - history
		sp.gone = sp.log[drop-1].Version
		kept := copy(sp.log, sp.log[drop:]) // in place: whoever reads the log copies it under the mutex
		clear(sp.log[kept:])
		sp.log = sp.log[:kept]
	}
	if sp.more != nil {
		close(sp.more)
		sp.more = nil
	}
}

// after returns a copy of the first changes after version from, or false when
// some are not in the log any more.
func (sp *space) after(from driver.Version) ([]driver.Event, bool) {
	if from < sp.gone {
		return nil, false
	}
	i := sort.Search(len(sp.log), func(i int) bool { return sp.log[i].Version > from })
	return append([]driver.Event(nil), sp.log[i:min(i+batch, len(sp.log))]...), true
}

// shards is how many maps a space's records are spread over.
const shards = 1024

// records is a map that can be read at one moment without being copied: it is
// spread over many small maps, a snapshot takes only the pointers to them, and
// the first change of a small map after a snapshot is made to a copy of it. So
// the mutex is held for a microsecond for a snapshot, and for the copy of a
// thousandth of the records for a change.
type records struct {
	seed   maphash.Seed
	moment uint64 // number of snapshots taken
	shards *[shards]shard
}

type shard struct {
	m      map[string]record // shared with snapshots if moment is older than the records'
	moment uint64            // when m was made
}

func newRecords() *records {
	return &records{seed: maphash.MakeSeed(), shards: new([shards]shard)}
}

func (r *records) at(name string) *shard {
	return &r.shards[maphash.String(r.seed, name)%shards]
}

func (r *records) get(name string) (record, bool) {
	rec, ok := r.at(name).m[name]
	return rec, ok
}

func (r *records) set(name string, rec record) { r.own(name)[name] = rec }

func (r *records) remove(name string) { delete(r.own(name), name) }

// own returns the small map of name, which no snapshot shares.
func (r *records) own(name string) map[string]record {
	s := r.at(name)
	switch {
	case s.m == nil:
		s.m = map[string]record{}
	case s.moment != r.moment:
		s.m = maps.Clone(s.m)
	}
	s.moment = r.moment
	return s.m
}

// moment is what records held when it was taken.
type moment []map[string]record

// snapshot must be called under the mutex; what it returns needs none.
func (r *records) snapshot() moment {
	r.moment++ // from now on every small map counts as shared
	out := make(moment, 0, shards)
	for i := range r.shards {
		if m := r.shards[i].m; len(m) > 0 {
			out = append(out, m)
		}
	}
	return out
}

func (m moment) all() iter.Seq2[string, record] {
	return func(yield func(string, record) bool) {
		for _, small := range m {
			for name, rec := range small {
				if !yield(name, rec) {
					return
				}
			}
		}
	}
}

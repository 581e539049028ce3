package gate

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"github.com/sluiceproxy/sluice/placement"
)

// views is the replica's map: the current view of each partition. Anybody looks up,
// without a lock; one goroutine at a time changes it, under the replica's mutex. It is
// a table of pointers, at most three eighths full, in which a partition's is at the first
// free place from its hash on: a look-up reads one pointer, seldom two, and what it points
// to, and the table costs 21 to 43 bytes a partition, where a sync.Map costs a hundred.
//
// Why a look-up needs no lock: what it finds was the partition's view at some moment
// while it was looking.
//
//   - A place is written in one atomic step, and a view's entry never changes.
//   - A place that was taken is never free again, but marked as removed, so that no
//     look-up that passes it stops too soon. A partition that comes back is put past the
//     mark: a look-up that finds the free place there read it before.
//   - To grow, and to be rid of marks, the views are copied to a new table, which is
//     published whole; the old one does not change from then on. Who still looks there
//     sees what was true when it was replaced, and had begun before.
type views struct {
	seed  maphash.Seed
	table atomic.Pointer[[]atomic.Pointer[view]] // its length is a power of two

	// The writer's own.
	taken int // places that are not free: views, and marks
	live  int // views
}

// removed marks a place where a view was.
var removed = &view{}

func newViews() *views {
	t := &views{seed: maphash.MakeSeed()}
	t.grow()
	return t
}

// find returns the partition's view in a table, or nil, and its place, or where it would
// be put. There is always a free place.
func (t *views) find(table []atomic.Pointer[view], hash uint64, id placement.PartitionID) (*atomic.Pointer[view], *view) {
	for i := hash; ; i++ {
		at := &table[i&uint64(len(table)-1)]
		if v := at.Load(); v == nil || v != removed && v.of(id) {
			return at, v
		}
	}
}

// hash is where a partition is looked up.
func (t *views) hash(id placement.PartitionID) uint64 { return maphash.String(t.seed, string(id)) }

// expect has the processor fetch what lookup will read first. Whoever has something else
// to do before, such as reading the clock, does not wait for memory then.
func (t *views) expect(hash uint64) {
	table := *t.table.Load()
	prefetch(unsafe.Pointer(&table[hash&uint64(len(table)-1)]))
}

// lookup returns the partition's view, or nil.
func (t *views) lookup(hash uint64, id placement.PartitionID) *view {
	_, v := t.find(*t.table.Load(), hash, id)
	return v
}

// set makes v the partition's view, in place of before, which is nil if it has none; v is
// removed to take it out. The caller is the one writer.
func (t *views) set(id placement.PartitionID, before, v *view) {
	if 8*(t.taken+1) > 3*len(*t.table.Load()) {
		t.grow()
	}
	at, _ := t.find(*t.table.Load(), t.hash(id), id)
	at.Store(v)
	if before == nil {
		t.taken++
		t.live++
	}
	if v == removed {
		t.live--
	}
}

// grow makes a table that is a quarter full or less, without marks.
func (t *views) grow() {
	next := make([]atomic.Pointer[view], 1<<bits.Len(uint(4*t.live+1)))
	for v := range t.all() {
		id := v.entry.Partition()
		at, _ := t.find(next, t.hash(id), id)
		at.Store(v)
	}
	t.taken = t.live
	t.table.Store(&next)
}

// all iterates over the views. The caller is the writer, or does not mind what changes
// meanwhile.
func (t *views) all() iter.Seq[*view] {
	return func(yield func(*view) bool) {
		table := t.table.Load()
		for i := 0; table != nil && i < len(*table); i++ {
			if v := (*table)[i].Load(); v != nil && v != removed && !yield(v) {
				return
			}
		}
	}
}

package gate

import (
	"sync/atomic"
	"unsafe"

	"github.com/sluiceproxy/sluice/placement"
)

// closedBit, in a count of a view, marks that another view has replaced it: it admits
// nothing any more. The bits below it count what it admitted and has not ended.
const closedBit = int32(1) << 30

// view is one epoch of one entry: immutable but for its counts. There is one for each
// partition, so it is made to be small, and to be read at once: in 64 bytes is all that
// a request needs, and the entry's names are behind it.
type view struct {
	entry   placement.Packed
	tickets atomic.Int32      // count and closedBit in one word
	reads   atomic.Int32      // the same of reads
	corrupt *UnavailableError // the entry cannot be decoded; nothing is admitted
}

// withText is a view and its names in one piece of memory: the entry's text is a part of
// it, and whoever has that keeps all of it. The sizes are those in which Go allocates, so
// that nothing is lost between them.
type withText[T any] struct {
	view
	text T
}

// newWith is for a text of up to 16 bytes times one more than its place.
var newWith = [...]func() (*view, []byte){
	inOne[[16]byte], inOne[[32]byte], inOne[[48]byte], inOne[[64]byte], inOne[[80]byte], inOne[[96]byte], inOne[[112]byte], inOne[[128]byte],
}

// inOne makes a view with room for a text, an array of bytes, behind it.
func inOne[T any]() (*view, []byte) {
	w := &withText[T]{}
	return &w.view, unsafe.Slice((*byte)(unsafe.Pointer(&w.text)), unsafe.Sizeof(w.text))
}

// newView returns the view of an entry. Every view but removed is made here, so that it
// has a text behind it; one that is too long is elsewhere.
func newView(e placement.Entry) *view {
	var room [256]byte // on the stack; a longer text is not
	names := placement.AppendNames(room[:0], e)
	size := max(len(names)-1, 0) / 16
	if size >= len(newWith) {
		v, _ := newWith[0]()
		v.entry = placement.PackWith(e, string(names))
		return v
	}
	v, text := newWith[size]()
	n := copy(text, names)
	v.entry = placement.PackWith(e, unsafe.String(&text[0], n)) // nobody writes to it any more
	return v
}

// of reports whether v is the partition's. The name is nearly always behind the view, and
// then it is read from there instead of from where the entry says, which is the same
// place: so a processor that has neither at hand fetches both at once, and does not wait
// for the first to learn where the second is.
//
// Every view of a table was made by newView, so what behind points to is in v's own piece
// of memory, which v keeps; it is read only where the entry's text begins there.
func (v *view) of(id placement.PartitionID) bool {
	own := v.entry.Partition()
	if len(own) != len(id) {
		return false
	}
	behind := (*byte)(unsafe.Add(unsafe.Pointer(v), unsafe.Sizeof(*v)))
	if unsafe.StringData(string(own)) == behind {
		return unsafe.String(behind, len(id)) == string(id)
	}
	return own == id
}

// migrating reports whether the entry is, and so whether what is written is journaled.
func (v *view) migrating() bool { return v.entry.Phase() != placement.Active }

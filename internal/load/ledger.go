package load

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/history"
)

// State is what one id holds, as far as a client can see.
type State struct {
	Exists  bool  `json:"exists"`
	Version int64 `json:"version"` // _version; 0 where any is right
	Marker  int64 `json:"marker"`  // the write that made it
	Counter int64 `json:"counter"`
}

// record is the history of one id, shortened to what a reader must or may see.
type record struct {
	acked         State         // the newest acknowledged state
	possible      *State        // what a write of unknown outcome may have made of it
	started       int64         // marker of the newest write that was sent
	deleteStarted int64         // marker of the newest deletion that was sent
	call          time.Duration // when the newest write was begun
}

// view is a copy of a record, taken before a read is sent or after it was answered.
type view struct {
	record
	known bool
	at    time.Duration
}

// Ledger is the log of acknowledged writes. It may be used by several goroutines; that of one id has one writer at a time.
type Ledger struct {
	mu       sync.Mutex
	ids      map[string]*record
	orphans  map[int64]bool // markers of unknown writes whose id nobody was told
	counters map[string]*counter
	marker   int64
	acks     int64
	unknown  int64
	out      *json.Encoder // nil when no file was asked for
	outErr   error

	born    time.Time
	observe func(history.Op) // nil when nobody wants to know
}

// counter is a document that all workers increase.
type counter struct{ acked, unknown int64 }

// NewLedger returns an empty ledger. Every write and its outcome goes to out as one line of JSON, unless it is nil.
func NewLedger(out io.Writer) *Ledger {
	l := &Ledger{ids: map[string]*record{}, orphans: map[int64]bool{}, counters: map[string]*counter{}, born: time.Now()}
	if out != nil {
		l.out = json.NewEncoder(out)
	}
	return l
}

// line is one write in the ledger's file.
type line struct {
	Time    time.Time `json:"time"`
	Op      string    `json:"op"`
	ID      string    `json:"id"`
	Outcome string    `json:"outcome"`
	State
}

// begin notes that a write is about to be sent and returns its marker.
func (l *Ledger) begin(id string, deletes bool) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marker++
	if id == "" {
		return l.marker
	}
	r := l.ids[id]
	if r == nil {
		r = &record{}
		l.ids[id] = r
	}
	r.started, r.call = l.marker, time.Since(l.born)
	if deletes {
		r.deleteStarted = l.marker
	}
	return l.marker
}

// ack notes that a write was acknowledged.
func (l *Ledger) ack(op, id string, s State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.ids[id]
	if r == nil {
		r = &record{started: s.Marker}
		l.ids[id] = r
	}
	r.acked, r.possible = s, nil
	l.acks++
	l.tell(verb(s), id, s, r.call, history.OK)
	l.write(op, id, "acknowledged", s)
}

// doubt notes that a write may have been applied or not.
func (l *Ledger) doubt(op, id string, s State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unknown++
	l.write(op, id, "unknown", s)
	if id == "" {
		l.orphans[s.Marker] = true
		return
	}
	l.ids[id].possible = &s
	l.tell(verb(s), id, s, l.ids[id].call, history.Unknown)
}

// read notes what a read has returned that was sent at a moment.
func (l *Ledger) read(id string, s State, sent time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counters[id] == nil {
		l.tell(history.Get, id, s, sent, history.OK)
	}
}

func verb(s State) string {
	if s.Exists {
		return history.Put
	}
	return history.Delete
}

// tell shows an operation that has ended to whoever observes. The caller holds mu.
func (l *Ledger) tell(verb, id string, s State, call time.Duration, outcome history.Outcome) {
	if l.observe == nil {
		return
	}
	o := history.Op{Verb: verb, Doc: id, Call: call, Return: time.Since(l.born), Outcome: outcome}
	if s.Exists {
		o.Value, o.Version = strconv.FormatInt(s.Marker, 10), s.Version
	}
	l.observe(o)
}

// settle notes that the outcome of a doubtful write was seen to be s.
func (l *Ledger) settle(id string, s State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.ids[id]; r.possible != nil && r.possible.Marker == s.Marker {
		r.acked, r.possible = s, nil
		l.write("read", id, "settled", s)
	}
}

// view returns what is known of an id now.
func (l *Ledger) view(id string) view {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.ids[id]; r != nil {
		return view{*r, true, time.Since(l.born)}
	}
	return view{at: time.Since(l.born)}
}

// count notes the outcome of an increment of a shared counter.
func (l *Ledger) count(id string, acknowledged bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counters[id]
	if acknowledged {
		c.acked++
		l.acks++
		l.write("count", id, "acknowledged", State{Exists: true, Counter: c.acked})
		return
	}
	c.unknown++
	l.unknown++
	l.write("count", id, "unknown", State{Exists: true})
}

// addCounter makes a document known as a shared counter that stands at zero.
func (l *Ledger) addCounter(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counters[id] = &counter{}
	l.acks++
	l.write("create", id, "acknowledged", State{Exists: true, Version: 1})
}

// counterIDs returns the shared counters, sorted.
func (l *Ledger) counterIDs() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.counters))
}

// write appends to the file. The caller holds mu.
func (l *Ledger) write(op, id, outcome string, s State) {
	if l.out == nil || l.outErr != nil {
		return
	}
	l.outErr = l.out.Encode(line{time.Now().UTC(), op, id, outcome, s})
}

// Err returns the first error of writing the file.
func (l *Ledger) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outErr
}

// Acknowledged returns how many writes were acknowledged, each item of a bulk counted.
func (l *Ledger) Acknowledged() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acks
}

// Unknown returns how many writes had an outcome that the client could not know.
func (l *Ledger) Unknown() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unknown
}

// IDs returns the ids that were ever written, sorted, counters not among them.
func (l *Ledger) IDs() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.ids))
}

// fits reports whether a read that was sent when before held and answered when after held may have seen got. The markers of
// an id only grow, so a state is too old exactly when its marker is smaller than an acknowledged one.
func fits(before, after view, got State) bool {
	if !got.Exists {
		return !before.acked.Exists || after.deleteStarted > before.acked.Marker
	}
	if got.Marker < before.acked.Marker {
		return false
	}
	if got.Marker == before.acked.Marker {
		// The same write; a deletion leaves nothing that could be read.
		return before.acked.Exists && (got.Version == 0 || before.acked.Version == 0 || got.Version == before.acked.Version)
	}
	return got.Marker <= after.started
}

// counter returns the count of a shared counter; false when id is none.
func (l *Ledger) counter(id string) (counter, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.counters[id]; c != nil {
		return *c, true
	}
	return counter{}, false
}

// orphan reports whether a write of unknown outcome and unknown id had this marker.
func (l *Ledger) orphan(marker int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.orphans[marker]
}

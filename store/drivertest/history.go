package drivertest

import (
	"errors"
	"sync"

	"github.com/sluiceproxy/sluice/store/driver"
)

// verb is what a call asked for.
type verb string

const (
	write  verb = "write"
	remove verb = "delete"
	get    verb = "get"
	list   verb = "list"
	ahead  verb = "head"
	glance verb = "version" // of a key, without its value
	since  verb = "since"
)

// outcome is what a call was answered with.
type outcome string

const (
	done     outcome = "done"
	conflict outcome = "conflict"
	absent   outcome = "absent"
	unknown  outcome = "unknown" // an error that is no answer
)

// op is one call and what came of it.
type op struct {
	verb    verb
	name    string // of the key, in the space entries
	value   string // written, or read; every written value is another
	expect  driver.Version
	outcome outcome
	version driver.Version       // that was answered
	all     map[string]driver.KV // that was listed
	changes []driver.Event       // since the version expect
	floor   driver.Version       // see history.begin
	began   int64                // moments on the history's own clock: of two calls, one
	ended   int64                // ended before the other began iff its number is smaller
}

// history is what everybody who uses a server asked and was told, for verify to
// judge. It is safe for concurrent use: the mutex orders the moments, and a call
// lies between its two.
type history struct {
	mu     sync.Mutex
	moment int64
	ops    []*op
	known  map[string]driver.Version // newest version of a key that anybody was told
	acked  driver.Version            // newest version of a write that was acknowledged
	counts map[outcome]int           // of writes and deletions
}

func newHistory() *history {
	return &history{known: map[string]driver.Version{}, counts: map[outcome]int{}}
}

// begin notes that a call is about to be made. Its floor is what had been told by
// then: an answer must not be older.
func (h *history) begin(v verb, name, value string, expect driver.Version) *op {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.moment++
	o := &op{verb: v, name: name, value: value, expect: expect, began: h.moment, floor: h.acked}
	if v == get || v == glance {
		o.floor = h.known[name]
	}
	return o
}

// end notes the answer.
func (h *history) end(o *op, version driver.Version, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.moment++
	o.ended, o.version = h.moment, version
	switch {
	case err == nil:
		o.outcome = done
	case errors.Is(err, driver.ErrConflict):
		o.outcome = conflict
	case errors.Is(err, driver.ErrNotFound):
		o.outcome = absent
	default:
		o.outcome = unknown
	}
	h.ops = append(h.ops, o)
	switch o.verb {
	case write, remove:
		h.counts[o.outcome]++
		if o.outcome == done {
			h.acked = max(h.acked, version)
			h.known[o.name] = max(h.known[o.name], version)
		}
	case get, glance:
		if o.outcome == done {
			h.known[o.name] = max(h.known[o.name], version)
		}
	}
}

// count returns how many writes came to an outcome.
func (h *history) count(o outcome) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts[o]
}

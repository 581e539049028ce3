package gate

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// ReadTicket is one admitted read.
type ReadTicket struct {
	g *Gate
	v *view
}

// Read resolves a read of partition id: it goes to Entry().State.From. Errors:
// placement.ErrUnknownPartition, *UnavailableError, or the context's.
//
// Read, Write and WriteNow do little but make the ticket, so that they are inlined: a
// ticket that does not outlive its caller is on the caller's stack.
func (g *Gate) Read(ctx context.Context, id placement.PartitionID) (*ReadTicket, error) {
	return g.admitRead(ctx, id, new(ReadTicket))
}

func (g *Gate) admitRead(ctx context.Context, id placement.PartitionID, t *ReadTicket) (*ReadTicket, error) {
	hash := g.rep.views.hash(id)
	g.rep.views.expect(hash)
	if _, err := g.settle(ctx, id); err != nil {
		return nil, err
	}
	for {
		v := g.rep.views.lookup(hash, id)
		if v == nil {
			return nil, unknownPartition(id)
		}
		if v.corrupt != nil {
			return nil, v.corrupt
		}
		if g.rep.admitRead(v) {
			t.g, t.v = g, v
			return t, nil
		}
	}
}

// Entry is the entry that the read was resolved at.
func (t *ReadTicket) Entry() placement.Entry { return t.v.entry.Entry() }

// Done ends the read. Call it exactly once, when the answer has been read.
func (t *ReadTicket) Done() { t.g.rep.releaseRead(t.v) }

// Ticket is one admitted write, from admission to its outcome. Exactly one of
// Done, Unknown and Cancel ends it. It is used by one goroutine at a time.
type Ticket struct {
	g    *Gate
	v    *view
	sess *store.Session
	held time.Duration
	task uint64 // its number in flight's tasks; 0: it has had none
	refs []DocRef
	// unlisted: documents were touched whose ids cannot be listed.
	unlisted, admin bool
	sent, ended     bool
}

// Write admits a write of partition id, which then goes to Entry().State.From.
// While the partition is in Cutover the write is held, within the Options'
// bounds, and then resolved again. size is what the caller keeps in memory for
// the request meanwhile, in bytes. Errors: placement.ErrUnknownPartition,
// *UnavailableError, or the context's; nothing was admitted then.
func (g *Gate) Write(ctx context.Context, id placement.PartitionID, size int64) (*Ticket, error) {
	return g.admit(ctx, id, size, true, new(Ticket))
}

// WriteNow is Write that does not wait out a Cutover: nil and no error say that the
// partition is in one. It is for whoever has tickets of other partitions open, whose
// moves must not wait for this one's.
func (g *Gate) WriteNow(ctx context.Context, id placement.PartitionID) (*Ticket, error) {
	return g.admit(ctx, id, 0, false, new(Ticket))
}

// admit makes t an admitted ticket, and returns it; without wait, nil and no error say
// that the partition is in Cutover.
func (g *Gate) admit(ctx context.Context, id placement.PartitionID, size int64, wait bool, t *Ticket) (*Ticket, error) {
	hash := g.rep.views.hash(id)
	g.rep.views.expect(hash)
	sess, err := g.settle(ctx, id)
	if err != nil {
		return nil, err
	}
	var h hold
	defer g.holds.end(&h)
	for {
		v := g.rep.views.lookup(hash, id)
		switch {
		case v == nil:
			return nil, unknownPartition(id)
		case v.corrupt != nil:
			return nil, v.corrupt
		case v.entry.Phase() == placement.Cutover:
			if !wait {
				return nil, nil
			}
			if err := g.holds.wait(ctx, &h, v, g.rep.changed(v), size, g.opt.HoldDeadline); err != nil {
				return nil, err
			}
			sess = nil // that was a while ago
			continue
		}
		// The session is taken before the count goes up. If it lapses afterwards,
		// Send and Done see it; a session opened later has nothing to do with
		// this ticket but to report its view's count.
		if sess == nil {
			if sess, err = g.session(); err != nil {
				if sess, err = g.settle(ctx, id); err != nil {
					return nil, err
				}
				continue
			}
		}
		if g.rep.admit(v) {
			g.flight.opened(v)
			t.g, t.v, t.sess, t.held = g, v, sess, h.total()
			// After the count went up: Run says that it is closing and then looks at
			// the count, so either it waits for this ticket or it is seen here.
			if g.closing.Load() {
				t.Cancel()
				return nil, &UnavailableError{Reason: ReasonClosing, RetryAfter: time.Second}
			}
			return t, nil
		}
		sess = nil
	}
}

// Entry is the entry that the write was admitted under.
func (t *Ticket) Entry() placement.Entry { return t.v.entry.Entry() }

// Journaling reports whether what the write touches must be recorded, so that
// ids must be known before it is sent.
func (t *Ticket) Journaling() bool { return t.v.migrating() }

// Held is how long Write held the request.
func (t *Ticket) Held() time.Duration { return t.held }

// Record notes documents that the write may touch. Call it before Send.
func (t *Ticket) Record(refs ...DocRef) {
	if t.Journaling() {
		t.refs = append(t.refs, refs...)
	}
}

// RecordUnlisted notes that the write touches documents whose ids cannot be
// listed; the move will reconcile.
func (t *Ticket) RecordUnlisted() { t.unlisted = true }

// RecordAdmin notes that the write changes mappings, settings or aliases.
func (t *Ticket) RecordAdmin() { t.admin = true }

// SetTask notes the server-side task that holds this ticket until it has ended.
// It is published, so that its end is awaited even if this instance dies.
func (t *Ticket) SetTask(task store.Task) {
	t.task = t.g.flight.setTask(t.task, t.v.entry.Partition(), task)
	t.g.wake()
}

// Send must be called immediately before the write is sent. ErrFenced: the
// session may have lapsed, somebody may already have stopped waiting for this
// ticket; send nothing and Cancel.
func (t *Ticket) Send() error {
	if !t.sess.Valid() {
		return ErrFenced
	}
	t.sent = true
	return nil
}

// Done ends the ticket after a definitive answer of the cluster, success or
// failure. ErrOutcomeUnknown: the session lapsed meanwhile, and whatever the
// cluster said must not be reported, because the move may have gone on without
// this write.
func (t *Ticket) Done() error {
	// The order is the point: valid is read after the outcome; ids are readable
	// before the count goes down, so a clear acknowledgement implies that the
	// journal up to its head holds this write.
	valid := t.sess.Valid()
	t.journal()
	t.end()
	if !valid {
		return fmt.Errorf("%w: the instance's session lapsed while the write was under way", ErrOutcomeUnknown)
	}
	return nil
}

// Unknown ends the ticket when the write was, or may have been, sent and no
// definitive answer came. It may still take effect, so its partition is
// published as unresolved until DrainBarrier has passed; only then do its ids
// become readable in the journal and are read again.
func (t *Ticket) Unknown() {
	// Of a copy: a ticket that is kept here could not be on its owner's stack.
	left := *t
	left.unresolved()
	t.end()
	t.g.wake()
}

func (t *Ticket) unresolved() {
	// Unresolved before the count goes down, so that no publication can see it
	// in neither place.
	t.g.flight.addUnresolved(t)
	time.AfterFunc(t.g.opt.DrainBarrier, func() {
		t.journal() // before it leaves unresolved, for the same reason
		t.g.flight.removeUnresolved(t)
		t.g.wake()
	})
}

// Cancel ends a ticket whose write was certainly not sent.
func (t *Ticket) Cancel() { t.end() }

// Abandon ends a ticket that its owner could not end, because it failed half-way:
// as Unknown if the write may have been sent, as Cancel otherwise. It reports
// whether the write may have been sent. A ticket that has ended stays as it is.
func (t *Ticket) Abandon() (sent bool) {
	switch {
	case t.ended:
	case t.sent:
		t.Unknown()
	default:
		t.Cancel()
	}
	return t.sent
}

func (t *Ticket) journal() {
	if !t.Journaling() && !t.unlisted && !t.admin {
		return
	}
	id := t.v.entry.Partition()
	if cur := t.g.rep.lookup(id); cur == nil || !cur.migrating() {
		return // the move is over; its journal too
	}
	if t.g.journals.add(id, t.refs, t.admin, t.unlisted) {
		t.g.wake()
	}
}

func (t *Ticket) end() {
	t.ended = true
	task := t.g.flight.clearTask(t.task)
	t.g.rep.release(t.v)
	t.g.flight.ended(t.v)
	if task {
		t.g.wake() // nobody should wait for it any more
	}
}

// inFlight is what the instance publishes about writes besides their counts.
type inFlight struct {
	// counts are of the tickets that have not ended. They are many, so that processors
	// that admit writes of different partitions do not wait for each other's. A ticket
	// counts where its view's epoch says.
	counts [64]struct {
		open atomic.Int64
		_    [120]byte // two cache lines: processors fetch them in pairs
	}

	mu         sync.Mutex
	unresolved map[*Ticket]struct{}
	lastTask   atomic.Uint64
	tasks      map[uint64]openTask
}

// openTask is a task whose ticket is open.
type openTask struct {
	partition placement.PartitionID
	task      store.Task
}

func newInFlight() *inFlight {
	return &inFlight{unresolved: map[*Ticket]struct{}{}, tasks: map[uint64]openTask{}}
}

func (f *inFlight) opened(v *view) { f.counts[v.entry.Epoch()%64].open.Add(1) }
func (f *inFlight) ended(v *view)  { f.counts[v.entry.Epoch()%64].open.Add(-1) }

// open is the number of tickets that have not ended. The counts are read one after
// another. Once the gate is closing that does not matter for whether it is 0: whoever
// counts up after its count was read finds the gate closing, and gives up.
func (f *inFlight) open() (n int64) {
	for i := range f.counts {
		n += f.counts[i].open.Load()
	}
	return n
}

func (f *inFlight) addUnresolved(t *Ticket) {
	f.mu.Lock()
	f.unresolved[t] = struct{}{}
	f.mu.Unlock()
}

func (f *inFlight) removeUnresolved(t *Ticket) {
	f.mu.Lock()
	delete(f.unresolved, t)
	f.mu.Unlock()
}

// setTask replaces the task of a number, or, of 0, gives it a number.
func (f *inFlight) setTask(number uint64, id placement.PartitionID, task store.Task) uint64 {
	number = cmp.Or(number, f.lastTask.Add(1))
	f.mu.Lock()
	f.tasks[number] = openTask{id, task}
	f.mu.Unlock()
	return number
}

// clearTask reports whether there was one.
func (f *inFlight) clearTask(number uint64) bool {
	if number == 0 {
		return false
	}
	f.mu.Lock()
	delete(f.tasks, number)
	f.mu.Unlock()
	return true
}

func (f *inFlight) unresolvedPartitions() []placement.PartitionID {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ids []placement.PartitionID
	seen := map[placement.PartitionID]bool{}
	for t := range f.unresolved {
		if id := t.v.entry.Partition(); !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

func (f *inFlight) tasksByPartition() map[placement.PartitionID][]store.Task {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.tasks) == 0 {
		return nil
	}
	out := map[placement.PartitionID][]store.Task{}
	for _, t := range f.tasks {
		out[t.partition] = append(out[t.partition], t.task)
	}
	return out
}

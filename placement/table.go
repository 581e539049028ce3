package placement

import (
	"hash/maphash"
	"iter"
	"sync"
	"sync/atomic"
)

// PlacementTable is a placement table in memory: the entries of any number of
// partitions, changed only by [Step]. It is the reference of what a store must
// do, without the store: no I/O, nothing durable, one process.
//
// Its epochs are a counter of the table's changes, so that epochs of different
// partitions are comparable, as those of a store are. Readers never wait: each
// reads one immutable picture of the whole table ([Snapshot]), taken by one
// atomic load. That is why it is a persistent trie and not a sync.Map, which
// could not be iterated as of one moment. A change copies a few small nodes: microseconds.
type PlacementTable struct {
	seed maphash.Seed
	mu   sync.Mutex // held by whoever changes root
	root atomic.Pointer[Snapshot]
}

// NewTable returns an empty table, at epoch 0.
func NewTable() *PlacementTable {
	t := &PlacementTable{seed: maphash.MakeSeed()}
	t.root.Store(&Snapshot{seed: t.seed, trie: &node{}})
	return t
}

// Snapshot is the whole table as it was at one epoch. It never changes.
type Snapshot struct {
	seed  maphash.Seed
	trie  *node
	epoch Epoch
	size  int
}

// Epoch is the epoch of the newest change in the snapshot, 0 if there is none.
func (s *Snapshot) Epoch() Epoch { return s.epoch }

// Len is the number of partitions.
func (s *Snapshot) Len() int { return s.size }

// Get returns a partition's entry; false if it has none.
func (s *Snapshot) Get(id PartitionID) (Entry, bool) {
	r := s.trie.get(s.seed, id)
	if r == nil {
		return Entry{}, false
	}
	return r.Entry(), true
}

// All iterates over the entries, in no particular order.
func (s *Snapshot) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) { s.trie.all(yield) }
}

// Snapshot returns the table as it is now, at no cost: nothing is copied, and
// later changes do not show in it.
func (t *PlacementTable) Snapshot() *Snapshot { return t.root.Load() }

// Epoch is the epoch of the table's newest change, 0 if there is none.
func (t *PlacementTable) Epoch() Epoch { return t.root.Load().epoch }

// Get returns a partition's entry; false if it is not in the table.
func (t *PlacementTable) Get(id PartitionID) (Entry, bool) { return t.root.Load().Get(id) }

// State returns a partition's entry, or ErrUnknownPartition.
func (t *PlacementTable) State(id PartitionID) (Entry, error) {
	e, ok := t.Get(id)
	if !ok {
		return Entry{}, &Refusal{Code: CodeUnknownPartition, Op: opRead, Partition: id}
	}
	return e, nil
}

// Set registers a partition, Active at p. It only registers: a partition that
// is migrating is ErrAlreadyMigrating, because replacing an entry in Cutover
// would flip it, and one that lives elsewhere is ErrAlreadyExists, because
// its documents would not follow. Registering it again where it is changes
// nothing. A bad id or placement is an *InvalidError.
func (t *PlacementTable) Set(id PartitionID, p Placement) error {
	if err := id.Validate(); err != nil {
		return err
	}
	if err := p.Validate(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.Get(id)
	refusal := &Refusal{Op: opRegister, Partition: id, State: e.State, Epoch: e.Epoch}
	switch {
	case !ok:
		t.put(Entry{Partition: id, State: State{Phase: Active, From: p}}, 1)
		return nil
	case e.State.Migrating():
		refusal.Code, refusal.Detail = CodeAlreadyMigrating, "by move "+e.Attempt.Move
		return refusal
	case e.State.From != p:
		refusal.Code, refusal.Detail = CodeAlreadyExists, "only a move changes where it lives"
		return refusal
	}
	return nil
}

// Apply performs one transition and returns the entry with its new epoch. On a
// refusal the table is as it was, and the entry returned is the present one.
func (t *PlacementTable) Apply(id PartitionID, cmd Command) (Entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.Get(id)
	if !ok {
		e.Partition = id // so that Step's refusal names it
	}
	next, err := Step(e, cmd)
	if err != nil {
		return e, err
	}
	return t.put(next, 0), nil
}

// put stores e under the next epoch. The caller holds mu, so no change is lost
// between the load of the root and the store; readers see the root before or
// the root after, each whole.
func (t *PlacementTable) put(e Entry, grow int) Entry {
	old := t.root.Load()
	e.Epoch = old.epoch + 1
	h := maphash.String(t.seed, string(e.Partition))
	p := Pack(e)
	t.root.Store(&Snapshot{
		seed: t.seed, epoch: e.Epoch, size: old.size + grow,
		trie: old.trie.with(t.seed, &p, h, 0),
	})
	return e
}

// BeginMigration starts a move to to: Active -> Draining.
func (t *PlacementTable) BeginMigration(id PartitionID, to Placement, a Attempt) (Entry, error) {
	return t.Apply(id, Command{Op: OpBegin, To: to, Attempt: a})
}

// EnterCutover closes the partition for writes: Draining -> Cutover. expect is
// the epoch that the decision was made on, or 0 for whichever is current.
func (t *PlacementTable) EnterCutover(id PartitionID, expect Epoch, start Start) (Entry, error) {
	return t.Apply(id, Command{Op: OpCutover, Expect: expect, Start: start})
}

// CompleteMigration flips the partition: Cutover -> Active at the target.
// expect is the epoch whose barrier was proven, or 0 for whichever is current.
func (t *PlacementTable) CompleteMigration(id PartitionID, expect Epoch) (Entry, error) {
	return t.Apply(id, Command{Op: OpComplete, Expect: expect})
}

// AbortMigration ends a move where it began: Draining or Cutover -> Active at
// the source. expect is as in CompleteMigration.
func (t *PlacementTable) AbortMigration(id PartitionID, expect Epoch) (Entry, error) {
	return t.Apply(id, Command{Op: OpAbort, Expect: expect})
}

// AdmitWrite says whether a write that was resolved at epoch at may be admitted
// now; see [Entry.AdmitWrite] for its refusals. It is decided on one load of the
// table, so it is atomic with respect to every transition: whatever was refused
// or admitted was so at one moment during the call.
func (t *PlacementTable) AdmitWrite(id PartitionID, at Epoch) error {
	r := t.root.Load().trie.get(t.seed, id)
	if r == nil {
		return Entry{Partition: id}.AdmitWrite(at)
	}
	if r.Phase() != Cutover && r.Epoch() == at {
		return nil // the common case, without assembling the entry
	}
	return r.Entry().AdmitWrite(at)
}

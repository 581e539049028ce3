package placement

import "time"

// Epoch is the store's own revision of an entry's last change. It only grows;
// 0 means "never placed". Epochs of one store are comparable across partitions.
type Epoch uint64

// Phase is where in a migration an entry stands.
type Phase uint8

// The phases of an entry, and nothing else.
const (
	Active   Phase = iota // reads and writes go to From
	Draining              // reads and writes go to From; instances journal
	Cutover               // reads go to From, writes are held
)

func (p Phase) String() string {
	switch p {
	case Active:
		return "Active"
	case Draining:
		return "Draining"
	case Cutover:
		return "Cutover"
	}
	return "Phase(?)"
}

// State is Active(From), or Migrating{From, To, phase}.
type State struct {
	Phase Phase
	From  Placement // where reads go, and writes unless Phase is Cutover
	To    Placement // zero unless migrating
}

// Migrating reports whether the state is Draining or Cutover.
func (s State) Migrating() bool { return s.Phase != Active }

// Attempt names one driver's tenure of a move. A takeover raises the number, so
// a mover that was paused finds its own attempt gone from the entry.
type Attempt struct {
	Move   string `json:"move"`   // id of the move's record
	Number uint32 `json:"number"` // 1 for the first driver, +1 at each takeover
}

// Start is when a cutover began, on one machine's suspend-counting clock. It is
// in the entry so that a restart neither loses nor shortens a timed barrier:
// the same boot continues the count, another boot or machine begins it anew,
// because no decision compares clocks of two machines.
type Start struct {
	Boot  string        `json:"boot"`            // random id of the boot that Since counts from
	Since time.Duration `json:"since,omitempty"` // time since that boot, suspend included
	Wall  time.Time     `json:"wall"`            // for people only
}

// Entry is a partition's record in the placement table. It is a value; its
// epoch is the version under which the store holds it and is not encoded.
type Entry struct {
	Partition   PartitionID
	State       State
	Epoch       Epoch
	Incarnation uint32  // how many times the placement has changed
	Attempt     Attempt // the move that is under way; zero when Active
	CutoverAt   Start   // zero unless Phase is Cutover

	// Previous is where the partition was before its last move, while that copy
	// still exists: complete sets it, retire and the next begin clear it. While the
	// partition is on its way back there, by a rollback, it equals State.To.
	Previous     Placement
	PreviousMove string // the move that left Previous behind
	// Fenced is the move that set, or is about to set, write blocks on the
	// indices of Previous. It is in the entry before a block is set, so that a
	// crash leaves no block without an owner. A rollback lifts them after its begin
	// and before its cutover, and sets them again after an abort.
	Fenced string
}

// Journaling reports whether instances must journal what writes touch.
func (e Entry) Journaling() bool { return e.State.Migrating() }

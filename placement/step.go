package placement

import "fmt"

// Op is a transition of an entry.
type Op string

// The transitions. Everything else leaves an entry as it is.
const (
	OpBegin    Op = "begin"         // Active -> Draining
	OpCutover  Op = "enter_cutover" // Draining -> Cutover
	OpReopen   Op = "reopen"        // Cutover -> Draining; or a takeover, from either, with a higher attempt
	OpComplete Op = "complete"      // Cutover -> Active(To)
	OpAbort    Op = "abort"         // Draining or Cutover -> Active(From)
	OpRetire   Op = "retire"        // Active -> Active without Previous: no rollback any more
)

// Command asks for one transition.
type Command struct {
	Op Op
	// Expect, unless 0, is the epoch that the command was decided on; another
	// epoch is the refusal CodeStaleEpoch. Cutover, complete and reopen by a
	// controller always carry it: what was proven, was proven for that epoch.
	Expect Epoch
	To     Placement // begin
	// Back makes begin a rollback of the move of that name: to Previous, which that
	// move has left behind and nobody has retired since.
	Back    string
	Attempt Attempt // begin; reopen when it takes over; if set, must match otherwise
	Start   Start   // enter_cutover
}

// Code says why a transition was refused. Codes are stable: programs branch on
// them.
type Code string

// The refusals.
const (
	CodeUnknownPartition Code = "unknown_partition"
	CodeAlreadyExists    Code = "already_exists"
	CodeAlreadyMigrating Code = "already_migrating"
	CodeNotMigrating     Code = "not_migrating"
	CodeNotDraining      Code = "not_draining"
	CodeNotInCutover     Code = "not_in_cutover"
	CodeInCutover        Code = "in_cutover"
	CodeSamePlacement    Code = "same_placement"
	CodeStaleEpoch       Code = "stale_epoch"
	CodeOtherAttempt     Code = "other_attempt"
	CodeNothingToRetire  Code = "nothing_to_retire"
	CodeNoWayBack        Code = "no_way_back"
	CodeUnknownOp        Code = "unknown_op"
)

// Refusal is a transition that is not allowed from the entry's state. It
// changes nothing. Compare with errors.Is against the Err values, or read Code.
type Refusal struct {
	Code      Code
	Op        Op
	Partition PartitionID
	State     State
	Epoch     Epoch
	Detail    string
}

func (r *Refusal) Error() string {
	s := fmt.Sprintf("%s of partition %q refused: %s", r.Op, string(r.Partition), r.Code)
	if r.Code != CodeUnknownPartition {
		s += fmt.Sprintf(" (it is %s at epoch %d)", r.State, r.Epoch)
	}
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}

// ErrorCode is its code in the catalogue of errors.
func (r *Refusal) ErrorCode() string { return string(r.Code) }

// Is matches two refusals by code, so errors.Is(err, ErrAlreadyMigrating) works
// whatever the partition.
func (r *Refusal) Is(target error) bool {
	t, ok := target.(*Refusal)
	return ok && t.Code == r.Code
}

// Sentinels for errors.Is.
var (
	ErrUnknownPartition = &Refusal{Code: CodeUnknownPartition}
	ErrAlreadyExists    = &Refusal{Code: CodeAlreadyExists}
	ErrAlreadyMigrating = &Refusal{Code: CodeAlreadyMigrating}
	ErrNotMigrating     = &Refusal{Code: CodeNotMigrating}
	ErrNotDraining      = &Refusal{Code: CodeNotDraining}
	ErrNotInCutover     = &Refusal{Code: CodeNotInCutover}
	ErrInCutover        = &Refusal{Code: CodeInCutover}
	ErrSamePlacement    = &Refusal{Code: CodeSamePlacement}
	ErrStaleEpoch       = &Refusal{Code: CodeStaleEpoch}
	ErrOtherAttempt     = &Refusal{Code: CodeOtherAttempt}
	ErrNothingToRetire  = &Refusal{Code: CodeNothingToRetire}
	ErrNoWayBack        = &Refusal{Code: CodeNoWayBack}
)

func (s State) String() string {
	if !s.Migrating() {
		return "Active(" + s.From.String() + ")"
	}
	return fmt.Sprintf("Migrating{%s -> %s, %s}", s.From, s.To, s.Phase)
}

// Step applies cmd to e. It is pure: no clock, no I/O. On a refusal (*Refusal,
// or *InvalidError for an input that is no placement) the entry comes back as
// it was. The epoch of the returned entry is still e's: the store gives the new
// one when it has written the entry.
func Step(e Entry, cmd Command) (Entry, error) {
	refuse := func(c Code, detail string) (Entry, error) {
		return e, &Refusal{Code: c, Op: cmd.Op, Partition: e.Partition, State: e.State, Epoch: e.Epoch, Detail: detail}
	}
	if e.Epoch == 0 || e.State.From.IsZero() {
		return refuse(CodeUnknownPartition, "")
	}
	if cmd.Expect != 0 && cmd.Expect != e.Epoch {
		return refuse(CodeStaleEpoch, fmt.Sprintf("decided on epoch %d", cmd.Expect))
	}
	n := e
	switch cmd.Op {
	case OpBegin:
		if e.State.Migrating() {
			return refuse(CodeAlreadyMigrating, "by move "+e.Attempt.Move)
		}
		if err := cmd.To.Validate(); err != nil {
			return e, err
		}
		// Retire clears Previous before anything is deleted. So whichever of the two
		// compare-and-swaps comes second is refused.
		if cmd.Back != "" && (e.Previous != cmd.To || e.PreviousMove != cmd.Back) {
			return refuse(CodeNoWayBack, "the entry does not lead back to what move "+cmd.Back+" has left")
		}
		// Such a move would copy documents onto themselves, and retiring its source, or
		// sweeping its target after an abort, would delete the only copy.
		if cmd.To.Overlaps(e.State.From) {
			return refuse(CodeSamePlacement, "the target is, or shares an index with, where it already is")
		}
		if err := keepsNames(e.State.From, cmd.To, cmd.Back != ""); err != nil {
			return e, err
		}
		if cmd.Attempt.Number == 0 {
			cmd.Attempt.Number = 1
		}
		n.State.Phase, n.State.To, n.Attempt = Draining, cmd.To, cmd.Attempt
		if cmd.Back == "" { // an aborted rollback leads back to what was, block included
			n.Previous, n.PreviousMove, n.Fenced = Placement{}, "", ""
		}
		return n, nil
	case OpCutover:
		if !e.State.Migrating() {
			return refuse(CodeNotMigrating, "")
		}
		if e.State.Phase != Draining {
			return refuse(CodeNotDraining, "")
		}
		if cmd.foreign(e) {
			return refuse(CodeOtherAttempt, e.Attempt.String())
		}
		n.State.Phase, n.CutoverAt = Cutover, cmd.Start
		return n, nil
	case OpReopen:
		if !e.State.Migrating() {
			return refuse(CodeNotMigrating, "")
		}
		takeover := cmd.Attempt.Move == e.Attempt.Move && cmd.Attempt.Number > e.Attempt.Number
		if !takeover && e.State.Phase != Cutover {
			return refuse(CodeNotInCutover, "")
		}
		if !takeover && cmd.foreign(e) {
			return refuse(CodeOtherAttempt, e.Attempt.String())
		}
		n.State.Phase, n.CutoverAt = Draining, Start{}
		if takeover {
			n.Attempt = cmd.Attempt
		}
		return n, nil
	case OpComplete:
		if !e.State.Migrating() {
			return refuse(CodeNotMigrating, "")
		}
		if e.State.Phase != Cutover {
			return refuse(CodeNotInCutover, "")
		}
		if cmd.foreign(e) {
			return refuse(CodeOtherAttempt, e.Attempt.String())
		}
		n.State = State{Phase: Active, From: e.State.To}
		n.Incarnation++
		n.Attempt, n.CutoverAt = Attempt{}, Start{}
		n.Previous, n.PreviousMove, n.Fenced = e.State.From, e.Attempt.Move, e.Attempt.Move
		return n, nil
	case OpAbort:
		if !e.State.Migrating() {
			return refuse(CodeNotMigrating, "")
		}
		if cmd.foreign(e) {
			return refuse(CodeOtherAttempt, e.Attempt.String())
		}
		n.State = State{Phase: Active, From: e.State.From}
		n.Attempt, n.CutoverAt = Attempt{}, Start{}
		return n, nil
	case OpRetire:
		if e.State.Migrating() {
			return refuse(CodeAlreadyMigrating, "by move "+e.Attempt.Move)
		}
		if e.Previous.IsZero() {
			return refuse(CodeNothingToRetire, "")
		}
		n.Previous, n.PreviousMove, n.Fenced = Placement{}, "", ""
		return n, nil
	}
	return refuse(CodeUnknownOp, "")
}

// foreign reports whether the command belongs to another attempt than the one
// the entry is in.
func (c Command) foreign(e Entry) bool { return c.Attempt != Attempt{} && c.Attempt != e.Attempt }

func (a Attempt) String() string { return fmt.Sprintf("move %s attempt %d", a.Move, a.Number) }

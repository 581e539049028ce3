package control

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"maps"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Stage is where a move's driver stands. It is persisted before the stage's
// first step, and every step may be repeated.
type Stage string

// The stages of a move.
const (
	StagePreparing  Stage = "preparing"   // prechecks, the target's indices, begin, barrier at begin
	StageCopying    Stage = "copying"     // scan of the source into the target
	StageCatchingUp Stage = "catching_up" // journals
	StageVerifying  Stage = "verifying"   // every id and version of both sides compared
	StageCutover    Stage = "cutover"     // writes are held
	StageFlipped    Stage = "flipped"     // at the target; the old copy is kept until retired
	StageRetiring   Stage = "retiring"    // the old copy is being removed
	StageDone       Stage = "done"        // the old copy is gone, in the trash, or left to the operator
	StageRolledBack Stage = "rolled_back" // the tenant is back at the source, by another move
	StageAborting   Stage = "aborting"    // back at the source; the target is being cleaned
	StageAborted    Stage = "aborted"     // back at the source, nothing left at the target
	StageFailed     Stage = "failed"      // never begun
)

// MoveOptions bound one move. Durations are in nanoseconds in JSON.
type MoveOptions struct {
	PauseBudget     time.Duration `json:"pause_budget"`     // writes are not held while a longer pause is predicted (default 250 ms)
	CutoverDeadline time.Duration `json:"cutover_deadline"` // a longer cutover is left again (default 2 s)
	DrainBarrier    time.Duration `json:"drain_barrier"`    // how long a vanished proxy's writes may still land (default 30 s)
	CopyRate        float64       `json:"copy_rate"`        // documents a second; 0: no limit
	CopyBytes       float64       `json:"copy_bytes"`       // bytes of documents a second; 0: no limit
	// CopyHours are when the copy may run; none: always. See copyhours.go.
	CopyHours []Window `json:"copy_hours,omitempty"`
	// CopyEager leaves the pressure of the clusters unheeded.
	CopyEager bool `json:"copy_eager,omitempty"`
	Afterwards
	Verify Verify `json:"verify"` // what is compared before the cutover (default versions)
	// AcceptDrift: what somebody has written around the proxies is taken over, instead
	// of keeping the move from its cutover.
	AcceptDrift bool `json:"accept_drift,omitempty"`
	// Copy says how to copy; left out, by scan.
	Copy mover.CopyOptions `json:"copy,omitzero"`

	ShadowReads int           `json:"shadow_reads,omitempty"` // searches that are compared before the flip; 0: none
	ShadowTime  time.Duration `json:"shadow_time,omitempty"`  // that they may add to the move (default 1 m)
	// ShadowMaxDifferences is how many of them may differ at the target, or fail there;
	// over it no cutover begins. Nil: any number.
	ShadowMaxDifferences *int `json:"shadow_max_differences,omitempty"`
}

// Defaults of MoveOptions.
const (
	DefaultPauseBudget     = 250 * time.Millisecond
	DefaultCutoverDeadline = 2 * time.Second
)

func (o MoveOptions) withDefaults() (MoveOptions, error) {
	for _, f := range []struct {
		field string
		value *time.Duration
		def   time.Duration
	}{
		{"pause_budget", &o.PauseBudget, DefaultPauseBudget},
		{"cutover_deadline", &o.CutoverDeadline, DefaultCutoverDeadline},
		{"drain_barrier", &o.DrainBarrier, DefaultDrainBarrier},
	} {
		if *f.value < 0 {
			return o, &placement.InvalidError{Field: f.field, Value: f.value.String(), Fix: "must not be negative"}
		}
		if *f.value == 0 {
			*f.value = f.def
		}
	}
	switch o.Verify {
	case "":
		o.Verify = VerifyVersions
	case VerifyVersions, VerifyContent:
	default:
		return o, &placement.InvalidError{Field: "verify", Value: string(o.Verify), Fix: "must be versions or content"}
	}
	if err := o.limitsValid(); err != nil {
		return o, err
	}
	if err := o.Afterwards.check(); err != nil {
		return o, err
	}
	if err := o.Copy.Validate(); err != nil {
		return o, err
	}
	if err := o.consistent(); err != nil {
		return o, err
	}
	return o.shadowDefaults()
}

// consistent refuses a budget that no cutover could use up.
func (o MoveOptions) consistent() error {
	if o.PauseBudget > o.CutoverDeadline {
		return &placement.InvalidError{Field: "pause_budget", Value: o.PauseBudget.String(),
			Fix: "must not be above the cutover deadline, which is " + o.CutoverDeadline.String() + ": raise that too, or less"}
	}
	return nil
}

// Progress is what a watcher of a move sees. It decides nothing.
type Progress struct {
	Docs           int64         `json:"docs"`
	Total          int64         `json:"total"`
	Bytes          int64         `json:"bytes"`
	Step           string        `json:"step,omitempty"`        // of a copy by snapshot: snapshot or restore; Bytes are of it
	TotalBytes     int64         `json:"total_bytes,omitempty"` // of the step
	Rate           float64       `json:"rate"`                  // documents a second, of late
	ETA            time.Duration `json:"eta"`                   // of the copy; 0 while unknown
	Dirty          int           `json:"dirty"`
	Rounds         int           `json:"rounds"`              // of catching up
	CaughtUp       int64         `json:"caught_up"`           // ids applied from journals
	Comparing      *Comparing    `json:"comparing,omitempty"` // while a verification lasts
	PredictedPause time.Duration `json:"predicted_pause"`
	Cutovers       int           `json:"cutovers"` // tried
	Laggards       []Laggard     `json:"laggards,omitempty"`
	Note           string        `json:"note,omitempty"`      // what it waits for
	NoteCode       string        `json:"note_code,omitempty"` // of Note, in the catalogue of errors
	SlowedBy       string        `json:"slowed_by,omitempty"` // which pressure of the clusters holds the copy back
	Shadow         *ShadowReads  `json:"shadow,omitempty"`
}

// StageTime is one stage's place in the timeline.
type StageTime struct {
	Stage    Stage         `json:"stage"`
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration"` // 0 while it lasts
}

// Move is the record of one move: what a successor needs to go on, and what
// people want to see. The entry is the truth about where the partition is.
type Move struct {
	ID        string                `json:"id"`
	Partition placement.PartitionID `json:"partition"`
	From      placement.Placement   `json:"from"`
	To        placement.Placement   `json:"to"`
	Wave      string                `json:"wave,omitempty"` // that asked for it
	// RollbackOf is the move whose old copy this one goes back to, and Old are that
	// copy's indices as it had noted them. RolledBackBy is the other way round.
	RollbackOf   string        `json:"rollback_of,omitempty"`
	Old          []mover.Index `json:"old,omitempty"`
	RolledBackBy string        `json:"rolled_back_by,omitempty"`
	Created      time.Time     `json:"created"`
	Options      MoveOptions   `json:"options"`
	Stage        Stage         `json:"stage"`
	// Attempt counts the tenures of drivers; Owner is the session of the present
	// one, empty when nobody drives.
	Attempt uint32 `json:"attempt"`
	Owner   string `json:"owner,omitempty"`
	// BeginEpoch is the epoch whose barrier copying waits for: of begin, or of a
	// takeover that came before that barrier had passed. CompleteEpoch is the flip's.
	BeginEpoch     placement.Epoch `json:"begin_epoch,omitempty"`
	CompleteEpoch  placement.Epoch `json:"complete_epoch,omitempty"`
	AbortRequested bool            `json:"abort_requested,omitempty"`
	Paused         bool            `json:"paused,omitempty"` // by somebody: copies nothing, and begins no cutover
	// Creating: a request to create an index at the target may have been sent whose
	// outcome nobody knows.
	Creating bool `json:"creating,omitempty"`
	// Fencing: a request to block the old copy may have been sent whose outcome nobody
	// knows. OldFencing is that of the move whose old copy this one goes back to.
	Fencing    bool `json:"fencing,omitempty"`
	OldFencing bool `json:"old_fencing,omitempty"`
	// Unreached counts the attempts, from the first on, that ended because a cluster
	// did not answer, before anything was sent to the target.
	Unreached       uint32 `json:"unreached,omitempty"`
	RetireRequested bool   `json:"retire_requested,omitempty"`
	// RetireAt is when the old copy is retired without being asked, on the wall
	// clocks of the controllers. It is written when the flip is first recorded, so
	// whoever takes over neither begins the soak anew nor cuts it short. Zero: never.
	RetireAt time.Time `json:"retire_at,omitzero"`
	// TrashUntil is set before anything of the old copy is put into the trash.
	TrashUntil time.Time `json:"trash_until,omitzero"`
	// Kept: it ended with the old copy left to the operator, as asked.
	Kept bool `json:"kept,omitempty"`

	Indices    []mover.Index    `json:"indices,omitempty"`
	Checkpoint mover.Checkpoint `json:"checkpoint"`
	CopiedBy   *mover.Choice    `json:"copied_by,omitempty"` // left out: by scan, which nobody has put into question
	Seed       *mover.Seed      `json:"seed,omitempty"`      // how far a copy by snapshot is
	// Reconciled are the vanished sessions whose writes are accounted for: the
	// copy began, or a reconcile did, after their drain.
	Reconciled map[string]bool `json:"reconciled,omitempty"`

	Progress Progress `json:"progress"`
	// Predicted was made when the move began; nil: not yet, or it could not be told.
	Predicted *Prediction `json:"predicted,omitempty"`
	Verified  *DiffCounts `json:"verified,omitempty"` // of the last verification
	// Verification is how far one has come that is under way.
	Verification *mover.Verification `json:"verification,omitempty"`
	Drift        *Drift              `json:"drift,omitempty"` // what somebody has written around the proxies
	Timeline     []StageTime         `json:"timeline,omitempty"`
	Receipt      *Receipt            `json:"receipt,omitempty"`
	Error        string              `json:"error,omitempty"`
	ErrorCode    string              `json:"error_code,omitempty"` // of Error, in the catalogue of errors
	Updated      time.Time           `json:"updated"`
}

// Terminal reports whether nothing will happen to the move any more.
func (m Move) Terminal() bool {
	return m.Stage == StageDone || m.Stage == StageAborted || m.Stage == StageFailed || m.Stage == StageRolledBack
}

// Settled reports whether the partition's place is decided: the move has
// flipped, or never will.
func (m Move) Settled() bool {
	return m.Terminal() || m.Stage == StageFlipped || m.Stage == StageRetiring
}

// enter makes s the move's stage and dates it.
func (m *Move) enter(s Stage, now time.Time) {
	if m.Stage == s && len(m.Timeline) > 0 {
		return
	}
	if n := len(m.Timeline); n > 0 && m.Timeline[n-1].Duration == 0 {
		m.Timeline[n-1].Duration = max(now.Sub(m.Timeline[n-1].Started), 1)
	}
	m.Stage = s
	if len(m.Timeline) >= 64 { // reopened again and again: keep the beginning and the end
		m.Timeline = append(m.Timeline[:16:16], m.Timeline[len(m.Timeline)-32:]...)
	}
	m.Timeline = append(m.Timeline, StageTime{Stage: s, Started: now})
}

// because records why the move has ended, or has left something; nil: there is no reason
// any more.
func (m *Move) because(why error) { m.Error, m.ErrorCode = reason(why, "unexpected") }

// waits records what the move waits for; nil: for nothing any more.
func (p *Progress) waits(why error) { p.Note, p.NoteCode = reason(why, "retrying") }

// reason is an error as it is recorded: its text, and its code in the catalogue of
// errors. One that has none is given another's.
func reason(why error, without string) (text, code string) {
	if why == nil {
		return "", ""
	}
	return why.Error(), cmp.Or(catalog.Of(why), without)
}

// clone keeps a mutation that is not written from being seen.
func (m Move) clone() Move {
	m.Reconciled = maps.Clone(m.Reconciled)
	m.Timeline = append([]StageTime(nil), m.Timeline...)
	return m
}

// Moves are the records of all moves, finished ones included.
func Moves(s *store.Store) store.Records[Move] { return store.RecordsOf[Move](s, store.SpaceMoves) }

// idDigits sort like their values, and may be part of an index name.
const idDigits = "0123456789abcdefghjkmnpqrstvwxyz"

// NewMoveID is a new id for a Request.
func NewMoveID() string { return newMoveID(time.Now()) }

// NewWaveID is a new id for a WaveRequest.
func NewWaveID() string { return "w" + NewMoveID()[1:] }

// newMoveID returns "m", nine digits of the time in milliseconds and six random
// ones, so that ids sort by age. Creation refuses an id that exists.
func newMoveID(now time.Time) string {
	var r [8]byte
	_, _ = rand.Read(r[:]) // never fails
	t, x := uint64(now.UnixMilli()), binary.BigEndian.Uint64(r[:])
	b := make([]byte, 16)
	b[0] = 'm'
	for i := 9; i >= 1; i-- {
		b[i] = idDigits[t&31]
		t >>= 5
	}
	for i := 10; i < 16; i++ {
		b[i] = idDigits[x&31]
		x >>= 5
	}
	return string(b)
}

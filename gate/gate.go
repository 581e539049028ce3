package gate

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

)

// Mode says how placements are read.
type Mode string

const (
	// Fresh: no request is decided on knowledge older than its arrival. The
	// default.
	Fresh Mode = "fresh"
	// Leased: no store round trip while the session is valid. Writes are as safe
	// as in Fresh; a read may be served from the old placement for as long as the
	// watch lags after a flip, bounded by the session's TTL.
	Leased Mode = "leased"
)

// Defaults of Options.
const (
	DefaultTTL           = 10 * time.Second
	DefaultHoldDeadline  = 5 * time.Second
	DefaultHoldRequests  = 10_000
	DefaultHoldBytes     = 256 << 20
	DefaultDrainBarrier  = 30 * time.Second
	DefaultJournalLimit  = 200_000
	DefaultStoreWait     = 5 * time.Second
	DefaultCloseDeadline = 15 * time.Second
)

// Options of a Gate. The zero value is useful.
type Options struct {
	Name    string // for people, in status and receipts (default: the host's name and pid)
	Address string // base URL at which FleetHandler is reached by the controllers
	Build   string
	Mode    Mode
	// TTL of the session in the store.
	TTL time.Duration
	// HoldDeadline, HoldRequests and HoldBytes bound what waits out a cutover.
	HoldDeadline time.Duration
	HoldRequests int
	HoldBytes    int64
	// DrainBarrier is how long a write of unknown outcome may still take effect.
	// It must not be below the proxy's upstream write timeout.
	DrainBarrier time.Duration
	// JournalLimit bounds the ids journaled per partition; over it the journal is
	// given up and the move reconciles instead.
	JournalLimit int
	// StoreWait bounds how long a request waits for a store that cannot be
	// reached, or for the session to be opened again.
	StoreWait time.Duration
	// CloseDeadline bounds a clean shutdown.
	CloseDeadline time.Duration
	// FleetSecret authenticates the controllers to FleetHandler; with an empty
	// secret the handler refuses everything.
	FleetSecret []byte
	Logger      *slog.Logger
	// Now is the suspend-counting clock (default clock.SinceBoot).
	Now func() time.Duration
}

// Errors of Read and Write, besides placement.ErrUnknownPartition (absent, for
// certain) and the context's own.
var (
	// ErrOutcomeUnknown: the write may or may not take effect. Do not report
	// success, and do not repeat it by yourself.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrFenced: the session that the write was admitted under has lapsed, and
	// nothing was sent. Safe to repeat.
	ErrFenced = errors.New("session lapsed before the write was sent")
)

// UnavailableError says that the request cannot be decided now. Nothing was
// sent; repeat it after RetryAfter.
type UnavailableError struct {
	Reason     Reason
	RetryAfter time.Duration
	Err        error // may be nil
}

// Reason of an UnavailableError; stable.
type Reason string

// The reasons.
const (
	ReasonStore        Reason = "store_unreachable" // the placement cannot be read
	ReasonNoSession    Reason = "no_session"        // this instance is not part of the fleet now
	ReasonHoldDeadline Reason = "hold_deadline"     // the cutover took longer than a write may be held
	ReasonHoldFull     Reason = "hold_full"         // too many writes are held already
	ReasonClosing      Reason = "closing"           // this instance is shutting down
	ReasonCorrupt      Reason = "corrupt_entry"     // the entry cannot be decoded
)

func (e *UnavailableError) Error() string {
	s := fmt.Sprintf("unavailable: %s", e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// DocRef names a document as a client wrote to it. Two documents of one index may
// share an ID under different routings, so the routing is part of the name.
type DocRef struct {
	Index   string `json:"index"` // logical name: as clients see it; may be an alias of a dedicated cluster
	ID      string `json:"id"`
	Routing string `json:"routing,omitempty"`
}

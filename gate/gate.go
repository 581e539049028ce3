package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/internal/clock"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
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
	// Settled, if not nil, is told of each request how long it waited until its
	// placement was known to be fresh. It must return at once.
	Settled func(time.Duration)
	Logger  *slog.Logger
	// Now is the suspend-counting clock (default clock.SinceBoot).
	Now func() time.Duration
}

// Errors of Read and Write, besides placement.ErrUnknownPartition (absent, for
// certain) and the context's own.
var (
	// ErrOutcomeUnknown: the write may or may not take effect. Do not report
	// success, and do not repeat it by yourself.
	ErrOutcomeUnknown = catalog.New("sluice_outcome_unknown", "outcome unknown")
	// ErrFenced: the session that the write was admitted under has lapsed, and
	// nothing was sent. Safe to repeat.
	ErrFenced = catalog.New("sluice_unavailable", "session lapsed before the write was sent")
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

// ErrorCode is its code in the catalogue of errors.
func (e *UnavailableError) ErrorCode() string {
	switch e.Reason {
	case ReasonCorrupt:
		return "sluice_corrupt_entry"
	case ReasonHoldFull:
		return "sluice_too_many_requests"
	}
	return "sluice_unavailable"
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// DocRef names a document as a client wrote to it. Two documents of one index may
// share an ID under different routings, so the routing is part of the name.
type DocRef struct {
	Index   string `json:"index"` // logical name: as clients see it; may be an alias of a dedicated cluster
	ID      string `json:"id"`
	Routing string `json:"routing,omitempty"`
}

// Gate decides, for one instance, where a request goes and whether a write may
// be sent. It is safe for concurrent use once New has returned; it serves while
// Run runs.
type Gate struct {
	store    *store.Store
	opt      Options
	rep      *replica
	barrier  *readBarrier
	journals *journals
	flight   *inFlight
	holds    *holds

	shadow atomic.Pointer[Shadow] // nil: see SetShadow

	dirty    chan struct{} // capacity 1: something that is published may have changed
	progress atomic.Int64  // leased mode: the replica is proven current as of this time, ns

	mu      sync.Mutex
	sess    atomic.Pointer[store.Session] // nil while this instance is not part of the fleet
	turned  chan struct{}                 // closed and replaced when sess or closing changes
	closing atomic.Bool
	life    context.Context // set by Run: ends when the instance has left the fleet
}

// New returns a Gate over s. It refuses options that contradict each other with
// a *placement.InvalidError.
func New(s *store.Store, o *Options) (*Gate, error) {
	opt := Options{}
	if o != nil {
		opt = *o
	}
	if opt.Name == "" {
		host, _ := os.Hostname()
		opt.Name = fmt.Sprintf("%s-%d", host, os.Getpid())
	}
	switch opt.Mode {
	case "":
		opt.Mode = Fresh
	case Fresh, Leased:
	default:
		return nil, &placement.InvalidError{Field: "mode", Value: string(opt.Mode), Fix: "must be fresh or leased"}
	}
	orDefault(&opt.TTL, DefaultTTL)
	orDefault(&opt.HoldDeadline, DefaultHoldDeadline)
	orDefault(&opt.HoldRequests, DefaultHoldRequests)
	orDefault(&opt.HoldBytes, DefaultHoldBytes)
	orDefault(&opt.DrainBarrier, DefaultDrainBarrier)
	orDefault(&opt.JournalLimit, DefaultJournalLimit)
	orDefault(&opt.StoreWait, DefaultStoreWait)
	orDefault(&opt.CloseDeadline, DefaultCloseDeadline)
	if opt.TTL < 2*time.Second {
		return nil, &placement.InvalidError{Field: "session_ttl", Value: opt.TTL.String(), Fix: "must be at least 2s"}
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = clock.SinceBoot
	}
	g := &Gate{
		store: s, opt: opt,
		dirty: make(chan struct{}, 1), turned: make(chan struct{}),
		journals: newJournals(opt.JournalLimit), flight: newInFlight(), holds: newHolds(opt.HoldRequests, opt.HoldBytes),
	}
	g.rep = newReplica(g.changed, g.wake)
	g.barrier = newReadBarrier(s, g.rep, opt.StoreWait)
	return g, nil
}

func orDefault[T int | int64 | time.Duration](p *T, d T) {
	if *p <= 0 {
		*p = d
	}
}

// wake tells the publisher to look. It never blocks; one pending wake is enough,
// because the publisher reads everything after it took the wake.
func (g *Gate) wake() {
	select {
	case g.dirty <- struct{}{}:
	default:
	}
}

// changed is called by the replica, under its lock, after a view was replaced. It
// reports whether a barrier may wait for that to be published.
func (g *Gate) changed(before, after *view) bool {
	was, is := before != nil && before.migrating(), after != nil && after.migrating()
	id := placement.PartitionID("")
	if before != nil {
		id = before.entry.Partition()
	}
	switch {
	case was && !is:
		g.journals.drop(id)
	case was && is && before.entry.Move() != after.entry.Move(), !was && is && before != nil:
		g.journals.drop(id) // a journal belongs to one move
	}
	return was || is
}

// setSession makes s (or nil) the session that admissions use.
func (g *Gate) setSession(s *store.Session) {
	g.mu.Lock()
	g.sess.Store(s)
	close(g.turned)
	g.turned = make(chan struct{})
	g.mu.Unlock()
}

// session returns a valid session, or why there is none.
func (g *Gate) session() (*store.Session, error) {
	if g.closing.Load() {
		return nil, &UnavailableError{Reason: ReasonClosing, RetryAfter: time.Second}
	}
	s := g.sess.Load()
	var now time.Duration
	if s != nil {
		now = g.opt.Now()
	}
	if s == nil || !s.ValidAt(now) {
		return nil, &UnavailableError{Reason: ReasonNoSession, RetryAfter: time.Second}
	}
	if g.opt.Mode == Leased {
		// Validity counts from proven progress of the watch: a renewal says only
		// that the store lives, not that this replica has heard of every flip.
		ttl := s.TTL()
		if now >= time.Duration(g.progress.Load())+ttl-ttl/5 {
			return nil, &UnavailableError{Reason: ReasonStore, RetryAfter: time.Second}
		}
	}
	return s, nil
}

// Ready returns nil when requests are served, or an *UnavailableError.
func (g *Gate) Ready() error {
	_, err := g.session()
	return err
}

// decidable returns when this instance may decide about id: it is part of the
// fleet and, in Fresh mode, its replica holds all that was acknowledged before
// decidable was called. A store that cannot be reached is waited for, with bounded
// backoff, up to StoreWait.
func (g *Gate) decidable(ctx context.Context, id placement.PartitionID) error {
	// Most wait for nothing, and need not know what time it is.
	if _, err := g.session(); err == nil && (g.opt.Mode != Fresh || g.barrier.passed()) {
		return nil
	}
	began := time.Now()
	err := g.decide(ctx, id)
	if err == nil || errors.Is(err, placement.ErrUnknownPartition) {
		return err
	}
	limit, cancel := context.WithDeadline(ctx, began.Add(g.opt.StoreWait))
	defer cancel()
	for pause := newBackoff(); ; {
		switch {
		case err == nil, errors.Is(err, placement.ErrUnknownPartition):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case g.closing.Load():
			return &UnavailableError{Reason: ReasonClosing, RetryAfter: time.Second}
		case limit.Err() != nil:
			var u *UnavailableError
			if errors.As(err, &u) {
				return u
			}
			return &UnavailableError{Reason: ReasonStore, RetryAfter: time.Second, Err: err}
		case lacksSession(err):
			g.awaitSession(limit)
		default:
			pause.sleep(limit)
		}
		err = g.decide(limit, id)
	}
}

// decide is one try. It makes no timer: most wait for one read, which has a limit of its
// own, and a timer would cost them more than all else.
func (g *Gate) decide(ctx context.Context, id placement.PartitionID) error {
	_, err := g.session()
	if err == nil && g.opt.Mode == Fresh {
		err = g.barrier.pass(ctx, g.life, id)
	}
	return err
}

func lacksSession(err error) bool {
	var u *UnavailableError
	return errors.As(err, &u) && u.Reason == ReasonNoSession
}

// awaitSession returns when there may be a session, or the gate is closing.
func (g *Gate) awaitSession(ctx context.Context) {
	g.mu.Lock()
	turned := g.turned
	g.mu.Unlock()
	if _, err := g.session(); !lacksSession(err) { // what changes after turned was read closes it
		return
	}
	select {
	case <-turned:
	case <-ctx.Done():
	}
}

func unknownPartition(id placement.PartitionID) error {
	return &placement.Refusal{Code: placement.CodeUnknownPartition, Op: "resolve", Partition: id}
}

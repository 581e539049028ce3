package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/internal/clock"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
)

// Kinds of process that hold a session.
const (
	KindProxy      = "proxy"      // admits writes; every barrier waits for it
	KindController = "controller" // drives moves; no barrier waits for it
)

// Info is what a process says about itself in its session and in the roster.
type Info struct {
	ID      string `json:"id"`      // unique per session, not per process
	Kind    string `json:"kind"`    // KindProxy or KindController
	Name    string `json:"name"`    // for people: host and port
	Address string `json:"address"` // base URL of its fleet endpoint; empty if it has none
	Build   string `json:"build"`
	// Via is the base URL of the API of the controller that holds the session for a
	// proxy which does not reach the store; empty: the process holds it itself.
	Via string `json:"via,omitempty"`
}

// JournalHead is how far an instance's journal of one partition has come.
type JournalHead struct {
	Head uint64 `json:"head"`           // sequence of the newest readable id
	Lost bool   `json:"lost,omitempty"` // something that it should hold is unknown: reconcile
}

// Task is a server-side task that holds a ticket until it has ended.
type Task struct {
	Cluster string `json:"cluster"`
	ID      string `json:"id"`
}

// Report is what an instance publishes in its session: one record, written as a
// whole, so that nobody can see one half of it without the other.
type Report struct {
	// Applied: every entry up to this epoch has been applied here.
	Applied placement.Epoch `json:"applied"`
	// Pending: partitions that still have tickets admitted under an older epoch
	// than the newest one applied.
	Pending []placement.PartitionID `json:"pending,omitempty"`
	// Unresolved: partitions with writes whose outcome is unknown and that may
	// still take effect.
	Unresolved []placement.PartitionID `json:"unresolved,omitempty"`
	// OldReads: partitions with reads still open on an older placement, open
	// cursors not counted.
	OldReads []placement.PartitionID               `json:"old_reads,omitempty"`
	Journals map[placement.PartitionID]JournalHead `json:"journals,omitempty"`
	Tasks    map[placement.PartitionID][]Task      `json:"tasks,omitempty"`
	// Closing: the process is shutting down and admits nothing any more.
	Closing bool `json:"closing,omitempty"`
}

// SessionRecord is the leased record.
type SessionRecord struct {
	Info
	Report
}

// RosterRecord outlives its session: it is removed by a clean close, or by the
// controller once every move that the session could affect has reconciled.
type RosterRecord struct {
	Info
	// Struck: a controller has given the process up and is about to account for it
	// without its session. A session that opens later must not begin; see
	// Store.Strike.
	Struck bool `json:"struck,omitempty"`
}

// Sessions are the live processes.
func (s *Store) Sessions() Records[SessionRecord] { return RecordsOf[SessionRecord](s, SpaceSessions) }

// Roster are the processes whose end is not accounted for.
func (s *Store) Roster() Records[RosterRecord] { return RecordsOf[RosterRecord](s, SpaceRoster) }

// ErrSessionLost: the session has lapsed, or may have: its own deadline passed.
var ErrSessionLost = driver.ErrSessionLost

// SessionOptions bound a session.
type SessionOptions struct {
	TTL time.Duration // lease in the store (default 10 s)
	// Margin is taken off the instance's own deadline for clocks that run at
	// different rates (default TTL/5): a rate difference of 20 % is allowed for.
	Margin time.Duration
	// Now is the suspend-counting clock (default clock.SinceBoot); simulations set it.
	Now func() time.Duration
}

// Session is this process's lease. It never comes back: once it may have lapsed
// it is lost, whatever the store says later, and the process opens a new one.
type Session struct {
	s      *Store
	d      driver.Session
	info   Info
	ttl    time.Duration
	margin time.Duration
	now    func() time.Duration

	deadline atomic.Int64 // on now's clock, ns: valid strictly before it
	lost     chan struct{}
	lose     sync.Once
}

// OpenSession writes the roster record and then opens the session. In this
// order, because a process that dies between the two leaves a roster record
// without a session, which reads as "vanished" and costs a reconcile; the other
// order could lose a process that had admitted writes from everybody's sight.
//
// The caller opens the session before it lists the table and serves only after
// both: a session that a controller does not see at the Cutover's revision has
// read the table after it.
func (s *Store) OpenSession(ctx context.Context, info Info, first Report, o *SessionOptions) (*Session, error) {
	opt := SessionOptions{}
	if o != nil {
		opt = *o
	}
	if opt.TTL <= 0 {
		opt.TTL = 10 * time.Second
	}
	if opt.Margin <= 0 {
		opt.Margin = opt.TTL / 5
	}
	if opt.Now == nil {
		opt.Now = clock.SinceBoot
	}
	info.ID = rand.Text()
	if _, err := s.Roster().Put(ctx, info.ID, RosterRecord{Info: info}, 0); err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	value, err := json.Marshal(SessionRecord{info, first})
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	c := s.bound(ctx)
	defer c.end()
	sent := opt.Now()
	d, err := s.d.Open(c, driver.Key{Space: SpaceSessions, Name: info.ID}, value, opt.TTL)
	if err != nil {
		return nil, unavailable(ctx, "open session", err)
	}
	x := &Session{s: s, d: d, info: info, ttl: opt.TTL, margin: opt.Margin, now: opt.Now, lost: make(chan struct{})}
	x.deadline.Store(int64(sent + opt.TTL - opt.Margin))
	// A process that slept between the two writes may have been taken for one that
	// vanished, and struck off. Without its roster record it could vanish unseen,
	// so the session is given up before anything is admitted under it.
	rec, err := s.Roster().Get(ctx, info.ID)
	if err == nil && rec.Value.Struck {
		err = errors.New("a controller has given this process up meanwhile")
	}
	if err != nil {
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = x.Close(bound, false)
		return nil, fmt.Errorf("open session: read the roster record back: %w", err)
	}
	// Not while the table is imported or closed (table.go says why this order is
	// safe). Nothing was admitted, so the close is clean.
	if err := s.stillOpen(ctx); err != nil {
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = x.Close(bound, true)
		return nil, fmt.Errorf("open session: %w", err)
	}
	return x, nil
}

// Strike marks the roster records of processes that hold no session, and returns
// those of which none will: only they may be accounted for, or struck off.
//
// It writes the mark and then lists the sessions; a process that opens its session
// writes that and then reads its roster record. So whichever acts second sees what
// the other did: either the session is found here, and the process is left alone, or
// the process finds the mark, or no record at all, and gives its session up.
func (s *Store) Strike(ctx context.Context, ids []string) (map[string]bool, error) {
	struck := map[string]bool{}
	for _, id := range ids {
		rec, err := s.Roster().Get(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound):
			continue // somebody else has struck it off, or it has closed
		case err != nil:
			return nil, fmt.Errorf("strike: %w", err)
		case !rec.Value.Struck:
			rec.Value.Struck = true
			if _, err := s.Roster().Put(ctx, id, rec.Value, rec.Version); errors.Is(err, ErrConflict) {
				continue // it is looked at again later
			} else if err != nil {
				return nil, fmt.Errorf("strike: %w", err)
			}
		}
		struck[id] = true
	}
	if len(struck) == 0 {
		return struck, nil
	}
	sessions, _, err := s.Sessions().List(ctx)
	if err != nil {
		return nil, fmt.Errorf("strike: %w", err)
	}
	for _, x := range sessions {
		delete(struck, x.Name)
	}
	return struck, nil
}

// ID is the session's unique id.
func (x *Session) ID() string { return x.info.ID }

// TTL is the lease's duration in the store.
func (x *Session) TTL() time.Duration { return x.ttl }

// Valid reports whether the session cannot have lapsed. It is false from before
// the moment at which the store may say that the session is gone, because the
// deadline counts from before the renewal was sent, on a clock that counts
// suspend, less the margin.
func (x *Session) Valid() bool { return x.ValidAt(x.now()) }

// ValidAt is Valid for who has just read the session's clock, SessionOptions.Now,
// itself.
func (x *Session) ValidAt(now time.Duration) bool {
	select {
	case <-x.lost:
		return false
	default:
	}
	if int64(now) < x.deadline.Load() {
		return true
	}
	// Once invalid, invalid for ever: a renewal that succeeds after the deadline
	// must not make a ticket valid again that somebody was already told is not.
	x.markLost()
	return false
}

// Lost is closed when the session has lapsed or may have.
func (x *Session) Lost() <-chan struct{} { return x.lost }

func (x *Session) markLost() { x.lose.Do(func() { close(x.lost) }) }

// Run renews the session until the context ends (nil) or the session is lost
// (ErrSessionLost). It does not close it.
func (x *Session) Run(ctx context.Context) error {
	every := x.ttl / 4
	t := time.NewTimer(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-x.lost:
			return ErrSessionLost
		case <-t.C:
		}
		if !x.Valid() {
			return ErrSessionLost
		}
		err := x.Renew(ctx)
		switch {
		case err == nil:
			t.Reset(every)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, driver.ErrSessionLost):
			x.markLost()
			return ErrSessionLost
		default:
			x.s.log.Warn("session renewal failed, trying again", "session", x.info.ID, "error", err)
			t.Reset(every / 8)
		}
	}
}

// Validity is for how long the session is valid, counted from before it was opened or
// renewed: the TTL less the margin.
func (x *Session) Validity() time.Duration { return x.ttl - x.margin }

// Renew renews the session once. It is for whoever holds it for another process, and
// renews it only when that process asks; others call Run. ErrSessionLost: it has ended,
// for ever. After any other error it may have been renewed or not, and is as valid as it
// was.
func (x *Session) Renew(ctx context.Context) error {
	sent := x.now()
	c, cancel := context.WithTimeout(ctx, x.ttl/4)
	defer cancel()
	if err := x.d.Renew(c); err != nil {
		if errors.Is(err, driver.ErrSessionLost) {
			x.markLost()
			return err
		}
		return unavailable(ctx, "renew session", err)
	}
	// Valid before extending: a renewal whose answer took longer than the old
	// deadline must not revive the session.
	if !x.Valid() {
		return driver.ErrSessionLost
	}
	x.deadline.Store(int64(sent + x.ttl - x.margin))
	return nil
}

// Publish replaces the report. ErrSessionLost once the session is gone; any
// other error leaves it unknown which report is there, and the caller publishes
// again.
func (x *Session) Publish(ctx context.Context, r Report) error {
	value, err := json.Marshal(SessionRecord{x.info, r})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	c, cancel := context.WithTimeout(ctx, x.s.timeout)
	defer cancel()
	if _, err := x.d.Update(c, value); err != nil {
		if errors.Is(err, driver.ErrSessionLost) {
			x.markLost()
			return fmt.Errorf("publish: %w", err)
		}
		return unavailable(ctx, "publish", err)
	}
	return nil
}

// Close ends the session. With clean it also strikes the process off the
// roster, which says: nothing that this process did needs reconciling. Without,
// the controller treats the session as vanished.
func (x *Session) Close(ctx context.Context, clean bool) error {
	valid := x.Valid()
	x.markLost()
	c, cancel := context.WithTimeout(ctx, x.s.timeout)
	defer cancel()
	err := x.d.Close(c)
	if err != nil && !errors.Is(err, driver.ErrSessionLost) {
		return unavailable(ctx, "close session", err)
	}
	if !clean || !valid || err != nil {
		return nil
	}
	// After the session, not before: a roster record without a session is safe,
	// a session without a roster record could vanish unseen.
	rec, err := x.s.Roster().Get(ctx, x.info.ID)
	if err != nil {
		return fmt.Errorf("strike session off the roster: %w", err)
	}
	if err := x.s.Roster().Delete(ctx, x.info.ID, rec.Version); err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("strike session off the roster: %w", err)
	}
	return nil
}

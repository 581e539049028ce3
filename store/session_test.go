package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// hand is a clock that somebody turns.
type hand struct{ ns atomic.Int64 }

func (h *hand) now() time.Duration  { return time.Duration(h.ns.Load()) }
func (h *hand) set(d time.Duration) { h.ns.Store(int64(d)) }
func (h *hand) options() *store.SessionOptions {
	return &store.SessionOptions{TTL: 10 * time.Second, Margin: 2 * time.Second, Now: h.now}
}

var info = store.Info{Kind: store.KindProxy, Name: "proxy-1", Address: "http://127.0.0.1:1", Build: "test"}

func open(t *testing.T, s *store.Store, o *store.SessionOptions) *store.Session {
	t.Helper()
	return must[*store.Session](t)(s.OpenSession(t.Context(), info, store.Report{Applied: 3}, o))
}

// The deadline is the TTL less the margin, counted from before the lease was
// asked for: valid strictly before it, never again after.
func TestSessionDeadline(t *testing.T) {
	s, _ := newStore(t)
	var clock hand
	clock.set(100 * time.Second)
	x := open(t, s, clock.options())
	clock.set(108*time.Second - 1)
	if !x.Valid() {
		t.Error("invalid one nanosecond before its deadline")
	}
	clock.set(108 * time.Second)
	if x.Valid() {
		t.Error("valid at its deadline")
	}
	select {
	case <-x.Lost():
	default:
		t.Error("lapsed, and Lost does not say so")
	}
	clock.set(100 * time.Second)
	if x.Valid() {
		t.Error("it came back when the clock did")
	}
}

// slowDriver lets the clock run on while the store is working.
type slowDriver struct {
	*memstore.Store
	clock *hand
	took  time.Duration
}

func (d *slowDriver) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	d.clock.set(d.clock.now() + d.took)
	x, err := d.Store.Open(ctx, key, value, ttl)
	return &slowSession{x, d}, err
}

type slowSession struct {
	driver.Session
	d *slowDriver
}

func (x *slowSession) Renew(ctx context.Context) error {
	x.d.clock.set(x.d.clock.now() + x.d.took)
	return x.Session.Renew(ctx)
}

func TestSessionCountsFromBeforeItAsked(t *testing.T) {
	m := memstore.New(nil)
	defer func() { _ = m.Close() }()
	var clock hand
	d := &slowDriver{Store: m, clock: &clock, took: 5 * time.Second}
	x := open(t, store.New(d, nil), clock.options())
	clock.set(8*time.Second - 1)
	if !x.Valid() {
		t.Error("invalid before its deadline")
	}
	clock.set(8 * time.Second)
	if x.Valid() {
		t.Error("the time that the store took to open it was added to the lease")
	}
}

// A renewal that the store grants after the deadline revives nothing.
func TestLateRenewalNeverRevives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memstore.New(nil)
		defer func() { _ = m.Close() }()
		var clock hand
		d := &slowDriver{Store: m, clock: &clock}
		x := open(t, store.New(d, nil), clock.options())
		d.took = 9 * time.Second // past the deadline, within the store's lease
		done := make(chan error, 1)
		go func() { done <- x.Run(t.Context()) }()
		if err := <-done; !errors.Is(err, store.ErrSessionLost) {
			t.Errorf("Run: %v", err)
		}
		clock.set(0)
		if x.Valid() {
			t.Error("valid again")
		}
	})
}

// Run keeps the session, for as long as the store answers.
func TestSessionRunRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memstore.New(nil)
		defer func() { _ = m.Close() }()
		s := store.New(m, nil)
		began := time.Now()
		o := &store.SessionOptions{TTL: 10 * time.Second, Now: func() time.Duration { return time.Since(began) }}
		x := open(t, s, o)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- x.Run(ctx) }()
		time.Sleep(time.Hour + time.Second) // a second after a renewal, which come every 2.5 s
		if !x.Valid() || x.TTL() != 10*time.Second {
			t.Error("lost, with a store that answers")
		}
		must[store.Record[store.SessionRecord]](t)(s.Sessions().Get(t.Context(), x.ID()))
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run at its context's end: %v", err)
		}
		// Nobody renews any more: the instance stops first, then the store says so.
		time.Sleep(8 * time.Second)
		synctest.Wait()
		if x.Valid() {
			t.Error("valid for longer than the TTL less the margin")
		}
		if _, err := s.Sessions().Get(t.Context(), x.ID()); err != nil {
			t.Errorf("the store dropped it before the TTL: %v", err)
		}
		time.Sleep(3 * time.Second)
		if x.Valid() {
			t.Error("valid after the TTL")
		}
		if _, err := s.Sessions().Get(t.Context(), x.ID()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after the TTL: %v", err)
		}
		must[store.Record[store.RosterRecord]](t)(s.Roster().Get(t.Context(), x.ID()))
	})
}

// What the store says is gone is lost: for Run, for Publish, for a clean close.
func TestSessionThatTheStoreEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memstore.New(nil)
		defer func() { _ = m.Close() }()
		s := store.New(m, nil)
		var stopped hand // an instance whose clock stood still
		x, y := open(t, s, stopped.options()), open(t, s, stopped.options())
		time.Sleep(11 * time.Second)
		if !x.Valid() {
			t.Fatal("the test's own clock moved")
		}
		if err := x.Publish(t.Context(), store.Report{}); !errors.Is(err, store.ErrSessionLost) || x.Valid() {
			t.Errorf("publish: %v, valid %t", err, x.Valid())
		}
		if err := y.Run(t.Context()); !errors.Is(err, store.ErrSessionLost) || y.Valid() {
			t.Errorf("run: %v, valid %t", err, y.Valid())
		}
		for _, z := range []*store.Session{x, y} {
			if err := z.Close(t.Context(), true); err != nil {
				t.Error(err)
			}
			must[store.Record[store.RosterRecord]](t)(s.Roster().Get(t.Context(), z.ID()))
		}
	})
}

func TestPublishReplacesTheReport(t *testing.T) {
	s, _ := newStore(t)
	x := open(t, s, nil)
	want := store.Report{
		Applied: 9, Pending: []placement.PartitionID{"acme"}, Unresolved: []placement.PartitionID{"b"},
		Journals: map[placement.PartitionID]store.JournalHead{"acme": {Head: 4, Lost: true}},
		Tasks:    map[placement.PartitionID][]store.Task{"acme": {{Cluster: "east", ID: "n:1"}}},
	}
	if err := x.Publish(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got := must[store.Record[store.SessionRecord]](t)(s.Sessions().Get(t.Context(), x.ID())).Value
	if d := cmp.Diff(want, got.Report); d != "" || got.Name != "proxy-1" || got.ID != x.ID() {
		t.Errorf("%+v\n%s", got.Info, d)
	}
}

// A clean close leaves nothing. Any other end leaves the roster record, by
// which a controller sees that somebody vanished.
func TestCloseAndTheRoster(t *testing.T) {
	for _, c := range []struct {
		name     string
		clean    bool
		lapse    bool
		onRoster bool
	}{{"clean", true, false, false}, {"not clean", false, false, true}, {"clean, but lapsed", true, true, true}} {
		s, _ := newStore(t)
		var clock hand
		x := open(t, s, clock.options())
		if c.lapse {
			clock.set(time.Hour)
		}
		if err := x.Close(t.Context(), c.clean); err != nil {
			t.Fatal(err)
		}
		_, session := s.Sessions().Get(t.Context(), x.ID())
		_, roster := s.Roster().Get(t.Context(), x.ID())
		if !errors.Is(session, store.ErrNotFound) || c.onRoster == errors.Is(roster, store.ErrNotFound) || x.Valid() {
			t.Errorf("%s: session %v, roster %v, valid %t", c.name, session, roster, x.Valid())
		}
	}
}

// Whatever fails while opening: there is never a session without a roster record.
func TestOpenSessionFails(t *testing.T) {
	for _, c := range []struct {
		name          string
		writes, opens []fault
	}{
		{"roster", []fault{failed}, nil}, {"roster, but written", []fault{failedAfter}, nil},
		{"lease", nil, []fault{failed}}, {"lease, but opened", nil, []fault{failedAfter}},
	} {
		s, d := newStore(t)
		d.writes, d.opens = c.writes, c.opens
		x, err := s.OpenSession(t.Context(), info, store.Report{}, nil)
		if x != nil || !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", c.name, err)
		}
		sessions, _, err := s.Sessions().List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range sessions {
			if _, err := s.Roster().Get(t.Context(), rec.Name); err != nil {
				t.Errorf("%s: a session that is not on the roster: %v", c.name, err)
			}
		}
	}
}

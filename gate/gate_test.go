package gate_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
)

var (
	placeA = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "docs-1", Logical: "docs"}
	placeB = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "docs-2", Logical: "docs"}
)

const acme = placement.PartitionID("acme")

type fleet struct {
	t     *testing.T
	store *store.Store
	mem   *memstore.Store
}

func newFleet(t *testing.T) *fleet {
	mem := memstore.New(nil)
	f := &fleet{t: t, store: store.New(mem, nil), mem: mem}
	if _, err := f.store.Register(t.Context(), acme, placeA); err != nil {
		t.Fatal(err)
	}
	return f
}

// join runs a gate until the test ends and waits until it serves.
func (f *fleet) join(o *gate.Options) (*gate.Gate, func()) {
	f.t.Helper()
	g, err := gate.New(f.store, o)
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := g.Run(ctx); err != nil {
			f.t.Errorf("Run: %v", err)
		}
	}()
	stop := sync.OnceFunc(func() { cancel(); <-done })
	f.t.Cleanup(stop)
	f.until("the gate serves", func() bool { return g.Ready() == nil })
	return g, stop
}

func (f *fleet) until(what string, ok func() bool) {
	f.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			f.t.Fatalf("gave up waiting until %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func (f *fleet) step(cmd placement.Command) placement.Entry {
	f.t.Helper()
	e, err := f.store.Apply(f.t.Context(), acme, cmd)
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

func (f *fleet) begin() placement.Entry {
	f.t.Helper()
	return f.step(placement.Command{Op: placement.OpBegin, To: placeB, Attempt: placement.Attempt{Move: "m1"}})
}

// report is the only session's.
func (f *fleet) report() store.SessionRecord {
	f.t.Helper()
	all, _, err := f.store.Sessions().List(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if len(all) != 1 {
		return store.SessionRecord{}
	}
	return all[0].Value
}

func (f *fleet) write(g *gate.Gate) *gate.Ticket {
	f.t.Helper()
	t, err := g.Write(f.t.Context(), acme, 10)
	if err != nil {
		f.t.Fatal(err)
	}
	return t
}

func TestAnOldTicketIsPendingUntilItEnds(t *testing.T) {
	f := newFleet(t)
	g, _ := f.join(nil)
	old := f.write(g)
	e := f.begin()
	f.until("the begin epoch is applied", func() bool { return f.report().Applied >= e.Epoch })
	if !slices.Contains(f.report().Pending, acme) {
		t.Fatalf("a write admitted before begin is not pending: %+v", f.report().Report)
	}
	if err := old.Done(); err != nil {
		t.Fatal(err)
	}
	f.until("nothing is pending", func() bool { return len(f.report().Pending) == 0 })
}

// Nothing else may happen for hours that would publish it.
func TestATaskIsPublishedUntilItsTicketEnds(t *testing.T) {
	f := newFleet(t)
	g, _ := f.join(nil)
	w := f.write(g)
	w.SetTask(store.Task{Cluster: "a", ID: "n:1"})
	f.until("the task is published", func() bool { return len(f.report().Tasks[acme]) == 1 })
	if err := w.Done(); err != nil {
		t.Fatal(err)
	}
	f.until("the task is not published any more", func() bool { return len(f.report().Tasks) == 0 })
}

func TestAWriteIsHeldInCutoverAndThenGoesToB(t *testing.T) {
	f := newFleet(t)
	g, _ := f.join(nil)
	f.begin()
	cut := f.step(placement.Command{Op: placement.OpCutover})
	got := make(chan *gate.Ticket)
	go func() {
		tk, err := g.Write(context.Background(), acme, 10)
		if err != nil {
			t.Error(err)
		}
		got <- tk
	}()
	f.until("the write is held", func() bool { return g.Stats().Held == 1 })
	if tk, err := g.WriteNow(t.Context(), acme); tk != nil || err != nil {
		t.Fatalf("WriteNow in Cutover: %v, %v", tk, err)
	}
	r, err := g.Read(t.Context(), acme)
	if err != nil || r.Entry().State.From != placeA {
		t.Fatalf("a read in Cutover: %v, %v; want A", r, err)
	}
	r.Done()
	select {
	case <-got:
		t.Fatal("a write was admitted in Cutover")
	default:
	}
	f.step(placement.Command{Op: placement.OpComplete, Expect: cut.Epoch})
	tk := <-got
	if tk.Entry().State.From != placeB || tk.Held() <= 0 {
		t.Fatalf("went to %v, held %v", tk.Entry().State.From, tk.Held())
	}
	if err := tk.Done(); err != nil {
		t.Fatal(err)
	}
	f.until("the hold is accounted for", func() bool { return g.Stats().Held == 0 })
}

func TestHoldingIsBounded(t *testing.T) {
	f := newFleet(t)
	g, _ := f.join(&gate.Options{HoldDeadline: 50 * time.Millisecond, HoldRequests: 1})
	f.begin()
	f.step(placement.Command{Op: placement.OpCutover})
	var reasons sync.Map
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			_, err := g.Write(context.Background(), acme, 1)
			var u *gate.UnavailableError
			if !errors.As(err, &u) || u.RetryAfter <= 0 {
				t.Errorf("got %v, want an *UnavailableError with RetryAfter", err)
				return
			}
			reasons.Store(u.Reason, true)
		})
	}
	wg.Wait()
	for _, want := range []gate.Reason{gate.ReasonHoldDeadline, gate.ReasonHoldFull} {
		if _, ok := reasons.Load(want); !ok {
			t.Errorf("no write was refused because of %s", want)
		}
	}
}

func TestALapsedSessionSendsAndAcknowledgesNothing(t *testing.T) {
	f := newFleet(t)
	var skew atomic.Int64
	start := time.Now()
	g, _ := f.join(&gate.Options{Now: func() time.Duration { return time.Since(start) + time.Duration(skew.Load()) }})
	unsent, sent := f.write(g), f.write(g)
	if err := sent.Send(); err != nil {
		t.Fatal(err)
	}
	first := f.report().ID
	skew.Store(int64(time.Hour)) // as after a pause of the whole process
	if err := unsent.Send(); !errors.Is(err, gate.ErrFenced) {
		t.Fatalf("Send after the pause: %v, want ErrFenced", err)
	}
	unsent.Cancel()
	f.until("another session serves", func() bool { return g.Ready() == nil && f.report().ID != first && f.report().ID != "" })
	if err := sent.Done(); !errors.Is(err, gate.ErrOutcomeUnknown) {
		t.Fatalf("Done under the new session: %v, want ErrOutcomeUnknown", err)
	}
	roster, _, err := f.store.Roster().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(roster, func(r store.Record[store.RosterRecord]) bool { return r.Name == first }) {
		t.Fatal("the lapsed session is not on the roster any more: nobody would reconcile")
	}
}

func TestTheNewSessionReportsTheOldOnesTickets(t *testing.T) {
	f := newFleet(t)
	var skew atomic.Int64
	start := time.Now()
	g, _ := f.join(&gate.Options{Now: func() time.Duration { return time.Since(start) + time.Duration(skew.Load()) }})
	old := f.write(g)
	first := f.report().ID
	skew.Store(int64(time.Hour))
	g.Ready()
	f.until("another session serves", func() bool { return g.Ready() == nil && f.report().ID != first && f.report().ID != "" })
	e := f.begin()
	f.until("the epoch is applied", func() bool { return f.report().Applied >= e.Epoch })
	if !slices.Contains(f.report().Pending, acme) {
		t.Fatal("a ticket of the lapsed session is not pending in the new one")
	}
	_ = old.Done()
	f.until("nothing is pending", func() bool { return len(f.report().Pending) == 0 })
}

func TestAnUnknownOutcomeStaysUnresolvedAndIsJournaledThen(t *testing.T) {
	f := newFleet(t)
	secret := []byte("fleet")
	g, _ := f.join(&gate.Options{DrainBarrier: 200 * time.Millisecond, FleetSecret: secret})
	srv := httptest.NewServer(g.FleetHandler())
	defer srv.Close()
	f.begin()
	f.until("it drains", func() bool { return f.report().Applied > 1 })
	tk := f.write(g)
	ref := gate.DocRef{Index: "docs", ID: "1", Routing: "r"}
	tk.Record(ref)
	if err := tk.Send(); err != nil {
		t.Fatal(err)
	}
	tk.Unknown()
	peers := gate.NewPeers(secret, srv.Client())
	f.until("it is published as unresolved", func() bool { return slices.Contains(f.report().Unresolved, acme) })
	info := f.report().Info
	info.Address = srv.URL
	if p, err := peers.Pull(t.Context(), info, acme, 0, 10); err != nil || len(p.Entries) != 0 {
		t.Fatalf("the id is readable before the drain has ended: %+v, %v", p, err)
	}
	f.until("the drain has ended", func() bool { return len(f.report().Unresolved) == 0 })
	p, err := peers.Pull(t.Context(), info, acme, 0, 10)
	if err != nil || len(p.Entries) != 1 || p.Entries[0].Doc != ref || p.Head != 1 {
		t.Fatalf("journal after the drain: %+v, %v", p, err)
	}
	if err := peers.Confirm(t.Context(), info, acme, p.Head); err != nil {
		t.Fatal(err)
	}
	if p, err := peers.Pull(t.Context(), info, acme, 0, 10); err != nil || len(p.Entries) != 0 {
		t.Fatalf("after confirming: %+v, %v", p, err)
	}
	other := info
	other.ID = "another"
	if _, err := peers.Pull(t.Context(), other, acme, 0, 10); !errors.Is(err, gate.ErrJournalLost) {
		t.Fatalf("a pull that names another session: %v, want ErrJournalLost", err)
	}
	if _, err := gate.NewPeers([]byte("wrong"), srv.Client()).Pull(t.Context(), info, acme, 0, 10); err == nil || errors.Is(err, gate.ErrJournalLost) {
		t.Fatalf("a pull with the wrong secret: %v", err)
	}
}

func TestTheJournalIsBoundedAndSaysSo(t *testing.T) {
	f := newFleet(t)
	secret := []byte("s")
	g, _ := f.join(&gate.Options{JournalLimit: 3, FleetSecret: secret})
	srv := httptest.NewServer(g.FleetHandler())
	defer srv.Close()
	f.begin()
	for _, id := range []string{"1", "2", "2", "3", "4", "5"} {
		tk := f.write(g)
		tk.Record(gate.DocRef{Index: "docs", ID: id})
		if err := tk.Done(); err != nil {
			t.Fatal(err)
		}
	}
	peers := gate.NewPeers(secret, nil)
	info := f.report().Info
	info.Address = srv.URL
	p, err := peers.Pull(t.Context(), info, acme, 0, 10)
	if err != nil || !p.Lost || p.Head != 6 || len(p.Entries) != 1 || p.Entries[0].Doc.ID != "5" {
		t.Fatalf("%+v, %v; want lost, head 6, and only what came after", p, err)
	}
	if err := peers.Confirm(t.Context(), info, acme, 6); err != nil {
		t.Fatal(err)
	}
	if p, err = peers.Pull(t.Context(), info, acme, 0, 10); err != nil || p.Lost {
		t.Fatalf("after confirming its head: %+v, %v", p, err)
	}
}

func TestACleanCloseStrikesTheRoster(t *testing.T) {
	f := newFleet(t)
	g, stop := f.join(nil)
	if err := f.write(g).Done(); err != nil {
		t.Fatal(err)
	}
	stop()
	roster, _, err := f.store.Roster().List(t.Context())
	if err != nil || len(roster) != 0 {
		t.Fatalf("roster after a clean close: %v, %v", roster, err)
	}
	if _, err := g.Write(t.Context(), acme, 0); err == nil {
		t.Fatal("a write was admitted after the gate had closed")
	}
}

func TestAnUnconfirmedJournalMakesTheCloseAVanish(t *testing.T) {
	f := newFleet(t)
	g, stop := f.join(&gate.Options{CloseDeadline: 50 * time.Millisecond})
	f.begin()
	tk := f.write(g)
	tk.Record(gate.DocRef{Index: "docs", ID: "1"})
	if err := tk.Done(); err != nil {
		t.Fatal(err)
	}
	stop()
	roster, _, err := f.store.Roster().List(t.Context())
	if err != nil || len(roster) != 1 {
		t.Fatalf("roster: %v, %v; want the record to stay, so that the move reconciles", roster, err)
	}
}

// TestM1 lets writers race with whole moves and checks, at each published clear
// acknowledgement, that no write admitted before it is still open.
func TestM1(t *testing.T) {
	f := newFleet(t)
	g, _ := f.join(nil)
	var open sync.Map // *gate.Ticket -> epoch
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var writes atomic.Int64
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				tk, err := g.Write(ctx, acme, 1)
				if err != nil {
					if ctx.Err() == nil {
						t.Error(err)
					}
					return
				}
				if tk.Entry().State.Phase == placement.Cutover {
					t.Error("admitted in Cutover")
				}
				open.Store(tk, tk.Entry().Epoch)
				writes.Add(1)
				open.Delete(tk)
				if err := tk.Done(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	clear := func(epoch placement.Epoch) {
		f.until("the fleet acknowledges", func() bool {
			r := f.report()
			return r.Applied >= epoch && len(r.Pending) == 0
		})
		open.Range(func(k, v any) bool {
			if v.(placement.Epoch) < epoch {
				t.Errorf("epoch %d is acknowledged while a write of epoch %d is open", epoch, v)
			}
			return true
		})
	}
	for i := range 50 {
		to := placeB
		if i%2 == 1 {
			to = placeA
		}
		e := f.step(placement.Command{Op: placement.OpBegin, To: to, Attempt: placement.Attempt{Move: "m"}})
		clear(e.Epoch)
		e = f.step(placement.Command{Op: placement.OpCutover, Expect: e.Epoch})
		clear(e.Epoch)
		f.step(placement.Command{Op: placement.OpComplete, Expect: e.Epoch})
	}
	cancel()
	wg.Wait()
	if writes.Load() < 100 {
		t.Fatalf("only %d writes", writes.Load())
	}
}

func TestUnknownPartitionIsNotUnavailable(t *testing.T) {
	f := newFleet(t)
	g, _ := f.join(nil)
	if _, err := g.Read(t.Context(), "nobody"); !errors.Is(err, placement.ErrUnknownPartition) {
		t.Fatalf("got %v", err)
	}
	if _, err := g.Write(t.Context(), "nobody", 0); !errors.Is(err, placement.ErrUnknownPartition) {
		t.Fatalf("got %v", err)
	}
}

func TestFreshSeesAFlipThatWasAcknowledgedBefore(t *testing.T) {
	f := newFleet(t)
	g, _ := f.join(nil)
	for i := range 200 {
		to := placeB
		if i%2 == 1 {
			to = placeA
		}
		f.step(placement.Command{Op: placement.OpBegin, To: to, Attempt: placement.Attempt{Move: "m"}})
		e := f.step(placement.Command{Op: placement.OpCutover})
		f.step(placement.Command{Op: placement.OpComplete, Expect: e.Epoch})
		r, err := g.Read(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		if r.Entry().State.From != to {
			t.Fatalf("flip %d: a read went to %v after the flip to %v was acknowledged", i, r.Entry().State.From, to)
		}
		r.Done()
	}
}

package gate_test

import (
	"context"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/clock"
	"github.com/sluiceproxy/sluice/placement"
)

// A confirmation that was sent by a driver of an earlier move must not make a later move's journal forget.
func TestALateConfirmationOfAnEarlierMoveForgetsNothing(t *testing.T) {
	f := newFleet(t)
	secret := []byte("s")
	g, _ := f.join(&gate.Options{FleetSecret: secret})
	srv := httptest.NewServer(g.FleetHandler())
	defer srv.Close()
	peers := gate.NewPeers(secret, nil)
	journaled := func(e placement.Entry, id string) {
		f.until("the epoch is applied", func() bool { return f.report().Applied >= e.Epoch })
		w := f.write(g)
		w.Record(gate.DocRef{Index: "docs", ID: id})
		if err := w.Done(); err != nil {
			t.Fatal(err)
		}
	}
	journaled(f.begin(), "1")
	e := f.step(placement.Command{Op: placement.OpAbort})
	f.until("the abort is applied", func() bool { return f.report().Applied >= e.Epoch })
	journaled(f.step(placement.Command{Op: placement.OpBegin, To: placeB, Attempt: placement.Attempt{Move: "m2"}}), "2")

	info := f.report().Info
	info.Address = srv.URL
	if err := peers.Confirm(t.Context(), info, acme, 1); err != nil { // m1's driver was paused before it sent this
		t.Logf("refused: %v", err)
	}
	p, err := peers.Pull(t.Context(), info, acme, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Entries) != 1 || p.Entries[0].Doc.ID != "2" {
		t.Fatalf("move m2's journal is %+v; it must hold document 2, which m2 has not read", p)
	}
}

// A write that took its session just before the gate began to close must not be sent once the gate has found nothing open
// and is about to strike itself off the roster.
func TestAWriteThatMeetsACleanCloseIsCountedOrRefused(t *testing.T) {
	f := newFleet(t)
	var armed, looks atomic.Int32
	entered, release := make(chan struct{}), make(chan struct{})
	closing, closed := make(chan struct{}), make(chan struct{})
	now := func() time.Duration {
		d := clock.SinceBoot()
		switch armed.Load() {
		case 1:
			if looks.Add(1) == 2 { // Write's own look at the session; the first was settle's
				close(entered)
				<-release
			}
		case 2:
			if armed.CompareAndSwap(2, 0) { // Session.Close's look: nothing was open
				close(closing)
				<-closed
			}
		}
		return d
	}
	g, err := gate.New(f.store, &gate.Options{Now: now, TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = g.Run(ctx) })
	f.until("the gate serves", func() bool { return g.Ready() == nil })
	armed.Store(1)
	outcome := make(chan error, 1)
	go func() {
		w, err := g.Write(context.Background(), acme, 1)
		if err == nil {
			err = w.Send()
		}
		outcome <- err
	}()
	<-entered
	armed.Store(2)
	cancel()
	<-closing
	close(release)
	err = <-outcome
	close(closed)
	run.Wait()
	left, _, lerr := f.store.Roster().List(t.Context())
	if lerr != nil {
		t.Fatal(lerr)
	}
	if err == nil && len(left) == 0 {
		t.Fatal("a write was sent, and the instance was struck off the roster as if it had left nothing behind")
	}
}

package control_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

func open(t *testing.T, s *store.Store, name string, r store.Report) *store.Session {
	t.Helper()
	x, err := s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: name}, r, &store.SessionOptions{TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func publish(t *testing.T, x *store.Session, r store.Report) {
	t.Helper()
	if err := x.Publish(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

const grace = 80 * time.Millisecond

func fastBarrier(s *store.Store) *control.FleetBarrier {
	return control.NewFleetBarrier(s, &control.FleetBarrierOptions{Grace: grace})
}

func TestFleetBarrierVerdicts(t *testing.T) {
	acme := []placement.PartitionID{"acme"}
	for _, test := range []struct {
		name   string
		report store.Report
		want   string // empty: clear
	}{
		{"clear", store.Report{Applied: 7}, ""},
		{"ahead", store.Report{Applied: 9, Journals: map[placement.PartitionID]store.JournalHead{"acme": {Head: 3}}}, ""},
		{"others' business", store.Report{Applied: 7, Pending: []placement.PartitionID{"b"}, Unresolved: []placement.PartitionID{"b"}}, ""},
		{"behind", store.Report{Applied: 6}, "applying"},
		{"pending", store.Report{Applied: 7, Pending: acme}, "pending"},
		{"unresolved", store.Report{Applied: 7, Unresolved: acme}, "unresolved"},
		{"task", store.Report{Applied: 7, Tasks: map[placement.PartitionID][]store.Task{"acme": {{ID: "n:1"}}}}, "unresolved"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, _ := newStore(t)
			open(t, s, "good", store.Report{Applied: 8})
			x := open(t, s, "tested", test.report)
			patience := time.Minute // it does not wait for what is clear, nor over what does not end
			if test.want == "applying" || test.want == "pending" {
				patience = 500 * time.Millisecond
			}
			bound, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			clear, err := fastBarrier(s).Wait(bound, "acme", 7, nil)
			got := ""
			var pending *control.BarrierPending
			var unresolved *control.UnresolvedError
			switch {
			case errors.As(err, &pending):
				if len(pending.Laggards) != 1 || pending.Laggards[0].Name != "tested" || pending.Laggards[0].Session != x.ID() || pending.Laggards[0].Silent < 40*time.Millisecond {
					t.Fatalf("laggards %+v", pending.Laggards)
				}
				got = pending.Laggards[0].Reason
			case errors.As(err, &unresolved):
				got = "unresolved"
				if !cmp.Equal(unresolved.Proxies, []string{"tested"}) {
					t.Errorf("named %v", unresolved.Proxies)
				}
			case err != nil:
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if test.want == "" && (len(clear.Proxies) != 2 || clear.Heads[x.ID()] != test.report.Journals["acme"]) {
				t.Errorf("clear: %+v", clear)
			}
		})
	}
}

func TestFleetBarrierWaitsForTheAcknowledgement(t *testing.T) {
	s, _ := newStore(t)
	x := open(t, s, "p", store.Report{Applied: 6})
	done := make(chan error, 1)
	var clear control.Clear
	go func() {
		var err error
		clear, err = fastBarrier(s).Wait(t.Context(), "acme", 7, nil)
		done <- err
	}()
	publish(t, x, store.Report{Applied: 7, Pending: []placement.PartitionID{"acme"}})
	select {
	case err := <-done:
		t.Fatalf("passed while writes were open: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	publish(t, x, store.Report{Applied: 7, Journals: map[placement.PartitionID]store.JournalHead{"acme": {Head: 5}}})
	if err := <-done; err != nil || clear.Heads[x.ID()].Head != 5 {
		t.Errorf("%+v, %v", clear, err)
	}
}

func TestVanishedProxyIsNeverSkipped(t *testing.T) {
	s, _ := newStore(t)
	b := fastBarrier(s)
	x := open(t, s, "gone", store.Report{Applied: 6})
	done := make(chan error, 1)
	go func() { _, err := b.Wait(t.Context(), "acme", 7, nil); done <- err }()
	if err := x.Close(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	var vanished *control.VanishedError
	if err := <-done; !errors.As(err, &vanished) || !cmp.Equal(vanished.Names, []string{"gone"}) {
		t.Fatalf("vanished during the wait: %v", err)
	}
	if err := b.Check(t.Context(), "acme", nil); !errors.As(err, &vanished) {
		t.Errorf("check: %v", err)
	}
	p := control.New(s, b, nil)
	inCutover(t, p)
	if _, err := p.CompleteMigration(t.Context(), acme); !errors.As(err, &vanished) {
		t.Errorf("complete: %v", err)
	}
	accounted := func(session string) bool { return session == x.ID() }
	if _, err := b.Wait(t.Context(), "acme", 7, accounted); err != nil {
		t.Errorf("accounted for: %v", err)
	}
}

func TestCleanCloseIsNoVanish(t *testing.T) {
	s, _ := newStore(t)
	x := open(t, s, "closing", store.Report{Applied: 6})
	done := make(chan error, 1)
	go func() { _, err := fastBarrier(s).Wait(t.Context(), "acme", 7, nil); done <- err }()
	if err := x.Close(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("a clean close: %v", err)
	}
}

func TestFleetBarrierRefusesEarlyCompletion(t *testing.T) {
	s, f := newStore(t)
	p := control.New(s, fastBarrier(s), nil)
	x := open(t, s, "slow", store.Report{})
	e := inCutover(t, p)
	_, err := p.CompleteMigration(t.Context(), acme)
	var pending *control.BarrierPending
	if !errors.As(err, &pending) || len(pending.Laggards) != 1 || pending.Laggards[0].Name != "slow" {
		t.Errorf("early completion: %v", err)
	}
	f.down.Store(true)
	if _, err := fastBarrier(s).Wait(t.Context(), "acme", e.Epoch, nil); !errors.Is(err, control.ErrStoreUnavailable) {
		t.Errorf("barrier over an unreachable store: %v", err)
	}
	f.down.Store(false)
	publish(t, x, store.Report{Applied: e.Epoch})
	if _, err := p.CompleteMigration(t.Context(), acme); err != nil {
		t.Error(err)
	}
}

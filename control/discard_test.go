package control_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// A record that is behind what its partition has become ends, and nothing is
// removed where the partition lives: the clusters here do not even answer.
func TestWhereThePartitionLivesIsNeverCleaned(t *testing.T) {
	s, _ := newStore(t)
	for _, name := range []string{"a", "b"} {
		if _, err := s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{"http://127.0.0.1:1"}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	p := control.New(s, control.NewFleetBarrier(s, nil), nil)
	inCutover(t, p) // by move m1
	if _, err := p.CompleteMigration(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	old := control.Move{ID: "m0", Partition: "acme", From: placeA, To: placeB, Stage: control.StageCatchingUp, BeginEpoch: 1}
	if _, err := control.Moves(s).Put(t.Context(), old.ID, old, 0); err != nil {
		t.Fatal(err)
	}
	b := &bench{s: s}
	c := control.NewController(s, gate.NewPeers(secret, nil), &control.ControllerOptions{Name: "c1", Scan: 10 * time.Millisecond})
	run(t, c)
	m := b.await(t, old.ID, settled)
	if m.Stage != control.StageFailed || !strings.Contains(m.Error, "not cleaned") {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
}

// A proxy that vanished while nothing moves is forgotten once its writes cannot
// take effect any more, which is the configured drain.
func TestVanishedProxyIsForgottenAfterTheConfiguredDrain(t *testing.T) {
	for _, test := range []struct {
		name  string
		drain time.Duration
		kept  bool
	}{{"passed", 20 * time.Millisecond, false}, {"not passed", time.Hour, true}} {
		t.Run(test.name, func(t *testing.T) {
			s, _ := newStore(t)
			x := open(t, s, "doomed", store.Report{})
			other := open(t, s, "other", store.Report{})
			if err := x.Close(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			run(t, control.NewController(s, gate.NewPeers(secret, nil), &control.ControllerOptions{Scan: 10 * time.Millisecond, DrainBarrier: test.drain}))
			on := func(id string) bool {
				_, err := s.Roster().Get(t.Context(), id)
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					t.Fatal(err)
				}
				return err == nil
			}
			deadline := time.Now().Add(time.Minute)
			if test.kept {
				deadline = time.Now().Add(300 * time.Millisecond) // many scans
			}
			for on(x.ID()) && time.Now().Before(deadline) {
				time.Sleep(10 * time.Millisecond)
			}
			if on(x.ID()) != test.kept || !on(other.ID()) {
				t.Errorf("on the roster: the vanished one %v, the living one %v", on(x.ID()), on(other.ID()))
			}
		})
	}
}

// A target that resets connections as a move begins delays it, no more.
func TestResetConnectionsDoNotEndAMoveThatBegins(t *testing.T) {
	t.Parallel()
	b := newBench(t, "reset", 50)
	to, err := url.Parse(b.urls["b"])
	if err != nil {
		t.Fatal(err)
	}
	var whole atomic.Bool
	forward := httputil.NewSingleHostReverseProxy(to)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !whole.Load() {
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	}))
	defer front.Close()
	r, err := b.s.Clusters().Get(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	r.Value.Endpoints = []string{front.URL}
	if _, err := b.s.Clusters().Put(t.Context(), "b", r.Value, r.Version); err != nil {
		t.Fatal(err)
	}
	b.start(t, b.s, "c1")
	m := b.request(t, "b")
	m = b.await(t, m.ID, func(m control.Move) bool { return m.Unreached >= 2 || m.Settled() })
	if m.Settled() || !strings.Contains(m.Progress.Note, "does not answer") {
		t.Fatalf("%s: %s (%s)", m.Stage, m.Error, m.Progress.Note)
	}
	whole.Store(true)
	if m = b.await(t, m.ID, settled); m.Stage != control.StageFlipped {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
	b.check(t)
}

// A target that never answers ends the move in less than a minute: it was sent nothing,
// so there is nothing to clean, and nobody waits until it can be asked.
func TestATargetThatNeverAnswersEndsAMoveThatBegins(t *testing.T) {
	synctest.Test(t, targetThatNeverAnswers)
}

func targetThatNeverAnswers(t *testing.T) {
	s, _ := newStore(t)
	began := time.Now()
	for _, name := range []string{"a", "b"} {
		if _, err := s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{"http://127.0.0.1:1"}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	m, err := control.RequestMove(t.Context(), s, control.Request{Partition: "acme", Cluster: "b"})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{s: s}
	run(t, control.NewController(s, gate.NewPeers(secret, nil), &control.ControllerOptions{Name: "c1", Scan: 10 * time.Millisecond}))
	m = b.await(t, m.ID, settled)
	if m.Stage != control.StageFailed || !strings.Contains(m.Error, "does not answer") || strings.Contains(m.Error, "could not be cleaned") {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
	if m.Attempt < 2 || m.Unreached != m.Attempt-1 {
		t.Errorf("%d attempts, %d unreached", m.Attempt, m.Unreached)
	}
	// Long enough for a node that restarts, and no longer.
	if took := time.Since(began); took < 20*time.Second || took > time.Minute {
		t.Errorf("it was tried for %v", took)
	}
}

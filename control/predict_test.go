package control_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// A move is predicted by the newest earlier ones between the same two clusters, and says
// by what.
func TestPredictionGoesByEarlierMoves(t *testing.T) {
	d := memstore.New(nil)
	t.Cleanup(func() { _ = d.Close() })
	s := store.New(d, nil)
	at := func(cluster string) placement.Placement {
		return placement.Placement{Kind: placement.DedicatedIndex, Cluster: cluster, Index: "i", Logical: "docs"}
	}
	if _, err := s.Register(t.Context(), "acme", at("a")); err != nil {
		t.Fatal(err)
	}
	n := 0
	past := func(from, to string, docs int64, took time.Duration, pause float64, limit float64) {
		t.Helper()
		n++
		id := fmt.Sprintf("m%03d", n)
		m := control.Move{ID: id, From: at(from), To: at(to), Stage: control.StageFlipped, Options: control.MoveOptions{CopyRate: limit},
			Receipt: &control.Receipt{From: at(from), To: at(to), Docs: docs, CopyTime: took, Pause: control.Pause{LongestMS: pause}}}
		if _, err := control.Moves(s).Put(t.Context(), id, m, 0); err != nil {
			t.Fatal(err)
		}
	}
	predict := func(limit float64) control.Prediction {
		t.Helper()
		p, err := control.PredictMove(t.Context(), s, control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CopyRate: limit}}, 100_000, 40<<20)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	past("b", "a", 50_000, time.Second, 1, 0) // the other way
	if p := predict(0); p.Moves != 0 || p.CopyTime != 20*time.Second || p.Pause != 100*time.Millisecond || !strings.Contains(p.Basis, "what OpenSearch usually takes") {
		t.Errorf("of nothing: %+v", p)
	}
	past("a", "b", 10, time.Second, 30, 0) // too few documents to tell a rate
	if p := predict(0); p.Moves != 1 || p.CopyTime != 20*time.Second || p.Pause != 30*time.Millisecond || !strings.Contains(p.Basis, "none copied 1000 documents") {
		t.Errorf("of one small move: %+v", p)
	}
	for i := range 9 {
		past("a", "b", 10_000*int64(i+1), 2*time.Second, float64(10*(i+1)), 0) // 5,000 to 45,000 a second
	}
	past("a", "b", 10_000, 100*time.Second, 90, 100) // as slow as it was told to be
	// The newest five: 30,000 to 45,000 a second, and pauses of 60 to 90, 90.
	if p := predict(0); p.Moves != 5 || p.CopyTime != 2500*time.Millisecond || p.Pause != 80*time.Millisecond || p.Docs != 100_000 || p.Bytes != 40<<20 {
		t.Errorf("of many: %+v", p)
	}
	if p := predict(1000); p.CopyTime != 100*time.Second {
		t.Errorf("with a limit: %+v", p)
	}
}

package control_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/mover"
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
		p, err := control.PredictMove(t.Context(), s, control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CopyRate: limit}}, mover.Report{Docs: 100_000, Bytes: 40 << 20})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	past("b", "a", 50_000, time.Second, 1, 0) // the other way
	if p := predict(0); p.Moves != 0 || p.CopyTime != 20*time.Second || p.Pause != 100*time.Millisecond || !strings.Contains(p.Basis, "what OpenSearch usually takes") || !strings.Contains(p.Basis, "could not be sampled: ") || p.RestsOn != control.GroundDefault || p.PauseRestsOn != control.GroundDefault {
		t.Errorf("of nothing: %+v", p)
	}
	past("a", "b", 10, time.Second, 30, 0) // too few documents to tell a rate
	if p := predict(0); p.Moves != 1 || p.CopyTime != 20*time.Second || p.Pause != 30*time.Millisecond || !strings.Contains(p.Basis, "none copied 1000 documents") || p.RestsOn != control.GroundDefault || p.PauseRestsOn != control.GroundReceipts {
		t.Errorf("of one small move: %+v", p)
	}
	for i := range 9 {
		past("a", "b", 10_000*int64(i+1), 2*time.Second, float64(10*(i+1)), 0) // 5,000 to 45,000 a second
	}
	past("a", "b", 10_000, 100*time.Second, 90, 100) // as slow as it was told to be
	// The newest five: 30,000 to 45,000 a second, and pauses of 60 to 90, 90.
	if p := predict(0); p.Moves != 5 || p.CopyTime != 2500*time.Millisecond || p.Pause != 80*time.Millisecond || p.Docs != 100_000 || p.Bytes != 40<<20 || p.RestsOn != control.GroundReceipts || p.Sample != nil {
		t.Errorf("of many: %+v", p)
	}
	if p := predict(1000); p.CopyTime != 100*time.Second {
		t.Errorf("with a limit: %+v", p)
	}
}

// What earlier moves do not tell a sample of the source does, and what neither tells is
// taken to be usual.
func TestPredictionBySample(t *testing.T) {
	read := mover.Sample{Docs: 600, Shards: 2, DocBytes: 1000, ReadRate: 1000, SourceTrip: time.Millisecond, TargetTrip: 3 * time.Millisecond}
	quick, large := read, read
	quick.ReadRate = 1e6
	large.ReadRate, large.DocBytes = 1e6, 20<<10
	told := control.Prediction{Docs: 10_000, CopyTime: time.Second, Pause: 30 * time.Millisecond, Moves: 3, RestsOn: control.GroundReceipts, PauseRestsOn: control.GroundReceipts}
	small := told
	small.RestsOn = control.GroundDefault
	nothing := control.Prediction{Docs: 10_000, CopyTime: 7 * time.Second, Pause: 100 * time.Millisecond, RestsOn: control.GroundDefault, PauseRestsOn: control.GroundDefault}
	for name, test := range map[string]struct {
		p           control.Prediction
		x           mover.Sample
		limit       float64
		copy, pause time.Duration
		by, pauseBy control.Ground
		says        string
	}{
		"a slow source":       {nothing, read, 0, 10 * time.Second, 120 * time.Millisecond, "sample", "sample", "1000 bytes a document, 1000 documents a second read"},
		"a quick one":         {nothing, quick, 0, 2 * time.Second, 120 * time.Millisecond, "sample", "sample", "how fast the target writes was not measured"},
		"large documents":     {nothing, large, 0, 9765625 * time.Microsecond, 120 * time.Millisecond, "sample", "sample", "20480 bytes"},
		"a limit":             {nothing, quick, 100, 100 * time.Second, 120 * time.Millisecond, "sample", "sample", "3.0 ms to the target"},
		"an empty source":     {nothing, mover.Sample{SourceTrip: time.Millisecond}, 0, 7 * time.Second, 105 * time.Millisecond, "default", "sample", "the source is empty"},
		"a pause is known":    {small, read, 0, 10 * time.Second, 30 * time.Millisecond, "sample", "receipts", "a sample of 600 documents of 2 shards"},
		"everything is known": {told, read, 0, time.Second, 30 * time.Millisecond, "receipts", "receipts", ""},
	} {
		p := test.p.Sampled(test.x, test.limit)
		if p.CopyTime != test.copy || p.Pause != test.pause || p.RestsOn != test.by || p.PauseRestsOn != test.pauseBy || !strings.Contains(p.Basis, test.says) || p.Sample == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

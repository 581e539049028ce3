package control_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

func withClusters(t *testing.T) *store.Store {
	t.Helper()
	s, _ := newStore(t)
	for _, name := range []string{"a", "b"} {
		if _, err := s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{"http://127.0.0.1:1"}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestRequestMoveRefusesByName(t *testing.T) {
	s := withClusters(t)
	pool := placement.Placement{Kind: placement.SharedIndex, Cluster: "a", Index: "pool", Logical: "docs", PartitionField: "tenant"}
	if _, err := s.Register(t.Context(), "tiny", pool); err != nil {
		t.Fatal(err)
	}
	invalid := func(field string) func(error) bool {
		return func(err error) bool {
			var e *placement.InvalidError
			return errors.As(err, &e) && e.Field == field && e.Fix != ""
		}
	}
	is := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	for name, test := range map[string]struct {
		r    control.Request
		want func(error) bool
	}{
		"no tenant":         {control.Request{Cluster: "b"}, invalid("partition")},
		"unknown tenant":    {control.Request{Partition: "nobody", Cluster: "b"}, is(placement.ErrUnknownPartition)},
		"no cluster":        {control.Request{Partition: "acme"}, invalid("cluster")},
		"unknown cluster":   {control.Request{Partition: "acme", Cluster: "c"}, is(control.ErrUnknownCluster)},
		"where it is":       {control.Request{Partition: "acme", Cluster: "a", Index: "docs-1"}, is(placement.ErrSamePlacement)},
		"bad index":         {control.Request{Partition: "acme", Cluster: "b", Index: "Docs"}, invalid("placement.index")},
		"of a shared index": {control.Request{Partition: "tiny", Cluster: "b"}, invalid("partition")},
		"to a shared index": {control.Request{Partition: "acme", Cluster: "b", Kind: placement.SharedIndex}, invalid("kind")},
		"bad kind":          {control.Request{Partition: "acme", Cluster: "b", Kind: "galaxy"}, invalid("kind")},
		"negative rate":     {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CopyRate: -1}}, invalid("copy_rate")},
		"negative budget":   {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{PauseBudget: -1}}, invalid("pause_budget")},
		"negative timeout":  {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CutoverDeadline: -1}}, invalid("cutover_deadline")},
		"slow rate":         {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CopyRate: 0.5}}, invalid("copy_rate")},
		"infinite rate":     {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CopyRate: math.Inf(1)}}, invalid("copy_rate")},
		"no rate":           {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CopyRate: math.NaN()}}, invalid("copy_rate")},
	} {
		if _, err := control.RequestMove(t.Context(), s, test.r); err == nil || !test.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, _, err := control.Moves(s).List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("a refused request left %d records, %v", len(all), err)
	}
}

// TestRequestMoveBesidePatterns: no index that another tenant may make at any time.
func TestRequestMoveBesidePatterns(t *testing.T) {
	s := withClusters(t) // acme is on a, as docs
	many := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "docs-*", Logical: "*"}
	if _, err := s.Register(t.Context(), "hooli", many); err != nil {
		t.Fatal(err)
	}
	for _, index := range []string{"", "docs-1", "docs-"} { // the default is docs- and the move's id
		_, err := control.RequestMove(t.Context(), s, control.Request{Partition: "acme", Cluster: "b", Index: index})
		if !errors.Is(err, control.ErrPlaceTaken) || !strings.Contains(err.Error(), "b/docs-* of tenant \"hooli\"") {
			t.Errorf("to %q: %v", index, err)
		}
	}
	var bad *placement.InvalidError
	if _, err := control.RequestMove(t.Context(), s, control.Request{Partition: "acme", Cluster: "b", Index: "x-*"}); !errors.As(err, &bad) || bad.Field != "index" {
		t.Errorf("one index to a pattern: %v", err)
	}
	if m, err := control.RequestMove(t.Context(), s, control.Request{Partition: "acme", Cluster: "b", Index: "docs"}); err != nil || m.To.Index != "docs" {
		t.Errorf("beside the pattern: %v", err)
	}
}

func TestRequests(t *testing.T) {
	s := withClusters(t)
	m, err := control.RequestMove(t.Context(), s, control.Request{Partition: "acme", Cluster: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if m.To.Index != "docs-"+m.ID || m.To.Cluster != "b" || m.To.Logical != "docs" || m.Stage != control.StagePreparing || m.Settled() {
		t.Errorf("%+v", m)
	}
	if m.Options.PauseBudget != control.DefaultPauseBudget || m.Options.DrainBarrier != control.DefaultDrainBarrier {
		t.Errorf("options %+v", m.Options)
	}
	if strings.ToLower(m.ID) != m.ID || len(m.ID) > 20 {
		t.Errorf("id %q", m.ID)
	}
	_, err = control.RequestMove(t.Context(), s, control.Request{Partition: "acme", Cluster: "b"})
	if !errors.Is(err, control.ErrAlreadyMoving) || !strings.Contains(err.Error(), m.ID) {
		t.Errorf("a second move: %v", err)
	}
	if _, err := control.RequestRetire(t.Context(), s, m.ID); !errors.Is(err, control.ErrNotFlipped) {
		t.Errorf("retire: %v", err)
	}
	if _, err := control.RequestAbort(t.Context(), s, "m-none"); !errors.Is(err, control.ErrUnknownMove) {
		t.Errorf("abort of nothing: %v", err)
	}
	if got, err := control.RequestAbort(t.Context(), s, m.ID); err != nil || !got.AbortRequested {
		t.Errorf("abort: %+v, %v", got, err)
	}
}

// TestRequestMoveRefusesAnothersPlace: a tenant that owns a cluster would see, and
// could remove, what is put beside it.
func TestRequestMoveRefusesAnothersPlace(t *testing.T) {
	s := withClusters(t) // acme is on a
	if _, err := s.Register(t.Context(), "hooli", placement.Placement{Kind: placement.DedicatedCluster, Cluster: "b"}); err != nil {
		t.Fatal(err)
	}
	for _, r := range []control.Request{{Partition: "acme", Cluster: "b"}, {Partition: "hooli", Cluster: "a"}} {
		_, err := control.RequestMove(t.Context(), s, r)
		if other := map[placement.PartitionID]string{"acme": `"hooli"`, "hooli": `"acme"`}[r.Partition]; !errors.Is(err, control.ErrPlaceTaken) || !strings.Contains(err.Error(), other) {
			t.Errorf("%s to %s: %v", r.Partition, r.Cluster, err)
		}
	}
	if all, _, err := control.Moves(s).List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("a refused request left %d records, %v", len(all), err)
	}
}

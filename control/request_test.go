package control_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
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
	if _, err := s.Clusters().Put(t.Context(), "w", placement.Cluster{Name: "w", Endpoints: []string{"http://127.0.0.1:1"}}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Register(t.Context(), "whole", placement.Placement{Kind: placement.DedicatedCluster, Cluster: "w"}); err != nil {
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
		"by another field":  {control.Request{Partition: "acme", Cluster: "a", Kind: placement.SharedIndex, Index: "pool", Field: "owner"}, invalid("partition_field")},
		"by no field":       {control.Request{Partition: "acme", Cluster: "b", Kind: placement.SharedIndex, Index: "pool"}, invalid("partition_field")},
		"within the pool":   {control.Request{Partition: "tiny", Cluster: "a", Kind: placement.SharedIndex}, is(placement.ErrSamePlacement)},
		"many to one":       {control.Request{Partition: "whole", Cluster: "b", Kind: placement.DedicatedIndex}, invalid("index")},
		"nobody to ask":     {control.Request{Partition: "whole", Cluster: "b", Kind: placement.DedicatedIndex, Index: "one"}, upstream.NotSent},
		"a cluster's index": {control.Request{Partition: "tiny", Cluster: "b", Kind: placement.DedicatedCluster, Index: "docs"}, invalid("placement.index")},
		"out to a pattern":  {control.Request{Partition: "tiny", Cluster: "b", Kind: placement.DedicatedIndex, Index: "tiny-*"}, invalid("index")},
		"out to the pool":   {control.Request{Partition: "tiny", Cluster: "a", Kind: placement.DedicatedIndex, Index: "pool"}, is(placement.ErrSamePlacement)},
		"to an index of it": {control.Request{Partition: "acme", Cluster: "a", Index: "pool"}, is(control.ErrPlaceTaken)},
		"to a shared index": {control.Request{Partition: "acme", Cluster: "b", Kind: placement.SharedIndex}, invalid("index")},
		"bad kind":          {control.Request{Partition: "acme", Cluster: "b", Kind: "galaxy"}, invalid("kind")},
		"negative rate":     {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CopyRate: -1}}, invalid("copy_rate")},
		"negative budget":   {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{PauseBudget: -1}}, invalid("pause_budget")},
		"negative timeout":  {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CutoverDeadline: -1}}, invalid("cutover_deadline")},
		"slow rate":         {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CopyRate: 0.5}}, invalid("copy_rate")},
		"infinite rate":     {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CopyRate: math.Inf(1)}}, invalid("copy_rate")},
		"shadows below 0":   {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{ShadowReads: -1}}, invalid("shadow_reads")},
		"many shadows":      {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{ShadowReads: 1001}}, invalid("shadow_reads")},
		"no shadow time":    {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{ShadowReads: 1, ShadowTime: -1}}, invalid("shadow_time")},
		"below no shadow":   {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{ShadowReads: 1, ShadowMaxDifferences: new(-1)}}, invalid("shadow_max_differences")},
		"nothing to bound":  {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{ShadowMaxDifferences: new(0)}}, invalid("shadow_max_differences")},
		"no rate":           {control.Request{Partition: "acme", Cluster: "b", Options: control.MoveOptions{CopyRate: math.NaN()}}, invalid("copy_rate")},
	} {
		if _, err := control.RequestMove(t.Context(), s, test.r); err == nil || !test.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Another tenant of the pool stands in nobody's way out of it.
	if _, err := s.Register(t.Context(), "small", pool); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]control.Request{
		"beside the pool": {Partition: "tiny", Cluster: "a", Kind: placement.DedicatedIndex},
		"elsewhere":       {Partition: "small", Cluster: "b", Kind: placement.DedicatedIndex, Index: "pool"},
	} {
		m, err := control.PlanMove(t.Context(), s, r)
		if err != nil || m.From != pool || m.To.Logical != "docs" || m.To.PartitionField != "" || m.To.Index != "pool" && m.To.Index != "docs-"+m.ID {
			t.Errorf("%s: %+v, %v", name, m.To, err)
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
		if !errors.Is(err, control.ErrPlaceTaken) || !strings.Contains(err.Error(), "b/docs-* can have an index in common, and that place belongs to tenant \"hooli\"") {
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

// TestRequestMoveMeetsAnother: whoever asks second for a place sees who asked first,
// also if both had found it free.
func TestRequestMoveMeetsAnother(t *testing.T) {
	many := func(cluster string) placement.Placement {
		return placement.Placement{Kind: placement.DedicatedIndex, Cluster: cluster, Index: "many-*", Logical: "*"}
	}
	for _, taken := range []bool{false, true} { // by a controller, before the second look
		s, f := newStore(t)
		for _, name := range []string{"a", "b", "c"} {
			if _, err := s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{"http://127.0.0.1:1"}}, 0); err != nil {
				t.Fatal(err)
			}
		}
		for id, cluster := range map[placement.PartitionID]string{"first": "a", "second": "c"} {
			if _, err := s.Register(t.Context(), id, many(cluster)); err != nil {
				t.Fatal(err)
			}
		}
		late := func() error {
			_, err := s.Register(t.Context(), "late", placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "many-docs", Logical: "docs"})
			return err
		}
		f.wrote = func(w driver.Write) {
			f.wrote = nil
			if taken {
				all, _, err := control.Moves(s).List(t.Context())
				if err != nil || len(all) != 1 {
					t.Fatalf("%d records, %v", len(all), err)
				}
				if _, err := control.Moves(s).Put(t.Context(), all[0].Name, all[0].Value, all[0].Version); err != nil {
					t.Fatal(err)
				}
			}
			if err := late(); err != nil {
				t.Error(err)
			}
		}
		if _, err := control.RequestMove(t.Context(), s, control.Request{Partition: "first", Cluster: "b"}); !errors.Is(err, control.ErrPlaceTaken) || !strings.Contains(err.Error(), `"late"`) {
			t.Errorf("a tenant was added at this moment: %v", err)
		}
		all, _, err := control.Moves(s).List(t.Context())
		if err != nil || taken && (len(all) != 1 || !all[0].Value.AbortRequested) || !taken && len(all) != 0 {
			t.Errorf("left: %+v, %v", all, err)
		}
		if taken {
			continue
		}
		if err := s.Remove(t.Context(), "late"); err != nil {
			t.Fatal(err)
		}
		m, err := control.RequestMove(t.Context(), s, control.Request{Partition: "first", Cluster: "b"})
		if err != nil || m.To != many("b") {
			t.Fatalf("to the same pattern elsewhere: %+v, %v", m.To, err)
		}
		if _, err := control.RequestMove(t.Context(), s, control.Request{Partition: "second", Cluster: "b"}); !errors.Is(err, control.ErrPlaceTaken) || !strings.Contains(err.Error(), m.ID) {
			t.Errorf("where another move is going: %v", err)
		}
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

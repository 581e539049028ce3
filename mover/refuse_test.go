package mover_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name, body string
		before     func(r *rig)
		code       string
	}{
		{"source disabled", `{"mappings":{"_source":{"enabled":false}}}`, nil, mover.CodeSourceDisabled},
		{"source filtered", `{"mappings":{"_source":{"excludes":["a"]}}}`, nil, mover.CodeSourceDisabled},
		{"blocked", "", func(r *rig) { r.call(r.src, "PUT", "/"+r.a+"/_block/write", "", "", nil) }, mover.CodeSourceBlocked},
		{"closed", "", func(r *rig) { r.call(r.src, "POST", "/"+r.a+"/_close", "", "", nil) }, mover.CodeSourceClosed},
		{"final pipeline", `{"settings":{"index.final_pipeline":"nowhere"}}`, nil, mover.CodePipelineMissing},
		{"no source", "", func(r *rig) { r.call(r.src, "DELETE", "/"+r.a, "", "", nil) }, mover.CodeSourceMissing},
		{"target with documents", "", func(r *rig) { r.call(r.dst, "PUT", "/"+r.b+"/_doc/1", "", `{}`, nil) }, mover.CodeTargetExists},
		{"target empty", "", func(r *rig) { r.call(r.dst, "PUT", "/"+r.b, "", "", nil) }, mover.CodeTargetExists},
		{"target is an alias", "", func(r *rig) {
			r.call(r.dst, "POST", "/_aliases", "", `{"actions":[{"add":{"index":"`+r.a+`","alias":"`+r.b+`"}}]}`, nil)
		}, mover.CodeTargetExists},
		{"pipeline", `{"settings":{"index.default_pipeline":"nowhere"}}`, nil, mover.CodePipelineMissing},
		{"cluster down", "", func(r *rig) {
			c, err := upstream.New(placement.Cluster{Name: "b", Endpoints: []string{"http://127.0.0.1:1"}}, nil)
			if err != nil {
				r.t.Fatal(err)
			}
			r.dst = c
		}, mover.CodeUnreachable},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, test.body)
			if test.before != nil {
				test.before(r)
			}
			m := r.mover(nil)
			rep, err := m.Precheck(t.Context())
			if err != nil || !rep.Failed() {
				t.Errorf("precheck: %+v, %v", rep, err)
			}
			_, err = m.Prepare(t.Context())
			var refused *mover.RefusedError
			if !errors.As(err, &refused) || refused.Code != test.code || refused.Field == "" || refused.Fix == "" {
				t.Errorf("%#v", err)
			}
		})
	}
}

func TestPrecheckReports(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	r.fill(500)
	r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
	rep, err := r.mover(nil).Precheck(t.Context())
	if err != nil || rep.Failed() || rep.Docs != 500 || rep.Shards != 2 || rep.Indices != 1 || rep.Bytes == 0 || rep.CopyTime == 0 || rep.SourceVersion != engines.OpenSearch2 {
		t.Errorf("%+v, %v", rep, err)
	}
	if got := r.try(r.dst, "GET", "/"+r.b, ""); got != 404 {
		t.Errorf("a dry run has made the target: %d", got)
	}
}

func TestBadSpec(t *testing.T) {
	r := newRig(t, "")
	good := r.spec
	for name, change := range map[string]func(*mover.Spec){
		"move id":     func(s *mover.Spec) { s.Move = "Upper" },
		"no move id":  func(s *mover.Spec) { s.Move = "" },
		"same place":  func(s *mover.Spec) { s.To = s.From },
		"no cluster":  func(s *mover.Spec) { s.To.Cluster = "" },
		"one to many": func(s *mover.Spec) { s.To.Index, s.To.Logical = "many-*", "*" },
		"one that is shared to many": func(s *mover.Spec) {
			s.From.Kind, s.From.PartitionField = placement.SharedIndex, "tenant"
			s.To.Index, s.To.Logical = "many-*", "*"
		},
	} {
		s := good
		change(&s)
		if _, err := mover.New(s, r.src, r.dst, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDedicatedCluster(t *testing.T) {
	r := newRigOn(t, enginetest.OpenSearch(t, engines.OpenSearch2), enginetest.OpenSearch(t, engines.OpenSearch2), "")
	r.call(r.src, "DELETE", "/"+r.a, "", "", nil)
	r.spec.From = placement.Placement{Kind: placement.DedicatedCluster, Cluster: "a"}
	r.spec.To = placement.Placement{Kind: placement.DedicatedCluster, Cluster: "b"}
	r.call(r.src, "PUT", "/one", "", `{"aliases":{"both":{}}}`, nil)
	r.call(r.src, "PUT", "/two", "", `{"settings":{"number_of_shards":3,"gc_deletes":"7m"},"aliases":{"both":{"is_write_index":true}}}`, nil)
	r.call(r.src, "PUT", "/.system", "", "", nil)
	r.call(r.src, "PUT", "/one/_doc/1", "", `{"a":1}`, nil)
	r.call(r.src, "PUT", "/two/_doc/1", "", `{"a":2}`, nil)
	m := r.taken(nil)
	r.copyAll(m)
	r.equal(m, 2)
	r.call(r.src, "PUT", "/both/_doc/2", "", `{"a":3}`, nil)
	if a, err := m.Apply(t.Context(), ref2("both", "2")); err != nil || a.Indexed != 1 {
		t.Errorf("through an alias: %+v, %v", a, err)
	}
	r.equal(m, 3)
	if err := m.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var al map[string]struct{ Aliases map[string]map[string]any }
	r.call(r.dst, "GET", "/_alias", "", "", &al)
	if len(al) != 2 || len(al["one"].Aliases) != 2 || // the tenant's, and what guards it
		al["two"].Aliases["both"]["is_write_index"] != true {
		t.Errorf("%v", al)
	}
	var set map[string]struct{ Settings map[string]string }
	r.call(r.dst, "GET", "/*/_settings/index.gc_deletes", "flat_settings=true", "", &set)
	if set["one"].Settings["index.gc_deletes"] != "" || set["two"].Settings["index.gc_deletes"] != "7m" {
		t.Errorf("tombstones after the seal: %v", set)
	}
	// Opened again, with an index that the tenant has created meanwhile.
	if err := m.Take(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	r.call(r.src, "PUT", "/three/_doc/1", "routing=r", `{"a":3}`, nil)
	r.call(r.src, "PUT", "/.later", "", "", nil)
	r.call(r.src, "PUT", "/hidden", "", `{"settings":{"index.hidden":true}}`, nil)
	if err := m.CheckSource(t.Context()); !errors.Is(err, mover.ErrSourceAdded) {
		t.Errorf("a new index: %v", err)
	}
	three := []gate.DocRef{{Index: "three", ID: "1", Routing: "r"}}
	if _, err := m.Apply(t.Context(), three); !errors.Is(err, mover.ErrSourceAdded) {
		t.Errorf("a document of a new index: %v", err)
	}
	if fresh, err := m.Adopt(t.Context()); err != nil || !fresh || len(m.Indexes()) != 3 {
		t.Fatalf("adopt: %t, %v: %+v", fresh, err, m.Indexes())
	}
	if fresh, err := m.Adopt(t.Context()); err != nil || fresh {
		t.Errorf("adopt again: %t, %v", fresh, err)
	}
	if a, err := m.Apply(t.Context(), three); err != nil || a.Indexed != 1 {
		t.Errorf("a document of an adopted index: %+v, %v", a, err)
	}
	r.equal(m, 4)
	if err := m.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	al = nil
	r.call(r.dst, "GET", "/_alias", "", "", &al)
	if len(al) != 3 || len(al["three"].Aliases) != 1 {
		t.Errorf("left after the seal: %v", al)
	}
	if err := m.CheckSource(t.Context()); err != nil {
		t.Error(err)
	}
	// A successor that does not know the adopted index finds it and goes on.
	again := r.mover(nil)
	again.Use(m.Indexes()[:2])
	if err := again.Take(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Adopt(t.Context()); err == nil {
		t.Error("an index of a sealed move was taken for one's own")
	}
	var refused *mover.RefusedError
	r.call(r.src, "PUT", "/.later/_doc/1", "", "{}", nil)
	for _, stays := range []string{".later", "hidden"} {
		if _, err := m.Apply(t.Context(), ref2(stays, "1")); !errors.As(err, &refused) || refused.Code != mover.CodeUnsupported || refused.Field != stays {
			t.Errorf("a write to an index that stays: %v", err)
		}
	}
	r.call(r.src, "PUT", "/_index_template/stream", "", `{"index_patterns":["stream"],"data_stream":{}}`, nil)
	r.call(r.src, "PUT", "/_data_stream/stream", "", "", nil)
	if rep, err := r.mover(nil).Precheck(t.Context()); err != nil || !strings.Contains(fmt.Sprint(rep.Checks), "data streams cannot be moved") {
		t.Errorf("a data stream: %+v, %v", rep, err)
	}
	r.call(r.src, "DELETE", "/_data_stream/stream", "", "", nil)
	r.call(r.src, "DELETE", "/two", "", "", nil)
	if _, err := m.Adopt(t.Context()); !errors.Is(err, mover.ErrSourceChanged) {
		t.Errorf("a removed index: %v", err)
	}
}

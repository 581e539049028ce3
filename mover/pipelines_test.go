package mover_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/mover"
)

// TestRewrites tells pipelines that may change ids from those that do not.
func TestRewrites(t *testing.T) {
	for name, test := range map[string]struct {
		processors string
		want       bool
	}{
		"sets a field":           {`{"set":{"field":"a","value":"_id"}}`, false},
		"renames to _id":         {`{"rename":{"field":"a","target_field":"_id"}}`, true},
		"through _source":        {`{"rename":{"field":"a","target_field":"_source._id"}}`, true},
		"sets the routing":       {`{"set":{"field":"_routing","value":"r"}}`, true},
		"script":                 {`{"script":{"source":"ctx._id = ctx.a"}}`, true},
		"date index":             {`{"date_index_name":{"field":"d","date_rounding":"M"}}`, true},
		"removes several fields": {`{"remove":{"field":["a_b","c"],"ignore_missing":true}}`, false},
		"when it fails":          {`{"convert":{"field":"a","type":"long","on_failure":[{"set":{"field":"_index","value":"bad"}}]}}`, true},
		"for each":               {`{"foreach":{"field":"a","processor":{"uppercase":{"field":"_ingest._value"}}}}`, false},
		"for each, into the id":  {`{"foreach":{"field":"a","processor":{"set":{"field":"_id","value":"x"}}}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "")
			pipe := "p-" + r.spec.Move
			r.call(r.src, "PUT", "/_ingest/pipeline/inner-"+pipe, "", `{"processors":[`+test.processors+`]}`, nil)
			r.call(r.src, "PUT", "/_ingest/pipeline/"+pipe, "", `{"processors":[{"pipeline":{"name":"inner-`+pipe+`"}}]}`, nil)
			for _, setting := range []string{"index.default_pipeline", "index.final_pipeline"} {
				r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"`+setting+`":"`+pipe+`"}`, nil)
				m := r.taken(nil)
				got, err := m.Rewrites(t.Context())
				if err != nil || got != test.want {
					t.Errorf("%s: %t, %v", setting, got, err)
				}
				rep, err := r.mover(nil).Precheck(t.Context())
				warned := false
				for _, c := range rep.Checks {
					warned = warned || c.Name == "pipelines" && c.Verdict == mover.Warn && strings.Contains(c.Detail, "may change ids")
				}
				if err != nil || warned != test.want || rep.Failed() {
					t.Errorf("%s: precheck %+v, %v", setting, rep, err)
				}
				r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"`+setting+`":null}`, nil)
				if err := m.Discard(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestPipelineNamedLater: a tenant that names a pipeline during the move which the
// target lacks stops the move before the cutover.
func TestPipelineNamedLater(t *testing.T) {
	r := newRig(t, "")
	m := r.taken(nil)
	r.copyAll(m)
	r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.default_pipeline":"nowhere"}`, nil)
	var refused *mover.RefusedError
	if err := m.Ready(t.Context()); !errors.As(err, &refused) || refused.Code != mover.CodePipelineMissing || !strings.Contains(refused.Field, "index.default_pipeline") {
		t.Errorf("%v", err)
	}
}

package mover

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

const setPipeline = "index.default_pipeline"

// processor is one step of an ingest pipeline, by its type.
type processor map[string]map[string]any

// pipeline is what is looked at of an ingest pipeline.
type pipeline struct {
	Processors []processor `json:"processors"`
	OnFailure  []processor `json:"on_failure"`
}

// used returns the pipelines that writes to an index go through by its settings.
func used(s found) map[string]string {
	out := map[string]string{}
	for _, k := range []string{setPipeline, setFinal} {
		if p := s.settings[k]; p != "" && p != "_none" {
			out[k] = p
		}
	}
	return out
}

// pipeline reads one; nil if there is none.
func (m *Mover) pipeline(ctx context.Context, c *upstream.Client, name string) (*pipeline, error) {
	var ans map[string]*pipeline
	err := m.read(ctx, c, http.MethodGet, "/_ingest/pipeline/"+esc(name), nil, nil, &ans)
	if code, _ := status(err); code == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the ingest pipeline %s of %s: %w", name, c.Name(), err)
	}
	return ans[name], nil
}

// pipelines reads the named ones of a cluster and those that they call. An absent
// one is nil.
func (m *Mover) pipelines(ctx context.Context, c *upstream.Client, names []string) (map[string]*pipeline, error) {
	out := map[string]*pipeline{}
	for len(names) > 0 {
		name := names[0]
		names = names[1:]
		if _, ok := out[name]; ok {
			continue
		}
		p, err := m.pipeline(ctx, c, name)
		if err != nil {
			return nil, err
		}
		if out[name] = p; p != nil {
			names = append(names, p.calls()...)
		}
	}
	return out, nil
}

// each visits every processor, nested ones included.
func (p *pipeline) each(visit func(kind string, conf map[string]any)) {
	var walk func([]processor)
	walk = func(list []processor) {
		for _, one := range list {
			for kind, conf := range one {
				visit(kind, conf)
				walk(nested(conf["on_failure"]))
				walk(nested([]any{conf["processor"]})) // of foreach
			}
		}
	}
	walk(p.Processors)
	walk(p.OnFailure)
}

// nested reads processors out of a processor's configuration.
func nested(v any) []processor {
	var out []processor
	list, _ := v.([]any)
	for _, e := range list {
		one, _ := e.(map[string]any)
		for kind, conf := range one {
			c, _ := conf.(map[string]any)
			out = append(out, processor{kind: c})
		}
	}
	return out
}

// calls returns the pipelines that this one hands documents to by a fixed name.
func (p *pipeline) calls() []string {
	var out []string
	p.each(func(kind string, conf map[string]any) {
		if n, _ := conf["name"].(string); kind == "pipeline" && n != "" && !strings.Contains(n, "{{") && conf["ignore_missing_pipeline"] != true {
			out = append(out, n)
		}
	})
	return out
}

// plain are the processors that write only to fields which they name.
var plain = []string{"append", "bytes", "convert", "copy", "date", "drop", "fail", "foreach", "fingerprint", "geoip", "gsub", "html_strip", "ip2geo",
	"join", "lowercase", "pipeline", "remove", "rename", "set", "sort", "split", "trim", "uppercase", "urldecode", "uri_parts", "user_agent"}

// rewrites reports whether the pipeline may change a document's id, routing or
// index: a processor that names such a field, or one whose fields only the
// document tells. What is not known is taken for one that does.
func (p *pipeline) rewrites() bool {
	found := false
	p.each(func(kind string, conf map[string]any) {
		if !slices.Contains(plain, kind) {
			found = true
			return
		}
		for _, k := range []string{"field", "target_field", "name"} {
			switch v := conf[k].(type) {
			case nil:
			case string:
				found = found || strings.Contains(v, "{{") || strings.HasPrefix(v, "_") && !strings.HasPrefix(v, "_ingest.") && kind != "pipeline"
			default: // a list, as remove takes: which fields go is no matter, unless it is one of these
				found = found || strings.Contains(fmt.Sprint(v), "_") && kind != "remove" || strings.Contains(fmt.Sprint(v), "{{")
			}
		}
		if kind == "pipeline" && conf["ignore_missing_pipeline"] == true {
			found = true // it was not looked into
		}
	})
	return found
}

// Rewrites reports whether the source's indices have a default or final ingest
// pipeline that may change a document's id, routing or index. The journals hold
// what clients asked for, so they do not tell then what was written: both sides
// have to be compared once nothing can be written any more.
func (m *Mover) Rewrites(ctx context.Context) (bool, error) {
	idx, err := m.indices()
	if err != nil {
		return false, err
	}
	all, err := m.sources(ctx)
	if err != nil {
		return false, err
	}
	return m.rewritten(ctx, slices.DeleteFunc(all, func(s found) bool {
		return !slices.ContainsFunc(idx, func(i Index) bool { return i.Source == s.name })
	}))
}

// rewritten is Rewrites for indices that were described.
func (m *Mover) rewritten(ctx context.Context, src []found) (bool, error) {
	var names []string
	for _, s := range src {
		for _, p := range used(s) {
			names = append(names, p)
		}
	}
	ps, err := m.pipelines(ctx, m.src, names)
	if err != nil {
		return false, err
	}
	for _, p := range ps {
		if p != nil && p.rewrites() {
			return true, nil
		}
	}
	return false, nil
}

// checkPipelines refuses an index whose ingest pipelines, or those that they
// call, the target lacks: every write after the flip would fail.
func (m *Mover) checkPipelines(ctx context.Context, sources []found) error {
	for _, s := range sources {
		for k, name := range used(s) {
			src, err := m.pipelines(ctx, m.src, []string{name})
			if err != nil {
				return err
			}
			dst, err := m.pipelines(ctx, m.dst, []string{name})
			if err != nil {
				return err
			}
			for p, there := range dst {
				if there == nil && (p == name || src[p] != nil) {
					return &RefusedError{Code: CodePipelineMissing, Field: s.name + " " + k, Detail: fmt.Sprintf("%s has no ingest pipeline %s", m.dst.Name(), p), Fix: "create it there first"}
				}
			}
		}
	}
	return nil
}

// judgePipelines reports what a person should know about the pipelines.
func (m *Mover) judgePipelines(ctx context.Context, r *Report, sources []found) error {
	if err := m.checkPipelines(ctx, sources); err != nil {
		return r.judge("pipelines", err, "")
	}
	n := len(r.Checks)
	for _, s := range sources {
		for k, name := range used(s) {
			src, err := m.pipelines(ctx, m.src, []string{name})
			if err != nil {
				return err
			}
			dst, err := m.pipelines(ctx, m.dst, []string{name})
			if err != nil {
				return err
			}
			if !reflect.DeepEqual(src, dst) {
				r.add("pipelines", Warn, "%s %s: the ingest pipeline %s of %s is not the same as that of %s", s.name, k, name, m.dst.Name(), m.src.Name())
			}
			for p, def := range src {
				if def != nil && def.rewrites() {
					r.add("pipelines", Warn, "%s %s: the ingest pipeline %s may change ids, routing or indices, so both sides are compared while writes are held: the pause grows with the documents, see --pause-budget and --cutover-deadline", s.name, k, p)
				}
			}
		}
	}
	if len(r.Checks) == n {
		r.add("pipelines", OK, "present where used")
	}
	return nil
}

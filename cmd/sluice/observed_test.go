package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// What is under deploy names metrics and labels of real processes only, and every alert
// leads to a place in the runbook.

const (
	rulesFile  = "../../deploy/prometheus/sluice.rules.yaml"
	dashboards = "../../deploy/grafana/*.json"
)

// expression is one PromQL expression, or a list of labels' values, and where it is.
type expression struct{ where, text string }

// observedBy collects the expressions of the alerts and of the dashboards.
func observedBy(t *testing.T) (out []expression) {
	t.Helper()
	for _, r := range alertRules(t) {
		out = append(out, expression{r["alert"].(string), r["expr"].(string)})
	}
	files, err := filepath.Glob(dashboards)
	if err != nil || len(files) < 3 {
		t.Fatalf("%d dashboards, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var d any
		if err := json.Unmarshal(b, &d); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		n := len(out)
		var walk func(any)
		walk = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				for _, k := range slices.Sorted(maps.Keys(v)) {
					if s, ok := v[k].(string); ok && (k == "expr" || k == "definition") {
						out = append(out, expression{filepath.Base(f), s})
					}
					walk(v[k])
				}
			case []any:
				for _, x := range v {
					walk(x)
				}
			}
		}
		walk(d)
		if len(out) < n+10 {
			t.Fatalf("%s has %d expressions", f, len(out)-n)
		}
	}
	return out
}

// alertRules are the alerts, each as it is in the file.
func alertRules(t *testing.T) (out []map[string]any) {
	t.Helper()
	b, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := yaml.Parser().Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range doc["groups"].([]any) {
		for _, r := range g.(map[string]any)["rules"].([]any) {
			out = append(out, r.(map[string]any))
		}
	}
	if len(out) < 15 {
		t.Fatalf("%d alerts", len(out))
	}
	return out
}

var (
	quoted    = regexp.MustCompile(`"[^"]*"`)
	selector  = regexp.MustCompile(`([a-z][a-z0-9_]*)\s*(\{[^}]*\})?`)
	matcher   = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	grouping  = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	valuesOf  = regexp.MustCompile(`^label_values\(([a-z0-9_]+), ([a-z_]+)\)$`)
	ownPrefix = regexp.MustCompile(`^(sluice|process|go)_`)
)

// uses are the metrics that an expression names, each with the labels that it asks of
// it; labels of an aggregation are asked of all.
func (e expression) uses() map[string][]string {
	out := map[string][]string{}
	if m := valuesOf.FindStringSubmatch(e.text); m != nil {
		return map[string][]string{m[1]: {m[2]}}
	}
	text := quoted.ReplaceAllString(e.text, `""`)
	for _, m := range selector.FindAllStringSubmatch(text, -1) {
		if !ownPrefix.MatchString(m[1]) {
			continue
		}
		out[m[1]] = append(out[m[1]], "")
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			out[m[1]] = append(out[m[1]], l[1])
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(text, -1) {
		for name := range out {
			for _, l := range strings.Split(g[1], ",") {
				out[name] = append(out[name], strings.TrimSpace(l))
			}
		}
	}
	return out
}

func TestUses(t *testing.T) {
	got := expression{"", `histogram_quantile(0.9, sum by (le, instance) (rate(sluice_a_bucket{call=~"x|sluice_y",z!=""}[5m]))) / max(sluice_b)`}.uses()
	for name, labels := range map[string]string{"sluice_a_bucket": ",call,z,le,instance", "sluice_b": ",le,instance"} {
		if strings.Join(got[name], ",") != labels || len(got) != 2 {
			t.Errorf("%s: %q of %q", name, got[name], got)
		}
	}
}

// observed is what a process has shown in any of several scrapes: of each series the
// labels, and the families' types.
type observed struct {
	admin  string
	labels map[string]map[string]bool
	kinds  map[string]string
}

// scrape adds what the process shows now.
func (o *observed) scrape() error {
	resp, err := noReuse.Get("http://" + o.admin + "/metrics")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(resp.Body, 10<<20))
	if err != nil {
		return err
	}
	for name, f := range families {
		kind := strings.ToLower(f.GetType().String())
		o.kinds[name] = kind
		series := []string{name}
		if kind == "histogram" {
			series = []string{name + "_bucket", name + "_sum", name + "_count"}
		}
		for _, s := range series {
			if o.labels[s] == nil {
				o.labels[s] = map[string]bool{"": true, "instance": true, "job": true} // Prometheus adds the latter two
			}
			if strings.HasSuffix(s, "_bucket") {
				o.labels[s]["le"] = true
			}
			for _, m := range f.Metric {
				for _, l := range m.Label {
					o.labels[s][l.GetName()] = true
				}
			}
		}
	}
	return nil
}

// observe scrapes a process until stop is called, which checks what was seen.
func observe(t *testing.T, admin string) (stop func()) {
	t.Helper()
	o := &observed{admin, map[string]map[string]bool{}, map[string]string{}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			select {
			case <-ctx.Done():
				done <- o.scrape() // once more, after everything
				return
			case <-time.After(50 * time.Millisecond):
				err = o.scrape()
			}
		}
		done <- err
	}()
	t.Cleanup(cancel)
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Fatalf("scrape: %v", err)
		}
		// Nobody lags behind in a fleet at ease; package control tests that metric.
		o.check(t, "sluice_move_laggards")
	}
}

// check holds what a process has shown, that has driven a move, against the page, the
// alerts and the dashboards. rare names metrics that have no series in such a fleet.
func (o *observed) check(t *testing.T, rare ...string) {
	t.Helper()
	page, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range o.kinds {
		if strings.HasPrefix(name, "sluice_") && !strings.Contains(string(page), "| `"+name+"` | "+kind+" |") {
			t.Errorf("docs/metrics.md has no %s %s", kind, name)
		}
	}
	for _, e := range observedBy(t) {
		uses := e.uses()
		if len(uses) == 0 {
			t.Errorf("%s: no metric in %s", e.where, e.text)
		}
		for name, asked := range uses {
			if slices.Contains(rare, name) {
				continue
			}
			for _, l := range asked {
				if !o.labels[name][l] {
					t.Errorf("%s: label %q of %s was shown by no process: %s", e.where, l, name, e.text)
				}
			}
		}
	}
}

// TestAlertsLeadSomewhere: every alert has a summary, an action, and a place in the
// runbook, which has no other alerts.
func TestAlertsLeadSomewhere(t *testing.T) {
	b, err := os.ReadFile("../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	var told, there []string
	for _, line := range strings.Split(string(b), "\n") {
		if name, ok := strings.CutPrefix(line, "### Sluice"); ok {
			told = append(told, "Sluice"+name)
		}
	}
	for _, r := range alertRules(t) {
		name := r["alert"].(string)
		there = append(there, name)
		a := r["annotations"].(map[string]any)
		for _, k := range []string{"summary", "action"} {
			if s, _ := a[k].(string); s == "" || !strings.HasSuffix(s, ".") {
				t.Errorf("%s: %s is no sentence: %q", name, k, s)
			}
			for _, m := range mentioned.FindAllStringSubmatch(a[k].(string), -1) {
				for _, call := range calls(m[1]) {
					if err := parses(call, true); err != nil {
						t.Errorf("%s: `%s`: %v", name, m[1], err)
					}
				}
			}
		}
		if url, _ := a["runbook_url"].(string); !strings.HasSuffix(url, "docs/runbook.md#"+strings.ToLower(name)) {
			t.Errorf("%s leads to %q", name, url)
		}
		if s, _ := r["labels"].(map[string]any)["severity"].(string); s != "critical" && s != "warning" && s != "info" {
			t.Errorf("%s has the severity %q", name, s)
		}
	}
	slices.Sort(told)
	slices.Sort(there)
	if !slices.Equal(told, there) {
		t.Errorf("the runbook has %q, the alerts are %q", told, there)
	}
}

// TestPromtool: Prometheus's own tool takes the alerts, their tests pass, and it takes
// every expression of the dashboards. make test finds or builds it, and names it in PROMTOOL.
func TestPromtool(t *testing.T) {
	promtool := os.Getenv("PROMTOOL")
	if promtool == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("PROMTOOL does not name promtool")
		}
		t.Skip("PROMTOOL does not name promtool; make test builds it")
	}
	run := func(args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), promtool, args...)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("check", "rules", rulesFile)
	run("test", "rules", "../../deploy/prometheus/sluice.test.yaml")
	var b strings.Builder
	b.WriteString("groups:\n  - name: dashboards\n    rules:\n")
	for i, e := range observedBy(t) {
		if valuesOf.MatchString(e.text) {
			continue
		}
		expr, err := json.Marshal(strings.ReplaceAll(e.text, "$__rate_interval", "5m")) // as Grafana does
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "      - record: expression_%d\n        expr: %s\n", i, expr)
	}
	file := filepath.Join(t.TempDir(), "dashboards.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	run("check", "rules", "--lint=none", file)
}

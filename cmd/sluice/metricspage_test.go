package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/internal/config"
)

//go:generate go test -run TestMetricsPage . -update

var update = flag.Bool("update", false, "write the pages of the manual that are made from the program")

const metricsPage = "../../docs/metrics.md"

const metricsHead = `# Metrics

<!-- Made from what a proxy and a controller register, by make metrics-page. -->

What ` + "`/metrics`" + ` at the admin listener shows; [observing](observing.md) says how to use it. ` + "`sluice serve`" + ` shows what both kinds of process do. Beside these
are Go's own (` + "`go_*`" + `) and the process's (` + "`process_*`" + `). A histogram has the series ` + "`_bucket`" + `, ` + "`_sum`" + ` and ` + "`_count`" + `.

| metric | type | labels | of | |
| --- | --- | --- | --- | --- |
`

// recorder is a registry that notes what is registered.
type recorder struct {
	*prometheus.Registry
	all []prometheus.Collector
}

func (r *recorder) Register(c prometheus.Collector) error {
	r.all = append(r.all, c)
	return r.Registry.Register(c)
}

func (r *recorder) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

// exposed is one metric of a process.
type exposed struct {
	help, kind string
	labels     []string
}

var descText = regexp.MustCompile(`^Desc\{fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*"), unit: "[^"]*", constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)

// metrics are Sluice's own, with all that may ever be shown: a metric without series yet
// is described, but not gathered. What type it has is then told by what it is in Go, or,
// of a collector that makes its series when it is asked, by its name; the test of a real
// fleet compares all types with what is scraped.
func (r *recorder) metrics(t *testing.T) map[string]exposed {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for _, f := range families {
		kinds[f.GetName()] = strings.ToLower(f.GetType().String())
	}
	out := map[string]exposed{}
	for _, c := range r.all {
		descs := make(chan *prometheus.Desc, 1000)
		c.Describe(descs)
		close(descs)
		for d := range descs {
			m := descText.FindStringSubmatch(d.String())
			if m == nil {
				t.Fatalf("not understood: %s", d)
			}
			name, _ := strconv.Unquote(m[1])
			help, _ := strconv.Unquote(m[2])
			if !strings.HasPrefix(name, "sluice_") {
				continue
			}
			x := exposed{help: help, kind: kinds[name]}
			for _, label := range strings.Split(m[3]+","+m[4], ",") {
				if label, _, _ = strings.Cut(label, "="); label != "" {
					x.labels = append(x.labels, label)
				}
			}
			switch c.(type) {
			case *prometheus.CounterVec:
				x.kind = "counter"
			case *prometheus.HistogramVec:
				x.kind = "histogram"
			}
			if x.kind == "" {
				x.kind = "gauge"
				if strings.HasSuffix(name, "_total") {
					x.kind = "counter"
				}
			}
			out[name] = x
		}
	}
	return out
}

// nodeMetrics are those of a process of these roles, which is started and stopped.
func nodeMetrics(t *testing.T, r roles, dir, etcd string) map[string]exposed {
	t.Helper()
	cfg := config.Default()
	cfg.Store.Etcd.Embedded.DataDir, cfg.Store.Etcd.Embedded.ClientURL = dir, etcd
	cfg.Admin.Listen, cfg.Proxy.Listen, cfg.API.Listen = "127.0.0.1:0", "127.0.0.1:0", ""
	cfg.Proxy.Cursors.Affinity, cfg.Telemetry.MetricsTenants = string(affinity.Pin), 1
	reg := &recorder{Registry: prometheus.NewRegistry()}
	n := &node{cfg: cfg, roles: r, log: slog.New(slog.DiscardHandler), metrics: newMetrics(reg), out: io.Discard, failed: make(chan error, 8)}
	if err := n.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
	})
	// What is of the table shows after the first look at it.
	for deadline := time.Now().Add(30 * time.Second); r.controller; time.Sleep(20 * time.Millisecond) {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, f := range families {
			seen[f.GetName()] = true
		}
		if seen["sluice_moves"] && seen["sluice_waves"] && seen["sluice_trash_copies"] {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the controller does not look at the table")
		}
	}
	return reg.metrics(t)
}

// TestMetricsPage: docs/metrics.md has every metric that a process may show.
func TestMetricsPage(t *testing.T) {
	dir, etcd := t.TempDir(), "http://"+freeAddress(t)
	controller := nodeMetrics(t, roles{controller: true}, dir, etcd)
	proxy := nodeMetrics(t, roles{proxy: true}, dir, etcd)
	all := maps.Clone(controller)
	maps.Copy(all, proxy)
	var b strings.Builder
	b.WriteString(metricsHead)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		x := all[name]
		of := "both"
		if _, ok := controller[name]; !ok {
			of = "proxy"
		} else if _, ok := proxy[name]; !ok {
			of = "controller"
		}
		labels := ""
		if len(x.labels) > 0 {
			labels = "`" + strings.Join(x.labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", name, x.kind, labels, of, x.help)
	}
	if *update {
		if err := os.WriteFile(metricsPage, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), b.String()); d != "" {
		t.Errorf("docs/metrics.md is not what is registered, `make metrics-page` writes it (-page +registered):\n%s", d)
	}
	for name, x := range all {
		if strings.HasSuffix(name, "_total") != (x.kind == "counter") {
			t.Errorf("%s is a %s", name, x.kind)
		}
		if !strings.HasSuffix(x.help, ".") {
			t.Errorf("the help of %s is no sentence: %q", name, x.help)
		}
	}
}

package main

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sluiceproxy/sluice/gate"
)

// adminHandler serves operators and, below /-/fleet/, the controllers. ready
// says why the process cannot serve, or nil. fleet and explain are nil where no
// proxy is.
func adminHandler(ready func() error, fleet, explain http.Handler, metrics prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	// Healthy is "the process runs": restarting it because a store is away would
	// only throw journals away. Ready is "send it requests".
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	if fleet != nil {
		mux.Handle("/-/fleet/", fleet)
		mux.Handle("GET /-/explain", explain)
	}
	return mux
}

// newRegistry returns the metrics that every process has.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "sluice_build_info", Help: "1, labelled with the build.",
			ConstLabels: prometheus.Labels{"version": build()}}, func() float64 { return 1 }))
	return r
}

// gateCollector reads all gauges from one Stats, so that a scrape is one moment.
type gateCollector struct {
	gate   *gate.Gate
	gauges []gateGauge
}

type gateGauge struct {
	desc  *prometheus.Desc
	value func(gate.Stats) float64
}

func newGateCollector(g *gate.Gate) *gateCollector {
	c := &gateCollector{gate: g}
	add := func(name, help string, value func(gate.Stats) float64) {
		c.gauges = append(c.gauges, gateGauge{prometheus.NewDesc("sluice_gate_"+name, help, nil, nil), value})
	}
	add("serving", "1 while requests can be decided.", func(s gate.Stats) float64 {
		if s.Serving {
			return 1
		}
		return 0
	})
	add("applied_epoch", "Newest epoch of the placement table applied here.", func(s gate.Stats) float64 { return float64(s.Applied) })
	add("open_writes", "Writes admitted whose outcome has not arrived.", func(s gate.Stats) float64 { return float64(s.OpenWrites) })
	add("held_writes", "Writes held by a cutover now.", func(s gate.Stats) float64 { return float64(s.Held) })
	add("unresolved_partitions", "Tenants with a write of unknown outcome that may still take effect.", func(s gate.Stats) float64 { return float64(s.Unresolved) })
	add("journaled_ids", "Document ids that a mover has still to fetch.", func(s gate.Stats) float64 { return float64(s.Journaled) })
	return c
}

// Describe implements prometheus.Collector.
func (c *gateCollector) Describe(out chan<- *prometheus.Desc) {
	for _, g := range c.gauges {
		out <- g.desc
	}
}

// Collect implements prometheus.Collector.
func (c *gateCollector) Collect(out chan<- prometheus.Metric) {
	s := c.gate.Stats()
	for _, g := range c.gauges {
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.value(s))
	}
}

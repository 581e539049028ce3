package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/store"
)

// metrics are those of one process. docs/metrics.md is made of what it registers.
type metrics struct{ registry registry }

// registry is what metrics are registered in and scraped from.
type registry interface {
	prometheus.Registerer
	prometheus.Gatherer
}

// newMetrics registers what every process has.
func newMetrics(r registry) *metrics {
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "sluice_build_info", Help: "1, labelled with the build.",
			ConstLabels: prometheus.Labels{"version": build()}}, func() float64 { return 1 }))
	return &metrics{r}
}

// store observes the calls to the store.
func (m *metrics) store() store.Observer {
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "sluice_store_call_seconds", Help: "How long calls to the store took, by call (docs/observing.md) and outcome: ok, also for an answer such as a version conflict, or error.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"call", "outcome"})
	m.registry.MustRegister(took)
	return func(call string, d time.Duration, err error) {
		outcome := "ok"
		if err != nil {
			outcome = "error"
		}
		took.WithLabelValues(call, outcome).Observe(d.Seconds())
	}
}

// settled observes what fresh reads of placements cost requests.
func (m *metrics) settled() func(time.Duration) {
	took := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "sluice_gate_barrier_seconds", Help: "How long requests waited until their tenant's place was known to be current: the read of the store that they share, and this instance's copy of the table.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	})
	m.registry.MustRegister(took)
	return func(d time.Duration) { took.Observe(d.Seconds()) }
}

// controller returns the metrics of this process's controller.
func (m *metrics) controller(tenants int) *control.Metrics {
	c := control.NewMetrics(tenants)
	m.registry.MustRegister(c)
	return c
}

func (m *metrics) gate(g *gate.Gate) { m.registry.MustRegister(newGateCollector(g)) }

// gateCollector reads all gauges from one Stats, so that a scrape is one moment.
type gateCollector struct {
	gate   *gate.Gate
	gauges []gateGauge
}

type gateGauge struct {
	desc  *prometheus.Desc
	value func(gate.Stats) float64
}

// proveBound is how long a scrape waits for the store.
const proveBound = time.Second

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
	add("partitions", "Tenants in this instance's copy of the table.", func(s gate.Stats) float64 { return float64(s.Partitions) })
	add("replica_age_seconds", "How long ago this instance's copy of the table was last proven to hold all that the store had acknowledged. The scrape asks the store, at most once a second; so this grows while the store does not answer, or the copy does not follow.",
		func(s gate.Stats) float64 { return s.ReplicaAge.Seconds() })
	add("open_writes", "Writes admitted whose outcome has not arrived.", func(s gate.Stats) float64 { return float64(s.OpenWrites) })
	add("held_writes", "Writes held by a cutover now.", func(s gate.Stats) float64 { return float64(s.Held) })
	add("held_bytes", "Bytes of bodies of the writes that are held now.", func(s gate.Stats) float64 { return float64(s.HeldBytes) })
	add("pending_partitions", "Tenants whose newest change is not acknowledged yet, because writes that were admitted before it are under way.", func(s gate.Stats) float64 { return float64(s.Pending) })
	add("unresolved_partitions", "Tenants with a write of unknown outcome that may still take effect.", func(s gate.Stats) float64 { return float64(s.Unresolved) })
	add("journaled_ids", "Document ids in this instance's journals, which a mover has still to fetch.", func(s gate.Stats) float64 { return float64(s.Journaled) })
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
	bound, cancel := context.WithTimeout(context.Background(), proveBound)
	defer cancel()
	_ = c.gate.Prove(bound) // a store that does not answer shows as an age
	s := c.gate.Stats()
	for _, g := range c.gauges {
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.value(s))
	}
}

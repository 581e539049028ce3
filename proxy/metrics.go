package proxy

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics have no label that grows with tenants, unless that was asked for.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	held     prometheus.Histogram
	upstream *prometheus.HistogramVec
	unknown  prometheus.Counter
	panics   prometheus.Counter
	tenants  *tenantMetrics // nil: no series of tenants

	answers series[answerLabels, answerSeries]
	calls   series[callLabels, prometheus.Observer]
}

type answerLabels struct {
	class  class
	status int
}

type answerSeries struct {
	requests prometheus.Counter
	duration prometheus.Observer
}

type callLabels struct{ cluster, outcome string }

func newMetrics(r prometheus.Registerer, tenants int, l *limits, b *breakers) (*metrics, error) {
	fine := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sluice_proxy_requests_total", Help: "Requests answered, by class and status.",
		}, []string{"class", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sluice_proxy_request_seconds", Help: "Time from arrival to the end of the answer, by class.", Buckets: fine,
		}, []string{"class"}),
		held: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sluice_proxy_held_seconds", Help: "How long writes were held by a cutover; writes that were not held are not counted.", Buckets: fine,
		}),
		upstream: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sluice_proxy_upstream_seconds", Help: "Time to the head of a cluster's answer, by cluster and outcome (ok, error).", Buckets: fine,
		}, []string{"cluster", "outcome"}),
		unknown: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sluice_proxy_unknown_outcomes_total", Help: "Writes whose outcome could not be learned.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sluice_proxy_panics_total", Help: "Mistakes of this program that ended a request; each is in the log, with its stack.",
		}),
	}
	if r == nil {
		return m, nil
	}
	underWay := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sluice_proxy_requests_under_way", Help: "Requests that have a tenant and are not answered whole; held ones count.",
	}, func() float64 { return float64(l.underWay().requests) })
	bodies := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sluice_proxy_body_bytes", Help: "Bytes of bodies of the requests under way that are in memory.",
	}, func() float64 { return float64(l.underWay().bytes) })
	all := []prometheus.Collector{m.requests, m.duration, m.held, m.upstream, m.unknown, m.panics, underWay, bodies, b}
	if tenants > 0 {
		m.tenants = newTenantMetrics(tenants)
		all = append(all, m.tenants.requests, m.tenants.seconds)
	}
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) done(c class, status int, took, held time.Duration) {
	s := m.answers.find(answerLabels{c, status}, func(l answerLabels) answerSeries {
		return answerSeries{m.requests.WithLabelValues(string(l.class), strconv.Itoa(l.status)), m.duration.WithLabelValues(string(l.class))}
	})
	s.requests.Inc()
	s.duration.Observe(took.Seconds())
	if held > 0 {
		m.held.Observe(held.Seconds())
	}
}

func (m *metrics) call(cluster string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "error"
	}
	s := m.calls.find(callLabels{cluster, outcome}, func(l callLabels) prometheus.Observer {
		return m.upstream.WithLabelValues(l.cluster, l.outcome)
	})
	s.Observe(took.Seconds())
}

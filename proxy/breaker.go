package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// probes is how many requests a cluster is tried with after a pause, and how many of
// them must succeed until it is taken for well.
const probes = 10

// breakers keep requests off clusters that answer nothing: a client is told so at once
// instead of after a time-out, and what waits for a dead cluster takes no room from
// the tenants of the others.
//
// They decide nothing but whether a request is tried. An open one answers before
// anything is sent. What counts is that no answer came: whatever a cluster answers,
// refusals and failures included, shows that it is there. Movers and controllers do
// not go through them.
type breakers struct {
	failures uint32 // in a row; 0: never open
	pause    time.Duration

	mu sync.Mutex
	of map[string]*gobreaker.TwoStepCircuitBreaker[struct{}] // by cluster

	refused *prometheus.CounterVec
	open    *prometheus.Desc
}

func newBreakers(failures int, pause time.Duration) *breakers {
	return &breakers{
		failures: uint32(max(failures, 0)), pause: pause, of: map[string]*gobreaker.TwoStepCircuitBreaker[struct{}]{},
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sluice_proxy_breaker_refused_total", Help: "Requests that were not sent because the cluster had not answered those before, by cluster.",
		}, []string{"cluster"}),
		open: prometheus.NewDesc("sluice_proxy_breaker_open", "Whether requests are kept off a cluster (1), or let through to try it (0.5), or let through (0), by cluster.", []string{"cluster"}, nil),
	}
}

// breakerOpenError is the refusal of a request that was not sent.
type breakerOpenError struct {
	cluster  string
	failures uint32
	pause    time.Duration
}

func (e *breakerOpenError) Error() string {
	return fmt.Sprintf("cluster %s has not answered %d requests in a row, and is tried again within %s", e.cluster, e.failures, e.pause)
}

func (e *breakerOpenError) ErrorCode() string { return TypeUpstream }

// errExcluded marks the end of a request that says nothing of the cluster.
var errExcluded = errors.New("not the cluster's doing")

func (b *breakers) breaker(cluster string) *gobreaker.TwoStepCircuitBreaker[struct{}] {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.of[cluster]
	if x == nil {
		x = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Name: cluster, MaxRequests: probes, Timeout: b.pause,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= b.failures },
			IsExcluded:  func(err error) bool { return errors.Is(err, errExcluded) },
		})
		b.of[cluster] = x
	}
	return x
}

// through sends one request unless the cluster's breaker is open, which is an error
// that upstream.NotSent knows. blameless reports, after a failure, that it was not
// the cluster's.
func (b *breakers) through(cluster string, send func() (*http.Response, error), blameless func() bool) (resp *http.Response, err error) {
	if b.failures == 0 {
		return send()
	}
	done, refusal := b.breaker(cluster).Allow()
	if refusal != nil {
		b.refused.WithLabelValues(cluster).Inc()
		return nil, upstream.Unsent(&breakerOpenError{cluster, b.failures, b.pause})
	}
	verdict := errExcluded // of a panic
	defer func() { done(verdict) }()
	resp, err = send()
	if verdict = err; err != nil && blameless() {
		verdict = errExcluded
	}
	return resp, err
}

// Describe implements prometheus.Collector.
func (b *breakers) Describe(c chan<- *prometheus.Desc) {
	c <- b.open
	b.refused.Describe(c)
}

// Collect implements prometheus.Collector.
func (b *breakers) Collect(c chan<- prometheus.Metric) {
	b.mu.Lock()
	for name, x := range b.of {
		value := map[gobreaker.State]float64{gobreaker.StateOpen: 1, gobreaker.StateHalfOpen: .5}[x.State()]
		c <- prometheus.MustNewConstMetric(b.open, prometheus.GaugeValue, value, name)
	}
	b.mu.Unlock()
	b.refused.Collect(c)
}

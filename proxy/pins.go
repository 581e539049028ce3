package proxy

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sluiceproxy/sluice/affinity"
)

// wrap is what a client gets for the id of a cursor or task: an envelope, or with
// Options.Pins the id of a cursor as it is.
func (q *request) wrap(at origin, kind affinity.Kind, id string) string {
	id = strings.Clone(id) // it may be a part of an answer whose memory is used again
	e := affinity.Envelope{
		Partition: q.tenant, Placement: at.place, Incarnation: at.incarnation, Kind: kind, ID: id,
		Expires: q.p.o.Now().Add(q.p.o.CursorLife),
	}
	if q.p.o.Pins != nil && kind != affinity.Task {
		q.p.o.Pins.Pin(e, q.keepAlive)
		return id
	}
	return q.p.sealer.Wrap(e)
}

// unwrap opens a cursor or task that the client presents. With Options.Pins an
// envelope is followed too: it may be of another instance, or of an earlier
// setting. An id that is neither pinned nor an envelope goes to no cluster.
func (q *request) unwrap(text string, kind affinity.Kind) (affinity.Envelope, error) {
	pins := q.p.o.Pins
	if kind == affinity.Task {
		pins = nil
	}
	if pins != nil {
		e, err := pins.Resolve(text, q.tenant, q.keepAlive)
		if err == nil && e.Kind != kind {
			return e, affinity.ErrUnknown
		}
		if !errors.Is(err, affinity.ErrUnknown) {
			return e, err
		}
	}
	e, err := q.p.sealer.Unwrap(text, q.tenant, q.p.o.Now())
	if err == nil && e.Kind != kind {
		err = affinity.ErrTampered
	}
	if pins != nil && errors.Is(err, affinity.ErrTampered) {
		err = affinity.ErrUnknown
	}
	return e, err
}

// release forgets cursors that their cluster has closed.
func (q *request) release(ids ...string) {
	if q.p.o.Pins == nil {
		return
	}
	for _, id := range ids {
		q.p.o.Pins.Release(id, q.tenant)
	}
}

// keepAlive reads a duration as OpenSearch writes it, such as 5m; 0 for whatever
// is none: the cluster will say what is wrong with it.
func keepAlive(s string) time.Duration {
	for _, u := range []struct {
		suffix string
		unit   time.Duration
	}{{"nanos", 1}, {"micros", time.Microsecond}, {"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}} {
		digits, ok := strings.CutSuffix(strings.ToLower(strings.TrimSpace(s)), u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil || n < 0 {
			return 0
		}
		return time.Duration(n) * u.unit
	}
	return 0
}

// pinCollector reads all numbers from one Stats, so that a scrape is one moment.
// Clusters are few; tenants are not, and are no label.
type pinCollector struct {
	pins                   *affinity.CursorAffinity
	open, evicted, expired *prometheus.Desc
}

func newPinCollector(pins *affinity.CursorAffinity) *pinCollector {
	return &pinCollector{
		pins:    pins,
		open:    prometheus.NewDesc("sluice_proxy_pinned_cursors", "Cursors that clients hold by their own id, by the cluster that serves them.", []string{"cluster"}, nil),
		evicted: prometheus.NewDesc("sluice_proxy_pinned_cursors_evicted_total", "Cursors forgotten before their time, because there were too many: their clients got a 404.", nil, nil),
		expired: prometheus.NewDesc("sluice_proxy_pinned_cursors_expired_total", "Cursors forgotten because nobody used them for as long as they were to be kept.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *pinCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.open
	out <- c.evicted
	out <- c.expired
}

// Collect implements prometheus.Collector.
func (c *pinCollector) Collect(out chan<- prometheus.Metric) {
	s := c.pins.Stats()
	for cluster, n := range s.Open {
		out <- prometheus.MustNewConstMetric(c.open, prometheus.GaugeValue, float64(n), cluster)
	}
	out <- prometheus.MustNewConstMetric(c.evicted, prometheus.CounterValue, float64(s.Evicted))
	out <- prometheus.MustNewConstMetric(c.expired, prometheus.CounterValue, float64(s.Expired))
}

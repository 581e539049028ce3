package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluiceproxy/sluice/placement"
)

// otherTenants is the label of all that have no series of their own.
const otherTenants = "_other"

// tenantMetrics are the requests of single tenants: of the first that send any, up to a
// bound, and of all others together. Requests of tenants that there are not are in
// neither: anybody can make up names.
type tenantMetrics struct {
	most     int64
	n        atomic.Int64
	of       sync.Map // placement.PartitionID -> *tenantSeries
	other    *tenantSeries
	requests *prometheus.CounterVec
	seconds  *prometheus.CounterVec
}

// tenantSeries are those of one tenant, looked up once.
type tenantSeries struct {
	requests [6]prometheus.Counter // by the first digit of the status
	seconds  prometheus.Counter
}

var statusClasses = [6]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

func newTenantMetrics(most int) *tenantMetrics {
	m := &tenantMetrics{most: int64(most),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sluice_proxy_tenant_requests_total", Help: "Requests of a tenant, by the class of their status; only with telemetry.metrics_tenants. Tenants beyond that number are counted together, as _other.",
		}, []string{"tenant", "status"}),
		seconds: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sluice_proxy_tenant_request_seconds_total", Help: "Time that a tenant's requests took, in all; only with telemetry.metrics_tenants.",
		}, []string{"tenant"}),
	}
	m.other = m.series(otherTenants)
	return m
}

func (m *tenantMetrics) series(name string) *tenantSeries {
	s := &tenantSeries{seconds: m.seconds.WithLabelValues(name)}
	for i, class := range statusClasses {
		s.requests[i] = m.requests.WithLabelValues(name, class)
	}
	return s
}

// done counts a request. known: the tenant is in the table. A request that was refused
// before that was looked up counts if an earlier one has shown it.
func (m *tenantMetrics) done(tenant placement.PartitionID, known bool, status int, took time.Duration) {
	s := m.find(tenant, known)
	if s == nil {
		return
	}
	class := status / 100
	if class < 0 || class >= len(s.requests) {
		class = 0
	}
	s.requests[class].Inc()
	s.seconds.Add(took.Seconds())
}

func (m *tenantMetrics) find(tenant placement.PartitionID, known bool) *tenantSeries {
	if s, ok := m.of.Load(tenant); ok {
		return s.(*tenantSeries)
	}
	if !known {
		return nil
	}
	if m.n.Add(1) > m.most {
		m.n.Add(-1)
		return m.other
	}
	s, loaded := m.of.LoadOrStore(tenant, m.series(string(tenant)))
	if loaded {
		m.n.Add(-1) // another request of the tenant was first
	}
	return s.(*tenantSeries)
}

package proxy_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

func requestsOf(t *testing.T, reg prometheus.Gatherer, tenant, status string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if len(m.Label) == 2 && m.Label[0].GetValue() == status && m.Label[1].GetValue() == tenant {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Errorf("no series of %s, %s", tenant, status)
	return -1
}

// TestTenantMetrics: the first tenants have series, the others one together, and names
// that no table has make none.
func TestTenantMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	done := proxy.NewTenantMetrics(reg, 2)
	done("made up", false, 404, time.Second)
	done("acme", true, 200, time.Second)
	done("initech", true, 201, time.Second)
	done("umbrella", true, 200, time.Second)
	done("hooli", true, 503, time.Second)
	done("acme", false, 429, time.Second) // refused before it was looked up
	done("umbrella", false, 429, time.Second)
	done("acme", true, 999, time.Second) // no status
	for status, want := range map[string][3]float64{"2xx": {1, 1, 1}, "4xx": {1, 0, 0}, "5xx": {0, 0, 1}, "none": {1, 0, 0}} {
		for i, tenant := range []string{"acme", "initech", "_other"} {
			if got := requestsOf(t, reg, tenant, status); got != want[i] {
				t.Errorf("%s %s: %v, want %v", tenant, status, got, want[i])
			}
		}
	}
	if n, err := testutil.GatherAndCount(reg, "sluice_proxy_tenant_request_seconds_total"); err != nil || n != 3 {
		t.Errorf("%d tenants, %v", n, err)
	}
	for _, tenant := range []placement.PartitionID{"acme", "umbrella"} {
		if n := testing.AllocsPerRun(100, func() { done(tenant, true, 200, time.Millisecond) }); n != 0 {
			t.Errorf("a request of %s takes %v allocations", tenant, n)
		}
	}
}

package etcdstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// harness is what all ways to reach an etcd have in common.
func harness(ttl time.Duration, fresh func(t *testing.T) drivertest.Engine) drivertest.Harness {
	return drivertest.Harness{
		New: fresh,
		TTL: ttl,
		// etcd looks for leases that have ended every half second, and revokes
		// them through the log.
		Late:  3 * time.Second,
		Bound: timeout + 2*time.Second,
		Cannot: map[drivertest.Outage]string{
			drivertest.Kill:     "it would be this process; see TestConformanceOverTheNetwork",
			drivertest.Freeze:   "see TestConformanceRealProcess",
			drivertest.FullDisk: "see TestConformanceRealProcess",
		},
		Shows: onlyMember,
	}
}

// proxied returns a driver behind a proxy that fails on command.
func proxied(t *testing.T, endpoint, prefix string) (*etcdstore.Store, func(drivertest.Fault)) {
	t.Helper()
	addr, fault := drivertest.NewProxy(t, strings.TrimPrefix(endpoint, "http://"))
	return connect(t, prefix, "http://"+addr), fault
}

// The embedded member, in its process. A list takes three records at a time, so
// that every list of the suite is one of many pages.
func TestConformanceInProcess(t *testing.T) {
	t.Parallel()
	e := startEmbedded(t, t.TempDir())
	e.Store().SetPage(3)
	drivertest.Run(t, harness(time.Second, func(t *testing.T) drivertest.Engine {
		ns := prefix()
		d, fault := drivertest.NewFlaky(e.WithPrefix(ns), timeout)
		return drivertest.Engine{Driver: d, Peer: connect(t, ns, e.Endpoint()), Fault: fault, Compact: compactor(t, e.Endpoint())}
	}))
}

// The embedded member as other processes reach it, over a connection that fails.
func TestConformanceOverTheNetwork(t *testing.T) {
	t.Parallel()
	e := startEmbedded(t, t.TempDir())
	h := harness(time.Second, func(t *testing.T) drivertest.Engine {
		ns := prefix()
		d, fault := proxied(t, e.Endpoint(), ns)
		return drivertest.Engine{Driver: d, Peer: e.WithPrefix(ns), Fault: fault, Compact: compactor(t, e.Endpoint())}
	})
	h.Outages = map[drivertest.Outage]func(*testing.T) drivertest.Victim{drivertest.Kill: embeddedVictim}
	delete(h.Cannot, drivertest.Kill)
	drivertest.Run(t, h)
}

// An etcd of its own, as most will have it.
func TestConformanceRealProcess(t *testing.T) {
	t.Parallel()
	p := enginetest.Etcd(t)
	h := harness(2*time.Second, func(t *testing.T) drivertest.Engine {
		ns := prefix()
		d, fault := proxied(t, p.URL(), ns)
		return drivertest.Engine{Driver: d, Peer: connect(t, ns, p.URL()), Fault: fault, Compact: compactor(t, p.URL())}
	})
	h.Outages = outages
	h.Cannot = nil
	drivertest.Run(t, h)
}

// A cluster of three.
func TestConformanceCluster(t *testing.T) {
	t.Parallel()
	c := enginetest.EtcdCluster(t, 3)
	h := harness(2*time.Second, func(t *testing.T) drivertest.Engine {
		// The faults are on the way to one member; the peer has all of them.
		ns, one := prefix(), c.URLs()[0]
		d, fault := proxied(t, one, ns)
		return drivertest.Engine{Driver: d, Peer: connect(t, ns, c.URLs()...), Fault: fault, Compact: compactor(t, one)}
	})
	h.Outages, h.Shows = clusterOutages, nil
	for _, o := range []drivertest.Outage{drivertest.Kill, drivertest.Freeze, drivertest.FullDisk} {
		h.Cannot[o] = "see TestConformanceRealProcess"
	}
	drivertest.Run(t, h)
}

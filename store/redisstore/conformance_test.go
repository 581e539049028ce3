package redisstore_test

import (
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// proxied returns a driver behind a proxy that fails on command.
func proxied(t *testing.T, addr string, c redisstore.Config) (*redisstore.Store, func(drivertest.Fault)) {
	t.Helper()
	p, err := faultproxy.New(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	faults := map[drivertest.Fault]func(){
		drivertest.None: p.Pass, drivertest.Cut: p.Refuse, drivertest.Silence: p.Blackhole,
		drivertest.LoseRequests: p.DropRequests, drivertest.LoseReplies: p.DropReplies,
	}
	c.Addresses = []string{p.Addr()}
	return connect(t, c), func(f drivertest.Fault) { faults[f]() }
}

func harness(fresh func(t *testing.T) drivertest.Engine) drivertest.Harness {
	return drivertest.Harness{
		New: fresh,
		TTL: time.Second,
		// A tenth of the ttl, and how often the leases are looked at.
		Late:  3 * time.Second,
		Bound: timeout + 2*time.Second,
	}
}

func engine(t *testing.T, addr string, page int, c redisstore.Config) drivertest.Engine {
	c.Prefix = prefix()
	d, fault := proxied(t, addr, c)
	if page > 0 {
		d.SetPage(page)
	}
	c.Addresses = []string{addr}
	peer := connect(t, c)
	return drivertest.Engine{Driver: d, Peer: peer, Fault: fault, Compact: func() {
		if err := peer.Compact(t.Context(), "entries"); err != nil {
			t.Error(err)
		}
	}}
}

// A server by itself. A list takes three records at a time, so that every list of
// the suite is one of many pages.
func TestConformance(t *testing.T) {
	t.Parallel()
	r := enginetest.Redis(t)
	drivertest.Run(t, harness(func(t *testing.T) drivertest.Engine {
		return engine(t, r.Addr(), 3, redisstore.Config{})
	}))
}

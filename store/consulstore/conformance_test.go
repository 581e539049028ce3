package consulstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/drivertest"
)

// quick are the settings of servers that grant short sessions, so that the suite
// takes a minute and not ten. TestSessionsOfTheDefaultTTL is about the others.
var quick = map[string]any{"session_ttl_min": "1s"}

func TestConformance(t *testing.T) {
	t.Parallel()
	server := enginetest.SharedConsul(t)
	drivertest.Run(t, drivertest.Harness{
		New: func(t *testing.T) drivertest.Engine {
			ns := prefix()
			addr, fault := drivertest.NewProxy(t, strings.TrimPrefix(server.URL(), "http://"))
			peer := connect(t, ns, server.URL())
			return drivertest.Engine{
				Driver: connect(t, ns, "http://"+addr), Peer: peer, Fault: fault,
				Compact: func() {
					if err := peer.Compact(t.Context(), "entries"); err != nil {
						t.Fatal(err)
					}
				},
			}
		},
		TTL: 2 * time.Second,
		// Consul ends a session when twice its TTL has passed.
		Late:    2*time.Second + 3*time.Second,
		Bound:   options.ListTimeout + 2*time.Second,
		Outages: outages,
		Cannot: map[drivertest.Outage]string{
			drivertest.FullDisk:   "Consul has no quota, and a file system of its own to fill takes privileges that a test does not have",
			drivertest.ClockAhead: noClock,
			drivertest.ClockBack:  noClock,
		},
	})
}

const noClock = "a Go program asks the kernel for the time, not the C library, so libfaketime does not reach it; sessions count on the monotonic clock"

// outages are what can be done to Consul servers.
var outages = map[drivertest.Outage]func(*testing.T) drivertest.Victim{
	drivertest.Kill: func(t *testing.T) drivertest.Victim {
		m := enginetest.ConsulWith(t, &engines.ConsulOptions{Settings: quick})
		return victim(t, []string{m.URL()}, m.Kill, func() error { return m.Restart(t.Context()) })
	},
	drivertest.Freeze: func(t *testing.T) drivertest.Victim {
		m := enginetest.ConsulWith(t, &engines.ConsulOptions{Settings: quick})
		return victim(t, []string{m.URL()}, m.Pause, m.Resume)
	},
	drivertest.LeaderKill: func(t *testing.T) drivertest.Victim {
		c := enginetest.ConsulCluster(t, 3, &engines.ConsulOptions{Settings: quick})
		return victim(t, c.URLs(), func() error {
			leader, err := c.Leader(t.Context())
			if err != nil {
				return err
			}
			return leader.Kill()
		}, func() error { return c.Restart(t.Context()) })
	},
	drivertest.LeaderFreeze: func(t *testing.T) drivertest.Victim {
		c := enginetest.ConsulCluster(t, 3, &engines.ConsulOptions{Settings: quick})
		var frozen *engines.Consul
		return victim(t, c.URLs(), func() (err error) {
			if frozen, err = c.Leader(t.Context()); err != nil {
				return err
			}
			return frozen.Pause()
		}, func() error { return frozen.Resume() })
	},
}

// victim connects twice to servers that strike and heal are about.
func victim(t *testing.T, addresses []string, strike, heal func() error) drivertest.Victim {
	must := func(f func() error) func() {
		return func() {
			t.Helper()
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}
	}
	ns := prefix()
	return drivertest.Victim{Driver: connect(t, ns, addresses...), Peer: connect(t, ns, addresses...), Strike: must(strike), Heal: must(heal)}
}

package consulstore_test

import (
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/consulstore"
	"github.com/sluiceproxy/sluice/store/drivertest"
)

// outages are what can be done to Consul servers.
var outages = map[drivertest.Outage]func(*testing.T) drivertest.Victim{
	drivertest.Kill: func(t *testing.T) drivertest.Victim {
		m := enginetest.ConsulWith(t, &engines.ConsulOptions{Settings: quick})
		v := victim(t, []string{m.URL()}, m.Kill, func() error { return m.Restart(t.Context()) })
		v.Driver, v.Fault = proxied(t, m.URL(), v.prefix)
		return v.Victim
	},
	drivertest.Freeze: func(t *testing.T) drivertest.Victim {
		m := enginetest.ConsulWith(t, &engines.ConsulOptions{Settings: quick})
		return victim(t, []string{m.URL()}, m.Pause, m.Resume).Victim
	},
	drivertest.LeaderKill: func(t *testing.T) drivertest.Victim {
		c := enginetest.ConsulCluster(t, 3, &engines.ConsulOptions{Settings: quick})
		return victim(t, c.URLs(), func() error {
			leader, err := c.Leader(t.Context())
			if err != nil {
				return err
			}
			return leader.Kill()
		}, func() error { return c.Restart(t.Context()) }).Victim
	},
	drivertest.LeaderFreeze: func(t *testing.T) drivertest.Victim {
		c := enginetest.ConsulCluster(t, 3, &engines.ConsulOptions{Settings: quick})
		var frozen *engines.Consul
		return victim(t, c.URLs(), func() (err error) {
			if frozen, err = c.Leader(t.Context()); err != nil {
				return err
			}
			return frozen.Pause()
		}, func() error { return frozen.Resume() }).Victim
	},
}

// prefixed is a victim and the namespace of its drivers.
type prefixed struct {
	drivertest.Victim
	prefix string
}

// victim connects twice to the servers that strike and heal are about.
func victim(t *testing.T, addresses []string, strike, heal func() error) prefixed {
	ns := prefix()
	return prefixed{prefix: ns, Victim: drivertest.Victim{
		Driver: connect(t, ns, addresses...), Peer: connect(t, ns, addresses...), Strike: drivertest.Must(t, strike), Heal: drivertest.Must(t, heal),
	}}
}

// proxied returns a driver behind a proxy that fails on command.
func proxied(t *testing.T, url, prefix string) (*consulstore.Store, func(drivertest.Fault)) {
	t.Helper()
	addr, fault := drivertest.NewProxy(t, strings.TrimPrefix(url, "http://"))
	return connect(t, prefix, "http://"+addr), fault
}

package redisstore_test

import (
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

const ttl = time.Second

func harness(fresh func(t *testing.T) drivertest.Engine) drivertest.Harness {
	return drivertest.Harness{
		New: fresh,
		TTL: ttl,
		// A tenth of the ttl, and how often the leases are looked at.
		Late:  3 * time.Second,
		Bound: timeout + 2*time.Second,
	}
}

// engine is a driver behind a proxy that fails on command, and another beside it.
func engine(t *testing.T, addr string, page int, c redisstore.Config) drivertest.Engine {
	t.Helper()
	c.Prefix = prefix()
	way, fault := drivertest.NewProxy(t, addr)
	c.Addresses = []string{way}
	d := connect(t, c)
	d.SetPage(page)
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
	h := harness(func(t *testing.T) drivertest.Engine { return engine(t, r.Addr(), 3, redisstore.Config{}) })
	h.Outages = map[drivertest.Outage]func(*testing.T) drivertest.Victim{
		drivertest.Kill: func(t *testing.T) drivertest.Victim {
			// The process dies and the machine with it: what was not synced is gone.
			r := enginetest.RedisWith(t, &engines.RedisOptions{PowerCuts: true})
			return victim(t, r, r.Kill, func() error { return r.Restart(t.Context()) })
		},
		drivertest.Freeze: func(t *testing.T) drivertest.Victim {
			r := enginetest.Redis(t)
			return victim(t, r, r.Pause, r.Resume)
		},
		drivertest.FullDisk: func(t *testing.T) drivertest.Victim {
			r := enginetest.Redis(t)
			return victim(t, r, memory(t, r, 1), memory(t, r, 0))
		},
		drivertest.ClockAhead: clock(30 * ttl),
		drivertest.ClockBack:  clock(-30 * ttl),
	}
	h.Cannot = map[drivertest.Outage]string{
		drivertest.LeaderKill:   "see TestConformanceReplicated",
		drivertest.LeaderFreeze: "see TestConformanceReplicated",
	}
	drivertest.Run(t, h)
}

func victim(t *testing.T, r *engines.Redis, strike, heal func() error) drivertest.Victim {
	way, fault := drivertest.NewProxy(t, r.Addr())
	c := at(way)
	c.Prefix = prefix()
	d := connect(t, c)
	c.Addresses = []string{r.Addr()}
	return drivertest.Victim{Driver: d, Peer: connect(t, c), Fault: fault, Strike: drivertest.Must(t, strike), Heal: drivertest.Must(t, heal)}
}

// memory limits what a server may hold, which is its quota: Redis keeps everything
// in memory, and with appendfsync always it ends when its disk is full.
func memory(t *testing.T, r *engines.Redis, bytes int) func() error {
	return func() error {
		_, err := r.Do(t.Context(), "config", "set", "maxmemory", bytes)
		return err
	}
}

func clock(by time.Duration) func(*testing.T) drivertest.Victim {
	return func(t *testing.T) drivertest.Victim {
		r := enginetest.RedisWith(t, &engines.RedisOptions{MovableClock: true})
		return victim(t, r, func() error { return r.MoveClock(by) }, func() error { return r.MoveClock(0) })
	}
}

package etcdstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/drivertest"
)

// outages are what can be done to an etcd process.
var outages = map[drivertest.Outage]func(*testing.T) drivertest.Victim{
	drivertest.Kill: func(t *testing.T) drivertest.Victim {
		m := enginetest.Etcd(t)
		v := victim(t, []string{m.URL()}, m.Kill, func() error { return m.Restart(t.Context()) })
		v.Driver, v.Fault = proxied(t, m.URL(), v.prefix)
		return v.Victim
	},
	drivertest.Freeze: func(t *testing.T) drivertest.Victim {
		m := enginetest.Etcd(t)
		return victim(t, []string{m.URL()}, m.Pause, m.Resume).Victim
	},
	drivertest.FullDisk: fullDisk,
}

// clusterOutages are what can be done to a cluster of them.
var clusterOutages = map[drivertest.Outage]func(*testing.T) drivertest.Victim{
	drivertest.LeaderKill: func(t *testing.T) drivertest.Victim {
		c := enginetest.EtcdCluster(t, 3)
		return victim(t, c.URLs(), func() error {
			leader, err := c.Leader(t.Context())
			if err != nil {
				return err
			}
			return leader.Kill()
		}, func() error { return c.Restart(t.Context()) }).Victim
	},
	drivertest.LeaderFreeze: func(t *testing.T) drivertest.Victim {
		c := enginetest.EtcdCluster(t, 3)
		var frozen *engines.Etcd
		return victim(t, c.URLs(), func() (err error) {
			if frozen, err = c.Leader(t.Context()); err != nil {
				return err
			}
			return frozen.Pause()
		}, func() error { return frozen.Resume() }).Victim
	},
}

// onlyMember shows what it means to have but one.
var onlyMember = map[string]func(*testing.T) string{
	"SurvivesLeaderKill": func(t *testing.T) string {
		m := enginetest.Etcd(t)
		return nobodyTakesOver(t, m, m.Kill, func() error { return m.Restart(t.Context()) })
	},
	"SurvivesLeaderFreeze": func(t *testing.T) string {
		m := enginetest.Etcd(t)
		return nobodyTakesOver(t, m, m.Pause, m.Resume)
	},
}

func nobodyTakesOver(t *testing.T, m *engines.Etcd, strike, heal func() error) string {
	v := victim(t, []string{m.URL()}, strike, heal)
	at := put(t, v.Driver, key("k"), "x", 0)
	v.Strike()
	_, err := v.Driver.Get(t.Context(), key("k"))
	v.Heal()
	if kv, later := v.Driver.Get(t.Context(), key("k")); later != nil || kv.Version != at {
		t.Errorf("when it is back: version %d, %v; want %d", kv.Version, later, at)
	}
	if err == nil {
		return ""
	}
	return fmt.Sprintf("a read failed: %v; when the member was back the record was there", err)
}

// embeddedVictim is an embedded member, which is killed with its process.
func embeddedVictim(t *testing.T) drivertest.Victim {
	dir := t.TempDir()
	cmd, endpoint := startChild(t, dir, "http://127.0.0.1:0")
	v := victim(t, []string{endpoint}, func() error {
		err := cmd.Process.Kill()
		_ = cmd.Wait() // it was killed, says the error
		return err
	}, func() error {
		cmd, _ = startChild(t, dir, endpoint)
		return nil
	})
	v.Driver, v.Fault = proxied(t, endpoint, v.prefix)
	return v.Victim
}

// prefixed is a victim and the namespace of its drivers.
type prefixed struct {
	drivertest.Victim
	prefix string
}

// victim connects twice to the endpoints that strike and heal are about.
func victim(t *testing.T, endpoints []string, strike, heal func() error) prefixed {
	ns := prefix()
	return prefixed{prefix: ns, Victim: drivertest.Victim{
		Driver: connect(t, ns, endpoints...), Peer: connect(t, ns, endpoints...), Strike: drivertest.Must(t, strike), Heal: drivertest.Must(t, heal),
	}}
}

// fullDisk is a member with a quota of 4 MiB. Heal does what an operator does:
// it deletes what fills it, compacts, defragments and disarms the alarm.
func fullDisk(t *testing.T) drivertest.Victim {
	m := enginetest.EtcdWith(t, &engines.EtcdOptions{ExtraArgs: []string{"--quota-backend-bytes=4194304"}})
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{m.URL()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	filler := string(make([]byte, 1<<20))
	strike := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for {
			if _, err := c.Put(ctx, "/filler", filler); err != nil {
				alarms, err := c.AlarmList(ctx)
				if err != nil || len(alarms.Alarms) > 0 {
					return err
				}
			}
		}
	}
	heal := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := c.Delete(ctx, "/filler") // which a full member still takes
		if err != nil {
			return err
		}
		if _, err := c.Compact(ctx, r.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
			return err
		}
		if _, err := c.Defragment(ctx, m.URL()); err != nil {
			return err
		}
		_, err = c.AlarmDisarm(ctx, &clientv3.AlarmMember{})
		return err
	}
	return victim(t, []string{m.URL()}, strike, heal).Victim
}

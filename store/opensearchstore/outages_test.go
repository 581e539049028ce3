package opensearchstore_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/drivertest"
)

// outages are what OpenSearch processes survive; a frozen primary is a weakness.
var outages = map[drivertest.Outage]func(*testing.T) drivertest.Victim{
	drivertest.Kill: func(t *testing.T) drivertest.Victim {
		n, name := own(t), table()
		v := victim(t, name, []string{n.URL()}, n.Kill, func() error { return n.Restart(t.Context()) })
		addr, fault := drivertest.NewProxy(t, strings.TrimPrefix(n.URL(), "http://"))
		v.Driver, v.Fault = connect(t, name, "http://"+addr), fault
		return v
	},
	drivertest.Freeze: func(t *testing.T) drivertest.Victim {
		n := own(t)
		return victim(t, table(), []string{n.URL()}, n.Pause, n.Resume)
	},
	drivertest.FullDisk: fullDisk,
	drivertest.LeaderKill: func(t *testing.T) drivertest.Victim {
		c, name := cluster(t)
		return victim(t, name, c.URLs(), func() error {
			primary, err := c.Primary(t.Context(), c.URLs()[0], name)
			if err != nil {
				return err
			}
			return primary.Kill()
		}, func() error {
			err := c.Restart(t.Context())
			green(t, c, name)
			return err
		})
	},
}

// own starts a node that a test may harm.
func own(t *testing.T) *engines.OpenSearch {
	return enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{Version: version(), HeapMB: 256})
}

// victim connects twice to a table at addresses that strike and heal are about.
func victim(t *testing.T, name string, addresses []string, strike, heal func() error) drivertest.Victim {
	return drivertest.Victim{
		Driver: connect(t, name, addresses...), Peer: connect(t, name, addresses...),
		Strike: drivertest.Must(t, strike), Heal: drivertest.Must(t, heal),
	}
}

// fullDisk is a node whose disk is over OpenSearch's flood stage: the engine makes every
// index on it read only, as it does when the disk is really full. Heal is what an
// operator does: room, here by another threshold, and taking the block back, which
// OpenSearch does by itself only at its next look at the disk.
func fullDisk(t *testing.T) drivertest.Victim {
	n := enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{Version: version(), HeapMB: 256, Settings: map[string]string{
		"cluster.info.update.interval": "10s",
	}})
	name := table()
	threshold := func(settings map[string]any) {
		ask(t, http.MethodPut, n.URL()+"/_cluster/settings", map[string]any{"transient": settings})
	}
	const prefix = "cluster.routing.allocation.disk."
	blocked := func() bool {
		return strings.Contains(string(ask(t, http.MethodGet, n.URL()+"/"+name+"/_settings?flat_settings=true", nil)), "index.blocks.read_only_allow_delete")
	}
	strike := func() error {
		threshold(map[string]any{
			prefix + "threshold_enabled": true, prefix + "watermark.low": "1%", prefix + "watermark.high": "1%", prefix + "watermark.flood_stage": "1%",
		})
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
			if blocked() {
				return nil
			}
		}
		return fmt.Errorf("the flood stage was not noticed")
	}
	heal := func() error {
		threshold(map[string]any{
			prefix + "threshold_enabled": false, prefix + "watermark.low": nil, prefix + "watermark.high": nil, prefix + "watermark.flood_stage": nil,
		})
		ask(t, http.MethodPut, n.URL()+"/"+name+"/_settings", map[string]any{"index.blocks.read_only_allow_delete": nil})
		return nil
	}
	return victim(t, name, []string{n.URL()}, strike, heal)
}

package redisstore_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// The whole suite on a server that syncs once a second, opened with
// AllowWeakDurability: all that it lacks is what a power cut takes.
func TestConformanceEverySecond(t *testing.T) {
	t.Parallel()
	r := enginetest.RedisWith(t, &engines.RedisOptions{AppendFsync: "everysec"})
	h := harness(func(t *testing.T) drivertest.Engine {
		return engine(t, r.Addr(), 500, redisstore.Config{AllowWeakDurability: true})
	})
	h.Cannot = map[drivertest.Outage]string{}
	for _, o := range drivertest.Outages() {
		if o != drivertest.Kill {
			h.Cannot[o] = "see TestConformance and TestConformanceReplicated"
		}
	}
	h.Shows = map[string]func(*testing.T) string{"SurvivesKill": func(t *testing.T) string {
		for round := range 10 { // the second may just have passed
			if lost := powerCut(t, "everysec", redisstore.Config{AllowWeakDurability: true}); lost > 0 {
				return fmt.Sprintf("in round %d a power cut took the last %d changes, all acknowledged", round+1, lost)
			}
		}
		return ""
	}}
	drivertest.Run(t, h)
}

// The same power cut takes nothing from a server that syncs always.
func TestPowerCutWithSyncAlways(t *testing.T) {
	t.Parallel()
	for range 5 {
		if lost := powerCut(t, "always", redisstore.Config{}); lost != 0 {
			t.Fatalf("%d acknowledged changes are lost", lost)
		}
	}
}

// powerCut cuts the power of a server right after a change was acknowledged, and
// returns how many of the newest are lost. Whoever has seen them is told.
func powerCut(t *testing.T, fsync string, c redisstore.Config) (lost driver.Version) {
	r := enginetest.RedisWith(t, &engines.RedisOptions{AppendFsync: fsync, PowerCuts: true})
	c.Addresses, c.Prefix = []string{r.Addr()}, prefix()
	d := connect(t, c)
	v := put(t, d, key("k"), "first", 0)
	for range 50 {
		v = put(t, d, key("k"), "newer", v)
	}
	if err := errors.Join(r.Kill(), r.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	kv, err := connect(t, c).Get(t.Context(), key("k"))
	if err != nil && !errors.Is(err, driver.ErrNotFound) || kv.Version > v {
		t.Fatalf("after the power cut there is version %d, %v; %d was acknowledged", kv.Version, err, v)
	}
	lost = v - kv.Version
	if _, err := d.Get(t.Context(), key("k")); lost > 0 && !errors.Is(err, redisstore.ErrRewound) || lost == 0 && err != nil {
		t.Fatalf("%d changes are lost, and who has seen them is told %v", lost, err)
	}
	return lost
}

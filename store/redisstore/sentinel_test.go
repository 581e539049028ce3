package redisstore_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// A sentinel says who is master, and after its own failover who is it now: the
// driver goes on there by itself, with everything that was acknowledged.
func TestSentinel(t *testing.T) {
	t.Parallel()
	master := enginetest.RedisWith(t, &engines.RedisOptions{Name: "master", MinReplicasToWrite: 1})
	// Sentinels find replicas by the address that these announce: no proxies between.
	for _, name := range []string{"one", "two"} {
		enginetest.RedisWith(t, &engines.RedisOptions{Name: name, ReplicaOf: master.Addr(), MinReplicasToWrite: 1})
	}
	await(t, "both replicas are there", func() bool {
		return strings.Contains(info(t, master, "slave0"), "state=online") && strings.Contains(info(t, master, "slave1"), "state=online")
	})
	sentinel := enginetest.RedisWith(t, &engines.RedisOptions{Name: "sentinel", SentinelOf: master.Addr()})
	await(t, "the sentinel knows the replicas", func() bool {
		return strings.Contains(info(t, sentinel, "master0"), "status=ok") && strings.Contains(info(t, sentinel, "master0"), "slaves=2")
	})
	c := at(sentinel.Addr())
	c.Sentinel.Master, c.Prefix = "mymaster", prefix()
	d, peer := connect(t, c), connect(t, c)
	t.Cleanup(func() {
		if log, err := os.ReadFile(sentinel.LogFile()); err == nil && t.Failed() {
			t.Logf("the sentinel's log:\n%s", log)
		}
	})
	f := underFire(t, d)
	f.progress()
	if err := master.Kill(); err != nil {
		t.Fatal(err)
	}
	f.progress() // the new master has the other replica
	f.cease()
	f.check(peer)

	c.Sentinel.Master = "other"
	if _, err := redisstore.Open(t.Context(), c, &redisstore.Options{DialTimeout: timeout}); err == nil || !strings.Contains(err.Error(), `no sentinel knows the master "other"`) {
		t.Fatalf("%v; want that the name is unknown", err)
	}
}

package redisstore_test

import (
	"net"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// In a cluster all keys of a fleet are in one slot, wherever that is: a node that
// is asked in vain says where, and when the slot moves the driver follows.
func TestCluster(t *testing.T) {
	t.Parallel()
	nodes := []*engines.Redis{
		enginetest.RedisWith(t, &engines.RedisOptions{Name: "a", Cluster: true}), enginetest.RedisWith(t, &engines.RedisOptions{Name: "b", Cluster: true}),
	}
	ask := func(r *engines.Redis, args ...any) any {
		v, err := r.Do(t.Context(), args...)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	ns := prefix()
	slot, ok := ask(nodes[0], "cluster", "keyslot", "{"+ns+"}:entries:meta").(int64)
	if !ok || slot < 1 || slot > 16382 {
		t.Fatalf("the slot is %v", slot)
	}
	for _, kind := range []string{"records", "index", "log", "undo", "leases"} {
		if other := ask(nodes[0], "cluster", "keyslot", "{"+ns+"}:sessions:"+kind); other != slot {
			t.Fatalf("%s is in slot %v, others in %d", kind, other, slot)
		}
	}
	ask(nodes[0], "cluster", "addslotsrange", 0, slot-1, slot+1, 16383)
	ask(nodes[1], "cluster", "addslots", slot)
	host, port, err := net.SplitHostPort(nodes[1].Addr())
	if err != nil {
		t.Fatal(err)
	}
	ask(nodes[1], "cluster", "set-config-epoch", 2)
	ask(nodes[0], "cluster", "set-config-epoch", 1)
	ask(nodes[0], "cluster", "meet", host, port)
	for _, n := range nodes {
		await(t, "the cluster is complete", func() bool {
			s, _ := ask(n, "cluster", "info").(string)
			return strings.Contains(s, "cluster_state:ok") && strings.Contains(s, "cluster_slots_ok:16384")
		})
	}
	c := at(nodes[0].Addr()) // which does not have the slot
	c.Prefix = ns
	d := connect(t, c)
	v := put(t, d, key("k"), "x", 0)
	c.Addresses = []string{nodes[0].Addr(), nodes[1].Addr()}
	peer := connect(t, c)
	if kv, err := peer.Get(t.Context(), key("k")); err != nil || kv.Version != v {
		t.Fatalf("%d, %v; want version %d", kv.Version, err, v)
	}
	if keys := ask(nodes[1], "cluster", "countkeysinslot", slot); keys == int64(0) {
		t.Fatal("the keys are not in the slot")
	}
}

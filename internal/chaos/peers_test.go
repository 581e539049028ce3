package chaos_test

import (
	"context"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/chaos"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// What members of etcd say to each other goes over the network of the test, so that it can be cut: a leader that is cut off
// from the others is replaced, and follows when it is back.
func TestAnIsolatedLeaderIsReplaced(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells which process has opened a connection")
	}
	n := chaos.NewNetwork()
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	cluster := enginetest.EtcdClusterWith(t, chaos.Members, &engines.EtcdOptions{AdvertisePeer: n.AdvertisePeer})
	n.Know(func() map[string]int {
		pids := map[string]int{}
		for _, m := range cluster.Members() {
			pids[m.Name()] = m.PID()
		}
		return pids
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	old, err := cluster.Leader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	links := n.PeersOf(cluster, old.Name())
	for _, l := range links { // each pair has found its own, in both directions
		for l.Stats().ToServer == 0 {
			if ctx.Err() != nil {
				t.Fatal("a link between two members is not used")
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	for _, l := range links {
		l.Blackhole()
	}
	until := func(what string, ok func(member *engines.Etcd, leads bool) bool) {
		t.Helper()
		for {
			for _, m := range cluster.Members() {
				if leads, err := m.Leads(ctx); err == nil && ok(m, leads) {
					return
				}
			}
			if ctx.Err() != nil {
				t.Fatal(what)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	until("nobody has replaced the leader", func(m *engines.Etcd, leads bool) bool { return leads && m != old })
	until("the leader does not notice", func(m *engines.Etcd, leads bool) bool { return !leads && m == old })
	n.Heal()
	// A member is well when it has a leader that it can read through.
	for _, m := range cluster.Members() {
		until(m.Name()+" has no leader", func(x *engines.Etcd, _ bool) bool { return x == m && well(ctx, m) })
	}
}

// well asks a member for its health, which is a read through its leader.
func well(ctx context.Context, m *engines.Etcd) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.URL()+"/health", nil)
	if err != nil {
		return false
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

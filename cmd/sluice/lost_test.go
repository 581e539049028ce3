package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// A Redis whose disk is set back under a running fleet: every process has seen what
// the table now lacks, stops with a code of its own and says what to do. None goes on
// serving, and one that is started anew takes the table for what it is.
func TestAStoreThatHasLostHistoryEndsEveryProcess(t *testing.T) {
	t.Parallel()
	r := enginetest.Redis(t)
	flags := []string{"--store.kind", "redis", "--store.redis.addresses", r.Addr()}
	c := cli{t, flags}
	c.ok("cluster", "add", "a", fakeCluster(t, "opensearch", "2.19.6"))
	c.ok("tenant", "add", "kept", "--cluster", "a", "--index", "kept")
	data, older := filepath.Join(r.Dir(), "data"), filepath.Join(r.Dir(), "older")
	setBack := func(from, to string) {
		t.Helper()
		if err := r.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		if err := r.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	setBack(data, older) // a backup, while nobody is there

	fleet := append(flags, "--fleet.secret_file", secretFile(t), "--proxy.session_ttl", "5s", "--proxy.shutdown_timeout", "10s")
	processes := map[string]*process{
		"serve":        startProcess(t, "serve", fleet...),
		"controller":   startProcess(t, "controller", append(flags, "--fleet.secret_file", secretFile(t))...),
		"fresh proxy":  startProcess(t, "proxy", fleet...),
		"leased proxy": startProcess(t, "proxy", append(fleet, "--proxy.mode", "leased")...),
	}
	c.ok("tenant", "add", "lost", "--cluster", "a", "--index", "lost")
	asks := func(p *process, tenant string) int {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+p.data+"/"+tenant+"/_doc/1", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Sluice-Tenant", tenant)
		resp, err := noReuse.Do(req)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for name, p := range processes {
		for deadline := time.Now().Add(20 * time.Second); name != "controller" && asks(p, "lost") != http.StatusOK; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the %s does not know the new tenant: %d; want %d", name, asks(p, "lost"), http.StatusOK)
			}
		}
	}

	setBack(older, data)
	for name, p := range processes {
		select {
		case code := <-p.code:
			p.code <- code
			if said := p.log.String(); code != exitLost || !strings.Contains(said, "store has lost history") || !strings.Contains(said, "start every process anew") ||
				strings.Count(said, "\nsluice: ") != 1 {
				t.Errorf("the %s ended with %d; want %d, and one line that says what to do:\n%s", name, code, exitLost, said)
			}
		case <-time.After(40 * time.Second):
			t.Errorf("the %s goes on:\n%s", name, p.log)
		}
		if code := asks(p, "kept"); name != "controller" && code != 0 {
			t.Errorf("the %s answers %d after its end", name, code)
		}
	}
	again := startProcess(t, "serve", fleet...)
	if kept, lost := asks(again, "kept"), asks(again, "lost"); kept != http.StatusOK || lost != http.StatusNotFound {
		t.Errorf("started anew: the tenant that is in the table gets %d, the one that is not %d; want %d and %d", kept, lost, http.StatusOK, http.StatusNotFound)
	}
}

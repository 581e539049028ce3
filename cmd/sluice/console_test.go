package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// walker is what drives the console: a browser, and node with the modules that
// console/package-lock.json pins.
type walker struct{ chromium, folder string }

// newWalker says what is missing, if anything is: that fails the test where CI is set.
func newWalker(t *testing.T) walker {
	t.Helper()
	lack := func(format string, a ...any) {
		t.Helper()
		if os.Getenv("CI") != "" {
			t.Fatalf(format, a...)
		}
		t.Skipf("skipped, it would fail where CI is set: "+format, a...)
	}
	w := walker{folder: t.TempDir()}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if file, err := exec.LookPath(name); err == nil && w.chromium == "" {
			w.chromium = file
		}
	}
	if w.chromium == "" {
		lack("there is no chromium; Debian: apt-get install chromium")
	}
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			lack("there is no %s; Debian, Ubuntu: apt-get install nodejs npm", name)
		}
	}
	c := exec.CommandContext(t.Context(), "../../.ci/console", "modules")
	c.Stderr = t.Output()
	modules, err := c.Output()
	if err != nil {
		t.Fatalf(".ci/console modules: %v", err)
	}
	script, err := os.ReadFile("../../console/test/walk.mjs")
	if err == nil {
		err = os.WriteFile(filepath.Join(w.folder, "walk.mjs"), script, 0o600)
	}
	if err == nil {
		err = os.Symlink(strings.TrimSpace(string(modules)), filepath.Join(w.folder, "node_modules"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// walk runs the script, and returns what it prints.
func (w walker) walk(t *testing.T, env ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "node", "walk.mjs")
	c.Dir = w.folder
	c.Env = append(os.Environ(), append(env, "CHROMIUM="+w.chromium)...)
	c.Stderr = t.Output()
	out, err := c.Output()
	if err != nil {
		t.Errorf("the walk through the console: %v", err)
	}
	return string(out)
}

// frozenLater starts a second proxy, as a process of its own that can be stopped for as long as its
// session lasts, and returns its id when it is ready.
func frozenLater(t *testing.T, c cli, secret string) int {
	t.Helper()
	admin := freeAddress(t)
	given, err := json.Marshal(append([]string{"proxy", "--name", "sluice-2", "--proxy.session_ttl", "1m", "--fleet.secret_file", secret,
		"--proxy.listen", "127.0.0.1:0", "--admin.listen", admin}, c.flags...))
	if err != nil {
		t.Fatal(err)
	}
	log := &syncBuffer{}
	p := exec.Command(os.Args[0], "-test.run", "^TestTopChild$")
	p.Env = append(os.Environ(), topArguments+"="+string(given))
	p.Stdout, p.Stderr = log, log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	for end := time.Now().Add(time.Minute); get(t, "http://"+admin+"/-/ready") != http.StatusOK; time.Sleep(20 * time.Millisecond) { // polls a real listener
		if time.Now().After(end) {
			t.Fatalf("the second proxy is not ready:\n%s", log)
		}
	}
	return p.Process.Pid
}

// TestConsole walks through the console in a real browser while a tenant writes: what the
// script does is in console/test/walk.mjs. With -update its pictures are the manual's.
func TestConsole(t *testing.T) {
	t.Parallel()
	w := newWalker(t)
	a, b := enginetest.LendOpenSearch(t, engines.OpenSearch2), enginetest.LendOpenSearch(t, engines.OpenSearch2)
	dir, listen := t.TempDir(), freeAddress(t)
	p, base, c := startServe(t, "--api.listen", listen, "--telemetry.metrics_tenants", "1", "--name", "sluice-1",
		"--store.etcd.embedded.data_dir", dir,
		// The pause is not what this test is about, and the machine may be busy.
		"--controller.pause_budget", "3s", "--controller.cutover_deadline", "4s")
	token, err := os.ReadFile(filepath.Join(dir, "api.token"))
	if err != nil {
		t.Fatal(err)
	}
	c.ok("cluster", "add", "a", a.URL())
	c.ok("cluster", "add", "b", b.URL())
	for _, tenant := range []string{"acme", "globex", "initech"} {
		c.ok("tenant", "add", tenant, "--cluster", "a", "--index", tenant+"-docs", "--as", "docs")
		must2xx(t, "", "PUT", a.URL()+"/"+tenant+"-docs", `{"settings":{"number_of_replicas":0}}`)
	}
	for name, index := range map[string]string{"umbrella": "umbrella-docs", "hooli/50% ?#\u00e9": "hooli-docs"} {
		c.ok("tenant", "add", name, "--cluster", "a", "--index", index, "--as", "docs")
	}
	// Enough that the copies that are to be looked at, paused and aborted last for half a
	// minute, and little enough for the others to end soon.
	var bulk strings.Builder
	for n := range 600 {
		fmt.Fprintf(&bulk, "{\"index\":{\"_id\":\"seed-%d\"}}\n{\"n\":%d}\n", n, n)
	}
	served(t, base, "acme")
	must2xx(t, "acme", "POST", base+"/docs/_bulk?refresh=true", bulk.String())
	for _, tenant := range []string{"globex", "initech"} {
		must2xx(t, tenant, "PUT", base+"/docs/_doc/1?refresh=true", `{"n":1}`)
		c.ok("tenant", "label", tenant, "tier=small")
	}
	var wave control.Wave
	if err := json.Unmarshal([]byte(c.ok("wave", "run", "--label", "tier=small", "--to", "b", "--paused", "-o", "json", "--pause-budget", "3s", "--cutover-deadline", "4s")), &wave); err != nil {
		t.Fatal(err)
	}

	proxy := frozenLater(t, c, filepath.Join(dir, "fleet.secret"))
	ctx, stop := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		var bad error
		for n := 0; ctx.Err() == nil && bad == nil; n++ {
			status, body, err := tenantDo(context.Background(), base, "PUT", fmt.Sprintf("/docs/_doc/%d", n%100), fmt.Sprintf(`{"n":%d}`, n))
			if err != nil || status/100 != 2 {
				bad = fmt.Errorf("write %d: status %d, %v: %s", n, status, err, body)
			}
			time.Sleep(10 * time.Millisecond) // a tenant that leaves the processor to the others
		}
		failed <- bad
	}()
	shots := t.TempDir()
	if *update {
		shots = "../../docs/console"
		if err := os.MkdirAll(shots, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if shots, err = filepath.Abs(shots); err != nil {
		t.Fatal(err)
	}
	out := w.walk(t, "SLUICE_URL=http://"+listen, "SLUICE_TOKEN="+strings.TrimSpace(string(token)), "SLUICE_WAVE="+wave.ID, fmt.Sprint("SLUICE_PROXY_PID=", proxy), "SHOTS="+shots)
	stop()
	if err := <-failed; err != nil {
		t.Errorf("a request of the tenant failed: %v\n%s", err, p.log)
	}
	// The commands that the page shows are commands.
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, line := range lines {
		all := calls(line)
		if len(all) != 1 {
			t.Errorf("the console shows %q, which is no call of sluice", line)
			continue
		}
		if err := parses(all[0], false); err != nil {
			t.Errorf("the console shows %q: %v", line, err)
		}
	}
	if len(lines) < 10 {
		t.Errorf("the console has shown %d commands:\n%s", len(lines), out)
	}
	if r, err := noReuse.Get("http://" + listen + "/ui"); err != nil || r.Request.URL.Path != "/ui/" || r.StatusCode != http.StatusOK {
		t.Errorf("/ui: %v, %v", r, err)
	} else {
		r.Body.Close()
	}
}

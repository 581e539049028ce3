package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/child"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

const foreignProxy = "../../docs/fleet-proxy.py"

// foreign is the example of docs/fleet.md, as a process.
type foreign struct {
	cmd  *exec.Cmd
	base string
	log  *syncBuffer
	over chan error
}

// python3 says where Python is; without it the test fails where CI is set.
func python3(t *testing.T) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("python3 is missing")
		}
		t.Skip("skipped, it would fail where CI is set: python3 is missing")
	}
	return python
}

// startForeign runs it with a token of the role proxy, and waits until it serves.
func startForeign(t *testing.T, api, tokenFile, path string) *foreign {
	t.Helper()
	python := python3(t)
	at := freeAddress(t)
	f := &foreign{base: "http://" + at, log: &syncBuffer{}, over: make(chan error, 1)}
	f.cmd = exec.Command(python, foreignProxy, api, tokenFile, at, "9")
	f.cmd.Stderr, f.cmd.Env = f.log, append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	process, err := child.Start(f.cmd) // it ends with this test, however that ends
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-process.Done()
		f.over <- process.Err()
	}()
	t.Cleanup(func() {
		_ = f.cmd.Process.Signal(syscall.SIGCONT)
		_ = f.cmd.Process.Kill()
		f.over <- <-f.over
	})
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) { // polls a real listener
		status, body, err := tenantDo(t.Context(), f.base, "GET", path, "")
		if err == nil && (status == http.StatusOK || status == http.StatusNotFound && strings.Contains(body, "_id")) {
			return f
		}
		if time.Now().After(end) {
			t.Fatalf("it does not serve: %d, %v: %s\n%s", status, err, body, f.log)
		}
	}
}

// stop ends it by a signal.
func (f *foreign) stop(t *testing.T, by syscall.Signal) {
	t.Helper()
	if err := f.cmd.Process.Signal(by); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-f.over:
		f.over <- err
		if err != nil {
			t.Errorf("it ended with %v\n%s", err, f.log)
		}
	case <-time.After(60 * time.Second):
		t.Fatalf("it does not stop\n%s", f.log)
	}
}

// writer writes one document after the other, and keeps which were acknowledged.
type writer struct {
	mu    sync.Mutex
	acked []int
	other map[string]int // answers that are no success, by what they say
}

// run writes until ctx ends. A request is never given up: what became of it is asked.
func (w *writer) run(ctx context.Context, base string) {
	for n := 0; ctx.Err() == nil; n++ {
		status, body, err := tenantDo(context.Background(), base, "PUT", fmt.Sprintf("/docs/_doc/%d", n), fmt.Sprintf(`{"n":%d}`, n))
		w.mu.Lock()
		if err == nil && status == http.StatusCreated {
			w.acked = append(w.acked, n)
		} else {
			w.other[fmt.Sprintf("%d %v %s", status, err, body)]++
		}
		w.mu.Unlock()
	}
}

func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// await waits until that many more were acknowledged.
func (w *writer) await(t *testing.T, more int) {
	t.Helper()
	for end, want := time.Now().Add(90*time.Second), w.count()+more; w.count() < want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Fatalf("the writes do not go on: %d were acknowledged, others: %v", len(w.acked), w.other)
		}
	}
}

// stored is which documents an index has.
func stored(t *testing.T, cluster, index string) map[int]bool {
	t.Helper()
	must2xx(t, "", "POST", cluster+"/"+index+"/_refresh", "")
	out := map[int]bool{}
	for after := -1; ; {
		var page struct {
			Hits struct {
				Hits []struct {
					Source struct{ N int } `json:"_source"`
				}
			}
		}
		body := fmt.Sprintf(`{"size":10000,"sort":["n"],"search_after":[%d]}`, after)
		if err := json.Unmarshal([]byte(must2xx(t, "", "POST", cluster+"/"+index+"/_search", body)), &page); err != nil {
			t.Fatal(err)
		}
		if len(page.Hits.Hits) == 0 {
			return out
		}
		for _, h := range page.Hits.Hits {
			after = h.Source.N
			out[after] = true
		}
	}
}

// A fleet without any proxy of Sluice's own: the example of the manual writes all the
// while that its tenant moves to another cluster and back, and is frozen in the middle of
// the way back. What it has acknowledged is there after either flip, and neither flip
// came before it had acknowledged the cutover, or before it was accounted for.
func TestForeignProxy(t *testing.T) {
	t.Parallel()
	a, b := enginetest.LendOpenSearch(t, engines.OpenSearch2), enginetest.LendOpenSearch(t, engines.OpenSearch2)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	etcd, operators, dir := "http://"+freeAddress(t), freeAddress(t), t.TempDir()
	tokens, token, settings := filepath.Join(dir, "tokens"), filepath.Join(dir, "token"), filepath.Join(dir, "sluice.yaml")
	for name, text := range map[string]string{tokens: fmt.Sprintf("python proxy %x\n", sha256.Sum256([]byte("a token of a proxy"))), token: "a token of a proxy\n",
		settings: "proxy: {upstream_write_timeout: 9s, drain_barrier: 9s}\ncontroller: {drain_barrier: 9s}\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := startProcess(t, "controller", "--store.etcd.embedded.data_dir", t.TempDir(), "--store.etcd.embedded.client_url", etcd, "--api.listen", operators,
		"--api.auth.tokens_file", tokens, "--config", settings)
	c := cli{t, []string{"--store.etcd.endpoints", etcd}}
	c.ok("cluster", "add", "a", a.URL())
	c.ok("cluster", "add", "b", b.URL())
	must2xx(t, "", "PUT", a.URL()+"/acme-docs", `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"long"}}}}`)
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	f := startForeign(t, "http://"+operators, token, "/docs/_doc/0")
	w, ctx, stop := &writer{other: map[string]int{}}, context.Context(nil), context.CancelFunc(nil)
	ctx, stop = context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.run(ctx, f.base) }()
	defer func() { stop(); <-done }()
	w.await(t, 100)

	name := "python " + strings.TrimPrefix(f.base, "http://")
	r := c.run("move", "acme", "--to", "b", "--wait", "--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off", "--retire-after", "0s")
	if r.code != exitOK {
		t.Fatalf("the move: %+v\n%s\n%s", r, p.log, f.log)
	}
	m := inStage(t, c, "acme", control.StageFlipped)
	if m.Receipt == nil || !slices.Contains(m.Receipt.Instances, name) {
		t.Errorf("the flip has not waited for %s: %+v", name, m.Receipt)
	}
	before := w.count()
	w.await(t, 100) // at the new place
	w.mu.Lock()
	if len(w.other) > 0 {
		t.Errorf("writes that failed because of the move: %v\n%s", w.other, f.log)
	}
	acked := slices.Clone(w.acked)
	w.mu.Unlock()
	checkStored(t, b.URL(), m.To.Index, acked)
	c.ok("moves", "retire", m.ID, "--wait")

	// Back, with a budget that no cutover fits, so that it stays where ids are journaled.
	c.ok("move", "acme", "--to", "a", "--pause-budget", "1ns", "--cutover-deadline", "4s", "--copy-throttle", "off", "--retire-after", "0s")
	inStage(t, c, "acme", control.StageCatchingUp)
	w.await(t, 50)
	if err := f.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	c.ok("moves", "set", "acme", "--pause-budget", "3s")
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(50 * time.Millisecond) { // polls the real controller
		m = inStage(t, c, "acme", control.StageCatchingUp, control.StageCutover)
		if strings.Contains(m.Progress.Note, name) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the move does not say for whom it waits: %q", m.Progress.Note)
		}
	}
	t.Logf("frozen: %s", m.Progress.Note)
	if err := f.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	m = inStage(t, c, "acme", control.StageFlipped)
	w.await(t, 100)
	stop()
	<-done
	t.Logf("%d writes acknowledged before the second move, %d in all; answers that are no success: %v", before, len(w.acked), w.other)
	for what := range w.other { // its session may have lapsed while it was frozen, and then it says so
		if !strings.HasPrefix(what, "503 ") && !strings.HasPrefix(what, "504 ") {
			t.Errorf("a write was answered with %s", what)
		}
	}
	checkStored(t, a.URL(), m.To.Index, w.acked)

	// It leaves with nothing to account for.
	f.stop(t, syscall.SIGTERM)
	s, closeTable := openTable(t, c)
	roster, _, err := s.Roster().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range roster {
		if x.Value.Name == name && x.Value.Via == "" {
			t.Errorf("on the roster as one that reaches the store: %+v", x)
		}
	}
	sessions, _, err := s.Sessions().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range sessions {
		if x.Value.Name == name {
			t.Errorf("it has left, and its session is there: %+v", x)
		}
	}
	closeTable()

	// And so it does when nobody is there any more whom it could tell.
	alone := startForeign(t, "http://"+operators, token, "/docs/_doc/0")
	p.stop(t)
	alone.stop(t, syscall.SIGINT)
	if !strings.Contains(alone.log.String(), "leaving the fleet: ") {
		t.Errorf("it has not said that it could not tell it:\n%s", alone.log)
	}
}

// What the module of the manual makes of a request that fails, in each way in which one can.
func TestForeignTickets(t *testing.T) {
	c := exec.CommandContext(t.Context(), python3(t), "testdata/ticket.py")
	c.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=../../docs")
	if out, err := c.CombinedOutput(); err != nil || string(out) != "ok\n" {
		t.Errorf("%v: %s", err, out)
	}
}

// The manual shows the program that the test runs.
func TestForeignProxyIsShown(t *testing.T) {
	program, err := os.ReadFile(foreignProxy)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```python\n"+string(program)+"```\n") {
		t.Error("docs/fleet.md does not show docs/fleet-proxy.py as it is")
	}
	if n := strings.Count(string(program), "\n"); n > 100 {
		t.Errorf("the example has %d lines; what any proxy needs belongs into docs/sluice_fleet.py", n)
	}
}

// checkStored checks that an index has every document that was acknowledged.
func checkStored(t *testing.T, cluster, index string, acked []int) {
	t.Helper()
	have := stored(t, cluster, index)
	var lost []int
	for _, n := range acked {
		if !have[n] {
			lost = append(lost, n)
		}
	}
	if len(lost) > 0 || len(acked) == 0 {
		t.Errorf("of %d acknowledged writes %d are lost: %v", len(acked), len(lost), lost[:min(len(lost), 20)])
	}
}

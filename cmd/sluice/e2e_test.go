package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// tenantDo sends one request of tenant acme through the proxy.
func tenantDo(ctx context.Context, base, method, path, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("X-Sluice-Tenant", "acme")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// TestOneCommandMovesALiveTenant is the product in one test: two real clusters,
// one `sluice serve`, a writer that never stops, and the commands of the README. One
// cluster is behind TLS that asks for a certificate, the other behind TLS and a key.
func TestOneCommandMovesALiveTenant(t *testing.T) {
	t.Parallel()
	a, b := enginetest.LendOpenSearch(t, engines.OpenSearch2), enginetest.LendOpenSearch(t, engines.OpenSearch2)
	p, base, c := startServe(t, "--telemetry.metrics_tenants", "1")
	observed := observe(t, p.admin)
	const key = "the key of cluster b"
	frontA, frontB := newFront(t, a.URL(), ""), newFront(t, b.URL(), key)
	if r := c.run("cluster", "add", "b", frontB.url, "--ca-file", frontB.ca.File("ca.pem")); r.code != exitRefused || !strings.Contains(r.stderr, "check its credentials") {
		t.Errorf("a cluster without its key: %+v", r)
	}
	c.ok("cluster", "add", "a", frontA.url, "--ca-file", frontA.ca.File("ca.pem"), "--cert-file", frontA.ca.File("client.pem"), "--key-file", frontA.ca.File("client.key"))
	c.ok("cluster", "add", "b", frontB.url, "--ca-file", frontB.ca.File("ca.pem"), "--api-key-file", frontB.ca.Write("api.key", []byte(key+"\n")))
	if out := c.ok("cluster", "list"); !strings.Contains(out, "certificate") || !strings.Contains(out, "api key") || strings.Contains(out, key) {
		t.Errorf("cluster list:\n%s", out)
	}
	refused := frontB.refused.Load()
	create, err := http.NewRequest("PUT", a.URL()+"/acme-docs", strings.NewReader(`{"settings":{"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"long"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	create.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(create)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("create the tenant's index: %v, %v", resp, err)
	}
	resp.Body.Close()
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")

	// The writer keeps what was acknowledged: acked is the highest n of which
	// every lower one was acknowledged, too.
	ctx, stop := context.WithCancel(t.Context())
	var acked atomic.Int64
	failed := make(chan error, 1)
	go func() {
		var bad error
		for n := int64(1); ctx.Err() == nil && bad == nil; n++ {
			status, body, err := tenantDo(context.Background(), base, "PUT", fmt.Sprintf("/docs/_doc/%d", n), fmt.Sprintf(`{"n":%d}`, n))
			if err != nil || status != http.StatusCreated {
				bad = fmt.Errorf("write %d: status %d, %v: %s", n, status, err, body)
				break
			}
			acked.Store(n)
		}
		failed <- bad
	}()
	for deadline := time.Now().Add(time.Minute); acked.Load() < 200 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond) // polls the real writer
	}
	if status, body, err := tenantDo(t.Context(), base, "POST", "/docs/_refresh", ""); err != nil || status != http.StatusOK { // the dry run counts what is visible
		t.Fatalf("refresh: %d, %v: %s", status, err, body)
	}
	if out := c.ok("move", "acme", "--to", "b", "--dry-run"); !strings.Contains(out, "VERDICT") || !strings.Contains(out, "\nthe time rests on sample, the pause on sample: a sample of ") {
		t.Errorf("dry run: %q", out)
	}
	var dry control.PrecheckView
	if err := json.Unmarshal([]byte(c.ok("move", "acme", "--to", "b", "--dry-run", "-o", "json")), &dry); err != nil || dry.Prediction.RestsOn != control.GroundSample || dry.Prediction.PauseRestsOn != control.GroundSample || dry.Prediction.Sample.Docs < 200 || dry.Docs == 0 {
		t.Errorf("dry run: %+v, %v", dry, err)
	}
	before := acked.Load()
	r := cli{t, append(c.flags, "-o", "json")}.run("move", "acme", "--to", "b", "--wait",
		// The pause is not what this test is about, and the machine may be busy.
		"--pause-budget", "3s", "--cutover-deadline", "4s")
	if r.code != exitOK {
		stop()
		t.Fatalf("the move: code %d\n%s\n%s\nwriter: %v", r.code, r.stderr, p.log, <-failed)
	}
	for target := acked.Load() + 50; acked.Load() < target && len(failed) == 0; {
		time.Sleep(time.Millisecond) // some writes after the flip
	}
	stop()
	if err := <-failed; err != nil {
		t.Fatalf("a request failed because of the move: %v\n%s", err, p.log)
	}
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	var m control.Move
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &m); err != nil || m.Receipt == nil || m.Stage != control.StageFlipped {
		t.Fatalf("the last line is no receipt: %v\n%s", err, lines[len(lines)-1])
	}
	t.Logf("%d writes before, %d in all; longest hold %.1f ms of %d held", before, acked.Load(), m.Receipt.Pause.LongestMS, m.Receipt.Pause.HeldRequests)
	if status, body, err := tenantDo(t.Context(), base, "POST", "/docs/_refresh", ""); err != nil || status != http.StatusOK {
		t.Errorf("refresh: %d, %v: %s", status, err, body)
	}
	status, body, err := tenantDo(t.Context(), base, "GET", "/docs/_count", "")
	if want := fmt.Sprintf(`"count":%d,`, acked.Load()); err != nil || status != http.StatusOK || !strings.Contains(body, want) {
		t.Errorf("after the move: %d, %v: %s; want %s", status, err, body, want)
	}
	if out := c.ok("tenant", "show", "acme"); !strings.Contains(out, "dedicated_index:b/docs-"+m.ID) {
		t.Errorf("tenant show:\n%s", out)
	}
	if r := c.run("cluster", "remove", "a"); r.code != exitRefused {
		t.Errorf("remove of the cluster that has the old copy: %+v", r)
	}
	// Of a fleet at work, behind TLS, the doctor finds nothing.
	if out := c.ok("doctor"); !strings.Contains(out, "of 2 clusters") {
		t.Errorf("doctor:\n%s", out)
	}
	if out := c.ok("moves", "show", m.ID); !strings.Contains(out, "predicted") || !strings.Contains(out, "client errors  none") {
		t.Errorf("moves show:\n%s", out)
	}
	c.ok("moves", "retire", m.ID)
	observed()
	if n := frontB.refused.Load(); n != refused || frontA.served.Load() < 200 || frontB.served.Load() < 50 {
		t.Errorf("%d requests without the key, %d to a, %d to b", n-refused, frontA.served.Load(), frontB.served.Load())
	}
	if code := p.stop(t); code != exitOK {
		t.Errorf("stopped with %d:\n%s", code, p.log)
	}
}

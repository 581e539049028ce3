package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// TestIngestPipelineThatRewritesIDs moves a tenant whose index has a pipeline that
// gives documents other ids than clients ask for. No journal names those, so what
// was acknowledged last before the flip is at the target only because both sides
// are compared while writes are held.
func TestIngestPipelineThatRewritesIDs(t *testing.T) {
	t.Parallel()
	a, b := enginetest.LendOpenSearch(t, engines.OpenSearch2), enginetest.LendOpenSearch(t, engines.OpenSearch2)
	p, base, c := startServe(t)
	c.ok("cluster", "add", "a", a.URL())
	c.ok("cluster", "add", "b", b.URL())
	const pipeline = `{"processors":[{"remove":{"field":"_id","ignore_missing":true}},{"rename":{"field":"key","target_field":"_id"}}]}`
	must2xx(t, "", "PUT", a.URL()+"/_ingest/pipeline/own-ids", pipeline)
	must2xx(t, "", "PUT", a.URL()+"/acme-docs", `{"settings":{"number_of_replicas":0,"index.default_pipeline":"own-ids"}}`)
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	if r := c.run("move", "acme", "--to", "b", "--dry-run"); r.code != exitRefused || !strings.Contains(r.stdout, "b has no ingest pipeline own-ids (create it there first)") {
		t.Errorf("without the pipeline at the target: %+v", r)
	}
	must2xx(t, "", "PUT", b.URL()+"/_ingest/pipeline/own-ids", pipeline)
	if out := c.ok("move", "acme", "--to", "b", "--dry-run"); !strings.Contains(out, "may change ids, routing or indices") {
		t.Errorf("the dry run does not warn:\n%s", out)
	}

	ctx, stop := context.WithCancel(t.Context())
	var acked atomic.Int64
	failed := make(chan error, 1)
	go func() {
		var bad error
		for n := int64(1); ctx.Err() == nil && bad == nil; n++ {
			status, body, err := tenantDo(context.Background(), base, "PUT", fmt.Sprintf("/docs/_doc/asked-%d", n), fmt.Sprintf(`{"key":"given-%d","n":%d}`, n, n))
			if err != nil || status != http.StatusCreated {
				bad = fmt.Errorf("write %d: status %d, %v: %s", n, status, err, body)
				break
			}
			acked.Store(n)
		}
		failed <- bad
	}()
	for deadline := time.Now().Add(time.Minute); acked.Load() < 100 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond) // polls the real writer
	}
	r := c.run("move", "acme", "--to", "b", "--wait", "--pause-budget", "4s", "--cutover-deadline", "4500ms", "--copy-throttle", "off")
	if r.code == exitOK {
		for target := acked.Load() + 20; acked.Load() < target && len(failed) == 0; {
			time.Sleep(time.Millisecond) // some writes after the flip
		}
	}
	stop()
	if err := <-failed; err != nil || r.code != exitOK {
		t.Fatalf("the move: code %d, %v\n%s\n%s\n%s", r.code, err, r.stdout, r.stderr, p.log)
	}
	must2xx(t, "acme", "POST", base+"/docs/_refresh", "")
	lost := 0
	for n := int64(1); n <= acked.Load(); n++ {
		if status, _ := httpDo(t, "acme", "GET", fmt.Sprintf("%s/docs/_doc/given-%d", base, n), ""); status != http.StatusOK {
			lost++
		}
	}
	text := must2xx(t, "acme", "GET", base+"/docs/_count", "")
	if want := fmt.Sprintf(`"count":%d,`, acked.Load()); lost != 0 || !strings.Contains(text, want) {
		t.Errorf("%d of %d acknowledged documents are lost; %s", lost, acked.Load(), text)
	}
	t.Logf("%d acknowledged, none lost", acked.Load())
}

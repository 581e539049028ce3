package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// httpDo sends one request, as a tenant if one is given, and returns status and body.
func httpDo(t *testing.T, tenant, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if tenant != "" {
		req.Header.Set("X-Sluice-Tenant", tenant)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// must2xx is httpDo that has to succeed.
func must2xx(t *testing.T, tenant, method, url, body string) string {
	t.Helper()
	status, text := httpDo(t, tenant, method, url, body)
	if status/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, url, status, text)
	}
	return text
}

// served waits until the proxy at base has heard of a tenant's cluster.
func served(t *testing.T, base, tenant string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // polls the real proxy
		status, text := httpDo(t, tenant, "GET", base+"/", "")
		if status == http.StatusOK {
			return
		}
		if status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatalf("%s is not served: %d %s", tenant, status, text)
		}
	}
}

// inStage waits until the move of a tenant is in one of the stages.
func inStage(t *testing.T, c cli, tenant string, stages ...control.Stage) control.Move {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); ; {
		var m control.Move
		if err := json.Unmarshal([]byte(c.ok("moves", "show", tenant, "-o", "json")), &m); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(stages, m.Stage) {
			return m
		}
		if m.Terminal() || time.Now().After(deadline) {
			t.Fatalf("the move is %s, and not in %v: %s %s", m.Stage, stages, m.Error, m.Progress.Note)
		}
		time.Sleep(20 * time.Millisecond) // polls the real controller
	}
}

// bulkOf is a bulk body that writes documents from to until to.
func bulkOf(index string, from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "{\"index\":{\"_index\":%q,\"_id\":\"%d\"}}\n{\"n\":%d}\n", index, i, i)
	}
	return b.String()
}

// TestDedicatedClusterWithNewIndices moves a tenant that owns its cluster, and
// that creates indices while it moves: by name, by a document, by a bulk, by a
// reindex. All of them arrive with aliases and routings; removing or closing one is
// refused; what is hidden or the cluster's own stays.
func TestDedicatedClusterWithNewIndices(t *testing.T) {
	t.Parallel()
	a, b := enginetest.LendOpenSearch(t, engines.OpenSearch2), enginetest.LendOpenSearch(t, engines.OpenSearch2)
	p, base, c := startServe(t)
	c.ok("cluster", "add", "a", a.URL())
	c.ok("cluster", "add", "b", b.URL())
	c.ok("tenant", "add", "hooli", "--cluster", "a", "--kind", "dedicated_cluster")
	do := func(method, path, body string) string { return must2xx(t, "hooli", method, base+path, body) }
	do("PUT", "/one", `{"settings":{"number_of_replicas":0},"aliases":{"both":{}}}`)
	do("PUT", "/two", `{"settings":{"number_of_shards":3,"number_of_replicas":0},"aliases":{"both":{"is_write_index":true}}}`)
	do("POST", "/_bulk", bulkOf("one", 0, 4000))
	do("POST", "/_bulk?refresh=true", bulkOf("both", 0, 1000))
	for _, own := range []string{".own", "unseen"} {
		must2xx(t, "", "PUT", a.URL()+"/"+own, `{"settings":{"number_of_replicas":0,"index.hidden":true}}`)
	}

	// So slow that it copies until it is told to be fast.
	c.ok("move", "hooli", "--to", "b", "--copy-rate", "10", "--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off")
	inStage(t, c, "hooli", control.StageCopying)
	do("PUT", "/three", `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"k":{"type":"keyword"}}},"aliases":{"both":{}}}`)
	do("PUT", "/three/_doc/1", `{"k":"x"}`)
	do("PUT", "/four/_doc/1?routing=elsewhere", `{"made":"by a document"}`)
	if text := do("POST", "/_bulk", bulkOf("five", 0, 10)+"{\"delete\":{\"_index\":\"one\",\"_id\":\"7\"}}\n"); !strings.Contains(text, `"errors":false`) {
		t.Error(text)
	}
	do("POST", "/_aliases", `{"actions":[{"add":{"index":"four","alias":"vier"}}]}`)
	if text := do("POST", "/_reindex", `{"source":{"index":"two"},"dest":{"index":"six"}}`); !strings.Contains(text, `"created":1000,`) {
		t.Error(text)
	}
	for _, r := range [][3]string{{"DELETE", "/one", ""}, {"DELETE", "/o*", ""}, {"POST", "/one/_close", ""}, {"POST", "/_aliases", `{"actions":[{"remove\u005findex":{"index":"two"}}]}`}} {
		if status, text := httpDo(t, "hooli", r[0], base+r[1], r[2]); status != http.StatusConflict || !strings.Contains(text, "sluice_moving") {
			t.Errorf("%v while it moves: %d %s", r, status, text)
		}
	}
	if m := inStage(t, c, "hooli", control.StageCopying, control.StageCatchingUp, control.StageVerifying, control.StageCutover, control.StageFlipped); m.Stage == control.StageFlipped {
		t.Error("the move was over before the test had done what it is about")
	}
	c.ok("moves", "set", "hooli", "--copy-rate", "0")
	m := inStage(t, c, "hooli", control.StageFlipped)
	if len(m.Indices) != 6 || m.Receipt.Fence != "clean" {
		t.Errorf("indices %+v, fence %s", m.Indices, m.Receipt.Fence)
	}
	do("POST", "/_refresh", "")
	for path, want := range map[string]string{
		"/one/_count": `"count":3999,`, "/two/_count": `"count":1000,`, "/three/_count": `"count":1,`, "/vier/_count": `"count":1,`,
		"/five/_count": `"count":10,`, "/six/_count": `"count":1000,`, "/both/_count": `"count":5000,`, "/four/_doc/1?routing=elsewhere": `"_routing":"elsewhere"`, "/three/_mapping": `"keyword"`,
	} {
		if text := do("GET", path, ""); !strings.Contains(text, want) {
			t.Errorf("%s after the flip: %s; want %s", path, text, want)
		}
	}
	if text := must2xx(t, "", "GET", b.URL()+"/_cat/indices?h=index&expand_wildcards=all", ""); strings.Contains(text, "own") || strings.Contains(text, "unseen") {
		t.Errorf("the cluster's own indices were moved: %s", text)
	}
	if text := must2xx(t, "", "GET", b.URL()+"/_alias", ""); strings.Contains(text, "sluice") {
		t.Errorf("aliases of the move are left: %s", text)
	}
	if out := c.ok("moves", "retire", m.ID, "--wait"); !strings.Contains(out, "done") {
		t.Errorf("retire --wait: %s", out)
	}
	if text := must2xx(t, "", "GET", a.URL()+"/_cat/indices?h=index&expand_wildcards=all&s=index", ""); text != ".own\n.tasks\nunseen\n" {
		t.Errorf("left at the source: %q", text)
	}
	do("DELETE", "/five", "") // it moves no longer
	// And back.
	c.ok("move", "hooli", "--to", "a", "--wait", "--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off")
	if text := do("GET", "/both/_count", ""); !strings.Contains(text, `"count":5000,`) {
		t.Errorf("after the way back: %s", text)
	}
	if code := p.stop(t); code != exitOK {
		t.Errorf("stopped with %d:\n%s", code, p.log)
	}
}

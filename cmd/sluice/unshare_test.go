package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// TestTenantLeavesASharedIndex: through the proxy, beside the shared index, while both
// of its tenants write. A point in time from before shows what it did, even when the
// documents are gone.
func TestTenantLeavesASharedIndex(t *testing.T) {
	t.Parallel()
	node := enginetest.LendOpenSearch(t, engines.OpenSearch2)
	p, base, c := startServe(t)
	c.ok("cluster", "add", "a", node.URL())
	must2xx(t, "", "PUT", node.URL()+"/pool", `{"settings":{"number_of_shards":2,"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`)
	for _, tenant := range []string{"acme", "other"} {
		c.ok("tenant", "add", tenant, "--cluster", "a", "--kind", "shared_index", "--index", "pool", "--partition-field", "tenant", "--as", "docs")
		served(t, base, tenant)
	}
	must2xx(t, "other", "PUT", base+"/docs/_doc/1?refresh=true", `{"secret":1}`)
	must2xx(t, "acme", "PUT", base+"/docs/_doc/odd%2Fid?routing=r%201&refresh=true", `{ "a" : 1.0 }`)
	must2xx(t, "acme", "PUT", base+"/docs/_doc/gone", `{}`)
	must2xx(t, "acme", "DELETE", base+"/docs/_doc/gone?refresh=true", "")
	var pit struct {
		ID string `json:"pit_id"`
	}
	if err := json.Unmarshal([]byte(must2xx(t, "acme", "POST", base+"/docs/_search/point_in_time?keep_alive=5m", "")), &pit); err != nil {
		t.Fatal(err)
	}
	c.ok("move", "acme", "--to", "a", "--kind", "dedicated_index", "--index", "acme-own", "--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off")
	n := 0
	for done := false; !done; n++ { // whatever the moment, each write is taken
		must2xx(t, "acme", "PUT", fmt.Sprintf("%s/docs/_doc/w%d", base, n), fmt.Sprintf(`{"n":%d}`, n))
		must2xx(t, "acme", "POST", base+"/_bulk", fmt.Sprintf(`{"index":{"_index":"docs","_id":"b%d","routing":"x"}}`+"\n{\"n\":%d}\n", n, n))
		must2xx(t, "other", "PUT", fmt.Sprintf("%s/docs/_doc/w%d", base, n), `{}`)
		if n%20 == 0 {
			done = strings.Contains(c.ok("tenant", "show", "acme"), "dedicated_index:a/acme-own") && n > 0
		}
	}
	m := inStage(t, c, "acme", control.StageFlipped)
	must2xx(t, "acme", "POST", base+"/docs/_refresh", "")
	check := func() {
		t.Helper()
		for path, want := range map[string]string{
			"/docs/_doc/odd%2Fid?routing=r%201":          `"_id":"odd/id","_version":1,`,
			"/docs/_source/odd%2Fid?routing=r%201":       `{ "a" : 1.0 }`,
			"/docs/_count":                               fmt.Sprintf(`"count":%d,`, 2*n+1),
			fmt.Sprintf("/docs/_doc/w%d", n-1):           fmt.Sprintf(`"_source":{"n":%d}`, n-1),
			fmt.Sprintf("/docs/_doc/b%d?routing=x", n-1): fmt.Sprintf(`"_source":{"n":%d}`, n-1),
		} {
			if text := must2xx(t, "acme", "GET", base+path, ""); !strings.Contains(text, want) {
				t.Errorf("%s after the flip: %s; want %s", path, text, want)
			}
		}
		old := must2xx(t, "acme", "POST", base+"/_search", fmt.Sprintf(`{"pit":{"id":%q},"query":{"match_all":{}}}`, pit.ID))
		if !strings.Contains(old, `"value":1,`) || !strings.Contains(old, `"_id":"odd/id"`) || strings.Contains(old, "secret") || strings.Contains(old, "tenant") {
			t.Errorf("the point in time: %s", old)
		}
	}
	check()
	if out := c.ok("moves", "retire", m.ID, "--wait"); !strings.Contains(out, "done") {
		t.Errorf("retire --wait: %s", out)
	}
	check()
	must2xx(t, "other", "POST", base+"/docs/_refresh", "")
	if text := must2xx(t, "other", "GET", base+"/docs/_count", ""); !strings.Contains(text, fmt.Sprintf(`"count":%d,`, n+1)) {
		t.Errorf("the other tenant has %s, and wrote %d", text, n+1)
	}
	if text := must2xx(t, "", "GET", node.URL()+"/pool/_count", ""); !strings.Contains(text, fmt.Sprintf(`"count":%d,`, n+1)) {
		t.Errorf("in the shared index: %s", text)
	}
	if code := p.stop(t); code != exitOK {
		t.Errorf("stopped with %d:\n%s", code, p.log)
	}
}

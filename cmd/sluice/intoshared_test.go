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

// TestTenantMovesIntoASharedIndex: through the proxy, while both tenants write. A point
// in time from before shows what it did, and the way back leads to an index of its own.
func TestTenantMovesIntoASharedIndex(t *testing.T) {
	t.Parallel()
	node := enginetest.LendOpenSearch(t, engines.OpenSearch2)
	p, base, c := startServe(t)
	c.ok("cluster", "add", "a", node.URL())
	must2xx(t, "", "PUT", node.URL()+"/pool", `{"settings":{"number_of_shards":2,"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`)
	must2xx(t, "", "PUT", node.URL()+"/own", `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "own", "--as", "docs")
	c.ok("tenant", "add", "other", "--cluster", "a", "--kind", "shared_index", "--index", "pool", "--partition-field", "tenant", "--as", "docs")
	served(t, base, "acme")
	served(t, base, "other")
	must2xx(t, "other", "PUT", base+"/docs/_doc/1?refresh=true", `{"secret":1}`)
	must2xx(t, "acme", "PUT", base+"/docs/_doc/odd%2Fid?routing=r%201&refresh=true", `{ "a" : 1.0 }`)
	var pit struct {
		ID string `json:"pit_id"`
	}
	if err := json.Unmarshal([]byte(must2xx(t, "acme", "POST", base+"/docs/_search/point_in_time?keep_alive=5m", "")), &pit); err != nil {
		t.Fatal(err)
	}
	n := 0
	write := func(until string) {
		t.Helper()
		for done, from := false, n; !done; n++ { // whatever the moment, each write is taken
			must2xx(t, "acme", "PUT", fmt.Sprintf("%s/docs/_doc/w%d", base, n), fmt.Sprintf(`{"n":%d}`, n))
			must2xx(t, "acme", "POST", base+"/_bulk", fmt.Sprintf(`{"index":{"_index":"docs","_id":"b%d","routing":"x"}}`+"\n{\"n\":%d}\n", n, n))
			must2xx(t, "other", "PUT", fmt.Sprintf("%s/docs/_doc/w%d", base, n), `{}`)
			if n%20 == 0 {
				done = strings.Contains(c.ok("tenant", "show", "acme"), until) && n > from
			}
		}
	}
	check := func() {
		t.Helper()
		must2xx(t, "acme", "POST", base+"/docs/_refresh", "")
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
		if text := must2xx(t, "acme", "POST", base+"/docs/_search?size=0", `{"query":{"term":{"secret":1}}}`); !strings.Contains(text, `"value":0,`) {
			t.Errorf("a search finds the other tenant's: %s", text)
		}
	}
	old := func() {
		t.Helper()
		text := must2xx(t, "acme", "POST", base+"/_search", fmt.Sprintf(`{"pit":{"id":%q},"query":{"match_all":{}}}`, pit.ID))
		if !strings.Contains(text, `"value":1,`) || !strings.Contains(text, `"_id":"odd/id"`) || strings.Contains(text, "secret") {
			t.Errorf("the point in time: %s", text)
		}
	}
	bounds := []string{"--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off"}
	if r := c.run("move", "acme", "--to", "a", "--kind", "shared_index", "--index", "puddle", "--partition-field", "tenant", "--dry-run"); r.code == exitOK || !strings.Contains(r.stdout, "no index puddle to share") {
		t.Errorf("a pool that does not exist: %d %s %s", r.code, r.stdout, r.stderr)
	}
	c.ok(append([]string{"move", "acme", "--to", "a", "--kind", "shared_index", "--index", "pool"}, bounds...)...)
	write("shared_index:a/pool")
	into := inStage(t, c, "acme", control.StageFlipped)
	check()
	// Of the pool only what is the tenant's is compared. It has written since the flip.
	if r := c.run("verify", "acme", "--content", "--settle", "0s"); r.code != exitDifferent && r.code != exitOK || !strings.Contains(r.stdout, "0 missing, ") || !strings.Contains(r.stdout, " 0 older, 0 newer, 0 with another routing, 0 with another content") {
		t.Errorf("the copies after the flip: %+v", r)
	}
	old()

	c.ok(append([]string{"move", "acme", "--to", "a", "--kind", "dedicated_index", "--index", "own-again"}, bounds...)...)
	write("dedicated_index:a/own-again")
	back := inStage(t, c, "acme", control.StageFlipped)
	if into.ID == back.ID {
		t.Fatal("there is one move")
	}
	check()
	old()
	if out := c.ok("moves", "retire", back.ID, "--wait"); !strings.Contains(out, "done") {
		t.Errorf("retire --wait: %s", out)
	}
	check()
	must2xx(t, "other", "POST", base+"/docs/_refresh", "")
	if text := must2xx(t, "", "GET", node.URL()+"/pool/_count", ""); !strings.Contains(text, fmt.Sprintf(`"count":%d,`, n+1)) {
		t.Errorf("in the shared index: %s; the other tenant wrote %d", text, n+1)
	}
	if code := p.stop(t); code != exitOK {
		t.Errorf("stopped with %d:\n%s", code, p.log)
	}
}

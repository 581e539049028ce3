//go:build unix

package engines_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// Three nodes form one cluster; a document that was written to a primary is read from
// the node that takes over, and the killed one comes back into the same cluster.
func TestOpenSearchCluster(t *testing.T) {
	t.Parallel()
	c := enginetest.OpenSearchCluster(t, 3, &engines.OpenSearchOptions{Name: "three", HeapMB: 256})
	url := c.URLs()[0]
	await := func(url, condition string) {
		t.Helper()
		mustCall(t, http.MethodGet, url+"/_cluster/health/idx?timeout=120s&"+condition, "")
	}
	mustCall(t, http.MethodPut, url+"/idx", `{"settings":{"number_of_shards":1,"number_of_replicas":2}}`)
	await(url, "wait_for_nodes=3&wait_for_status=green")
	mustCall(t, http.MethodPut, url+"/idx/_doc/1", `{"f":1}`)
	for range 2 {
		primary, err := c.Primary(t.Context(), c.URLs()[0], "idx")
		must(t, err)
		must(t, primary.Kill())
		var other *engines.OpenSearch
		for _, n := range c.Nodes() {
			if n != primary {
				other = n
			}
		}
		await(other.URL(), "wait_for_nodes=2&wait_for_status=yellow")
		doc := mustCall(t, http.MethodGet, other.URL()+"/idx/_doc/1?preference=_primary", "")
		if fmt.Sprint(doc["_source"]) != "map[f:1]" {
			t.Fatalf("the node that took over has %v", doc)
		}
		must(t, c.Restart(t.Context()))
		await(primary.URL(), "wait_for_nodes=3&wait_for_status=green")
	}
}

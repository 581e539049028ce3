package enginetest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// lending are the nodes that tests have one after the other.
var lending struct {
	sync.Mutex
	usable bool                             // Main runs
	idle   map[string][]*engines.OpenSearch // no test has them, by version
}

// LendOpenSearch returns a node of the given version that the test has for itself while it runs, with nothing in it. It
// spares the start of a node for each test: a node that comes back, when a test has ended and has cleaned up behind
// itself, is emptied and lent again, and Main stops it. It takes repositories of snapshots in folders of the test, as
// t.TempDir returns them, so that several nodes may have one in common. A test that kills or pauses its node, or gives it
// settings, starts one of its own with OpenSearch.
func LendOpenSearch(t testing.TB, version string) *engines.OpenSearch {
	t.Helper()
	lending.Lock()
	usable := lending.usable
	lending.Unlock()
	if !usable {
		t.Fatal("a node that is lent needs func TestMain(m *testing.M) { enginetest.Main(m) } in this package")
	}
	node := idle(t, version)
	if node == nil {
		// Not the test's context: the node outlives it.
		n, err := engines.StartOpenSearch(context.Background(), &engines.OpenSearchOptions{Version: version, Settings: map[string]string{"path.repo": os.TempDir()}, Progress: progress})
		demand(t, err)
		node = n
	}
	t.Cleanup(func() {
		// What a failed test has left may be anything, work that goes on included.
		if t.Failed() {
			if err := node.Stop(); err != nil {
				t.Error(err)
			}
			return
		}
		lending.Lock()
		defer lending.Unlock()
		lending.idle[version] = append(lending.idle[version], node)
	})
	return node
}

// idle takes a node that no test has, and empties it; nil if there is none. The one that came back last is taken, which
// is the warmest.
func idle(t testing.TB, version string) *engines.OpenSearch {
	t.Helper()
	for {
		lending.Lock()
		all := lending.idle[version]
		if len(all) == 0 {
			lending.Unlock()
			return nil
		}
		node := all[len(all)-1]
		lending.idle[version] = all[:len(all)-1]
		lending.Unlock()
		err := empty(t.Context(), node.URL())
		if err == nil {
			return node
		}
		t.Logf("a node cannot be emptied, and another takes its place: %v", err)
		if err := node.Stop(); err != nil {
			t.Error(err)
		}
	}
}

// empty removes all that a test can have left on a node.
func empty(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, r := range [][3]string{
		{"POST", "/_tasks/_cancel?actions=*reindex,*byquery&wait_for_completion=true", ""}, // they would create indices anew
		{"DELETE", "/_search/scroll/_all", ""}, {"DELETE", "/_search/point_in_time/_all", ""},
		{"DELETE", "/*?expand_wildcards=all", ""},
		{"DELETE", "/_index_template/*", ""}, {"DELETE", "/_component_template/*", ""}, {"DELETE", "/_template/*", ""},
		{"DELETE", "/_ingest/pipeline/*", ""}, {"DELETE", "/_snapshot/*", ""},
		{"PUT", "/_cluster/settings", `{"persistent":{"*":null},"transient":{"*":null}}`},
	} {
		req, err := http.NewRequestWithContext(ctx, r[0], url+r[1], strings.NewReader(r[2]))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Close = true // no connection is left open
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
		if resp.StatusCode/100 != 2 && resp.StatusCode != http.StatusNotFound { // some say so when there is none
			return fmt.Errorf("%s %s: %s: %s", r[0], r[1], resp.Status, body)
		}
	}
	return nil
}

// stopLent stops the nodes that were lent, when no test runs any more.
func stopLent() error {
	lending.Lock()
	defer lending.Unlock()
	lending.usable = false
	for _, nodes := range lending.idle {
		for _, n := range nodes {
			if err := n.Stop(); err != nil {
				return err
			}
		}
	}
	return nil
}

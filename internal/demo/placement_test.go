package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// TestDedicatedCluster runs the whole demo, by the command that README.md begins with, with a tenant that has a cluster of its
// own: two indices, there and back, under load through two proxies, with a scroll and a point in time open over each flip. Its
// receipt has to be clean. It has fewer documents than make demo has without flags, which would be minutes beside other tests.
func TestDedicatedCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	enginetest.RequireOpenSearch(t, engines.OpenSearch2)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "make", "demo", "DEMO_FLAGS=--placement dedicated_cluster --docs 2000 --rate 80 --settle 1s -o json")
	c.Dir, c.Stderr = filepath.Join("..", ".."), t.Output()
	// Under "make test" it would be a make of a make, which tells where it is after the receipt.
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") })
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) } // make tells the program, which stops what it has started
	c.WaitDelay = time.Minute
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	shown, receipt, found := bytes.Cut(out, []byte("\n{"))
	if !found || !bytes.Contains(shown, []byte("bin/sluice demo --store etcd ")) {
		t.Fatalf("make demo does not run the demo:\n%s", out)
	}
	var res demo.Result
	must(t, json.Unmarshal(append([]byte("{"), receipt...), &res))
	if !res.OK || res.Counts.Acknowledged < 2000 || res.Counts.Reads == 0 || len(res.Legs) != 2 {
		t.Errorf("%+v", res)
	}
	for _, l := range res.Legs {
		if l.Holds.Parts.Whole <= 0 || l.Holds.Parts.Barrier <= 0 || l.Holds.Parts.Seal <= 0 {
			t.Errorf("move to %s: the receipt does not say where the pause went: %+v", l.To, l.Holds)
		}
		// Both indices were read back: the second has a tenth of the ids, and counters of its own.
		if l.Check.IDs < 2200 {
			t.Errorf("move to %s: only %d ids were checked", l.To, l.Check.IDs)
		}
	}
}

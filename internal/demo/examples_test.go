package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// example is what an example of the help must show.
type example struct {
	legs, ids int // moves, and ids that are read back after each
	shows     []string
	make      bool // it is what make demo runs
	receipt   bool // it is in receipt.json
}

var examples = map[string]example{
	"sluice demo": {legs: 2, ids: 50000, make: true, shows: []string{"writing 50000 declarations", "$ sluice move acme --to b --wait --copy-throttle off\n"}},
	// Two indices, each read back: the second has a tenth of the ids, and counters of its own.
	"sluice demo --docs 2000 --rate 80 --placement dedicated_cluster --opensearch 2.19.6,3.9.0": {legs: 2, ids: 2200,
		shows: []string{"created indices docs and notes", "cluster b is OpenSearch 3.", "$ sluice moves rollback acme --wait\n"}},
	"sluice demo --docs 2000 --rate 80 --copy-throttle auto --store redis --keep --data-dir ./demo -o json > receipt.json": {legs: 2, ids: 2000, receipt: true,
		shows: []string{"the placement table is in Redis", "data and logs are in "}},
}

// TestExamples runs the examples of the help as they are printed: the tenant moves there and back, under load through two
// proxies, with a scroll and a point in time open over each flip. Each must end well, with a receipt that is clean.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	enginetest.RequireOpenSearch(t, engines.OpenSearch2)
	enginetest.RequireOpenSearch(t, engines.OpenSearch3)
	var shown []string
	for line := range strings.SplitSeq(demo.Command().Example, "\n") {
		line, _, _ = strings.Cut(line, " #")
		shown = append(shown, strings.TrimSpace(line))
	}
	if len(shown) != len(examples) {
		t.Errorf("the help has %q, and this test runs %d", shown, len(examples))
	}
	for _, line := range shown {
		x, ok := examples[line]
		if !ok {
			t.Errorf("the help has an example that is not run: %s", line)
			continue
		}
		t.Run(line, func(t *testing.T) {
			dir := t.TempDir()
			out := runExample(t, dir, line, x.make)
			for _, text := range x.shows {
				if !strings.Contains(out, text) {
					t.Errorf("it does not show %q", text)
				}
			}
			checked := regexp.MustCompile(`checked (\d+) ids and \d+ documents in .*: lost 0, resurrected 0, wrong version 0\n`).FindAllStringSubmatch(out, -1)
			if n := strings.Count(out, " lives on cluster "); n != x.legs || len(checked) != x.legs {
				t.Errorf("%d moves and %d clean checks, not %d", n, len(checked), x.legs)
			}
			for _, c := range checked {
				if n, err := strconv.Atoi(c[1]); err != nil || n < x.ids {
					t.Errorf("only %s ids were checked", c[1])
				}
			}
			if x.receipt {
				receiptIsClean(t, dir, x)
			} else {
				shownReceiptIsClean(t, out, x)
			}
		})
	}
}

// runExample runs a line in a folder, as a shell does or by make, and returns what it showed.
func runExample(t *testing.T, dir, line string, byMake bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	var shown bytes.Buffer
	var c *exec.Cmd
	if byMake {
		c = exec.CommandContext(ctx, "make", "demo")
		c.Dir = filepath.Join("..", "..")
		// Under "make test" it would be a make of a make, which says more.
		c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") })
	} else {
		c = exec.CommandContext(ctx, "bash", "-c", "exec "+line)
		c.Dir, c.Env = dir, append(os.Environ(), "PATH="+filepath.Dir(enginetest.Sluice(t))+":"+os.Getenv("PATH"))
	}
	both := io.MultiWriter(&shown, t.Output())
	c.Stdout, c.Stderr = both, both
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) } // the program stops what it has started
	c.WaitDelay = time.Minute
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if byMake && !strings.Contains(shown.String(), "\nbin/"+line+"\n") {
		t.Errorf("make demo does not run the line")
	}
	return shown.String()
}

func shownReceiptIsClean(t *testing.T, out string, x example) {
	t.Helper()
	for _, line := range []string{
		`acknowledged writes +(\d+) +lost 0   resurrected 0   wrong version 0`,
		`requests +\d+ +failed 0   retried by clients 0`,
		`reads +(\d+) +stale 0 .*`,
		`pause \(writes held\) .*`,
		`longest pause +barrier .*`,
		`cursors +scroll and PIT opened before the flip finished with every document`,
	} {
		m := regexp.MustCompile(`(?m)^` + line + `$`).FindStringSubmatch(out)
		if m == nil {
			t.Errorf("the receipt has no line %s", line)
			continue
		}
		if len(m) > 1 {
			if n, err := strconv.Atoi(m[1]); err != nil || n == 0 || strings.HasPrefix(line, "ack") && n < x.ids {
				t.Errorf("too few: %s", m[0])
			}
		}
	}
}

func receiptIsClean(t *testing.T, dir string, x example) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "receipt.json"))
	must(t, err)
	var res demo.Result
	must(t, json.Unmarshal(b, &res))
	if !res.OK || res.Counts.Acknowledged < int64(x.ids) || res.Counts.Reads == 0 || len(res.Legs) != x.legs {
		t.Errorf("%s", b)
	}
	for _, l := range res.Legs {
		if l.Holds.Parts.Whole <= 0 || l.Holds.Parts.Barrier <= 0 || l.Holds.Parts.Seal <= 0 {
			t.Errorf("move to %s: the receipt does not say where the pause went: %+v", l.To, l.Holds)
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, "demo", "acknowledged.ndjson"))
	if err != nil || int64(bytes.Count(log, []byte("\n"))) < res.Counts.Acknowledged {
		t.Errorf("the clients' log of every write: %d lines, %v", bytes.Count(log, []byte("\n")), err)
	}
}

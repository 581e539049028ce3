package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const surfaceFile = "testdata/surface.json"

// target is where a client's program sends its calls.
type target struct {
	URL      string            `json:"url"`
	Headers  map[string]string `json:"headers"`
	User     string            `json:"user,omitempty"`
	Password string            `json:"password,omitempty"`
	Compress bool              `json:"compress"`
	Surface  string            `json:"surface"`
}

// client is an official client, in the pinned version.
type client struct {
	name     string
	lock     string // the file that pins its version, by the name artifact; empty if there is none
	artifact string
	// ready fetches it, or says that this machine cannot run it. It returns what
	// makes all calls at a target.
	ready func(t *testing.T) func(t *testing.T, to target) []line
}

var all = []client{
	{"opensearch-py", "testdata/python/requirements.txt", "opensearch-py", readyPython},
	{"opensearch-js", "testdata/js/package.json", "@opensearch-project/opensearch", readyJS},
	{"opensearch-go", "../../go.mod", "opensearch-go", readyGo},
	{"opensearch-java", "testdata/java/pom.xml", "opensearch-java", readyJava("java")},
	{"opensearch-rest-client", "testdata/java/pom.xml", "opensearch-rest-client", readyJava("rest")},
	{name: "http", ready: readyWire},
}

func (w *world) target(t *testing.T, of *tenant) target {
	t.Helper()
	file, err := filepath.Abs(surfaceFile)
	if err != nil {
		t.Fatal(err)
	}
	to := target{URL: w.cluster, Headers: map[string]string{}, Surface: file}
	switch {
	case of == nil:
	case of.basic:
		to.URL, to.User, to.Password = w.proved, string(of.id), password
	default:
		to.URL, to.Headers["X-Sluice-Tenant"] = w.proxy, string(of.id)
	}
	to.Compress = of != nil && of.compress
	return to
}

// Every client gets the same answers from the proxy as from the cluster, but for
// what the table explains; and the table explains no more than there is.
func TestClients(t *testing.T) {
	w, d, complete := newWorld(t), newDifferences(table), true
	for _, c := range all {
		ran := false
		t.Run(c.name, func(t *testing.T) {
			call := c.ready(t)
			w.reset(t, nil)
			start := time.Now()
			direct := call(t, w.target(t, nil))
			t.Logf("directly: %d calls in %s", len(direct), time.Since(start).Round(time.Millisecond))
			for _, of := range tenants {
				w.reset(t, &of)
				start = time.Now()
				proxied := call(t, w.target(t, &of))
				t.Logf("%s: %d calls in %s", of.kind, len(proxied), time.Since(start).Round(time.Millisecond))
				d.compare(t, c.name, of.kind, direct, proxied)
			}
			ran = true
		})
		complete = complete && ran
	}
	if !complete {
		t.Log("not every client ran, so it is not known whether every entry of the table is needed")
		return
	}
	for _, s := range d.idle() {
		t.Errorf("an entry of the table explains less than it says: %s", s)
	}
}

// program runs a client's program, with one more variable in its environment, and
// returns what it printed.
func program(t *testing.T, to target, env, name string, args ...string) []line {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	arg, err := json.Marshal(to)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, name, append(args, string(arg))...)
	var errs bytes.Buffer
	cmd.Stderr, cmd.Env = &errs, append(os.Environ(), env)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s\nits last output: %s", filepath.Base(name), err, errs.String(), out[max(0, len(out)-500):])
	}
	lines, err := parse(out)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

func TestMain(m *testing.M) {
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "SLUICE_") {
			_ = os.Unsetenv(name) // the tests' configuration is their own
		}
	}
	_ = os.Setenv("XDG_CONFIG_HOME", "/nowhere") // nor are the contexts of whoever runs them theirs
	goleak.VerifyTestMain(engineTests{m}, goleak.IgnoreAnyFunction("go.etcd.io/etcd/client/pkg/v3/logutil.(*MergeLogger).outputLoop"))
}

// engineTests are the tests, with the engines that they share.
type engineTests struct{ *testing.M }

// Run implements goleak.TestingM.
func (m engineTests) Run() int {
	return enginetest.Run(m.M)
}

// cli runs the program against one store.
type cli struct {
	t     *testing.T
	flags []string
}

type result struct {
	code           int
	stdout, stderr string
}

func (c cli) run(args ...string) result {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	code := runContext(ctx, append(args, c.flags...), &out, &errs)
	return result{code, out.String(), errs.String()}
}

func (c cli) ok(args ...string) string {
	c.t.Helper()
	r := c.run(args...)
	if r.code != exitOK {
		c.t.Fatalf("sluice %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// newCLI returns a program over a fresh embedded etcd, and its table.
func newCLI(t *testing.T) (cli, *store.Store) {
	t.Helper()
	e, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "http://127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return cli{t, []string{"--store.etcd.endpoints", e.Endpoint()}}, store.New(e.Store(), nil)
}

// fakeCluster answers GET / as a cluster of the version does.
func fakeCluster(t *testing.T, distribution, version string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"version":{"distribution":%q,"number":%q}}`, distribution, version)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// ports counts the ports that freeAddress has looked at, from one by chance on: tests of
// another run may be at work beside these.
var ports = func() *atomic.Uint32 {
	var n atomic.Uint32
	n.Store(rand.Uint32N(20000))
	return &n
}()

// freeAddress returns an address that nobody listens on, and that is not given to another
// test. Its port is below those that the system gives to whoever asks for any, so that none
// of them takes it before it is used.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 20000 {
		address := fmt.Sprint("127.0.0.1:", 10000+ports.Add(1)%20000)
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("there is no free port")
	return ""
}

func TestEveryCommandHasHelp(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "help" || c.Name() == "completion" || c.Name() == "demo" {
			return // cobra's own, and package demo's
		}
		if c.Short == "" || c.Example == "" {
			t.Errorf("%q has no short description or no example", c.CommandPath())
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(newRoot())
	help := cli{t: t}.ok("--help")
	for _, x := range catalog.Exits() {
		if !strings.Contains(help, fmt.Sprintf("%3d  %s", x.Code, x.Meaning)) {
			t.Errorf("the help does not tell exit code %d", x.Code)
		}
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := (cli{t: t}).ok("completion", shell); !strings.Contains(out, "sluice") {
			t.Errorf("no completion for %s", shell)
		}
	}
}

// TestUsage: what is wrong by itself is code 2, before any store is asked: the
// endpoint given answers nothing.
func TestUsage(t *testing.T) {
	c := cli{t, []string{"--store.etcd.endpoints", "http://127.0.0.1:1"}}
	for _, tt := range []struct{ args, says string }{
		{"tenat", `unknown command "tenat" for "sluice"; did you mean tenant?`},
		{"tenant ad", `did you mean add?`},
		{"tenant add", "usage: sluice tenant add TENANT"},
		{"tenant add acme", "--cluster: \"\" must name the cluster"},
		{"tenant add .. --cluster a --index x", "tenant: \"..\" must not be . or .., which no path of the API can name; choose another name"},
		{"tenant add acme --cluster a", "--index: \"\" must name the tenant's index"},
		{"tenant add acme --cluster a --kind sharded --index x", "placement.kind: \"sharded\" must be one of"},
		{"tenant add acme --cluster a --kind shared_index --index x", "--partition-field: \"\" must name the field"},
		{"tenant add acme --cluster a --kind shared_index --index x --partition-field _id", "placement.partition_field: \"_id\" must be"},
		{"tenant add acme --cluster a --index x --partition-field f", "must be empty but for a shared_index"},
		{"tenant add acme --cluster A --index x", "cluster: \"A\" must be 1 to 64 of"},
		{"tenant add acme --cluster a --index X", "placement.index: \"X\" must be lower case"},
		{"tenant add acme --cluster a --index x --as _y", "placement.logical: \"_y\" must not begin with"},
		{"tenant list -o xml", `--output: "xml" must be table, json or yaml`},
		{"tenant list --frobnicate", "unknown flag: --frobnicate"},
		{"cluster add a", "usage: sluice cluster add NAME URL"},
		{"cluster add a search:9200", "endpoints[0]: \"search:9200\" must"},
		{"cluster add a http://u:p@search:9200", "must not hold credentials"},
		{"cluster add a http://search:9200 --username u", "must come with password_file or password_env"},
		{"cluster remove A_B!", "cluster: \"A_B!\" must be"},
		{"move acme", "--to: \"\" must name the cluster to move to"},
		{"move acme --to b --dry-run --wait", "nothing to wait for"},
		{"move acme --to b --copy tape", "copy: \"tape\" must be scan, snapshot or auto"},
		{"move acme --to b --copy snapshot", "repository: \"\" must name a snapshot repository"},
		{"move acme --to b --repository r", "is for a copy by snapshot"},
		{"move acme --to b --copy auto --repository r --snapshot-above much", "must be a size such as 512MiB"},
		{"move acme --to b --pause-budget soon", "invalid argument"},
		{"moves show", "usage: sluice moves show"},
		{"verify", "give a tenant, or --from and --to; usage: sluice verify TENANT"},
		{"verify acme --from a/x --to b/x", "and not both"},
		{"verify --from a --to b/x", `--from: "a" must be CLUSTER/INDEX`},
		{"verify --from a/X --to b/x", `placement.index: "X" must be lower case`},
		{"verify acme --limit 4000", "must be from 0 to 3000"},
		{"verify acme --settle -1s", "must not be negative"},
		{"verify acme --resume main_test.go", "must be a file that sluice verify has written"},
		{"apply", "-f: name a file, a folder, or - for standard input"},
		{"apply -f /nowhere.yaml", "/nowhere.yaml"},
		{"apply -f main.go", "main.go:"},
		{"apply -f testdata --prune", "--selector must say among which tenants"},
		{"apply -f x --selector tier=free", "--selector goes with --prune"},
		{"apply -f x --dry-run --wait", "goes with neither --yes nor --wait"},
		{"apply -f x -o json", "give --yes or --dry-run"},
		{"apply -f x --zone UTC", "there is no --window that is in it"},
		{"apply -f x --window noon", "must be two times of the day"},
		{"apply -f x --move pause=1s", "--move: pause: unknown field"},
		{"apply -f x --move keep", "must be KEY=VALUE"},
		{"apply epxort", `did you mean export?`},
		{"config check /nowhere/sluice.yaml", "`sluice config example` prints one"},
		{"tenant list --store.etcd.prefix x", "store.etcd.prefix: \"x\" must begin and end with /"},
		{"serve extra", `unknown command "extra"`},
	} {
		args := strings.Fields(tt.args)
		r := c
		if args[0] != "tenant" && args[0] != "move" && args[0] != "moves" && args[0] != "cluster" || len(args) == 1 || args[1] == "ad" {
			r.flags = nil
		}
		got := r.run(args...)
		if got.code != exitUsage || !strings.Contains(got.stderr, tt.says) || got.stdout != "" {
			t.Errorf("sluice %s: exit code %d, stdout %q, stderr %q; want code %d and %q", tt.args, got.code, got.stdout, got.stderr, exitUsage, tt.says)
		}
	}
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	c := cli{t, []string{"--store.etcd.endpoints", "http://" + freeAddress(t)}}
	if r := c.run("tenant", "list"); r.code != exitUnavailable || !strings.Contains(r.stderr, "connect to etcd") {
		t.Errorf("no etcd: %+v", r)
	}
}

func TestClusters(t *testing.T) {
	t.Parallel()
	c, s := newCLI(t)
	a, old, other := fakeCluster(t, "opensearch", "2.19.6"), fakeCluster(t, "opensearch", "1.3.0"), fakeCluster(t, "", "8.1.0")
	if out := c.ok("cluster", "add", "a", a); !strings.Contains(out, "cluster a added: OpenSearch 2.19.6") {
		t.Errorf("add: %q", out)
	}
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"cluster add a " + a, exitRefused, "exists already (" + a + "); --replace changes it"},
		{"cluster add b " + old, exitRefused, "is opensearch 1.3.0; sluice moves data of OpenSearch 2 and newer"},
		{"cluster add b " + other, exitRefused, "no OpenSearch"},
		{"cluster add b http://" + freeAddress(t), exitUnavailable, "--no-check adds it all the same"},
		{"cluster add b http://search:9200 --ca-file /nowhere", exitUsage, "/nowhere"},
		{"cluster add b " + a + " --replace", exitRefused, `unknown cluster "b": known are a`},
		{"cluster remove b", exitRefused, `unknown cluster "b": known are a`},
	} {
		if r := c.run(strings.Fields(tt.args)...); r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("sluice %s: %+v; want code %d and %q", tt.args, r, tt.code, tt.says)
		}
	}
	c.ok("cluster", "add", "a", a, "--replace")
	c.ok("cluster", "add", "b", "http://127.0.0.1:1", "--no-check")
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	var list []struct {
		Name    string
		Tenants int
	}
	if err := json.Unmarshal([]byte(c.ok("cluster", "list", "-o", "json")), &list); err != nil || len(list) != 2 || list[0].Tenants != 1 {
		t.Errorf("list: %v, %v", list, err)
	}
	if out := c.ok("cluster", "list"); !strings.Contains(out, "CLUSTER") || !strings.Contains(out, a) {
		t.Errorf("list: %q", out)
	}
	if r := c.run("cluster", "remove", "a"); r.code != exitRefused || !strings.Contains(r.stderr, "holds data of 1 tenant") {
		t.Errorf("remove of a cluster in use: %+v", r)
	}
	// The target of a migration is in use, too.
	begin := placement.Command{Op: placement.OpBegin, Attempt: placement.Attempt{Move: "m1"},
		To: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "x", Logical: "docs"}}
	if _, err := s.Apply(t.Context(), "acme", begin); err != nil {
		t.Fatal(err)
	}
	if r := c.run("cluster", "remove", "b"); r.code != exitRefused {
		t.Errorf("remove of a migration's target: %+v", r)
	}
	if r := c.run("tenant", "remove", "acme"); r.code != exitRefused || !strings.Contains(r.stderr, "is moving") {
		t.Errorf("remove of a migrating tenant: %+v", r)
	}
	if _, err := s.Apply(t.Context(), "acme", placement.Command{Op: placement.OpAbort}); err != nil {
		t.Fatal(err)
	}
	c.ok("cluster", "remove", "b")
	c.ok("tenant", "remove", "acme")
	c.ok("cluster", "remove", "a")
}

func TestTenants(t *testing.T) {
	t.Parallel()
	c, _ := newCLI(t)
	if r := c.run("tenant", "add", "acme", "--cluster", "a", "--index", "x"); r.code != exitRefused || !strings.Contains(r.stderr, "there is none yet") {
		t.Errorf("tenant on an unknown cluster: %+v", r)
	}
	c.ok("cluster", "add", "a", "http://127.0.0.1:1", "--no-check")
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	for _, tt := range []struct{ args, says string }{
		{"tenant add acme --cluster a --index other", `tenant "acme" exists already`},
		{"tenant add initech --cluster a --index acme-docs", `belongs to tenant "acme" already`},
		{"tenant add initech --cluster a --kind dedicated_cluster", `belongs to tenant "acme" already`},
		{"tenant show initech", `unknown tenant "initech"`},
		{"tenant remove initech", `unknown tenant "initech"`},
	} {
		if r := c.run(strings.Fields(tt.args)...); r.code != exitRefused || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("sluice %s: %+v; want code %d and %q", tt.args, r, exitRefused, tt.says)
		}
	}
	var v control.TenantView
	if err := json.Unmarshal([]byte(c.ok("tenant", "show", "acme", "-o", "json")), &v); err != nil ||
		v.Placement != (placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "acme-docs", Logical: "docs"}) || v.Phase != "active" {
		t.Errorf("show: %+v, %v", v, err)
	}
	// A pattern: any number of indices, and none that another tenant could have.
	if out := c.ok("tenant", "add", "umbrella", "--cluster", "a", "--index", "umbrella-*"); !strings.Contains(out, "dedicated_index:a/umbrella-*") {
		t.Errorf("added: %q", out)
	}
	if err := json.Unmarshal([]byte(c.ok("tenant", "show", "umbrella", "-o", "json")), &v); err != nil ||
		v.Placement != (placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "umbrella-*", Logical: "*"}) {
		t.Errorf("show: %+v, %v", v, err)
	}
	for _, tt := range []struct {
		index string
		code  int
		says  string
	}{
		{"umbrella-eu-*", exitRefused, `a/umbrella-* can have an index in common, and that place belongs to tenant "umbrella" already`},
		{"umb*", exitRefused, `belongs to tenant "umbrella" already`}, {"umbrella-*", exitRefused, `belongs to tenant "umbrella" already`},
		{"umbrella-docs", exitRefused, `a/umbrella-* can have an index in common`}, {"acme-*", exitRefused, `a/acme-docs can have an index in common, and that place belongs to tenant "acme" already`},
		{"*", exitUsage, "use dedicated_cluster"}, {"*-x", exitUsage, "in front of the *"}, {"a*b*", exitUsage, "one * at most"}, {"slu*", exitUsage, "those of moves"},
	} {
		if r := c.run("tenant", "add", "another", "--cluster", "a", "--index", tt.index); r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("--index %s: %+v; want code %d and %q", tt.index, r, tt.code, tt.says)
		}
	}
	c.ok("tenant", "add", "another", "--cluster", "a", "--index", "umbrella.v2-*", "--as", "*")
	c.ok("cluster", "add", "b", "http://127.0.0.1:1", "--no-check")
	c.ok("move", "umbrella", "--to", "b") // nobody begins it
	if r := c.run("tenant", "add", "early", "--cluster", "b", "--index", "umbrella-docs"); r.code != exitRefused || !strings.Contains(r.stderr, `takes tenant "umbrella"`) {
		t.Errorf("where a tenant is about to move: %+v", r)
	}
	if r := c.run("tenant", "show", "early"); r.code != exitRefused {
		t.Errorf("it is left: %+v", r)
	}
	if r := c.run("tenant", "add", "one-more", "--cluster", "a", "--index", "more-*", "--as", "docs"); r.code != exitUsage || !strings.Contains(r.stderr, "must be * or empty") {
		t.Errorf("a pattern with one logical name: %+v", r)
	}
	// An id may hold anything; a terminal must not obey it.
	c.ok("tenant", "add", "\x1b[2Jevil", "--cluster", "a", "--index", "evil")
	if out := c.ok("tenant", "list"); strings.Contains(out, "\x1b") || !strings.Contains(out, `\x1b[2Jevil`) {
		t.Errorf("control characters reach the terminal: %q", out)
	}
	if out := c.ok("tenant", "list", "--cluster", "b", "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("an empty list is %q", out)
	}
}

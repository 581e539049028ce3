package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/credentials/testca"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream/awstest"
)

// What a comment before a block says to the test, and to whoever reads the source:
//
//	not run: REASON   another test runs it, which is named
//	background        it runs until the page ends; Sluice is ready before what follows
//	background ADDRESS   the same of another program, which listens there
//	apart             it changes the machine: it is run in a root of its own, see apart
//	endless           it is ended after two seconds
//	exit N            it ends with that exit code
//	file NAME         its content is a file
//	source            it is run in the folder of the source
const (
	markNotRun, markBackground, markApart, markEndless, markExit, markFile, markSource = "not run: ", "background", "apart", "endless", "exit ", "file ", "source"
)

// notRun are the pages with blocks that another test runs, and how many they may have; the
// pages say which.
var notRun = map[string]int{
	"README.md":       1, // make demo, which internal/demo runs, and make test, which runs that
	"docs/running.md": 1, // kubectl, which deploy/kubernetes/schema runs
}

// elsewhere are the pages whose commands another test runs.
var elsewhere = map[string]string{
	"docs/tutorial.md":    "TestTutorial runs it and compares what it prints",
	"docs/commands.md":    "made from the examples of the help, which TestExamplesRun runs",
	"CONTRIBUTING.md":     "what a contributor runs is the test itself",
	"docs/performance.md": "made from results; TestMeasures of bench runs its commands, with few samples",
}

func shell(lang string) bool { return slices.Contains([]string{"sh", "bash", "console"}, lang) }

// scene is what a page's commands are run in.
type scene struct {
	t       *testing.T
	page    string
	dir     string // the working directory
	env     []string
	a, b    func() *engines.OpenSearch // the clusters; the first call takes one
	ca      *testca.Authority
	replace []string // what stands for what in the page's text, as of strings.NewReplacer
	before  []string // lines of shell that come first
}

func (s *scene) put(shown, real string) { s.replace = append(s.replace, shown, real) }

// tool puts a program where the page's commands find it, by the name that they call it by.
func (s *scene) tool(name, program string) {
	s.t.Helper()
	if err := os.Symlink(program, filepath.Join(s.dir, "bin", name)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) run(lines ...string) { s.before = append(s.before, lines...) }

// newScene has the program, and a certificate for every server.
func newScene(t *testing.T, page string) *scene {
	t.Helper()
	s := &scene{t: t, page: page, dir: t.TempDir(), ca: testca.New(t)}
	s.ca.Server("server", "search.example")
	for _, name := range []string{"etc", "bin"} {
		if err := os.Mkdir(filepath.Join(s.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.put("/etc/sluice", filepath.Join(s.dir, "etc"))
	s.put("/var/lib/sluice", filepath.Join(s.dir, "var"))
	s.env = []string{"PATH=" + filepath.Join(s.dir, "bin") + ":" + filepath.Dir(enginetest.Sluice(t)) + ":" + os.Getenv("PATH"), "SSL_CERT_FILE=" + s.ca.File("ca.pem"), "CURL_CA_BUNDLE=" + s.ca.File("ca.pem"), "HOME=" + s.dir,
		// Clusters on one busy machine are slower than anybody's.
		"SLUICE_CONTROLLER_PAUSE_BUDGET=8s", "SLUICE_CONTROLLER_CUTOVER_DEADLINE=20s", "SLUICE_PROXY_HOLD_DEADLINE=40s"}
	return s
}

// requireTools skips a test where a program is missing, and fails it where CI is set.
func requireTools(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("there is no %s", name)
			}
			t.Skipf("skipped, it would fail where CI is set: there is no %s", name)
		}
	}
}

// address makes a free address stand for each of those shown.
func (s *scene) address(shown ...string) {
	for _, x := range shown {
		s.put(x, freeAddress(s.t))
	}
}

// file writes a file that the page names, below /etc/sluice.
func (s *scene) file(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "etc", name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// certificate puts one of the authority's certificates, with its key, where the page has it.
func (s *scene) certificate(issued, pem, key string) {
	s.t.Helper()
	for from, to := range map[string]string{issued + ".pem": pem, issued + ".key": key} {
		text, err := os.ReadFile(s.ca.File(from))
		if err != nil {
			s.t.Fatal(err)
		}
		s.file(to, string(text))
	}
}

// door ends TLS before a cluster, which has none of its own, and lets in whom check lets in.
func (s *scene) door(cluster string, clientCerts bool, check func(*http.Request) bool) string {
	behind, err := url.Parse(cluster)
	if err != nil {
		s.t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(s.ca.File("server.pem"), s.ca.File("server.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(behind)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	forward.Transport = transport
	d := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if check != nil && !check(r) {
			http.Error(w, `{"error":"who is it?"}`, http.StatusUnauthorized)
			return
		}
		r.Header.Del("Authorization")
		forward.ServeHTTP(w, r)
	}))
	d.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if clientCerts {
		d.TLS.ClientAuth, d.TLS.ClientCAs = tls.RequireAndVerifyClientCert, s.ca.Pool()
	}
	d.StartTLS()
	s.t.Cleanup(func() { d.Close(); transport.CloseIdleConnections() })
	return d.URL
}

// amazon is a door that opens to a signature that Amazon's documents ask for, by the access
// key in the environment.
func (s *scene) amazon(cluster string) string {
	service := awstest.Service{Region: "eu-west-1", Name: "es", Secrets: map[string]string{"AKIDSHOWN": "shown"}}
	s.env = append(s.env, "AWS_ACCESS_KEY_ID=AKIDSHOWN", "AWS_SECRET_ACCESS_KEY=shown", "AWS_EC2_METADATA_DISABLED=true")
	return s.door(cluster, false, func(r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		why := service.Check(r, body)
		if why != "" {
			s.t.Logf("%s %s: %s", r.Method, r.URL.Path, why)
		}
		return err == nil && why == ""
	})
}

const fleetConfig = `name: shown
store:
  etcd:
    embedded:
      data_dir: var
      client_url: http://127.0.0.1:12379
proxy:
  listen: 127.0.0.1:9280
admin:
  listen: 127.0.0.1:9281
api:
  listen: 127.0.0.1:9282
controller:
  pause_budget: 5s
  cutover_deadline: 10s
`

// serve starts a process that is proxy and controller.
func (s *scene) serve() {
	s.t.Helper()
	s.address("127.0.0.1:12379", "127.0.0.1:9280", "127.0.0.1:9281", "127.0.0.1:9282")
	s.put("localhost:9280", s.text("127.0.0.1:9280"))
	if err := os.WriteFile(filepath.Join(s.dir, "sluice.yaml"), []byte(s.text(fleetConfig)), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.run("sluice serve 2>serve.log &", s.up())
}

// fleet is that, with the clusters and tenants that most pages begin with: acme and
// initech on a.
func (s *scene) fleet() {
	s.t.Helper()
	s.serve()
	s.run("sluice cluster add a "+s.a().URL(), "sluice cluster add b "+s.b().URL())
	s.tenants("acme", "initech")
}

// listens gives the listeners that the page leaves at their defaults free addresses.
func (s *scene) listens(keys ...string) {
	for _, k := range keys {
		s.env = append(s.env, "SLUICE_"+k+"="+freeAddress(s.t))
	}
}

// up waits until the process serves.
func (s *scene) up() string {
	return `for i in $(seq 600); do [ "$i" -lt 600 ] || { cat serve.log; exit 1; }; command curl -sf -o ready http://` + s.text("127.0.0.1:9281") + `/-/ready && break; sleep 0.1; done`
}

// tenants have an index of three documents each, on a.
func (s *scene) tenants(names ...string) {
	for _, name := range names {
		s.documents(name + "-docs")
		s.run("sluice tenant add " + name + " --cluster a --index " + name + "-docs --as docs")
	}
}

func (s *scene) documents(index string) {
	at := s.a().URL() + "/" + index
	s.run(`curl -X PUT ` + at + ` -H 'Content-Type: application/json' -d '{"settings":{"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}'`)
	for n := range 3 {
		s.run(fmt.Sprintf(`curl -X PUT '%s/_doc/%d?refresh=true' -H 'Content-Type: application/json' -d '{"n":%d,"tenant":"x"}'`, at, n, n))
	}
}

func (s *scene) text(shown string) string { return strings.NewReplacer(s.replace...).Replace(shown) }

// script is the page as one script of bash, so that a variable of one block is there in
// the next. What it prints says where it is.
func (s *scene) script(all []block) (script string, blocks int) {
	var b strings.Builder
	b.WriteString(`set -euo pipefail
curl() { command curl --fail-with-body --silent --show-error --max-time 120 "$@"; }
trap 'code=$?; trap - EXIT; for j in $(jobs -p | tac); do kill "$j" 2>/dev/null || true; wait "$j" || true; done; exit $code' EXIT
`)
	for _, line := range s.before {
		b.WriteString(line + "\n")
	}
	for _, x := range all {
		if !x.fence {
			continue
		}
		text := s.text(strings.Join(x.lines, "\n"))
		if name, ok := strings.CutPrefix(x.mark, markFile); ok {
			blocks++
			fmt.Fprintf(&b, "cat >%s <<'END OF FILE'\n%s\nEND OF FILE\n", s.text(name), text)
			continue
		}
		if !shell(x.lang) {
			continue
		}
		if x.lang == "console" { // a prompt before what is typed, and nothing before what is printed
			var typed []string
			for _, line := range strings.Split(text, "\n") {
				if rest, ok := strings.CutPrefix(line, "$ "); ok {
					typed = append(typed, rest)
				}
			}
			text = strings.Join(typed, "\n")
		}
		fmt.Fprintf(&b, "echo '== %s:%d'\n", x.page, x.line)
		switch {
		case strings.HasPrefix(x.mark, markNotRun):
			continue
		case x.mark == markSource:
			root, err := filepath.Abs("../..")
			if err != nil {
				s.t.Fatal(err)
			}
			fmt.Fprintf(&b, "cd '%s'\nHOME='%s'\n%s\nHOME='%s'\ncd ~\n", root, os.Getenv("HOME"), text, s.dir) // Go's caches are at home
		case x.mark == markApart:
			fmt.Fprintf(&b, "apart <<'END OF BLOCK'\n%s\nEND OF BLOCK\n", strings.Join(x.lines, "\n"))
		case strings.HasPrefix(x.mark, markBackground+" "):
			host, port, _ := strings.Cut(s.text(strings.TrimPrefix(x.mark, markBackground+" ")), ":")
			fmt.Fprintf(&b, "(%s\n) 2>other.log &\nfor i in $(seq 600); do [ \"$i\" -lt 600 ] || { cat other.log; exit 1; }; (: </dev/tcp/%s/%s) 2>/dev/null && break; sleep 0.1; done\n", text, host, port)
		case x.mark == markBackground:
			fmt.Fprintf(&b, "(%s\n) 2>serve.log &\n%s\n", text, s.up())
		case x.mark == markEndless:
			for _, line := range strings.Split(text, "\n") {
				fmt.Fprintf(&b, "code=0; timeout 2 %s || code=$?; [ $code = 124 ]\n", line)
			}
		case strings.HasPrefix(x.mark, markExit):
			fmt.Fprintf(&b, "code=0; (set -e; %s\n) || code=$?; [ $code = %s ] || { echo \"exit code $code\"; exit 1; }\n", text, strings.TrimPrefix(x.mark, markExit))
		default:
			b.WriteString(text + "\n")
		}
		blocks++
	}
	return b.String(), blocks
}

// play runs a page's commands, and fails with what they printed last.
func (s *scene) play(all []block) (blocks int) {
	s.t.Helper()
	script, blocks := s.script(all)
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	// The script ends its own processes, if it is let.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		tail := out[max(0, len(out)-6000):]
		log, _ := os.ReadFile(filepath.Join(s.dir, "serve.log"))
		s.t.Errorf("%s: %v:\n%s\nthe end of the log of what it has started:\n%s", s.page, err, tail, log[max(0, len(log)-3000):])
	}
	s.t.Logf("%d blocks of %s in %s", blocks, s.page, time.Since(began).Round(10*time.Millisecond))
	return blocks
}

// Every command that the manual shows is one that works: the blocks of each page are run,
// in their order, on real clusters and real stores, and end with the exit code that the
// page says, or with 0.
func TestManualRuns(t *testing.T) {
	t.Parallel()
	requireTools(t, "bash", "curl", "openssl", "redis-cli", "htpasswd", "python3") // and what every Unix has
	pages := manual(t)
	for page := range elsewhere {
		if _, ok := pages[page]; !ok {
			t.Errorf("there is no %s", page)
		}
	}
	for page, all := range pages { // before anything is started
		n := 0
		for _, x := range all {
			if reason, ok := strings.CutPrefix(x.mark, markNotRun); ok {
				n++
				if len(reason) < 15 {
					t.Errorf("%s:%d: %q is no reason", page, x.line, reason)
				}
			}
			if x.fence && x.lang == "" {
				for i, line := range x.lines {
					if first, _, _ := strings.Cut(strings.TrimSpace(line), " "); slices.Contains([]string{"sluice", "make", "curl", "$"}, first) {
						t.Errorf("%s:%d: a command in a block that is not marked as sh", page, x.line+i)
					}
				}
			}
		}
		if n != notRun[page] {
			t.Errorf("%s has %d blocks that are not run; the list allows %d", page, n, notRun[page])
		}
	}
	if t.Failed() {
		return
	}
	names := make([]string, 0, len(pages))
	for page := range pages {
		if elsewhere[page] == "" {
			names = append(names, page)
		}
	}
	slices.Sort(names)
	var ran atomic.Int64
	t.Cleanup(func() { // when all pages have been run
		if n := ran.Load(); n < 20 && !strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
			t.Errorf("only %d blocks were run", n)
		}
	})
	for _, page := range names {
		runs := slices.ContainsFunc(pages[page], func(x block) bool { return x.fence && shell(x.lang) && !strings.HasPrefix(x.mark, markNotRun) })
		if !runs {
			continue
		}
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, page)
			node := func() func() *engines.OpenSearch {
				return sync.OnceValue(func() *engines.OpenSearch { return enginetest.LendOpenSearch(t, engines.OpenSearch2) })
			}
			s.a, s.b = node(), node()
			stage := stages[page]
			if stage == nil {
				stage = (*scene).fleet
			}
			stage(s)
			ran.Add(int64(s.play(pages[page])))
		})
	}
}

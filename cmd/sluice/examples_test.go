package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// notRunExamples are the examples of the help that testdata/examples.sh does not have, and why.
var notRunExamples = map[string]string{
	"sluice demo": "internal/demo runs it, by make demo",
	"sluice demo --docs 2000 --rate 80 --placement dedicated_cluster --opensearch 2.19.6,3.9.0":                            "the same",
	"sluice demo --docs 2000 --rate 80 --copy-throttle auto --store redis --keep --data-dir ./demo -o json > receipt.json": "the same",
	"sluice demo clusters": "TestTutorial runs it",
}

// helpExamples are all examples of the program's help, without their comments.
func helpExamples() map[string]bool {
	all := map[string]bool{}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for line := range strings.SplitSeq(c.Example, "\n") {
			line, _, _ = strings.Cut(line, " #")
			if line = strings.TrimSpace(line); line != "" {
				all[line] = true
			}
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(newRoot()) // commandTree is not for tests that run beside others: even a look at it may sort it
	return all
}

// story is testdata/examples.sh, which says how it is written.
type story struct {
	lines []string
	shows map[string]int // examples, by the line that they are in
}

const storyFile = "testdata/examples.sh"

var exampleLine = regexp.MustCompile(`^\$ (?:\[([^]]*)\] )?(.*)$`)

func readStory(t *testing.T) story {
	t.Helper()
	raw, err := os.ReadFile(storyFile)
	if err != nil {
		t.Fatal(err)
	}
	st := story{lines: strings.Split(string(raw), "\n"), shows: map[string]int{}}
	for i, line := range st.lines {
		if m := exampleLine.FindStringSubmatch(line); m != nil {
			st.shows[m[2]] = i + 1
		}
	}
	return st
}

// storyHead has what the lines of a story are made calls of. What an example prints is in
// $said until the next one.
const storyHead = `set -euo pipefail
export SHELL=$BASH # script's: another shell may stay beside the example, and end with 130 itself
trap 'code=$?; trap - EXIT; [ $code = 0 ] || echo "it ended with $code after line $at of examples.sh"; for j in $(jobs -p | tac); do kill "$j" 2>/dev/null || true; wait "$j" || true; done; exit $code' EXIT
curl() { command curl --fail-with-body --silent --show-error --max-time 120 "$@"; }
said=$PWD/said beside=() at=
fail() { echo "examples.sh:$at: $*"; exit 1; }
ended() { [[ ,$1, = *,$2,* ]] || fail "exit code $2"; }
run() { code=0; (eval "$2") >"$said" 2>&1 || code=$?; cat "$said"; ended "$1" "$code"; }
until_shown() {
	code=0; : >"$said"
	{ for i in $(seq 600); do grep -qF -- "$2" "$said" && break; sleep 0.1; done; printf '\003'; } | script -qefc "$3" /dev/null >>"$said" 2>&1 || code=$?
	cat "$said"; ended "$1" "$code"; prints "$2"
}
prints() { grep -qF -- "$1" "$said" || fail "it does not print: $1"; }
`

// script makes the story a script of bash.
func (st story) script(s *scene) string {
	quote := func(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
	var b strings.Builder
	b.WriteString(storyHead)
	for i, line := range st.lines {
		if shown, ok := strings.CutPrefix(line, "> "); ok {
			fmt.Fprintf(&b, "at=%d; prints %s\n", i+1, quote(s.text(shown)))
			continue
		}
		m := exampleLine.FindStringSubmatch(line)
		if m == nil {
			b.WriteString(s.text(line) + "\n")
			continue
		}
		codes, how, value, example := "0", "run", "", m[2]
		for option := range strings.SplitSeq(m[1], "; ") {
			name, v, _ := strings.Cut(option, "=")
			switch name {
			case "":
			case "exit":
				codes = v
			case "until", "beside", "serves":
				how, value = name, v
			case "acme", "tiny":
				example = regexp.MustCompile(`\b`+name+`\b`).ReplaceAllLiteralString(example, v)
			default:
				s.t.Fatalf("%s:%d: %q is no option", storyFile, i+1, option)
			}
		}
		example = strings.NewReplacer("m1k2j3h4g5abcdef", "$MOVE", "w1k2j3h4g5abcdef", "$WAVE").Replace(s.text(example))
		fmt.Fprintf(&b, "at=%d; echo \"== examples.sh:$at, after $SECONDS s\"\n", i+1)
		switch how {
		case "run":
			fmt.Fprintf(&b, "run %s %s\n", codes, quote(example))
		case "until":
			fmt.Fprintf(&b, "until_shown %s %s %s\n", codes, quote(value), quote(example))
		case "beside":
			fmt.Fprintf(&b, "(said=$said.%d; run %s %s) & beside+=($!)\n", i+1, codes, quote(example))
		case "serves":
			fmt.Fprintf(&b, "(%s) 2>serve.log & serving=$!\n%s\n", example, s.up())
		}
	}
	return b.String()
}

// Every example of the help is a command that works: it is run, on real clusters and
// stores, or there is a reason why not.
func TestExamplesRun(t *testing.T) {
	t.Parallel()
	st, all := readStory(t), helpExamples()
	for line, at := range st.shows {
		if !all[line] {
			t.Errorf("%s:%d: this is no example of the help: %s", storyFile, at, line)
		}
	}
	for line := range all {
		_, runs := st.shows[line]
		if _, excused := notRunExamples[line]; runs == excused {
			t.Errorf("an example of the help must be either in %s or have a reason why not: %s", storyFile, line)
		}
	}
	for line := range notRunExamples {
		if !all[line] {
			t.Errorf("this has a reason not to be run, and is no example of the help: %s", line)
		}
	}
	if t.Failed() {
		return
	}
	requireTools(t, "bash", "curl", "script")
	s := examplesScene(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", st.script(s))
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	// The script ends its own processes, if it is let.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "serve.log"))
		t.Errorf("%v:\n%s\nthe end of the log of what it has started:\n%s", err, out[max(0, len(out)-4000):], log[max(0, len(log)-2000):])
	}
	t.Logf("%d examples in %s", bytes.Count(out, []byte("== examples.sh:")), time.Since(began).Round(10*time.Millisecond))
}

// examplesScene has what the examples name: three clusters with indices and a repository of
// snapshots, stores of each kind, and files.
func examplesScene(t *testing.T) *scene {
	node := func() string { return enginetest.LendOpenSearch(t, engines.OpenSearch2).URL() }
	a, b, c := node(), node(), node()
	s := newScene(t, storyFile)
	s.ca.Client("operator")
	s.address("127.0.0.1:12379", "127.0.0.1:9280", "127.0.0.1:9281", "127.0.0.1:9282", "127.0.0.1:9290", "127.0.0.1:9291")
	s.put("--proxy.listen :9280", "--proxy.listen "+freeAddress(t))
	s.put("https://sluice.example.com:9282", "http://"+s.text("127.0.0.1:9282"))
	s.put("http://search-a:9200", a)
	s.put("http://search-b:9200", b)
	s.put("http://new-a:9200", s.door(a, false, nil))
	for _, shown := range []string{"https://search-b1:9200", "https://search-b2:9200"} {
		s.put(shown, s.door(b, false, basic("sluice", "secret")))
	}
	s.put("http://hooli-1:9200", c)
	s.put("https://vpc-d-x.eu-west-1.es.amazonaws.com", s.amazon(c))
	s.put("https://search-c:9200", s.door(c, true, func(r *http.Request) bool { return r.Header.Get("Authorization") == "ApiKey key" }))
	s.file("b.password", "secret\n")
	s.authority("b.pem")
	s.file("c.key", "key\n")
	s.certificate("operator", "c.pem", "c-tls.key")
	s.file("fleet.secret", strings.Repeat("0123456789abcdef", 4)+"\n")
	s.write("sluice.yaml", strings.Replace(s.text(fleetConfig), "data_dir: var", "data_dir: data", 1)) // var is another process's
	s.file("sluice.yaml", "store: {etcd: {embedded: {data_dir: other, client_url: \"http://"+freeAddress(t)+"\"}}}\n")
	etcd := enginetest.EtcdWith(t, &engines.EtcdOptions{ExtraArgs: []string{"--cert-file=" + s.ca.File("server.pem"), "--key-file=" + s.ca.File("server.key")}}).URL()
	s.put("https://etcd-1:2379", etcd)
	s.put("https://etcd-2:2379", etcd)
	redis := enginetest.Redis(t).Addr()
	s.put("redis-1:6379", redis)
	s.write("redis.yaml", "store: {kind: redis, redis: {addresses: [\""+redis+"\"]}}\n")
	s.put("http://127.0.0.1:8500", enginetest.Consul(t).URL())
	s.env = append(s.env, "XDG_CONFIG_HOME=", "TERM=xterm", "A="+a)
	for _, free := range []string{"FREE1", "FREE2", "FREE3", "FREE4"} {
		s.env = append(s.env, free+"="+freeAddress(t))
	}

	put := func(url, body string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode >= 300 {
			t.Fatalf("%s: %s", url, resp.Status)
		}
	}
	indices := []string{a + "/acme-docs", a + "/initech", a + "/umbrella-orders", a + "/pool", a + "/small", b + "/pool", b + "/acme.v2-docs"}
	for i := range 17 {
		indices = append(indices, fmt.Sprintf("%s/t%d-docs", a, i+1))
	}
	for _, index := range indices {
		fields := `"n":{"type":"long"}`
		if !strings.HasSuffix(index, "-docs") { // it may be shared
			fields += `,"tenant":{"type":"keyword"}`
		}
		put(index, `{"settings":{"number_of_replicas":0},"mappings":{"properties":{`+fields+`}}}`)
		if strings.HasSuffix(index, "-docs") {
			put(index+"/_doc/1?refresh=true", `{"n":1}`)
		}
	}
	location := `{"type":"fs","settings":{"location":"` + filepath.Join(s.dir, "backups") + `","readonly":%t}}`
	for _, cluster := range []string{a, b, c} {
		put(cluster+"/_snapshot/backups", fmt.Sprintf(location, cluster != a))
	}
	http.DefaultClient.CloseIdleConnections()
	return s
}

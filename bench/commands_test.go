//go:build unix

// Package bench_test runs the commands by which docs/performance.md says that its figures are
// measured, and those that docs/correctness.md has for who would see for himself.
package bench_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// few has for each command the flags with which it measures as little as it can: what is
// tested is that it works, and figures of a machine that is at work mean nothing.
var few = map[string]string{
	"micro":    "-rounds 1 -benchtime 100x",
	"proxy":    "-rounds 1 -slice 100ms -warmup 50ms -only GET -memory=false -real=false",
	"copying":  "-docs 22000 -rounds 1 -slice 2s -settle 300ms", // so many that the copy without a throttle lasts
	"copy":     "-docs 500 -rounds 1 -heap 512",
	"fleet":    "-sizes 3,10 -crowds 1,2 -at-once 1,2 -rounds 2 -crowded 10 -repeats 1 -flips 5 -flip-runs 1",
	"pause":    "-moves 2 -docs 200 -budget 8s",
	"fresh":    "-fresh-rounds 1",
	"draining": "-rounds 2 -slice 200ms -clients 4",
	"flood":    "-docs 200 -rounds 1 -slice 3s",
}

// needs are programs that a command needs besides those of all tests.
var needs = map[string][]string{"proxy": {"wrk", "nginx", "haproxy"}, "copy": {"npm", "python3"}}

// TestMeasures runs the commands of docs/performance.md, as they are there, but with few
// samples, and with their results somewhere else.
func TestMeasures(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	enginetest.RequireOpenSearch(t, engines.OpenSearch2)
	commands := commandsOf(t, "performance", `(?m)^(make bench-\w+.*)$`)
	if len(commands) < len(few) {
		t.Errorf("the page has only these commands: %q", commands)
	}
	for _, command := range commands {
		t.Run(command, func(t *testing.T) {
			name := regexp.MustCompile(`^make bench-(\w+)`).FindStringSubmatch(command)[1]
			flags, ok := few[name]
			if !ok {
				t.Fatal("there are no flags with which it measures little")
			}
			requireTools(t, needs[name]...)
			dir := t.TempDir()
			flags += " -out " + dir
			variable := strings.ToUpper(name) + "="
			if strings.Contains(command, variable) {
				command = strings.TrimSuffix(command, `"`) + " " + flags + `"`
			} else {
				command += " " + variable + `"` + flags + `"`
			}
			sh(t, command)
			results, err := filepath.Glob(filepath.Join(dir, "*.result.json"))
			if err != nil || len(results) != 1 {
				t.Fatalf("results: %q, %v", results, err)
			}
			b, err := os.ReadFile(results[0])
			if err != nil {
				t.Fatal(err)
			}
			var r report.Result
			if err := json.Unmarshal(b, &r); err != nil || len(r.Rows) == 0 {
				t.Errorf("%v: %s", err, b)
			}
			for _, row := range r.Rows {
				if row.What == "" || row.Value == "" || row.N == 0 && !byCallgrind.MatchString(row.Value) {
					t.Errorf("%+v", row)
				}
			}
		})
	}
}

// TestMeasuresStoresAndScale runs the two that other pages name.
func TestMeasuresStoresAndScale(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	dir := t.TempDir()
	sh(t, commandsOf(t, "capacity", "`(make bench-stores)`")[0]+` STORES=memory,etcd ENTRIES="100 -quick -out `+dir+`"`)
	for _, store := range []string{"memory", "etcd"} {
		if _, err := os.Stat(filepath.Join(dir, "stores-"+store+".json")); err != nil {
			t.Error(err)
		}
	}
	if out := sh(t, commandsOf(t, "scale", "`(make bench-scale)`")[0]); !strings.Contains(out, "| 10000 |") {
		t.Errorf("it shows no fleet of 10,000 instances:\n%s", out)
	}
}

// byCallgrind is what says how many instructions something takes, or that it was not counted,
// because callgrind is not there.
var byCallgrind = regexp.MustCompile(`^not counted|, by valgrind$`)

// shorter has what is added to a command of docs/correctness.md, so that it takes seconds.
var shorter = map[string]string{"soak-sim": "SOAK=5s", "fuzz": "FUZZTIME=1s FUZZ='^FuzzStep$'"}

// ranBy are the commands that something else runs anyway, and what stands there.
var ranBy = map[string]struct{ file, has string }{
	"model":      {".ci/test", "make --no-print-directory model SIZE=quick"},
	"cover-sim":  {".ci/test", "make --no-print-directory cover-sim COVER=600"},
	"mutants":    {".ci/test", "make --no-print-directory mutants"},
	"soak":       {".ci/test-package", "make --no-print-directory soak SOAK=4m"},
	"soak-proxy": {".ci/test-package", "make --no-print-directory soak-proxy SOAK=20s"},
	"test":       {".ci/run", "make test"},
	"test-redis": {".ci/test-package", "make --no-print-directory test-redis"},
	"container":  {".ci/test", "make --no-print-directory container"},
	"demo":       {"internal/demo/examples_test.go", `"make", "demo"`},
}

// TestSeeForYourself runs the commands of docs/correctness.md, and one each of other pages, for
// seconds.
func TestSeeForYourself(t *testing.T) {
	commands := append(commandsOf(t, "correctness", `(?m)^    (make \S+(?: [A-Z]+=\S+)?)`), commandsOf(t, "observing", "`(make soak-proxy)`")...)
	commands = append(append(commands, commandsOf(t, "running", "`(make container)`")...), commandsOf(t, "stores/redis", "`(make test-redis)`")...)
	if len(commands) != len(shorter)+len(ranBy) {
		t.Errorf("the pages have these commands: %q", commands)
	}
	for _, command := range commands {
		t.Run(command, func(t *testing.T) {
			name := strings.Fields(command)[1]
			if by, ok := ranBy[name]; ok {
				if text, err := os.ReadFile(filepath.Join("..", by.file)); err != nil || !strings.Contains(string(text), by.has) {
					t.Errorf("%s does not run it: %v", by.file, err)
				}
				return
			}
			variables, ok := shorter[name]
			if !ok {
				t.Fatal("there is nothing with which it takes seconds")
			}
			if testing.Short() {
				t.Skip("takes half a minute")
			}
			sh(t, command+" "+variables)
		})
	}
}

// commandsOf finds a page's commands.
func commandsOf(t *testing.T, page, pattern string) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/" + page + ".md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
		commands = append(commands, m[1])
	}
	return commands
}

// requireTools skips a test on a machine without these programs, where CI is not set.
func requireTools(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if exec.Command("bash", "-c", "PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "+name).Run() == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not there", name)
		}
		t.Skipf("skipped, it would need %s", name)
	}
}

// sh runs a line in the project's folder, and returns what it printed.
func sh(t *testing.T, line string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // it may fetch other tools
	defer cancel()
	c := exec.CommandContext(ctx, "bash", "-c", "exec "+line)
	c.Dir = ".."
	// Under "make test" it would be a make of a make, which says more.
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") })
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run does not pass on what it is told
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	c.WaitDelay = time.Minute
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out[max(0, len(out)-4000):])
	}
	return string(out)
}

// TestGoDoc runs the commands by which pages point into the code.
func TestGoDoc(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, page := range pages {
		for _, command := range commandsOf(t, strings.TrimSuffix(filepath.Base(page), ".md"), "`(go doc [^`]+)`") {
			n++
			if out := sh(t, command); len(out) < 100 {
				t.Errorf("%s says no more than %q", command, out)
			}
		}
	}
	if n == 0 {
		t.Error("no page has such a command")
	}
}

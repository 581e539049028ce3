//go:build unix

// Package bench_test runs the commands by which docs/performance.md says that its figures are
// measured.
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
	"proxy":    "-rounds 1 -slice 100ms -warmup 50ms -only GET -memory=false -real=false",
	"copy":     "-docs 500 -rounds 1 -heap 512",
	"fleet":    "-sizes 3,10 -crowds 1,2 -at-once 1,2 -rounds 2 -crowded 10 -repeats 1 -flips 5 -flip-runs 1",
	"fresh":    "-fresh-rounds 1",
	"draining": "-rounds 2 -slice 200ms -clients 4",
	"flood":    "-docs 200 -rounds 1 -slice 500ms",
}

// long are those that take minutes even so, and why.
var long = map[string]string{
	"micro":   "it compiles five packages' benchmarks; bench-quick, and go test -bench, run them",
	"copying": "a copy without its throttle must last for a turn, so it takes many documents",
	"pause":   "on a machine that is at work a move waits for a calm moment, for as long as it takes",
}

// needs are programs that a command needs besides those of all tests.
var needs = map[string][]string{"proxy": {"wrk", "nginx", "haproxy"}, "copy": {"npm", "python3"}}

// TestCommands runs them, as they are there, but with few samples, and with their results
// somewhere else; those of long by hand.
func TestCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	enginetest.RequireOpenSearch(t, engines.OpenSearch2)
	page, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, m := range regexp.MustCompile(`(?m)^make bench-(\w+).*$`).FindAllStringSubmatch(string(page), -1) {
		if long[m[1]] == "" {
			commands = append(commands, m[0])
		}
	}
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
				if row.What == "" || row.Value == "" || row.N == 0 && !strings.HasPrefix(row.Value, "not counted") { // callgrind is not everywhere
					t.Errorf("%+v", row)
				}
			}
		})
	}
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

// sh runs a line in the project's folder.
func sh(t *testing.T, line string) {
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
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out[max(0, len(out)-4000):])
	}
}

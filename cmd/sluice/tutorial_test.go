package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/child"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// What varies from run to run in what a command prints, and what stands for it.
var varies = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`(?m)^.*\d\d:\d\d:\d\d.*\n?`), ""}, // progress, and the timeline: how many lines there are varies
	{regexp.MustCompile(`\b[mw][0-9a-z]{12,}\b`), "ID"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDRESS"},
	{regexp.MustCompile(`\b\d+(\.\d+)? ?(ns|µs|ms|s|m|h)\b([\d.msh]*)`), "TIME"},
	{regexp.MustCompile(`\b\d+(\.\d+)? ?(B|KiB|MiB|GiB)\b`), "SIZE"},
	{regexp.MustCompile(`\d+ documents a second`), "RATE"},
	{regexp.MustCompile(`tried \d+ time`), "tried N time"},
	{regexp.MustCompile(`in \d+ rounds`), "in N rounds"},
	{regexp.MustCompile(`"_(seq_no|primary_term)":\d+`), "NUMBER"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

func steady(text string) string {
	for _, v := range varies {
		text = v.what.ReplaceAllString(text, v.by)
	}
	return strings.TrimSpace(text)
}

// tutorial runs the page's commands, one after the other, as in one shell.
type tutorial struct {
	t           *testing.T
	dir         string   // what the page works in
	state       string   // the folder of what the shell keeps: its variables, and where it is
	there, back []string // what stands for what the page has, and the reverse, as of strings.NewReplacer
}

func (u *tutorial) put(shown, real string) {
	u.there, u.back = append(u.there, shown, real), append(u.back, real, shown)
}

func (u *tutorial) text(shown string) string { return strings.NewReplacer(u.there...).Replace(shown) }

func (u *tutorial) shown(text string) string { return strings.NewReplacer(u.back...).Replace(text) }

// shell is a line of a shell that goes on from the line before.
func (u *tutorial) shell(line string) *exec.Cmd {
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", `state=$0
if [ -e "$state/variables" ]; then . "$state/variables"; cd "$(cat "$state/folder")"; fi
`+line+`
export -p >"$state/variables"; pwd >"$state/folder"`, u.state)
	cmd.Dir = filepath.Join("..", "..")
	return cmd
}

// background starts a command that runs to the end of the test, and returns what it prints
// when that shows that it is up.
func (u *tutorial) background(line, up string) string {
	u.t.Helper()
	out := &syncBuffer{}
	cmd := u.shell("exec " + line)
	cmd.Stdout, cmd.Stderr = out, out
	process, err := child.Start(cmd) // it ends with this test, however that ends
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-process.Done():
			if err := process.Err(); err != nil {
				u.t.Errorf("%s ended with %v:\n%s", line, err, out)
			}
		case <-time.After(time.Minute):
			u.t.Errorf("%s does not end:\n%s", line, out)
			_ = cmd.Process.Kill()
		}
	})
	for end := time.Now().Add(3 * time.Minute); !strings.Contains(out.String(), up); time.Sleep(20 * time.Millisecond) { // polls a real process
		select {
		case <-process.Done():
			u.t.Fatalf("%s has ended: %v:\n%s", line, process.Err(), out)
		default:
		}
		if time.Now().After(end) {
			u.t.Fatalf("%s is not up:\n%s", line, out)
		}
	}
	return out.String()
}

// line runs one line of a block, and returns what it prints.
func (u *tutorial) line(line string) string {
	u.t.Helper()
	curl := strings.HasPrefix(line, "curl ")
	if curl {
		line = strings.Replace(line, "curl ", "curl --fail-with-body --max-time 60 ", 1)
	}
	cmd := u.shell(u.text(line))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		u.t.Fatalf("%s: %v: %s%s", line, err, out, errs.String())
	}
	if curl {
		return string(out) + "\n"
	}
	return string(out)
}

// block runs a block and returns what it prints; false: that is not compared.
func (u *tutorial) block(b block) (string, bool) {
	u.t.Helper()
	text := strings.Join(b.lines, "\n") + "\n"
	switch {
	case b.lang == "yaml" && b.mark == "file":
		if err := os.WriteFile(filepath.Join(u.dir, "sluice.yaml"), []byte(u.text(text)), 0o600); err != nil {
			u.t.Fatal(err)
		}
		return "", false
	case b.mark == "background" && strings.Contains(text, "demo clusters"):
		out := u.background(b.lines[0], "they run until")
		for i, m := range regexp.MustCompile(`(?m)^[ab]  (http\S+)`).FindAllStringSubmatch(out, -1) {
			u.put(fmt.Sprint("http://127.0.0.1:2010", i+1), m[1])
		}
		return "", false
	case b.mark == "background":
		u.background(b.lines[0], "sluice is up")
		return "", false
	}
	var out strings.Builder
	for _, line := range b.lines {
		out.WriteString(u.line(line))
	}
	return out.String(), b.mark != "source"
}

// The tutorial is true: its commands run, in its order, and print what it shows. With
// -update it is given what they print.
func TestTutorial(t *testing.T) {
	t.Parallel()
	requireTools(t, "bash", "curl", "make")
	page, err := filepath.Abs("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	enginetest.RequireOpenSearch(t, engines.OpenSearch2)
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		raw = regexp.MustCompile("(?s)\n```text\n.*?\n```\n").ReplaceAll(raw, nil)
	}
	all := blocks(t, "docs/tutorial.md", string(raw))
	u := &tutorial{t: t, dir: t.TempDir(), state: t.TempDir()}
	u.put("/tmp/sluice-tutorial", u.dir)
	for _, port := range []string{"12379", "9280", "9281", "9282"} {
		u.put("127.0.0.1:"+port, freeAddress(t))
	}
	var made strings.Builder
	ran := 0
	for i, b := range all {
		if !b.fence {
			made.WriteString(strings.Join(b.lines, "\n") + "\n")
			continue
		}
		if b.lang == "text" {
			continue // compared with what the block before it printed
		}
		made.WriteString("```" + b.lang + "\n" + strings.Join(b.lines, "\n") + "\n```\n")
		out, compared := u.block(b)
		ran += len(b.lines)
		if !compared {
			continue
		}
		var shown string
		if i+2 < len(all) && all[i+2].lang == "text" && all[i+2].fence {
			shown = strings.Join(all[i+2].lines, "\n")
		}
		if have, want := steady(u.shown(out)), steady(shown); have != want && !*update {
			t.Errorf("docs/tutorial.md:%d: what is printed differs from what is shown (-shown +printed); -update writes the page:\n%s", b.line, cmp.Diff(want, have))
		}
		made.WriteString("\n```text\n" + strings.TrimSpace(varies[0].what.ReplaceAllString(u.shown(out), "")) + "\n```\n")
	}
	if ran < 20 {
		t.Errorf("only %d lines were run", ran)
	}
	if *update {
		if err := os.WriteFile(page, []byte(strings.TrimSpace(made.String())+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

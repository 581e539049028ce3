package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/engines"
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

// tutorial runs the page's commands, one after the other.
type tutorial struct {
	t       *testing.T
	address *strings.Replacer // from the page's addresses to free ones
	back    *strings.Replacer
	env     map[string]string
	skipped int
}

// background starts a command that runs to the end of the test, and returns when what it
// prints shows that it is up.
func (u *tutorial) background(call []string, up string) (out *syncBuffer) {
	u.t.Helper()
	out = &syncBuffer{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- runContext(ctx, call, out, out) }()
	u.t.Cleanup(func() {
		cancel()
		select {
		case code := <-ended:
			if code != exitOK {
				u.t.Errorf("sluice %s ended with %d:\n%s", strings.Join(call, " "), code, out)
			}
		case <-time.After(time.Minute):
			u.t.Errorf("sluice %s does not end:\n%s", strings.Join(call, " "), out)
		}
	})
	for end := time.Now().Add(3 * time.Minute); !strings.Contains(out.String(), up); time.Sleep(20 * time.Millisecond) { // polls a real process
		if len(ended) > 0 || time.Now().After(end) {
			u.t.Fatalf("sluice %s is not up:\n%s", strings.Join(call, " "), out)
		}
	}
	return out
}

// line runs one line of a block, and returns what it prints.
func (u *tutorial) line(line string) string {
	u.t.Helper()
	line = u.address.Replace(line)
	if all := calls(os.Expand(line, func(name string) string { return u.env[name] })); len(all) == 1 {
		return cli{t: u.t}.ok(all[0]...)
	}
	if !strings.HasPrefix(line, "curl ") {
		u.t.Fatalf("the test knows no way to run: %s", line)
	}
	ctx, cancel := context.WithTimeout(u.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", strings.Replace(line, "curl ", "curl --fail-with-body ", 1))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		u.t.Fatalf("%s: %v: %s%s", line, err, out, errs.String())
	}
	return string(out) + "\n"
}

// block runs a block and returns what it prints; false: the page says why it is not run.
func (u *tutorial) block(b block) (string, bool) {
	u.t.Helper()
	if reason, ok := strings.CutPrefix(b.mark, "not run: "); ok {
		u.t.Logf("not run, for %s: %s", reason, strings.Join(b.lines, "; "))
		u.skipped++
		return "", false
	}
	text := strings.Join(b.lines, "\n") + "\n"
	switch {
	case b.lang == "yaml" && b.mark == "file":
		if err := os.WriteFile("sluice.yaml", []byte(u.address.Replace(text)), 0o600); err != nil {
			u.t.Fatal(err)
		}
		return "", false
	case b.mark == "background" && strings.Contains(text, "demo clusters"):
		out := u.background([]string{"demo", "clusters"}, "they run until")
		for _, m := range regexp.MustCompile(`(?m)^([ab])  (http\S+)`).FindAllStringSubmatch(out.String(), -1) {
			u.env[strings.ToUpper(m[1])] = m[2]
		}
		return "", false
	case b.mark == "background":
		u.background(calls(b.lines[0])[0], "sluice is up")
		return "", false
	}
	var out strings.Builder
	for _, line := range b.lines {
		out.WriteString(u.line(line))
	}
	return out.String(), true
}

// The tutorial is true: its commands run, in its order, and print what it shows. With
// -update it is given what they print.
func TestTutorial(t *testing.T) {
	page, err := filepath.Abs("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := engines.PrepareOpenSearch(t.Context(), engines.OpenSearch2, io.Discard); err != nil {
		var missing *engines.MissingError
		if errors.As(err, &missing) && os.Getenv("CI") == "" {
			t.Skipf("skipped, it would fail where CI is set: %v", err)
		}
		t.Fatal(err)
	}
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		raw = regexp.MustCompile("(?s)\n```text\n.*?\n```\n").ReplaceAll(raw, nil)
	}
	all := blocks(t, "docs/tutorial.md", string(raw))
	t.Chdir(t.TempDir())
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	u := &tutorial{t: t, env: map[string]string{}}
	var there, back []string
	for _, port := range []string{"12379", "9280", "9281", "9282"} {
		free := freeAddress(t)
		there, back = append(there, "127.0.0.1:"+port, free), append(back, free, "127.0.0.1:"+port)
	}
	u.address, u.back = strings.NewReplacer(there...), strings.NewReplacer(back...)
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
		out, run := u.block(b)
		if !run {
			continue
		}
		ran += len(b.lines)
		var shown string
		if i+2 < len(all) && all[i+2].lang == "text" && all[i+2].fence {
			shown = strings.Join(all[i+2].lines, "\n")
		}
		if have, want := steady(u.back.Replace(out)), steady(shown); have != want && !*update {
			t.Errorf("docs/tutorial.md:%d: what is printed differs from what is shown (-shown +printed); -update writes the page:\n%s", b.line, cmp.Diff(want, have))
		}
		made.WriteString("\n```text\n" + strings.TrimSpace(varies[0].what.ReplaceAllString(u.back.Replace(out), "")) + "\n```\n")
	}
	if ran < 15 || u.skipped > 2 {
		t.Errorf("%d commands run, %d blocks not run", ran, u.skipped)
	}
	if *update {
		if err := os.WriteFile(page, []byte(strings.TrimSpace(made.String())+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

package arch_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/config"
)

var pages = []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"}

func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The first configuration that a newcomer copies is one that a process accepts.
func TestReadmeConfigurationLoads(t *testing.T) {
	_, rest, ok := strings.Cut(page(t, "README.md"), "```yaml\n")
	text, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("README.md has no yaml block")
	}
	file := filepath.Join(t.TempDir(), "sluice.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := config.Load(&config.Options{File: file, Environ: func() []string { return nil }}); err != nil {
		t.Errorf("README.md: %v", err)
	}
}

func TestLinksAndTargetsExist(t *testing.T) {
	makefile := page(t, "Makefile")
	links := regexp.MustCompile(`\]\(([A-Za-z][^):#]*)\)`)
	targets := regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)")
	for _, name := range pages {
		text := page(t, name)
		for _, m := range links.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root(t), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
		for _, m := range targets.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s names make %s, which is no target", name, m[1])
			}
		}
	}
}

// Every room is on the plan, and every room on the plan is there.
func TestArchitectureNamesTheRooms(t *testing.T) {
	text := page(t, "ARCHITECTURE.md")
	rooms := map[string]bool{}
	for _, f := range source(t) {
		rooms[f.pkg] = true
		top, _, _ := strings.Cut(f.pkg, "/")
		named := strings.Contains(text, "`"+f.pkg+"`") || strings.Contains(text, "`"+path.Dir(f.pkg)+"`")
		if !named && !strings.Contains(text, "`"+top+"`") {
			t.Errorf("ARCHITECTURE.md does not name %s", f.pkg)
		}
	}
	table := regexp.MustCompile("(?m)^\\| (`[^|]*`) \\|")
	for _, m := range table.FindAllStringSubmatch(text, -1) {
		for name := range strings.SplitSeq(m[1], ", ") {
			if name = strings.Trim(name, "`"); !rooms[name] {
				t.Errorf("ARCHITECTURE.md names %s, which is not there", name)
			}
		}
	}
}

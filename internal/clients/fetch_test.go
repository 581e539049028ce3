package clients_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// need skips a test on a machine without a tool; where CI is set it fails.
func need(t *testing.T, install string, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing; %s", tool, install)
		}
		t.Skipf("skipped, it would fail where CI is set: %s is missing; %s", tool, install)
	}
}

// fetched returns a folder of the cache that holds what the lock files pin. The
// first to need it has make fill it, while others wait.
func fetched(t *testing.T, language string, locks []string, make func(ctx context.Context, dir string) error) string {
	t.Helper()
	sum := sha256.New()
	for _, name := range locks {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(raw)
	}
	user, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache, id := filepath.Join(user, "sluice", "clients"), language+"-"+hex.EncodeToString(sum.Sum(nil))[:12]
	dir, done := filepath.Join(cache, id), filepath.Join(cache, id, "complete")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	err = engines.Exclusively(ctx, cache, id, os.Stderr, func() error {
		if _, err := os.Stat(done); err == nil {
			return nil
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := make(ctx, dir); err != nil {
			return err
		}
		return os.WriteFile(done, nil, 0o644)
	})
	if err != nil {
		t.Fatalf("fetch the client: %v", err)
	}
	return dir
}

// fetch runs a package manager, whose output is shown if it fails.
func fetch(t *testing.T, ctx context.Context, dir, name string, args ...string) error {
	t.Helper()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("%s %q:\n%s", name, args, out)
	}
	return err
}

func copyTo(dir string, files ...string) error {
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(name)), raw, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readyPython(t *testing.T) func(*testing.T, target) []line {
	t.Helper()
	need(t, "apt-get install python3-venv", "python3")
	if exec.CommandContext(t.Context(), "python3", "-c", "import ensurepip").Run() != nil {
		need(t, "apt-get install python3-venv", "python3's ensurepip")
	}
	lock := "testdata/python/requirements.txt"
	dir := fetched(t, "python", []string{lock}, func(ctx context.Context, dir string) error {
		if err := copyTo(dir, lock); err != nil {
			return err
		}
		if err := fetch(t, ctx, dir, "python3", "-m", "venv", "venv"); err != nil {
			return err
		}
		return fetch(t, ctx, dir, "venv/bin/pip", "install", "--quiet", "--no-deps", "-r", "requirements.txt")
	})
	return func(t *testing.T, to target) []line {
		t.Helper()
		return program(t, to, "PYTHONDONTWRITEBYTECODE=1", filepath.Join(dir, "venv/bin/python"), "testdata/python/surface.py")
	}
}

func readyJS(t *testing.T) func(*testing.T, target) []line {
	t.Helper()
	need(t, "apt-get install nodejs npm", "node", "npm")
	locks := []string{"testdata/js/package.json", "testdata/js/package-lock.json"}
	dir := fetched(t, "js", locks, func(ctx context.Context, dir string) error {
		if err := copyTo(dir, locks...); err != nil {
			return err
		}
		return fetch(t, ctx, dir, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	})
	return func(t *testing.T, to target) []line {
		t.Helper()
		return program(t, to, "NODE_PATH="+filepath.Join(dir, "node_modules"), "node", "testdata/js/surface.js")
	}
}

// readyJava compiles the program of both clients for Java, when their jars have been
// fetched. which says which of them makes the calls.
func readyJava(which string) func(*testing.T) func(*testing.T, target) []line {
	return func(t *testing.T) func(*testing.T, target) []line {
		t.Helper()
		need(t, "apt-get install openjdk-17-jdk-headless maven", "java", "javac", "mvn")
		locks := []string{"testdata/java/pom.xml", "testdata/java/Surface.java"}
		dir := fetched(t, "java", locks, func(ctx context.Context, dir string) error {
			if err := copyTo(dir, locks...); err != nil {
				return err
			}
			if err := fetch(t, ctx, dir, "mvn", "-B", "-q", engines.CopyGoal, "-DoutputDirectory=lib"); err != nil {
				return err
			}
			return fetch(t, ctx, dir, "javac", "-proc:none", "-cp", "lib/*", "-d", "classes", "Surface.java")
		})
		path := filepath.Join(dir, "classes") + string(filepath.ListSeparator) + filepath.Join(dir, "lib", "*")
		return func(t *testing.T, to target) []line {
			t.Helper()
			return program(t, to, "LC_ALL=C.UTF-8", "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx256m", "-cp", path, "Surface", which)
		}
	}
}

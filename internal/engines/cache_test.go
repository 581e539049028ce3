package engines_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/engines"
)

func TestCacheDir(t *testing.T) {
	t.Setenv(engines.CacheEnv, "/some/where")
	if got, err := engines.CacheDir(); got != "/some/where" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	t.Setenv(engines.CacheEnv, "")
	t.Setenv("XDG_CACHE_HOME", "/home/me/.cache")
	t.Setenv("HOME", "/home/me")
	got, err := engines.CacheDir()
	if !strings.HasSuffix(got, filepath.Join("sluice", "engines")) || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

// writer is called for each line of progress.
type writer func()

func (w writer) Write(p []byte) (int, error) { w(); return len(p), nil }

func TestExclusively(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "not", "yet", "there")
	var inside, most, waited atomic.Int64
	say := writer(func() { waited.Add(1) })
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := engines.Exclusively(t.Context(), cache, "x", say, func() error {
				most.Store(max(most.Load(), inside.Add(1)))
				time.Sleep(10 * time.Millisecond)
				for waited.Load() == 0 { // the others are still to come
					time.Sleep(time.Millisecond)
				}
				inside.Add(-1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() != 1 || waited.Load() == 0 {
		t.Errorf("%d at once, %d waited", most.Load(), waited.Load())
	}

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := engines.Exclusively(t.Context(), cache, "x", say, func() error {
		return engines.Exclusively(ctx, cache, "x", say, func() error { return nil })
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait without end: %v", err)
	}
}

func TestDownloadsAreCondensed(t *testing.T) {
	var said strings.Builder
	w, jars, lines := engines.Downloads(&said)
	for _, piece := range []string{
		"[INFO] Scanning for projects...\n[INFO] Down",
		"loading from central: https://example.org/a.pom\n[INFO] Downloaded from central: https://example.org/a.pom (1 kB at 2 kB/s)\n",
		"[INFO] Downloading from central: https://example.org/a.jar\n",
		"[INFO] Downloaded from central: https://example.org/a.jar (1 kB at 2 kB/s)\n",
		"Downloaded from central: https://example.org/b.jar (1 kB at 2 kB/s)\n\n",
		"[ERROR] no luck\n",
	} {
		if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	if jars() != 2 {
		t.Errorf("%d jars", jars())
	}
	if diff := cmp.Diff([]string{"[INFO] Scanning for projects...", "[ERROR] no luck"}, lines()); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(said.String(), "example.org") || !strings.HasPrefix(said.String(), "test: downloaded 1 jars\n") {
		t.Errorf("said %q", &said)
	}
}

func TestTail(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	old := "from an earlier start\n"
	numbered := strings.Repeat("line\n", 50) + "last\n"
	if err := os.WriteFile(log, []byte(old+numbered), 0o600); err != nil {
		t.Fatal(err)
	}
	got := engines.Tail(log, int64(len(old)))
	if len(got) != 40 || got[39] != "last" || got[0] != "line" {
		t.Errorf("%d lines: %q", len(got), got)
	}
	for what, got := range map[string][]string{
		"nothing new":    engines.Tail(log, int64(len(old+numbered))),
		"truncated":      engines.Tail(log, int64(len(old+numbered))+100),
		"no such file":   engines.Tail(log+"x", 0),
		"not a file now": engines.Tail(filepath.Dir(log), 0),
	} {
		if len(got) != 0 {
			t.Errorf("%s: %q", what, got)
		}
	}
}

package reload_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/reload"
)

// words reads a file that must not be empty.
func words(file string) func() ([]string, error) {
	return func() ([]string, error) {
		b, err := os.ReadFile(file)
		if err == nil && len(b) == 0 {
			err = errors.New("it is empty")
		}
		return strings.Fields(string(b)), err
	}
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFollowsItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if _, err := reload.New(words(file), []string{file}, nil); err == nil {
		t.Error("a file that is not there is no error at the start")
	}
	put(t, file, "a")
	var log bytes.Buffer
	v, err := reload.New(words(file), []string{file, ""}, &reload.Options{Every: time.Nanosecond, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	want := func(text string) {
		t.Helper()
		if got := strings.Join(v.Get(), " "); got != text {
			t.Errorf("%q, want %q; log: %s", got, text, &log)
		}
	}
	want("a")
	put(t, file, "b b")
	want("b b")
	put(t, file, "") // wrong: the old one stays
	want("b b")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	want("b b")
	if n := strings.Count(log.String(), "level=ERROR"); n != 2 || !strings.Contains(log.String(), file) {
		t.Errorf("%d errors are logged, want 2: %s", n, &log)
	}
	// Replaced by renaming, with the size and the time of the one before.
	put(t, file, "c")
	want("c")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	put(t, file+".new", "d")
	if err := errors.Join(os.Chtimes(file+".new", info.ModTime(), info.ModTime()), os.Rename(file+".new", file)); err != nil {
		t.Fatal(err)
	}
	want("d")
}

// Files are not looked at on each use.
func TestLooksOnceInAWhile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	put(t, file, "a")
	v, err := reload.New(words(file), []string{file}, &reload.Options{Every: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	put(t, file, "bb")
	if got := v.Get()[0]; got != "a" {
		t.Errorf("%q within the hour", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	put(t, file, "0")
	v, err := reload.New(words(file), []string{file}, &reload.Options{Every: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 300 {
				if len(v.Get()) != 1 {
					t.Error("half a value")
				}
			}
		})
	}
	for i := range 30 {
		put(t, file+".new", strings.Repeat("x", i+1))
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	if got := v.Get()[0]; got != strings.Repeat("x", 30) {
		t.Errorf("%q at the end", got)
	}
}

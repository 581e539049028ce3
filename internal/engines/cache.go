package engines

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// CacheEnv names the environment variable that replaces the default cache directory.
const CacheEnv = "SLUICE_ENGINES_CACHE"

// CacheDir returns the directory in which built engines are kept between runs: the value of SLUICE_ENGINES_CACHE, or
// "sluice/engines" in the user's cache directory. It need not exist. Deleting it is safe while no engine runs.
func CacheDir() (string, error) {
	if dir := os.Getenv(CacheEnv); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a cache directory (set %s): %w", CacheEnv, err)
	}
	return filepath.Join(dir, "sluice", "engines"), nil
}

// Exclusively calls f while no other process does so with the same cache and name. cache is a directory, which is made if
// it is not there; progress is told when there is somebody to wait for, and may be nil. The error is f's, or the context's.
func Exclusively(ctx context.Context, cache, name string, progress io.Writer, f func() error) error {
	return exclusively(ctx, cache, name, report(progress, name), f)
}

// exclusively calls f while no other process that uses this cache does the same under the same name.
func exclusively(ctx context.Context, cache, name string, say reporter, f func() error) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	// The file stays: removing it would let a third process lock a new file beside one that is still held.
	lock, err := os.OpenFile(filepath.Join(cache, name+".lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	for said := false; ; {
		ok, err := tryLock(lock)
		if err != nil {
			return fmt.Errorf("lock %s: %w", lock.Name(), err)
		}
		if ok {
			return f()
		}
		if !said {
			say("waiting for another process that prepares it")
			said = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", lock.Name(), context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// exists reports whether there is a file or directory at path. Any doubt counts as no: the caller then makes it.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

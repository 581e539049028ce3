package enginetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// program is Sluice's own, for the tests of a package.
var program struct {
	sync.Mutex
	dir string // empty until a test asks
	err error  // a build that failed is not tried again for every test
}

// Sluice returns the program as it is shipped, which the first call builds and Main removes: by the flags that the Makefile
// and the container file have, so that what they have compiled is there already. With SLUICE_TEST_RACE set it has the race
// detector.
func Sluice(t testing.TB) string {
	t.Helper()
	program.Lock()
	defer program.Unlock()
	if program.dir == "" && program.err == nil {
		if program.dir, program.err = os.MkdirTemp("", "sluice-built-"); program.err == nil {
			program.err = buildSluice(filepath.Join(program.dir, "sluice"))
		}
	}
	if program.err != nil {
		t.Fatal(program.err)
	}
	return filepath.Join(program.dir, "sluice")
}

func buildSluice(to string) error {
	args, cgo := []string{"build", "-trimpath", "-o", to}, "CGO_ENABLED=0"
	if os.Getenv("SLUICE_TEST_RACE") != "" {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	build := exec.Command("go", append(args, "github.com/sluiceproxy/sluice/cmd/sluice")...)
	build.Env = append(os.Environ(), cgo)
	if out, err := build.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("build sluice: %w", err), errors.New(string(out)))
	}
	return nil
}

// removeSluice removes what Sluice has built.
func removeSluice() error {
	program.Lock()
	defer program.Unlock()
	if program.dir == "" {
		return nil
	}
	return os.RemoveAll(program.dir)
}

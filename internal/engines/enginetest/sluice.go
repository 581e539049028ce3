package enginetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// BuildSluice builds the program at the path program, as it is shipped: by the flags that the
// Makefile and the container file have, so that what they have compiled is there already. With
// SLUICE_TEST_RACE set it has the race detector.
func BuildSluice(ctx context.Context, program string) error {
	args, cgo := []string{"build", "-trimpath", "-o", program}, "CGO_ENABLED=0"
	if os.Getenv("SLUICE_TEST_RACE") != "" {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	build := exec.CommandContext(ctx, "go", append(args, "github.com/sluiceproxy/sluice/cmd/sluice")...)
	build.Env = append(os.Environ(), cgo)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build sluice: %w: %s", err, out)
	}
	return nil
}

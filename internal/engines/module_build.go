package engines

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// buildModule builds one package in a module of its own, whose go.mod is given: the dependencies of a program that tests run
// are none of ours.
func buildModule(ctx context.Context, goCmd, mod, pkg, program string, say reporter) error {
	dir, err := os.MkdirTemp(filepath.Dir(program), "build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
		return err
	}
	begun := time.Now()
	built := make(chan struct{})
	told := make(chan struct{})
	go func() {
		defer close(told)
		tick := time.NewTicker(30 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				say("building, for %v so far", time.Since(begun).Round(time.Second))
			case <-built:
				return
			}
		}
	}()
	part := filepath.Join(dir, "program")
	// Whatever GOFLAGS and a workspace say is about the caller's modules.
	cmd := exec.CommandContext(ctx, goCmd, "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", part, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	close(built)
	<-told
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return errors.Join(fmt.Errorf("go build: %w", err), errors.New(lastLines(string(out))))
	}
	say("ready after %v", time.Since(begun).Round(time.Second))
	return os.Rename(part, program)
}

// lastLines returns the end of a long text.
func lastLines(s string) string {
	const most = 4000
	if len(s) <= most {
		return s
	}
	return "..." + s[len(s)-most:]
}

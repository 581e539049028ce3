package engines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// consulVersion is the newest Consul under the Mozilla Public License that is built from its modules alone.
const consulVersion = "1.14.11"

// consulModule is the module that the program is built in. It is not Sluice's own: Consul's dependencies are none of ours.
// The replacement stands in for one of Consul's source tree, by a release that has what is used of it.
const consulModule = `module sluice.build/consul

go 1.20

require github.com/hashicorp/consul v` + consulVersion + `

replace github.com/hashicorp/consul/proto-public => github.com/hashicorp/consul/proto-public v0.2.0
`

// PrepareConsul builds the Consul program from its modules, unless it is in the cache: about five minutes of one core, once.
// It needs the go command and access to the modules. Progress is written as lines of text; nil discards them. The error is a
// *MissingError when there is no go command.
func PrepareConsul(ctx context.Context, progress io.Writer) error {
	_, err := prepareConsul(ctx, progress)
	return err
}

// prepareConsul returns the path of the program.
func prepareConsul(ctx context.Context, progress io.Writer) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	name := "consul-" + consulVersion + "-" + runtime.GOOS + "-" + runtime.GOARCH
	program := filepath.Join(cache, name)
	if exists(program) {
		return program, nil
	}
	goCmd, err := exec.LookPath("go")
	if err != nil {
		return "", &MissingError{Engine: "consul", What: "the go command", Install: "install Go from https://go.dev/dl", Err: err}
	}
	say := report(progress, "consul "+consulVersion)
	err = exclusively(ctx, cache, name, say, func() error {
		if exists(program) {
			return nil
		}
		return buildConsul(ctx, goCmd, program, say)
	})
	if err != nil {
		return "", fmt.Errorf("prepare consul %s: %w", consulVersion, err)
	}
	return program, nil
}

func buildConsul(ctx context.Context, goCmd, program string, say reporter) error {
	dir, err := os.MkdirTemp(filepath.Dir(program), "consul-build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(consulModule), 0o644); err != nil {
		return err
	}
	say("building it from its modules: about five minutes of one core, once")
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
	part := filepath.Join(dir, "consul")
	// Whatever GOFLAGS and a workspace say is about the caller's modules.
	cmd := exec.CommandContext(ctx, goCmd, "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", part, "github.com/hashicorp/consul")
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

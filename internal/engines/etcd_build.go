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
	"strings"
)

// etcdModule is the module of the etcd server; its root package is the program.
const etcdModule = "go.etcd.io/etcd/server/v3"

// PrepareEtcd builds the etcd program from the version this module depends on, unless it is in the cache: half a minute of
// compiling, once. It needs the go command and a working directory inside the module, as a test has. Progress is written as
// lines of text; nil discards them. The error is a *MissingError when one of these is not given.
func PrepareEtcd(ctx context.Context, progress io.Writer) error {
	_, _, err := prepareEtcd(ctx, progress)
	return err
}

// prepareEtcd returns the path of the program and its version.
func prepareEtcd(ctx context.Context, progress io.Writer) (string, string, error) {
	goCmd, version, err := etcdVersion(ctx)
	if err != nil {
		return "", "", err
	}
	cache, err := CacheDir()
	if err != nil {
		return "", "", err
	}
	name := "etcd-" + version + "-" + runtime.Version()
	program := filepath.Join(cache, name)
	if exists(program) {
		return program, version, nil
	}
	say := report(progress, "etcd "+version)
	err = exclusively(ctx, cache, name, say, func() error {
		if exists(program) {
			return nil
		}
		say("building it, this happens once")
		part := program + ".part"
		if _, err := run(ctx, goCmd, "build", "-trimpath", "-ldflags=-s -w", "-o", part, etcdModule); err != nil {
			return errors.Join(err, os.RemoveAll(part))
		}
		say("ready")
		return os.Rename(part, program)
	})
	if err != nil {
		return "", "", fmt.Errorf("prepare etcd %s: %w", version, err)
	}
	return program, version, nil
}

// etcdVersion returns the go command, and the version of etcd that this module depends on.
func etcdVersion(ctx context.Context) (goCmd, version string, err error) {
	missing := &MissingError{
		Engine:  "etcd",
		What:    "the go command, run inside the module of Sluice",
		Install: "install Go from https://go.dev/dl and run this from a checkout",
	}
	if goCmd, missing.Err = exec.LookPath("go"); missing.Err != nil {
		return "", "", missing
	}
	out, err := run(ctx, goCmd, "list", "-m", "-f", "{{.Version}}", etcdModule)
	if err != nil {
		if ctx.Err() != nil {
			return "", "", context.Cause(ctx)
		}
		missing.Err = err
		return "", "", missing
	}
	return goCmd, strings.TrimPrefix(strings.TrimSpace(out), "v"), nil
}

// PrepareEtcdctl returns the path of etcd's command line client, of the server's version. It is built unless it is in the
// cache: a minute and a half of one core, once. Else it is as PrepareEtcd.
func PrepareEtcdctl(ctx context.Context, progress io.Writer) (string, error) {
	goCmd, version, err := etcdVersion(ctx)
	if err != nil {
		return "", err
	}
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	name := "etcdctl-" + version + "-" + runtime.Version()
	program := filepath.Join(cache, name)
	if exists(program) {
		return program, nil
	}
	const module = "go.etcd.io/etcd/etcdctl/v3"
	say := report(progress, "etcdctl "+version)
	err = exclusively(ctx, cache, name, say, func() error {
		if exists(program) {
			return nil
		}
		say("building it from its modules, this happens once")
		mod := fmt.Sprintf("module sluice.build/etcdctl\n\ngo 1.26\n\nrequire %s v%s\n", module, version)
		return buildModule(ctx, goCmd, mod, module, program, say)
	})
	if err != nil {
		return "", fmt.Errorf("prepare etcdctl %s: %w", version, err)
	}
	return program, nil
}

// run returns the standard output of a command; the error has what it wrote besides.
func run(ctx context.Context, name string, args ...string) (string, error) {
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

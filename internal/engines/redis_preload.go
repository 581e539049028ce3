package engines

import (
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// clockSource is a library that is loaded before all others and gives a process another clock. (libfaketime cannot be used:
// it and the allocator of Redis wait for each other before the program begins.)
//
//go:embed redis_clock.c.txt
var clockSource []byte

// diskSource is a library that does to the append-only file what a power cut does.
//
//go:embed redis_disk.c.txt
var diskSource []byte

func (r *Redis) clockFile() string { return filepath.Join(r.dir, "clock") }

// ownClock returns the library that makes the server use a clock of its own.
func (r *Redis) ownClock(ctx context.Context) (library string, err error) {
	if err := r.MoveClock(0); err != nil {
		return "", err
	}
	return r.build(ctx, "clock", clockSource)
}

// ownDisk returns the library that keeps from the disk what is not synced.
func (r *Redis) ownDisk(ctx context.Context) (library string, err error) {
	return r.build(ctx, "disk", diskSource)
}

// build makes a library of what the C compiler is given.
func (r *Redis) build(ctx context.Context, name string, text []byte) (library string, err error) {
	missing := &MissingError{Engine: "a redis whose " + name + " can fail", What: "Linux and a C compiler", Install: "Debian, Ubuntu: apt-get install gcc libc6-dev"}
	cc, err := exec.LookPath("cc")
	if err != nil || runtime.GOOS != "linux" {
		missing.Err = err
		return "", missing
	}
	source, library := filepath.Join(r.dir, name+".c"), filepath.Join(r.dir, name+".so")
	if err := os.WriteFile(source, text, 0o600); err != nil {
		return "", fmt.Errorf("start redis: %w", err)
	}
	if _, err := run(ctx, cc, "-shared", "-fPIC", "-O1", "-o", library, source); err != nil {
		missing.Err = err
		return "", missing
	}
	return library, nil
}

// MoveClock sets the server's clock to by ahead of this machine's, or behind if it is negative, from now on; its monotonic
// clock goes on as before. The server must have been started with MovableClock.
func (r *Redis) MoveClock(by time.Duration) error {
	// The file is mapped into the server: it must stay the same one.
	f, err := os.OpenFile(r.clockFile(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("move the clock of redis %s: %w", r.name, err)
	}
	_, err = f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(by)), 0)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("move the clock of redis %s: %w", r.name, err)
	}
	return nil
}

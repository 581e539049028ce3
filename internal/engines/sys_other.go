//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package engines

import (
	"errors"
	"os"
	"os/exec"
)

// Engines need signals and advisory file locks. Elsewhere the first thing done, the lock, refuses.

func setAttributes(*exec.Cmd) {}

func (*child) suspend() error { return errors.ErrUnsupported }

func (*child) resume() error { return errors.ErrUnsupported }

func askToEnd(p *os.Process) error { return p.Kill() }

func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }

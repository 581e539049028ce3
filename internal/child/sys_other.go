//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package child

import (
	"errors"
	"os"
	"os/exec"
)

func setAttributes(*exec.Cmd) {}

func (*Child) suspend() error { return errors.ErrUnsupported }

func (*Child) resume() error { return errors.ErrUnsupported }

func askToEnd(p *os.Process) error { return p.Kill() }

//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package child

import (
	"errors"
	"os"
	"syscall"
)

// askToEnd asks for an orderly end. A suspended process is woken, or it would never see the request.
func askToEnd(p *os.Process) error {
	err := p.Signal(syscall.SIGTERM)
	return errors.Join(err, p.Signal(syscall.SIGCONT))
}

func (c *Child) resume() error { return c.cmd.Process.Signal(syscall.SIGCONT) }

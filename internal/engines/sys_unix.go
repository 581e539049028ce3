//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package engines

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

func (c *child) resume() error { return c.cmd.Process.Signal(syscall.SIGCONT) }

// tryLock takes an exclusive lock on f that ends with this process at the latest. It reports false when another holds it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

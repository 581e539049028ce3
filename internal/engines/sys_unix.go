//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package engines

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes an exclusive lock on f that ends with this process at the latest. It reports false when another holds it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package engines

import (
	"errors"
	"os"
)

// Engines need signals and advisory file locks. Elsewhere the first thing done, the lock, refuses.
func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }

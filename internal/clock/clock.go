// Package clock reads the machine's clock that counts suspend, which is the one
// that every deadline of a session must use: a laptop lid or a paused virtual
// machine stops the ordinary monotonic clock, but not the lease in the store.
package clock

import (
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// SinceBoot is the time since this machine booted, suspend included. It never
// goes back. It panics if the kernel has no CLOCK_BOOTTIME (Linux before 2.6.39).
func SinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("clock_gettime(CLOCK_BOOTTIME): " + err.Error())
	}
	return time.Duration(ts.Nano())
}

// BootID is the kernel's random name of this boot, by which two processes know
// that their SinceBoot readings are comparable. Empty if it cannot be read, and
// then they are not.
var BootID = sync.OnceValue(func() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
})

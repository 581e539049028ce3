// Package clock reads the machine's clock that counts suspend, which is the one
// that every deadline of a session must use: a laptop lid or a paused virtual
// machine stops the ordinary monotonic clock, but not the lease in the store.
package clock

import (
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Every write reads the clock three times, and reading CLOCK_BOOTTIME is a system call.
// Without one Go reads the wall clock and the monotonic clock. All three advance
// together, so that the differences between them stay what they are, but for two events:
// a suspend moves the wall clock and the boot clock ahead by the same, in one step for
// whoever reads them, and not the monotonic clock; and somebody may set the wall clock.
// So while the wall clock is ahead of the monotonic clock by what it was when the boot
// clock was last asked, the boot clock is, too. When it is not, the boot clock is asked.
//
// What that does not see is a suspend during which, or after which, the wall clock is set
// back by just as long as it lasted. For that to count, both would have to happen between
// two questions: the boot clock is asked at least every askEvery of waking time.

const (
	askEvery = 100 * time.Millisecond
	// near is how close two readings are made, and what they may differ by.
	near = 20 * time.Microsecond
)

// ahead is how far the two other clocks were ahead of the monotonic one, as package time
// counts it since began.
type ahead struct {
	asked      time.Duration // when, on the monotonic clock
	wall, boot time.Duration
}

// holds reports whether, of readings of the monotonic and of the wall clock, the boot
// clock need not be asked. (In a test with a time of its own there is no monotonic reading,
// so that it is the wall clock's, in the year 2000.)
func (k *ahead) holds(mono, wall time.Duration) bool {
	return (mono-k.asked).Abs() < askEvery && (wall-mono-k.wall).Abs() < near
}

var (
	began = time.Now()
	known atomic.Pointer[ahead] // nil: the boot clock is asked each time
)

// SinceBoot is the time since this machine booted, suspend included. It never
// goes back, give or take some microseconds between threads. It panics if the kernel has
// no CLOCK_BOOTTIME (Linux before 2.6.39).
func SinceBoot() time.Duration {
	t := time.Now()
	mono := t.Sub(began)
	if k := known.Load(); k != nil && k.holds(mono, wall(t)) {
		return mono + k.boot
	}
	return ask()
}

func wall(t time.Time) time.Duration { return time.Duration(t.UnixNano()) }

// ask asks the boot clock, and keeps what the answer says of the other two.
func ask() time.Duration {
	before := time.Now()
	real, boot := read(unix.CLOCK_REALTIME), read(unix.CLOCK_BOOTTIME)
	after := time.Now()
	mono := before.Sub(began)
	now := ahead{asked: mono, wall: wall(before) - mono, boot: boot - mono}
	// Not if this thread was held up in between, or the wall clock was just set. Nor in a
	// test with a time of its own (testing/synctest), which is far from the machine's.
	if d := real - wall(before); d < 0 || d > near || after.Sub(before) > near || after.Sub(before) < 0 {
		return boot
	}
	if old := known.Load(); old != nil && (old.boot-now.boot).Abs() < 2*near {
		now.boot = max(old.boot, now.boot) // so that it does not go back by what a reading takes
	}
	known.Store(&now)
	return mono + now.boot
}

func read(clock int32) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		panic("clock_gettime: " + err.Error())
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

package clock_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sluiceproxy/sluice/internal/clock"
)

// slack is more than what a reading without a system call may be off by.
const slack = time.Millisecond

func kernel(t *testing.T) time.Duration {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		t.Fatal(err)
	}
	return time.Duration(ts.Nano())
}

// between fails unless a reading lies between two of the kernel's around it.
func between(t *testing.T) {
	t.Helper()
	low := kernel(t)
	got := clock.SinceBoot()
	if high := kernel(t); got < low-slack || got > high+slack {
		t.Errorf("%v is not between %v and %v", got, low, high)
	}
}

// Whoever reads it, over longer than the boot clock is not asked for: it is the kernel's.
func TestSinceBootIsTheKernels(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := clock.SinceBoot()
			for began := time.Now(); time.Since(began) < 250*time.Millisecond; {
				between(t)
				now := clock.SinceBoot()
				if now < last-slack {
					t.Errorf("it goes back from %v to %v", last, now)
				}
				last = now
			}
		})
	}
	wg.Wait()
}

// A test's own time is not the machine's, and does not change what others read.
func TestSinceBootInABubble(t *testing.T) {
	clock.SinceBoot()
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			time.Sleep(time.Hour)
			between(t)
		}
	})
	between(t)
}

func TestWhenTheBootClockIsAsked(t *testing.T) {
	const set = 1000 * time.Hour // the wall clock, when the monotonic one read 0
	for _, c := range []struct {
		what       string
		mono, wall time.Duration
		holds      bool
	}{
		{"soon after", time.Millisecond, set + time.Millisecond, true},
		{"the two were not read at once", time.Millisecond, set + time.Millisecond + time.Microsecond, true},
		{"after a while", 100 * time.Millisecond, set + 100*time.Millisecond, false},
		{"after a suspend of a millisecond", time.Millisecond, set + 2*time.Millisecond, false},
		{"after a suspend of an hour", time.Millisecond, set + time.Hour, false},
		{"after the wall clock was set back", time.Millisecond, set - time.Second, false},
		{"in a test with its own time", -set, 0, false},
	} {
		if got := clock.Holds(c.mono, c.wall, set); got != c.holds {
			t.Errorf("%s: what was known holds: %t", c.what, got)
		}
	}
}

package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// apart takes half of the processors from this process, and so from all that it starts,
// and returns them, as taskset(1) names them: they are the target's own. Clusters are
// machines of their own, and what is asked is what the target's processors allow; on
// processors that both sides share, whoever reads the source takes from the target.
func apart() (target string, err error) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return "", fmt.Errorf("which processors there are: %w", err)
	}
	n := all.Count()
	if n < 2 {
		return "", fmt.Errorf("one processor cannot be parted: -apart=false")
	}
	var mine unix.CPUSet
	var theirs []string
	for cpu, seen := 0, 0; seen < n; cpu++ {
		switch {
		case !all.IsSet(cpu):
			continue
		case seen < n-n/2:
			mine.Set(cpu)
		default:
			theirs = append(theirs, strconv.Itoa(cpu))
		}
		seen++
	}
	runtime.GOMAXPROCS(n - n/2)
	// A thread that begins meanwhile has its beginner's processors, so the second time
	// there is none left that began before its beginner's turn.
	for range 2 {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return "", err
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				return "", err
			}
			if err := unix.SchedSetaffinity(id, &mine); err != nil && err != unix.ESRCH { // it has ended
				return "", fmt.Errorf("keep to %d processors: %w", n-n/2, err)
			}
		}
	}
	return strings.Join(theirs, ","), nil
}

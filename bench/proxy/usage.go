package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the kernel's unit of processor time: USER_HZ, 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// family is a process and its children.
func family(pid int) []int {
	all := []int{pid}
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is valid
	for _, f := range files {
		if fields, err := stat(f); err == nil && fields[1] == strconv.Itoa(pid) {
			if n, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}

// stat returns the fields of a file /proc/PID/stat behind the name, the state first.
func stat(file string) ([]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	_, rest, ok := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return nil, fmt.Errorf("%s: not understood", file)
	}
	return fields, nil
}

// processorTime is what processes have used, in user and kernel mode.
func processorTime(pids []int) (time.Duration, error) {
	var sum int64
	for _, pid := range pids {
		fields, err := stat(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		for _, s := range fields[11:13] {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return time.Duration(sum) * tick, nil
}

// memoryOf returns a line of /proc/PID/status, such as VmRSS or VmHWM, in MB.
func memoryOf(pid int, name string) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return kib * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("process %d: no %s", pid, name)
}

// resetPeak makes VmHWM begin anew.
func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

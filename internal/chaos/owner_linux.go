package chaos

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// errOwner is nil where the system tells whose a connection is.
var errOwner error

// socketOf returns the inode of the caller's end of a connection on loopback, between these two ports.
func socketOf(from, to int) (string, error) {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	local, remote := fmt.Sprintf(":%04X", from), fmt.Sprintf(":%04X", to)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// Number, local and remote address, then seven more, of which the last is the inode.
		at := strings.Fields(lines.Text())
		if len(at) > 9 && strings.HasSuffix(at[1], local) && strings.HasSuffix(at[2], remote) && at[9] != "0" {
			return at[9], nil
		}
	}
	return "", fmt.Errorf("no socket from port %d to %d", from, to)
}

// holds reports whether a process has a socket open.
func holds(pid int, socket string) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	open, err := os.ReadDir(dir)
	if err != nil {
		return false // it has ended
	}
	for _, fd := range open {
		if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && to == "socket:["+socket+"]" {
			return true
		}
	}
	return false
}

package main

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
)

// firstInherited is the descriptor that inherited sockets begin at.
const firstInherited = 3

// inherited returns the clients' listening socket if whoever started this process
// holds one for it: systemd, or anything else that speaks its protocol (LISTEN_PID,
// LISTEN_FDS, LISTEN_FDNAMES). Otherwise nil. Connections that arrive while one
// process stops and the next one starts wait in that socket, and two processes may
// have it at once, so a restart refuses nobody. Of several sockets it is the one named
// proxy. The admin listener is never inherited: its address is of one process, which
// the controllers find it by.
func inherited() (net.Listener, error) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	fds, names := os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name) // they are for this process, not for its children
	}
	n, err := strconv.Atoi(fds)
	at := 0
	if n > 1 {
		at = slices.Index(strings.Split(names, ":"), "proxy")
	}
	if err != nil || n < 1 || at < 0 || at >= n {
		return nil, &placement.InvalidError{Field: "LISTEN_FDS", Value: fds, Fix: "must be 1, or LISTEN_FDNAMES name one of the sockets proxy"}
	}
	f := os.NewFile(uintptr(firstInherited+at), "inherited socket")
	l, err := net.FileListener(f) // of a copy that programs which this one starts do not get
	_ = f.Close()
	if err != nil {
		return nil, &placement.InvalidError{Field: "LISTEN_FDS", Value: fds, Fix: fmt.Sprintf("must be sockets that listen, and descriptor %d is not: %s", firstInherited+at, err)}
	}
	return l, nil
}

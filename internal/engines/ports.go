package engines

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// The range ports are taken from lies below the ephemeral ranges of Linux (32768) and of the BSDs and macOS (49152): an
// process that was killed leaves its ports free until it is started again, and an outgoing connection must not get them.
const (
	portLow  = 18000
	portHigh = 32000
)

// pickPorts is FreePorts, except in a test of what happens when they are not.
var pickPorts = FreePorts

// FreePorts returns n different loopback TCP ports that nothing listens on at the moment of the call, and that no outgoing
// connection is ever given by the system. The error says that there are not so many.
func FreePorts(n int) ([]int, error) {
	var (
		ports []int
		last  error
	)
	for range 200 {
		port := portLow + rand.IntN(portHigh-portLow)
		// Held until all are found, so that they differ.
		l, err := net.Listen("tcp4", loopback(port))
		if err != nil {
			last = err
			continue
		}
		defer func() { _ = l.Close() }()
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("find %d free loopback ports: %w", n, last)
}

func loopback(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

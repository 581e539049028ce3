package chaos

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
)

// network is what lies between the processes: in front of each server stands an exchange, and every pair of a process and a
// server has a link of its own, which can be cut.
type network struct {
	callers   []string
	pids      atomic.Pointer[func() map[string]int] // of the callers that run
	exchanges map[string]*exchange
}

// exchange listens in place of a server. One address must do for all callers, because that of a cluster is in the table that
// they share; so it asks the system whose connection it has got.
type exchange struct {
	listener net.Listener
	links    map[string]*faultproxy.Proxy // by caller; "" is everybody else: commands, and the test itself
	done     sync.WaitGroup
}

// newNetwork returns a network for processes of these names. Until know is called all of them are everybody else.
func newNetwork(callers []string) *network {
	return &network{callers: callers, exchanges: map[string]*exchange{}}
}

// know tells the network how to find the process ids of the callers.
func (n *network) know(pids func() map[string]int) { n.pids.Store(&pids) }

// add puts an exchange in front of a server at host:port and returns the address to use instead.
func (n *network) add(server, address string) (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen in front of %s: %w", server, err)
	}
	x := &exchange{listener: l, links: map[string]*faultproxy.Proxy{}}
	n.exchanges[server] = x
	for _, caller := range append([]string{""}, n.callers...) {
		if x.links[caller], err = faultproxy.New(address); err != nil {
			return "", err
		}
	}
	x.done.Go(func() { n.serve(x) })
	return l.Addr().String(), nil
}

func (n *network) serve(x *exchange) {
	for {
		c, err := x.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		x.links[n.caller(c)].Take(c.(*net.TCPConn))
	}
}

// caller returns the name of the process that has opened a connection.
func (n *network) caller(c net.Conn) string {
	pids := n.pids.Load()
	if pids == nil {
		return ""
	}
	socket, err := socketOf(c.RemoteAddr().(*net.TCPAddr).Port, c.LocalAddr().(*net.TCPAddr).Port)
	if err != nil {
		return "" // the caller has gone already
	}
	for name, pid := range (*pids)() {
		if holds(pid, socket) {
			return name
		}
	}
	return ""
}

// link returns what is between a process and a server.
func (n *network) link(caller, server string) *faultproxy.Proxy {
	return n.exchanges[server].links[caller]
}

// heal ends all faults of the network.
func (n *network) heal() {
	for _, x := range n.exchanges {
		for _, l := range x.links {
			l.Delay(0)
			l.Pass()
		}
	}
}

func (n *network) close() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(n.exchanges)) {
		x := n.exchanges[name]
		errs = append(errs, x.listener.Close())
		x.done.Wait()
		for _, l := range x.links {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}

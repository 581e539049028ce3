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

// Network is what lies between the processes: in front of each server stands an exchange, and every pair of a process and a
// server has a link of its own, which can be cut.
type Network struct {
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

// NewNetwork returns the network for one Run, for etcd is to be started on it.
func NewNetwork() *Network { return newNetwork(callers) }

// newNetwork returns a network for processes of these names. Until know is called all of them are everybody else.
func newNetwork(callers []string) *Network {
	return &Network{callers: callers, exchanges: map[string]*exchange{}}
}

// know tells the network how to find the process ids of the callers. Connections from before are reset: whose they are is
// found out when they are opened.
func (n *Network) know(pids func() map[string]int) {
	n.pids.Store(&pids)
	for _, x := range n.exchanges {
		x.links[""].Refuse()
		x.links[""].Pass()
	}
}

// peers is the door of a member of etcd for the other members.
const peers = " for members"

// AdvertisePeer is for engines.EtcdOptions: it puts an exchange between a member and the others.
func (n *Network) AdvertisePeer(member, listens string) (string, error) {
	return n.add(member+peers, listens)
}

// add puts an exchange in front of a server at host:port and returns the address to use instead.
func (n *Network) add(server, address string) (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen in front of %s: %w", server, err)
	}
	x := &exchange{listener: l, links: map[string]*faultproxy.Proxy{}}
	if old := n.exchanges[server]; old != nil { // it could not start where it was
		if err := old.close(); err != nil {
			return "", err
		}
	}
	n.exchanges[server] = x
	for _, caller := range append([]string{""}, n.callers...) {
		if x.links[caller], err = faultproxy.New(address); err != nil {
			return "", err
		}
	}
	x.done.Go(func() { n.serve(x) })
	return l.Addr().String(), nil
}

func (n *Network) serve(x *exchange) {
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
func (n *Network) caller(c net.Conn) string {
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
func (n *Network) link(caller, server string) *faultproxy.Proxy {
	return n.exchanges[server].links[caller]
}

// heal ends all faults of the network.
func (n *Network) heal() {
	for _, x := range n.exchanges {
		mend(slices.Collect(maps.Values(x.links)))
	}
}

// Close resets all connections.
func (n *Network) Close() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(n.exchanges)) {
		errs = append(errs, n.exchanges[name].close())
	}
	return errors.Join(errs...)
}

func (x *exchange) close() error {
	errs := []error{x.listener.Close()}
	x.done.Wait()
	for _, l := range x.links {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

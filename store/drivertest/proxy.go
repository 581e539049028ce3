package drivertest

import (
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
)

// NewProxy puts a TCP proxy in front of an engine that listens at target
// ("host:port"), and returns the proxy's address and the function that fails it:
// the Fault of an Engine for every driver that speaks over a network. It is closed
// when the test ends.
func NewProxy(t *testing.T, target string) (addr string, fault func(Fault)) {
	t.Helper()
	p, err := faultproxy.New(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	ways := map[Fault]func(){
		None: p.Pass, Cut: p.Refuse, Silence: p.Blackhole, LoseRequests: p.DropRequests, LoseReplies: p.DropReplies, Slow: p.Pass,
	}
	return p.Addr(), func(f Fault) {
		if p.Delay(0); f == Slow {
			p.Delay(Lag)
		}
		ways[f]()
	}
}

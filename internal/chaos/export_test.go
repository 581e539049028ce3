package chaos

import (
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
	"github.com/sluiceproxy/sluice/internal/history"
)

// NetworkOf lets tests lay links without a fleet.
func NetworkOf(callers ...string) *Network { return newNetwork(callers) }

func (n *Network) Add(server, address string) (string, error)   { return n.add(server, address) }
func (n *Network) Know(pids func() map[string]int)              { n.know(pids) }
func (n *Network) Link(caller, server string) *faultproxy.Proxy { return n.link(caller, server) }
func (n *Network) Heal()                                        { n.heal() }

// PeersOf returns the links between a member of etcd and the others.
func (n *Network) PeersOf(c *engines.EtcdCluster, member string) []*faultproxy.Proxy {
	return (&world{network: n, engines: Engines{Etcd: c}}).others(member)
}

// Plan returns the first kinds of fault of a seed, in one lane.
func Plan(seed uint64, count int) []string {
	w := &world{}
	l := &lane{faults: slices.Concat(w.processFaults(), w.networkFaults(), w.outerFaults()), random: rand.New(rand.NewPCG(seed, 0))}
	var kinds []string
	for range count {
		kinds = append(kinds, l.next().kind)
	}
	return kinds
}

// Judge lets tests judge without a fleet.
type Judge struct{ r *run }

func NewJudge(out io.Writer) Judge {
	return Judge{&run{world: &world{out: out, began: time.Now(), faults: map[string]int{}}}}
}

func (j Judge) History(re *Receipt, tenant string, ops []history.Op) {
	j.r.judgeHistory(re, tenant, ops)
}
func (j Judge) Complaints() []string { return j.r.complaints() }
func (j Judge) Injected(kind string) { j.r.injected(kind) }
func (j Judge) Missing() []string    { return j.r.missing() }

const ClientLeaves = clientLeaves

package chaos

import (
	"io"
	"math/rand/v2"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
	"github.com/sluiceproxy/sluice/internal/history"
)

// Network lets tests lay links without a fleet.
type Network struct{ n *network }

func NewNetwork(callers ...string) Network { return Network{newNetwork(callers)} }

func (n Network) Add(server, address string) (string, error)   { return n.n.add(server, address) }
func (n Network) Know(pids func() map[string]int)              { n.n.know(pids) }
func (n Network) Link(caller, server string) *faultproxy.Proxy { return n.n.link(caller, server) }
func (n Network) Heal()                                        { n.n.heal() }
func (n Network) Close() error                                 { return n.n.close() }

// Plan returns the first kinds of fault of a seed, in one lane.
func Plan(seed uint64, count int) []string {
	w := &world{}
	l := &lane{faults: append(w.processFaults(), w.networkFaults()...), random: rand.New(rand.NewPCG(seed, 0))}
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

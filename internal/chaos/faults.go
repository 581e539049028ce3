package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
)

// The kinds of a fault. A run fails unless each of them happened.
const (
	killProxy       = "kill proxy"
	pauseProxy      = "pause proxy"
	killController  = "kill controller"
	pauseController = "pause controller"
	killEtcd        = "kill etcd member"
	pauseEtcd       = "pause etcd member"
	killCluster     = "kill OpenSearch"
	pauseCluster    = "pause OpenSearch"
	cutMembers      = "cut etcd~etcd"
	slowMembers     = "slow etcd~etcd"
	isolateLeader   = "isolate etcd leader"
	clientLeaves    = "client leaves"
)

// pairs are the kinds of process between which the network is cut and slowed down, beside clients and the members of etcd.
var pairs = [][2]string{
	{"proxy", "etcd"}, {"controller", "etcd"}, {"proxy", "OpenSearch"}, {"controller", "OpenSearch"}, {"controller", "proxy"},
}

// outer is the pair of a client and what it calls.
var outer = [2]string{"client", "proxy"}

// forClients is the door of a proxy for clients.
const forClients = " for clients"

func cut(pair [2]string) string  { return "cut " + pair[0] + "~" + pair[1] }
func slow(pair [2]string) string { return "slow " + pair[0] + "~" + pair[1] }

// Kinds returns the kinds of all faults, in the order of a receipt.
func Kinds() []string {
	kinds := []string{killProxy, pauseProxy, killController, pauseController, killEtcd, pauseEtcd, killCluster, pauseCluster}
	for _, p := range append(pairs, outer) {
		kinds = append(kinds, cut(p), slow(p))
	}
	return append(kinds, cutMembers, slowMembers, isolateLeader, clientLeaves)
}

// A fault happens, lasts, and is over when its function returns. It reports false when it met nobody: it did not count.
type fault struct {
	kind string
	do   func(ctx context.Context, r *rand.Rand) bool
}

// lane is one thing after the other that goes wrong; there are three, so that several things overlap. Each round is all of its
// faults in some order.
type lane struct {
	faults []fault
	random *rand.Rand
	left   []fault
	gap    time.Duration // between two faults, on average
}

func (l *lane) next() fault {
	if len(l.left) == 0 {
		l.left = append(l.left, l.faults...)
		l.random.Shuffle(len(l.left), func(i, j int) { l.left[i], l.left[j] = l.left[j], l.left[i] })
	}
	f := l.left[0]
	l.left = l.left[1:]
	return f
}

func between(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Float64()*float64(to-from))
}

// Times of the storms. A vanished proxy or a write of unknown outcome keeps every move from its flip for the session's time
// and the drain barrier; were there no calm, no move would end, and nothing would be shown about moves that do.
const (
	storm = 45 * time.Second
	calm  = 25 * time.Second
)

// stormy reports whether faults may begin at a time of the run.
func stormy(elapsed time.Duration) bool { return elapsed%(storm+calm) < storm }

// run makes things go wrong until the time is over. Faults that have begun are ended.
func (w *world) run(ctx context.Context, l *lane, over func() bool) {
	for ctx.Err() == nil && !over() {
		sleep(ctx, between(l.random, l.gap/2, l.gap*3/2))
		if !stormy(time.Since(w.began)) {
			continue
		}
		f := l.next()
		if f.do(ctx, l.random) {
			w.injected(f.kind)
		} else {
			w.say("%s: met nobody, and is still to come", f.kind)
			l.left = append(l.left, f) // after the others of the round
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// processFaults are those of processes and engines. One at a time is down, so that etcd keeps its majority.
func (w *world) processFaults() []fault {
	kill := func(kind string, all func() []victim) fault {
		return fault{kind, func(ctx context.Context, r *rand.Rand) bool {
			v := all()[r.IntN(len(all()))]
			w.say("%s: %s", kind, v.name())
			v.kill(ctx, between(r, 0, 3*time.Second))
			w.say("%s: %s is back", kind, v.name())
			return true
		}}
	}
	stop := func(kind string, all func() []victim, from, to time.Duration) fault {
		return fault{kind, func(ctx context.Context, r *rand.Rand) bool {
			v, d := all()[r.IntN(len(all()))], between(r, from, to)
			w.say("%s: %s for %.1fs", kind, v.name(), d.Seconds())
			return v.pause(ctx, d)
		}}
	}
	return []fault{
		kill(killProxy, w.proxies), kill(killController, w.controllers), kill(killEtcd, w.members), kill(killCluster, w.clusters),
		stop(pauseProxy, w.proxies, sessionTTL*5/4, sessionTTL*5/2),
		stop(pauseController, w.controllers, sessionTTL*5/4, sessionTTL*5/2),
		stop(pauseEtcd, w.members, sessionTTL/2, sessionTTL*2),
		stop(pauseCluster, w.clusters, writeTimeout/2, drainBarrier*3/4),
	}
}

// networkFaults are those of the links of the fleet.
func (w *world) networkFaults() []fault {
	var out []fault
	for _, p := range pairs {
		out = append(out, w.linkFault(cut(p), p, w.cut), w.linkFault(slow(p), p, w.slow))
	}
	return out
}

// outerFaults are those of the links at either end: from clients, and between the members of the store.
func (w *world) outerFaults() []fault {
	return []fault{
		w.linkFault(cut(outer), outer, w.cut), w.linkFault(slow(outer), outer, w.slow),
		{cutMembers, w.cutMembers}, {slowMembers, w.slowMembers}, {isolateLeader, w.isolateLeader},
	}
}

// linkFault does something to the links between some processes of one kind and some servers of another.
func (w *world) linkFault(kind string, pair [2]string, do func(*rand.Rand, []*faultproxy.Proxy) string) fault {
	return fault{kind, func(ctx context.Context, r *rand.Rand) bool {
		from, to := some(r, w.names(pair[0])), some(r, w.names(pair[1]))
		if pair[1] == "etcd" && r.IntN(3) > 0 {
			to = w.names(pair[1]) // cut off from one member a client goes to the next
		}
		if pair[0] == "controller" && r.IntN(3) > 0 {
			from = w.names(pair[0]) // one of them may have nothing to do just now
		}
		var links []*faultproxy.Proxy
		for _, f := range from {
			for _, t := range to {
				if pair == outer {
					t += forClients
				}
				links = append(links, w.network.link(f, t))
			}
		}
		d := between(r, time.Second, sessionTTL*2)
		how := do(r, links)
		w.say("%s: %s from %s for %.1fs: %s", kind, strings.Join(from, ", "), strings.Join(to, ", "), d.Seconds(), how)
		return w.during(ctx, links, d)
	}}
}

// during waits while links are not as they should be, mends them, and reports whether anybody has used them.
func (w *world) during(ctx context.Context, links []*faultproxy.Proxy, d time.Duration) bool {
	before := traffic(links)
	sleep(ctx, d)
	after := traffic(links)
	mend(links)
	return after > before
}

func mend(links []*faultproxy.Proxy) {
	for _, l := range links {
		l.Delay(0)
		l.Pass()
	}
}

// some returns a part of names, never none.
func some(r *rand.Rand, names []string) []string {
	n := 1
	if r.IntN(3) == 0 {
		n += r.IntN(len(names))
	}
	out := append([]string(nil), names...)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:n]
}

// traffic is a number that grows when anybody uses some links, whatever becomes of it.
func traffic(links []*faultproxy.Proxy) int {
	n := 0
	for _, l := range links {
		s := l.Stats()
		n += s.Accepted + s.Reset + int(s.ToServer+s.ToClient+s.Swallowed)
	}
	return n
}

// ways are those in which a link is cut. The first two are whole cuts for whatever is spoken over it.
var ways = []struct {
	name string
	do   func(*faultproxy.Proxy)
}{
	{"refused", (*faultproxy.Proxy).Refuse}, {"nothing passes", (*faultproxy.Proxy).Blackhole},
	{"answers are lost", (*faultproxy.Proxy).DropReplies}, {"requests are lost", (*faultproxy.Proxy).DropRequests},
}

func (w *world) cut(r *rand.Rand, links []*faultproxy.Proxy) string {
	return cutIn(r, links, len(ways))
}

// cutIn cuts links in one of the first n ways.
func cutIn(r *rand.Rand, links []*faultproxy.Proxy, n int) string {
	way := ways[r.IntN(n)]
	for _, l := range links {
		way.do(l)
	}
	return way.name
}

func (w *world) slow(r *rand.Rand, links []*faultproxy.Proxy) string {
	d := between(r, 20*time.Millisecond, time.Second)
	for _, l := range links {
		l.Delay(d)
	}
	return fmt.Sprintf("%d ms each way", d.Milliseconds())
}

package chaos

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
)

// both returns the links between two members of etcd: either calls the other, and each sends over the connections of both.
func (w *world) both(one, other string) []*faultproxy.Proxy {
	return []*faultproxy.Proxy{w.network.link(one, other+peers), w.network.link(other, one+peers)}
}

// others returns the links between a member and all other members.
func (w *world) others(member string) []*faultproxy.Proxy {
	var links []*faultproxy.Proxy
	for _, m := range w.names("etcd") {
		if m != member {
			links = append(links, w.both(member, m)...)
		}
	}
	return links
}

// cutMembers cuts two members off from each other, one time in three in one direction alone.
func (w *world) cutMembers(ctx context.Context, r *rand.Rand) bool {
	all := w.names("etcd")
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	links, join := w.both(all[0], all[1]), "and"
	if r.IntN(3) == 0 {
		links, join = links[:1], "calling"
	}
	d := between(r, time.Second, sessionTTL*2)
	w.say("%s: %s %s %s for %.1fs: %s", cutMembers, all[0], join, all[1], d.Seconds(), cutIn(r, links, 3))
	return w.during(ctx, links, d)
}

// slowMembers slows two members down, or one from all others.
func (w *world) slowMembers(ctx context.Context, r *rand.Rand) bool {
	all := w.names("etcd")
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	links, other := w.both(all[0], all[1]), all[1]
	if r.IntN(2) == 0 {
		links, other = w.others(all[0]), "all others"
	}
	d := between(r, time.Second, sessionTTL*2)
	w.say("%s: %s and %s for %.1fs: %s", slowMembers, all[0], other, d.Seconds(), w.slow(r, links))
	return w.during(ctx, links, d)
}

// isolateLeader cuts etcd's leader off from all other members, while its clients still reach it. It has happened when another
// one leads before the links are mended. For a moment both believe to.
func (w *world) isolateLeader(ctx context.Context, r *rand.Rand) bool {
	ask, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	leader, err := w.engines.Etcd.Leader(ask)
	if err != nil {
		return false // it is just looking for one
	}
	links := w.others(leader.Name())
	d := between(r, sessionTTL*3/4, sessionTTL*2)
	// Where requests arrive members go on, for all of what they say they can say in requests; and where answers do, for they
	// say most of it in answers that never end.
	w.say("%s: %s for %.1fs: %s", isolateLeader, leader.Name(), d.Seconds(), cutIn(r, links, 2))
	sleep(ctx, d)
	replaced := false
	for _, m := range w.engines.Etcd.Members() {
		ask, cancel := context.WithTimeout(ctx, time.Second)
		leads, err := m.Leads(ask)
		cancel()
		replaced = replaced || err == nil && leads && m != leader
	}
	mend(links)
	return replaced
}

package sim_test

import (
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/sim"
)

// driverDies are runs of two controllers, one of which ends, or stops for longer than
// its lease, so long after the tenant's first Cutover has begun. In half of them it is
// the one that drives.
func driverDies(kind sim.Kind, after time.Duration) *sim.Options {
	return &sim.Options{Controllers: 2, Clients: 6, Load: 30 * time.Second, Sessions: true, Faults: []sim.Fault{
		{Kind: kind, A: "controller-1", When: "cutover", Nth: 1, At: after, For: 20 * time.Second},
	}}
}

// A controller dies, or is stopped, at any moment of a Cutover, with the defaults.
// Another one lives, so no request fails: what is held goes on at the source before the
// proxies give it up.
func TestNoRequestFailsWhenTheDriverOfACutoverDies(t *testing.T) {
	held, refused, moved := 0, 0, 0
	const seeds = 60
	for seed := uint64(1); seed <= seeds; seed++ {
		kind := []sim.Kind{sim.Kill, sim.Kill, sim.Pause}[seed%3]
		r := sim.Run(t, seed, driverDies(kind, time.Duration(seed)*time.Millisecond/3))
		if len(r.Breaches) > 0 {
			t.Errorf("seed %d: %s: %q", seed, kind, r.Breaches)
		}
		if r.Longest > 2*time.Second {
			held++
		}
		refused += r.Failed
		moved += r.Flips
	}
	t.Logf("%d runs, in %d of which writes were held for more than 2 s: %d requests failed, %d flips", seeds, held, refused, moved)
	if held < 10 || moved < seeds {
		t.Errorf("in %d runs writes were held, and %d moves flipped: the driver did not die in its Cutover, or its move not go on", held, moved)
	}
}

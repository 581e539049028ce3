package demo_test

import (
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
)

// TestDedicatedCluster runs the whole demo with a tenant that has a cluster of its own: two indices, there and back, under
// load through two proxies, with a scroll and a point in time open over each flip. Its receipt has to be clean.
func TestDedicatedCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	enginetest.OpenSearch(t, "") // fails or skips as all tests do that need the engine
	program, err := buildSluice()
	must(t, err)
	o := demo.Defaults()
	o.Placement, o.Docs, o.Rate, o.Settle = placement.DedicatedCluster, 2000, 80, time.Second
	res, err := demo.Run(t.Context(), program, o, t.Output())
	must(t, err)
	if !res.OK || res.Counts.Acknowledged < 2000 || res.Counts.Reads == 0 || len(res.Legs) != 2 {
		t.Errorf("%+v", res)
	}
	for _, l := range res.Legs {
		if l.Holds.Parts.Whole <= 0 || l.Holds.Parts.Barrier <= 0 || l.Holds.Parts.Seal <= 0 {
			t.Errorf("move to %s: the receipt does not say where the pause went: %+v", l.To, l.Holds)
		}
		// Both indices were read back: the second has a tenth of the ids, and counters of its own.
		if l.Check.IDs < 2200 {
			t.Errorf("move to %s: only %d ids were checked", l.To, l.Check.IDs)
		}
	}
}

package redisstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
)

// Who opens a store observes nothing, and leaves nothing: an observer of what Open
// tries would find it removed, and take that for lost history. Who lists or opens
// sessions observes that space.
func TestOnlyTheSpacesOfSessionsAreObserved(t *testing.T) {
	t.Parallel()
	r := enginetest.Redis(t)
	c := at(r.Addr())
	c.Prefix = prefix()
	d, peer := connect(t, c), connect(t, c)
	if o := d.Observed(); len(o) != 0 {
		t.Fatalf("after Open it observes %v", o)
	}
	if n, err := r.Do(t.Context(), "dbsize"); err != nil || n != int64(0) {
		t.Fatalf("Open left %v keys, %v", n, err)
	}
	put(t, d, key("k"), "x", 0)
	if _, err := d.Open(t.Context(), driver.Key{Space: "sessions", Name: "s"}, nil, time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, space := range []string{"entries", "sessions"} {
		if _, err := peer.List(t.Context(), space, func(driver.KV) bool { return true }); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range [][]string{d.Observed(), peer.Observed()} {
		if !slices.Equal(o, []string{"sessions"}) {
			t.Errorf("observed are %v; want the sessions", o)
		}
	}
}

package consulstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
)

// quick are the settings of servers that grant short sessions, so that the suite
// takes a minute and not ten. TestSessionsOfTheDefaultTTL is about the others.
var quick = map[string]any{"session_ttl_min": "1s"}

func TestConformance(t *testing.T) {
	t.Parallel()
	server := enginetest.SharedConsul(t)
	drivertest.Run(t, drivertest.Harness{
		New: func(t *testing.T) drivertest.Engine {
			ns := prefix()
			d, fault := proxied(t, server.URL(), ns)
			peer := connect(t, ns, server.URL())
			return drivertest.Engine{
				Driver: d, Peer: peer, Fault: fault,
				Compact: func() {
					if err := peer.Compact(t.Context(), "entries"); err != nil {
						t.Fatal(err)
					}
				},
			}
		},
		TTL: 2 * time.Second,
		// Consul ends a session when twice its TTL has passed.
		Late:    2*time.Second + 3*time.Second,
		Bound:   options.ListTimeout + 2*time.Second,
		Outages: outages,
		Shows:   shows,
	})
}

// shows are the weaknesses as they are seen.
var shows = map[string]func(t *testing.T) string{
	"SessionEndsWhenNotRenewed": showLateEnd,
	"SurvivesFullDisk": func(t *testing.T) string {
		t.Skip("the limit of the kernel that stands for a full disk is Linux's")
		return ""
	},
}

// A session that nobody renews is seen to end long after its TTL.
func showLateEnd(t *testing.T) string {
	const ttl = 2 * time.Second
	s := connect(t, prefix(), enginetest.SharedConsul(t).URL())
	began := time.Now()
	if _, err := s.Open(t.Context(), session("s"), nil, ttl); err != nil {
		t.Fatal(err)
	}
	for {
		_, err := s.Get(t.Context(), session("s"))
		lived := time.Since(began)
		switch {
		case errors.Is(err, driver.ErrNotFound) && lived > ttl*3/2:
			return fmt.Sprintf("a session of %v ended after %v", ttl, lived)
		case errors.Is(err, driver.ErrNotFound):
			return ""
		case err != nil:
			t.Fatal(err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

package consulstore

import (
	"context"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Weaknesses implements driver.Weak. They are Consul's, whatever its settings.
func (s *Store) Weaknesses(context.Context) ([]driver.Weakness, error) {
	return []driver.Weakness{
		{
			Guarantee: "SessionEndsWhenNotRenewed",
			Why:       "Consul ends a session when twice its TTL has passed, and grants every session its whole time again when another server becomes the leader",
			Risk:      "never early, but late: a move waits up to twice session_ttl, and an election more, for a proxy or controller that died",
			Remedy:    "nothing; keep session_ttl at 10s, the shortest that Consul grants by default",
		},
		{
			Guarantee: "SurvivesFullDisk",
			Why:       "a server whose disk is full gives up being the leader, and cannot become it again without writing to that disk",
			Risk:      "with one server placements cannot be read while the disk is full, so requests get 503; nothing is lost, and all goes on when there is room",
			Remedy:    "run three servers, of which another takes over, and watch the disks",
		},
	}, nil
}

// Reasons implements driver.Reasoner. No clock decides anything but the end of a
// session, and that one cannot be moved from outside: a Go program asks the kernel for
// the time, not the C library.
func (s *Store) Reasons() map[string]string {
	const why = "sessions count on the monotonic clock of Consul's leader, which does not jump"
	return map[string]string{"SurvivesClockAhead": why, "SurvivesClockBack": why}
}

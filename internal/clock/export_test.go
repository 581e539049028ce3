package clock

import "time"

// Holds reports whether a reading at mono of the monotonic clock and wall of the wall
// clock is answered by what was known when they read 0 and knownWall.
func Holds(mono, wall, knownWall time.Duration) bool {
	return (&ahead{wall: knownWall}).holds(mono, wall)
}

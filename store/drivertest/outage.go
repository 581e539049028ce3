package drivertest

import "github.com/sluiceproxy/sluice/store/driver"

// Outage is one way in which a server itself is harmed. The guarantee that it is
// survived is called "Survives" and the outage's name.
type Outage string

// The outages. What Strike and Heal of a [Victim] do is said for each.
const (
	// Kill: Strike ends the server as kill -9 does and returns when it is gone, Heal
	// starts it again on its data and returns when it serves.
	Kill Outage = "Kill"
	// Freeze: Strike stops the server as SIGSTOP does, Heal lets it go on (SIGCONT).
	Freeze Outage = "Freeze"
	// FullDisk: after Strike the server has no room for any further write, by its
	// disk or by a quota. Heal gives it room, and takes back whatever the server has
	// done about it.
	FullDisk Outage = "FullDisk"
	// ClockAhead: Strike moves the server's clock ahead by at least ten TTLs, Heal
	// moves it back to the right time.
	ClockAhead Outage = "ClockAhead"
	// ClockBack: Strike moves the server's clock back by at least ten TTLs, Heal
	// moves it to the right time.
	ClockBack Outage = "ClockBack"
	// LeaderKill: the server is a cluster of three. Strike kills the leader (or
	// primary), Heal starts what was killed again. In between another must take
	// over without help, unless Strike's documented procedure promotes one.
	LeaderKill Outage = "LeaderKill"
	// LeaderFreeze: the same with SIGSTOP and SIGCONT.
	LeaderFreeze Outage = "LeaderFreeze"
)

// Outages returns all of them.
func Outages() []Outage {
	return []Outage{Kill, Freeze, FullDisk, ClockAhead, ClockBack, LeaderKill, LeaderFreeze}
}

// Victim is a server that a test may harm: it serves nobody else.
type Victim struct {
	// Driver is what is tested. It reaches the server directly; with a cluster, all of
	// its members.
	Driver driver.Driver
	// Peer is a second way to the same namespace, as another process would have it.
	Peer driver.Driver
	// Fault is as in Engine. Kill needs it, for the others it may be nil.
	Fault func(Fault)
	// Strike makes the outage happen, and Heal ends it. They are called in turn, any
	// number of times, and fail the test when they cannot do it.
	Strike, Heal func()
}

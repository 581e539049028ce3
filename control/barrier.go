package control

import (
	"fmt"
	"strings"
	"time"
)

// DefaultDrainBarrier is how long a write whose outcome nobody knows may still
// take effect, and how long a TimeBarrier waits. It must not be below the
// proxies' upstream write timeout.
const DefaultDrainBarrier = 30 * time.Second

// Laggard is a proxy that a barrier waits for.
type Laggard struct {
	Session string `json:"session"`
	Name    string `json:"name"` // for people: host and port
	// Reason is one of "applying" (it has not applied the epoch) and "pending"
	// (it has, but writes admitted before are still open).
	Reason string `json:"reason"`
	// Silent is for how long its session has not changed, as far as this process
	// has been watching.
	Silent time.Duration `json:"silent"`
}

func (l Laggard) String() string {
	return fmt.Sprintf("%s (%s, silent for %s)", l.Name, l.Reason, l.Silent.Round(time.Millisecond))
}

// BarrierPending refuses a completion that came too early. Nothing was changed.
type BarrierPending struct {
	// Remaining is how long to wait at least; 0 when only the laggards know.
	Remaining time.Duration
	Laggards  []Laggard
}

func (e *BarrierPending) Error() string {
	s := "barrier pending"
	if e.Remaining > 0 {
		s += fmt.Sprintf(": %s remaining", e.Remaining.Round(time.Millisecond))
	}
	if len(e.Laggards) > 0 {
		names := make([]string, len(e.Laggards))
		for i, l := range e.Laggards {
			names[i] = l.String()
		}
		s += ": waiting for " + strings.Join(names, ", ")
	}
	return s
}

// UnresolvedError: proxies have writes of unknown outcome, or server-side tasks,
// that may still take effect on the source. Nothing completes over them.
type UnresolvedError struct {
	Proxies []string // names, for people
	Tasks   int      // server-side tasks among them
}

func (e *UnresolvedError) Error() string {
	return fmt.Sprintf("writes of unknown outcome or running tasks (%d) at %s", e.Tasks, strings.Join(e.Proxies, ", "))
}

// VanishedError: proxies are on the roster but hold no session. What they had
// sent may still take effect, and what they had journaled is lost.
type VanishedError struct {
	Sessions []string
	Names    []string // for people, in the order of Sessions
}

func (e *VanishedError) Error() string {
	return "proxies vanished without a clean close: " + strings.Join(e.Names, ", ")
}

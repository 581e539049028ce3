// Package drivertest is the one conformance suite of the drivers: every
// guarantee of package driver (driver.Guarantees) is a named subtest of [Run], whose
// doc comment states it at length, and a driver is one when it passes all of them
// against its real engine.
//
// A driver supplies a [Harness]:
//
//   - New makes an [Engine]: an empty namespace of a server that may be shared, two
//     ways to it, and a [Fault] for one of the ways. [NewProxy] is that fault for
//     whatever speaks over TCP.
//   - Outages make a [Victim] each: a server of the test's own, which is killed,
//     frozen, filled up, or loses its leader, while writers, readers, watches and
//     processes with sessions (store.Session) are at work on both ways. What they
//     asked and were told is recorded, and judged by the order that the watch
//     reported: nothing acknowledged is lost, nothing is there that nobody wrote or
//     that was refused, nothing twice, each write took effect over exactly the
//     version that it expected, no answer is older than what somebody had been told
//     before, and no session is ended by the store while its holder may act on it.
//   - Cannot, or the driver (driver.Reasoner), says why an outage is impossible. The
//     suite prints it.
//   - Shows demonstrates each weakness that the driver declares (driver.Weak). There
//     is no way to leave a guarantee out: a weakness that does not show fails.
//
// The suite waits for conditions, never for time to pass, but where time is what
// matters (a lease's end, a way that is slow): what is bounded by time is bounded
// by the Harness, everything else by a generous patience that only a failing driver
// exhausts. It cannot tell a driver that is right from one that is lucky, so run
// it often, and under the race detector.
//
// [NewFlaky] makes any driver fail on command, for engines that run in the process
// and for tests of what is built on a driver.
package drivertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Fault is how the way between a driver and its engine fails.
type Fault int

// The faults. With each of them a call that is under way, and each new one,
// fails or waits as described until the way is healed with None.
const (
	None         Fault = iota // nothing fails
	Cut                       // connections break and new ones are refused
	Silence                   // nothing arrives, in either direction, and nobody is told
	LoseRequests              // what is sent does not arrive; the sender learns that something broke
	LoseReplies               // what is sent arrives and takes effect; its answer is lost
	Slow                      // everything arrives, each way later by Lag
)

// Lag is by how much Slow delays what is sent, each way.
const Lag = 150 * time.Millisecond

func (f Fault) String() string {
	return [...]string{"None", "Cut", "Silence", "LoseRequests", "LoseReplies", "Slow"}[f]
}

// Engine is one namespace of an engine and ways to it.
type Engine struct {
	// Driver is what is tested.
	Driver driver.Driver
	// Peer is a second way to the same namespace, as another process would have
	// it. No Fault touches it. It may be Driver itself when there is but one.
	Peer driver.Driver
	// Fault fails the way between Driver and the engine, and returns when the
	// fault is in force for what is sent from then on.
	Fault func(Fault)
	// Compact makes the engine forget what a watch could go back to, up to now.
	// It may do so for the whole engine: no other test of a Run is running.
	Compact func()
}

// Harness says how to get at an engine, and what it promises about time.
type Harness struct {
	// New returns an Engine with an empty namespace that nobody else uses, and
	// releases everything with t.Cleanup.
	New func(t *testing.T) Engine
	// TTL is the shortest that the engine grants exactly; shorter ones may last
	// longer.
	TTL time.Duration
	// Late is by how much the end of a lease may be seen later than its TTL; in a
	// bubble, where nothing takes time, it must still be more than 0.
	Late time.Duration
	// Bound is by when a call without a deadline fails if the engine does not
	// answer.
	Bound time.Duration
	// Bubble runs each test in a bubble of testing/synctest, for drivers without
	// an engine outside the process.
	Bubble bool

	// Outages make a Victim each, for one test alone: a server that has just been
	// started, and serves.
	Outages map[Outage]func(t *testing.T) Victim
	// Cannot says why an outage is not in Outages: what of the engine, or of a test's
	// possibilities, makes it impossible. The suite prints the reason. It must have
	// one for each outage that is not there, unless the driver itself does
	// (driver.Reasoner), and none for one that is.
	Cannot map[Outage]string
	// Shows has a function for each weakness that the driver declares (driver.Weak), by
	// the guarantee's name. It provokes the weakness on an engine of its own and returns
	// what it saw, or "" when the weakness did not show, which fails the suite: a
	// weakness that cannot be shown is none. The weakness of an outage's guarantee
	// takes the place of that outage in Outages and Cannot.
	Shows map[string]func(t *testing.T) string
}

// patience is how long a condition is waited for that must come about soon.
const patience = 30 * time.Second

// prompt is how soon a call ends whose context has.
const prompt = 4 * time.Second

// check is one named subtest: that of the guarantee of package driver with this
// name.
type check struct {
	name  string
	alone bool // it disturbs the whole engine
	check func(*suite)
}

// checks is the whole suite, but for the outages. What runs alone comes first: the
// rest runs in parallel, which the testing package starts when these are done.
var checks = []check{
	{"CompactedWatchIsToldAndListingAgainHasNoGap", true, compaction},
	{"WatchFollowsThroughCompactions", true, followThroughCompactions},

	{"MissingKeyIsNotFound", false, missingKey},
	{"KeysOutsideTheRulesAreRefused", false, invalidKeys},
	{"CreateHasExactlyOneWinner", false, createRace},
	{"WriteNeedsTheVersion", false, versionConflict},
	{"SameValueIsAChange", false, sameValue},
	{"DeleteNeedsTheVersion", false, deletion},
	{"NoUpdateIsLost", false, counter},
	{"NamesAndValuesAreAnyBytes", false, anyBytes},
	{"SpacesAreApart", false, spaces},
	{"GetSeesEveryAcknowledgedWrite", false, linearizableGet},

	{"ListIsOneMoment", false, listMoment},
	{"ListYieldsEachOnceAndStopsEarly", false, listOnce},
	{"ListThenWatchHasNoGapAndNoRepetition", false, listThenWatch},

	{"WatchGoesBack", false, watchBack},
	{"WatchEndsWithItsContextOrItsApply", false, watchEnds},
	{"WatchResumesAfterACut", false, func(s *suite) { watchResumes(s, Cut) }},
	{"WatchResumesAfterSilence", false, func(s *suite) { watchResumes(s, Silence) }},
	{"SlowApplyMissesNothing", false, slowApply},

	{"EndedContextIsHonouredAtOnce", false, endedContext},
	{"EndingContextIsHonouredAtOnce", false, endingContext},

	{"SessionEndsWhenNotRenewed", false, sessionExpires},
	{"RenewalKeepsASession", false, renewal},
	{"UpdateDoesNotRenewAndTheLostStayLost", false, updateDoesNotRenew},
	{"LateUpdateDoesNotOvertake", false, lateUpdate},
	{"SessionNeedsAFreeKey", false, sessionConflict},
	{"CloseRemovesTheSession", false, sessionClose},
	{"LostSessionLeavesItsSuccessorAlone", false, successor},
	{"WritingASessionsRecordLeavesItsLease", false, writtenSession},
	{"DeletingASessionsRecordEndsIt", false, deletedSession},
	{"FailedOpenEndsByItself", false, failedOpen},
	{"FailedSessionCallsCanBeRepeated", false, failedSessionCalls},

	{"FailedWriteWithoutEffect", false, func(s *suite) { failedWrite(s, LoseRequests, false) }},
	{"FailedWriteThatTookEffect", false, func(s *suite) { failedWrite(s, LoseReplies, true) }},
	{"UnreachableIsNotAnAnswer", false, func(s *suite) { unreachable(s, Cut) }},
	{"SilentIsNotAnAnswer", false, func(s *suite) { unreachable(s, Silence) }},
	{"SlownessLosesNothing", false, slowness},

	{"HeadCoversEveryAcknowledgedWriteAndAWatchReachesIt", false, head},
	{"HeadOfSessions", false, headOfSessions},
	{"HeadNeverLagsBehindConcurrentWriters", false, headUnderLoad},
	{"VersionsSeeEveryAcknowledgedWrite", false, batchedVersions},
	{"SinceIsTheWatchUpToNow", false, changesSince},

	{"PagesAreInOrderAndComplete", false, pages},
}

// Run checks every guarantee, each as a subtest on an Engine of its own, and
// demonstrates every weakness that the driver declares.
func Run(t *testing.T, h Harness) {
	complete(t)
	weak, other, reasons := declared(t, h)
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if !c.alone {
				t.Parallel()
			}
			if why := other[c.name]; why != "" {
				t.Skip(why)
			}
			if h.Bubble {
				synctest.Test(t, func(t *testing.T) { c.check(newSuite(t, h)) })
				return
			}
			c.check(newSuite(t, h))
		})
	}
	for _, o := range Outages() {
		t.Run("Survives"+string(o), func(t *testing.T) {
			t.Parallel()
			outage(t, h, o, weak, reasons)
		})
	}
	for name, w := range weak {
		t.Run("Weak/"+name, func(t *testing.T) {
			t.Parallel()
			demonstrate(t, h.Shows[name], w)
		})
	}
	for name := range h.Shows {
		if _, ok := weak[name]; !ok {
			t.Errorf("Shows has %s, a weakness that the driver does not declare", name)
		}
	}
}

// complete checks that guarantees and subtests are the same.
func complete(t *testing.T) {
	t.Helper()
	var have, want []string
	for _, c := range checks {
		have = append(have, c.name)
	}
	for _, o := range Outages() {
		have = append(have, "Survives"+string(o))
	}
	for _, g := range driver.Guarantees() {
		want = append(want, g.Name)
	}
	if !slices.Equal(have, want) {
		t.Fatalf("the suite has the subtests %q; the guarantees of package driver are %q", have, want)
	}
}

// suite is one subtest.
type suite struct {
	*testing.T
	Harness
	Engine
	ctx context.Context
}

func newSuite(t *testing.T, h Harness) *suite {
	return &suite{T: t, Harness: h, Engine: h.New(t), ctx: t.Context()}
}

// The spaces that the suite uses.
const (
	entries  = "entries"
	sessions = "sessions"
)

func key(name string) driver.Key { return driver.Key{Space: entries, Name: name} }

func session(name string) driver.Key { return driver.Key{Space: sessions, Name: name} }

// put writes, and the write must succeed.
func (s *suite) put(d driver.Driver, k driver.Key, value string, expect driver.Version) driver.Version {
	s.Helper()
	v, err := d.Write(s.ctx, driver.Write{Key: k, Value: []byte(value), Expect: expect})
	if err != nil {
		s.Fatalf("write %q at %d: %v", k.Name, expect, err)
	}
	if v <= expect {
		s.Fatalf("write %q at %d gave version %d: versions must grow", k.Name, expect, v)
	}
	return v
}

func (s *suite) delete(d driver.Driver, k driver.Key, expect driver.Version) driver.Version {
	s.Helper()
	v, err := d.Write(s.ctx, driver.Write{Key: k, Expect: expect, Delete: true})
	if err != nil {
		s.Fatalf("delete %q at %d: %v", k.Name, expect, err)
	}
	if v <= expect {
		s.Fatalf("delete %q at %d gave version %d: versions must grow", k.Name, expect, v)
	}
	return v
}

// has checks what a key holds.
func (s *suite) has(k driver.Key, value string, at driver.Version) {
	s.Helper()
	kv, err := s.Driver.Get(s.ctx, k)
	if err != nil || string(kv.Value) != value || kv.Version != at || kv.Name != k.Name {
		s.Fatalf("get %q: %q at %d, %v; want %q at %d", k.Name, kv.Value, kv.Version, err, value, at)
	}
}

// lacks checks that a key does not exist.
func (s *suite) lacks(k driver.Key) {
	s.Helper()
	if kv, err := s.Driver.Get(s.ctx, k); !errors.Is(err, driver.ErrNotFound) {
		s.Fatalf("get %q: %q at %d, %v; want ErrNotFound", k.Name, kv.Value, kv.Version, err)
	}
}

// conflicts checks that a write is refused.
func (s *suite) conflicts(w driver.Write) {
	s.Helper()
	if v, err := s.Driver.Write(s.ctx, w); !errors.Is(err, driver.ErrConflict) {
		s.Fatalf("write %q at %d (delete %t): version %d, %v; want ErrConflict", w.Key.Name, w.Expect, w.Delete, v, err)
	}
}

// list returns what is in a space.
func (s *suite) list(d driver.Driver, space string) (map[string]driver.KV, driver.Version) {
	s.Helper()
	out, v, err := listed(s.ctx, d, space)
	if err != nil {
		s.Fatalf("list %s: %v", space, err)
	}
	return out, v
}

func listed(ctx context.Context, d driver.Driver, space string) (map[string]driver.KV, driver.Version, error) {
	out := map[string]driver.KV{}
	var twice error
	v, err := d.List(ctx, space, func(kv driver.KV) bool {
		if _, ok := out[kv.Name]; ok {
			twice = fmt.Errorf("%q was yielded twice", kv.Name)
		}
		kv.Value = append([]byte(nil), kv.Value...) // it is valid during the call only
		out[kv.Name] = kv
		return true
	})
	return out, v, errors.Join(err, twice)
}

// answer reports whether an error is one of the certain answers.
func answer(err error) bool {
	return errors.Is(err, driver.ErrNotFound) || errors.Is(err, driver.ErrConflict) ||
		errors.Is(err, driver.ErrSessionLost) || errors.Is(err, driver.ErrCompacted)
}

package driver

import (
	"context"
	"slices"
)

// Guarantee is one promise of this package. Each is a subtest of the same name
// in package drivertest, which fails when one of the two is missing.
type Guarantee struct {
	Name      string // an identifier; it is stable, reports and documents refer to it
	Statement string // one sentence
}

// Binds reports whether d owes the guarantee: what is said of Head is owed by a
// Header, what is said of Versions and Since by a Batcher, and of pages by a Pager.
func (g Guarantee) Binds(d Driver) bool {
	of, some := owedBy[g.Name]
	return !some || of(d)
}

var owedBy = map[string]func(Driver) bool{
	"HeadCoversEveryAcknowledgedWriteAndAWatchReachesIt": isHeader,
	"HeadOfSessions":                       isHeader,
	"HeadNeverLagsBehindConcurrentWriters": isHeader,
	"VersionsSeeEveryAcknowledgedWrite":    isBatcher,
	"SinceIsTheWatchUpToNow":               isBatcher,
	"PagesAreInOrderAndComplete":           isPager,
}

func isHeader(d Driver) bool  { _, ok := d.(Header); return ok }
func isBatcher(d Driver) bool { _, ok := d.(Batcher); return ok }
func isPager(d Driver) bool   { _, ok := d.(Pager); return ok }

// Guarantees returns the whole contract, in the order of the suite. The slice is
// the caller's.
func Guarantees() []Guarantee { return slices.Clone(guarantees) }

// Weakness is a guarantee that a driver cannot keep in some circumstance, with
// the engine as it is set up. No driver may fail a guarantee in package
// drivertest; a weakness is about what lies outside of what the suite does to a
// good set-up (a failover that forgets, a disk that is not synced), or about an
// outage that the engine does not survive, and the suite demonstrates it: one that
// does not show is an error as well.
type Weakness struct {
	Guarantee string // Name of the guarantee that is weak; each at most once per driver
	Why       string // what of the engine or its settings makes it so
	Risk      string // what could happen, in terms of placements and sessions
	Remedy    string // what to set, or "nothing" and what to use instead
}

// Weak is implemented by drivers that have weaknesses. A driver without the
// method claims to keep every guarantee.
type Weak interface {
	// Weaknesses returns what holds for the engine as it is set up now; it may ask
	// the engine. An error means that it is not known, not that there are none.
	Weaknesses(ctx context.Context) ([]Weakness, error)
}

// Reasoner is implemented by drivers that keep guarantees which no test on their
// engine can show, such as those about a clock that cannot be moved.
type Reasoner interface {
	// Reasons returns why each of them holds all the same, by the guarantee's name.
	Reasons() map[string]string
}

// guarantees is the one home of the names and statements.
var guarantees = []Guarantee{
	{"CompactedWatchIsToldAndListingAgainHasNoGap", "A watch from before what the engine still knows ends with ErrCompacted and reports nothing; listing again and watching from there has no gap."},
	{"WatchFollowsThroughCompactions", "Whoever lists, watches, and lists again at ErrCompacted ends up with what is there, however often the engine compacts meanwhile."},

	{"MissingKeyIsNotFound", "A key that does not exist, or not any more, is ErrNotFound, and an empty space lists nothing."},
	{"KeysOutsideTheRulesAreRefused", "Keys, deletions and sessions outside the rules are refused with an error that is no answer, and change nothing."},
	{"CreateHasExactlyOneWinner", "Of any number of writers that create the same key exactly one succeeds; the others get ErrConflict."},
	{"WriteNeedsTheVersion", "A write takes effect at exactly the expected version; at any other it is ErrConflict and changes nothing."},
	{"SameValueIsAChange", "A write of the value that is there is a change: it has a new version and is seen by watches."},
	{"DeleteNeedsTheVersion", "A deletion needs the version too and has a version of its own; a key that is created again is newer than its deletion."},
	{"NoUpdateIsLost", "Concurrent read-modify-write loops lose nothing, and each success has a version of its own."},
	{"NamesAndValuesAreAnyBytes", "Names and values are bytes without meaning, and a name that begins with another is another key."},
	{"SpacesAreApart", "Spaces do not see each other, whatever their names."},
	{"GetSeesEveryAcknowledgedWrite", "Get sees every write that was acknowledged, to anyone, before it was called."},

	{"ListIsOneMoment", "What List yields is one moment, and its version covers what it yields and what was acknowledged before."},
	{"ListYieldsEachOnceAndStopsEarly", "List yields each record once, and stops without error when yield returns false."},
	{"ListThenWatchHasNoGapAndNoRepetition", "List and then Watch see every change exactly once, in the order of the versions, whenever they begin."},

	{"WatchGoesBack", "A watch that begins in the past reports the same as one that was there."},
	{"WatchEndsWithItsContextOrItsApply", "A watch ends when its context does, with the context's error, or when apply fails, with that very error."},
	{"WatchResumesAfterACut", "A watch whose connection breaks goes on when the way is open again, without a gap or a repetition."},
	{"WatchResumesAfterSilence", "A watch whose connection goes silent goes on when the way is open again, without a gap or a repetition."},
	{"SlowApplyMissesNothing", "A watch whose apply takes its time is told everything all the same, or that it is too late with ErrCompacted."},

	{"EndedContextIsHonouredAtOnce", "A call under a context that has ended returns at once with the context's error and has no effect."},
	{"EndingContextIsHonouredAtOnce", "A call that waits for the engine returns at once when its context ends, with the context's error."},

	{"SessionEndsWhenNotRenewed", "A session that is not renewed ends, visibly, and never before its TTL."},
	{"RenewalKeepsASession", "A session that is renewed in time does not end; from its last renewal it lasts its TTL."},
	{"UpdateDoesNotRenewAndTheLostStayLost", "Updates do not extend the lease, and a session that has ended is lost for ever and changes nothing."},
	{"LateUpdateDoesNotOvertake", "An update that failed, and arrives late, does not undo a later one that succeeded."},
	{"SessionNeedsAFreeKey", "A session is opened under a key that does not exist; what is there is left alone."},
	{"CloseRemovesTheSession", "Close removes the record, visibly, and the session is lost."},
	{"LostSessionLeavesItsSuccessorAlone", "A session that has ended does nothing to whoever took its key."},
	{"WritingASessionsRecordLeavesItsLease", "A session's record that somebody else writes stays leased."},
	{"DeletingASessionsRecordEndsIt", "A session whose record somebody deletes is lost."},
	{"FailedOpenEndsByItself", "An Open that failed leaves nothing, or a record that ends as a session does that nobody renews."},
	{"FailedSessionCallsCanBeRepeated", "Renew, Update and Close that failed, with effect or without, can be repeated until they are answered."},

	{"FailedWriteWithoutEffect", "A write whose request is lost fails with an error that is no answer, and repeating it at the old version succeeds."},
	{"FailedWriteThatTookEffect", "A write whose reply is lost fails with an error that is no answer, and repeating it at the old version is ErrConflict: it is never applied twice."},
	{"UnreachableIsNotAnAnswer", "While the engine cannot be reached every call fails in bounded time with an error that is no answer; everything works again when it is back."},
	{"SilentIsNotAnAnswer", "While the engine does not answer every call fails in bounded time with an error that is no answer; everything works again when it is back."},
	{"SlownessLosesNothing", "With a slow way to the engine deadlines are honoured, and nothing is lost, invented or applied twice."},

	{"HeadCoversEveryAcknowledgedWriteAndAWatchReachesIt", "Head is never behind what was acknowledged before it was called, and a watch reaches it without a further write."},
	{"HeadOfSessions", "Head covers opening, updating and closing a session, and is never ahead of the end of a lease."},
	{"HeadNeverLagsBehindConcurrentWriters", "Head covers what was acknowledged before it was called while writers are at work."},
	{"VersionsSeeEveryAcknowledgedWrite", "Versions tells of each of many keys at least the newest version that was acknowledged, to anyone, before it was called, and 0 of one that does not exist."},
	{"SinceIsTheWatchUpToNow", "Since returns what a watch from there reports, with everything that was acknowledged before it was called, and where the next Since or a watch goes on without gap or repetition."},

	{"PagesAreInOrderAndComplete", "Page returns what is in a stretch of the names, in their order, with every write that was acknowledged, to anyone, before it was called; the pages together are the space."},

	{"SurvivesKill", "When the server is killed and started again under load nothing acknowledged is lost, nothing is applied twice, no version goes back, and no session outlives its deadline."},
	{"SurvivesFreeze", "When the server is frozen for longer than a TTL under load nothing acknowledged is lost, nothing is applied twice, no version goes back, and no session outlives its deadline."},
	{"SurvivesFullDisk", "When the server has no room left writes fail without being taken for done and reads go on; when there is room again, so does everything."},
	{"SurvivesClockAhead", "When the server's clock jumps ahead under load nothing acknowledged is lost, no version goes back, and no session ends early or outlives its deadline."},
	{"SurvivesClockBack", "When the server's clock jumps back under load nothing acknowledged is lost, no version goes back, and no session outlives its deadline."},
	{"SurvivesLeaderKill", "When the leader of a cluster is killed under load another takes over by itself, and nothing acknowledged is lost, applied twice, or goes back."},
	{"SurvivesLeaderFreeze", "When the leader of a cluster is frozen under load another takes over by itself, and when the old one wakes up nothing of what it believes is taken for true."},
}

package sim_test

import (
	"time"

	"github.com/sluiceproxy/sluice/internal/sim"
)

// edit replaces one text in a file of the module; it must be there exactly once.
type edit struct{ file, old, new string }

type edits []edit

// mutant is the shipped code without one rule. The simulation has to find what the
// rule prevents. Where a rule says that two things are one step, the mutant does
// something between them: it sleeps for a moment of the simulation's time.
type mutant struct {
	name  string
	model string // the same rule's mutants in spec, separated by spaces
	seed  uint64 // the one that finds it, of the runs in with
	rule  string // what is left out
	edits
	// with are the runs that have much of what it takes: by chance alone it needs
	// more seeds than make test has time for.
	with *sim.Options
}

// atBegin are runs of one controller and many documents with these faults, which
// begin with the tenant's first move unless they say otherwise.
func atBegin(faults ...sim.Fault) *sim.Options {
	for i := range faults {
		if faults[i].When == "" {
			faults[i].When, faults[i].Nth = "creating", 1
		}
	}
	return &sim.Options{Controllers: 1, Docs: 24, Load: 30 * time.Second, Sessions: true, Faults: faults}
}

func slowly(a, b string) sim.Fault {
	return sim.Fault{Kind: sim.Slow, A: a, B: b, At: time.Millisecond, For: 10 * time.Second, By: time.Second}
}

func badly(a, b string) sim.Fault {
	return sim.Fault{Kind: sim.Lossy, A: a, B: b, At: 5 * time.Millisecond, For: 5 * time.Second, P: 0.4}
}

// early are runs of so many clients that write many documents, and end soon after
// the tenant's first move began: what is lost there, no later write brings back.
// Their faults are counted from the change to Draining unless they say otherwise.
func early(clients int, load time.Duration, faults ...sim.Fault) *sim.Options {
	for i := range faults {
		if faults[i].When == "" {
			faults[i].When, faults[i].Nth = "draining", 1
		}
		faults[i].At = max(faults[i].At, time.Microsecond)
	}
	return &sim.Options{Controllers: 1, Clients: clients, Docs: 60, Load: load, Sessions: true, Faults: faults}
}

func twoProxies(o *sim.Options) *sim.Options {
	o.Proxies = 2
	return o
}

// slowSource makes a copy last for seconds.
func slowSource(d time.Duration) sim.Fault {
	return sim.Fault{Kind: sim.Slow, A: "controller-1", B: "a", At: time.Millisecond, For: d, By: time.Second}
}

func lossy(a, b string, at, d time.Duration, p float64) sim.Fault {
	return sim.Fault{Kind: sim.Lossy, A: a, B: b, At: max(at, time.Millisecond), For: d, P: p}
}

func deaf(a string, at, d time.Duration) sim.Fault {
	return sim.Fault{Kind: sim.Deaf, A: a, At: at, For: d}
}

func deafAtCutover(a string, at, d time.Duration) sim.Fault {
	return sim.Fault{Kind: sim.Deaf, A: a, When: "cutover", Nth: 1, At: at, For: d}
}

// unknownWhileCopying: writes of unknown outcome to what has been copied, or is just being.
var unknownWhileCopying = early(6, 10*time.Second, slowSource(8*time.Second),
	lossy("proxy-1", "a", 500*time.Millisecond, 8*time.Second, 0.5), lossy("proxy-2", "a", 500*time.Millisecond, 8*time.Second, 0.5))

// overflowing: journals of two entries, and a copy during which nobody reads them.
func overflowing(load, slow time.Duration) *sim.Options {
	o := early(6, load, slowSource(slow))
	o.JournalLimit = 2
	return o
}

// longUnderWay delays what is sent by as much as the world's LateMax allows for.
func longUnderWay(a, b string, at, d time.Duration) sim.Fault {
	return sim.Fault{Kind: sim.Slow, A: a, B: b, At: at, For: d, By: 1e5 * time.Second}
}

func slowTarget(at, d, by time.Duration) sim.Fault {
	return sim.Fault{Kind: sim.Slow, A: "controller-1", B: "b", At: max(at, time.Millisecond), For: d, By: by}
}

// lateConfirmation: a journal's confirmation arrives when its proxy has died, was
// started again, and journals for rounds that take long.
var lateConfirmation = func() *sim.Options {
	o := twoProxies(early(4, 140*time.Second, slowTarget(0, 47*time.Second, time.Second), deaf("proxy-2", time.Second, 46*time.Second),
		longUnderWay("controller-1", "proxy-1", 40*time.Second, 7*time.Second), sim.Fault{Kind: sim.Kill, A: "proxy-1", At: 47 * time.Second, For: 38 * time.Second},
		deaf("proxy-2", 70*time.Second, 45*time.Second), slowTarget(88*time.Second, 27*time.Second, 4*time.Second)))
	o.LateMax = 55 * time.Second
	return o
}()

// lateConfirmationOfAnotherMove: it arrives when its move was aborted, and the next
// one has not read the journals for long.
var lateConfirmationOfAnotherMove = func() *sim.Options {
	next := slowTarget(40*time.Millisecond, 16*time.Second, 5*time.Second)
	next.When, next.Nth = "creating", 2
	o := twoProxies(early(4, 70*time.Second, slowTarget(0, 19*time.Second, time.Second), deaf("proxy-2", time.Second, 18*time.Second),
		longUnderWay("controller-1", "proxy-1", 13*time.Second, 6*time.Second), longUnderWay("controller-1", "proxy-2", 13*time.Second, 6*time.Second),
		sim.Fault{Kind: sim.Abort, At: 19 * time.Second}, next))
	o.LateMax = 11 * time.Second
	return o
}()

// openedAtTheFlip: a proxy that starts during a move, stops before it tells the store
// of itself, goes on with the flip, and hears no news.
var openedAtTheFlip = func() *sim.Options {
	slow := slowSource(4 * time.Second)
	slow.By = 400 * time.Millisecond
	o := twoProxies(early(6, 20*time.Second,
		sim.Fault{Kind: sim.Stop, A: "proxy-1", At: time.Microsecond, For: time.Millisecond}, deaf("proxy-1", time.Microsecond, time.Minute),
		sim.Fault{Kind: sim.Pause, A: "proxy-1", B: "store", Point: "before it connects", Of: "write", At: 2 * time.Microsecond, For: 30 * time.Second, Until: "active"}, slow))
	for i := range o.Faults {
		o.Faults[i].When = "creating"
	}
	return o
}()

// staleReads: what the store answers is on its way for long, no watch brings news
// meanwhile, and the entry changes once.
var staleReads = twoProxies(early(24, 20*time.Second, deaf("proxy-1", time.Millisecond, 6*time.Second), slowStore("proxy-1"),
	deaf("proxy-2", time.Millisecond, 6*time.Second), slowStore("proxy-2"), sim.Fault{Kind: sim.Meddle, A: "abort", At: 2 * time.Second}))

func slowStore(a string) sim.Fault {
	return sim.Fault{Kind: sim.Slow, A: a, B: "store", At: time.Millisecond, For: 6 * time.Second, By: time.Second}
}

func meddled(op string, after time.Duration) sim.Fault {
	return sim.Fault{Kind: sim.Meddle, A: op, When: "cutover", Nth: 1, At: after}
}

var mutants = []mutant{
	{"send_check", "M_NO_SEND_CHECK", 82, "a ticket is sent only while its session is valid", edits{
		{"gate/ticket.go", "	if !t.sess.Valid() {\n		return ErrFenced\n	}\n", ""}}, nil},
	{"late_acknowledgement", "M_NOT_BOUND", 76, "whoever is fenced out acknowledges nothing", edits{
		{"gate/ticket.go", "	if !valid {\n", "	if !valid && false {\n"}}, &sim.Options{Ghosts: true}},
	{"acknowledged_before_drained", "M_ACK_UNDRAINED", 62, "what is still in flight is published as pending", edits{
		{"gate/run.go", "	r.Pending = g.rep.pending()\n", ""}}, nil},
	{"publication_in_two", "M_SPLIT_PUBLICATION", 146, "a report is one record", edits{
		{"gate/run.go", "		if err := sess.Publish(ctx, r); err != nil {", "		_ = sess.Publish(ctx, store.Report{Applied: r.Applied})\n		if err := sess.Publish(ctx, r); err != nil {"}}, nil},
	{"applied_read_last", "M_APPLIED_LAST", 42, "what is applied is read before what is pending", edits{
		{"gate/run.go", "		r := g.report(placement.Epoch(g.rep.applied.Load()))\n", "		r := g.report(0)\n		time.Sleep(300 * time.Millisecond)\n		r.Applied = placement.Epoch(g.rep.applied.Load())\n"}}, atBegin(slowly("proxy-1", "a"), slowly("proxy-2", "a"))},
	{"checked_then_counted", "M_CHECK_THEN_COUNT", 371, "the closed bit and the count are one word", edits{
		{"gate/replica.go", "	if v.tickets.Add(1)&closedBit == 0 {\n		return true\n	}\n	r.release(v)\n	return false\n", "	if v.tickets.Load()&closedBit != 0 {\n		return false\n	}\n	time.Sleep(5 * time.Millisecond)\n	v.tickets.Add(1)\n	return true\n"}}, nil},
	{"unresolved_ignored", "M_UNRESOLVED_IGNORED", 77, "a write of unknown outcome is published as unresolved", edits{
		{"gate/run.go", "	r.Unresolved = g.flight.unresolvedPartitions()\n", ""}}, nil},
	{"unresolved_for_a_moment", "M_DRAIN_SHORT", 6, "a write is unresolved until it can take effect no more", edits{
		{"gate/ticket.go", "time.AfterFunc(t.g.opt.DrainBarrier, func", "time.AfterFunc(t.g.opt.DrainBarrier/100, func"}}, early(8, 12*time.Second, lossy("proxy-1", "a", 0, 4*time.Second, 0.5), lossy("proxy-2", "a", 0, 4*time.Second, 0.5))},
	{"unresolved_for_ever", "M_NEVER_DRAINED", 7, "a write is not unresolved for longer", edits{
		{"gate/ticket.go", "time.AfterFunc(t.g.opt.DrainBarrier, func", "time.AfterFunc(t.g.opt.DrainBarrier*1000, func"}}, nil},
	{"unresolved_not_read_again", "", 3, "an unresolved write's id is in the journal when its drain ends", edits{
		{"gate/ticket.go", "		t.journal() // before it leaves unresolved, for the same reason\n", ""}}, unknownWhileCopying},
	{"unresolved_read_early", "M_UNRESOLVED_READABLE_EARLY", 3, "an unresolved write's id is not in the journal before its drain ends", edits{
		{"gate/ticket.go", "		t.journal() // before it leaves unresolved, for the same reason\n", ""},
		{"gate/ticket.go", "	t.g.flight.addUnresolved(t)\n", "	t.g.flight.addUnresolved(t)\n	t.journal()\n"}}, unknownWhileCopying},
	{"session_after_list", "M_LIST_FIRST", 123, "the session is opened before the table is read", edits{
		{"gate/run.go", "	sess, err := g.store.OpenSession(", "	if err := g.catchUp(ctx); err != nil {\n		return nil, err\n	}\n	sess, err := g.store.OpenSession("},
		{"gate/run.go", "	if err := g.catchUp(ctx); err != nil {\n		bound, cancel", "	if err := error(nil); err != nil {\n		bound, cancel"}}, openedAtTheFlip},
	{"write_in_cutover", "", 12, "nothing is admitted in Cutover", edits{
		{"gate/ticket.go", "case v.entry.Phase() == placement.Cutover:", "case v.entry.Phase() == placement.Cutover && false:"}}, nil},
	{"journal_before_outcome", "M_JOURNAL_EARLY", 73, "an id becomes readable when its ticket ends, not before", edits{
		{"gate/ticket.go", "	t.sent = true\n	return nil\n", "	t.sent = true\n	t.journal()\n	return nil\n"},
		{"gate/ticket.go", "	t.journal()\n	t.end()\n	if !valid", "	t.end()\n	if !valid"}}, nil},
	{"counted_down_before_journaled", "M_COUNT_BEFORE_JOURNAL", 73, "an id is in the journal before the ticket's count goes down", edits{
		{"gate/ticket.go", "	t.journal()\n	t.end()\n	if !valid", "	t.end()\n	time.Sleep(5 * time.Millisecond)\n	t.journal()\n	if !valid"}}, nil},
	{"no_read_barrier", "M_NO_READ_BARRIER", 3, "in fresh mode a request waits for a read of the table", edits{
		{"gate/gate.go", "if err == nil && g.opt.Mode == Fresh {", "if err == nil && g.opt.Mode == Fresh && false {"}}, nil},
	{"barrier_shared_too_late", "M_NO_READ_BARRIER", 10, "a request waits for a read of the table that began after it arrived", edits{
		{"gate/barrier.go", "		b.waiting = b.waiting[1:]\n", ""},
		{"gate/barrier.go", "		b.do(life, read)\n", "		b.do(life, read)\n		b.mu.Lock()\n		b.waiting = b.waiting[1:]\n		b.mu.Unlock()\n"}}, staleReads},
	{"lease_from_renewal", "M_LEASE_FROM_RENEWAL", 12, "in leased mode validity counts from proven progress of the watch", edits{
		{"gate/gate.go", "	if g.opt.Mode == Leased {\n		// Validity", "	if g.opt.Mode == Leased && false {\n		// Validity"}}, nil},
	{"journal_overflow_untold", "M_LOST_IGNORED", 18, "a journal that has given up says so", edits{
		{"gate/journal.go", "		j.lostAt = j.seq\n		lost = true\n	}\n	return lost\n", "	}\n	return lost\n"}}, overflowing(10*time.Second, 8*time.Second)},
	{"lost_journal_believed", "M_LOST_IGNORED", 3, "a journal that is incomplete is not believed", edits{
		{"control/journals.go", "			if page.Lost {", "			if page.Lost && false {"},
		{"control/cutover.go", "		if h.Lost {", "		if h.Lost && false {"}}, overflowing(10*time.Second, 8*time.Second)},
	{"confirmed_what_was_not_compared", "M_HEAD_AFTER_RECONCILE", 939, "what is confirmed after a comparison is what the journal held before it", edits{
		{"control/journals.go", "f.sessions[s].Info, m.Partition, head)", "f.sessions[s].Info, m.Partition, 1<<62)"}}, overflowing(20*time.Second, 18*time.Second)},
	{"sequences_start_over", "M_CONFIRM_ANY_MOVE", 547, "a late confirmation confirms nothing of a later move", edits{
		{"gate/journal.go", "		js.ended[id] = j.seq\n", ""}}, lateConfirmationOfAnotherMove},
	{"journal_of_any_session", "M_PULL_ANY_SESSION", 54, "a journal is read and confirmed in the name of its session", edits{
		{"gate/journal.go", "	if session == \"\" || session != js.session {\n		return JournalPage{}, false\n", "	if session == \"\" {\n		return JournalPage{}, false\n"},
		{"gate/journal.go", "	if session == \"\" || session != js.session {\n		return false\n", "	if session == \"\" {\n		return false\n"}}, lateConfirmation},
	{"closed_with_writes_open", "M_CLOSE_DIRTY", 12, "a clean close waits for the writes that are open", edits{
		{"gate/run.go", "g.flight.open() == 0 && len(g.flight.unresolvedPartitions()) == 0 && ", ""}}, atBegin(slowly("proxy-1", "a"), sim.Fault{Kind: sim.Stop, A: "proxy-1", At: 100 * time.Millisecond, For: time.Second})},
	{"closed_unconfirmed", "M_CLOSE_UNCONFIRMED", 15, "a clean close waits until its journal is confirmed", edits{
		{"gate/run.go", " && g.journals.size() == 0 {", " {"}}, early(6, 14*time.Second, slowSource(12*time.Second), sim.Fault{Kind: sim.Stop, A: "proxy-1", At: 6 * time.Second, For: time.Second})},
	{"deadline_beyond_the_lease", "M_EARLY_EXPIRY", 2, "a session's own deadline is before the store's", edits{
		{"store/session.go", "	x.deadline.Store(int64(sent + x.ttl - x.margin))\n	return nil\n}\n\n// Publish", "	x.deadline.Store(int64(sent + 10*x.ttl))\n	return nil\n}\n\n// Publish"}}, atBegin(
		sim.Fault{Kind: sim.Pause, A: "proxy-1", B: "a", Point: "before it looks the cluster up", At: time.Millisecond, For: 80 * time.Second, Until: "active"},
		sim.Fault{Kind: sim.Pause, A: "proxy-2", B: "a", Point: "before it looks the cluster up", At: time.Millisecond, For: 80 * time.Second, Until: "active"})},
	{"stale_epoch", "M_NO_EPOCH", 235, "a transition is decided on the very epoch that it changes", edits{
		{"placement/step.go", "cmd.Expect != 0 && cmd.Expect != e.Epoch", "cmd.Expect != 0 && cmd.Expect > e.Epoch"}}, atBegin(slowly("proxy-1", "a"), slowly("proxy-2", "a"), meddled("reopen", 2*time.Millisecond), meddled("cutover", 6*time.Millisecond))},
	{"no_barrier_at_begin", "M_NO_BEGIN_BARRIER", 17, "copying starts when every session has applied the begin", edits{
		{"control/migrate.go", "_, err = d.c.barrier.Wait(bound, m.Partition, m.BeginEpoch, accounted)", "_, _, err = bound, accounted, nil"}}, atBegin(slowly("proxy-1", "a"), slowly("proxy-2", "a"))},
	{"no_refresh", "M_NO_REFRESH", 9, "the source is refreshed before it is copied", edits{
		{"control/migrate.go", "			if err := d.mv.RefreshSource(ctx); err != nil {", "			if err := error(nil); err != nil {"},
		{"mover/rests.go", "	if err := m.refreshOne(ctx, m.src, i.Source); err != nil {", "	if err := error(nil); err != nil {"}}, nil},
	{"vanished_not_waited_for", "M_NO_DRAIN_VANISHED M_RECONCILE_EARLY", 6, "a vanished proxy's writes are waited out", edits{
		{"control/migrate.go", "d.c.absent.absent(p.ID) >= d.move().Options.DrainBarrier", "d.c.absent.absent(p.ID) >= 0"}}, early(8, 12*time.Second, lossy("proxy-1", "a", 0, 2*time.Second, 0.8), sim.Fault{Kind: sim.Kill, A: "proxy-1", At: 1500 * time.Millisecond, For: 30 * time.Second})},
	{"vanished_not_reconciled", "M_VANISH_IGNORED", 6, "what a vanished proxy had journaled is found by comparing", edits{
		{"control/journals.go", "		if _, err := d.mv.Resync(ctx); err != nil {", "		if err := error(nil); err != nil {"}}, early(6, 10*time.Second, slowSource(8*time.Second), sim.Fault{Kind: sim.Kill, A: "proxy-1", At: 4 * time.Second, For: time.Second})},
	{"vanished_waited_for_for_ever", "M_NO_RECONCILE", 7, "a vanished proxy is accounted for in the end", edits{
		{"control/migrate.go", "d.c.absent.absent(p.ID) >= d.move().Options.DrainBarrier", "d.c.absent.absent(p.ID) >= 1<<60"}}, nil},
	{"vanished_forgotten", "M_NO_ROSTER", 100, "a proxy that vanished is known by the roster", edits{
		{"control/fleet.go", "	for id, r := range f.roster {\n		if r.Value.Kind", "	for id, r := range f.roster {\n		if true || r.Value.Kind"}}, nil},
	{"no_last_round", "M_NO_LAST_ROUND", 11, "what was journaled when the barrier passed is taken before the flip", edits{
		{"control/cutover.go", "		last, err := d.lastRound(gctx, clear)\n", "		last, err := []gate.DocRef(nil), error(nil)\n"}}, atBegin(slowly("proxy-1", "a"), slowly("proxy-2", "a"))},
	{"early_round_not_written", "M_EARLY_UNWRITTEN", 7, "what is taken beside the barrier counts when it is written", edits{
		{"control/cutover.go", "		if err == nil && len(h.lost) == 0 && len(h.refs) > 0 && d.absorb(ctx, h) == nil {\n			refs = h.refs\n		}\n", "		for s, upto := range h.upto {\n			d.after[s] = max(d.after[s], upto)\n		}\n		_ = err\n"}}, twoProxies(early(8, 20*time.Second, sim.Fault{Kind: sim.Slow, A: "controller-1", B: "store", For: time.Minute, By: 100 * time.Millisecond}))},
	{"no_barrier_at_cutover", "M_NO_BARRIER", 58, "the flip waits for every session's acknowledgement", edits{
		{"control/fleetbarrier.go", "		case r.Applied < w.epoch:\n			reason = \"applying\"\n		case slices.Contains(r.Pending, w.id):\n			reason = \"pending\"\n", "		case slices.Contains(r.Pending, w.id) && false:\n"}}, nil},
	{"no_deadline", "M_NO_DEADLINE", 2, "a cutover that takes too long is left again", edits{
		{"control/cutover.go", "m.Options.CutoverDeadline-time.Since(began)", "m.Options.CutoverDeadline+time.Hour"}}, early(6, 30*time.Second, deafAtCutover("proxy-1", time.Microsecond, 20*time.Second))},
	{"no_takeover", "M_NO_TAKEOVER", 7, "a move whose driver has gone is taken up by another", edits{
		{"control/controller.go", "	return m.Owner == \"\" || m.Owner == me || !alive(m.Owner)", "	return m.Owner == \"\" || m.Owner == me"}}, nil},
	{"dead_cutover_held", "M_NO_RELIEVE", 8, "a cutover that outlasts its deadline is ended by any controller", edits{
		{"control/controller.go", "	work.Go(func() { t.relieve(life) })\n", ""}}, driverDies(sim.Kill, 2*time.Millisecond)},
	{"confirmed_before_copied", "M_CONFIRM_FIRST", 37, "a journal is confirmed when what it held is at the target", edits{
		{"control/journals.go", "		if err := d.absorb(ctx, h); err != nil {\n			return nil, err\n		}\n		if err := d.confirm(ctx, proxies, h); err != nil {\n			return nil, err\n		}\n", "		if err := d.confirm(ctx, proxies, h); err != nil {\n			return nil, err\n		}\n		if err := d.absorb(ctx, h); err != nil {\n			return nil, err\n		}\n"}}, twoProxies(early(8, 30*time.Second, lossy("controller-1", "b", 0, 15*time.Second, 0.5), deaf("proxy-2", time.Second, 18*time.Second)))},
	{"abort_keeps_the_copy", "M_ABORT_KEEPS_COPY", 1, "an abort leaves nothing at the target", edits{
		{"control/migrate.go", "	if d.mv != nil && !untouched {", "	if d.mv != nil && !untouched && false {"}}, nil},
	{"retired_but_not_forgotten", "M_RETIRE_WITHOUT_CAS", 4, "the entry forgets the old copy before it is deleted", edits{
		{"control/settle.go", "		if len(busy) == 0 && !gone && e.PreviousMove == m.ID {", "		if len(busy) == 0 && !gone && e.PreviousMove == m.ID && false {"}}, nil},
	{"retired_before_applied", "M_RETIRE_UNAPPLIED", 14, "the old copy is deleted when every session has applied the flip", edits{
		{"control/settle.go", "r.Applied < m.CompleteEpoch || ", ""}}, early(6, 30*time.Second, deafAtCutover("proxy-1", 5*time.Millisecond, 30*time.Second), deafAtCutover("proxy-2", 5*time.Millisecond, 30*time.Second))},
	{"retired_while_read", "M_RETIRE_OPEN_READS", 44, "the old copy is deleted when no read of it is open", edits{
		{"control/settle.go", " || slices.Contains(r.OldReads, m.Partition) {", " {"}}, atBegin(slowly("proxy-1", "a"), slowly("proxy-2", "a"))},
	{"no_write_alias", "M_NO_ALIAS", 34, "each attempt writes through an alias of its own", edits{
		{"mover/bulk.go", "		text(&b, m.writeAlias(turn, o.index))\n", "		text(&b, m.Indexes()[o.index].Target)\n"},
		{"mover/bulk.go", "query(\"require_alias\", \"true\", ", "query("}}, atBegin(badly("controller-1", "b"))},
	{"stale_mover", "M_NO_DRAIN", 7, "a takeover waits for what was sent through the write aliases that it removes", edits{
		{"mover/alias.go", "	if drain {\n		m.unsettled.Store(true)\n", "	if drain && false {\n		m.unsettled.Store(true)\n"}}, nil},
	{"unknown_bulk_not_drained", "M_UNKNOWN_IGNORED", 93, "a bulk of unknown outcome is drained before its documents are written again", edits{
		{"mover/bulk.go", "			if err := m.settleSoon(ctx, turn); err != nil {", "			if err := error(nil); err != nil && turn > 0 {"},
		{"mover/bulk.go", "		if lost {\n			m.unsettled.Store(true)\n		}\n		return turn, nil, lost,", "		return turn, nil, lost,"}}, twoProxies(early(8, 30*time.Second, lossy("controller-1", "b", 0, 2*time.Second, 0.6), deaf("proxy-2", time.Second, 20*time.Second)))},
	{"barrier_of_another_epoch", "M_PROOF_OF_OTHER_EPOCH", 4, "a timed barrier is of one cutover", edits{
		{"control/timebarrier.go", "	if !ok || s.epoch != e.Epoch {", "	if !ok {"}}, &sim.Options{Timed: true}},
	{"rollback_by_versions", "", 80, "a rollback takes over what was written since the flip, whatever its version", edits{
		{"mover/resync.go", "	if err != nil || m.back() {", "	if err != nil {"}}, rollbacks},
	{"rollback_not_fenced_again", "", 33, "an aborted rollback fences the old copy again", edits{
		{"control/rollback.go", "d.mv.GiveBack(ctx, fence)", "d.mv.GiveBack(ctx, false)"}}, rollbacks},
	{"rollback_forgets_the_way", "", 8, "the way back is in the entry until the rollback completes", edits{
		{"placement/step.go", "		if cmd.Back == \"\" {", "		if true {"}}, rollbacks},
	{"target_maps_by_itself", "", 6, "a target maps no field that its source has not mapped, while it is copied to", edits{
		{"mover/meta.go", "	want, _, err := frozen(src[0].mappings)", "	want, err := src[0].mappings, error(nil)"}}, dynamic},
	{"thawed_target_maps", "", 169, "a target that has the source's dynamic has it taken away before a document with an unmapped field", edits{
		{"mover/bulk.go", "m.freezeFor(ctx, turn, ops, part)", "m.freezeFor(ctx, turn, ops, nil)"}}, dynamic},
}

// dynamic are runs whose documents have fields that are not mapped.
var dynamic = &sim.Options{Dynamic: true}

// rollbacks are runs in which most moves are rolled back.
var rollbacks = &sim.Options{Rollbacks: true, Sessions: true}

// notInTheCode are the model's mutants that no mutant here stands for, and why.
var notInTheCode = map[string]string{
	"M_SEND_PAUSE":           "no rule: a limit of any check before an act. The simulation delays what a paused process sends by no more than the drain barrier allows for",
	"M_ACCOUNT_UNMARKED":     "found by chance in too many seeds: a proxy paused between its two first writes for longer than the drain, in a move that something else keeps from its flip, and killed after it went on. the tests of store.Strike do just that",
	"M_CLOSE_RACE":           "between two statements, and a session that is closed lets nothing be sent: no message can be in between. gate's TestAWriteThatMeetsACleanCloseIsCountedOrRefused steps in",
	"M_NO_ADOPT":             "the model holds without it",
	"M_BLIND_OVERWRITE":      "the model holds without it",
	"M_NO_SEAL":              "the model holds without it",
	"M_RESOLVE_TWICE":        "a read takes one view from the gate and keeps it; there is no second look to drop",
	"M_AUTO_CREATE":          "OpenSearch creates indices or not; the simulated one never does. proxy and mover have tests with a real one",
	"M_UNGUARDED":            "it takes a change of aliases that arrives after takeover, seal and flip: too rare. mover's TestTakeThatComesAfterTheFlip does just that with a real OpenSearch",
	"M_SEAL_BARE":            "as above",
	"M_SEAL_NAME_AGAIN":      "as above, once more after a second seal",
	"M_TURN_AGAIN":           "as above; mover's TestATakeThatFailedGivesNoNameThatWasUsed",
	"M_RELEASE_ONE":          "between a reading and a change; mover's TestReleaseRemovesWhatCameWhileSealing",
	"M_LEASE_BEFORE_LISTING": "as above; mover's TestStaleMoverChangesNothingOfALiveTarget",
	"M_BLOCK_BY_NAME":        "as above; mover's TestStaleTakeDoesNotBlockALiveTarget",
	"M_BLOCK_UNLEASED":       "as above; mover's TestNothingIsBlockedWithoutTheLease",
	"M_DRAIN_ALIAS_OPTIONAL": "the model holds without it",
	"M_CREATE_FORGOTTEN":     "found_test.go keeps the seeds' schedules that showed it, and they fail without it",
	"M_CREATE_PAUSE":         "no rule: a limit of any check before an act, as M_SEND_PAUSE",
	"M_STAMPED_BEFORE":       "a controller begins every cutover of its own anew, and so counts from its own first sight; control's tests of TimeBarrier show it",
	"M_OTHER_CLOCK":          "as above",
}

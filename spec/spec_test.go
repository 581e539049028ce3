package spec_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// size of a configuration: what make test searches, or what only make model does.
type size int

const (
	quick size = iota
	full
)

// config is a model that has to hold.
type config struct {
	name string
	size size
	run  run
	says string // what it adds to the others
}

// mutant is a configuration without one rule.
type mutant struct {
	drop  string // the macro that drops the rule
	of    string // the configuration that it is dropped from
	extra string // more flags
	// breaks is the property that the checker has to find violated; empty for a
	// rule that the configuration turns out not to need.
	breaks string
}

func r(model, flags string) run {
	return run{model: model, flags: strings.Fields(flags), depth: 100_000, mem: 6000}
}

// live is a search for an execution, fair to each process, in which the claim is false.
func live(claim, flags string) run {
	x := r("live", flags)
	x.claim = claim
	return x
}

var configs = []config{
	{"barrier", quick, r("barrier", "-DMAXE=3 -DREADERS=0 -DW1=0"), "a second session, reopen, abort"},
	{"barrier-again", quick, r("barrier", "-DMAXE=4 -DREADERS=0 -DW1=0 -DS0=1"), "a second cutover, a second move"},
	{"barrier-reads", quick, r("barrier", "-DMAXE=2 -DS0=1 -DW1=0"), "fresh reads at either instance"},
	{"barrier-close", quick, r("barrier", "-DMAXE=2 -DREADERS=0 -DW1=0 -DCLOSE=1 -DS0=1"), "clean close"},
	{"barrier-report", quick, r("barrier", "-DMAXE=2 -DREADERS=0 -DW1=0 -DGATHER=1 -DS0=1"), "a report is gathered in steps"},
	{"barrier-pause", quick, r("barrier", "-DMAXE=3 -DREADERS=0 -DW1=0 -DM_SEND_PAUSE -DONLY_ACKED"), "a pause after the send check, acknowledged writes only"},
	{"barrier-long", full, r("barrier", "-DMAXE=4 -DREADERS=0 -DW0=2 -DW1=0"), "longer, and two writes at one instance"},
	{"barrier-two", full, r("barrier", "-DMAXE=3 -DREADERS=0"), "both instances write"},
	{"barrier-proofs", full, r("barrier", "-DMAXE=3 -DREADERS=0 -DW1=0 -DS0=1 -DC=2"), "two controllers at their barriers"},
	{"barrier-all", full, r("barrier", "-DMAXE=3 -DW1=0"), "reads, a second session, reopen"},
	{"barrier-close-long", full, r("barrier", "-DMAXE=3 -DREADERS=0 -DW1=0 -DCLOSE=1"), "clean close, a second session, reopen"},
	{"barrier-report-long", full, r("barrier", "-DMAXE=3 -DREADERS=0 -DW1=0 -DGATHER=1"), "reports in steps, a second session, reopen"},
	{"journal", quick, r("journal", "-DMAXE=2 -DMOVES=1 -DW0=1"), "two instances, one of which closes"},
	{"journal-again", quick, r("journal", "-DMAXE=4 -DW1=0 -DDEATHS=0"), "a second move, reopen, a late confirmation"},
	{"journal-driver", quick, r("journal", "-DMAXE=2 -DW1=0 -DMOVES=1"), "the driver dies"},
	{"journal-lost", quick, r("journal", "-DMAXE=2 -DW1=0 -DMOVES=1 -DUNLISTED=1"), "journals that are incomplete"},
	{"journal-two", full, r("journal", "-DMAXE=2 -DMOVES=1"), "more writes"},
	{"journal-both", full, r("journal", "-DMAXE=4"), "both instances, a second move, the driver dies"},
	{"journal-long", full, r("journal", "-DMAXE=6 -DW1=0"), "a second move with reopens, the driver dies"},
	{"target", quick, r("target", "-DBULKS=2"), "two attempts, unknown outcomes, delete and create again"},
	{"target-more", full, r("target", "-DBULKS=3"), "more bulks"},
	{"alias", quick, r("alias", "-DLATES=1 -DTURNS=2"), "two attempts, the seal and its reopening, a late request"},
	{"alias-late", quick, r("alias", "-DTURNS=2 -DSEALS=1"), "two late requests"},
	{"alias-turns", full, r("alias", "-DLATES=1"), "more turns"},
	{"alias-long", full, r("alias", "-DSEALS=1"), "more turns and two late requests"},
	{"timed", quick, r("timed", ""), "the timed barrier"},
	{"retire", quick, r("retire", ""), "leased reads, retire against a move back"},
	{"live", quick, live("M6_ends", ""), "a move ends"},
	{"live-held", quick, live("M6_goes_on", "-DM_NO_TAKEOVER"), "writes are not held for as long as a move is nobody's"},
}

var mutants = []mutant{
	{"REACH", "barrier", "", "REACHED"},
	{"M_ACK_UNDRAINED", "barrier", "", "M1_no_stale_commit"},
	{"M_LIST_FIRST", "barrier", "", "M2_no_stale_send"},
	{"M_NOT_BOUND", "barrier-pause", "", "M5_acked_readable"},
	{"M_UNRESOLVED_IGNORED", "barrier", "", "M1_no_stale_commit"},
	{"M_DRAIN_SHORT", "barrier", "", "M1_no_stale_commit"},
	{"M_NO_DRAIN_VANISHED", "barrier", "", "M1_no_stale_commit"},
	{"M_NO_EPOCH", "barrier-again", "", "M1_no_stale_commit"},
	{"M_NO_SEND_CHECK", "barrier", "", "M2_no_stale_send"},
	{"M_SEND_PAUSE", "barrier", "", "M1_no_stale_commit"},
	{"M_NO_ROSTER", "barrier", "", "M1_no_stale_commit"},
	{"M_ACCOUNT_UNMARKED", "barrier", "", "M1_no_stale_commit"},
	{"M_EARLY_EXPIRY", "barrier", "", "M2_no_stale_send"},
	{"M_CHECK_THEN_COUNT", "barrier", "", "M1_no_stale_commit"},
	{"M_SPLIT_PUBLICATION", "barrier-report", "", "M1_no_stale_commit"},
	{"M_APPLIED_LAST", "barrier-report", "", "M1_no_stale_commit"},
	{"M_CLOSE_DIRTY", "barrier-close", "", "M1_no_stale_commit"},
	{"M_CLOSE_RACE", "barrier-close", "", "M1_no_stale_commit"},
	{"M_NO_BARRIER", "barrier-reads", "", "M2_no_stale_send"},
	{"M_NO_READ_BARRIER", "barrier-reads", "", "M2_no_stale_read"},
	{"M_RESOLVE_TWICE", "barrier-reads", "", "M4_one_placement"},
	{"M_NO_ADOPT", "barrier", "", ""},

	{"REACH", "journal-again", "", "REACHED"},
	{"M_JOURNAL_EARLY", "journal-again", "", "M5_acked_readable"},
	{"M_COUNT_BEFORE_JOURNAL", "journal-again", "", "M5_acked_readable"},
	{"M_UNRESOLVED_READABLE_EARLY", "journal-again", "", "UNREAD_never"},
	{"M_NO_BEGIN_BARRIER", "journal-again", "", "UNREAD_never"},
	{"M_NO_REFRESH", "journal-again", "", "M5_acked_readable"},
	{"M_NO_LAST_ROUND", "journal-again", "", "M5_acked_readable"},
	{"M_EARLY_UNWRITTEN", "journal-again", "", "M5_acked_readable"},
	{"M_CONFIRM_ANY_MOVE", "journal-again", "", "M5_acked_readable"},
	{"M_CONFIRM_FIRST", "journal-driver", "", "M5_acked_readable"},
	{"M_PULL_ANY_SESSION", "journal-again", "", "M5_acked_readable"},
	{"M_VANISH_IGNORED", "journal-again", "", "M5_acked_readable"},
	{"M_RECONCILE_EARLY", "journal-driver", "-DDEATHS=0", "UNREAD_never"},
	{"M_LOST_IGNORED", "journal-lost", "", "M5_acked_readable"},
	{"M_HEAD_AFTER_RECONCILE", "journal-lost", "", "M5_acked_readable"},
	{"M_CLOSE_UNCONFIRMED", "journal", "", "M5_acked_readable"},
	{"M_ABORT_KEEPS_COPY", "journal-again", "", "M5_acked_readable"},

	{"REACH", "target", "", "REACHED"},
	{"M_NO_ALIAS", "target", "", "M5_acked_readable"},
	{"M_NO_DRAIN", "target", "", "M5_acked_readable"},
	{"M_UNKNOWN_IGNORED", "target", "", "M5_acked_readable"},
	{"M_AUTO_CREATE", "target", "-DONLY=M3_no_residue", "M3_no_residue"},
	{"M_BLIND_OVERWRITE", "target", "", ""},
	{"M_NO_SEAL", "target", "", ""},

	{"REACH", "alias", "", "REACHED"},
	{"M_UNGUARDED", "alias", "", "LIVE_released"},
	{"M_TURN_AGAIN", "alias", "", "M5_sole_writer"},
	{"M_LEASE_BEFORE_LISTING", "alias", "", "LIVE_released"},
	{"M_BLOCK_BY_NAME", "alias", "", "LIVE_unblocked"},
	{"M_BLOCK_UNLEASED", "alias", "", "LIVE_unblocked"},
	{"M_DRAIN_ALIAS_OPTIONAL", "alias", "", ""},
	{"M_SEAL_BARE", "alias", "", "LIVE_released"},
	{"M_SEAL_NAME_AGAIN", "alias", "", "LIVE_released"},
	{"M_RELEASE_ONE", "alias", "", "LIVE_released"},
	{"M_CREATE_FORGOTTEN", "alias", "", "M3_no_residue"},
	{"M_CREATE_PAUSE", "alias", "", "M3_no_residue"},

	{"REACH", "timed", "", "REACHED"},
	{"M_STAMPED_BEFORE", "timed", "", "M1_no_stale_commit"},
	{"M_OTHER_CLOCK", "timed", "", "M1_no_stale_commit"},
	{"M_PROOF_OF_OTHER_EPOCH", "timed", "", "M1_no_stale_commit"},

	{"REACH", "retire", "", "REACHED"},
	{"M_RETIRE_WITHOUT_CAS", "retire", "", "M2_no_deleted_place"},
	{"M_RETIRE_UNAPPLIED", "retire", "", "M4_read_of_deleted"},
	{"M_RETIRE_OPEN_READS", "retire", "", "M4_read_of_deleted"},
	{"M_LEASE_FROM_RENEWAL", "retire", "", "LEASED_bounded"},

	{"M_NO_RECONCILE", "live", "", "M6_ends"},
	{"M_NEVER_DRAINED", "live", "", "M6_ends"},
	{"M_NO_DEADLINE", "live", "", "M6_ends"},
	{"M_NO_TAKEOVER", "live", "", "M6_ends"},
	{"M_NO_RELIEVE", "live-held", "", "M6_goes_on"},
}

// slots lets two searches run at a time: the sizes are for a machine of two cores.
var slots = make(chan struct{}, 2)

// table collects what is printed when all searches have ended.
type table struct {
	mu   sync.Mutex // guards the following
	rows []string
	cpu  time.Duration
}

func (x *table) add(name string, f found, verdict string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rows = append(x.rows, fmt.Sprintf("%-44s %12d states  depth %6d  %7.0f MiB  %7.1f s  %s", name, f.states, f.depth, f.mib, f.cpu.Seconds(), verdict))
	x.cpu += f.cpu
}

func (x *table) print(t *testing.T) {
	slices.Sort(x.rows)
	t.Logf("\n%s\nprocessor time, all together: %.0f s; two searches run at a time", strings.Join(x.rows, "\n"), x.cpu.Seconds())
}

// largest is what SLUICE_SPEC asks for: quick unless it says full.
func largest(t *testing.T) size {
	switch s := os.Getenv("SLUICE_SPEC"); s {
	case "", "quick":
		return quick
	case "full":
		return full
	default:
		t.Fatalf("SLUICE_SPEC is %q; it must be quick or full", s)
	}
	return quick
}

// Every configuration holds, searched to its end.
func TestHolds(t *testing.T) {
	checker(t)
	most := largest(t)
	var sum table
	t.Cleanup(func() { sum.print(t) })
	for _, c := range configs {
		if c.size > most {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			f, err := search(t.Context(), t.TempDir(), c.run)
			if err != nil {
				t.Fatal(err)
			}
			verdict := "holds"
			if f.violated != "" {
				verdict = "VIOLATES " + f.violated
				t.Errorf("%s violates %s", c.run, f.violated)
			}
			sum.add(c.name+": "+c.says, f, verdict)
		})
	}
}

// Without a rule, the checker finds what the rule is for.
func TestMutants(t *testing.T) {
	checker(t)
	var sum table
	t.Cleanup(func() { sum.print(t) })
	for _, m := range mutants {
		t.Run(m.of+"/"+m.drop, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			n := slices.IndexFunc(configs, func(c config) bool { return c.name == m.of })
			if n < 0 {
				t.Fatalf("there is no configuration %q", m.of)
			}
			x := configs[n].run
			x.flags = append(append(slices.Clone(x.flags), strings.Fields(m.extra)...), "-D"+m.drop)
			f, err := search(t.Context(), t.TempDir(), x)
			if err != nil {
				t.Fatal(err)
			}
			if f.violated != m.breaks {
				t.Errorf("%s violates %q, want %q", x, f.violated, m.breaks)
			}
			verdict := "violates " + f.violated
			if f.violated == "" {
				verdict = "holds: not needed in this scope"
			}
			sum.add(m.of+" "+m.drop, f, verdict)
		})
	}
}

// Every rule that a model can drop has a mutant, and every mutant a rule.
func TestEveryRuleHasAMutant(t *testing.T) {
	rules := map[string]bool{}
	for _, c := range configs {
		source, err := os.ReadFile(c.run.model + ".pml")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range macro.FindAllStringSubmatch(string(source), -1) {
			rules[m[1]] = false
		}
	}
	for _, m := range mutants {
		if _, known := rules[m.drop]; !known {
			t.Errorf("no model knows %s", m.drop)
		}
		rules[m.drop] = true
	}
	for m, tested := range rules {
		if !tested {
			t.Errorf("%s has no mutant in the table", m)
		}
	}
}

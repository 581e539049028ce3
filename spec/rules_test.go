package spec_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of rules in README.md anew")

// rule is one that the protocol rests on. It has mutants, or a reason why no model
// has it; both only if the models have a part of it.
type rule struct {
	of, says string
	mutants  string // separated by spaces
	not      string
}

var rules = []rule{
	{"instance", "the session is opened before the table is listed", "M_LIST_FIRST", ""},
	{"instance", "check and count of a write are one step, which closing the partition ends", "M_CHECK_THEN_COUNT", ""},
	{"instance", "Cutover is acknowledged when what was admitted before has ended", "M_ACK_UNDRAINED", ""},
	{"instance", "applied, pending, unresolved and the journal's head are published at once, applied read first", "M_SPLIT_PUBLICATION M_APPLIED_LAST", ""},
	{"instance", "a ticket belongs to its session and ends well only if that has never lapsed", "M_NOT_BOUND", ""},
	{"instance", "a write is sent only while its session is valid", "M_NO_SEND_CHECK M_SEND_PAUSE", ""},
	{"instance", "a new session adopts the old one's open tickets", "M_NO_ADOPT", ""},
	{"instance", "its own deadline comes before the store's", "M_EARLY_EXPIRY", "that the clock counts suspension is a matter of the code"},
	{"instance", "a clean close waits for tickets and for the journal's confirmation", "M_CLOSE_DIRTY M_CLOSE_RACE M_CLOSE_UNCONFIRMED", ""},
	{"instance", "a fresh read goes by knowledge that is not older than it, and by one placement", "M_NO_READ_BARRIER M_RESOLVE_TWICE", ""},
	{"instance", "a lease on the table counts from proven progress of the watch", "M_LEASE_FROM_RENEWAL", ""},
	{"instance", "ids are assigned by the proxy while Draining, and pipelines that rewrite them make the move compare", "", "the models have one document; control and proxy test it"},
	{"instance", "index administration and by-query tasks take tickets, tasks are listed before complete", "", "a task is a ticket that ends late; that the listing finds it is tested on real clusters"},
	{"instance", "an unknown outcome has a code of its own", "", "an answer's form, not an order of steps"},
	{"barrier", "nothing completes before every session has acknowledged", "M_NO_BARRIER", ""},
	{"barrier", "nothing completes over an unknown outcome, until it can take effect no more", "M_UNRESOLVED_IGNORED M_DRAIN_SHORT", "a fence in place of the wait is set after the flip only, where it proves nothing to the barrier"},
	{"barrier", "a session that vanished stays on the roster, is waited out and accounted for", "M_NO_ROSTER M_NO_DRAIN_VANISHED M_ACCOUNT_UNMARKED M_NO_RECONCILE M_NEVER_DRAINED", ""},
	{"barrier", "complete compares the epoch that was proven", "M_NO_EPOCH", ""},
	{"barrier", "copying starts after a barrier at the begin epoch and a refresh", "M_NO_BEGIN_BARRIER M_NO_REFRESH", "replicas and checkpoints are not modelled"},
	{"barrier", "a cutover that cannot pass is left again; reopen keeps what was copied, abort nothing", "M_NO_DEADLINE M_ABORT_KEEPS_COPY", "the prediction of the pause shortens it and keeps nothing safe"},
	{"barrier", "a move whose driver died is taken over", "M_NO_TAKEOVER", ""},
	{"barrier", "a cutover that outlasts its deadline is ended by any controller, before its driver's lease runs out", "M_NO_RELIEVE", "how long that takes is for the simulation"},
	{"barrier", "the timed barrier is of one epoch, from when it took effect, by one clock", "M_STAMPED_BEFORE M_OTHER_CLOCK M_PROOF_OF_OTHER_EPOCH", ""},
	{"journal", "an id is journaled when its ticket ends, before the count goes down", "M_JOURNAL_EARLY M_COUNT_BEFORE_JOURNAL", ""},
	{"journal", "an unknown outcome's id becomes readable when its drain ends", "M_UNRESOLVED_READABLE_EARLY", ""},
	{"journal", "confirmed when written, for one move; pulled from one session", "M_CONFIRM_FIRST M_CONFIRM_ANY_MOVE M_PULL_ANY_SESSION", ""},
	{"journal", "a lost journal is made good by a comparison, after the drain, of what was there before it", "M_VANISH_IGNORED M_RECONCILE_EARLY M_LOST_IGNORED M_HEAD_AFTER_RECONCILE", ""},
	{"journal", "what is journaled when the barrier has passed is taken before the flip", "M_NO_LAST_ROUND", ""},
	{"journal", "what was taken beside the barrier counts when it is written", "M_EARLY_UNWRITTEN", ""},
	{"journal", "after the flip instances journal on, for a way back", "", "a way back is an ordinary move from B, with a copy of its own"},
	{"target", "each attempt has its own write alias, and a takeover waits for what had begun", "M_NO_ALIAS M_NO_DRAIN", ""},
	{"target", "a write of unknown outcome is drained before complete", "M_UNKNOWN_IGNORED", ""},
	{"target", "conflicts are resolved by B's sequence number, never overwritten blindly", "M_BLIND_OVERWRITE", "gc_deletes is not modelled: a tombstone only makes a mover wait"},
	{"target", "complete removes the alias first", "M_NO_SEAL", ""},
	{"target", "a change of the aliases asks for the guard that was read, in the same step", "M_UNGUARDED M_DRAIN_ALIAS_OPTIONAL", ""},
	{"target", "the lease is looked at after the aliases were read", "M_LEASE_BEFORE_LISTING", ""},
	{"target", "a turn's names are used once", "M_TURN_AGAIN", ""},
	{"target", "a target is blocked through an alias of the turn, after another look at the lease", "M_BLOCK_BY_NAME M_BLOCK_UNLEASED", "the block on A after the flip, which the entry announces, and which a rollback and a retire outlast if it was not answered, is not modelled"},
	{"target", "a seal has an alias of its own name, which whoever opens it again removes", "M_SEAL_BARE M_SEAL_NAME_AGAIN", ""},
	{"target", "a release removes every alias of the move", "M_RELEASE_ONE", ""},
	{"target", "an abort leaves nothing at B: names are not used again, a late creation is waited out", "M_AUTO_CREATE M_CREATE_FORGOTTEN M_CREATE_PAUSE", "shared indices cannot be moved"},
	{"retire", "the entry forgets the old copy before it is deleted", "M_RETIRE_WITHOUT_CAS", "that a deletion names the index's UUID is tested on real clusters"},
	{"retire", "every session has applied the flip and reads nothing at A", "M_RETIRE_UNAPPLIED M_RETIRE_OPEN_READS", "cursors are not modelled"},
}

const begins, ends = "<!-- rules: go test ./spec -run TestRules -update -->\n", "<!-- end of rules -->\n"

// The table of rules in README.md is this one, and it has every mutant.
func TestRules(t *testing.T) {
	var b strings.Builder
	b.WriteString("\n| of | rule | model: property that its mutant violates | mutants | not modelled |\n| --- | --- | --- | --- | --- |\n")
	seen := map[string]bool{}
	for _, r := range rules {
		if r.mutants == "" && r.not == "" {
			t.Errorf("%q has neither a mutant nor a reason", r.says)
		}
		var drops, where []string
		for drop := range strings.FieldsSeq(r.mutants) {
			n := slices.IndexFunc(mutants, func(m mutant) bool { return m.drop == drop })
			if n < 0 {
				t.Fatalf("%q names %s, which is no mutant", r.says, drop)
			}
			c := slices.IndexFunc(configs, func(c config) bool { return c.name == mutants[n].of })
			if c < 0 {
				t.Fatalf("%s is of %s, which is no configuration", drop, mutants[n].of)
			}
			breaks := "holds without"
			if mutants[n].breaks != "" {
				breaks = "`" + mutants[n].breaks + "`"
			}
			if w := configs[c].run.model + ": " + breaks; !slices.Contains(where, w) {
				where = append(where, w)
			}
			drops, seen[drop] = append(drops, "`"+drop+"`"), true
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.of, r.says, strings.Join(where, ", "), strings.Join(drops, ", "), r.not)
	}
	b.WriteString("\n")
	for _, m := range mutants {
		if m.drop != "REACH" && !seen[m.drop] {
			t.Errorf("%s belongs to no rule", m.drop)
		}
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begins)
	old, tail, closed := strings.Cut(rest, ends)
	if !ok || !closed {
		t.Fatal("README.md has no place for the table of rules")
	}
	if old == b.String() {
		return
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(head+begins+b.String()+ends+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("the table of rules in README.md is not that of rules_test.go: run go test ./spec -run TestRules -update")
}

// README.md names every property, every configuration and every mutant, and no other.
func TestReadmeNamesAll(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"M6_ends": true, "M6_goes_on": true, "REACHED": true}
	for _, c := range configs {
		source, err := os.ReadFile(c.run.model + ".pml")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range properties(string(source)) {
			known[p] = true
		}
		if !strings.Contains(string(text), c.name) {
			t.Errorf("README.md does not name the configuration %s", c.name)
		}
	}
	for _, m := range mutants {
		if m.drop != "REACH" {
			known[m.drop] = true
			if !strings.Contains(string(text), "\n| `"+m.drop+"` | ") {
				t.Errorf("README.md does not say what goes wrong in %s", m.drop)
			}
		}
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`(M_[A-Z_]+|[A-Z0-9]+_[a-z]\\w*|REACHED)`").FindAllStringSubmatch(string(text), -1) {
		named[m[1]] = true
		if !known[m[1]] {
			t.Errorf("README.md names %s, which no model has", m[1])
		}
	}
	for k := range known {
		if !named[k] {
			t.Errorf("README.md does not name %s", k)
		}
	}
}

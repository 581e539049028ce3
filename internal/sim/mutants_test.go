package sim_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	mutantSeeds = flag.Int("sim.mutantseeds", 600, "how many seeds a mutant may survive at most")
	withMutants = flag.Bool("sim.mutants", false, "run the mutants")
	onlyMutant  = flag.String("sim.mutant", "", "a regular expression of the mutants to run")
)

// edit replaces one text in a file of the module; it must be there exactly once.
type edit struct{ file, old, new string }

// mutants are the shipped code without one rule each. The simulation has to find
// what the rule prevents.
var mutants = []struct {
	name string
	rule string // what is left out
	edits
}{
	{"send_check", "a ticket is sent only while its session is valid", edits{
		{"gate/ticket.go", "	if !t.sess.Valid() {\n		return ErrFenced\n	}\n", ""}}},
	{"late_acknowledgement", "whoever is fenced out acknowledges nothing", edits{
		{"gate/ticket.go", "	if !valid {\n", "	if !valid && false {\n"}}},
	{"acknowledged_before_drained", "what is still in flight is published as pending", edits{
		{"gate/run.go", "	r.Pending = g.rep.pending()\n", ""}}},
	{"unresolved_ignored", "a write of unknown outcome is published as unresolved", edits{
		{"gate/run.go", "	r.Unresolved = g.flight.unresolvedPartitions()\n", ""}}},
	{"unresolved_not_read_again", "an unresolved write's id is in the journal when its drain ends", edits{
		{"gate/ticket.go", "		t.journal() // before it leaves unresolved, for the same reason\n", ""}}},
	{"session_after_list", "the session is opened before the table is read", edits{
		{"gate/run.go", "	sess, err := g.store.OpenSession(", "	if err := g.catchUp(ctx); err != nil {\n		return nil, err\n	}\n	sess, err := g.store.OpenSession("},
		{"gate/run.go", "	if err := g.catchUp(ctx); err != nil {\n		bound, cancel", "	if err := error(nil); err != nil {\n		bound, cancel"}}},
	{"write_in_cutover", "nothing is admitted in Cutover", edits{
		{"gate/ticket.go", "case v.entry.State.Phase == placement.Cutover:", "case v.entry.State.Phase == placement.Cutover && false:"}}},
	{"journal_before_outcome", "an id becomes readable when its ticket ends, not before", edits{
		{"gate/ticket.go", "		return ErrFenced\n	}\n	return nil\n", "		return ErrFenced\n	}\n	t.journal()\n	return nil\n"},
		{"gate/ticket.go", "	t.journal()\n	t.end()\n	if !valid", "	t.end()\n	if !valid"}}},
	{"barrier_shared_too_late", "a request waits for a read of the table that began after it arrived", edits{
		{"gate/barrier.go", "		b.waiting = b.waiting[1:]\n", ""},
		{"gate/barrier.go", "		cancel()\n		close(read.done)\n", "		cancel()\n		b.mu.Lock()\n		b.waiting = b.waiting[1:]\n		b.mu.Unlock()\n		close(read.done)\n"}}},
	{"journal_overflow_untold", "a journal that has given up says so", edits{
		{"gate/journal.go", "		j.lostAt = j.seq\n		lost = true\n	}\n	return lost\n", "	}\n	return lost\n"}}},
	{"deadline_from_the_answer", "a session's deadline counts from before the renewal was sent, less a margin", edits{
		{"store/session.go", "	x.deadline.Store(int64(sent + x.ttl - x.margin))\n	return nil\n}\n\n// Publish", "	x.deadline.Store(int64(max(sent, x.now()) + x.ttl + x.margin))\n	return nil\n}\n\n// Publish"}}},
	{"stale_epoch", "a transition is decided on the very epoch that it changes", edits{
		{"placement/step.go", "cmd.Expect != 0 && cmd.Expect != e.Epoch", "cmd.Expect != 0 && cmd.Expect > e.Epoch"}}},
	{"no_barrier_at_begin", "copying starts when every session has applied the begin", edits{
		{"control/migrate.go", "_, err := d.c.barrier.Wait(bound, m.Partition, m.BeginEpoch, accounted)", "_, _, err := bound, accounted, error(nil)"}}},
	{"vanished_not_waited_for", "a vanished proxy's writes are waited out", edits{
		{"control/migrate.go", "d.c.absent.absent(p.ID) >= d.move().Options.DrainBarrier", "d.c.absent.absent(p.ID) >= 0"}}},
	{"vanished_not_reconciled", "what a vanished proxy had journaled is found by comparing", edits{
		{"control/journals.go", "		if _, err := d.mv.Resync(ctx); err != nil {", "		if err := error(nil); err != nil {"}}},
	{"vanished_forgotten", "a proxy that vanished is known by the roster", edits{
		{"control/fleet.go", "	for id, r := range f.roster {\n		if r.Value.Kind", "	for id, r := range f.roster {\n		if true || r.Value.Kind"}}},
	{"no_last_round", "what was journaled when the barrier passed is taken before the flip", edits{
		{"control/cutover.go", "		last, err := d.lastRound(gctx, clear)\n", "		last, err := []gate.DocRef(nil), error(nil)\n"}}},
	{"no_barrier_at_cutover", "the flip waits for every session's acknowledgement", edits{
		{"control/fleetbarrier.go", "		case r.Applied < w.epoch:\n			reason = \"applying\"\n		case slices.Contains(r.Pending, w.id):\n			reason = \"pending\"\n", "		case slices.Contains(r.Pending, w.id) && false:\n"}}},
	{"confirmed_before_copied", "a journal is confirmed when what it held is at the target", edits{
		{"control/journals.go", "		if err := d.absorb(ctx, h); err != nil {\n			return nil, err\n		}\n		if err := d.confirm(ctx, proxies, h); err != nil {\n			return nil, err\n		}\n", "		if err := d.confirm(ctx, proxies, h); err != nil {\n			return nil, err\n		}\n		if err := d.absorb(ctx, h); err != nil {\n			return nil, err\n		}\n"}}},
	{"stale_mover", "a takeover removes the write aliases and waits for what was sent through them", edits{
		{"mover/alias.go", "	if drain {\n		m.unsettled.Store(true)\n", "	if drain && false {\n		m.unsettled.Store(true)\n"}}},
	{"unknown_bulk_not_drained", "a bulk of unknown outcome is drained before its documents are written again", edits{
		{"mover/bulk.go", "			if err := m.settleSoon(ctx, turn); err != nil {", "			if err := error(nil); err != nil && turn > 0 {"},
		{"mover/bulk.go", "		if lost {\n			m.unsettled.Store(true)\n		}\n		return turn, nil, lost,", "		return turn, nil, lost,"}}},
}

type edits []edit

// TestMutants checks that the simulation is able to see: each mutant must be
// found out. A text that is not there any more fails it, too.
func TestMutants(t *testing.T) {
	if !*withMutants {
		t.Skip("compiles the program once for each mutant; make mutants does it")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	only := regexp.MustCompile(*onlyMutant)
	type verdict struct {
		found string
		took  time.Duration
	}
	found := make([]verdict, len(mutants))
	var wg sync.WaitGroup
	slots := make(chan struct{}, cores)
	for i, m := range mutants {
		if !only.MatchString(m.name) {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			began := time.Now()
			said, err := runMutant(t.TempDir(), root, m.edits)
			if err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
			found[i] = verdict{said, time.Since(began)}
		})
	}
	wg.Wait()
	for i, m := range mutants {
		switch {
		case !only.MatchString(m.name):
		case found[i].found == "":
			t.Errorf("without the rule that %s, %d seeds find nothing (mutant %s)", m.rule, *mutantSeeds, m.name)
		default:
			t.Logf("%-28s %5.1fs  %s", m.name, found[i].took.Seconds(), found[i].found)
		}
	}
}

// runMutant compiles this package's tests with the edits and runs seeds until
// one fails. It returns what was found, empty if nothing was.
func runMutant(dir, root string, es edits) (string, error) {
	text := map[string]string{}
	for _, e := range es {
		path := filepath.Join(root, e.file)
		s, ok := text[path]
		if !ok {
			b, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			s = string(b)
		}
		if n := strings.Count(s, e.old); n != 1 {
			return "", fmt.Errorf("%s has the text to replace %d times, not once:\n%s", e.file, n, e.old)
		}
		text[path] = strings.Replace(s, e.old, e.new, 1)
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, s := range text {
		to := filepath.Join(dir, fmt.Sprintf("%d.go", len(overlay.Replace)))
		if err := os.WriteFile(to, []byte(s), 0o600); err != nil {
			return "", err
		}
		overlay.Replace[path] = to
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	config, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutant.test")
	if err := os.WriteFile(config, b, 0o600); err != nil {
		return "", err
	}
	build := exec.Command("go", "test", "-c", "-overlay", config, "-o", program, "./internal/sim")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	run := exec.Command(program, "-test.run=^TestSeeds$", "-test.timeout=10m", fmt.Sprintf("-sim.seeds=%d", *mutantSeeds), "-sim.stop", "-sim.noshrink")
	run.Dir = dir
	out, err := run.CombinedOutput()
	if err == nil {
		return "", nil
	}
	if m := regexp.MustCompile(`(?m)^.*seed \d+: .*$`).Find(out); m != nil {
		return strings.TrimSpace(string(m[:min(len(m), 300)])), nil
	}
	return "", fmt.Errorf("it failed without a finding: %w\n%s", err, out[max(0, len(out)-3000):])
}

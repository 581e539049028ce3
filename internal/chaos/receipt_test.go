package chaos_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/chaos"
	"github.com/sluiceproxy/sluice/internal/history"
)

// The plan of a seed is always the same, and each round has every fault once.
func TestLanesFollowTheSeed(t *testing.T) {
	all := len(chaos.Kinds()) - 1 // clients leave by themselves
	one, again, other := chaos.Plan(1, 2*all), chaos.Plan(1, 2*all), chaos.Plan(2, 2*all)
	if !slices.Equal(one, again) || slices.Equal(one, other) {
		t.Errorf("seed 1: %q and %q; seed 2: %q", one, again, other)
	}
	for _, round := range [][]string{one[:all], one[all:]} {
		slices.Sort(round)
		want := slices.DeleteFunc(chaos.Kinds(), func(k string) bool { return k == chaos.ClientLeaves })
		slices.Sort(want)
		if !slices.Equal(round, want) {
			t.Errorf("a round is %q, want %q", round, want)
		}
	}
}

// A history that no order explains, too few moves and faults that did not happen each fail a run.
func TestJudgeFindsFault(t *testing.T) {
	var out bytes.Buffer
	r := chaos.NewJudge(&out)
	re := &chaos.Receipt{}
	op := func(verb, value string, at int) history.Op {
		return history.Op{Verb: verb, Doc: "d", Value: value, Call: time.Duration(at), Return: time.Duration(at + 1), Outcome: history.OK}
	}
	r.History(re, "acme", []history.Op{op(history.Put, "a", 1), op(history.Get, "a", 3)})
	if got := r.Complaints(); len(got) != 0 {
		t.Fatalf("%q", got)
	}
	r.History(re, "acme", []history.Op{op(history.Put, "a", 1), op(history.Get, "", 3)})
	got := r.Complaints()
	if len(got) != 1 || !strings.Contains(got[0], "acme: the history of d") || re.Judged.Operations != 4 {
		t.Errorf("%q %+v", got, re.Judged)
	}
	if none := r.Missing(); len(none) != len(chaos.Kinds()) {
		t.Errorf("nothing happened, and missing are %q", none)
	}
	for _, k := range chaos.Kinds() {
		r.Injected(k)
	}
	if none := r.Missing(); len(none) != 0 {
		t.Errorf("all happened, and missing are %q", none)
	}
}

// Whoever reads a receipt finds each kind of fault, what became of the moves, and what the verdict rests on.
func TestAReceiptSaysAll(t *testing.T) {
	re := &chaos.Receipt{Seed: 7, Faults: map[string]int{}, Longest: 2 * time.Second, Anomalies: []string{"one", "two"},
		Moves: chaos.Moves{Finished: 11, Aborted: 12, GaveUp: 13, Reasons: []string{"why"}, Longest: 3 * time.Second}}
	re.Judged.Operations, re.Judged.Documents = 1234, 56
	want := []string{"seed 7:", "at their target 11, aborted as asked 12, gave up 13", "gave up: why",
		"longest hold 2s as told to a client, 3s as the moves' receipts have it", "judged: 1234 operations on 56 documents",
		"anomalies: 2", "  one", "  two"}
	for i, k := range chaos.Kinds() {
		re.Faults[k] = 1000 + i
		want = append(want, fmt.Sprintf("  %-28s %6d", k, 1000+i))
	}
	var out bytes.Buffer
	if err := re.Write(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for _, w := range want {
		if !slices.ContainsFunc(lines, func(l string) bool {
			return strings.HasPrefix(strings.TrimPrefix(l, "  "), strings.TrimPrefix(w, "  "))
		}) {
			t.Errorf("no line %q in\n%s", w, out.String())
		}
	}
}

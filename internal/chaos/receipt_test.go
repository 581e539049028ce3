package chaos_test

import (
	"bytes"
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

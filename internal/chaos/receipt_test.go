package chaos

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/history"
)

// The plan of a seed is always the same, and each round has every fault once.
func TestLanesFollowTheSeed(t *testing.T) {
	plan := func(seed uint64, n int) []string {
		w := &world{}
		l := &lane{faults: append(w.processFaults(), w.networkFaults()...), random: rand.New(rand.NewPCG(seed, 0))}
		var kinds []string
		for range n {
			kinds = append(kinds, l.next().kind)
		}
		return kinds
	}
	all := len(Kinds()) - 1 // clients leave by themselves
	one, again, other := plan(1, 2*all), plan(1, 2*all), plan(2, 2*all)
	if !slices.Equal(one, again) || slices.Equal(one, other) {
		t.Errorf("seed 1: %q and %q; seed 2: %q", one, again, other)
	}
	for _, round := range [][]string{one[:all], one[all:]} {
		slices.Sort(round)
		want := slices.DeleteFunc(Kinds(), func(k string) bool { return k == clientLeaves })
		slices.Sort(want)
		if !slices.Equal(round, want) {
			t.Errorf("a round is %q, want %q", round, want)
		}
	}
}

// A history that no order explains, too few moves and faults that did not happen each fail a run.
func TestJudgeFindsFault(t *testing.T) {
	var out bytes.Buffer
	r := &run{world: &world{out: &out, began: time.Now(), faults: map[string]int{}}}
	re := &Receipt{}
	op := func(verb, value string, at int) history.Op {
		return history.Op{Verb: verb, Doc: "d", Value: value, Call: time.Duration(at), Return: time.Duration(at + 1), Outcome: history.OK}
	}
	r.judgeHistory(re, "acme", []history.Op{op(history.Put, "a", 1), op(history.Get, "a", 3)})
	if got := r.complaints(); len(got) != 0 {
		t.Fatalf("%q", got)
	}
	r.judgeHistory(re, "acme", []history.Op{op(history.Put, "a", 1), op(history.Get, "", 3)})
	got := r.complaints()
	if len(got) != 1 || !strings.Contains(got[0], "acme: the history of d") || re.Judged.Operations != 4 {
		t.Errorf("%q %+v", got, re.Judged)
	}
	if none := r.missing(); len(none) != len(Kinds()) {
		t.Errorf("nothing happened, and missing are %q", none)
	}
	for _, k := range Kinds() {
		r.injected(k)
	}
	if none := r.missing(); len(none) != 0 {
		t.Errorf("all happened, and missing are %q", none)
	}
}

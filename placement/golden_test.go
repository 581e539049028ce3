package placement_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// A scenario file is a list of blocks: comments, commands, ---- and what the
// last command answers, up to an empty line. All of them run on one table;
// "given STATE" starts over with a partition "acme" in that state. After a
// refusal the runner itself checks that the table is what it was.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runScenario(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s: (-want +got), go test -run TestScenarios -update rewrites it\n%s", file, d)
			}
		})
	}
}

func runScenario(t *testing.T, text string) string {
	t.Helper()
	table := placement.NewTable()
	var out strings.Builder
	for block := range strings.SplitSeq(text, "\n\n") {
		head, _, _ := strings.Cut(block, "----")
		if strings.TrimSpace(head) == "" {
			continue
		}
		answer := ""
		for line := range strings.SplitSeq(strings.TrimSpace(head), "\n") {
			out.WriteString(line + "\n")
			if state, ok := strings.CutPrefix(line, "given "); ok {
				table = given(t, state)
			} else if !strings.HasPrefix(line, "#") {
				answer = runCommand(t, table, line)
			}
		}
		if answer != "" {
			out.WriteString("----\n" + answer + "\n")
		}
		out.WriteString("\n")
	}
	return out.String()
}

// given returns a table in which acme is in the named state, at the epoch that
// is also the number of changes made.
func given(t *testing.T, state string) *placement.PlacementTable {
	t.Helper()
	const begin, cutover = "begin acme dedicated_index:west/acme-2=docs move=m1", "cutover acme boot=b1 since=5s"
	states := map[string][]string{
		"unknown": nil, "active": {}, "draining": {begin}, "cutover": {begin, cutover}, "moved": {begin, cutover, "complete acme"},
	}
	steps, ok := states[state]
	table := placement.NewTable()
	if !ok {
		t.Fatalf("given %q: no such state", state)
	}
	if steps == nil {
		return table
	}
	if err := table.Set("acme", parsePlacement("dedicated_index:east/acme-1=docs")); err != nil {
		t.Fatal(err)
	}
	for _, line := range steps {
		if _, err := table.Apply("acme", parseCommand(t, line)); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func runCommand(t *testing.T, table *placement.PlacementTable, line string) string {
	t.Helper()
	words := strings.Fields(line)
	if len(words) < 2 {
		t.Fatalf("command %q: wants a verb and a partition", line)
	}
	id := placement.PartitionID(words[1])
	before, epoch := entries(table), table.Epoch()
	var e placement.Entry
	var err error
	switch words[0] {
	case "set":
		if err = table.Set(id, parsePlacement(words[2])); err == nil {
			e, err = table.State(id)
		}
	case "show":
		e, err = table.State(id)
	case "admit":
		n, perr := strconv.ParseUint(words[2], 10, 64)
		if perr != nil {
			t.Fatalf("command %q: %v", line, perr)
		}
		if err = table.AdmitWrite(id, placement.Epoch(n)); err == nil {
			return "admitted"
		}
	default:
		e, err = table.Apply(id, parseCommand(t, line))
	}
	if err == nil {
		return show(e)
	}
	if d := cmp.Diff(before, entries(table)); d != "" || table.Epoch() != epoch {
		t.Errorf("%s: refused (%v), and yet the table changed from epoch %d to %d:\n%s", line, err, epoch, table.Epoch(), d)
	}
	var r *placement.Refusal
	var bad *placement.InvalidError
	switch {
	case errors.As(err, &r):
		if r.Partition != id {
			t.Errorf("%s: the refusal names partition %q", line, r.Partition)
		}
		return fmt.Sprintf("refused %s\n%v", r.Code, err)
	case errors.As(err, &bad):
		return fmt.Sprintf("invalid %s\n%v", bad.Field, err)
	}
	t.Errorf("%s: neither a *Refusal nor an *InvalidError: %v", line, err)
	return err.Error()
}

func parseCommand(t *testing.T, line string) placement.Command {
	t.Helper()
	words := strings.Fields(line)
	ops := map[string]placement.Op{"cutover": placement.OpCutover}
	c := placement.Command{Op: placement.Op(words[0])}
	if op, ok := ops[words[0]]; ok {
		c.Op = op
	}
	for _, w := range words[2:] {
		k, v, ok := strings.Cut(w, "=")
		var err error
		var n uint64
		switch {
		case strings.Contains(w, ":"):
			c.To, ok = parsePlacement(w), true
		case k == "expect":
			n, err = strconv.ParseUint(v, 10, 64)
			c.Expect = placement.Epoch(n)
		case k == "move":
			c.Attempt.Move = v
		case k == "attempt":
			n, err = strconv.ParseUint(v, 10, 32)
			c.Attempt.Number = uint32(n)
		case k == "back":
			c.Back = v
		case k == "boot":
			c.Start.Boot = v
		case k == "since":
			c.Start.Since, err = time.ParseDuration(v)
		default:
			ok = false
		}
		if err != nil || !ok {
			t.Fatalf("command %q: cannot read %q: %v", line, w, err)
		}
	}
	return c
}

// parsePlacement reads kind:cluster[/index[=logical]]; the partition field of a
// shared index is tenant.
func parsePlacement(s string) placement.Placement {
	kind, rest, _ := strings.Cut(s, ":")
	cluster, index, _ := strings.Cut(rest, "/")
	index, logical, _ := strings.Cut(index, "=")
	p := placement.Placement{Kind: placement.Kind(kind), Cluster: cluster, Index: index, Logical: logical}
	if p.Kind == placement.SharedIndex {
		p.PartitionField = "tenant"
	}
	return p
}

func show(e placement.Entry) string {
	s := fmt.Sprintf("%s\nepoch=%d incarnation=%d", e.State, e.Epoch, e.Incarnation)
	if e.Attempt != (placement.Attempt{}) {
		s += fmt.Sprintf(" move=%s attempt=%d", e.Attempt.Move, e.Attempt.Number)
	}
	if e.CutoverAt != (placement.Start{}) {
		s += fmt.Sprintf(" boot=%s since=%s", e.CutoverAt.Boot, e.CutoverAt.Since)
	}
	if !e.Previous.IsZero() {
		s += fmt.Sprintf("\nprevious=%s by %s, fenced by %s", e.Previous, e.PreviousMove, e.Fenced)
	}
	return s
}

func entries(table *placement.PlacementTable) map[placement.PartitionID]placement.Entry {
	m := map[placement.PartitionID]placement.Entry{}
	for e := range table.Snapshot().All() {
		m[e.Partition] = e
	}
	return m
}

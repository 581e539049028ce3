package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/control/checkup"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

func TestDoctorOfTheTable(t *testing.T) {
	t.Parallel()
	c, s := newCLI(t)
	if out := c.ok("doctor"); !strings.Contains(out, "nothing is wrong") {
		t.Errorf("of an empty table: %s", out)
	}
	for _, tt := range []struct{ args, says string }{
		{"doctor --yes", "--yes: there is nothing to agree to without --fix"},
		{"doctor --only flip", `--only: "flip" is no code of a finding`},
		{"doctor stoer", `unknown command "stoer"`},
	} {
		if r := c.run(strings.Fields(tt.args)...); r.code != exitUsage || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("sluice %s: %+v", tt.args, r)
		}
	}
	// A label and a record that is no move, of each of which one kind is repaired only by
	// naming it.
	if _, err := control.TenantLabels(s).Put(t.Context(), "gh ost", control.Labels{"a": "b"}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := store.RecordsOf[[]int](s, store.SpaceMoves).Put(t.Context(), "m1", []int{7}, 0); err != nil {
		t.Fatal(err)
	}
	r := c.run("doctor")
	for _, want := range []string{"error    move_corrupt  move m1", "warning  label_without_tenant  tenant gh ost", "harm   No controller takes up any move",
		"(sluice doctor --fix --only move_corrupt:m1 --yes)", "(sluice doctor --fix --yes)"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in:\n%s", want, r.stdout)
		}
	}
	if r.code != exitBroken || !strings.Contains(r.stderr, "1 errors, 1 warnings") {
		t.Errorf("%+v", r)
	}
	if r := c.run("doctor", "--fix"); r.code != exitBroken || strings.Count(r.stdout, "Would be repaired") != 1 || strings.Contains(r.stdout, "repaired label") {
		t.Errorf("the dry run: %+v", r)
	}
	if r := c.run("doctor", "--fix", "--yes"); r.code != exitBroken || !strings.Contains(r.stdout, "repaired label_without_tenant of tenant gh ost: removed") || !strings.Contains(r.stdout, "move_corrupt") {
		t.Errorf("the repair: %+v", r)
	}
	out := c.ok("doctor", "--fix", "--only", "move_corrupt:m1", "--yes", "-o", "json")
	var v struct {
		Findings []checkup.Finding `json:"findings"`
		Repaired []checkup.Done    `json:"repaired"`
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || len(v.Findings) != 0 || len(v.Repaired) != 1 || v.Repaired[0].Result != `removed; it held "[7]"` {
		t.Errorf("%v: %s", err, out)
	}
	c.ok("cluster", "add", "a", "http://127.0.0.1:1", "--no-check")
	if _, err := s.Register(t.Context(), placement.PartitionID("acme"), placement.Placement{Kind: placement.DedicatedCluster, Cluster: "a"}); err != nil {
		t.Fatal(err)
	}
	if r := c.run("doctor"); r.code != exitWeak || !strings.Contains(r.stdout, "cluster_unreachable") {
		t.Errorf("%+v", r)
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{"a/b-1:c_d": "a/b-1:c_d", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "a b": "'a b'"} {
		if got := shellWord(in); got != want {
			t.Errorf("%q becomes %s, want %s", in, got, want)
		}
	}
}

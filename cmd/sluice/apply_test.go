package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/internal/fleetfile"
	"github.com/sluiceproxy/sluice/placement"
)

// fleetOf writes a file and returns its name.
func fleetOf(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fleet.yaml")
	if err := os.WriteFile(name, []byte("version: 1\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// says fails unless a text has some words, in any order.
func says(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in\n%s", w, text)
		}
	}
}

// A file is applied, and applied again: what is done is not done twice, and what is under
// way is not asked for again. No controller runs, so nothing moves meanwhile.
func TestApply(t *testing.T) {
	t.Parallel()
	c, s := newMoveCLI(t)
	file := fleetOf(t, `
clusters: [{name: d, endpoints: ["http://127.0.0.1:1"]}]
tenants:
  - {name: acme, cluster: a, labels: {tier: gold}}
  - {name: initech, cluster: d, index: initech-docs, as: docs, labels: {tier: free}}
`)
	r := c.run("apply", "-f", file, "--dry-run")
	if r.code != exitPending || !strings.Contains(r.stderr, "3 changes are to be made; nothing was changed") {
		t.Errorf("dry run: %+v", r)
	}
	says(t, r.stdout, "+  cluster  d", "+  tenant   initech  dedicated_index:d/initech-docs as docs +tier=free", "~  labels   acme     +tier=gold", file+":5", "2 to add, 1 to change; 0 under way, 0 as declared")
	if r := c.run("apply", "-f", file); r.code != exitUsage || !strings.Contains(r.stderr, "nobody can be asked") {
		t.Errorf("without a terminal: %+v", r)
	}
	if r := c.run("apply", "-f", file, "--yes"); r.code != exitUnavailable || !strings.Contains(r.stderr, "cluster d does not answer") {
		t.Errorf("a cluster that does not answer: %+v", r)
	}
	if r := c.run("tenant", "show", "initech"); r.code != exitRefused {
		t.Errorf("something was changed: %+v", r)
	}
	says(t, c.ok("apply", "-f", file, "--yes", "--no-check"), "cluster d added", "tenant initech added", "labels acme changed")
	says(t, c.ok("tenant", "list"), "dedicated_index:d/initech-docs", "tier=free", "tier=gold")
	for _, how := range []string{"--dry-run", "--yes"} {
		says(t, c.ok("apply", "-f", file, how), "nothing to change; 0 under way, 3 as declared")
	}

	// One move, with options of the file and of the flags.
	file = fleetOf(t, "move: {pause_budget: 100ms, keep: true}\ntenants: [{name: acme, cluster: b}]\n")
	says(t, c.ok("apply", "-f", file, "--yes", "--move", "cutover_deadline=5s"), "1 to move", "move acme requested to dedicated_index:b/docs-m")
	var moves []control.Move
	if err := json.Unmarshal([]byte(c.ok("moves", "list", "-o", "json")), &moves); err != nil || len(moves) != 1 {
		t.Fatalf("%+v, %v", moves, err)
	}
	if o := moves[0].Options; o.PauseBudget.String() != "100ms" || o.CutoverDeadline.String() != "5s" || !o.Keep {
		t.Errorf("options: %+v", o)
	}
	says(t, c.ok("apply", "-f", file, "--yes"), "tenant acme is moving to "+moves[0].To.String()+" by move "+moves[0].ID, "nothing to change; 1 under way")
	r = c.run("apply", "-f", fleetOf(t, "tenants: [{name: acme, cluster: d}, {name: initech, cluster: d, labels: {}}]"), "--yes")
	if r.code != exitRefused || !strings.Contains(r.stderr, `tenant "acme" is on its way to`) || !strings.Contains(r.stderr, "`sluice moves abort "+moves[0].ID+"`") || !strings.Contains(r.stderr, "nothing was changed") {
		t.Errorf("it moves elsewhere: %+v", r)
	}
	says(t, c.ok("tenant", "show", "initech"), "tier=free")
	if err := json.Unmarshal([]byte(c.ok("moves", "list", "-o", "json")), &moves); err != nil || len(moves) != 1 {
		t.Errorf("%d moves, %v", len(moves), err)
	}

	// Several moves are a wave.
	c.ok("tenant", "add", "hooli", "--cluster", "a", "--index", "hooli")
	file = fleetOf(t, "tenants: [{name: initech, cluster: b, index: init}, {name: hooli, cluster: b}]\n")
	var plan fleetfile.Plan
	if err := json.Unmarshal([]byte(c.ok("apply", "-f", file, "--yes", "-o", "json", "--at-once", "1", "--window", "22:00-06:00")), &plan); err != nil || len(plan.Changes) != 2 {
		t.Fatalf("%+v, %v", plan, err)
	}
	st, err := control.ReadWave(t.Context(), s, plan.Changes[0].Wave)
	if err != nil || len(st.Items) != 2 || st.Items[0].Index != "init" || st.Wave.Limits.AtOnce != 1 || len(st.Wave.Windows) != 1 || plan.Changes[1].Wave != st.Wave.ID {
		t.Errorf("%+v, %v", st, err)
	}
	says(t, c.ok("apply", "-f", file, "--yes"), "tenant hooli waits to move to dedicated_index:b in wave "+st.Wave.ID+" (running)", "nothing to change; 2 under way")
	c.ok("wave", "abort", st.Wave.ID)
	if r := c.run("apply", "-f", file, "--dry-run"); r.code != exitOK {
		t.Errorf("while the wave is aborted: %+v", r)
	}

	// What is printed of the fleet differs from it in nothing.
	text := c.ok("apply", "export")
	says(t, text, "version: 1", "name: acme", "cluster: b", "index: docs-m", "tier: gold")
	var out, errs bytes.Buffer
	root := newRoot()
	root.SetArgs(append([]string{"apply", "-f", "-", "--dry-run"}, c.flags...))
	root.SetIn(strings.NewReader(text))
	root.SetOut(&out)
	root.SetErr(&errs)
	if err := root.ExecuteContext(t.Context()); err != nil || !strings.Contains(out.String(), "nothing to change; 3 under way, 3 as declared") {
		t.Errorf("%v\n%s%s\n%s", err, &out, &errs, text)
	}
	if text := c.ok("apply", "export", "--cluster", "d"); strings.Contains(text, "acme") || !strings.Contains(text, "name: d") {
		t.Error(text)
	}
	if text := c.ok("apply", "export", "--selector", "tier=free"); !strings.Contains(text, "initech") || strings.Contains(text, "acme") {
		t.Error(text)
	}
	if schema := (cli{t: t}).ok("apply", "schema"); !json.Valid([]byte(schema)) {
		t.Error(schema)
	}
}

// Tenants that no file has are removed when that is asked for, and only among those that
// have the label.
func TestApplyPrunes(t *testing.T) {
	t.Parallel()
	c, _ := newMoveCLI(t)
	c.ok("tenant", "label", "acme", "tier=free")
	for _, id := range []string{"x", "y", "z"} {
		c.ok("tenant", "add", id, "--cluster", "a", "--index", id)
	}
	c.ok("tenant", "label", "x", "tier=free")
	c.ok("tenant", "label", "y", "tier=gold")
	dir := filepath.Dir(fleetOf(t, "tenants: [{name: acme, cluster: a}]"))
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no YAML {"), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, c.ok("apply", "-f", dir, "--dry-run"), "nothing to change; 0 under way, 1 as declared")
	if r := c.run("apply", "-f", fleetOf(t, "tenants: []"), "--prune", "--selector", "tier=free", "--yes"); r.code != exitUsage || !strings.Contains(r.stderr, "would remove every tenant") {
		t.Errorf("a file without tenants: %+v", r)
	}
	says(t, c.ok("apply", "-f", dir, "--prune", "--selector", "tier=free", "--yes"), "-  tenant  x     dedicated_index:a/x, whose data stays", "1 to remove", "tenant x removed; its data is not touched")
	if out := c.ok("tenant", "list"); strings.Contains(out, "a/x ") || !strings.Contains(out, "a/y") || !strings.Contains(out, "a/z") {
		t.Error(out)
	}
	if r := c.run("apply", "-f", t.TempDir(), "--dry-run"); r.code != exitUsage || !strings.Contains(r.stderr, "has no file that ends in .yaml") {
		t.Errorf("an empty folder: %+v", r)
	}
}

// Who is stopped in the middle goes on by applying the same again.
func TestApplyGoesOn(t *testing.T) {
	t.Parallel()
	c, s := newMoveCLI(t)
	c.ok("tenant", "add", "other", "--cluster", "b", "--index", "taken")
	file := fleetOf(t, "tenants: [{name: first, cluster: a, index: first}, {name: second, cluster: b, index: taken}, {name: acme, cluster: b}]")
	r := c.run("apply", "-f", file, "--yes")
	if r.code != exitRefused || !strings.Contains(r.stderr, `tenant "second": the place is taken`) || !strings.Contains(r.stderr, "1 of 3 changes were made before that, and applying the same again makes the rest") {
		t.Errorf("%+v", r)
	}
	c.ok("tenant", "remove", "other")
	says(t, c.ok("apply", "-f", file, "--yes"), "tenant second added", "move acme requested", "1 to add, 1 to move; 0 under way, 1 as declared")

	// What has changed since it was compared is refused, before anything is done.
	d := &fleetfile.Declared{}
	if err := d.Add("f.yaml", []byte("version: 1\ntenants: [{name: third, cluster: a, index: third}, {name: first, cluster: b}]")); err != nil {
		t.Fatal(err)
	}
	command := newRoot()
	command.SetContext(t.Context())
	f, err := serveFleet(command, &openedStore{Store: s, cfg: &config.Config{}, close: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	p, err := presentFleet(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := fleetfile.Diff(p, d, fleetfile.Options{})
	if err != nil || len(plan.Changes) != 2 {
		t.Fatal(plan, err)
	}
	for _, op := range []placement.Command{{Op: placement.OpBegin, Attempt: placement.Attempt{Move: "m1"}, To: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "x", Logical: "first"}}, {Op: placement.OpAbort}} {
		if _, err := s.Apply(t.Context(), "first", op); err != nil {
			t.Fatal(err)
		}
	}
	a := &applying{f: f, flags: &applyFlags{}, plan: &plan, c: command}
	if err := a.all(t.Context()); exitCode(err) != exitRefused || !strings.Contains(err.Error(), `tenant "first" has changed (epoch `) || !strings.Contains(err.Error(), "since it was compared; apply again to see the new difference") {
		t.Errorf("another epoch: %v", err)
	}
	if r := c.run("tenant", "show", "third"); r.code != exitRefused {
		t.Errorf("it was added all the same: %+v", r)
	}
}

func TestAsk(t *testing.T) {
	for answer, want := range map[string]int{"y\n": exitOK, "YES\n": exitOK, "n\n": exitRefused, "\n": exitRefused, "": exitRefused, "yesterday\n": exitRefused} {
		var out bytes.Buffer
		if err := ask(t.Context(), strings.NewReader(answer), &out, "Change it?"); exitCode(err) != want || !strings.Contains(out.String(), "Change it? [y/N] ") {
			t.Errorf("%q: %v, %q", answer, err, &out)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := ask(ctx, in, &bytes.Buffer{}, ""); exitCode(err) != exitInterrupted {
		t.Errorf("interrupted: %v", err)
	}
	end.Close() // so that whoever reads ends
	in.Close()
}

package fleetfile_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/fleetfile"
	"github.com/sluiceproxy/sluice/placement"
)

func own(cluster, index, as string) placement.Placement {
	return placement.Placement{Kind: placement.DedicatedIndex, Cluster: cluster, Index: index, Logical: as}
}

func shared(cluster, index, as string) placement.Placement {
	return placement.Placement{Kind: placement.SharedIndex, Cluster: cluster, Index: index, Logical: as, PartitionField: "tenant"}
}

func alone(cluster string) placement.Placement {
	return placement.Placement{Kind: placement.DedicatedCluster, Cluster: cluster}
}

// present is a fleet with three clusters and a tenant of each kind.
func present() fleetfile.Present {
	view := func(id string, epoch placement.Epoch, p placement.Placement, l control.Labels) control.TenantView {
		return control.TenantView{Tenant: placement.PartitionID(id), Phase: "active", Placement: p, Epoch: epoch, Labels: l}
	}
	p := fleetfile.Present{Waves: map[string]control.WaveState{}}
	for _, name := range []string{"a", "b", "c"} {
		p.Clusters = append(p.Clusters, placement.Cluster{Name: name, Endpoints: []string{"http://" + name}})
	}
	p.Tenants = []control.TenantView{
		view("acme", 1, own("a", "acme-docs", "docs"), control.Labels{"tier": "gold", "region": "eu"}),
		view("hooli", 2, alone("c"), nil),
		view("tiny", 3, shared("a", "pool", "docs"), control.Labels{"tier": "free"}),
		view("umbrella", 4, own("a", "umbrella-*", "*"), nil),
	}
	return p
}

// brief is a plan in a line for each thing that it says.
func brief(p fleetfile.Plan) string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s", c.Action, c.Name)
		if c.From != nil {
			fmt.Fprintf(&b, " from %s", c.From)
		}
		if c.To != nil {
			fmt.Fprintf(&b, " to %s as %q", c.To, c.To.Logical)
		}
		for _, l := range c.Set.Sorted() {
			fmt.Fprintf(&b, " +%s", l)
		}
		for _, l := range c.Remove {
			fmt.Fprintf(&b, " -%s", l)
		}
		if len(c.Fields) > 0 {
			fmt.Fprintf(&b, " %v", c.Fields)
		}
		if c.Epoch > 0 {
			fmt.Fprintf(&b, " @%d", c.Epoch)
		}
		b.WriteString("\n")
	}
	for _, u := range p.UnderWay {
		fmt.Fprintf(&b, "under way: %s %s\n", u.Tenant, u.Text)
	}
	for _, c := range p.Conflicts {
		fmt.Fprintf(&b, "conflict: %s\n", c)
	}
	fmt.Fprintf(&b, "%d as they are\n", p.Same)
	return b.String()
}

func TestDiff(t *testing.T) {
	moving := func(stage control.Stage, to placement.Placement, change func(*control.Move)) func(*fleetfile.Present) {
		return func(p *fleetfile.Present) {
			m := control.Move{ID: "m1", Partition: "acme", From: own("a", "acme-docs", "docs"), To: to, Stage: stage}
			if change != nil {
				change(&m)
			}
			p.Moves = append(p.Moves, m)
		}
	}
	waiting := func(i control.WaveItem, state control.WaveState) func(*fleetfile.Present) {
		return func(p *fleetfile.Present) {
			i.Wave, i.State = "w1", control.ItemWaiting
			p.Items, p.Waves["w1"] = append(p.Items, i), state
		}
	}
	for _, tt := range []struct {
		name, file string // tenants and clusters, without the version
		as         func(*fleetfile.Present)
		prune      control.Labels
		want       string
	}{
		{"nothing is declared", "", nil, nil, "0 as they are\n"},
		{"all is as declared", `
tenants:
  - {name: acme, cluster: a, index: acme-docs, as: docs, labels: {tier: gold, region: eu}}
  - {name: hooli, cluster: c, kind: dedicated_cluster}
  - {name: tiny, cluster: a, kind: shared_index, index: pool}
  - {name: umbrella, cluster: a}
`, nil, nil, "4 as they are\n"},
		{"clusters", `
clusters:
  - {name: a, endpoints: [http://a]}
  - {name: b, endpoints: [http://b, http://b2], username: u, password_env: X}
  - {name: d, endpoints: [http://d]}
`, nil, nil, "add_cluster d\nchange_cluster b [endpoints password_env username]\n1 as they are\n"},
		{"a new tenant on a new cluster", `
tenants:
  - {name: initech, cluster: d, index: initech-docs, labels: {tier: free}}
clusters: [{name: d, endpoints: [http://d]}]
`, nil, nil, "add_cluster d\nadd_tenant initech to dedicated_index:d/initech-docs as \"initech-docs\" +tier=free\n0 as they are\n"},
		{"a new tenant without an index", "tenants: [{name: initech, cluster: a}]", nil, nil,
			"conflict: f.yaml:2: tenant \"initech\" is new, and nothing says which index is its own; give index: the name of its index at the cluster\n0 as they are\n"},
		{"a new tenant of a shared index without its field", "tenants: [{name: initech, cluster: a, kind: shared_index, index: pool}]", nil, nil,
			"conflict: f.yaml:2: tenant \"initech\" is new; give partition_field: the field of the shared index that tells its tenants apart\n0 as they are\n"},
		{"an unknown cluster", "tenants: [{name: acme, cluster: z}]", nil, nil,
			"conflict: f.yaml:2: tenant \"acme\": there is no cluster \"z\"; declare it under clusters, or `sluice cluster add z`\n0 as they are\n"},
		{"labels", "tenants: [{name: acme, cluster: a, labels: {tier: silver, kind: x}}]", nil, nil, "label_tenant acme +kind=x +tier=silver -region @1\n0 as they are\n"},
		{"no labels", "tenants: [{name: acme, cluster: a, labels: {}}]", nil, nil, "label_tenant acme -region -tier @1\n0 as they are\n"},
		{"another cluster", "tenants: [{name: acme, cluster: b}]", nil, nil, "move_tenant acme from dedicated_index:a/acme-docs to dedicated_index:b as \"docs\" @1\n0 as they are\n"},
		{"another cluster and labels", "tenants: [{name: acme, cluster: b, index: x, labels: {tier: gold}}]", nil, nil,
			"label_tenant acme -region @1\nmove_tenant acme from dedicated_index:a/acme-docs to dedicated_index:b/x as \"docs\" @1\n0 as they are\n"},
		{"another index", "tenants: [{name: acme, cluster: a, index: acme-2}]", nil, nil, "move_tenant acme from dedicated_index:a/acme-docs to dedicated_index:a/acme-2 as \"docs\" @1\n0 as they are\n"},
		{"out of a shared index", "tenants: [{name: tiny, cluster: a}]", nil, nil, "move_tenant tiny from shared_index:a/pool to dedicated_index:a as \"docs\" @3\n0 as they are\n"},
		{"into a shared index", "tenants: [{name: acme, cluster: a, kind: shared_index, index: pool}]", nil, nil, "move_tenant acme from dedicated_index:a/acme-docs to shared_index:a/pool as \"docs\" @1\n0 as they are\n"},
		{"to a cluster of its own", "tenants: [{name: acme, cluster: b, kind: dedicated_cluster}]", nil, nil, "move_tenant acme from dedicated_index:a/acme-docs to dedicated_cluster:b as \"\" @1\n0 as they are\n"},
		{"out of a cluster of its own, without an index", "tenants: [{name: hooli, cluster: b}]", nil, nil,
			"conflict: f.yaml:2: tenant \"hooli\" leaves a cluster of its own, and may have any number of indices; give index: a pattern such as hooli-*\n0 as they are\n"},
		{"the clients' name", "tenants: [{name: acme, cluster: b, as: other}]", nil, nil,
			"conflict: f.yaml:2: tenant \"acme\": its clients say \"docs\", and a move does not change that to \"other\"; write as: docs, or leave it out\n0 as they are\n"},
		{"the field of a shared index", "tenants: [{name: tiny, cluster: a, kind: shared_index, index: pool, partition_field: other}]", nil, nil,
			"conflict: f.yaml:2: tenant \"tiny\" is at shared_index:a/pool, and shared_index:a/pool has an index in common with that: no move leads there; give another index or another cluster, or write what is\n0 as they are\n"},
		{"it moves there already", "tenants: [{name: acme, cluster: b}]", moving(control.StageCopying, own("b", "docs-m1", "docs"), nil), nil,
			"under way: acme is moving to dedicated_index:b/docs-m1 by move m1 (copying)\n0 as they are\n"},
		{"it moves there already, and is paused", "tenants: [{name: acme, cluster: b}]", moving(control.StageCopying, own("b", "docs-m1", "docs"), func(m *control.Move) { m.Paused = true }), nil,
			"under way: acme is moving to dedicated_index:b/docs-m1 by move m1 (copying), which is paused; `sluice moves resume m1` lets it go on\n0 as they are\n"},
		{"it has flipped", "tenants: [{name: acme, cluster: a, index: acme-docs}]", moving(control.StageFlipped, own("a", "acme-docs", "docs"), nil), nil, "1 as they are\n"},
		{"it moves elsewhere", "tenants: [{name: acme, cluster: c}]", moving(control.StageCopying, own("b", "docs-m1", "docs"), nil), nil,
			"conflict: f.yaml:2: tenant \"acme\" is on its way to dedicated_index:b/docs-m1 by move m1 (copying), and the file wants it at dedicated_index:c; wait for it, or `sluice moves abort m1`, and apply again\n0 as they are\n"},
		{"it is to stay, and moves", "tenants: [{name: acme, cluster: a}]", moving(control.StageCopying, own("b", "docs-m1", "docs"), nil), nil,
			"conflict: f.yaml:2: tenant \"acme\" is on its way to dedicated_index:b/docs-m1 by move m1 (copying), and the file has it stay at dedicated_index:a/acme-docs; wait for it, or `sluice moves abort m1`, and apply again\n0 as they are\n"},
		{"its move is being aborted", "tenants: [{name: acme, cluster: a}]", moving(control.StageCopying, own("b", "docs-m1", "docs"), func(m *control.Move) { m.AbortRequested = true }), nil,
			"under way: acme is being taken back to dedicated_index:a/acme-docs by the abort of move m1 (copying)\n0 as they are\n"},
		{"its move there is being aborted", "tenants: [{name: acme, cluster: b}]", moving(control.StageAborting, own("b", "docs-m1", "docs"), nil), nil,
			"conflict: f.yaml:2: tenant \"acme\" is being taken back to dedicated_index:a/acme-docs by the abort of move m1 (aborting); apply again when that has ended\n0 as they are\n"},
		{"the entry tells of a move that the list lacks", "tenants: [{name: acme, cluster: b}]", func(p *fleetfile.Present) {
			to := own("b", "x", "docs")
			p.Tenants[0].MovingTo, p.Tenants[0].Move, p.Tenants[0].Phase = &to, "m2", "draining"
		}, nil, "under way: acme is moving to dedicated_index:b/x by move m2 (draining)\n0 as they are\n"},
		{"it waits in a wave", "tenants: [{name: acme, cluster: b}]", waiting(control.WaveItem{Partition: "acme", To: "b"}, control.WaveRunning), nil,
			"under way: acme waits to move to dedicated_index:b in wave w1 (running)\n0 as they are\n"},
		{"it waits in a wave that has stopped", "tenants: [{name: tiny, cluster: b}]", waiting(control.WaveItem{Partition: "tiny", To: "b", Kind: placement.DedicatedIndex}, control.WaveStopped), nil,
			"under way: tiny waits to move to dedicated_index:b in wave w1 (stopped); `sluice wave resume w1` lets it go on\n0 as they are\n"},
		{"it waits to move elsewhere", "tenants: [{name: acme, cluster: c}]", waiting(control.WaveItem{Partition: "acme", To: "b"}, control.WaveRunning), nil,
			"conflict: f.yaml:2: tenant \"acme\" is on its way to dedicated_index:b by wave w1 (running), and the file wants it at dedicated_index:c; wait for it, or `sluice wave abort w1`, and apply again\n0 as they are\n"},
		{"labels of one that moves", "tenants: [{name: acme, cluster: b, labels: {tier: gold}}]", moving(control.StageCopying, own("b", "docs-m1", "docs"), nil), nil,
			"label_tenant acme -region @1\nunder way: acme is moving to dedicated_index:b/docs-m1 by move m1 (copying)\n0 as they are\n"},
		{"two in one place", "tenants: [{name: x, cluster: a, index: i}, {name: y, cluster: a, index: i}, {name: z, cluster: b, index: i}]", nil, nil,
			"add_tenant x to dedicated_index:a/i as \"i\"\nadd_tenant y to dedicated_index:a/i as \"i\"\nadd_tenant z to dedicated_index:b/i as \"i\"\n" +
				"conflict: f.yaml:2: tenant \"y\" and tenant \"x\" (f.yaml:2) would have an index in common: dedicated_index:a/i and dedicated_index:a/i; give one of them another place\n0 as they are\n"},
		{"one within the pattern of another", "tenants: [{name: x, cluster: a, index: x-*}, {name: y, cluster: a, index: x-y-*}, {name: z, cluster: a, index: x-z}]", nil, nil,
			"add_tenant x to dedicated_index:a/x-* as \"*\"\nadd_tenant y to dedicated_index:a/x-y-* as \"*\"\nadd_tenant z to dedicated_index:a/x-z as \"x-z\"\n" +
				"conflict: f.yaml:2: tenant \"x\" and tenant \"y\" (f.yaml:2) would have an index in common: dedicated_index:a/x-* and dedicated_index:a/x-y-*; give one of them another place\n" +
				"conflict: f.yaml:2: tenant \"x\" and tenant \"z\" (f.yaml:2) would have an index in common: dedicated_index:a/x-* and dedicated_index:a/x-z; give one of them another place\n0 as they are\n"},
		{"two of a shared index", "tenants: [{name: x, cluster: a, kind: shared_index, index: i, partition_field: f}, {name: y, cluster: a, kind: shared_index, index: i, partition_field: f}]", nil, nil,
			"add_tenant x to shared_index:a/i as \"i\"\nadd_tenant y to shared_index:a/i as \"i\"\n0 as they are\n"},
		{"prune", "tenants: [{name: acme, cluster: a}]", nil, control.Labels{"tier": "free"}, "remove_tenant tiny from shared_index:a/pool @3\n1 as they are\n"},
		{"prune of nobody", "tenants: [{name: tiny, cluster: a, kind: shared_index, index: pool}]", nil, control.Labels{"tier": "free"}, "1 as they are\n"},
		{"prune of one that moves", "tenants: [{name: hooli, cluster: c, kind: dedicated_cluster}]", moving(control.StageCopying, own("b", "x", "docs"), nil), control.Labels{"tier": "gold"},
			"conflict: tenant \"acme\" is not declared and is to be removed, and is moving to dedicated_index:b/x by move m1; wait for it, or `sluice moves abort m1`, and apply again\n1 as they are\n"},
		{"prune of one that waits", "tenants: [{name: hooli, cluster: c, kind: dedicated_cluster}]", waiting(control.WaveItem{Partition: "acme", To: "b"}, control.WaveRunning), control.Labels{"tier": "gold"},
			"conflict: tenant \"acme\" is not declared and is to be removed, and waits to move in wave w1; wait for it, or `sluice wave abort w1`, and apply again\n1 as they are\n"},
		{"prune of one with an old copy", "tenants: [{name: hooli, cluster: c, kind: dedicated_cluster}]", func(p *fleetfile.Present) {
			old := own("b", "x", "docs")
			p.Tenants[0].Previous, p.Tenants[0].PreviousBy = &old, "m0"
		}, control.Labels{"tier": "gold"},
			"conflict: tenant \"acme\" is not declared and is to be removed, and still has its old copy at dedicated_index:b/x; `sluice moves retire m0` removes that, then apply again\n1 as they are\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, p := &fleetfile.Declared{}, present()
			if err := d.Add("f.yaml", []byte("version: 1\n"+tt.file)); err != nil {
				t.Fatal(err)
			}
			if tt.as != nil {
				tt.as(&p)
			}
			plan, err := fleetfile.Diff(p, d, fleetfile.Options{Prune: tt.prune})
			if diff := cmp.Diff(tt.want, brief(plan)); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// What is not a conflict of the fleet, but of the words.
func TestDiffRefuses(t *testing.T) {
	over, err := fleetfile.ParseMove([]string{"pause_budget=3s"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file string
		o    fleetfile.Options
		says string
	}{
		{"tenants: []", fleetfile.Options{Prune: control.Labels{"tier": "free"}}, "would remove every tenant with these labels"},
		{"tenants: [{name: acme, cluster: b, move: {cutover_deadline: 2s}}]", fleetfile.Options{Move: over}, "f.yaml:2: move.pause_budget: \"3s\" must not be above the cutover deadline"},
		{"tenants: [{name: tiny, cluster: b, move: {copy: {method: snapshot, repository: r}}}]", fleetfile.Options{}, "must be scan for a shared index"},
	} {
		d := &fleetfile.Declared{}
		if err := d.Add("f.yaml", []byte("version: 1\n"+tt.file)); err != nil {
			t.Fatal(err)
		}
		if _, err := fleetfile.Diff(present(), d, tt.o); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v; want %q", tt.file, err, tt.says)
		}
	}
}

// Options: the flags' are over the tenant's, and these over the document's.
func TestOptionsAreLayered(t *testing.T) {
	d := read(t, "version: 1\nmove: {pause_budget: 1s, keep: true}\ntenants:\n  - {name: acme, cluster: b, move: {pause_budget: 2s, copy_hours: ['01:00-02:00']}}\n  - {name: tiny, cluster: b}\n")
	over, err := fleetfile.ParseMove([]string{"copy_hours=03:00-04:00", "copy_zone=Europe/Berlin"})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := fleetfile.Diff(present(), d, fleetfile.Options{Move: over})
	if err != nil || len(plan.Changes) != 2 {
		t.Fatal(brief(plan), err)
	}
	for i, want := range []string{"2s true [03:00-04:00 Europe/Berlin]", "1s true [03:00-04:00 Europe/Berlin]"} {
		o, err := plan.Changes[i].Options.Over(control.MoveOptions{})
		if got := fmt.Sprint(o.PauseBudget, o.Keep, o.CopyHours); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", plan.Changes[i].Name, got, err, want)
		}
	}
}

// exported is the file of a fleet, as it is printed.
func exported(t *testing.T, p fleetfile.Present) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := fleetfile.Write(&b, fleetfile.Of(p)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A file that was made from a fleet changes nothing of it, whatever is under way.
func TestExportAppliesWithoutADifference(t *testing.T) {
	p := present()
	p.Tenants = append(p.Tenants, control.TenantView{Tenant: "007", Placement: own("a", "true", "no"), Labels: control.Labels{"x": "1.5", "y": "", "z": " # \n\u0085 ~"}},
		control.TenantView{Tenant: "\x1b[2Jevil: \u2028 \ufeff - 'x'", Placement: own("b", "null", "docs")},
		control.TenantView{Tenant: "back", Placement: own("a", "back", "docs")}, control.TenantView{Tenant: "waits", Placement: shared("a", "pool", "docs")})
	p.Moves = []control.Move{
		{ID: "m1", Partition: "acme", From: own("a", "acme-docs", "docs"), To: own("b", "docs-m1", "docs"), Stage: control.StageVerifying},
		{ID: "m2", Partition: "back", From: own("a", "back", "docs"), To: own("b", "docs-m2", "docs"), Stage: control.StageAborting},
	}
	p.Items = []control.WaveItem{{Wave: "w1", Partition: "waits", To: "b", State: control.ItemWaiting}}
	p.Waves["w1"] = control.WaveRunning
	text := exported(t, p)
	plan, err := fleetfile.Diff(p, read(t, string(text)), fleetfile.Options{Prune: control.Labels{"tier": "free"}})
	if err != nil || len(plan.Changes)+len(plan.Conflicts) > 0 || len(plan.UnderWay) != 3 || plan.Same != 8 {
		t.Errorf("%v\n%s\n%s", err, brief(plan), text)
	}
	for _, want := range []string{"name: \"007\"", "index: \"true\"", "as: \"no\"", "index: umbrella-*", "index: docs-m1", "tier: gold", "endpoints:\n      - http://a"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// Whatever JSON can hold comes back from the YAML.
func TestWriteYAML(t *testing.T) {
	want := map[string]any{"text": "a\u0085b\u2028c\nd", "no": "no", "number": 1.5, "none": nil, "is": true, "empty": "", "list": []any{}, "deep": map[string]any{"007": []any{"007", 7.25}}}
	var b bytes.Buffer
	if err := fleetfile.WriteYAML(&b, want); err != nil {
		t.Fatal(err)
	}
	var have map[string]any
	if err := yaml.Unmarshal(b.Bytes(), &have); err != nil || cmp.Diff(want, have) != "" {
		t.Errorf("%v\n%s\n%s", err, cmp.Diff(want, have), &b)
	}
}

// done is the fleet after a plan without conflicts.
func done(p fleetfile.Present, plan fleetfile.Plan) fleetfile.Present {
	clusters, tenants := map[string]placement.Cluster{}, map[string]control.TenantView{}
	for _, c := range p.Clusters {
		clusters[c.Name] = c
	}
	for _, v := range p.Tenants {
		tenants[string(v.Tenant)] = v
	}
	for _, c := range plan.Changes {
		v := tenants[c.Name]
		labels := maps.Clone(v.Labels)
		if labels == nil {
			labels = control.Labels{}
		}
		maps.Copy(labels, c.Set)
		for _, k := range c.Remove {
			delete(labels, k)
		}
		switch c.Action {
		case fleetfile.AddCluster, fleetfile.ChangeCluster:
			clusters[c.Name] = *c.Cluster
			continue
		case fleetfile.RemoveTenant:
			delete(tenants, c.Name)
			continue
		case fleetfile.AddTenant:
			v = control.TenantView{Tenant: placement.PartitionID(c.Name), Phase: "active", Placement: *c.To}
		case fleetfile.MoveTenant:
			at := *c.To
			if at.Kind == placement.DedicatedIndex && at.Index == "" {
				if at.Index = at.Logical + "-m1"; v.Placement.Many() {
					at.Index = v.Placement.Index
				}
			}
			if at.Kind == placement.SharedIndex && at.PartitionField == "" {
				at.PartitionField = "tenant"
			}
			if at.Many() {
				at.Logical = "*"
			}
			v.Placement = at
		}
		v.Labels = labels
		tenants[c.Name] = v
	}
	out := fleetfile.Present{Waves: map[string]control.WaveState{}}
	for _, name := range slices.Sorted(maps.Keys(clusters)) {
		out.Clusters = append(out.Clusters, clusters[name])
	}
	for _, name := range slices.Sorted(maps.Keys(tenants)) {
		out.Tenants = append(out.Tenants, tenants[name])
	}
	return out
}

// FuzzApply makes a fleet of one file, and applies another one to it. Whatever the files
// are: applied a second time, a file changes nothing, and neither does the file that is
// made from the fleet.
func FuzzApply(f *testing.F) {
	f.Add([]byte(whole), []byte("version: 1\ntenants:\n  - {name: acme, cluster: a, labels: {}}\n"))
	f.Add([]byte("version: 1\nclusters: [{name: a, endpoints: [http://a]}]\ntenants: [{name: \"a\\u0085\", cluster: a, index: x}]\n"), []byte(whole))
	f.Add([]byte("version: 1\nclusters: [{name: a, endpoints: [http://a]}]\ntenants: [{name: x, cluster: a, kind: dedicated_cluster}]\n"),
		[]byte("version: 1\ntenants: [{name: x, cluster: a, index: x-*}]\n"))
	f.Add([]byte("version: 1\nclusters: [{name: a, endpoints: [http://a]}, {name: b, endpoints: [http://b]}]\ntenants: [{name: x, cluster: a, index: x-*}]\n"),
		[]byte("version: 1\ntenants: [{name: x, cluster: b, as: '*'}]\n"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		p := fleetfile.Present{}
		for n, text := range [][]byte{first, second} {
			d := &fleetfile.Declared{}
			if d.Add("f.yaml", text) != nil {
				return
			}
			plan, err := fleetfile.Diff(p, d, fleetfile.Options{})
			if err != nil || len(plan.Conflicts) > 0 {
				return
			}
			p = done(p, plan)
			again, err := fleetfile.Diff(p, d, fleetfile.Options{})
			if err != nil || len(again.Changes)+len(again.Conflicts)+len(again.UnderWay) > 0 {
				t.Fatalf("file %d applied again: %v\n%s\nafter\n%s", n, err, brief(again), brief(plan))
			}
			text := exported(t, p)
			own := &fleetfile.Declared{}
			if err := own.Add("own.yaml", text); err != nil {
				t.Fatalf("the fleet's own file: %v\n%s", err, text)
			}
			if same, err := fleetfile.Diff(p, own, fleetfile.Options{}); err != nil || len(same.Changes)+len(same.Conflicts) > 0 {
				t.Fatalf("the fleet's own file: %v\n%s\n%s", err, brief(same), text)
			}
		}
	})
}

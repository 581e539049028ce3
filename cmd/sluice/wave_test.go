package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

func TestWaveRefusals(t *testing.T) {
	t.Parallel()
	c, _ := newMoveCLI(t)
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "tenants.txt")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"wave", "plan"}, exitUsage, "say what to move"},
		{[]string{"wave", "plan", "--rebalance", "--all-from", "a"}, exitUsage, "give one of"},
		{[]string{"wave", "plan", "--rebalance", "--to", "b"}, exitUsage, "--to goes with --all-from and --label"},
		{[]string{"wave", "plan", "--label", "tier"}, exitUsage, "must be KEY=VALUE"},
		{[]string{"tenant", "label", "acme", "Tier=x"}, exitUsage, "label: \"Tier\" must be"},
		{[]string{"tenant", "label", "acme", "tier"}, exitUsage, "must be KEY=VALUE, or KEY- to remove it"},
		{[]string{"tenant", "label", "initech", "tier=x"}, exitRefused, `unknown tenant "initech"`},
		{[]string{"wave", "plan", "--file", "/nowhere"}, exitUsage, "/nowhere"},
		{[]string{"wave", "plan", "--file", file("# nobody\n")}, exitUsage, "names no tenant"},
		{[]string{"wave", "plan", "--file", file("acme\n")}, exitUsage, "line 1: must be TENANT CLUSTER"},
		{[]string{"wave", "plan", "--file", file("acme b\n\nacme b\n")}, exitUsage, `line 3: tenant "acme" is there twice`},
		{[]string{"wave", "plan", "--file", file(`{"partition":"acme","cluster":"b"}`)}, exitUsage, `unknown field "cluster"`},
		{[]string{"wave", "plan", "--file", file("initech b\n")}, exitRefused, `initech`},
		{[]string{"wave", "plan", "--file", file("acme z\n")}, exitRefused, `unknown cluster "z"`},
		{[]string{"wave", "run", "--file", file("acme a\n")}, exitRefused, "no tenant is to move"},
		{[]string{"wave", "run", "--file", file("acme b\n"), "--window", "noon"}, exitUsage, "window"},
		{[]string{"wave", "run", "--file", file("acme b\n"), "--zone", "UTC"}, exitUsage, "--zone"},
		{[]string{"wave", "run", "--file", file("acme b\n"), "--at-once", "-2"}, exitUsage, "at_once"},
		{[]string{"wave", "run", "--plan", file("{}x")}, exitRefused, "no tenant is to move"},
		{[]string{"wave", "run", "--plan", file("[]")}, exitUsage, "sluice wave plan -o json"},
		{[]string{"wave", "plan", "--all-from", "a", "--to", "b", "--by", "weight"}, exitUsage, "must be one of"},
		{[]string{"wave", "plan", "--pack", "pool"}, exitUsage, "say among which tenants, by --all-from or --label"},
		{[]string{"wave", "plan", "--pack", "pool", "--unpack", "pool"}, exitUsage, "give one of --pack and --unpack"},
		{[]string{"wave", "plan", "--all-from", "a", "--pack", "pool"}, exitUsage, "say by --tenant-limit"},
		{[]string{"wave", "plan", "--rebalance", "--unpack", "pool"}, exitUsage, "go with nothing else"},
		{[]string{"wave", "plan", "--all-from", "a", "--to", "b", "--tenant-limit", "7"}, exitUsage, "go with --pack and --unpack"},
		{[]string{"wave", "plan", "--unpack", "pool", "--pool-limit", "7"}, exitUsage, "go with --pack"},
		{[]string{"wave", "run", "--file", file(`{"partition":"acme","to":"b","kind":"galaxy"}`)}, exitUsage, "must be dedicated_cluster, dedicated_index or shared_index"},
		{[]string{"wave", "rollback", "w1"}, exitRefused, `unknown wave "w1"`},
		{[]string{"wave", "show", "w1"}, exitRefused, `unknown wave "w1"`},
		{[]string{"wave", "pause", "w1"}, exitRefused, `unknown wave "w1"`},
		{[]string{"wave", "set", "w1"}, exitUsage, "give a limit"},
	} {
		r := c.run(tt.args...)
		if r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("sluice %s: %d %s, want %d with %q", strings.Join(tt.args, " "), r.code, r.stderr, tt.code, tt.says)
		}
	}

	// Without a controller it waits, and can be looked at, changed and aborted.
	r := c.run("wave", "run", "--file", file("acme b acme-new\n"), "--paused", "-o", "json", "--window", "22:00-06:00", "--zone", "Europe/Berlin")
	var w control.Wave
	if err := json.Unmarshal([]byte(r.stdout), &w); err != nil || w.State != control.WavePaused || w.Items != 1 || len(w.Windows) != 1 || !strings.Contains(r.stderr, "no controller is running") {
		t.Fatalf("%+v, %v", r, err)
	}
	c.ok("wave", "set", w.ID, "--at-once", "9")
	c.ok("wave", "resume", w.ID)
	out := c.ok("wave", "show", w.ID, "--all")
	for _, want := range []string{"9 at once", "1: 1 waiting", "22:00-06:00 Europe/Berlin", "acme"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if out := c.ok("wave", "list"); !strings.Contains(out, w.ID) || !strings.Contains(out, "running") {
		t.Error(out)
	}
	c.ok("wave", "set", w.ID, "--stop-after", "-1")
	if out := c.ok("wave", "show", w.ID); !strings.Contains(out, "no failures stop it") {
		t.Error(out)
	}
	c.ok("wave", "abort", w.ID)

	if out := c.ok("tenant", "label", "acme", "tier=small", "region=eu"); !strings.Contains(out, "region=eu tier=small") {
		t.Error(out)
	}
	if out := c.ok("tenant", "label", "acme", "region-"); strings.Contains(out, "region") {
		t.Error(out)
	}
	if out := c.ok("tenant", "list", "--label", "tier=small"); !strings.Contains(out, "acme") || !strings.Contains(out, "tier=small") {
		t.Error(out)
	}
	if out := c.ok("tenant", "list", "--label", "tier=large"); strings.Contains(out, "acme") {
		t.Error(out)
	}
	if out := c.ok("tenant", "show", "acme", "-o", "json"); !strings.Contains(out, `"tier": "small"`) {
		t.Error(out)
	}
}

// One cluster is emptied: the plan says what comes of it, and the wave does it.
func TestWaveEmptiesACluster(t *testing.T) {
	t.Parallel()
	a, b := enginetest.LendOpenSearch(t, engines.OpenSearch2), enginetest.LendOpenSearch(t, engines.OpenSearch2)
	p, _, c := startServe(t)
	c.ok("cluster", "add", "a", a.URL())
	c.ok("cluster", "add", "b", b.URL())
	tenants := []string{"t0", "t1", "t2", "t3"}
	for _, id := range tenants {
		c.ok("tenant", "add", id, "--cluster", "a", "--index", id+"-docs", "--as", "docs")
		must2xx(t, id, "PUT", "http://"+p.data+"/docs/_doc/1?refresh=true", `{"n":1}`)
	}
	out := c.ok("wave", "plan", "--all-from", "a", "--to", "b")
	if !strings.Contains(out, "4 tenants would move") || !strings.Contains(out, "t3") {
		t.Error(out)
	}
	plan := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(plan, []byte(c.ok("wave", "plan", "--all-from", "a", "--to", "b", "-o", "json")), 0o600); err != nil {
		t.Fatal(err)
	}
	out = c.ok("wave", "run", "--plan", plan, "--wait", "--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off")
	if !strings.Contains(out, "4: 4 done") || !strings.Contains(out, "state          done") {
		t.Error(out)
	}
	for _, id := range tenants {
		if out := c.ok("tenant", "show", id); !strings.Contains(out, "b/") {
			t.Errorf("%s: %s", id, out)
		}
		if text := must2xx(t, id, "GET", "http://"+p.data+"/docs/_count", ""); !strings.Contains(text, `"count":1,`) {
			t.Errorf("%s: %s", id, text)
		}
	}
	var waves []control.Wave
	if err := json.Unmarshal([]byte(c.ok("wave", "list", "-o", "json")), &waves); err != nil || len(waves) != 1 {
		t.Fatalf("%v, %v", waves, err)
	}
	if out := c.ok("wave", "rollback", waves[0].ID, "--dry-run"); !strings.Contains(out, "a, its old copy") || !strings.Contains(out, "4 tenants would move") {
		t.Error(out)
	}
	var back control.Wave
	if err := json.Unmarshal([]byte(c.ok("wave", "rollback", waves[0].ID, "--paused", "--at-once", "7", "-o", "json")), &back); err != nil || back.Items != 4 || back.Limits.AtOnce != 7 || back.Limits.PerSource != waves[0].Limits.PerSource {
		t.Errorf("%+v, %v", back, err)
	}
	if r := c.run("wave", "rollback", back.ID); r.code != exitRefused || !strings.Contains(r.stderr, "no tenant of wave") {
		t.Errorf("of a wave that has moved nobody: %+v", r)
	}
	c.ok("wave", "abort", back.ID)
	if r := c.run("wave", "watch", back.ID); !strings.Contains(r.stdout, "4 skipped") {
		t.Errorf("%+v", r)
	}
	retireThem(t, c, a.URL(), waves[0].ID)
	c.ok("tenant", "label", "t1", "tier=small")
	if out := c.ok("wave", "plan", "--label", "tier=small", "--to", "a"); !strings.Contains(out, "1 tenants would move") || strings.Contains(out, "t2") {
		t.Error(out)
	}
	out = c.ok("wave", "plan", "--rebalance", "-o", "json")
	var even control.WavePlan
	if err := json.Unmarshal([]byte(out), &even); err != nil || len(even.Items) != 2 || even.Clusters[0].After != 2 || even.Clusters[1].After != 2 {
		t.Errorf("%v: %s", err, out)
	}
	packThem(t, c, a.URL(), "http://"+p.data)
	applyThem(t, c, "http://"+p.data)
}

// applyThem has a file move all four tenants to b, and waits for it.
func applyThem(t *testing.T, c cli, base string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fleet.yaml")
	text := "version: 1\nmove: {pause_budget: 3s, cutover_deadline: 4s, copy_eager: true}\ntenants:\n"
	for _, id := range []string{"t0", "t1", "t2", "t3"} {
		text += "  - {name: " + id + ", cluster: b, labels: {by: file}}\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := c.ok("apply", "-f", file, "--yes", "--wait", "--per-source", "1")
	for _, want := range []string{"to change", "to move", ": wave w", " done"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	for _, id := range []string{"t0", "t1", "t2", "t3"} {
		if out := c.ok("tenant", "show", id); !strings.Contains(out, "dedicated_index:b/") || !strings.Contains(out, "by=file") {
			t.Errorf("%s: %s", id, out)
		}
		if text := must2xx(t, id, "GET", base+"/docs/_count", ""); !strings.Contains(text, `"count":1,`) {
			t.Errorf("%s: %s", id, text)
		}
	}
	if out := c.ok("apply", "-f", file, "--dry-run"); !strings.Contains(out, "nothing to change; 0 under way, 4 as declared") {
		t.Error(out)
	}
}

// packThem packs two of four small tenants of b, as many as the shared index may hold, into
// one of a, and takes them out again into indices of their own there.
func packThem(t *testing.T, c cli, a, base string) {
	t.Helper()
	must2xx(t, "", "PUT", a+"/small", `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"},"n":{"type":"long"}}}}`)
	pack := []string{"--all-from", "b", "--to", "a", "--pack", "small", "--partition-field", "tenant", "--tenant-limit", "1", "--pool-limit", "2"}
	out := c.ok(append([]string{"wave", "plan"}, pack...)...)
	for _, want := range []string{"a/small", "more than its limit", "2 tenants would move"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	wait := []string{"--wait", "--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off"}
	if out := c.ok(append(append([]string{"wave", "run"}, pack...), wait...)...); !strings.Contains(out, "2: 2 done") || !strings.Contains(out, "pack into small, of b") {
		t.Error(out)
	}
	must2xx(t, "", "POST", a+"/small/_refresh", "")
	out = c.ok("wave", "plan", "--unpack", "small", "--by", "bytes", "--tenant-limit", "1GiB")
	if !strings.Contains(out, "a/small") || !strings.Contains(out, "0 tenants would move") {
		t.Error(out)
	}
	out = c.ok("wave", "plan", "--all-from", "a", "--to", "b")
	if !strings.Contains(out, "it shares the index small, which there is not at b") {
		t.Error(out)
	}
	if out := c.ok(append([]string{"wave", "run", "--unpack", "small"}, wait...)...); !strings.Contains(out, "2: 2 done") {
		t.Error(out)
	}
	for _, id := range []string{"t0", "t1", "t2", "t3"} {
		if out := c.ok("tenant", "show", id); !strings.Contains(out, "dedicated_index:") {
			t.Errorf("%s: %s", id, out)
		}
		if text := must2xx(t, id, "GET", base+"/docs/_count", ""); !strings.Contains(text, `"count":1,`) {
			t.Errorf("%s: %s", id, text)
		}
	}
}

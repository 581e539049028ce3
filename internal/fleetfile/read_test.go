package fleetfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	reflector "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/fleetfile"
)

//go:generate go test -run TestSchema . -update

var update = flag.Bool("update", false, "write docs/fleet.schema.json")

const whole = `# a fleet
version: 1
clusters:
  - name: a
    endpoints: [http://search-a:9200]
  - {name: b, endpoints: ["https://search-b:9200"], username: sluice, password_env: B_PASSWORD}
move: {pause_budget: 500ms, retire_after: 7d, copy_hours: ["22:00-06:00"], copy_zone: Europe/Berlin}
tenants:
  - name: acme
    cluster: b
    index: acme-docs
    as: docs
    labels: {tier: gold, region: "1"}
  - name: umbrella
    cluster: a
    index: umbrella-*
    move: {keep: true, retire_after: 0s, trash: 0s, copy: {method: auto, repository: backups, snapshot_above: 50GiB}, copy_bytes: 20MB}
---
version: 1
tenants:
  - {name: hooli, cluster: a, kind: shared_index, index: pool, partition_field: tenant, as: docs, labels: {}}
  - {name: "007", cluster: b}
`

func read(t *testing.T, text string) *fleetfile.Declared {
	t.Helper()
	d := &fleetfile.Declared{}
	if err := d.Add("fleet.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRead(t *testing.T) {
	d := read(t, whole)
	if got := strings.Join(d.Names(), " "); got != "007 acme hooli umbrella" {
		t.Errorf("tenants: %s", got)
	}
	if len(d.Clusters) != 2 || d.Clusters[1].PasswordEnv != "B_PASSWORD" || d.Clusters[1].At != (fleetfile.At{File: "fleet.yaml", Line: 6}) {
		t.Errorf("clusters: %+v", d.Clusters)
	}
	zero := 0 * time.Second
	hours := []control.Window{{From: 22 * 60, To: 6 * 60, Zone: "Europe/Berlin"}}
	umbrella := control.MoveOptions{PauseBudget: 500 * time.Millisecond, CopyHours: hours, CopyBytes: 20e6, Afterwards: control.Afterwards{Keep: true, Trash: &zero}}
	umbrella.Copy.Method, umbrella.Copy.Repository, umbrella.Copy.SnapshotAbove = "auto", "backups", 50<<30
	for i, want := range []control.MoveOptions{
		{PauseBudget: 500 * time.Millisecond, CopyHours: hours, Afterwards: control.Afterwards{RetireAfter: 7 * 24 * time.Hour}},
		umbrella, {}, {},
	} {
		got, err := d.Tenants[i].Move.Over(control.MoveOptions{})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", d.Tenants[i].Name, err, diff)
		}
	}
	if h := d.Tenants[2]; h.Labels == nil || len(h.Labels) != 0 || h.At.Line != 21 || d.Tenants[3].Labels != nil {
		t.Errorf("labels that are none, and none that are given: %+v, %+v", h, d.Tenants[3])
	}
	// Another file, with a tenant that is there already.
	err := d.Add("more.yaml", []byte("version: 1\ntenants:\n  - {name: acme, cluster: a}\n"))
	if err == nil || err.Error() != `more.yaml:3: tenants[0].name: tenant "acme" is there twice, first at fleet.yaml:9` {
		t.Errorf("a tenant in two files: %v", err)
	}
}

// What is wrong with a file is said with the place and the fix, all of it at once.
func TestReadRefuses(t *testing.T) {
	const v = "version: 1\n"
	for _, tt := range []struct{ text, says string }{
		{"", "f.yaml: holds no document"},
		{"# nothing\n---\n---\n", "f.yaml: holds no document"},
		{"tenants: []\n", "f.yaml:1: version: must be given"},
		{"version: 2\n", "f.yaml:1: version: 2 must be 1, the version of the format"},
		{"version: '1'\n", `f.yaml:1: version: "1" must be a whole number`},
		{"- a\n", "f.yaml:1: must be a mapping, and is a list"},
		{"hello\n", "f.yaml:1: must be a mapping, and is a single value"},
		{v + "tenants: {\n", "f.yaml:2: is no YAML: did not find expected"},
		{v + "tenant: []\n", "f.yaml:2: tenant: unknown field; did you mean tenants?"},
		{v + "frobnicate: 1\n", "f.yaml:2: frobnicate: unknown field; sluice apply schema has all"},
		{v + "version: 1\n", "f.yaml:2: version: is there twice"},
		{v + "tenants: acme\n", "f.yaml:2: tenants: must be a list, and is a single value"},
		{v + "tenants:\n  - acme\n", "f.yaml:3: tenants[0]: must be a mapping"},
		{v + "tenants:\n  -\n", "f.yaml:3: tenants[0]: must not be empty"},
		{v + "tenants:\n  - name: acme\n    clutser: a\n", "f.yaml:4: tenants[0].clutser: unknown field; did you mean cluster?"},
		{v + "tenants:\n  - name: acme\n", "f.yaml:3: tenants[0].cluster: must be given"},
		{v + "tenants:\n  - {name: 7, cluster: a}\n", `f.yaml:3: tenants[0].name: "7" must be text: put it into quotes`},
		{v + "tenants:\n  - {name: '', cluster: a}\n", `f.yaml:3: tenants[0].name: "" must not be empty`},
		{v + "tenants:\n  - name: acme\n    cluster: A\n", `f.yaml:4: tenants[0].cluster: "A" must be 1 to 64 of`},
		{v + "tenants:\n  - name: acme\n    cluster: a\n    index: X\n", `f.yaml:5: tenants[0].index: "X" must be lower case`},
		{v + "tenants:\n  - {name: acme, cluster: a, as: _x}\n", `f.yaml:3: tenants[0].as: "_x" must not begin with`},
		{v + "tenants:\n  - {name: acme, cluster: a, index: x-*, as: docs}\n", "f.yaml:3: tenants[0].as: "},
		{v + "tenants:\n  - {name: acme, cluster: a, kind: galaxy}\n", `tenants[0].kind: "galaxy" must be one of`},
		{v + "tenants:\n  - {name: acme, cluster: a, kind: shared_index}\n", `tenants[0].index: "" must name the shared index`},
		{v + "tenants:\n  - {name: acme, cluster: a, kind: dedicated_cluster, index: x}\n", "tenants[0].index: "},
		{v + "tenants:\n  - {name: acme, cluster: a, partition_field: f}\n", "tenants[0].partition_field: "},
		{v + "tenants:\n  - {name: acme, cluster: a, labels: {tier: 1}}\n", `tenants[0].labels.tier: "1" must be text: put it into quotes`},
		{v + "tenants:\n  - {name: acme, cluster: a, labels: {tier: }}\n", `tenants[0].labels.tier: must be a word`},
		{v + "tenants:\n  - {name: acme, cluster: a, labels: {Tier: x}}\n", `tenants[0].labels: "Tier" must be 1 to 63`},
		{v + "tenants:\n  - {name: acme, cluster: a, labels: {x: y, x: z}}\n", `tenants[0].labels.x: is there twice`},
		{v + "tenants:\n  - {name: acme, cluster: a}\n  - {name: acme, cluster: b}\n", `f.yaml:4: tenants[1].name: tenant "acme" is there twice, first at f.yaml:3`},
		{v + "clusters:\n  - name: a\n    endpoints: [search:9200]\n", `f.yaml:4: clusters[0].endpoints[0]: "search:9200" must`},
		{v + "clusters:\n  - {name: a, endpoints: [http://x], username: u}\n", "must come with password_file or password_env"},
		{v + "clusters:\n  - {name: a, endpoints: [http://x]}\n  - {name: a, endpoints: [http://x]}\n", `cluster "a" is there twice, first at f.yaml:3`},
		{v + "move: {pause_budget: soon}\n", `f.yaml:2: move.pause_budget: "soon" must be a duration such as 7d`},
		{v + "move: {pause_budget: -1s}\n", `move.pause_budget: "-1s" must not be negative`},
		{v + "move:\n  pause_budget: 5s\n  cutover_deadline: 2s\n", `f.yaml:3: move.pause_budget: "5s" must not be above the cutover deadline`},
		{v + "move: {verify: hope}\n", `move.verify: "hope" must be versions or content`},
		{v + "move: {copy_hours: [22-6]}\n", `move.copy_hours[0]: "22-6" must be two times of the day`},
		{v + "move: {copy_zone: UTC}\n", `move.copy_zone: "UTC" must come with copy_hours`},
		{v + "move: {copy_hours: ['22:00-06:00'], copy_zone: Berlin}\n", `move.copy_zone: "Berlin" must be a name of the IANA time zone database`},
		{v + "move: {copy: {method: snapshot}}\n", `move.copy.repository: "" must name a snapshot repository`},
		{v + "move: {copy_bytes: much}\n", `move.copy_bytes: "much" must be a size`},
		{v + "move: {copy_rate: .nan}\n", `move.copy_rate: ".nan" must be a number`},
		{v + "move: {keep: yes please}\n", `move.keep: "yes please" must be true or false`},
		{v + "tenants:\n  - {name: acme, cluster: a, move: {keep: true, retire_after: 1h}}\n", `tenants[0].move.keep: "true" goes with neither`},
		{v + "x: &a [1]\ntenants: *a\n", "f.yaml:3: tenants: anchors and aliases are not taken: write it out"},
	} {
		err := new(fleetfile.Declared).Add("f.yaml", []byte(tt.text))
		var at *fleetfile.Error
		if err == nil || !strings.Contains(err.Error(), tt.says) || !errors.As(err, &at) {
			t.Errorf("%q: %v; want %q", tt.text, err, tt.says)
		}
	}
	err := new(fleetfile.Declared).Add("f.yaml", []byte("version: 1\ntenants:\n  - {name: acme}\n  - {nam: x, cluster: a}\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("of three mistakes it tells: %v", err)
	}
}

func TestParseMove(t *testing.T) {
	m, err := fleetfile.ParseMove([]string{"pause_budget=500ms", "copy_hours=22:00-23:00,01:00-02:00", "keep=true", "copy.method=auto", "copy.repository=r", "copy_rate=12.5"})
	if err != nil || time.Duration(*m.PauseBudget) != 500*time.Millisecond || len(m.CopyHours) != 2 || !*m.Keep || m.Copy.Repository != "r" || *m.CopyRate != 12.5 {
		t.Errorf("%+v, %v", m, err)
	}
	for word, says := range map[string]string{"keep": "must be KEY=VALUE", "kep=true": "did you mean keep?", "keep=7": "must be true or false", "copy.method=tape": "must be scan, snapshot or auto", "name.x=y": "unknown field"} {
		if _, err := fleetfile.ParseMove([]string{word}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", word, err, says)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"7d": 168 * time.Hour, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute, "0": 0, "0s": 0, "0d": 0} {
		if got, err := fleetfile.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "d", "7", "-1d", "1d-2h", "7days", "99999999d", "1.5d"} {
		if got, err := fleetfile.ParseDuration(bad); err == nil {
			t.Errorf("%q is %s", bad, got)
		}
	}
}

// Every option of a move can be declared, but for the drain barrier, which is the fleet's.
func TestAllOptions(t *testing.T) {
	fields := func(t reflect.Type) map[string]bool {
		out := map[string]bool{}
		var walk func(reflect.Type)
		walk = func(t reflect.Type) {
			for i := range t.NumField() {
				f := t.Field(i)
				if f.Anonymous {
					walk(f.Type)
					continue
				}
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				out[name] = true
			}
		}
		walk(t)
		return out
	}
	want, have := fields(reflect.TypeFor[control.MoveOptions]()), fields(reflect.TypeFor[fleetfile.Move]())
	delete(want, "drain_barrier")
	delete(have, "copy_zone") // of copy_hours
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

const schemaFile = "../../docs/fleet.schema.json"

// The schema that is published is that of the types.
func TestSchema(t *testing.T) {
	r := reflector.Reflector{}
	s := r.Reflect(&fleetfile.File{})
	s.ID = ""
	s.Title, s.Description = "Fleet", "What a fleet of Sluice shall be, as sluice apply takes it: one document of a YAML file."
	want, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("%s differs (-want +have); run make fleet-schema:\n%s", schemaFile, diff)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	schema, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	in := yaml.NewDecoder(strings.NewReader(whole))
	for n := 0; ; n++ {
		var v any
		if in.Decode(&v) != nil {
			if n != 2 {
				t.Errorf("it has %d documents", n)
			}
			break
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("document %d: %v", n, err)
		}
	}
	for _, bad := range []string{`{}`, `[]`, `{"version":2}`, `{"version":1,"tenant":[]}`, `{"version":1,"tenants":[{"name":"a"}]}`, `{"version":1,"move":{"pause_budget":7}}`, `{"version":1,"move":{"verify":"hope"}}`, `{"version":1,"tenants":[{"name":"a","cluster":"b","labels":{"x":1}}]}`} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(v) == nil {
			t.Errorf("the schema takes %s", bad)
		}
	}
}

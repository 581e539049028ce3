package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// withContexts gives the test contexts of its own, and returns their file.
func withContexts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	return filepath.Join(dir, "sluice", "contexts.yaml")
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestContexts(t *testing.T) {
	file := withContexts(t)
	c := cli{t: t}
	token, config := write(t, "token", "secret\n"), write(t, "sluice.yaml", "store:\n  etcd:\n    endpoints: [http://127.0.0.1:1]\n")
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"context show", exitRefused, "no context is chosen"},
		{"context use production", exitUsage, `context: "production" must be the name of a context: there is none yet`},
		{"context add Production --api https://x", exitUsage, `"Production" must be 1 to 64 of`},
		{"context add p", exitUsage, `--api: "" must be the address of a controller's API, or --file be set`},
		{"context add p --api https://x --file " + config, exitUsage, "must be left out where api is set"},
		{"context add p --api x:9282", exitUsage, `--api: "x:9282" must be the URL`},
		{"context add p --api https://me:secret@x", exitUsage, "must not hold credentials"},
		{"context add p --api http://example.com --token-file " + token, exitUsage, "must begin with https"},
		{"context add p --api https://x --token-file /nowhere/token", exitUsage, "/nowhere/token"},
		{"context add p --api https://x --cert-file " + token, exitUsage, "--key-file"},
		{"context add p --api https://x --ca-file " + token, exitUsage, "--ca-file"},
		{"context add p --file " + config + " --token-file " + token, exitUsage, "--api"},
		{"context remove p", exitUsage, `"p" must be the name of a context`},
		{"context use", exitUsage, "or --none"},
		{"context list -o json -q", exitUsage, "--quiet: give it without --output"},
	} {
		if r := c.run(strings.Fields(tt.args)...); r.code != tt.code || !strings.Contains(r.stderr, tt.says) || r.stdout != "" || strings.Contains(r.stderr, "secret@") {
			t.Errorf("sluice %s: %+v; want code %d and %q", tt.args, r, tt.code, tt.says)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("what was refused is kept")
	}
	c.ok("context", "add", "production", "--api", "https://127.0.0.1:1", "--token-file", token)
	c.ok("context", "add", "lab", "--file", config, "--use")
	if r := c.run("context", "add", "lab", "--file", config); r.code != exitRefused || !strings.Contains(r.stderr, "--replace changes it") {
		t.Errorf("twice: %+v", r)
	}
	if b, err := os.ReadFile(file); err != nil || strings.Contains(string(b), "secret") {
		t.Errorf("%v: %s", err, b)
	}
	var list []contextView
	if err := json.Unmarshal([]byte(c.ok("context", "list", "-o", "json")), &list); err != nil || len(list) != 2 || !list[0].Current || list[0].Config != config || list[1].TokenFile != token {
		t.Errorf("%+v, %v", list, err)
	}
	if out := c.ok("context", "list", "-q"); out != "lab\nproduction\n" {
		t.Errorf("%q", out)
	}
	if out := c.ok("context", "show"); !strings.Contains(out, "CONTEXT") || !strings.Contains(out, config) {
		t.Errorf("%q", out)
	}
	c.ok("context", "use", "production")
	if out := c.ok("context", "show", "-q"); out != "production\n" {
		t.Errorf("%q", out)
	}
	c.ok("context", "remove", "production")
	if r := c.run("context", "show"); r.code != exitRefused {
		t.Errorf("the one that is gone is still used: %+v", r)
	}
	c.ok("context", "use", "lab")
	c.ok("context", "use", "--none")
	if err := os.WriteFile(file, []byte("contexts: {a: {token: x}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := c.run("tenant", "list"); r.code != exitUsage || !strings.Contains(r.stderr, file) {
		t.Errorf("a file that is broken: %+v", r)
	}
}

// Which fleet a command takes: an API is told by its address, where nobody answers, and a
// store by a prefix that is refused before it is asked.
func TestWhichFleet(t *testing.T) {
	withContexts(t)
	c := cli{t: t}
	const api = "http://127.0.0.1:1"
	config := func(prefix string) string {
		return write(t, "sluice.yaml", "store:\n  etcd:\n    prefix: "+prefix+"\n")
	}
	c.ok("context", "add", "one", "--api", api)
	c.ok("context", "add", "lab", "--file", config("p3"))
	unused := config("p4")
	for _, tt := range []struct {
		name, args string
		env        [2]string
		current    string
		code       int
		says       string
	}{
		{"api", "tenant list --api " + api, [2]string{}, "lab", exitUnavailable, "127.0.0.1:1/api/v1/tenants"},
		{"context", "tenant list --context one", [2]string{}, "lab", exitUnavailable, "127.0.0.1:1/api/v1/tenants"},
		{"context of a store", "tenant list --context lab", [2]string{}, "one", exitUsage, `"p3" must begin and end with /`},
		{"store", "tenant list --store.etcd.prefix p2", [2]string{}, "one", exitUsage, `"p2" must begin and end with /`},
		{"config", "tenant list --config " + unused, [2]string{"SLUICE_CONTEXT", "one"}, "one", exitUsage, `"p4" must begin and end with /`},
		{"environment", "tenant list", [2]string{"SLUICE_CONTEXT", "lab"}, "one", exitUsage, `"p3" must begin and end with /`},
		{"environment's store", "tenant list", [2]string{"SLUICE_STORE_ETCD_PREFIX", "p2"}, "one", exitUsage, `"p2" must begin and end with /`},
		{"environment's file", "tenant list", [2]string{"SLUICE_CONFIG", unused}, "one", exitUsage, `"p4" must begin and end with /`},
		{"current", "tenant list", [2]string{}, "one", exitUnavailable, "127.0.0.1:1/api/v1/tenants"},
		{"unknown", "tenant list --context two", [2]string{}, "one", exitUsage, `--context: "two" must be the name of a context: known are lab, one`},
		{"unknown in the environment", "tenant list", [2]string{"SLUICE_CONTEXT", "two"}, "one", exitUsage, `SLUICE_CONTEXT: "two" must be`},
		{"two", "tenant list --context one --api " + api, [2]string{}, "", exitUsage, "give one of"},
		{"two of another kind", "tenant list --context one --config " + unused, [2]string{}, "", exitUsage, "give one of"},
		{"a token for nobody", "tenant list --api-token-file " + unused, [2]string{}, "", exitUsage, "go with --api"},
		{"bad address", "tenant list --api me", [2]string{}, "", exitUsage, `--api: "me" must be the URL`},
		{"doctor by the API", "doctor", [2]string{}, "one", exitUnavailable, "127.0.0.1:1/api/v1/doctor"},
		{"verify by the API", "verify acme", [2]string{}, "one", exitUnavailable, "127.0.0.1:1/api/v1/verify"},
		{"needs the store", "doctor store", [2]string{}, "one", exitRefused, "sluice doctor store needs the store itself, and context one is the API of a controller"},
		{"needs the store, too", "store export", [2]string{}, "one", exitRefused, "sluice store export needs the store itself"},
		{"needs the store and has it", "doctor store", [2]string{}, "lab", exitUsage, `"p3" must begin and end with /`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.env[0] != "" {
				t.Setenv(tt.env[0], tt.env[1])
			}
			use := []string{"context", "use", "--none"}
			if tt.current != "" {
				use[2] = tt.current
			}
			c.ok(use...)
			if r := (cli{t: t}).run(strings.Fields(tt.args)...); r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
				t.Errorf("sluice %s: %+v; want code %d and %q", tt.args, r, tt.code, tt.says)
			}
		})
	}
	if out := c.ok("__complete", "tenant", "list", "--context", ""); !strings.Contains(out, "lab\none\n") {
		t.Errorf("completion: %q", out)
	}
}

// YAML says what JSON says, whatever a value looks like.
func TestYAML(t *testing.T) {
	t.Parallel()
	c, _ := newMoveCLI(t)
	for _, id := range []string{"123", "true", "~", "a: b", "*x", "#x", "'\"", "caf\u00e9 \U0001f600", "line\nbreak", "2026-01-01", "\x1b[2J", "<&>"} {
		c.ok("tenant", "add", id, "--cluster", "a", "--index", "t"+strings.Repeat("x", len(id)+len(c.ok("tenant", "list", "-q"))))
	}
	var want, have any
	if err := json.Unmarshal([]byte(c.ok("tenant", "list", "-o", "json")), &want); err != nil {
		t.Fatal(err)
	}
	text := c.ok("tenant", "list", "-o", "yaml")
	if err := yaml.Unmarshal([]byte(text), &have); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	a, _ := json.Marshal(want)
	b, err := json.Marshal(have)
	if err != nil || string(a) != string(b) {
		t.Errorf("%v: JSON has\n%s\nand YAML\n%s\n%s", err, a, b, text)
	}
	if !strings.HasPrefix(text, "- tenant: ") || strings.Contains(text, "{") {
		t.Errorf("it looks like JSON:\n%s", text)
	}
	if out := c.ok("tenant", "list", "--label", "no=body", "-o", "yaml"); strings.TrimSpace(out) != "[]" {
		t.Errorf("an empty list is %q", out)
	}
	if out := c.ok("tenant", "show", "acme", "-q"); out != "acme\n" {
		t.Errorf("%q", out)
	}
	if out := c.ok("cluster", "list", "-q"); out != "a\nb\n" {
		t.Errorf("%q", out)
	}
}

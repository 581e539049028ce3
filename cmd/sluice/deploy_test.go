package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/spf13/pflag"

	"github.com/sluiceproxy/sluice/internal/config"
)

// What is under deploy fits the program: its command lines, its configuration, the time
// that it takes to stop. None of it is run here.

// stopTime is how long a clean stop of a proxy may take, as docs/restarts.md says.
func stopTime(c *config.Config) time.Duration {
	return c.Proxy.ShutdownDelay + lingerTime + c.Proxy.ShutdownTimeout
}

func readDeploy(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestUnits(t *testing.T) {
	units := []string{"sluice.socket", "sluice@.service", "sluice-controller.service"}
	for _, name := range units[1:] {
		text, n := readDeploy(t, "systemd/"+name), 0
		for _, line := range strings.Split(text, "\n") {
			if key, command, _ := strings.Cut(line, "="); key == "ExecStart" || key == "ExecStartPre" {
				for _, call := range calls(strings.ReplaceAll(command, "%i", "1")) {
					n++
					if err := parses(call, false); err != nil {
						t.Errorf("%s: %s: %v", name, line, err)
					}
				}
			}
		}
		if n != 2 {
			t.Errorf("%s has %d commands", name, n)
		}
		m := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("%s has no TimeoutStopSec", name)
		}
		if s, _ := strconv.Atoi(m[1]); time.Duration(s)*time.Second <= stopTime(config.Default())+10*time.Second { // what shutdown_delay may be
			t.Errorf("%s is killed after %s s", name, m[1])
		}
		if want := "RestartPreventExitStatus=" + strconv.Itoa(exitUsage) + " " + strconv.Itoa(exitLost); !strings.Contains(text, want+"\n") {
			t.Errorf("%s has no %s", name, want)
		}
	}
	if !strings.Contains(readDeploy(t, "systemd/sluice.socket"), "FileDescriptorName=proxy\n") {
		t.Error("the socket is not named as the program expects it")
	}
	t.Run("systemd", func(t *testing.T) { verifyUnits(t, units) })
}

// verifyUnits has systemd read the units, and say how much of the machine they expose.
func verifyUnits(t *testing.T, units []string) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range units {
		text := strings.ReplaceAll(readDeploy(t, "systemd/"+name), "/usr/bin/sluice", self) // what is run must be there
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), analyze, args...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil || args[0] == "verify" && len(bytes.TrimSpace(out)) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("verify", "--man=no", "sluice.socket", "sluice@1.service", "sluice-controller.service")
	// 10 is a service without any bounds; a threshold is in tenths.
	run("security", "--offline=true", "--no-pager", "--threshold=20", "./sluice@.service", "./sluice-controller.service")
}

// TestContainerfile: it builds with the Go that the module asks for, by the Makefile's
// build, and copies what is there.
func TestContainerfile(t *testing.T) {
	text := readDeploy(t, "container/Containerfile")
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(mod)
	if !strings.Contains(text, "FROM docker.io/library/golang:"+string(version[1])+" AS build\n") {
		t.Errorf("it does not build with Go %s", version[1])
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, " make build\n") || !bytes.Contains(makefile, []byte("go build -o bin/sluice ./cmd/sluice\n")) || !strings.Contains(text, "COPY --from=build /src/bin/sluice ") {
		t.Error("it does not take what `make build` makes")
	}
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(string(bytes.TrimSpace(root)), "lib/time/zoneinfo.zip")); err != nil {
		t.Errorf("Go's time zones are not where it copies them from: %v", err)
	}
	if last := text[strings.LastIndex(text, "FROM "):]; !strings.HasPrefix(last, "FROM scratch\n") || !strings.Contains(last, "\nUSER 65532:65532\n") || strings.Contains(last, "\nRUN ") {
		t.Error("the image has more in it than the program, or runs as root")
	}
	// Without cgo nothing is left out, because only the standard library has any.
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if and .CgoFiles (not .Standard)}}{{.ImportPath}}{{end}}", ".")
	list.Env = append(os.Environ(), "CGO_ENABLED=1")
	out, err := list.Output()
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("packages with cgo: %s, %v", out, err)
	}
}

// manifests are all documents of the manifests of one kind, by name.
func manifests(t *testing.T, kind string) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob("../../deploy/kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	out := map[string]map[string]any{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range bytes.Split(b, []byte("\n---\n")) {
			m, err := yaml.Parser().Unmarshal(doc)
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			if m["kind"] == kind {
				out[at(m, "metadata", "name").(string)] = m
			}
		}
	}
	return out
}

// at follows keys and indices.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// TestManifests: the pods run what the program has, with a configuration that it takes,
// are asked what it answers, and given the time that it needs to stop. That each is what
// Kubernetes takes is tested in deploy/kubernetes/schema.
func TestManifests(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sluice.yaml")
	text, _ := at(manifests(t, "ConfigMap")["sluice"], "data", "sluice.yaml").(string)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, warnings, err := config.Load(&config.Options{File: file, Environ: func() []string { return nil }})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("the configuration: %v %q", err, warnings)
	}
	_, admin, _ := strings.Cut(cfg.Admin.Listen, ":")
	all := manifests(t, "Deployment")
	if len(all) != 2 {
		t.Fatalf("%d deployments", len(all))
	}
	for name, d := range all {
		pod := at(d, "spec", "template", "spec")
		c := at(pod, "containers", 0)
		var args []string
		for _, a := range at(c, "args").([]any) {
			args = append(args, a.(string))
		}
		if err := parses(args, false); err != nil || "sluice-"+args[0] != name {
			t.Errorf("%s runs %q: %v", name, args, err)
		}
		if grace, _ := at(pod, "terminationGracePeriodSeconds").(int); time.Duration(grace)*time.Second <= stopTime(cfg) {
			t.Errorf("%s is killed after %d s, and may take %s", name, grace, stopTime(cfg))
		}
		for probe, path := range map[string]string{"livenessProbe": "/-/healthy", "readinessProbe": "/-/ready", "startupProbe": "/-/healthy"} {
			if got := at(c, probe, "httpGet", "path"); got != path || at(c, probe, "httpGet", "port") != "admin" {
				t.Errorf("%s: %s asks %v", name, probe, at(c, probe, "httpGet"))
			}
		}
		ports := map[string]any{}
		for i := range at(c, "ports").([]any) {
			ports[at(c, "ports", i, "name").(string)] = at(c, "ports", i, "containerPort")
		}
		if strconv.Itoa(ports["admin"].(int)) != admin {
			t.Errorf("%s: the admin port is %v, of the configuration %s", name, ports["admin"], admin)
		}
		if _, isProxy := ports["search"]; isProxy != (args[0] == "proxy") {
			t.Errorf("%s has the ports %v", name, ports)
		}
		for i := range at(c, "env").([]any) {
			if n := at(c, "env", i, "name").(string); strings.HasPrefix(n, "SLUICE_") && n != config.EnvName("name") && n != config.EnvName("admin.advertise") {
				t.Errorf("%s sets %s, which is no key", name, n)
			}
		}
		// Every path that the configuration or an argument names is mounted.
		for _, path := range []string{args[len(args)-1], cfg.Fleet.SecretFile} {
			mounted := false
			for i := range at(c, "volumeMounts").([]any) {
				mounted = mounted || filepath.Dir(path) == at(c, "volumeMounts", i, "mountPath")
			}
			if !mounted {
				t.Errorf("%s: nothing is mounted at %s", name, path)
			}
		}
		labels, selector := at(d, "spec", "template", "metadata", "labels").(map[string]any), at(d, "spec", "selector", "matchLabels").(map[string]any)
		budget, _ := at(manifests(t, "PodDisruptionBudget")[name], "spec", "selector", "matchLabels").(map[string]any)
		for k, v := range labels {
			if selector[k] != v || budget[k] != v {
				t.Errorf("%s: the pods' label %s=%v is not selected: %v, %v", name, k, v, selector, budget)
			}
		}
	}
}

// TestReloadIsTold: docs/running.md says of every key that names a file when its file is
// read again.
func TestReloadIsTold(t *testing.T) {
	all, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Join(regexp.MustCompile(`(?m)^\| .*$`).FindAllString(string(all), -1), "\n")
	flags := pflag.NewFlagSet("t", pflag.ContinueOnError)
	config.AddFlags(flags, "name", "store", "proxy", "admin", "fleet", "controller", "telemetry", "log", "api")
	n := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if strings.HasSuffix(f.Name, "_file") || strings.HasSuffix(f.Name, "_files") {
			n++
			if strings.Count(page, "`"+f.Name+"`") != 1 {
				t.Errorf("docs/running.md does not say, or says twice, when the file of %s is read again", f.Name)
			}
		}
	})
	if n < 20 {
		t.Errorf("only %d keys name files", n)
	}
	for _, name := range regexp.MustCompile("`([a-z_]+\\.[a-z_.]+_files?)`").FindAllStringSubmatch(page, -1) {
		if flags.Lookup(name[1]) == nil {
			t.Errorf("docs/running.md names %s, which is no key", name[1])
		}
	}
}

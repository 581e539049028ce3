package demo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/internal/demo"
)

// TestConfigurationIsValid reads what NewFleet writes as the processes do.
func TestConfigurationIsValid(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `a "strange" dir`)
	must(t, os.Mkdir(dir, 0o755))
	f, err := demo.NewFleet("/nonexistent", dir, &demo.FleetOptions{Proxies: 3, Extra: map[string][]string{
		"proxy": {"session_ttl: 3s"}, "log": {"level: debug"},
	}})
	must(t, err)
	if len(f.Proxies) != 3 || len(f.URLs()) != 3 {
		t.Fatalf("%v", f.URLs())
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	must(t, err)
	if len(files) != 5 {
		t.Fatalf("%v", files)
	}
	for _, file := range files {
		c, warnings, err := config.Load(&config.Options{File: file, Environ: func() []string { return nil }})
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%s: %v %v", file, err, warnings)
		}
		if c.Proxy.SessionTTL != 3*time.Second || c.Log.Level != "debug" || c.Fleet.SecretFile != filepath.Join(dir, "fleet.secret") {
			t.Errorf("%s: %+v", file, c)
		}
		if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); name == "controller" {
			if c.Store.Etcd.Embedded.ClientURL != f.EtcdURL() || len(c.Store.Etcd.Endpoints) != 0 {
				t.Errorf("%s: %+v", file, c.Store)
			}
		} else if len(c.Store.Etcd.Endpoints) != 1 || c.Store.Etcd.Endpoints[0] != f.EtcdURL() {
			t.Errorf("%s: %+v", file, c.Store)
		}
	}
}

// TestFleetOfSeveralControllers: each has its own file, none an etcd inside, and proxies are reached where they are told to be.
func TestFleetOfSeveralControllers(t *testing.T) {
	if _, err := demo.NewFleet("/nonexistent", t.TempDir(), &demo.FleetOptions{Controllers: 2}); err == nil {
		t.Error("two controllers were given an etcd inside")
	}
	dir := t.TempDir()
	f, err := demo.NewFleet("/nonexistent", dir, &demo.FleetOptions{
		Controllers: 2, Store: []string{"etcd:", "  endpoints: [\"http://127.0.0.1:1\"]"},
		Advertise: func(proxy, listens string) (string, error) { return proxy + ".example:1", nil },
	})
	must(t, err)
	var names []string
	for _, p := range f.Processes() {
		names = append(names, p.Name)
		c, warnings, err := config.Load(&config.Options{File: filepath.Join(dir, p.Name+".yaml"), Environ: func() []string { return nil }})
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%s: %v %v", p.Name, err, warnings)
		}
		want := "http://" + c.Admin.Listen
		if strings.HasPrefix(p.Name, "proxy") {
			want = "http://" + p.Name + ".example:1"
		}
		if c.Store.Embedded() || c.Admin.Advertise != want {
			t.Errorf("%s: %+v, %+v", p.Name, c.Store, c.Admin)
		}
	}
	if got := strings.Join(names, " "); got != "controller-1 controller-2 proxy-1 proxy-2" {
		t.Error(got)
	}
}

// TestFailedStartQuotesTheLog starts a fleet of a program that says something and ends.
func TestFailedStartQuotesTheLog(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "sluice")
	must(t, os.WriteFile(program, []byte("#!/bin/sh\necho no $1 today >&2\nexit 3\n"), 0o755))
	f, err := demo.NewFleet(program, dir, nil)
	must(t, err)
	err = f.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "| no controller today") || !strings.Contains(err.Error(), "exit status 3") {
		t.Fatalf("%v", err)
	}
	must(t, f.Stop())
	if _, err := f.Run(t.Context(), nil, "cluster", "list"); err == nil || !strings.Contains(err.Error(), "sluice cluster list") {
		t.Errorf("%v", err)
	}
}

func TestOptionsNameTheFlagAndTheFix(t *testing.T) {
	for flag, change := range map[string]func(*demo.Options){
		"--docs":       func(o *demo.Options) { o.Docs = 3 },
		"--rate":       func(o *demo.Options) { o.Rate = 0 },
		"--clients":    func(o *demo.Options) { o.Workers = 0 },
		"--settle":     func(o *demo.Options) { o.Settle = -1 },
		"--moves":      func(o *demo.Options) { o.Moves = 0 },
		"--opensearch": func(o *demo.Options) { o.OpenSearch = []string{"1.3.0", "2.19.6"} },
	} {
		o := demo.Defaults()
		must(t, o.Validate())
		change(&o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), flag+":") {
			t.Errorf("%s: %v", flag, err)
		}
	}
	o := demo.Defaults()
	o.OpenSearch = []string{"2.19.6", "3.9.0"}
	must(t, o.Validate()) // the way back is a rollback
	o.OpenSearch = []string{"3.9.0", "2.19.6"}
	if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), "--opensearch: ") {
		t.Errorf("to an older version: %v", err)
	}
}

package config_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/placement"
)

func noEnv() []string { return nil }

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sluice.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestExampleIsTheDefaults(t *testing.T) {
	var b bytes.Buffer
	if err := config.WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	got, warnings, err := config.Load(&config.Options{File: write(t, b.String()), Environ: noEnv})
	if err != nil {
		t.Fatalf("the example is refused: %v\n%s", err, b.String())
	}
	if d := cmp.Diff(config.Default(), got); d != "" {
		t.Errorf("the example is not the defaults:\n%s", d)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings: %q", warnings)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if len(line) > 130 {
			t.Errorf("line of %d columns: %s", len(line), line)
		}
	}
}

func TestEveryKeyIsCommented(t *testing.T) {
	var b bytes.Buffer
	if err := config.WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	previous := ""
	for i, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		s := strings.TrimSpace(line)
		if s != "" && !strings.HasPrefix(s, "#") && !strings.HasPrefix(previous, "#") {
			t.Errorf("line %d has no comment above it: %s", i+1, line)
		}
		previous = s
	}
}

func TestPrecedence(t *testing.T) {
	file := write(t, "proxy:\n  hold_requests: 11\n  hold_deadline: 6s\n  session_ttl: 7s\nstore:\n  etcd:\n    endpoints: [http://a:1, http://b:2]\n")
	flags := pflag.NewFlagSet("t", pflag.ContinueOnError)
	config.AddFlags(flags, "proxy", "store")
	if err := flags.Parse([]string{"--proxy.hold_deadline=9s"}); err != nil {
		t.Fatal(err)
	}
	environ := func() []string {
		return []string{
			"SLUICE_PROXY_HOLD_DEADLINE=8s", "SLUICE_PROXY_SESSION_TTL=8s",
			"SLUICE_STORE_ETCD_ENDPOINTS=http://c:3, http://d:4", "SLUICE_PROXY_HOLD_BYTES=2GiB",
			"SLUICE_PROXY_HOLD_DEADLIN=1s", "SLUICE_PROXY_SERVICE_HOST=10.0.0.1", "PATH=/bin",
		}
	}
	c, warnings, err := config.Load(&config.Options{File: file, Flags: flags, Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	p := c.Proxy
	got := []any{p.ShutdownTimeout, p.HoldRequests, p.SessionTTL, p.HoldDeadline, p.HoldBytes, c.Store.Etcd.Endpoints}
	want := []any{15 * time.Second, 11, 8 * time.Second, 9 * time.Second, int64(2 << 30), []string{"http://c:3", "http://d:4"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("default < file < environment < flag (-want +got):\n%s", d)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "did you mean SLUICE_PROXY_HOLD_DEADLINE?") {
		t.Errorf("warnings: %q", warnings)
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, yaml, field, says string
	}{
		{"misspelt key", "proxy:\n  hold_deadlin: 5s\n", "", "proxy.hold_deadlin\" is a key that sluice does not know; did you mean proxy.hold_deadline?"},
		{"key in the wrong group", "hold_deadline: 5s\n", "", "did you mean proxy.hold_deadline?"},
		{"unknown key near none", "zookeeper: true\n", "", "`sluice config example` lists all"},
		{"not YAML", "proxy: [\n", "--config", "must be YAML"},
		{"a tab", "proxy:\n\tmode: fresh\n", "--config", "must be YAML"},
		{"a scalar for a group", "proxy: fast\n", "proxy", "must be a group of keys"},
		{"a group for a scalar", "proxy:\n  mode:\n    x: y\n", "", "proxy.mode.x"},
		{"duration without unit", "proxy:\n  hold_deadline: 5\n", "proxy.hold_deadline", "must be a duration with its unit"},
		{"negative duration", "proxy:\n  hold_deadline: -5s\n", "proxy.hold_deadline", "must be at least 1ms"},
		{"word for a number", "proxy:\n  hold_requests: many\n", "proxy.hold_requests", "must be a whole number"},
		{"bad size", "proxy:\n  hold_bytes: 3 parsecs\n", "proxy.hold_bytes", "must be a number of bytes"},
		{"huge size", "proxy:\n  hold_bytes: 1e300\n", "proxy.hold_bytes", "must be a number of bytes"},
		{"given twice", "proxy.mode: leased\nproxy:\n  mode: fresh\n", "proxy.mode", "is given twice"},
		{"mode", "proxy:\n  mode: stale\n", "proxy.mode", "must be one of fresh, leased"},
		{"no tenant source", "proxy:\n  tenant:\n    header: \"\"\n", "proxy.tenant.header", "must be set unless"},
		{"tenant host without a variable", "proxy:\n  tenant:\n    host: search.example.com\n", "proxy.tenant.host", "must hold {tenant} once"},
		{"endpoint without scheme", "store:\n  etcd:\n    endpoints: [etcd-1:2379]\n", "store.etcd.endpoints[0]", "must be a URL"},
		{"endpoint list of numbers", "store:\n  etcd:\n    endpoints: [1, 2]\n", "store.etcd.endpoints", "must be a list of strings"},
		{"unknown store", "store:\n  kind: zookeeper\n", "store.kind", "must be one of etcd, consul, redis, opensearch"},
		{"store forgotten", "store:\n  redis:\n    addresses: [a:1]\n", "store.kind", "because store.redis.addresses is set: redis, or etcd"},
		{"store left empty", "store:\n  kind:\n  consul:\n    prefix: x/\n", "store.kind", "because store.consul.prefix is set: consul, or etcd"},
		{"word for a switch", "store:\n  kind: redis\n  redis:\n    tls:\n      enabled: perhaps\n", "store.redis.tls.enabled", "must be true or false"},
		{"short session on Consul", "store:\n  kind: consul\nproxy:\n  session_ttl: 9s\n", "proxy.session_ttl", "must be from 10s to 24h0m0s with store.kind consul"},
		{"long session on Consul", "store:\n  kind: consul\ncontroller:\n  session_ttl: 25h\n", "controller.session_ttl", "must be from 10s to 24h0m0s"},
		{"user without password", "store:\n  etcd:\n    username: u\n", "store.etcd.password_file", "must be set"},
		{"certificate without key", "proxy:\n  tls:\n    cert_file: x\n", "proxy.tls.key_file", "must be set"},
		{"client CA without certificate", "proxy:\n  tls:\n    client_ca_file: x\n", "proxy.tls.cert_file", "because proxy.tls.client_ca_file is"},
		{"client certificates without a CA", "proxy:\n  tenant:\n    client_cert:\n      field: cn\n", "proxy.tls.client_ca_file", "because proxy.tenant.client_cert.field is"},
		{"field of a certificate", "proxy:\n  tls:\n    cert_file: c\n    key_file: k\n    client_ca_file: a\n  tenant:\n    client_cert:\n      field: serial\n", "proxy.tenant.client_cert.field", "must be one of"},
		{"tokens without audience", "proxy:\n  tenant:\n    jwt:\n      keys_file: x\n      issuer: y\n", "proxy.tenant.jwt.audience", "must be set"},
		{"symmetric tokens", "proxy:\n  tenant:\n    jwt:\n      keys_file: x\n      issuer: y\n      audience: z\n      algorithms: [HS256]\n", "proxy.tenant.jwt.algorithms", "must be some of RS256"},
		{"trusted users in a file", "proxy:\n  tenant:\n    basic:\n      trusted: true\n      users_file: x\n", "proxy.tenant.basic.trusted", "must be false"},
		{"drain below timeout", "proxy:\n  drain_barrier: 1s\n", "proxy.drain_barrier", "must not be below proxy.upstream_write_timeout"},
		{"cutover above hold", "controller:\n  cutover_deadline: 6s\n", "controller.cutover_deadline", "must be below proxy.hold_deadline"},
		{"controller's drain below timeout", "controller:\n  drain_barrier: 1s\n", "controller.drain_barrier", "must not be below proxy.upstream_write_timeout"},
		{"barrier", "controller:\n  barrier: hope\n", "controller.barrier", "must be one of fleet, time"},
		{"timed barrier above the budget", "controller:\n  barrier: time\n", "controller.pause_budget", "must be above controller.drain_barrier, which is 30s"},
		{"too many series", "telemetry:\n  metrics_tenants: 10001\n", "telemetry.metrics_tenants", "must be from 0 to 10000"},
		{"no copy workers", "controller:\n  copy_workers: 0\n", "controller.copy_workers", "must be from 1 to 64"},
		{"cursor affinity", "proxy:\n  cursors:\n    affinity: sticky\n", "proxy.cursors.affinity", "must be one of off, pin"},
		{"no cursors", "proxy:\n  cursors:\n    limit: 0\n", "proxy.cursors.limit", "must be from 1 to 10000000"},
		{"brief cursors", "proxy:\n  cursors:\n    ttl: 1ms\n", "proxy.cursors.ttl", "must be at least 1s"},
		{"budget above deadline", "controller:\n  pause_budget: 3s\n", "controller.pause_budget", "must not be above"},
		{"listen without port", "proxy:\n  listen: localhost\n", "proxy.listen", "must be host:port"},
		{"same address twice", "proxy:\n  listen: 127.0.0.1:9281\n", "admin.listen", "must differ from proxy.listen"},
		{"API at no URL", "api:\n  advertise: somewhere\n", "api.advertise", ""},
		{"API for all", "api:\n  listen: :9282\n", "api.listen", "must be an address of loopback"},
		{"API in the clear", "api:\n  listen: :9282\n  auth:\n    tokens_file: x\n", "api.tls.cert_file", "must not cross the network in the clear"},
		{"operators' certificates without a CA", "api:\n  auth:\n    certificates: [admin cn=ops]\n", "api.tls.client_ca_file", "must be set"},
		{"API beside the proxy", "api:\n  listen: 127.0.0.1:9280\n", "api.listen", "must differ from proxy.listen"},
		{"API with half a certificate", "api:\n  tls:\n    cert_file: x\n", "api.tls.key_file", "must be set"},
		{"credentials in a URL", "admin:\n  advertise: http://u:secret@h:1\n", "admin.advertise", "must not hold credentials"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := config.Load(&config.Options{File: write(t, tt.yaml), Environ: noEnv})
			var inv *placement.InvalidError
			if !errors.As(err, &inv) {
				t.Fatalf("got %v, want an InvalidError", err)
			}
			if tt.field != "" && inv.Field != tt.field || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %q for field %q, want field %q and %q", err, inv.Field, tt.field, tt.says)
			}
			if strings.Contains(err.Error(), "secret@") {
				t.Errorf("the message shows a credential: %v", err)
			}
		})
	}
}

func TestCredentialsInTheClear(t *testing.T) {
	for _, tt := range []struct {
		yaml string
		warn []string
	}{
		{"proxy:\n  listen: :9280\n", []string{"proxy.cleartext: allow"}},
		{"proxy:\n  listen: :9280\n  cleartext: allow\n", nil},
		{"proxy:\n  listen: :9280\n  trusted_proxies: [10.0.0.0/8]\n", nil},
		{"proxy:\n  listen: :9280\n  cleartext: refuse\n  tenant:\n    basic:\n      users_file: x\n", []string{"proxy.cleartext: allow", "in the clear"}},
		{"proxy:\n  listen: 127.0.0.1:9280\n  tenant:\n    basic:\n      users_file: x\n", nil},
		{"proxy:\n  listen: :9280\n  tls:\n    cert_file: c\n    key_file: k\n  tenant:\n    api_key:\n      keys_file: x\n", nil},
	} {
		_, warnings, err := config.Load(&config.Options{File: write(t, tt.yaml), Environ: noEnv})
		if err != nil || len(warnings) != len(tt.warn) {
			t.Errorf("%q: %v, warnings %q, want %q", tt.yaml, err, warnings, tt.warn)
			continue
		}
		for i, says := range tt.warn {
			if !strings.Contains(warnings[i], says) {
				t.Errorf("%q: warning %q, want %q", tt.yaml, warnings[i], says)
			}
		}
	}
}

func TestTimedBarrierIsAllowedLongPauses(t *testing.T) {
	_, _, err := config.Load(&config.Options{File: write(t, "controller:\n  barrier: time\n  drain_barrier: 30s\n  pause_budget: 1m\n  cutover_deadline: 2m\n"), Environ: noEnv})
	if err != nil {
		t.Error(err)
	}
}

// The sections of two stores in one file are what a transfer between them needs.
func TestSectionOfAnotherStore(t *testing.T) {
	file := "store:\n  kind: redis\n  redis:\n    addresses: [a:1]\n  consul:\n    addresses: [http://b:1]\n    prefix: x/\nproxy:\n  session_ttl: 5s\n"
	c, warnings, err := config.Load(&config.Options{File: write(t, file), Environ: noEnv})
	if err != nil {
		t.Fatal(err)
	}
	if c.Store.Kind != "redis" || c.Store.Embedded() || len(warnings) != 1 || !strings.Contains(warnings[0], "nothing of store.consul is used") {
		t.Errorf("kind %s, warnings %q", c.Store.Kind, warnings)
	}
	// The kind from the environment goes over the file's.
	c, _, err = config.Load(&config.Options{File: write(t, file), Environ: func() []string { return []string{"SLUICE_STORE_KIND=opensearch"} }})
	if err != nil || c.Store.Kind != "opensearch" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, _, err := config.Load(&config.Options{File: write(t, "proxy:\n  hold_requests: 0\n  journal_limit: 0\n"), Environ: noEnv})
	if err == nil || !strings.Contains(err.Error(), "proxy.hold_requests") || !strings.Contains(err.Error(), "proxy.journal_limit") {
		t.Errorf("got %v, want both fields named", err)
	}
}

func TestEmptyGroupsAndMissingFile(t *testing.T) {
	c, _, err := config.Load(&config.Options{File: write(t, "proxy:\nstore: {}\nlog:\n  level:\n"), Environ: noEnv})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(config.Default(), c); d != "" {
		t.Error(d)
	}
	_, _, err = config.Load(&config.Options{File: "/nowhere/sluice.yaml", Environ: noEnv})
	var inv *placement.InvalidError
	if !errors.As(err, &inv) || !strings.Contains(err.Error(), "sluice config example") {
		t.Errorf("missing file: %v", err)
	}
}

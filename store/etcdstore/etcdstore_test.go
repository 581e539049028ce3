package etcdstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

var namespaces atomic.Int64

func prefix() string { return fmt.Sprintf("/test-%d/", namespaces.Add(1)) }

func startEmbedded(t *testing.T, dir string) *etcdstore.Embedded {
	t.Helper()
	e, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://127.0.0.1:0", Prefix: prefix()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func connect(t *testing.T, endpoint, prefix string) *etcdstore.Store {
	t.Helper()
	s, err := etcdstore.Open(t.Context(), etcdstore.Config{Endpoints: []string{endpoint}, Prefix: prefix}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// compactAt forgets everything up to the engine's newest revision.
func compactAt(t *testing.T, endpoint string) {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r, err := c.Get(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compact(t.Context(), r.Header.Revision); err != nil {
		t.Fatal(err)
	}
}

func harness(endpoint string, fresh func(t *testing.T) driver.Driver) drivertest.Harness {
	return drivertest.Harness{
		New: fresh,
		// A leader grants at least its election timeout, rounded up to seconds.
		TTL:     2 * time.Second,
		Late:    4 * time.Second,
		Compact: func(t *testing.T, _ driver.Driver) { compactAt(t, endpoint) },
		Faults: func(t *testing.T) drivertest.Faults {
			p, err := faultproxy.New(strings.TrimPrefix(endpoint, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Close() })
			ns := prefix()
			return drivertest.Faults{
				Driver: connect(t, "http://"+p.Addr(), ns), Direct: connect(t, endpoint, ns),
				Cut: p.DropRequests, CutReplies: p.DropReplies, Heal: p.Pass,
			}
		},
	}
}

func TestContractEmbeddedInProcess(t *testing.T) {
	e, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "http://127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	drivertest.Run(t, harness(e.Endpoint(), func(*testing.T) driver.Driver { return e.WithPrefix(prefix()) }))
}

func TestContractRealProcess(t *testing.T) {
	p := enginetest.Etcd(t)
	drivertest.Run(t, harness(p.URL(), func(t *testing.T) driver.Driver { return connect(t, p.URL(), prefix()) }))
}

// TestKillLosesNothing kills the engine while writes go on: what was
// acknowledged is there afterwards, and versions go on growing.
func TestKillLosesNothing(t *testing.T) {
	p := enginetest.Etcd(t)
	s := connect(t, p.URL(), prefix())
	acked := map[string]driver.Version{}
	for round := range 3 {
		stop := time.Now().Add(300 * time.Millisecond)
		for i := 0; time.Now().Before(stop); i++ {
			name := fmt.Sprintf("%d-%d", round, i)
			v, err := s.Write(t.Context(), driver.Write{Key: driver.Key{Space: "entries", Name: name}, Value: []byte("x")})
			if err != nil {
				t.Fatal(err)
			}
			acked[name] = v
		}
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := p.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]driver.Version{}
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, err := s.List(t.Context(), "entries", func(kv driver.KV) bool { got[kv.Name] = kv.Version; return true })
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	for name, v := range acked {
		if got[name] != v {
			t.Fatalf("%s was acknowledged at %d and is at %d after the kills", name, v, got[name])
		}
	}
	t.Logf("%d acknowledged writes over 3 kills, none lost", len(acked))
}

func TestEmbeddedIsDurableAndClosesQuickly(t *testing.T) {
	dir := t.TempDir()
	k := driver.Key{Space: "entries", Name: "k"}
	e, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, e.Endpoint(), "")
	v, err := c.Write(t.Context(), driver.Write{Key: k, Value: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	watching, cancel := context.WithCancel(t.Context())
	go func() { _ = c.Watch(watching, "entries", v, func([]driver.Event) error { return nil }) }()
	began := time.Now()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("Close took %v with a client connected", took)
	}
	cancel()
	if e, err = etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://127.0.0.1:0"}, nil); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	kv, err := e.Store().Get(t.Context(), k)
	if err != nil || string(kv.Value) != "x" || kv.Version != v {
		t.Fatalf("after a restart: %q at %d, %v; want x at %d", kv.Value, kv.Version, err, v)
	}
	if v2, err := e.Store().Write(t.Context(), driver.Write{Key: k, Value: []byte("y"), Expect: v}); err != nil || v2 <= v {
		t.Fatalf("version %d after %d, %v", v2, v, err)
	}
}

func TestEmbeddedRefusals(t *testing.T) {
	dir := t.TempDir()
	e := startEmbedded(t, dir)
	defer e.Close()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		config etcdstore.EmbeddedConfig
		field  string
	}{
		"directory in use": {etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://127.0.0.1:0"}, "store.etcd.embedded.data_dir"},
		"no directory":     {etcdstore.EmbeddedConfig{}, "store.etcd.embedded.data_dir"},
		"port in use":      {etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "http://" + taken.Addr().String()}, "store.etcd.embedded.client_url"},
		"no URL":           {etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "localhost"}, "store.etcd.embedded.client_url"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := etcdstore.StartEmbedded(t.Context(), c.config, nil)
			var invalid *placement.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != c.field {
				t.Fatalf("got %v, want an error that names %s", err, c.field)
			}
		})
	}
}

func TestConfigValidate(t *testing.T) {
	ok := []string{"http://127.0.0.1:2379"}
	for field, c := range map[string]etcdstore.Config{
		"store.etcd.endpoints":     {},
		"store.etcd.endpoints[0]":  {Endpoints: []string{"127.0.0.1:2379"}},
		"store.etcd.prefix":        {Endpoints: ok, Prefix: "sluice"},
		"store.etcd.password_file": {Endpoints: ok, Username: "root"},
		"store.etcd.tls.key_file":  {Endpoints: ok, TLS: etcdstore.TLS{CertFile: "c.pem"}},
	} {
		var invalid *placement.InvalidError
		if err := c.Validate(); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("got %v, want an error that names %s", err, field)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := etcdstore.Open(ctx, etcdstore.Config{Endpoints: []string{"http://127.0.0.1:1"}}, &etcdstore.Options{Timeout: time.Second})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Fatalf("got %v, want an error that names the address", err)
	}
	bad := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bad, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = etcdstore.Open(ctx, etcdstore.Config{Endpoints: []string{"https://127.0.0.1:1"}, TLS: etcdstore.TLS{CAFile: bad}}, nil)
	var invalid *placement.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != "store.etcd.tls.ca_file" {
		t.Fatalf("got %v, want an error that names store.etcd.tls.ca_file", err)
	}
}

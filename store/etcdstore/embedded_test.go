package etcdstore_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// Close takes no time though clients watch, and what was written is there after
// a restart, under its version, with newer ones to come. It all is quiet.
func TestEmbeddedIsDurableAndClosesAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var log bytes.Buffer
	start := func() *etcdstore.Embedded {
		e, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://localhost:0"},
			&etcdstore.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := start()
	defer func() { _ = e.Close() }()
	c := connect(t, "", e.Endpoint())
	v := put(t, c, key("k"), "x", 0)
	watching := make(chan struct{}, 3)
	for _, s := range []*etcdstore.Store{c, c, e.Store()} {
		go func() {
			_ = s.Watch(t.Context(), "entries", v-1, func([]driver.Event) error { watching <- struct{}{}; return nil })
		}()
	}
	for range cap(watching) {
		<-watching
	}
	began := time.Now()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 2*time.Second { // some milliseconds when the machine is idle
		t.Errorf("Close took %v with clients connected", took)
	}
	<-e.Done()
	_ = c.Close()

	e = start()
	if kv, err := e.Store().Get(t.Context(), key("k")); err != nil || string(kv.Value) != "x" || kv.Version != v {
		t.Fatalf("after a restart: %q at %d, %v; want x at %d", kv.Value, kv.Version, err, v)
	}
	if head, err := e.Store().Head(t.Context(), "entries"); err != nil || head != v {
		t.Fatalf("after a restart the head is %d, %v; want %d", head, err, v)
	}
	if newer := put(t, e.Store(), key("k"), "y", v); newer <= v {
		t.Fatalf("version %d after %d", newer, v)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(log.String()) {
		if !strings.Contains(line, "slow") && !strings.Contains(line, "too long") { // so is the machine at times
			t.Errorf("in two ordinary lives a member logged: %s", line)
		}
	}
}

// What is wrong with the configuration is said within moments, by the name of
// the field.
func TestEmbeddedRefusals(t *testing.T) {
	t.Parallel()
	used := t.TempDir()
	e := startEmbedded(t, used)
	foreign := t.TempDir()
	startForeign(t, filepath.Join(foreign, "etcd"))
	for name, test := range map[string]struct {
		config etcdstore.EmbeddedConfig
		field  string
	}{
		"directory in use":         {etcdstore.EmbeddedConfig{DataDir: used, ClientURL: "http://127.0.0.1:0"}, "store.etcd.embedded.data_dir"},
		"directory of a bare etcd": {etcdstore.EmbeddedConfig{DataDir: foreign, ClientURL: "http://127.0.0.1:0"}, "store.etcd.embedded.data_dir"},
		"no directory":             {etcdstore.EmbeddedConfig{}, "store.etcd.embedded.data_dir"},
		"port in use":              {etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: e.Endpoint()}, "store.etcd.embedded.client_url"},
		"no port":                  {etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "http://127.0.0.1"}, "store.etcd.embedded.client_url"},
		"no URL":                   {etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "localhost"}, "store.etcd.embedded.client_url"},
		"not loopback":             {etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "http://0.0.0.0:0"}, "store.etcd.embedded.client_url"},
		"https":                    {etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "https://127.0.0.1:0"}, "store.etcd.embedded.client_url"},
		"prefix":                   {etcdstore.EmbeddedConfig{DataDir: t.TempDir(), Prefix: "sluice"}, "store.etcd.prefix"},
	} {
		began := time.Now()
		_, err := etcdstore.StartEmbedded(t.Context(), test.config, nil)
		var invalid *placement.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != test.field {
			t.Errorf("%s: %v; want an error that names %s", name, err, test.field)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
	put(t, e.Store(), key("k"), "still works", 0)
}

// startForeign runs an etcd that knows nothing of this package on a directory.
func startForeign(t *testing.T, dir string) {
	t.Helper()
	any := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	cfg := embed.NewConfig()
	cfg.Dir = dir
	cfg.ListenClientUrls, cfg.ListenPeerUrls = any, any
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	<-e.Server.ReadyNotify()
	t.Cleanup(e.Close)
}

// Data that etcd cannot read is an error, not the end of the process.
func TestEmbeddedWithDamagedData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filepath.Join(dir, "etcd", "member", "snap", "db")
	if err := os.MkdirAll(filepath.Dir(db), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(db, bytes.Repeat([]byte("no database "), 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://127.0.0.1:0"}, nil)
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Fatalf("%v; want an error that names the directory", err)
	}
}

// A first start that is interrupted, at whatever moment, is in the way of no
// later one; what was acknowledged after a start that succeeded is never put
// aside.
func TestEmbeddedStartIsInterrupted(t *testing.T) {
	t.Parallel()
	for i := range 12 {
		dir := t.TempDir()
		config := etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://127.0.0.1:0"}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
		began := time.Now()
		e, err := etcdstore.StartEmbedded(ctx, config, nil)
		cancel()
		if err == nil {
			err = e.Close()
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v; want the context's error", err)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
		var v driver.Version
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			e, err := etcdstore.StartEmbedded(ctx, config, nil)
			cancel()
			if err != nil {
				t.Fatalf("after a start that was interrupted after %d ms: %v", i, err)
			}
			v = put(t, e.Store(), key("k"), "x", v)
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A member that cannot note that it has begun to serve must not: the next start
// would put aside what it acknowledges.
func TestEmbeddedDoesNotServeUnnoted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// A directory with something in it cannot be removed like a file.
	if err := os.MkdirAll(filepath.Join(dir, "first-start", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://127.0.0.1:0"}, nil)
	if err == nil || !strings.Contains(err.Error(), "first-start") {
		t.Fatalf("%v; want an error that names the file", err)
	}
}

// Only clients can connect: nothing listens for peers.
func TestEmbeddedListensOnce(t *testing.T) {
	t.Parallel()
	e := startEmbedded(t, t.TempDir())
	u, err := url.Parse(e.Endpoint())
	if err != nil || !net.ParseIP(u.Hostname()).IsLoopback() || u.Port() == "0" {
		t.Fatalf("the endpoint is %s, %v", e.Endpoint(), err)
	}
	var members []string
	for _, l := range e.Listeners() {
		members = append(members, l.Addr().String())
	}
	if len(members) != 1 || members[0] != u.Host {
		t.Fatalf("it listens on %v; want %s alone", members, u.Host)
	}
}

// etcd's log becomes ours: its warnings and errors, with their fields.
func TestLogBridge(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := etcdstore.NewZap(slog.New(slog.NewTextHandler(&out, nil)), zapcore.WarnLevel)
	log.Info("not this")
	log.With(zap.String("member", "a b")).Warn("slow", zap.Duration("took", time.Second), zap.Error(errors.New("oops")))
	log.Error("bad", zap.Int("n", 3))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Fatal did not panic")
			}
		}()
		log.Fatal("the end")
	}()
	got := out.String()
	for _, want := range []string{
		`level=WARN msg="etcd: slow" member="a b" took=1s error=oops`, `level=ERROR msg="etcd: bad" n=3`, `level=ERROR msg="etcd: the end"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in the log:\n%s", want, got)
		}
	}
	if strings.Contains(got, "not this") {
		t.Errorf("an Info was logged:\n%s", got)
	}
}

func BenchmarkHead(b *testing.B) {
	e := startEmbedded(b, b.TempDir())
	c := connect(b, "", e.Endpoint())
	put(b, c, key("k"), "x", 0)
	for name, s := range map[string]*etcdstore.Store{"in process, read": e.Store(), "over the network": c} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Head(b.Context(), "entries"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("in process, nothing written", func(b *testing.B) {
		for b.Loop() {
			if _, ok := e.Store().LocalHead("entries"); !ok {
				b.Fatal("it is not known")
			}
		}
	})
}

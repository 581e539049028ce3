package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// process is a node of the fleet inside this test.
type process struct {
	data, admin string
	cancel      context.CancelFunc
	code        chan int
	log         *syncBuffer
}

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// startProcess runs a command and waits until it is ready.
func startProcess(t *testing.T, command string, flags ...string) *process {
	t.Helper()
	p := &process{data: freeAddress(t), admin: freeAddress(t), code: make(chan int, 1), log: &syncBuffer{}}
	args := append([]string{command, "--admin.listen", p.admin}, flags...)
	if command != "proxy" && !slices.Contains(flags, "--api.listen") {
		args = append(args, "--api.listen", "")
	}
	if command != "controller" {
		args = append(args, "--proxy.listen", p.data)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go func() { p.code <- runContext(ctx, args, io.Discard, p.log) }()
	t.Cleanup(func() { p.stop(t) })
	deadline := time.Now().Add(30 * time.Second)
	for get(t, "http://"+p.admin+"/-/ready") != http.StatusOK {
		select {
		case code := <-p.code:
			p.code <- code
			t.Fatalf("%s ended with %d:\n%s", command, code, p.log)
		case <-time.After(20 * time.Millisecond): // polls a real listener
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready:\n%s", command, p.log)
		}
	}
	return p
}

// startServe runs `sluice serve` with an etcd of its own, and returns it, where its
// proxy listens, and a command line for its store.
func startServe(t *testing.T, flags ...string) (p *process, base string, c cli) {
	t.Helper()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	etcd := "http://" + freeAddress(t)
	p = startProcess(t, "serve", append([]string{"--store.etcd.embedded.data_dir", t.TempDir(), "--store.etcd.embedded.client_url", etcd}, flags...)...)
	return p, "http://" + p.data, cli{t, []string{"--store.etcd.endpoints", etcd}}
}

// stop ends it as a signal would, and returns its exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	p.cancel()
	select {
	case code := <-p.code:
		p.code <- code
		return code
	case <-time.After(40 * time.Second):
		t.Fatalf("it does not stop:\n%s", p.log)
		return -1
	}
}

var noReuse = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func get(t *testing.T, url string) int {
	t.Helper()
	resp, err := noReuse.Get(url)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestServeStartsAndStopsInOrder(t *testing.T) {
	t.Parallel()
	dir, etcd := t.TempDir(), "http://"+freeAddress(t)
	table := []string{"--store.etcd.embedded.data_dir", dir, "--store.etcd.embedded.client_url", etcd}
	operators := freeAddress(t)
	serve := startProcess(t, "serve", append(table, "--api.listen", operators)...)
	checkAPI(t, "http://"+operators, filepath.Join(dir, "api.token"))
	// A second proxy needs nothing but the table's address and the same directory.
	second := startProcess(t, "proxy", table...)
	for _, p := range []*process{serve, second} {
		if code := get(t, "http://"+p.admin+"/-/healthy"); code != http.StatusOK {
			t.Errorf("healthy: %d", code)
		}
		if code := get(t, "http://"+p.admin+"/-/fleet/v1/holds?move=m"); code != http.StatusUnauthorized {
			t.Errorf("the fleet's endpoint answers %d to a stranger", code)
		}
		resp, err := noReuse.Get("http://" + p.admin + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		for _, name := range []string{"sluice_gate_serving 1", "sluice_build_info", "go_goroutines"} {
			if !strings.Contains(string(body), name) {
				t.Errorf("metrics lack %s", name)
			}
		}
		req, _ := http.NewRequest("GET", "http://"+p.data+"/docs/_doc/1", nil)
		req.Header.Set("X-Sluice-Tenant", "nobody")
		resp, err = noReuse.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("an unknown tenant gets %d", resp.StatusCode)
		}
	}
	c := cli{t, []string{"--store.etcd.endpoints", etcd}}
	if out := c.ok("tenant", "list", "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("tenants: %q", out)
	}
	info, err := os.Stat(filepath.Join(dir, "fleet.secret"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("generated secret: %v, %v", info, err)
	}
	// h2c: HTTP/2 without TLS, with prior knowledge.
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: p}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get("http://" + serve.data + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("prior knowledge of HTTP/2 gets %s", resp.Proto)
	}
	for _, p := range []*process{second, serve} {
		if code := p.stop(t); code != exitOK || !strings.Contains(p.log.String(), "msg=stopped") {
			t.Errorf("stopped with %d:\n%s", code, p.log)
		}
	}
	// The table is durable, and its directory free again.
	startProcess(t, "serve", table...)
}

// checkAPI asks a process that serves the API.
func checkAPI(t *testing.T, base, tokenFile string) {
	t.Helper()
	token, err := os.ReadFile(tokenFile)
	if info, serr := os.Stat(tokenFile); err != nil || serr != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the generated token: %v, %v", err, serr)
	}
	for token, want := range map[string]int{strings.TrimSpace(string(token)): http.StatusOK, "another": http.StatusUnauthorized} {
		r, _ := http.NewRequest("GET", base+"/api/v1/tenants", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := noReuse.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != want {
			t.Errorf("with a token: %d, want %d", resp.StatusCode, want)
		}
	}
	for method, path := range map[string]string{"POST": "/clusters?no_check=true", "GET": "/events"} {
		r, _ := http.NewRequest(method, base+"/api/v1"+path, strings.NewReader(`{"name":"a","endpoints":["http://127.0.0.1:1"]}`))
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		r.Header.Set("Content-Type", "application/json")
		resp, err := noReuse.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		begins := make([]byte, 5)
		_, err = io.ReadFull(resp.Body, begins)
		if resp.Body.Close(); err != nil || method == "POST" && resp.StatusCode != http.StatusCreated || method == "GET" && string(begins) != ": con" {
			t.Errorf("%s %s: %d %q, %v", method, path, resp.StatusCode, begins, err)
		}
	}
	for path, says := range map[string]string{
		"/clusters/a": `"name":"a"`, "/audit": `"code":"forbidden"`, "/store": `"kind":"etcd"`, "/sessions?kind=controller": `"state":"live"`, "/tenants": `{"items":[]}`, "/openapi.yaml": "openapi: 3.1.0", "/tenants/x": `"code":"unknown_tenant"`,
	} {
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) { // its own session comes a moment later
			resp, err := noReuse.Get(base + "/api/v1" + path)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err == nil && strings.Contains(string(body), says) {
				break
			}
			if time.Now().After(end) {
				t.Errorf("%s: %d %s, %v", path, resp.StatusCode, body, err)
				break
			}
		}
	}
}

func TestStartRefusals(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	short := filepath.Join(dir, "short.secret")
	if err := os.WriteFile(short, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	etcd := "http://" + freeAddress(t)
	startProcess(t, "controller", "--store.etcd.embedded.data_dir", dir, "--store.etcd.embedded.client_url", etcd)
	for _, tt := range []struct {
		name  string
		flags []string
		says  string
	}{
		{"address in use", []string{"serve", "--api.listen", "", "--proxy.listen", taken.Addr().String()}, "proxy.listen: \"" + taken.Addr().String() + "\" cannot be listened on"},
		{"data directory in use", []string{"serve", "--api.listen", "", "--store.etcd.embedded.data_dir", dir}, "is in use by another process"},
		{"proxy without secret", []string{"proxy", "--store.etcd.endpoints", etcd}, "fleet.secret_file"},
		{"short secret", []string{"proxy", "--store.etcd.endpoints", etcd, "--fleet.secret_file", short}, "must hold at least 16 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := []string{"--admin.listen", freeAddress(t)}
			for flag, value := range map[string]string{
				"--proxy.listen": freeAddress(t), "--store.etcd.embedded.data_dir": t.TempDir(), "--store.etcd.embedded.client_url": "http://" + freeAddress(t),
			} {
				if !strings.Contains(strings.Join(tt.flags, " "), flag+" ") {
					base = append(base, flag, value)
				}
			}
			r := (cli{t, base}).run(tt.flags...)
			if r.code != exitUsage || !strings.Contains(r.stderr, tt.says) {
				t.Errorf("%+v; want code %d and %q", r, exitUsage, tt.says)
			}
		})
	}
}

func TestServiceThatEndsByItself(t *testing.T) {
	failed := make(chan error, 2)
	s := startService("gate", failed, func(context.Context) error { return errors.New("boom") })
	if err := <-failed; err == nil || err.Error() != "gate: boom" {
		t.Errorf("reported %v", err)
	}
	if err := s.stop(); err == nil {
		t.Error("its error is forgotten at the stop")
	}
	s = startService("quiet", failed, func(context.Context) error { return nil })
	if err := <-failed; !errors.Is(err, errEnded) {
		t.Errorf("reported %v", err)
	}
	if err := s.stop(); !errors.Is(err, errEnded) {
		t.Errorf("stop: %v", err)
	}
	s = startService("orderly", failed, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	if err := s.stop(); err != nil {
		t.Errorf("an orderly stop is %v", err)
	}
}

func TestAdvertise(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ advertise, bound, want string }{
		{"", "127.0.0.1:9281", "http://127.0.0.1:9281"},
		{"", "0.0.0.0:9281", "http://" + host + ":9281"},
		{"", "[::]:9281", "http://" + host + ":9281"},
		{"", "[::1]:9281", "http://[::1]:9281"},
		{"http://p1:80/", "127.0.0.1:9281", "http://p1:80"},
	} {
		bound, err := net.ResolveTCPAddr("tcp", tt.bound)
		if err != nil {
			t.Fatal(err)
		}
		if got := advertise(config.Admin{Advertise: tt.advertise}, bound); got != tt.want {
			t.Errorf("advertise(%q, %s) is %s, want %s", tt.advertise, tt.bound, got, tt.want)
		}
		if got := apiURL(config.API{Advertise: tt.advertise}, bound); got != tt.want {
			t.Errorf("the API at %q, %s is %s, want %s", tt.advertise, tt.bound, got, tt.want)
		}
		encrypted := strings.Replace(tt.want, "http:", "https:", 1)
		if got := apiURL(config.API{TLS: config.ServerTLS{CertFile: "f"}}, bound); tt.advertise == "" && got != encrypted {
			t.Errorf("the API at %s is %s, want %s", tt.bound, got, encrypted)
		}
	}
}

// headless is a store without a Head, as an OpenSearch index is.
type headless struct {
	*drivertest.Headless
	mem *memstore.Store
}

func (d headless) Close() error { return d.mem.Close() }

// A process without a gate is ready only while its table can be read, whatever reads
// the store has.
func TestTableReady(t *testing.T) {
	mem := memstore.New(nil)
	for _, d := range []dialed{mem, headless{drivertest.NewHeadless(mem), mem}} {
		n := &node{driver: d, store: store.New(d, nil)}
		if err := n.tableReady(); err != nil {
			t.Error(err)
		}
		defer func() {
			if err := n.tableReady(); err == nil {
				t.Errorf("%T cannot be read, and the process says that it is ready", d)
			}
		}()
	}
	if err := mem.Close(); err != nil {
		t.Error(err)
	}
}

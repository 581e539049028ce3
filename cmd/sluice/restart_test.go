package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// successor is a proxy that was given a listening socket, as systemd does it.
type successor struct {
	cmd   *exec.Cmd
	admin string
	log   *syncBuffer
	ended chan error
}

func succeed(t *testing.T, program string, socket *os.File, flags ...string) *successor {
	t.Helper()
	s := &successor{admin: freeAddress(t), log: &syncBuffer{}, ended: make(chan error, 1)}
	// LISTEN_PID is that of the program: the shell's, which becomes it.
	args := append([]string{"-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, program, "proxy", "--admin.listen", s.admin}, flags...)
	s.cmd = exec.Command("sh", args...)
	s.cmd.ExtraFiles, s.cmd.Stderr = []*os.File{socket}, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	for end := time.Now().Add(time.Minute); get(t, "http://"+s.admin+"/-/ready") != http.StatusOK; {
		if time.Now().After(end) || len(s.ended) > 0 {
			t.Fatalf("the proxy is not ready:\n%s", s.log)
		}
		time.Sleep(20 * time.Millisecond) // polls a real listener
	}
	return s
}

func (s *successor) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("the proxy stopped with %v:\n%s", err, s.log)
		}
	case <-time.After(time.Minute):
		t.Fatalf("the proxy does not stop:\n%s", s.log)
	}
}

// caller is a client of its own, with its own connections.
type caller struct {
	name                   string
	client                 *http.Client
	transport              *http.Transport
	requests, reused, anew atomic.Int64
}

func newCaller(name string, set func(*http.Transport)) *caller {
	tr := &http.Transport{}
	set(tr)
	return &caller{name: name, transport: tr, client: &http.Client{Transport: tr, Timeout: 2 * time.Minute}}
}

// call sends one request, and says what failed as the application sees it.
func (c *caller) call(t *testing.T, base string, n int) error {
	method, path, body := "PUT", fmt.Sprintf("/docs/_doc/%s-%d", c.name, n), `{"n":1}`
	switch n % 5 {
	case 1:
		method, path = "POST", "/docs/_doc"
	case 2:
		method, path, body = "POST", "/docs/_bulk", "{\"index\":{}}\n{\"n\":2}\n"
	case 3:
		method, path, body = "POST", "/docs/_search", `{"size":1}`
	case 4:
		method, path, body = "GET", "/docs/_count", ""
	}
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if i.Reused {
			c.reused.Add(1)
		} else {
			c.anew.Add(1)
		}
	}})
	// No GetBody: a request with a body is not repeated by net/http.
	req, err := http.NewRequestWithContext(ctx, method, base+path, io.MultiReader(strings.NewReader(body)))
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(body))
	if body == "" {
		req.Body = nil
	}
	req.Header.Set("X-Sluice-Tenant", "acme")
	req.Header.Set("Content-Type", "application/json")
	c.requests.Add(1)
	resp, err := c.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode >= 300 || bytes.Contains(b, []byte(`"errors":true`)) {
		return fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, b)
	}
	return nil
}

// Sockets are handed to the program, as it is built.
func TestSockets(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no socket to hand over on Windows")
	}
	program := enginetest.Sluice(t)
	t.Run("restarts", func(t *testing.T) { restarts(t, program) })
	t.Run("refused", func(t *testing.T) { refusedSockets(t, program) })
}

// Proxies are replaced under load, on one socket, and no client sees a failure: not
// while two of them share it, and not while there is none for a moment.
func restarts(t *testing.T, program string) {
	node := enginetest.LendOpenSearch(t, engines.OpenSearch2)
	c, _ := newCLI(t)
	c.ok("cluster", "add", "a", node.URL())
	create, err := http.NewRequest("PUT", node.URL()+"/acme-docs", strings.NewReader(`{"settings":{"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"long"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	create.Header.Set("Content-Type", "application/json")
	resp, err := noReuse.Do(create)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("create the tenant's index: %v, %v", resp, err)
	}
	resp.Body.Close()
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // nobody accepts on it here
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	base := "http://" + l.Addr().String()
	flags := append(c.flags, "--fleet.secret_file", secretFile(t))
	now := succeed(t, program, socket, flags...)

	kinds := map[string]func(*http.Transport){
		"kept": func(tr *http.Transport) {},
		"new":  func(tr *http.Transport) { tr.DisableKeepAlives = true },
		"h2c": func(tr *http.Transport) {
			tr.Protocols = new(http.Protocols)
			tr.Protocols.SetUnencryptedHTTP2(true)
		},
	}
	var callers []*caller
	for kind, n := range map[string]int{"kept": 6, "new": 2, "h2c": 2} {
		for i := range n {
			callers = append(callers, newCaller(fmt.Sprintf("%s-%d", kind, i), kinds[kind]))
		}
	}
	var total atomic.Int64
	var mu sync.Mutex
	var failures []string
	stop := make(chan struct{})
	var running sync.WaitGroup
	for i, who := range callers {
		running.Go(func() {
			defer who.transport.CloseIdleConnections()
			rnd := rand.New(rand.NewPCG(1, uint64(i)))
			for n := 0; ; n++ {
				if err := who.call(t, base, n); err != nil {
					mu.Lock()
					failures = append(failures, who.name+": "+err.Error())
					mu.Unlock()
				}
				total.Add(1)
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(rnd.IntN(20)) * time.Millisecond): // a client thinks
				}
			}
		})
	}
	progress := func() {
		t.Helper()
		target := total.Load() + 300
		for end := time.Now().Add(time.Minute); total.Load() < target; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the clients do not get on:\n%s", now.log)
			}
		}
	}
	progress()
	for range 3 { // side by side
		next := succeed(t, program, socket, flags...)
		progress()
		now.stop(t)
		now = next
		progress()
	}
	now.stop(t) // one after the other
	now = succeed(t, program, socket, flags...)
	progress()
	close(stop)
	running.Wait()
	now.stop(t)
	reused, anew := int64(0), int64(0)
	for _, who := range callers {
		reused, anew = reused+who.reused.Load(), anew+who.anew.Load()
		if strings.HasPrefix(who.name, "kept") && who.reused.Load() < who.requests.Load()/2 {
			t.Errorf("%s used %d of %d connections again: too few to mean anything", who.name, who.reused.Load(), who.requests.Load())
		}
	}
	t.Logf("%d requests, %d on connections that were open and %d on new ones; %d failed", total.Load(), reused, anew, len(failures))
	if len(failures) > 0 {
		t.Errorf("%d of %d requests failed: %s", len(failures), total.Load(), strings.Join(failures[:min(5, len(failures))], "\n"))
	}
}

// A socket that was inherited and is none, or that nothing names, is refused with
// what to do; one for another process is none of this one's.
func refusedSockets(t *testing.T, program string) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, tt := range map[string]struct{ env, says string }{
		"a file":       {"LISTEN_PID=$$ LISTEN_FDS=1", "must be sockets that listen"},
		"two, no name": {"LISTEN_PID=$$ LISTEN_FDS=2", "LISTEN_FDNAMES name one of the sockets proxy"},
		"no number":    {"LISTEN_PID=$$ LISTEN_FDS=x", "must be 1"},
		"not for us":   {"LISTEN_PID=1 LISTEN_FDS=x", "cannot be listened on"},
	} {
		cmd := exec.Command("sh", "-c", tt.env+` exec "$0" "$@"`, program, "serve", "--api.listen", "", "--admin.listen", "127.0.0.1:0", "--proxy.listen", taken.Addr().String(), "--store.etcd.embedded.data_dir", t.TempDir())
		cmd.ExtraFiles = []*os.File{file}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), tt.says) {
			t.Errorf("%s: %v, %s", name, err, out)
		}
	}
}

// A process that was told to stop says so to whoever asks, and goes on serving those
// who have not asked yet, each with a hint to connect anew.
func TestStopIsAnnounced(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "serve", "--store.etcd.embedded.data_dir", t.TempDir(), "--store.etcd.embedded.client_url", "http://"+freeAddress(t), "--proxy.shutdown_delay", "6s")
	p.cancel()
	for end := time.Now().Add(5 * time.Second); get(t, "http://"+p.admin+"/-/ready") != http.StatusServiceUnavailable; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it is still ready:\n%s", p.log)
		}
	}
	if code := get(t, "http://"+p.admin+"/-/healthy"); code != http.StatusOK {
		t.Errorf("it is not healthy: %d", code)
	}
	kept := &http.Transport{}
	defer kept.CloseIdleConnections()
	resp, err := (&http.Client{Transport: kept}).Get("http://" + p.data + "/docs/_search")
	if err != nil {
		t.Fatalf("a new connection is refused: %v", err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest || !resp.Close {
		t.Errorf("status %d, and the connection is kept: %t", resp.StatusCode, !resp.Close)
	}
	if code := p.stop(t); code != exitOK {
		t.Errorf("it ended with %d:\n%s", code, p.log)
	}
}

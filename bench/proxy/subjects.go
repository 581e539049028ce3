package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/child"
	"github.com/sluiceproxy/sluice/internal/engines"
)

const (
	tenantHeader = "X-Sluice-Tenant"
	roleReverse  = "serve-reverse"
)

// Names of what is measured.
const (
	direct  = "direct"
	nginx   = "nginx"
	haproxy = "haproxy"
	reverse = "ReverseProxy"
	sluice  = "sluice"        // sluice serve: its store is in the process, and reads are fresh
	leased  = "sluice leased" // sluice proxy, with the store in another process
)

// subject is what requests are sent to.
type subject struct {
	name    string
	address string
	pids    []int  // none: the upstream itself
	real    string // where the same program serves the OpenSearch; empty: nowhere
}

// rig is all processes of a run.
type rig struct {
	dir      string
	program  string
	stub     string // address
	subjects []subject
	children []*child.Child
	serve    string // address of the admin listener
	real     *engines.OpenSearch
}

// start starts everything. What was started must be stopped after an error, too.
func (r *rig) start(ctx context.Context, withReal bool, progress io.Writer) error {
	ports, err := engines.FreePorts(13)
	if err != nil {
		return err
	}
	at := func(i int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[i])) }
	self, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := answers()
	if err != nil {
		return err
	}
	b, err := json.Marshal(text)
	if err != nil {
		return err
	}
	if err := r.write("answers.json", string(b)); err != nil {
		return err
	}
	r.stub = at(0)
	if _, err := r.launch(ctx, r.stub, self, roleStub, r.stub, filepath.Join(r.dir, "answers.json")); err != nil {
		return err
	}
	realAt := r.stub // nginx is configured the same with and without
	if withReal {
		if err := r.startReal(ctx, progress); err != nil {
			return err
		}
		realAt = strings.TrimPrefix(r.real.URL(), "http://")
	}
	r.subjects = []subject{{name: direct, address: r.stub}}
	if err := r.write("nginx.conf", nginxConfig(r.dir, at(1), r.stub, at(9), realAt)); err != nil {
		return err
	}
	if err := r.write("haproxy.cfg", haproxyConfig(at(2), r.stub)); err != nil {
		return err
	}
	for _, s := range []struct {
		name, address string
		command       []string
	}{
		{nginx, at(1), []string{toolPath(nginx), "-p", r.dir, "-e", filepath.Join(r.dir, "nginx.log"), "-c", filepath.Join(r.dir, "nginx.conf")}},
		{haproxy, at(2), []string{toolPath(haproxy), "-db", "-f", filepath.Join(r.dir, "haproxy.cfg")}},
		{reverse, at(3), []string{self, roleReverse, at(3), "http://" + r.stub}},
		{engineNetHTTP, at(11), []string{self, roleEngine, engineNetHTTP, at(11), r.stub}},
		{engineOwn, at(12), []string{self, roleEngine, engineOwn, at(12), r.stub}},
	} {
		if err := r.add(ctx, s.name, s.address, s.address, s.command...); err != nil {
			return err
		}
	}
	if err := r.startSluice(ctx, at(4), at(5), at(6), at(7), at(8)); err != nil || !withReal {
		return err
	}
	second, err := r.launch(ctx, at(10), self, roleReverse, at(10), r.real.URL())
	if err != nil {
		return err
	}
	for i := range r.subjects {
		switch s := &r.subjects[i]; s.name {
		case direct:
			s.real = realAt
		case nginx:
			s.real = at(9)
		case reverse:
			s.real, s.pids = at(10), append(s.pids, second.PID()) // one of them works at a time
		case sluice:
			s.real = s.address
		}
	}
	return nil
}

// startReal starts an OpenSearch with the documents that are asked for.
func (r *rig) startReal(ctx context.Context, progress io.Writer) (err error) {
	if r.real, err = engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{HeapMB: 1024, Progress: progress}); err != nil {
		return err
	}
	for _, index := range []string{indexWhole, indexWritten} {
		if err := send("PUT", r.real.URL()+"/"+index, "", strings.NewReader(`{"settings":{"number_of_shards":1,"number_of_replicas":0}}`), -1); err != nil {
			return err
		}
		var b strings.Builder
		for i := range documentsReal {
			fmt.Fprintf(&b, "{\"index\":{\"_id\":\"%d\"}}\n%s\n", i, document(300))
		}
		if err := send("POST", r.real.URL()+"/"+index+"/_bulk?refresh=true", "", strings.NewReader(b.String()), -1); err != nil {
			return err
		}
	}
	return nil
}

// startSluice starts serve, and a leased proxy beside it, as their users run them.
func (r *rig) startSluice(ctx context.Context, serve, serveAdmin, etcd, proxy, proxyAdmin string) error {
	q := strconv.Quote
	secret := filepath.Join(r.dir, "fleet.secret")
	common := "fleet:\n  secret_file: " + q(secret) + "\napi:\n  listen: \"\"\n"
	embedded := "store:\n  etcd:\n    embedded:\n      data_dir: " + q(filepath.Join(r.dir, "etcd")) + "\n      client_url: " + q("http://"+etcd) + "\n"
	connected := "store:\n  etcd:\n    endpoints: [" + q("http://"+etcd) + "]\n"
	for name, text := range map[string]string{
		"fleet.secret": rand.Text() + "\n",
		"serve.yaml":   common + embedded + "proxy:\n  listen: " + q(serve) + "\nadmin:\n  listen: " + q(serveAdmin) + "\n",
		"proxy.yaml":   common + connected + "proxy:\n  mode: leased\n  listen: " + q(proxy) + "\nadmin:\n  listen: " + q(proxyAdmin) + "\n",
		"client.yaml":  common + connected,
	} {
		if err := r.write(name, text); err != nil {
			return err
		}
	}
	r.serve = serveAdmin
	if err := r.add(ctx, sluice, serve, serveAdmin+"/-/ready", r.program, "serve", "--config", filepath.Join(r.dir, "serve.yaml")); err != nil {
		return err
	}
	commands := [][]string{
		{"cluster", "add", "a", "http://" + r.stub}, // a tenant's own may hold no other tenant, so the stub has two names
		{"cluster", "add", "b", "http://" + r.stub},
		{"tenant", "add", tenantWhole, "--cluster", "a", "--kind", "dedicated_cluster"},
		{"tenant", "add", tenantShared, "--cluster", "b", "--kind", "shared_index", "--index", indexShared, "--partition-field", field, "--as", indexWhole},
	}
	if r.real != nil {
		commands = append(commands, []string{"cluster", "add", "c", r.real.URL()}, []string{"tenant", "add", tenantReal, "--cluster", "c", "--kind", "dedicated_cluster"})
	}
	for _, args := range commands {
		cmd := exec.CommandContext(ctx, r.program, append(args, "--config", filepath.Join(r.dir, "client.yaml"))...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("sluice %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
		}
	}
	return r.add(ctx, leased, proxy, proxyAdmin+"/-/ready", r.program, "proxy", "--config", filepath.Join(r.dir, "proxy.yaml"))
}

// add starts a subject and waits until it answers.
func (r *rig) add(ctx context.Context, name, address, ready string, command ...string) error {
	c, err := r.launch(ctx, ready, command...)
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	r.subjects = append(r.subjects, subject{name: name, address: address, pids: family(c.PID())})
	return nil
}

func (r *rig) launch(ctx context.Context, ready string, command ...string) (*child.Child, error) {
	log, err := os.OpenFile(filepath.Join(r.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	c, err := child.Start(cmd)
	if err != nil {
		return nil, err
	}
	r.children = append(r.children, c)
	if !strings.Contains(ready, "/") {
		ready += "/"
	}
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		status, _, err := get("http://" + ready)
		if err == nil && status/100 == 2 {
			return c, nil
		}
		if !c.Running() || ctx.Err() != nil || time.Since(begun) > time.Minute {
			b, _ := os.ReadFile(filepath.Join(r.dir, "log")) // for people
			return nil, errors.Join(fmt.Errorf("%s does not serve (status %d): %s", command[0], status, b[max(len(b)-2000, 0):]), err, ctx.Err())
		}
	}
}

func get(url string) (int, string, error) {
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// stop ends all processes, the newest first.
func (r *rig) stop() {
	for i := len(r.children) - 1; i >= 0; i-- {
		r.children[i].Terminate(20 * time.Second)
	}
	if r.real != nil {
		_ = r.real.Stop() // it ends with this process anyway
	}
}

func (r *rig) write(name, text string) error {
	return os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600)
}

func (r *rig) subject(name string) subject {
	for _, s := range r.subjects {
		if s.name == name {
			return s
		}
	}
	panic("no subject " + name)
}

func nginxConfig(dir, listen, stub, listenReal, real string) string {
	return fmt.Sprintf(`daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_max_body_size 100m;
  client_body_buffer_size 128k;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  upstream stub { server %[3]s; keepalive 256; keepalive_requests 1000000000; }
  upstream real { server %[5]s; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen %[2]s;
    location / {
      proxy_pass http://stub;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
  server {
    listen %[4]s;
    location / {
      proxy_pass http://real;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`, dir, listen, stub, listenReal, real)
}

func haproxyConfig(listen, stub string) string {
	return fmt.Sprintf(`global
  maxconn 4096
defaults
  mode http
  timeout connect 3s
  timeout client 60s
  timeout server 120s
  http-reuse always
frontend in
  bind %s
  default_backend stub
backend stub
  server stub %s
`, listen, stub)
}

// runReverse serves at args[0] Go's own proxy to the URL args[1], with a pool that is
// large enough: as it is by default, it keeps two connections.
func runReverse(args []string) int {
	u, err := url.Parse(args[1])
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p := httputil.NewSingleHostReverseProxy(u)
	p.Transport = &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	_, _ = fmt.Fprintln(os.Stderr, http.ListenAndServe(args[0], p))
	return 1
}

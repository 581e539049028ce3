package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The clients' listener as it is configured: HTTP/2 without TLS, heads of requests and
// bodies no larger than allowed, changes in the clear, headers, roles.
func TestListener(t *testing.T) {
	t.Parallel()
	var seen atomic.Pointer[http.Header]
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h := r.Header.Clone()
		seen.Store(&h)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(cluster.Close)
	etcd := "http://" + freeAddress(t)
	p := startProcess(t, "serve", "--store.etcd.embedded.data_dir", t.TempDir(), "--store.etcd.embedded.client_url", etcd,
		"--proxy.limits.header_bytes", "8KiB", "--proxy.limits.query_body", "1MiB", "--proxy.cleartext", "refuse",
		"--proxy.forward_headers", "X-Team-*", "--proxy.drop_headers", "X-Team-Secret", "--proxy.tenant.role", "write")
	c := cli{t, []string{"--store.etcd.endpoints", etcd}}
	c.ok("cluster", "add", "a", cluster.URL, "--no-check")
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	h2c := &http.Transport{Protocols: protocols}
	t.Cleanup(h2c.CloseIdleConnections)
	h1 := &http.Transport{}
	t.Cleanup(h1.CloseIdleConnections)
	ask := func(tr *http.Transport, method, path, body string, headers ...string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.data+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Sluice-Tenant", "acme")
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(text)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) { // polls: tenant and cluster come by watches of their own
		resp, text := ask(h1, "GET", "/docs/_doc/1", "")
		if resp.StatusCode == 200 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d %s", resp.StatusCode, text)
		}
	}
	for version, tr := range map[int]*http.Transport{1: h1, 2: h2c} {
		resp, text := ask(tr, "GET", "/docs/_doc/1", "", "X-Team-A", "a", "X-Team-Secret", "s", "X-Opaque-Id", "o")
		if resp.StatusCode != 200 || resp.ProtoMajor != version {
			t.Errorf("HTTP/%d: %s %d %s", version, resp.Proto, resp.StatusCode, text)
		}
		if h := *seen.Load(); h.Get("X-Team-A") != "a" || h.Get("X-Team-Secret") != "" || h.Get("X-Opaque-Id") != "" {
			t.Errorf("HTTP/%d: the cluster saw %v", version, h)
		}
		if resp, text := ask(tr, "PUT", "/docs/_doc/1", "{}"); resp.StatusCode != 403 || !strings.Contains(text, "sluice_cleartext") {
			t.Errorf("HTTP/%d: a change in the clear: %d %s", version, resp.StatusCode, text)
		}
		if resp, text := ask(tr, "PUT", "/docs/_mapping", "{}"); resp.StatusCode != 403 || !strings.Contains(text, "sluice_role") {
			t.Errorf("HTTP/%d: what needs admin: %d %s", version, resp.StatusCode, text)
		}
		if resp, text := ask(tr, "POST", "/docs/_search", `{"a":"`+strings.Repeat("x", 1<<20)+`"}`); resp.StatusCode != 413 {
			t.Errorf("HTTP/%d: a large query: %d %s", version, resp.StatusCode, text)
		}
	}
	if resp, text := ask(h1, "GET", "/docs/_doc/1", "", "X-Team-A", strings.Repeat("x", 20<<10)); resp.StatusCode != 431 {
		t.Errorf("a large head: %d %s", resp.StatusCode, text)
	}
}

package upstream_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

func client(t *testing.T, c placement.Cluster) *upstream.Client {
	t.Helper()
	c.Name = "a"
	u, err := upstream.New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// closedPort returns a URL that nobody listens at.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return "http://" + l.Addr().String()
}

func TestFailsOverOnlyWhenNothingWasSent(t *testing.T) {
	var hits int
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	}))
	defer up.Close()
	c := client(t, placement.Cluster{Endpoints: []string{closedPort(t), up.URL}})
	for range 4 { // both begin at the dead one at some time
		var got []byte
		if err := c.JSON(t.Context(), "PUT", "/x", nil, []byte(`{"a":1}`), &got); err != nil {
			t.Fatal(err)
		}
		if string(got) != `{"a":1}` {
			t.Fatalf("the body arrived as %q", got)
		}
	}
	if hits != 4 {
		t.Fatalf("%d requests arrived, want 4", hits)
	}
}

func TestNotSent(t *testing.T) {
	err := client(t, placement.Cluster{Endpoints: []string{closedPort(t)}}).Ping(t.Context())
	if !upstream.NotSent(err) {
		t.Errorf("refused connection: %v: not told as never sent", err)
	}
	broken := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer broken.Close()
	var hits atomic.Int64
	broken.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1); panic(http.ErrAbortHandler) })
	c := client(t, placement.Cluster{Endpoints: []string{broken.URL}})
	req, _ := http.NewRequestWithContext(t.Context(), "POST", "/x", strings.NewReader("{}"))
	req.Header.Set("Idempotency-Key", "k")
	_, err = c.RoundTrip(req)
	if err == nil || upstream.NotSent(err) {
		t.Errorf("connection broken after the request: %v, must not be told as never sent", err)
	}
	if n := hits.Load(); n != 1 {
		t.Errorf("sent %d times", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Ping(ctx); !upstream.NotSent(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before it was sent: %v", err)
	}
}

func TestStatusError(t *testing.T) {
	for _, test := range []struct{ body, kind, reason string }{
		{`{"error":{"type":"index_not_found_exception","reason":"no such index [x]"},"status":404}`, "index_not_found_exception", "no such index [x]"},
		{`{"error":"just text","status":404}`, "", "just text"},
		{`<html>`, "", ""},
	} {
		up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(404)
			_, _ = io.WriteString(w, test.body)
		}))
		err := client(t, placement.Cluster{Endpoints: []string{up.URL}}).JSON(t.Context(), "GET", "/x", nil, nil, nil)
		up.Close()
		var got *upstream.StatusError
		if !errors.As(err, &got) {
			t.Fatalf("%v is no StatusError", err)
		}
		want := &upstream.StatusError{Method: "GET", Path: "/x", Status: 404, Type: test.kind, Reason: test.reason, Body: []byte(test.body)}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

func TestTLSAndCredentials(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		_, _ = io.WriteString(w, r.Proto+" "+user+":"+pass)
	}))
	up.EnableHTTP2 = true
	up.StartTLS()
	defer up.Close()
	dir := t.TempDir()
	ca, pw := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "pw")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: up.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pw, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("UPSTREAM_TEST_PASSWORD", "s3cret")
	for _, c := range []placement.Cluster{
		{Endpoints: []string{up.URL}, CAFile: ca, Username: "u", PasswordFile: pw},
		{Endpoints: []string{up.URL}, CAFile: ca, Username: "u", PasswordEnv: "UPSTREAM_TEST_PASSWORD"},
	} {
		var got []byte
		if err := client(t, c).JSON(t.Context(), "GET", "/", nil, nil, &got); err != nil {
			t.Fatal(err)
		}
		if string(got) != "HTTP/2.0 u:s3cret" {
			t.Errorf("the server saw %q", got)
		}
	}
	if err := client(t, placement.Cluster{Endpoints: []string{up.URL}}).Ping(t.Context()); err == nil {
		t.Error("a certificate that nothing vouches for was accepted")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		c    placement.Cluster
		says string
	}{
		{placement.Cluster{Name: "a"}, "endpoints"},
		{placement.Cluster{Name: "a", Endpoints: []string{"http://h"}, Username: "u", PasswordFile: "/nowhere"}, "password_file"},
		{placement.Cluster{Name: "a", Endpoints: []string{"http://h"}, Username: "u", PasswordEnv: "UPSTREAM_TEST_UNSET"}, "password_env"},
		{placement.Cluster{Name: "a", Endpoints: []string{"http://h"}, CAFile: "/nowhere"}, "ca_file"},
	} {
		if _, err := upstream.New(test.c, nil); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v, want a refusal that names %s", test.c, err, test.says)
		}
	}
}

func TestAnswers(t *testing.T) {
	want := `{"a":"` + strings.Repeat("x", 100_000) + `"}`
	for name, head := range map[string]string{"of known length": strconv.Itoa(len(want)), "in chunks": ""} {
		up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if head != "" {
				w.Header().Set("Content-Length", head)
			}
			_, _ = io.WriteString(w, want)
		}))
		defer up.Close()
		c := client(t, placement.Cluster{Endpoints: []string{up.URL}})
		var raw, seen []byte
		var decoded struct{ A string }
		refuse := errors.New("no")
		for _, into := range []any{nil, &raw, &decoded, func(b []byte) error { seen = b; return nil }} {
			if err := c.JSON(t.Context(), "GET", "/", nil, nil, into); err != nil {
				t.Errorf("%s, into %T: %v", name, into, err)
			}
		}
		if string(raw) != want || string(seen) != want || len(decoded.A) != 100_000 {
			t.Errorf("%s: %d and %d bytes, %d decoded", name, len(raw), len(seen), len(decoded.A))
		}
		if err := c.JSON(t.Context(), "GET", "/", nil, nil, func([]byte) error { return refuse }); !errors.Is(err, refuse) || upstream.NotSent(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

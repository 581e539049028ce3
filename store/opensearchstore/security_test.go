package opensearchstore_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/credentials/testca"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

// guard is a server that terminates TLS in front of a node, asks for a client's
// certificate and for a password, and lets nobody in while it is shut.
func guard(t *testing.T, ca *testca.Authority, target string, shut *atomic.Bool) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(ca.File("server.pem"), ca.File("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(u)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		switch {
		case !ok || user != "sluice" || password != "s3cret":
			w.Header().Set("WWW-Authenticate", "Basic")
			http.Error(w, "Unauthorized", http.StatusUnauthorized) // as the security plugin does, not JSON
		case shut.Load():
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"error":{"type":"security_exception","reason":"no permissions"},"status":403}`)
		default:
			r.Header.Del("Authorization")
			forward.ServeHTTP(w, r)
		}
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(), MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL
}

// TLS both ways and a user with a password: with all of it the driver does everything,
// and each thing that is wrong is told apart. The security plugin itself is not in the
// jars that the tests run; what stands in front of the node here asks for the same.
func TestSecured(t *testing.T) {
	t.Parallel()
	ca, stranger := testca.New(t), testca.New(t)
	ca.Server("server", "opensearch.example")
	ca.Client("client")
	var shut atomic.Bool
	address := guard(t, ca, enginetest.SharedOpenSearch(t, version()).URL(), &shut)

	password := ca.Write("password", []byte("s3cret\n"))
	good := opensearchstore.Config{
		Addresses: []string{address}, Index: table(), Username: "sluice", PasswordFile: password,
		TLS: opensearchstore.TLS{CAFile: ca.File("ca.pem"), CertFile: ca.File("client.pem"), KeyFile: ca.File("client.key"), ServerName: "opensearch.example"},
	}
	for _, test := range []struct {
		want  string
		spoil func(*opensearchstore.Config)
	}{
		{"unknown authority", func(c *opensearchstore.Config) { c.TLS.CAFile = stranger.File("ca.pem") }},
		{"not other.example", func(c *opensearchstore.Config) { c.TLS.ServerName = "other.example" }},
		{"certificate", func(c *opensearchstore.Config) { c.TLS.CertFile, c.TLS.KeyFile = "", "" }},
		{"status 401", func(c *opensearchstore.Config) { c.PasswordFile = ca.File("client.pem") }},
		{"status 401", func(c *opensearchstore.Config) { c.Username, c.PasswordFile = "", "" }},
	} {
		bad := good
		test.spoil(&bad)
		s, err := opensearchstore.Open(t.Context(), bad, &opensearchstore.Options{DialTimeout: 2 * time.Second})
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v; want %q in it", err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error holds the password: %v", err)
		}
	}

	s := connectWith(t, good, nil)
	v := put(t, s, key("k"), "x", 0)
	x, err := s.Open(t.Context(), driver.Key{Space: "sessions", Name: "s"}, nil, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.List(t.Context(), "entries", func(driver.KV) bool { return true }); err != nil {
		t.Fatal(err)
	}
	seen := make(chan driver.Event, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Watch(t.Context(), "entries", v, func(evs []driver.Event) error { seen <- evs[0]; return nil })
	}()
	v = put(t, s, key("k"), "y", v)
	if ev := <-seen; ev.Version != v {
		t.Errorf("the watch reported %v; want version %d", ev, v)
	}

	// What is not allowed any more is an error, not absence, and ends a watch.
	shut.Store(true)
	if _, err := s.Get(t.Context(), key("k")); err == nil || errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), "security_exception") {
		t.Errorf("get without permission: %v", err)
	}
	if err := x.Renew(t.Context()); err == nil || errors.Is(err, driver.ErrSessionLost) {
		t.Errorf("renew without permission: %v", err)
	}
	select {
	case err := <-ended:
		if !strings.Contains(err.Error(), "security_exception") {
			t.Errorf("the watch ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the watch goes on without permission")
	}
}

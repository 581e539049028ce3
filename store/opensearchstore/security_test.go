package opensearchstore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

// authority issues certificates into a directory.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, dir, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: dir}
	a.issue(name, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue writes NAME.pem and NAME.key, signed by the authority, or by itself if it is
// the authority's first.
func (a *authority) issue(name string, template *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.cert == nil {
		a.key = key
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			a.t.Fatal(err)
		}
	}
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "EC PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(a.file(file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// guard is a server that terminates TLS in front of a node, asks for a client's
// certificate and for a password, and lets nobody in while it is shut.
func guard(t *testing.T, ca *authority, target string, shut *atomic.Bool) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(ca.file("server.pem"), ca.file("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
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
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL
}

// TLS both ways and a user with a password: with all of it the driver does everything,
// and each thing that is wrong is told apart. The security plugin itself is not in the
// jars that the tests run; what stands in front of the node here asks for the same.
func TestSecured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := newAuthority(t, dir, "ca")
	ca.issue("server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"opensearch.example"}})
	ca.issue("client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	newAuthority(t, dir, "stranger")
	var shut atomic.Bool
	address := guard(t, ca, enginetest.SharedOpenSearch(t, version()).URL(), &shut)

	password := ca.file("password")
	if err := os.WriteFile(password, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := opensearchstore.Config{
		Addresses: []string{address}, Index: table(), Username: "sluice", PasswordFile: password,
		TLS: opensearchstore.TLS{CAFile: ca.file("ca.pem"), CertFile: ca.file("client.pem"), KeyFile: ca.file("client.key"), ServerName: "opensearch.example"},
	}
	for _, test := range []struct {
		want  string
		spoil func(*opensearchstore.Config)
	}{
		{"unknown authority", func(c *opensearchstore.Config) { c.TLS.CAFile = ca.file("stranger.pem") }},
		{"not other.example", func(c *opensearchstore.Config) { c.TLS.ServerName = "other.example" }},
		{"certificate", func(c *opensearchstore.Config) { c.TLS.CertFile, c.TLS.KeyFile = "", "" }},
		{"status 401", func(c *opensearchstore.Config) { c.PasswordFile = ca.file("client.pem") }},
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

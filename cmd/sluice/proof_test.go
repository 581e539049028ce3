package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/crypto/bcrypt"
)

// authority signs certificates for this machine and its clients.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "authority " + rand.Text()}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, key := a.sign(template, template)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, a.key = cert, key
	return a
}

func (a *authority) sign(template, parent *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	signer := a.key
	if signer == nil {
		signer = key
	}
	template.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<62))
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

func certPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// pair is a certificate for 127.0.0.1 that also names a tenant, and its key.
func (a *authority) pair(tenant string) (cert, key []byte) {
	a.t.Helper()
	u, _ := url.Parse("spiffe://example.com/tenant/" + tenant)
	der, k := a.sign(&x509.Certificate{DNSNames: []string{"localhost"}, URIs: []*url.URL{u},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, a.cert)
	b, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return certPEM(der), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})
}

// client trusts a, shows a certificate for the tenant unless that is empty, and
// keeps no connection.
func (a *authority) client(trust *authority, tenant string) *http.Client {
	a.t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(trust.cert)
	c := &tls.Config{RootCAs: pool, ServerName: "localhost"}
	if tenant != "" {
		pair, err := tls.X509KeyPair(a.pair(tenant))
		if err != nil {
			a.t.Fatal(err)
		}
		// Shown whatever authorities the server names.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	tr := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true, IdleConnTimeout: time.Millisecond}
	a.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

// seen is a cluster that keeps the headers of the last request.
type seen struct {
	mu   sync.Mutex
	last http.Header
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.last = r.Header
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"count":7}`)
}

func (s *seen) take() http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.last
	s.last = nil
	return h
}

// TestProvenTenants: every way to prove a tenant, through a real process over TLS;
// credentials reach no cluster; and files that change are followed without a
// restart.
func TestProvenTenants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f+".new", b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(f+".new", f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	ca := newAuthority(t)
	cert, key := ca.pair("none")
	hash, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	apiKey := rand.Text()
	sum := sha256.Sum256([]byte(apiKey))
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := jose.JSONWebKey{Key: signer.Public(), KeyID: "k"}
	set, err := jwk.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	config := put("sluice.yaml", fmt.Appendf(nil, `
proxy:
  tls: {cert_file: %s, key_file: %s, client_ca_file: %s, client_auth: optional}
  tenant:
    basic: {users_file: %s}
    client_cert: {field: uri, pattern: "spiffe://example.com/tenant/{tenant}"}
    jwt: {keys_file: %s, issuer: https://id, audience: search}
    api_key: {keys_file: %s, header: X-Api-Key}
`, put("tls.pem", cert), put("tls.key", key), put("ca.pem", certPEM(ca.cert.Raw)), put("users", append([]byte("acme:"), hash...)),
		put("jwks", fmt.Appendf(nil, `{"keys":[%s]}`, set)), put("keys", []byte(hex.EncodeToString(sum[:])+":acme\n"))))
	etcd := "http://" + freeAddress(t)
	p := startProcess(t, "serve", "--config", config, "--store.etcd.embedded.data_dir", filepath.Join(dir, "data"), "--store.etcd.embedded.client_url", etcd)
	cluster := &seen{}
	upstream := httptest.NewServer(cluster)
	t.Cleanup(upstream.Close)
	c := cli{t, []string{"--store.etcd.endpoints", etcd}}
	c.ok("cluster", "add", "a", upstream.URL, "--no-check")
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")

	js, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: signer}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	token := func(tenant string) string {
		text, err := jwt.Signed(js).Claims(map[string]any{"iss": "https://id", "aud": "search", "exp": time.Now().Add(time.Minute).Unix(), "tenant": tenant}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	ask := func(hc *http.Client, headers ...string) (*http.Response, string, error) {
		req, err := http.NewRequest("GET", "https://"+p.data+"/docs/_count", nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := hc.Do(req)
		if err != nil {
			return nil, "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return resp, string(b), err
	}
	plain, acme, evil := ca.client(ca, ""), ca.client(ca, "acme"), ca.client(ca, "evil")
	basic := func(password string) string {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth("acme", password)
		return r.Header.Get("Authorization")
	}
	for _, tt := range []struct {
		name    string
		client  *http.Client
		headers []string
		status  int
		kind    string
	}{
		{"password", plain, []string{"Authorization", basic("open sesame")}, 200, ""},
		{"token", plain, []string{"Authorization", token("acme"), "Cookie", "a=b"}, 200, ""},
		{"API key", plain, []string{"X-Api-Key", apiKey}, 200, ""},
		{"certificate", acme, nil, 200, ""},
		{"all that agree", acme, []string{"Authorization", token("acme"), "X-Api-Key", apiKey, "X-Sluice-Tenant", "acme"}, 200, ""},
		{"nothing", plain, nil, 401, "sluice_unauthenticated"},
		{"a claim", plain, []string{"X-Sluice-Tenant", "acme"}, 401, "sluice_unauthenticated"},
		{"wrong password", plain, []string{"Authorization", basic("x")}, 401, "sluice_unauthenticated"},
		{"wrong key with a certificate", acme, []string{"X-Api-Key", "x"}, 401, "sluice_unauthenticated"},
		{"token against header", plain, []string{"Authorization", token("evil"), "X-Sluice-Tenant", "acme"}, 403, "sluice_tenant_conflict"},
		{"certificate against token", evil, []string{"Authorization", token("acme")}, 403, "sluice_tenant_conflict"},
		{"a tenant that is none", evil, nil, 404, "sluice_unknown_tenant"},
	} {
		resp, body, err := ask(tt.client, tt.headers...)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if resp.StatusCode != tt.status || tt.kind != "" && !strings.Contains(body, `"type":"`+tt.kind+`"`) || resp.ProtoMajor != 2 {
			t.Errorf("%s: %s %d %s, want %d %s by HTTP/2", tt.name, resp.Proto, resp.StatusCode, body, tt.status, tt.kind)
		}
		if got := resp.Header.Values("WWW-Authenticate"); (len(got) == 2) != (tt.status == 401) {
			t.Errorf("%s: challenges %q", tt.name, got)
		}
		h := cluster.take()
		if (h != nil) != (tt.status == 200) {
			t.Errorf("%s: status %d, and the cluster saw %v", tt.name, resp.StatusCode, h)
		}
		for _, name := range []string{"Authorization", "X-Api-Key", "X-Sluice-Tenant", "Cookie"} {
			if h.Get(name) != "" {
				t.Errorf("%s: the cluster saw the client's %s", tt.name, name)
			}
		}
	}

	// Another authority for clients, another certificate, another key: each is
	// followed by the connections that are made then.
	next := newAuthority(t)
	cert, key = next.pair("none")
	put("ca.pem", certPEM(next.cert.Raw))
	put("tls.key", key)
	put("tls.pem", cert)
	put("keys", []byte(strings.Repeat("00", 32)+":acme\n"))
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, _, err := ask(next.client(next, "")); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the new certificate is not served: %v\n%s", err, p.log)
		}
		time.Sleep(50 * time.Millisecond) // polls a real listener
	}
	if resp, body, err := ask(next.client(next, "acme")); err != nil || resp.StatusCode != 200 {
		t.Errorf("a certificate of the new authority: %v %s", err, body)
	}
	if resp, body, err := ask(ca.client(next, "acme")); err == nil {
		t.Errorf("a certificate of the old authority: %d %s", resp.StatusCode, body)
	}
	for { // the list of keys is looked at by the requests, once a second
		resp, _, err := ask(next.client(next, ""), "X-Api-Key", apiKey)
		if err == nil && resp.StatusCode == 401 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a key that was taken off the list is still good: %v", err)
		}
		time.Sleep(50 * time.Millisecond) // polls a real listener
	}
	if log := p.log.String(); strings.Contains(log, apiKey) || strings.Contains(log, "open sesame") || !strings.Contains(log, "were read again") {
		t.Errorf("the log shows a credential, or no change of a file:\n%s", log)
	}
}

func TestTLSRefusals(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t)
	cert, key := ca.pair("x")
	_, other := ca.pair("y")
	for name, b := range map[string][]byte{"cert": cert, "key": key, "other": other, "empty": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	etcd := "http://" + freeAddress(t)
	startProcess(t, "controller", "--store.etcd.embedded.data_dir", dir, "--store.etcd.embedded.client_url", etcd)
	for _, tt := range []struct{ cert, key, ca, says string }{
		{"cert", "other", "", "proxy.tls.cert_file"}, {"none", "key", "", "proxy.tls.cert_file"},
		{"cert", "key", "empty", "proxy.tls.client_ca_file"}, {"cert", "key", "none", "proxy.tls.client_ca_file"},
	} {
		args := []string{"proxy", "--proxy.tls.cert_file", filepath.Join(dir, tt.cert), "--proxy.tls.key_file", filepath.Join(dir, tt.key)}
		if tt.ca != "" {
			args = append(args, "--proxy.tls.client_ca_file", filepath.Join(dir, tt.ca))
		}
		r := (cli{t, []string{"--admin.listen", freeAddress(t), "--proxy.listen", freeAddress(t), "--store.etcd.endpoints", etcd,
			"--fleet.secret_file", filepath.Join(dir, "fleet.secret")}}).run(args...)
		if r.code != exitUsage || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("%+v: %+v", tt, r)
		}
	}
}

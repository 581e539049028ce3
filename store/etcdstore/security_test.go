package etcdstore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// authority is a certificate authority made for one test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = a.sign("ca", a.cert, nil)
	return a
}

// sign writes NAME.pem and NAME.key; a template without parent signs itself.
func (a *authority) sign(name string, template *x509.Certificate, parent *x509.Certificate) *ecdsa.PrivateKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	signer := a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, b := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "EC PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(a.path(file), pem.EncodeToMemory(b), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return key
}

func (a *authority) path(file string) string { return filepath.Join(a.dir, file) }

func (a *authority) leaf(name string) {
	a.sign(name, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert)
}

// TestTLSAndPassword: a real etcd that demands client certificates and a
// password serves whoever has both, and nobody else, who learns it at Open.
func TestTLSAndPassword(t *testing.T) {
	a := newAuthority(t)
	a.leaf("server")
	a.leaf("client")
	member := enginetest.EtcdWith(t, &engines.EtcdOptions{ExtraArgs: []string{
		"--cert-file=" + a.path("server.pem"), "--key-file=" + a.path("server.key"),
		"--trusted-ca-file=" + a.path("ca.pem"), "--client-cert-auth",
	}})
	enableAuth(t, a, member.URL())
	password := a.path("password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := a.path("wrong")
	if err := os.WriteFile(wrong, []byte("guess"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := etcdstore.Config{
		Endpoints: []string{member.URL()}, Username: "root", PasswordFile: password,
		TLS: etcdstore.TLS{CAFile: a.path("ca.pem"), CertFile: a.path("client.pem"), KeyFile: a.path("client.key")},
	}
	s, err := etcdstore.Open(t.Context(), good, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	k := driver.Key{Space: "entries", Name: "k"}
	v, err := s.Write(t.Context(), driver.Write{Key: k, Value: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	if kv, err := s.Get(t.Context(), k); err != nil || kv.Version != v {
		t.Fatalf("%+v, %v", kv, err)
	}
	x, err := s.Open(t.Context(), driver.Key{Space: "sessions", Name: "s"}, nil, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Renew(t.Context()); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*etcdstore.Config){
		"wrong password":        func(c *etcdstore.Config) { c.PasswordFile = wrong },
		"no password":           func(c *etcdstore.Config) { c.Username, c.PasswordFile = "", "" },
		"no client certificate": func(c *etcdstore.Config) { c.TLS.CertFile, c.TLS.KeyFile = "", "" },
		"unknown authority":     func(c *etcdstore.Config) { c.TLS.CAFile = newAuthority(t).path("ca.pem") },
	} {
		c := good
		change(&c)
		if s, err := etcdstore.Open(t.Context(), c, &etcdstore.Options{Timeout: 2 * time.Second}); err == nil {
			s.Close()
			t.Errorf("%s: connected", name)
		}
	}
}

func enableAuth(t *testing.T, a *authority, endpoint string) {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(a.path("client.pem"), a.path("client.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(a.path("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, TLS: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.UserAdd(t.Context(), "root", "secret"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.RoleAdd(t.Context(), "root"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UserGrantRole(t.Context(), "root", "root"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AuthEnable(t.Context()); err != nil {
		t.Fatal(err)
	}
}

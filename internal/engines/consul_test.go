//go:build unix

package engines_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// consulCall sends one request and returns the status and the body.
func consulCall(t *testing.T, c *http.Client, method, url, token, body string) (int, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	must(t, err)
	if token != "" {
		req.Header.Set("X-Consul-Token", token)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func wantConsul(t *testing.T, url, value string) {
	t.Helper()
	status, got, err := consulCall(t, client, http.MethodGet, url+"/v1/kv/k?raw&consistent", "", "")
	if err != nil || status != http.StatusOK || got != value {
		t.Fatalf("k is %q (%d, %v), want %q", got, status, err, value)
	}
}

func putConsul(t *testing.T, url, value string) {
	t.Helper()
	status, text, err := consulCall(t, client, http.MethodPut, url+"/v1/kv/k", "", value)
	if err != nil || status != http.StatusOK || text != "true" {
		t.Fatalf("put: %d %s, %v", status, text, err)
	}
}

func TestConsulLife(t *testing.T) {
	t.Setenv("CONSUL_HTTP_TOKEN", "of whoever runs the test")
	enginetest.Consul(t) // a first build is not to be measured
	start := time.Now()
	server := enginetest.ConsulWith(t, &engines.ConsulOptions{Name: "life"})
	t.Logf("consul %s started in %v", server.Version(), time.Since(start))
	putConsul(t, server.URL(), "v")

	must(t, server.Kill())
	start = time.Now()
	must(t, server.Restart(t.Context()))
	t.Logf("started again in %v", time.Since(start))
	wantConsul(t, server.URL(), "v")

	must(t, server.Pause())
	short := &http.Client{Transport: client.Transport, Timeout: 300 * time.Millisecond}
	if _, _, err := consulCall(t, short, http.MethodGet, server.URL()+"/v1/kv/k", "", ""); err == nil {
		t.Fatal("a paused server answered")
	}
	must(t, server.Resume())
	wantConsul(t, server.URL(), "v")
}

func TestConsulCluster(t *testing.T) {
	start := time.Now()
	cluster := enginetest.ConsulCluster(t, 3, &engines.ConsulOptions{})
	t.Logf("three servers started in %v", time.Since(start))
	putConsul(t, cluster.URLs()[0], "1")
	leader, err := cluster.Leader(within(t, 20*time.Second))
	must(t, err)
	must(t, leader.Kill())
	start = time.Now()
	var next *engines.Consul
	for ctx := within(t, 60*time.Second); next == nil || next == leader; {
		next, err = cluster.Leader(ctx)
		must(t, err)
	}
	putConsul(t, next.URL(), "2")
	t.Logf("the leader was killed; a put succeeded after %v", time.Since(start))
	must(t, leader.Restart(t.Context()))

	for _, m := range cluster.Members() {
		must(t, m.Kill())
	}
	must(t, cluster.Restart(t.Context()))
	for _, m := range cluster.Members() {
		wantConsul(t, m.URL(), "2")
	}
}

func TestConsulClusterRefusesADirectoryOfAnother(t *testing.T) {
	enginetest.Consul(t)
	o := &engines.ConsulOptions{Dir: t.TempDir()}
	cluster, err := engines.StartConsulCluster(t.Context(), 3, o)
	must(t, err)
	must(t, cluster.Stop())
	_, err = engines.StartConsulCluster(t.Context(), 3, o)
	if err == nil || !strings.Contains(err.Error(), "holds an earlier one") {
		t.Fatal(err)
	}
}

func TestConsulWithTLSAndAccessControl(t *testing.T) {
	cert, key := certificate(t)
	const token = "7c5b1f0e-1111-4222-8333-444455556666"
	server := enginetest.ConsulWith(t, &engines.ConsulOptions{Token: token, CertFile: cert, KeyFile: key})
	if !strings.HasPrefix(server.URL(), "https://") {
		t.Fatalf("url %s", server.URL())
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // it signed itself
	defer c.CloseIdleConnections()
	if status, text, err := consulCall(t, c, http.MethodPut, server.URL()+"/v1/kv/k", "", "v"); err != nil || status != http.StatusForbidden {
		t.Fatalf("without the token: %d %s, %v", status, text, err)
	}
	if status, text, err := consulCall(t, c, http.MethodPut, server.URL()+"/v1/kv/k", token, "v"); err != nil || status != http.StatusOK {
		t.Fatalf("with the token: %d %s, %v", status, text, err)
	}
}

func TestConsulStartFailureQuotesTheLog(t *testing.T) {
	enginetest.Consul(t)
	_, err := engines.StartConsul(t.Context(), &engines.ConsulOptions{Settings: map[string]any{"no_such_setting": 1}})
	var start *engines.StartError
	if !errors.As(err, &start) || !strings.Contains(err.Error(), "no_such_setting") {
		t.Fatal(err)
	}
}

// certificate makes a certificate for loopback that signs itself, and returns the files' names.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "consul"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(t, err)
	secret, err := x509.MarshalECPrivateKey(private)
	must(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key
}

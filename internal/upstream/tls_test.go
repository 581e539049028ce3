package upstream_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/credentials/testca"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// eager looks at its files each time.
func eager(t *testing.T, c placement.Cluster) *upstream.Client {
	t.Helper()
	c.Name = "a"
	u, err := upstream.New(c, &upstream.Options{ReloadEvery: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// move replaces a file by another of the same authority or of another.
func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// A real cluster behind something that ends TLS and asks for a certificate: reads,
// writes and a bulk over HTTP/2 and HTTP/1.1. Then both authorities are replaced, the
// one of the servers and the one of the clients, without a new client.
func TestMutualTLSBeforeOpenSearch(t *testing.T) {
	node := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	behind, err := url.Parse(node.URL())
	if err != nil {
		t.Fatal(err)
	}
	oldCA, newCA := testca.New(t), testca.New(t)
	for _, ca := range []*testca.Authority{oldCA, newCA} {
		ca.Server("server", "search.example")
		ca.Client("client")
	}
	var config atomic.Pointer[tls.Config]
	serve := func(ca *testca.Authority) {
		t.Helper()
		pair, err := tls.LoadX509KeyPair(ca.File("server.pem"), ca.File("server.key"))
		if err != nil {
			t.Fatal(err)
		}
		config.Store(&tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
			NextProtos: []string{"h2", "http/1.1"}, SessionTicketsDisabled: true})
	}
	serve(oldCA)
	forward := httputil.NewSingleHostReverseProxy(behind)
	var proto atomic.Value
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto.Store(r.Proto)
		forward.ServeHTTP(w, r)
	}))
	front.EnableHTTP2 = true
	front.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return config.Load(), nil }}
	front.StartTLS()
	defer front.Close()

	c := placement.Cluster{Endpoints: []string{front.URL}, CAFile: oldCA.File("ca.pem"), CertFile: oldCA.File("client.pem"), KeyFile: oldCA.File("client.key"), ServerName: "search.example"}
	clients := map[string]*upstream.Client{"HTTP/2.0": eager(t, c)}
	c.Protocol = placement.ProtocolHTTP1
	clients["HTTP/1.1"] = eager(t, c)
	use := func(what string) {
		t.Helper()
		for want, u := range clients {
			var answer struct{ Errors bool }
			lines := []byte("{\"index\":{\"_id\":\"1\"}}\n{\"a\":1}\n")
			if err := u.JSON(t.Context(), "POST", "/mtls/_bulk", url.Values{"refresh": {"true"}}, lines, &answer); err != nil || answer.Errors {
				t.Errorf("%s: bulk over %s: %v, errors %t", what, want, err, answer.Errors)
				continue
			}
			var count struct{ Count int }
			if err := u.JSON(t.Context(), "GET", "/mtls/_count", nil, nil, &count); err != nil || count.Count != 1 {
				t.Errorf("%s: count over %s: %d, %v", what, want, count.Count, err)
			}
			if got := proto.Load(); got != want {
				t.Errorf("%s: the request arrived over %v, want %s", what, got, want)
			}
		}
	}
	use("at first")

	bare := c
	bare.CertFile, bare.KeyFile = "", ""
	if err := eager(t, bare).Ping(t.Context()); err == nil {
		t.Error("a client without a certificate got an answer")
	}
	wrongName := c
	wrongName.ServerName = "other.example"
	if err := eager(t, wrongName).Ping(t.Context()); !upstream.NotSent(err) {
		t.Errorf("a server with another name: %v, want an error that says that nothing was sent", err)
	}

	serve(newCA)
	for _, f := range []string{"ca.pem", "client.key", "client.pem"} {
		move(t, newCA.File(f), oldCA.File(f))
	}
	front.CloseClientConnections() // what is open is not verified again
	use("after both authorities were replaced")
}

func TestSecretsAreReadAgain(t *testing.T) {
	ca := testca.New(t)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		_, _ = io.WriteString(w, password+"|"+r.Header.Get("Authorization")+"|"+r.Header.Get("X-Search-Key"))
	}))
	defer up.Close()
	t.Setenv("UPSTREAM_TEST_KEY", "from the environment")
	file := ca.Write("secret", []byte("one\n"))
	for _, test := range []struct {
		name        string
		c           placement.Cluster
		first, then string
	}{
		{"password", placement.Cluster{Username: "u", PasswordFile: file}, "one|Basic dTpvbmU=|", "two|Basic dTp0d28=|"},
		{"key", placement.Cluster{APIKeyFile: file}, "|ApiKey one|", "|ApiKey two|"},
		{"key in a header", placement.Cluster{APIKeyFile: file, APIKeyHeader: "X-Search-Key"}, "||one", "||two"},
		{"key in the environment", placement.Cluster{APIKeyEnv: "UPSTREAM_TEST_KEY"}, "|ApiKey from the environment|", "|ApiKey from the environment|"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ca.Write("secret", []byte("one\n"))
			test.c.Endpoints = []string{up.URL}
			c := eager(t, test.c)
			for _, want := range []string{test.first, test.then, test.then} {
				req, err := http.NewRequestWithContext(t.Context(), "GET", "/", nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer of-the-client")
				resp, err := c.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				got, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if string(got) != want {
					t.Errorf("the cluster saw %q, want %q", got, want)
				}
				if string(got) == test.first {
					ca.Write("secret.new", []byte("two\n"))
					move(t, ca.File("secret.new"), file)
				} else { // one that became empty is not used
					ca.Write("secret.new", nil)
					move(t, ca.File("secret.new"), file)
				}
			}
		})
	}
}

// HTTP/2 without TLS, for what is asked to speak nothing else.
func TestHTTP2WithoutTLS(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	up.Config.Protocols = new(http.Protocols)
	up.Config.Protocols.SetHTTP1(true)
	up.Config.Protocols.SetUnencryptedHTTP2(true)
	up.Start()
	defer up.Close()
	for protocol, want := range map[string]string{"": "HTTP/1.1", placement.ProtocolHTTP1: "HTTP/1.1", placement.ProtocolHTTP2: "HTTP/2.0"} {
		var got []byte
		if err := client(t, placement.Cluster{Endpoints: []string{up.URL}, Protocol: protocol}).JSON(t.Context(), "GET", "/", nil, nil, &got); err != nil || string(got) != want {
			t.Errorf("protocol %q: %s, %v; want %s", protocol, got, err, want)
		}
	}
}

func TestClusterValidates(t *testing.T) {
	https := []string{"https://h"}
	for field, c := range map[string]placement.Cluster{
		"":               {Endpoints: https, AWSRegion: "eu-west-1", AWSProfile: "p", AWSService: "es", CertFile: "c", KeyFile: "k", Protocol: "h2"},
		"key_file":       {Endpoints: https, CertFile: "c"},
		"endpoints":      {Endpoints: []string{"http://h"}, ServerName: "n"},
		"protocol":       {Endpoints: https, Protocol: "spdy"},
		"api_key_env":    {Endpoints: https, APIKeyFile: "f", APIKeyEnv: "E"},
		"api_key_header": {Endpoints: https, APIKeyFile: "f", APIKeyHeader: "X Y"},
		"aws_region":     {Endpoints: https, AWSService: "es"},
		"aws_service":    {Endpoints: https, AWSRegion: "r", AWSService: "s3"},
		"username":       {Endpoints: https, AWSRegion: "r", APIKeyFile: "f"},
	} {
		c.Name = "a"
		err := c.Validate()
		var invalid *placement.InvalidError
		if field == "" && err != nil || field != "" && (!errors.As(err, &invalid) || invalid.Field != field) {
			t.Errorf("%+v: %v, want a refusal of %q", c, err, field)
		}
	}
}

package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/internal/credentials/testca"
)

// front ends TLS, over HTTP/2, before a real cluster, which has none of its own. It
// lets through who shows a certificate of the authority, or the API key if there is one.
type front struct {
	url             string
	ca              *testca.Authority
	served, refused atomic.Int64
}

func newFront(t *testing.T, cluster, apiKey string) *front {
	t.Helper()
	f := &front{ca: testca.New(t)}
	f.ca.Server("server", "search.example")
	f.ca.Client("client")
	pair, err := tls.LoadX509KeyPair(f.ca.File("server.pem"), f.ca.File("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	behind, err := url.Parse(cluster)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(behind)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	forward.Transport = transport
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if apiKey != "" && r.Header.Get("Authorization") != "ApiKey "+apiKey || r.ProtoMajor != 2 {
			f.refused.Add(1)
			http.Error(w, "who is it?", http.StatusUnauthorized)
			return
		}
		f.served.Add(1)
		forward.ServeHTTP(w, r)
	}))
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if apiKey == "" {
		s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, f.ca.Pool()
	}
	s.StartTLS()
	t.Cleanup(func() { s.Close(); transport.CloseIdleConnections() })
	f.url = s.URL
	return f
}

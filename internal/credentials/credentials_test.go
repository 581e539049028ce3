package credentials_test

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/internal/credentials/testca"
	"github.com/sluiceproxy/sluice/placement"
)

func TestServers(t *testing.T) {
	s := credentials.Servers{Field: "f", Example: "https://h:1", Use: "password_file"}
	one := s
	one.OneScheme = true
	for _, test := range []struct {
		servers credentials.Servers
		urls    []string
		tls     credentials.TLS
		field   string // empty: they are taken
		says    string
	}{
		{s, []string{"http://127.0.0.1:1", "https://h/"}, credentials.TLS{}, "", ""},
		{one, []string{"https://a:1", "https://b"}, credentials.TLS{CAFile: "ca"}, "", ""},
		{s, nil, credentials.TLS{}, "f", "https://h:1"},
		{s, []string{"https://a", "127.0.0.1:1"}, credentials.TLS{}, "f[1]", "such as https://h:1"},
		{s, []string{"http://:1"}, credentials.TLS{}, "f[0]", "such as https://h:1"},
		{s, []string{"unix:///tmp/x"}, credentials.TLS{}, "f[0]", "such as https://h:1"},
		{s, []string{"https://u:secret@h"}, credentials.TLS{}, "f[0]", "use password_file"},
		{s, []string{"https://u:secret@h\x7f"}, credentials.TLS{}, "f[0]", "such as https://h:1"},
		{s, []string{"https://h/path"}, credentials.TLS{}, "f[0]", "no path"},
		{s, []string{"https://h?q"}, credentials.TLS{}, "f[0]", "no path"},
		{one, []string{"https://a", "http://b"}, credentials.TLS{}, "f[1]", "https:// like the first"},
		{s, []string{"http://h"}, credentials.TLS{ServerName: "n"}, "f[0]", "https:// when tls is set"},
	} {
		err := test.servers.Validate(test.urls, test.tls)
		var invalid *placement.InvalidError
		if test.field == "" && err != nil || test.field != "" && (!errors.As(err, &invalid) || invalid.Field != test.field || !strings.Contains(invalid.Fix, test.says)) {
			t.Errorf("%v: %v; want %q and %q", test.urls, err, test.field, test.says)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}

func TestInClear(t *testing.T) {
	for url, want := range map[string]bool{
		"http://h": true, "http://10.0.0.1:1": true, "https://h": false, "http://localhost:1": false, "http://127.3.2.1": false, "http://[::1]:1": false, "http://[fe80::1]": true,
	} {
		if got := credentials.InClear([]string{"https://first", url}); got != want {
			t.Errorf("%s: %v", url, got)
		}
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	ca := testca.New(t)
	ca.Client("client")
	text, none := ca.Write("text", []byte("no certificate")), filepath.Join(t.TempDir(), "none")
	for _, test := range []struct {
		tls  credentials.TLS
		want string // empty: they are taken
	}{
		{credentials.TLS{}, ""},
		{credentials.TLS{CAFile: ca.File("ca.pem"), CertFile: ca.File("client.pem"), KeyFile: ca.File("client.key")}, ""},
		{credentials.TLS{CAFile: text}, "s.ca_file: "},
		{credentials.TLS{CAFile: none}, "s.ca_file: "},
		{credentials.TLS{CertFile: text, KeyFile: text}, "s.cert_file and key_file: "},
		{credentials.TLS{CertFile: ca.File("client.pem"), KeyFile: ca.File("ca.key")}, "s.cert_file and key_file: "},
	} {
		c, err := test.tls.Config("s.")
		if test.want == "" && (err != nil || c.MinVersion != tls.VersionTLS12) || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%+v: %v; want %q", test.tls, err, test.want)
		}
	}
	for _, half := range []credentials.TLS{{CertFile: "c"}, {KeyFile: "k"}} {
		var invalid *placement.InvalidError
		if err := half.Validate("s."); !errors.As(err, &invalid) || invalid.Field != "s.key_file" {
			t.Errorf("%+v: %v", half, err)
		}
	}
}

func TestSecret(t *testing.T) {
	ca := testca.New(t)
	for _, test := range []struct{ file, want, err string }{
		{"", "", ""},
		{ca.Write("plain", []byte("s3cret")), "s3cret", ""},
		{ca.Write("line", []byte(" with blanks \r\n\n")), " with blanks ", ""},
		{ca.Write("empty", []byte("\n")), "", "s.password_file: "},
		{ca.File("none"), "", "s.password_file: "},
	} {
		got, err := credentials.Secret("s.password_file", test.file, "password")
		if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.HasPrefix(err.Error(), test.err) {
			t.Errorf("%s: %q, %v", test.file, got, err)
		}
	}
}

// A client's certificate that is renewed on disk is the one of the next connection.
func TestCertificateIsReadAtEachHandshake(t *testing.T) {
	ca := testca.New(t)
	ca.Server("server", "server.example")
	ca.Client("client")
	pair, err := tls.LoadX509KeyPair(ca.File("server.pem"), ca.File("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	serials := make(chan string, 2)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		serials <- r.TLS.PeerCertificates[0].SerialNumber.String()
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}
	s.StartTLS()
	defer s.Close()
	c, err := credentials.TLS{CAFile: ca.File("ca.pem"), CertFile: ca.File("client.pem"), KeyFile: ca.File("client.key"), ServerName: "server.example"}.Config("s.")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	for range 2 {
		resp, err := (&http.Client{Transport: transport}).Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		ca.Client("client")
	}
	if one, two := <-serials, <-serials; one == two {
		t.Errorf("the server saw the certificate %s twice", one)
	}
}

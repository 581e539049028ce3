// Package credentials has what every client of a server over the network is
// configured with: the server's URLs, the files of TLS, and the file that holds a
// password or token.
//
// What it refuses, and why: a URL with a password in it, which would end up in logs;
// TLS files for a server that is spoken to in clear; a file that is empty or holds no
// certificate, now rather than at a handshake whose error nobody sees. Errors name the
// field as it stands in the configuration file, and never show a secret.
package credentials

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
)

// TLS names the files of a TLS client, in PEM form; see the drivers' types of that
// name.
type TLS struct{ CAFile, CertFile, KeyFile, ServerName string }

// Validate refuses a certificate without its key and the other way round. Section
// begins the field's name, such as "store.etcd.tls.".
func (t TLS) Validate(section string) error {
	if (t.CertFile == "") != (t.KeyFile == "") {
		return &placement.InvalidError{Field: section + "key_file", Value: t.KeyFile, Fix: "must be set if and only if " + section + "cert_file is"}
	}
	return nil
}

// Config reads the files. The authority is read once, the client's certificate and
// its key again at each handshake, so they can be renewed.
func (t TLS) Config(section string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%sca_file: %w", section, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &placement.InvalidError{Field: section + "ca_file", Value: t.CAFile, Fix: "must hold certificates in PEM form"}
		}
	}
	if t.CertFile != "" {
		read := func() (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("%scert_file and key_file: %w", section, err)
			}
			return &cert, nil
		}
		if _, err := read(); err != nil {
			return nil, err
		}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return read() }
	}
	return c, nil
}

// Secret reads a password or token from a file; what names it for people. Newlines at
// its end are dropped. No file is no secret.
func Secret(field, file, what string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", field, err)
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" {
		return "", &placement.InvalidError{Field: field, Value: file, Fix: "must hold a " + what}
	}
	return s, nil
}

// Servers are URLs of one service.
type Servers struct {
	Field   string // of the list, for example "store.etcd.endpoints"
	Example string // of a URL
	Use     string // instead of credentials in a URL, for example "token_file"
	// OneScheme: the client library decides by the first URL whether to use TLS.
	OneScheme bool
}

// Validate checks URLs that are to be used with t.
func (s Servers) Validate(urls []string, t TLS) error {
	if len(urls) == 0 {
		return &placement.InvalidError{Field: s.Field, Value: "", Fix: "must name at least one URL such as " + s.Example}
	}
	first, _, _ := strings.Cut(urls[0], "://")
	for i, a := range urls {
		u, err := url.Parse(a)
		fix := ""
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
			fix = "must be a URL such as " + s.Example
		case u.User != nil:
			fix = "must not hold credentials; use " + s.Use
		case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
			fix = "must have no path, query or fragment"
		case s.OneScheme && u.Scheme != first:
			fix = "must begin with " + first + ":// like the first one"
		case u.Scheme == "http" && t != TLS{}:
			fix = "must begin with https:// when tls is set"
		default:
			continue
		}
		return &placement.InvalidError{Field: s.Field + "[" + strconv.Itoa(i) + "]", Value: placement.HideUser(a), Fix: fix}
	}
	return nil
}

// InClear reports whether what is sent to one of the URLs crosses a network
// unencrypted.
func InClear(urls []string) bool {
	for _, a := range urls {
		if u, err := url.Parse(a); err == nil && u.Scheme == "http" && !Loopback(u.Hostname()) {
			return true
		}
	}
	return false
}

// Loopback reports whether a host is this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

package etcdstore

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

// DefaultPrefix begins every key unless Config says otherwise.
const DefaultPrefix = "/sluice/"

// TLS names the files of a TLS client, in PEM form. All empty: the system's
// roots verify https endpoints.
type TLS struct {
	CAFile     string `json:"ca_file,omitempty" yaml:"ca_file,omitempty"`         // verifies the endpoints; read once
	CertFile   string `json:"cert_file,omitempty" yaml:"cert_file,omitempty"`     // client certificate; read at each handshake, so it can be renewed
	KeyFile    string `json:"key_file,omitempty" yaml:"key_file,omitempty"`       // its key
	ServerName string `json:"server_name,omitempty" yaml:"server_name,omitempty"` // in the endpoints' certificates; default: the endpoint's host
}

// Config says how an etcd is reached.
type Config struct {
	Endpoints    []string `json:"endpoints" yaml:"endpoints"`                             // URLs of members, all http or all https, no path
	Prefix       string   `json:"prefix,omitempty" yaml:"prefix,omitempty"`               // begins and ends with "/"; default DefaultPrefix
	Username     string   `json:"username,omitempty" yaml:"username,omitempty"`           // comes with PasswordFile
	PasswordFile string   `json:"password_file,omitempty" yaml:"password_file,omitempty"` // holds Username's password; newlines at its end are dropped
	TLS          TLS      `json:"tls,omitzero" yaml:"tls,omitempty"`
}

// invalid names a field as it is written in the configuration file.
func invalid(field, value, fix string) error {
	return &placement.InvalidError{Field: "store.etcd." + field, Value: value, Fix: fix}
}

// Validate returns a *placement.InvalidError that names the field and the fix,
// or nil. It reads no file.
func (c Config) Validate() error {
	if len(c.Endpoints) == 0 {
		return invalid("endpoints", "", "must name at least one URL such as http://127.0.0.1:2379")
	}
	scheme, _, _ := strings.Cut(c.Endpoints[0], "://")
	for i, e := range c.Endpoints {
		field := "endpoints[" + strconv.Itoa(i) + "]"
		u, err := url.Parse(e)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
			return invalid(field, placement.HideUser(e), "must be a URL such as https://etcd-1:2379")
		case u.User != nil:
			return invalid(field, placement.HideUser(e), "must not hold credentials; use username and password_file")
		case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
			return invalid(field, placement.HideUser(e), "must have no path, query or fragment")
		case u.Scheme != scheme:
			// The client library decides by the first endpoint whether to use TLS.
			return invalid(field, placement.HideUser(e), "must begin with "+scheme+":// like the first endpoint")
		case u.Scheme == "http" && c.TLS != TLS{}:
			return invalid(field, placement.HideUser(e), "must begin with https:// when tls is set")
		}
	}
	if err := validatePrefix(c.Prefix); err != nil {
		return err
	}
	if (c.Username == "") != (c.PasswordFile == "") {
		return invalid("password_file", c.PasswordFile, "must be set if and only if username is")
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		return invalid("tls.key_file", c.TLS.KeyFile, "must be set if and only if tls.cert_file is")
	}
	return nil
}

func validatePrefix(p string) error {
	if p != "" && (len(p) < 2 || p[0] != '/' || p[len(p)-1] != '/') {
		return invalid("prefix", p, "must begin and end with / and name something between, such as /sluice/")
	}
	return nil
}

// exposesPassword reports whether the password would cross a network in clear.
func (c Config) exposesPassword() bool {
	for _, e := range c.Endpoints {
		if u, err := url.Parse(e); err == nil && c.Username != "" && u.Scheme == "http" && !loopback(u.Hostname()) {
			return true
		}
	}
	return false
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// tlsConfig reads the files; nil when the endpoints are not https.
func (c Config) tlsConfig() (*tls.Config, error) {
	if !strings.HasPrefix(c.Endpoints[0], "https://") {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.TLS.ServerName}
	if c.TLS.CAFile != "" {
		pem, err := os.ReadFile(c.TLS.CAFile)
		if err != nil {
			return nil, fmt.Errorf("store.etcd.tls.ca_file: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, invalid("tls.ca_file", c.TLS.CAFile, "must hold certificates in PEM form")
		}
	}
	if c.TLS.CertFile != "" {
		read := func() (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("store.etcd.tls.cert_file and key_file: %w", err)
			}
			return &cert, nil
		}
		if _, err := read(); err != nil { // now, rather than at a handshake whose error nobody sees
			return nil, err
		}
		t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return read() }
	}
	return t, nil
}

func (c Config) password() (string, error) {
	if c.PasswordFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("store.etcd.password_file: %w", err)
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" {
		return "", invalid("password_file", c.PasswordFile, "must hold a password")
	}
	return password, nil
}

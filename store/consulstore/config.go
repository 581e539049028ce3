package consulstore

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

// Defaults of a Config.
const (
	DefaultPrefix = "sluice/"
	DefaultNode   = "sluice-sessions"
)

// TLS names the files of a TLS client, in PEM form. All empty: the system's
// roots verify https addresses.
type TLS struct {
	CAFile     string `json:"ca_file,omitempty" yaml:"ca_file,omitempty"`         // verifies the addresses; read once
	CertFile   string `json:"cert_file,omitempty" yaml:"cert_file,omitempty"`     // client certificate; read at each handshake, so it can be renewed
	KeyFile    string `json:"key_file,omitempty" yaml:"key_file,omitempty"`       // its key
	ServerName string `json:"server_name,omitempty" yaml:"server_name,omitempty"` // in the addresses' certificates, for example server.dc1.consul; default: the address's host
}

// Config says how a Consul is reached.
type Config struct {
	// Addresses are base URLs of agents of one datacenter, servers or clients, all
	// http or all https. One is used until it fails, then the next.
	Addresses  []string `json:"addresses" yaml:"addresses"`
	Datacenter string   `json:"datacenter,omitempty" yaml:"datacenter,omitempty"` // default: that of the agent
	Prefix     string   `json:"prefix,omitempty" yaml:"prefix,omitempty"`         // begins every key; ends with "/"; default DefaultPrefix
	// Node is the node in Consul's catalog that sessions are bound to. It is
	// registered when the first session is opened, and belongs to no machine.
	// Default DefaultNode.
	Node      string `json:"node,omitempty" yaml:"node,omitempty"`
	TokenFile string `json:"token_file,omitempty" yaml:"token_file,omitempty"` // holds the ACL token; read once; newlines at its end are dropped
	TLS       TLS    `json:"tls,omitzero" yaml:"tls,omitempty"`
}

// invalid names a field as it is written in the configuration file.
func invalid(field, value, fix string) error {
	return &placement.InvalidError{Field: "store.consul." + field, Value: value, Fix: fix}
}

// Validate returns a *placement.InvalidError that names the field and the fix,
// or nil. It reads no file.
func (c Config) Validate() error {
	if len(c.Addresses) == 0 {
		return invalid("addresses", "", "must name at least one URL such as http://127.0.0.1:8500")
	}
	scheme, _, _ := strings.Cut(c.Addresses[0], "://")
	for i, a := range c.Addresses {
		field := "addresses[" + strconv.Itoa(i) + "]"
		u, err := url.Parse(a)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
			return invalid(field, placement.HideUser(a), "must be a URL such as https://consul-1:8501")
		case u.User != nil:
			return invalid(field, placement.HideUser(a), "must not hold credentials; use token_file")
		case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
			return invalid(field, placement.HideUser(a), "must have no path, query or fragment")
		case u.Scheme != scheme:
			return invalid(field, placement.HideUser(a), "must begin with "+scheme+":// like the first address")
		case u.Scheme == "http" && c.TLS != TLS{}:
			return invalid(field, placement.HideUser(a), "must begin with https:// when tls is set")
		}
	}
	if err := validatePrefix(c.Prefix); err != nil {
		return err
	}
	if !label(c.Node, 63, "-_") && c.Node != "" {
		return invalid("node", c.Node, "must be 1 to 63 letters, digits, - and _")
	}
	if !label(c.Datacenter, 63, "-_") && c.Datacenter != "" {
		return invalid("datacenter", c.Datacenter, "must be letters, digits, - and _")
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		return invalid("tls.key_file", c.TLS.KeyFile, "must be set if and only if tls.cert_file is")
	}
	return nil
}

// validatePrefix keeps what would be cleaned out of a URL's path, or has to be
// escaped in one, out of keys.
func validatePrefix(p string) error {
	if p == "" {
		return nil
	}
	const fix = "must be segments of letters, digits, - and _, each followed by /, such as sluice/, and at most 128 bytes"
	rest, ok := strings.CutSuffix(p, "/")
	if !ok || len(p) > 128 {
		return invalid("prefix", p, fix)
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if !label(segment, 128, "-_") {
			return invalid("prefix", p, fix)
		}
	}
	return nil
}

// label reports whether s is made of letters, digits and the other characters.
func label(s string, most int, other string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte(other, c) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= most
}

// exposesToken reports whether the token would cross a network in clear.
func (c Config) exposesToken() bool {
	for _, a := range c.Addresses {
		if u, err := url.Parse(a); err == nil && c.TokenFile != "" && u.Scheme == "http" && !loopback(u.Hostname()) {
			return true
		}
	}
	return false
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// tlsConfig reads the files; nil when the addresses are not https.
func (c Config) tlsConfig() (*tls.Config, error) {
	if !strings.HasPrefix(c.Addresses[0], "https://") {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.TLS.ServerName}
	if c.TLS.CAFile != "" {
		pem, err := os.ReadFile(c.TLS.CAFile)
		if err != nil {
			return nil, fmt.Errorf("store.consul.tls.ca_file: %w", err)
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
				return nil, fmt.Errorf("store.consul.tls.cert_file and key_file: %w", err)
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

func (c Config) token() (string, error) {
	if c.TokenFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return "", fmt.Errorf("store.consul.token_file: %w", err)
	}
	token := strings.TrimRight(string(b), "\r\n")
	if token == "" || strings.ContainsAny(token, "\r\n \t") {
		return "", invalid("token_file", c.TokenFile, "must hold one ACL token and nothing else")
	}
	return token, nil
}

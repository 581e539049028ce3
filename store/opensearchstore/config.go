package opensearchstore

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
)

// DefaultIndex is the table's name unless Config says otherwise.
const DefaultIndex = "sluice"

// DefaultReplicas is how many copies the table has besides its primary unless
// Config says otherwise.
const DefaultReplicas = 1

// maxReplicas is a bound against slips; each replica delays every write.
const maxReplicas = 20

// TLS names the files of a TLS client, in PEM form. All empty: the system's
// roots verify https addresses.
type TLS struct {
	CAFile     string `json:"ca_file,omitempty" yaml:"ca_file,omitempty"`         // verifies the nodes; read once
	CertFile   string `json:"cert_file,omitempty" yaml:"cert_file,omitempty"`     // client certificate; read at each handshake, so it can be renewed
	KeyFile    string `json:"key_file,omitempty" yaml:"key_file,omitempty"`       // its key
	ServerName string `json:"server_name,omitempty" yaml:"server_name,omitempty"` // in the nodes' certificates; default: the address's host
}

// Config says how the table is reached and, if it has to be created, how.
type Config struct {
	Addresses []string `json:"addresses" yaml:"addresses"`             // URLs of nodes of one cluster, without a path
	Index     string   `json:"index,omitempty" yaml:"index,omitempty"` // an alias; its index is called INDEX-v1; default DefaultIndex
	// Replicas of a table that Open creates; default DefaultReplicas. An existing
	// table keeps what it has.
	Replicas *int `json:"replicas,omitempty" yaml:"replicas,omitempty"`
	// WaitForActiveShards is how many copies must be there before a write begins
	// (default 1, at most one more than Replicas). It trades availability: with 2,
	// nothing is written, not even a session's renewal, while only one copy is up.
	WaitForActiveShards int    `json:"wait_for_active_shards,omitempty" yaml:"wait_for_active_shards,omitempty"`
	Username            string `json:"username,omitempty" yaml:"username,omitempty"`           // comes with PasswordFile
	PasswordFile        string `json:"password_file,omitempty" yaml:"password_file,omitempty"` // holds Username's password; newlines at its end are dropped
	TLS                 TLS    `json:"tls,omitzero" yaml:"tls,omitempty"`
}

// invalid names a field as it is written in the configuration file.
func invalid(field, value, fix string) error {
	return &placement.InvalidError{Field: "store.opensearch." + field, Value: value, Fix: fix}
}

// indexName is what both OpenSearch and this package take; with the suffix the
// index's own name stays below 255 bytes.
var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,199}$`)

// Validate returns a *placement.InvalidError that names the field and the fix,
// or nil. It reads no file.
func (c Config) Validate() error {
	if len(c.Addresses) == 0 {
		return invalid("addresses", "", "must name at least one URL such as http://127.0.0.1:9200")
	}
	for i, a := range c.Addresses {
		if err := c.validateAddress("addresses["+strconv.Itoa(i)+"]", a); err != nil {
			return err
		}
	}
	if c.Index != "" && !indexName.MatchString(c.Index) {
		return invalid("index", c.Index, "must be 1 to 200 of a-z, 0-9, dot, dash and underscore, and begin with a letter or digit")
	}
	replicas := c.replicas()
	if replicas < 0 || replicas > maxReplicas {
		return invalid("replicas", strconv.Itoa(replicas), fmt.Sprintf("must be 0 to %d", maxReplicas))
	}
	if c.WaitForActiveShards < 0 || c.WaitForActiveShards > replicas+1 {
		return invalid("wait_for_active_shards", strconv.Itoa(c.WaitForActiveShards), fmt.Sprintf("must be 1 to %d, one more than replicas", replicas+1))
	}
	if (c.Username == "") != (c.PasswordFile == "") {
		return invalid("password_file", c.PasswordFile, "must be set if and only if username is")
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		return invalid("tls.key_file", c.TLS.KeyFile, "must be set if and only if tls.cert_file is")
	}
	return nil
}

func (c Config) validateAddress(field, a string) error {
	u, err := url.Parse(a)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		// Not shown as it is: what cannot be parsed may hold a password.
		return invalid(field, placement.HideUser(a), "must be a URL such as https://opensearch-1:9200")
	case u.User != nil:
		return invalid(field, placement.HideUser(a), "must not hold credentials; use username and password_file")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return invalid(field, placement.HideUser(a), "must have no path, query or fragment")
	case u.Scheme == "http" && c.TLS != TLS{}:
		return invalid(field, placement.HideUser(a), "must begin with https:// when tls is set")
	}
	return nil
}

func (c Config) replicas() int {
	if c.Replicas == nil {
		return DefaultReplicas
	}
	return *c.Replicas
}

// exposesPassword reports whether the password would cross a network in clear.
func (c Config) exposesPassword() bool {
	for _, a := range c.Addresses {
		if u, err := url.Parse(a); err == nil && c.Username != "" && u.Scheme == "http" && !loopback(u.Hostname()) {
			return true
		}
	}
	return false
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// tlsConfig reads the files.
func (c Config) tlsConfig() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.TLS.ServerName}
	if c.TLS.CAFile != "" {
		pem, err := os.ReadFile(c.TLS.CAFile)
		if err != nil {
			return nil, fmt.Errorf("store.opensearch.tls.ca_file: %w", err)
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
				return nil, fmt.Errorf("store.opensearch.tls.cert_file and key_file: %w", err)
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
		return "", fmt.Errorf("store.opensearch.password_file: %w", err)
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" {
		return "", invalid("password_file", c.PasswordFile, "must hold a password")
	}
	return password, nil
}

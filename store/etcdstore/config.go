package etcdstore

import (
	"crypto/tls"
	"strings"

	"github.com/sluiceproxy/sluice/internal/credentials"
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

const tlsSection = "store.etcd.tls."

// invalid names a field as it is written in the configuration file.
func invalid(field, value, fix string) error {
	return &placement.InvalidError{Field: "store.etcd." + field, Value: value, Fix: fix}
}

// Validate returns a *placement.InvalidError that names the field and the fix,
// or nil. It reads no file.
func (c Config) Validate() error {
	servers := credentials.Servers{Field: "store.etcd.endpoints", Example: "https://etcd-1:2379", Use: "username and password_file", OneScheme: true}
	if err := servers.Validate(c.Endpoints, credentials.TLS(c.TLS)); err != nil {
		return err
	}
	if err := validatePrefix(c.Prefix); err != nil {
		return err
	}
	if (c.Username == "") != (c.PasswordFile == "") {
		return invalid("password_file", c.PasswordFile, "must be set if and only if username is")
	}
	return credentials.TLS(c.TLS).Validate(tlsSection)
}

func validatePrefix(p string) error {
	if p != "" && (len(p) < 2 || p[0] != '/' || p[len(p)-1] != '/') {
		return invalid("prefix", p, "must begin and end with / and name something between, such as /sluice/")
	}
	return nil
}

// tlsConfig reads the files; nil when the endpoints are not https.
func (c Config) tlsConfig() (*tls.Config, error) {
	if !strings.HasPrefix(c.Endpoints[0], "https://") {
		return nil, nil
	}
	return credentials.TLS(c.TLS).Config(tlsSection)
}

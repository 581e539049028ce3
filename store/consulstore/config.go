package consulstore

import (
	"crypto/tls"
	"strings"

	"github.com/sluiceproxy/sluice/internal/credentials"
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

const tlsSection = "store.consul.tls."

// invalid names a field as it is written in the configuration file.
func invalid(field, value, fix string) error {
	return &placement.InvalidError{Field: "store.consul." + field, Value: value, Fix: fix}
}

// Validate returns a *placement.InvalidError that names the field and the fix,
// or nil. It reads no file.
func (c Config) Validate() error {
	servers := credentials.Servers{Field: "store.consul.addresses", Example: "https://consul-1:8501", Use: "token_file", OneScheme: true}
	if err := servers.Validate(c.Addresses, credentials.TLS(c.TLS)); err != nil {
		return err
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
	return credentials.TLS(c.TLS).Validate(tlsSection)
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

// tlsConfig reads the files; nil when the addresses are not https.
func (c Config) tlsConfig() (*tls.Config, error) {
	if !strings.HasPrefix(c.Addresses[0], "https://") {
		return nil, nil
	}
	return credentials.TLS(c.TLS).Config(tlsSection)
}

func (c Config) token() (string, error) {
	token, err := credentials.Secret("store.consul.token_file", c.TokenFile, "token")
	if err == nil && strings.ContainsAny(token, "\r\n \t") {
		return "", invalid("token_file", c.TokenFile, "must hold one ACL token and nothing else")
	}
	return token, err
}

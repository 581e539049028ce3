package redisstore

import (
	"crypto/tls"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/placement"
)

// DefaultPrefix names the fleet's keys unless Config says otherwise.
const DefaultPrefix = "sluice"

// TLS says how connections are encrypted. Files are in PEM form.
type TLS struct {
	Enabled    bool   `json:"enabled,omitempty" yaml:"enabled,omitempty"`         // everything else here needs it
	CAFile     string `json:"ca_file,omitempty" yaml:"ca_file,omitempty"`         // verifies the servers; empty: the system's roots; read once
	CertFile   string `json:"cert_file,omitempty" yaml:"cert_file,omitempty"`     // client certificate; read at each handshake, so it can be renewed
	KeyFile    string `json:"key_file,omitempty" yaml:"key_file,omitempty"`       // its key
	ServerName string `json:"server_name,omitempty" yaml:"server_name,omitempty"` // in the servers' certificates; default: the address's host
}

// Sentinel says who knows the master. With Master set, Config.Addresses are the
// sentinels', reached with the same TLS.
type Sentinel struct {
	Master       string `json:"master,omitempty" yaml:"master,omitempty"`               // the name that the sentinels watch it under
	Username     string `json:"username,omitempty" yaml:"username,omitempty"`           // at the sentinels, not at the master
	PasswordFile string `json:"password_file,omitempty" yaml:"password_file,omitempty"` // at the sentinels; newlines at its end are dropped
}

// Config says how a Redis or Valkey is reached, and what it must promise.
type Config struct {
	// Addresses are "host:port": of one server, of a master and the replicas that
	// may become master, of some nodes of a cluster, or of sentinels.
	Addresses    []string `json:"addresses" yaml:"addresses"`
	Sentinel     Sentinel `json:"sentinel,omitzero" yaml:"sentinel,omitempty"`
	Username     string   `json:"username,omitempty" yaml:"username,omitempty"`           // of the ACL; empty: the default user
	PasswordFile string   `json:"password_file,omitempty" yaml:"password_file,omitempty"` // read at each connection; newlines at its end are dropped
	TLS          TLS      `json:"tls,omitzero" yaml:"tls,omitempty"`
	DB           int      `json:"db,omitempty" yaml:"db,omitempty"`         // number of the database; a cluster has only 0
	Prefix       string   `json:"prefix,omitempty" yaml:"prefix,omitempty"` // of all keys, in braces; default DefaultPrefix
	// WaitReplicas is how many replicas must have a change before it counts as
	// written. Default: the server's min-replicas-to-write. Only the number of all
	// replicas that may become master rules out that a failover loses a change.
	WaitReplicas int `json:"wait_replicas,omitempty" yaml:"wait_replicas,omitempty"`
	// AllowWeakDurability accepts `appendfsync everysec`: a power cut may then lose
	// the last second or two, though acknowledged.
	AllowWeakDurability bool `json:"allow_weak_durability,omitempty" yaml:"allow_weak_durability,omitempty"`
	// SkipSettingsCheck opens a server whose settings cannot be read (CONFIG is
	// forbidden, as at most managed services): you have made sure of them.
	SkipSettingsCheck bool `json:"skip_settings_check,omitempty" yaml:"skip_settings_check,omitempty"`
}

const tlsSection = "store.redis.tls."

// invalid names a field as it is written in the configuration file.
func invalid(field, value, fix string) error {
	return &placement.InvalidError{Field: "store.redis." + field, Value: value, Fix: fix}
}

// prefixes excludes braces, which would move the keys to several hash slots, and
// what would have to be quoted in an ACL.
var prefixes = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,64}$`)

// Validate returns a *placement.InvalidError that names the field and the fix,
// or nil. It reads no file.
func (c Config) Validate() error {
	if len(c.Addresses) == 0 {
		return invalid("addresses", "", "must name at least one server such as 127.0.0.1:6379")
	}
	for i, a := range c.Addresses {
		if err := validAddress(a); err != nil {
			return invalid("addresses["+strconv.Itoa(i)+"]", err.Error(), "must be a host and a port such as redis-1:6379")
		}
	}
	if c.Prefix != "" && !prefixes.MatchString(c.Prefix) {
		return invalid("prefix", c.Prefix, "must be 1 to 64 letters, digits and . _ : / -")
	}
	if c.DB < 0 {
		return invalid("db", strconv.Itoa(c.DB), "must be 0 or the number of a database")
	}
	if c.WaitReplicas < 0 {
		return invalid("wait_replicas", strconv.Itoa(c.WaitReplicas), "must be 0, for the server's min-replicas-to-write, or a number of replicas")
	}
	if c.Username != "" && c.PasswordFile == "" {
		return invalid("password_file", "", "must be set when username is")
	}
	if c.Sentinel.Master == "" && c.Sentinel != (Sentinel{}) {
		return invalid("sentinel.master", "", "must be set when anything else of sentinel is")
	}
	if c.Sentinel.Username != "" && c.Sentinel.PasswordFile == "" {
		return invalid("sentinel.password_file", "", "must be set when sentinel.username is")
	}
	if !c.TLS.Enabled && c.TLS != (TLS{}) {
		return invalid("tls.enabled", "false", "must be true when anything else of tls is set")
	}
	return c.TLS.files().Validate(tlsSection)
}

// validAddress returns an error that holds what may be shown of the address.
func validAddress(a string) error {
	if at := strings.LastIndexByte(a, '@'); at >= 0 {
		return fmt.Errorf("...@%s", a[at+1:]) // what is before it may be a password
	}
	host, port, err := net.SplitHostPort(a)
	if err != nil || host == "" || strings.Contains(host, "/") {
		return fmt.Errorf("%s", a)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%s", a)
	}
	return nil
}

// exposesPassword reports whether a password would cross a network in clear.
func (c Config) exposesPassword() bool {
	if c.TLS.Enabled || c.PasswordFile == "" && c.Sentinel.PasswordFile == "" {
		return false
	}
	for _, a := range c.Addresses {
		host, _, err := net.SplitHostPort(a)
		if err == nil && !credentials.Loopback(host) {
			return true
		}
	}
	return false
}

// config reads the files; nil when TLS is off.
func (t TLS) config() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	return t.files().Config(tlsSection)
}

func (t TLS) files() credentials.TLS {
	return credentials.TLS{CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile, ServerName: t.ServerName}
}

// password reads a file that field names; no file is no password.
func password(field, file string) (string, error) {
	return credentials.Secret("store.redis."+field, file, "password")
}

package opensearchstore

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/sluiceproxy/sluice/internal/credentials"
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

const tlsSection = "store.opensearch.tls."

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
	servers := credentials.Servers{Field: "store.opensearch.addresses", Example: "https://opensearch-1:9200", Use: "username and password_file"}
	if err := servers.Validate(c.Addresses, credentials.TLS(c.TLS)); err != nil {
		return err
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
	return credentials.TLS(c.TLS).Validate(tlsSection)
}

func (c Config) replicas() int {
	if c.Replicas == nil {
		return DefaultReplicas
	}
	return *c.Replicas
}

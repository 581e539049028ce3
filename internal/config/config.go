// Package config is the one configuration of every sluice process: defaults,
// then one YAML file, then SLUICE_ environment variables, then flags, each over
// the one before.
//
// There is one table of keys ([Config.keys]): the defaults, the environment's
// names, the flags and the commented example all come from it, so none of them
// can drift from what is read.
//
// What it refuses: a key that it does not know (a misspelt hold_deadline would
// otherwise silently mean the default), a value that does not parse, and a
// combination that could not keep Sluice's promise, such as a drain barrier below
// the upstream write timeout. Every refusal names the field, what was given and
// what it must be (*placement.InvalidError). Secrets are never values of the
// configuration, only paths of files.
package config

//go:generate go test -run TestConfigurationPage . -update

import (
	"net/netip"
	"time"

	"github.com/sluiceproxy/sluice/tenancy"
)

// Config is a validated configuration.
type Config struct {
	Name       string
	Store      Store
	Proxy      Proxy
	Admin      Admin
	Fleet      Fleet
	Controller Controller
	API        API
	Telemetry  Telemetry
	Log        Log
}

// Store says where the placement table is: Kind is one of Kinds, and only its
// section is used. What each section must hold is the driver's to say; the
// program asks it when it loads the configuration.
type Store struct {
	Kind       string
	Etcd       Etcd
	Consul     Consul
	Redis      Redis
	OpenSearch OpenSearch
}

// Embedded reports whether the table is in a member inside a process.
func (s Store) Embedded() bool { return s.Kind == "etcd" && len(s.Etcd.Endpoints) == 0 }

// Etcd is an external etcd cluster, or the embedded member when Endpoints is
// empty.
type Etcd struct {
	Endpoints    []string
	Prefix       string
	Username     string
	PasswordFile string
	TLS          TLS
	Embedded     Embedded
}

// TLS are the files of a TLS client.
type TLS struct{ CAFile, CertFile, KeyFile, ServerName string }

// Consul is a Consul's key-value store.
type Consul struct {
	Addresses  []string
	Datacenter string
	Prefix     string
	Node       string
	TokenFile  string
	TLS        TLS
}

// Redis is a Redis or Valkey.
type Redis struct {
	Addresses           []string
	Prefix              string
	DB                  int
	Username            string
	PasswordFile        string
	WaitReplicas        int
	AllowWeakDurability bool
	SkipSettingsCheck   bool
	Sentinel            Sentinel
	TLSEnabled          bool
	TLS                 TLS
}

// Sentinel is how a Redis master is found.
type Sentinel struct{ Master, Username, PasswordFile string }

// OpenSearch is an index that holds the table.
type OpenSearch struct {
	Addresses           []string
	Index               string
	Replicas            int
	WaitForActiveShards int
	Username            string
	PasswordFile        string
	TLS                 TLS
}

// Embedded is the etcd member that runs inside the process.
type Embedded struct {
	DataDir   string
	ClientURL string
}

// Proxy is the data plane.
type Proxy struct {
	Listen               string
	TLS                  ServerTLS
	Mode                 string         // fresh or leased
	Tenant               tenancy.Config // its fields are named tenancy. in its errors, and proxy.tenant. in ours
	UpstreamWriteTimeout time.Duration
	HoldDeadline         time.Duration
	HoldRequests         int
	HoldBytes            int64
	Requests             int // under way at once
	TenantRequests       int // of one tenant
	Limits               Limits
	SessionTTL           time.Duration
	DrainBarrier         time.Duration
	JournalLimit         int
	ShutdownDelay        time.Duration
	ShutdownTimeout      time.Duration
	Cursors              Cursors
	Cleartext            string   // a proxy.Cleartext
	TrustedProxies       []string // addresses, or ranges such as 10.0.0.0/8
	ForwardHeaders       []string
	DropHeaders          []string
}

// Trusted are the ranges of TrustedProxies. Those that are none are left out;
// validation has refused them.
func (p Proxy) Trusted() (out []netip.Prefix) {
	for _, s := range p.TrustedProxies {
		if r, err := addressRange(s); err == nil {
			out = append(out, r)
		}
	}
	return out
}

// addressRange is a range of addresses, or one address.
func addressRange(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

// Limits bound what clients may send, and how slowly.
type Limits struct {
	HeaderBytes     int64
	QueryBody       int64
	BulkBody        int64
	BodyBytes       int64 // in memory
	TenantBodyBytes int64
	ClientStall     time.Duration
	ClientRate      int64 // bytes a second
	BreakerFailures int   // 0: the breaker is off
	BreakerPause    time.Duration
}

// Cursors says how scrolls and points in time find back to their cluster.
type Cursors struct {
	Affinity string // an affinity.Affinity
	Limit    int
	TTL      time.Duration
	KeyFiles []string
}

// ServerTLS are the files of the clients' listener, and whether clients must show a
// certificate: ClientAuth is ClientAuthRequire or ClientAuthOptional.
type ServerTLS struct{ CertFile, KeyFile, ClientCAFile, ClientAuth string }

// The values of ServerTLS.ClientAuth.
const (
	ClientAuthRequire  = "require"
	ClientAuthOptional = "optional"
)

// Admin is the listener of operators and of the fleet.
type Admin struct {
	Listen    string
	Advertise string // base URL, empty: derived from the listener
}

// Fleet is what the processes of one fleet share.
type Fleet struct{ SecretFile string }

// API is the listener of the HTTP API, of controllers; an empty Listen: there is none.
type API struct {
	Listen    string
	Advertise string // base URL, empty: derived from the listener
	TLS       ServerTLS
	Auth      APIAuth
	// AuditAge is how long the audit log is kept.
	AuditAge time.Duration
}

// APIAuth says who may ask the API; it is package api's AuthConfig, which checks it.
type APIAuth struct {
	TokensFile                    string
	Certificates                  []string
	Issuer, Audience              string
	KeysFile, KeysURL, KeysCAFile string
	NameClaim, RoleClaim          string
	Algorithms                    []string
	Roles                         []string
}

// BarrierTime is the value of controller.barrier for fleets with proxies that
// hold no session.
const BarrierTime = "time"

// Controller drives the moves.
type Controller struct {
	PauseBudget     time.Duration
	CutoverDeadline time.Duration
	Barrier         string // fleet or time
	DrainBarrier    time.Duration
	SessionTTL      time.Duration
	MovesAtOnce     int
	CopyWorkers     int
	Trash           time.Duration // how long a retired copy can be restored
}

// Log is what is logged, to standard error but for Access.
type Log struct {
	Level  string
	Format string
	Access Access
}

// Access is the log of requests, to standard output.
type Access struct {
	Enabled bool
	Sample  float64 // share of those that are neither errors nor slow
	Slow    time.Duration
}

// Telemetry is where spans go; an empty endpoint: nowhere.
type Telemetry struct {
	Endpoint, HeadersFile, CAFile string
	SampleRatio                   float64
	Tenants                       bool // in spans
	MetricsTenants                int  // with series of their own
}

// Default returns the configuration of an empty file. It is valid.
func Default() *Config {
	c := &Config{}
	for _, k := range c.keys() {
		if err := k.set(k.def); err != nil {
			panic("config: default of " + k.path + ": " + err.Error()) // a test loads every default
		}
	}
	return c
}

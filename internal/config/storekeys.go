package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
)

// Kinds are the stores that the table can be in.
var Kinds = []string{"etcd", "consul", "redis", "opensearch"}

// storeSections introduce the stores in the example.
var storeSections = map[string]string{
	"store":                "Where the placement table is kept. Only the section of the chosen kind is read.",
	"store.etcd":           "With no endpoints, `sluice serve` and `sluice controller` run an etcd member inside.",
	"store.etcd.tls":       "Files for https endpoints; the certificate and its key only for mutual TLS.",
	"store.etcd.embedded":  "The member that runs inside the process when endpoints is empty.",
	"store.consul":         "Consul's key-value store. Needs fleet.secret_file.",
	"store.consul.tls":     "Files for https addresses; the certificate and its key only for mutual TLS.",
	"store.redis":          "Redis or Valkey, with every change on disk before it is acknowledged (appendonly, appendfsync always). Needs fleet.secret_file.",
	"store.redis.sentinel": "With a master's name, addresses are those of the sentinels that watch it.",
	"store.redis.tls":      "Files for encrypted connections; the certificate and its key only for mutual TLS.",
	"store.opensearch":     "An index of an OpenSearch cluster; better not one that tenants move from or to. Needs fleet.secret_file.",
	"store.opensearch.tls": "Files for https addresses; the certificate and its key only for mutual TLS.",
}

// storeKeys are the rows of the store, in the order of the example.
func (c *Config) storeKeys() []key {
	e, s := &c.Store.Etcd, &c.Store
	rows := []key{
		{path: "store.kind", target: &s.Kind, def: "etcd", oneOf: Kinds,
			doc: "etcd, consul, redis (Valkey, too) or opensearch; docs/stores says how they differ. `sluice doctor store` examines the chosen one."},

		{path: "store.etcd.endpoints", target: &e.Endpoints, def: []string{}, sample: "[https://etcd-1:2379, https://etcd-2:2379]",
			doc: "Client URLs of an external etcd cluster. Empty: the embedded member, which one machine's processes can share."},
		{path: "store.etcd.prefix", target: &e.Prefix, def: "/sluice/",
			doc: "Beginning of every key. Two fleets in one etcd need two prefixes."},
		{path: "store.etcd.username", target: &e.Username, def: "", sample: "sluice",
			doc: "etcd user; comes with password_file."},
		{path: "store.etcd.password_file", target: &e.PasswordFile, def: "", sample: "/etc/sluice/etcd.password",
			doc: "File with the user's password; a newline at the end is ignored."},
	}
	rows = append(rows, tlsKeys("store.etcd.tls.", &e.TLS)...)
	rows = append(rows,
		key{path: "store.etcd.embedded.data_dir", target: &e.Embedded.DataDir, def: "sluice-data",
			doc: "Directory of the embedded member's data and of the generated fleet secret. Losing it loses the placement table."},
		key{path: "store.etcd.embedded.client_url", target: &e.Embedded.ClientURL, def: "http://127.0.0.1:12379",
			doc: "Where the embedded member is reached, by `sluice tenant`, `sluice move` and other proxies too. It asks for no password: keep it on loopback."},
	)
	rows = append(rows, c.consulKeys()...)
	rows = append(rows, c.redisKeys()...)
	return append(rows, c.opensearchKeys()...)
}

func (c *Config) consulKeys() []key {
	o := &c.Store.Consul
	return append([]key{
		{path: "store.consul.addresses", target: &o.Addresses, def: []string{}, sample: "[https://consul-1:8501, https://consul-2:8501]",
			doc: "URLs of agents of one datacenter. One is used until it fails, then the next."},
		{path: "store.consul.datacenter", target: &o.Datacenter, def: "", sample: "dc1",
			doc: "Datacenter of the table. Empty: that of the agent."},
		{path: "store.consul.prefix", target: &o.Prefix, def: "sluice/",
			doc: "Beginning of every key. Two fleets in one Consul need two prefixes."},
		{path: "store.consul.node", target: &o.Node, def: "sluice-sessions",
			doc: "Node of Consul's catalog that sessions are bound to; it is registered by itself and belongs to no machine."},
		{path: "store.consul.token_file", target: &o.TokenFile, def: "", sample: "/etc/sluice/consul.token",
			doc: "File with the ACL token; a newline at the end is ignored."},
	}, tlsKeys("store.consul.tls.", &o.TLS)...)
}

func (c *Config) redisKeys() []key {
	o := &c.Store.Redis
	return append([]key{
		{path: "store.redis.addresses", target: &o.Addresses, def: []string{}, sample: "[redis-1:6379, redis-2:6379]",
			doc: "host:port of one server, of a master and the replicas that may become master, of nodes of a cluster, or of sentinels."},
		{path: "store.redis.prefix", target: &o.Prefix, def: "sluice",
			doc: "Names the fleet's keys. Two fleets in one Redis need two prefixes."},
		{path: "store.redis.db", target: &o.DB, def: 0,
			doc: "Number of the database; a cluster has only 0."},
		{path: "store.redis.username", target: &o.Username, def: "", sample: "sluice",
			doc: "User of the ACL; comes with password_file. Empty: the default user."},
		{path: "store.redis.password_file", target: &o.PasswordFile, def: "", sample: "/etc/sluice/redis.password",
			doc: "File with the password; a newline at the end is ignored."},
		{path: "store.redis.wait_replicas", target: &o.WaitReplicas, def: 0,
			doc: "How many replicas must have a change before it counts. 0: the server's min-replicas-to-write. Only the number of all replicas that may become master rules out that a failover loses a change."},
		{path: "store.redis.allow_weak_durability", target: &o.AllowWeakDurability, def: false,
			doc: "Accept appendfsync everysec: a power cut may then lose the last second or two of acknowledged changes."},
		{path: "store.redis.skip_settings_check", target: &o.SkipSettingsCheck, def: false,
			doc: "Open a server that does not tell its settings (CONFIG is forbidden, as at most managed services): you have made sure of them."},
		{path: "store.redis.sentinel.master", target: &o.Sentinel.Master, def: "", sample: "mymaster",
			doc: "Name of the master that the sentinels watch. Empty: no sentinels."},
		{path: "store.redis.sentinel.username", target: &o.Sentinel.Username, def: "", sample: "sluice",
			doc: "User at the sentinels, not at the master."},
		{path: "store.redis.sentinel.password_file", target: &o.Sentinel.PasswordFile, def: "", sample: "/etc/sluice/sentinel.password",
			doc: "File with the password at the sentinels."},
		{path: "store.redis.tls.enabled", target: &o.TLSEnabled, def: false,
			doc: "Encrypt connections, to the sentinels too."},
	}, tlsKeys("store.redis.tls.", &o.TLS)...)
}

func (c *Config) opensearchKeys() []key {
	o := &c.Store.OpenSearch
	return append([]key{
		{path: "store.opensearch.addresses", target: &o.Addresses, def: []string{}, sample: "[https://opensearch-1:9200, https://opensearch-2:9200]",
			doc: "URLs of nodes of one cluster."},
		{path: "store.opensearch.index", target: &o.Index, def: "sluice",
			doc: "Name of the table's index. Two fleets in one cluster need two."},
		{path: "store.opensearch.replicas", target: &o.Replicas, def: 1,
			doc: "Copies besides the primary of a table that is created; an existing one keeps what it has. 0 loses the table with its node."},
		{path: "store.opensearch.wait_for_active_shards", target: &o.WaitForActiveShards, def: 1,
			doc: "Copies that must be there before a write begins. More is safer, and nothing is written while fewer are up."},
		{path: "store.opensearch.username", target: &o.Username, def: "", sample: "sluice",
			doc: "User; comes with password_file."},
		{path: "store.opensearch.password_file", target: &o.PasswordFile, def: "", sample: "/etc/sluice/opensearch.password",
			doc: "File with the user's password; a newline at the end is ignored."},
	}, tlsKeys("store.opensearch.tls.", &o.TLS)...)
}

func tlsKeys(prefix string, t *TLS) []key {
	store := strings.Split(prefix, ".")[1]
	return []key{
		{path: prefix + "ca_file", target: &t.CAFile, def: "", sample: "/etc/sluice/" + store + "-ca.pem",
			doc: "Certificates that verify the servers. Empty: the system's."},
		{path: prefix + "cert_file", target: &t.CertFile, def: "", sample: "/etc/sluice/" + store + "-client.pem",
			doc: "Client certificate; comes with key_file."},
		{path: prefix + "key_file", target: &t.KeyFile, def: "", sample: "/etc/sluice/" + store + "-client.key",
			doc: "Key of the client certificate."},
		{path: prefix + "server_name", target: &t.ServerName, def: "", sample: store + ".internal",
			doc: "Name in the servers' certificates. Empty: the host of the address."},
	}
}

// otherStores looks at keys of stores that are not the chosen one. They are
// useful, while the table moves from one to the other with one file, and so are a
// warning; but with no kind chosen they show that the kind was forgotten, and the
// process would begin an empty table in an embedded etcd: an error.
func (c *Config) otherStores(chosen bool) (warnings []string, err error) {
	defaults := map[string]any{}
	for _, k := range Default().storeKeys() {
		defaults[k.path] = reflect.ValueOf(k.target).Elem().Interface()
	}
	seen := map[string]bool{}
	for _, k := range c.storeKeys() {
		kind, _, ok := strings.Cut(strings.TrimPrefix(k.path, "store."), ".")
		if !ok || kind == c.Store.Kind || seen[kind] || reflect.DeepEqual(reflect.ValueOf(k.target).Elem().Interface(), defaults[k.path]) {
			continue
		}
		seen[kind] = true
		if !chosen {
			return nil, &placement.InvalidError{Field: "store.kind", Value: "", Fix: fmt.Sprintf("must say which store to use, because %s is set: %s, or etcd", k.path, kind)}
		}
		warnings = append(warnings, fmt.Sprintf("%s is set, but store.kind is %s: nothing of store.%s is used", k.path, c.Store.Kind, kind))
	}
	return warnings, nil
}

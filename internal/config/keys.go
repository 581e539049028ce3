package config

import (
	"strings"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/tenancy"
)

// key is one row of the table: the key's path, where its value goes, its
// default as it would be written, and what it means.
type key struct {
	path   string
	target any // pointer into a Config, or *sizeValue
	def    any
	doc    string
	oneOf  []string // allowed values; nil: any that parses
	sample string   // shown in the example when the default is empty
}

// section introduces a group of keys in the example.
var sections = map[string]string{
	"proxy":                    "The data plane: clients talk OpenSearch's API to it.",
	"proxy.cursors":            "How scrolls and points in time find back to the cluster that they were opened on.",
	"proxy.tls":                "HTTPS for clients. The files are read again when they change.",
	"proxy.tenant":             "Where a request names its tenant. An empty value is off; whatever names one must name the same (403). The lower four also prove it: with any of them a name without proof is refused (401). docs/tenants.md has examples.",
	"proxy.limits":             "What clients may send, and how slowly, and when a cluster is left alone for a while. docs/security.md has more.",
	"proxy.tenant.basic":       "HTTP basic authentication.",
	"proxy.tenant.client_cert": "The client certificate that proxy.tls has verified.",
	"proxy.tenant.jwt":         "A signed token in the header Authorization: Bearer. exp, nbf, iat, iss and aud are checked.",
	"proxy.tenant.api_key":     "A key of a tenant.",
	"admin":                    "Health, metrics and the fleet's own endpoint. Keep it off the public network.",
	"fleet":                    "What the processes of one fleet share.",
	"controller":               "The moves. pause_budget and cutover_deadline are read by `sluice move` when it asks for one.",
	"api":                      "The HTTP API, of controllers. docs/api.md says more.",
	"api.tls":                  "HTTPS for the API. The files are read again when they change.",
	"api.auth":                 "Who may ask. With none of it, whoever is on the same machine may look, and the token in api.token of the embedded data_dir may do everything.",
	"api.auth.oidc":            "Signed tokens of an issuer, in Authorization: Bearer.",
	"telemetry":                "Spans of requests and of moves, for OpenTelemetry. A traceparent of a client's is continued; without an endpoint it is passed on.",
	"telemetry.otlp":           "Where they go.",
	"log.access":               "The log of requests.",
	"log":                      "Written to standard error. Never holds documents, ids, tokens or credentials.",
}

// keys is the table, in the order of the example. The rows point into c.
func (c *Config) keys() []key {
	p, t := &c.Proxy, &c.Controller
	rows := []key{
		{path: "name", target: &c.Name, def: "", sample: "proxy-1",
			doc: "Name of this process, for people, in status and receipts. Empty: the host's name and the process id."},
	}
	rows = append(rows, c.storeKeys()...)
	rows = append(rows, []key{
		{path: "proxy.listen", target: &p.Listen, def: "127.0.0.1:9280",
			doc: "Address for clients, host:port; \":9280\" listens on every interface."},
		{path: "proxy.tls.cert_file", target: &p.TLS.CertFile, def: "", sample: "/etc/sluice/tls.pem",
			doc: "Serve HTTPS with this certificate; comes with key_file. Empty: HTTP, version 2 included."},
		{path: "proxy.tls.key_file", target: &p.TLS.KeyFile, def: "", sample: "/etc/sluice/tls.key",
			doc: "Key of the certificate."},
		{path: "proxy.tls.client_ca_file", target: &p.TLS.ClientCAFile, def: "", sample: "/etc/sluice/clients-ca.pem",
			doc: "Certificates that verify those of clients. Empty: clients are not asked for one."},
		{path: "proxy.tls.client_auth", target: &p.TLS.ClientAuth, def: ClientAuthRequire, oneOf: []string{ClientAuthRequire, ClientAuthOptional},
			doc: "With client_ca_file: require refuses connections without a certificate; optional leaves it to proxy.tenant whether another proof will do."},
		{path: "proxy.mode", target: &p.Mode, def: "fresh", oneOf: []string{"fresh", "leased"},
			doc: "fresh: no request is decided on knowledge older than its arrival, at about one store round trip. leased: no round trip; writes are as safe, a read may be old for as long as the watch lags."},
		{path: "proxy.tenant.header", target: &p.Tenant.Header, def: tenancy.DefaultHeader,
			doc: "Request header that holds the tenant. Nothing proves it: without a proof below, whatever authenticates clients must set it."},
		{path: "proxy.tenant.path_prefix", target: &p.Tenant.PathPrefix, def: "", sample: "/t/",
			doc: "Path prefix before the tenant: with /t/, /t/acme/docs/_search is tenant acme's /docs/_search."},
		{path: "proxy.tenant.host", target: &p.Tenant.Host, def: "", sample: "{tenant}.search.example.com",
			doc: "Pattern of the Host header that holds {tenant} as a whole label."},
		{path: "proxy.tenant.mixed_bulk", target: &p.Tenant.MixedBulk, def: false,
			doc: "Let items of a _bulk name their tenants, as _index TENANT/INDEX, in requests that name none. Only where credentials prove no tenant."},
	}...)
	rows = append(rows, c.roleKeys()...)
	rows = append(rows, c.proofKeys()...)
	rows = append(rows, []key{
		{path: "proxy.upstream_write_timeout", target: &p.UpstreamWriteTimeout, def: "20s",
			doc: "Longest that a write may take upstream; after it its outcome is unknown."},
		{path: "proxy.hold_deadline", target: &p.HoldDeadline, def: "5s",
			doc: "Longest that a write is held during a cutover before it gets a 503."},
		{path: "proxy.hold_requests", target: &p.HoldRequests, def: 10000,
			doc: "Most writes held at once."},
		{path: "proxy.hold_bytes", target: (*sizeValue)(&p.HoldBytes), def: "256MiB",
			doc: "Most bytes of bodies held at once."},
		{path: "proxy.requests", target: &p.Requests, def: 20000,
			doc: "Most requests under way at once; beyond it they get a 429. Held ones count."},
		{path: "proxy.tenant_requests", target: &p.TenantRequests, def: 5000,
			doc: "Most requests of one tenant under way at once, so that a tenant that floods leaves room for the others."},
	}...)
	rows = append(rows, c.limitKeys()...)
	return append(rows, []key{
		{path: "proxy.cleartext", target: &p.Cleartext, def: string(proxy.CleartextLoopback), oneOf: []string{string(proxy.CleartextLoopback), string(proxy.CleartextAllow), string(proxy.CleartextRefuse)},
			doc: "Requests that change something and come without TLS: loopback takes them from this machine only, allow from everywhere, refuse from nowhere. Others get a 403."},
		{path: "proxy.trusted_proxies", target: &p.TrustedProxies, def: []string{}, sample: "[10.0.0.0/8]",
			doc: "Addresses of what ends TLS in front of this proxy: its X-Forwarded-Proto is believed, and its X-Forwarded-For may be forwarded."},
		{path: "proxy.forward_headers", target: &p.ForwardHeaders, def: proxy.DefaultForwardHeaders,
			doc: "Headers of clients that clusters see; a star at the end of a name stands for anything. Credentials, and what belongs to one connection or says who somebody is, is never forwarded (docs/security.md)."},
		{path: "proxy.drop_headers", target: &p.DropHeaders, def: []string{}, sample: "[X-Internal-*]",
			doc: "Headers that are not forwarded although forward_headers has them."},
		{path: "proxy.session_ttl", target: &p.SessionTTL, def: "10s",
			doc: "Lease of this instance in the store: a move waits this long for an instance that died."},
		{path: "proxy.drain_barrier", target: &p.DrainBarrier, def: "30s",
			doc: "How long a write of unknown outcome may still take effect. Not below upstream_write_timeout."},
		{path: "proxy.journal_limit", target: &p.JournalLimit, def: 200000,
			doc: "Document ids journaled in memory per moving tenant; beyond it the move compares both sides instead."},
		{path: "proxy.shutdown_delay", target: &p.ShutdownDelay, def: "0s",
			doc: "How long a process that was told to stop still takes new connections, while /-/ready says no and every answer closes its connection: as long as the load balancers in front take to notice. 0s where the socket is handed to the next process (docs/restarts.md)."},
		{path: "proxy.shutdown_timeout", target: &p.ShutdownTimeout, def: "15s",
			doc: "Longest that a clean stop takes, after shutdown_delay: half of it for requests under way, half for movers to fetch the journals."},
		{path: "proxy.cursors.affinity", target: &p.Cursors.Affinity, def: string(affinity.Off), oneOf: []string{string(affinity.Off), string(affinity.Pin)},
			doc: "off: clients are given signed ids that any instance follows; they are longer than the cluster's, by a third and about 100 bytes. pin: for clients that cannot carry those, they are given the cluster's own ids, and this instance alone remembers where they lead: a client must stay with its instance, and a restart ends its cursors (404)."},
		{path: "proxy.cursors.limit", target: &p.Cursors.Limit, def: affinity.DefaultLimit,
			doc: "With affinity: pin, most cursors that are remembered; beyond it the one that was used longest ago is forgotten."},
		{path: "proxy.cursors.ttl", target: &p.Cursors.TTL, def: "5m",
			doc: "With affinity: pin, how long a cursor is remembered after its last use when its request gives no keep-alive."},
		{path: "proxy.cursors.key_files", target: &p.Cursors.KeyFiles, def: []string{}, sample: "[/etc/sluice/cursors.key, /etc/sluice/cursors-old.key]",
			doc: "Files with keys (16 bytes or more) that sign ids; the same on all. The first signs, all are followed: to replace a key, add the new one at the end on all, then put it first on all, then leave the old one out a day later. Empty: one derived from the fleet's secret."},

		{path: "admin.listen", target: &c.Admin.Listen, def: "127.0.0.1:9281",
			doc: "Address of /-/healthy, /-/ready, /-/explain, /metrics and of the controllers' calls, host:port."},
		{path: "admin.advertise", target: &c.Admin.Advertise, def: "", sample: "http://10.0.0.7:9281",
			doc: "Base URL at which controllers reach this listener. Empty: from admin.listen, with the host's name for \"every interface\"."},

		{path: "fleet.secret_file", target: &c.Fleet.SecretFile, def: "", sample: "/etc/sluice/fleet.secret",
			doc: "File with the secret (16 bytes or more) that authenticates controllers to proxies and signs cursors; the same on all. Empty: generated into the embedded data_dir, for one machine."},

		{path: "controller.pause_budget", target: &t.PauseBudget, def: "250ms",
			doc: "A cutover begins only when its predicted write pause is at most this."},
		{path: "controller.cutover_deadline", target: &t.CutoverDeadline, def: "2s",
			doc: "A cutover that takes longer is undone, and tried again when it has caught up. If its controller dies, another one undoes it within a second after that time, or the same one does once it is started again: so with barrier: fleet this is below proxy.hold_deadline, by more than a second, and no held write fails."},
		{path: "controller.barrier", target: &t.Barrier, def: "fleet", oneOf: []string{"fleet", BarrierTime},
			doc: "fleet: a flip waits for the acknowledgement of every proxy. time: for fleets with proxies of another make that hold no session: a flip waits until writes have been closed for drain_barrier, then compares both sides. That every proxy refuses writes and has dropped the old place within drain_barrier of a change is then your assumption, not Sluice's proof. pause_budget and cutover_deadline must allow for the wait and the comparison, and Sluice's own proxies hold writes for proxy.hold_deadline only, then answer 503."},
		{path: "controller.drain_barrier", target: &t.DrainBarrier, def: "30s",
			doc: "How long what nobody can vouch for may still take effect: the writes of a proxy that vanished, and with barrier: time everybody's. Not below proxy.upstream_write_timeout."},
		{path: "controller.session_ttl", target: &t.SessionTTL, def: "10s",
			doc: "Lease of this controller in the store: its moves rest this long when it dies, before another takes over."},
		{path: "controller.moves_at_once", target: &t.MovesAtOnce, def: 4,
			doc: "Moves that one controller drives at once; others wait."},
		{path: "controller.trash", target: &t.Trash, def: "0s", sample: "168h",
			doc: "For how long the old copy of a move can be restored after it was retired, if the move does not say (--trash): closed, on its cluster's disks. 0s: it is deleted at once, because it is the disk that one retires it for. Not of documents in a shared index."},
		{path: "controller.copy_workers", target: &t.CopyWorkers, def: 2,
			doc: "Bulk requests that one move has under way at the target at once. More copies faster where the target has cores to spare, and takes them from its users."},

		{path: "api.listen", target: &c.API.Listen, def: "127.0.0.1:9282",
			doc: "Address of the HTTP API, host:port. Empty: there is none."},
		{path: "api.advertise", target: &c.API.Advertise, def: "", sample: "https://10.0.0.7:9282",
			doc: "Base URL at which proxies in another language reach the API of this very controller, which holds their sessions (docs/fleet.md). Empty: from api.listen, with the host's name for \"every interface\"."},
		{path: "api.audit_age", target: &c.API.AuditAge, def: "2160h",
			doc: "For how long the audit log of changes that were asked for at the API is kept in the store."},
		{path: "api.tls.cert_file", target: &c.API.TLS.CertFile, def: "", sample: "/etc/sluice/api.pem",
			doc: "Serve HTTPS with this certificate; comes with key_file."},
		{path: "api.tls.key_file", target: &c.API.TLS.KeyFile, def: "", sample: "/etc/sluice/api.key",
			doc: "Key of the certificate."},
		{path: "api.tls.client_ca_file", target: &c.API.TLS.ClientCAFile, def: "", sample: "/etc/sluice/operators-ca.pem",
			doc: "Certificates that verify those of operators. Empty: they are not asked for one."},
		{path: "api.tls.client_auth", target: &c.API.TLS.ClientAuth, def: ClientAuthOptional, oneOf: []string{ClientAuthRequire, ClientAuthOptional},
			doc: "With client_ca_file: require refuses connections without a certificate; optional lets a token do."},
		{path: "api.auth.tokens_file", target: &c.API.Auth.TokensFile, def: "", sample: "/etc/sluice/api.tokens",
			doc: "File with a line NAME ROLE SHA256 for each token, its SHA-256 in hexadecimal; it is read again when it changes. Roles are viewer, operator and admin."},
		{path: "api.auth.certificates", target: &c.API.Auth.Certificates, def: []string{}, sample: "[admin cn=ops, viewer dns=monitor.example.com]",
			doc: "Which client certificates are whose: a role, and a field with its value; fields are cn, o, ou, dns, uri and email."},
		{path: "api.auth.oidc.issuer", target: &c.API.Auth.Issuer, def: "", sample: "https://id.example.com",
			doc: "What iss of signed tokens must be. Empty: none are taken."},
		{path: "api.auth.oidc.audience", target: &c.API.Auth.Audience, def: "", sample: "sluice",
			doc: "What aud must contain."},
		{path: "api.auth.oidc.keys_url", target: &c.API.Auth.KeysURL, def: "", sample: "https://id.example.com/keys",
			doc: "Address of the issuer's JSON Web Key Set (jwks_uri), fetched every ten minutes, and when a token names a new key."},
		{path: "api.auth.oidc.keys_file", target: &c.API.Auth.KeysFile, def: "", sample: "/etc/sluice/issuer-keys.json",
			doc: "File with the key set, in place of keys_url."},
		{path: "api.auth.oidc.ca_file", target: &c.API.Auth.KeysCAFile, def: "", sample: "/etc/sluice/id-ca.pem",
			doc: "Certificates that verify the server of keys_url. Empty: the system's."},
		{path: "api.auth.oidc.algorithms", target: &c.API.Auth.Algorithms, def: []string{"RS256", "ES256"},
			doc: "Algorithms of signatures that are accepted."},
		{path: "api.auth.oidc.name_claim", target: &c.API.Auth.NameClaim, def: "sub",
			doc: "Claim with the name that the audit log has."},
		{path: "api.auth.oidc.role_claim", target: &c.API.Auth.RoleClaim, def: "roles",
			doc: "Claim with the role, a string or several, of which the highest counts."},
		{path: "api.auth.oidc.roles", target: &c.API.Auth.Roles, def: []string{}, sample: "[search-admins=admin, search-team=operator]",
			doc: "Which value of the claim is which role. Empty: it holds names of roles."},

		{path: "telemetry.otlp.endpoint", target: &c.Telemetry.Endpoint, def: "", sample: "http://127.0.0.1:4318",
			doc: "Base URL of a collector that takes OTLP over HTTP; spans go to /v1/traces below it. Empty: no spans are made."},
		{path: "telemetry.otlp.headers_file", target: &c.Telemetry.HeadersFile, def: "", sample: "/etc/sluice/otlp.headers",
			doc: "File with a line NAME: VALUE for each header to send to the collector, such as one that authenticates."},
		{path: "telemetry.otlp.ca_file", target: &c.Telemetry.CAFile, def: "", sample: "/etc/sluice/otlp-ca.pem",
			doc: "Certificates that verify the collector. Empty: the system's."},
		{path: "telemetry.sample_ratio", target: &c.Telemetry.SampleRatio, def: "0.01",
			doc: "Share of the traces that begin here which are kept, from 0 to 1. A client that sends a traceparent decides for its own by its flag; moves are always kept."},
		{path: "telemetry.tenants", target: &c.Telemetry.Tenants, def: false,
			doc: "true: spans carry the tenant's name."},
		{path: "telemetry.metrics_tenants", target: &c.Telemetry.MetricsTenants, def: 0,
			doc: "How many tenants at most have metrics of their own: at a proxy the first that send requests, at a controller those whose moves it works on. 0: none; a series for each tenant is what makes a Prometheus too large."},

		{path: "log.level", target: &c.Log.Level, def: "info", oneOf: []string{"debug", "info", "warn", "error"},
			doc: "Least level that is logged."},
		{path: "log.format", target: &c.Log.Format, def: "text", oneOf: []string{"text", "json"},
			doc: "text for people, json for machines."},
		{path: "log.access.enabled", target: &c.Log.Access.Enabled, def: false,
			doc: "true: a line of JSON on standard output for a request: when, what endpoint (not which index or document), of whom, where, how it ended, how much and how long."},
		{path: "log.access.sample", target: &c.Log.Access.Sample, def: "1",
			doc: "Share of the requests that are logged, from 0 to 1. Slow ones and errors always are; a 404 or 409 of a cluster's is none."},
		{path: "log.access.slow", target: &c.Log.Access.Slow, def: "1s",
			doc: "Requests that take as long are slow. 0s: none is."},
	}...)
}

// limitKeys are the rows of what clients may send, and how slowly.
func (c *Config) limitKeys() []key {
	l := &c.Proxy.Limits
	return []key{
		{path: "proxy.limits.header_bytes", target: (*sizeValue)(&l.HeaderBytes), def: "64KiB",
			doc: "Largest head of a request; a larger one gets a 431."},
		{path: "proxy.limits.query_body", target: (*sizeValue)(&l.QueryBody), def: "16MiB",
			doc: "Largest body of a search, count, multi-get or by-query, which are kept in memory; a larger one gets a 413."},
		{path: "proxy.limits.bulk_body", target: (*sizeValue)(&l.BulkBody), def: "100MiB",
			doc: "Largest body of a bulk or a document. They stream."},
		{path: "proxy.limits.body_bytes", target: (*sizeValue)(&l.BodyBytes), def: "1GiB",
			doc: "Most bytes of bodies in memory at once; requests beyond it get a 429."},
		{path: "proxy.limits.tenant_body_bytes", target: (*sizeValue)(&l.TenantBodyBytes), def: "256MiB",
			doc: "Most bytes of bodies of one tenant in memory at once."},
		{path: "proxy.limits.client_stall", target: &l.ClientStall, def: proxy.DefaultClientStall.String(),
			doc: "Longest that a client may send or take nothing in the middle of a body or an answer."},
		{path: "proxy.limits.client_rate", target: (*sizeValue)(&l.ClientRate), def: "1KiB",
			doc: "What a client must send or take in a second, on the average, after it has been waited for as long as client_stall."},
		{path: "proxy.limits.breaker_failures", target: &l.BreakerFailures, def: proxy.DefaultFailures,
			doc: "How many requests in a row a cluster may leave unanswered until others get a 503 at once, without being sent. 0: any number."},
		{path: "proxy.limits.breaker_pause", target: &l.BreakerPause, def: proxy.DefaultBreakerPause.String(),
			doc: "How long requests are kept off such a cluster before it is tried again."},
	}
}

// roleKeys are the rows of what a request may do that no proof decides.
func (c *Config) roleKeys() []key {
	t := &c.Proxy.Tenant
	return []key{
		{path: "proxy.tenant.role", target: &t.Role, def: tenancy.RoleAdmin.String(), oneOf: tenancy.Roles,
			doc: "What requests may do whose credential says nothing of a role: read, write documents, or admin, which changes indices too."},
		{path: "proxy.tenant.role_header", target: &t.RoleHeader, def: "", sample: "X-Sluice-Role",
			doc: "Request header that holds the role. Without a proof below it must be there; with one it can only lower what the proof gives."},
	}
}

// proofKeys are the rows of what proves a tenant.
func (c *Config) proofKeys() []key {
	t := &c.Proxy.Tenant
	return []key{
		{path: "proxy.tenant.basic.users_file", target: &t.Basic.UsersFile, def: "", sample: "/etc/sluice/users",
			doc: "File with a line USER:HASH or USER:HASH:TENANT for each user, with bcrypt's hash as `htpasswd -nB USER` prints it; a blank and a role may follow it. Without a tenant it is the user's name. Read again when it changes."},
		{path: "proxy.tenant.basic.trusted", target: &t.Basic.Trusted, def: false,
			doc: "true: the user's name is the tenant and no password is checked, because something in front has."},
		{path: "proxy.tenant.client_cert.field", target: &t.ClientCert.Field, def: "", sample: "uri",
			doc: "Field that holds the tenant: cn, o or ou of the subject, dns, uri or email of its alternative names. Needs proxy.tls.client_ca_file."},
		{path: "proxy.tenant.client_cert.pattern", target: &t.ClientCert.Pattern, def: "", sample: "spiffe://example.com/tenant/{tenant}",
			doc: "What the field is like, with {tenant} once. Empty: all of it is the tenant."},
		{path: "proxy.tenant.client_cert.role_field", target: &t.ClientCert.RoleField, def: "", sample: "ou",
			doc: "Field that holds the role. With it, a certificate that has none is refused."},
		{path: "proxy.tenant.client_cert.role_pattern", target: &t.ClientCert.RolePattern, def: "", sample: "search-{role}",
			doc: "What that field is like, with {role} once. Empty: all of it is the role."},
		{path: "proxy.tenant.jwt.keys_file", target: &t.JWT.KeysFile, def: "", sample: "/etc/sluice/jwks.json",
			doc: "JSON Web Key Set with the issuer's public keys. Read again when it changes. Empty: no tokens."},
		{path: "proxy.tenant.jwt.issuer", target: &t.JWT.Issuer, def: "", sample: "https://login.example.com/",
			doc: "What iss must be."},
		{path: "proxy.tenant.jwt.audience", target: &t.JWT.Audience, def: "", sample: "search",
			doc: "What aud must be or contain, so that a token for another service is not taken."},
		{path: "proxy.tenant.jwt.claim", target: &t.JWT.Claim, def: "tenant",
			doc: "Claim that holds the tenant, a string."},
		{path: "proxy.tenant.jwt.role_claim", target: &t.JWT.RoleClaim, def: "", sample: "roles",
			doc: "Claim that holds the role, a string or a list of which the highest counts. With it, a token that has none is refused."},
		{path: "proxy.tenant.jwt.algorithms", target: &t.JWT.Algorithms, def: []string{"RS256", "ES256", "EdDSA"},
			doc: "Algorithms that are accepted, of " + strings.Join(tenancy.JWTAlgorithms, ", ") + "."},
		{path: "proxy.tenant.api_key.keys_file", target: &t.APIKey.KeysFile, def: "", sample: "/etc/sluice/api-keys",
			doc: "File with a line HASH:TENANT for each key, the hash being the SHA-256 of a random key in hexadecimal; a blank and a role may follow it. Read again when it changes. Empty: no keys."},
		{path: "proxy.tenant.api_key.header", target: &t.APIKey.Header, def: "", sample: "X-Api-Key",
			doc: "Header that holds the key. Empty: Authorization: ApiKey KEY."},
	}
}

// EnvPrefix begins the name of every environment variable that is read.
const EnvPrefix = "SLUICE_"

// EnvName returns the environment variable of a key:
// proxy.hold_deadline is SLUICE_PROXY_HOLD_DEADLINE.
func EnvName(path string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

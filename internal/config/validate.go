package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

// minTTL is the shortest session: below it a collector's pause or a slow disk of
// the store would end sessions of healthy instances.
const minTTL = time.Second

// validate reports every problem at once.
func (c *Config) validate() error {
	v := &checks{}
	e, p, t := c.Store.Etcd, c.Proxy, c.Controller
	c.validateTTLs(v)
	for i, u := range e.Endpoints {
		v.url(fmt.Sprintf("store.etcd.endpoints[%d]", i), u)
	}
	v.is(len(e.Prefix) > 2 && strings.HasPrefix(e.Prefix, "/") && strings.HasSuffix(e.Prefix, "/"), "store.etcd.prefix", e.Prefix, "must begin and end with /, such as /sluice/")
	v.pair("store.etcd.username", e.Username, "store.etcd.password_file", e.PasswordFile)
	v.pair("store.etcd.tls.cert_file", e.TLS.CertFile, "store.etcd.tls.key_file", e.TLS.KeyFile)
	v.is(e.Embedded.DataDir != "", "store.etcd.embedded.data_dir", "", "must name a directory")
	u, err := url.Parse(e.Embedded.ClientURL)
	v.is(err == nil && u.Scheme == "http" && u.Port() != "" && u.User == nil, "store.etcd.embedded.client_url", placement.HideUser(e.Embedded.ClientURL),
		"must be an http:// URL with a port, such as http://127.0.0.1:12379")

	v.address("proxy.listen", p.Listen)
	v.address("admin.listen", c.Admin.Listen)
	v.is(p.Listen != c.Admin.Listen || strings.HasSuffix(p.Listen, ":0"), "admin.listen", c.Admin.Listen, "must differ from proxy.listen")
	if c.Admin.Advertise != "" {
		v.url("admin.advertise", c.Admin.Advertise)
	}
	c.validateAPI(v)
	v.pair("proxy.tls.cert_file", p.TLS.CertFile, "proxy.tls.key_file", p.TLS.KeyFile)
	v.is(p.TLS.ClientCAFile == "" || p.TLS.CertFile != "", "proxy.tls.cert_file", "", "must be set, because proxy.tls.client_ca_file is")
	v.is(p.Tenant.ClientCert.Field == "" || p.TLS.ClientCAFile != "", "proxy.tls.client_ca_file", "", "must be set, because proxy.tenant.client_cert.field is")
	c.validateTenant(v)
	c.validateForwarding(v)
	c.validateLimits(v)
	for _, d := range []struct {
		field string
		value time.Duration
		least time.Duration
	}{
		{"proxy.upstream_write_timeout", p.UpstreamWriteTimeout, time.Millisecond},
		{"proxy.hold_deadline", p.HoldDeadline, time.Millisecond},
		{"proxy.session_ttl", p.SessionTTL, minTTL},
		{"proxy.shutdown_delay", p.ShutdownDelay, 0},
		{"proxy.shutdown_timeout", p.ShutdownTimeout, time.Millisecond},
		{"proxy.cursors.ttl", p.Cursors.TTL, time.Second},
		{"controller.session_ttl", t.SessionTTL, minTTL},
		{"controller.pause_budget", t.PauseBudget, time.Millisecond},
		{"controller.cutover_deadline", t.CutoverDeadline, time.Millisecond},
	} {
		v.is(d.value >= d.least, d.field, d.value.String(), "must be at least "+d.least.String())
	}
	// A write that is still under way upstream when its drain ends could be lost
	// at the flip.
	v.is(p.DrainBarrier >= p.UpstreamWriteTimeout, "proxy.drain_barrier", p.DrainBarrier.String(),
		"must not be below proxy.upstream_write_timeout, which is "+p.UpstreamWriteTimeout.String())
	v.is(t.PauseBudget <= t.CutoverDeadline, "controller.pause_budget", t.PauseBudget.String(),
		"must not be above controller.cutover_deadline, which is "+t.CutoverDeadline.String())
	v.is(t.DrainBarrier >= p.UpstreamWriteTimeout, "controller.drain_barrier", t.DrainBarrier.String(),
		"must not be below proxy.upstream_write_timeout, which is "+p.UpstreamWriteTimeout.String())
	timed := t.Barrier == BarrierTime
	v.is(!timed || t.PauseBudget > t.DrainBarrier, "controller.pause_budget", t.PauseBudget.String(),
		"must be above controller.drain_barrier, which is "+t.DrainBarrier.String()+", because controller.barrier is time: no pause is shorter than that")
	v.is(timed || t.CutoverDeadline < p.HoldDeadline, "controller.cutover_deadline", t.CutoverDeadline.String(),
		"must be below proxy.hold_deadline, which is "+p.HoldDeadline.String()+", or held writes fail before the cutover is undone")
	share := func(field string, f float64) {
		v.is(f >= 0 && f <= 1, field, fmt.Sprint(f), "must be from 0 to 1")
	}
	share("telemetry.sample_ratio", c.Telemetry.SampleRatio)
	share("log.access.sample", c.Log.Access.Sample)
	v.is(c.Log.Access.Slow >= 0, "log.access.slow", c.Log.Access.Slow.String(), "must not be below 0s")
	if c.Telemetry.Endpoint != "" {
		v.url("telemetry.otlp.endpoint", c.Telemetry.Endpoint)
	}
	v.is(p.Requests >= 1, "proxy.requests", fmt.Sprint(p.Requests), "must be at least 1")
	v.is(p.TenantRequests >= 1 && p.TenantRequests <= p.Requests, "proxy.tenant_requests", fmt.Sprint(p.TenantRequests), "must be at least 1, and at most proxy.requests")
	v.is(p.HoldRequests >= 1, "proxy.hold_requests", fmt.Sprint(p.HoldRequests), "must be at least 1")
	v.is(p.HoldBytes >= 1<<20, "proxy.hold_bytes", fmt.Sprint(p.HoldBytes), "must be at least 1MiB")
	v.is(p.JournalLimit >= 1, "proxy.journal_limit", fmt.Sprint(p.JournalLimit), "must be at least 1")
	v.is(p.Cursors.Limit >= 1 && p.Cursors.Limit <= 10_000_000, "proxy.cursors.limit", fmt.Sprint(p.Cursors.Limit), "must be from 1 to 10000000")
	v.is(t.MovesAtOnce >= 1 && t.MovesAtOnce <= 1000, "controller.moves_at_once", fmt.Sprint(t.MovesAtOnce), "must be from 1 to 1000")
	v.is(c.Telemetry.MetricsTenants >= 0 && c.Telemetry.MetricsTenants <= 10_000, "telemetry.metrics_tenants", fmt.Sprint(c.Telemetry.MetricsTenants), "must be from 0 to 10000")
	v.is(t.Trash >= 0, "controller.trash", t.Trash.String(), "must not be negative")
	v.is(t.CopyWorkers >= 1 && t.CopyWorkers <= 64, "controller.copy_workers", fmt.Sprint(t.CopyWorkers), "must be from 1 to 64")
	return errors.Join(v.errs...)
}

// ttlBounds are what an engine takes as a session's duration, unless its servers
// are set up otherwise. A test of the program compares them with a real engine.
var ttlBounds = map[string]struct{ least, most time.Duration }{
	"consul": {10 * time.Second, 24 * time.Hour},
}

// validateTTLs holds the sessions against what the chosen store can do.
func (c *Config) validateTTLs(v *checks) {
	b, ok := ttlBounds[c.Store.Kind]
	if !ok {
		return
	}
	for field, ttl := range map[string]time.Duration{"proxy.session_ttl": c.Proxy.SessionTTL, "controller.session_ttl": c.Controller.SessionTTL} {
		v.is(ttl >= b.least && ttl <= b.most, field, ttl.String(), fmt.Sprintf("must be from %s to %s with store.kind %s", b.least, b.most, c.Store.Kind))
	}
}

func (c *Config) validateLimits(v *checks) {
	l := c.Proxy.Limits
	for field, n := range map[string]int64{"header_bytes": l.HeaderBytes, "query_body": l.QueryBody, "bulk_body": l.BulkBody, "client_rate": l.ClientRate} {
		v.is(n >= 1 && n <= 1<<30, "proxy.limits."+field, fmt.Sprint(n), "must be from 1 to 1GiB")
	}
	v.is(l.TenantBodyBytes >= max(l.QueryBody, 1<<20), "proxy.limits.tenant_body_bytes", fmt.Sprint(l.TenantBodyBytes), "must be at least 1MiB, and proxy.limits.query_body")
	v.is(l.BodyBytes >= l.TenantBodyBytes, "proxy.limits.body_bytes", fmt.Sprint(l.BodyBytes), "must be at least proxy.limits.tenant_body_bytes")
	v.is(l.ClientStall >= time.Second, "proxy.limits.client_stall", l.ClientStall.String(), "must be at least 1s")
	v.is(l.BreakerFailures >= 0, "proxy.limits.breaker_failures", fmt.Sprint(l.BreakerFailures), "must be at least 0")
	v.is(l.BreakerPause >= 10*time.Millisecond, "proxy.limits.breaker_pause", l.BreakerPause.String(), "must be at least 10ms")
}

func (c *Config) validateForwarding(v *checks) {
	p := c.Proxy
	for i, s := range p.TrustedProxies {
		_, err := addressRange(s)
		v.is(err == nil, fmt.Sprintf("proxy.trusted_proxies[%d]", i), s, "must be an address or a range such as 10.0.0.0/8")
	}
	for field, list := range map[string][]string{"proxy.forward_headers": p.ForwardHeaders, "proxy.drop_headers": p.DropHeaders} {
		for i, name := range list {
			at := fmt.Sprintf("%s[%d]", field, i)
			prefix := strings.TrimSuffix(name, "*")
			v.is(prefix != "" && !strings.ContainsAny(prefix, "*:, \t\"()/"), at, name, "must be the name of a header, or its beginning and a star, such as X-Team-*")
			v.is(field != "proxy.forward_headers" || prefix != name || !proxy.NeverForwarded(name), at, name, "must not be a header that is never forwarded (docs/security.md)")
		}
	}
}

// validateTenant leaves the rules to package tenancy and names the field as the
// file does.
func (c *Config) validateTenant(v *checks) {
	if err := TenantError(c.Proxy.Tenant.Validate()); err != nil {
		v.errs = append(v.errs, err)
	}
}

// TenantError is an error of package tenancy with the field named as the file does.
func TenantError(err error) error {
	var inv *placement.InvalidError
	if errors.As(err, &inv) {
		return &placement.InvalidError{Field: "proxy.tenant" + strings.TrimPrefix(inv.Field, "tenancy"), Value: inv.Value, Fix: inv.Fix}
	}
	return err
}

// cleartext warns of credentials that anybody on the way can read, and of changes
// that are refused.
func (c *Config) cleartext() (warnings []string) {
	t := c.Proxy.Tenant
	if c.Proxy.TLS.CertFile != "" || loopback(c.Proxy.Listen) {
		return nil
	}
	if p := c.Proxy; p.Cleartext != string(proxy.CleartextAllow) && len(p.TrustedProxies) == 0 {
		warnings = append(warnings, "proxy.listen has no proxy.tls.cert_file, so requests of other machines that change something are refused; set proxy.tls, or proxy.trusted_proxies if something in front ends TLS, or proxy.cleartext: allow")
	}
	if t.Basic.UsersFile != "" || t.Basic.Trusted || t.JWT.KeysFile != "" || t.APIKey.KeysFile != "" {
		warnings = append(warnings, "clients send credentials to proxy.listen, and it has no proxy.tls.cert_file: they cross the network in the clear unless something in front encrypts all of the way")
	}
	return warnings
}

// validateAPI keeps the API on this machine unless whoever asks says who he is, and
// nobody on the way can read how. What is in api.auth is for package api to check.
func (c *Config) validateAPI(v *checks) {
	a := c.API
	v.pair("api.tls.cert_file", a.TLS.CertFile, "api.tls.key_file", a.TLS.KeyFile)
	if a.Advertise != "" {
		v.url("api.advertise", a.Advertise)
	}
	v.is(a.AuditAge >= time.Hour, "api.audit_age", a.AuditAge.String(), "must be at least 1h")
	if a.Listen == "" {
		return
	}
	v.address("api.listen", a.Listen)
	for _, other := range []struct{ field, listen string }{{"proxy.listen", c.Proxy.Listen}, {"admin.listen", c.Admin.Listen}} {
		v.is(a.Listen != other.listen || strings.HasSuffix(a.Listen, ":0"), "api.listen", placement.HideUser(a.Listen), "must differ from "+other.field)
	}
	known := a.Auth.TokensFile != "" || len(a.Auth.Certificates) > 0 || a.Auth.Issuer != ""
	v.is(loopback(a.Listen) || known, "api.listen", placement.HideUser(a.Listen), "must be an address of loopback, such as 127.0.0.1:9282, unless something of api.auth is set")
	v.is(loopback(a.Listen) || a.TLS.CertFile != "", "api.tls.cert_file", "", "must be set, because api.listen is not of loopback: tokens must not cross the network in the clear")
	v.is(len(a.Auth.Certificates) == 0 || a.TLS.ClientCAFile != "", "api.tls.client_ca_file", "", "must be set, because api.auth.certificates is")
	v.is(a.TLS.ClientCAFile == "" || a.TLS.CertFile != "", "api.tls.cert_file", "", "must be set, because api.tls.client_ca_file is")
}

// loopback reports whether an address can be reached from this machine only.
func loopback(address string) bool {
	host, _, _ := net.SplitHostPort(address) // validated
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checks collects what is wrong.
type checks struct{ errs []error }

func (v *checks) is(ok bool, field, value, fix string) {
	if !ok {
		v.errs = append(v.errs, &placement.InvalidError{Field: field, Value: value, Fix: fix})
	}
}

func (v *checks) pair(fa, a, fb, b string) {
	v.is(a == "" || b != "", fb, "", "must be set, because "+fa+" is")
	v.is(b == "" || a != "", fa, "", "must be set, because "+fb+" is")
}

func (v *checks) url(field, s string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		v.is(false, field, placement.HideUser(s), "must be a URL such as http://10.0.0.7:2379")
	case u.User != nil:
		v.is(false, field, placement.HideUser(s), "must not hold credentials")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		v.is(false, field, placement.HideUser(s), "must have no path, query or fragment")
	}
}

func (v *checks) address(field, s string) {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	v.is(err == nil, field, placement.HideUser(s), "must be host:port, such as 127.0.0.1:9280 or :9280")
}

package proxy

import (
	"net/http"
	"slices"
	"strings"
)

// DefaultForwardHeaders are what a cluster sees of a client's headers unless Options
// say otherwise. It is a list of what may pass and not of what may not: a security
// plugin may trust headers whose names nobody here knows.
var DefaultForwardHeaders = []string{"X-Opaque-Id", "Traceparent", "Tracestate", "User-Agent"}

// neverForwarded are headers that no configuration passes on, in lower case; a star
// at the end stands for anything. They belong to one connection, or describe a body
// that the proxy translates, or say who somebody is: a cluster believes of the proxy
// what it must not believe of a client.
var neverForwarded = []string{
	"connection", "keep-alive", "proxy-*", "te", "trailer", "transfer-encoding", "upgrade", "expect", "host",
	"content-*", "accept", "accept-encoding", "accept-charset", "range", "if-*", "idempotency-key", "x-idempotency-key", "x-http-method*",
	"authorization", "cookie*", "set-cookie*", "securitytenant", "remote-user", "x-remote-*", "x-proxy-*", "x-amz-*", "x-sluice-*", "x-ssl-*", "ssl-*",
	"opendistro*", "_opendistro*", "x-opendistro*", "opensearch*", "_opensearch*", "x-opensearch*",
}

// fromTrusted are headers in which proxies in front say whose a request is. They are
// passed on for those that are trusted only.
var fromTrusted = []string{"forwarded", "x-forwarded-*", "x-real-ip", "x-client-ip", "true-client-ip", "x-cluster-client-ip"}

// matches reports whether a header, in lower case, is in a list of such.
func matches(list []string, name string) bool {
	return slices.ContainsFunc(list, func(p string) bool {
		prefix, open := strings.CutSuffix(p, "*")
		return p == name || open && strings.HasPrefix(name, prefix)
	})
}

// NeverForwarded reports whether a header is passed on by no configuration.
func NeverForwarded(name string) bool { return matches(neverForwarded, strings.ToLower(name)) }

// headerRules say which headers of a client reach a cluster.
type headerRules struct{ allow, deny []string }

func newHeaderRules(allow, deny []string) headerRules {
	if allow == nil {
		allow = DefaultForwardHeaders
	}
	lower := func(in []string) (out []string) {
		for _, s := range in {
			out = append(out, strings.ToLower(s))
		}
		return out
	}
	return headerRules{lower(allow), lower(deny)}
}

// forward copies what may pass from a client's headers to a cluster's.
func (h headerRules) forward(to, from http.Header, trusted bool) {
	var connection []string // what it names belongs to the connection as well
	for _, list := range from["Connection"] {
		for name := range strings.SplitSeq(strings.ToLower(list), ",") {
			connection = append(connection, strings.TrimSpace(name))
		}
	}
	for name, values := range from {
		l := strings.ToLower(name)
		if matches(h.allow, l) && !matches(h.deny, l) && !matches(neverForwarded, l) && !slices.Contains(connection, l) &&
			(trusted || !matches(fromTrusted, l)) {
			to[name] = values
		}
	}
}

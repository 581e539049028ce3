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
type headerRules struct {
	names []headerName // allowed by name
	allow []string     // allowed by patterns, in lower case
	deny  []string
}

type headerName struct {
	key     string // as http.Header has it
	trusted bool   // of trusted peers only
}

func newHeaderRules(allow, deny []string) headerRules {
	if allow == nil {
		allow = DefaultForwardHeaders
	}
	var h headerRules
	for _, d := range deny {
		h.deny = append(h.deny, strings.ToLower(d))
	}
	for _, a := range allow {
		switch name := strings.ToLower(a); {
		case strings.HasSuffix(name, "*"):
			h.allow = append(h.allow, name)
		case h.passes(name, true):
			h.names = append(h.names, headerName{http.CanonicalHeaderKey(name), !h.passes(name, false)})
		}
	}
	return h
}

// passes reports whether a header that is allowed, in lower case, may pass.
func (h headerRules) passes(name string, trusted bool) bool {
	return !matches(h.deny, name) && !matches(neverForwarded, name) && (trusted || !matches(fromTrusted, name))
}

// forward copies what may pass from a client's headers to a cluster's.
func (h headerRules) forward(to, from http.Header, trusted bool) {
	for _, n := range h.names {
		if values, ok := from[n.key]; ok && (trusted || !n.trusted) {
			to[n.key] = values
		}
	}
	if len(h.allow) > 0 {
		for name, values := range from {
			if l := strings.ToLower(name); matches(h.allow, l) && h.passes(l, trusted) {
				to[name] = values
			}
		}
	}
	for _, list := range from["Connection"] { // what it names belongs to the connection as well
		for name := range strings.SplitSeq(list, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if _, ok := from[name]; ok {
				delete(to, name)
			}
		}
	}
}

package tenancy

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
)

// errEmpty is a place that is there and says nothing: not the same as absent.
var errEmpty = &placement.InvalidError{Field: "tenant", Value: "", Fix: "must not be empty"}

// header is a place that is a header.
type header string

func (h header) find(r *http.Request) (string, Role, error) {
	values := r.Header.Values(string(h))
	switch {
	case len(values) == 0:
		return "", 0, nil
	case len(values) > 1:
		return "", 0, fmt.Errorf("%w: it is there %d times", ErrContradiction, len(values))
	case values[0] == "":
		return "", 0, errEmpty
	}
	return values[0], 0, nil
}

func (h header) strip(r *http.Request) { r.Header.Del(string(h)) }

// host is a place that is a label of the host name.
type host struct{ before, tail string } // of the pattern, lower case

func newHost(pattern string) host {
	before, tail, _ := strings.Cut(strings.TrimSuffix(strings.ToLower(pattern), "."), hostVar) // a request's last dot is cut, too
	return host{before, tail}
}

func (x host) find(r *http.Request) (string, Role, error) {
	h := r.Host
	if name, _, err := net.SplitHostPort(h); err == nil {
		h = name
	}
	h = strings.ToLower(strings.TrimSuffix(h, "."))
	if id, ok := between(h, x.before, x.tail); ok && !strings.Contains(id, ".") {
		return id, 0, nil
	}
	return "", 0, nil
}

func (host) strip(*http.Request) {}

// between returns what stands between a beginning and an end, if it is not empty.
func between(s, before, tail string) (string, bool) {
	if len(s) <= len(before)+len(tail) || !strings.HasPrefix(s, before) || !strings.HasSuffix(s, tail) {
		return "", false
	}
	return s[len(before) : len(s)-len(tail)], true
}

// pathPrefix is a place that is a segment of the path.
type pathPrefix string

func (p pathPrefix) find(r *http.Request) (string, Role, error) {
	after, ok := strings.CutPrefix(r.URL.EscapedPath(), string(p))
	if !ok {
		return "", 0, nil
	}
	seg, _, _ := strings.Cut(after, "/")
	id, err := url.PathUnescape(seg)
	if err != nil {
		return "", 0, err
	}
	if id == "" {
		return "", 0, errEmpty
	}
	if _, err := p.rest(r); err != nil {
		return "", 0, err
	}
	return id, 0, nil
}

// rest is the path without the prefix and the tenant.
func (p pathPrefix) rest(r *http.Request) (*url.URL, error) {
	_, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), string(p)), "/")
	u, err := url.ParseRequestURI("/" + rest)
	if err != nil || u.Host != "" {
		return nil, fmt.Errorf("what follows the tenant is no path: %w", ErrNoTenant)
	}
	return u, nil
}

func (p pathPrefix) strip(r *http.Request) {
	if !strings.HasPrefix(r.URL.EscapedPath(), string(p)) {
		return
	}
	if u, err := p.rest(r); err == nil { // find has tried it
		r.URL.Path, r.URL.RawPath = u.Path, u.RawPath
	}
}

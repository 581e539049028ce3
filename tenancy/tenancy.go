package tenancy

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
)

// DefaultHeader names the tenant unless configured otherwise.
const DefaultHeader = "X-Sluice-Tenant"

// The refusals of Resolve; a tenant name that may be none is a
// *placement.InvalidError.
var (
	ErrNoTenant      = errors.New("the request names no tenant")
	ErrContradiction = errors.New("the request names more than one tenant")
)

// Resolver finds a request's partition.
type Resolver interface {
	// Resolve returns the partition and removes what named it from r: r is the
	// caller's own copy. On an error the request must not be served.
	Resolve(r *http.Request) (placement.PartitionID, error)
}

// Config says where the tenant's name is. All sources that are set are looked at
// in every request, and those that name a tenant must agree.
type Config struct {
	// Header that holds the name, for example X-Sluice-Tenant.
	Header string `json:"header,omitempty"`
	// PathPrefix is followed by the name as one segment of the path, and both are
	// removed: with "/t/", the path /t/acme/docs/_search is /docs/_search of acme.
	PathPrefix string `json:"path_prefix,omitempty"`
	// Host is a pattern that holds {tenant} once, as a whole label, for example
	// {tenant}.search.example.com. Ports are ignored.
	Host string `json:"host,omitempty"`
}

// Default is the configuration that is used when there is none: DefaultHeader.
func Default() Config { return Config{Header: DefaultHeader} }

// Validate returns a *placement.InvalidError that names the field and the fix, or
// nil.
func (c Config) Validate() error {
	bad := func(field, value, fix string) error {
		return &placement.InvalidError{Field: "tenancy." + field, Value: value, Fix: fix}
	}
	if c == (Config{}) {
		return bad("header", "", "must be set unless path_prefix or host is")
	}
	if c.Header != "" {
		if !validToken(c.Header) {
			return bad("header", c.Header, "must be a name of a header such as "+DefaultHeader)
		}
		switch textproto.CanonicalMIMEHeaderKey(c.Header) {
		case "Host", "Authorization", "Content-Length", "Content-Type", "Connection", "Transfer-Encoding", "Te", "Trailer", "Upgrade":
			return bad("header", c.Header, "must not be a header that has another meaning; use "+DefaultHeader)
		}
	}
	if p := c.PathPrefix; p != "" {
		if !strings.HasPrefix(p, "/") || !strings.HasSuffix(p, "/") || len(p) < 3 || strings.Contains(p, "//") || strings.ContainsAny(p, "?#%{}") {
			return bad("path_prefix", p, `must begin and end with a slash, such as "/t/"`)
		}
		if (&url.URL{Path: p}).EscapedPath() != p { // which paths are compared in
			return bad("path_prefix", p, `must be of characters that a URL holds as they are, such as "/t/"`)
		}
	}
	if h := c.Host; h != "" {
		before, after, found := strings.Cut(h, hostVar)
		switch {
		case !found || strings.Contains(after, hostVar):
			return bad("host", h, "must hold {tenant} once, such as {tenant}.search.example.com")
		case before != "" && !strings.HasSuffix(before, ".") || len(after) < 2 || after[0] != '.':
			return bad("host", h, "must hold {tenant} as a whole label before a domain, such as {tenant}.search.example.com")
		case strings.ContainsAny(before+after, ":/ {}*"):
			return bad("host", h, "must be a host name without port or scheme")
		}
	}
	return nil
}

const hostVar = "{tenant}"

func validToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != ""
}

type resolver struct {
	c            Config
	before, tail string // of the host pattern, lower case
}

// New returns the Resolver of a valid configuration.
func New(c Config) (Resolver, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	r := &resolver{c: c}
	r.before, r.tail, _ = strings.Cut(strings.TrimSuffix(strings.ToLower(c.Host), "."), hostVar) // a request's last dot is cut, too
	return r, nil
}

// Resolve implements Resolver.
func (x *resolver) Resolve(r *http.Request) (placement.PartitionID, error) {
	var found placement.PartitionID
	name := func(id string) error {
		p := placement.PartitionID(id)
		if err := p.Validate(); err != nil {
			return err
		}
		if found != "" && found != p {
			return ErrContradiction
		}
		found = p
		return nil
	}
	if x.c.Header != "" {
		values := r.Header.Values(x.c.Header)
		if len(values) > 1 {
			return "", fmt.Errorf("%w: header %s is there %d times", ErrContradiction, x.c.Header, len(values))
		}
		for _, v := range values {
			if err := name(v); err != nil {
				return "", fmt.Errorf("header %s: %w", x.c.Header, err)
			}
		}
	}
	if x.c.Host != "" {
		if id, ok := x.host(r.Host); ok {
			if err := name(id); err != nil {
				return "", fmt.Errorf("host: %w", err)
			}
		}
	}
	rest := ""
	if x.c.PathPrefix != "" {
		if after, ok := strings.CutPrefix(r.URL.EscapedPath(), x.c.PathPrefix); ok {
			var seg string
			seg, rest, _ = strings.Cut(after, "/")
			id, err := url.PathUnescape(seg)
			if err != nil {
				return "", fmt.Errorf("path: %w", err)
			}
			if err := name(id); err != nil {
				return "", fmt.Errorf("path: %w", err)
			}
			u, err := url.ParseRequestURI("/" + rest)
			if err != nil || u.Host != "" {
				return "", fmt.Errorf("path: what follows the tenant is no path: %w", ErrNoTenant)
			}
			r.URL.Path, r.URL.RawPath = u.Path, u.RawPath
		}
	}
	if found == "" {
		return "", ErrNoTenant
	}
	if x.c.Header != "" {
		r.Header.Del(x.c.Header)
	}
	return found, nil
}

// host returns what stands for {tenant} in the host name, which is one label.
func (x *resolver) host(h string) (string, bool) {
	if name, _, err := net.SplitHostPort(h); err == nil {
		h = name
	}
	h = strings.ToLower(strings.TrimSuffix(h, "."))
	if len(h) <= len(x.before)+len(x.tail) || !strings.HasPrefix(h, x.before) || !strings.HasSuffix(h, x.tail) {
		return "", false
	}
	id := h[len(x.before) : len(h)-len(x.tail)]
	return id, !strings.Contains(id, ".")
}

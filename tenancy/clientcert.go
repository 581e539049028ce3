package tenancy

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
)

// clientCert is a field of the certificate that the client has shown. Only one
// that the TLS server has verified counts.
type clientCert struct{ field, before, tail string }

func newClientCert(c ClientCert) clientCert {
	pattern := c.Pattern
	if pattern == "" {
		pattern = hostVar
	}
	before, tail, _ := strings.Cut(pattern, hostVar)
	return clientCert{c.Field, before, tail}
}

func (x clientCert) find(r *http.Request) (string, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return "", nil
	}
	found := ""
	for _, v := range fieldOf(r.TLS.VerifiedChains[0][0], x.field) {
		id, ok := between(v, x.before, x.tail)
		if !ok || strings.ContainsAny(id, separators[x.field]) {
			continue
		}
		if found != "" && found != id {
			return "", fmt.Errorf("%w: in its %s", ErrContradiction, x.field)
		}
		found = id
	}
	return found, nil
}

func (clientCert) strip(*http.Request) {}

// separators are what a tenant's name cannot hold where it is a part of something
// with parts: it would otherwise match a longer path than was meant.
var separators = map[string]string{"dns": ".", "uri": "/?#", "email": "@"}

func fieldOf(c *x509.Certificate, field string) (values []string) {
	switch field {
	case "cn":
		return []string{c.Subject.CommonName}
	case "o":
		return c.Subject.Organization
	case "ou":
		return c.Subject.OrganizationalUnit
	case "dns":
		return c.DNSNames
	case "uri":
		for _, u := range c.URIs {
			values = append(values, u.String())
		}
	case "email":
		return c.EmailAddresses
	}
	return values
}

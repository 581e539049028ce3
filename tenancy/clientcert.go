package tenancy

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
)

// clientCert is a field of the certificate that the client has shown. Only one
// that the TLS server has verified counts.
type clientCert struct {
	tenant certField
	role   *certField // nil: certificates say nothing of roles
}

// certField is a part of a certificate's field.
type certField struct{ field, before, tail string }

func newCertField(field, pattern, variable string) certField {
	if pattern == "" {
		pattern = variable
	}
	before, tail, _ := strings.Cut(pattern, variable)
	return certField{field, before, tail}
}

func newClientCert(c ClientCert) clientCert {
	x := clientCert{tenant: newCertField(c.Field, c.Pattern, hostVar)}
	if c.RoleField != "" {
		role := newCertField(c.RoleField, c.RolePattern, roleVar)
		x.role = &role
	}
	return x
}

func (x clientCert) find(r *http.Request) (string, Role, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return "", 0, nil
	}
	cert := r.TLS.VerifiedChains[0][0]
	found := ""
	for _, id := range x.tenant.of(cert) {
		if found != "" && found != id {
			return "", 0, fmt.Errorf("%w: in its %s", ErrContradiction, x.tenant.field)
		}
		found = id
	}
	if found == "" || x.role == nil {
		return found, 0, nil
	}
	var role Role
	for _, name := range x.role.of(cert) {
		r, _ := ParseRole(name) // other names are for other services
		role = max(role, r)
	}
	if role == 0 {
		return "", 0, refused("the certificate names no role in its " + x.role.field)
	}
	return found, role, nil
}

// of returns what stands in the place of the variable, for each value that fits.
func (f certField) of(c *x509.Certificate) (found []string) {
	for _, v := range CertValues(c, f.field) {
		if s, ok := between(v, f.before, f.tail); ok && !strings.ContainsAny(s, separators[f.field]) {
			found = append(found, s)
		}
	}
	return found
}

func (clientCert) strip(*http.Request) {}

// separators are what a tenant's name cannot hold where it is a part of something
// with parts: it would otherwise match a longer path than was meant.
var separators = map[string]string{"dns": ".", "uri": "/?#", "email": "@"}

// CertValues are the values of a field of a certificate, one of ClientCertFields.
func CertValues(c *x509.Certificate, field string) (values []string) {
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

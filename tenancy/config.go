package tenancy

import (
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/internal/token"
	"github.com/sluiceproxy/sluice/placement"
)

// DefaultHeader names the tenant unless configured otherwise.
const DefaultHeader = "X-Sluice-Tenant"

// Config says where the tenant's name is. All places that are set are looked at
// in every request.
type Config struct {
	// Header that holds the name, for example X-Sluice-Tenant.
	Header string
	// PathPrefix is followed by the name as one segment of the path, and both are
	// removed: with "/t/", the path /t/acme/docs/_search is /docs/_search of acme.
	PathPrefix string
	// Host is a pattern that holds {tenant} once, as a whole label, for example
	// {tenant}.search.example.com. Ports are ignored.
	Host string
	// MixedBulk lets the items of a bulk name their tenants before their indices, in
	// requests that name none: "_index": "acme/docs". Nothing proves them, so it goes
	// where no tenant has to be proved.
	MixedBulk bool
	// Role is what a request may do whose credential says nothing of a role; one of
	// Roles, and empty means admin.
	Role string
	// RoleHeader is a header that holds a role. Without proofs it must be there; with
	// them it can only lower what they give.
	RoleHeader string

	Basic      Basic
	ClientCert ClientCert
	JWT        JWT
	APIKey     APIKey
}

// Basic takes the tenant from HTTP's basic authentication.
type Basic struct {
	// UsersFile has a line USER:HASH or USER:HASH:TENANT for each user. The hash is
	// bcrypt's, as `htpasswd -B` makes it; without a tenant it is the user's name.
	// A blank and a role may follow the hash.
	UsersFile string
	// Trusted takes the user's name for the tenant and ignores the password, for a
	// proxy in front that has checked it. It goes without a UsersFile.
	Trusted bool
}

// ClientCert takes the tenant from a certificate that the TLS server has verified.
type ClientCert struct {
	// Field is one of ClientCertFields; empty: certificates name no tenant.
	Field string
	// Pattern of the field's value that holds {tenant} once, for example
	// spiffe://example.com/tenant/{tenant}. Empty: {tenant}, the whole value.
	Pattern string
	// RoleField and RolePattern do the same for the role, with {role}. With a
	// RoleField a certificate that has no role is refused.
	RoleField, RolePattern string
}

// ClientCertFields are the places in a certificate: the subject's common name,
// organization and unit, and the subject's alternative names.
var ClientCertFields = []string{"cn", "o", "ou", "dns", "uri", "email"}

// JWT takes the tenant from a signed token, in Authorization: Bearer.
type JWT struct {
	// KeysFile is a JSON Web Key Set with the issuer's public keys; empty: no tokens.
	KeysFile string
	// Claim that holds the tenant's name, a string.
	Claim string
	// RoleClaim holds the role, a string, or a list of them of which the highest that
	// is a role counts. With it a token that has none is refused.
	RoleClaim string
	// Issuer and Audience are what iss and aud must be, and contain.
	Issuer, Audience string
	// Algorithms that are accepted, of JWTAlgorithms.
	Algorithms []string
}

// JWTAlgorithms are those that may be accepted. All are asymmetric: with a shared
// key, whoever can check a token could make one.
var JWTAlgorithms = token.Algorithms

// APIKey takes the tenant from a key of its own.
type APIKey struct {
	// KeysFile has a line HASH:TENANT for each key: the SHA-256 of the key in
	// hexadecimal, after which a blank and a role may follow. Empty: no keys.
	KeysFile string
	// Header that holds the key. Empty: Authorization, after the word ApiKey.
	Header string
}

// Default is the configuration that is used when there is none: DefaultHeader.
func Default() Config { return Config{Header: DefaultHeader} }

// Authenticates reports whether a tenant must be proved.
func (c Config) Authenticates() bool {
	return c.Basic.UsersFile != "" || c.Basic.Trusted || c.ClientCert.Field != "" || c.JWT.KeysFile != "" || c.APIKey.KeysFile != ""
}

func invalid(field, value, fix string) error {
	return &placement.InvalidError{Field: "tenancy." + field, Value: value, Fix: fix}
}

// Validate returns a *placement.InvalidError that names the field and the fix, or
// nil. It opens no file.
func (c Config) Validate() error {
	if c.Header == "" && c.PathPrefix == "" && c.Host == "" && !c.Authenticates() {
		return invalid("header", "", "must be set unless something else names the tenant")
	}
	if err := validHeader("header", c.Header); err != nil {
		return err
	}
	if p := c.PathPrefix; p != "" {
		if !strings.HasPrefix(p, "/") || !strings.HasSuffix(p, "/") || len(p) < 3 || strings.Contains(p, "//") || strings.ContainsAny(p, "?#%{}") {
			return invalid("path_prefix", p, `must begin and end with a slash, such as "/t/"`)
		}
		if (&url.URL{Path: p}).EscapedPath() != p { // which paths are compared in
			return invalid("path_prefix", p, `must be of characters that a URL holds as they are, such as "/t/"`)
		}
	}
	if h := c.Host; h != "" {
		before, after, found := strings.Cut(h, hostVar)
		switch {
		case !found || strings.Contains(after, hostVar):
			return invalid("host", h, "must hold {tenant} once, such as {tenant}.search.example.com")
		case before != "" && !strings.HasSuffix(before, ".") || len(after) < 2 || after[0] != '.':
			return invalid("host", h, "must hold {tenant} as a whole label before a domain, such as {tenant}.search.example.com")
		case strings.ContainsAny(before+after, ":/ {}*"):
			return invalid("host", h, "must be a host name without port or scheme")
		}
	}
	if _, ok := ParseRole(c.Role); c.Role != "" && !ok {
		return invalid("role", c.Role, "must be one of "+strings.Join(Roles, ", "))
	}
	if err := validHeader("role_header", c.RoleHeader); err != nil {
		return err
	}
	for _, h := range []string{c.Header, c.APIKey.Header} {
		if c.RoleHeader != "" && textproto.CanonicalMIMEHeaderKey(h) == textproto.CanonicalMIMEHeaderKey(c.RoleHeader) {
			return invalid("role_header", c.RoleHeader, "must not be a header that has another meaning")
		}
	}
	return c.validateProofs()
}

func (c Config) validateProofs() error {
	if c.MixedBulk && (c.RoleHeader != "" || c.Role == RoleRead.String()) {
		return invalid("mixed_bulk", "true", "must be false when requests have roles: its items would be written whatever the role")
	}
	if c.MixedBulk && c.Authenticates() {
		return invalid("mixed_bulk", "true", "must be false where tenants are proved by credentials: the items of a bulk prove nothing")
	}
	if c.Basic.Trusted && c.Basic.UsersFile != "" {
		return invalid("basic.trusted", "true", "must be false, or users_file empty: with it passwords are checked, so nobody needs to be trusted")
	}
	if f := c.ClientCert.Field; f != "" && !slices.Contains(ClientCertFields, f) {
		return invalid("client_cert.field", f, "must be one of "+strings.Join(ClientCertFields, ", "))
	}
	if p := c.ClientCert.Pattern; p != "" && strings.Count(p, hostVar) != 1 {
		return invalid("client_cert.pattern", p, "must hold {tenant} once, such as spiffe://example.com/tenant/{tenant}")
	}
	if err := c.ClientCert.validateRole(); err != nil {
		return err
	}
	if c.JWT.KeysFile != "" {
		for _, f := range []struct{ name, value, why string }{
			{"claim", c.JWT.Claim, "must name the claim that holds the tenant"},
			{"issuer", c.JWT.Issuer, "must be set: a key of the set may sign for others too"},
			{"audience", c.JWT.Audience, "must be set: a token for another service must not be taken here"},
		} {
			if f.value == "" {
				return invalid("jwt."+f.name, "", f.why)
			}
		}
		if len(c.JWT.Algorithms) == 0 {
			return invalid("jwt.algorithms", "", "must list what is accepted, such as RS256")
		}
		for _, a := range c.JWT.Algorithms {
			if !slices.Contains(JWTAlgorithms, a) {
				return invalid("jwt.algorithms", a, "must be some of "+strings.Join(JWTAlgorithms, ", "))
			}
		}
	}
	if h := c.APIKey.Header; h != "" && textproto.CanonicalMIMEHeaderKey(h) == textproto.CanonicalMIMEHeaderKey(c.Header) {
		return invalid("api_key.header", h, "must not be the header that names the tenant")
	}
	return validHeader("api_key.header", c.APIKey.Header)
}

func (c ClientCert) validateRole() error {
	if f := c.RoleField; f != "" && !slices.Contains(ClientCertFields, f) {
		return invalid("client_cert.role_field", f, "must be one of "+strings.Join(ClientCertFields, ", "))
	}
	if c.RoleField != "" && c.Field == "" {
		return invalid("client_cert.field", "", "must be set, because client_cert.role_field is")
	}
	if p := c.RolePattern; p != "" && (strings.Count(p, roleVar) != 1 || c.RoleField == "") {
		return invalid("client_cert.role_pattern", p, "must hold {role} once, such as search-{role}, and come with role_field")
	}
	return nil
}

func validHeader(field, name string) error {
	if name == "" {
		return nil
	}
	if !validToken(name) {
		return invalid(field, name, "must be a name of a header such as "+DefaultHeader)
	}
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Host", "Authorization", "Content-Length", "Content-Type", "Connection", "Transfer-Encoding", "Te", "Trailer", "Upgrade":
		return invalid(field, name, "must not be a header that has another meaning; use one of your own, such as "+DefaultHeader)
	}
	return nil
}

const (
	hostVar = "{tenant}"
	roleVar = "{role}"
)

func validToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != ""
}

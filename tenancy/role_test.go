package tenancy_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy"
)

// Where a role comes from, that several give the least, and that what should give one
// and does not is refused.
func TestRoles(t *testing.T) {
	key := func(k, role string) string {
		sum := sha256.Sum256([]byte(k))
		return hex.EncodeToString(sum[:]) + role + ":acme\n"
	}
	users := file(t, "acme:"+hash(t, "pw")+"\nreader:"+hash(t, "pw")+" read:acme\nwriter:"+hash(t, "pw")+" write\n")
	keys := file(t, key("all", "")+key("reads", " read")+key("writes", " write")+key("admins", " admin"))
	i := newIssuer(t)
	set := file(t, i.set("r"))
	token := func(change ...any) string { return i.sign(jose.RS256, i.keys["r"], "r", claims(change...)) }
	jwt := tenancy.JWT{KeysFile: set, Claim: "tenant", RoleClaim: "roles", Issuer: "https://id", Audience: "search", Algorithms: []string{"RS256"}}
	claim := tenancy.Config{Header: "X-Tenant", RoleHeader: "X-Role"}
	proved := tenancy.Config{Basic: tenancy.Basic{UsersFile: users}, APIKey: tenancy.APIKey{KeysFile: keys, Header: "X-Key"}, JWT: jwt, RoleHeader: "X-Role"}
	least := proved
	least.Role = "read"
	var unauthenticated *tenancy.UnauthenticatedError
	for _, test := range []struct {
		name    string
		c       tenancy.Config
		headers []string
		want    tenancy.Role
		err     error // ErrNoRole, or nil with want 0 for an UnauthenticatedError
	}{
		{"nothing configured", tenancy.Config{Header: "X-Tenant"}, []string{"X-Tenant", "acme"}, tenancy.RoleAdmin, nil},
		{"a default", tenancy.Config{Header: "X-Tenant", Role: "write"}, []string{"X-Tenant", "acme"}, tenancy.RoleWrite, nil},
		{"a header", claim, []string{"X-Tenant", "acme", "X-Role", "read"}, tenancy.RoleRead, nil},
		{"no header", claim, []string{"X-Tenant", "acme"}, 0, tenancy.ErrNoRole},
		{"two headers", claim, []string{"X-Tenant", "acme", "X-Role", "read", "X-Role", "admin"}, 0, tenancy.ErrNoRole},
		{"a header that is no role", claim, []string{"X-Tenant", "acme", "X-Role", "root"}, 0, tenancy.ErrNoRole},
		{"a user", proved, []string{"Authorization", basic("acme", "pw")}, tenancy.RoleAdmin, nil},
		{"a user with a role", proved, []string{"Authorization", basic("reader", "pw")}, tenancy.RoleRead, nil},
		{"a user with a role and no tenant", proved, []string{"Authorization", basic("writer", "pw")}, tenancy.RoleWrite, nil},
		{"a key", proved, []string{"X-Key", "all"}, tenancy.RoleAdmin, nil},
		{"a key, by default", least, []string{"X-Key", "all"}, tenancy.RoleRead, nil},
		{"a key with more than the default", least, []string{"X-Key", "admins"}, tenancy.RoleAdmin, nil},
		{"a key with a role", proved, []string{"X-Key", "writes"}, tenancy.RoleWrite, nil},
		{"a header that lowers", proved, []string{"X-Key", "writes", "X-Role", "read"}, tenancy.RoleRead, nil},
		{"a header that lowers the default", proved, []string{"X-Key", "all", "X-Role", "write"}, tenancy.RoleWrite, nil},
		{"a header that would raise", proved, []string{"X-Key", "reads", "X-Role", "admin"}, tenancy.RoleRead, nil},
		{"a header that would raise the default", least, []string{"X-Key", "all", "X-Role", "admin"}, tenancy.RoleRead, nil},
		{"two proofs", proved, []string{"X-Key", "admins", "Authorization", basic("reader", "pw")}, tenancy.RoleRead, nil},
		{"a token", proved, []string{"Authorization", token("roles", "write")}, tenancy.RoleWrite, nil},
		{"a token with a list", proved, []string{"Authorization", token("roles", []string{"billing", "read", "admin"})}, tenancy.RoleAdmin, nil},
		{"a token without", proved, []string{"Authorization", token()}, 0, nil},
		{"a token with none that is known", proved, []string{"Authorization", token("roles", []any{"billing", 3})}, 0, nil},
		{"a token with an object", proved, []string{"Authorization", token("roles", map[string]any{"read": true})}, 0, nil},
	} {
		r := httptest.NewRequest("GET", "/docs/_search", nil)
		for i := 0; i < len(test.headers); i += 2 {
			r.Header.Add(test.headers[i], test.headers[i+1])
		}
		who, err := resolver(t, test.c).Resolve(r)
		switch {
		case test.want != 0:
			if err != nil || who.Role != test.want {
				t.Errorf("%s: %v, %v; want %v", test.name, who, err, test.want)
			}
			if len(r.Header) > 0 {
				t.Errorf("%s: headers %v are left", test.name, r.Header)
			}
		case test.err == nil && !errors.As(err, &unauthenticated) || test.err != nil && !errors.Is(err, test.err):
			t.Errorf("%s: %v, %v; want a refusal", test.name, who, err)
		case who != tenancy.Identity{}:
			t.Errorf("%s: refused, and %v all the same", test.name, who)
		}
	}
}

func TestRolesOfCertificates(t *testing.T) {
	for _, test := range []struct {
		units []string
		want  tenancy.Role // 0: refused
	}{
		{[]string{"search-read"}, tenancy.RoleRead}, {[]string{"billing", "search-write", "search-read"}, tenancy.RoleWrite},
		{[]string{"read"}, 0}, {[]string{"search-root"}, 0}, {nil, 0},
	} {
		x := resolver(t, tenancy.Config{ClientCert: tenancy.ClientCert{Field: "cn", RoleField: "ou", RolePattern: "search-{role}"}})
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{Subject: pkix.Name{CommonName: "acme", OrganizationalUnit: test.units}}}}}
		who, err := x.Resolve(r)
		if who.Role != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("%q: %v, %v; want %v", test.units, who, err, test.want)
		}
	}
}

func TestRolesThatAreNone(t *testing.T) {
	for field, c := range map[string]tenancy.Config{
		"tenancy.mixed_bulk":               {Header: "X-T", MixedBulk: true, RoleHeader: "X-R"},
		"tenancy.role":                     {Header: "X-T", Role: "root"},
		"tenancy.role_header":              {Header: "X-T", RoleHeader: "x-t"},
		"tenancy.client_cert.role_field":   {Header: "X-T", ClientCert: tenancy.ClientCert{Field: "cn", RoleField: "x"}},
		"tenancy.client_cert.field":        {Header: "X-T", ClientCert: tenancy.ClientCert{RoleField: "ou"}},
		"tenancy.client_cert.role_pattern": {Header: "X-T", ClientCert: tenancy.ClientCert{Field: "cn", RoleField: "ou", RolePattern: "x"}},
		"tenancy.api_key.keys_file":        {APIKey: tenancy.APIKey{KeysFile: file(t, hex.EncodeToString(make([]byte, 32))+" root:acme\n")}},
		"tenancy.basic.users_file":         {Basic: tenancy.Basic{UsersFile: file(t, "acme:"+hash(t, "pw")+" :acme\n")}},
	} {
		_, err := tenancy.New(c, nil)
		var invalid *placement.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%v, want a refusal of %s", err, field)
		}
	}
	if tenancy.Role(0).String() != "none" || tenancy.RoleAdmin.String() != "admin" || tenancy.Role(7).String() != "none" {
		t.Error("the names of roles")
	}
}

package tenancy_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy"
)

func TestResolve(t *testing.T) {
	all := tenancy.Config{Header: "X-Sluice-Tenant", PathPrefix: "/t/", Host: "{tenant}.search.example.com"}
	invalid := new(placement.InvalidError)
	for _, test := range []struct {
		name, host, path string
		headers          []string
		want             placement.PartitionID
		rest             string
		err              error
	}{
		{"header", "h", "/docs/_search", []string{"acme"}, "acme", "/docs/_search", nil},
		{"path", "h", "/t/acme/docs/_doc/a%2Fb", nil, "acme", "/docs/_doc/a%2Fb", nil},
		{"path alone", "h", "/t/acme", nil, "acme", "/", nil},
		{"escaped tenant", "h", "/t/a%2Fb/docs", nil, "a/b", "/docs", nil},
		{"host", "Acme.search.example.com:9200", "/docs", nil, "acme", "/docs", nil},
		{"all agree", "acme.search.example.com", "/t/acme/docs", []string{"acme"}, "acme", "/docs", nil},
		{"nobody", "h", "/docs", nil, "", "", tenancy.ErrNoTenant},
		{"two labels", "a.b.search.example.com", "/docs", nil, "", "", tenancy.ErrNoTenant},
		{"suffix only", ".search.example.com", "/docs", nil, "", "", tenancy.ErrNoTenant},
		{"header against path", "h", "/t/acme/docs", []string{"evil"}, "", "", tenancy.ErrContradiction},
		{"header against host", "acme.search.example.com", "/docs", []string{"evil"}, "", "", tenancy.ErrContradiction},
		{"two headers", "h", "/docs", []string{"acme", "acme"}, "", "", tenancy.ErrContradiction},
		{"empty header", "h", "/t/acme/docs", []string{""}, "", "", invalid},
		{"empty segment", "h", "/t//docs", nil, "", "", invalid},
		{"too long", "h", "/docs", []string{strings.Repeat("x", 257)}, "", "", invalid},
		{"path with an authority", "h", "/t/acme//evil/x", nil, "acme", "//evil/x", nil},
	} {
		x, err := tenancy.New(all, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", test.path, nil)
		r.Host = test.host
		for _, h := range test.headers {
			r.Header.Add("X-Sluice-Tenant", h)
		}
		who, err := x.Resolve(r)
		got := who.Tenant
		if test.err == invalid {
			var got *placement.InvalidError
			if !errors.As(err, &got) {
				t.Errorf("%s: %v, want an InvalidError", test.name, err)
			}
			continue
		}
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %q, %v, want %q, %v", test.name, got, err, test.want, test.err)
		}
		if err == nil && (r.URL.EscapedPath() != test.rest || len(r.Header) != 0) {
			t.Errorf("%s: %s with headers %v is left, want %s", test.name, r.URL.EscapedPath(), r.Header, test.rest)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		c     tenancy.Config
		field string
	}{
		{tenancy.Config{}, "tenancy.header"},
		{tenancy.Config{Header: "a b"}, "tenancy.header"},
		{tenancy.Config{Header: "authorization"}, "tenancy.header"},
		{tenancy.Config{PathPrefix: "t/"}, "tenancy.path_prefix"},
		{tenancy.Config{PathPrefix: "/"}, "tenancy.path_prefix"},
		{tenancy.Config{PathPrefix: "/t/{tenant}/"}, "tenancy.path_prefix"},
		{tenancy.Config{PathPrefix: "/a b/"}, "tenancy.path_prefix"},
		{tenancy.Config{PathPrefix: "/größe/"}, "tenancy.path_prefix"},
		{tenancy.Config{Host: "search.example.com"}, "tenancy.host"},
		{tenancy.Config{Host: "x{tenant}.example.com"}, "tenancy.host"},
		{tenancy.Config{Host: "{tenant}"}, "tenancy.host"},
		{tenancy.Config{Host: "{tenant}.example.com:80"}, "tenancy.host"},
		{tenancy.Config{Basic: tenancy.Basic{UsersFile: "x", Trusted: true}}, "tenancy.basic.trusted"},
		{tenancy.Config{ClientCert: tenancy.ClientCert{Field: "serial"}}, "tenancy.client_cert.field"},
		{tenancy.Config{ClientCert: tenancy.ClientCert{Field: "cn", Pattern: "x"}}, "tenancy.client_cert.pattern"},
		{tenancy.Config{JWT: tenancy.JWT{KeysFile: "x", Issuer: "i", Audience: "a", Algorithms: []string{"RS256"}}}, "tenancy.jwt.claim"},
		{tenancy.Config{JWT: tenancy.JWT{KeysFile: "x", Claim: "c", Audience: "a", Algorithms: []string{"RS256"}}}, "tenancy.jwt.issuer"},
		{tenancy.Config{JWT: tenancy.JWT{KeysFile: "x", Claim: "c", Issuer: "i", Algorithms: []string{"RS256"}}}, "tenancy.jwt.audience"},
		{tenancy.Config{JWT: tenancy.JWT{KeysFile: "x", Claim: "c", Issuer: "i", Audience: "a"}}, "tenancy.jwt.algorithms"},
		{tenancy.Config{JWT: tenancy.JWT{KeysFile: "x", Claim: "c", Issuer: "i", Audience: "a", Algorithms: []string{"none"}}}, "tenancy.jwt.algorithms"},
		{tenancy.Config{APIKey: tenancy.APIKey{KeysFile: "x", Header: "authorization"}}, "tenancy.api_key.header"},
		{tenancy.Config{Header: "X-Key", APIKey: tenancy.APIKey{KeysFile: "x", Header: "x-key"}}, "tenancy.api_key.header"},
		{tenancy.Default(), ""},
		{tenancy.Config{PathPrefix: "/t/", Host: "eu.{tenant}.example.com"}, ""},
	} {
		err := test.c.Validate()
		var got *placement.InvalidError
		if test.field == "" && err == nil || errors.As(err, &got) && got.Field == test.field {
			continue
		}
		t.Errorf("%+v: %v, want a refusal of %q", test.c, err, test.field)
	}
}

// Whoever is found is whom every source that names anybody names, nothing of what
// named it is left, and what is left is the rest of the path as it was.
func FuzzResolve(f *testing.F) {
	f.Add("acme.search.example.com", "/t/acme/docs", "acme", true)
	f.Add("ACME.search.example.com.:9200", "/docs", "", false)
	f.Add("h", "/t/a%2Fb//evil/x", "a/b", true)
	f.Add("h", "/t/%ff/docs", "", false)
	f.Add("[::1]:80", "/t/acme?x", "", true)
	f.Add("a.b.search.example.com", "/t//docs", "", false)
	f.Fuzz(func(t *testing.T, host, path, header string, withHeader bool) {
		const name = "X-Sluice-Tenant"
		x, err := tenancy.New(tenancy.Config{Header: name, PathPrefix: "/t/", Host: "{tenant}.search.example.com"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return // no server hands such a path on
		}
		r := &http.Request{Method: "GET", URL: u, Host: host, Header: http.Header{}}
		if withHeader {
			r.Header[name] = []string{header}
		}
		escaped := u.EscapedPath()
		who, err := x.Resolve(r)
		id := who.Tenant
		var invalid *placement.InvalidError
		var named []string // by every source, found without the package
		if withHeader {
			named = append(named, header)
		}
		if tail := ".search.example.com"; strings.HasSuffix(strings.ToLower(host), tail) && !strings.ContainsAny(host, ":") {
			if label := host[:len(host)-len(tail)]; label != "" && !strings.Contains(label, ".") {
				named = append(named, strings.ToLower(label))
			}
		}
		rest := ""
		inPath := strings.HasPrefix(escaped, "/t/")
		if inPath {
			seg, after, _ := strings.Cut(escaped[len("/t/"):], "/")
			rest = "/" + after
			if plain, err := url.PathUnescape(seg); err == nil {
				named = append(named, plain)
			}
		}
		if err != nil {
			if !errors.Is(err, tenancy.ErrNoTenant) && !errors.Is(err, tenancy.ErrContradiction) && !errors.As(err, &invalid) || id != "" {
				t.Fatalf("%q, %v", id, err)
			}
			distinct := slices.Compact(slices.Sorted(slices.Values(named)))
			if errors.Is(err, tenancy.ErrContradiction) && len(distinct) < 2 && !strings.Contains(host, ":") && !strings.HasSuffix(host, ".") {
				t.Fatalf("only %q is named, and that is a contradiction", named)
			}
			return
		}
		if id.Validate() != nil {
			t.Fatalf("%q is found", id)
		}
		for _, n := range named {
			if n != string(id) {
				t.Fatalf("%q is found, though %q is named, too", id, n)
			}
		}
		if len(r.Header) != 0 {
			t.Fatalf("headers %v are left", r.Header)
		}
		left := escaped
		if inPath {
			left = rest
		}
		want, werr := url.PathUnescape(left)
		if werr != nil || r.URL.Path != want || segments(r.URL.EscapedPath()) != segments(left) {
			t.Fatalf("of %q the path %q is left, want %q", escaped, r.URL.EscapedPath(), left)
		}
	})
}

// segments is a path's parts, each unescaped by itself.
func segments(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i], _ = url.PathUnescape(parts[i])
	}
	return fmt.Sprintf("%q", parts)
}

// A configuration that is accepted finds the tenant that it says, and a refusal
// names the field.
func FuzzConfig(f *testing.F) {
	f.Add("X-Sluice-Tenant", "/t/", "{tenant}.search.example.com")
	f.Add("Authorization", "", "")
	f.Add("", "/a b/", "eu.{tenant}.example.com")
	f.Add("", "", "{tenant}.\xff")
	f.Add("x_y", "/t/{tenant}/", "{tenant}{tenant}.a")
	f.Fuzz(func(t *testing.T, header, prefix, host string) {
		c := tenancy.Config{Header: header, PathPrefix: prefix, Host: host}
		x, err := tenancy.New(c, nil)
		if err != nil {
			var invalid *placement.InvalidError
			if !errors.As(err, &invalid) || !strings.HasPrefix(invalid.Field, "tenancy.") || invalid.Fix == "" {
				t.Fatalf("%+v: %v", c, err)
			}
			return
		}
		const id = "acme-1"
		r := &http.Request{Method: "GET", URL: &url.URL{Path: "/docs"}, Host: "h", Header: http.Header{}}
		if header != "" {
			r.Header.Set(header, id)
		}
		if prefix != "" {
			r.URL = &url.URL{Path: prefix + id + "/docs"}
		}
		if host != "" {
			r.Host = strings.Replace(host, "{tenant}", id, 1)
		}
		if got, err := x.Resolve(r); err != nil || got.Tenant != id || r.URL.Path != "/docs" {
			t.Fatalf("%+v: %q, %v, %s is left", c, got, err, r.URL.Path)
		}
	})
}

func ExampleNew() {
	r, err := tenancy.New(tenancy.Config{PathPrefix: "/t/"}, nil)
	if err != nil {
		panic(err)
	}
	req := httptest.NewRequest("GET", "/t/acme/docs/_search", nil)
	who, err := r.Resolve(req)
	id := who.Tenant
	fmt.Println(id, req.URL.Path, err)
	// Output: acme /docs/_search <nil>
}

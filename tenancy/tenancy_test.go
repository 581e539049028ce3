package tenancy_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
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
		x, err := tenancy.New(all)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", test.path, nil)
		r.Host = test.host
		for _, h := range test.headers {
			r.Header.Add("X-Sluice-Tenant", h)
		}
		got, err := x.Resolve(r)
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
		{tenancy.Config{Host: "search.example.com"}, "tenancy.host"},
		{tenancy.Config{Host: "x{tenant}.example.com"}, "tenancy.host"},
		{tenancy.Config{Host: "{tenant}"}, "tenancy.host"},
		{tenancy.Config{Host: "{tenant}.example.com:80"}, "tenancy.host"},
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

func FuzzResolve(f *testing.F) {
	f.Add("acme.search.example.com", "/t/acme/docs", "acme")
	f.Fuzz(func(t *testing.T, host, path, header string) {
		x, _ := tenancy.New(tenancy.Config{Header: "X-Sluice-Tenant", PathPrefix: "/t/", Host: "{tenant}.search.example.com"})
		r, err := http.NewRequest("GET", "http://h/", nil)
		if err != nil {
			t.Skip()
		}
		r.Host, r.URL.Path = host, path
		r.Header.Set("X-Sluice-Tenant", header)
		if id, err := x.Resolve(r); err == nil && string(id) != header {
			t.Fatalf("%q, though the header says %q", id, header)
		}
	})
}

func ExampleNew() {
	r, err := tenancy.New(tenancy.Config{PathPrefix: "/t/"})
	if err != nil {
		panic(err)
	}
	req := httptest.NewRequest("GET", "/t/acme/docs/_search", nil)
	id, err := r.Resolve(req)
	fmt.Println(id, req.URL.Path, err)
	// Output: acme /docs/_search <nil>
}

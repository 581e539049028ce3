package main

import (
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// Tenants are added to a shared index if its mapping keeps them apart, and only
// beside tenants that share it by the same field.
func TestAddTenantsOfASharedIndex(t *testing.T) {
	t.Parallel()
	node := enginetest.LendOpenSearch(t, engines.OpenSearch2)
	c, _ := newCLI(t)
	c.ok("cluster", "add", "a", node.URL())
	must2xx(t, "", "PUT", node.URL()+"/pool", `{"mappings":{"properties":{"tenant":{"type":"keyword"},"owner":{"type":"keyword"}}}}`)
	must2xx(t, "", "PUT", node.URL()+"/plain", `{"mappings":{"properties":{"tenant":{"type":"text"}}},"aliases":{"another":{}}}`)
	must2xx(t, "", "PUT", node.URL()+"/taken", `{"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`)
	add := func(tenant, index, field string) []string {
		return []string{"tenant", "add", tenant, "--cluster", "a", "--kind", "shared_index", "--index", index, "--partition-field", field, "--as", "docs"}
	}
	c.ok("tenant", "add", "hooli", "--cluster", "a", "--index", "taken")
	c.ok(add("acme", "pool", "tenant")...)
	c.ok(add("other", "pool", "tenant")...)
	if out := c.ok("tenant", "show", "other"); !strings.Contains(out, "shared_index:a/pool") || !strings.Contains(out, "partition field") {
		t.Errorf("show: %s", out)
	}
	for _, test := range []struct {
		args []string
		says string
	}{
		{add("third", "pool", "owner"), `is not shared by the field owner: tenant "`},
		{add("third", "taken", "tenant"), `belongs to tenant "hooli"`},
		{add("third", "plain", "tenant"), "is of type text, and must be of type keyword"},
		{add("third", "another", "tenant"), "is no index but an alias"},
		{add("third", "none", "tenant"), "cluster a has no index none"},
		{[]string{"tenant", "add", "third", "--cluster", "a", "--index", "pool"}, "belongs to tenant"},
		{[]string{"tenant", "add", "third", "--cluster", "a", "--kind", "dedicated_cluster"}, "belongs to tenant"},
		{[]string{"move", "acme", "--to", "a"}, "at cluster a already"},
		{[]string{"move", "acme", "--to", "a", "--kind", "dedicated_cluster"}, "at cluster a already"},
		{[]string{"move", "hooli", "--to", "a", "--kind", "shared_index", "--index", "pool", "--partition-field", "owner"}, "must be tenant, by which the tenants of pool are told apart"},
	} {
		if r := c.run(test.args...); r.code == exitOK || !strings.Contains(r.stderr, test.says) {
			t.Errorf("%v: exit code %d, %s; want it to say %q", test.args, r.code, r.stderr, test.says)
		}
	}
	// Out of it, beside it; the other tenant is in nobody's way.
	if out := c.ok("move", "acme", "--to", "a", "--kind", "dedicated_index", "--dry-run"); !strings.Contains(out, "0 documents") {
		t.Errorf("dry run: %s", out)
	}
	if out := c.ok("move", "acme", "--to", "a", "--kind", "dedicated_index", "--index", "acme-own"); !strings.Contains(out, "from shared_index:a/pool to dedicated_index:a/acme-own") {
		t.Errorf("move: %s", out)
	}
}

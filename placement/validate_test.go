package placement_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
)

// wantField checks for an *InvalidError about field; "" wants no error.
func wantField(t *testing.T, what string, err error, field string) {
	t.Helper()
	var bad *placement.InvalidError
	switch {
	case field == "" && err != nil:
		t.Errorf("%s: %v, want no error", what, err)
	case field == "":
	case !errors.As(err, &bad) || bad.Field != field:
		t.Errorf("%s: %v, want an InvalidError about %s", what, err, field)
	case bad.Fix == "":
		t.Errorf("%s: %v does not say what to do", what, err)
	}
}

func TestPartitionIDValidate(t *testing.T) {
	for id, field := range map[string]string{
		"acme": "", "Ünïcode / and: spaces": "", "\x00": "", strings.Repeat("x", placement.MaxPartitionID): "",
		"": "partition", strings.Repeat("x", placement.MaxPartitionID+1): "partition", "\xff": "partition", "a\xc3": "partition",
	} {
		wantField(t, id, placement.PartitionID(id).Validate(), field)
	}
}

func TestPlacementValidate(t *testing.T) {
	index := func(name string) placement.Placement {
		return placement.Placement{Kind: placement.DedicatedIndex, Cluster: "east", Index: name, Logical: "docs"}
	}
	logical := func(name string) placement.Placement {
		return placement.Placement{Kind: placement.SharedIndex, Cluster: "east", Index: "pool", Logical: name, PartitionField: "tenant"}
	}
	field := func(name string) placement.Placement {
		return placement.Placement{Kind: placement.SharedIndex, Cluster: "east", Index: "pool", Logical: "docs", PartitionField: name}
	}
	notShared := index("own")
	notShared.PartitionField = "tenant"
	cluster := func(name string) placement.Placement {
		return placement.Placement{Kind: placement.DedicatedCluster, Cluster: name}
	}
	for _, c := range []struct {
		p     placement.Placement
		field string
	}{
		{east, ""}, {west, ""}, {north, ""}, {pool, ""},
		{placement.Placement{}, "placement.kind"},
		{placement.Placement{Kind: "Dedicated_Index", Cluster: "east"}, "placement.kind"},
		{cluster(""), "cluster"}, {cluster("East"), "cluster"}, {cluster("-east"), "cluster"}, {cluster(".."), "cluster"},
		{cluster("a b"), "cluster"}, {cluster(strings.Repeat("c", 64)), ""}, {cluster(strings.Repeat("c", 65)), "cluster"},
		{placement.Placement{Kind: placement.DedicatedCluster, Cluster: "east", Index: "x"}, "placement.index"},
		{placement.Placement{Kind: placement.DedicatedCluster, Cluster: "east", Logical: "x"}, "placement.index"},
		{index(""), "placement.index"}, {index("ok-1_2.3"), ""}, {index("größe"), ""}, {index("UPPER"), "placement.index"},
		{index("_all"), "placement.index"}, {index("-x"), "placement.index"}, {index("+x"), "placement.index"},
		{index(".kibana"), "placement.index"}, {index("."), "placement.index"}, {index(".."), "placement.index"},
		{index("a,b"), "placement.index"}, {index("a*"), "placement.logical"}, {index("a b"), "placement.index"}, {index("a/b"), "placement.index"},
		{index("a:b"), "placement.index"}, {index("a#b"), "placement.index"}, {index("a\nb"), "placement.index"}, {index("a\xff"), "placement.index"},
		{index(strings.Repeat("i", 255)), ""}, {index(strings.Repeat("i", 256)), "placement.index"},
		{logical(""), "placement.logical"}, {logical("docs"), ""}, {logical("Docs"), "placement.logical"},
		{field(""), "placement.partition_field"}, {field("_id"), "placement.partition_field"}, {field("a.b"), "placement.partition_field"},
		{field("a*"), "placement.partition_field"}, {field("a\x00"), "placement.partition_field"}, {field("Tenant_1-x"), ""},
		{field(strings.Repeat("f", 64)), ""}, {field(strings.Repeat("f", 65)), "placement.partition_field"}, {notShared, "placement.partition_field"},
	} {
		wantField(t, c.p.String(), c.p.Validate(), c.field)
	}
}

func TestClusterValidate(t *testing.T) {
	ok := func(change func(*placement.Cluster)) placement.Cluster {
		c := placement.Cluster{Name: "east", Endpoints: []string{"https://search-1:9200", "http://10.0.0.1/"}}
		if change != nil {
			change(&c)
		}
		return c
	}
	endpoint := func(e string) placement.Cluster {
		return ok(func(c *placement.Cluster) { c.Endpoints[1] = e })
	}
	for name, c := range map[string]struct {
		c     placement.Cluster
		field string
	}{
		"good":              {ok(nil), ""},
		"IPv6":              {endpoint("http://[::1]:9200"), ""},
		"no name":           {ok(func(c *placement.Cluster) { c.Name = "" }), "cluster"},
		"no endpoint":       {ok(func(c *placement.Cluster) { c.Endpoints = nil }), "endpoints"},
		"no scheme":         {endpoint("search-1:9200"), "endpoints[1]"},
		"other scheme":      {endpoint("ftp://search-1"), "endpoints[1]"},
		"no host":           {endpoint("http://:9200"), "endpoints[1]"},
		"path":              {endpoint("http://h/prefix"), "endpoints[1]"},
		"query":             {endpoint("http://h?x=1"), "endpoints[1]"},
		"no URL":            {endpoint("http://h:port"), "endpoints[1]"},
		"empty":             {endpoint(""), "endpoints[1]"},
		"password file":     {ok(func(c *placement.Cluster) { c.Username, c.PasswordFile = "u", "f" }), ""},
		"password env":      {ok(func(c *placement.Cluster) { c.Username, c.PasswordEnv = "u", "E" }), ""},
		"both":              {ok(func(c *placement.Cluster) { c.Username, c.PasswordFile, c.PasswordEnv = "u", "f", "E" }), "password_env"},
		"user alone":        {ok(func(c *placement.Cluster) { c.Username = "u" }), "username"},
		"password alone":    {ok(func(c *placement.Cluster) { c.PasswordEnv = "E" }), "username"},
		"user in the URL":   {endpoint("http://u:secret@h"), "endpoints[1]"},
		"same, no scheme":   {endpoint("u:secret@h"), "endpoints[1]"},
		"same, no host":     {endpoint("http://u:secret@"), "endpoints[1]"},
		"same, no URL":      {endpoint("http://u:secret@h:port"), "endpoints[1]"},
		"same, ftp":         {endpoint("ftp://u:secret@h"), "endpoints[1]"},
		"@ in the password": {endpoint("http://u:sec@secret@h"), "endpoints[1]"},
	} {
		err := c.c.Validate()
		wantField(t, name, err, c.field)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
}

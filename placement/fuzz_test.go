package placement_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/placement"
)

// refusal checks that an error names the field, the fix, and no secret.
func refusal(t *testing.T, err error, field string) {
	t.Helper()
	var bad *placement.InvalidError
	if !errors.As(err, &bad) || !strings.HasPrefix(bad.Field, field) || bad.Fix == "" {
		t.Fatalf("%v does not say which %s, and what to do", err, field)
	}
}

// A placement that is valid can be addressed: its names need no quoting in a path,
// in a list or in a pattern. A refusal names the field.
func FuzzPlacement(f *testing.F) {
	f.Add("dedicated_index", "east", "acme-1", "docs", "acme")
	f.Add("dedicated_cluster", "east", "", "", "a/b")
	f.Add("shared_index", "-x", "größe", "..", "\xff")
	f.Add("dedicated_index", "east", "acme-*", "*", "")
	f.Add("dedicated_index", "east", "slu*", "", "")
	f.Add("", "EAST", "a\u0085b", "ǅ", "")
	f.Fuzz(func(t *testing.T, kind, cluster, index, logical, partition string) {
		p := placement.Placement{Kind: placement.Kind(kind), Cluster: cluster, Index: index, Logical: logical}
		if err := p.Validate(); err != nil {
			refusal(t, err, "")
		} else {
			names := []string{index, logical}
			if p.Many() { // what it makes of a name is one as well
				physical, err := p.Physical("x")
				if logical != "" && logical != "*" || strings.Count(index, "*") != 1 || len(index) < 255 && err != nil {
					t.Fatalf("%+v is valid, %v", p, err)
				}
				names = []string{strings.Replace(index, "*", "x", 1), "x"}
				if err == nil {
					names[0] = physical
				}
			}
			for _, name := range names {
				if strings.ContainsAny(name, "/,*?<>|#: \\\"\x00\n\r\t") || !utf8.ValidString(name) || len(name) > 255 || name != strings.ToLower(name) || name == "." || name == ".." {
					t.Fatalf("%+v is valid", p)
				}
				if whole := p.Kind != placement.DedicatedCluster; whole != (name != "") || whole && strings.ContainsAny(name[:1], "-_+.") {
					t.Fatalf("%+v is valid", p)
				}
			}
			if url.PathEscape(cluster) != cluster || cluster == "" {
				t.Fatalf("%+v is valid", p)
			}
			if want := kind + ":" + cluster; p.String() != want && p.String() != want+"/"+index {
				t.Fatalf("%+v is %s", p, p)
			}
		}
		id := placement.PartitionID(partition)
		if err := id.Validate(); err != nil {
			refusal(t, err, "partition")
			if !utf8.ValidString(err.Error()) {
				t.Fatalf("%q is refused with %q", partition, err)
			}
		} else if partition == "" || len(partition) > placement.MaxPartitionID || !utf8.ValidString(partition) {
			t.Fatalf("%q is valid", partition)
		}
	})
}

// A cluster's endpoint that is valid is a URL of a host and nothing else, and a
// refusal shows no password, whatever is around it.
func FuzzEndpoint(f *testing.F) {
	f.Add("http://search-a:9200", "", "")
	f.Add("", "https://u:", "@search-a:9200")
	f.Add("", "ftp://", "@h")
	f.Add("", "http://u:12#", "@h")
	f.Add("http://[::1]:9200/", "//u:", "@%zz")
	f.Fuzz(func(t *testing.T, plain, before, after string) {
		c := placement.Cluster{Name: "a", Endpoints: []string{plain}}
		if err := c.Validate(); err != nil {
			refusal(t, err, "endpoints[0]")
		} else if u, err := url.Parse(plain); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q is valid", plain)
		}
		const secret = "s3cr3t"
		if strings.Contains(before+after, secret) || strings.ContainsAny(before, "/?#@") && !strings.HasSuffix(before, ":") || !strings.HasPrefix(after, "@") {
			return // not where a password stands
		}
		c.Endpoints[0] = before + secret + after
		if err := c.Validate(); err == nil || strings.Contains(err.Error(), secret) {
			t.Fatalf("%q: %v", c.Endpoints[0], err)
		}
	})
}

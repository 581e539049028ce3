package placement_test

import (
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
)

func many(pattern string) placement.Placement {
	return placement.Placement{Kind: placement.DedicatedIndex, Cluster: "east", Index: pattern, Logical: "*"}
}

func TestPatternValidate(t *testing.T) {
	for pattern, field := range map[string]string{
		"acme-*": "", "acme-*-v2": "", "acme.v2-*": "", "a*": "", "größe-*": "", "slt*": "", strings.Repeat("p", 254) + "*": "",
		"*": "placement.index", "*-acme": "placement.index", "a*b*": "placement.index", "a**": "placement.index", "-a*": "placement.index",
		"_a*": "placement.index", ".a*": "placement.index", "A*": "placement.index", "a*B": "placement.index", "a,*": "placement.index", "a*,b": "placement.index",
		"<a*": "placement.index", "a*:b": "placement.index", "a?*": "placement.index", "a*\xff": "placement.index", strings.Repeat("p", 255) + "*": "placement.index",
		// What moves put on a cluster begins with sluice-.
		"s*": "placement.index", "sluice-*": "placement.index", "sluice-move-*": "placement.index", "sluice*": "placement.index", "slui*x": "placement.index",
	} {
		wantField(t, pattern, many(pattern).Validate(), field)
	}
	p := many("acme-*")
	p.Logical = ""
	wantField(t, "no logical name", p.Validate(), "")
	p.Logical = "docs"
	wantField(t, "a logical name", p.Validate(), "placement.logical")
	p = pool
	p.Index = "pool-*"
	wantField(t, "a shared index", p.Validate(), "placement.index")
}

func TestPatternNames(t *testing.T) {
	p := many("acme-*-v1")
	for logical, physical := range map[string]string{"orders": "acme-orders-v1", "acme-x-v1": "acme-acme-x-v1-v1", "größe": "acme-größe-v1", "7": "acme-7-v1"} {
		if got, err := p.Physical(logical); err != nil || got != physical {
			t.Errorf("%s stands for %q, %v; want %q", logical, got, err, physical)
		}
		if got, ok := p.LogicalOf(physical); !ok || got != logical {
			t.Errorf("%s is called %q, %t; want %q", physical, got, ok, logical)
		}
	}
	for _, bad := range []string{"", "_all", "*", "or*", "a,b", ".hidden", "-x", "+x", "Orders", "a/b", "<a-{now}>", "other:a", "..", "a b", "a\x00", "a\xff", strings.Repeat("n", 248)} {
		if got, err := p.Physical(bad); err == nil {
			t.Errorf("%q stands for %q", bad, got)
		}
	}
	for _, others := range []string{"", "acme", "acme-", "acme-v1", "acme--v1", "acme-.x-v1", "acme-_x-v1", "acme-orders", "orders-v1", "acme-orders-v2", "xacme-orders-v1"} {
		if got, ok := p.LogicalOf(others); ok {
			t.Errorf("%q is called %q", others, got)
		}
	}
	// One index, and a whole cluster, by the same words.
	if got, err := east.Physical("docs"); err != nil || got != "acme-1" {
		t.Errorf("docs stands for %q, %v", got, err)
	}
	if _, err := east.Physical("acme-1"); err == nil {
		t.Error("a client can use the name of the cluster")
	}
	if got, ok := east.LogicalOf("acme-1"); !ok || got != "docs" {
		t.Errorf("acme-1 is called %q, %t", got, ok)
	}
	if got, ok := north.LogicalOf("any"); !ok || got != "any" {
		t.Errorf("any is called %q, %t", got, ok)
	}
}

// overlapping are pairs of indices or patterns that can, and cannot, have one in common.
var overlapping = []struct {
	a, b string
	both bool
}{
	{"acme-*", "acme-*", true}, {"acme-*", "acme-eu-*", true}, {"acme-*", "acme.v2-*", false}, {"acme*", "acme-*", true},
	{"acme-*", "acmes-*", false}, {"a*b", "a*c", false}, {"a*b", "ab*b", true}, {"a*bc", "a*c", true}, {"a*b", "c*b", false}, {"a*x", "ab*", true},
	{"acme-*", "acme-1", true}, {"acme-*", "acme-", true}, {"acme-*", "acme", false}, {"a*a", "a", false}, {"a*a", "aa", true}, {"ab*bc", "abc", false},
	{"docs", "docs", true}, {"docs", "docs2", false},
}

func TestOverlaps(t *testing.T) {
	at := func(index string) placement.Placement {
		p := many(index)
		if !p.Many() {
			p.Logical = "docs"
		}
		return p
	}
	for _, c := range overlapping {
		if a, b := at(c.a), at(c.b); a.Overlaps(b) != c.both || b.Overlaps(a) != c.both {
			t.Errorf("%s and %s overlap: %t, %t; want %t", c.a, c.b, a.Overlaps(b), b.Overlaps(a), c.both)
		}
		if a, b := at(c.a), at(c.b); a.Overlaps(placement.Placement{Kind: b.Kind, Cluster: "west", Index: b.Index, Logical: b.Logical}) {
			t.Errorf("%s and %s overlap on two clusters", c.a, c.b)
		}
	}
	whole := placement.Placement{Kind: placement.DedicatedCluster, Cluster: "east"}
	shared := placement.Placement{Kind: placement.SharedIndex, Cluster: "east", Index: "acme-pool", Logical: "docs", PartitionField: "tenant"}
	if !whole.Overlaps(many("acme-*")) || !many("acme-*").Overlaps(whole) || !many("acme-*").Overlaps(shared) || !shared.Overlaps(many("acme-*")) || many("pool-*").Overlaps(shared) {
		t.Error("a cluster of its own has all indices, and a shared index has one")
	}
	if (placement.Placement{}).Overlaps(whole) || whole.Overlaps(placement.Placement{}) {
		t.Error("nowhere overlaps with something")
	}
}

// The mapping is one to one, leads nowhere outside the pattern, and two patterns
// that do not overlap have no index in common.
func FuzzPattern(f *testing.F) {
	f.Add("acme-*", "orders", "acme-eu-*", "orders")
	f.Add("a*b", "x", "a*c", "x-a")
	f.Add("acme-*-v1", "*", "acme", "acme-.x-v1")
	f.Add("größe*", "Ü", "a*", "\xff")
	f.Fuzz(func(t *testing.T, pattern, logical, other, name string) {
		p, q := many(pattern), many(other)
		if !q.Many() {
			q.Logical = "docs"
		}
		if p.Validate() != nil || q.Validate() != nil || !p.Many() {
			return
		}
		single := func(name string) placement.Placement {
			return placement.Placement{Kind: placement.DedicatedIndex, Cluster: "east", Index: name, Logical: "docs"}
		}
		if physical, err := p.Physical(logical); err != nil {
			refusal(t, err, "index")
		} else {
			if back, ok := p.LogicalOf(physical); !ok || back != logical {
				t.Fatalf("%s: %q stands for %q, which is called %q, %t", pattern, logical, physical, back, ok)
			}
			if !p.Matches(physical) || single(physical).Validate() != nil || strings.HasPrefix(physical, placement.ReservedPrefix) {
				t.Fatalf("%s: %q stands for %q", pattern, logical, physical)
			}
			if q.Matches(physical) != q.Overlaps(single(physical)) {
				t.Fatalf("%s matches %q: %t", other, physical, q.Matches(physical))
			}
			if q.Matches(physical) && !(p.Overlaps(q) && q.Overlaps(p)) {
				t.Fatalf("%s and %s do not overlap, and both match %q", pattern, other, physical)
			}
		}
		if called, ok := p.LogicalOf(name); ok {
			if back, err := p.Physical(called); err != nil || back != name {
				t.Fatalf("%s: %q is called %q, which stands for %q, %v", pattern, name, called, back, err)
			}
		}
		if p.Overlaps(q) != q.Overlaps(p) {
			t.Fatalf("%s and %s overlap one way", pattern, other)
		}
		if p.Overlaps(q) && q.Many() {
			// There is a witness: the longer front, then the longer back.
			pf, pb, _ := strings.Cut(pattern, "*")
			qf, qb, _ := strings.Cut(other, "*")
			front, back := pf, pb
			if len(qf) > len(pf) {
				front = qf
			}
			if len(qb) > len(pb) {
				back = qb
			}
			if w := front + back; !p.Matches(w) || !q.Matches(w) {
				t.Fatalf("%s and %s are said to overlap, and do not both match %q", pattern, other, w)
			}
		}
	})
}

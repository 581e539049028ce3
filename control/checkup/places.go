package checkup

import (
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
)

// role is what a place is to a tenant.
type role string

const (
	lives role = "lives in" // From
	goes  role = "moves to" // To
	left  role = "has its old copy in"
)

// spot is one place of one tenant.
type spot struct {
	tenant placement.PartitionID
	role   role
	place  placement.Placement
}

// places finds the tenants of an index. Most placements name one index; the others are
// few, and are looked through.
type places struct {
	byIndex map[string][]spot // by cluster and index
	wide    map[string][]spot // by cluster: patterns and whole clusters
}

func placesOf(entries map[placement.PartitionID]placement.Entry) places {
	p := places{map[string][]spot{}, map[string][]spot{}}
	for id, e := range entries {
		for _, s := range []spot{{id, lives, e.State.From}, {id, goes, e.State.To}, {id, left, e.Previous}} {
			switch {
			case s.place.IsZero():
			case s.place.Kind == placement.DedicatedCluster || s.place.Many():
				p.wide[s.place.Cluster] = append(p.wide[s.place.Cluster], s)
			default:
				key := s.place.Cluster + "/" + s.place.Index
				p.byIndex[key] = append(p.byIndex[key], s)
			}
		}
	}
	return p
}

// of are the tenants' places that an index of that name is in.
func (p places) of(cluster, index string) []spot {
	out := slices.Clone(p.byIndex[cluster+"/"+index])
	for _, s := range p.wide[cluster] {
		if s.place.Matches(index) {
			out = append(out, s)
		}
	}
	return out
}

// has reports whether an index of that name is in a place of some tenant in one of the
// roles.
func (p places) has(cluster, index string, roles ...role) bool {
	return slices.ContainsFunc(p.of(cluster, index), func(s spot) bool { return slices.Contains(roles, s.role) })
}

// clashes are pairs of tenants whose places overlap, but for tenants that share an
// index, each pair once.
func (p places) clashes() [][2]spot {
	var out [][2]spot
	seen := map[string]bool{}
	pair := func(a, b spot) {
		if a.tenant == b.tenant || a.place.Kind == placement.SharedIndex && b.place.Kind == placement.SharedIndex || !a.place.Overlaps(b.place) {
			return
		}
		if a.tenant > b.tenant {
			a, b = b, a
		}
		if key := string(a.tenant) + "\x00" + string(b.tenant); !seen[key] {
			seen[key] = true
			out = append(out, [2]spot{a, b})
		}
	}
	for _, all := range p.byIndex {
		// One that does not share is enough to clash with every other: the first
		// stands for those like it, so that a large shared index costs no more.
		for i, a := range all {
			if a.place.Kind != placement.SharedIndex {
				for k, b := range all {
					if k != i {
						pair(a, b)
					}
				}
			}
		}
	}
	for cluster, wide := range p.wide {
		p.clashesOfWide(cluster, wide, pair)
	}
	slices.SortFunc(out, func(a, b [2]spot) int { return strings.Compare(string(a[0].tenant), string(b[0].tenant)) })
	return out
}

// clashesOfWide compares patterns with one another and with plain names of their
// cluster. Both are sorted by what stands in front of the star: only one whose front
// begins with another's can meet it, so those that enclose the present one are a stack.
func (p places) clashesOfWide(cluster string, wide []spot, pair func(a, b spot)) {
	all := slices.Clone(wide)
	prefix := cluster + "/"
	for key, spots := range p.byIndex {
		if strings.HasPrefix(key, prefix) {
			all = append(all, spots...)
		}
	}
	front := func(s spot) string {
		if s.place.Kind == placement.DedicatedCluster {
			return ""
		}
		f, _, _ := strings.Cut(s.place.Index, "*")
		return f
	}
	isWide := func(s spot) bool { return s.place.Kind == placement.DedicatedCluster || s.place.Many() }
	slices.SortFunc(all, func(a, b spot) int {
		if c := strings.Compare(front(a), front(b)); c != 0 || isWide(a) == isWide(b) {
			return c
		}
		if isWide(a) { // so that it is there when the plain name of its front comes
			return -1
		}
		return 1
	})
	var enclosing []spot
	for _, s := range all {
		f := front(s)
		for len(enclosing) > 0 && !strings.HasPrefix(f, front(enclosing[len(enclosing)-1])) {
			enclosing = enclosing[:len(enclosing)-1]
		}
		for _, e := range enclosing {
			pair(e, s)
		}
		if isWide(s) {
			enclosing = append(enclosing, s)
		}
	}
}

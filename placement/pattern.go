package placement

import (
	"fmt"
	"strings"
)

// ReservedPrefix begins the names of everything that moves put on a cluster. No
// tenant's index may be reached by such a name, nor a tenant's pattern match one.
const ReservedPrefix = "sluice-"

// Many reports whether the partition has any number of indices of its cluster
// under a pattern: a dedicated_index whose Index has a star. The logical name L
// then stands for the index that is called as the pattern with L in the star's
// place.
func (p Placement) Many() bool { return p.Kind == DedicatedIndex && strings.Contains(p.Index, "*") }

// halves are what stands in front of and behind the star of a pattern. A name
// without one is its own front, and whole is true.
func halves(pattern string) (front, back string, whole bool) {
	front, back, star := strings.Cut(pattern, "*")
	return front, back, !star
}

// Physical returns the index that a logical name stands for, or an *InvalidError
// if the partition can have none of that name. In a dedicated_cluster it is the
// name itself.
func (p Placement) Physical(logical string) (string, error) {
	switch {
	case p.Kind == DedicatedCluster:
		return logical, nil
	case !p.Many():
		if logical != p.Logical {
			return "", invalid("index", logical, fmt.Sprintf("must be %q, the one index of the placement", p.Logical))
		}
		return p.Index, nil
	}
	if err := validateIndex("index", logical); err != nil {
		return "", err
	}
	front, back, _ := halves(p.Index)
	name := front + logical + back
	if len(name) > maxIndex {
		return "", invalid("index", logical, fmt.Sprintf("is too long: with the %d bytes that its placement adds, a name may have %d", len(front)+len(back), maxIndex))
	}
	return name, nil
}

// LogicalOf returns the name by which clients know an index of the cluster. It is
// false for one that is not the partition's, or that no client can name: it is the
// inverse of Physical, and of nothing else.
func (p Placement) LogicalOf(physical string) (string, bool) {
	switch {
	case p.Kind == DedicatedCluster:
		return physical, true
	case !p.Many():
		return p.Logical, physical == p.Index
	case !p.Matches(physical) || len(physical) > maxIndex:
		return "", false
	}
	front, back, _ := halves(p.Index)
	logical := physical[len(front) : len(physical)-len(back)]
	return logical, validateIndex("index", logical) == nil
}

// Matches reports whether an index of that name would be, to the cluster, one of
// those that the placement speaks of. That is wider than LogicalOf: to a cluster a
// star also stands for nothing, and for what no client can name.
func (p Placement) Matches(physical string) bool {
	if p.Kind == DedicatedCluster {
		return true
	}
	front, back, whole := halves(p.Index)
	if whole {
		return physical == front
	}
	return len(physical) >= len(front)+len(back) && strings.HasPrefix(physical, front) && strings.HasSuffix(physical, back)
}

// Overlaps reports whether some index could be of both placements, or is: whoever
// has one of them would read and write what is the other's. The zero Placement
// overlaps with none.
func (p Placement) Overlaps(q Placement) bool {
	switch {
	case p.IsZero() || q.IsZero() || p.Cluster != q.Cluster:
		return false
	case p.Kind == DedicatedCluster || q.Kind == DedicatedCluster:
		return true
	}
	pf, pb, pWhole := halves(p.Index)
	qf, qb, qWhole := halves(q.Index)
	switch {
	case pWhole:
		return q.Matches(pf)
	case qWhole:
		return p.Matches(qf)
	}
	// Two patterns have a name in common unless their fronts, or their backs,
	// contradict each other: the longer front followed by the longer back is one.
	return (strings.HasPrefix(pf, qf) || strings.HasPrefix(qf, pf)) && (strings.HasSuffix(pb, qb) || strings.HasSuffix(qb, pb))
}

// keepsNames refuses a target where clients could not use the names that they use. What
// may have any number of indices may move into one place: whether it has one is for the
// mover to see, and that its clients could call it so is seen here.
func keepsNames(from, to Placement, back bool) error {
	switch {
	case from.Kind == DedicatedCluster || to.Kind == DedicatedCluster || from.Many() && to.Many():
		return nil
	case from.Many():
		_, err := from.Physical(to.Logical)
		return err
	case to.Many() && back: // to the name that it had there
		_, err := to.Physical(from.Logical)
		return err
	case to.Many():
		return invalid("placement.index", to.Index, fmt.Sprintf("must be the name of an index: the tenant of %s has one", from))
	case to.Logical != from.Logical:
		return invalid("placement.logical", to.Logical, fmt.Sprintf("must be %q: a move does not change the name that clients use", from.Logical))
	}
	return nil
}

// validatePattern refuses what is no pattern, and one that could match what is
// nobody's: names of moves, and with nothing in front of the star also the
// cluster's own names, which begin with a dot.
func validatePattern(pattern, logical string) error {
	const field = "placement.index"
	front, back, _ := halves(pattern)
	switch {
	case strings.Contains(back, "*"):
		return invalid(field, pattern, "must have one * at most")
	case front == "":
		return invalid(field, pattern, "must have something in front of the *; for a tenant with a cluster of its own use dedicated_cluster")
	case strings.HasPrefix(front, ReservedPrefix) || strings.HasPrefix(ReservedPrefix, front):
		return invalid(field, pattern, "could match names that begin with "+ReservedPrefix+", which are those of moves; put something else in front of the *")
	case logical != "" && logical != "*":
		return invalid("placement.logical", logical, "must be * or empty, as the index is a pattern")
	}
	return validateIndex(field, front+"x"+back)
}

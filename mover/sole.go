package mover

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// A tenant that may have any number of indices, has one, and moves into a place for one:
// an index of its own, or a shared one. Its clients go on naming that index as they did,
// so nothing that they can name may be left behind: no second index, and no alias.
//
// Nobody is refused anything for it while the move runs; the move gives way. What a
// client creates is found by the next round, as for any tenant of many indices, or by the
// look at the source that every cutover takes (CheckSource). That look comes when the
// barrier has passed: creations and aliases hold tickets like any write, so each that
// was admitted before the cutover is seen, and each that came later waits in a proxy and
// is refused after the flip as to any tenant of one index. Either way nothing that was
// created is lost.

// single reports whether a placement is of one index, which may be shared.
func single(p placement.Placement) bool {
	return p.Kind == placement.SharedIndex || p.Kind == placement.DedicatedIndex && !p.Many()
}

// narrows reports whether the tenant gives up having any number of indices.
func (m *Mover) narrows() bool { return m.many() && single(m.spec.To) }

// namesShown is how many indices or aliases a refusal names.
const namesShown = 10

func shown(names []string) string {
	if more := len(names) - namesShown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:namesShown], ", "), more)
	}
	return strings.Join(names, ", ")
}

// sole returns what clients call the one index of a tenant that may have any number of
// them, or refuses what has another number, or what clients reach by another name too.
func (m *Mover) sole(all []found) (string, error) {
	refuse := func(detail, fix string) (string, error) {
		return "", &RefusedError{Code: CodeManyIndices, Field: "from", Detail: detail, Fix: fix}
	}
	var have []string
	for _, f := range all {
		name, ok := m.spec.From.LogicalOf(f.name)
		if !ok {
			name = f.name
		}
		have = append(have, name)
	}
	const keep = "move it to a pattern, or to a cluster of its own"
	switch len(have) {
	case 0:
		return refuse("the tenant has no index, and the target is a place for the one that it has", "create the index that its clients will use, or "+keep)
	case 1:
	default:
		return refuse(fmt.Sprintf("the tenant has %d indices, and the target is a place for one: %s", len(have), shown(have)), "remove those that nothing needs, or "+keep)
	}
	var aliases []string
	for _, a := range slices.Sorted(maps.Keys(tenantAliases(all[0]))) {
		if name, ok := m.spec.From.LogicalOf(a); ok {
			aliases = append(aliases, name)
		}
	}
	if len(aliases) > 0 {
		return refuse(fmt.Sprintf("clients also reach index %s by aliases, which they could not name at the target: %s", have[0], shown(aliases)), "remove them, if no client uses them, or "+keep)
	}
	return have[0], nil
}

// checkSole refuses what narrows cannot take along.
func (m *Mover) checkSole(all []found) error {
	if !m.narrows() {
		return nil
	}
	name, err := m.sole(all)
	if err == nil && name != m.spec.To.Logical {
		return fmt.Errorf("index %s is not %s: %w", name, m.spec.To.Logical, ErrSourceChanged)
	}
	return err
}

// Sole returns what the clients of a tenant call its one index, of a placement that may
// have any number of them. A *RefusedError says, with the names, that there is none, or
// more than one.
func Sole(ctx context.Context, c *upstream.Client, from placement.Placement) (string, error) {
	m := &Mover{spec: Spec{From: from, To: from}, src: c, throttle: newThrottle(Options{}, c.Name(), c.Name())}
	all, err := m.sources(ctx)
	if err != nil {
		return "", err
	}
	return m.sole(all)
}

package mover

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// Pairs are the indices of two places that are compared with each other.
type Pairs struct {
	Indices []Index
	// OnlySource and OnlyTarget are indices, as their cluster calls them, that the other
	// place has no counterpart of.
	OnlySource, OnlyTarget []string
}

// Pair finds which indices of the two places are counterparts, by the names that clients
// use, for a comparison by itself: Verify, CheckRefs and CheckContent may follow, and
// nothing that writes. It needs neither Prepare nor Take, and changes nothing on a
// cluster. content says that sources are to be compared.
//
// Where both sides do not choose shards alike, an index is compared as a whole, and a
// document of another routing is another document: it can be on another shard.
func (m *Mover) Pair(ctx context.Context, content bool) (Pairs, error) {
	var out Pairs
	a, err := m.indicesAt(ctx, m.src, m.spec.From, "from")
	if err != nil {
		return out, err
	}
	b, err := m.indicesAt(ctx, m.dst, m.spec.To, "to")
	if err != nil {
		return out, err
	}
	left := map[string]found{}
	for _, f := range b {
		left[f.name] = f
	}
	for _, s := range a {
		t, ok := left[m.targetName(s.name)]
		if !ok {
			out.OnlySource = append(out.OnlySource, s.name)
			continue
		}
		delete(left, t.name)
		for _, f := range []found{s, t} {
			if err := readable(f, content); err != nil {
				return out, err
			}
		}
		logical := cmp.Or(m.logicalName(s.name), s.name)
		out.Indices = append(out.Indices, Index{Logical: logical, Source: s.name, SourceUUID: s.uuid, Target: t.name, TargetUUID: t.uuid, Shards: s.shards, TargetShards: t.shards})
		la, err := m.layout(ctx, m.src, s)
		if err != nil {
			return out, err
		}
		lb, err := m.layout(ctx, m.dst, t)
		if err != nil {
			return out, err
		}
		m.apart = m.apart || la != lb
	}
	for name := range left {
		out.OnlyTarget = append(out.OnlyTarget, name)
	}
	slices.Sort(out.OnlyTarget)
	m.Use(out.Indices)
	return out, nil
}

// indicesAt describes the indices that a placement has at its cluster: of one index that
// index, which must be there.
func (m *Mover) indicesAt(ctx context.Context, c *upstream.Client, p placement.Placement, field string) ([]found, error) {
	pattern := p.Index
	if p.Kind == placement.DedicatedCluster {
		pattern = "*"
	}
	all, err := m.describe(ctx, c, pattern)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Kind == placement.DedicatedCluster:
		return slices.DeleteFunc(all, func(f found) bool { return strings.HasPrefix(f.name, ".") || f.settings["index.hidden"] == "true" }), nil
	case p.Many():
		return slices.DeleteFunc(all, func(f found) bool { return !p.Matches(f.name) }), nil
	case len(all) != 1 || all[0].name != p.Index:
		detail := fmt.Sprintf("%s has no index %s", c.Name(), p.Index)
		if len(all) > 0 {
			detail = fmt.Sprintf("%s is not an index of %s, but an alias or a data stream", p.Index, c.Name())
		}
		return nil, &RefusedError{Code: CodeSourceMissing, Field: field + ".index", Detail: detail, Fix: "name an index of the cluster"}
	}
	return all, nil
}

// readable refuses an index whose documents, or sources, cannot be read.
func readable(f found, content bool) error {
	if f.settings["index.verified_before_close"] == "true" {
		return &RefusedError{Code: CodeSourceClosed, Field: f.name, Detail: "the index is closed, so it cannot be read", Fix: "open it"}
	}
	if !content {
		return nil
	}
	return sourceKept(f, "compare ids and versions only")
}

// layout is what decides on which shard of an index a document is.
func (m *Mover) layout(ctx context.Context, c *upstream.Client, f found) (string, error) {
	slots, err := m.routingShards(ctx, c, f.name)
	return fmt.Sprint(f.shards, "/", slots, "/", cmp.Or(f.settings["index.routing_partition_size"], "1")), err
}

// Documents counts the documents of both sides that a comparison would look at, as a
// refresh has left them.
func (m *Mover) Documents(ctx context.Context) (int64, error) {
	idx, err := m.indices()
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, i := range idx {
		a, err := m.countOn(ctx, m.src, i.Source, "", m.where())
		if err != nil {
			return 0, err
		}
		b, err := m.countOn(ctx, m.dst, i.Target, "", m.whereInto())
		if err != nil {
			return 0, err
		}
		total += a + b
	}
	return total, nil
}

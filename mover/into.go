package mover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// A tenant that moves into a shared index, from an index of its own or from another
// shared one. Its documents get at B what the proxy gives them there: the prefix of
// _id and routing, and the partition field. References are the clients' on both sides.
//
// The pool belongs to others, who use it all the time. It is never blocked, and none
// of its settings, tenants' aliases or documents is touched. What changes in it: this
// tenant's documents, aliases of the move, and fields that its mapping lacks. What
// that leaves to be solved, and how:
//
//   - A stale mover. Writes go through a write alias of the attempt, as ever. A drain
//     cannot block, so it removes the alias, demands that every node has applied that,
//     and waits until the cluster's task list has nothing left of what was sent through
//     it (drainPool says what is assumed of OpenSearch).
//   - Tombstones. gc_deletes stays what it is, 60 s by default. A document that was
//     deleted at B, by a sweep or by this move, is refused in a lower version until B
//     has forgotten it. Nothing is overwritten blindly, since that would change its
//     version: the write is repeated until then (applyLifted), and in a copy a conflict
//     is not believed to be a newer document but looked at (clash).
//   - Documents that share an _id. Which of them are one differs between A and B, as
//     it does for a tenant that leaves; see lifted.go, whose ways serve both directions.
//   - Fields. Those that the pool lacks are added before a document needs them; the
//     rest has to be the same there, or the move is refused (intomapping.go).
//   - Discard deletes the tenant's documents, and not the index (discardInto). Nothing
//     else of the tenant's can be there: Prepare refuses a pool that has any, and what
//     is written there until the flip is the mover's.
//   - After the flip all of the move's aliases go; nothing in the pool tells that the
//     tenant has not always been there.

// ends returns whose documents of a shared source, and of a shared target, are moved;
// nil for an index that is not shared. It refuses pairs that cannot be moved.
func ends(spec Spec) (from, to *shared.Tenant, err error) {
	a, b := spec.From, spec.To
	// A cluster takes whatever the tenant has, and a place for one index what has one;
	// see sole.go. One index goes under a pattern only where it has been before.
	if single(a) && b.Many() && spec.RollbackOf == "" {
		return nil, nil, &RefusedError{Code: CodeUnsupported, Field: "placement.kind", Detail: fmt.Sprintf("%s to %s cannot be moved", a, b), Fix: "a tenant with one index moves to one, its own or a shared one, or to a cluster, and from there to a pattern"}
	}
	if a.Kind == placement.SharedIndex {
		if from, err = shared.New(spec.Partition, a.PartitionField); err != nil {
			return nil, nil, err
		}
	}
	if b.Kind == placement.SharedIndex {
		to, err = shared.New(spec.Partition, b.PartitionField)
	}
	return from, to, err
}

// lifts reports whether a side is shared, so that documents have other ids and
// routings there, and other shards.
func (m *Mover) lifts() bool { return m.tenant != nil || m.into != nil }

// scattered reports that a document can be on another shard of the target than of the
// source, so that only one of the same routing is the same document.
func (m *Mover) scattered() bool { return m.lifts() || m.apart }

// whereInto matches the documents of the target that are the move's.
func (m *Mover) whereInto() map[string]any {
	if m.into == nil {
		return everything
	}
	return map[string]any{"bool": map[string]any{"filter": []any{json.RawMessage(m.into.Filter())}}}
}

// documentRefused is about a document that cannot be the tenant's in the pool.
func (m *Mover) documentRefused(err error) error {
	reason := shared.ErrSyntax.Error() // no content in errors
	var refused *shared.RefusedError
	if errors.As(err, &refused) {
		reason = refused.Reason
	}
	return &RefusedError{Code: CodeDocument, Field: m.spec.To.Index, Detail: "a document of the source cannot be in the shared index: " + reason, Fix: "change or remove that document, or leave the tenant where it is"}
}

// stamped turns ops into what the proxy would write to the pool.
func (m *Mover) stamped(ops []op) ([]op, error) {
	if m.into == nil {
		return ops, nil
	}
	out := make([]op, len(ops))
	for k, o := range ops {
		id, err := m.into.ID(o.id)
		if err == nil && !o.delete {
			o.source, err = m.into.Document(nil, o.source)
		}
		if err != nil {
			return nil, m.documentRefused(err)
		}
		o.id, o.routing = id, m.into.Routing(o.routing)
		out[k] = o
	}
	return out, nil
}

// physical names documents of the target as its index does, all but the routing.
func (m *Mover) physical(g []get) error {
	if m.into == nil {
		return nil
	}
	for k := range g {
		id, err := m.into.ID(g[k].id)
		if err != nil {
			return m.documentRefused(err)
		}
		g[k].id = id
	}
	return nil
}

// pool describes the shared target, and refuses one that is not there or that does
// not keep its tenants apart.
func (m *Mover) pool(ctx context.Context) (found, error) {
	to := m.spec.To
	refuse := func(code, detail, fix string) (found, error) {
		return found{}, &RefusedError{Code: code, Field: "to.index", Detail: detail, Fix: fix}
	}
	all, err := m.describe(ctx, m.dst, to.Index)
	if err != nil {
		return found{}, err
	}
	if len(all) == 0 {
		return refuse(CodeTargetMissing, fmt.Sprintf("%s has no index %s to share", m.dst.Name(), to.Index), fmt.Sprintf("create it with a field %s of type keyword, which tells its tenants apart", to.PartitionField))
	}
	f := all[0]
	var raw []byte
	if err := m.read(ctx, m.dst, http.MethodGet, "/"+esc(to.Index), nil, nil, &raw); err != nil {
		return found{}, fmt.Errorf("describe %s on %s: %w", to.Index, m.dst.Name(), err)
	}
	var why *shared.RefusedError
	if err := shared.CheckIndex(raw, to.Index, to.PartitionField); errors.As(err, &why) {
		return refuse(CodeUnsupported, "the index cannot be shared: "+why.Reason, "set that right first, or choose another index")
	} else if err != nil {
		return found{}, err
	}
	if n, err := strconv.Atoi(f.settings["index.routing_partition_size"]); err == nil && n > 1 {
		return refuse(CodeUnsupported, "the index spreads documents of one routing over shards (routing_partition_size)", "choose an index without it")
	}
	for _, b := range []string{"write", "read_only", "read_only_allow_delete", "read", "metadata"} {
		if f.settings["index.blocks."+b] == "true" {
			return refuse(CodeTargetRefused, "the index has index.blocks."+b, "remove the block, or choose another index")
		}
	}
	if f.dataStream != "" || f.settings["index.verified_before_close"] == "true" {
		return refuse(CodeTargetRefused, "the index is closed, or of a data stream", "choose another index")
	}
	return f, nil
}

// vacant refuses a pool that holds documents of the tenant, which this move cannot
// have written: a copy begins after Prepare.
func (m *Mover) vacant(ctx context.Context) error {
	if err := m.refreshOne(ctx, m.dst, m.spec.To.Index); err != nil {
		return err
	}
	n, err := m.countOn(ctx, m.dst, m.spec.To.Index, "", m.whereInto())
	if err != nil || n == 0 {
		return err
	}
	return &RefusedError{Code: CodeTargetExists, Field: "to.index", Detail: fmt.Sprintf("%s on %s holds %d documents of the tenant, which does not live there", m.spec.To.Index, m.dst.Name(), n),
		Fix: fmt.Sprintf("if they are the old copy of an earlier move, retire that (sluice moves list); else, when nothing needs them, delete them: POST /%s/_delete_by_query {\"query\":%s}", m.spec.To.Index, m.into.Filter())}
}

// plainSource refuses what a tenant of a shared index cannot have.
func (m *Mover) plainSource(s found) error {
	if a := slices.Sorted(maps.Keys(tenantAliases(s))); len(a) > 0 && m.tenant == nil {
		return &RefusedError{Code: CodeAliasConflict, Field: "alias " + strings.Join(a, ", "), Detail: "the source has aliases, and a tenant of a shared index has none", Fix: "remove them, if no client uses them"}
	}
	for k, p := range used(s) {
		return &RefusedError{Code: CodeUnsupported, Field: s.name + " " + k, Detail: "the source's documents go through the ingest pipeline " + p + ", and those of a shared index through none", Fix: "remove the setting, if clients can do without"}
	}
	return nil
}

// judgeInto is the part of Precheck that looks at a shared target.
func (m *Mover) judgeInto(ctx context.Context, r *Report, s found) error {
	pool, err := m.pool(ctx)
	if err == nil {
		err = m.vacant(ctx)
	}
	bad := err
	if err := r.judge("target", err, "%s can be shared, and has no document of the tenant", m.spec.To.Index); err != nil || bad != nil {
		return err
	}
	if err := r.judge("aliases and pipelines", m.plainSource(s), "none"); err != nil {
		return err
	}
	if err := r.judge("analysis", sameAnalysis(s, pool), "the same, or not used"); err != nil {
		return err
	}
	add, err := m.missing(s, pool)
	if err := r.judge("fields", err, "%d are added to the shared index, the rest is the same there", len(add)); err != nil {
		return err
	}
	a, b, err := roots(s, pool)
	if err != nil {
		return err
	}
	if d := a.differs(b); d != "" {
		r.add("new fields", Warn, "%s differs: after the flip new fields get the types that the shared index gives them", d)
	}
	if gc := gcDeletes(pool); gc > 2*time.Minute {
		r.add("deletions", Warn, "the shared index remembers deletions for %v (index.gc_deletes): a document that is deleted and created again while the tenant moves can delay the flip by as much", gc)
	}
	return nil
}

// prepareInto is Prepare for a shared target. The marker says that a move may have
// documents in the pool; it is not a proof that the index was made by it.
func (m *Mover) prepareInto(ctx context.Context, s found) ([]Index, error) {
	pool, err := m.pool(ctx)
	if err != nil {
		return nil, err
	}
	for _, check := range []func() error{
		func() error { return m.plainSource(s) },
		func() error { return sameAnalysis(s, pool) },
		func() error { return m.vacant(ctx) },
		func() error { _, err := m.enrich(ctx, s, pool); return err },
		m.opt.Lease,
		func() error { return m.updateAliases(ctx, []any{m.mark(pool.name)}) },
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	i := m.index(s, pool)
	i.TargetShards = pool.shards
	m.Use([]Index{i})
	m.log.InfoContext(ctx, "prepared", "shared", true)
	return m.Indexes(), nil
}

// enrich adds to the pool's mapping what the source's has and the pool lacks.
func (m *Mover) enrich(ctx context.Context, s, pool found) (bool, error) {
	add, err := m.missing(s, pool)
	if err != nil || len(add) == 0 {
		return false, err
	}
	if err := m.opt.Lease(); err != nil {
		return false, err
	}
	err = m.change(ctx, m.dst, http.MethodPut, "/"+esc(pool.name)+"/_mapping", nil, map[string]any{"properties": add}, nil)
	return err == nil, m.metaRefused(err, pool.name, "mapping")
}

// readyInto is Ready for a shared target, of which nothing is set: it looks whether
// the source and the pool are still such as Prepare takes.
func (m *Mover) readyInto(ctx context.Context) error {
	idx, err := m.indices()
	if err != nil {
		return err
	}
	all, err := m.sources(ctx)
	if err != nil {
		return err
	}
	if len(all) != 1 || len(idx) != 1 || all[0].uuid != idx[0].SourceUUID {
		return fmt.Errorf("index %s: %w", m.spec.From.Index, ErrSourceChanged)
	}
	pool, err := m.pool(ctx)
	if err != nil {
		return err
	}
	if pool.uuid != idx[0].TargetUUID {
		return fmt.Errorf("index %s on %s: %w", pool.name, m.dst.Name(), ErrTargetChanged)
	}
	return m.plainSource(all[0])
}

// clash looks at documents of a copy that B refuses: what is there may be a newer one,
// from an Apply before this shard was copied anew, or a tombstone, or another document
// of that _id. As an Apply would, it makes each at B what it is at A now.
func (m *Mover) clash(ctx context.Context, ts []target) error {
	m.order(ts)
	for len(ts) > 0 {
		n := m.chunk(ts)
		if _, err := m.applyLifted(ctx, ts[:n]); err != nil {
			return err
		}
		ts = ts[n:]
	}
	return nil
}

// forgotten returns how long a write to the pool may have to be repeated until the pool
// has forgotten a deletion that came before it; nothing for an index of the move's
// own, which is told to forget.
func (m *Mover) forgotten(ctx context.Context) (time.Duration, error) {
	if m.into == nil {
		return 0, m.forget(ctx)
	}
	all, err := m.describe(ctx, m.dst, m.spec.To.Index)
	if err != nil || len(all) != 1 {
		return 0, errOr(err, fmt.Errorf("index %s on %s: %w", m.spec.To.Index, m.dst.Name(), ErrTargetChanged))
	}
	gc := gcDeletes(all[0])
	m.log.WarnContext(ctx, "the shared index refuses documents whose deletion it remembers: repeating until it forgets", "gc_deletes", gc)
	return gc + 10*time.Second, nil
}

// gcDeletes is how long an index remembers deletions.
func gcDeletes(f found) time.Duration {
	const usual = time.Minute
	v, ok := f.settings[setGC]
	if !ok {
		return usual
	}
	at := strings.IndexFunc(v, func(c rune) bool { return c < '0' || c > '9' })
	units := map[string]time.Duration{"nanos": 1, "micros": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	if at > 0 {
		if n, err := strconv.ParseInt(v[:at], 10, 32); err == nil && units[v[at:]] > 0 {
			return time.Duration(n) * units[v[at:]]
		}
	}
	if at < 0 || v == "-1" {
		return 0 // "0"; a duration below 0 means none
	}
	return usual
}

// acknowledged performs a change of cluster state and demands that every node has
// applied it: one that has not would go on with the old aliases.
func (m *Mover) acknowledged(ctx context.Context, c *upstream.Client, path string, body any) error {
	var ans struct{ Acknowledged bool }
	if err := m.change(ctx, c, http.MethodPost, path, nil, body, &ans); err != nil {
		return err
	}
	if !ans.Acknowledged {
		return fmt.Errorf("not every node of %s has applied the change yet: %w", c.Name(), ErrNotSettled)
	}
	return nil
}

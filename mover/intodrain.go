package mover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// drainPool is drain for a shared target, which cannot be blocked: it returns when
// nothing that was sent through the move's aliases before can be applied any more.
// They are gone, and every node has said so (updateAliases). It rests on this:
//
//   - A node that has applied the removal resolves the alias no more. One that has not
//     would keep the removal from being acknowledged; one that has left the cluster
//     writes nothing, as no primary takes its operations' term or it has no cluster
//     manager.
//   - OpenSearch lists a bulk as a task, with the names that it was sent with, from
//     before it resolves them until each of its shards has answered; a delete by query
//     likewise, until its last bulk has. So when none is listed that names an alias of
//     the move, nothing is under way whose sender still waits for it.
//   - What is left is an operation whose coordinating node has died. It is listed at
//     its shard, with the index's own name and a parent that is not listed. Those are
//     waited for by their ids, and what becomes of them; being somebody else's does no
//     harm, for none of them lasts.
//
// A task list that not every node has contributed to is an error. Unlike the drain of a
// fence, no time is assumed here.
func (m *Mover) drainPool(ctx context.Context, pool string) error {
	began := time.Now()
	var left orphans
	for n := 0; ; n++ {
		tasks, err := m.tasks(ctx, m.dst, "indices:data/write/*")
		if err != nil {
			return err
		}
		if left.busy(tasks, m.prefix(), pool) == 0 {
			m.log.InfoContext(ctx, "drained the shared target", "took", time.Since(began))
			return nil
		}
		if time.Since(began) > m.opt.Patience {
			return fmt.Errorf("drain the target: what was sent to it does not end: %w", ErrNotSettled)
		}
		if err := pause(ctx, min(n, 2)); err != nil {
			return err
		}
	}
}

// orphans are operations on the pool that nobody waits for; nil until all that the
// move waits for has ended.
type orphans map[string]bool

// busy counts what a list of tasks has of the move, or may have.
func (o *orphans) busy(tasks []task, prefix, pool string) int {
	listed, own := map[string]bool{}, 0
	for _, t := range tasks {
		listed[t.name()] = true
		if strings.Contains(t.Description, prefix) {
			own++
		}
	}
	if own > 0 {
		*o = nil
		return own
	}
	was, now := *o, orphans{}
	for more := true; more; { // a child is listed before its parent, or behind it
		more = false
		for _, t := range tasks {
			lost := t.Parent != "" && !listed[t.Parent]
			first := was == nil && lost && strings.Contains(t.Description, "["+pool+"]")
			if !now[t.name()] && (first || was[t.name()] || was[t.Parent] || now[t.Parent]) {
				now[t.name()], more = true, true
			}
		}
	}
	*o = now
	return len(now)
}

func (t task) name() string { return t.Node + ":" + strconv.FormatInt(t.ID, 10) }

// discardInto is Discard for a shared target: the tenant's documents there are deleted
// and the move's aliases removed. The caller holds work and gate.
//
// A driver that was paused in here must not delete what the tenant has there after a
// later move. So documents are deleted through an alias of this very call, which is
// given to the pool only if the move's guards are there still, and which whoever takes
// over removes, waiting for what runs. The guards go with the last alias, when no
// document is left; the record says that the move has ended after that, and only then
// may another move begin.
func (m *Mover) discardInto(ctx context.Context) error {
	idx := m.Indexes()
	if len(idx) == 0 { // made by a Prepare whose result nobody has kept
		marked, err := m.marked(ctx)
		if err != nil {
			return err
		}
		idx = slices.DeleteFunc(marked, func(i Index) bool { return i.Target != m.spec.To.Index })
	}
	uuids, err := m.uuids(ctx, m.dst, names(idx, targetName))
	if err != nil {
		return err
	}
	idx = slices.DeleteFunc(idx, func(i Index) bool { return uuids[i.Target] != i.TargetUUID })
	if len(idx) == 0 { // never prepared, or its operator has removed the pool
		return nil
	}
	aliases, err := m.aliases(ctx, idx)
	if err != nil {
		return err
	}
	if len(m.guards(aliases[0])) == 0 {
		return nil // an earlier call has come to its end
	}
	if err := m.opt.Lease(); err != nil {
		return err
	}
	m.turn = 0
	m.begun++
	via := fmt.Sprintf("%s%d-%d-sweep", m.prefix(), m.spec.Attempt, m.begun)
	if err := m.drop(ctx, idx, aliases, []string{via}); err != nil {
		return err
	}
	if err := m.opt.Lease(); err != nil {
		return err
	}
	if err := m.drainPool(ctx, idx[0].Target); err != nil {
		return err
	}
	m.unsettled.Store(false)
	if err := m.sweepInto(ctx, idx[0], via); err != nil {
		return err
	}
	actions := []any{action("remove", idx[0].Target, via, map[string]any{"must_exist": true})}
	for _, g := range m.guards(aliases[0]) {
		actions = append(actions, action("remove", idx[0].Target, g, map[string]any{"must_exist": true}))
	}
	if err := m.updateAliases(ctx, actions); err != nil {
		return err
	}
	if err := m.drainPool(ctx, idx[0].Target); err != nil {
		return err
	}
	m.log.InfoContext(ctx, "removed the tenant's documents from the shared index")
	return nil
}

// sweepInto deletes the tenant's documents of the pool, in parts; see sweepDocs. It
// returns nil when a refresh has shown that none is left.
func (m *Mover) sweepInto(ctx context.Context, i Index, via string) error {
	for idle := 0; ; {
		if err := m.opt.Lease(); err != nil {
			return err
		}
		if err := m.refreshOne(ctx, m.dst, i.Target); err != nil {
			return err
		}
		left, err := m.countOn(ctx, m.dst, i.Target, "", m.whereInto())
		if err != nil || left == 0 {
			return err
		}
		var ans struct{ Deleted int64 }
		q := query("conflicts", "proceed", "max_docs", strconv.Itoa(sweepDocs), "wait_for_completion", "true")
		err = m.change(ctx, m.dst, http.MethodPost, "/"+esc(via)+"/_delete_by_query", q, map[string]any{"query": m.whereInto()}, &ans)
		if code, _ := status(err); code == http.StatusNotFound {
			return errors.Join(ErrFenced, err)
		}
		if err != nil {
			return fmt.Errorf("delete the tenant's documents of %s on %s: %w", i.Target, m.dst.Name(), err)
		}
		if ans.Deleted > 0 {
			idle = 0
			continue
		}
		if idle++; idle == sweepTries {
			return fmt.Errorf("%d documents are left: %w", left, ErrNotSettled)
		}
		if err := pause(ctx, idle); err != nil {
			return err
		}
	}
}

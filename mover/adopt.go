package mover

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// Adopt takes in the indices that the tenant of a dedicated cluster, or of a pattern,
// has created since the move last knew all of them: each gets its index and write alias at
// the target. It reports whether there were any; Indexes has them then, to be
// persisted before anything is written to them. It is called after Take.
//
// Nothing of a new index has to be copied when it was created after the barrier
// at begin: all that was ever written to it is in the journals. An index that is
// gone, or was created again, is ErrSourceChanged.
func (m *Mover) Adopt(ctx context.Context) (bool, error) {
	if !m.many() {
		return false, nil
	}
	idx := m.Indexes()
	if err := m.sameSource(ctx, idx); err != nil {
		return false, err
	}
	if fresh, err := m.newNames(ctx, idx); err != nil || !fresh {
		return false, err
	}
	all, err := m.sources(ctx)
	if err != nil {
		return false, err
	}
	var fresh []found
	for _, s := range all {
		if !slices.ContainsFunc(idx, func(i Index) bool { return i.Source == s.name }) {
			if err := m.checkSourceIndex(s); err != nil {
				return false, err
			}
			fresh = append(fresh, s)
		}
	}
	have, err := m.checkTarget(ctx, all)
	if err != nil {
		return false, err
	}
	if err := m.checkAliases(ctx, all); err != nil {
		return false, err
	}
	if err := m.checkPipelines(ctx, fresh); err != nil {
		return false, err
	}
	if err := m.work.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer m.work.Release(1)
	if err := m.gate.Acquire(ctx, rotation); err != nil { // no rotation between the choice of the turn and the aliases
		return false, err
	}
	defer m.gate.Release(rotation)
	if m.turn == 0 {
		return false, fmt.Errorf("adopt before Take: %w", ErrFenced)
	}
	var actions []any
	for k := range fresh {
		f, ok := have[m.targetName(fresh[k].name)]
		if !ok {
			if f, err = m.create(ctx, &fresh[k], m.targetName(fresh[k].name)); err != nil {
				return false, err
			}
		}
		// As in rotate: a mover that was paused here while the move was sealed adds nothing.
		actions = append([]any{action("remove", f.name, m.marker(), map[string]any{"must_exist": true})}, actions...)
		actions = append(actions, m.mark(f.name),
			action("add", f.name, m.writeAlias(m.turn, len(idx)), map[string]any{"is_write_index": true}))
		idx = append(idx, m.index(fresh[k], f))
	}
	if err := m.updateAliases(ctx, actions); err != nil {
		return false, err
	}
	m.Use(idx)
	m.log.InfoContext(ctx, "took in indices that the tenant has created", "indices", len(fresh))
	return len(fresh) > 0, nil
}

// newNames asks cheaply whether the source has an index that the move does not
// know. Hidden ones of a cluster are not matched.
func (m *Mover) newNames(ctx context.Context, idx []Index) (bool, error) {
	var now map[string]struct{}
	pattern := "*"
	if m.spec.From.Many() {
		pattern = m.spec.From.Index
	}
	q := query("expand_wildcards", m.expand(pattern), "allow_no_indices", "true")
	if err := m.read(ctx, m.src, http.MethodGet, "/"+esc(pattern)+"/_settings/index.uuid", q, nil, &now); err != nil {
		return false, fmt.Errorf("list the indices of %s: %w", m.src.Name(), err)
	}
	for name := range now {
		if name[0] != '.' && m.spec.From.Matches(name) && !slices.ContainsFunc(idx, func(i Index) bool { return i.Source == name }) {
			return true, nil
		}
	}
	return false, nil
}

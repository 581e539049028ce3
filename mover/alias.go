package mover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
)

// prefix is common to the write aliases of all attempts of this move.
func (m *Mover) prefix() string { return placement.ReservedPrefix + m.spec.Move + "-" }

func (m *Mover) isWriteAlias(a string) bool {
	return strings.HasPrefix(a, m.prefix()) && a != m.marker() && !m.isSealAlias(a)
}

// sealAlias names the alias that guards a sealed target until Release, as the
// marker guards it before: whoever opens the target again removes it in the same
// step, and so does nothing if somebody else did, or if the move has flipped. No two
// seals have one name, so what was meant for one is refused after another.
func (m *Mover) sealAlias(turn, seal int) string {
	return fmt.Sprintf("%s%d-%d-sealed-%d", m.prefix(), m.spec.Attempt, turn, seal)
}

func (m *Mover) isSealAlias(a string) bool {
	return strings.HasPrefix(a, m.prefix()) && strings.Contains(a[len(m.prefix()):], "-sealed-")
}

// guards are the aliases of a target without which nothing may be changed there.
func (m *Mover) guards(have []string) []string {
	if slices.Contains(have, m.marker()) {
		return []string{m.marker()}
	}
	return slices.DeleteFunc(slices.Clone(have), func(a string) bool { return !m.isSealAlias(a) })
}

// writeAlias names the alias through which turn n of this attempt writes index i.
func (m *Mover) writeAlias(n, i int) string {
	return fmt.Sprintf("%s%d-%d-%d", m.prefix(), m.spec.Attempt, n, i)
}

// drainAlias names the alias through which turn n of this attempt blocks index i
// while it drains it. It begins as a write alias does, so whoever takes over, or
// seals, removes it.
func (m *Mover) drainAlias(n, i int) string {
	return fmt.Sprintf("%s%d-%d-drain-%d", m.prefix(), m.spec.Attempt, n, i)
}

// Take makes this attempt the target's only writer. If any write alias of the
// move exists, or takeover says that there may have been one, it removes them
// all, waits until nothing that was sent through them can be applied any more,
// and only then adds its own. ErrFenced: the move was sealed meanwhile, or a
// later attempt has taken over.
func (m *Mover) Take(ctx context.Context, takeover bool) error {
	if err := m.work.Acquire(ctx, 1); err != nil {
		return err
	}
	defer m.work.Release(1)
	if err := m.gate.Acquire(ctx, rotation); err != nil {
		return err
	}
	defer m.gate.Release(rotation)
	return m.rotate(ctx, takeover)
}

// settle drains an unknown outcome, unless a rotation since turn has done so.
func (m *Mover) settle(ctx context.Context, turn int) error {
	if err := m.gate.Acquire(ctx, rotation); err != nil {
		return err
	}
	defer m.gate.Release(rotation)
	if m.turn != turn && !m.unsettled.Load() {
		return nil
	}
	return m.rotate(ctx, true)
}

// settleAll drains if a bulk of unknown outcome is left from an ended call.
func (m *Mover) settleAll(ctx context.Context) error {
	if !m.unsettled.Load() {
		return nil
	}
	if err := m.gate.Acquire(ctx, rotation); err != nil {
		return err
	}
	defer m.gate.Release(rotation)
	if !m.unsettled.Load() {
		return nil
	}
	return m.rotate(ctx, true)
}

// rotate replaces the write aliases. The caller holds gate for writing, so no
// bulk of this process is under way.
func (m *Mover) rotate(ctx context.Context, drain bool) error {
	idx, err := m.indices()
	if err != nil {
		return err
	}
	if err := m.checkTargets(ctx, idx); err != nil {
		return err
	}
	aliases, err := m.aliases(ctx, idx)
	if err != nil {
		return err
	}
	// After the reading, not before: what was read before another took over, sealed
	// and flipped says nothing. What comes late all the same meets guards that are gone.
	if err := m.opt.Lease(); err != nil {
		return err
	}
	turn := m.begun
	for i, have := range aliases {
		if len(m.guards(have)) == 0 {
			return fmt.Errorf("%s has flipped, or is another's: %w", idx[i].Target, ErrFenced)
		}
		for _, a := range have {
			if m.isWriteAlias(a) || m.isSealAlias(a) {
				drain = drain || m.isWriteAlias(a)
				att, n := parseAlias(strings.TrimPrefix(a, m.prefix()))
				if att > uint64(m.spec.Attempt) {
					return fmt.Errorf("attempt %d writes to %s: %w", att, idx[i].Target, ErrFenced)
				}
				if att == uint64(m.spec.Attempt) {
					turn = max(turn, n)
				}
			}
		}
	}
	drain = drain && !m.pristine.Load()
	m.turn = 0 // until the new aliases are there
	turn++
	m.begun = turn
	if drain {
		m.unsettled.Store(true)
		// A mover that is paused anywhere in here must not block a target that has
		// flipped meanwhile: live writes would fail, and the block would have no
		// owner. So the block is set, and removed, through an alias of this very
		// turn, which OpenSearch resolves when it executes the request.
		//
		//   - The alias is there before the lease is looked at. If the lease is
		//     still held then, every takeover comes later, lists the alias and
		//     removes it; and Seal removes it, or fails because it was not listed.
		//     What this mover sends after that meets a name that does not exist.
		//   - If the lease is not held any more, nothing is sent.
		//   - A block that was set before the takeover is found by the taker, which
		//     then blocks anew and unblocks (blockAgain); cluster-state updates are
		//     made one after the other.
		//   - A mover that slept before adding the alias adds it to nothing: the
		//     marker has gone with the seal, and a seal's alias with whoever opened the
		//     target again or with the flip; the update fails whole. Before the
		//     seal it would add it, see that its lease is gone, and stop.
		via := make([]string, len(idx))
		for i := range idx {
			via[i] = m.drainAlias(turn, i)
		}
		if err := m.drop(ctx, idx, aliases, via); err != nil {
			return err
		}
		if err := m.opt.Lease(); err != nil {
			return err
		}
		if err := m.drain(ctx, idx, via); err != nil {
			return err
		}
	}
	if err := m.opt.Lease(); err != nil {
		return err
	}
	var actions []any
	for i := range idx {
		for _, a := range aliases[i] { // when it drains they are gone already
			if !drain && m.isWriteAlias(a) {
				actions = append(actions, action("remove", idx[i].Target, a, map[string]any{"must_exist": false}))
			}
		}
		if drain { // must exist: whoever has removed it has taken over
			actions = append(actions, action("remove", idx[i].Target, m.drainAlias(turn, i), map[string]any{"must_exist": true}))
		}
		actions = append(actions, action("add", idx[i].Target, m.writeAlias(turn, i), map[string]any{"is_write_index": true}))
		// Removing the guards in the same step makes the whole step fail when one is
		// gone: a mover that was paused here while the move was sealed adds nothing.
		for _, g := range m.guards(aliases[i]) {
			actions = append([]any{action("remove", idx[i].Target, g, map[string]any{"must_exist": true})}, actions...)
		}
		actions = append(actions, m.mark(idx[i].Target))
	}
	if err := m.updateAliases(ctx, actions); err != nil {
		return err
	}
	m.turn = turn
	m.unsettled.Store(false)
	m.log.InfoContext(ctx, "took the target", "turn", turn, "drained", drain)
	return nil
}

// parseAlias reads attempt and turn of what follows the prefix.
func parseAlias(s string) (attempt uint64, turn int) {
	p := strings.SplitN(s, "-", 3)
	attempt, _ = strconv.ParseUint(p[0], 10, 32)
	if len(p) > 1 {
		turn, _ = strconv.Atoi(p[1])
	}
	return attempt, turn
}

func action(verb, index, alias string, more map[string]any) any {
	a := map[string]any{"index": index, "alias": alias}
	for k, v := range more {
		a[k] = v
	}
	return map[string]any{verb: a}
}

// mark adds the marker.
func (m *Mover) mark(target string) any { return hidden(target, m.marker()) }

// hidden adds an alias, hidden as create has made the marker: an alias must be the
// same on all its indices.
func hidden(target, alias string) any {
	return action("add", target, alias, map[string]any{"is_hidden": true})
}

// updateAliases performs all actions in one cluster-state update, or none.
func (m *Mover) updateAliases(ctx context.Context, actions []any) error {
	if len(actions) == 0 {
		return nil
	}
	body := map[string]any{"actions": actions}
	change := func() error { return m.change(ctx, m.dst, http.MethodPost, "/_aliases", nil, body, nil) }
	if m.into != nil {
		change = func() error { return m.acknowledged(ctx, m.dst, "/_aliases", body) }
	}
	err := change()
	if _, kind := status(err); kind == "aliases_not_found_exception" {
		return fmt.Errorf("change the aliases of the target: %w", errors.Join(ErrFenced, err))
	}
	if err != nil {
		return fmt.Errorf("change the aliases of the target: %w", err)
	}
	return nil
}

// aliases returns Sluice's aliases of each target index that are this move's.
func (m *Mover) aliases(ctx context.Context, idx []Index) ([][]string, error) {
	out := make([][]string, len(idx))
	for n, i := range idx {
		var ans map[string]struct {
			Aliases map[string]json.RawMessage `json:"aliases"`
		}
		if err := m.read(ctx, m.dst, http.MethodGet, "/"+esc(i.Target)+"/_alias", nil, nil, &ans); err != nil {
			return nil, fmt.Errorf("read the aliases of %s on %s: %w", i.Target, m.dst.Name(), err)
		}
		for a := range ans[i.Target].Aliases {
			if m.mayBeOurs(a) {
				out[n] = append(out[n], a)
			}
		}
	}
	return out, nil
}

// mayBeOurs tells Sluice's aliases from the tenant's, and in a pool, which has those of
// other moves, too, this move's from all others.
func (m *Mover) mayBeOurs(a string) bool {
	return ownAlias(a) && (m.into == nil || a == m.marker() || strings.HasPrefix(a, m.prefix()))
}

// checkTargets returns ErrTargetChanged unless every target is the index that
// this move created.
func (m *Mover) checkTargets(ctx context.Context, idx []Index) error {
	uuids, err := m.uuids(ctx, m.dst, names(idx, func(i Index) string { return i.Target }))
	if err != nil {
		return err
	}
	for _, i := range idx {
		if uuids[i.Target] != i.TargetUUID {
			return fmt.Errorf("index %s on %s: %w", i.Target, m.dst.Name(), ErrTargetChanged)
		}
	}
	return nil
}

// drop removes the write aliases of every attempt of this move. With via it also
// gives each index that alias, if its guards are there still; ErrFenced if they are
// not, and then nothing was changed.
func (m *Mover) drop(ctx context.Context, idx []Index, aliases [][]string, via []string) error {
	var actions []any
	for i, have := range aliases {
		if via != nil {
			for _, g := range m.guards(have) {
				actions = append(actions, action("remove", idx[i].Target, g, map[string]any{"must_exist": true}), hidden(idx[i].Target, g))
			}
			actions = append(actions, action("add", idx[i].Target, via[i], map[string]any{"is_hidden": true}))
		}
		for _, a := range have {
			if m.isWriteAlias(a) {
				actions = append(actions, action("remove", idx[i].Target, a, map[string]any{"must_exist": false}))
			}
		}
	}
	err := m.updateAliases(ctx, actions)
	if via == nil && errors.Is(err, ErrFenced) {
		return nil // all of them are gone already, which is what was asked for
	}
	return err
}

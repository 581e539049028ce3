package checkup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// What the table alone shows.

func (l *look) checkEntries() {
	for id, e := range l.entries {
		subject := Subject{"tenant", string(id)}
		for _, p := range []placement.Placement{e.State.From, e.State.To, e.Previous} {
			if _, ok := l.clusters[p.Cluster]; !ok && !p.IsZero() {
				l.add("entry_cluster_unknown", subject, fmt.Sprintf("%s is not in the table", p.Cluster), nil)
			}
		}
		if !e.State.Migrating() {
			continue
		}
		m, ok := l.moves[e.Attempt.Move]
		switch {
		case !ok && !l.corrupt("move", e.Attempt.Move):
			l.add("entry_move_gone", subject, fmt.Sprintf("%s by move %s", e.State, e.Attempt.Move), func(ctx context.Context) (string, error) {
				return l.restoreAborted(ctx, e)
			})
		case ok && (m.Value.Stage == control.StageAborted || m.Value.Stage == control.StageFailed):
			l.add("entry_move_ended", subject, fmt.Sprintf("%s by move %s, which is %s", e.State, e.Attempt.Move, m.Value.Stage), func(ctx context.Context) (string, error) {
				return l.abortEntry(ctx, e, m)
			})
		}
	}
	for _, c := range l.places.clashes() {
		l.add("place_taken_twice", Subject{"tenant", string(c[0].tenant)}, fmt.Sprintf("it %s %s, and tenant %q %s %s",
			c[0].role, c[0].place, string(c[1].tenant), c[1].role, c[1].place), nil)
	}
	for name, v := range l.labels {
		id := placement.PartitionID(name)
		if _, ok := l.entries[id]; ok || l.unread[id] {
			continue
		}
		l.add("label_without_tenant", Subject{"tenant", name}, "", func(ctx context.Context) (string, error) {
			if _, err := l.x.s.State(ctx, id); !errors.Is(err, placement.ErrUnknownPartition) {
				return "", errOr(err, errChanged)
			}
			return "removed", control.TenantLabels(l.x.s).Delete(ctx, name, v)
		})
	}
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// corrupt reports whether a record of that name was found to be.
func (l *look) corrupt(subject, name string) bool {
	return slices.ContainsFunc(l.findings, func(f Finding) bool {
		return f.Code == subject+"_corrupt" && f.Subject == Subject{subject, name}
	})
}

// unchanged reads an entry that is to be as it was.
func (l *look) unchanged(ctx context.Context, e placement.Entry) error {
	now, err := l.x.s.State(ctx, e.Partition)
	if err == nil && now.Epoch != e.Epoch {
		err = errChanged
	}
	return err
}

func (l *look) restoreAborted(ctx context.Context, e placement.Entry) (string, error) {
	if err := l.unchanged(ctx, e); err != nil {
		return "", err
	}
	m, err := control.RestoreAborted(ctx, l.x.s, e, control.MoveOptions{DrainBarrier: l.x.opt.DrainBarrier})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("move %s has a record again, and is aborted by a controller", m.ID), nil
}

func (l *look) abortEntry(ctx context.Context, e placement.Entry, m store.Record[control.Move]) (string, error) {
	now, err := control.Moves(l.x.s).Get(ctx, m.Name)
	if err == nil && now.Version != m.Version { // RequestCleaning, by another doctor
		err = errChanged
	}
	if err != nil {
		return "", err
	}
	_, err = l.x.s.ApplyTo(ctx, e, placement.Command{Op: placement.OpAbort, Expect: e.Epoch, Attempt: e.Attempt})
	if err != nil {
		return "", err
	}
	return "back at " + e.State.From.String(), nil
}

func (l *look) checkMoves() {
	newest := map[placement.PartitionID]string{}
	for id, r := range l.moves {
		newest[r.Value.Partition] = max(newest[r.Value.Partition], id)
	}
	for id, r := range l.moves {
		m := r.Value
		subject := Subject{"move", id}
		if m.Terminal() {
			continue
		}
		working := m.Stage != control.StageFlipped || m.RetireRequested
		for _, p := range []placement.Placement{m.From, m.To} {
			if _, ok := l.clusters[p.Cluster]; !ok && working {
				l.add("move_cluster_unknown", subject, fmt.Sprintf("%s is not in the table", p.Cluster), nil)
			}
		}
		if working && m.Owner != "" && !l.alive(m.Owner) {
			l.add("move_without_driver", subject, fmt.Sprintf("tenant %q, %s", string(m.Partition), m.Stage), nil)
		}
		e, ok := l.entries[m.Partition]
		if l.unread[m.Partition] {
			continue
		}
		if !m.Settled() && m.BeginEpoch != 0 && m.Stage != control.StageAborting && !(ok && (e.Attempt.Move == id || e.PreviousMove == id)) {
			l.add("move_without_entry", subject, fmt.Sprintf("tenant %q, %s", string(m.Partition), m.Stage), nil)
		}
		if ok && m.Stage == control.StageFlipped && newest[m.Partition] == id && e.State.From == m.From && (!e.State.Migrating() || e.Attempt.Move == id) {
			l.flipLost(m, e)
		}
	}
}

// flipLost: the entry is at the source of a move that has flipped.
func (l *look) flipLost(m control.Move, e placement.Entry) {
	fix := func(ctx context.Context) (string, error) {
		again, err := l.x.look(ctx, m.From.Cluster)
		if err != nil {
			return "", err
		}
		if err := again.fenced(m); err != nil {
			return "", err
		}
		if now, ok := again.entries[m.Partition]; !ok || now.Epoch != e.Epoch || again.moves[m.ID].Value.Stage != control.StageFlipped {
			return "", errChanged
		}
		n, err := control.RollForward(ctx, l.x.s, m, e)
		if err != nil {
			return "", err
		}
		return "lives in " + n.State.From.String(), nil
	}
	l.add("flip_lost", Subject{"tenant", string(m.Partition)}, fmt.Sprintf("it is %s; move %s took it to %s", e.State, m.ID, m.To), fix)
}

// fenced makes certain that nothing was written to the old copy since the last check
// of the cutover, and nothing can be.
func (l *look) fenced(m control.Move) error {
	if m.Receipt == nil || m.Receipt.Fence != control.FenceClean || len(m.Indices) == 0 {
		return errors.New("the move's receipt does not say that nothing had reached the old copy; compare both copies by hand")
	}
	on, ok := l.on[m.From.Cluster]
	if !ok {
		return fmt.Errorf("cluster %s does not tell whether the old copy refuses writes", m.From.Cluster)
	}
	for _, i := range m.Indices {
		if has, ok := on[i.Source]; !ok || has.uuid != i.SourceUUID || !has.blocked {
			return fmt.Errorf("the old copy %s does not refuse writes, so it may have taken some; compare both copies by hand", i.Source)
		}
	}
	return nil
}

func (l *look) checkWaves() {
	orphans := map[string][]store.Record[control.WaveItem]{}
	for _, r := range l.items {
		i := r.Value
		w, ok := l.waves[i.Wave]
		subject := Subject{"item", r.Name}
		switch {
		case !ok && (l.corrupt("wave", i.Wave) || isYoung(i.Wave)):
		case !ok:
			orphans[i.Wave] = append(orphans[i.Wave], r)
		case w.State.Ended() && !i.State.Ended():
			l.add("item_not_ended", subject, fmt.Sprintf("tenant %q is %s, the wave is %s", string(i.Partition), i.State, w.State), func(ctx context.Context) (string, error) {
				return "skipped", control.EndItem(ctx, l.x.s, r)
			})
		case i.State == control.ItemMoving:
			if _, ok := l.moves[i.Move]; !ok && !l.corrupt("move", i.Move) {
				l.add("item_without_move", subject, fmt.Sprintf("tenant %q, move %s", string(i.Partition), i.Move), nil)
			}
		}
	}
	for wave, items := range orphans {
		l.add("item_without_wave", Subject{"wave", wave}, fmt.Sprintf("%d items", len(items)), func(ctx context.Context) (string, error) {
			if err := control.CloseWave(ctx, l.x.s, wave); err != nil {
				return "", err
			}
			for _, r := range items {
				if err := control.WaveItems(l.x.s).Delete(ctx, r.Name, r.Version); err != nil && !errors.Is(err, store.ErrConflict) {
					return "", err
				}
			}
			return fmt.Sprintf("removed %d items", len(items)), nil
		})
	}
	for id, w := range l.waves {
		if !w.State.Ended() && w.Owner != "" && !l.alive(w.Owner) {
			l.add("wave_without_driver", Subject{"wave", id}, string(w.State), nil)
		}
	}
}

func (l *look) checkProcesses() {
	for id, r := range l.roster {
		if !l.alive(id) {
			l.add("roster_without_session", Subject{"process", id}, r.Kind+" "+r.Name, nil)
		}
	}
	for id, s := range l.sessions {
		for tenant := range s.Journals {
			e, ok := l.entries[tenant]
			if (!ok || !e.Journaling()) && !l.unread[tenant] {
				l.add("journal_left", Subject{"process", id}, fmt.Sprintf("%s, of tenant %q", s.Name, string(tenant)), nil)
			}
		}
	}
}

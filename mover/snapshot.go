package mover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// A copy by snapshot. A's indices are snapshotted into a repository that both clusters
// see, and restored at B into the indices that Prepare has created there. Those are
// closed for it: OpenSearch restores into a closed index in place, and what makes it the
// move's own stays as it was: its UUID, the marker and the write alias. So there is
// never an index of a move without its marker, no name is used twice, and a takeover
// removes the last attempt's alias as ever.
//
// Why what is restored is as good as what a scan has written:
//
//   - It holds every write that is in no journal. The snapshot begins after the barrier
//     at begin, and takes a commit of each primary, which holds all that was
//     acknowledged before; what is written later is journaled. For the same reason it
//     holds what is up to Index.Base, so Resync may begin there. Mark and Held are of A.
//   - Documents keep their versions, so Reconcile compares them as ever, and
//     external_gte writes a newer one and repeats an equal one. Their sequence numbers
//     are A's, but count on at B: what a deletion at B is conditional on is read from B
//     first, and B's writes are B's own from then on.
//   - It brings no tombstone that is still remembered, and gc_deletes is 0 at B: a
//     document that was deleted before the snapshot and is created again with version 1
//     meets nothing. One that was deleted since is in B with its old version, and in the
//     journals: Apply deletes it before it writes a lower one.
//   - What is written through a write alias is sent only after the restore has ended,
//     so nothing has to be drained before that: see Unwritten.
//
// Whose requests come late: a mover that was paused before it closes the index does it
// through its write alias, which is gone. A restore of its own finds the index open,
// which OpenSearch refuses, or no snapshot any more: the snapshots of the move are
// deleted before anything is written to B, and when the move is discarded. What had
// read the snapshot before is a task, which DiscardSeed waits for.

// Steps of a Seed.
const (
	SeedTaking    = "taking"    // a snapshot of that name may have been asked for
	SeedRestoring = "restoring" // the snapshot is whole and seen by B
	SeedRestored  = "restored"  // B has it; the snapshot is to be deleted
	SeedDone      = "done"      // set by control with the next stage
)

// seedFailures is how many snapshots and restores may fail before the move is refused.
const seedFailures = 3

// Seed is how far a copy by snapshot has come. Control persists it.
type Seed struct {
	Repository string `json:"repository"`
	Step       string `json:"step,omitempty"`
	Snapshot   string `json:"snapshot,omitempty"`
	Failed     int    `json:"failed,omitempty"` // snapshots and restores that ended in failure
	Docs       int64  `json:"docs"`             // at the source when it began
	Bytes      int64  `json:"bytes"`            // of the snapshot
}

// Steps of a Progress of a copy by snapshot.
const (
	StepSnapshot = "snapshot"
	StepRestore  = "restore"
)

// errSeedFailed: the cluster has given a snapshot or a restore up.
var errSeedFailed = errors.New("the cluster has given up")

// Unwritten says that nothing was ever written through a write alias of this move, so
// that Take and Discard need not wait for such writes to end. An index that is closed,
// or being restored, could not be waited for. Seed ends it.
func (m *Mover) Unwritten() { m.pristine.Store(true) }

// seedPrefix is common to the names of all snapshots of this move.
func (m *Mover) seedPrefix() string { return m.prefix() }

// ownSnapshot reports whether a snapshot is one of this move: its name, an attempt and a
// number. A move's id may begin as another's does.
func (m *Mover) ownSnapshot(name string) bool {
	move, ok := SnapshotMove(name)
	return ok && move == m.spec.Move
}

// Seed copies by snapshot, from where an earlier attempt has come to, and saves each
// step before it makes it. between is asked between the steps, and ends the work by its
// error. It is called after Take, and the move's indices must be as Prepare or an
// earlier Seed has left them.
func (m *Mover) Seed(ctx context.Context, s Seed, save func(Seed) error, between func() error) error {
	if err := m.work.Acquire(ctx, 1); err != nil {
		return err
	}
	defer m.work.Release(1)
	idx, err := m.indices()
	if err != nil {
		return err
	}
	w := &seeding{m: m, idx: idx, s: s, save: save}
	if len(idx) == 0 { // of a cluster without an index; to OpenSearch no names are all names
		m.pristine.Store(false)
		return nil
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{SeedTaking, w.take}, {SeedRestoring, w.restore}, {SeedRestored, w.drop}} {
		if w.s.Step != "" && w.s.Step != step.name {
			continue // it is past that
		}
		if err := between(); err != nil {
			return err
		}
		if err := step.do(ctx); err != nil {
			return w.judge(err)
		}
	}
	m.mu.Lock()
	m.meta = map[string]synced{} // what was restored is not what was synced: a mapping is as A had it, and not frozen
	m.mu.Unlock()
	m.pristine.Store(false)
	m.log.InfoContext(ctx, "copied by a snapshot", "indices", len(idx), "bytes", w.s.Bytes)
	return nil
}

// seeding is one call of Seed.
type seeding struct {
	m    *Mover
	idx  []Index
	s    Seed
	save func(Seed) error
}

func (w *seeding) note(change func(*Seed)) error {
	next := w.s
	change(&next)
	if err := w.save(next); err != nil {
		return fmt.Errorf("save how far the copy by snapshot is: %w", err)
	}
	w.s = next
	return nil
}

// judge counts failures. The next attempt takes a new snapshot.
func (w *seeding) judge(err error) error {
	if !errors.Is(err, errSeedFailed) {
		return err
	}
	if serr := w.note(func(s *Seed) { s.Failed, s.Step, s.Snapshot = s.Failed+1, SeedTaking, "" }); serr != nil {
		return serr
	}
	if w.s.Failed < seedFailures {
		return err
	}
	return &RefusedError{Code: CodeSnapshot, Field: "repository " + w.s.Repository, Detail: fmt.Sprintf("%d snapshots or restores have failed", w.s.Failed), Fix: "look into the repository, or copy by scan", Err: err}
}

func (w *seeding) path(more string) string {
	return "/_snapshot/" + esc(w.s.Repository) + "/" + esc(w.s.Snapshot) + more
}

// snapshotInfo is what a cluster says of a snapshot.
type snapshotInfo struct {
	Snapshot string `json:"snapshot"`
	UUID     string `json:"uuid"`
	State    string `json:"state"`
	Reason   string `json:"reason"`
}

// snapshots lists those of a repository that a pattern matches.
func (m *Mover) snapshots(ctx context.Context, c *upstream.Client, repository, pattern string) ([]snapshotInfo, error) {
	var ans struct {
		Snapshots []snapshotInfo `json:"snapshots"`
	}
	err := m.read(ctx, c, http.MethodGet, "/_snapshot/"+esc(repository)+"/"+pattern, query("ignore_unavailable", "true", "verbose", "false"), nil, &ans)
	if _, kind := status(err); kind == "snapshot_missing_exception" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the snapshots of repository %s on %s: %w", repository, c.Name(), err)
	}
	return ans.Snapshots, nil
}

// one is the step's snapshot as a cluster has it; an empty state says that it has none.
func (w *seeding) one(ctx context.Context, c *upstream.Client) (snapshotInfo, error) {
	all, err := w.m.snapshots(ctx, c, w.s.Repository, esc(w.s.Snapshot))
	for _, i := range all {
		if i.Snapshot == w.s.Snapshot {
			return i, err
		}
	}
	return snapshotInfo{}, err
}

// take has a whole snapshot, of this attempt or an earlier one: any that began after the
// barrier at begin will do, and that has passed before the first call.
func (w *seeding) take(ctx context.Context) error {
	m := w.m
	have := snapshotInfo{}
	if w.s.Snapshot != "" {
		var err error
		if have, err = w.one(ctx, m.src); err != nil {
			return err
		}
	}
	if have.State != "SUCCESS" && have.State != "IN_PROGRESS" {
		// Of one that is not there the request may still come. Its name is not used again.
		if err := w.ask(ctx); err != nil {
			return err
		}
	}
	for n := 0; ; n++ {
		var err error
		if have, err = w.one(ctx, m.src); err != nil {
			return err
		}
		if have.State != "IN_PROGRESS" {
			break
		}
		if err := w.watchSnapshot(ctx); err != nil {
			return err
		}
		if err := pause(ctx, min(n, 4)); err != nil {
			return err
		}
	}
	if have.State != "SUCCESS" {
		return fmt.Errorf("snapshot %s at %s ended as %q: %w", w.s.Snapshot, m.src.Name(), have.State, errSeedFailed)
	}
	if err := m.sameSource(ctx, w.idx); err != nil { // by name: it might be of another index
		return err
	}
	if err := w.seen(ctx, have.UUID); err != nil {
		return err
	}
	bytes := w.bytes(ctx)
	return w.note(func(s *Seed) { s.Step, s.Bytes = SeedRestoring, bytes })
}

// ask begins a new snapshot.
func (w *seeding) ask(ctx context.Context) error {
	m := w.m
	docs, bytes := int64(0), int64(0) // bytes until the snapshot tells them
	for _, i := range w.idx {
		d, b, err := m.size(ctx, i.Source)
		if err != nil {
			return err
		}
		docs, bytes = docs+d, bytes+b
	}
	err := w.note(func(s *Seed) {
		// No two have one name: of this attempt's by the number, of others' by the attempt.
		s.Step, s.Docs, s.Bytes = SeedTaking, docs, bytes
		s.Snapshot = fmt.Sprintf("%s%d-%d", m.seedPrefix(), m.spec.Attempt, s.Failed+1)
	})
	if err != nil {
		return err
	}
	if err := m.opt.Lease(); err != nil {
		return err
	}
	body := map[string]any{
		"indices": strings.Join(names(w.idx, sourceName), ","), "include_global_state": false, "partial": false, "ignore_unavailable": false,
		"metadata": map[string]any{takenBy: takenByMove(m.spec.Move)},
	}
	code, kind, err := m.createPart(ctx, m.src, http.MethodPut, w.path(""), body)
	switch {
	case err == nil:
		return nil
	case kind == "invalid_snapshot_name_exception": // a repetition after an overload: it is there
		return nil
	case code/100 == 4 && code != http.StatusTooManyRequests:
		return &RefusedError{Code: CodeSnapshot, Field: "repository " + w.s.Repository, Detail: m.src.Name() + " takes no snapshot", Fix: "see the cluster's reason, or copy by scan", Err: err}
	}
	return fmt.Errorf("take snapshot %s at %s: %w", w.s.Snapshot, m.src.Name(), err)
}

// createPart sends a request that makes something, as sendCreate does.
func (m *Mover) createPart(ctx context.Context, c *upstream.Client, method, path string, body any) (code int, kind string, err error) {
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), createPatience)
	defer cancel()
	before := m.creating.Swap(true)
	err = m.change(bound, c, method, path, query("wait_for_completion", "false"), body, nil)
	code, kind = status(err)
	if err == nil || upstream.NotSent(err) || code != 0 && code < http.StatusInternalServerError {
		m.creating.Store(before)
	}
	return code, kind, err
}

// seenPatience bounds how long B may not see a snapshot that is whole.
const seenPatience = 30 * time.Second

// seen makes certain that B sees this very snapshot: that both repositories are one place.
func (w *seeding) seen(ctx context.Context, uuid string) error {
	began := time.Now()
	for n := 0; ; n++ {
		have, err := w.one(ctx, w.m.dst)
		if err == nil && have.UUID == uuid && have.State == "SUCCESS" {
			return nil
		}
		if code, _ := status(err); err != nil && code == 0 {
			return err
		}
		if time.Since(began) > seenPatience {
			return &RefusedError{Code: CodeRepository, Field: "repository " + w.s.Repository, Detail: fmt.Sprintf("%s does not see the snapshot that was taken at %s", w.m.dst.Name(), w.m.src.Name()),
				Fix: "register there the same place, read-only", Err: err}
		}
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// restore has B's indices restored, each by a request of its own, so that one that is
// under way, or has ended, is not asked for again.
func (w *seeding) restore(ctx context.Context) error {
	m := w.m
	states, err := w.states(ctx)
	if err != nil {
		return err
	}
	for n, i := range w.idx {
		if st := states[i.Target]; st.begun(w) && !st.failed {
			continue
		}
		if err := w.restoreOne(ctx, n, i); err != nil {
			return err
		}
	}
	if err := w.awaitRestore(ctx); err != nil {
		return err
	}
	if err := m.checkTargets(ctx, w.idx); err != nil {
		return err
	}
	if err := m.opt.Lease(); err != nil {
		return err
	}
	for part := range lists(names(w.idx, targetName)) {
		if err := m.change(ctx, m.dst, http.MethodPut, "/"+joined(part)+"/_settings", nil, map[string]any{setSeed: nil}, nil); err != nil {
			return fmt.Errorf("take the mark of the restore from %s on %s: %w", part, m.dst.Name(), err)
		}
	}
	return w.note(func(s *Seed) { s.Step = SeedRestored })
}

// setSeed marks an index as restored from a snapshot of the move, from the same moment
// on. It keeps shards from a node of that name, of which there is none.
const setSeed = "index.routing.allocation.exclude._name"

func (w *seeding) restoreOne(ctx context.Context, n int, i Index) error {
	m := w.m
	if err := m.opt.Lease(); err != nil {
		return err
	}
	// Through the write alias: see above. Closing an index that is closed does nothing.
	err := m.change(ctx, m.dst, http.MethodPost, "/"+esc(m.writeAlias(m.turn, n))+"/_close", nil, nil, nil)
	if code, _ := status(err); code == http.StatusBadRequest || code == http.StatusForbidden {
		return &RefusedError{Code: CodeSnapshot, Field: i.Target, Detail: m.dst.Name() + " does not close the index, which it has to be restored into", Fix: "allow it there, or copy by scan", Err: err}
	}
	if err != nil {
		return gone(fmt.Errorf("close %s on %s: %w", i.Target, m.dst.Name(), err))
	}
	if err := m.opt.Lease(); err != nil {
		return err
	}
	body := map[string]any{
		"indices": i.Source, "include_global_state": false, "include_aliases": false, "partial": false,
		// The replacement is of the kind in which a dollar begins a group's name.
		"rename_pattern": ".+", "rename_replacement": strings.ReplaceAll(i.Target, "$", `\$`),
		"index_settings": map[string]any{
			// As Prepare creates an index; see held.
			setReplicas: 0, setExpand: "false", setRefresh: "-1", setGC: "0s", setSeed: w.s.Snapshot,
		},
		"ignore_index_settings": []string{setFinal, "index.routing.allocation.*", "index.blocks.*", "index.priority"},
	}
	before := m.creating.Load()
	code, kind, err := m.createPart(ctx, m.dst, http.MethodPost, w.path("/_restore"), body)
	if err == nil {
		return nil
	}
	// It may have begun all the same, or the answer be to a repetition.
	states, serr := w.states(ctx)
	if serr == nil && states[i.Target].mark == w.s.Snapshot {
		m.creating.Store(before)
		return nil
	}
	if code/100 == 4 && code != http.StatusTooManyRequests && kind != "snapshot_missing_exception" {
		return &RefusedError{Code: CodeSnapshot, Field: i.Target, Detail: m.dst.Name() + " does not restore the snapshot", Fix: "see the cluster's reason, or copy by scan", Err: err}
	}
	if code == http.StatusInternalServerError || kind == "snapshot_missing_exception" { // how a cluster says that it does not want to
		return fmt.Errorf("restore %s on %s: %w", i.Target, m.dst.Name(), errors.Join(errSeedFailed, err))
	}
	return fmt.Errorf("restore %s on %s: %w", i.Target, m.dst.Name(), err)
}

// drop deletes the snapshots.
func (w *seeding) drop(ctx context.Context) error { return w.m.DropSnapshots(ctx, w.s.Repository) }

// DropSnapshots deletes every snapshot of this move from the repository, those that are
// being taken too, and no other. It returns when they are gone.
func (m *Mover) DropSnapshots(ctx context.Context, repository string) error {
	began := time.Now()
	for n := 0; ; n++ {
		all, err := m.snapshots(ctx, m.src, repository, esc(m.seedPrefix())+"*")
		if _, kind := status(err); kind == "repository_missing_exception" {
			m.log.WarnContext(ctx, "the snapshot repository is not registered any more, so nothing was deleted from it", "repository", repository)
			return nil
		}
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(i snapshotInfo) bool { return !m.ownSnapshot(i.Snapshot) })
		if len(all) == 0 {
			return nil
		}
		for _, i := range all {
			if err = m.opt.Lease(); err != nil {
				return err
			}
			err = m.change(ctx, m.src, http.MethodDelete, "/_snapshot/"+esc(repository)+"/"+esc(i.Snapshot), nil, nil, nil)
			if code, _ := status(err); code == http.StatusNotFound {
				err = nil
			}
			if err != nil && time.Since(began) > m.opt.Patience {
				return fmt.Errorf("delete snapshot %s at %s: %w", i.Snapshot, m.src.Name(), err)
			}
		}
		// A cluster may be busy with it for longer than it is waited for.
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// DiscardSeed removes what a copy by snapshot may have left after Discard: the
// snapshots, and an index that a late restore has made under a name of the target.
// After it nothing of the kind can come any more, whatever was sent before: what has
// not read the snapshot finds none, and the rest is listed as a task.
func (m *Mover) DiscardSeed(ctx context.Context, repository string) error {
	if err := m.DropSnapshots(ctx, repository); err != nil {
		return err
	}
	began := time.Now()
	for n := 0; ; n++ {
		tasks, err := m.tasks(ctx, m.dst, "cluster:admin/snapshot/restore*")
		if err != nil {
			return err
		}
		tasks = slices.DeleteFunc(tasks, func(t task) bool {
			return t.Description != "" && !strings.Contains(t.Description, m.seedPrefix())
		})
		if len(tasks) == 0 {
			break
		}
		if time.Since(began) > m.opt.Patience {
			return fmt.Errorf("%d restores of the move do not end: %w", len(tasks), ErrNotSettled)
		}
		if err := pause(ctx, min(n, 2)); err != nil {
			return err
		}
	}
	idx := m.Indexes()
	for _, i := range idx {
		all, err := m.describe(ctx, m.dst, i.Target)
		if err != nil {
			return err
		}
		for _, f := range all {
			if f.name != i.Target || !m.ownSnapshot(f.settings[setSeed]) {
				continue
			}
			if err := m.opt.Lease(); err != nil {
				return err
			}
			if err := m.remove(ctx, m.dst, f.name, f.uuid, ErrTargetChanged); err != nil {
				return err
			}
		}
	}
	return nil
}

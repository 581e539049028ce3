package mover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// Seal is the last step before complete, inside the pause: the source's aliases
// are created at the target and all of Sluice's removed but one that guards it until
// Release, in one cluster-state update, so that no mover can write any more. Nothing else
// has to be changed, ordinarily; what Ready and SyncMeta could not give the target before,
// or what is not there any more, it gets before that: gc_deletes, a final pipeline and what was
// held back of the mapping. The source's sequence numbers are noted for Fence. A
// move that is opened again after Seal begins with Take.
//
// l is a look at both sides that began when the source was at rest; nil: they are looked
// at now. It may be from before the mover's last writes, which change nothing of what it
// tells but the names that they went through: if those are others by now, it is looked
// at again. What was read of the target before another sealed and flipped it guards
// nothing, as ever, and the lease, which is asked after the reading, says so.
func (m *Mover) Seal(ctx context.Context, l *Look) error {
	defer m.rates.since(func(r *Rates) *time.Duration { return &r.Seal })()
	if err := m.work.Acquire(ctx, 1); err != nil {
		return err
	}
	defer m.work.Release(1)
	if err := m.gate.Acquire(ctx, rotation); err != nil { // no bulk of this process is under way
		return err
	}
	defer m.gate.Release(rotation)
	if m.unsettled.Load() {
		return fmt.Errorf("seal: a bulk of unknown outcome has not been drained: %w", ErrNotSettled)
	}
	if l == nil || l.begun != m.begun {
		var err error
		if l, err = m.look(ctx, m.begun); err != nil {
			return err
		}
	}
	idx, src := l.idx, l.src
	var surplus []any
	if m.back() {
		surplus = m.dropped(l)
	}
	// After the reading: what was listed of a target that another has sealed and
	// flipped guards nothing, and what this would change there is the tenant's.
	if err := m.opt.Lease(); err != nil {
		return err
	}
	m.seals++
	turn := m.turn
	seal := m.sealAlias(turn, m.seals)
	m.turn = 0 // from here on this process writes nothing either
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	if m.into != nil { // a pool keeps its own settings
		if err := m.plainSource(src[0]); err != nil {
			return err
		}
	}
	for set, targets := range m.restored(l, turn) {
		for part := range lists(targets) {
			g.Go(func() error { // through the turn's names, as all that could come late
				err := m.change(gctx, m.dst, http.MethodPut, "/"+joined(part)+"/_settings", nil, map[string]any{setGC: set.gc, setFinal: set.final}, nil)
				if err != nil {
					return fmt.Errorf("restore the settings of %s on %s: %w", part, m.dst.Name(), gone(err))
				}
				return nil
			})
		}
	}
	for n, i := range idx {
		g.Go(func() error { return m.last(gctx, turn, n, i, src[n]) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := m.updateAliases(ctx, append(surplus, m.sealActions(idx, src, l.own, seal)...)); err != nil {
		return err
	}
	m.Use(idx)
	return nil
}

// sealed are the settings that a target has at last. nil is OpenSearch's default.
type sealed struct{ gc, final any }

// sealedAs are those of an index.
func sealedAs(f found) (s sealed) {
	if v, ok := f.settings[setGC]; ok {
		s.gc = v
	}
	if v, ok := f.settings[setFinal]; ok {
		s.final = v
	}
	return s
}

// restored groups the targets that have others than the source, by their names in a turn, by
// what they get: a cluster makes one change after the other, and each is time in which
// writes are held.
func (m *Mover) restored(l *Look, turn int) map[sealed][]string {
	out := map[sealed][]string{}
	for n := range l.idx {
		if want := sealedAs(l.src[n]); m.into == nil && want != sealedAs(l.dst[n]) {
			out[want] = append(out[want], m.writeAlias(turn, n))
		}
	}
	return out
}

func (m *Mover) sealActions(idx []Index, src []found, own [][]string, seal string) []any {
	var actions []any
	for n, i := range idx {
		for _, a := range own[n] {
			actions = append(actions, action("remove", i.Target, a, map[string]any{"must_exist": true}))
		}
		actions = append(actions, hidden(i.Target, seal))
		aliases := tenantAliases(src[n])
		for _, a := range slices.Sorted(maps.Keys(aliases)) {
			more := map[string]any{}
			// The cluster's own words for the alias; if they were no object there
			// would be nothing to carry.
			var words map[string]json.RawMessage
			if json.Unmarshal(aliases[a], &words) == nil {
				for k, v := range words {
					more[k] = v
				}
			}
			actions = append(actions, action("add", i.Target, m.targetAlias(a), more))
		}
	}
	return actions
}

// Release removes from the target, after the flip, the alias that guards what was
// sealed: nothing that a mover sent before can change the target's aliases any more.
// So it also removes what a replaced mover's request has added between Seal's
// reading and the seal. An index that the tenant has removed since is fine. The target
// merges again as its source does.
func (m *Mover) Release(ctx context.Context) error {
	idx, err := m.indices()
	if err != nil {
		return err
	}
	uuids, err := m.uuids(ctx, m.dst, names(idx, targetName))
	if err != nil {
		return err
	}
	idx = slices.DeleteFunc(slices.Clone(idx), func(i Index) bool { return uuids[i.Target] != i.TargetUUID })
	have, err := m.aliases(ctx, idx)
	if err != nil {
		return err
	}
	var actions []any
	for n, i := range idx {
		for _, a := range have[n] {
			if m.isSealAlias(a) || m.isWriteAlias(a) || m.into != nil && a == m.marker() {
				actions = append(actions, action("remove", i.Target, a, map[string]any{"must_exist": false}))
			}
		}
	}
	if err := m.updateAliases(ctx, actions); err != nil && !errors.Is(err, ErrFenced) { // gone already
		return err
	}
	return m.merges(ctx, idx)
}

// merges gives the targets back what Ready has taken from their merging: what the source
// has, or OpenSearch's default if it is gone. Nothing depends on when that is, or on
// whether a replaced driver does it once more.
func (m *Mover) merges(ctx context.Context, idx []Index) error {
	if m.into != nil {
		return nil
	}
	for _, i := range idx {
		dst, err := m.describe(ctx, m.dst, i.Target)
		if err != nil {
			return err
		}
		if len(dst) != 1 || dst[0].uuid != i.TargetUUID || dst[0].settings[setFloor] != pauseFloor {
			continue
		}
		src, err := m.stillSource(ctx, i)
		if err != nil {
			return err
		}
		if err := m.change(ctx, m.dst, http.MethodPut, "/"+esc(i.Target)+"/_settings", nil, likeSource(src, setFloor), nil); err != nil {
			return fmt.Errorf("restore %s of %s on %s: %w", setFloor, i.Target, m.dst.Name(), err)
		}
	}
	return nil
}

// Marks reads the newest sequence numbers of A's shards, by index in the order of
// Indexes. Equal to the marks that a later Seal notes, they say that nothing at
// all was written to A in between.
func (m *Mover) Marks(ctx context.Context) ([]map[string]int64, error) {
	idx, err := m.indices()
	if err != nil {
		return nil, err
	}
	out := make([]map[string]int64, len(idx))
	for n, i := range idx {
		if out[n], err = m.marks(ctx, i.Source); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// marks reads the newest sequence number of each primary shard.
func (m *Mover) marks(ctx context.Context, index string) (map[string]int64, error) {
	seq, err := m.seqNos(ctx, index)
	if err != nil {
		return nil, err
	}
	return newest(seq), nil
}

// seqNo is how far a primary shard has come.
type seqNo struct {
	Max        int64 `json:"max_seq_no"`        // newest
	Checkpoint int64 `json:"global_checkpoint"` // everything up to it is on every copy in sync
}

// seqNos reads how far each primary shard of an index of the source has come.
func (m *Mover) seqNos(ctx context.Context, index string) (map[string]seqNo, error) {
	return m.seqNosOf(ctx, m.src, index)
}

// seqNosOf is seqNos of either side.
func (m *Mover) seqNosOf(ctx context.Context, c *upstream.Client, index string) (map[string]seqNo, error) {
	var ans struct {
		Indices map[string]struct {
			Shards map[string][]struct {
				Routing struct{ Primary bool } `json:"routing"`
				SeqNo   seqNo                  `json:"seq_no"`
			} `json:"shards"`
		} `json:"indices"`
	}
	q := query("level", "shards", "filter_path", "**.shards.*.seq_no,**.shards.*.routing.primary")
	if err := m.read(ctx, c, http.MethodGet, "/"+esc(index)+"/_stats/docs", q, nil, &ans); err != nil {
		return nil, fmt.Errorf("read the sequence numbers of %s: %w", index, err)
	}
	out := map[string]seqNo{}
	for shard, copies := range ans.Indices[index].Shards {
		for _, c := range copies {
			if c.Routing.Primary {
				out[shard] = c.SeqNo
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("read the sequence numbers of %s: the answer has no primary shard", index)
	}
	return out, nil
}

// Fence blocks writes to A's indices, after the flip, and reports whether
// anything was written there since Seal: then somebody writes around the
// proxies. ErrNoMark: they are blocked, but Seal's marks are not known, so
// nothing can be said. ErrSourceChanged: an index was created again. A shared
// index is not blocked; see watchShared. Persist Indexes.
func (m *Mover) Fence(ctx context.Context) (writesSeen bool, err error) {
	idx, err := m.indices()
	if err != nil {
		return false, err
	}
	if err := m.sameSource(ctx, idx); err != nil {
		return false, err
	}
	if m.tenant != nil {
		return m.watchShared(ctx, idx)
	}
	unknown := false
	for n, i := range idx {
		// Set by name, so whoever was replaced must not set it: by then the index may be
		// the tenant's again. What was sent before is for the caller to outlast.
		if err := m.opt.Lease(); err != nil {
			return false, err
		}
		// False means that it was blocked before, which is as good: this is a
		// repetition, and what was in flight then has ended or is counted below.
		if _, err := m.block(ctx, m.src, i.Source); err != nil {
			return false, err
		}
		now, err := m.marks(ctx, i.Source)
		if err != nil {
			return false, err
		}
		idx[n].Fenced = now
		if i.Mark == nil {
			unknown = true
			continue
		}
		writesSeen = writesSeen || !maps.Equal(now, i.Mark)
	}
	m.Use(idx)
	if unknown && !writesSeen {
		return false, ErrNoMark
	}
	return writesSeen, nil
}

// Unfence removes the write block that Fence has set, for a rollback.
func (m *Mover) Unfence(ctx context.Context) error {
	idx, err := m.indices()
	if err != nil {
		return err
	}
	if err := m.sameSource(ctx, idx); err != nil || m.tenant != nil {
		return err
	}
	for _, i := range idx {
		if err := m.unblock(ctx, m.src, i.Source); err != nil {
			return err
		}
	}
	return nil
}

// lasting are the actions that go on writing when nobody waits for them.
const lasting = "*byquery*,*reindex*"

// Tasks returns the ids of by-query and reindex tasks that run on A and touch
// the move's indices, by whatever name.
func (m *Mover) Tasks(ctx context.Context) ([]string, error) {
	tasks, err := m.tasks(ctx, m.src, lasting)
	if err != nil {
		return nil, err
	}
	var src []found
	for _, i := range m.Indexes() {
		all, err := m.describe(ctx, m.src, i.Source)
		if err != nil {
			return nil, err
		}
		src = append(src, all...)
	}
	return m.touching(tasks, src), nil
}

// touching returns the ids of those tasks that touch the move's indices, or what is
// described.
func (m *Mover) touching(tasks []task, src []found) []string {
	ours := map[string]bool{}
	for _, i := range m.Indexes() {
		ours[i.Source] = true
	}
	for _, f := range src {
		for a := range f.aliases {
			ours[a] = true
		}
	}
	var out []string
	for _, t := range tasks {
		if m.touches(t.Description, ours) {
			out = append(out, fmt.Sprintf("%s:%d", t.Node, t.ID))
		}
	}
	return out
}

// touches reports whether a task's description names one of the indices. It
// has them in brackets, as they were asked for; a pattern or nothing at all
// counts as touching, since waiting too long loses nothing.
func (m *Mover) touches(description string, ours map[string]bool) bool {
	brackets := 0
	for rest := description; ; {
		_, after, ok := strings.Cut(rest, "[")
		if !ok {
			return brackets == 0
		}
		inside, tail, _ := strings.Cut(after, "]")
		brackets++
		rest = tail
		for _, n := range strings.Split(inside, ",") {
			n = strings.TrimSpace(n)
			if n == "" || n == "_all" || strings.ContainsAny(n, "*?<") || ours[n] {
				return true
			}
		}
	}
}

// Discard removes what the move has made at the target, after nothing can be
// written there any more. An index that this move did not create stays; of a shared
// one the tenant's documents are deleted.
func (m *Mover) Discard(ctx context.Context) error {
	if err := m.work.Acquire(ctx, 1); err != nil {
		return err
	}
	defer m.work.Release(1)
	if err := m.gate.Acquire(ctx, rotation); err != nil {
		return err
	}
	defer m.gate.Release(rotation)
	if m.into != nil {
		return m.discardInto(ctx)
	}
	idx := m.Indexes()
	marked, err := m.marked(ctx)
	if err != nil {
		return err
	}
	for _, i := range marked { // made by a Prepare whose result nobody has kept
		if !slices.ContainsFunc(idx, func(k Index) bool { return k.Target == i.Target && k.TargetUUID == i.TargetUUID }) {
			idx = append(idx, i)
		}
	}
	// Of a rollback, the old copy is not what it has made.
	idx = slices.DeleteFunc(idx, func(i Index) bool { _, left := m.old(i.TargetUUID); return left })
	uuids, err := m.uuids(ctx, m.dst, names(idx, targetName))
	if err != nil {
		return err
	}
	idx = slices.DeleteFunc(idx, func(i Index) bool { return uuids[i.Target] == "" || uuids[i.Target] != i.TargetUUID })
	if len(idx) == 0 {
		return nil
	}
	aliases, err := m.aliases(ctx, idx)
	if err != nil {
		return err
	}
	if err := m.opt.Lease(); err != nil {
		return err
	}
	m.turn = 0
	if err := m.drop(ctx, idx, aliases, nil); err != nil {
		return err
	}
	// By name: a move that is discarded has not flipped and never will.
	if !m.pristine.Load() {
		if err := m.drain(ctx, idx, names(idx, targetName)); err != nil {
			return err
		}
	}
	m.unsettled.Store(false)
	for _, i := range idx {
		if err := m.remove(ctx, m.dst, i.Target, i.TargetUUID, ErrTargetChanged); err != nil {
			return err
		}
	}
	m.log.InfoContext(ctx, "discarded what the move had made", "indices", len(idx))
	return nil
}

// marked finds the indices of the target that this move created, when nobody
// remembers them: the controller died before Prepare returned.
func (m *Mover) marked(ctx context.Context) ([]Index, error) {
	all, err := m.describe(ctx, m.dst, m.marker())
	if err != nil {
		return nil, err
	}
	var idx []Index
	for _, f := range all {
		if _, ok := f.aliases[m.marker()]; ok {
			idx = append(idx, Index{Target: f.name, TargetUUID: f.uuid, Shards: f.shards})
		}
	}
	return idx, nil
}

// OpenCursors counts the scrolls and points in time that are open on the source
// indices, over all shards. They go on being served there after the flip, and end
// with the index. Those of a shared index do not count: they may be other tenants',
// and what they read is kept for them when documents are deleted.
func (m *Mover) OpenCursors(ctx context.Context) (int, error) {
	idx, err := m.indices()
	if err != nil || m.tenant != nil {
		return 0, err
	}
	open := 0
	for _, i := range idx {
		var stats struct {
			Indices map[string]struct {
				Total struct {
					Search struct {
						Open int `json:"open_contexts"`
					} `json:"search"`
				} `json:"total"`
			} `json:"indices"`
		}
		err := m.read(ctx, m.src, http.MethodGet, "/"+esc(i.Source)+"/_stats/search", nil, nil, &stats)
		if code, _ := status(err); code == http.StatusNotFound || closed(err) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("count the cursors open on %s: %w", i.Source, err)
		}
		open += stats.Indices[i.Source].Total.Search.Open
	}
	return open, nil
}

// Retire deletes A's indices, after the flip. It refuses, with ErrSourceChanged
// and nothing deleted, when one of them has been created again since; one that
// is gone already is fine. Of a shared index only the tenant's documents are
// deleted; see sweep.
func (m *Mover) Retire(ctx context.Context) error {
	idx, err := m.indices()
	if err != nil {
		return err
	}
	uuids, err := m.uuids(ctx, m.src, names(idx, sourceName))
	if err != nil {
		return err
	}
	for _, i := range idx {
		if u := uuids[i.Source]; u != "" && u != i.SourceUUID {
			return fmt.Errorf("retire %s on %s: %w", i.Source, m.src.Name(), ErrSourceChanged)
		}
	}
	for _, i := range idx {
		if uuids[i.Source] == "" {
			continue
		}
		if m.tenant != nil {
			if err := m.sweep(ctx, i); err != nil {
				return fmt.Errorf("retire the tenant's documents of %s on %s: %w", i.Source, m.src.Name(), err)
			}
			continue
		}
		if err := m.opt.Lease(); err != nil {
			return err
		}
		if err := m.remove(ctx, m.src, i.Source, i.SourceUUID, ErrSourceChanged); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes an index whose UUID is still the given one. OpenSearch deletes
// by name only, so the UUID is read immediately before.
func (m *Mover) remove(ctx context.Context, c *upstream.Client, index, uuid string, changed error) error {
	now, err := m.uuids(ctx, c, []string{index})
	if err != nil {
		return err
	}
	switch now[index] {
	case "":
		return nil
	case uuid:
	default:
		return fmt.Errorf("delete %s on %s: %w", index, c.Name(), changed)
	}
	err = m.change(ctx, c, http.MethodDelete, "/"+esc(index), query("expand_wildcards", "none"), nil, nil)
	if code, _ := status(err); err != nil && code != http.StatusNotFound {
		return fmt.Errorf("delete %s on %s: %w", index, c.Name(), err)
	}
	return nil
}

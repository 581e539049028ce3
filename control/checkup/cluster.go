package checkup

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// index is what is looked at of an index of a cluster.
type index struct {
	uuid    string
	blocked bool     // refuses writes
	aliases []string // Sluice's, sorted
}

func (l *look) indices() int {
	n := 0
	for _, all := range l.on {
		n += len(all)
	}
	return n
}

// ask performs one call to a cluster.
func (x *examiner) ask(ctx context.Context, c *upstream.Client, method, path string, q url.Values, body, into any) error {
	bound, cancel := context.WithTimeout(ctx, x.opt.Timeout)
	defer cancel()
	return c.JSON(bound, method, path, q, body, into)
}

// with calls do with a client of the cluster.
func (x *examiner) with(c placement.Cluster, do func(*upstream.Client) error) error {
	o := upstream.Options{Logger: x.opt.Logger}
	if x.opt.Upstream != nil {
		o = *x.opt.Upstream
	}
	client, err := upstream.New(c, &o)
	if err != nil {
		return err
	}
	defer client.Close()
	return do(client)
}

// examine looks at one cluster.
func (l *look) examine(ctx context.Context, c placement.Cluster) error {
	return l.x.with(c, func(client *upstream.Client) error {
		all, err := l.x.list(ctx, client)
		if err != nil {
			return err
		}
		l.on[c.Name] = all
		for _, name := range slices.Sorted(maps.Keys(all)) {
			l.checkIndex(c, name, all[name])
		}
		l.checkPlaces(c, all)
		if err := l.checkCursors(ctx, client); err != nil {
			return err
		}
		if err := l.checkSnapshots(ctx, c, client); err != nil {
			return err
		}
		return l.checkShared(ctx, c, client, all)
	})
}

// list reads all indices of a cluster, hidden and closed ones too.
func (x *examiner) list(ctx context.Context, c *upstream.Client) (map[string]index, error) {
	var ans map[string]struct {
		Aliases  map[string]any `json:"aliases"`
		Settings struct {
			Index struct {
				UUID   string `json:"uuid"`
				Blocks struct {
					Write string `json:"write"`
				} `json:"blocks"`
			} `json:"index"`
		} `json:"settings"`
	}
	q := url.Values{"expand_wildcards": {"all"}, "filter_path": {"*.aliases,*.settings.index.uuid,*.settings.index.blocks.write"}}
	if err := x.ask(ctx, c, http.MethodGet, "/*", q, nil, &ans); err != nil {
		return nil, err
	}
	out := map[string]index{}
	for name, a := range ans {
		i := index{uuid: a.Settings.Index.UUID, blocked: a.Settings.Index.Blocks.Write == "true"}
		for alias := range a.Aliases {
			if strings.HasPrefix(alias, placement.ReservedPrefix) {
				i.aliases = append(i.aliases, alias)
			}
		}
		slices.Sort(i.aliases)
		out[name] = i
	}
	return out, nil
}

// moveOf reads from an alias of Sluice's which move has made it.
func moveOf(alias string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(alias, placement.ReservedPrefix), "move-")
	id, _, _ := strings.Cut(rest, "-")
	return id
}

// checkIndex judges the traces of moves on one index.
func (l *look) checkIndex(c placement.Cluster, name string, i index) {
	subject := Subject{"index", c.Name + "/" + name}
	// Whose cluster it is says nothing of who has marked an index there.
	inUse := slices.ContainsFunc(l.places.of(c.Name, name), func(s spot) bool { return s.role == lives && s.place.Kind != placement.DedicatedCluster })
	stale, said := []string(nil), map[string]bool{}
	for _, a := range i.aliases {
		id := moveOf(a)
		m, known := l.moves[id]
		switch {
		case known && !m.Value.Settled() || l.corrupt("move", id) || l.movingBy(id):
			continue // in use, or not known to be out of it
		case inUse || known && !m.Value.Terminal():
			stale = append(stale, a)
		case l.wanted(c.Name, name) || said[id]:
		case known && (m.Value.Stage == control.StageAborted || m.Value.Stage == control.StageFailed):
			said[id] = true
			l.add("target_left", subject, fmt.Sprintf("of move %s, which is %s", id, m.Value.Stage), func(ctx context.Context) (string, error) {
				if _, err := l.again(ctx, c.Name, subject, "target_left"); err != nil {
					return "", err
				}
				_, err := control.RequestCleaning(ctx, l.x.s, id, m.Version)
				return "a controller cleans the target of move " + id, err
			})
		case !known && !slices.Contains(i.aliases, placement.ReservedPrefix+"move-"+id):
			stale = append(stale, a) // no move has made that index: it was shared, or is sealed
		case !known:
			said[id] = true
			l.add("target_unknown", subject, fmt.Sprintf("of move %s, UUID %s", id, i.uuid), func(ctx context.Context) (string, error) {
				return l.deleteIndex(ctx, c, name, i, subject)
			})
		default:
			stale = append(stale, a) // of a move that is done, on an index that nobody has
		}
	}
	if len(stale) > 0 {
		l.add("alias_left", subject, strings.Join(stale, ", "), func(ctx context.Context) (string, error) {
			return l.removeAliases(ctx, c, name, stale, subject)
		})
	}
}

// movingBy reports whether some entry is in the move.
func (l *look) movingBy(id string) bool { return l.moving[id] }

// wanted reports whether an index of that name belongs to somebody, or will: a place of
// an entry, or of a move that has not ended.
func (l *look) wanted(cluster, name string) bool {
	if l.places.has(cluster, name, lives, goes, left) {
		return true
	}
	for _, m := range l.moves {
		v := m.Value
		if v.Terminal() {
			continue
		}
		for _, p := range []placement.Placement{v.From, v.To} {
			if p.Cluster == cluster && p.Matches(name) {
				return true
			}
		}
	}
	return false
}

// again looks once more, right before something is done, and fails unless the same is
// found on the cluster.
func (l *look) again(ctx context.Context, cluster string, subject Subject, code string) (*look, error) {
	now, err := l.x.look(ctx, cluster)
	if err != nil {
		return nil, err
	}
	was := slices.IndexFunc(l.findings, func(f Finding) bool { return f.Code == code && f.Subject == subject })
	for _, f := range now.findings {
		if was >= 0 && f.Code == code && f.Subject == subject && f.Detail == l.findings[was].Detail {
			return now, nil
		}
	}
	return nil, errChanged
}

// deleteIndex removes a target of an unknown move. OpenSearch deletes by name only, so
// the UUID is read in the look right before.
func (l *look) deleteIndex(ctx context.Context, c placement.Cluster, name string, i index, subject Subject) (string, error) {
	now, err := l.again(ctx, c.Name, subject, "target_unknown")
	if err != nil {
		return "", err
	}
	if now.on[c.Name][name].uuid != i.uuid {
		return "", errChanged
	}
	return "deleted", l.x.with(c, func(client *upstream.Client) error {
		return l.x.ask(ctx, client, http.MethodDelete, "/"+url.PathEscape(name), url.Values{"expand_wildcards": {"none"}}, nil, nil)
	})
}

func (l *look) removeAliases(ctx context.Context, c placement.Cluster, name string, aliases []string, subject Subject) (string, error) {
	if _, err := l.again(ctx, c.Name, subject, "alias_left"); err != nil {
		return "", err
	}
	var actions []any
	for _, a := range aliases {
		actions = append(actions, map[string]any{"remove": map[string]any{"index": name, "alias": a, "must_exist": true}})
	}
	return "removed", l.x.with(c, func(client *upstream.Client) error {
		return l.x.ask(ctx, client, http.MethodPost, "/_aliases", nil, map[string]any{"actions": actions}, nil)
	})
}

// checkPlaces judges the indices that entries speak of.
func (l *look) checkPlaces(c placement.Cluster, all map[string]index) {
	for id, e := range l.entries {
		if p := e.State.From; p.Cluster == c.Name && p.Kind != placement.DedicatedCluster && !p.Many() {
			if _, ok := all[p.Index]; !ok {
				l.add("index_missing", Subject{"tenant", string(id)}, p.String(), nil)
			}
		}
		if e.Previous.Cluster == c.Name && e.PreviousMove != "" {
			l.checkPrevious(c, e, all)
		}
	}
	for name, i := range all {
		if i.blocked && l.places.has(c.Name, name, lives) {
			l.checkBlock(c, name, i)
		}
	}
}

// checkPrevious: the old copy is to have a move that can retire it, and to refuse writes.
func (l *look) checkPrevious(c placement.Cluster, e placement.Entry, all map[string]index) {
	tenant := Subject{"tenant", string(e.Partition)}
	m, ok := l.moves[e.PreviousMove]
	if !ok {
		if !l.corrupt("move", e.PreviousMove) {
			l.add("previous_move_gone", tenant, fmt.Sprintf("%s, by move %s", e.Previous, e.PreviousMove), func(ctx context.Context) (string, error) {
				return l.restoreFlipped(ctx, e, all)
			})
		}
		return
	}
	// Before the receipt the fence is yet to be set; without it, or at a request, the
	// move is somebody's at this moment.
	if e.Fenced != m.Name || m.Value.Stage != control.StageFlipped || m.Value.RetireRequested || m.Value.Receipt == nil ||
		m.Value.Receipt.Fence != control.FenceClean || e.State.Migrating() {
		return
	}
	for _, o := range l.moves {
		if o.Value.Partition == e.Partition && !o.Value.Settled() {
			return // a rollback has taken the fence away, or has yet to set it again
		}
	}
	for _, i := range m.Value.Indices {
		has, ok := all[i.Source]
		if !ok || has.blocked || has.uuid != i.SourceUUID {
			continue
		}
		subject := Subject{"index", c.Name + "/" + i.Source}
		l.add("fence_missing", subject, fmt.Sprintf("old copy of tenant %q", string(e.Partition)), func(ctx context.Context) (string, error) {
			return l.fence(ctx, c, i.Source, e, subject)
		})
	}
}

// restoreFlipped writes the record of the move that has left an old copy behind. Of a
// shared index it only forgets the copy: what else is in it is not the tenant's.
func (l *look) restoreFlipped(ctx context.Context, e placement.Entry, all map[string]index) (string, error) {
	if err := l.unchanged(ctx, e); err != nil {
		return "", err
	}
	if e.Previous.Kind == placement.SharedIndex {
		_, err := l.x.s.ApplyTo(ctx, e, placement.Command{Op: placement.OpRetire, Expect: e.Epoch})
		return "forgotten", err
	}
	var indices []mover.Index
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if e.Previous.Matches(name) && !strings.HasPrefix(name, ".") {
			logical, _ := e.Previous.LogicalOf(name)
			indices = append(indices, mover.Index{Logical: logical, Source: name, SourceUUID: all[name].uuid, Target: name, TargetUUID: "unknown"})
		}
	}
	m, err := control.RestoreFlipped(ctx, l.x.s, e, indices, control.MoveOptions{DrainBarrier: l.x.opt.DrainBarrier})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("move %s has a record again: `sluice moves retire %s` removes the copy", m.ID, m.ID), nil
}

// fence blocks writes to an old copy. A move back begins by clearing the entry's fence,
// and then removes the block: should it begin in this very moment, the entry has
// changed, and the block is removed here.
func (l *look) fence(ctx context.Context, c placement.Cluster, name string, e placement.Entry, subject Subject) (string, error) {
	if _, err := l.again(ctx, c.Name, subject, "fence_missing"); err != nil {
		return "", err
	}
	return "refuses writes", l.x.with(c, func(client *upstream.Client) error {
		if err := l.x.ask(ctx, client, http.MethodPut, "/"+url.PathEscape(name)+"/_block/write", nil, nil, nil); err != nil {
			return err
		}
		if changed := l.unchanged(ctx, e); changed != nil {
			return errOr(l.x.unblock(ctx, client, name), changed)
		}
		return nil
	})
}

func (x *examiner) unblock(ctx context.Context, c *upstream.Client, name string) error {
	return x.ask(ctx, c, http.MethodPut, "/"+url.PathEscape(name)+"/_settings", nil, map[string]any{"index.blocks.write": nil}, nil)
}

// checkBlock judges a block on an index that some tenant lives in.
func (l *look) checkBlock(c placement.Cluster, name string, i index) {
	for _, f := range l.findings {
		if f.Code == "flip_lost" && slices.ContainsFunc(l.places.of(c.Name, name), func(s spot) bool { return string(s.tenant) == f.Subject.Name }) {
			return // the fence of that flip
		}
	}
	code, detail := "block_foreign", "UUID "+i.uuid
	for _, a := range i.aliases {
		id := moveOf(a)
		if m, known := l.moves[id]; known && !m.Value.Settled() || l.movingBy(id) {
			return
		}
		code, detail = "block_left", "beside "+a
	}
	for _, m := range l.moves {
		v := m.Value
		for _, x := range v.Indices {
			switch {
			case v.To.Cluster == c.Name && x.TargetUUID == i.uuid && !v.Settled():
				return
			case v.To.Cluster == c.Name && x.TargetUUID == i.uuid, v.From.Cluster == c.Name && x.SourceUUID == i.uuid && v.Stage == control.StageFlipped:
				code, detail = "block_left", "of move "+v.ID
			}
		}
	}
	subject := Subject{"index", c.Name + "/" + name}
	l.add(code, subject, detail, func(ctx context.Context) (string, error) {
		now, err := l.again(ctx, c.Name, subject, code)
		if err != nil {
			return "", err
		}
		if now.on[c.Name][name].uuid != i.uuid {
			return "", errChanged
		}
		return "takes writes", l.x.with(c, func(client *upstream.Client) error { return l.x.unblock(ctx, client, name) })
	})
}

// checkCursors tells why old copies on the cluster are still there.
func (l *look) checkCursors(ctx context.Context, client *upstream.Client) error {
	for id, r := range l.moves {
		m := r.Value
		if m.From.Cluster != client.Name() || m.From.Kind == placement.SharedIndex || m.Stage != control.StageRetiring && !m.RetireRequested || m.Terminal() || !m.TrashUntil.IsZero() {
			continue // or it is being closed
		}
		open := 0
		for _, i := range m.Indices {
			if l.on[client.Name()][i.Source].uuid != i.SourceUUID {
				continue
			}
			var st struct {
				All struct {
					Total struct {
						Search struct {
							Open int `json:"open_contexts"`
						} `json:"search"`
					} `json:"total"`
				} `json:"_all"`
			}
			if err := l.x.ask(ctx, client, http.MethodGet, "/"+url.PathEscape(i.Source)+"/_stats/search", nil, nil, &st); err != nil {
				return err
			}
			open += st.All.Total.Search.Open
		}
		if open > 0 {
			l.add("retire_waits", Subject{"move", id}, fmt.Sprintf("%d open over its shards", open), nil)
		}
	}
	return nil
}

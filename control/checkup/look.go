package checkup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// look is one look at the table and at the clusters. It is not one moment: spaces are
// read one after the other, in an order in which a fleet at work shows as little as can
// be that looks wrong (who refers to something is read before it). The rest is what the
// second look is for.
type look struct {
	x        *examiner
	findings []Finding

	labels   map[string]driver.Version
	items    []store.Record[control.WaveItem]
	waves    map[string]control.Wave
	entries  map[placement.PartitionID]placement.Entry
	unread   map[placement.PartitionID]bool // entries that cannot be decoded
	moves    map[string]store.Record[control.Move]
	clusters map[string]placement.Cluster
	roster   map[string]store.RosterRecord
	sessions map[string]store.SessionRecord

	moving map[string]bool // moves that some entry is in
	places places
	on     map[string]map[string]index // by cluster and name; of clusters that answered
}

// look reads everything, or of the clusters only the one that is named.
func (x *examiner) look(ctx context.Context, only string) (*look, error) {
	l := &look{x: x, labels: map[string]driver.Version{}, waves: map[string]control.Wave{}, entries: map[placement.PartitionID]placement.Entry{},
		unread: map[placement.PartitionID]bool{}, moves: map[string]store.Record[control.Move]{}, clusters: map[string]placement.Cluster{},
		roster: map[string]store.RosterRecord{}, sessions: map[string]store.SessionRecord{}, on: map[string]map[string]index{}}
	if err := l.readTable(ctx); err != nil {
		return nil, err
	}
	l.places, l.moving = placesOf(l.entries), map[string]bool{}
	for _, e := range l.entries {
		if e.State.Migrating() {
			l.moving[e.Attempt.Move] = true
		}
	}
	l.checkEntries()
	l.checkMoves()
	l.checkWaves()
	l.checkProcesses()
	return l, l.examineAll(ctx, only)
}

// atOnce is how many clusters are looked at side by side: one that does not answer costs
// its whole time.
const atOnce = 8

// examineAll looks at every cluster, or at the one that is named.
func (l *look) examineAll(ctx context.Context, only string) error {
	var all sync.WaitGroup
	var mu sync.Mutex // of what l is given
	slots := make(chan struct{}, atOnce)
	found, on := []Finding(nil), map[string]map[string]index{}
	for name, c := range l.clusters {
		if only != "" && name != only {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			// A look of its own, which has read what l has: nobody changes that any more.
			part := *l
			part.findings, part.on = slices.Clone(l.findings), map[string]map[string]index{}
			if err := part.examine(ctx, c); err != nil {
				part.add("cluster_unreachable", Subject{"cluster", name}, err.Error(), nil)
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, part.findings[len(l.findings):]...)
			maps.Copy(on, part.on)
		})
	}
	all.Wait()
	l.findings = append(l.findings, found...)
	maps.Copy(l.on, on)
	return ctx.Err()
}

// read reads one space, and has findings of what cannot be decoded.
func read[T any](ctx context.Context, l *look, space, code, subject string, keep func(store.Record[T])) error {
	return store.RecordsOf[T](l.x.s, space).Each(ctx, func(r store.Record[T], err error) bool {
		if err == nil {
			keep(r)
			return true
		}
		fix := l.setAside(space, r.Name, r.Version)
		if code == "session_corrupt" {
			fix = nil // leased: it would be written again, or end by itself
		}
		l.add(code, Subject{subject, r.Name}, err.Error(), fix)
		return true
	})
}

// setAside is the repair of a record that cannot be decoded.
func (l *look) setAside(space, name string, v driver.Version) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		held, err := l.x.s.SetAside(ctx, space, name, v)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("removed; it held %q", held), nil
	}
}

func (l *look) readTable(ctx context.Context) error {
	if err := read(ctx, l, store.SpaceLabels, "label_corrupt", "tenant", func(r store.Record[control.Labels]) { l.labels[r.Name] = r.Version }); err != nil {
		return err
	}
	if err := read(ctx, l, store.SpaceWaveItems, "item_corrupt", "item", func(r store.Record[control.WaveItem]) { l.items = append(l.items, r) }); err != nil {
		return err
	}
	if err := read(ctx, l, store.SpaceWaves, "wave_corrupt", "wave", func(r store.Record[control.Wave]) { l.waves[r.Name] = r.Value }); err != nil {
		return err
	}
	if _, err := l.x.s.Entries(ctx, func(e placement.Entry, err error) bool {
		if err == nil {
			l.entries[e.Partition] = e
			return true
		}
		l.unread[e.Partition] = true
		l.corruptEntry(e, err)
		return true
	}); err != nil {
		return err
	}
	if err := read(ctx, l, store.SpaceMoves, "move_corrupt", "move", func(r store.Record[control.Move]) { l.moves[r.Name] = r }); err != nil {
		return err
	}
	if err := read(ctx, l, store.SpaceTrash, "trash_corrupt", "trash", func(store.Record[control.Trash]) {}); err != nil {
		return err
	}
	if err := read(ctx, l, store.SpaceClusters, "cluster_corrupt", "cluster", func(r store.Record[placement.Cluster]) { l.clusters[r.Name] = r.Value }); err != nil {
		return err
	}
	if err := read(ctx, l, store.SpaceRoster, "roster_corrupt", "process", func(r store.Record[store.RosterRecord]) { l.roster[r.Name] = r.Value }); err != nil {
		return err
	}
	return read(ctx, l, store.SpaceSessions, "session_corrupt", "process", func(r store.Record[store.SessionRecord]) { l.sessions[r.Name] = r.Value })
}

// corruptEntry: its version is the engine's, which an epoch is not after an import, so
// the record is listed once more to be removed.
func (l *look) corruptEntry(e placement.Entry, err error) {
	name := string(e.Partition)
	l.add("entry_corrupt", Subject{"tenant", name}, err.Error(), func(ctx context.Context) (string, error) {
		r, err := store.RecordsOf[any](l.x.s, store.SpaceEntries).Get(ctx, name)
		if err != nil && !store.IsCorrupt(err) {
			return "", err
		}
		now, serr := l.x.s.State(ctx, e.Partition)
		if !store.IsCorrupt(serr) || now.Epoch != e.Epoch {
			return "", errChanged
		}
		return l.setAside(store.SpaceEntries, name, r.Version)(ctx)
	})
}

// alive reports whether a session exists.
func (l *look) alive(session string) bool { _, ok := l.sessions[session]; return ok }

// waiting adds that there is no controller for what waits for one.
func (l *look) waiting() {
	for _, s := range l.sessions {
		if s.Kind == store.KindController {
			return
		}
	}
	n := 0
	for _, f := range l.findings {
		if f.Heals() {
			n++
		}
	}
	for _, m := range l.moves {
		if !m.Value.Settled() || m.Value.Stage == control.StageRetiring || m.Value.RetireRequested && !m.Value.Terminal() {
			n++
		}
	}
	for _, w := range l.waves {
		if !w.State.Ended() {
			n++
		}
	}
	if n > 0 {
		l.add("no_controller", Subject{"table", "controllers"}, fmt.Sprintf("%d things wait", n), nil)
	}
}

// young is an age at which a record may still be one of several that are being written.
// It only spares somebody a refusal: what is done about an older one is safe whatever
// the clocks say.
const young = 15 * time.Minute

func isYoung(id string) bool {
	at, ok := control.MadeAt(id)
	return ok && time.Since(at) < young
}

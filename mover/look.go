package mover

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Look is what both sides were when they were looked at.
type Look struct {
	Rewrites bool     // as the method of that name says
	Tasks    []string // likewise

	begun int // the mover's turns so far: its names at the target are those that were listed
	idx   []Index
	src   []found // as the target is to have it; of idx, in that order
	dst   []found // likewise; none of a pool
	own   [][]string
}

// Look looks at both sides for Seal, once the source is at rest: what is at the source,
// and who may still write there; how the target is named, and what is set there. Its errors
// are those of CheckSource, and ErrTargetChanged. It changes nothing, and may run beside an
// Apply.
//
// The sequence numbers that it notes are the source's from then on: what has others later
// was written around the proxies.
func (m *Mover) Look(ctx context.Context) (*Look, error) {
	if err := m.gate.Acquire(ctx, 1); err != nil { // no rotation is under way
		return nil, err
	}
	begun := m.begun
	m.gate.Release(1)
	return m.look(ctx, begun)
}

func (m *Mover) look(ctx context.Context, begun int) (*Look, error) {
	idx, err := m.indices()
	if err != nil {
		return nil, err
	}
	l := &Look{begun: begun, idx: idx, src: make([]found, len(idx)), dst: make([]found, len(idx)), own: make([][]string, len(idx))}
	var tasks []task
	var raw []found
	marks := make([]map[string]int64, len(idx)) // the others read idx meanwhile
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	g.Go(func() (err error) { tasks, err = m.tasks(gctx, m.src, lasting); return err })
	g.Go(func() (err error) {
		if raw, err = m.lookAtSource(gctx, l); err == nil {
			l.Rewrites, err = m.rewritten(gctx, l.src)
		}
		return err
	})
	for n, i := range idx { // each goroutine writes its own elements
		g.Go(func() (err error) { marks[n], err = m.marks(gctx, i.Source); return err })
		g.Go(func() (err error) {
			if m.into != nil {
				a, err := m.aliases(gctx, []Index{i})
				if err == nil {
					l.own[n] = a[0]
				}
				return err
			}
			all, err := m.describe(gctx, m.dst, i.Target)
			if err != nil {
				return err
			}
			if len(all) != 1 || all[0].uuid != i.TargetUUID {
				return fmt.Errorf("index %s on %s: %w", i.Target, m.dst.Name(), ErrTargetChanged)
			}
			l.dst[n] = all[0]
			for a := range all[0].aliases {
				if m.mayBeOurs(a) {
					l.own[n] = append(l.own[n], a)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for n := range idx {
		idx[n].Mark = marks[n]
	}
	l.Tasks = m.touching(tasks, raw)
	return l, nil
}

// lookAtSource fills in l.src, and returns the same as it is at the source. It refuses
// what CheckSource refuses.
func (m *Mover) lookAtSource(ctx context.Context, l *Look) ([]found, error) {
	all, err := m.present(ctx)
	if err != nil {
		return nil, err
	}
	raw := make([]found, len(l.idx))
	for n, i := range l.idx {
		at := slices.IndexFunc(all, func(f found) bool { return f.name == i.Source })
		if at < 0 && m.many() { // one that has become hidden is not among them
			hidden, err := m.describe(ctx, m.src, i.Source)
			if err != nil {
				return nil, err
			}
			all, at = append(all, hidden...), len(all)
		}
		if at < 0 || at >= len(all) || all[at].uuid != i.SourceUUID {
			return nil, fmt.Errorf("index %s: %w", i.Source, ErrSourceChanged)
		}
		raw[n] = all[at]
		if l.src[n], err = m.lift(all[at]); err != nil {
			return nil, err
		}
	}
	now, err := m.judged(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, f := range now {
		if !slices.ContainsFunc(l.idx, func(i Index) bool { return i.Source == f.name }) {
			return nil, fmt.Errorf("index %s: %w", f.name, ErrSourceAdded)
		}
	}
	return raw, nil
}

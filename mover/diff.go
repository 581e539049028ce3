package mover

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/gate"
)

// DiffCap is how many references of each kind a Diff holds.
const DiffCap = 1000

// Diff is how B differs from A. The references use logical names; the numbers
// count all, also beyond DiffCap.
type Diff struct {
	Scanned  int64         `json:"scanned"` // documents looked at, of both sides
	Missing  []gate.DocRef `json:"missing,omitempty"`
	Extra    []gate.DocRef `json:"extra,omitempty"`
	Older    []gate.DocRef `json:"older,omitempty"` // B has another version, or another routing in the same shard
	NMissing int64         `json:"n_missing"`
	NExtra   int64         `json:"n_extra"`
	NOlder   int64         `json:"n_older"`
	Repaired int64         `json:"repaired"` // documents of the above that were put right
}

// Empty reports whether both sides are equal.
func (d Diff) Empty() bool { return d.NMissing+d.NExtra+d.NOlder == 0 }

func (d *Diff) note(list *[]gate.DocRef, n *int64, r gate.DocRef) {
	*n++
	if len(*list) < DiffCap {
		*list = append(*list, r)
	}
}

// compare reads documents on both sides, those that differ twice, and notes in d
// what is left.
func (m *Mover) compare(ctx context.Context, ts []target, d *Diff) error {
	d.Scanned += int64(len(ts))
	_, err := m.differing(ctx, ts, d)
	return err
}

// differing returns which documents differ, and notes them in d.
func (m *Mover) differing(ctx context.Context, ts []target, d *Diff) ([]target, error) {
	idx, err := m.indices()
	if err != nil {
		return nil, err
	}
	for look := 0; len(ts) > 0; look++ {
		var a, b []doc
		g, gctx := errgroup.WithContext(ctx)
		g.Go(func() (err error) { a, err = m.fetchSource(gctx, idx, ts, false); return err })
		g.Go(func() (err error) { b, err = m.fetchTarget(gctx, idx, ts); return err })
		if err := g.Wait(); err != nil {
			return nil, err
		}
		var left []target
		for k, t := range ts {
			if a[k].Found == b[k].Found && (!a[k].Found || a[k].Version == b[k].Version && a[k].Routing == b[k].Routing) {
				continue
			}
			left = append(left, t)
			if look == 0 {
				continue
			}
			ref := gate.DocRef{Index: idx[t.index].Logical, ID: t.id, Routing: t.routing}
			switch {
			case !b[k].Found:
				d.note(&d.Missing, &d.NMissing, ref)
			case !a[k].Found:
				d.note(&d.Extra, &d.NExtra, ref)
			default:
				d.note(&d.Older, &d.NOlder, ref)
			}
		}
		ts = left
		if look == 1 {
			break
		}
	}
	return ts, nil
}

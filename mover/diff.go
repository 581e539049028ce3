package mover

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/gate"
)

// DiffCap is how many differences a Diff holds.
const DiffCap = 3000

// DiffKind says how a document differs.
type DiffKind string

// The kinds of differences. Of two that a document has, the first of these is named.
const (
	DiffMissing DiffKind = "missing" // only at the source
	DiffExtra   DiffKind = "extra"   // only at the target
	DiffOlder   DiffKind = "older"   // the target has an older version
	DiffNewer   DiffKind = "newer"   // the target has a newer version
	DiffRouting DiffKind = "routing" // another routing, which leads to the same shard; one of another shard is missing and extra
	DiffContent DiffKind = "content" // another source with the same version
)

// Difference is one document that is not the same on both sides. It holds nothing of
// what the document says.
type Difference struct {
	Index   string   `json:"index"` // as clients know it
	ID      string   `json:"id"`
	Routing string   `json:"routing,omitempty"` // by which it was looked for
	Shard   int      `json:"shard"`             // of both sides; -1 if it is not known
	Kind    DiffKind `json:"kind"`
	Source  Side     `json:"source"`
	Target  Side     `json:"target"`
}

// Side is what one side has of a document.
type Side struct {
	Present bool   `json:"present"`
	Version int64  `json:"version,omitempty"`
	SeqNo   int64  `json:"seq_no,omitempty"`
	Routing string `json:"routing,omitempty"`
	Bytes   int    `json:"bytes,omitempty"`  // of the source, where contents are compared
	SHA256  string `json:"sha256,omitempty"` // the first half of it, of the source as it is compared
}

// Ref names the document as a journal does.
func (d Difference) Ref() gate.DocRef {
	return gate.DocRef{Index: d.Index, ID: d.ID, Routing: d.Routing}
}

// Diff is how B differs from A. The numbers count all differences, also beyond
// DiffCap.
type Diff struct {
	Scanned     int64        `json:"scanned"` // documents looked at, of both sides
	Differences []Difference `json:"differences,omitempty"`
	NMissing    int64        `json:"n_missing"`
	NExtra      int64        `json:"n_extra"`
	NOlder      int64        `json:"n_older"`
	NNewer      int64        `json:"n_newer"`
	NRouting    int64        `json:"n_routing"`
	NContent    int64        `json:"n_content"`
	Repaired    int64        `json:"repaired"` // documents of the above that were put right
}

// N is how many documents differ.
func (d Diff) N() int64 { return d.NMissing + d.NExtra + d.NOlder + d.NNewer + d.NRouting + d.NContent }

// Empty reports whether both sides are equal.
func (d Diff) Empty() bool { return d.N() == 0 }

// Refs are the documents of Differences.
func (d Diff) Refs() []gate.DocRef {
	refs := make([]gate.DocRef, len(d.Differences))
	for n, x := range d.Differences {
		refs[n] = x.Ref()
	}
	return refs
}

// counter is the number of a kind.
func (d *Diff) counter(k DiffKind) *int64 {
	switch k {
	case DiffMissing:
		return &d.NMissing
	case DiffExtra:
		return &d.NExtra
	case DiffOlder:
		return &d.NOlder
	case DiffNewer:
		return &d.NNewer
	case DiffRouting:
		return &d.NRouting
	case DiffContent:
		return &d.NContent
	}
	return nil
}

// Add notes a difference.
func (d *Diff) Add(x Difference) {
	if n := d.counter(x.Kind); n != nil {
		*n++
	}
	if len(d.Differences) < DiffCap {
		d.Differences = append(d.Differences, x)
	}
}

// add takes over what was found in another part.
func (d *Diff) add(o Diff) {
	d.Scanned, d.Repaired = d.Scanned+o.Scanned, d.Repaired+o.Repaired
	d.NMissing, d.NExtra, d.NOlder = d.NMissing+o.NMissing, d.NExtra+o.NExtra, d.NOlder+o.NOlder
	d.NNewer, d.NRouting, d.NContent = d.NNewer+o.NNewer, d.NRouting+o.NRouting, d.NContent+o.NContent
	d.Differences = append(d.Differences, o.Differences[:min(len(o.Differences), DiffCap-len(d.Differences))]...)
}

// canonical is a source as it is compared: the bytes that were written, but for what a
// bulk cannot carry. Those are line feeds and carriage returns between tokens, which
// encode writes as spaces; a string of JSON holds neither.
func canonical(source []byte) []byte {
	if !bytes.ContainsAny(source, "\r\n") {
		return source
	}
	out := bytes.Clone(source)
	for n, b := range out {
		if b == '\r' || b == '\n' {
			out[n] = ' '
		}
	}
	return out
}

// side is what is told of a document.
func (d doc) side(content bool) Side {
	if !d.Found {
		return Side{}
	}
	s := Side{Present: true, Version: d.Version, SeqNo: d.SeqNo, Routing: d.Routing}
	if content {
		h := sha256.Sum256(canonical(d.Source))
		s.Bytes, s.SHA256 = len(d.Source), hex.EncodeToString(h[:16])
	}
	return s
}

// unlike says how the document at B differs from that at A, if it does.
func unlike(a, b doc, content bool) (DiffKind, bool) {
	switch {
	case !a.Found && !b.Found:
		return "", false
	case !b.Found:
		return DiffMissing, true
	case !a.Found:
		return DiffExtra, true
	case a.Version > b.Version:
		return DiffOlder, true
	case a.Version < b.Version:
		return DiffNewer, true
	case a.Routing != b.Routing:
		return DiffRouting, true
	case content && !bytes.Equal(canonical(a.Source), canonical(b.Source)):
		return DiffContent, true
	}
	return "", false
}

// compare reads documents on both sides, those that differ twice, and notes in d
// what is left.
func (m *Mover) compare(ctx context.Context, ts []target, content bool, d *Diff) error {
	d.Scanned += int64(len(ts))
	_, err := m.differing(ctx, ts, -1, content, d)
	return err
}

// differing returns which documents of a shard differ, and notes them in d.
func (m *Mover) differing(ctx context.Context, ts []target, shard int, content bool, d *Diff) ([]target, error) {
	idx, err := m.indices()
	if err != nil {
		return nil, err
	}
	what := routed
	if content {
		what = sourced
	}
	for look := 0; len(ts) > 0; look++ {
		var a, b []doc
		g, gctx := errgroup.WithContext(ctx)
		g.Go(func() (err error) { a, err = m.fetchSource(gctx, idx, ts, what); return err })
		g.Go(func() (err error) { b, err = m.fetchTarget(gctx, idx, ts, what); return err })
		if err := g.Wait(); err != nil {
			return nil, err
		}
		var left []target
		for k, t := range ts {
			kind, differs := unlike(a[k], b[k], content)
			if !differs {
				continue
			}
			left = append(left, t)
			if look > 0 {
				d.Add(Difference{Index: idx[t.index].Logical, ID: t.id, Routing: t.routing, Shard: shard, Kind: kind, Source: a[k].side(content), Target: b[k].side(content)})
			}
		}
		ts = left
		if look == 1 {
			break
		}
	}
	return ts, nil
}

// Take takes a difference out of the numbers again.
func (d *Diff) Take(x Difference) {
	if n := d.counter(x.Kind); n != nil {
		*n--
	}
}

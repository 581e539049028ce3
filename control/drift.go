package control

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// Somebody who writes to the clusters and not through a proxy is in no journal. What
// he wrote before the verification is found by it: that is drift. The move then waits,
// and says what differs, until the operator aborts it or accepts the drift (a move of
// a wave, which nobody watches, is aborted). It looks again from time to time, should
// somebody have put it right.
//
// Accepting makes the target what the source is, as for any write. Since there is
// somebody who writes around the proxies, the cutover then does what it does where
// there are no journals (timed.go): within it, when no proxy writes any more, what was
// written since the last comparison is taken over and both sides are compared once
// more. What the proxies have acknowledged is as safe as ever. What is left is the time
// from the beginning of that comparison to the fence behind the flip: whatever goes
// around the proxies then is at the source alone. So a cutover in which the source did
// not stand still is undone and tried again, noisyCutovers times, and then the flip
// goes on: somebody who never stops would otherwise hold the tenant for ever. The
// receipt counts what may be missing. A shared index is written to by others all the
// time, so there that comparison cannot be made, and what is written around the
// proxies after the verification is found only when the old copy is retired.

const (
	// DriftListed is how many differences the record of a move names.
	DriftListed = 100
	// driftAgain is how long a move that waits because of drift waits to compare again, at
	// least: of the time in which nothing else happens a comparison takes a fifth at most.
	driftAgain = time.Minute
	// noisyCutovers is how many cutovers of a move that accepts drift are undone because
	// somebody wrote around the proxies meanwhile.
	noisyCutovers = 3
)

// Drift is what differs and no proxy has journaled.
type Drift struct {
	Documents int64        `json:"documents"` // when it was looked at last
	Indices   []DriftIndex `json:"indices,omitempty"`
	// Differences names some of them, at most DriftListed.
	Differences []mover.Difference `json:"differences,omitempty"`
	// Accepted counts, over the whole move, what was made at the target what it is at
	// the source.
	Accepted int64 `json:"accepted"`
}

// DriftIndex is the drift of one index. It was written between After and Seen, or, if
// it was seen more than once, some of it until Last.
type DriftIndex struct {
	Index     string `json:"index"` // as clients know it
	Documents int64  `json:"documents"`
	// After is when the copy began, if all of it has a newer sequence number than the
	// source had then, or is gone from the source. Nil: it is older than the move, or was
	// changed at the target.
	After *time.Time `json:"after,omitempty"`
	Seen  time.Time  `json:"seen"`
	Last  time.Time  `json:"last"`
}

// driftError says what differs. It names no document.
type driftError struct {
	text string
	wait bool // for the operator, or until it is gone
}

func (e *driftError) Error() string { return e.text }

func (e *driftError) Unwrap() error { return errDrift }

// accepting reports whether drift was found that the operator accepts, and both sides
// can be compared while writes are held.
func (d *drive) accepting() bool {
	m := d.move()
	return d.accept.Load() && m.Drift != nil && m.Drift.Accepted > 0 && m.From.Kind != placement.SharedIndex
}

// drifted takes note of differences that no journal explains. Accepted, they are put
// right in the source's favour, and nil says to look again. Otherwise the error is one
// to wait for, or in a wave the move's end.
func (d *drive) drifted(ctx context.Context, diff mover.Diff, counts DiffCounts, seen time.Time) error {
	now := d.driftOf(diff, seen)
	if d.accept.Load() {
		if _, err := d.mv.Apply(ctx, diff.Refs()); err != nil {
			return fmt.Errorf("accept the drift: %w", err)
		}
		now.Accepted += int64(len(diff.Differences))
		d.log.Warn("documents that no proxy has journaled were made at the target what they are at the source", "documents", len(diff.Differences))
		return d.update(ctx, func(m *Move) { m.Drift = &now; m.because(nil) })
	}
	err := &driftError{driftText(now, diff), d.move().Wave == ""}
	counts.Unsettled, counts.Mode = diff.N(), d.move().Options.Verify
	d.drift, d.driftUntil = err, d.c.opt.Now()+max(driftAgain, 4*(d.c.opt.Now()-d.verifying))
	if uerr := d.update(ctx, func(m *Move) { m.Drift, m.Verified = &now, &counts; m.because(err) }); uerr != nil {
		return uerr
	}
	return err
}

// driftOf is the record of a Diff, and of what was known before.
func (d *drive) driftOf(diff mover.Diff, seen time.Time) Drift {
	m := d.move()
	out := Drift{Documents: diff.N(), Differences: slices.Clone(diff.Differences[:min(len(diff.Differences), DriftListed)])}
	before := map[string]DriftIndex{}
	if m.Drift != nil {
		out.Accepted = m.Drift.Accepted
		for _, i := range m.Drift.Indices {
			before[i.Index] = i
		}
	}
	copied := m.began(StageCopying)
	count, recent := map[string]int64{}, map[string]bool{}
	for _, x := range diff.Differences {
		if _, ok := count[x.Index]; !ok {
			recent[x.Index] = copied != nil
		}
		count[x.Index]++
		recent[x.Index] = recent[x.Index] && since(m.Indices, x)
	}
	for _, i := range m.Indices {
		if count[i.Logical] == 0 {
			continue
		}
		x := DriftIndex{Index: i.Logical, Documents: count[i.Logical], Seen: seen.UTC(), Last: time.Now().UTC()}
		if recent[i.Logical] {
			x.After = copied
		}
		if was, ok := before[i.Logical]; ok {
			x.Seen = was.Seen
		}
		out.Indices = append(out.Indices, x)
	}
	return out
}

// since reports whether the source's side of a difference was certainly written after
// the copy began, by the sequence numbers of its shard.
func since(idx []mover.Index, x mover.Difference) bool {
	if !x.Source.Present {
		return true // it was there to be copied, or to be caught up with
	}
	for _, i := range idx {
		if i.Logical == x.Index {
			base, ok := i.Base[strconv.Itoa(x.Shard)]
			return ok && x.Source.SeqNo > base
		}
	}
	return false
}

// began is when the move entered a stage for the first time.
func (m Move) began(s Stage) *time.Time {
	for _, t := range m.Timeline {
		if t.Stage == s {
			return &t.Started
		}
	}
	return nil
}

func driftText(now Drift, diff mover.Diff) string {
	kinds := make([]string, 0, 5)
	for _, k := range []struct {
		n    int64
		what string
	}{{diff.NMissing, "only at the source"}, {diff.NExtra, "only at the target"}, {diff.NOlder + diff.NNewer, "with another version"}, {diff.NRouting, "with another routing"}, {diff.NContent, "with another content"}} {
		if k.n > 0 {
			kinds = append(kinds, fmt.Sprintf("%d %s", k.n, k.what))
		}
	}
	where := make([]string, 0, 3)
	for _, i := range now.Indices {
		if len(where) == 3 {
			where = append(where, fmt.Sprintf("and %d more indices", len(now.Indices)-3))
			break
		}
		where = append(where, fmt.Sprintf("%d in %s, written %s", i.Documents, i.Index, i.when()))
	}
	return fmt.Sprintf("%s: %d documents that no proxy has journaled: %s (%s). `sluice moves show` names them. Stop the writer and abort the move, or take the source's side with `sluice moves set --accept-drift`",
		errDrift, now.Documents, strings.Join(kinds, ", "), strings.Join(where, "; "))
}

// when says between which times it was written, to the second, so that the text does
// not change each time that it is made.
func (i DriftIndex) when() string {
	if i.After == nil {
		return "before " + i.Seen.Format(time.RFC3339) + ", or before the move began, or at the target"
	}
	return "between " + i.After.UTC().Format(time.RFC3339) + " and " + i.Seen.Format(time.RFC3339)
}

// lastRoundDrift is a difference within the cutover, which is undone then.
func lastRoundDrift(where string, d mover.Diff) error {
	return fmt.Errorf("%s: %w: %d documents only at the source, %d only at the target, %d with another version or routing; no proxy has journaled them", where, errDrift, d.NMissing, d.NExtra, d.NOlder+d.NNewer+d.NRouting)
}

// errNoisy: a cutover of a move that accepts drift met somebody who writes.
var errNoisy = catalog.New("drift_in_cutover", "somebody wrote around the proxies during the cutover: it is tried again, for a moment in which nobody does")

// late is how many operations the source has had, by sequence number, between two
// looks at it.
func late(before []map[string]int64, idx []mover.Index) (n int64) {
	for k, i := range idx {
		for shard, mark := range i.Mark {
			if k < len(before) {
				n += max(0, mark-before[k][shard])
			}
		}
	}
	return n
}

// accepted takes what the last comparison has put right into what the move has found
// before.
func (m Move) accepted(last mover.Diff) *DiffCounts {
	counts := DiffCounts{Mode: m.Options.Verify}
	if m.Verified != nil {
		counts = *m.Verified
	}
	counts.Scanned = max(counts.Scanned, last.Scanned)
	counts.Accepted += last.Repaired
	return &counts
}

// noise decides about a cutover of a move that accepts drift in which the source did not
// stand still.
func (d *drive) noise() error {
	if d.noisy++; d.noisy <= noisyCutovers {
		return errNoisy
	}
	d.flip.verified.Late = late(d.flip.marks, d.mv.Indexes())
	return nil
}

// readyForDrift does, where drift was accepted, what the cutover will do once more: so
// that little is left to it, and its time is known.
func (d *drive) readyForDrift(ctx context.Context) error {
	if !d.accepting() {
		return nil
	}
	_, err := d.resync(ctx)
	return err
}

// compareAgain measures a comparison anew. What was found before where drift was accepted
// stays in the record.
func (d *drive) compareAgain(ctx context.Context) error {
	if d.c.timed != nil || d.rewrites {
		return d.timedCompare(ctx)
	}
	return d.readyForDrift(ctx)
}

// compareContent compares, if it was asked for, the contents of a move without journals.
// Nothing tells there what is drift; so what differs is made what it is at the source.
func (d *drive) compareContent(ctx context.Context, diff *mover.Diff) error {
	if d.move().Options.Verify != VerifyContent {
		return nil
	}
	more, err := d.compareSides(ctx)
	if err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	if _, err := d.mv.Apply(ctx, more.Refs()); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	diff.NContent, diff.Scanned = more.NContent, more.Scanned
	return nil
}

// only is a Diff of those of its differences that are still open, with the shards that
// they were found in.
func only(d mover.Diff, open []gate.DocRef, first mover.Diff) mover.Diff {
	is, shard := map[gate.DocRef]bool{}, map[gate.DocRef]int{}
	for _, r := range open {
		is[r] = true
	}
	for _, x := range first.Differences {
		shard[x.Ref()] = x.Shard
	}
	var out mover.Diff
	for _, x := range d.Differences {
		if r := x.Ref(); is[r] {
			x.Shard = shard[r]
			out.Add(x)
		}
	}
	return out
}

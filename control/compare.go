package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// ErrOneCopy: no move of the tenant has two copies that could be compared.
var ErrOneCopy = catalog.New("one_copy", "there are no two copies to compare")

// CompareRequest asks for a comparison of two copies by itself: of those that a move of the
// tenant has, or of two places.
type CompareRequest struct {
	Partition placement.PartitionID // empty: of From and To
	From, To  placement.Placement
	Content   bool // compare the documents too
	// Settle is for how long what differs is looked at again before it is believed.
	Settle  time.Duration
	Workers int // as of a move
	// Resume is what an earlier comparison has saved; nil: none. Save is called when there
	// is something new to save, and Progress now and then; both may be nil. Progress is
	// called by several goroutines.
	Resume   *CompareState
	Save     func(CompareState) error
	Progress func(Comparing)
}

// CompareState is how far a comparison has come, and of what.
type CompareState struct {
	From    placement.Placement `json:"from"`
	To      placement.Placement `json:"to"`
	Indices []string            `json:"indices"` // UUIDs, in pairs
	Done    mover.Verification  `json:"done"`
}

// Compared is what a comparison has found. It has nothing of what documents say.
type Compared struct {
	Equal     bool                  `json:"equal"`
	Partition placement.PartitionID `json:"tenant,omitempty"`
	Move      string                `json:"move,omitempty"`
	Stage     Stage                 `json:"stage,omitempty"` // of the move, at the end of the comparison
	From      placement.Placement   `json:"from"`
	To        placement.Placement   `json:"to"`
	Mode      Verify                `json:"mode"`
	Scanned   int64                 `json:"scanned"` // documents of both sides
	Missing   int64                 `json:"missing"`
	Extra     int64                 `json:"extra"`
	Older     int64                 `json:"older"`
	Newer     int64                 `json:"newer"`
	Routing   int64                 `json:"routing"`
	Content   int64                 `json:"content"`
	// Changing are documents that differed and that were written again and again, so that
	// nothing can be said of them.
	Changing int64 `json:"changing"`
	// SinceFlip are those of the above that the target shows to be written there after the
	// flip. What was deleted there since shows nothing, and is missing.
	SinceFlip   int64              `json:"since_flip,omitempty"`
	OnlySource  []string           `json:"only_source,omitempty"` // indices without a counterpart
	OnlyTarget  []string           `json:"only_target,omitempty"`
	Differences []mover.Difference `json:"differences"` // up to mover.DiffCap
	// Unlisted are differences beyond those that are listed; nobody has looked at them again.
	Unlisted int64  `json:"unlisted,omitempty"`
	Note     string `json:"note,omitempty"` // what explains differences
}

// Documents is how many documents differ.
func (c Compared) Documents() int64 {
	return c.Missing + c.Extra + c.Older + c.Newer + c.Routing + c.Content
}

// Compare compares two copies. It reads, and has both sides refreshed so that a scan sees
// what was written; it changes nothing on a cluster and nothing in the store. Errors:
// ErrOneCopy, placement.ErrUnknownPartition, ErrUnknownCluster, *placement.InvalidError,
// *mover.RefusedError.
func Compare(ctx context.Context, s *store.Store, r CompareRequest) (Compared, error) {
	out := Compared{From: r.From, To: r.To, Mode: VerifyVersions}
	if r.Content {
		out.Mode = VerifyContent
	}
	var m Move
	if r.Partition != "" {
		var err error
		if m, err = comparedMove(ctx, s, r.Partition); err != nil {
			return out, err
		}
		out.Partition, out.Move, out.Stage, out.From, out.To = m.Partition, m.ID, m.Stage, m.From, m.To
	}
	mv, end, err := comparer(ctx, s, cmp.Or(m.ID, "verify"), out, r.Workers)
	if err != nil {
		return out, err
	}
	defer end()
	diff, err := compareNow(ctx, mv, m, r, &out)
	if out.Move != "" && ctx.Err() == nil {
		// A move that has ended meanwhile has taken one of the copies away.
		now, gone := Moves(s).Get(ctx, m.ID)
		switch {
		case gone != nil:
			return out, errors.Join(gone, err)
		case !twoCopies(now.Value):
			return out, fmt.Errorf("%w any more: move %s was %s meanwhile", ErrOneCopy, m.ID, now.Value.Stage)
		}
		out.Stage = now.Value.Stage
	}
	if err != nil {
		return out, fmt.Errorf("compare: %w", err)
	}
	out.conclude(diff, m)
	return out, nil
}

// twoCopies reports whether a move has, or may have, documents on both sides.
func twoCopies(m Move) bool {
	switch m.Stage {
	case StageCopying, StageCatchingUp, StageVerifying, StageCutover, StageFlipped:
		return true
	}
	return false
}

// comparedMove is the tenant's newest move that has two copies.
func comparedMove(ctx context.Context, s *store.Store, id placement.PartitionID) (Move, error) {
	if _, err := s.State(ctx, id); err != nil {
		return Move{}, err
	}
	all, _, err := Moves(s).List(ctx)
	if err != nil {
		return Move{}, err
	}
	var newest Move // ids sort by age
	for _, r := range all {
		if m := r.Value; m.Partition == id && twoCopies(m) && m.ID > newest.ID {
			newest = m
		}
	}
	if newest.ID == "" {
		return newest, fmt.Errorf("%w: tenant %q has no move that copies, catches up, or has flipped and was not retired; two places are compared with --from and --to", ErrOneCopy, string(id))
	}
	return newest, nil
}

// comparer is a mover for two copies that never takes them.
func comparer(ctx context.Context, s *store.Store, id string, c Compared, workers int) (*mover.Mover, func(), error) {
	var clients []*upstream.Client
	end := func() {
		for _, c := range clients {
			c.Close()
		}
	}
	for _, name := range []string{c.From.Cluster, c.To.Cluster} {
		at, err := cluster(ctx, s, name)
		if err == nil {
			var u *upstream.Client
			if u, err = upstream.New(at, nil); err == nil {
				clients = append(clients, u)
			}
		}
		if err != nil {
			end()
			return nil, nil, err
		}
	}
	mv, err := mover.New(mover.Spec{Move: id, Partition: c.Partition, From: c.From, To: c.To}, clients[0], clients[1], &mover.Options{Workers: workers})
	if err != nil {
		end()
		return nil, nil, err
	}
	return mv, end, nil
}

// compareNow compares, and looks at what differs until it is certain or has changed.
func compareNow(ctx context.Context, mv *mover.Mover, m Move, r CompareRequest, out *Compared) (mover.Diff, error) {
	var diff mover.Diff
	pairs, err := mv.Pair(ctx, r.Content)
	if err != nil {
		return diff, err
	}
	if err := asRecorded(pairs.Indices, m.Indices); err != nil {
		return diff, err
	}
	out.OnlySource, out.OnlyTarget = pairs.OnlySource, pairs.OnlyTarget
	state := CompareState{From: out.From, To: out.To}
	for _, i := range pairs.Indices {
		state.Indices = append(state.Indices, i.SourceUUID, i.TargetUUID)
	}
	o := mover.VerifyOptions{Content: r.Content}
	if was := r.Resume; was != nil {
		if was.From != state.From || was.To != state.To || was.Done.Content != r.Content || !slices.Equal(was.Indices, state.Indices) {
			return diff, &placement.InvalidError{Field: "resume", Value: was.From.String() + " and " + was.To.String(), Fix: "is what another comparison has saved, or of indices that are gone; remove it, or name another file"}
		}
		o.From = was.Done
	}
	if r.Save != nil {
		o.Save = func(v mover.Verification) error { state.Done = v; return r.Save(state) }
	}
	if r.Progress != nil {
		total, err := mv.Documents(ctx)
		if err != nil {
			return diff, err
		}
		far := farness{began: time.Now(), total: total, from: o.From.Scanned}
		o.Scanned = func(docs, again int64) {
			far.told(docs, again)
			r.Progress(far.comparing())
		}
	}
	if diff, err = mv.Verify(ctx, o); err != nil || diff.Empty() {
		return diff, err
	}
	return out.settle(ctx, mv, r, diff)
}

// asRecorded refuses indices that are not those that the move has noted, but others of
// the same names.
func asRecorded(now, noted []mover.Index) error {
	for _, n := range noted {
		for _, i := range now {
			switch {
			case i.Source != n.Source:
			case i.SourceUUID != n.SourceUUID:
				return fmt.Errorf("index %s: %w", i.Source, mover.ErrSourceChanged)
			case i.Target != n.Target || n.TargetUUID != "" && i.TargetUUID != n.TargetUUID:
				return fmt.Errorf("index %s: %w", i.Target, mover.ErrTargetChanged)
			}
		}
	}
	return nil
}

// settle looks at what differs again, by realtime gets, until it does not any more or the
// time is over. A document that clients write while the sides are compared differs for as
// long as the move has not caught up with it: that ends. What is left is believed if both
// sides are what they were when it was first seen; otherwise it is being written all the
// time, and counts as changing. What could not be listed is not looked at again.
func (c *Compared) settle(ctx context.Context, mv *mover.Mover, r CompareRequest, d mover.Diff) (mover.Diff, error) {
	check := mv.CheckRefs
	if r.Content {
		check = mv.CheckContent
	}
	first := make(map[gate.DocRef]mover.Difference, len(d.Differences))
	for _, x := range d.Differences {
		first[x.Ref()] = x
	}
	last, open := d.Differences, d.Refs()
	until := time.Now().Add(r.Settle)
	for pause := 250 * time.Millisecond; len(open) > 0; pause = min(2*pause, 2*time.Second) {
		rest := time.Until(until)
		if rest <= 0 {
			break
		}
		if sleep(ctx, min(pause, rest)); ctx.Err() != nil {
			return d, context.Cause(ctx)
		}
		left, err := check(ctx, open)
		if err != nil {
			return d, err
		}
		last, open = left.Differences, left.Refs()
	}
	beyond := d
	for _, x := range d.Differences {
		beyond.Take(x)
	}
	beyond.Differences = nil
	c.Unlisted = beyond.N()
	for _, x := range last {
		was := first[x.Ref()]
		if x.Source != was.Source || x.Target != was.Target {
			c.Changing++
			continue
		}
		x.Shard = was.Shard // by name it is not known
		beyond.Add(x)
	}
	return beyond, nil
}

// conclude makes the result of what is left.
func (c *Compared) conclude(d mover.Diff, m Move) {
	c.Scanned, c.Differences = d.Scanned, d.Differences
	if c.Differences == nil {
		c.Differences = []mover.Difference{}
	}
	slices.SortFunc(c.Differences, func(a, b mover.Difference) int {
		return cmp.Or(strings.Compare(a.Index, b.Index), strings.Compare(a.ID, b.ID), strings.Compare(a.Routing, b.Routing))
	})
	c.Missing, c.Extra, c.Older, c.Newer, c.Routing, c.Content = d.NMissing, d.NExtra, d.NOlder, d.NNewer, d.NRouting, d.NContent
	c.Equal = d.Empty() && len(c.OnlySource)+len(c.OnlyTarget) == 0
	bases := map[string]map[string]int64{}
	for _, i := range m.Indices {
		bases[i.Logical] = i.TargetBase
	}
	for _, x := range d.Differences {
		if base, ok := bases[x.Index][fmt.Sprint(x.Shard)]; ok && c.Stage == StageFlipped && x.Target.Present && x.Target.SeqNo > base {
			c.SinceFlip++
		}
	}
	switch {
	case c.Equal:
	case c.Stage == StageCopying:
		c.Note = "the move still copies: what it has not copied is missing at the target"
	case c.Stage == StageFlipped:
		c.Note = "the tenant has lived at the target since the flip: what it has written and deleted there since is not in the old copy"
	case c.Move != "":
		c.Note = "the move is under way: what it has not caught up with differs"
	}
}

package mover

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

// A copy that rests, outside of its hours, closes the point in time that it reads, because
// what is caught up with meanwhile must not be undone: a point in time from before a
// deletion still shows the document, and would bring it back. The order of a scan by _doc
// means nothing in another point in time, since merges change it, so such a shard begins
// anew. If it is larger than the hours are long it never ends.
//
// So a copy with hours reads its shards in the order of sequence numbers, which mean the
// same in every point in time, and goes on in a new one after the last of them. Why
// nothing is lost by that:
//
//   - Before a point in time is opened, the shard's global checkpoint K is read, and then
//     the source is refreshed. Every operation up to K has been performed by then, so
//     those documents that are live and have a number up to K are all in the point in time;
//     and no operation up to K is ever replaced by another one, whichever copy of the shard
//     becomes the primary.
//   - A position is believed in another point in time up to K only. There, let a live
//     document have the number s, up to the position and to K. A document has the number of
//     its last write, so nothing was written to it since s: it was live with that number
//     in the first point in time, too, and the scan has passed it. So it is at the target
//     as it was then, or as a later write has left it that catching up has carried over.
//   - What was written since, or was above K, has a number above the position, and is
//     read. So is what has replaced a document that was passed: it is written once more,
//     with its newer version.
//   - What was deleted since is not in the new point in time, for it is opened, after a
//     refresh, when the last round of catching up has ended. Was it at the target already,
//     then its deletion is in a journal, and a round deletes it there, as ever.
//
// None of that rests on the journals' completeness: what goes around the proxies is found
// by the verification as ever, and the comparisons that begin from Base see it.
//
// That order costs the source little: sequence numbers are indexed, so a page is found
// without looking at the rest of the shard. Of shards of 40,000 and of 160,000 documents, a
// tenth of them updated, a page of 1,000 took as long as by _doc, on 2.19.6 and on 3.9.0. A
// copy without hours stays with _doc, for it has no rests.

// elsewhere is what a position means in another point in time; nil: nothing.
func (p *Position) elsewhere() *Position {
	if p == nil || p.Known == nil {
		return nil
	}
	q := *p
	q.Ahead = nil
	if p.After != "" {
		switch last, err := scanKey(json.RawMessage(p.After)); {
		case err != nil:
			return nil
		case last > *p.Known:
			q.After = fmt.Sprintf("[%d]", *p.Known)
		}
	}
	for _, s := range p.Ahead {
		if s.From <= *p.Known {
			q.Ahead = append(q.Ahead, Span{s.From, min(s.To, *p.Known)})
		}
	}
	return &q
}

// Rested is what is left of a checkpoint when its point in time is given up. Nothing may be
// applied to B before that is persisted; EndScan then closes the point in time.
func (c Checkpoint) Rested() Checkpoint {
	c.Scan, c.At = "", c.At.elsewhere()
	return c
}

// openForCopy opens the scan of a shard that the copy has no point in time of, after what
// the position has. The refresh comes first: a point in time that still shows a document
// whose deletion has already been applied to B would bring it back.
func (m *Mover) openForCopy(ctx context.Context, i Index, c *course) (*scan, error) {
	known, err := m.knownTo(ctx, i, c)
	if err != nil {
		return nil, err
	}
	if err := m.refreshOne(ctx, m.src, i.Source); err != nil {
		return nil, err
	}
	s, err := m.openScan(ctx, m.src, i.Source, c.at.Shard, keepAlive)
	if err != nil || known == nil {
		return s, err
	}
	s.bySeq, c.at.Known = true, known
	if c.at.After != "" {
		s.after = json.RawMessage(c.at.After)
	}
	return s, nil
}

// knownTo is the global checkpoint of a shard that is to be read by sequence numbers; nil:
// it is not.
func (m *Mover) knownTo(ctx context.Context, i Index, c *course) (*int64, error) {
	if !m.throttle.rests() && c.at.Known == nil {
		return nil, nil
	}
	if c.at.After != "" { // numbers of another index of that name mean nothing
		if err := m.sameSource(ctx, []Index{i}); err != nil {
			return nil, err
		}
	}
	seq, err := m.seqNos(ctx, i.Source)
	if err != nil {
		return nil, err
	}
	s, ok := seq[strconv.Itoa(c.at.Shard)]
	if !ok {
		return nil, fmt.Errorf("read the sequence numbers of %s: the answer has no shard %d", i.Source, c.at.Shard)
	}
	return &s.Checkpoint, nil
}

// keep saves how far a scan by sequence numbers has come that was interrupted: hours may
// be so short that no position was due. It is no loss if that fails.
func (c *course) keep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.Known == nil || c.unsaved.docs == 0 {
		return
	}
	if c.save(c.position()) == nil {
		c.kept, c.unsaved = true, amount{}
	}
}

// rests reports whether the copy is to read in an order in which it can go on after a rest.
func (t *throttle) rests() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.resting
}

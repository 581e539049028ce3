package mover

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
)

// Position is how far the copy of a shard has come that is not done. Whoever goes on
// reads the same point in time from there, if it is still open. Nothing is applied to
// B before the whole copy has ended, or that point in time was given up, so an old one
// shows no document whose deletion B has had.
type Position struct {
	Slice
	// Known, of a scan in the order of sequence numbers, is the shard's global checkpoint
	// from before its point in time was opened: up to it the position holds in any other,
	// too. Nil: the scan's order is that of its point in time alone.
	Known *int64 `json:"known,omitempty"`
	After string `json:"after,omitempty"` // sort keys of the scan, as it gives them; all up to it is at B
	Ahead []Span `json:"ahead,omitempty"` // what is at B of what follows: writers reorder batches
	Docs  int64  `json:"docs"`
	Bytes int64  `json:"bytes"`
}

// Span is a batch of a scan: the keys of its first and its last document.
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// has reports whether the document of that key is in a batch that is at B.
func (p Position) has(key int64) bool {
	return slices.ContainsFunc(p.Ahead, func(s Span) bool { return s.From <= key && key <= s.To })
}

// scanKey reads the first sort key of a hit, by which the documents of a shard are
// in order.
func scanKey(sort json.RawMessage) (int64, error) {
	var keys []json.Number
	if err := json.Unmarshal(sort, &keys); err != nil || len(keys) == 0 {
		return 0, fmt.Errorf("a hit has no sort key: %q", sort)
	}
	key, err := keys[0].Int64()
	if err != nil {
		return 0, fmt.Errorf("the sort key of a hit: %w", err)
	}
	return key, nil
}

// batch is a page of a scan on its way to B.
type batch struct {
	hits  []doc
	bytes int64 // of their sources, as they are written
	span  Span
	after string
	done  bool
}

// course is the way of one shard's copy. It saves the position before more documents
// are written than may be written again by a successor, and not oftener: what a small
// tenant's copy would save is never needed. Large documents make batches of few, so
// bytes are bounded, too.
type course struct {
	bound amount // Workers times a batch
	save  func(Position) error

	mu      sync.Mutex // guards the following, and keeps save to one caller at a time
	at      Position
	kept    bool     // a position has been saved, with which a successor goes on
	queue   []*batch // read and not yet covered by at.After, in order
	flying  amount   // that are being written
	unsaved amount   // written since the last save
}

// amount is of documents.
type amount struct {
	docs  int
	bytes int64
}

func (a *amount) add(docs int, bytes int64) { a.docs, a.bytes = a.docs+docs, a.bytes+bytes }

// read notes a page in the order of the scan, without what B has already.
func (c *course) read(hits []doc) (*batch, error) {
	first, err := scanKey(hits[0].Sort)
	if err != nil {
		return nil, err
	}
	last, err := scanKey(hits[len(hits)-1].Sort)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b := &batch{hits: hits, span: Span{first, last}, after: string(hits[len(hits)-1].Sort)}
	if len(c.at.Ahead) > 0 {
		b.hits = nil
		for _, h := range hits {
			key, err := scanKey(h.Sort)
			if err != nil {
				return nil, err
			}
			if !c.at.has(key) {
				b.hits = append(b.hits, h)
			}
		}
	}
	c.queue = append(c.queue, b)
	return b, nil
}

// begin is called before a batch is written.
func (c *course) begin(b *batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flying.add(len(b.hits), b.bytes)
	if c.unsaved.docs == 0 || c.unsaved.docs+c.flying.docs <= c.bound.docs && c.unsaved.bytes+c.flying.bytes <= c.bound.bytes {
		return nil
	}
	if err := c.save(c.position()); err != nil {
		return err
	}
	c.kept, c.unsaved = true, amount{}
	return nil
}

// position is how far the copy is. The caller holds mu.
func (c *course) position() Position {
	at := c.at
	at.Ahead = slices.Clone(c.at.Ahead)
	for _, q := range c.queue {
		if q.done {
			at.Ahead = append(at.Ahead, q.span)
		}
	}
	return at
}

// end is called when all of a batch is at B.
func (c *course) end(b *batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flying.add(-len(b.hits), -b.bytes)
	c.unsaved.add(len(b.hits), b.bytes)
	c.at.Docs, c.at.Bytes = c.at.Docs+int64(len(b.hits)), c.at.Bytes+b.bytes
	b.hits, b.done = nil, true // it may wait long in the queue
	for len(c.queue) > 0 && c.queue[0].done {
		c.at.After = c.queue[0].after
		past := c.queue[0].span.To
		c.at.Ahead = slices.DeleteFunc(c.at.Ahead, func(s Span) bool { return s.To <= past })
		c.queue = c.queue[1:]
	}
}

// EndScan closes the point in time of a copy that nobody goes on with.
func (m *Mover) EndScan(ctx context.Context, cp Checkpoint) {
	if cp.Scan != "" {
		(&scan{c: m.src, id: cp.Scan}).close(ctx)
	}
}

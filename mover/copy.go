package mover

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Checkpoint says how far a copy has come. Control persists it as it is.
type Checkpoint struct {
	Done  []Slice `json:"done,omitempty"` // shards that are copied whole
	Docs  int64   `json:"docs"`           // of the done shards
	Bytes int64   `json:"bytes"`
	// Scan is the point in time that the copy reads at the source. Whoever
	// resumes the copy of a process that was killed goes on with it from At, or
	// closes it, because an open one keeps the old copy from being retired until
	// it expires.
	Scan string    `json:"scan,omitempty"`
	At   *Position `json:"at,omitempty"` // of the shard that is being copied; nil: not far
}

// Slice is one shard of one source index.
type Slice struct {
	Index string `json:"index"`
	Shard int    `json:"shard"`
}

func (c Checkpoint) has(s Slice) bool {
	for _, d := range c.Done {
		if d == s {
			return true
		}
	}
	return false
}

// Copy copies every document that the source has when it begins, from the
// checkpoint on, and saves a checkpoint before and after each shard, and within it as
// often as is needed for a successor to write no more than Workers batches again, of
// BatchDocs documents or BatchBytes each. A shard whose scan is lost, with the source's node or because nobody
// went on for five minutes, is copied anew, which is safe: see the package doc; or from
// where it was, if Limits.Rests: see rests.go. Writes to A that happen meanwhile are for
// Apply, which waits until the copy has ended, or rests.
func (m *Mover) Copy(ctx context.Context, from Checkpoint, save func(Checkpoint) error) error {
	if err := m.work.Acquire(ctx, 1); err != nil {
		return err
	}
	defer m.work.Release(1)
	idx, err := m.indices()
	if err != nil {
		return err
	}
	if err := m.settleAll(ctx); err != nil {
		return err
	}
	total := int64(0)
	for _, i := range idx {
		n, stored, err := m.size(ctx, i.Source)
		if err != nil {
			return err
		}
		if n > 0 && m.avgBytes.Load() == 0 {
			m.sized(int(n), 4*stored) // what is stored is compressed, so guess on the large side
		}
		total += n
	}
	begun := from.At
	if begun == nil || from.has(begun.Slice) || from.Scan == "" && begun.Known == nil {
		m.EndScan(ctx, from)
		begun = nil
	}
	watch, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	watching.Go(func() { m.watchNodes(watch, m.src) })
	if m.dst.Name() != m.src.Name() {
		watching.Go(func() { m.watchNodes(watch, m.dst) })
	}
	p := &meter{total: total, docs: from.Docs, bytes: from.Bytes, tell: m.opt.Progress}
	cp := Checkpoint{Done: append([]Slice(nil), from.Done...), Docs: from.Docs, Bytes: from.Bytes}
	for n, i := range idx {
		for shard := range i.Shards {
			s := Slice{i.Source, shard}
			if cp.has(s) {
				continue
			}
			note := func(scan string, at *Position) error {
				cp.Scan, cp.At = scan, at
				if err := save(cp); err != nil {
					return fmt.Errorf("save the checkpoint of the copy: %w", err)
				}
				return nil
			}
			var resumed *scan
			c := &course{bound: amount{m.opt.Workers * m.opt.BatchDocs, int64(m.opt.Workers) * int64(m.opt.BatchBytes)}, at: Position{Slice: s}}
			if begun != nil && begun.Slice == s {
				if from.Scan != "" {
					resumed = &scan{m: m, c: m.src, index: i.Source, shard: shard, id: from.Scan, alive: keepAlive, bySeq: begun.Known != nil}
					if begun.After != "" {
						resumed.after = json.RawMessage(begun.After)
					}
				}
				c.at, c.kept = *begun, resumed != nil
			}
			docs, bytes, err := m.copySlice(ctx, n, i, c, resumed, p, note)
			if err != nil {
				return err
			}
			cp.Done, cp.Docs, cp.Bytes = append(cp.Done, s), cp.Docs+docs, cp.Bytes+bytes
			if err := note("", nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// copySlice copies one shard, or what is left of it when resumed is its scan: up to
// three times when the scan is lost.
func (m *Mover) copySlice(ctx context.Context, n int, i Index, c *course, resumed *scan, p *meter, note func(string, *Position) error) (docs, bytes int64, err error) {
	if resumed != nil || c.at.Docs > 0 {
		p.add(c.at.Docs, c.at.Bytes)
	}
	for try := 0; ; try++ {
		err = m.copyOnce(ctx, n, i, c, resumed, p, note)
		docs, bytes = c.at.Docs, c.at.Bytes
		if err == nil || try == 2 || !errors.Is(err, errScanLost) || ctx.Err() != nil {
			return docs, bytes, err
		}
		resumed = nil
		if at := c.at.elsewhere(); at != nil {
			m.log.WarnContext(ctx, "the scan of a shard was lost; another goes on after it", "index", i.Source, "shard", c.at.Shard)
			c = &course{bound: c.bound, at: *at}
		} else {
			p.add(-docs, -bytes)
			m.log.WarnContext(ctx, "the scan of a shard was lost and begins anew", "index", i.Source, "shard", c.at.Shard)
			c = &course{bound: c.bound, at: Position{Slice: c.at.Slice}}
		}
		if err := m.CheckSource(ctx); err != nil {
			return 0, 0, err
		}
		if err := pause(ctx, 4+try); err != nil {
			return 0, 0, err
		}
	}
}

// touchEvery is how often a scan whose writers are held back is kept alive.
var touchEvery = time.Minute // tests do not wait so long

// throttled makes reading a page of a copy a piece of work that the throttle knows.
func (m *Mover) throttled(ctx context.Context, hits *[]doc, read func() error) func() error {
	timed := func() error {
		began, refusals := time.Now(), m.throttle.refusedSoFar()
		if err := read(); err != nil {
			return err
		}
		size := int64(0)
		for _, h := range *hits {
			size += int64(len(h.Source))
		}
		if m.throttle.refusedSoFar() == refusals {
			m.throttle.answered(searches, len(*hits), size, time.Since(began))
		}
		return nil
	}
	return func() error { return m.throttle.turn(ctx, timed) }
}

// copyOnce runs one reader and Workers writers.
func (m *Mover) copyOnce(ctx context.Context, n int, i Index, c *course, from *scan, p *meter, note func(string, *Position) error) (err error) {
	if from == nil {
		if from, err = m.openForCopy(ctx, i, c); err != nil {
			return err
		}
		var at *Position
		if c.at.Docs > 0 {
			p := c.position()
			at, c.kept = &p, true
		}
		if err := note(from.id, at); err != nil {
			from.close(ctx)
			return err
		}
	}
	defer func() {
		if err != nil {
			c.keep()
		}
		// Left open for whoever goes on from what was saved.
		if err == nil || errors.Is(err, errScanLost) || !c.kept {
			from.close(ctx)
		}
	}()
	from.paced = true
	c.save = func(at Position) error { return note(from.id, &at) }
	batches := make(chan *batch)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(batches)
		synced := false
		return from.pages(gctx, m.where(), true, m.copyDocs, func(hits []doc) error {
			b, err := c.read(hits)
			if err != nil {
				return err
			}
			if b.hits, err = written(m.tenant, b.hits); err != nil {
				return err
			}
			for _, h := range b.hits {
				b.bytes += int64(len(h.Source))
			}
			if !synced {
				// The scan's documents are all older than its point in time, so
				// the mapping as it is now covers them.
				if _, err := m.SyncMeta(gctx); err != nil {
					return err
				}
				synced = true
			}
			for {
				again := time.NewTimer(touchEvery)
				select {
				case batches <- b:
					again.Stop()
					return nil
				case <-gctx.Done():
					again.Stop()
					return context.Cause(gctx)
				case <-again.C:
					if err := from.touch(gctx); err != nil {
						return err
					}
				}
			}
		})
	})
	for range m.opt.Workers {
		// Writers may reorder batches: a scan has each document once.
		g.Go(func() error {
			for b := range batches {
				if err := c.begin(b); err != nil {
					return err
				}
				size, err := m.copyBatch(gctx, n, b.hits)
				if err != nil {
					return err
				}
				n := int64(len(b.hits))
				c.end(b)
				p.add(n, size)
			}
			return nil
		})
	}
	return g.Wait()
}

func (m *Mover) copyBatch(ctx context.Context, n int, hits []doc) (int64, error) {
	ops, size := make([]op, len(hits)), int64(0)
	for k, h := range hits {
		if len(h.Source) == 0 {
			return 0, &RefusedError{Code: CodeSourceDisabled, Field: h.Index + " _source", Detail: "a document has none", Fix: "leave it where it is: what is written while it moves has to be read back, by whichever way it is copied"}
		}
		ops[k] = op{index: n, id: h.ID, routing: h.Routing, version: h.Version, source: h.Source}
		size += int64(len(h.Source))
	}
	m.sized(len(hits), size)
	if err := m.throttle.pace(ctx, len(hits), size); err != nil {
		return 0, cmp.Or(context.Cause(ctx), err)
	}
	var answers []answer
	if err := m.throttle.turn(ctx, func() (err error) {
		began, refusals := time.Now(), m.throttle.refusedSoFar()
		answers, err = m.write(ctx, ops)
		if err == nil && m.throttle.refusedSoFar() == refusals {
			m.throttle.answered(bulks, len(hits), size, time.Since(began))
		}
		return err
	}); err != nil {
		return 0, err
	}
	if err := m.rejectedError(ops, answers); err != nil || m.into == nil {
		// A conflict is right: B has a newer version already, from an Apply before
		// this shard was copied anew.
		return size, err
	}
	var refused []target // by a pool, which may only remember a deletion
	for k, a := range answers {
		if a.outcome == conflict {
			refused = append(refused, target{n, ops[k].id, ops[k].routing})
		}
	}
	return size, m.clash(ctx, refused)
}

// rejectedError returns an error for the first rejected op, if any.
func (m *Mover) rejectedError(ops []op, answers []answer) error {
	for k, a := range answers {
		if a.outcome == rejected {
			idx := m.Indexes()
			return &RefusedError{Code: CodeDocument, Field: idx[ops[k].index].Target,
				Detail: fmt.Sprintf("%s refuses a document of the source: %s", m.dst.Name(), a.kind),
				Fix:    "compare the mappings, plugins and limits of both clusters"}
		}
	}
	return nil
}

// count returns the number of documents of a source index.
func (m *Mover) count(ctx context.Context, index string) (int64, error) {
	var n struct{ Count int64 }
	if err := m.read(ctx, m.src, http.MethodGet, "/"+esc(index)+"/_count", nil, nil, &n); err != nil {
		return 0, fmt.Errorf("count the documents of %s: %w", index, err)
	}
	return n.Count, nil
}

// meter adds up progress and tells it, at most every 200 ms.
type meter struct {
	tell func(Progress)

	mu                 sync.Mutex // also keeps tell to one caller at a time
	total, docs, bytes int64
	rate               float64
	last               time.Time
	lastDocs           int64
}

func (p *meter) add(docs, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.docs, p.bytes = p.docs+docs, p.bytes+bytes
	now := time.Now()
	if p.last.IsZero() {
		p.last, p.lastDocs = now, p.docs-docs
	}
	past := now.Sub(p.last)
	if past < 200*time.Millisecond && p.docs < p.total {
		return
	}
	if past > 0 {
		sample := max(0, float64(p.docs-p.lastDocs)/past.Seconds())
		if p.rate == 0 {
			p.rate = sample
		} else {
			p.rate += (sample - p.rate) / 4
		}
	}
	p.last, p.lastDocs = now, p.docs
	if p.tell == nil {
		return
	}
	pr := Progress{Docs: p.docs, Total: max(p.total, p.docs), Bytes: p.bytes, Rate: p.rate}
	if p.rate > 0 && p.total > p.docs {
		pr.ETA = time.Duration(float64(p.total-p.docs) / p.rate * float64(time.Second))
	}
	p.tell(pr)
}

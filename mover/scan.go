package mover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// errScanLost: the point in time is gone, so the shard has to be read anew.
var errScanLost = errors.New("the point in time of a scan was lost")

// keepAlive is more than twice the time for which one batch may be refused, so a
// scan outlives the slowest of its writers.
const keepAlive = "5m"

// idsAlive is longer than the time for which one page may be refused. Nothing else comes
// between two pages of a comparison, which leaves its points in time open when its
// process is killed; the old copy is not retired before they expire.
const idsAlive = "3m"

// everything is the query that leaves nothing out.
var everything = map[string]any{"match_all": map[string]any{}}

// scan is a point in time on one primary shard. _doc is unique there and stable
// while it lives, so search_after neither skips nor repeats. Over several shards
// the same sort key occurs once a shard, and documents were lost.
type scan struct {
	m     *Mover
	c     *upstream.Client
	index string
	shard int
	id    string
	alive string          // for how long the cluster keeps it after a page
	paced bool            // its pages are turns of the throttle
	after json.RawMessage // where pages begins; nil: at the first document
	bySeq bool            // in the order of sequence numbers, which are as unique, and the same in every scan
}

// openScan opens a scan of what a refresh has made visible. The caller closes it.
func (m *Mover) openScan(ctx context.Context, c *upstream.Client, index string, shard int, alive string) (*scan, error) {
	var pit struct {
		ID     string                            `json:"pit_id"`
		Shards struct{ Total, Successful int64 } `json:"_shards"`
	}
	q := query("keep_alive", alive, "preference", preferred(shard), "allow_partial_pit_creation", "false")
	err := m.repeat(ctx, 4, func() error {
		// Whoever ends in the middle of it hears of the one that was opened, to close it: it
		// would keep the old copy from being retired until it expires.
		asked, cancel := lingering(ctx, 5*time.Second)
		defer cancel()
		err := c.JSON(asked, http.MethodPost, "/"+esc(index)+"/_search/point_in_time", q, nil, &pit)
		if overloaded(err) {
			m.throttle.refusedBy(c.Name())
		}
		return err
	})
	s := &scan{m: m, c: c, index: index, shard: shard, id: pit.ID, alive: alive}
	if err == nil && ctx.Err() != nil {
		s.close(ctx)
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open a point in time of %s[%d] on %s: %w", index, shard, c.Name(), err)
	}
	if pit.Shards.Total != 1 || pit.Shards.Successful != 1 {
		s.close(ctx)
		return nil, fmt.Errorf("open a point in time of %s[%d] on %s: %d of %d shards", index, shard, c.Name(), pit.Shards.Successful, pit.Shards.Total)
	}
	return s, nil
}

// lingering returns a context that ends a while after its parent does.
func lingering(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() { stop(); cancel() }
}

// close ends the point in time, which expires by itself if this fails. The
// context may have ended, which is no reason to leave it open for minutes.
func (s *scan) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = s.c.JSON(ctx, http.MethodDelete, "/_search/point_in_time", nil, map[string]any{"pit_id": []string{s.id}}, nil)
}

// pages reads every document that matches the query, in pages.
func (s *scan) pages(ctx context.Context, where map[string]any, source bool, page func() int, each func([]doc) error) error {
	window, err := s.m.window(ctx, s.c, s.index)
	if err != nil {
		return err
	}
	after, order := s.after, map[string]any{"_doc": "asc"}
	if s.bySeq {
		order = map[string]any{"_seq_no": map[string]any{"order": "asc", "unmapped_type": "long"}}
	}
	for {
		body := map[string]any{
			"pit": map[string]any{"id": s.id, "keep_alive": s.alive}, "size": min(page(), window), "sort": []any{order},
			"version": true, "_source": source, "track_total_hits": false, "query": where,
		}
		if after != nil {
			body["search_after"] = after
		}
		var hits []doc
		ask := func() (err error) { hits, err = s.m.page(ctx, s.c, s.index, body); return err }
		if s.paced {
			ask = s.m.throttled(ctx, &hits, ask)
		}
		if err := ask(); err != nil {
			return fmt.Errorf("scan %s[%d] on %s: %w", s.index, s.shard, s.c.Name(), err)
		}
		if len(hits) == 0 {
			return nil
		}
		after = slices.Clone(hits[len(hits)-1].Sort) // the page need not live until the next one
		if err := each(hits); err != nil {
			return err
		}
	}
}

// touch keeps the point in time for another while. It is what a copy does whose writers
// are held back for longer than the source would wait.
func (s *scan) touch(ctx context.Context) error {
	body := map[string]any{"pit": map[string]any{"id": s.id, "keep_alive": s.alive}, "size": 0, "track_total_hits": false}
	if err := s.m.read(ctx, s.c, http.MethodPost, "/_search", nil, body, nil); err != nil {
		return fmt.Errorf("keep the point in time of %s[%d] on %s: %w", s.index, s.shard, s.c.Name(), errors.Join(errScanLost, err))
	}
	return nil
}

// scanIDs reads the documents that match a query, without their sources.
func (m *Mover) scanIDs(ctx context.Context, c *upstream.Client, index string, shard int, where map[string]any, each func([]doc) error) error {
	s, err := m.openScan(ctx, c, index, shard, idsAlive)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	return s.pages(ctx, where, false, func() int { return 5000 }, each)
}

// window returns how many documents a search of the index may return.
func (m *Mover) window(ctx context.Context, c *upstream.Client, index string) (int, error) {
	all, err := m.describe(ctx, c, index)
	if err != nil {
		return 0, err
	}
	if len(all) == 1 {
		if n, err := strconv.Atoi(all[0].settings["index.max_result_window"]); err == nil && n > 0 {
			return n, nil
		}
	}
	return 10_000, nil // OpenSearch's default
}

// page performs one search. A timeout or a failed shard is an error: it would
// look like the end of the shard.
func (m *Mover) page(ctx context.Context, c *upstream.Client, index string, body any) ([]doc, error) {
	var ans documents
	err := m.read(ctx, c, http.MethodPost, "/_search", query("allow_partial_search_results", "false"), body, ans.decode)
	if code, _ := status(err); code == http.StatusNotFound || code >= 500 {
		return nil, errors.Join(errScanLost, err)
	}
	if err != nil {
		return nil, err
	}
	if ans.TimedOut || ans.Shards.Failed > 0 || ans.Shards.Successful != 1 {
		return nil, fmt.Errorf("the search was incomplete (timed out: %t, %d of %d shards): %w", ans.TimedOut, ans.Shards.Successful, ans.Shards.Total, errScanLost)
	}
	for i := range ans.Hits.Hits {
		if ans.Hits.Hits[i].Index != index {
			return nil, fmt.Errorf("a hit of another index")
		}
	}
	return ans.Hits.Hits, nil
}

// get names a document for a realtime get.
type get struct {
	index   string
	id      string
	routing string
}

// detail is what a get shows of a document, beside its version: more and more.
type detail uint8

const (
	bare    detail = iota
	routed         // and the routing
	sourced        // and the source
)

// fetch reads documents by realtime multi-get from primaries, so that every
// acknowledged write is seen without a refresh. The answer has one entry for
// each get. A document that cannot exist (a routing that the mapping requires is
// missing) is one that is not found.
func (m *Mover) fetch(ctx context.Context, c *upstream.Client, gets []get, what detail) ([]doc, error) {
	type item struct {
		Index   string `json:"_index"`
		ID      string `json:"_id"`
		Routing string `json:"routing,omitempty"`
		Source  bool   `json:"_source"`
		// Without a source a get shows no routing, unless it is asked for.
		Stored []string `json:"stored_fields,omitempty"`
	}
	docs := make([]item, len(gets))
	for i, g := range gets {
		docs[i] = item{g.index, g.id, g.routing, what == sourced, nil}
		if what == routed {
			docs[i].Stored = []string{"_routing"}
		}
	}
	var ans documents
	q := query("preference", "_primary", "realtime", "true")
	for n := 0; ; n++ {
		if err := m.read(ctx, c, http.MethodPost, "/_mget", q, map[string]any{"docs": docs}, ans.decode); err != nil {
			return nil, fmt.Errorf("get documents from %s: %w", c.Name(), err)
		}
		if len(ans.Docs) != len(gets) {
			return nil, fmt.Errorf("get documents from %s: %d answers to %d questions", c.Name(), len(ans.Docs), len(gets))
		}
		failed := ""
		for i := range ans.Docs {
			d := &ans.Docs[i]
			switch {
			case d.Error == nil:
			case d.Error.Type == "routing_missing_exception":
				d.Error, d.Found = nil, false
			case d.Error.Type == "index_not_found_exception":
				if c == m.src {
					return nil, fmt.Errorf("get documents from %s: %w", c.Name(), ErrSourceChanged)
				}
				return nil, fmt.Errorf("get documents from %s: %w", c.Name(), ErrTargetChanged)
			default:
				failed = d.Error.Type
			}
		}
		if failed == "" {
			return ans.Docs, nil
		}
		if n == 8 { // about 10 s: a shard that moves is back by then
			return nil, fmt.Errorf("get documents from %s: %s", c.Name(), failed)
		}
		if err := pause(ctx, n); err != nil {
			return nil, err
		}
	}
}

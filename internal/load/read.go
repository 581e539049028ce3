package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// hit is a document in an answer: of a get, an mget or a search.
type hit struct {
	ID      string `json:"_id"`
	Found   *bool  `json:"found"` // absent in a search
	Version int64  `json:"_version"`
	Source  *struct {
		UID     string `json:"uid"`
		Marker  int64  `json:"marker"`
		Counter int64  `json:"counter"`
	} `json:"_source"`
	Sort  json.RawMessage `json:"sort"`
	Error json.RawMessage `json:"error"`
}

// state is what the hit says of its document.
func (h hit) state() (State, error) {
	switch {
	case len(h.Error) > 0:
		return State{}, fmt.Errorf("read %s: %s", h.ID, h.Error)
	case h.Found != nil && !*h.Found:
		return State{}, nil
	case h.Source == nil:
		return State{}, fmt.Errorf("read %s: the answer has no _source and does not say that there is none", h.ID)
	}
	return State{Exists: true, Version: h.Version, Marker: h.Source.Marker, Counter: h.Source.Counter}, nil
}

// judge compares what was read with what had to be seen.
func (l *Load) judge(how, id string, before view, h hit) error {
	got, err := h.state()
	if err != nil {
		l.tally.failed.Add(1)
		l.tally.trouble.note("failed", how+": "+err.Error())
		return err
	}
	l.tally.reads.Add(1)
	l.ledger.read(id, got, before.at)
	after := l.ledger.view(id)
	if !fits(before, after, got) {
		l.tally.stale.Add(1)
		l.tally.trouble.note("stale", fmt.Sprintf("%s of %s returned %+v after %+v was acknowledged", how, id, got, before.acked))
	}
	return nil
}

func (w *worker) getOwn(ctx context.Context) error { return w.get(ctx, w.pick()) }

// getAny reads a document of any worker, which may be changing it right now.
func (w *worker) getAny(ctx context.Context) error {
	other := w.load.workers[w.random.IntN(len(w.load.workers))]
	n := min(len(other.ids), 200)
	return w.get(ctx, other.ids[w.random.IntN(n)])
}

// get reads one document. When its owner does, and a write of it is in doubt, the answer may settle that.
func (w *worker) get(ctx context.Context, id string) error {
	before := w.load.ledger.view(id)
	a, err := w.call(ctx, http.MethodGet, w.load.docPath("_doc", id), nil, false, http.StatusNotFound)
	if err != nil {
		return err
	}
	var h hit
	if err := json.Unmarshal(a.body, &h); err != nil {
		w.tally.failed.Add(1)
		w.tally.trouble.note("failed", fmt.Sprintf("get: %d is not JSON: %v", a.status, err))
		return err
	}
	if err := w.load.judge("get", id, before, h); err != nil {
		return err
	}
	// What one has seen of a doubtful write stays: from now on it must be seen by all.
	got, _ := h.state()
	if p := before.possible; p != nil && got.Exists == p.Exists && (!got.Exists || got.Marker == p.Marker) {
		w.load.ledger.settle(id, State{Exists: p.Exists, Version: got.Version, Marker: p.Marker, Counter: p.Counter})
	}
	return nil
}

// mget reads several documents in one request, most of them the worker's own.
func (w *worker) mget(ctx context.Context) error {
	ids := make([]string, 0, 8)
	before := make([]view, 0, 8)
	for range 8 {
		id := w.pick()
		ids = append(ids, id)
		before = append(before, w.load.ledger.view(id))
	}
	hits, err := mget(ctx, w.client, w.load.target.Index, ids)
	if err != nil {
		return err
	}
	for i, h := range hits {
		if err := w.load.judge("mget", ids[i], before[i], h); err != nil {
			return err
		}
	}
	return nil
}

// mget reads ids in realtime; the hits are in their order.
func mget(ctx context.Context, c *client, index string, ids []string) ([]hit, error) {
	body, err := json.Marshal(map[string]any{"ids": ids})
	if err != nil {
		return nil, err
	}
	path := "/" + url.PathEscape(index) + "/_mget?_source_includes=uid,marker,counter"
	a, err := c.call(ctx, http.MethodPost, path, body, false)
	if err != nil {
		return nil, err
	}
	var got struct{ Docs []hit }
	if err := json.Unmarshal(a.body, &got); err != nil {
		return nil, fmt.Errorf("mget: %w", err)
	}
	if len(got.Docs) != len(ids) {
		c.tally.failed.Add(1)
		return nil, fmt.Errorf("mget of %d documents answered with %d", len(ids), len(got.Docs))
	}
	for i, h := range got.Docs {
		if h.ID != ids[i] {
			c.tally.failed.Add(1)
			return nil, fmt.Errorf("mget answered %q in the place of %q", h.ID, ids[i])
		}
	}
	return got.Docs, nil
}

// search makes the worker's writes visible and looks for one of its documents, by id or by a query.
func (w *worker) search(ctx context.Context) error {
	id := w.pick()
	before := w.load.ledger.view(id)
	if err := refresh(ctx, w.client, w.load.target.Index); err != nil {
		return err
	}
	var query any = map[string]any{"ids": map[string]any{"values": []string{id}}}
	if w.random.IntN(2) == 0 {
		query = map[string]any{"bool": map[string]any{
			"filter": map[string]any{"term": map[string]any{"uid": id}},
			"should": map[string]any{"match": map[string]any{"doc": "returns an error"}},
		}}
	}
	got, err := search(ctx, w.client, "/"+url.PathEscape(w.load.target.Index)+"/_search", map[string]any{"query": query, "version": true})
	if err != nil {
		return err
	}
	h := hit{ID: id, Found: new(bool)}
	if hits := got.Hits.Hits; len(hits) > 0 {
		h = hits[0]
	}
	return w.load.judge("search", id, before, h)
}

func refresh(ctx context.Context, c *client, index string) error {
	_, err := c.call(ctx, http.MethodPost, "/"+url.PathEscape(index)+"/_refresh", nil, false)
	return err
}

// found is the answer of a search.
type found struct {
	ScrollID string `json:"_scroll_id"`
	PitID    string `json:"pit_id"`
	TimedOut bool   `json:"timed_out"`
	Shards   struct {
		Failed int `json:"failed"`
	} `json:"_shards"`
	Hits struct {
		Total struct {
			Value int `json:"value"`
		} `json:"total"`
		Hits []hit `json:"hits"`
	} `json:"hits"`
}

// search sends a search and refuses an answer that is not whole.
func search(ctx context.Context, c *client, path string, body any) (found, error) {
	var f found
	b, err := json.Marshal(body)
	if err != nil {
		return f, err
	}
	a, err := c.call(ctx, http.MethodPost, path, b, false)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(a.body, &f); err != nil {
		return f, fmt.Errorf("search: %w", err)
	}
	if f.TimedOut || f.Shards.Failed > 0 {
		c.tally.failed.Add(1)
		return f, fmt.Errorf("search: timed out %v, %d shards failed", f.TimedOut, f.Shards.Failed)
	}
	return f, nil
}

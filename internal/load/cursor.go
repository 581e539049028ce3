package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// page is how many documents a cursor takes at a time.
const page = 1000

// Cursors are a scroll and a point in time that were opened at the same moment and have not been read to their end.
type Cursors struct {
	c      *client
	index  string
	scroll string
	pit    string
	after  json.RawMessage // sort values of the last document of the PIT

	Scroll, PIT CursorReport
}

// CursorReport says what a cursor has returned so far.
type CursorReport struct {
	Expected int `json:"expected"` // documents when it was opened
	Read     int `json:"read"`
	Repeated int `json:"repeated"`

	seen map[string]bool
}

// Complete reports whether every document came, and none twice.
func (r CursorReport) Complete() bool { return r.Read == r.Expected && r.Repeated == 0 }

func (r *CursorReport) add(hits []hit) {
	for _, h := range hits {
		if r.seen[h.ID] {
			r.Repeated++
			continue
		}
		r.seen[h.ID] = true
		r.Read++
	}
}

// OpenCursors refreshes the index, opens a scroll and a PIT over all documents and reads one page of each.
func (l *Load) OpenCursors(ctx context.Context) (*Cursors, error) {
	c := &Cursors{c: newClient(l.target, 1, &l.tally, l.giveUp), index: "/" + url.PathEscape(l.target.Index)}
	c.Scroll.seen, c.PIT.seen = map[string]bool{}, map[string]bool{}
	if err := refresh(ctx, c.c, l.target.Index); err != nil {
		return nil, fmt.Errorf("open cursors: %w", err)
	}
	f, err := search(ctx, c.c, c.index+"/_search?scroll=15m", map[string]any{"size": page, "track_total_hits": true, "_source": false})
	if err != nil {
		return nil, fmt.Errorf("open a scroll: %w", err)
	}
	c.scroll, c.Scroll.Expected = f.ScrollID, f.Hits.Total.Value
	c.Scroll.add(f.Hits.Hits)
	a, err := c.c.call(ctx, http.MethodPost, c.index+"/_search/point_in_time?keep_alive=15m", nil, false)
	if err != nil {
		return nil, fmt.Errorf("open a PIT: %w", err)
	}
	if c.pit, err = pitID(a); err != nil {
		return nil, err
	}
	hits, total, err := c.pitPage(ctx, true)
	if err != nil {
		return nil, fmt.Errorf("read a PIT: %w", err)
	}
	c.PIT.Expected = total
	c.PIT.add(hits)
	return c, nil
}

func pitID(a answer) (string, error) {
	var pit struct {
		ID string `json:"pit_id"`
	}
	if err := json.Unmarshal(a.body, &pit); err != nil || pit.ID == "" {
		return "", fmt.Errorf("open a PIT: no pit_id in the answer: %.100s", a.body)
	}
	return pit.ID, nil
}

// Finish reads both cursors to their end and closes them.
func (c *Cursors) Finish(ctx context.Context) error {
	defer c.c.close()
	for {
		f, err := search(ctx, c.c, "/_search/scroll", map[string]any{"scroll": "5m", "scroll_id": c.scroll})
		if err != nil {
			return fmt.Errorf("continue a scroll after %d documents: %w", c.Scroll.Read, err)
		}
		if f.ScrollID != "" {
			c.scroll = f.ScrollID
		}
		if len(f.Hits.Hits) == 0 {
			break
		}
		c.Scroll.add(f.Hits.Hits)
	}
	for {
		hits, _, err := c.pitPage(ctx, false)
		if err != nil {
			return fmt.Errorf("continue a PIT after %d documents: %w", c.PIT.Read, err)
		}
		if len(hits) == 0 {
			break
		}
		c.PIT.add(hits)
	}
	body, err := json.Marshal(map[string]any{"scroll_id": []string{c.scroll}})
	if err != nil {
		return err
	}
	if _, err := c.c.call(ctx, http.MethodDelete, "/_search/scroll", body, false, http.StatusNotFound); err != nil {
		return fmt.Errorf("close a scroll: %w", err)
	}
	return closePIT(ctx, c.c, c.pit)
}

func closePIT(ctx context.Context, c *client, id string) error {
	body, err := json.Marshal(map[string]any{"pit_id": []string{id}})
	if err != nil {
		return err
	}
	if _, err := c.call(ctx, http.MethodDelete, "/_search/point_in_time", body, false, http.StatusNotFound); err != nil {
		return fmt.Errorf("close a PIT: %w", err)
	}
	return nil
}

func (c *Cursors) pitPage(ctx context.Context, first bool) ([]hit, int, error) {
	body := map[string]any{"size": page, "track_total_hits": first, "_source": []string{"uid", "marker", "counter"}, "version": true,
		"pit":  map[string]any{"id": c.pit, "keep_alive": "15m"},
		"sort": []any{map[string]any{"uid": "asc"}}} // unique, so that no page boundary can hide a document
	if !first {
		body["search_after"] = c.after
	}
	f, err := search(ctx, c.c, "/_search", body)
	if err != nil {
		return nil, 0, err
	}
	if f.PitID != "" {
		c.pit = f.PitID
	}
	if n := len(f.Hits.Hits); n > 0 {
		c.after = f.Hits.Hits[n-1].Sort
	}
	return f.Hits.Hits, f.Hits.Total.Value, nil
}

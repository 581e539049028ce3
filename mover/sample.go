package mover

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// What a sample reads at most: one page a shard, of so many documents or of about so many
// bytes of them, for so long. The first page of all is small, for nobody knows yet how
// large documents are, and counts for nothing.
const (
	sampleDocs  = 300
	sampleFirst = 10
	sampleBytes = 1 << 20
	sampleTime  = 2 * time.Second
)

// Sample is what a few documents of the source tell of all.
type Sample struct {
	Docs     int     `json:"docs"`      // that were read
	Bytes    int64   `json:"bytes"`     // of their sources
	Shards   int     `json:"shards"`    // that they were read of
	DocBytes float64 `json:"doc_bytes"` // of a document, on average
	ReadRate float64 `json:"read_rate"` // documents a second, by one reader
	// Trips are the round trips of a small request, the fastest of three.
	SourceTrip time.Duration `json:"source_trip"`
	TargetTrip time.Duration `json:"target_trip"`
}

// Sample reads some documents of the source, to tell how large they are and how fast they
// are read, and asks both clusters for their names. It takes two seconds, and a request
// more, at most. It writes nothing, so it tells nothing of how fast the target writes. Docs
// is 0 if the source has none.
func (m *Mover) Sample(ctx context.Context) (s Sample, err error) {
	if s.SourceTrip, err = m.trip(ctx, m.src); err != nil {
		return s, err
	}
	if s.TargetTrip, err = m.trip(ctx, m.dst); err != nil {
		return s, err
	}
	sources, err := m.sources(ctx)
	if err != nil {
		return s, err
	}
	type part struct {
		docs  int
		bytes int64
	}
	type place struct{ index, shard int }
	parts := make([]part, len(sources))
	var places []place
	for n, f := range sources {
		if m.checkSourceIndex(f) == nil {
			for shard := range f.shards {
				places = append(places, place{n, shard})
			}
		}
	}
	// In any order, so that those which there is no time for are like the others.
	rand.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	began, took, perDoc := time.Now(), time.Duration(0), int64(0)
	for _, p := range places {
		if time.Since(began) > sampleTime {
			break
		}
		if perDoc == 0 {
			docs, bytes, _, err := m.sampleShard(ctx, sources[p.index], p.shard, sampleFirst)
			if err != nil {
				return s, err
			}
			if docs == 0 {
				continue
			}
			perDoc = max(1, bytes/int64(docs))
		}
		docs, bytes, d, err := m.sampleShard(ctx, sources[p.index], p.shard, int(min(sampleDocs, max(1, sampleBytes/perDoc))))
		if err != nil {
			return s, err
		}
		if docs == 0 {
			continue
		}
		perDoc, took = max(perDoc, bytes/int64(docs)), took+d
		s.Shards, s.Docs, s.Bytes = s.Shards+1, s.Docs+docs, s.Bytes+bytes
		parts[p.index].docs += docs
		parts[p.index].bytes += bytes
	}
	if s.Docs == 0 {
		return s, nil
	}
	s.ReadRate = float64(s.Docs) / max(took.Seconds(), 1e-6)
	// A large index counts for more than a small one of which as much was read.
	weight := 0.0
	for n, p := range parts {
		if p.docs == 0 {
			continue
		}
		all, err := m.held(ctx, sources[n].name)
		if err != nil {
			return s, err
		}
		weight += float64(all)
		s.DocBytes += float64(all) * float64(p.bytes) / float64(p.docs)
	}
	s.DocBytes /= max(1, weight)
	return s, nil
}

// sampleShard reads one page of a shard, as a copy would.
func (m *Mover) sampleShard(ctx context.Context, f found, shard, docs int) (n int, bytes int64, took time.Duration, err error) {
	if window, err := strconv.Atoi(f.settings["index.max_result_window"]); err == nil && window > 0 {
		docs = min(docs, window)
	}
	var ans struct {
		Hits struct {
			Hits []doc `json:"hits"`
		} `json:"hits"`
	}
	body := map[string]any{"size": docs, "sort": []any{map[string]any{"_doc": "asc"}}, "version": true, "track_total_hits": false, "query": m.where()}
	began := time.Now()
	if err := m.read(ctx, m.src, http.MethodPost, "/"+esc(f.name)+"/_search", query("preference", preferred(shard), "allow_partial_search_results", "false"), body, &ans); err != nil {
		return 0, 0, 0, fmt.Errorf("sample %s[%d] on %s: %w", f.name, shard, m.src.Name(), err)
	}
	for _, h := range ans.Hits.Hits {
		bytes += int64(len(h.Source))
	}
	return len(ans.Hits.Hits), bytes, time.Since(began), nil
}

// trip is the round trip of a small request.
func (m *Mover) trip(ctx context.Context, c *upstream.Client) (least time.Duration, err error) {
	for range 3 {
		began := time.Now()
		if err := m.read(ctx, c, http.MethodGet, "/", nil, nil, nil); err != nil {
			return 0, fmt.Errorf("ask %s: %w", c.Name(), err)
		}
		if d := time.Since(began); least == 0 || d < least {
			least = d
		}
	}
	return least, nil
}

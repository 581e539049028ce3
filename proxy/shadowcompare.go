package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/gate"
)

// shadowTolerance is by what part scores, and decimals in aggregations, may differ:
// deleted documents that a cluster has yet to drop count in the statistics that scores
// come from, and sums depend on their order.
const shadowTolerance = 0.01

// shadowPositions is how many places of the hits are named.
const shadowPositions = 5

// answered is what is compared of the answer to one search.
type answered struct {
	failed       string // an error, or a part of the shards that failed
	took         time.Duration
	total        int64 // -1: not told
	capped       bool  // there are at least as many
	hits         []hit
	aggregations any
	suggest      any
}

// hit is a document that a search has found.
type hit struct {
	id       string // of its index, its id and its routing
	score    any
	sort     []any
	document map[string]any // what is shown of it
}

// shards are those that an answer came from.
type shards struct{ Failed int }

// readFound reads an answer that has been translated for the client.
func readFound(o op, raw []byte) ([]answered, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	switch o {
	case opCount:
		var a struct {
			Count  int64
			Shards shards `json:"_shards"`
		}
		err := d.Decode(&a)
		return []answered{{total: a.Count, failed: partly(a.Shards, false)}}, err
	case opMsearch:
		var a struct{ Responses []searchResponse }
		if err := d.Decode(&a); err != nil {
			return nil, err
		}
		out := make([]answered, len(a.Responses))
		for i := range a.Responses {
			out[i] = a.Responses[i].answered()
		}
		return out, nil
	}
	var a searchResponse
	err := d.Decode(&a)
	return []answered{a.answered()}, err
}

func partly(s shards, timedOut bool) string {
	switch {
	case timedOut:
		return "timed_out"
	case s.Failed > 0:
		return "shards_failed"
	}
	return ""
}

// searchResponse is an answer to a search, or a part of one to several.
type searchResponse struct {
	Took     int64
	TimedOut bool   `json:"timed_out"`
	Shards   shards `json:"_shards"`
	Hits     struct {
		Total any
		Hits  []map[string]any
	}
	Aggregations any
	Suggest      any
	Error        struct{ Type string }
	Status       int
}

func (a *searchResponse) answered() answered {
	f := answered{failed: partly(a.Shards, a.TimedOut), took: time.Duration(a.Took) * time.Millisecond, total: -1, aggregations: a.Aggregations, suggest: a.Suggest}
	if a.Error.Type != "" {
		f.failed = a.Error.Type
	}
	switch t := a.Hits.Total.(type) {
	case json.Number:
		f.total, _ = t.Int64()
	case map[string]any:
		if n, ok := t["value"].(json.Number); ok {
			f.total, _ = n.Int64()
		}
		f.capped = t["relation"] == "gte"
	}
	for _, h := range a.Hits.Hits {
		one := hit{id: fmt.Sprintf("%v\x00%v\x00%v", h["_index"], h["_id"], h["_routing"]), score: h["_score"], document: map[string]any{}}
		one.sort, _ = h["sort"].([]any)
		for _, part := range []string{"_source", "fields", "highlight"} {
			if v, ok := h[part]; ok {
				one.document[part] = v
			}
		}
		f.hits = append(f.hits, one)
	}
	return f
}

// fingerprint is a hash of everything that is compared, scores aside. It is never 0.
func (r *replayed) fingerprint(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteString(r.failed)
	e := json.NewEncoder(&h) // its keys are in order; numbers came from JSON, so nothing fails
	for _, f := range r.found {
		fmt.Fprintf(&h, "%s %d %t %d", f.failed, f.total, f.capped, len(f.hits))
		for _, one := range f.hits {
			h.WriteString(one.id)
			_ = e.Encode(one.document)
		}
		_ = e.Encode([]any{f.aggregations, f.suggest})
	}
	return h.Sum64() | 1
}

// compareAnswers says how the answers of the source and the target differ.
func compareAnswers(a, b replayed) gate.ShadowResult {
	r := gate.ShadowResult{Outcome: gate.ShadowEqual, Source: a.answer(0), Target: b.answer(0)}
	switch {
	case a.failed != "" && a.failed == b.failed && a.failed != TypeUpstream && a.failed != TypeUnavailable:
		return r // both refuse it, for the same reason
	case a.failed != "":
		r.Outcome = gate.ShadowFailedSource
	case b.failed != "":
		r.Outcome = gate.ShadowFailedTarget
	case a.large || b.large:
		r.Outcome = gate.ShadowSkipped
	case len(a.found) != len(b.found):
		r.Outcome = gate.ShadowFailedTarget
		r.Target.Failed = TypeUpstream // not an answer to this request
	default:
		for i := range a.found {
			outcome, parts, positions := compareFound(&a.found[i], &b.found[i])
			if outcome == gate.ShadowEqual || r.Outcome == gate.ShadowScores && outcome == gate.ShadowScores {
				continue
			}
			r.Outcome, r.Parts, r.Positions = outcome, parts, positions
			r.Source, r.Target = a.answer(i), b.answer(i)
			if len(a.found) > 1 {
				r.Item = i + 1
			}
			if outcome != gate.ShadowScores {
				break
			}
		}
	}
	return r
}

// answer is what is told of the search at a place of a multi-search. took is of all: they
// run side by side, so of the slowest.
func (r *replayed) answer(i int) gate.ShadowAnswer {
	a := gate.ShadowAnswer{Total: -1, Failed: r.failed, Wall: r.wall}
	if i < len(r.found) {
		f := &r.found[i]
		a.Total, a.Capped, a.Failed = f.total, f.capped, f.failed
	}
	for _, f := range r.found {
		a.Took = max(a.Took, f.took)
	}
	return a
}

// compareFound compares two answers to one search.
func compareFound(a, b *answered) (outcome string, parts []string, positions []int) {
	switch {
	case a.failed != "" && a.failed == b.failed && a.failed != "timed_out" && a.failed != "shards_failed":
		return gate.ShadowEqual, nil, nil
	case a.failed != "":
		return gate.ShadowFailedSource, nil, nil
	case b.failed != "":
		return gate.ShadowFailedTarget, nil, nil
	}
	// Counting ends somewhere above the bound that the search set, not at it.
	if a.capped != b.capped || a.total != b.total && !a.capped {
		parts = append(parts, "total")
	}
	h := compareHits(a, b)
	parts = append(parts, h.parts...)
	if !similar(a.aggregations, b.aggregations) {
		parts = append(parts, "aggregations")
	}
	if !similar(a.suggest, b.suggest) {
		parts = append(parts, "suggest")
	}
	switch {
	case len(parts) > 0:
		return gate.ShadowDiffers, parts, h.positions
	case h.rescored:
		return gate.ShadowScores, nil, nil
	}
	return gate.ShadowEqual, nil, nil
}

// hitsDiffer is how two lists of hits differ.
type hitsDiffer struct {
	parts     []string
	positions []int // from 1
	rescored  bool
}

func (d *hitsDiffer) note(part string, i int) {
	if !slices.Contains(d.parts, part) {
		d.parts = append(d.parts, part)
	}
	if n := len(d.positions); n < shadowPositions && (n == 0 || d.positions[n-1] != i+1) {
		d.positions = append(d.positions, i+1)
	}
}

// compareHits compares what was found, and in which order. Hits of equal rank may stand
// in any order, and when there are more than are shown, any of those that rank with the
// last one may be shown.
func compareHits(a, b *answered) hitsDiffer {
	var d hitsDiffer
	at := make(map[string]int, len(a.hits))
	for i, h := range a.hits {
		at[h.id] = i
	}
	for i := range max(len(a.hits), len(b.hits)) {
		if i >= len(a.hits) || i >= len(b.hits) {
			d.note("hits", i)
			break
		}
		x, y := &a.hits[i], &b.hits[i]
		k, known := at[y.id]
		switch {
		case !known:
			more := a.total < 0 || a.capped || a.total > int64(len(a.hits))
			if !more || !tied(y, &a.hits[len(a.hits)-1]) && !tied(x, &a.hits[len(a.hits)-1]) {
				d.note("hits", i)
			}
			continue
		case k != i && !tied(x, &a.hits[k]):
			d.note("order", i)
		}
		if !reflect.DeepEqual(a.hits[k].document, y.document) {
			d.note("documents", i)
		}
		if !near(a.hits[k].score, y.score) {
			d.rescored = true
		}
	}
	return d
}

// tied reports whether two hits have the same rank.
func tied(x, y *hit) bool {
	if len(x.sort) == 0 && len(y.sort) == 0 {
		return near(x.score, y.score)
	}
	return slices.EqualFunc(x.sort, y.sort, func(p, q any) bool {
		if reflect.DeepEqual(p, x.score) && reflect.DeepEqual(q, y.score) { // sorted by the score
			return near(p, q)
		}
		return reflect.DeepEqual(p, q)
	})
}

// near compares numbers with the tolerance, and anything else exactly.
func near(a, b any) bool {
	x, ok := a.(json.Number)
	y, ok2 := b.(json.Number)
	if !ok || !ok2 {
		return reflect.DeepEqual(a, b)
	}
	if x == y {
		return true
	}
	f, err := x.Float64()
	g, err2 := y.Float64()
	return err == nil && err2 == nil && math.Abs(f-g) <= shadowTolerance*max(math.Abs(f), math.Abs(g))
}

// similar compares two values of JSON: whole numbers, texts and what there is exactly,
// other numbers with the tolerance. Buckets of which a cluster itself says that they may
// be wrong are not compared.
func similar(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		if inexact(x) || inexact(y) {
			return true
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || k != "_seq_no" && k != "_primary_term" && !similar(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, similar)
	case json.Number:
		y, ok := b.(json.Number)
		if !ok || x == y || !strings.ContainsAny(x.String()+y.String(), ".eE") {
			return ok && x == y
		}
		return near(x, y)
	}
	return a == b
}

// inexact reports buckets that several shards' best do not suffice to count.
func inexact(m map[string]any) bool {
	n, ok := m["doc_count_error_upper_bound"].(json.Number)
	return ok && n != "0" && m["buckets"] != nil
}

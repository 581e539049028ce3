package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
)

// Bounds of a comparison.
const (
	shadowCall   = 2 * time.Second  // after which a call begins no other one
	shadowWait   = 10 * time.Second // for one answer
	shadowAnswer = 2 << 20          // bytes
)

// Compare implements gate.Shadow.
func (s *shadow) Compare(ctx context.Context, id placement.PartitionID, move string, samples []int) ([]gate.ShadowResult, error) {
	all := s.asked.Load()
	if all == nil || (*all)[id] == nil || (*all)[id].move != move {
		return nil, gate.ErrNoShadow
	}
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	kept := (*all)[id].freeze()
	out := []gate.ShadowResult{}
	for began := time.Now(); len(samples) > 0 && time.Since(began) < shadowCall; samples = samples[1:] {
		n := samples[0]
		if n < 0 || n >= len(kept) {
			continue
		}
		// A read like any other: nobody takes a copy away while it is read.
		t, err := s.p.gate.Read(ctx, id)
		if err != nil {
			return out, err
		}
		e := t.Entry()
		if !e.State.Migrating() || e.Attempt.Move != move {
			t.Done()
			return out, gate.ErrNoShadow
		}
		r, err := s.compareOne(ctx, kept[n], e)
		t.Done()
		if err != nil {
			return out, err
		}
		r.Sample = n
		out = append(out, r)
	}
	return out, nil
}

// compareOne replays a search on both sides. Which is asked first changes from sample to
// sample and from try to try, so that neither has the other's warmth for it.
func (s *shadow) compareOne(ctx context.Context, one *sampled, e placement.Entry) (r gate.ShadowResult, err error) {
	defer s.p.caught(&err)
	one.mu.Lock()
	defer one.mu.Unlock()
	var got [2]replayed
	places := [2]placement.Placement{e.State.From, e.State.To}
	first := rand.IntN(2)
	for _, side := range [2]int{first, 1 - first} {
		got[side] = s.replay(ctx, one, e, places[side])
	}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	r = compareAnswers(got[0], got[1])
	r.Endpoint = one.target.pattern[strings.LastIndexByte(one.target.pattern, '/')+1:]
	for side := range got {
		print := got[side].fingerprint(s.seed)
		r.Changed = r.Changed || one.seen[side] != 0 && one.seen[side] != print
		one.seen[side] = print
	}
	return r, nil
}

// replayed is what a side answered.
type replayed struct {
	failed string // why there is nothing to compare
	large  bool
	wall   time.Duration
	found  []answered // one, or one for each search of a multi-search
}

// replay sends a search to where it goes at a placement, as the proxy would send it when
// the tenant is there, and reads the answer as the client would be given it. Neither the
// breaker nor the metrics of the clients' requests hear of it.
func (s *shadow) replay(ctx context.Context, one *sampled, e placement.Entry, pl placement.Placement) replayed {
	ctx, cancel := context.WithTimeout(ctx, min(shadowWait, s.p.o.ReadTimeout))
	defer cancel()
	q := &request{p: s.p, target: one.target, tenant: e.Partition, entry: e, query: cloneQuery(one.query),
		r: &http.Request{Method: one.method, URL: &url.URL{Path: one.target.pattern}, Header: one.header}}
	path, body, at, err := q.readTarget(bytes.Clone(one.body), origin{pl, e.Incarnation})
	if err != nil {
		return replayed{failed: toAPI(err).kind}
	}
	if q.op == opSearch {
		q.query = cloneQuery(q.query)
		q.query.Set("request_cache", "false") // of which only one side may have an answer
	}
	u, err := url.Parse(path)
	if err != nil {
		return replayed{failed: TypeBadRequest}
	}
	u.RawQuery = q.query.Encode()
	req, err := http.NewRequestWithContext(ctx, one.method, u.String(), nil)
	if err != nil {
		return replayed{failed: TypeBadRequest}
	}
	req.Header = one.header.Clone()
	req.Header.Set("Accept", "application/json")
	if len(body) > 0 {
		p := bytesPayload(body, q.bodyType())
		req.Body, req.ContentLength = p.open(), p.length
		req.Header.Set("Content-Type", p.mime)
	}
	c, err := s.p.clusters.Cluster(at.place.Cluster)
	if err != nil {
		return replayed{failed: TypeUnavailable}
	}
	start := time.Now()
	resp, err := c.RoundTrip(req)
	if err != nil {
		return replayed{failed: TypeUpstream}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, shadowAnswer+1))
	out := replayed{wall: time.Since(start)}
	switch {
	case err != nil:
		return replayed{failed: TypeUpstream}
	case len(raw) > shadowAnswer:
		out.large = true
		return out
	case resp.StatusCode >= 400:
		out.failed = refusal(raw, resp.StatusCode)
		return out
	}
	rules, err := q.translation(at, resp)
	if err == nil && !rules.idle() {
		raw, err = rewriteBytes(raw, rules)
	}
	if err == nil {
		out.found, err = readFound(q.op, raw)
	}
	if err != nil {
		out.failed = TypeUpstream // an answer that a client would not be given either
	}
	return out
}

// refusal is the type of an error that a cluster answered with. The reason is not looked
// at: it may quote the search.
func refusal(raw []byte, status int) string {
	var body struct {
		Error struct{ Type string }
	}
	if json.Unmarshal(raw, &body) == nil && body.Error.Type != "" {
		return body.Error.Type
	}
	return fmt.Sprintf("status %d", status)
}

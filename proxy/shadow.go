package proxy

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
)

// Shadow reads: while a move asks for it, a fair sample of its tenant's searches is kept
// here as the clients sent them, and replayed on both clusters by the very code that
// serves them before and after the flip. The searches and what is found never leave the
// process, nor its memory.

// What is kept, and for how long.
const (
	shadowLife    = 30 * time.Second // after the last call
	shadowBody    = 64 << 10         // of one search
	shadowBytes   = 2 << 20          // of a partition's searches
	shadowTenants = 32               // at once
)

// shadow implements gate.Shadow.
type shadow struct {
	p    *Proxy
	seed maphash.Seed
	// asked is replaced when it changes; nil while nobody asks, which is all that a
	// search then looks at.
	asked atomic.Pointer[map[placement.PartitionID]*reservoir]
	mu    sync.Mutex    // held to replace asked
	turns chan struct{} // comparisons that may run at once
}

func newShadow(p *Proxy) *shadow {
	return &shadow{p: p, seed: maphash.MakeSeed(), turns: make(chan struct{}, 2)}
}

// reservoir is the sample of one partition's searches during one move.
type reservoir struct {
	move string

	mu     sync.Mutex // guards the following
	until  time.Time
	want   int
	seen   int64
	bytes  int
	frozen bool // being compared
	kept   []*sampled
}

// sampled is one search, as the client sent it.
type sampled struct {
	target *target
	method string
	header http.Header // what a cluster sees of the client's
	query  url.Values
	body   []byte

	mu   sync.Mutex
	seen [2]uint64 // what the answers of the source and of the target looked like last; 0: none yet
}

// Sample implements gate.Shadow.
func (s *shadow) Sample(id placement.PartitionID, move string, n int) gate.ShadowSample {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[placement.PartitionID]*reservoir{}
	if m := s.asked.Load(); m != nil {
		all = maps.Clone(*m)
	}
	r := all[id]
	switch {
	case n == 0:
		delete(all, id)
		s.set(all)
		return gate.ShadowSample{}
	case r == nil || r.move != move:
		if r == nil && len(all) >= shadowTenants {
			return gate.ShadowSample{}
		}
		r = &reservoir{move: move, want: n}
		all[id] = r
		s.set(all)
		time.AfterFunc(shadowLife, func() { s.expire(id, r) })
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until = time.Now().Add(shadowLife)
	return gate.ShadowSample{Kept: min(len(r.kept), n), Seen: r.seen}
}

// set publishes all; the caller holds mu.
func (s *shadow) set(all map[placement.PartitionID]*reservoir) {
	if len(all) == 0 {
		s.asked.Store(nil)
		return
	}
	s.asked.Store(&all)
}

// expire forgets a sample that nobody has asked for of late, or looks again later.
func (s *shadow) expire(id placement.PartitionID, r *reservoir) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.asked.Load()
	if m == nil || (*m)[id] != r {
		return // forgotten already
	}
	r.mu.Lock()
	left := time.Until(r.until)
	r.mu.Unlock()
	if left > 0 {
		time.AfterFunc(left, func() { s.expire(id, r) })
		return
	}
	all := maps.Clone(*m)
	delete(all, id)
	s.set(all)
}

// offer takes a search of the tenant's into the sample, if one is asked for. body and
// query are the client's, before anything was rewritten.
func (s *shadow) offer(q *request, query url.Values, body []byte) {
	all := s.asked.Load()
	if all == nil {
		return
	}
	if r := (*all)[q.tenant]; r != nil && q.entry.State.Migrating() && q.entry.Attempt.Move == r.move {
		r.offer(q, query, body)
	}
}

// offer is Vitter's algorithm R: each search that was seen is kept with the same chance.
func (r *reservoir) offer(q *request, query url.Values, body []byte) {
	switch q.op {
	case opSearch, opCount, opMsearch:
	default:
		return
	}
	r.mu.Lock()
	take := !r.frozen
	if take {
		r.seen++
		take = r.seen <= int64(r.want) || rand.Int64N(r.seen) < int64(r.want)
	}
	r.mu.Unlock()
	if !take || !replayable(q.op, query, body) {
		return
	}
	h := http.Header{}
	q.p.headers.forward(h, q.r.Header, len(q.p.o.TrustedProxies) > 0 && q.p.trusts(peerOf(q.r)))
	h.Del("Traceparent")
	h.Del("Tracestate")
	n := &sampled{target: q.target, method: q.r.Method, header: h.Clone(), query: cloneQuery(query), body: bytes.Clone(body)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen {
		return
	}
	at := -1
	room := shadowBytes - r.bytes
	if len(r.kept) >= r.want {
		at = rand.IntN(len(r.kept))
		room += r.kept[at].size()
	}
	if n.size() > room {
		return
	}
	r.bytes = shadowBytes - room + n.size()
	if at >= 0 {
		r.kept[at] = n
		return
	}
	r.kept = append(r.kept, n)
}

// size is about what the search takes in memory.
func (s *sampled) size() int {
	n := 512 + len(s.body)
	for _, values := range []map[string][]string{s.query, s.header} {
		for k, v := range values {
			n += len(k)
			for _, one := range v {
				n += len(one)
			}
		}
	}
	return n
}

// freeze ends the sampling and returns what was kept, in an order that says nothing.
func (r *reservoir) freeze() []*sampled {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until = time.Now().Add(shadowLife)
	if !r.frozen {
		r.frozen = true
		rand.Shuffle(len(r.kept), func(i, j int) { r.kept[i], r.kept[j] = r.kept[j], r.kept[i] })
	}
	return r.kept
}

// replayable reports whether two clusters that hold the same would answer the same. A
// cursor lives in one of them; what ends early, or sorts by where a document lies, depends
// on how each has stored it; and of an answer that is left out there is nothing to compare.
func replayable(o op, query url.Values, body []byte) bool {
	if len(body) > shadowBody {
		return false
	}
	for _, name := range []string{"scroll", "terminate_after", "timeout", "filter_path"} {
		if query.Has(name) {
			return false
		}
	}
	if placed(query.Get("sort")) {
		return false
	}
	if o != opMsearch {
		return sameAnywhere(body)
	}
	for i, line := range bytes.Split(body, []byte("\n")) {
		if i%2 == 1 && !sameAnywhere(line) {
			return false
		}
	}
	return true
}

// sameAnywhere is replayable for a body.
func sameAnywhere(body []byte) bool {
	if len(bytes.TrimSpace(body)) == 0 {
		return true
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(body, &m) != nil {
		return false
	}
	for _, name := range []string{"pit", "terminate_after", "timeout", "slice"} {
		if _, ok := m[name]; ok {
			return false
		}
	}
	return !placed(string(m["sort"]))
}

// placed reports a sort by where a document lies. A field of such a name is none that
// is worth the trouble.
func placed(sort string) bool {
	return slices.ContainsFunc([]string{"_doc", "_shard_doc", "_seq_no"}, func(name string) bool { return strings.Contains(sort, name) })
}

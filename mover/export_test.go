package mover

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// DecodeBulk says of each item whether it was applied.
func DecodeBulk(raw []byte, want int) ([]bool, error) {
	got, err := decodeBulk(raw, want)
	out := make([]bool, len(got))
	for i, a := range got {
		out[i] = a.outcome == applied
	}
	return out, err
}

// Documents is an answer with documents.
type Documents = documents

// Decode decodes one.
func (d *documents) Decode(answer []byte) error { return d.decode(answer) }

// DecodedPlainly reports whether an answer is decoded without package json.
func DecodedPlainly(answer []byte) bool {
	return (&cutter{b: answer}).answer(&documents{})
}

// Different is what SyncMeta would set at the target.
var Different = different

// Touches reports whether a task's description names one of the indices.
func Touches(description string, ours ...string) bool {
	set := map[string]bool{}
	for _, o := range ours {
		set[o] = true
	}
	return (&Mover{}).touches(description, set)
}

// Op is one write, as Encode takes it.
type Op struct {
	ID, Routing string
	Delete      bool
	Version     int64
	Source      []byte
	SeqNo, Term int64
	Index       int
}

// Encode is the body of a bulk in turn 7 of move m.
func Encode(all []Op) []byte {
	m := &Mover{spec: Spec{Move: "m", Attempt: 3}}
	var ops []op
	var part []int
	for i, o := range all {
		ops = append(ops, op{index: o.Index, id: o.ID, routing: o.Routing, delete: o.Delete, version: o.Version, source: o.Source, seqNo: o.SeqNo, term: o.Term})
		part = append(part, i)
	}
	return m.encode(ops, part, 7)
}

// Outcomes are what became of the items of a bulk, in words.
func Outcomes(raw []byte, want int) (out []string, err error) {
	got, err := decodeBulk(raw, want)
	for _, a := range got {
		out = append(out, map[outcome]string{applied: "applied", conflict: "conflict", rejected: "rejected", again: "again", unknown: "unknown"}[a.outcome])
	}
	return out, err
}

// The settings of an index.
var (
	SettingText  = settingText
	SettingValue = settingValue
	Carried      = carried
)

// Lists cuts names into lists and returns them as they are in a path.
func Lists(names []string) (out []string) {
	for part := range lists(names) {
		out = append(out, joined(part))
	}
	return out
}

// Rewrites reads an ingest pipeline.
func Rewrites(raw []byte) (rewrites bool, calls []string, err error) {
	var p pipeline
	if err := json.Unmarshal(raw, &p); err != nil {
		return false, nil, err
	}
	return p.rewrites(), p.calls(), nil
}

// Fetch asks for n documents of index i that a cluster answers with raw.
func Fetch(raw []byte, n int) (found []bool, err error) {
	m, ctx := answering(raw)
	docs, err := m.fetch(ctx, m.src, make([]get, n), sourced)
	for _, d := range docs {
		found = append(found, d.Found)
	}
	return found, err
}

// Hits are the ids on a page of a scan of index i that a cluster answers with raw.
func Hits(raw []byte) (ids []string, err error) {
	m, ctx := answering(raw)
	docs, err := m.page(ctx, m.src, "i", map[string]any{})
	for _, d := range docs {
		ids = append(ids, d.ID)
	}
	return ids, err
}

// answering is a mover whose source answers once, and is not asked again.
func answering(raw []byte) (*Mover, context.Context) {
	ctx, cancel := context.WithCancel(context.Background())
	c, err := upstream.New(placement.Cluster{Name: "a", Endpoints: []string{"http://a"}}, &upstream.Options{Transport: once(func() []byte { cancel(); return raw })})
	if err != nil {
		panic(err)
	}
	return &Mover{src: c, dst: c, throttle: newThrottle(Options{BatchDocs: 1, BatchBytes: 1, Workers: 1}, "a", "a")}, ctx
}

type once func() []byte

func (f once) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(f())), Request: r}, nil
}

// CreatedMajor reads the version that an index was created by.
var CreatedMajor = createdMajor

// Task is a task of a cluster.
type Task = task

// Drained is how many tasks a drain of a shared target waits for, list by list.
func Drained(lists [][]Task, prefix, pool string) (out []int) {
	var o orphans
	for _, l := range lists {
		out = append(out, o.busy(l, prefix, pool))
	}
	return out
}

// Throttle is a throttle of a copy from cluster A to cluster B.
type Throttle struct{ t *throttle }

// NewThrottle returns one for so many workers.
func NewThrottle(workers int, l Limits) Throttle {
	return Throttle{newThrottle(Options{BatchDocs: 1000, BatchBytes: 4 << 20, Workers: workers, Limits: l}, "A", "B")}
}

// What a throttle does, and what it holds to.
func (x Throttle) Answered(bulk bool, docs int, took time.Duration) {
	kind := searches
	if bulk {
		kind = bulks
	}
	x.t.answered(kind, docs, 0, took)
}
func (x Throttle) Refused(cluster string)                            { x.t.refusedBy(cluster) }
func (x Throttle) Turn(ctx context.Context, work func() error) error { return x.t.turn(ctx, work) }
func (x Throttle) Set(l Limits)                                      { x.t.set(l) }
func (x Throttle) SlowedBy() string                                  { return x.t.slowedBy() }
func (x Throttle) Pace(ctx context.Context, docs int, b int64) error { return x.t.pace(ctx, docs, b) }
func (x Throttle) Page(want int, avg int64) int                      { return x.t.page(want, avg) }
func (x Throttle) Level() float64 {
	x.t.mu.Lock()
	defer x.t.mu.Unlock()
	return x.t.level
}

// Looks is what a cluster's nodes say from one look to the next.
type Looks struct{ last map[string]counted }

// Heard reads one answer about a cluster's nodes and tells the throttle.
func (l *Looks) Heard(x Throttle, cluster, answer string) error {
	var ans struct{ Nodes map[string]nodeStats }
	if err := json.Unmarshal([]byte(answer), &ans); err != nil {
		return err
	}
	var r reading
	r, l.last = diagnose(cluster, ans.Nodes, l.last)
	x.t.heard(cluster, r)
	return nil
}

// The bounds of a throttle.
const (
	LeastLevel  = leastLevel
	Gentle      = gentle
	LongestRest = longestRest
	NodesEvery  = nodesEvery
	NodesPath   = nodesPath
)

// SetTouchEvery changes how often a scan that waits is kept alive, until undo is called.
func SetTouchEvery(d time.Duration) (undo func()) {
	before := touchEvery
	touchEvery = d
	return func() { touchEvery = before }
}

// WatchNodes watches a cluster's nodes until the context ends.
func (m *Mover) WatchNodes(ctx context.Context, c *upstream.Client) { m.watchNodes(ctx, c) }

// ThrottleOf is the throttle of a mover.
func ThrottleOf(m *Mover) Throttle { return Throttle{m.throttle} }

// NodeFacts are what a cluster's only node says of itself.
func NodeFacts(ctx context.Context, c *upstream.Client) (heap, cpu int64, threads map[string]int64, breakers int, err error) {
	var ans struct{ Nodes map[string]nodeStats }
	err = c.JSON(ctx, http.MethodGet, nodesPath, query("filter_path", nodesFilter), nil, &ans)
	threads, cpu = map[string]int64{}, -1
	for _, n := range ans.Nodes {
		for name, p := range n.Pools {
			threads[name] = p.Threads
		}
		heap, breakers = n.JVM.Mem.HeapUsed, len(n.Breakers)
		if n.OS.CPU.Percent != nil {
			cpu = *n.OS.CPU.Percent
		}
	}
	return heap, cpu, threads, breakers, err
}

var WithoutComments = withoutComments

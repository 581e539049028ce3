package mover

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"

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
	return &Mover{src: c, dst: c}, ctx
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

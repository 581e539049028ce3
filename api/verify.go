package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

// firstWord is for how long a comparison may be silent before its stream begins: what
// refuses it is mostly found out at once, and is an answer of its own status then.
var firstWord = 5 * time.Second

const (
	// newsEvery is how often a client is told at most how far a comparison is.
	newsEvery = 100 * time.Millisecond
	// settleTime is for how long what differs is looked at again unless the request says.
	settleTime = 10 * time.Second
)

type comparedPlace struct {
	_       struct{} `additionalProperties:"false"`
	Cluster string   `json:"cluster"`
	Index   string   `json:"index" doc:"A name, or a pattern with one star."`
}

// control is the place of which all documents are compared, as they are.
func (p *comparedPlace) control() (placement.Placement, error) {
	at := placement.Placement{Kind: placement.DedicatedIndex, Cluster: p.Cluster, Index: p.Index, Logical: p.Index}
	if at.Many() {
		at.Logical = "*"
	}
	return at, at.Validate()
}

type verifyInput struct {
	Body struct {
		_       struct{}              `additionalProperties:"false"`
		Tenant  placement.PartitionID `json:"tenant,omitempty" maxLength:"256" doc:"Compare the two copies that its move has, from when it copies until the old copy is retired."`
		From    *comparedPlace        `json:"from,omitempty" doc:"Without a tenant: one place."`
		To      *comparedPlace        `json:"to,omitempty" doc:"The other place."`
		Content bool                  `json:"content,omitempty" doc:"Compare the documents too; reads all of them."`
		Settle  *time.Duration        `json:"settle,omitempty" minimum:"0" maximum:"86400000000000" doc:"Nanoseconds in which what differs is looked at again before it counts (10 s)."`
		Limit   *int                  `json:"limit,omitempty" minimum:"0" maximum:"3000" doc:"List so many differences (100); all are counted."`
		Resume  *control.CompareState `json:"resume,omitempty" doc:"What an event saved had, of the same comparison: go on from there."`
	}
}

// verifyReaders is the operation that compares two copies.
//
// A comparison may take hours. It is one request, whose answer is a stream of events, so it
// needs no record in the store, any controller can serve it, and it ends with its client. What
// was found equal is told as it goes, and whoever has it goes on from there, here or at
// another controller.
func (a *API) verifyReaders() {
	handle(a, huma.Operation{OperationID: "compareCopies", Method: http.MethodPost, Path: "/verify", Tags: []string{"verify"}, MaxBodyBytes: 16 << 20,
		Summary: "Compare every document of two copies, and change nothing; the answer is a stream of server-sent events",
		Responses: map[string]*huma.Response{"200": {Description: "Events progress (scanned, total and eta, in nanoseconds), saved (what resume takes), and at the end compared (what was found) or problem.",
			Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}}},
		Operator, a.verify)
}

// request is what package control is asked for.
func (in *verifyInput) request() (control.CompareRequest, error) {
	b := in.Body
	r := control.CompareRequest{Partition: b.Tenant, Content: b.Content, Settle: settleTime, Resume: b.Resume}
	if b.Settle != nil {
		r.Settle = *b.Settle
	}
	places := 0
	for _, p := range []*comparedPlace{b.From, b.To} {
		if p != nil {
			places++
		}
	}
	switch {
	case b.Tenant != "" && places == 0:
		return r, b.Tenant.Validate()
	case b.Tenant != "" || places != 2:
		return r, &placement.InvalidError{Field: "tenant", Value: string(b.Tenant), Fix: "must be given, or from and to, and not both"}
	}
	var err error
	if r.From, err = b.From.control(); err == nil {
		r.To, err = b.To.control()
	}
	return r, err
}

// comparison is one that is under way.
type comparison struct {
	news chan struct{} // has one while there is something to tell
	done chan struct{} // closed at the end; result and err are read after that

	result control.Compared
	err    error

	mu              sync.Mutex
	progress, saved []byte // what was not told yet; a newer one replaces it
}

// tell keeps what is to be told, as it is now.
func (c *comparison) tell(of *[]byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.mu.Lock()
	*of = data
	c.mu.Unlock()
	select {
	case c.news <- struct{}{}:
	default:
	}
	return nil
}

// told takes what is to be told.
func (c *comparison) told() (progress, saved []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	progress, saved, c.progress, c.saved = c.progress, c.saved, nil, nil
	return progress, saved
}

func (a *API) verify(ctx context.Context, in *verifyInput) (*huma.StreamResponse, error) {
	req, err := in.request()
	if err != nil {
		return nil, err
	}
	free, err := a.comparing.take("comparisons")
	if err != nil {
		return nil, err
	}
	c := &comparison{news: make(chan struct{}, 1), done: make(chan struct{})}
	req.Workers = a.opt.CopyWorkers
	req.Save = func(s control.CompareState) error { return c.tell(&c.saved, s) }
	req.Progress = func(p control.Comparing) { _ = c.tell(&c.progress, p) } // of numbers
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer free()
		defer close(c.done)
		c.result, c.err = control.Compare(ctx, a.s, req)
		c.err = control.UnknownTenant(string(req.Partition), c.err)
	}()
	first := time.NewTimer(firstWord)
	defer first.Stop()
	select {
	case <-first.C:
	case <-c.news:
		select { // for the stream, unless there is more already
		case c.news <- struct{}{}:
		default:
		}
	case <-c.done:
		if c.err != nil {
			cancel()
			return nil, c.err
		}
	}
	limit := 100
	if in.Body.Limit != nil {
		limit = *in.Body.Limit
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer func() { cancel(); <-c.done }() // without a client it ends
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", "text/event-stream")
		a.accompany(ctx, stream{w: w, rc: http.NewResponseController(w)}, c, limit)
	}}, nil
}

// accompany tells a client of a comparison until that ends, or the client has gone.
func (a *API) accompany(ctx context.Context, out stream, c *comparison, limit int) {
	say := func(event string, data []byte) error {
		if data == nil {
			return nil
		}
		return out.write(fmt.Sprintf("event: %s\ndata: %s\n\n", event, data))
	}
	tell := func() error {
		progress, saved := c.told()
		if err := say("saved", saved); err != nil {
			return err
		}
		return say("progress", progress)
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	err := out.write(": connected\n\n")
	for err == nil {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			err = out.write(": alive\n\n")
		case <-c.news:
			if err = tell(); err == nil {
				err = pause(ctx, newsEvery)
			}
		case <-c.done:
			if tell() != nil {
				return
			}
			last, v := "compared", any(nil)
			if c.err != nil {
				last, v = "problem", a.problemOf(ctx, c.err)
			} else {
				c.result.Unlisted += int64(max(0, len(c.result.Differences)-limit))
				c.result.Differences = c.result.Differences[:min(limit, len(c.result.Differences))]
				v = c.result
			}
			if data, merr := json.Marshal(v); merr == nil {
				_ = say(last, data) // the client has gone
			}
			return
		}
	}
}

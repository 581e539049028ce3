package opensearchstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

// ErrClosed is what every call returns, wrapped, after Close. A write that
// returns it may have taken effect if it was under way.
var ErrClosed = catalog.New("store_client_closed", "the OpenSearch store is closed")

// Pauses between attempts: doubled from the first to the last, with jitter, so
// that many clients do not come back at the same moment.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// refusal is an answer of the engine that is an error.
type refusal struct {
	status int
	kind   string // OpenSearch's name for it; empty when something else answered
	reason string
}

func (r *refusal) Error() string {
	switch {
	case r.kind == "":
		return fmt.Sprintf("status %d", r.status)
	case r.reason == "":
		return fmt.Sprintf("status %d, %s", r.status, r.kind)
	}
	return fmt.Sprintf("status %d, %s: %s", r.status, r.kind, r.reason)
}

func (r *refusal) ErrorCode() string { return "store_refused" }

// is reports whether err is a refusal of that status and kind; an empty kind is
// any.
func is(err error, status int, kind string) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == status && (kind == "" || r.kind == kind)
}

// errUnfit: the index is not one that this package can use.
var errUnfit = errors.New("the index cannot be the placement table")

const (
	conflictKind = "version_conflict_engine_exception"
	noIndexKind  = "index_not_found_exception"
)

// request is one HTTP request to one node.
type request struct {
	method, path string
	query        url.Values
	body         any // encoded as JSON unless nil
}

// node is one address. A client of its own for each, because some steps must be
// answered by one and the same node: what a node knows of the cluster only grows,
// while a second node may be behind the first.
type node struct {
	address string
	client  streamer
}

type streamer interface {
	Stream(*http.Request) (*http.Response, error)
	Close() error
}

// send sends a request once and decodes the answer into out, if that is not nil. A
// status other than 2xx is a *refusal.
func (n *node) send(ctx context.Context, r request, out any) error {
	var body io.Reader
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.path, body)
	if err != nil {
		return err
	}
	req.URL.RawQuery = r.query.Encode()
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := n.client.Stream(req)
	if resp == nil {
		if err == nil {
			err = errors.New("no answer")
		}
		return fmt.Errorf("%s: %w", n.address, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %w", n.address, refused(resp))
	}
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
	} else {
		err = json.NewDecoder(resp.Body).Decode(out)
		_, _ = io.Copy(io.Discard, resp.Body) // to its end, so that the connection is used again
	}
	if err != nil {
		return fmt.Errorf("%s: read the answer: %w", n.address, err)
	}
	return nil
}

// refused reads an error. A reason that could quote a document is left out.
func refused(resp *http.Response) error {
	out := &refusal{status: resp.StatusCode}
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("%w (%w)", out, err)
	}
	var answer struct {
		Error struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
		} `json:"error"`
		Found *bool `json:"found"`
	}
	// Not every error is an object, nor everything that answers OpenSearch.
	if json.Unmarshal(b, &answer) != nil {
		return out
	}
	out.kind, out.reason = answer.Error.Type, answer.Error.Reason
	if out.kind == "mapper_parsing_exception" || len(out.reason) > 500 {
		out.reason = ""
	}
	if answer.Found != nil && !*answer.Found {
		out.kind = "not_found"
	}
	return out
}

// bound gives a call without a deadline the default one, so that nothing hangs
// when the cluster is down, and ends it when the store is closed.
func (s *Store) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	var cancel context.CancelFunc
	if _, ok := ctx.Deadline(); ok {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
	}
	stop := context.AfterFunc(s.life, cancel)
	return ctx, func() { stop(); cancel() }
}

// why is the error of a call of which err is the last: what was being done, and
// the caller's context's error if that is the reason.
func (s *Store) why(caller context.Context, doing string, err error) error {
	switch {
	case s.life.Err() != nil:
		return fmt.Errorf("opensearch: %s: %w", doing, ErrClosed)
	case caller.Err() == nil:
		return fmt.Errorf("opensearch: %s: %w", doing, err)
	case errors.Is(err, caller.Err()):
		return fmt.Errorf("opensearch: %s: %w", doing, err)
	}
	return fmt.Errorf("opensearch: %s: %w (%w)", doing, caller.Err(), err)
}

// read runs a step that may be repeated, on the current node and then on others,
// until it succeeds, waiting would not help, or the context ends, which is
// bounded.
func (s *Store) read(ctx context.Context, step func(context.Context, *node) error) error {
	var last error
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if err := ctx.Err(); err != nil {
			return atEnd(err, last)
		}
		at := s.current.Load()
		// Half of the time for one node, so that another can have the rest.
		attempt, cancel := context.WithTimeout(ctx, s.timeout/2)
		err := step(attempt, s.nodeAt(at))
		cancel()
		if err == nil || !transient(err) {
			return err
		}
		s.leave(ctx, at, err)
		if ctx.Err() == nil || last == nil {
			last = err
		}
		s.sleep(ctx, pause)
	}
}

// atEnd is the error of a step that went wrong until the context ended.
func atEnd(err, last error) error {
	if last == nil || errors.Is(last, err) {
		return err
	}
	return fmt.Errorf("%w (%w)", err, last)
}

// transient reports whether it makes sense to ask again what may be asked twice.
func transient(err error) bool {
	if errors.Is(err, ErrReplaced) || errors.Is(err, errUnfit) {
		return false
	}
	var r *refusal
	if !errors.As(err, &r) {
		return true // it did not come to an answer; the context's end is looked at before
	}
	switch r.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		http.StatusInternalServerError, http.StatusRequestTimeout:
		return true
	}
	return false
}

func (s *Store) nodeAt(at uint64) *node { return s.nodes[at%uint64(len(s.nodes))] }

// leave makes the next node the current one, because of an error of this one. An
// answer of a node that is merely busy is no reason, nor is a caller that gave up.
func (s *Store) leave(ctx context.Context, at uint64, err error) {
	if errors.Is(ctx.Err(), context.Canceled) || is(err, http.StatusTooManyRequests, "") {
		return
	}
	// Whoever found it out first moves on; the others find it moved.
	s.current.CompareAndSwap(at, at+1)
}

// sleep waits about that long, or for the context's or the store's end.
func (s *Store) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-s.life.Done():
	}
}

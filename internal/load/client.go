package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Target is where the load goes: any of several addresses that serve the same index.
type Target struct {
	URLs   []string // base URLs without a slash at the end
	Header string   // name of the tenant header; empty sends none
	Tenant string
	Index  string // the logical name
}

// Validate returns an error that names what is missing.
func (t Target) Validate() error {
	switch {
	case len(t.URLs) == 0:
		return errors.New("load target: URLs must name at least one proxy")
	case t.Index == "":
		return errors.New("load target: Index must not be empty")
	case (t.Header == "") != (t.Tenant == ""):
		return errors.New("load target: Header and Tenant come together or not at all")
	}
	return nil
}

// tally counts requests and their outcomes, and takes samples.
type tally struct {
	requests, failed, rejected, retried, reads, stale, jumps atomic.Int64
	samples                                                  samples
	trouble                                                  trouble
	starting                                                 func(since time.Time) bool // see Options; never nil
}

// client is one independent client: connections of its own, and its own turn through the proxies.
type client struct {
	t      Target
	http   *http.Client
	turn   int
	tally  *tally
	giveUp time.Duration // how long one request is repeated
}

// clients are numbered so that their turns start at different proxies.
func newClient(t Target, number int, counts *tally, giveUp time.Duration) *client {
	return &client{t: t, turn: number, tally: counts, giveUp: giveUp, http: &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			MaxIdleConnsPerHost: 2,
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		},
	}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// errUnknown: the request may have been carried out or not.
var errUnknown = errors.New("outcome unknown")

// excused reports whether an answer that says that there is no index is none of the proxy's making. A node that starts, and
// has not read what indices it has, answers so to an update and to a refresh; reads it refuses with 503, and every other
// write, one in a bulk too, waits until it knows.
func (c *client) excused(method, path string, e *statusError, began time.Time) bool {
	if e.typ != "index_not_found_exception" || method != http.MethodPost {
		return false
	}
	return (strings.HasSuffix(path, "/_refresh") || strings.Contains(path, "/_update/")) && c.tally.starting(began)
}

// answer is a response that was read to its end.
type answer struct {
	status int
	body   []byte
}

// statusError is a final answer that is no success. It may be in doubt whether the request had an effect.
type statusError struct {
	method, path string
	status       int
	typ, reason  string
	doubtful     bool
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s %s: %d %s: %s", e.method, e.path, e.status, e.typ, e.reason)
}

// call sends a request until it has a final outcome. A request that changes something is repeated only when it certainly had
// no effect. The statuses of want are successes besides 2xx, such as 404 for a get. The error is nil, a *statusError, wraps
// errUnknown, or is the context's.
func (c *client) call(ctx context.Context, method, path string, body []byte, changes bool, want ...int) (answer, error) {
	c.tally.requests.Add(1)
	start := time.Now()
	for attempt := 0; ; attempt++ {
		began := time.Now()
		a, after, err := c.once(ctx, method, path, body, changes, want)
		var se *statusError
		final := err == nil || after < 0
		if !final && time.Since(start) > c.giveUp {
			final = true
		}
		if final {
			if err != nil && ctx.Err() == nil && !errors.Is(err, errUnknown) {
				c.tally.failed.Add(1)
				c.tally.trouble.note("failed", err.Error())
			}
			if errors.As(err, &se) {
				if se.status/100 == 4 && se.status != http.StatusTooManyRequests && !c.excused(method, path, se, began) {
					c.tally.trouble.note("rejected", err.Error())
					c.tally.rejected.Add(1)
				}
				return a, se
			}
			return a, err
		}
		if err := sleep(ctx, after); err != nil {
			return a, fmt.Errorf("%w: %w", errUnknown, err)
		}
		c.tally.retried.Add(1)
		c.tally.trouble.note("retried", err.Error())
	}
}

// once sends a request once. The duration says after which pause it may be repeated; negative forbids it.
func (c *client) once(ctx context.Context, method, path string, body []byte, changes bool, want []int) (answer, time.Duration, error) {
	base := c.t.URLs[c.turn%len(c.t.URLs)]
	c.turn++ // the next request, or attempt, goes to the next proxy
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, reader)
	if err != nil {
		return answer{}, -1, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.t.Header != "" {
		req.Header.Set(c.t.Header, c.t.Tenant)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.broken(ctx, method, path, changes, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return c.broken(ctx, method, path, changes, err)
	}
	a := answer{resp.StatusCode, text}
	if resp.StatusCode/100 == 2 {
		return a, -1, nil
	}
	for _, w := range want {
		if resp.StatusCode == w {
			return a, -1, nil
		}
	}
	typ, reason := errorOf(text)
	if resp.StatusCode == http.StatusGatewayTimeout && typ == "sluice_outcome_unknown" {
		if !changes {
			return a, 50 * time.Millisecond, &statusError{method, path, resp.StatusCode, typ, reason, false}
		}
		c.tally.trouble.note("unknown", typ+": "+reason)
		return a, -1, fmt.Errorf("%w: %s", errUnknown, reason)
	}
	// With the type that is excepted here a proxy says that nothing was written.
	se := &statusError{method, path, resp.StatusCode, typ, reason, resp.StatusCode >= 500 && typ != "sluice_upstream"}
	if resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusTooManyRequests {
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds >= 0 {
			se.doubtful = false
			return a, max(20*time.Millisecond, min(time.Duration(seconds)*time.Second, time.Second)), se
		}
	}
	return a, -1, se
}

// broken decides about a request without an answer.
func (c *client) broken(ctx context.Context, method, path string, changes bool, err error) (answer, time.Duration, error) {
	var op *net.OpError
	unsent := errors.As(err, &op) && op.Op == "dial"
	err = fmt.Errorf("%s %s: %w", method, path, err)
	if unsent || !changes {
		return answer{}, 20 * time.Millisecond, err
	}
	if ctx.Err() == nil { // who is interrupted has nothing to report
		c.tally.trouble.note("unknown", err.Error())
	}
	return answer{}, -1, fmt.Errorf("%w: %w", errUnknown, err)
}

// errorOf takes type and reason out of an error of OpenSearch's shape.
func errorOf(body []byte) (string, string) {
	var shape struct {
		Error json.RawMessage `json:"error"`
	}
	var detail struct{ Type, Reason string }
	if json.Unmarshal(body, &shape) != nil || json.Unmarshal(shape.Error, &detail) != nil {
		return "", string(body[:min(len(body), 200)])
	}
	return detail.Type, detail.Reason
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

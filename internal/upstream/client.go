// Package upstream talks HTTP to one named OpenSearch cluster: a pooled
// transport per cluster, the endpoints in turn, credentials of this process. It is
// the one home of certificates and secrets for clusters: proxies, movers and the
// command line all go through it.
//
// What it refuses: to send a request twice that may have arrived. Another
// endpoint is tried only when no connection for the request was ever had, so
// that nothing of it can have been sent; [NotSent] tells callers the same about
// the error that they get. Requests that an HTTP library would repeat by itself
// because a header calls them idempotent are not repeated either.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream/http1"
	"github.com/sluiceproxy/sluice/placement"
)

// Options of a Client. The zero value is useful.
type Options struct {
	// DialTimeout bounds connecting, TLS handshake included (default 3 s).
	DialTimeout time.Duration
	// ResponseHeaderTimeout bounds the wait for the first byte of an answer after
	// the request was sent (default 2 min). A context may end it sooner.
	ResponseHeaderTimeout time.Duration
	// IdleTimeout closes connections that were unused for so long (default 60 s).
	IdleTimeout time.Duration
	// IdleConnections kept per endpoint (default 256).
	IdleConnections int
	// EndpointPause is how long an endpoint that could not be connected to is
	// passed over while others can (default 2 s).
	EndpointPause time.Duration
	// Transport replaces the pool of connections; simulations set it. It must tell
	// the request's httptrace GotConn before it sends anything.
	Transport http.RoundTripper
	// ReloadEvery is the least time between two looks at the files of certificates and
	// secrets (default one second).
	ReloadEvery time.Duration
	Logger      *slog.Logger // default: discard
}

func (o *Options) withDefaults() Options {
	var v Options
	if o != nil {
		v = *o
	}
	if v.DialTimeout <= 0 {
		v.DialTimeout = 3 * time.Second
	}
	if v.ResponseHeaderTimeout <= 0 {
		v.ResponseHeaderTimeout = 2 * time.Minute
	}
	if v.IdleTimeout <= 0 {
		v.IdleTimeout = 60 * time.Second
	}
	if v.IdleConnections <= 0 {
		v.IdleConnections = 256
	}
	if v.EndpointPause <= 0 {
		v.EndpointPause = 2 * time.Second
	}
	return v
}

// Client is the connection pool of one cluster. It is safe for concurrent use.
type Client struct {
	name      string
	endpoints []*endpoint
	next      atomic.Uint64
	transport func() http.RoundTripper
	auth      authorizer
	pause     time.Duration
}

type endpoint struct {
	scheme, host string
	downUntil    atomic.Int64 // Unix ns; passed over until then, while others can be connected to
}

// New returns the client of a cluster. The files of certificates and secrets are read
// now, and again when they change. Errors name the field of the cluster that is wrong.
func New(c placement.Cluster, o *Options) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("cluster %q: %w", c.Name, err)
	}
	opt := o.withDefaults()
	client := &Client{name: c.Name, pause: opt.EndpointPause}
	var err error
	if client.auth, err = newAuthorizer(c, &opt); err != nil {
		return nil, fmt.Errorf("cluster %q: %w", c.Name, err)
	}
	if client.transport, err = newTransport(c, &opt); err != nil {
		return nil, fmt.Errorf("cluster %q: %w", c.Name, err)
	}
	for _, e := range c.Endpoints {
		u, err := url.Parse(e)
		if err != nil {
			return nil, fmt.Errorf("cluster %q: endpoints: %w", c.Name, err)
		}
		client.endpoints = append(client.endpoints, &endpoint{scheme: u.Scheme, host: u.Host})
	}
	return client, nil
}

// Name is the cluster's name.
func (c *Client) Name() string { return c.name }

// WholeBodies reports whether requests are kept in memory as a whole before they are
// sent. Who streams a body from a slow client should read it before anything waits.
func (c *Client) WholeBodies() bool {
	_, ok := c.auth.(*signer)
	return ok
}

// Close closes idle connections. Requests under way are not disturbed.
func (c *Client) Close() {
	if t, ok := c.transport().(connections); ok {
		t.CloseIdleConnections()
	}
}

// notSentError says that no connection for the request was had.
type notSentError struct{ err error }

func (e *notSentError) Error() string { return e.err.Error() }

func (e *notSentError) ErrorCode() string { return "cluster_unreachable" }
func (e *notSentError) Unwrap() error     { return e.err }

// Unsent marks an error of a request that was not sent, for NotSent.
func Unsent(err error) error { return &notSentError{err} }

// NotSent reports whether err says that nothing of the request can have been
// sent, so that a write certainly had no effect. False means "cannot tell".
func NotSent(err error) bool {
	var n *notSentError
	return errors.As(err, &n)
}

// RoundTrip sends req to one endpoint of the cluster. It takes req over: its URL's scheme
// and host, and its headers, are changed. Scheme and host of the URL
// are ignored; path, query, headers and body are sent as they are, credentials
// of the cluster added, a caller's Authorization dropped. A body that has to be
// signed is read to its end first; otherwise it streams. Each endpoint is tried
// at most once, another one only while nothing has been sent. The answer's body
// is the caller's to close. Any status is an answer and no error.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	req, hash, err := c.auth.prepare(req)
	if err != nil {
		return nil, &notSentError{fmt.Errorf("cluster %s: %w", c.name, err)}
	}
	body := req.Body
	start := int(c.next.Add(1) % uint64(len(c.endpoints)))
	var last error
	for _, e := range c.order(start) {
		resp, sent, err := c.attempt(req, e, hash)
		if err == nil {
			return resp, nil
		}
		last = fmt.Errorf("cluster %s: %s: %w", c.name, e.host, err)
		if sent {
			return nil, last // the transport closes the body
		}
		if req.Context().Err() != nil {
			break
		}
		e.downUntil.Store(time.Now().Add(c.pause).UnixNano())
	}
	if body != nil {
		body.Close()
	}
	return nil, &notSentError{last}
}

// order returns the endpoints beginning at start, those that just failed last:
// they are tried all the same when no other can be connected to.
func (c *Client) order(start int) []*endpoint {
	n := len(c.endpoints)
	if n == 1 {
		return c.endpoints
	}
	now := time.Now().UnixNano()
	up, down := make([]*endpoint, 0, n), []*endpoint(nil)
	for i := range n {
		if e := c.endpoints[(start+i)%n]; e.downUntil.Load() <= now {
			up = append(up, e)
		} else {
			down = append(down, e)
		}
	}
	return append(up, down...)
}

// attempt sends to one endpoint. sent is false only when no connection was ever
// given to the request; the transport reads the body after that moment only, so
// the body is then still whole for the next endpoint.
func (c *Client) attempt(req *http.Request, e *endpoint, hash string) (resp *http.Response, sent bool, err error) {
	t := c.transport()
	own, ok := t.(*http1.Client)
	r := req
	if !ok { // it may use the request after an error
		r = req.Clone(req.Context())
	}
	r.URL.Scheme, r.URL.Host, r.Host, r.RequestURI = e.scheme, e.host, e.host, ""
	delete(r.Header, "Authorization")
	// net/http repeats any request that carries these on a broken connection.
	delete(r.Header, "Idempotency-Key")
	delete(r.Header, "X-Idempotency-Key")
	if err := c.auth.authorize(r, hash); err != nil {
		return nil, false, err
	}
	if ok {
		return own.Send(r)
	}
	return foreign(t, r)
}

// foreign sends by any transport that tells of connections, which may know no other end
// of a request than that of its context.
func foreign(t http.RoundTripper, r *http.Request) (resp *http.Response, sent bool, err error) {
	var got atomic.Bool
	ctx, cancel := timed(r.Context())
	r = r.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { got.Store(true) },
	}))
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &keptBody{ReadCloser: r.Body, got: &got}
	}
	if resp, err = t.RoundTrip(r); err != nil {
		cancel()
		return nil, got.Load(), err
	}
	resp.Body = &endedBody{resp.Body, cancel}
	return resp, true, nil
}

// endedBody ends a context with an answer.
type endedBody struct {
	io.ReadCloser
	end context.CancelFunc
}

func (b *endedBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// keptBody survives the transport's Close while no connection was had.
type keptBody struct {
	io.ReadCloser
	got *atomic.Bool
}

func (b *keptBody) Close() error {
	if !b.got.Load() {
		return nil
	}
	return b.ReadCloser.Close()
}

// Ping asks the cluster for its greeting.
func (c *Client) Ping(ctx context.Context) error {
	return c.JSON(ctx, http.MethodGet, "/", nil, nil, nil)
}

// Package http1 is a client of HTTP/1.1 that does its work on the goroutine of its
// caller: the request is written and the answer read there, over a pooled connection.
// net/http keeps two goroutines for each connection and hands every request and answer
// over between them, which costs a proxy more than all the rest of its work.
//
// What an answer is, net/http's own [http.ReadResponse] decides, framing included. So
// there is one reading of a message in this program. Most heads are of one plain form,
// which is read here as it would be there; a fuzz test compares the two.
//
// What it refuses: to send a request twice that may have arrived. A request is sent
// again only if a connection that was used before took no byte of it; or if it has no
// body, its method changes nothing (GET, HEAD, OPTIONS, TRACE), and the connection ended
// before any byte of an answer, as a server does that ends idle connections. No header
// makes it repeat anything. It speaks neither HTTP/2 nor through proxies, and follows
// no upgrades.
package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Client is a pool of connections to any number of addresses. It is an
// [http.RoundTripper], safe for concurrent use; its fields must not change after the
// first request. The deadline of a request's context is kept by that of the connection,
// the more time there was the less precisely: up to a 64th of it too early. Contexts
// that only tell of their deadline are enough.
type Client struct {
	// Dial makes a connection.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is used for https. A server name that it has goes over that of the URL.
	TLS *tls.Config
	// HandshakeTimeout bounds the handshake of TLS; 0: no bound.
	HandshakeTimeout time.Duration
	// HeaderTimeout bounds the wait for the head of an answer after the request was
	// sent; 0: no bound. The error is a timeout, and context.DeadlineExceeded to errors.Is.
	HeaderTimeout time.Duration
	// IdleTimeout closes connections that were unused for so long; 0: never.
	IdleTimeout time.Duration
	// Idle is how many connections are kept for each address.
	Idle int

	mu    sync.Mutex
	pools map[origin]*pool
}

type origin struct{ scheme, host string }

// maxHead is the most bytes of an answer's head, what comes before it with a status of
// 1xx included; as much as net/http takes.
const maxHead = 10 << 20

// RoundTrip implements http.RoundTripper.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, sent, err := c.Send(req)
	if err != nil && !sent && req.Body != nil {
		_ = req.Body.Close() // the caller's; nothing depends on it
	}
	return resp, err
}

// Send is RoundTrip that tells of an error whether there was a connection for the request,
// before which nothing of it is sent. If there was none, its body is neither read nor
// closed.
func (c *Client) Send(req *http.Request) (resp *http.Response, sent bool, err error) {
	x := &exchange{}
	x.own.req = req
	o := &x.own
	resp, sent, err = c.send(x)
	if err != nil {
		if sent {
			o.closeBody()
		}
		o.free()
		return nil, sent, err
	}
	return resp, sent, nil
}

// send sends what x has of its own, which has its first exchange there, too.
func (c *Client) send(x *exchange) (resp *http.Response, sent bool, err error) {
	o := &x.own
	ctx := o.req.Context()
	if ctx.Err() != nil {
		return nil, false, cause(ctx)
	}
	if err := o.writeHead(); err != nil {
		return nil, false, err
	}
	p := c.pool(o.req.URL)
	for first := true; ; first = false {
		var k *conn
		if first {
			k = p.get()
		}
		reused := k != nil
		if k == nil {
			var err error
			if k, err = p.dial(ctx); err != nil {
				return nil, sent, err
			}
		}
		sent = true
		if !first {
			x = &exchange{}
		}
		resp, again, err := x.begin(o, k)
		if err == nil {
			return resp, true, nil
		}
		if !again || !reused || ctx.Err() != nil {
			return nil, true, err
		}
	}
}

// cause is why a context has ended. One that only tells of its deadline knows no cause of
// that.
func cause(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// CloseIdleConnections closes the connections that nobody uses, and has those that are
// in use closed when they have been. Requests under way are not disturbed.
func (c *Client) CloseIdleConnections() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pools {
		p.closeIdle()
	}
}

func (c *Client) pool(u *url.URL) *pool {
	key := origin{u.Scheme, u.Host}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pools[key]
	if p == nil {
		if c.pools == nil {
			c.pools = map[origin]*pool{}
		}
		p = &pool{c: c, secure: u.Scheme == "https", address: address(u), name: u.Hostname()}
		c.pools[key] = p
	}
	return p
}

// address is what is dialled for a URL.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// checkURL refuses what has no address.
func checkURL(u *url.URL) error {
	switch {
	case u == nil:
		return errors.New("http1: the request has no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("http1: unsupported scheme %q", u.Scheme)
	case u.Hostname() == "":
		return errors.New("http1: the URL names no host")
	}
	return nil
}

// withoutZone is a host without the zone of an IPv6 address, which means something on
// this machine only.
func withoutZone(host string) string {
	if !strings.HasPrefix(host, "[") {
		return host
	}
	end := strings.LastIndexByte(host, ']')
	zone := strings.IndexByte(host, '%')
	if zone < 0 || end < zone {
		return host
	}
	return host[:zone] + host[end:]
}

// handshake makes a connection one of TLS.
func (c *Client) handshake(ctx context.Context, raw net.Conn, name string) (net.Conn, error) {
	config := c.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	if config.ServerName == "" {
		config.ServerName = name
	}
	config.NextProtos = []string{"http/1.1"}
	if c.HandshakeTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.HandshakeTimeout, errHandshake)
		defer cancel()
	}
	t := tls.Client(raw, config)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // nothing was said on it
		if ctx.Err() != nil {
			err = cause(ctx)
		}
		return nil, err
	}
	return t, nil
}

// timeoutError is one of this package's own bounds.
type timeoutError string

func (e timeoutError) Error() string { return string(e) }

// ErrorCode is that of whatever has not answered.
func (timeoutError) ErrorCode() string { return "cluster_unreachable" }

// Timeout is for net.Error.
func (timeoutError) Timeout() bool { return true }

// Temporary is for net.Error.
func (timeoutError) Temporary() bool { return true }

// Is makes it a deadline like those of contexts.
func (timeoutError) Is(err error) bool { return err == context.DeadlineExceeded }

const (
	errHandshake = timeoutError("http1: the handshake of TLS took too long")
	errHeader    = timeoutError("http1: timeout awaiting the head of the answer")
	errBody      = timeoutError("http1: timeout awaiting the rest of the answer")
)

package consulstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

// ErrClosed is what every call returns, wrapped, after Close. A write that
// returns it may have taken effect if it was under way.
var ErrClosed = catalog.New("store_client_closed", "the Consul client is closed")

// Pauses between attempts: doubled from the first to the last, with jitter, so
// that many clients do not come back at the same moment.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// conn is the way to one datacenter.
type conn struct {
	agents  []*agent
	current atomic.Uint32 // which of them is used, modulo their number
	http    *http.Client
	idle    func() // closes connections that nobody uses

	datacenter                 string
	timeout, listTimeout, wait time.Duration
	log                        *slog.Logger

	life       context.Context // ends with Close
	end        context.CancelFunc
	background sync.WaitGroup // sessions being destroyed for nobody

	mu     sync.Mutex
	closed bool
}

// agent is one address.
type agent struct {
	*api.Client
	base string
}

// Close closes the connections; calls that are under way return ErrClosed.
// Sessions that are open live on until their ttl has passed. It may be called
// more than once.
func (c *conn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	c.background.Wait()
	c.idle()
	return nil
}

// bound gives a call without a deadline the default one, so that nothing hangs
// when Consul is down; and it ends with the store.
func (c *conn) bound(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	var cancel context.CancelFunc
	if _, ok := ctx.Deadline(); ok {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithTimeout(ctx, d)
	}
	stop := context.AfterFunc(c.life, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// read asks what may be asked again, until it is answered or the context ends:
// another agent each time, if there is one. With several agents one that hangs
// does not use up all the time.
func (c *conn) read(ctx context.Context, doing string, step func(context.Context, *agent) error) error {
	return c.call(ctx, doing, func(ctx context.Context, a *agent) error {
		if len(c.agents) > 1 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.timeout/2)
			defer cancel()
		}
		return step(ctx, a)
	}, func(err error) bool { return !definite(err) })
}

// send sends a write once. It is sent again only when it certainly was not sent:
// no connection could be made. (net/http repeats a request other than a GET by
// itself only when nothing of it was written to a connection that had been closed;
// a Consul agent repeats one only when there was no leader to take it.) Sent again
// after its answer was lost it would find its own effect, and the conflict that it
// reported would be a lie.
func (c *conn) send(ctx context.Context, doing string, step func(context.Context, *agent) error) error {
	return c.call(ctx, doing, step, func(err error) bool {
		var op *net.OpError
		return errors.As(err, &op) && op.Op == "dial"
	})
}

// call runs one step, and again after an error of which again says so. The error
// that it returns says what was being done, and holds the context's error if that
// is the reason.
func (c *conn) call(ctx context.Context, doing string, step func(context.Context, *agent) error, again func(error) bool) error {
	caller := ctx
	ctx, cancel := c.bound(ctx, c.timeout)
	defer cancel()
	var last error
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := c.alive(ctx)
		if err == nil {
			n, began := c.current.Load(), time.Now()
			err = step(ctx, c.agents[int(n)%len(c.agents)])
			if err == nil || errors.As(err, new(*certain)) {
				return err
			}
			// A caller who had no time, or no more wish, says nothing about the agent.
			if caller.Err() == nil && !definite(err) || time.Since(began) > c.timeout/4 {
				c.current.CompareAndSwap(n, n+1) // of many that fail at once, one changes over
				c.idle()                         // the others in the pool are likely to be as dead
			}
		}
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrClosed) {
			last = err
		}
		switch {
		case c.over():
			return fmt.Errorf("consul: %s: %w", doing, ErrClosed)
		case caller.Err() != nil:
			return fmt.Errorf("consul: %s: %w", doing, explain(caller.Err(), last))
		case ctx.Err() != nil:
			return fmt.Errorf("consul: %s: no answer in time: %w", doing, explain(ctx.Err(), last))
		case !again(err):
			return fmt.Errorf("consul: %s: %w", doing, err)
		}
		c.sleep(ctx, pause)
	}
}

// block asks once what Consul answers when something has changed, or after a
// while. The answer may come from a leader that has been replaced without knowing,
// so it is a reason to look, not something to believe.
func (c *conn) block(ctx context.Context, doing string, ask func(*agent, *api.QueryOptions) error) error {
	// Consul adds up to a sixteenth, so that not all ask again at once.
	ctx, cancel := context.WithTimeout(ctx, c.wait+c.wait/16+min(c.timeout, 2*time.Second))
	defer cancel()
	return c.call(ctx, doing, func(ctx context.Context, a *agent) error {
		return ask(a, (&api.QueryOptions{WaitTime: c.wait}).WithContext(ctx))
	}, func(error) bool { return false })
}

// explain adds what went wrong last to the end of a context.
func explain(ended, last error) error {
	if last == nil {
		return ended
	}
	return fmt.Errorf("%w (%v)", ended, last)
}

// certain is an answer of Consul rather than a failure to get one. It passes
// through call as it is.
type certain struct{ error }

func (e *certain) Unwrap() error { return e.error }

// alive is nil unless the context has ended or the store is closed.
func (c *conn) alive(ctx context.Context) error {
	if c.over() {
		return ErrClosed
	}
	return ctx.Err()
}

func (c *conn) over() bool { return c.life.Err() != nil }

// sleep waits about that long, or for the context's or the store's end.
func (c *conn) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-c.life.Done():
	}
}

// errForbidden is what Consul kept back because of the token's rights.
var errForbidden = errors.New("permission denied")

// definite reports whether asking again is useless: Consul says that the token
// is wrong, or that it may not, or that the request is wrong.
func definite(err error) bool {
	if errors.Is(err, errForbidden) {
		return true
	}
	var status api.StatusError
	if errors.As(err, &status) {
		return status.Code >= 400 && status.Code < 500 && status.Code != http.StatusTooManyRequests
	}
	text := err.Error()
	return strings.Contains(text, "Permission denied") || strings.Contains(text, "ACL not found")
}

// consistent are the options of a question that must see everything acknowledged.
func consistent(ctx context.Context) *api.QueryOptions {
	return (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx)
}

// exact makes requests independent of this process's environment: the client
// library puts a token, a namespace and a partition that it finds there in the place
// of ones that are not configured.
type exact struct {
	to    http.RoundTripper
	token string
}

// RoundTrip implements http.RoundTripper.
func (e exact) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("X-Consul-Token")
	if e.token != "" {
		r.Header.Set("X-Consul-Token", e.token)
	}
	if q := r.URL.Query(); q.Has("ns") || q.Has("partition") {
		q.Del("ns")
		q.Del("partition")
		r.URL.RawQuery = q.Encode()
	}
	return e.to.RoundTrip(r)
}

package mover

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// status returns the status and error type of an answer, 0 when there was none.
func status(err error) (int, string) {
	var s *upstream.StatusError
	if errors.As(err, &s) {
		return s.Status, s.Type
	}
	return 0, ""
}

// overloaded reports a refusal for lack of capacity: nothing was done.
func overloaded(err error) bool {
	code, _ := status(err)
	return code == http.StatusTooManyRequests
}

// pause waits before try number n (from 0): 50 ms doubling to 5 s, with jitter
// so that workers do not come back together. It ends with the context.
func pause(ctx context.Context, n int) error {
	d := min(50*time.Millisecond<<min(n, 7), 5*time.Second)
	d = d/2 + jitter(d/2+1)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// jitter is random, below d. It comes from crypto/rand because a simulation can
// replay that.
func jitter(d time.Duration) time.Duration {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return time.Duration(binary.LittleEndian.Uint64(b[:]) % uint64(d))
}

// read performs a call that changes nothing, so it is repeated: after 429 for
// as long as Patience lasts, after a broken connection or a 502 to 504 a few times.
func (m *Mover) read(ctx context.Context, c *upstream.Client, method, path string, q url.Values, body, into any) error {
	return m.repeat(ctx, 4, func() error {
		err := c.JSON(ctx, method, path, q, body, into)
		if overloaded(err) {
			m.throttle.refusedBy(c.Name())
		}
		return err
	})
}

// change performs a call that changes something and may be repeated, because
// every such call of this package sets a state rather than adding to it.
func (m *Mover) change(ctx context.Context, c *upstream.Client, method, path string, q url.Values, body, into any) error {
	return m.repeat(ctx, 0, func() error { return c.JSON(ctx, method, path, q, body, into) })
}

func (m *Mover) repeat(ctx context.Context, failures int, call func() error) error {
	began := time.Now()
	for n := 0; ; n++ {
		err := call()
		code, _ := status(err)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return err
		case overloaded(err):
			if time.Since(began) > m.opt.Patience {
				return errors.Join(ErrOverloaded, err)
			}
		case (code == 0 || code >= 502 && code <= 504) && failures > 0:
			failures--
		default:
			return err
		}
		if perr := pause(ctx, n); perr != nil {
			return errors.Join(perr, err)
		}
	}
}

// esc escapes an index or alias name for a path.
func esc(name string) string { return url.PathEscape(name) }

func query(kv ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v
}

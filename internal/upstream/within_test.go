package upstream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// stuck is a transport that knows of contexts what they signal, and gets stuck in an
// answer's head or body.
type stuck struct{ body bool }

func (s stuck) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.body {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	in, out := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = out.CloseWithError(r.Context().Err()) })
	return &http.Response{StatusCode: 200, Body: in}, nil
}

// What Within says holds with every transport, and so does the end of what is beneath it.
func TestWithin(t *testing.T) {
	for _, s := range []stuck{{false}, {true}} {
		for what, bounds := range map[string][2]time.Duration{"its own": {time.Minute, time.Hour}, "the other's": {time.Hour, time.Minute}} {
			t.Run(what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, err := upstream.New(placement.Cluster{Name: "a", Endpoints: []string{"http://a"}}, &upstream.Options{Transport: s})
					if err != nil {
						t.Fatal(err)
					}
					parent, cancel := context.WithTimeout(t.Context(), bounds[1])
					defer cancel()
					ctx := upstream.Within(parent, bounds[0])
					if end, ok := ctx.Deadline(); !ok || time.Until(end) != time.Minute || ctx.Err() != nil {
						t.Errorf("ends %v, %v", end, ctx.Err())
					}
					ended := false
					stop := context.AfterFunc(ctx, func() { ended = true })
					defer stop()
					req, err := http.NewRequestWithContext(ctx, "GET", "/", strings.NewReader("{}"))
					if err != nil {
						t.Fatal(err)
					}
					begun := time.Now()
					resp, err := c.RoundTrip(req)
					if err == nil {
						_, err = io.ReadAll(resp.Body)
						_ = resp.Body.Close()
					}
					if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Minute {
						t.Errorf("%v after %v", err, time.Since(begun))
					}
					if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
						t.Errorf("it has ended with %v", ctx.Err())
					}
					if synctest.Wait(); ended != (parent.Err() != nil) {
						t.Errorf("called at the end: %t", ended)
					}
				})
			})
		}
	}
}

package load_test

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/history"
	"github.com/sluiceproxy/sluice/internal/load"
)

// faulty forwards to a base URL, and for one request in twenty does something else, when it is on.
func faulty(t *testing.T, base string, on *atomic.Bool) *httptest.Server {
	cut := func(w http.ResponseWriter) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forward := func() (*http.Response, error) {
			req, err := http.NewRequestWithContext(r.Context(), r.Method, base+r.URL.RequestURI(), r.Body)
			if err != nil {
				return nil, err
			}
			req.Header = r.Header.Clone()
			return http.DefaultTransport.RoundTrip(req)
		}
		write := !strings.Contains(r.URL.Path, "search") && !strings.Contains(r.URL.Path, "_mget") && r.Method != http.MethodGet
		n := 100
		if on.Load() {
			n = rand.IntN(100)
		}
		switch {
		case n == 0:
			w.Header().Set("Retry-After", "0")
			http.Error(w, `{"error":{"type":"held_too_long","reason":"test"},"status":503}`, http.StatusServiceUnavailable)
		case n == 1:
			cut(w)
		case n == 2 && write:
			if resp, err := forward(); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			cut(w)
		case n == 3 && write:
			if resp, err := forward(); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			http.Error(w, `{"error":{"type":"sluice_outcome_unknown","reason":"test"},"status":504}`, http.StatusGatewayTimeout)
		default:
			resp, err := forward()
			if err != nil {
				cut(w)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			for k, v := range resp.Header {
				w.Header()[k] = v
			}
			w.WriteHeader(resp.StatusCode)
			_, _ = io.Copy(w, resp.Body)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// TestUnknownOutcomesAreNoFaults: what a client cannot know must neither be reported as lost nor hide anything.
func TestUnknownOutcomesAreNoFaults(t *testing.T) {
	node := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	send(t, http.MethodPut, node.URL()+"/faulty", load.Mapping)
	docs, err := load.Corpus(t.Context(), 300)
	must(t, err)
	// Somebody who listens no more is the third address: a connection that was refused is no unknown outcome.
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, gone.Close())
	var on atomic.Bool // whoever seeds wants to know
	through := load.Target{URLs: []string{node.URL(), faulty(t, node.URL(), &on).URL, "http://" + gone.Addr().String()}, Index: "faulty"}
	var ops []history.Op
	l, err := load.New(through, docs, 0, &load.Options{Rate: 500, Workers: 4, Observe: func(o history.Op) { ops = append(ops, o) }})
	must(t, err)
	t.Cleanup(l.Close)
	must(t, l.Seed(t.Context(), nil))
	on.Store(true)
	stop := make(chan struct{})
	go func() { // until enough has happened
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if c := l.Counts(); c.Retried >= 50 && c.Unknown >= 5 {
				break
			}
		}
		close(stop)
	}()
	must(t, l.Run(t.Context(), stop))
	observed(t, ops)
	report, err := l.Check(t.Context())
	must(t, err)
	c := l.Counts()
	t.Logf("%+v %+v", c, report)
	if !report.OK() || c.Stale != 0 || c.Failed != 0 || c.Jumps != 0 {
		t.Errorf("%v %v", report.Findings, l.Trouble())
	}
	if c.Retried < 20 || c.Unknown < 5 {
		t.Error("too few faults happened to show anything")
	}
}

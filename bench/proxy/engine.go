package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
	"github.com/sluiceproxy/sluice/internal/http1server"
	"github.com/sluiceproxy/sluice/internal/upstream/http1"
)

const roleEngine = "serve-engine"

// Names of the engines: a proxy that does nothing but pass on, over the client that sluice
// has for its clusters, and over one of two servers. What sluice takes beside the second
// is what it does to a request.
const (
	engineOwn     = "http1server"
	engineNetHTTP = "net/http"
)

// passOn sends requests to an address as they are.
type passOn struct {
	client *http1.Client
	to     string
}

func (p passOn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u := url.URL{Scheme: "http", Host: p.to, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	req := (&http.Request{Method: r.Method, URL: &u, Header: r.Header, Body: r.Body, ContentLength: r.ContentLength}).WithContext(r.Context())
	resp, err := p.client.RoundTrip(req)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }() // it was read, or the client is gone
	h := w.Header()
	for name, values := range resp.Header {
		h[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // or the client is gone
}

// runEngine serves with the server args[0] at args[1], before args[2].
func runEngine(args []string) int {
	l, err := net.Listen("tcp", args[1])
	if err == nil {
		s := &http.Server{ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, Handler: passOn{&http1.Client{Dial: new(net.Dialer).DialContext, Idle: 256, IdleTimeout: time.Minute}, args[2]}}
		if args[0] == engineOwn {
			err = http1server.New(s).Serve(l)
		} else {
			err = s.Serve(l)
		}
	}
	_, _ = fmt.Fprintln(os.Stderr, err)
	return 1
}

// engineRows compare the engines, for the kind of request that was measured with both.
func (r *results) engineRows(name string, n int) []report.Row {
	own, other := r.cell(engineOwn, tenantWhole, name, n), r.cell(engineNetHTTP, tenantWhole, name, n)
	if own == nil || other == nil {
		return nil
	}
	what := fmt.Sprintf("engine alone, %s, %d connections, ", name, n)
	x, least, most := own.middle(turn.perRequest)
	y, _, _ := other.middle(turn.perRequest)
	cost := report.Row{What: what + "processor time of a request", Against: engineNetHTTP, Value: fmt.Sprintf("%.1f us", x), Other: fmt.Sprintf("%.1f us", y), Ratio: x / y, N: len(own.Turns),
		Spread: fmt.Sprintf("%.1f to %.1f us", least, most)}
	return []report.Row{rates(what+"requests a second", engineNetHTTP, own, other, 0), cost}
}

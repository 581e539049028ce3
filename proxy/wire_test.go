package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/http1server"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
	"github.com/sluiceproxy/sluice/tenancy"
)

// call is a request as the server's parser gave it to the proxy, or as the cluster got it.
type call struct {
	n                    int // which of a message's
	method, path, tenant string
	body                 int
}

// wire is a proxy behind its own server, and a cluster that keeps what it is sent.
type wire struct {
	addr  string
	open  bool // the message itself asks the server to close the connection
	reg   *prometheus.Registry
	mu    sync.Mutex
	calls []call // of the handler
	seen  []call // of the cluster
}

var placeOther = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "other-1", Logical: "docs"}

func newWire(tb testing.TB) *wire {
	tb.Helper()
	w := &wire{reg: prometheus.NewRegistry()}
	cluster := httptest.NewServer(http.HandlerFunc(w.cluster))
	tb.Cleanup(cluster.Close)
	s := store.New(memstore.New(nil), nil)
	if _, err := s.Clusters().Put(tb.Context(), "a", placement.Cluster{Name: "a", Endpoints: []string{cluster.URL}}, 0); err != nil {
		tb.Fatal(err)
	}
	for id, p := range map[placement.PartitionID]placement.Placement{acme: placeA, other: placeOther} {
		if _, err := s.Register(tb.Context(), id, p); err != nil {
			tb.Fatal(err)
		}
	}
	g, err := gate.New(s, &gate.Options{CloseDeadline: 50 * time.Millisecond})
	if err != nil {
		tb.Fatal(err)
	}
	d := proxy.NewDirectory(s, nil)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, run := range []func(context.Context) error{g.Run, d.Run} {
		wg.Go(func() { _ = run(ctx) })
	}
	tb.Cleanup(func() { cancel(); wg.Wait() })
	<-d.Ready()
	for g.Ready() != nil {
		time.Sleep(time.Millisecond) // polling: nothing tells
	}
	tenants, err := tenancy.New(tenancy.Default(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := proxy.New(g, d, tenants, &proxy.Options{CursorKeys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Registerer: w.reg, WriteTimeout: 5 * time.Second})
	if err != nil {
		tb.Fatal(err)
	}
	w.addr = serveWire(tb, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		n := len(w.calls)
		w.calls = append(w.calls, call{n: n, method: r.Method, path: r.URL.EscapedPath(), tenant: r.Header.Get("X-Sluice-Tenant")})
		w.mu.Unlock()
		r.Header.Set("X-Opaque-Id", strconv.Itoa(n)) // goes to the cluster, and tells which request was passed on
		p.ServeHTTP(rw, r)
	}))
	return w
}

// serve serves h as the program does, and returns where.
func serve(tb testing.TB, h http.Handler) string {
	tb.Helper()
	return serveBehind(tb, proxy.NewServer(h), func(l net.Listener) net.Listener { return l })
}

// serveWire is serve for messages that end.
func serveWire(tb testing.TB, h http.Handler) string {
	tb.Helper()
	set := proxy.NewServer(h)
	set.ConnState = func(c net.Conn, s http.ConnState) { c.(*patientConn).serving.Store(s == http.StateActive) }
	return serveBehind(tb, set, func(l net.Listener) net.Listener { return patientListener{l} })
}

func serveBehind(tb testing.TB, set *http.Server, wrap func(net.Listener) net.Listener) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	srv := http1server.New(set)
	go func() { _ = srv.Serve(wrap(proxy.Listen(l))) }()
	tb.Cleanup(func() { _ = srv.Close() })
	return l.Addr().String()
}

// patientListener makes of the end of what a client sends no end of the client. By it
// the tests know when a server has done with a message; but a server looks for it while
// a request is served, net/http one byte at a time, and takes it for a client that went away.
type patientListener struct{ net.Listener }

func (l patientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &patientConn{Conn: c, stop: make(chan struct{}, 1), closed: make(chan struct{})}, nil
}

type patientConn struct {
	net.Conn
	serving atomic.Bool   // a request has been read, and is not answered
	stop    chan struct{} // the server wants its look ended
	closed  chan struct{}
	once    sync.Once
}

// SyscallConn gives the socket, but lets nobody look at it.
func (c *patientConn) SyscallConn() (syscall.RawConn, error) {
	raw, err := c.Conn.(syscall.Conn).SyscallConn()
	return unwatched{raw}, err
}

type unwatched struct{ syscall.RawConn }

func (unwatched) Control(func(uintptr)) error { return nil }

func (c *patientConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == io.EOF && len(b) == 1 && c.serving.Load() {
		select {
		case <-c.stop:
			return 0, os.ErrDeadlineExceeded
		case <-c.closed:
		}
	}
	return n, err
}

func (c *patientConn) SetReadDeadline(t time.Time) error {
	if !t.IsZero() && t.Before(time.Now()) {
		select {
		case c.stop <- struct{}{}:
		default:
		}
	} else {
		select {
		case <-c.stop:
		default:
		}
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *patientConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (w *wire) cluster(rw http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	n, err := strconv.Atoi(r.Header.Get("X-Opaque-Id"))
	if err != nil {
		n = -1
	}
	w.mu.Lock()
	w.seen = append(w.seen, call{n: n, method: r.Method, path: r.URL.EscapedPath(), body: len(b)})
	w.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/_bulk"):
		var items []string
		for line := range bytes.SplitSeq(b, []byte("\n")) {
			for _, verb := range []string{"index", "create", "update", "delete"} {
				if bytes.HasPrefix(line, []byte(`{"`+verb+`":`)) {
					items = append(items, `{"`+verb+`":{"_index":"acme-1","_id":"1","status":200}}`)
				}
			}
		}
		answer(rw, 200, `{"took":1,"errors":false,"items":[`+strings.Join(items, ",")+`]}`)
	default:
		answer(rw, 200, `{"took":1}`)
	}
}

// message is what became of one message.
type message struct {
	calls, seen []call
	answers     []*http.Response
	bodies      []string
	rest        []byte // of the answer, that is none
	raw         []byte
}

// say sends bytes on one connection and reads until that ends.
func (w *wire) say(tb testing.TB, raw []byte) message {
	w.mu.Lock()
	w.calls, w.seen = nil, nil
	w.mu.Unlock()
	nc, err := net.Dial("tcp", w.addr)
	if err != nil {
		tb.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	go func() { // large ones are answered before they have been sent
		_, _ = nc.Write(raw)
		if !w.open {
			_ = nc.(*net.TCPConn).CloseWrite()
		}
	}()
	got, err := io.ReadAll(nc)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		tb.Fatalf("%.300q: the connection does not end; so far %.300q", raw, got)
	}
	w.mu.Lock()
	m := message{calls: w.calls, seen: w.seen, raw: got}
	w.mu.Unlock()
	in := bufio.NewReader(bytes.NewReader(got))
	for n := 0; ; {
		if _, err := in.Peek(1); err != nil {
			break
		}
		req := &http.Request{Method: http.MethodGet}
		if n < len(m.calls) {
			req.Method = m.calls[n].method
		}
		resp, err := http.ReadResponse(in, req)
		if err != nil {
			m.rest, _ = io.ReadAll(in)
			break
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			m.rest = append(m.rest, b...)
			break
		}
		if resp.StatusCode < 200 {
			continue
		}
		m.answers, m.bodies = append(m.answers, resp), append(m.bodies, string(b))
		n++
	}
	return m
}

// fixed are paths to the cluster that name no index: what they lead to is in a sealed
// cursor, or they are nobody's.
var fixed = []string{"/", "/_search/scroll", "/_search", "/_search/point_in_time", "/_render/template"}

// check holds what became of a message against what must hold of every one.
func (w *wire) check(tb testing.TB, raw []byte, m message) {
	tb.Helper()
	bad := func(format string, args ...any) {
		tb.Helper()
		tb.Fatalf("%q: %s\nrequests %+v\nto the cluster %+v\nanswer %.2000q", raw, fmt.Sprintf(format, args...), m.calls, m.seen, m.raw)
	}
	perCall := map[int]int{}
	for _, s := range m.seen {
		if s.n < 0 || s.n >= len(m.calls) {
			bad("the cluster got a request that the proxy did not")
		}
		from := m.calls[s.n]
		if class, _, _, _, status := proxy.Classify(from.method, from.path); status != 0 {
			bad("the request is none that is served, and reached the cluster")
		} else if perCall[s.n]++; perCall[s.n] > 1 && class != "bulk" {
			bad("the cluster got a request more than once")
		}
		index := map[string]string{string(acme): "acme-1", string(other): "other-1"}[from.tenant]
		if index == "" {
			bad("a request of no tenant reached the cluster")
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(s.path, "/"), "/")
		name, err := url.PathUnescape(first)
		if err != nil || name != index && !slices.Contains(fixed, s.path) {
			bad("the cluster got a path outside of the tenant: %s", s.path)
		}
		if strings.Contains(s.path, "/../") || strings.HasSuffix(s.path, "/..") || strings.Contains(strings.ToLower(s.path), "%2e%2e/") || strings.Contains(s.path, "//") {
			bad("the cluster got a path that a server may read in two ways: %s", s.path)
		}
	}
	if n := testutil.ToFloat64(w.panics(tb)); n != 0 {
		bad("%v panics", n)
	}
	if bytes.HasPrefix(raw, []byte("PRI * HTTP/2.0")) {
		return // its answer is of HTTP/2
	}
	if len(m.answers) > len(m.calls)+1 {
		bad("%d answers to %d requests", len(m.answers), len(m.calls))
	}
	for i, a := range m.answers {
		if a.StatusCode < 400 || a.StatusCode == http.StatusExpectationFailed || i < len(m.calls) && m.calls[i].method == http.MethodHead {
			continue
		}
		var e struct {
			Error struct {
				Type, Reason, Action string
				Retryable            *bool
				RootCause            []struct{ Type string } `json:"root_cause"`
			}
			Status int
		}
		if err := json.Unmarshal([]byte(m.bodies[i]), &e); err != nil || e.Error.Type == "" || e.Error.Action == "" || e.Error.Retryable == nil || len(e.Error.RootCause) != 1 || e.Status != a.StatusCode {
			bad("an error out of shape: %d %s", a.StatusCode, m.bodies[i])
		}
		if a.StatusCode >= 500 && e.Error.Type == proxy.TypeInternal {
			bad("a mistake of the program's: %s", m.bodies[i])
		}
	}
	if len(m.rest) > 0 && bytes.HasPrefix(m.rest, []byte("HTTP/")) {
		bad("what follows the answers is none: %.200q", m.rest)
	}
}

func (w *wire) panics(tb testing.TB) prometheus.Collector {
	tb.Helper()
	all, err := w.reg.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == "sluice_proxy_panics_total" {
			v := f.GetMetric()[0].GetCounter().GetValue()
			return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "x"}, func() float64 { return v })
		}
	}
	tb.Fatal("there is no count of panics")
	return nil
}

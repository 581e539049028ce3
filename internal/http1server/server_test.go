package http1server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/credentials/testca"
	"github.com/sluiceproxy/sluice/internal/http1server"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, // but for connections of the last test whose clients are given time to read
		goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"),
		goleak.IgnoreAnyFunction("github.com/sluiceproxy/sluice/internal/http1server.(*response).lastWords"))
}

// server is what this package and net/http have.
type server interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
	Close() error
}

// period is short here, so that nobody waits long for what takes some.
const period = 5 * time.Millisecond

func own(rest *http.Server) server { return http1server.NewWith(rest, period) }

func nethttp(rest *http.Server) server { return rest }

// both runs a test with this server and with net/http's.
func both(t *testing.T, f func(t *testing.T, serve func(*http.Server) server)) {
	t.Run("own", func(t *testing.T) { f(t, own) })
	t.Run("net-http", func(t *testing.T) { f(t, nethttp) })
}

// start serves, with HTTP/2 in the clear as well, and returns where.
func start(t testing.TB, serve func(*http.Server) server, rest *http.Server) (s server, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rest.Protocols = new(http.Protocols)
	rest.Protocols.SetHTTP1(true)
	rest.Protocols.SetHTTP2(true)
	rest.Protocols.SetUnencryptedHTTP2(true)
	rest.DisableGeneralOptionsHandler = true
	if rest.ErrorLog == nil {
		rest.ErrorLog = log.New(io.Discard, "", 0)
	}
	s = serve(rest)
	over := make(chan error, 1)
	go func() { over <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-over; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, l.Addr().String()
}

func dial(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c.(*net.TCPConn)
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Error(err)
	}
}

// hear reads an answer.
func hear(t *testing.T, in *bufio.Reader, method string) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// Requests follow one another on a connection, and are served here.
func TestKeepsAlive(t *testing.T) {
	var others atomic.Int32
	_, addr := start(t, own, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !http1server.Own(w) {
			others.Add(1)
		}
		if r.RemoteAddr == "" || r.TLS != nil || r.Context().Value(http.LocalAddrContextKey) == nil || r.Context().Value(http.ServerContextKey) == nil {
			t.Errorf("from %q, %v", r.RemoteAddr, r.TLS)
		}
		echo(w, r)
	})})
	c := dial(t, addr)
	in := bufio.NewReader(c)
	for i := range 10 {
		for _, piece := range strings.SplitAfter("PUT /"+strconv.Itoa(i)+" HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "\n") {
			say(t, c, piece)
			time.Sleep(time.Millisecond) // so that it is a piece by itself, mostly
		}
		if resp, b := hear(t, in, "PUT"); resp.StatusCode != 200 || !strings.HasPrefix(b, fmt.Sprintf(`PUT /%d x 3 "abc" false`, i)) {
			t.Fatalf("%d %s", resp.StatusCode, b)
		}
	}
	if n := others.Load(); n > 0 {
		t.Errorf("net/http served %d", n)
	}
	// After that the connection is net/http's, and works.
	for _, raw := range []string{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"} {
		say(t, c, raw)
		if resp, b := hear(t, in, "GET"); resp.StatusCode != 200 {
			t.Fatalf("%d %s", resp.StatusCode, b)
		}
	}
	if n := others.Load(); n != 2 {
		t.Errorf("net/http served %d, want 2", n)
	}
}

// closed waits until the other side ends the connection, and returns what it said.
func closed(t *testing.T, c net.Conn) string {
	t.Helper()
	b, err := io.ReadAll(c)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the connection does not end: %q", b)
	}
	return string(b)
}

// Connections that send nothing, or not the whole of a head, end; a request under way does not.
func TestTimeouts(t *testing.T) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		release := make(chan struct{})
		_, addr := start(t, serve, &http.Server{ReadHeaderTimeout: 10 * period, IdleTimeout: 10 * period, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				<-release
			}
			echo(w, r)
		})})
		slow := dial(t, addr)
		say(t, slow, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
		for name, raw := range map[string]string{"nothing": "", "half a head": "GET / HTTP/1.1\r\nHo", "idle": "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "half the next": "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET"} {
			c := dial(t, addr)
			say(t, c, raw)
			if n := strings.Count(closed(t, c), "HTTP/1.1 200"); n != strings.Count(raw, "x\r\n") {
				t.Errorf("%s: %d answers", name, n)
			}
		}
		trickle := dial(t, addr)
		go func() {
			for _, err := io.WriteString(trickle, "GET /"); err == nil; _, err = io.WriteString(trickle, "a") {
				time.Sleep(period)
			}
		}()
		_ = closed(t, trickle)
		close(release)
		if resp, _ := hear(t, bufio.NewReader(slow), "GET"); resp.StatusCode != 200 {
			t.Errorf("the slow one: %d", resp.StatusCode)
		}
	})
}

// A client that leaves ends the context of its request, by whatever way it goes and
// however little of it; but not before the body was read, nor with another request behind.
func TestClientLeaves(t *testing.T) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		type seen struct {
			started chan struct{}
			ended   chan error
		}
		handlers := map[string]seen{}
		var mu sync.Mutex
		at := func(path string) seen {
			mu.Lock()
			defer mu.Unlock()
			s, ok := handlers[path]
			if !ok {
				s = seen{make(chan struct{}), make(chan error, 1)}
				handlers[path] = s
			}
			return s
		}
		stop := make(chan struct{})
		_, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := at(r.URL.Path)
			if r.URL.Query().Has("read") {
				_, _ = io.ReadAll(r.Body)
			}
			close(s.started)
			select {
			case <-r.Context().Done():
				s.ended <- r.Context().Err()
			case <-stop:
				s.ended <- nil
			}
		})})
		const get = "GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
		const put = "PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
		fin := func(c *net.TCPConn) { _ = c.CloseWrite() }
		type test struct {
			path, raw string
			leave     func(*net.TCPConn)
			ends      bool
		}
		tests := []test{
			{"/fin", get, fin, true},
			{"/close", get, func(c *net.TCPConn) { _ = c.Close() }, true},
			{"/rst", get, func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }, true},
			{"/body?read", put, fin, true},
			{"/body-not-read", put, fin, false},
			{"/more", get + "GET /never HTTP/1.1\r\nHost: x\r\n\r\n", fin, false},
			{"/stays", get, func(*net.TCPConn) {}, false},
		}
		for _, test := range tests {
			c := dial(t, addr)
			path, _, _ := strings.Cut(test.path, "?")
			s := at(path)
			raw := fmt.Sprintf(test.raw, test.path)
			if first := strings.Index(raw, "GET /never"); first > 0 { // behind the first in another piece, so that nobody reads it with that
				say(t, c, raw[:first])
				<-s.started
				raw = raw[first:]
			}
			say(t, c, raw)
			<-s.started
			test.leave(c)
			if test.ends {
				if err := <-s.ended; !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", test.path, err)
				}
			}
		}
		time.Sleep(20 * period) // nothing tells that nothing happens
		close(stop)
		for _, test := range tests {
			if !test.ends {
				if err := <-at(test.path).ended; err != nil {
					t.Errorf("%s: %v", test.path, err)
				}
			}
		}
	})
}

// Shutdown waits for requests, ends connections without one, and serves no more. What
// was under way is told that its connection ends.
func TestShutdown(t *testing.T) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		begun, release := make(chan struct{}), make(chan struct{})
		s, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				close(begun)
				<-release
			}
			echo(w, r)
		})})
		idle, slow, old := dial(t, addr), dial(t, addr), dial(t, addr)
		in := bufio.NewReader(idle)
		say(t, idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		hear(t, in, "GET")
		say(t, old, "PATCH / HTTP/1.1\r\nHost: x\r\n\r\n") // net/http's
		oldIn := bufio.NewReader(old)
		hear(t, oldIn, "PATCH")
		say(t, slow, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
		<-begun
		short, cancel := context.WithTimeout(t.Context(), 10*period)
		defer cancel()
		if err := s.Shutdown(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a request under way: %v", err)
		}
		if _, err := in.ReadByte(); err != io.EOF {
			t.Errorf("the idle connection: %v", err)
		}
		if _, err := oldIn.ReadByte(); err != io.EOF {
			t.Errorf("net/http's idle connection: %v", err)
		}
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			t.Error("it still accepts")
		}
		over := make(chan error, 1)
		go func() { over <- s.Shutdown(t.Context()) }()
		close(release)
		resp, _ := hear(t, bufio.NewReader(slow), "GET")
		if resp.StatusCode != 200 || !resp.Close {
			t.Errorf("the slow one: %d, closes: %t", resp.StatusCode, resp.Close)
		}
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

// Close ends everything at once, and requests learn of it.
func TestClose(t *testing.T) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		begun, ended := make(chan struct{}), make(chan struct{})
		s, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
			close(ended)
		})})
		slow, idle := dial(t, addr), dial(t, addr)
		say(t, slow, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		<-begun
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got := closed(t, slow) + closed(t, idle); got != "" {
			t.Errorf("%q", got)
		}
		<-ended
		if err := s.Serve(&net.TCPListener{}); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve again: %v", err)
		}
	})
}

// HTTP/2 is net/http's, with TLS and without, and what has TLS is.
func TestHTTP2(t *testing.T) {
	ca := testca.New(t)
	ca.Server("server", "server.test")
	pair, err := tls.LoadX509KeyPair(ca.File("server.pem"), ca.File("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secure := range []bool{false, true} {
		rest := &http.Server{Handler: http.HandlerFunc(echo)}
		scheme := "http"
		if secure {
			scheme = "https"
			rest.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
		}
		_, addr := start(t, own, rest)
		for _, major := range []int{1, 2} {
			tr := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: ca.Pool(), ServerName: "server.test"}}
			tr.Protocols.SetHTTP1(major == 1)
			tr.Protocols.SetHTTP2(major == 2)
			tr.Protocols.SetUnencryptedHTTP2(major == 2 && !secure)
			for range 3 {
				req, err := http.NewRequestWithContext(t.Context(), "PUT", scheme+"://"+addr+"/", strings.NewReader("abc"))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := tr.RoundTrip(req)
				if err != nil {
					t.Fatalf("%s, HTTP/%d: %v", scheme, major, err)
				}
				b, err := io.ReadAll(resp.Body)
				if resp.ProtoMajor != major || err != nil || !strings.Contains(string(b), `"abc"`) {
					t.Errorf("%s, HTTP/%d: %s %s %v", scheme, major, resp.Proto, b, err)
				}
				_ = resp.Body.Close()
			}
			tr.CloseIdleConnections()
		}
		if secure {
			continue
		}
		const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
		if got := answers(t, addr, get+"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+get); strings.Count(got, "\n") != 2 || !strings.Contains(got, "400 Bad Request") {
			t.Errorf("HTTP/2 behind HTTP/1.1: %s", got)
		}
	}
}

// A client is told to go on only when somebody wants its body.
func TestExpectation(t *testing.T) {
	_, addr := start(t, own, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			echo(w, r)
			return
		}
		w.WriteHeader(413)
	})})
	for path, first := range map[string]string{"/read": "HTTP/1.1 100 Continue\r\n", "/refuse": "HTTP/1.1 413 Request Entity Too Large\r\n"} {
		c := dial(t, addr)
		say(t, c, "PUT "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
		in := bufio.NewReader(c)
		line, err := in.ReadString('\n')
		if err != nil || line != first {
			t.Fatalf("%s: %q, %v", path, line, err)
		}
		if path == "/refuse" {
			continue
		}
		if line, err = in.ReadString('\n'); err != nil || line != "\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
		say(t, c, "abc")
		if resp, b := hear(t, in, "PUT"); resp.StatusCode != 200 || !strings.Contains(b, `"abc"`) {
			t.Errorf("%d %s", resp.StatusCode, b)
		}
	}
}

// An answer to a client that still sends reaches it, and the connection ends.
func TestAnswerBeforeTheBody(t *testing.T) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		_, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(413)
			_, _ = io.WriteString(w, "too large")
		})})
		c := dial(t, addr)
		say(t, c, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
		go func() {
			for _, err := c.Write(make([]byte, 64<<10)); err == nil; _, err = c.Write(make([]byte, 64<<10)) {
				time.Sleep(time.Millisecond)
			}
		}()
		resp, b := hear(t, bufio.NewReader(c), "PUT")
		if resp.StatusCode != 413 || b != "too large" || !resp.Close {
			t.Errorf("%d %q, closes: %t", resp.StatusCode, b, resp.Close)
		}
		_ = closed(t, c)
	})
}

// Who reads a body beyond the end of its request gets an error, and not the next request.
func TestLateReader(t *testing.T) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		var mu sync.Mutex
		var kept []io.Reader
		_, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			for _, b := range kept {
				if got, err := io.ReadAll(b); len(got) > 0 || err != http.ErrBodyReadAfterClose {
					t.Errorf("%q, %v", got, err)
				}
			}
			kept = append(kept, r.Body)
			echo(w, r)
			if err := r.Context().Err(); err != nil {
				t.Error(err)
			}
		})})
		c := dial(t, addr)
		in := bufio.NewReader(c)
		for range 3 {
			say(t, c, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
			if resp, b := hear(t, in, "PUT"); resp.StatusCode != 200 || !strings.Contains(b, `"abc"`) {
				t.Fatalf("%d %s", resp.StatusCode, b)
			}
		}
	})
}

// Bodies of any size pass, in both directions at once where a client does so.
func TestStreams(t *testing.T) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		const size = 20 << 20
		_, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil || n != size {
				t.Errorf("%d bytes, %v", n, err)
			}
			if r.URL.Query().Has("length") {
				w.Header().Set("Content-Length", strconv.Itoa(size))
			}
			b := bytes.Repeat([]byte("abcdefg"), 9<<10)
			for left := size; left > 0; {
				m := min(left, len(b))
				if k, err := w.Write(b[:m]); err != nil || k != m {
					t.Errorf("%d, %v", k, err)
					return
				}
				left -= m
			}
		})})
		tr := &http.Transport{}
		defer tr.CloseIdleConnections()
		for _, path := range []string{"/", "/?length"} {
			for _, chunks := range []bool{false, true} {
				req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+addr+path, io.LimitReader(zeros{}, size))
				if err != nil {
					t.Fatal(err)
				}
				if !chunks {
					req.ContentLength = size
				}
				resp, err := tr.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				n, err := io.Copy(io.Discard, resp.Body)
				if err != nil || n != size {
					t.Errorf("%d bytes, %v", n, err)
				}
				_ = resp.Body.Close()
			}
		}
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// What a handler bounds is bounded: reading a body that stops, and writing to a client
// that does not read. What it does not bound any more is not.
func TestDeadlines(t *testing.T) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		results := make(chan error, 3)
		_, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			switch r.URL.Path {
			case "/read":
				_ = rc.SetReadDeadline(time.Now().Add(4 * period))
				_, err := io.ReadAll(r.Body)
				results <- err
			case "/write":
				var err error
				for err == nil {
					_ = rc.SetWriteDeadline(time.Now().Add(4 * period))
					_, err = w.Write(make([]byte, 1<<20))
				}
				results <- err
				<-r.Context().Done()
			case "/later": // an earlier deadline passes, and another is set meanwhile
				_ = rc.SetWriteDeadline(time.Now().Add(4 * period))
				_, _ = io.WriteString(w, "first")
				_ = rc.Flush()
				_ = rc.SetWriteDeadline(time.Time{})
				_, err := w.Write(make([]byte, 32<<20))
				results <- err
			}
		})})
		c := dial(t, addr)
		say(t, c, "PUT /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
		if err := <-results; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading: %v", err)
		}
		c = dial(t, addr)
		say(t, c, "GET /write HTTP/1.1\r\nHost: x\r\n\r\n")
		if err := <-results; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing: %v", err)
		}
		c = dial(t, addr)
		say(t, c, "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		time.Sleep(20 * period) // the first deadline passes
		if n, err := io.Copy(io.Discard, c); err != nil || n < 32<<20 {
			t.Errorf("%d bytes, %v", n, err)
		}
		if err := <-results; err != nil {
			t.Errorf("writing without a deadline: %v", err)
		}
	})
}

// A body that failed for its deadline leaves none to the next connection or request.
func TestDeadlineIsForgotten(t *testing.T) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		_, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			_ = rc.SetReadDeadline(time.Now().Add(4 * period))
			_ = rc.SetWriteDeadline(time.Now().Add(4 * period))
			echo(w, r)
		})})
		c := dial(t, addr)
		in := bufio.NewReader(c)
		for range 3 {
			say(t, c, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
			say(t, c, "abc")
			if resp, _ := hear(t, in, "PUT"); resp.StatusCode != 200 {
				t.Errorf("%d", resp.StatusCode)
			}
			time.Sleep(10 * period)
		}
	})
}

// States are told as net/http tells them, of a connection that is handed on, too.
func TestStates(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	const patch = "PATCH / HTTP/1.1\r\nHost: x\r\n\r\n"
	states := func(t *testing.T, serve func(*http.Server) server, requests []string) []string {
		var mu sync.Mutex
		var seen []string
		over := make(chan struct{})
		_, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(echo), ConnState: func(c net.Conn, s http.ConnState) {
			if _, ok := c.(*net.TCPConn); !ok {
				t.Errorf("a %T is %v", c, s)
			}
			mu.Lock()
			defer mu.Unlock()
			if seen = append(seen, s.String()); s == http.StateClosed {
				close(over)
			}
		}})
		c := dial(t, addr)
		in := bufio.NewReader(c)
		for _, r := range requests {
			say(t, c, r)
			hear(t, in, "GET")
		}
		_ = c.Close()
		<-over
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
	for _, requests := range [][]string{nil, {get}, {get, get}, {get, patch}, {patch, get}} {
		if here, there := states(t, own, requests), states(t, nethttp, requests); !slices.Equal(here, there) {
			t.Errorf("%q: %v, want %v", requests, here, there)
		}
	}
}

// A panic is logged, unless it is the one that breaks an answer off.
func TestPanicsAreLogged(t *testing.T) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		var text strings.Builder
		s, addr := start(t, serve, &http.Server{ErrorLog: log.New(&text, "", 0), Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/abort" {
				panic(http.ErrAbortHandler)
			}
			panic("a mistake")
		})})
		for _, path := range []string{"/abort", "/panic"} {
			c := dial(t, addr)
			say(t, c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
			if got := closed(t, c); got != "" {
				t.Errorf("%q", got)
			}
		}
		if err := s.Shutdown(t.Context()); err != nil { // nothing is logged any more
			t.Error(err)
		}
		if n := strings.Count(text.String(), "panic serving"); n != 1 || !strings.Contains(text.String(), "a mistake") {
			t.Errorf("the log: %s", &text)
		}
	})
}

// failing is a listener that cannot accept at first.
type failing struct {
	net.Listener
	left atomic.Int32
}

type noFiles struct{}

func (noFiles) Error() string   { return "too many open files" }
func (noFiles) Timeout() bool   { return false }
func (noFiles) Temporary() bool { return true }

func (f *failing) Accept() (net.Conn, error) {
	if f.left.Add(-1) >= 0 {
		return nil, noFiles{}
	}
	return f.Listener.Accept()
}

// A listener that fails for a while is listened to again.
func TestAccept(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &failing{Listener: l}
	f.left.Store(3)
	s := own(&http.Server{Handler: http.HandlerFunc(echo), ErrorLog: log.New(io.Discard, "", 0)})
	over := make(chan error, 1)
	go func() { over <- s.Serve(f) }()
	c := dial(t, l.Addr().String())
	say(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if resp, _ := hear(t, bufio.NewReader(c), "GET"); resp.StatusCode != 200 {
		t.Errorf("%d", resp.StatusCode)
	}
	_ = l.Close()
	if err := <-over; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
	// It serves what it has accepted until it is told to end, and hands on what it must.
	say(t, c, "PATCH / HTTP/1.1\r\nHost: x\r\n\r\n")
	if resp, _ := hear(t, bufio.NewReader(c), "PATCH"); resp.StatusCode != 200 {
		t.Errorf("%d", resp.StatusCode)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

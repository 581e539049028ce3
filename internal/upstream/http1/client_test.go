package http1_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream/http1"
)

// counted is a client whose connections are counted.
func counted(t *testing.T, set func(*http1.Client)) (*http1.Client, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	c := &http1.Client{Idle: 8, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		n.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	if set != nil {
		set(c)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c, &n
}

// script is a server that is told what to say on each of its connections.
func script(t *testing.T, each func(n int, c *net.TCPConn, in *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				each(n, c.(*net.TCPConn), bufio.NewReader(c))
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// take reads one request; false at the connection's end.
func take(in *bufio.Reader) (*http.Request, []byte, bool) {
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil, nil, false
	}
	b, err := io.ReadAll(r.Body)
	return r, b, err == nil
}

func say(c net.Conn, s string) { _, _ = io.WriteString(c, s) } // the test sees what is missing

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// do sends a request and reads the answer to its end.
func do(c *http1.Client, req *http.Request) (string, error) {
	resp, err := c.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, b), err
}

// What arrives is what was asked for, whatever the body is like, and one connection
// does for all.
func TestRequestsArrive(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprintf(w, "%s %s %s %d %v %d|%s|%s", r.Method, r.RequestURI, r.Host, r.ContentLength, r.TransferEncoding, len(b), r.Header.Get("X-A"), r.UserAgent())
	}))
	defer s.Close()
	c, n := counted(t, nil)
	host := strings.TrimPrefix(s.URL, "http://")
	large := strings.Repeat("x", 1<<20)
	for _, test := range []struct {
		method string
		body   io.Reader
		length int64
		want   string
	}{
		{"GET", nil, 0, "0 [] 0"},
		{"PUT", nil, 0, "0 [] 0"},
		{"POST", strings.NewReader("{}"), 2, "2 [] 2"},
		{"POST", iotest.OneByteReader(strings.NewReader("{}")), -1, "2 [] 2"},
		{"POST", strings.NewReader(""), 0, "0 [] 0"},
		{"GET", strings.NewReader("{}"), 2, "2 [] 2"},
		{"PUT", strings.NewReader(large), 1 << 20, "1048576 [] 1048576"},
		{"PUT", iotest.HalfReader(strings.NewReader(large)), -1, "-1 [chunked] 1048576"},
		{"PUT", strings.NewReader(large[:64<<10]), 64 << 10, "65536 [] 65536"},
		{"PUT", strings.NewReader(large[:64<<10]), -1, "-1 [chunked] 65536"},
	} {
		req := newRequest(t, test.method, s.URL+"/a%2Fb?c=d", test.body)
		req.ContentLength = test.length
		req.Header["X-A"] = []string{" b "}
		want := fmt.Sprintf("200 %s /a%%2Fb?c=d %s %s|b|Go-http-client/1.1", test.method, host, test.want)
		if got, err := do(c, req); err != nil || got != want {
			t.Errorf("%s of %d: %q, %v; want %q", test.method, test.length, got, err, want)
		}
	}
	if got := n.Load(); got != 1 {
		t.Errorf("%d connections", got)
	}
}

// What would be no request, or two, is not sent; nor is a body of another length.
func TestRefusesToSend(t *testing.T) {
	url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
		if _, _, ok := take(in); ok {
			t.Error("a whole request arrived")
			say(c, fine)
		}
	})
	for name, spoil := range map[string]func(*http.Request){
		"a method with a blank":   func(r *http.Request) { r.Method = "GET /x" },
		"a query with a newline":  func(r *http.Request) { r.URL.RawQuery = "a=b HTTP/1.1\r\nX: y" },
		"a path with a blank":     func(r *http.Request) { r.URL.Opaque = "/a b" },
		"a host with a newline":   func(r *http.Request) { r.Host = "a\r\nX: y" },
		"a header's name":         func(r *http.Request) { r.Header["X: y\r\nZ"] = []string{"a"} },
		"a header's value":        func(r *http.Request) { r.Header["X"] = []string{"a\r\nY: z"} },
		"an agent with a newline": func(r *http.Request) { r.Header["User-Agent"] = []string{"a\r\nY: z"} },
		"no scheme":               func(r *http.Request) { r.URL.Scheme = "ftp" },
		"no host":                 func(r *http.Request) { r.URL.Host = "" },
		"a short body": func(r *http.Request) {
			r.Method, r.ContentLength = "PUT", 10
			r.Body = io.NopCloser(strings.NewReader("{}"))
		},
		"a long body": func(r *http.Request) {
			r.Method, r.ContentLength = "PUT", 1
			r.Body = io.NopCloser(strings.NewReader("{}"))
		},
		"a short, large body": func(r *http.Request) {
			r.Method, r.ContentLength, r.Body = "PUT", 1<<20, io.NopCloser(strings.NewReader(strings.Repeat("x", 1<<19)))
		},
		"a body that fails": func(r *http.Request) {
			r.Method, r.ContentLength, r.Body = "PUT", 10, io.NopCloser(iotest.ErrReader(errors.New("spoilt")))
		},
		"a large body that fails": func(r *http.Request) {
			r.Method, r.ContentLength, r.Body = "PUT", -1, io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), iotest.ErrReader(errors.New("spoilt"))))
		},
	} {
		c, _ := counted(t, nil)
		req := newRequest(t, "GET", url+"/", nil)
		spoil(req)
		got, err := do(c, req)
		if err == nil || strings.HasSuffix(name, "fails") && err.Error() != "spoilt" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// closing is a body that says when it is closed.
type closing struct {
	io.Reader
	closed atomic.Bool
}

func (c *closing) Close() error { c.closed.Store(true); return nil }

// A request is sent again only when it cannot have had an effect: it is a read whose
// connection was used before and ended without an answer, or no byte of it was taken.
// What may have arrived is reported, and arrives once, whether it took effect or not.
func TestIsNeverSentTwice(t *testing.T) {
	for _, test := range []struct {
		name, method, body string
		first              bool // on a new connection
		partly             bool // a part of an answer comes
		arrives            int32
		ok                 bool
	}{
		{name: "a read on a used connection", method: "GET", arrives: 2, ok: true},
		{name: "a read on a new connection", method: "GET", first: true, arrives: 1},
		{name: "a read whose answer has begun", method: "GET", partly: true, arrives: 1},
		{name: "a read with a body", method: "GET", body: "{}", arrives: 1},
		{name: "a write", method: "PUT", body: "{}", arrives: 1},
		{name: "a write without a body", method: "POST", arrives: 1},
		{name: "a deletion", method: "DELETE", arrives: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var arrived atomic.Int32
			url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
				for {
					r, _, ok := take(in)
					if !ok {
						return
					}
					if r.URL.Path == "/warm" {
						say(c, fine)
						continue
					}
					if arrived.Add(1) == 1 {
						if test.partly {
							say(c, "HTTP/1.1 2")
						}
						return // it has had its effect, and nobody is told
					}
					say(c, fine)
				}
			})
			c, _ := counted(t, nil)
			if !test.first {
				if got, err := do(c, newRequest(t, "GET", url+"/warm", nil)); err != nil || got != "200 ok" {
					t.Fatalf("%q, %v", got, err)
				}
			}
			var body io.Reader
			if test.body != "" {
				body = strings.NewReader(test.body)
			}
			req := newRequest(t, test.method, url+"/x", body)
			req.Header.Set("Idempotency-Key", "k") // makes nothing repeatable
			got, err := do(c, req)
			if (err == nil) != test.ok || arrived.Load() != test.arrives {
				t.Errorf("%q, %v: arrived %d times, want %d", got, err, arrived.Load(), test.arrives)
			}
		})
	}
}

// A connection that the server has ended, or on which it said something that nobody
// asked for, is not used: the next request, a write, goes to another and arrives once.
func TestSpoiltConnectionsAreNotUsed(t *testing.T) {
	for name, spoil := range map[string]func(*net.TCPConn){
		"closed":      func(c *net.TCPConn) { _ = c.Close() },
		"half closed": func(c *net.TCPConn) { _ = c.CloseWrite() },
		"reset":       func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
		"talking":     func(c *net.TCPConn) { say(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			var arrived atomic.Int32
			spoilt, now := make(chan struct{}), make(chan struct{})
			url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
				for {
					_, _, ok := take(in)
					if !ok {
						return
					}
					arrived.Add(1)
					say(c, fine)
					if n == 0 {
						<-now
						spoil(c)
						close(spoilt)
						_, _, _ = take(in) // whatever comes is not answered
						return
					}
				}
			})
			var first atomic.Pointer[net.TCPConn]
			c, dials := counted(t, nil)
			dial := c.Dial
			c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				k, err := dial(ctx, network, address)
				if err == nil {
					first.CompareAndSwap(nil, k.(*net.TCPConn))
				}
				return k, err
			}
			if got, err := do(c, newRequest(t, "GET", url, nil)); err != nil || got != "200 ok" {
				t.Fatalf("%q, %v", got, err)
			}
			close(now)
			<-spoilt
			reached(t, first.Load())
			if got, err := do(c, newRequest(t, "PUT", url, strings.NewReader("{}"))); err != nil || got != "200 ok" {
				t.Errorf("%q, %v", got, err)
			}
			if dials.Load() != 2 || arrived.Load() != 2 {
				t.Errorf("%d connections, %d requests", dials.Load(), arrived.Load())
			}
		})
	}
}

// reached waits until there is something to read from a connection, its end included.
func reached(t *testing.T, c *net.TCPConn) {
	t.Helper()
	rc, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		var seen error
		if err := rc.Read(func(fd uintptr) bool {
			_, _, seen = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(seen, syscall.EAGAIN) {
			return
		}
		if time.Now().After(end) {
			t.Fatal("nothing came")
		}
	}
}

// Answers of every framing come whole or as errors, and the connection is kept only
// when nothing is left on it.
func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		name, method, answer string
		want                 string // empty: an error
		kept                 bool
		end                  bool // the server ends the connection after it
	}{
		{name: "length", answer: fine, want: "200 ok", kept: true},
		{name: "chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nTrailer: t\r\n\r\n", want: "200 ok", kept: true},
		{name: "until the end", answer: "HTTP/1.1 200 OK\r\n\r\nok", want: "200 ok", end: true},
		{name: "version 1.0", answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", want: "200 ok"},
		{name: "closes", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", want: "200 ok"},
		{name: "nothing", answer: "HTTP/1.1 204 No Content\r\n\r\n", want: "204 ", kept: true},
		{name: "not modified", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", want: "304 ", kept: true},
		{name: "empty", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", want: "200 ", kept: true},
		{name: "head", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", want: "200 ", kept: true},
		{name: "early hints", answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + fine, want: "200 ok", kept: true},
		{name: "more than an answer", answer: fine + fine, want: "200 ok"},
		{name: "an upgrade", answer: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"},
		{name: "cut length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", end: true},
		{name: "cut chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", end: true},
		{name: "cut head", answer: "HTTP/1.1 200 OK\r\nContent-", end: true},
		{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"},
		{name: "two encodings", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		{name: "no answer", answer: "220 smtp.example ready\r\n"},
		{name: "a head without end", answer: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 11<<20) + "\r\nContent-Length: 2\r\n\r\nok"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
				for {
					if _, _, ok := take(in); !ok {
						return
					}
					say(c, test.answer)
					if test.end {
						return
					}
				}
			})
			c, n := counted(t, nil)
			for range 2 {
				req := newRequest(t, test.method, url, nil)
				got, err := do(c, req)
				if (err != nil) != (test.want == "") || err == nil && got != test.want {
					t.Errorf("%q, %v; want %q", got, err, test.want)
				}
			}
			if kept := n.Load() == 1; kept != test.kept {
				t.Errorf("%d connections, kept: %t, want %t", n.Load(), kept, test.kept)
			}
		})
	}
}

// A request that was given up ends its connection, at whatever point it is.
func TestCancel(t *testing.T) {
	for _, where := range []string{"head", "body"} {
		t.Run(where, func(t *testing.T) {
			ended := make(chan struct{})
			there := make(chan struct{})
			url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
				_, _, _ = take(in)
				if where == "body" {
					say(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok")
				}
				close(there)
				_, _ = in.ReadByte()
				close(ended)
			})
			c, _ := counted(t, nil)
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("enough")
			go func() { <-there; cancel(why) }()
			if _, err := do(c, newRequest(t, "GET", url, nil).WithContext(ctx)); !errors.Is(err, why) {
				t.Errorf("%v", err)
			}
			<-ended
		})
	}
	c, n := counted(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body := &closing{Reader: strings.NewReader("{}")}
	req := newRequest(t, "PUT", "http://127.0.0.1:1", body).WithContext(ctx)
	if _, err := c.RoundTrip(req); !errors.Is(err, context.Canceled) || n.Load() != 0 || !body.closed.Load() {
		t.Errorf("%v, %d connections, body closed: %t", err, n.Load(), body.closed.Load())
	}
}

// The wait for a head is bounded, that for a body is not.
func TestHeaderTimeout(t *testing.T) {
	const bound = 2 * time.Minute
	for _, size := range []int{0, 2, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &http1.Client{Idle: 1, HeaderTimeout: bound, Dial: func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go func() {
						in := bufio.NewReader(theirs)
						for {
							r, _, ok := take(in)
							if !ok {
								return
							}
							if r.URL.Path == "/no-head" {
								continue
							}
							time.Sleep(bound - time.Second)
							say(theirs, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
							time.Sleep(2 * bound)
							say(theirs, "k")
						}
					}()
					return ours, nil
				}}
				defer c.CloseIdleConnections()
				req := func(path string) *http.Request {
					return newRequest(t, "POST", "http://a"+path, strings.NewReader(strings.Repeat("x", size)))
				}
				if got, err := do(c, req("/slow")); err != nil || got != "200 ok" {
					t.Errorf("%q, %v", got, err)
				}
				begun := time.Now()
				_, err := do(c, req("/no-head"))
				var timeout net.Error
				if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(begun) != bound {
					t.Errorf("%v after %v", err, time.Since(begun))
				}
				ctx, cancel := context.WithTimeout(t.Context(), bound/2)
				defer cancel()
				begun = time.Now()
				if _, err := do(c, req("/no-head").WithContext(ctx)); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != bound/2 {
					t.Errorf("%v after %v", err, time.Since(begun))
				}
			})
		})
	}
}

// A server that answers before it has read a large body is heard, and the connection
// is not used again if it does not take the rest.
func TestEarlyAnswer(t *testing.T) {
	const size = 32 << 20 // more than the buffers of a connection hold
	for _, reads := range []bool{false, true} {
		over := make(chan struct{})
		url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
			for {
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				if !reads {
					say(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
					<-over // the rest is read by nobody
					return
				}
				say(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n")
				_, _ = io.Copy(io.Discard, r.Body)
				say(c, "no")
			}
		})
		c, n := counted(t, nil)
		for range 2 {
			body := &closing{Reader: io.LimitReader(readerFunc(func(b []byte) (int, error) { return len(b), nil }), size)}
			req := newRequest(t, "PUT", url, body)
			req.ContentLength = size
			if got, err := do(c, req); err != nil || got != "413 no" {
				t.Errorf("%q, %v", got, err)
			}
			for end := time.Now().Add(10 * time.Second); !body.closed.Load(); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the body was not closed")
				}
			}
		}
		close(over)
		if !reads && n.Load() != 2 {
			t.Errorf("%d connections", n.Load())
		}
	}
}

// An answer that is not read to its end takes its connection with it, also while
// another goroutine reads it.
func TestCloseEarly(t *testing.T) {
	ended := make(chan struct{}, 2)
	url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
		_, _, _ = take(in)
		say(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok")
		_, _ = in.ReadByte()
		ended <- struct{}{}
	})
	c, _ := counted(t, nil)
	for _, reading := range []bool{false, true} {
		resp, err := c.RoundTrip(newRequest(t, "GET", url, nil))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		if reading {
			if _, err := io.ReadFull(resp.Body, make([]byte, 2)); err != nil {
				t.Fatal(err)
			}
			go func() { _, err := resp.Body.Read(make([]byte, 2)); done <- err }()
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if reading {
			if err := <-done; err == nil || err == io.EOF {
				t.Errorf("the read ended with %v", err)
			}
		}
		if _, err := resp.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("a read after Close ended with %v", err)
		}
		<-ended
	}
}

// Idle connections end by time, by number, and when they are told to; those in use end
// when they have been used.
func TestIdle(t *testing.T) {
	ended := make(chan struct{}, 10)
	url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
		for {
			if _, _, ok := take(in); !ok {
				ended <- struct{}{}
				return
			}
			say(c, fine)
		}
	})
	c, n := counted(t, func(c *http1.Client) { c.IdleTimeout = 50 * time.Millisecond })
	for range 2 {
		if _, err := do(c, newRequest(t, "GET", url, nil)); err != nil {
			t.Fatal(err)
		}
		<-ended
	}
	if n.Load() != 2 {
		t.Errorf("%d connections", n.Load())
	}
	c, n = counted(t, func(c *http1.Client) { c.Idle = 1 })
	a, errA := c.RoundTrip(newRequest(t, "GET", url, nil))
	b, errB := c.RoundTrip(newRequest(t, "GET", url, nil))
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	for _, r := range []*http.Response{a, b} {
		_, _ = io.ReadAll(r.Body)
	}
	<-ended // there is room for one
	a, err := c.RoundTrip(newRequest(t, "GET", url, nil))
	if err != nil || n.Load() != 2 {
		t.Fatalf("%v, %d connections", err, n.Load())
	}
	c.CloseIdleConnections()
	if got, err := io.ReadAll(a.Body); err != nil || string(got) != "ok" {
		t.Errorf("%q, %v", got, err)
	}
	<-ended
}

// A handshake that does not come to its end is given up, and its connection ends.
func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		c := &http1.Client{HandshakeTimeout: 3 * time.Second, Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs); close(ended) }()
			return ours, nil
		}}
		begun := time.Now()
		_, err := do(c, newRequest(t, "GET", "https://a", nil))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		<-ended
	})
}

// A body is not read before there is a connection, and is whole after an error that says
// that there was none.
func TestTellsOfConnections(t *testing.T) {
	url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
		for {
			if _, _, ok := take(in); !ok {
				return
			}
			say(c, fine)
		}
	})
	c, _ := counted(t, nil)
	for _, to := range []string{"http://127.0.0.1:1", url, url} {
		body := &closing{Reader: iotest.OneByteReader(strings.NewReader("{}"))}
		req := newRequest(t, "PUT", to, body)
		req.ContentLength = 2
		resp, sent, err := c.Send(req)
		if sent != (to == url) || (err == nil) != sent || body.closed.Load() != sent {
			t.Fatalf("sent: %t, closed: %t, %v", sent, body.closed.Load(), err)
		}
		if rest, _ := io.ReadAll(body); !sent && string(rest) != "{}" {
			t.Errorf("of the body %q is left", rest)
		}
		if sent {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
}

// toldOnly is a context that tells of its deadline and does nothing at it.
type toldOnly struct {
	context.Context
	end time.Time
}

func (c toldOnly) Deadline() (time.Time, bool) { return c.end, true }

func (c toldOnly) Err() error {
	if time.Now().Before(c.end) {
		return c.Context.Err()
	}
	return context.DeadlineExceeded
}

// A deadline ends whatever is waited for, without a word of the context, and on a
// connection that had an earlier or a later one before.
func TestDeadline(t *testing.T) {
	const bound = time.Minute
	for _, what := range []string{"head", "body", "large body", "large request"} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &http1.Client{Idle: 1, HeaderTimeout: time.Hour, Dial: func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go func() {
						in := bufio.NewReader(theirs)
						for {
							r, err := http.ReadRequest(in)
							if err != nil {
								return
							}
							if r.URL.Path == "/stuck" && what == "large request" {
								continue // reading of it
							}
							_, _ = io.Copy(io.Discard, r.Body)
							switch {
							case r.URL.Path != "/stuck":
								say(theirs, fine)
							case what == "body":
								say(theirs, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
							case what == "large body":
								say(theirs, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"+strings.Repeat("x", 900_000))
							}
						}
					}()
					return ours, nil
				}}
				defer c.CloseIdleConnections()
				body := "x"
				if what == "large request" {
					body = strings.Repeat("x", 1<<20)
				}
				for _, before := range []time.Duration{bound / 2, bound, 2 * bound, 0} {
					ctx := t.Context()
					if before > 0 {
						ctx = toldOnly{ctx, time.Now().Add(before)}
					}
					if got, err := do(c, newRequest(t, "PUT", "http://a/", strings.NewReader("x")).WithContext(ctx)); err != nil || got != "200 ok" {
						t.Fatalf("%q, %v", got, err)
					}
					time.Sleep(time.Second)
					begun := time.Now()
					_, err := do(c, newRequest(t, "PUT", "http://a/stuck", strings.NewReader(body)).WithContext(toldOnly{t.Context(), begun.Add(bound)}))
					if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took > bound || took < bound-bound/64 {
						t.Errorf("after one of %v: %v after %v", before, err, took)
					}
				}
			})
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/upstream/http1"
)

// whole is a server's side of a connection on which all has been said.
type whole struct {
	net.Conn
	in *bytes.Reader
}

func (w *whole) Read(b []byte) (int, error)  { return w.in.Read(b) }
func (w *whole) Write(b []byte) (int, error) { return len(b), nil }
func (w *whole) Close() error                { return nil }
func (w *whole) SetDeadline(time.Time) error { return nil }

// seen is what a client makes of an answer.
type seen struct {
	Status int
	Header http.Header
	Length int64
	Body   string
	Failed bool
}

func see(resp *http.Response, err error) seen {
	if err != nil {
		return seen{Failed: true}
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return seen{Failed: true}
	}
	return seen{resp.StatusCode, resp.Header, resp.ContentLength, string(b), false}
}

// Whatever a server says is to this client what it is to net/http's, which is given the
// same bytes; but for 101, which nobody asked for. And a connection is used for another
// request only if nothing of what was said is left on it.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		fine, fine + fine, "HTTP/1.1 200 OK\r\n\r\nuntil the end", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\na\r\n0\r\n\r\nrest",
		"HTTP/1.1 100 Continue\r\n\r\n" + fine, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 404 Not Found\r\ncontent-type: application/json; charset=UTF-8\r\nContent-length:\t2 \r\nx-1: a\r\nX-1: b\r\nConnection: keep-alive\r\n\r\n{}",
		"HTTP/1.1 200 \r\nContent-Length: 1\r\nPragma: no-cache\r\n\r\na", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\na b: c\r\n\r\na", "HTTP/1.1 200 OK\r\nContent-Length: 1\n\r\n\r\na",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n b: c\r\n\r\na",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n", "x", "",
	} {
		for head := range 2 {
			f.Add([]byte(s), head == 1)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, head bool) {
		if len(raw) > 4096 { // what is left would not be in a buffer
			return
		}
		method := "GET"
		if head {
			method = "HEAD"
		}
		conn := &whole{in: bytes.NewReader(raw)}
		dials := 0
		dial := func(context.Context, string, string) (net.Conn, error) {
			if dials++; dials > 1 {
				return nil, io.ErrClosedPipe
			}
			return conn, nil
		}
		c := &http1.Client{Dial: dial, Idle: 1}
		defer c.CloseIdleConnections()
		req := newRequest(t, method, "http://a/", nil)
		got := see(c.RoundTrip(req))

		in := bufio.NewReader(bytes.NewReader(raw))
		var resp *http.Response
		var err error
		for {
			if resp, err = http.ReadResponse(in, req); err != nil || resp.StatusCode/100 != 1 || resp.StatusCode == 101 {
				break
			}
		}
		want := see(resp, err)
		if want.Status == 101 {
			want = seen{Failed: true}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%q: %s", raw, d)
		}
		conn.in = bytes.NewReader([]byte(fine)) // the next answer, should it be used again
		if _, err := c.RoundTrip(newRequest(t, method, "http://a/", nil)); err == nil && (got.Failed || resp.Close || resp.StatusCode < 200 || in.Buffered() > 0) {
			t.Fatalf("%q: the connection was used again", raw)
		}
	})
}

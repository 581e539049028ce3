package proxy_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/proxy"
)

// impatient is a server with a short patience.
func impatient(t *testing.T, p proxy.Patience, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(p.Handler(h))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// drip is a body of n bytes that come one by one, and then no end.
type drip struct {
	n    int
	gap  time.Duration
	stop <-chan struct{}
	sent atomic.Int64
}

func (d *drip) Read(b []byte) (int, error) {
	if d.sent.Load() == int64(d.n) {
		<-d.stop
		return 0, io.EOF
	}
	time.Sleep(d.gap) // what a slow client does
	b[0] = 'x'
	d.sent.Add(1)
	return 1, nil
}

// Bodies that stop, and bodies that never stop but trickle, end; over HTTP/1.1 and
// HTTP/2. The time that the handler takes is not the client's.
func TestSlowBodies(t *testing.T) {
	for _, proto := range []int{1, 2} {
		for _, test := range []struct {
			name string
			p    proxy.Patience
			drip *drip
			most int64 // bytes
		}{
			{"stops", proxy.Patience{Stall: 200 * time.Millisecond, Rate: 1}, &drip{n: 10}, 10},
			{"trickles", proxy.Patience{Stall: 300 * time.Millisecond, Rate: 1 << 20}, &drip{n: 1 << 30, gap: 2 * time.Millisecond}, 5000},
		} {
			t.Run(fmt.Sprintf("HTTP/%d, %s", proto, test.name), func(t *testing.T) {
				failed := make(chan error, 1)
				h := func(w http.ResponseWriter, r *http.Request) {
					_, err := io.Copy(io.Discard, r.Body)
					failed <- err
					w.WriteHeader(http.StatusRequestTimeout)
				}
				tr := &http.Transport{}
				t.Cleanup(tr.CloseIdleConnections)
				c, url := &http.Client{Transport: tr}, ""
				if proto == 1 {
					url = "http://" + serve(t, test.p.Handler(http.HandlerFunc(h)))
				} else {
					s := impatient(t, test.p, h)
					c, url = s.Client(), s.URL
				}
				stop := make(chan struct{})
				test.drip.stop = stop
				d := test.drip
				answered := make(chan struct{})
				go func() {
					defer close(answered)
					req, err := http.NewRequestWithContext(t.Context(), "POST", url, d)
					if err != nil {
						t.Error(err)
						return
					}
					if proto == 1 {
						req.ContentLength = 1 << 40 // chunks would be net/http's
					}
					if resp, err := c.Do(req); err == nil { // or the connection is gone
						_ = resp.Body.Close()
					}
				}()
				select {
				case err := <-failed:
					if !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("the handler read %v, want a deadline", err)
					}
				case <-time.After(30 * time.Second):
					t.Error("the body never ended")
				}
				close(stop)
				<-answered
				if n := d.sent.Load(); n > test.most {
					t.Errorf("%d bytes were waited for, want at most %d", n, test.most)
				}
			})
		}
	}
}

// A body that pauses for less than is allowed, in front of a handler that takes longer
// than is allowed, is whole; the connection serves the next request.
func TestPatienceWithThoseWhoAreSlowEnough(t *testing.T) {
	p := proxy.Patience{Stall: 20 * time.Second, Rate: 1 << 40}
	s := impatient(t, p, func(w http.ResponseWriter, r *http.Request) {
		b := bufio.NewReader(r.Body)
		for {
			line, err := b.ReadString('\n')
			if _, werr := io.WriteString(w, line); werr != nil {
				t.Error(werr)
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	c := s.Client()
	for range 3 {
		r, w := io.Pipe()
		go func() {
			for i := range 3 {
				_, _ = fmt.Fprintf(w, "line %d\n", i)
				time.Sleep(30 * time.Millisecond)
			}
			_ = w.Close()
		}()
		resp, err := c.Post(s.URL, "text/plain", r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || string(got) != "line 0\nline 1\nline 2\n" {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// An answer that nobody takes does not hold its handler.
func TestSlowReaders(t *testing.T) {
	ended := make(chan error, 1)
	addr := serve(t, proxy.Patience{Stall: 300 * time.Millisecond, Rate: 1 << 30}.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := strings.Repeat("x", 1<<20)
		for range 1000 {
			if _, err := io.WriteString(w, text); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	})))
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the handler ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the handler waits for ever")
	}
}

// What the proxy says of a body that came too slowly, and of one that is too large.
func TestSlowAndLargeBodiesAreRefused(t *testing.T) {
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer(w, 200, `{}`)
	})
	r := newRig(t, u, u, &proxy.Options{QueryBody: 2 << 20, BulkBody: 3 << 20, BodyBytes: 8 << 20, TenantBodyBytes: 4 << 20})
	r.register(acme, placeA)
	addr := serve(t, proxy.Patience{Stall: 300 * time.Millisecond}.Handler(r.proxy))
	for _, path := range []string{"/docs/_search", "/docs/_doc", "/_bulk"} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: h\r\nX-Sluice-Tenant: acme\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a", path)
		_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = conn.Close()
		if resp.StatusCode != 408 || !strings.Contains(string(body), proxy.TypeSlowClient) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	// One that is refused before its body is read does not hold the server either.
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = fmt.Fprint(conn, "POST /_nosuch HTTP/1.1\r\nHost: h\r\nX-Sluice-Tenant: acme\r\nContent-Length: 100\r\n\r\n{\"a")
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("%v: %s", err, answer)
	}
	large := `{"a":"` + strings.Repeat("x", 4<<20) + `"}`
	for _, path := range []string{"/docs/_search", "/docs/_doc", "/_bulk"} {
		r.do("POST", path, large).want(t, 413, "error/type", proxy.TypeTooLarge)
	}
}

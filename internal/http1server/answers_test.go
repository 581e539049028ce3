package http1server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// echo tells what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "text/plain")
	_, _ = fmt.Fprintf(w, "%s %s %s %d %q %v", r.Method, r.URL, r.Host, r.ContentLength, b, err != nil)
	for _, k := range slices.Sorted(func(yield func(string) bool) {
		for k := range r.Header {
			if !yield(k) {
				return
			}
		}
	}) {
		_, _ = fmt.Fprintf(w, " %s=%q", k, r.Header[k])
	}
}

// answers is what a server says to bytes on one connection that end, but for what it may
// choose: when it is, and the order of fields.
func answers(t *testing.T, addr, raw string, methods ...string) string {
	t.Helper()
	c := dial(t, addr)
	go func() {
		_, _ = io.WriteString(c, raw) // it may be refused before its end
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil && len(got) == 0 {
		return "broken off"
	}
	var out strings.Builder
	in := bufio.NewReader(bytes.NewReader(got))
	for i := 0; ; {
		if _, err := in.Peek(1); err != nil {
			return out.String()
		}
		method := "GET"
		if i < len(methods) {
			method = methods[i]
		}
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			rest, _ := io.ReadAll(in)
			return fmt.Sprintf("%s then %v %q", &out, err, rest)
		}
		if resp.StatusCode >= 200 {
			i++
		}
		if resp.Header.Get("Date") != "" {
			resp.Header.Set("Date", "now")
		}
		var head bytes.Buffer
		_ = resp.Header.Write(&head)
		b, err := io.ReadAll(resp.Body)
		fmt.Fprintf(&out, "%s %q length %d %v close %t: %q %v\n", resp.Status, head.String(), resp.ContentLength, resp.TransferEncoding, resp.Close, b, err)
	}
}

// Whatever is sent is answered as net/http answers it, and the connection is ended when
// net/http ends it.
func TestAsNetHTTP(t *testing.T) {
	type shape struct {
		name    string
		handler http.HandlerFunc
	}
	large := strings.Repeat("0123456789abcdef", 4<<10)
	shapes := []shape{
		{"echo", echo},
		{"nothing", func(http.ResponseWriter, *http.Request) {}},
		{"a status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }},
		{"an odd status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(799); _, _ = io.WriteString(w, "x") }},
		{"no content", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			w.WriteHeader(204)
			if _, err := w.Write([]byte("abc")); err != http.ErrBodyNotAllowed {
				panic(err)
			}
		}},
		{"not modified", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "x/y")
			w.Header().Set("Content-Length", "3")
			w.WriteHeader(304)
		}},
		{"no type", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }},
		{"an encoding and no type", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "abc")
		}},
		{"a length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "a")
			_, _ = w.Write([]byte("bc"))
		}},
		{"too short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "a")
		}},
		{"too long", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "abc")
			if _, err := io.WriteString(w, "d"); err != http.ErrContentLength {
				panic(err)
			}
		}},
		{"pieces", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "x/y")
			for range 3 {
				_, _ = io.WriteString(w, "abc")
				w.(http.Flusher).Flush()
				w.(http.Flusher).Flush()
			}
		}},
		{"a head at once", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "x/y")
			w.(http.Flusher).Flush()
			w.Header().Set("X-Late", "y")
			_, _ = io.WriteString(w, "abc")
		}},
		{"large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "x/y")
			_, _ = io.WriteString(w, "head:")
			_, _ = w.Write([]byte(large))
			_, _ = io.WriteString(w, large)
		}},
		{"large, with a length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(large)))
			w.Header().Set("Content-Type", "x/y")
			for b := []byte(large); len(b) > 0; b = b[1024:] {
				_, _ = w.Write(b[:1024])
			}
		}},
		{"copied", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "x/y")
			if n, err := io.Copy(w, strings.NewReader("abc")); n != 3 || err != nil {
				panic(err)
			}
		}},
		{"copied, and large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "x/y")
			_, _ = io.WriteString(w, "head:")
			if n, err := io.Copy(w, struct{ io.Reader }{strings.NewReader(large)}); n != int64(len(large)) || err != nil {
				panic(err)
			}
			_, _ = io.WriteString(w, "tail")
		}},
		{"copied, and too long", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			if _, err := io.Copy(w, struct{ io.Reader }{strings.NewReader("abcdef")}); err != http.ErrContentLength {
				panic(err)
			}
		}},
		{"a large head", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Large", large)
			_, _ = io.WriteString(w, "abc")
		}},
		{"closes", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, "abc")
		}},
		{"odd fields", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-Split"] = []string{" a\r\nX-Smuggled: b", "c\nd "}
			w.Header()["Bad Name"] = []string{"a"}
			w.Header()["Bad\r\nName"] = []string{"a"}
			w.Header()["lower"] = []string{"a", ""}
			w.Header().Set("Date", "then")
			_, _ = io.WriteString(w, "abc")
		}},
		{"hints", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "a")
			w.WriteHeader(103)
			w.WriteHeader(200)
			w.WriteHeader(500)
			_, _ = io.WriteString(w, "abc")
		}},
		{"panics", func(http.ResponseWriter, *http.Request) { panic("a mistake") }},
		{"aborts", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "abc")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}},
		{"reads a part", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadFull(r.Body, make([]byte, 2))
			_, _ = io.WriteString(w, "abc")
		}},
		{"closes the body", func(w http.ResponseWriter, r *http.Request) {
			_ = r.Body.Close()
			if _, err := r.Body.Read(make([]byte, 1)); r.ContentLength > 0 && err != http.ErrBodyReadAfterClose {
				panic(err)
			}
			_, _ = io.WriteString(w, "abc")
		}},
	}
	type message struct {
		name, raw string
		methods   []string
	}
	const get = "GET /a?b HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
	post := func(n int) string {
		return fmt.Sprintf("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("b", n))
	}
	var messages []message
	for _, h := range heads {
		messages = append(messages, message{name: h.name, raw: h.raw}, message{name: h.name + ", behind another", raw: get + h.raw})
	}
	messages = append(messages, []message{
		{"nothing", "", nil},
		{"a request", get, nil},
		{"half a request", "GET /a HTTP/1.1\r\nHo", nil},
		{"three", get + post(3) + get, nil},
		{"a head", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + get, []string{"HEAD"}},
		{"a body that is cut", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", nil},
		{"a large body", post(100_000) + get, nil},
		{"a very large body", post(1_000_000) + get, nil},
		{"lines behind a POST", post(3) + "\r\n" + get, nil},
		{"many lines behind a POST", post(3) + "\r\n\r\n\r\n" + get, nil},
		{"a line behind a GET", get + "\r\n" + get, nil},
		{"four bytes of lines behind a POST", post(3) + "\r\n\r\n", nil},
		{"a line and a bit behind a POST", post(3) + "\r\nGE", nil},
		{"three bytes behind a GET", get + "0\n0", nil},
		{"half a line behind a GET", get + "GE", nil},
		{"a large field", "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 20<<10) + "\r\n\r\n" + get, nil},
		{"too large a field", "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 1<<20) + "\r\n\r\n" + get, nil},
		{"chunks", get + "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + get, nil},
		{"an expectation", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc" + get, nil},
		{"an old one", "GET / HTTP/1.0\r\n\r\n" + get, nil},
		{"the last", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + get, nil},
	}...)
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			_, here := start(t, own, &http.Server{Handler: s.handler, MaxHeaderBytes: 64 << 10})
			_, there := start(t, nethttp, &http.Server{Handler: s.handler, MaxHeaderBytes: 64 << 10})
			for i, m := range messages {
				if i < 2*len(heads) && s.name != "echo" {
					continue // they differ by what is read, and not by what is answered
				}
				if strings.Contains(m.raw, "PRI") {
					continue // TestHTTP2
				}
				got, want := answers(t, here, m.raw, m.methods...), answers(t, there, m.raw, m.methods...)
				if m.name == "a body that is cut" { // net/http says that the connection goes on, and ends it
					got, want = strings.ReplaceAll(got, "close true", "close false"), strings.ReplaceAll(want, "close true", "close false")
				}
				if got != want {
					t.Errorf("%s:\n%.3000s\nwant\n%.3000s", m.name, got, want)
				}
			}
		})
	}
}

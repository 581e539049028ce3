package http1server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sluiceproxy/sluice/internal/http1server"
	"golang.org/x/net/http/httpguts"
)

// heads are beginnings of requests, and whether they are served here.
var heads = []struct {
	name, raw string
	own       bool
}{
	{"plain", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
	{"a body", "POST /a/_doc?b=c HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}GET", true},
	{"no body, and a length", "PUT / HTTP/1.1\r\nHost: x:9200\r\nContent-Length: 0\r\n\r\n", true},
	{"keeps alive", "HEAD /%2e/a%20b HTTP/1.1\r\nHost: [::1]:80\r\nConnection: Keep-Alive\r\n\r\n", true},
	{"closes", "DELETE //a//b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true},
	{"a name twice", "GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nB: 2\r\nx-a: 3\r\n\r\n", true},
	{"blanks", "GET / HTTP/1.1\r\nHost:   x  \r\nA:\r\nB:  \r\nC: a  b \r\n\r\n", true},
	{"an old field", "GET / HTTP/1.1\r\nHost: x\r\nPragma: no-cache\r\n\r\n", true},
	{"an old field, and the new one", "GET / HTTP/1.1\r\nHost: x\r\nPragma: no-cache\r\nCache-Control: no-store\r\n\r\n", true},
	{"a colon in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b:c\r\n\r\n", true},
	{"an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", true},

	{"no host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", false},
	{"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", false},
	{"no valid host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", false},
	{"two lengths", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", false},
	{"a list of lengths", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\na", false},
	{"a signed length", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na", false},
	{"an empty length", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\na", false},
	{"a large length", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000000000\r\n\r\na", false},
	{"chunks", "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
	{"chunks and a length", "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", false},
	{"a trailer", "GET / HTTP/1.1\r\nHost: x\r\nTrailer: a\r\n\r\n", false},
	{"an expectation", "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na", false},
	{"an upgrade", "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", false},
	{"an upgrade, not said twice", "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n", false},
	{"a list for the connection", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close, te\r\n\r\n", false},
	{"folded", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", false},
	{"folded at once", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", false},
	{"a bare LF", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", false},
	{"bare LFs", "GET / HTTP/1.1\nHost: x\n\n", false},
	{"a bare CR", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", false},
	{"two CRs", "GET / HTTP/1.1\r\r\nHost: x\r\n\r\n", false},
	{"a NUL", "GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", false},
	{"no ASCII", "GET / HTTP/1.1\r\nHost: x\r\nA: \xc3\xa9\r\n\r\n", false},
	{"a tab", "GET / HTTP/1.1\r\nHost: x\r\nA:\tb\r\n\r\n", false},
	{"a blank before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", false},
	{"no name", "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", false},
	{"no colon", "GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", false},
	{"another method", "PATCH / HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"a method in lower case", "get / HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\n\r\n", false},
	{"HTTP/0.9", "GET /\r\n\r\n", false},
	{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false},
	{"a star", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"a whole URL", "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"no target", "GET  HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"two blanks", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"a blank in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"a broken escape", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"no ASCII in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"a line before", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"TLS", "\x16\x03\x01\x02\x00\x01\n", false},
	{"many fields", "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 100) + "\r\n", false},
}

// Plain heads are read here, and everything else is left to net/http before any of it is used.
func TestHeads(t *testing.T) {
	for _, test := range heads {
		t.Run(test.name, func(t *testing.T) {
			r, _, isForeign := http1server.ReadHead([]byte(test.raw))
			if (r != nil) != test.own || isForeign == test.own {
				t.Errorf("served here: %t, by net/http: %t; want here: %t", r != nil, isForeign, test.own)
			}
			checkHead(t, []byte(test.raw))
		})
	}
}

// ending tells whether somebody wanted more than there is.
type ending struct {
	io.Reader
	asked bool
}

func (e *ending) Read(b []byte) (int, error) {
	n, err := e.Reader.Read(b)
	e.asked = e.asked || err == io.EOF
	return n, err
}

// readRequest is what net/http's server reads from bytes: what http.ReadRequest reads,
// and what the server then refuses.
func readRequest(from io.Reader) (r *http.Request, rest *bufio.Reader, err error) {
	rest = bufio.NewReader(from)
	if r, err = http.ReadRequest(rest); err != nil {
		return nil, nil, err
	}
	if !httpguts.ValidHostHeader(r.Host) {
		return nil, nil, fmt.Errorf("invalid host %q", r.Host)
	}
	for name, values := range r.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, nil, fmt.Errorf("invalid name %q", name)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return nil, nil, fmt.Errorf("invalid value %q", v)
			}
		}
	}
	return r, rest, nil
}

// checkHead holds readHead to what net/http reads.
func checkHead(t *testing.T, b []byte) {
	t.Helper()
	got, n, isForeign := http1server.ReadHead(b)
	if isForeign {
		return // net/http reads it
	}
	from := &ending{Reader: bytes.NewReader(b)}
	want, rest, err := readRequest(from)
	if got == nil { // more has to come: net/http must wait for it, too, or refuse what there is
		if !from.asked && err == nil {
			t.Fatalf("%q: waits for more, and net/http reads %v, %v", b, want, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("%q: was read, and net/http says %v", b, err)
	}
	if got.Method != want.Method || got.RequestURI != want.RequestURI || got.Host != want.Host || got.ContentLength != want.ContentLength || got.Close != want.Close ||
		want.Proto != "HTTP/1.1" || len(want.TransferEncoding) != 0 || want.Trailer != nil || !reflect.DeepEqual(got.URL, want.URL) || !reflect.DeepEqual(got.Header, want.Header) {
		t.Fatalf("%q: read\n%+v, want\n%+v", b, got, want)
	}
	body, bodyErr := io.ReadAll(want.Body)
	behind := b[n:]
	if int64(len(behind)) < got.ContentLength {
		if bodyErr == nil {
			t.Fatalf("%q: the body is not whole, and net/http reads %q", b, body)
		}
		return
	}
	left, _ := io.ReadAll(rest) // of bytes
	if bodyErr != nil || !bytes.Equal(body, behind[:got.ContentLength]) || !bytes.Equal(left, behind[got.ContentLength:]) {
		t.Fatalf("%q: a body of %d bytes behind %d; net/http reads %q, %v, and leaves %q", b, got.ContentLength, n, body, bodyErr, left)
	}
}

// What is read here is what net/http reads: the same request, the same body, the same
// bytes left for the next one. What is not whole here is none there.
func FuzzHead(f *testing.F) {
	for _, test := range heads {
		f.Add([]byte(test.raw))
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkHead(t, b) })
}

var statusLines = regexp.MustCompile(`HTTP/1\.[01] \d{3}`)

// Whatever comes on a connection, its handler sees what net/http's would, and the client
// as many answers with the same status.
func FuzzConnection(f *testing.F) {
	for _, test := range heads {
		f.Add([]byte(test.raw))
	}
	f.Add([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("PUT /read HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("PUT /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	type served struct {
		addr string
		mu   sync.Mutex
		seen []string
	}
	servers := [2]served{}
	for i, serve := range []func(*http.Server) server{own, nethttp} {
		s := &servers[i]
		_, s.addr = start(f, serve, &http.Server{MaxHeaderBytes: 64 << 10, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var body []byte
			var err error
			if strings.HasPrefix(r.URL.Path, "/read") {
				body, err = io.ReadAll(r.Body)
			}
			s.mu.Lock()
			s.seen = append(s.seen, fmt.Sprintf("%s %q %q %v %d %t %q %v", r.Method, r.RequestURI, r.Host, r.Header, r.ContentLength, r.Close, body, err))
			s.mu.Unlock()
			_, _ = io.WriteString(w, "ok")
		})})
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if bytes.Contains(raw, []byte("PRI")) {
			return // HTTP/2 is answered in HTTP/2
		}
		var statuses [2][]string
		for i := range servers {
			s := &servers[i]
			s.seen = nil
			c := dial(t, s.addr)
			_, _ = c.Write(raw) // it may be refused before its end
			_ = c.CloseWrite()
			got, _ := io.ReadAll(c) // or broken off
			_ = c.Close()
			statuses[i] = statusLines.FindAllString(string(got), -1)
		}
		if here, there := servers[0].seen, servers[1].seen; !slices.Equal(here, there) || !slices.Equal(statuses[0], statuses[1]) {
			t.Errorf("%q: served\n%q, want\n%q; answered\n%q, want\n%q", raw, here, there, statuses[0], statuses[1])
		}
	})
}

package proxy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/proxy"
)

const own = "Host: x\r\nX-Sluice-Tenant: acme\r\nContent-Type: application/json\r\n"

// smuggled would be served if a message were cut in the wrong place.
const smuggled = "GET /docs/_doc/smuggled HTTP/1.1\r\nHost: x\r\nX-Sluice-Tenant: other\r\n\r\n"

// messages are what a client should not send, and some that it may. status are those
// of the answers, and passed how many requests the cluster gets. Where HTTP has one
// reading it is that: chunks go over a length (RFC 9112, 6.3), and what follows them is
// a request of its own, whose tenant and credentials are its own.
var messages = []struct {
	name, raw string
	status    []int
	passed    int
}{
	{"plain", "GET /docs/_search HTTP/1.1\r\n" + own + "\r\n", []int{200}, 1},
	{"pipelined", "GET /docs/_search HTTP/1.1\r\n" + own + "\r\nPUT /docs/_doc/1 HTTP/1.1\r\n" + own + "Content-Length: 2\r\n\r\n{}GET /docs/_count HTTP/1.1\r\n" + own + "\r\n", []int{200, 200, 200}, 3},
	{"pipelined, the second is none", "GET /docs/_search HTTP/1.1\r\n" + own + "\r\nGARBAGE\r\n\r\n", []int{200, 400}, 1},
	{"length and chunks (CL.TE)", "POST /docs/_search HTTP/1.1\r\n" + own + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{200, 200}, 2},
	{"chunks and length (TE.CL)", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n2\r\n{}\r\n0\r\n\r\n", []int{200}, 1},
	{"two encodings (TE.TE)", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled, []int{501}, 0},
	{"encoding with a tab", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n", []int{200}, 1},
	{"an unknown encoding", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled, []int{501}, 0},
	{"two encodings in one", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{501}, 0},
	{"two lengths", "POST /docs/_search HTTP/1.1\r\n" + own + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", []int{400}, 0},
	{"two lengths in one", "POST /docs/_search HTTP/1.1\r\n" + own + "Content-Length: 2, 3\r\n\r\n{} ", []int{400}, 0},
	{"the same length twice", "POST /docs/_search HTTP/1.1\r\n" + own + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", []int{200}, 1},
	{"a signed length", "POST /docs/_search HTTP/1.1\r\n" + own + "Content-Length: +2\r\n\r\n{}", []int{400}, 0},
	{"a negative length", "POST /docs/_search HTTP/1.1\r\n" + own + "Content-Length: -2\r\n\r\n{}", []int{400}, 0},
	{"a length in hexadecimal", "POST /docs/_search HTTP/1.1\r\n" + own + "Content-Length: 0x2\r\n\r\n{}", []int{400}, 0},
	{"a length that overflows", "POST /docs/_search HTTP/1.1\r\n" + own + "Content-Length: 18446744073709551618\r\n\r\n{}", []int{400}, 0},
	{"a length that is too long", "POST /docs/_search HTTP/1.1\r\n" + own + "Content-Length: 99999999999\r\n\r\n{}", []int{400}, 0},
	{"a body that is cut", "PUT /docs/_doc/1 HTTP/1.1\r\n" + own + "Content-Length: 10\r\n\r\n{}", []int{400}, 0},
	{"a bulk that is cut", "POST /docs/_bulk HTTP/1.1\r\n" + own + "Content-Length: 1000\r\n\r\n{\"index\":{\"_id\":\"1\"}}\n{}\n", []int{400}, 0},
	{"obsolete folding", "GET /docs/_search HTTP/1.1\r\nHost: x\r\nX-Sluice-Tenant: acme\r\n other\r\n\r\n", []int{404}, 0},
	{"a space before the colon", "GET /docs/_search HTTP/1.1\r\nHost: x\r\nX-Sluice-Tenant : acme\r\n\r\n", []int{400}, 0},
	{"a space in a header's name", "GET /docs/_search HTTP/1.1\r\n" + own + "X Y: z\r\n\r\n", []int{400}, 0},
	{"a header without a name", "GET /docs/_search HTTP/1.1\r\n" + own + ": z\r\n\r\n", []int{400}, 0},
	{"a NUL in a header", "GET /docs/_search HTTP/1.1\r\n" + own + "X-Y: a\x00b\r\n\r\n", []int{400}, 0},
	{"a CR in a header", "GET /docs/_search HTTP/1.1\r\n" + own + "X-Y: a\rX-Sluice-Tenant: other\r\n\r\n", []int{400}, 0},
	{"bare LF", "GET /docs/_search HTTP/1.1\nHost: x\nX-Sluice-Tenant: acme\n\n", []int{200}, 1},
	{"bare LF in chunks", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n" + smuggled, []int{400}, 0},
	{"extensions of chunks", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: chunked\r\n\r\n2;a=b;c\r\n{}\r\n0;x\r\n\r\n", []int{200}, 1},
	{"a long extension", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("a", 100_000) + "\r\n{}\r\n0\r\n\r\n" + smuggled, []int{400}, 0},
	{"a huge chunk", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}", []int{400}, 0},
	{"a chunk of 2^64-1", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}", []int{400}, 0},
	{"a chunk that is no number", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n", []int{400}, 0},
	{"a chunk that is longer than it says", "POST /docs/_search HTTP/1.1\r\n" + own + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" + smuggled, []int{400}, 0},
	{"a trailer with a tenant", "POST /docs/_search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTrailer: X-Sluice-Tenant\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Sluice-Tenant: acme\r\n\r\n", []int{400}, 0},
	{"chunks in HTTP/1.0", "POST /docs/_search HTTP/1.0\r\n" + own + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + smuggled, []int{200}, 1},
	{"the form with the host", "GET http://elsewhere/docs/_search HTTP/1.1\r\n" + own + "\r\n", []int{200}, 1},
	{"the form with the host and a user", "GET http://other:x@elsewhere/docs/_search HTTP/1.1\r\n" + own + "\r\n", []int{200}, 1},
	{"the form of a tunnel", "CONNECT other-1:9200 HTTP/1.1\r\n" + own + "\r\n" + smuggled, []int{405, 200}, 1},
	{"the form of a star", "OPTIONS * HTTP/1.1\r\n" + own + "\r\n", []int{405}, 0},
	{"no leading slash", "GET docs/_search HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"two leading slashes", "GET //other-1/_search HTTP/1.1\r\n" + own + "\r\n", []int{404}, 0},
	{"two leading slashes, own", "GET //docs///_search// HTTP/1.1\r\n" + own + "\r\n", []int{200}, 1},
	{"dots", "GET /docs/../other-1/_search HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"dots, encoded", "GET /docs/%2e%2e/other-1/_search HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"dots as an id", "DELETE /docs/_doc/.. HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"dots as an id, encoded", "DELETE /docs/_doc/%2e%2E HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"a dot as an id", "DELETE /docs/_doc/. HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"dots behind an encoded slash", "GET /docs%2f..%2fother-1/_search HTTP/1.1\r\n" + own + "\r\n", []int{404}, 0},
	{"an index behind an encoded slash", "GET /docs%2Fother-1/_search HTTP/1.1\r\n" + own + "\r\n", []int{404}, 0},
	{"an index encoded twice", "GET /%2564ocs/_search HTTP/1.1\r\n" + own + "\r\n", []int{404}, 0},
	{"an endpoint that is encoded", "GET /docs/%5Fsearch HTTP/1.1\r\n" + own + "\r\n", []int{200}, 1},
	{"an endpoint encoded twice", "GET /docs/%255Fsearch HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"a list behind an encoded comma", "GET /docs%2Cother-1/_search HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"a NUL in the index", "GET /docs%00/_search HTTP/1.1\r\n" + own + "\r\n", []int{404}, 0},
	{"an id with a NUL", "GET /docs/_doc/a%00b HTTP/1.1\r\n" + own + "\r\n", []int{200}, 1},
	{"an overlong encoding", "GET /docs/_doc/%c0%af HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"a broken encoding", "GET /docs/_doc/%zz HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"a fragment", "GET /docs/_search#/other-1 HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"a parameter behind a semicolon", "GET /docs/_search?a=b;index=other-1 HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"a matrix parameter", "GET /docs;x=y/_search HTTP/1.1\r\n" + own + "\r\n", []int{404}, 0},
	{"a backslash", "GET /docs\\..\\other-1/_search HTTP/1.1\r\n" + own + "\r\n", []int{404}, 0},
	{"a date as an index", "GET /%3Cother-1%3E/_search HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"a cluster's index", "GET /b:other-1/_search HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"two tenants", "GET /docs/_search HTTP/1.1\r\n" + own + "X-Sluice-Tenant: other\r\n\r\n", []int{403}, 0},
	{"the tenant twice", "GET /docs/_search HTTP/1.1\r\n" + own + "x-sluice-tenant: acme\r\n\r\n", []int{403}, 0},
	{"two tenants in one", "GET /docs/_search HTTP/1.1\r\nHost: x\r\nX-Sluice-Tenant: acme, other\r\n\r\n", []int{404}, 0},
	{"a tenant with an underscore", "GET /docs/_search HTTP/1.1\r\nHost: x\r\nX_Sluice_Tenant: acme\r\n\r\n", []int{400}, 0},
	{"an override of the method", "GET /docs/_search HTTP/1.1\r\n" + own + "X-HTTP-Method-Override: DELETE\r\n\r\n", []int{200}, 1},
	{"a connection that names the tenant", "GET /docs/_search HTTP/1.1\r\n" + own + "Connection: X-Sluice-Tenant, close\r\n\r\n", []int{200}, 1},
	{"two hosts", "GET /docs/_search HTTP/1.1\r\n" + own + "Host: y\r\n\r\n", []int{400}, 0},
	{"no host", "GET /docs/_search HTTP/1.1\r\nX-Sluice-Tenant: acme\r\n\r\n", []int{400}, 0},
	{"a large header", "GET /docs/_search HTTP/1.1\r\n" + own + "X-Y: " + strings.Repeat("y", 1<<20) + "\r\n\r\n", []int{431}, 0},
	{"many headers", "GET /docs/_search HTTP/1.1\r\n" + own + strings.Repeat("X-Y: y\r\n", 100_000) + "\r\n", []int{431}, 0},
	{"a long path", "GET /docs/_doc/" + strings.Repeat("y", 1<<20) + " HTTP/1.1\r\n" + own + "\r\n", []int{431}, 0},
	{"HTTP/0.9", "GET /docs/_search\r\n\r\n", []int{400}, 0},
	{"HTTP/1.2", "GET /docs/_search HTTP/1.2\r\n" + own + "\r\n", []int{200}, 1},
	{"HTTP/3.0", "GET /docs/_search HTTP/3.0\r\n" + own + "\r\n", []int{505}, 0},
	{"spaces in the line", "GET  /docs/_search HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"a method that is none", "G@T /docs/_search HTTP/1.1\r\n" + own + "\r\n", []int{400}, 0},
	{"a method in lower case", "get /docs/_search HTTP/1.1\r\n" + own + "\r\n", []int{405}, 0},
	{"an upgrade", "GET /docs/_search HTTP/1.1\r\n" + own + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", []int{200}, 1},
	{"an upgrade to HTTP/2", "GET /docs/_search HTTP/1.1\r\n" + own + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n", []int{200}, 1},
	{"an expectation", "PUT /docs/_doc/1 HTTP/1.1\r\n" + own + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", []int{200}, 1},
	{"an unknown expectation", "PUT /docs/_doc/1 HTTP/1.1\r\n" + own + "Expect: the worst\r\nContent-Length: 2\r\n\r\n{}", []int{417}, 0},
	{"a body of a GET with a request in it", "GET /docs/_count HTTP/1.1\r\n" + own + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(smuggled)) + smuggled, []int{400}, 0},
	{"no gzip", "POST /docs/_search HTTP/1.1\r\n" + own + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", []int{400}, 0},
	{"nothing", "", nil, 0},
	{"empty lines", "\r\n\r\n\r\n", []int{400}, 0},
	{"bytes", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", []int{400}, 0},
	{"half a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", nil, 0},
}

// What is no request, or could be read as two, is refused in the shape of every
// error, and the cluster gets exactly the requests that were served.
func TestMessages(t *testing.T) {
	w := newWire(t)
	for _, c := range messages {
		m := w.say(t, []byte(c.raw))
		w.check(t, []byte(c.raw), m)
		if strings.HasPrefix(c.raw, "PRI") {
			continue
		}
		var status []int
		for _, a := range m.answers {
			status = append(status, a.StatusCode)
		}
		if !slices.Equal(status, c.status) || len(m.seen) != c.passed {
			t.Errorf("%s: answers %v and %d requests to the cluster, want %v and %d: %+v %.300q", c.name, status, len(m.seen), c.status, c.passed, m.seen, m.raw)
		}
	}
}

// What is sent as bytes reaches a cluster as requests of its own tenant, or not at all.
func FuzzWire(f *testing.F) {
	for _, c := range messages {
		if len(c.raw) < 10_000 {
			f.Add([]byte(c.raw))
		}
	}
	w := newWire(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 1<<20 {
			return
		}
		w.check(t, raw, w.say(t, raw))
	})
}

// No message makes a real cluster do anything outside of the tenant's index, or tell of it.
func TestMessagesToOpenSearch(t *testing.T) {
	r, u := engine(t)
	send(t, u, "PUT", "/other-1", `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	send(t, u, "PUT", "/other-1/_doc/smuggled?refresh=true", `{"w":"hidden-away"}`)
	r.register(other, placeOther)
	state := func() string {
		var b strings.Builder
		for _, i := range []string{"other-1"} {
			a := send(t, u, "GET", "/"+i+"/_search?seq_no_primary_term=true", "").want(t, 200, "hits/total/value", "1")
			b.WriteString(a.str("hits/hits/0/_seq_no") + " ")
		}
		b.WriteString(send(t, u, "GET", "/_cat/indices?h=index&s=index&expand_wildcards=all", "").raw)
		return b.String()
	}
	before := state()
	w := &wire{addr: serveWire(t, r.proxy)}
	for _, c := range messages {
		m := w.say(t, []byte(c.raw))
		// Two requests are two, and the second names the other tenant by itself.
		if strings.Contains(string(m.raw), "hidden-away") && len(c.status) < 2 {
			t.Errorf("%s: another tenant's document is in the answer: %s", c.name, m.raw)
		}
		for i, a := range m.answers {
			if a.StatusCode >= 500 && a.StatusCode != http.StatusNotImplemented && a.StatusCode != http.StatusHTTPVersionNotSupported {
				t.Errorf("%s: %d %s", c.name, a.StatusCode, m.bodies[i])
			}
		}
	}
	if after := state(); after != before {
		t.Errorf("the cluster has changed:\n%s\nwas\n%s", after, before)
	}
}

// Names of documents as they may be spelled in a path. Whatever the proxy passes on,
// OpenSearch reads in it the very name that the proxy did, and the one that it reads
// when nobody is in between.
func TestPathsAsOpenSearchReadsThem(t *testing.T) {
	r, u := engine(t)
	passed := 0
	addr := serveWire(t, r.proxy)
	for _, spelled := range []string{
		"a", "%61", "%2561", "a%2Fb", "a%2fb", "a%252Fb", "%2F", "%2F%2e%2e%2Fother-1", "..%2F..%2Fother-1", "a+b", "a%2Bb", "a%20b", "a%00b", "a;b", "a%3Bb", "a%3Fb", "a%23b",
		"a&b=c", "a%26b%3Dc", "%C3%A9", "\xc3\xa9", "e%CC%81", "a%5Cb", "a\\b", "a%0Ab", "a%0D%0AX-Y:z", "a%09b", "*", "a,b", "%3Ca%3E", "a:b", "a@b", "a%25", "a%u0041", "%C0%AF", "%E2%82", "%FF", "%ED%A0%80", "%zz", "%",
		".a", "a.", "...", "..", ".", "%2e", "%2e%2e", "%252e%252e", "~", "!$'()*", "a|b", "%5Fsearch", "_search", "a%E2%80%8B", "%F0%9F%98%80",
	} {
		w := &wire{addr: addr, open: true}
		direct := &wire{addr: strings.TrimPrefix(u, "http://"), open: true}
		put := func(w *wire, index string) (int, string, string) {
			m := w.say(t, []byte("PUT /"+index+"/_doc/"+spelled+" HTTP/1.1\r\n"+own+"Connection: close\r\nContent-Length: 2\r\n\r\n{}"))
			if len(m.answers) != 1 {
				t.Fatalf("%s: no answer: %q", spelled, m.raw)
			}
			a := reply{raw: m.bodies[0]}
			return m.answers[0].StatusCode, a.str("_id"), m.bodies[0]
		}
		status, id, raw := put(w, "docs")
		if status >= 400 {
			if a := (reply{raw: raw}); a.str("error/type") != proxy.TypeBadRequest || status != 400 {
				t.Errorf("%s: %d %s", spelled, status, raw)
			}
			continue
		}
		passed++
		if _, name, doc, _, bad := proxy.Classify("PUT", "/docs/_doc/"+spelled); bad != 0 || name != "docs" || doc != id {
			t.Errorf("%s: the cluster reads %q, the proxy %q", spelled, id, doc)
		}
		if !isASCII(spelled) {
			continue // no URL; OpenSearch takes the bytes for Latin-1, and the proxy for UTF-8, there and back
		}
		if s, bare, b := put(direct, placeB.Index); s >= 300 || bare != id {
			t.Errorf("%s: the cluster reads %q through the proxy, and by itself %d %q: %s", spelled, id, s, bare, b)
		}
		b, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		send(t, r.url, "POST", "/docs/_mget", `{"ids":[`+string(b)+`]}`, "X-Sluice-Tenant", string(acme)).want(t, 200, "docs/0/found", true)
	}
	if passed < 25 {
		t.Errorf("only %d spellings were passed on", passed)
	}
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > '~' }) < 0
}

package clients_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// wire writes requests by hand, for what clients are free to do on a connection.
type wire struct {
	t       *testing.T
	to      target
	host    string
	headers string // of every request
	c       *http.Client
	out     []line
}

func readyWire(_ *testing.T) func(*testing.T, target) []line {
	return func(t *testing.T, to target) []line {
		t.Helper()
		u, err := url.Parse(to.URL)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DisableCompression: true, ExpectContinueTimeout: time.Minute}
		defer transport.CloseIdleConnections()
		w := &wire{t: t, to: to, host: u.Host, c: &http.Client{Transport: transport}}
		for k, v := range to.Headers {
			w.headers += k + ": " + v + "\r\n"
		}
		if to.User != "" {
			w.headers += "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(to.User+":"+to.Password)) + "\r\n"
		}
		w.bodies()
		w.names()
		w.answers()
		w.continues()
		w.keepsAlive()
		return w.out
	}
}

// do sends a request; headers are name, value, name, value.
func (w *wire) do(name, method, path string, body io.Reader, headers ...string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.to.URL+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	for k, v := range w.to.Headers {
		req.Header.Set(k, v)
	}
	if w.to.User != "" {
		req.SetBasicAuth(w.to.User, w.to.Password)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range pairs(headers...) {
		req.Header.Set(k, v)
	}
	resp, err := w.c.Do(req)
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	w.out = append(w.out, answerLine(w.t, name, resp))
}

func (w *wire) note(name string, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	w.out = append(w.out, line{Name: name, Body: raw})
}

func zipped(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, s)
	if cerr := z.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// chunks hides the length of a body.
func chunks(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} }

// bodies are ways in which a body may come.
func (w *wire) bodies() {
	const doc, bulk = `{"n":1,"title":"wire"}`, "{\"index\":{\"_id\":\"w3\"}}\n{\"n\":3}\n"
	big := `{"n":2,"title":"` + strings.Repeat("long ", 400_000) + `"}`
	w.do("body_plain", "PUT", "/docs/_doc/w1", strings.NewReader(doc))
	w.do("body_charset", "PUT", "/docs/_doc/w1", strings.NewReader(doc), "Content-Type", "application/json; charset=UTF-8")
	w.do("body_chunked", "PUT", "/docs/_doc/w1", chunks(doc))
	w.do("body_gzip", "PUT", "/docs/_doc/w1", bytes.NewReader(zipped(w.t, doc)), "Content-Encoding", "gzip")
	w.do("body_gzip_chunked", "PUT", "/docs/_doc/w1", chunks(string(zipped(w.t, doc))), "Content-Encoding", "gzip")
	w.do("body_large", "PUT", "/docs/_doc/w2", strings.NewReader(big))
	w.do("body_large_chunked", "PUT", "/docs/_doc/w2", chunks(big))
	w.do("body_large_gzip", "PUT", "/docs/_doc/w2", bytes.NewReader(zipped(w.t, big)), "Content-Encoding", "gzip")
	w.do("bulk_json", "POST", "/docs/_bulk", strings.NewReader(bulk))
	w.do("bulk_ndjson", "POST", "/docs/_bulk", strings.NewReader(bulk), "Content-Type", "application/x-ndjson")
	w.do("bulk_gzip", "POST", "/docs/_bulk", bytes.NewReader(zipped(w.t, bulk)), "Content-Encoding", "gzip")
	w.do("bulk_carriage_return", "POST", "/docs/_bulk", chunks(strings.ReplaceAll(bulk, "\n", "\r\n")))
	w.do("refresh", "POST", "/docs/_refresh", nil)
	w.do("refresh_empty_body", "POST", "/docs/_refresh", strings.NewReader(""))
	w.do("search_get_body", "GET", "/docs/_search", strings.NewReader(`{"query":{"term":{"n":1}},"sort":["n"]}`))
	w.do("search_gzip", "POST", "/docs/_search", bytes.NewReader(zipped(w.t, `{"query":{"term":{"n":1}},"sort":["n"]}`)), "Content-Encoding", "gzip")
	w.do("search_trailing_space", "POST", "/docs/_search", strings.NewReader("  {\"size\":0}\n\n"))
	w.do("body_missing", "PUT", "/docs/_doc/w1", nil)
	w.do("body_not_json", "PUT", "/docs/_doc/w1", strings.NewReader(`n`))
	w.do("body_other_type", "PUT", "/docs/_doc/w1", strings.NewReader(doc), "Content-Type", "text/html")
}

// names are ids as they stand in paths.
func (w *wire) names() {
	for _, id := range []string{"a%2Fb", "a%2fb", "%E2%98%83", "a+b", "a%2Bb", "a%20b", "a%25b", "a:b", "a@b", "a,b", "a*b", "(a)", "a~b", "a'b", "%22a%22", "a%3Fb", "a%23b", "a;b", "a=b&c", "a.b", "...", "-a", "%2F"} {
		w.do("id_put "+id, "PUT", "/docs/_doc/"+id, strings.NewReader(`{"n":9}`))
		w.do("id_get "+id, "GET", "/docs/_doc/"+id, nil)
		w.do("id_head "+id, "HEAD", "/docs/_doc/"+id, nil)
		w.do("id_source "+id, "GET", "/docs/_source/"+id, nil)
		w.do("id_delete "+id, "DELETE", "/docs/_doc/"+id, nil)
	}
	w.do("routing_encoded", "PUT", "/docs/_doc/r?routing=a%2Fb%20%E2%98%83", strings.NewReader(`{"n":9}`))
	w.do("routing_encoded_get", "GET", "/docs/_doc/r?routing=a%2Fb+%E2%98%83", nil)
	w.do("slash_at_end", "GET", "/docs/_count/", nil)
	w.do("two_slashes", "GET", "/docs//_count", nil)
	w.do("index_encoded", "GET", "/%64ocs/_count", nil)
}

// answers are headers of answers, and what asks for another form of them.
func (w *wire) answers() {
	w.do("opaque_id", "GET", "/docs/_doc/w1", nil, "X-Opaque-Id", "mine")
	w.do("opaque_id_error", "POST", "/docs/_search", strings.NewReader(`{"query":{"range":{"n":{"gte":"x"}}}}`), "X-Opaque-Id", "mine")
	w.do("pretty", "GET", "/docs/_doc/w1?pretty", nil)
	w.do("human", "GET", "/docs/_count?human=true&error_trace=false", nil)
	w.do("accept_json", "GET", "/docs/_doc/w1", nil, "Accept", "application/json")
	w.do("accept_any", "GET", "/docs/_doc/w1", nil, "Accept", "*/*")
	w.do("cat_text", "GET", "/_cat/count/docs?h=count&v", nil)
	w.do("cat_accept_json", "GET", "/_cat/count/docs?h=count", nil, "Accept", "application/json")
	for _, path := range []string{"/", "/docs", "/docs/_doc/w1", "/docs/_doc/none", "/docs/_source/w1", "/docs-none"} {
		w.do("head "+path, "HEAD", path, nil)
	}
	// Compressed if asked for, or not: it must be the same once it is read.
	req, err := http.NewRequestWithContext(w.t.Context(), "GET", w.to.URL+"/docs/_source/w2", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for k, v := range w.to.Headers {
		req.Header.Set(k, v)
	}
	if w.to.User != "" {
		req.SetBasicAuth(w.to.User, w.to.Password)
	}
	transport := &http.Transport{} // asks for gzip and undoes it
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	w.out = append(w.out, answerLine(w.t, "accept_gzip", resp))
}

// conn opens a connection on which nothing may take longer than a minute.
func (w *wire) conn() (net.Conn, *bufio.Reader) {
	w.t.Helper()
	c, err := net.Dial("tcp", w.host)
	if err == nil {
		err = c.SetDeadline(time.Now().Add(time.Minute))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

func (w *wire) send(c net.Conn, head, body string) {
	w.t.Helper()
	if _, err := io.WriteString(c, head+" HTTP/1.1\r\nHost: "+w.host+"\r\n"+w.headers+body); err != nil {
		w.t.Fatal(err)
	}
}

// status reads the next answer of a connection, body and all.
func (w *wire) status(r *bufio.Reader) int {
	w.t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode
}

// continues waits for the server's leave to send a body.
func (w *wire) continues() {
	c, r := w.conn()
	defer c.Close()
	const doc = `{"n":4}`
	w.send(c, "PUT /docs/_doc/w4", fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(doc)))
	interim := w.status(r)
	if _, err := io.WriteString(c, doc); err != nil {
		w.t.Fatal(err)
	}
	w.note("expect_continue", []int{interim, w.status(r)})
}

// keepsAlive sends one request after another on a connection, before and after
// answers of all kinds, and several before the first answer.
func (w *wire) keepsAlive() {
	c, r := w.conn()
	defer c.Close()
	var got []int
	for _, path := range []string{"GET /docs/_doc/w1", "HEAD /docs/_doc/none", "GET /docs/_doc/none", "HEAD /docs", "GET /docs/_count"} {
		w.send(c, path, "\r\n")
		if strings.HasPrefix(path, "HEAD") {
			resp, err := http.ReadResponse(r, &http.Request{Method: "HEAD"})
			if err != nil {
				w.t.Fatal(err)
			}
			got = append(got, resp.StatusCode)
			continue
		}
		got = append(got, w.status(r))
	}
	w.note("keep_alive", got)
	const doc = `{"n":"not a number"}`
	for range 2 { // refused, and its body left unread by nobody
		w.send(c, "PUT /docs/_doc/w5", fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(doc), doc))
	}
	w.send(c, "GET /docs/_doc/w1", "\r\n")
	w.note("pipelined", []int{w.status(r), w.status(r), w.status(r)})
	w.send(c, "GET /docs/_doc/w1", "Connection: close\r\n\r\n")
	last := w.status(r)
	_, err := r.ReadByte()
	w.note("connection_close", []any{last, cmp.Or(err, io.ErrNoProgress).Error()})
}

package soak_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
)

const (
	tenant    = "acme"
	documents = 3000 // ids that are written, so that the index stays as large as it is
	keep      = "10s"
)

// tally is what clients saw.
type tally struct {
	mu       sync.Mutex
	kinds    map[string]int
	statuses map[string]int
	wrong    []string // what must not be
}

func (c *tally) kind(name string) {
	c.mu.Lock()
	c.kinds[name]++
	c.mu.Unlock()
}

func (c *tally) bad(format string, args ...any) {
	c.mu.Lock()
	if len(c.wrong) < 20 {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
	c.mu.Unlock()
}

// answered notes an answer, and holds it against what the proxy promises of errors.
func (c *tally) answered(what string, status int, body []byte) {
	c.mu.Lock()
	c.statuses[strconv.Itoa(status)]++
	c.mu.Unlock()
	if status < 400 || len(body) == 0 {
		return
	}
	var e struct {
		Error struct {
			Type      string
			Retryable *bool
			Action    string
		}
	}
	if err := json.Unmarshal(body, &e); err != nil {
		if status != http.StatusNotFound { // a get of a document that is not there is no error
			c.bad("%s: status %d with what is no JSON: %.200s", what, status, body)
		}
		return
	}
	if strings.HasPrefix(e.Error.Type, "sluice_") && (e.Error.Retryable == nil || e.Error.Action == "") || status == http.StatusInternalServerError {
		c.bad("%s: status %d: %.300s", what, status, body)
	}
}

// client is one that behaves as its turn has it.
type client struct {
	*tally
	base   string
	http   *http.Client
	random *rand.Rand
}

// turns are what clients do, and how often, of 100.
var turns = []struct {
	share int
	name  string
	do    func(*client, context.Context)
}{
	{24, "write", (*client).write}, {20, "read", (*client).read}, {10, "bulk", (*client).bulk}, {12, "search", (*client).search},
	{7, "scroll", (*client).scroll}, {5, "pit", (*client).pit}, {6, "aborted", (*client).abort}, {4, "slow reader", (*client).slow},
	{8, "malformed", (*client).malformed}, {3, "unknown tenant", (*client).stranger}, {1, "by query", (*client).byQuery},
}

// run takes turns until ctx ends.
func (c *client) run(ctx context.Context) {
	defer c.http.CloseIdleConnections()
	for ctx.Err() == nil {
		n := c.random.IntN(100)
		for _, t := range turns {
			if n -= t.share; n < 0 {
				c.kind(t.name)
				t.do(c, ctx)
				break
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(10+c.random.IntN(50)) * time.Millisecond): // a client thinks
		}
	}
}

// send is one request, answered or not: connections are cut on purpose.
func (c *client) send(ctx context.Context, who, method, path, body string) (int, []byte) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.bad("%s %s: %v", method, path, err)
		return 0, nil
	}
	req.Header.Set(demo.TenantHeader, who)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	c.answered(method+" "+path, resp.StatusCode, b)
	return resp.StatusCode, b
}

func (c *client) id() string { return strconv.Itoa(c.random.IntN(documents)) }

func (c *client) doc() string {
	return fmt.Sprintf(`{"n":%d,"t":%q}`, c.random.IntN(1000), strings.Repeat("x", 100+c.random.IntN(900)))
}

func (c *client) write(ctx context.Context) {
	switch c.random.IntN(4) {
	case 0:
		c.send(ctx, tenant, "DELETE", "/docs/_doc/"+c.id(), "")
	case 1:
		c.send(ctx, tenant, "POST", "/docs/_update/"+c.id(), `{"doc":{"n":1},"doc_as_upsert":true}`)
	default:
		c.send(ctx, tenant, "PUT", "/docs/_doc/"+c.id(), c.doc())
	}
}

func (c *client) read(ctx context.Context) {
	if c.random.IntN(2) == 0 {
		c.send(ctx, tenant, "GET", "/docs/_doc/"+c.id(), "")
		return
	}
	c.send(ctx, tenant, "POST", "/_mget", `{"docs":[{"_index":"docs","_id":"`+c.id()+`"},{"_index":"docs","_id":"`+c.id()+`"}]}`)
}

func (c *client) bulk(ctx context.Context) {
	var b strings.Builder
	for range 1 + c.random.IntN(100) {
		fmt.Fprintf(&b, "{\"index\":{\"_id\":%q}}\n%s\n", c.id(), c.doc())
	}
	c.send(ctx, tenant, "POST", "/docs/_bulk", b.String())
}

func (c *client) search(ctx context.Context) {
	c.send(ctx, tenant, "POST", "/docs/_search", fmt.Sprintf(`{"size":50,"query":{"range":{"n":{"lt":%d}}},"aggs":{"n":{"avg":{"field":"n"}}}}`, c.random.IntN(1000)))
}

// scroll opens one, follows it, and closes it or leaves it to its time.
func (c *client) scroll(ctx context.Context) {
	_, b := c.send(ctx, tenant, "POST", "/docs/_search?scroll="+keep, `{"size":100}`)
	for range 3 {
		var page struct {
			ID string `json:"_scroll_id"`
		}
		if json.Unmarshal(b, &page) != nil || page.ID == "" {
			return
		}
		if c.random.IntN(4) == 0 {
			c.send(ctx, tenant, "DELETE", "/_search/scroll", `{"scroll_id":"`+page.ID+`"}`)
			return
		}
		_, b = c.send(ctx, tenant, "POST", "/_search/scroll", `{"scroll":"`+keep+`","scroll_id":"`+page.ID+`"}`)
	}
}

func (c *client) pit(ctx context.Context) {
	_, b := c.send(ctx, tenant, "POST", "/docs/_search/point_in_time?keep_alive="+keep, "")
	var p struct {
		ID string `json:"pit_id"`
	}
	if json.Unmarshal(b, &p) != nil || p.ID == "" {
		return
	}
	c.send(ctx, tenant, "POST", "/_search", `{"size":10,"pit":{"id":"`+p.ID+`","keep_alive":"`+keep+`"}}`)
	if c.random.IntN(2) == 0 {
		c.send(ctx, tenant, "DELETE", "/_search/point_in_time", `{"pit_id":["`+p.ID+`"]}`)
	}
}

func (c *client) byQuery(ctx context.Context) {
	wait := strconv.FormatBool(c.random.IntN(2) == 0)
	c.send(ctx, tenant, "POST", "/docs/_update_by_query?conflicts=proceed&wait_for_completion="+wait, `{"query":{"term":{"n":7}}}`)
}

// stranger is of a tenant that nobody has heard of, another one each time.
func (c *client) stranger(ctx context.Context) {
	c.send(ctx, fmt.Sprintf("nobody-%d", c.random.Uint64()), []string{"GET", "POST"}[c.random.IntN(2)], "/docs/_search", "")
}

// dial opens a connection to the proxy; nil if there is none to be had.
func (c *client) dial(ctx context.Context) *net.TCPConn {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", strings.TrimPrefix(c.base, "http://"))
	if err != nil {
		return nil
	}
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	return nc.(*net.TCPConn)
}

func head(method, path string, more ...string) string {
	return method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + demo.TenantHeader + ": " + tenant + "\r\nContent-Type: application/json\r\n" + strings.Join(more, "\r\n") + "\r\n\r\n"
}

// abort goes away in the middle of a request, or of its answer, with a reset or without.
func (c *client) abort(ctx context.Context) {
	nc := c.dial(ctx)
	if nc == nil {
		return
	}
	defer nc.Close()
	if c.random.IntN(2) == 0 {
		_ = nc.SetLinger(0)
	}
	body := "{\"index\":{\"_id\":\"1\"}}\n" + c.doc() + "\n"
	switch c.random.IntN(4) {
	case 0: // a body that does not come
		_, _ = io.WriteString(nc, head("PUT", "/docs/_doc/1", "Content-Length: 1000")+"{")
	case 1: // half of a large bulk
		_, _ = io.WriteString(nc, head("POST", "/docs/_bulk", "Content-Length: 6000000")+strings.Repeat(body, 2000))
	case 2: // an answer that nobody waits for
		_, _ = io.WriteString(nc, head("POST", "/docs/_bulk", "Content-Length: "+strconv.Itoa(len(body)))+body)
	case 3: // nor for a large one
		_, _ = io.WriteString(nc, head("GET", "/docs/_search?size=500"))
		_, _ = io.ReadFull(nc, make([]byte, 100))
	}
}

// slow reads a large answer slowly, and not to its end.
func (c *client) slow(ctx context.Context) {
	nc := c.dial(ctx)
	if nc == nil {
		return
	}
	defer nc.Close()
	_ = nc.SetReadBuffer(4096)
	_, _ = io.WriteString(nc, head("GET", "/docs/_search?size=1000"))
	buf := make([]byte, 2048)
	for range 20 + c.random.IntN(40) {
		if _, err := nc.Read(buf); err != nil || ctx.Err() != nil {
			return
		}
		time.Sleep(20 * time.Millisecond) // slow is what it is
	}
}

// raw are messages that are none, or that two servers might read in two ways.
var raw = []string{
	"\x00\x01\x02\r\n\r\n", "GET /docs/_search\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nxx\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
	head("POST", "/docs/_search", "Content-Length: 4", "Transfer-Encoding: chunked") + "0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
	head("POST", "/docs/_search", "Content-Length: 2", "Content-Length: 3") + "{}}",
	head("POST", "/docs/_search", "Transfer-Encoding: chunked") + "ffffffffffffffffff\r\n{}",
	head("POST", "/docs/_search", "Transfer-Encoding: chunked") + "5\r\n{}",
	head("GET", "/docs/_doc/%2e%2e"), head("GET", "/docs/..%2f..%2f_cluster/state"), head("GET", "/docs%00/_search"),
	"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 2<<20) + "\r\n\r\n",
}

// malformed is what no client should send.
func (c *client) malformed(ctx context.Context) {
	switch c.random.IntN(6) {
	case 0:
		c.send(ctx, tenant, "POST", "/docs/_search", `{"query":`)
		return
	case 1:
		c.send(ctx, tenant, "POST", "/docs/_bulk", "{\"index\":{\"_id\":\"1\"}}\n{}\n{\"nope\"")
		return
	case 2:
		c.send(ctx, tenant, "POST", "/_search/scroll", fmt.Sprintf(`{"scroll_id":"forged-%d"}`, c.random.Uint64()))
		return
	}
	nc := c.dial(ctx)
	if nc == nil {
		return
	}
	defer nc.Close()
	go func() { // large ones are answered before they have been sent
		_, _ = io.WriteString(nc, raw[c.random.IntN(len(raw))])
		_ = nc.CloseWrite()
	}()
	b, _ := io.ReadAll(io.LimitReader(nc, 1<<20))
	if bytes.Contains(b, []byte(" 500 ")) {
		c.bad("malformed: %.300s", b)
	}
}

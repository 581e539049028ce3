package proxy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/internal/upstream/http1"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
	"github.com/sluiceproxy/sluice/tenancy"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// cluster is a connection to a cluster that is not there: what is written decides, by
// the index and the endpoint in it, what is read.
type cluster struct {
	answers map[string][]byte
	out     []byte // still to be read
}

func (c *cluster) Write(b []byte) (int, error) {
	path, _, _ := bytes.Cut(b[bytes.IndexByte(b, '/')+1:], []byte(" "))
	path, _, _ = bytes.Cut(path, []byte("?"))
	index, rest, _ := bytes.Cut(path, []byte("/"))
	verb, _, _ := bytes.Cut(rest, []byte("/"))
	var key [64]byte
	k := append(append(append(append(append(key[:0], b[:3]...), ' '), index...), ' '), verb...)
	if c.out = c.answers[string(k)]; c.out == nil {
		panic("no answer for " + string(k))
	}
	return len(b), nil
}

func (c *cluster) Read(b []byte) (int, error) {
	n := copy(b, c.out)
	c.out = c.out[n:]
	return n, nil
}

func (*cluster) Close() error                     { return nil }
func (*cluster) LocalAddr() net.Addr              { return nil }
func (*cluster) RemoteAddr() net.Addr             { return nil }
func (*cluster) SetDeadline(time.Time) error      { return nil }
func (*cluster) SetReadDeadline(time.Time) error  { return nil }
func (*cluster) SetWriteDeadline(time.Time) error { return nil }

// answerSink is a server's side of an answer that costs nothing.
type answerSink struct {
	header http.Header
	status int
	bytes  int
}

func (w *answerSink) Header() http.Header         { return w.header }
func (w *answerSink) WriteHeader(status int)      { w.status = status }
func (w *answerSink) Write(b []byte) (int, error) { w.bytes += len(b); return len(b), nil }

// benchAnswers are what the cluster of BenchmarkRequest says, as the stub of bench/proxy.
func benchAnswers(b *testing.B) map[string][]byte {
	t, err := shared.New("shared", "tenant")
	if err != nil {
		b.Fatal(err)
	}
	out := map[string][]byte{}
	for _, index := range []string{"docs", "own", "pool"} {
		id := func(i int) string { return fmt.Sprint(i) }
		source, extra := benchDocument(300), ""
		if index == "pool" {
			id = func(i int) string { s, _ := t.ID(fmt.Sprint(i)); return s } // of a number there is always one
			source = `{"tenant":"shared",` + strings.TrimPrefix(source, "{")
			extra = fmt.Sprintf(`"_routing":%q,`, t.Routing(""))
		}
		say := func(key, body string) {
			out[key] = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: %d\r\n\r\n%s", len(body), body)
		}
		say("GET "+index+" _doc", fmt.Sprintf(`{"_index":%q,"_id":%q,"_version":7,"_seq_no":6,"_primary_term":1,%s"found":true,"_source":%s}`, index, id(1), extra, source))
		say("PUT "+index+" _doc", fmt.Sprintf(`{"_index":%q,"_id":%q,"_version":7,"result":"updated","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":6,"_primary_term":1}`, index, id(1)))
		var hits, items []string
		for i := range 10 {
			hits = append(hits, fmt.Sprintf(`{"_index":%q,"_id":%q,"_score":1.2,%s"_source":%s}`, index, id(i), extra, source))
		}
		say("POS "+index+" _search", `{"took":3,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"total":{"value":10,"relation":"eq"},"max_score":1.2,"hits":[`+strings.Join(hits, ",")+`]}}`)
		for i := range 100 {
			items = append(items, fmt.Sprintf(`{"index":{"_index":%q,"_id":%q,"_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":%d,"_primary_term":1,"status":201}}`, index, id(i), i))
		}
		say("POS "+index+" _bulk", `{"took":5,"errors":false,"items":[`+strings.Join(items, ",")+`]}`)
	}
	return out
}

// benchDocument is a document of about n bytes.
func benchDocument(n int) string {
	frame := `{"title":"a document of a tenant","n":42,"tags":["a","b"],"text":""}`
	return strings.TrimSuffix(frame, `"}`) + strings.Repeat("lorem ipsum ", 1+n/12)[:max(n-len(frame), 0)] + `"}`
}

type oneCluster struct{ c *upstream.Client }

func (o oneCluster) Cluster(string) (*upstream.Client, error) { return o.c, nil }

// BenchmarkRequest is what the proxy itself costs of a request: everything between the
// server of its clients and the system calls of the connection to the cluster. Both ends
// cost nothing, and the table is in memory.
//
//	go test -run NONE -bench Request -benchmem -count 6 ./proxy
func BenchmarkRequest(b *testing.B) {
	answers := benchAnswers(b)
	for _, mode := range []gate.Mode{gate.Leased, gate.Fresh} {
		s := store.New(memstore.New(nil), nil)
		g, err := gate.New(s, &gate.Options{Mode: mode, CloseDeadline: 50 * time.Millisecond})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- g.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-ended; err != nil {
				b.Error(err)
			}
		}()
		up := &http1.Client{Idle: 64, IdleTimeout: time.Minute, HeaderTimeout: 2 * time.Minute, Dial: func(context.Context, string, string) (net.Conn, error) { return &cluster{answers: answers}, nil }}
		c, err := upstream.New(placement.Cluster{Name: "a", Endpoints: []string{"http://127.0.0.1:9200"}}, &upstream.Options{Transport: up})
		if err != nil {
			b.Fatal(err)
		}
		tenants, err := tenancy.New(tenancy.Default(), nil)
		if err != nil {
			b.Fatal(err)
		}
		p, err := proxy.New(g, oneCluster{c}, tenants, &proxy.Options{CursorKeys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
		if err != nil {
			b.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); g.Ready() != nil; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				b.Fatal(g.Ready())
			}
		}
		for _, kind := range []struct {
			name  string
			place placement.Placement
		}{
			{"whole", placement.Placement{Kind: placement.DedicatedCluster, Cluster: "a"}},
			{"index", placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "own", Logical: "docs"}},
			{"shared", placement.Placement{Kind: placement.SharedIndex, Cluster: "a", Index: "pool", Logical: "docs", PartitionField: "tenant"}},
		} {
			if _, err := s.Register(ctx, placement.PartitionID(kind.name), kind.place); err != nil {
				b.Fatal(err)
			}
			var bulk strings.Builder
			for i := range 100 {
				fmt.Fprintf(&bulk, "{\"index\":{\"_id\":\"%d\"}}\n%s\n", i, benchDocument(256))
			}
			for _, r := range []struct{ name, method, path, body string }{
				{"GET", "GET", "/docs/_doc/1", ""},
				{"PUT256", "PUT", "/docs/_doc/1", benchDocument(256)},
				{"PUT4K", "PUT", "/docs/_doc/1", benchDocument(4096)},
				{"search", "POST", "/docs/_search", `{"query":{"match":{"text":"lorem"}},"size":10}`},
				{"bulk", "POST", "/docs/_bulk", bulk.String()},
			} {
				b.Run(fmt.Sprintf("%s/%s/%s", mode, kind.name, r.name), func(b *testing.B) {
					do := benchRequest(b, p, kind.name, r.method, r.path, r.body)
					b.ReportAllocs()
					before := processorTime(b)
					for b.Loop() {
						do()
					}
					b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
				})
			}
		}
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchRequest returns what sends one request and checks that it was served.
func benchRequest(b *testing.B, h http.Handler, tenant, method, path, body string) func() {
	w := &answerSink{header: http.Header{}}
	in := strings.NewReader(body)
	tenants, agent, kind := []string{tenant}, []string{"wrk"}, []string{"application/json"}
	u, err := url.Parse(path)
	if err != nil {
		b.Fatal(err)
	}
	header := http.Header{}
	again := func() {
		in.Reset(body)
		*w = answerSink{header: w.header}
		clear(w.header)
		// As a server would have read them.
		clear(header)
		header["X-Sluice-Tenant"], header["User-Agent"], header["Content-Type"] = tenants, agent, kind
		r := &http.Request{
			Method: method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Host: "proxy", RemoteAddr: "127.0.0.1:1234",
			RequestURI: path, Body: http.NoBody,
		}
		if body != "" {
			r.Body, r.ContentLength = io.NopCloser(in), int64(len(body))
		}
		h.ServeHTTP(w, r)
		if w.status != 200 || w.bytes == 0 {
			b.Fatalf("status %d, %d bytes", w.status, w.bytes)
		}
	}
	again()
	return again
}

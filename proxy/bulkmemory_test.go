package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/proxy"
)

// bulkBody is a bulk of n items, made as it is read. Each seventh names an index
// that is not the tenant's.
type bulkBody struct {
	n, next int
	text    string // of each document
	buf     bytes.Buffer
}

func (b *bulkBody) item(i int) (verb, index string) {
	switch {
	case i%7 == 3:
		return "index", "foreign"
	case i%11 == 5:
		return "delete", ""
	case i%13 == 6:
		return "update", "docs"
	}
	return []string{"index", "create"}[i%2], []string{"docs", ""}[i%3%2]
}

func (b *bulkBody) Read(p []byte) (int, error) {
	for b.buf.Len() < len(p) && b.next < b.n {
		verb, index := b.item(b.next)
		if index != "" {
			index = `"_index":"` + index + `",`
		}
		fmt.Fprintf(&b.buf, `{"%s":{%s"_id":"%d"}}`+"\n", verb, index, b.next)
		switch verb {
		case "delete":
		case "update":
			fmt.Fprintf(&b.buf, `{"doc":{"t":"%s"}}`+"\n", b.text)
		default:
			fmt.Fprintf(&b.buf, `{"t":"%s"}`+"\n", b.text)
		}
		b.next++
	}
	return b.buf.Read(p)
}

// bulkCluster takes bulks one line at a time, and answers that all went well. peak is
// the most that the process had on its heap when it looked: with all of a chunk read
// and none of it answered.
type bulkCluster struct {
	calls, items, largest, peak atomic.Int64
}

func (c *bulkCluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.calls.Add(1)
	size := int64(0)
	in := bufio.NewReader(r.Body)
	var out bytes.Buffer
	out.WriteString(`{"took":1,"errors":false,"items":[`)
	for n := 0; ; n++ {
		line, err := in.ReadSlice('\n')
		if err != nil {
			break
		}
		size += int64(len(line))
		verb, rest, _ := strings.Cut(strings.TrimPrefix(string(line), `{"`), `":{`)
		_, id, _ := strings.Cut(rest, `"_id":"`)
		id, _, ok := strings.Cut(id, `"`)
		if !ok {
			break // the missing items will be noticed
		}
		for more := verb != "delete"; more; {
			part, err := in.ReadSlice('\n')
			size += int64(len(part))
			more = err == bufio.ErrBufferFull
		}
		if n > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, `{"%s":{"_index":"acme-1","_id":"%s","status":200}}`, verb, id)
		c.items.Add(1)
	}
	c.largest.Store(max(c.largest.Load(), size))
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	c.peak.Store(max(c.peak.Load(), int64(m.HeapAlloc)))
	out.WriteString("]}")
	answer(w, 200, out.String())
}

// A bulk takes as much memory as a chunk of it, however many lines it has and
// however large it is; each chunk is one request to the cluster; and what became of
// each item is at its place.
func TestBulkMemory(t *testing.T) {
	for _, c := range []struct {
		name  string
		items int
		text  int   // bytes of a document
		chunk int64 // requests at most
	}{
		{"many lines", 100_000, 10, 21},
		{"100 MB", 25_000, 4_330, 26},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster := &bulkCluster{}
			u := faulty(t, cluster.ServeHTTP)
			r := newRig(t, u, u, nil)
			r.register(acme, placeA)
			runtime.GC()
			var before runtime.MemStats
			runtime.ReadMemStats(&before)

			body := &bulkBody{n: c.items, text: strings.Repeat("x", c.text)}
			counted := &countingReader{Reader: body}
			req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+"/docs/_bulk", counted)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-ndjson")
			req.Header.Set("X-Sluice-Tenant", string(acme))
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != 200 {
				b, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
				t.Fatalf("status %d: %s", resp.StatusCode, b)
			}
			local := checkBulkAnswer(t, resp.Body, body)
			grown := cluster.peak.Load() - int64(before.HeapAlloc)
			t.Logf("%d items, %d MB, %d of them failed here: %d requests of at most %d KB, heap grown by at most %d KB",
				c.items, counted.n>>20, local, cluster.calls.Load(), cluster.largest.Load()>>10, grown>>10)
			if n := cluster.calls.Load(); n > c.chunk || n < c.chunk-3 {
				t.Errorf("%d requests, want %d or few less", n, c.chunk)
			}
			if got := cluster.items.Load() + int64(local); got != int64(c.items) {
				t.Errorf("%d items are accounted for, of %d", got, c.items)
			}
			// A chunk as it was read and as it is sent, its answer, and the results so far.
			if grown > 24<<20 {
				t.Errorf("the heap grew by %d MB", grown>>20)
			}
			if c.text > 1000 && counted.n < proxy.DefaultBulkBody*9/10 {
				t.Errorf("the body has %d bytes only", counted.n)
			}
		})
	}
}

type countingReader struct {
	io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// checkBulkAnswer compares an answer item by item; local is how many failed in the
// proxy.
func checkBulkAnswer(t *testing.T, body io.Reader, asked *bulkBody) (local int) {
	t.Helper()
	in := bufio.NewReader(body)
	head, err := in.ReadString('[')
	if err != nil || !strings.HasSuffix(head, `,"errors":true,"items":[`) {
		t.Fatalf("the answer begins with %s: %v", head, err)
	}
	for i := range asked.n {
		verb, index := asked.item(i)
		want := fmt.Sprintf(`{"%s":{"_index":"docs","_id":"%d","status":200}}`, verb, i)
		if index == "foreign" {
			local++
			want = fmt.Sprintf(`{"%s":{"_index":"foreign","_id":"%d","status":404,"error":{"type":"index_not_found_exception","reason":"no such index [foreign]","index":"foreign","resource.id":"foreign","resource.type":"index_or_alias","index_uuid":"_na_","retryable":false,"action":"Name an index of the tenant's, or create it."}}}`, verb, i)
		}
		if want += ","; i == asked.n-1 {
			want = want[:len(want)-1] + "]}"
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(in, got); err != nil || string(got) != want {
			t.Fatalf("item %d: %s (%v), want %s", i, got, err, want)
		}
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Fatalf("behind the items: %s, %v", rest, err)
	}
	return local
}

// A bulk that says beforehand that it is too large is refused as a whole.
func TestBulkTooLarge(t *testing.T) {
	cluster := &bulkCluster{}
	u := faulty(t, cluster.ServeHTTP)
	r := newRig(t, u, u, &proxy.Options{BulkBody: 10 << 20})
	r.register(acme, placeA)
	big := strings.Repeat("{\"index\":{\"_id\":\"1\"}}\n{\"t\":\""+strings.Repeat("x", 4000)+"\"}\n", 2700)
	r.do("POST", "/docs/_bulk", big).want(t, 413, "error/type", proxy.TypeTooLarge)
	if n := cluster.calls.Load(); n != 0 {
		t.Errorf("%d chunks of it were sent", n)
	}
	r.do("POST", "/docs/_bulk", big[:9<<20][:strings.LastIndex(big[:9<<20], "}\n{\"index")+2]).want(t, 200, "errors", false)
}

package proxy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/tenancy"
)

// The path for another index is of the same endpoint, with that index and the same
// document, and the path for none is the client's own.
func FuzzClassify(f *testing.F) {
	for _, s := range []string{
		"/", "/docs/_doc/1", "/docs/_doc/a%2F..%2Fb", "//docs//_search/", "/_search", "/_bulk", "/_alias/x", "/docs/_alias/a+b", "/_search/scroll/_x",
		"/docs/%zz", "/%5Fsearch", "/docs/_doc/%E2%82", "/docs/_doc/..", "/%2F/_doc/%00", "/_all/_search", "/docs/_settings/index.%2A",
	} {
		f.Add("GET", s)
		f.Add("POST", s)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		class, index, id, _, status := proxy.Classify(method, path)
		if status != 0 {
			if status != http.StatusBadRequest && status != http.StatusForbidden && status != http.StatusMethodNotAllowed || class != "" {
				t.Fatalf("%s %q: status %d and class %s", method, path, status, class)
			}
			return
		}
		if !utf8.ValidString(index) || !utf8.ValidString(id) || index != "" && index[0] == '_' && index != "_all" {
			t.Fatalf("%s %q: index %q and id %q", method, path, index, id)
		}
		own, _ := proxy.At(method, path, "")
		c2, i2, id2, _, status := proxy.Classify(method, own)
		if status != 0 || c2 != class || i2 != index || id2 != id {
			t.Fatalf("%s %q as %q: %s %q %q (%d), want %s %q %q", method, path, own, c2, i2, id2, status, class, index, id)
		}
		if again, _ := proxy.At(method, own, ""); again != own {
			t.Fatalf("%s %q becomes %q and then %q", method, path, own, again)
		}
		if u, err := url.Parse(own); err != nil || u.Host != "" && strings.HasPrefix(own, "/") && !strings.HasPrefix(own, "//") || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%s %q becomes %q, which is no path: %v", method, path, own, err)
		}
		if !proxy.OwnPath(method, path) {
			return
		}
		const phys = "ph-1+é/%"
		moved, _ := proxy.At(method, path, phys)
		c3, i3, id3, _, status := proxy.Classify(method, moved)
		if status != 0 || c3 != class || i3 != phys || id3 != id {
			t.Fatalf("%s %q as %q: %s %q %q (%d), want %s %q %q", method, path, moved, c3, i3, id3, status, class, phys, id)
		}
	})
}

// Parameters that pass are there once and are text, so that no cluster reads them
// as something else than the proxy did.
func FuzzParameters(f *testing.F) {
	for _, s := range []string{"", "routing=a&routing=b", "routing=%ff", "format=json&format=yaml", "source=%7B%7D", "id=7", "%ff=1", "a;b", "pretty", "filter_path=items"} {
		f.Add("POST", "/docs/_bulk", s)
	}
	f.Fuzz(func(t *testing.T, method, path, raw string) {
		if _, _, _, _, status := proxy.Classify(method, path); status != 0 {
			return
		}
		v, err := proxy.Parameters(method, path, raw)
		if err != nil {
			if !utf8.ValidString(err.Error()) {
				t.Fatalf("the error is not UTF-8: %q", err)
			}
			return
		}
		for name, values := range v {
			if len(values) != 1 || !utf8.ValidString(name) || !utf8.ValidString(values[0]) {
				t.Fatalf("%q let through: %s=%q", raw, name, values)
			}
			if slices.Contains([]string{"source", "source_content_type", "index", "id"}, name) || name == "format" && values[0] != "json" && values[0] != "text" && values[0] != "" {
				t.Fatalf("%q let through: %s=%q", raw, name, values)
			}
		}
		if again, err := url.ParseQuery(v.Encode()); err != nil || !reflect.DeepEqual(again, v) {
			t.Fatalf("%q is sent as %q: %v, %v", raw, v.Encode(), again, err)
		}
	})
}

// A primary term that was shown comes back as it was, and one of another
// incarnation, or from elsewhere, never passes for it.
func FuzzTerm(f *testing.F) {
	f.Add("1", uint32(0), uint32(1))
	f.Add("4294967297", uint32(1), uint32(0))
	f.Add("-1", uint32(1), uint32(1))
	f.Add("9223372036854775807", uint32(7), uint32(1<<31-1))
	f.Add("01", uint32(2), uint32(3))
	f.Fuzz(func(t *testing.T, term string, a, b uint32) {
		a, b = a&(1<<21-1), b&(1<<21-1) // so many moves of one tenant there are not
		if real, ok, err := proxy.RealTerm(term, a); err == nil && ok {
			if n, err := strconv.ParseInt(real, 10, 64); err != nil || n < 0 || n >= 1<<32 {
				t.Fatalf("%s of incarnation %d is %s", term, a, real)
			}
			if _, other, _ := proxy.RealTerm(term, a+1); other {
				t.Fatalf("%s is of two incarnations", term)
			}
		}
		n, err := strconv.ParseInt(term, 10, 64)
		shown := proxy.ShownTerm(term, a)
		if err != nil || n <= 0 {
			if shown != term {
				t.Fatalf("%q is shown as %q", term, shown)
			}
			return
		}
		if n >= 1<<32 {
			return
		}
		real, ok, err := proxy.RealTerm(shown, a)
		if err != nil || !ok || real != strconv.FormatInt(n, 10) {
			t.Fatalf("%s of incarnation %d is shown as %s and comes back as %s (%t), %v", term, a, shown, real, ok, err)
		}
		if _, ok, _ := proxy.RealTerm(shown, b); ok != (a == b) {
			t.Fatalf("%s of incarnation %d passes for %d", shown, a, b)
		}
	})
}

var duration = regexp.MustCompile(`^\+?([0-9]+)(nanos|micros|ms|s|m|h|d)$`)

// Whatever a client asks for, no write is sent that OpenSearch would wait for
// longer than the proxy does.
func FuzzTimeout(f *testing.F) {
	for _, s := range []string{"", "1s", "10S", "5m", "1000000000d", "9223372036854775807nanos", "99999999999999999999d", "NaNs", "-1", "0", "1.5s", "0x10s", " 3ms ", "+4s"} {
		f.Add(s)
	}
	units := map[string]time.Duration{
		"nanos": 1, "micros": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}
	f.Fuzz(func(t *testing.T, given string) {
		const limit = 20 * time.Second
		sent := proxy.Timeout(given, limit)
		if strings.TrimSpace(sent) == "0" {
			return
		}
		m := duration.FindStringSubmatch(strings.ToLower(strings.TrimSpace(sent)))
		if m == nil {
			t.Fatalf("%q is sent as %q, which is no duration", given, sent)
		}
		n, _ := new(big.Int).SetString(m[1], 10)
		if n.Mul(n, big.NewInt(int64(units[m[2]]))).Cmp(big.NewInt(int64(limit))) > 0 {
			t.Fatalf("%q is sent as %q, which is longer than %s", given, sent, limit)
		}
		if sent != given && sent != "15000ms" {
			t.Fatalf("%q is sent as %q", given, sent)
		}
	})
}

// A body that names cursors is what encoding/json reads in it, all of it.
func FuzzCursors(f *testing.F) {
	for _, s := range []string{``, `{"scroll_id":"a","scroll":"1m"}`, `{"scroll_id":["a","b"]}`, `{"pit_id":["p"]}`, `{"scroll_id":null}`, `{"scroll_id":{}}`, `{"a":1}`, `{} {}`, `{"pit_id":["a",1]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		scrolls, pits, keep, err := proxy.Cursors(b)
		if err != nil || len(bytes.TrimSpace(b)) == 0 {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatalf("%q was accepted: %v", b, err)
		}
		seen := map[string]int{}
		for k := range want {
			seen[strings.ToLower(k)]++
		}
		if len(want) != bytes.Count(b, []byte(`":`)) || seen["scroll_id"] > 1 || seen["pit_id"] > 1 || seen["scroll"] > 1 {
			return // one that is written twice; which counts does not matter, since the body is made anew
		}
		for name, got := range map[string][]string{"scroll_id": scrolls, "pit_id": pits} {
			var one string
			var many []string
			switch raw := want[name]; {
			case raw == nil || json.Unmarshal(raw, &many) == nil && many != nil:
			case json.Unmarshal(raw, &one) == nil:
				many = []string{one}
			default:
				t.Fatalf("%q was accepted", b)
			}
			if want[name] != nil && !slices.Equal(got, many) {
				t.Fatalf("%q: %s is %q, want %q", b, name, got, many)
			}
		}
		if raw := want["scroll"]; raw != nil {
			var text string
			if err := json.Unmarshal(raw, &text); err != nil || text != keep {
				t.Fatalf("%q keeps for %q: %v", b, keep, err)
			}
		}
	})
}

// Whatever a cluster says of a task that has ended, the client gets a status that
// can be sent, and an error never as a success.
func FuzzTaskAnswer(f *testing.F) {
	for _, s := range []string{
		`{"completed":true,"response":{"updated":1,"failures":[]}}`, `{"error":{"type":"index_not_found_exception"}}`, `{"error":"x"}`,
		`{"response":{"timed_out":true,"failures":[{"status":409},{"status":99999}]}}`, `{"response":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		status, body, err := proxy.TaskAnswer(raw)
		if err != nil {
			return
		}
		if status < 200 || status > 599 {
			t.Fatalf("%q is answered with status %d", raw, status)
		}
		var s struct{ Error, Response json.RawMessage }
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		failed := len(s.Error) > 0 && string(s.Error) != "null"
		if failed != bytes.HasPrefix(body, []byte(`{"error":`)) && !bytes.Equal(body, s.Response) || failed && status < 400 {
			t.Fatalf("%q is answered with %d %q", raw, status, body)
		}
		var r struct{ Failures []struct{ Status int } }
		if !failed && json.Unmarshal(s.Response, &r) == nil {
			for _, f := range r.Failures {
				if f.Status < 600 && status < f.Status {
					t.Fatalf("%q is answered with status %d", raw, status)
				}
			}
		}
	})
}

// No header of a client reaches a cluster, or of a cluster a client, that could
// mean something to it which the proxy does not know of.
func FuzzHeaders(f *testing.F) {
	f.Add("Authorization: Basic eDp5\r\nX-Opaque-Id: o\r\n", "docs")
	f.Add("Connection: x-a, Keep-Alive\r\nX-A: 1\r\nWarning: 299 x\r\n", "docs")
	f.Add("Location: /acme-1/_doc/1\r\nSet-Cookie: a=b\r\nX-Sluice-Epoch: 7\r\n", "größe")
	f.Add("Traceparent: a\r\nTraceparent: b\r\nContent-Type: text/html\r\nContent-Length: 99\r\n", "")
	f.Fuzz(func(t *testing.T, text, logical string) {
		in, err := textproto.NewReader(bufio.NewReader(strings.NewReader(text + "\r\n"))).ReadMIMEHeader()
		if err != nil && !errors.Is(err, io.EOF) {
			return
		}
		out, err := proxy.Forward(http.Header(in), []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range out {
			switch name {
			case "Accept", "Content-Type":
				if len(values) != 1 || values[0] != "application/json" {
					t.Fatalf("%q: the cluster gets %s: %q", text, name, values)
				}
			case "X-Opaque-Id", "Traceparent", "Tracestate", "User-Agent":
				if !slices.Equal(values, in[name]) {
					t.Fatalf("%q: the cluster gets %s: %q", text, name, values)
				}
			default:
				t.Fatalf("%q: the cluster gets %s: %q", text, name, values)
			}
		}
		back := proxy.Answer(http.Header(in), placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "acme-1", Logical: logical})
		nominated := strings.ToLower(strings.Join(in["Connection"], ","))
		for name, values := range back {
			if name == "Content-Length" && slices.Equal(values, []string{"3"}) {
				continue
			}
			for n := range strings.SplitSeq(nominated, ",") {
				if strings.EqualFold(strings.TrimSpace(n), name) {
					t.Fatalf("%q: the client gets %s, which belongs to the connection", text, name)
				}
			}
			switch {
			case slices.Contains([]string{"Connection", "Keep-Alive", "Set-Cookie", "Transfer-Encoding", "Upgrade", "Te", "Trailer", "Www-Authenticate", "Proxy-Authenticate", "Proxy-Connection", "Content-Length"}, name),
				strings.HasPrefix(name, "X-Sluice-"):
				t.Fatalf("%q: the client gets %s: %q", text, name, values)
			case name == "Location":
				if strings.HasPrefix(values[0], "/acme-1/") && logical != "acme-1" && logical != "" {
					t.Fatalf("%q: the client sees %s", text, values[0])
				}
			case !slices.Equal(values, in[name]):
				t.Fatalf("%q: the client gets %s: %q", text, name, values)
			}
		}
	})
}

// An id that was handed out as a scroll, a point in time or a task is followed as
// that and as nothing else, by its tenant and nobody else.
func FuzzHandedOut(f *testing.F) {
	tenants, err := tenancy.New(tenancy.Default(), nil)
	if err != nil {
		f.Fatal(err)
	}
	p, err := proxy.New(nil, nil, tenants, &proxy.Options{CursorKeys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("acme", "acme", "node:7", uint8(3), uint8(3))
	f.Add("acme", "acm", "FGluY2x1ZGVf", uint8(1), uint8(1))
	f.Add("", "", "", uint8(0), uint8(2))
	f.Fuzz(func(t *testing.T, tenant, presenter, id string, kind, as uint8) {
		if len(id) > 100_000 {
			return
		}
		text, opened, err := proxy.Cursor(p, placement.PartitionID(tenant), placement.PartitionID(presenter), placeA, affinity.Kind(kind), affinity.Kind(as), id)
		switch {
		case tenant != presenter:
			if !errors.Is(err, affinity.ErrOtherTenant) {
				t.Fatalf("%s of %q opens for %q: %v", text, tenant, presenter, err)
			}
		case kind != as:
			if !errors.Is(err, affinity.ErrTampered) {
				t.Fatalf("%s of kind %d opens as %d: %v", text, kind, as, err)
			}
		case err != nil || opened != id:
			t.Fatalf("%q came back as %q, %v", id, opened, err)
		}
	})
}

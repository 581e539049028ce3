package proxy_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/proxy"
)

func TestRewriteIsAwareOfPaths(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`{"_index":"p","_source":{"_index":"p","_primary_term":1}}`, `{"_index":"l","_source":{"_index":"p","_primary_term":1}}`},
		{`{"hits":{"hits":[{"_index":"p","sort":["p"],"fields":{"_index":["p"]},"_primary_term":3}]}}`,
			`{"hits":{"hits":[{"_index":"l","sort":["p"],"fields":{"_index":["p"]},"_primary_term":4294967299}]}}`},
		{`{"aggregations":{"fields":{"hits":{"hits":[{"_index":"p"}]}}}}`, `{"aggregations":{"fields":{"hits":{"hits":[{"_index":"l"}]}}}}`},
		{`{"error":{"index":"p","reason":"no such index [p] but pp p-1 p2"}}`, `{"error":{"index":"l","reason":"no such index [l] but pp p-1 p2"}}`},
		{" {\n \"_index\" : \"\\u0070\" }\n", " {\n \"_index\" : \"l\" }\n"},
		{`[1,-2.5e3,true,false,null,"p",{}]`, `[1,-2.5e3,true,false,null,"p",{}]`},
		{`{"_primary_term":0}`, `{"_primary_term":0}`},
		{`{"` + strings.Repeat("k", 5000) + `":"` + strings.Repeat(`\n`, 5000) + `"}`, `{"` + strings.Repeat("k", 5000) + `":"` + strings.Repeat(`\n`, 5000) + `"}`},
	} {
		got, err := proxy.Rewrite([]byte(test.in), "p", "l", 1)
		if err != nil || string(got) != test.want {
			t.Errorf("%s\n got %s, %v\nwant %s", test.in, got, err, test.want)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	for _, s := range []string{`{"_index":"p"}`, `{"a":[1,{"b":"\u00e9"}]}`, `nul`, `{"a":1,}`, `01`, `"\x"`, `{} {}`, "\"\x01\"", `{"error":{"reason":"p"}}`, `{"_primary_term":7}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := proxy.Rewrite(b, "p", "l", 0)
		if valid := json.Valid(b); valid != (err == nil) {
			t.Fatalf("valid JSON: %t, but: %v", valid, err)
		}
		if err != nil {
			return
		}
		if !json.Valid(out) {
			t.Fatalf("the output is no JSON: %s", out)
		}
		if same, _ := proxy.Rewrite(b, "", "", 0); !bytes.Equal(same, b) {
			t.Fatalf("changed without a reason: %s", same)
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add([]byte(`{"query":{"terms":{"f":{"index":"other","id":"1"}}}}`))
	f.Add([]byte(`{"query":{"bool":{"must":[{"terms":{"f":{"index":"l"}}}]}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := proxy.Query(b, "p", "l")
		if err == nil && (!json.Valid(b) || !json.Valid(out)) {
			t.Fatalf("let through: %s", b)
		}
	})
}

func FuzzAction(f *testing.F) {
	for _, s := range []string{
		`{"index":{"_index":"a","_id":"1","routing":"r","if_seq_no":3,"if_primary_term":1}}`, `{"delete":{"_id":5}}`,
		`{"update":{"_id":"1","_source":["a"],"retry_on_conflict":3}} `, `{"index":{}}{}`, `{"index":{"_id":"1","_id":"2"}}`, `{"create":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, verb, id, index, err := proxy.Action(b)
		if err != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("%q is no JSON and was accepted", b)
		}
		if bytes.Count(out, []byte("\n")) != 1 {
			t.Fatalf("%q became %q, which is not one line", b, out)
		}
		_, verb2, id2, index2, err := proxy.Action(bytes.TrimSuffix(out, []byte("\n")))
		if err != nil || verb2 != verb || id2 != id || index2 != index {
			t.Fatalf("%q became %q: %v", b, out, err)
		}
	})
}

func FuzzBulk(f *testing.F) {
	f.Add([]byte("{\"index\":{}}\n{}\n{\"delete\":{\"_id\":\"1\"}}\n"))
	f.Add([]byte("\n\n{\"index\":{}}\n{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		items, size, err := proxy.BulkItems(b)
		if err == nil && (items > bytes.Count(b, []byte("\n")) || size > len(b)) {
			t.Fatalf("%d items with %d bytes out of %q", items, size, b)
		}
	})
}

func TestClassify(t *testing.T) {
	for _, test := range []struct {
		method, path          string
		class, index, id, out string
		status                int
	}{
		{"GET", "/", "read", "", "", "/", 0},
		{"PUT", "/docs/_doc/1", "write", "docs", "1", "/phys/_doc/1", 0},
		{"PUT", "/docs/_doc/a%2F..%2Fb", "write", "docs", "a/../b", "/phys/_doc/a%2F..%2Fb", 0},
		{"GET", "/docs/_doc/a+b", "read", "docs", "a+b", "/phys/_doc/a%2Bb", 0},
		{"GET", "//docs//_search/", "read", "docs", "", "/phys/_search", 0},
		{"GET", "/_search", "read", "", "", "/phys/_search", 0},
		{"POST", "/_bulk", "bulk", "", "", "/phys/_bulk", 0},
		{"POST", "/docs/_delete_by_query", "byquery", "docs", "", "/phys/_delete_by_query", 0},
		{"PUT", "/docs", "admin", "docs", "", "/phys", 0},
		{"DELETE", "/docs/_search", "", "", "", "", 405},
		{"GET", "/_cat/indices", "", "", "", "", 400},
		{"POST", "/_reindex", "", "", "", "", 400},
		{"PUT", "/docs/_block/write", "", "", "", "", 400},
		{"POST", "/docs/_close", "", "", "", "", 400},
		{"GET", "/docs/%zz", "", "", "", "", 400},
	} {
		class, index, id, at, status := proxy.Classify(test.method, test.path)
		if test.path == "/" && status == 0 {
			at = "/"
		}
		if class != test.class || index != test.index || id != test.id || at != test.out || status != test.status {
			t.Errorf("%s %s: %q %q %q %q %d", test.method, test.path, class, index, id, at, status)
		}
	}
}

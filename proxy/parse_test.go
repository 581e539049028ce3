package proxy_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
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
		{"GET", "/_cat/indices/docs", "read", "docs", "", "/_cat/indices/phys", 0},
		{"GET", "/_cat/nodes", "", "", "", "", 403},
		{"POST", "/_reindex", "byquery", "", "", "/phys/_reindex", 0},
		{"PUT", "/docs/_block/write", "", "", "", "", 403},
		{"POST", "/docs/_close", "admin", "docs", "", "/phys/_close", 0},
		{"PUT", "/_index_template/x", "", "", "", "", 403},
		{"POST", "/_update_by_query/a:1/_rethrottle", "task", "", "a:1", "/phys/_update_by_query/a:1/_rethrottle", 0},
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

// plainActions are lines that the fast parser reads, and lines that it must leave to the
// other one, whether they are right or wrong.
var plainActions = []struct {
	line string
	fast bool
}{
	{`{"index":{"_id":"1"}}`, true},
	{`{"index":{}}`, true},
	{`{"create":{"_index":"docs","_id":"a b","routing":"r"}}`, true},
	{`{"update":{"routing":"r","_id":"1"}}`, true},
	{"{\"delete\":{\"_id\":\"\x7f<&>\"}}\r", true},
	{" {\t\"index\" : { \"_index\" :\"docs\" , \"_id\": \"1\" } } ", true},
	{`{"index":{"_id":""}}`, false},
	{`{"index":{"_index":""}}`, false},
	{`{"index":{"_id":"1","_id":"2"}}`, false},
	{`{"index":{"_id":"1",}}`, false},
	{`{"index":{"_id":"1" "_index":"a"}}`, false},
	{`{"index":{,"_id":"1"}}`, false},
	{`{"index":{"_id":5}}`, false},
	{`{"index":{"_id":null}}`, false},
	{`{"index":{"_id":"\u0031"}}`, false},
	{`{"index":{"\u005fid":"1"}}`, false},
	{`{"ind\u0065x":{"_id":"1"}}`, false},
	{`{"index":{"_id":"é"}}`, false},
	{"{\"index\":{\"_id\":\"\xc1\xa9\"}}", false},
	{"{\"index\":{\"_id\":\"\x00\"}}", false},
	{"{\"index\":{\"_id\":\"1\"}}\xff", false},
	{`{"index":{"_id":"1","version":7,"version_type":"external"}}`, false},
	{`{"index":{"_id":"1","pipeline":"p","if_seq_no":"3","if_primary_term":"1"}}`, true},
	{`{"index":{"_id":"1","if_seq_no":3,"if_primary_term":1}}`, false},
	{`{"index":{"_id":"1"}}{}`, false},
	{`{"index":{"_id":"1"},"delete":{"_id":"1"}}`, false},
	{`{"index":{"_id":"1"}`, false},
	{`{"index":{"_id":"1"`, false},
	{`{"index":{"_id":"1`, false},
	{`{"index":{"_id":`, false},
	{`{"index":{"_id"`, false},
	{`{"index":{`, false},
	{`{"index":`, false},
	{`{"index"`, false},
	{`{`, false},
	{``, false},
	{`{}`, false},
	{`{"index":null}`, false},
	{`{"INDEX":{"_id":"1"}}`, false},
	{`{"index":{"_ID":"1"}}`, false},
	{"{\"index\":{\r\"_id\":\"1\"}}", false},
}

func TestPlainAction(t *testing.T) {
	for _, test := range plainActions {
		fast, got, want, err := proxy.PlainAction([]byte(test.line))
		if fast != test.fast || fast && (err != nil || got != want) {
			t.Errorf("%q: read at once %t, as %s; it is %s (%v)", test.line, fast, got, want, err)
		}
	}
}

// plainBulkReplies are answers that the fast reader takes, and others that it must leave to
// encoding/json.
var plainBulkReplies = []struct {
	text string
	fast string // under which rules
}{
	{`{"took":5,"errors":false,"items":[` + plainItem("index", "p", "a~20b:1", "created", 1) + `,` + plainItem("delete", "p", "a~20b:", "not_found", 12) + `]}`, "index moved shared whole"},
	{`{"took":5,"errors":false,"items":[ ` + strings.Replace(plainItem("update", "p", "a~20b:1", "updated", 0), `"_shards"`, `"forced_refresh":true,"_shards"`, 1) + "\n]}", "index moved shared whole"},
	{`{"took":5,"errors":false,"items":[` + plainItem("create", "p", "a~20c:1", "created", 1) + `]}`, "index moved whole"}, // another tenant's
	{`{"took":5,"errors":false,"items":[` + plainItem("create", "other", "a~20b:1", "created", 1) + `]}`, "moved whole"},
	{`{"took":5,"errors":false,"items":[` + plainItem("create", "p", `a~20b:\"`, "created", 1) + `]}`, "whole"},
	{`{"took":5,"errors":false,"items":[` + plainItem("create", "p", `a~20b:é`, "created", 1) + `]}`, "whole"},
	{`{"took":5,"errors":false,"items":[` + plainItem("_source", "p", `a~20b:1`, "created", 1) + `]}`, "whole"},
	{`{"took":5,"errors":false,"items":[` + plainItem("index", "p", "a~20b:1", "created", 1) + `,{"index":{"_index":"p","_id":"a~20b:2","status":409,"error":{"type":"version_conflict_engine_exception"}}}]}`, "whole"},
	{`{"took":5,"errors":false,"items":[` + strings.TrimSuffix(plainItem("index", "p", "a~20b:1", "created", 1), "}") + `]}`, ""},
	{`{"took":5,"errors":false,"items":[` + plainItem("index", "p", "a~20b:1", "created", 1) + `}]}`, ""},
	{`{"took":5,"errors":false,"items":[` + strings.Replace(plainItem("index", "p", "a~20b:1", "created", 1), `:201`, `:0201`, 1) + `]}`, ""},
	{`{"took":5,"errors":false,"items":[{"index":{"_id":"1","status":201}},{"delete":{"status":404}}]}`, "whole"},
	{`{"took":5,"ingest_took":2,"errors":true,"items":[{"index":{"error":{"reason":"\u00e9 \" ]}"}}}]}`, "whole"},
	{" {\n \"items\" : [ {} , null,5 ] ,\"took\": -1 }\r\n", "whole"},
	{`{"items":[]}`, "index moved shared whole"},
	{`{"took":1}`, "index moved shared whole"},
	{`{}`, ""},
	{``, ""},
	{`null`, ""},
	{`[]`, ""},
	{`{"took":5,"items":[{}]`, ""},
	{`{"took":5,"items":[{}],}`, ""},
	{`{"took":5,"items":[{},]}`, ""},
	{`{"took":5,"items":[,{}]}`, ""},
	{`{"took":5,"items":[{}{}]}`, ""},
	{`{"took":5 "items":[]}`, ""},
	{`{"took":5,"items":[]} x`, ""},
	{`{"took":5,"items":[]}{}`, ""},
	{`{"took":5,"items":[],"items":[{}]}`, ""},
	{`{"took":5,"took":6}`, ""},
	{`{"took":0,"took":0}`, ""},
	{`{"ingest_took":0,"ingest_took":0}`, ""},
	{`{"errors":false,"errors":true}`, ""},
	{`{"errors":null}`, ""},
	{`{"errors":"true"}`, ""},
	{`{"items":null}`, ""},
	{`{"items":{}}`, ""},
	{`{"took":null}`, ""},
	{`{"ingest_took":null}`, ""},
	{`{"took":"5"}`, ""},
	{`{"took":1e3}`, ""},
	{`{"took":05}`, ""},
	{`{"took":9223372036854775808}`, ""},
	{`{"Items":[{}]}`, ""},
	{`{"\u0069tems":[{}]}`, ""},
	{`{items:[{}]}`, ""},
	{`{"took":5,"items":[tru]}`, ""},
	{`{"took":5,"items":[{"a":"\x"}]}`, ""},
	{`{"took":5,"errors":false,"unknown":1,"items":[]}`, ""},
	{`{"error":{"type":"x"},"status":400}`, ""},
}

// plainItem is an item as OpenSearch writes it.
func plainItem(verb, index, id, result string, term int) string {
	return fmt.Sprintf(`{"%s":{"_index":"%s","_id":"%s","_version":7,"result":"%s","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":-2,"_primary_term":%d,"status":201}}`, verb, index, id, result, term)
}

func TestPlainBulkReply(t *testing.T) {
	for _, test := range plainBulkReplies {
		var under []string
		for _, rules := range slices.Sorted(maps.Keys(proxy.BulkRules())) {
			fast, got, want, err := proxy.PlainBulkReply([]byte(test.text), rules)
			if fast {
				under = append(under, rules)
			}
			if fast && (err != nil || !reflect.DeepEqual(got, want)) {
				t.Errorf("%s: %s: it was read as %+v, and is %+v (%v)", rules, test.text, got, want, err)
			}
		}
		if fast := strings.Join(under, " "); fast != test.fast {
			t.Errorf("%s was read at once under the rules %q, want %q", test.text, fast, test.fast)
		}
	}
}

package proxy_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// canned is a shared index whose cluster gives one answer; it returns the last
// request as the cluster got it.
func canned(t *testing.T, status int, body string) (*rig, func() (string, string)) {
	t.Helper()
	got := make(chan [2]string, 16)
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- [2]string{r.Method + " " + r.URL.RequestURI(), string(b)}
		w.Header().Set("Warning", `299 OpenSearch "index [pool-1] is theirs"`)
		w.Header().Set("Location", "/pool-1/_doc/acme%3A1?routing=acme%3A")
		answer(w, status, body)
	})
	r := newRig(t, u, u, nil)
	r.register(acme, pool)
	return r, func() (string, string) { g := <-got; return g[0], g[1] }
}

func TestSharedAnswers(t *testing.T) {
	const hit = `{"_index":"pool-1","_id":"acme:1","_score":1.5,"_routing":"acme:x","_source":{"a":1,"tenant":"acme","o":{"tenant":"mine"}},"fields":{"tenant":["acme"],"_id":["acme:1"],"a":[1]},"sort":[7],"_explanation":{"description":"theirs"},"_node":"x"}`
	long := strings.Repeat("k", 5000)
	for _, c := range []struct{ method, path, body, answer, want string }{
		{"GET", "/docs/_doc/1", "", `{"_index":"pool-1","_id":"acme:1","_version":2,"_seq_no":3,"_primary_term":1,"_routing":"acme:","found":true,"_source":{"tenant":"acme","a":1},"new":"theirs"}`,
			`{"_index":"docs","_id":"1","_version":2,"_seq_no":3,"_primary_term":1,"found":true,"_source":{"a":1}}`},
		{"GET", "/docs/_doc/1", "", ` { "_id" : "acme:1" , "_source" : { "tenant" : "acme" } } `, ` { "_id" : "1" , "_source" : { } } `},
		{"GET", "/docs/_source/1", "", `{"a":1,"tenant":"acme","b":{"tenant":1}}`, `{"a":1,"b":{"tenant":1}}`},
		{"PUT", "/docs/_doc/1", `{}`, `{"_index":"pool-1","_id":"acme:1","_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0,"failures":[{"index":"pool-1","reason":"theirs"}]},"_seq_no":0,"_primary_term":1}`,
			`{"_index":"docs","_id":"1","_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1}`},
		{"POST", "/docs/_search", "", `{"took":1,"timed_out":false,"_shards":{"total":1},"_clusters":{"x":1},"hits":{"total":{"value":1,"relation":"eq"},"max_score":1.5,"hits":[` + hit + `]},"suggest":{"s":"theirs"},"profile":{"x":"theirs"}}`,
			`{"took":1,"timed_out":false,"_shards":{"total":1},"hits":{"total":{"value":1,"relation":"eq"},"max_score":1.5,"hits":[{"_index":"docs","_id":"1","_score":1.5,"_routing":"x","_source":{"a":1,"o":{"tenant":"mine"}},"fields":{"a":[1]},"sort":[7]}]}}`},
		{"POST", "/docs/_search", `{"size":0,"aggs":{"top":{"top_hits":{}}}}`, `{"aggregations":{"top":{"hits":{"total":{"value":1},"hits":[` + hit + `]}},"c":{"after_key":{"_id":"acme:1"},"buckets":[{"key":{"hits":"x"},"doc_count":1}],"meta":{"a":"theirs"}}}}`,
			`{"aggregations":{"top":{"hits":{"total":{"value":1},"hits":[{"_index":"docs","_id":"1","_score":1.5,"_routing":"x","_source":{"a":1,"o":{"tenant":"mine"}},"fields":{"a":[1]},"sort":[7]}]}},"c":{"after_key":{"_id":"acme:1"},"buckets":[{"key":{"hits":"x"},"doc_count":1}]}}}`},
		{"POST", "/docs/_msearch", "{}\n{}\n", `{"took":1,"responses":[{"error":{"root_cause":[{"type":"query_shard_exception","reason":"theirs","index":"pool-1"}],"type":"search_phase_execution_exception","reason":"theirs","failed_shards":[{"index":"pool-1"}]},"status":400}]}`,
			`{"took":1,"responses":[{"error":{"root_cause":[{"type":"query_shard_exception","reason":"the query does not fit the mapping of the index"}],"type":"search_phase_execution_exception","reason":"the cluster refused the request; its own words are not shown, because the index is shared with other tenants"},"status":400}]}`},
		{"POST", "/docs/_search", `{"sort":["k","_id",{"n":"asc"}]}`, `{"hits":{"hits":[{"_id":"acme:1","_source":{"tenant":"acme"},"sort":["acme:k","acme:1",null],"inner_hits":{"x":{"hits":{"hits":[{"_id":"acme:2","sort":["acme:2","acme:2"]}]}}}}]}}`,
			`{"hits":{"hits":[{"_id":"1","_source":{},"sort":["acme:k","1",null],"inner_hits":{"x":{"hits":{"hits":[{"_id":"2","sort":["acme:2","acme:2"]}]}}}}]}}`},
		{"POST", "/docs/_search", "", `{"hits":{"hits":[{"_id":"acme:1","_source":{"tenant":"acme","a":1},"inner_hits":{"items":{"hits":{"total":1,"hits":[{"_index":"pool-1","_id":"acme:1","_nested":{"field":"items","offset":0},"_source":{"tenant":"mine","k":1}}]},"new":"theirs"},` +
			`"g":{"hits":{"hits":[{"_id":"acme:2","_routing":"acme:","_source":{"tenant":"acme","b":2},"fields":{"tenant":["acme"]}}]}}}},{"_id":"acme:3","_source":{"tenant":"acme","c":3}}]}}`,
			`{"hits":{"hits":[{"_id":"1","_source":{"a":1},"inner_hits":{"items":{"hits":{"total":1,"hits":[{"_index":"docs","_id":"1","_nested":{"field":"items","offset":0},"_source":{"tenant":"mine","k":1}}]}},` +
				`"g":{"hits":{"hits":[{"_id":"2","_source":{"b":2},"fields":{}}]}}}},{"_id":"3","_source":{"c":3}}]}}`},
		{"POST", "/docs/_search", "", `{"terminated_early":true,"_shards":{"total":3,"skipped":2},"hits":{"hits":[]}}`, `{"_shards":{"total":3,"skipped":0},"hits":{"hits":[]}}`},
		{"POST", "/docs/_search", `{"terminate_after":1}`, `{"terminated_early":true}`, `{"terminated_early":true}`}, {"POST", "/docs/_search?terminate_after=1", ``, `{"terminated_early":true}`, `{"terminated_early":true}`},
		{"POST", "/docs/_count", "", `{"count":3,"_shards":{"total":1,"failures":[]}}`, `{"count":3,"_shards":{"total":1}}`},
		{"POST", "/docs/_mget", `{"ids":["1"]}`, `{"docs":[{"_index":"pool-1","_id":"acme:1","error":{"root_cause":[],"type":"x_y","reason":"theirs","index":"pool-1"}}]}`,
			`{"docs":[{"_index":"docs","_id":"1","error":{"root_cause":[],"type":"x_y","reason":"the cluster refused the request; its own words are not shown, because the index is shared with other tenants"}}]}`},
		{"POST", "/docs/_bulk", "{\"index\":{\"_id\":\"1\"}}\n{}\n", `{"took":1,"errors":true,"items":[{"index":{"_index":"pool-1","_id":"acme:1","status":400,"error":{"type":"mapper_parsing_exception","reason":"theirs","caused_by":{"type":"x","reason":"theirs"}}}}]}`,
			`{"took":1,"errors":true,"items":[{"index":{"_index":"docs","_id":"1","status":400,"error":{"type":"mapper_parsing_exception","reason":"the document does not fit the mapping of the index, or is no JSON object"}}}]}`},
		{"GET", "/docs/_doc/1", "", `{"_id":"acme:1","` + long + `":"theirs","_source":{"` + long + `":1,"tenant":"acme","fields":{"tenant":2}},"` + long + `x":{"_id":"other:1"}}`,
			`{"_id":"1","_source":{"` + long + `":1,"fields":{"tenant":2}}}`},
		{"POST", "/docs/_search", "", `{"_shards":{"` + long + `":1},"aggregations":{"a":{"buckets":[{"key":"x"},{"key":"` + long + `"}]}}}`, `{"_shards":{},"aggregations":{"a":{"buckets":[{"key":"x"},{"key":"` + long + `"}]}}}`},
	} {
		r, _ := canned(t, 200, c.answer)
		a := r.do(c.method, c.path, c.body).want(t, 200)
		if a.raw != c.want {
			t.Errorf("%s %s\n got %s\nwant %s", c.method, c.path, a.raw, c.want)
		}
		if a.header.Get("Warning") != "" || a.header.Get("Location") != "" {
			t.Errorf("%s %s: headers %v", c.method, c.path, a.header)
		}
	}
}

// An answer that holds another tenant's id, routing or index never reaches a
// client, whatever let it through.
func TestSharedAnswersFailClosed(t *testing.T) {
	for _, c := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "/docs/_doc/1", "", 200, `{"_index":"pool-1","_id":"other:1","_source":{"k":"theirs"}}`},
		{"GET", "/docs/_doc/1", "", 200, `{"_index":"pool-2","_id":"acme:1","_source":{"k":"theirs"}}`},
		{"GET", "/docs/_doc/1", "", 200, `{"_index":"pool-1","_id":"acme:1","_routing":"other:"}`},
		{"GET", "/docs/_doc/1", "", 200, `{"_id":1,"_source":{"k":"theirs"}}`},
		{"GET", "/docs/_doc/1", "", 200, `{"_id":"acme:1"`},
		{"GET", "/docs/_doc/1", "", 404, `{"_index":"pool-1","_id":"other:1","found":false}`},
		{"POST", "/docs/_search", "", 200, `{"hits":{"hits":[{"_id":"acme:1"},{"_id":"acme~:1","_source":{"k":"theirs"}}]}}`},
		{"POST", "/docs/_search", "", 200, `{"aggregations":{"a":{"buckets":[{"x":{"hits":{"hits":[{"_id":"other:1","_source":{"k":"theirs"}}]}}}]}}}`},
		{"POST", "/docs/_mget", `{"ids":["1"]}`, 200, `{"docs":[{"_id":"other:1"}]}`},
		{"POST", "/docs/_search", `{"sort":["_id"]}`, 200, `{"hits":{"hits":[{"_source":{"k":"theirs"},"sort":["other:1"]}]}}`},
		{"POST", "/docs/_search", `{"sort":["n","_id"]}`, 200, `{"hits":{"hits":[{"sort":["acme:1",7]}]}}`},
		{"POST", "/docs/_search", ``, 200, `{"hits":{"hits":[{"inner_hits":{"x":{"hits":{"hits":[{"_id":"other:1","_source":{"k":"theirs"}}]}}}}]}}`},
		{"POST", "/docs/_search", "", 200, `theirs`},
	} {
		r, _ := canned(t, c.status, c.answer)
		a := r.do(c.method, c.path, c.body).want(t, 502, "error/type", "sluice_upstream").clean(t)
		if strings.Contains(a.raw, "pool") {
			t.Errorf("%s: %s", c.answer, a.raw)
		}
	}
}

func TestSharedErrors(t *testing.T) {
	const shown = `{"error":{"root_cause":[{"type":"query_shard_exception","reason":"failed to find theirs","index":"pool-1","index_uuid":"x"}],"type":"search_phase_execution_exception","reason":"all shards failed","failed_shards":[{"index":"pool-1","reason":{"reason":"theirs"}}],"caused_by":{"reason":"theirs"}},"status":400}`
	for _, c := range []struct {
		status int
		answer string
		kind   string
		root   string
	}{
		{400, shown, "search_phase_execution_exception", "query_shard_exception"},
		{500, `{"error":"theirs","status":500}`, "exception", "exception"},
		{503, `<html>theirs</html>`, "exception", "exception"},
		{429, `{"error":{"type":"Theirs pool-1"}}`, "exception", "exception"},
		{400, `{"error":{"type":"illegal_argument_exception","reason":"theirs"`, "exception", "exception"},
	} {
		r, _ := canned(t, c.status, c.answer)
		for _, req := range [][3]string{{"POST", "/docs/_search", "{}"}, {"GET", "/docs/_doc/1", ""}} {
			a := r.do(req[0], req[1], req[2]).want(t, c.status, "error/type", c.kind, "error/root_cause/0/type", c.root).clean(t)
			if (c.status == 429 || c.status == 503) && a.header.Get("Retry-After") == "" {
				t.Errorf("status %d without Retry-After", c.status)
			}
		}
	}
	r, _ := canned(t, 409, `{"error":{"root_cause":[{"type":"version_conflict_engine_exception","reason":"[acme:1]: theirs"}],"type":"version_conflict_engine_exception","reason":"[acme:1]: theirs","index":"pool-1"},"status":409}`)
	r.do("PUT", "/docs/_create/1", "{}").want(t, 409, "error/type", "version_conflict_engine_exception", "error/reason", "version conflict: the document exists already, or was changed meanwhile").clean(t)
}

// What a cluster is sent.
func TestSharedRequests(t *testing.T) {
	const filter = `"filter":[{"term":{"tenant":"acme"}}]`
	for _, c := range []struct{ method, path, body, sent, upstream string }{
		{"PUT", "/docs/_doc/a%2Fb?routing=r&refresh=true", `{"n":1}`, "PUT /pool-1/_doc/acme:a%2Fb?refresh=true&routing=acme%3Ar&timeout=15000ms", `{"tenant":"acme","n":1}`},
		{"PUT", "/docs/_create/1", `{}`, "PUT /pool-1/_create/acme:1?routing=acme%3A&timeout=15000ms", `{"tenant":"acme"}`},
		{"DELETE", "/docs/_doc/1", `{"x":1}`, "DELETE /pool-1/_doc/acme:1?routing=acme%3A&timeout=15000ms", ``},
		{"POST", "/docs/_update/1", `{"doc":{}}`, "POST /pool-1/_update/acme:1?routing=acme%3A&timeout=15000ms", `{"doc":{"tenant":"acme"}}`},
		{"GET", "/docs/_doc/1?realtime=false", ``, "GET /pool-1/_doc/acme:1?realtime=false&routing=acme%3A", ``},
		{"POST", "/docs/_mget?routing=d", `{"ids":["1"]}`, "POST /pool-1/_mget", `{"docs":[{"_index":"pool-1","_id":"acme:1","routing":"acme:d"}]}`},
		{"POST", "/_bulk?routing=d", "{\"index\":{\"_index\":\"docs\",\"_id\":\"1\"}}\n{}\n{\"delete\":{\"_id\":\"2\",\"routing\":\"e\"}}\n", "POST /pool-1/_bulk?timeout=15000ms",
			"{\"index\":{\"_id\":\"acme:1\",\"routing\":\"acme:d\"}}\n{\"tenant\":\"acme\"}\n{\"delete\":{\"_id\":\"acme:2\",\"routing\":\"acme:e\"}}\n"},
		{"GET", "/_search?routing=a,b&q=x&df=t&size=1", ``, "GET /pool-1/_search?routing=acme%3Aa%2Cacme%3Ab&size=1", `{"query":{"bool":{"must":[{"query_string":{"query":"x","default_field":"t"}}],` + filter + `}}}`},
		{"POST", "/docs/_count", ``, "POST /pool-1/_count", `{"query":{"bool":{"must":[{"match_all":{}}],` + filter + `}}}`},
		{"POST", "/_msearch", "{\"routing\":\"a\"}\n\n", "POST /pool-1/_msearch", "{\"index\":\"pool-1\",\"routing\":\"acme:a\"}\n{\"query\":{\"bool\":{\"must\":[{\"match_all\":{}}]," + filter + "}}}\n"},
		{"POST", "/docs/_search/point_in_time?keep_alive=1m", ``, "POST /pool-1/_search/point_in_time?keep_alive=1m", ``},
		{"POST", "/docs/_delete_by_query", `{"query":{"match_none":{}}}`, "POST /pool-1/_delete_by_query?wait_for_completion=false", `{"query":{"bool":{"must":[{"match_none":{}}],` + filter + `}}}`},
		{"POST", "/docs/_refresh", ``, "POST /pool-1/_refresh", ``}, {"HEAD", "/docs", ``, "HEAD /pool-1", ``},
	} {
		r, got := canned(t, 400, `{"error":{"type":"none"}}`)
		r.do(c.method, c.path, c.body).want(t, 400)
		if sent, upstream := got(); sent != c.sent || upstream != c.upstream {
			t.Errorf("%s %s\n got %s\n     %s\nwant %s\n     %s", c.method, c.path, sent, upstream, c.sent, c.upstream)
		}
	}
}

// Whatever a cluster answers, what is passed on is JSON, its hits are the tenant's,
// and no document in them carries the partition field.
func FuzzSharedAnswer(f *testing.F) {
	for _, s := range []string{
		`{"took":1,"hits":{"hits":[{"_index":"pool-1","_id":"acme:1","_routing":"acme:","_source":{"tenant":"acme","a":{"tenant":1}},"fields":{"tenant":["acme"]}}]}}`,
		`{"hits":{"hits":[{"_id":"other:1"}]}}`, `{"x":1 , "hits" : { "hits":[ ] , "y":2 } }`, `{"aggregations":{"a":{"hits":{"hits":[{"_routing":"acme:r","_id":"acme:2"}]}}}}`, `{"error":{"type":"a b","reason":5}}`,
		`{"hits":{"hits":[{"_routing":["acme:"],"_id":{"x":1}}]}}`, `{"":{},"took":{"":1}}`,
	} {
		f.Add([]byte(s))
	}
	x, err := shared.New("acme", "tenant")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := proxy.RewriteShared(b, x, "pool-1", "docs")
		if err != nil {
			return
		}
		if !json.Valid(b) || !json.Valid(out) {
			t.Fatalf("%q became %q", b, out)
		}
		var answer struct {
			Hits struct {
				Hits []map[string]json.RawMessage `json:"hits"`
			} `json:"hits"`
		}
		if json.Unmarshal(out, &answer) != nil {
			return // hits of another shape
		}
		for _, hit := range answer.Hits.Hits {
			var source map[string]json.RawMessage
			_ = json.Unmarshal(hit["_source"], &source) // or no object
			if _, marked := source["tenant"]; marked {
				t.Fatalf("%q became %q", b, out)
			}
			if i := hit["_index"]; len(i) > 0 && i[0] == '"' && string(i) != `"docs"` {
				t.Fatalf("%q became %q", b, out)
			}
		}
	})
}

package proxy_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sluiceproxy/sluice/placement"
)

func TestDocuments(t *testing.T) {
	r, u := engine(t)
	r.do("GET", "/", "").want(t, 200)
	r.do("PUT", "/docs/_doc/1?refresh=true&routing=x", `{"n":1,"o":{"_index":"acme-1"}}`).want(t, 201, "_index", "docs", "_version", "1")
	r.do("GET", "/docs/_doc/1?routing=x", "").want(t, 200, "_index", "docs", "_source/o/_index", "acme-1", "_routing", "x")
	r.do("HEAD", "/docs/_doc/1?routing=x", "").want(t, 200)
	r.do("HEAD", "/docs/_doc/none", "").want(t, 404)
	r.do("GET", "/docs/_source/1?routing=x", "").want(t, 200, "o/_index", "acme-1")
	r.do("PUT", "/docs/_create/1?routing=x", `{"n":2}`).want(t, 409, "error/type", "version_conflict_engine_exception", "error/index", "docs")
	r.do("POST", "/docs/_update/1?routing=x", `{"script":{"source":"ctx._source.n += params.d","params":{"d":4}},"_source":true}`).
		want(t, 200, "result", "updated", "_index", "docs", "get/_source/n", "5")
	a := r.do("POST", "/docs/_doc", `{"n":9}`).want(t, 201)
	if loc := a.header.Get("Location"); loc != "/docs/_doc/"+a.str("_id") {
		t.Errorf("Location %q", loc)
	}
	r.do("PUT", "/docs/_doc/a%2Fb%2Bc%20d", `{"n":3}`).want(t, 201, "_id", "a/b+c d")
	r.do("GET", "/docs/_doc/a%2Fb%2Bc%20d", "").want(t, 200, "_id", "a/b+c d")
	r.do("PUT", "/docs/_doc/bad", `{"n":`).want(t, 400)
	r.do("DELETE", "/docs/_doc/1?routing=x", "").want(t, 200, "result", "deleted")
	r.do("GET", "/docs/_mapping", "").want(t, 200, "docs/mappings/properties/n/type", "long")
	r.do("PUT", "/docs/_mapping", `{"properties":{"k":{"type":"keyword"}}}`).want(t, 200, "acknowledged", true)
	r.do("GET", "/docs/_settings", "").want(t, 200, "docs/settings/index/provided_name", "docs")
	r.do("PUT", "/docs/_settings", `{"index":{"refresh_interval":"2s"}}`).want(t, 200)
	send(t, u, "PUT", "/acme-1/_alias/acme-alias", `{"filter":{"term":{"n":1}}}`).want(t, 200)
	r.do("GET", "/docs/_alias", "").want(t, 200, "docs/aliases/acme-alias/filter/term/n", "1")
	r.do("GET", "/_alias/acme-alias", "").want(t, 200, "docs/aliases/acme-alias/filter/term/n", "1")
	r.do("GET", "/docs", "").want(t, 200, "docs/settings/index/provided_name", "docs")
	r.do("HEAD", "/docs", "").want(t, 200)
	r.do("POST", "/docs/_refresh", "").want(t, 200)
	r.do("POST", "/_refresh", "").want(t, 200)
	r.do("POST", "/_all/_refresh", "").want(t, 200, "_shards/total", "1")
	if got := send(t, u, "GET", "/acme-1/_count", "").str("count"); got != "2" {
		t.Errorf("%s documents are in the index", got)
	}
	dbg := r.do("GET", "/docs/_doc/none", "", "X-Sluice-Debug", "1", "Authorization", "Basic eDp5").want(t, 404, "_index", "docs")
	if dbg.header.Get("X-Sluice-Cluster") != "a" || dbg.header.Get("X-Sluice-Epoch") == "" || dbg.header.Get("X-Sluice-Held-Ms") != "0" {
		t.Errorf("debug headers: %v", dbg.header)
	}
	// A document larger than what is kept in memory.
	big := `{"n":1,"t":"` + strings.Repeat("x", 3<<20) + `"}`
	r.do("PUT", "/docs/_doc/big", big).want(t, 201)
	if got := r.do("GET", "/docs/_source/big", "").want(t, 200); got.raw != big {
		t.Errorf("a large document came back with %d bytes", len(got.raw))
	}
	r.do("GET", "/docs/_doc/big", "").want(t, 200, "_index", "docs")
}

func TestSearches(t *testing.T) {
	r, u := engine(t)
	send(t, u, "PUT", "/foreign/_doc/1?refresh=true", `{"ids":["1"],"secret":1}`)
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, `{"index":{"_id":"%d"}}`+"\n"+`{"n":%d,"_scroll_id":"mine"}`+"\n", i, i)
	}
	r.do("POST", "/docs/_bulk?refresh=true", b.String()).want(t, 200, "errors", false, "items/19/index/_index", "docs")
	r.do("POST", "/docs/_search", `{"query":{"term":{"n":3}},"seq_no_primary_term":true}`).
		want(t, 200, "hits/hits/0/_index", "docs", "hits/hits/0/_source/_scroll_id", "mine", "hits/hits/0/_primary_term", "1")
	r.do("GET", "/_search?q=n:3", "").want(t, 200, "hits/total/value", "1")
	r.do("GET", "/docs/_count", `{"query":{"range":{"n":{"lt":5}}}}`).want(t, 200, "count", "5")
	r.do("POST", "/_search", `{"query":{"term":{"_index":"docs"}}}`).want(t, 200, "hits/total/value", "20")
	r.do("POST", "/_mget", `{"docs":[{"_index":"docs","_id":"1"},{"_id":"none"}]}`).want(t, 200, "docs/0/found", true, "docs/0/_index", "docs", "docs/1/_index", "docs")
	r.do("POST", "/docs/_mget", `{"ids":["1","2"]}`).want(t, 200, "docs/1/_index", "docs")
	r.do("POST", "/_msearch", "{}\n{\"query\":{\"term\":{\"n\":3}}}\n{\"index\":\"docs\"}\n{\"size\":0}\n", "Content-Type", "application/x-ndjson").
		want(t, 200, "responses/0/hits/hits/0/_index", "docs", "responses/1/hits/total/value", "20")
	r.do("POST", "/docs/_search", `{"size":0,"aggs":{"sort":{"top_hits":{"size":1}}}}`).want(t, 200, "aggregations/sort/hits/hits/0/_index", "docs")
	bad := r.do("POST", "/docs/_search", `{"query":{"nope":{}}}`).want(t, 400)
	if strings.Contains(bad.raw, "acme-1") {
		t.Errorf("the physical index shows: %s", bad.raw)
	}
	if a := r.do("POST", "/docs/_search", `{"query":{"match":{"n":"x"}}}`).want(t, 400); strings.Contains(a.raw, "acme-1") {
		t.Errorf("the physical index shows: %s", a.raw)
	}
	for _, body := range []string{
		`{"query":{"terms":{"n":{"index":"foreign","id":"1","path":"ids"}}}}`,
		`{"query":{"terms":{"n":{"\u0069ndex":"foreign","id":"1","path":"ids"}}}}`,
		`{"query":{"more_like_this":{"fields":["n"],"like":[{"_index":"foreign","_id":"1"}]}}}`,
		`{"query":{"wrapper":{"query":"e30="}}}`,
		`{"query":{"match_all":{}},"query":{"match_all":{}}`,
		"{\"query\":{\"terms\":{\"n\":{\"\xc1\xa9ndex\":\"foreign\",\"id\":\"1\",\"path\":\"ids\"}}}}",
	} {
		r.do("POST", "/docs/_search", body).want(t, 400)
		r.do("POST", "/docs/_msearch", "{}\n"+body+"\n").want(t, 400)
		r.do("POST", "/docs/_delete_by_query", body).want(t, 400)
	}
	r.do("POST", "/docs/_search", `{"query":{"terms":{"_id":{"index":"docs","id":"1","path":"n"}}}}`).want(t, 200, "hits/total/value", "1")
	// Whoever looks for its answers by the id that it sent finds those of the proxy as well.
	for path, status := range map[string]int{"/foreign/_search": 404, "/_cat/nodes": 403, "/docs/_search": 200, "/_cat/count": 200} {
		if got := r.do("GET", path, "", "X-Opaque-Id", "o").want(t, status).header.Get("X-Opaque-Id"); got != "o" {
			t.Errorf("%s: X-Opaque-Id %q", path, got)
		}
	}
	r.do("GET", "/foreign/_search", "").want(t, 404, "error/index_uuid", "_na_", "error/resource.type", "index_or_alias", "error/resource.id", "foreign")
	for path, status := range map[string]int{
		"/foreign/_search": 404, "/docs,foreign/_search": 400, "/*/_search": 400, "/_all/_search": 400, "/-x/_search": 400,
		"/do*/_search": 400, "/acme-1/_search": 404, "/_cat/nodes": 403, "/_cluster/state": 403, "/_cat/indices/foreign": 404, "/_cat/indices?format=yaml": 400, "/docs/_nope": 400,
		"/docs/_search?source=%7B%7D": 400, "/docs/_search?format=yaml": 400, "/docs/_search?format=json&format=yaml": 400,
		"/docs/_doc/1?routing=a&routing=b": 400, "/docs/_doc/%E2%82": 400, "/_search?index=foreign": 400,
	} {
		r.do("GET", path, "").want(t, status)
	}
	r.do("POST", "/_mget", `{"docs":[{"_index":"foreign","_id":"1"}]}`).want(t, 400, "error/type", "sluice_foreign_index")
	send(t, u, "PUT", "/7/_doc/1?refresh=true", `{"secret":1}`)
	for _, doc := range []string{`{"_index":7,"_id":"1"}`, "{\"\xc1\x9findex\":\"foreign\",\"_id\":\"1\"}"} {
		// The cluster itself takes both for another index, so only the proxy keeps it back.
		send(t, u, "POST", "/acme-1/_mget", `{"docs":[`+doc+`]}`).want(t, 200, "docs/0/found", true)
		r.do("POST", "/_mget", `{"docs":[`+doc+`]}`).want(t, 400)
	}
	r.do("POST", "/_msearch", "null\n{}\n").want(t, 200, "responses/0/hits/total/value", "20")
	r.do("POST", "/_msearch", "{\"index\":\"foreign\"}\n{}\n").want(t, 404)
	r.do("DELETE", "/docs", "").want(t, 403, "error/type", "sluice_not_allowed")
	r.do("PUT", "/docs", "").want(t, 403)
	r.as("nobody", "GET", "/docs/_search", "").want(t, 404, "error/type", "sluice_unknown_tenant")
	send(t, r.url, "GET", "/docs/_search", "").want(t, 400, "error/type", "sluice_tenant_required")
	r.do("POST", "/docs/_search", "a: b", "Content-Type", "application/yaml").want(t, 406)
}

func TestBulk(t *testing.T) {
	r, u := engine(t)
	lines := func(s ...string) string { return strings.Join(s, "\n") + "\n" }
	got := r.do("POST", "/_bulk?refresh=true", lines(
		`{"index":{"_index":"docs","_id":"1"}}`, `{"n":1}`,
		`{"index":{"_index":"foreign","_id":"2"}}`, `{"n":2}`,
		`{"create":{"_index":"docs","_id":"1"}}`, `{"n":3}`,
		`{"delete":{"_index":"docs","_id":"none"}}`,
		`{"update":{"_index":"docs","_id":"1","retry_on_conflict":2}}`, `{"doc":{"m":1}}`,
		`{"index":{"_index":"docs"}}`, `{"n":`,
	), "Content-Type", "application/x-ndjson")
	got.want(t, 200, "errors", true, "items/0/index/status", "201", "items/0/index/_index", "docs",
		"items/1/index/status", "404", "items/1/index/error/type", "index_not_found_exception", "items/1/index/_id", "2",
		"items/2/create/status", "409", "items/2/create/error/index", "docs", "items/3/delete/status", "404",
		"items/4/update/status", "200", "items/5/index/status", "400")
	if strings.Contains(got.raw, "acme-1") {
		t.Errorf("the physical index shows: %s", got.raw)
	}
	// What is malformed is refused like the cluster itself refuses it, and does nothing.
	for _, body := range []string{
		lines(`{"index":{"_id":"x"}}`, `{}`, `{"index":`), lines(`{"nope":{}}`, `{}`), lines(`{"index":{"_id":"x","_nope":1}}`, `{}`),
		`{"index":{"_id":"x"}}` + "\n" + `{}`, lines(`{"index":{"_id":"x","_routing":"r"}}`, `{}`), lines(`["index"]`, `{}`),
	} {
		direct := send(t, u, "POST", "/acme-1/_bulk", body)
		a := r.do("POST", "/docs/_bulk", body)
		if direct.status != 400 || a.status != 400 || a.str("error/type") == "" {
			t.Errorf("%q: the cluster says %d %s, the proxy %d %s", body, direct.status, direct.raw, a.status, a.raw)
		}
	}
	send(t, u, "DELETE", "/acme-1/_doc/x", "")
	r.do("POST", "/docs/_bulk", lines(`{"index":{"_id":"x","_id":"y"}}`, `{}`)).want(t, 400)
	r.do("POST", "/docs/_bulk", lines(`{"index":{"_id":"x"}}`)).want(t, 400)
	r.do("POST", "/docs/_bulk", "\n").want(t, 400)
	r.do("GET", "/docs/_doc/x", "").want(t, 404)
	// Several chunks, one answer in order.
	var b strings.Builder
	const n = 12000
	for i := range n {
		fmt.Fprintf(&b, `{"index":{"_id":"c%d","routing":"r%d"}}`+"\n"+`{"n":%d,"t":"%s"}`+"\n", i, i%7, i, strings.Repeat("y", 400))
	}
	big := r.do("POST", "/docs/_bulk?refresh=true", b.String()).want(t, 200, "errors", false)
	items := big.at("items").([]any)
	if len(items) != n || big.str(fmt.Sprintf("items/%d/index/_id", n-1)) != fmt.Sprintf("c%d", n-1) {
		t.Errorf("%d items", len(items))
	}
	if got := send(t, u, "GET", "/acme-1/_count?q=_exists_:t", "").str("count"); got != fmt.Sprint(n) {
		t.Errorf("%s documents", got)
	}
	b.WriteString("{\"nope\":{}}\n")
	r.do("POST", "/docs/_bulk", b.String()).want(t, 400, "error/type", "sluice_partly_applied")
}

// members are the names in a JSON text, in their order.
func members(raw string) []string { return regexp.MustCompile(`"\w+":`).FindAllString(raw, -1) }

func TestByQuery(t *testing.T) {
	r, u := engine(t)
	for i := range 5 {
		r.do("PUT", fmt.Sprintf("/docs/_doc/%d", i), fmt.Sprintf(`{"n":%d}`, i)).want(t, 201)
	}
	r.do("POST", "/docs/_refresh", "")
	r.do("POST", "/docs/_update_by_query?refresh=true", `{"script":{"source":"ctx._source.m=1"},"query":{"range":{"n":{"lt":3}}}}`).
		want(t, 200, "updated", "3", "total", "3", "timed_out", false)
	// Whoever waits gets what the cluster itself would have said, member by member.
	for _, path := range []string{"_update_by_query", "_update_by_query?human&slices=2", "_delete_by_query", "_delete_by_query?human=false&slices=2"} {
		const none = `{"query":{"term":{"n":-1}}}`
		direct, proxied := send(t, u, "POST", "/acme-1/"+path, none), r.do("POST", "/docs/"+path, none).want(t, 200)
		if diff := cmp.Diff(members(direct.raw), members(proxied.raw)); diff != "" {
			t.Errorf("%s: the members differ (-cluster +proxy):\n%s", path, diff)
		}
	}
	r.do("POST", "/docs/_update_by_query", `{"script":{"source":"nope("}}`).want(t, 400, "error/type", "script_exception")
	a := r.do("POST", "/docs/_delete_by_query?wait_for_completion=false&refresh=true", `{"query":{"match_all":{}}}`).want(t, 200)
	task := a.str("task")
	var end reply
	waitFor(t, "the task ends", func() bool {
		end = r.do("GET", "/_tasks/"+task, "").want(t, 200)
		return end.at("completed") == true
	})
	end.want(t, 200, "response/deleted", "5")
	if strings.Contains(end.raw, "acme-1") {
		t.Errorf("the physical index shows: %s", end.raw)
	}
	r.register(other, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "other-1", Logical: "docs"})
	r.as(other, "GET", "/_tasks/"+task, "").want(t, 404)
	r.do("GET", "/_tasks/abc:1", "").want(t, 400, "error/type", "sluice_bad_cursor")
	if got := send(t, u, "GET", "/acme-1/_count", "").str("count"); got != "0" {
		t.Errorf("%s documents are left", got)
	}
	r.do("POST", "/_delete_by_query", "").want(t, 400)
}

func TestMove(t *testing.T) {
	r, u := engine(t)
	for i := range 10 {
		r.do("PUT", fmt.Sprintf("/docs/_doc/%d", i), fmt.Sprintf(`{"n":%d}`, i)).want(t, 201)
		send(t, u, "PUT", fmt.Sprintf("/acme-2/_doc/%d", i), `{"moved":true}`).want(t, 201)
	}
	r.do("POST", "/docs/_refresh", "")
	send(t, u, "POST", "/acme-2/_refresh", "")
	got := r.do("GET", "/docs/_doc/1", "").want(t, 200, "_primary_term", "1")
	sc := r.do("POST", "/docs/_search?scroll=1m", `{"size":4,"sort":["n"]}`).want(t, 200)
	pit := r.do("POST", "/docs/_search/point_in_time?keep_alive=1m", "").want(t, 200)
	search := func(id string) reply {
		return r.do("POST", "/_search", `{"size":4,"sort":["n"],"pit":{"id":"`+id+`","keep_alive":"1m"}}`)
	}
	p1 := search(pit.str("pit_id")).want(t, 200, "hits/hits/0/_source/n", "0", "hits/hits/0/_index", "docs")

	r.step(placement.OpBegin)
	// Draining: the proxy makes up ids, which are those that are answered.
	auto := r.do("POST", "/docs/_doc", `{"n":100}`).want(t, 201)
	if len(auto.str("_id")) != 20 {
		t.Errorf("id %q", auto.str("_id"))
	}
	r.do("POST", "/docs/_bulk", `{"delete":{}}`+"\n").want(t, 400) // refused by the cluster: there is no id to journal
	r.do("POST", "/docs/_bulk", `{"index":{}}`+"\n{}\n").want(t, 200, "errors", false, "items/0/index/status", "201")
	r.step(placement.OpCutover)
	head := func() uint64 {
		sessions, _, err := r.store.Sessions().List(t.Context())
		if err != nil || len(sessions) != 1 {
			t.Fatalf("%d sessions, %v", len(sessions), err)
		}
		return sessions[0].Value.Journals[acme].Head
	}
	waitFor(t, "the journal is published", func() bool { return head() >= 2 })
	if n := head(); n != 2 {
		t.Errorf("two writes of one document each journaled %d", n)
	}
	r.do("GET", "/docs/_doc/1", "").want(t, 200, "_source/n", "1") // reads go on at A
	held := make(chan reply, 1)
	go func() { held <- r.do("PUT", "/docs/_doc/held", `{}`, "X-Sluice-Debug", "1") }()
	waitFor(t, "the write is held", func() bool { return r.held() == 1 })
	select {
	case a := <-held:
		t.Fatalf("a write was answered during Cutover: %s", a.raw)
	default:
	}
	r.step(placement.OpComplete)
	a := <-held
	a.want(t, 201)
	if a.header.Get("X-Sluice-Cluster") != "b" || a.header.Get("X-Sluice-Held-Ms") == "" {
		t.Errorf("held write: %v", a.header)
	}
	send(t, u, "GET", "/acme-2/_doc/held", "").want(t, 200)
	send(t, u, "GET", "/acme-1/_doc/held", "").want(t, 404)

	// Tokens of the old place do not match here, those of the new one do.
	const moved = 1<<32 + 1
	r.do("PUT", "/docs/_doc/1?if_seq_no="+got.str("_seq_no")+"&if_primary_term=1", `{}`).want(t, 409, "error/type", "version_conflict_engine_exception")
	now := r.do("GET", "/docs/_doc/1", "").want(t, 200, "_source/moved", true, "_primary_term", fmt.Sprint(moved))
	r.do("POST", "/docs/_bulk", `{"index":{"_id":"1","if_seq_no":`+got.str("_seq_no")+`,"if_primary_term":1}}`+"\n{}\n").
		want(t, 200, "errors", true, "items/0/index/status", "409")
	r.do("PUT", "/docs/_doc/1?if_seq_no="+now.str("_seq_no")+"&if_primary_term="+now.str("_primary_term"), `{}`).want(t, 200, "_primary_term", fmt.Sprint(moved))

	// Cursors go on where they were opened.
	sc2 := r.do("POST", "/_search/scroll", `{"scroll":"1m","scroll_id":"`+sc.str("_scroll_id")+`"}`).
		want(t, 200, "hits/hits/0/_source/n", "4", "hits/hits/0/_index", "docs")
	r.do("GET", "/_search/scroll/"+sc2.str("_scroll_id")+"?scroll=1m", "").want(t, 200, "hits/hits/1/_source/n", "9")
	search(p1.str("pit_id")).want(t, 200, "hits/hits/0/_source/n", "0")
	r.register(other, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "other-1", Logical: "docs"})
	r.as(other, "POST", "/_search/scroll", `{"scroll":"1m","scroll_id":"`+sc2.str("_scroll_id")+`"}`).want(t, 404)
	r.do("POST", "/_search/scroll", `{"scroll":"1m","scroll_id":"x`+sc2.str("_scroll_id")+`"}`).want(t, 400, "error/type", "sluice_bad_cursor")
	search("x"+p1.str("pit_id")).want(t, 400, "error/type", "sluice_bad_cursor")
	search(sc2.str("_scroll_id")).want(t, 400, "error/type", "sluice_bad_cursor")
	r.do("DELETE", "/_search/point_in_time", `{"pit_id":["`+p1.str("pit_id")+`"]}`).want(t, 200, "pits/0/successful", true, "pits/0/pit_id", p1.str("pit_id"))
	r.do("DELETE", "/_search/scroll", `{"scroll_id":["`+sc2.str("_scroll_id")+`"]}`).want(t, 200, "succeeded", true, "num_freed", "1")
	r.do("POST", "/_search/scroll", `{"scroll":"1m","scroll_id":"`+sc2.str("_scroll_id")+`"}`).want(t, 404)
	r.do("DELETE", "/_search/point_in_time/_all", "").want(t, 200, "pits/0", nil)
}

func TestDedicatedCluster(t *testing.T) {
	r, u := engine(t)
	send(t, u, "DELETE", "/own", "")
	r.register(other, placement.Placement{Kind: placement.DedicatedCluster, Cluster: "a"})
	r.as(other, "PUT", "/own", `{"settings":{"number_of_replicas":0}}`).want(t, 200, "index", "own")
	r.as(other, "PUT", "/own/_doc/1?refresh=true", `{"a":1}`).want(t, 201, "_index", "own")
	r.as(other, "POST", "/_bulk?refresh=true", `{"index":{"_index":"own","_id":"2"}}`+"\n{}\n").want(t, 200, "items/0/index/_index", "own")
	r.as(other, "GET", "/ow*/_search", "").want(t, 200, "hits/total/value", "2", "hits/hits/0/_index", "own")
	r.as(other, "POST", "/_aliases", `{"actions":[{"add":{"index":"own","alias":"mine"}}]}`).want(t, 200)
	r.as(other, "GET", "/mine/_doc/1", "").want(t, 200)
	sc := r.as(other, "POST", "/own/_search?scroll=1m&size=1", "").want(t, 200)
	r.as(other, "POST", "/_search/scroll", `{"scroll_id":"`+sc.str("_scroll_id")+`"}`).want(t, 200, "hits/hits/0/_index", "own")
	r.as(other, "DELETE", "/own", "").want(t, 200)
}

package proxy_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
)

var pool = placement.Placement{Kind: placement.SharedIndex, Cluster: "a", Index: "pool-1", Logical: "docs", PartitionField: "tenant"}

const poolMapping = `{"settings":{"number_of_shards":3,"number_of_replicas":0},"mappings":{"properties":{
	"tenant":{"type":"keyword"},"n":{"type":"long"},"one":{"type":"long"},"k":{"type":"keyword"},"t":{"type":"text"},"d":{"type":"date"},"f":{"type":"double"},"u":{"type":"long"},"g":{"type":"geo_point"},
	"items":{"type":"nested","properties":{"k":{"type":"keyword"},"tenant":{"type":"keyword"},"u":{"type":"long"}}}}}}`

// sharing is two tenants in one index of the real thing.
func sharing(t *testing.T) (*rig, string) {
	t.Helper()
	return sharingOn(t, engines.OpenSearch2)
}

func sharingOn(t *testing.T, version string) (*rig, string) {
	t.Helper()
	u := enginetest.SharedOpenSearch(t, version).URL()
	send(t, u, "DELETE", "/"+pool.Index, "")
	send(t, u, "PUT", "/"+pool.Index, poolMapping).want(t, 200)
	r := newRig(t, u, u, nil)
	r.register(acme, pool)
	r.register(other, pool)
	return r, u
}

// clean fails if an answer to acme shows how documents are marked, or anything of
// the other tenant.
func (a reply) clean(t *testing.T) reply {
	t.Helper()
	text := a.raw
	for k, v := range a.header {
		text += k + strings.Join(v, " ")
	}
	for _, mark := range []string{"pool-1", "acme:", "acme~", `"tenant":"acme"`, "other:", "theirs"} {
		if strings.Contains(text, mark) {
			t.Errorf("the answer shows %s: %s", mark, text)
		}
	}
	return a
}

func TestSharedDocuments(t *testing.T) {
	r, u := sharing(t)
	same := func(method, path, body string, status int, pairs ...any) reply {
		t.Helper()
		return r.do(method, path, body).want(t, status, pairs...).clean(t)
	}
	r.as(other, "PUT", "/docs/_doc/1", `{"k":"theirs"}`).want(t, 201)
	r.as(other, "PUT", "/docs/_doc/only", `{"k":"theirs"}`).want(t, 201)
	same("GET", "/", "", 200)
	a := same("PUT", "/docs/_doc/1?refresh=true", `{"n":1,"o":{"tenant":"x"}}`, 201, "_index", "docs", "_id", "1", "result", "created", "_version", "1", "_primary_term", "1")
	if a.header.Get("Location") != "" {
		t.Errorf("Location %q", a.header.Get("Location"))
	}
	send(t, u, "GET", "/pool-1/_doc/acme:1?routing=acme:", "").want(t, 200, "_source/tenant", "acme", "_routing", "acme:")
	if got := same("GET", "/docs/_doc/1", "", 200, "_id", "1", "_index", "docs", "_source/n", "1", "_source/o/tenant", "x"); got.at("_routing") != nil {
		t.Errorf("a routing that no client gave: %s", got.raw)
	}
	if got := same("GET", "/docs/_source/1", "", 200); got.raw != `{"n":1,"o":{"tenant":"x"}}` {
		t.Errorf("source: %s", got.raw)
	}
	same("GET", "/docs/_doc/1?_source=tenant", "", 200, "_id", "1")
	same("GET", "/docs/_doc/1?_source_includes=n", "", 200, "_source/n", "1")
	same("HEAD", "/docs/_doc/1", "", 200)
	same("HEAD", "/docs", "", 200)
	same("HEAD", "/docs/_source/1", "", 200)
	// Another tenant's documents are not there.
	same("GET", "/docs/_doc/only", "", 404, "found", false, "_id", "only", "_index", "docs")
	same("HEAD", "/docs/_doc/only", "", 404)
	same("GET", "/docs/_source/only", "", 404, "error/type", "resource_not_found_exception")
	same("DELETE", "/docs/_doc/only", "", 404, "result", "not_found", "_id", "only")
	same("POST", "/docs/_update/only", `{"doc":{"n":1}}`, 404, "error/type", "document_missing_exception")
	for _, id := range []string{"other:only", "../other:only", "other%3Aonly"} {
		r.do("GET", "/docs/_doc/"+url.PathEscape(id), "").want(t, 404, "found", false, "_id", id)
	}
	// Two documents that differ in their routing only.
	same("PUT", "/docs/_doc/r?routing=x", `{"n":10}`, 201)
	same("GET", "/docs/_doc/r?routing=x", "", 200, "_routing", "x", "_source/n", "10")
	// Updates keep the document the tenant's.
	same("POST", "/docs/_update/1?_source=true", `{"doc":{"n":2}}`, 200, "result", "updated", "get/_source/n", "2")
	same("POST", "/docs/_update/1", `{"doc":{"n":2}}`, 200, "result", "noop")
	same("POST", "/docs/_update/new", `{"doc":{"n":3},"doc_as_upsert":true}`, 201, "result", "created")
	same("POST", "/docs/_update/up", `{"doc":{"n":3},"upsert":{"n":4}}`, 201, "result", "created")
	send(t, u, "GET", "/pool-1/_doc/acme:up?routing=acme:", "").want(t, 200, "_source/tenant", "acme", "_source/n", "4")
	send(t, u, "GET", "/pool-1/_doc/acme:new?routing=acme:", "").want(t, 200, "_source/tenant", "acme")
	auto := same("POST", "/docs/_doc", `{"n":5}`, 201, "result", "created")
	same("GET", "/docs/_doc/"+auto.str("_id"), "", 200, "_source/n", "5")
	same("PUT", "/docs/_create/1", `{"n":1}`, 409, "error/type", "version_conflict_engine_exception")
	same("PUT", "/docs/_doc/1?if_seq_no=99&if_primary_term=1", `{"n":1}`, 409)
	same("PUT", "/docs/_doc/a%2Fb%2Bc%20d", `{"n":3}`, 201, "_id", "a/b+c d")
	same("GET", "/docs/_doc/a%2Fb%2Bc%20d", "", 200, "_id", "a/b+c d")
	same("PUT", "/docs/_doc/ext?version=7&version_type=external", `{}`, 201, "_version", "7")
	same("DELETE", "/docs/_doc/ext?version=8&version_type=external", "", 200, "result", "deleted")
	same("PUT", "/docs/_doc/"+strings.Repeat("i", 512), `{}`, 400, "error/type", "sluice_shared_index")
	same("PUT", "/docs/_doc/bad", `{"n":"theirs"}`, 400, "error/type", "mapper_parsing_exception")
	// Multi-get, whichever way documents are named.
	same("POST", "/docs/_mget", `{"ids":["1","only","new"]}`, 200, "docs/0/found", true, "docs/0/_id", "1", "docs/1/found", false, "docs/1/_id", "only", "docs/2/_source/n", "3")
	same("POST", "/_mget?_source=n", `{"docs":[{"_index":"docs","_id":"r","routing":"x"},{"_id":"r"},{"_id":1,"_source":false}]}`, 200,
		"docs/0/found", true, "docs/0/_routing", "x", "docs/1/_id", "r", "docs/2/_id", "1", "docs/2/found", true)
	same("POST", "/docs/_refresh", "", 200, "_shards/failed", "0")
	same("POST", "/_all/_refresh", "", 200, "_shards/failed", "0")
	// A document larger than what is kept in memory of others.
	big := `{"n":1,"t":"` + strings.Repeat("x ", 1<<20) + `"}`
	same("PUT", "/docs/_doc/big", big, 201)
	if got := r.do("GET", "/docs/_source/big", "").want(t, 200); got.raw != big {
		t.Errorf("a large document came back with %d bytes", len(got.raw))
	}
	if got := send(t, u, "GET", "/pool-1/_count", `{"query":{"bool":{"must_not":[{"terms":{"tenant":["acme","other"]}}]}}}`).str("count"); got != "0" {
		t.Errorf("%s documents are nobody's", got)
	}
	r.as(other, "GET", "/docs/_doc/1", "").want(t, 200, "_source/k", "theirs", "_version", "1")
}

func TestSharedRefusals(t *testing.T) {
	r, u := sharing(t)
	r.do("PUT", "/docs/_doc/1", `{"n":1}`).want(t, 201)
	for _, c := range [][3]string{
		{"PUT", "/docs/_doc/2", `{"tenant":"other"}`}, {"PUT", "/docs/_doc/2", `{"tenant.x":1}`}, {"PUT", "/docs/_doc/2", `{"tenant":{"x":1}}`},
		{"PUT", "/docs/_doc/2", `{"t\u0065nant":"other"}`}, {"PUT", "/docs/_doc/2", `{"n":1,"n":2}`}, {"PUT", "/docs/_doc/2", "{\"\xc1\xb4enant\":\"other\"}"},
		{"PUT", "/docs/_doc/2", `{} {}`}, {"PUT", "/docs/_doc/2", `[]`}, {"PUT", "/docs/_doc/2", ``}, {"PUT", "/docs/_doc/2?pipeline=p", `{}`},
		{"PUT", "/docs/_doc/2?require_alias=true", `{}`}, {"PUT", "/docs/_doc/2?nope=1", `{}`}, {"PUT", "/docs/_doc/2?routing=a&routing=b", `{}`},
		{"PUT", "/docs/_doc/%FF", `{}`}, {"POST", "/docs/_update/1", `{"script":"ctx._source.tenant='other'"}`},
		{"POST", "/docs/_update/1", `{"doc":{"tenant":"other"}}`}, {"POST", "/docs/_update/1", `{"doc":{},"upsert":{"tenant":"other"},"doc_as_upsert":false}`},
		{"POST", "/docs/_update/1", `{"doc":{},"doc":{"tenant":"other"}}`}, {"POST", "/docs/_update/1", `{"scripted_upsert":true,"script":{},"upsert":{}}`},
		{"POST", "/docs/_mget", `{"docs":[{"_index":"pool-1","_id":"1"}]}`}, {"POST", "/docs/_mget", `{"docs":[{"_id":"1","_id":"2"}]}`},
		{"POST", "/docs/_mget", `{"docs":[{"_id":["1"]}]}`}, {"POST", "/docs/_mget", `{"ids":"1"}`}, {"POST", "/docs/_mget?stored_fields=_id", `{"ids":["1"]}`},
		{"POST", "/docs/_mget", `{"docs":[{"_id":"1","stored_fields":["tenant"]}]}`}, {"GET", "/docs/_doc/1?stored_fields=tenant", ""},
		{"GET", "/pool-*/_doc/1", ""}, {"GET", "/docs,pool-1/_doc/1", ""}, {"GET", "/_all/_mget", `{"ids":["1"]}`},
	} {
		if a := r.do(c[0], c[1], c[2]); a.status != 400 {
			t.Errorf("%s %s %s: %d %s", c[0], c[1], c[2], a.status, a.raw)
		} else if !strings.Contains(c[1]+c[2], "pool-1") { // the client's own words come back
			a.clean(t)
		}
	}
	for _, c := range [][3]string{
		{"GET", "/docs/_mapping", ""}, {"PUT", "/docs/_mapping", `{"properties":{"x":{"type":"long"}}}`}, {"GET", "/docs/_settings", ""}, {"PUT", "/docs/_settings", `{}`},
		{"GET", "/docs", ""}, {"PUT", "/docs", ""}, {"DELETE", "/docs", ""}, {"GET", "/docs/_alias", ""}, {"PUT", "/docs/_alias/x", ""}, {"POST", "/_aliases", `{"actions":[]}`},
		{"HEAD", "/docs/_alias/x", ""},
	} {
		a := r.do(c[0], c[1], c[2]).want(t, 403)
		if c[0] != "HEAD" && (a.str("error/type") != "sluice_not_allowed" || !strings.Contains(a.raw, "shared with other tenants")) {
			t.Errorf("%v: %s", c, a.raw)
		}
	}
	r.do("GET", "/pool-1/_doc/1", "").want(t, 404, "error/type", "index_not_found_exception")
	send(t, u, "GET", "/pool-1/_doc/acme:1?routing=acme:", "").want(t, 200, "_version", "1", "_source/tenant", "acme")
	send(t, u, "POST", "/pool-1/_refresh", "")
	send(t, u, "GET", "/pool-1/_count", "").want(t, 200, "count", "1")
}

// Ids of tenants that look like each other's prefixes.
func TestSharedTenantNames(t *testing.T) {
	r, _ := sharing(t)
	names := []placement.PartitionID{"a", "a:", "a:1", "a~", "a~3a", "A", "a,b", "ä b", "*", "a/b"}
	for i, id := range names {
		r.register(id, pool)
		for _, doc := range []string{"1", "1:1", ":1", "~3a1"} {
			path := "/t/" + url.PathEscape(doc)
			r.as(id, "PUT", strings.Replace(path, "/t/", "/docs/_create/", 1), fmt.Sprintf(`{"n":%d}`, i)).want(t, 201, "_id", doc)
		}
	}
	for i, id := range names {
		for _, doc := range []string{"1", "1:1", ":1", "~3a1"} {
			r.as(id, "GET", "/docs/_doc/"+url.PathEscape(doc), "").want(t, 200, "_id", doc, "_source/n", fmt.Sprint(i))
		}
	}
}

func TestSharedBulk(t *testing.T) {
	r, u := sharing(t)
	r.as(other, "PUT", "/docs/_doc/2", `{"k":"theirs"}`).want(t, 201)
	lines := func(s ...string) string { return strings.Join(s, "\n") + "\n" }
	a := r.do("POST", "/_bulk?refresh=true", lines(
		`{"index":{"_index":"docs","_id":"1"}}`, `{"n":1}`,
		`{"index":{"_index":"pool-1","_id":"2"}}`, `{"n":2}`,
		`{"create":{"_id":"1"}}`, `{"n":3}`,
		`{"delete":{"_id":"2"}}`,
		`{"update":{"_id":"1","retry_on_conflict":2,"_source":true}}`, `{"doc":{"n":4}}`,
		`{"update":{"_id":"1"}}`, `{"script":"ctx._source.tenant='other'"}`,
		`{"index":{"_id":"evil"}}`, `{"tenant":"other"}`,
		`{"index":{}}`, ` { } `,
		`{"index":{"_id":"p","pipeline":"x"}}`, `{}`,
		`{"index":{"_id":"dup"}}`, `{"a":1,"a":2}`,
		`{"index":{"_id":"r","routing":"x"}}`, `{"n":5}`,
		`{"update":{"_id":"u"}}`, `{"doc":{"n":6},"doc_as_upsert":true}`,
		`{"index":{"_id":"bad"}}`, `{"n":"theirs"}`,
		`{"delete":{"_id":"1","require_alias":true}}`,
	)).want(t, 200, "errors", true, "items/0/index/_id", "1", "items/0/index/_index", "docs", "items/0/index/status", "201",
		"items/2/create/status", "409", "items/2/create/error/type", "version_conflict_engine_exception",
		"items/3/delete/status", "404", "items/3/delete/_id", "2", "items/4/update/get/_source/n", "4",
		"items/5/update/error/type", "sluice_shared_index", "items/5/update/_id", "1", "items/6/index/status", "400", "items/7/index/status", "201",
		"items/8/index/status", "400", "items/9/index/status", "400", "items/10/index/status", "201", "items/11/update/result", "created",
		"items/12/index/error/type", "mapper_parsing_exception", "items/13/delete/status", "400")
	if a.str("items/1/index/error/type") != "index_not_found_exception" {
		t.Errorf("another index: %s", a.raw)
	}
	a.raw = strings.ReplaceAll(a.raw, `"pool-1"`, "") // the client's own words come back
	a.raw = strings.ReplaceAll(a.raw, `[pool-1]`, "")
	a.clean(t)
	r.do("GET", "/docs/_doc/r?routing=x", "").want(t, 200, "_source/n", "5")
	r.do("POST", "/docs/_bulk?routing=x", lines(`{"delete":{"_id":"r"}}`)).want(t, 200, "items/0/delete/result", "deleted").clean(t)
	r.do("POST", "/docs/_bulk?pipeline=x", lines(`{"delete":{"_id":"r"}}`)).want(t, 400)
	r.do("POST", "/docs/_bulk", lines(`{"index":{"_id":"evil"}}`, `{"tenant":"x"}`)).want(t, 200, "errors", true)
	send(t, u, "POST", "/pool-1/_refresh", "")
	send(t, u, "GET", "/pool-1/_count", `{"query":{"term":{"tenant":"acme"}}}`).want(t, 200, "count", "3")
	send(t, u, "GET", "/pool-1/_count", `{"query":{"term":{"tenant":"other"}}}`).want(t, 200, "count", "1")
	send(t, u, "GET", "/pool-1/_count", "").want(t, 200, "count", "4")
	// Many chunks.
	var b strings.Builder
	for i := range 11000 {
		fmt.Fprintf(&b, `{"index":{"_id":"c%d"}}`+"\n"+`{"n":%d,"k":"%s"}`+"\n", i, i, strings.Repeat("y", 200))
	}
	r.do("POST", "/docs/_bulk?refresh=true", b.String()).want(t, 200, "errors", false, "items/10999/index/_id", "c10999").clean(t)
	send(t, u, "GET", "/pool-1/_count", `{"query":{"term":{"tenant":"acme"}}}`).want(t, 200, "count", "11003")
}

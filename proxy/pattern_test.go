package proxy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

const zeta, empty = placement.PartitionID("zeta"), placement.PartitionID("empty")

func patterned(index string) placement.Placement {
	return placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: index, Logical: "*"}
}

// patterns is a proxy over the real thing for three tenants of one cluster, each
// with a pattern: acme has orders and items, zeta has orders and hush, and empty
// has nothing.
func patterns(t *testing.T) (*rig, string) {
	t.Helper()
	u := enginetest.SharedOpenSearch(t, engines.OpenSearch2).URL()
	for _, i := range []string{"acme-*", "zeta-*", "none-*", "acme"} { // of a test before
		send(t, u, "DELETE", "/"+i, "")
	}
	r := newRig(t, u, u, nil)
	r.register(acme, patterned("acme-*"))
	r.register(zeta, patterned("zeta-*-x"))
	r.register(empty, patterned("none-*"))
	for _, i := range []string{"orders", "items"} {
		r.do("PUT", "/"+i, `{"settings":{"number_of_replicas":0}}`).want(t, 200, "index", i, "acknowledged", true)
		r.do("PUT", "/"+i+"/_doc/1?refresh=true", `{"n":1,"of":"acme","t":"acme-orders"}`).want(t, 201, "_index", i)
	}
	for _, i := range []string{"orders", "hush"} {
		r.as(zeta, "PUT", "/"+i, `{"settings":{"number_of_replicas":0}}`).want(t, 200, "index", i)
		r.as(zeta, "PUT", "/"+i+"/_doc/1?refresh=true", `{"n":1,"classified":"secret"}`).want(t, 201, "_index", i)
	}
	// What an operator has put beside them.
	send(t, u, "PUT", "/acme/_doc/1?refresh=true", `{"n":1,"classified":"secret"}`).want(t, 201)
	return r, u
}

func TestPatternDocuments(t *testing.T) {
	r, u := patterns(t)
	// The same name is another index of another tenant.
	if a, b := send(t, u, "GET", "/acme-orders/_doc/1", "").want(t, 200), send(t, u, "GET", "/zeta-orders-x/_doc/1", "").want(t, 200); a.str("_source/of") != "acme" || b.str("_source/classified") != "secret" {
		t.Errorf("documents are not where they belong: %s %s", a.raw, b.raw)
	}
	a := r.do("POST", "/orders/_doc", `{"n":9}`).want(t, 201, "_index", "orders")
	if loc := a.header.Get("Location"); loc != "/orders/_doc/"+a.str("_id") {
		t.Errorf("Location %q", loc)
	}
	r.do("GET", "/orders/_doc/1", "").want(t, 200, "_index", "orders", "_source/t", "acme-orders")
	r.do("GET", "/orders/_source/1", "").want(t, 200, "of", "acme")
	r.do("POST", "/orders/_update/1", `{"doc":{"m":1}}`).want(t, 200, "_index", "orders", "result", "updated")
	r.do("PUT", "/orders/_create/1", `{"n":1}`).want(t, 409, "error/index", "orders", "error/root_cause/0/index", "orders")
	r.do("GET", "/hush/_doc/1", "").want(t, 404, "error/index", "hush", "error/reason", "no such index [hush]", "error/resource.id", "hush")
	// A write makes an index of the tenant's, as on a cluster of its own.
	r.do("PUT", "/hush/_doc/1?refresh=true", `{"n":1}`).want(t, 201, "_index", "hush")
	send(t, u, "GET", "/acme-hush/_doc/1", "").want(t, 200, "_source/n", "1")
	lines := func(s ...string) string { return strings.Join(s, "\n") + "\n" }
	r.do("POST", "/orders/_bulk?refresh=true", lines(
		`{"index":{"_id":"2"}}`, `{"n":2}`, `{"index":{"_index":"items","_id":"2"}}`, `{"n":2}`, `{"index":{"_index":"zeta-hush-x","_id":"2"}}`, `{"n":2}`,
		`{"index":{"_index":"orders,items","_id":"2"}}`, `{"n":2}`, `{"delete":{"_index":"nothing","_id":"2"}}`, `{"create":{"_index":"items","_id":"1"}}`, `{"n":2}`,
	)).want(t, 200, "items/0/index/_index", "orders", "items/1/index/_index", "items", "items/2/index/_index", "zeta-hush-x", "items/2/index/status", "201",
		"items/3/index/status", "400", "items/3/index/error/type", "invalid_index_name_exception", "items/4/delete/_index", "nothing", "items/4/delete/status", "404", "items/5/create/error/index", "items")
	send(t, u, "GET", "/acme-zeta-hush-x/_doc/2", "").want(t, 200)
	send(t, u, "GET", "/zeta-hush-x/_doc/2", "").want(t, 404)
	r.do("POST", "/_bulk", lines(`{"index":{"_id":"2"}}`, `{"n":2}`)).want(t, 200, "errors", true, "items/0/index/error/type", "invalid_index_name_exception")
	r.do("POST", "/_bulk", lines(`{"index":{"_index":"items","_id":"3"}}`, `{"n":3}`)).want(t, 200, "errors", false)
	r.do("POST", "/_mget", `{"docs":[{"_index":"orders","_id":"1"},{"_index":"items","_id":"1"},{"_index":"nothing","_id":"1"}]}`).
		want(t, 200, "docs/0/_index", "orders", "docs/0/found", true, "docs/1/_index", "items", "docs/2/_index", "nothing", "docs/2/error/reason", "no such index [nothing]")
	r.do("POST", "/items/_mget", `{"ids":["1"]}`).want(t, 200, "docs/0/_index", "items", "docs/0/found", true)
	r.do("POST", "/_mget", `{"docs":[{"_index":"o*","_id":"1"}]}`).want(t, 400, "error/type", proxy.TypeForeignIndex)
	for _, bad := range []string{"Orders", "o*", "orders,items", "_all", "%3Corders%3E", "-x", ".hidden"} {
		if a := r.do("PUT", "/"+bad+"/_doc/1", `{}`); a.status != 400 {
			t.Errorf("a document in %s: %d %s", bad, a.status, a.raw)
		}
	}
}

func TestPatternSearches(t *testing.T) {
	r, u := patterns(t)
	for path, want := range map[string]string{
		"/_search": "2", "/_all/_search": "2", "/*/_search": "2", "/orders/_search": "1", "/orders,items/_search": "2", "/o*/_search": "1", "/*,-items/_search": "1",
		"/o*,it*/_search": "2", "/zeta*/_search": "0", "/*zeta*/_search": "0", "/hush/_search?ignore_unavailable=true": "0", "/*/_search?expand_wildcards=all": "2", "/acme*/_search": "0",
	} {
		r.do("GET", path, "").want(t, 200, "hits/total/value", want)
	}
	for path, status := range map[string]int{
		"/hush/_search": 404, "/orders,hush/_search": 404, "/-orders/_search": 400, "/other:orders/_search": 400, "/%3Corders-%7Bnow%7D%3E/_search": 400, "/orders,,items/_search": 400,
		"/.kibana/_search": 404, "/Orders/_search": 404, "/acme-orders/_search": 404, "/zeta-orders-x/_search": 404,
	} {
		if a := r.do("GET", path, "").want(t, status); strings.Contains(a.raw, "acme-acme") || strings.Contains(a.raw, "secret") {
			t.Errorf("%s: %s", path, a.raw)
		}
	}
	r.do("HEAD", "/orders", "").want(t, 200)
	r.do("HEAD", "/hush", "").want(t, 404)
	r.do("HEAD", "/Orders", "").want(t, 404)
	hit := r.do("POST", "/*/_search", `{"query":{"term":{"_index":"items"}},"explain":true}`).want(t, 200, "hits/total/value", "1", "hits/hits/0/_index", "items")
	if s := hit.str("hits/hits/0/_shard"); s != "[items][0]" {
		t.Errorf("_shard %q", s)
	}
	r.do("POST", "/*/_search", `{"query":{"terms":{"_index":["items","orders"]}}}`).want(t, 200, "hits/total/value", "2")
	r.do("POST", "/*/_search", `{"query":{"prefix":{"_index":"ord"}}}`).want(t, 200, "hits/hits/0/_index", "orders", "hits/total/value", "1")
	r.do("POST", "/*/_search", `{"query":{"wildcard":{"_index":{"value":"*rders"}}}}`).want(t, 200, "hits/hits/0/_index", "orders", "hits/total/value", "1")
	r.do("POST", "/*/_search", `{"indices_boost":[{"items":5},{"o*":2}],"sort":[{"_index":"asc"}]}`).want(t, 200, "hits/hits/0/_index", "items", "hits/total/value", "2")
	r.do("POST", "/orders/_search", `{"query":{"terms":{"n":{"index":"items","id":"1","path":"n"}}}}`).want(t, 200, "hits/total/value", "1")
	for _, name := range []string{"*", "zeta-hush-x,items", "<items>", "Items", ""} {
		r.do("POST", "/orders/_search", fmt.Sprintf(`{"query":{"terms":{"n":{"index":%q,"id":"1","path":"n"}}}}`, name)).want(t, 400, "error/type", proxy.TypeForeignIndex)
	}
	// zeta's hush is beside it, and is none of acme's.
	lookup := r.do("POST", "/orders/_search", `{"query":{"terms":{"n":{"index":"hush","id":"1","path":"n"}}}}`)
	if lookup.status != 404 || strings.Contains(lookup.raw, "acme-") {
		t.Errorf("a lookup in an index that is not there: %s", lookup.raw)
	}
	r.do("POST", "/_msearch", "{}\n{}\n{\"index\":\"orders\"}\n{}\n{\"index\":[\"orders\",\"it*\"]}\n{}\n{\"index\":\"hush\"}\n{}\n", "Content-Type", "application/x-ndjson").want(t, 200,
		"responses/0/hits/total/value", "2", "responses/1/hits/hits/0/_index", "orders", "responses/2/hits/total/value", "2", "responses/3/error/index", "hush", "responses/3/error/reason", "no such index [hush]")
	r.do("POST", "/items/_msearch", "{}\n{}\n", "Content-Type", "application/x-ndjson").want(t, 200, "responses/0/hits/hits/0/_index", "items", "responses/0/hits/total/value", "1")
	r.do("POST", "/_msearch", "{\"index\":\"other:orders\"}\n{}\n", "Content-Type", "application/x-ndjson").want(t, 400, "error/type", proxy.TypeForeignIndex)
	r.do("GET", "/_count", "").want(t, 200, "count", "2")
	r.do("POST", "/orders/_explain/1", `{"query":{"match_all":{}}}`).want(t, 200, "_index", "orders", "matched", true)
	r.do("GET", "/_validate/query?explain=true", `{"query":{"match":{"n":"x"}}}`).want(t, 200, "valid", false)
	r.do("GET", "/orders/_termvectors/1?fields=t", "").want(t, 200, "_index", "orders", "found", true)
	r.do("GET", "/_mtermvectors", `{"docs":[{"_index":"items","_id":"1"}]}`).want(t, 200, "docs/0/_index", "items", "docs/0/found", true)
	send(t, u, "PUT", "/acme-items/_mapping", `{"properties":{"k":{"type":"keyword"}}}`).want(t, 200)
	r.do("PUT", "/orders/_mapping", `{"properties":{"k":{"type":"long"}}}`).want(t, 200)
	r.do("GET", "/_field_caps?fields=k,classified", "").want(t, 200, "indices/0", "items", "indices/1", "orders", "fields/k/keyword/indices/0", "items", "fields/k/long/indices/0", "orders", "fields/classified", nil)
	// Pages, points in time and tasks.
	page := r.do("POST", "/*/_search?scroll=1m", `{"size":1}`).want(t, 200)
	if i := page.str("hits/hits/0/_index"); i != "items" && i != "orders" {
		t.Errorf("a page of %q", i)
	}
	next := fmt.Sprintf(`{"scroll_id":%q}`, page.str("_scroll_id"))
	r.as(zeta, "POST", "/_search/scroll", next).want(t, 404, "error/type", "search_context_missing_exception")
	r.do("POST", "/_search/scroll", next).want(t, 200, "hits/total/value", "2")
	r.do("DELETE", "/_search/scroll", next)
	theirs := r.as(zeta, "POST", "/*/_search/point_in_time?keep_alive=1m", "").want(t, 200)
	pit := r.do("POST", "/*/_search/point_in_time?keep_alive=1m", "").want(t, 200)
	r.do("POST", "/_search", fmt.Sprintf(`{"pit":{"id":%q},"query":{"term":{"_index":"orders"}}}`, pit.str("pit_id"))).want(t, 200, "hits/total/value", "1", "hits/hits/0/_index", "orders")
	if l := r.do("GET", "/_search/point_in_time/_all", "").want(t, 200); l.at("pits/0/pit_id") == nil || l.at("pits/1") != nil {
		t.Errorf("points in time: %s", l.raw)
	}
	r.do("DELETE", "/_search/point_in_time/_all", "").want(t, 200, "pits/0/successful", true, "pits/1", nil)
	r.as(zeta, "POST", "/_search", fmt.Sprintf(`{"pit":{"id":%q}}`, theirs.str("pit_id"))).want(t, 200, "hits/total/value", "2")
	r.as(zeta, "DELETE", "/_search/point_in_time", fmt.Sprintf(`{"pit_id":%q}`, theirs.str("pit_id"))).want(t, 200)
	r.do("POST", "/*/_update_by_query?refresh=true", `{"script":{"source":"ctx._source.u=1"}}`).want(t, 200, "updated", "2")
	task := r.do("POST", "/orders/_delete_by_query?wait_for_completion=false&refresh=true", `{"query":{"match_all":{}}}`).want(t, 200)
	waitFor(t, "the task ends", func() bool { return r.do("GET", "/_tasks/"+task.str("task"), "").at("completed") == true })
	if d := r.do("GET", "/_tasks/"+task.str("task"), "").str("task/description"); d != "delete-by-query [orders]" {
		t.Errorf("the task is %q", d)
	}
	r.do("GET", "/_count", "").want(t, 200, "count", "1")
	r.as(zeta, "GET", "/_count", "").want(t, 200, "count", "2")
}

func TestPatternIndices(t *testing.T) {
	r, u := patterns(t)
	r.do("GET", "/_mapping", "").want(t, 200, "orders/mappings/properties/n/type", "long", "items/mappings/properties/n/type", "long", "hush", nil)
	r.do("GET", "/*/_settings", "").want(t, 200, "orders/settings/index/provided_name", "orders", "items/settings/index/number_of_replicas", "0")
	r.do("GET", "/orders,items", "").want(t, 200, "orders/settings/index/provided_name", "orders", "items/aliases/x", nil)
	r.do("GET", "/_mapping/field/n", "").want(t, 200, "orders/mappings/n/full_name", "n")
	r.do("GET", "/_stats/docs", "").want(t, 200, "indices/orders/primaries/docs/count", "1", "indices/hush", nil, "_all/primaries/docs/count", "2")
	r.do("PUT", "/*/_settings", `{"index":{"refresh_interval":"7s"}}`).want(t, 200)
	if a := send(t, u, "GET", "/*/_settings/index.refresh_interval", ""); strings.Count(a.raw, `"7s"`) != 2 {
		t.Errorf("the setting is in: %s", a.raw)
	}
	if a := r.do("GET", "/_cat/indices?h=index,docs.count&s=index", "").want(t, 200); a.raw != "items  1\norders 1\n" {
		t.Errorf("the indices are\n%s", a.raw)
	}
	r.do("GET", "/_cat/indices/o*?format=json&h=docs.count", "").want(t, 200, "0/docs.count", "1", "0/index", nil, "0/idx", nil, "1", nil)
	r.do("GET", "/_cat/count?format=json", "").want(t, 200, "0/count", "2")
	send(t, u, "POST", "/_aliases", `{"actions":[{"add":{"index":"acme-orders","alias":"of-acme"}},{"add":{"index":"zeta-hush-x","alias":"of-zeta"}}]}`).want(t, 200)
	r.do("GET", "/_cat/aliases?format=json", "").want(t, 200, "0/index", "orders", "0/alias", "of-acme", "1", nil)
	r.do("GET", "/_alias", "").want(t, 200, "orders/aliases/of-acme/filter", nil, "hush", nil)
	r.do("GET", "/_alias/none", "").want(t, 404, "status", "404")
	r.do("PUT", "/orders/_alias/mine", "").want(t, 403, "error/type", proxy.TypeNotAllowed)
	r.do("POST", "/_aliases", `{"actions":[]}`).want(t, 403)
	for body, status := range map[string]int{
		`{"aliases":{"zeta-stolen-x":{}}}`: 403, `{"settings":{},"\u0061liases":{"a":{"filter":{}}}}`: 403, `{"aliases":{},"aliases":{"a":{}}}`: 403, "{\"\xc1\xa1liases\":{\"a\":{}}}": 400,
		`{"settings":{"analysis":{"filter":{"f":{"type":"stop","stopwords_path":"x"}}}}}`: 403, `{"aliases":{}}`: 200,
	} {
		r.do("PUT", "/made", body).want(t, status)
	}
	// A new index that would begin with another's documents, or with files.
	uuid := send(t, u, "GET", "/zeta-hush-x/_settings?flat_settings=true", "").str("zeta-hush-x/settings/index.uuid")
	for _, settings := range []string{
		fmt.Sprintf(`{"index.resize.source.uuid":%q,"index.resize.source.name":"zeta-hush-x"}`, uuid), fmt.Sprintf(`{"index":{"shrink":{"source":{"uuid":%q,"name":"zeta-hush-x"}}}}`, uuid),
		`{"index.store.type":"remote_snapshot","index.searchable_snapshot.repository":"r","index.searchable_snapshot.index.id":"z"}`, `{"index.data_path":"/tmp/x"}`, `{"index.provided_name":"zeta-hush-x"}`,
	} {
		if a := r.do("PUT", "/stolen", `{"settings":`+settings+`}`); uuid == "" || a.status != 400 && a.status != 403 {
			t.Errorf("%s: %d %s", settings, a.status, a.raw)
		}
	}
	r.do("HEAD", "/stolen", "").want(t, 404)
	r.do("PUT", "/made", "").want(t, 400, "error/index", "made", "error/type", "resource_already_exists_exception")
	if a := r.do("PUT", "/made", ""); strings.Contains(a.raw, "acme-") || !strings.Contains(a.str("error/reason"), "index [made/") {
		t.Errorf("an index that is there already: %s", a.raw)
	}
	for _, name := range []string{"Made", "ma*de", "made,more", "%3Cmade%3E", "+made", strings.Repeat("m", 251)} {
		r.do("PUT", "/"+name, "").want(t, 400, "error/type", "invalid_index_name_exception")
	}
	r.do("POST", "/_reindex?refresh=true", `{"source":{"index":["orders","it*"]},"dest":{"index":"made","op_type":"create"},"conflicts":"proceed"}`).want(t, 200, "created", "1", "version_conflicts", "1")
	r.do("GET", "/made/_count", "").want(t, 200, "count", "1")
	for _, body := range []string{
		`{"source":{"index":"other:orders"},"dest":{"index":"made"}}`, `{"source":{"index":"orders"},"dest":{"index":"m*"}}`, `{"source":{},"dest":{"index":"made"}}`, `{"source":{"index":""},"dest":{"index":"made"}}`,
		`{"source":{"index":"orders"},"dest":{"index":"made"},"script":{"source":"ctx._index='zeta-hush-x'"}}`, `{"source":{"index":"orders","remote":{"host":"http://x"}},"dest":{"index":"made"}}`,
	} {
		if a := r.do("POST", "/_reindex", body); a.status != 400 && a.status != 403 {
			t.Errorf("%s: %d %s", body, a.status, a.raw)
		}
	}
	r.do("POST", "/made/_close", "").want(t, 200, "indices/made/closed", true)
	if a := r.do("GET", "/made/_search", "").want(t, 400); a.str("error/index") != "made" || strings.Contains(a.raw, "acme-") {
		t.Errorf("a closed index: %s", a.raw)
	}
	r.do("POST", "/made/_open", "").want(t, 200)
	r.do("DELETE", "/made", "").want(t, 200)
	r.do("DELETE", "/hush", "").want(t, 404, "error/index", "hush")
	r.do("DELETE", "/o*", "").want(t, 200)
	r.do("DELETE", "/_all", "").want(t, 200)
	r.do("GET", "/_cat/indices", "").want(t, 200)
	r.as(zeta, "GET", "/_count", "").want(t, 200, "count", "2")
	send(t, u, "GET", "/acme/_count", "").want(t, 200, "count", "1")
	if a := send(t, u, "GET", "/_cat/indices/acme-*?h=index", ""); a.raw != "" {
		t.Errorf("indices that were removed: %s", a.raw)
	}
}

// Whatever a tenant with no index, or with other names, calls: it sees nothing of
// another tenant, and changes nothing.
func TestPatternIsolation(t *testing.T) {
	r, u := patterns(t)
	state := func() string {
		return send(t, u, "GET", "/zeta-*,acme/_settings", "").want(t, 200).raw + send(t, u, "GET", "/zeta-*,acme/_mapping", "").want(t, 200).raw +
			send(t, u, "GET", "/zeta-*,acme/_alias", "").want(t, 200).raw + send(t, u, "GET", "/zeta-*,acme/_search?version=true&seq_no_primary_term=true&sort=_index", "").want(t, 200, "hits/total/value", "3").str("hits/hits/0/_seq_no")
	}
	before, n := state(), 0
	for _, row := range proxy.Endpoints() {
		for _, index := range []string{"*", "_all", "hush", "*-x,a*", "-*", "*,-q-*"} {
			if !strings.Contains(row.Pattern, "{i}") && index != "*" {
				continue
			}
			path := strings.NewReplacer("{i}", index, "{id}", "1", "{name}", "x", "/**", "/any").Replace(row.Pattern)
			for _, m := range strings.Fields(strings.ReplaceAll(row.Methods, "*", "GET POST")) {
				body := ""
				if m != "GET" && m != "HEAD" {
					body = `{"query":{"match_all":{}}}`
				}
				n++
				a := r.as(empty, m, path, body)
				for _, word := range []string{"zeta", "secret", "classified", "acme", "none-", "orders"} {
					if strings.Contains(a.raw, word) {
						t.Errorf("%s %s: %d, with %q: %s", m, path, a.status, word, a.raw)
					}
				}
				if a.status >= 500 {
					t.Errorf("%s %s: %d %s", m, path, a.status, a.raw)
				}
			}
		}
	}
	if after := state(); after != before || n < 300 {
		t.Errorf("after %d requests:\n%s\nbefore:\n%s", n, after, before)
	}
}

// Items of several tenants in one bulk.
func TestPatternMixedBulk(t *testing.T) {
	u := enginetest.SharedOpenSearch(t, engines.OpenSearch2).URL()
	for _, i := range []string{"acme-*", "zeta-*"} {
		send(t, u, "DELETE", "/"+i, "").want(t, 200)
	}
	r := newRig(t, u, u, &proxy.Options{MixedBulk: true})
	r.register(acme, patterned("acme-*"))
	r.register(zeta, patterned("zeta-*-x"))
	r.mixed("/_bulk?refresh=true", `{"index":{"_index":"acme/orders","_id":"1"}}`+"\n{}\n"+`{"index":{"_index":"zeta/orders","_id":"1"}}`+"\n{}\n"+
		`{"index":{"_index":"acme/","_id":"2"}}`+"\n{}\n"+`{"index":{"_index":"acme/*","_id":"3"}}`+"\n{}\n"+`{"create":{"_index":"zeta/orders","_id":"1"}}`+"\n{}\n").
		want(t, 200, "items/0/index/_index", "acme/orders", "items/0/index/status", "201", "items/1/index/_index", "zeta/orders", "items/1/index/status", "201",
			"items/2/index/error/type", "invalid_index_name_exception", "items/3/index/error/type", "invalid_index_name_exception", "items/4/create/error/index", "orders")
	for _, i := range []string{"acme-orders", "zeta-orders-x"} {
		send(t, u, "GET", "/"+i+"/_count", "").want(t, 200, "count", "1")
	}
	if a := send(t, u, "GET", "/_cat/indices/acme-*?h=index", ""); a.raw != "acme-orders\n" {
		t.Errorf("indices of acme:\n%s", a.raw)
	}
}

func TestPatternText(t *testing.T) {
	for pattern, texts := range map[string]map[string]string{
		"acme-*": {
			"no such index [acme-orders]":                             "no such index [orders]",
			"index [acme-a/IfC0] already exists":                      "index [a/IfC0] already exists",
			"for indices [[acme-a/u1], [acme-b/u2]]":                  "for indices [[a/u1], [b/u2]]",
			"reindex from [acme-a, acme-b*] to [acme-c][_doc]":        "reindex from [a, b*] to [c][_doc]",
			"indices[acme-*,-acme-x], types[]":                        "indices[*,-x], types[]",
			"request [/acme-*,acme-x/_stats/y] has":                   "request [/*,x/_stats/y] has",
			"[zeta-a] of acme-orders, acme-, [acme-] and [acme-.x]":   "[zeta-a] of acme-orders, acme-, [acme-] and [acme-.x]",
			"[nodeXYZ][acme-orders][0] unfinished [acme-orders, acme": "[nodeXYZ][orders][0] unfinished [orders, acme",
		},
		"a*-x": {"[ab-x] [ab] [a-x] [aa-x-x]": "[b] [ab] [a-x] [a-x]"},
	} {
		for text, want := range texts {
			if got := proxy.PatternText(patterned(pattern), text); got != want {
				t.Errorf("%s: %q became %q, want %q", pattern, text, got, want)
			}
		}
	}
}

// Whatever list a client gives, what is asked for upstream are the tenant's indices.
func FuzzPatternList(f *testing.F) {
	for _, s := range []string{"", "*", "_all", "a,b", "*,-a", "-a", "<a-{now}>", "o:a", "a*b*c", "a,,b", "_a", ".", "a*,-_all", "ß"} {
		f.Add(s, "any")
	}
	f.Fuzz(func(t *testing.T, names, index string) {
		for _, pl := range []placement.Placement{patterned("acme-*"), patterned("a*-x")} {
			list, err := proxy.PatternList(pl, names)
			if err != nil {
				continue
			}
			front, back, _ := strings.Cut(pl.Index, "*")
			for i, e := range strings.Split(list, ",") {
				rest, minus := strings.CutPrefix(e, "-")
				if minus && i == 0 || !strings.HasPrefix(rest, front) || !strings.HasSuffix(rest, back) || len(rest) < len(front)+len(back) || strings.ContainsAny(rest, `<>:\/?"| #`) {
					t.Fatalf("%s: %q became %q", pl.Index, names, list)
				}
				if hit, err := path.Match(rest, index); err == nil && hit && !strings.ContainsAny(index, "/") && !pl.Matches(index) {
					t.Fatalf("%s: %q became %q, which matches %q", pl.Index, names, list, index)
				}
			}
		}
	})
}

// Whatever is asked is answered as by the cluster itself, without what the pattern
// adds to the names.
func TestPatternIsLikeDirect(t *testing.T) {
	u := enginetest.SharedOpenSearch(t, engines.OpenSearch2).URL()
	for _, i := range []string{"acme-*", "zeta-*"} {
		send(t, u, "DELETE", "/"+i, "").want(t, 200)
	}
	r := newRig(t, u, u, nil)
	r.register(acme, patterned("acme-*"))
	for i, name := range []string{"orders", "items"} {
		r.do("PUT", "/"+name, fmt.Sprintf(`{"settings":{"number_of_replicas":0,"number_of_shards":%d},"mappings":{"properties":{"n":{"type":"long"},"t":{"type":"text"},"k":{"type":"%s"},"join":{"type":"join","relations":{"a":"b"}}}}}`,
			i+1, []string{"keyword", "long"}[i])).want(t, 200)
		for d := range 3 {
			r.do("PUT", fmt.Sprintf("/%s/_doc/%d?refresh=true", name, d), fmt.Sprintf(`{"n":%d,"t":"alpha beta%d","k":%d}`, d, d, d)).want(t, 201)
		}
	}
	r.do("PUT", "/shut", `{"settings":{"number_of_replicas":0}}`).want(t, 200)
	r.do("POST", "/shut/_close", "").want(t, 200)
	send(t, u, "PUT", "/zeta-a/_doc/1?refresh=true", `{"n":1}`).want(t, 201)
	for _, c := range [][3]string{
		{"GET", "/@*/_search?sort=n&expand_wildcards=open", ""}, {"GET", "/@orders,@items/_search?sort=n&explain=true", ""}, {"POST", "/@orders/_search", `{"profile":true,"size":0,"query":{"nope":1}}`},
		{"POST", "/@*/_search?expand_wildcards=open", `{"query":{"match":{"n":"x"}}}`}, {"POST", "/@o*,@i*/_search?allow_partial_search_results=true", `{"query":{"match":{"k":"x"}},"sort":["n"]}`},
		{"POST", "/@orders/_search", `{"query":{"terms":{"n":{"index":"@items","id":"1","path":"n"}}}}`}, {"POST", "/@orders/_search", `{"query":{"terms":{"n":{"index":"@none","id":"1","path":"n"}}}}`},
		{"POST", "/@orders/_search", `{"query":{"more_like_this":{"fields":["t"],"like":[{"_index":"@items","_id":"1"}],"min_term_freq":1,"min_doc_freq":1}}}`},
		{"GET", "/@none/_search", ""}, {"GET", "/@none*/_search?allow_no_indices=false", ""}, {"GET", "/@shut/_search", ""}, {"GET", "/@orders,@shut/_search", ""}, {"GET", "/@orders,@none/_count", ""},
		{"POST", "/@orders/_search", `{"aggs":{"m":{"max":{"field":"t"}}}}`}, {"POST", "/@*/_search?expand_wildcards=open", `{"size":0,"aggs":{"h":{"top_hits":{"size":2,"sort":["n"]}},"index":{"terms":{"field":"n"}},"by":{"terms":{"field":"_index","order":{"_key":"asc"}},"aggs":{"k":{"terms":{"field":"n"},"aggs":{"buckets":{"terms":{"field":"_index"}}}}}}}}`},
		{"GET", "/@*/_search?expand_wildcards=open&typed_keys=true", `{"size":0,"aggregations":{"f":{"filters":{"filters":{"a":{"match_all":{}}}},"aggs":{"by":{"terms":{"field":"_index"}}}},"by":{"filter":{"match_all":{}},"aggs":{"x#y":{"terms":{"field":"_index","order":{"_key":"desc"}}}}}}}`},
		{"POST", "/_msearch", "{\"index\":\"@orders\"}\n{\"query\":{\"nope\":{}}}\n{\"index\":[\"@items\",\"@none\"]}\n{}\n{\"index\":\"@shut\"}\n{}\n{\"index\":\"@o*\",\"preference\":\"_local\"}\n{\"sort\":[\"n\"]}\n"},
		{"GET", "/@orders/_validate/query?explain=true&rewrite=true", `{"query":{"terms":{"_index":["@orders","@items"]}}}`}, {"GET", "/@i*/_validate/query?explain=true", `{"query":{"match":{"k":"x"}}}`},
		{"GET", "/@*/_field_caps?fields=k,n&expand_wildcards=open", ""}, {"GET", "/@*/_field_caps?fields=*&include_unmapped=true&expand_wildcards=open", ""}, {"GET", "/@orders/_field_caps?fields=k", ""},
		{"POST", "/@orders/_explain/1", `{"query":{"match":{"t":"alpha"}}}`}, {"GET", "/@orders/_termvectors/1?fields=t", ""}, {"GET", "/@none/_termvectors/1", ""}, {"GET", "/@orders/_explain/1", `{"query":{"nope":{}}}`},
		{"POST", "/_mtermvectors", `{"docs":[{"_index":"@orders","_id":"1","fields":["t"]},{"_index":"@none","_id":"1"}]}`}, {"POST", "/_mget", `{"docs":[{"_index":"@orders","_id":"1"},{"_index":"@items","_id":"9"},{"_index":"@none","_id":"1"},{"_index":"@shut","_id":"1"}]}`},
		{"GET", "/@orders/_doc/9", ""}, {"GET", "/@none/_doc/9", ""}, {"GET", "/@shut/_doc/9", ""}, {"GET", "/@orders/_source/9", ""}, {"GET", "/@none/_source/9", ""}, {"GET", "/_analyze", `{"analyzer":"standard","text":"a b"}`}, {"GET", "/@orders/_analyze", `{"field":"t","text":"a b"}`},
		{"GET", "/@*/_mapping", ""}, {"GET", "/@orders,@items/_mapping/field/n,t", ""}, {"GET", "/@none/_mapping", ""}, {"GET", "/@*/_settings?flat_settings=true&include_defaults=false", ""}, {"GET", "/@orders", ""}, {"GET", "/@none", ""}, {"GET", "/@*", ""},
		{"GET", "/@*/_alias", ""}, {"GET", "/@orders/_alias/none", ""}, {"GET", "/@*/_stats/docs,store?level=shards&expand_wildcards=open&filter_path=indices.*.*.docs,_all", ""}, {"GET", "/@none/_stats", ""}, {"GET", "/@orders/_stats/nope", ""},
		{"GET", "/_cat/indices/@orders?h=index,docs.count,pri&v=true", ""}, {"GET", "/_cat/indices/@*?h=health,index,idx,docs.count&s=index&format=json", ""}, {"GET", "/_cat/count/@*?h=count", ""}, {"GET", "/_cat/indices/@none", ""},
		{"PUT", "/@orders/_mapping", `{"properties":{"n":{"type":"text"}}}`}, {"PUT", "/@none/_mapping", `{"properties":{}}`}, {"PUT", "/@orders/_settings", `{"index":{"number_of_shards":7}}`}, {"PUT", "/@*/_settings", `{"index":{"nope":7}}`},
		{"PUT", "/@orders", ""}, {"PUT", "/@bad", `{"settings":{"nope":1}}`}, {"PUT", "/@bad", `{"mappings":{"properties":{"a":{"type":"nope"}}}}`}, {"DELETE", "/@none", ""}, {"POST", "/@none/_open", ""}, {"POST", "/@none/_close", ""},
		{"POST", "/@orders,@items/_refresh", ""}, {"POST", "/@none/_refresh", ""}, {"POST", "/@shut/_forcemerge", ""}, {"POST", "/@orders/_flush", ""}, {"POST", "/@*/_cache/clear?expand_wildcards=open", ""},
		{"PUT", "/@orders/_create/1", `{"n":1}`}, {"PUT", "/@orders/_doc/1?if_seq_no=900&if_primary_term=1", `{"n":1}`}, {"PUT", "/@orders/_doc/1", `{"n":"x"}`}, {"PUT", "/@shut/_doc/1", `{}`}, {"POST", "/@orders/_update/none", `{"doc":{}}`}, {"PUT", "/@none/_doc/1?require_alias=true", `{}`},
		{"DELETE", "/@none/_doc/1?refresh=true", ""}, {"POST", "/_bulk", "{\"create\":{\"_index\":\"@orders\",\"_id\":\"1\"}}\n{}\n{\"index\":{\"_index\":\"@shut\",\"_id\":\"1\"}}\n{}\n{\"update\":{\"_index\":\"@items\",\"_id\":\"7\"}}\n{\"doc\":{}}\n{\"index\":{\"_index\":\"@items\",\"_id\":\"1\"}}\n{\"n\":\"x\"}\n"},
		{"POST", "/@orders/_update_by_query", `{"query":{"nope":{}}}`},
		{"POST", "/_reindex", `{"source":{"index":["@orders"]},"dest":{"index":"@items","op_type":"create"}}`}, {"POST", "/@shut/_search/point_in_time?keep_alive=1m", ""}, {"POST", "/@none/_search/point_in_time?keep_alive=1m", ""},
	} {
		ask := func(s, prefix string) string { return strings.ReplaceAll(s, "@", prefix) }
		kind := "application/json"
		if strings.HasSuffix(c[1], "_bulk") || strings.HasSuffix(c[1], "_msearch") {
			kind = "application/x-ndjson"
		}
		direct := send(t, u, c[0], ask(c[1], "acme-"), ask(c[2], "acme-"), "Content-Type", kind)
		got := r.do(c[0], ask(c[1], ""), ask(c[2], ""), "Content-Type", kind)
		want, have := differs.ReplaceAllString(strings.ReplaceAll(direct.raw, "acme-", ""), "~"), differs.ReplaceAllString(got.raw, "~")
		if strings.Contains(c[1], "_cat/") && got.status == 200 && !strings.Contains(c[1], "json") {
			want, have = strings.Join(strings.Fields(want), " "), strings.Join(strings.Fields(have), " ") // columns are as wide as the names
		}
		if strings.Contains(want, "\"acme-") || got.status != direct.status || have != want {
			t.Errorf("%s %s %s\n direct: %d %s\nthrough: %d %s", c[0], c[1], c[2], direct.status, direct.raw, got.status, got.raw)
		}
	}
}

// differs is what may differ between an answer of a cluster and that through a proxy.
var differs = regexp.MustCompile(`"(took|time_in_nanos|_seq_no|batches|throttled_millis)":\d+|"_id":"[\w-]{20}"`)

// No body refers to an index outside the pattern, also where many are named.
func FuzzPatternQuery(f *testing.F) {
	for _, s := range []string{
		`{"query":{"terms":{"f":{"index":"other","id":"1"}}}}`, `{"docs":[{"_index":5},{"_index":"a,b"}]}`, `{"source":{"index":["a","b*"]},"dest":{"index":"c"}}`,
		`{"source":{"index":"*,-a"},"dest":{"index":7}}`, `{"source":{"index":"","\u0069ndex":"x"}}`, `{"source":[{"index":["<a>"]}],"dest":{"index":"_all"}}`,
		`{"aggs":{"a":{"terms":{"field":"_index"},"aggs":{"b":{"terms":{"field":"_index"}}}}}}`, `{"indices_boost":[{"a":1},{"b*":2}]}`, `{"query":{"prefix":{"_index":{"value":"a"}}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !readable(b) || len(bytes.TrimSpace(b)) == 0 {
			return
		}
		pl := patterned("p-*-q")
		if out, err := proxy.PatternQuery(pl, b, false); err == nil {
			if at := foreign(out, pl.Index); at != "" || !json.Valid(b) || !json.Valid(out) {
				t.Fatalf("%q became %q, which refers to another index at %s", b, out, at)
			}
		}
		out, err := proxy.PatternQuery(pl, b, true)
		if err != nil {
			return
		}
		var body map[string]json.RawMessage
		if json.Unmarshal(out, &body) != nil {
			return
		}
		for _, part := range []string{"source", "dest"} {
			var in map[string]json.RawMessage
			if json.Unmarshal(body[part], &in) != nil || in["index"] == nil {
				continue
			}
			var one string
			names := []string{}
			if json.Unmarshal(in["index"], &one) == nil {
				names = append(names, one)
			} else if json.Unmarshal(in["index"], &names) != nil {
				continue
			}
			if string(in["index"]) == "null" {
				continue // as if it were not there
			}
			for _, list := range names {
				for i, name := range strings.Split(list, ",") {
					if part == "source" && i > 0 {
						name = strings.TrimPrefix(name, "-")
					}
					if !pl.Matches(name) || part == "dest" && strings.ContainsAny(name, "*") {
						t.Fatalf("%q became %q: %s.index is %q", b, out, part, name)
					}
				}
			}
		}
	})
}

// TestPatternExplain: what is said of a request is what the cluster is sent.
func TestPatternExplain(t *testing.T) {
	var got atomic.Pointer[string]
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + " " + r.URL.EscapedPath()
		got.Store(&line)
		answer(w, 200, `{}`)
	})
	r := newRig(t, u, u, nil)
	r.register(zeta, patterned("zeta-*-x"))
	admin := httptest.NewServer(r.proxy.ExplainHandler())
	t.Cleanup(admin.Close)
	explain := func(method, path string) reply {
		return send(t, admin.URL, "GET", "/-/explain?"+url.Values{"tenant": {string(zeta)}, "method": {method}, "path": {path}}.Encode(), "")
	}
	for _, c := range [][3]string{
		{"GET", "/orders/_doc/a%2Fb", "GET /zeta-orders-x/_doc/a%2Fb"}, {"GET", "/o*,items/_search", "GET /zeta-o%2A-x%2Czeta-items-x/_search"}, {"GET", "/_all/_count", "GET /zeta-%2A-x/_count"},
		{"PUT", "/orders", "PUT /zeta-orders-x"}, {"DELETE", "/o*", "DELETE /zeta-o%2A-x"}, {"GET", "/a,*,-b/_mapping", "GET /zeta-a-x%2Czeta-%2A-x%2C-zeta-b-x/_mapping"},
	} {
		explain(c[0], c[1]).want(t, 200, "upstream", c[2], "refusal", nil, "placement/index", "zeta-*-x")
		if got.Swap(nil) != nil {
			t.Errorf("explaining %s %s has sent something", c[0], c[1])
		}
		r.as(zeta, c[0], c[1], "")
		if l := got.Swap(nil); l == nil || *l != c[2] {
			t.Errorf("%s %s has sent %v, not %s", c[0], c[1], l, c[2])
		}
	}
	for _, c := range [][2]string{{"PUT", "/o*"}, {"PUT", "/orders/_alias/a"}, {"GET", "/other:orders/_search"}, {"GET", "/Orders/_search"}, {"PUT", "/orders,items/_doc/1"}} {
		is := r.as(zeta, c[0], c[1], "{}")
		explain(c[0], c[1]).want(t, 200, "refusal/type", is.at("error/type"), "refusal/reason", is.at("error/reason"), "upstream", nil)
		if is.status < 400 || got.Load() != nil {
			t.Errorf("%v is served: %d", c, is.status)
		}
	}
}

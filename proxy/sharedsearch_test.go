package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
)

// fill writes 12 documents of acme's and 30 of the other's, under the same ids.
func (r *rig) fill(t *testing.T) {
	t.Helper()
	for id, n := range map[placement.PartitionID]int{acme: 12, other: 30} {
		var b strings.Builder
		for i := range n {
			k, v := fmt.Sprintf("k%d", i%3), i
			if id == other {
				k, v = "theirs", i+1000000
			}
			fmt.Fprintf(&b, `{"index":{"_id":"%d"}}`+"\n"+`{"n":%d,"u":%d,"k":"%s","t":"word %s","d":"2024-01-%02d","items":[{"k":"%s","tenant":"mine"}]}`+"\n", i, v, i, k, k, i%28+1, k)
		}
		r.as(id, "POST", "/docs/_bulk?refresh=true", b.String()).want(t, 200, "errors", false)
	}
}

func TestSharedSearch(t *testing.T) {
	r, u := sharing(t)
	r.fill(t)
	search := func(body string, pairs ...any) reply {
		t.Helper()
		return r.do("POST", "/docs/_search", body).want(t, 200, pairs...).clean(t)
	}
	search(``, "hits/total/value", "12", "hits/hits/0/_index", "docs")
	search(`{"size":20,"sort":["u"],"version":true,"seq_no_primary_term":true}`, "hits/hits/11/_id", "11", "hits/hits/11/_source/n", "11", "hits/hits/11/_version", "1", "hits/hits/0/_primary_term", "1")
	search(`{"query":{"ids":{"values":["3","4","29","other:3"]}}}`, "hits/total/value", "2")
	search(`{"query":{"terms":{"_id":["3","29"]}}}`, "hits/total/value", "1", "hits/hits/0/_id", "3")
	search(`{"query":{"term":{"_id":"5"}}}`, "hits/total/value", "1", "hits/hits/0/_id", "5")
	search(`{"query":{"bool":{"should":[{"match_all":{}}],"must_not":[{"term":{"k":"k0"}}]}}}`, "hits/total/value", "8")
	search(`{"query":{"bool":{"should":[{"range":{"n":{"gte":0}}}],"minimum_should_match":0}}}`, "hits/total/value", "12")
	search(`{"query":{"query_string":{"query":"word OR theirs OR *:*","default_field":"t"}}}`, "hits/total/value", "12")
	search(`{"fields":["*"],"docvalue_fields":["n","k*"],"_source":false,"size":1,"sort":["u"]}`, "hits/hits/0/fields/n/0", "0")
	if a := search(`{"stored_fields":["*"],"size":1}`); a.at("hits/hits/0/_routing") != nil {
		t.Errorf("a routing that no client gave: %s", a.raw)
	}
	search(`{"query":{"match":{"t":"word"}},"highlight":{"require_field_match":false,"fields":{"*":{}}},"sort":["u"]}`, "hits/hits/0/highlight/t/0", "<em>word</em> k0")
	search(`{"query":{"nested":{"path":"items","query":{"term":{"items.tenant":"mine"}}}}}`, "hits/total/value", "12", "hits/hits/0/_source/items/0/tenant", "mine")
	a := search(`{"size":0,"aggs":{"k":{"terms":{"field":"k"},"aggs":{"top":{"top_hits":{"size":1,"sort":["u"]}}}},"s":{"stats":{"field":"n"}},"c":{"cardinality":{"field":"k"}},
		"m":{"missing":{"field":"nope"}},"co":{"composite":{"sources":[{"x":{"terms":{"field":"k"}}}]}}}}`,
		"aggregations/k/buckets/0/key", "k0", "aggregations/k/buckets/0/doc_count", "4", "aggregations/k/buckets/0/top/hits/hits/0/_id", "0", "aggregations/k/buckets/0/top/hits/hits/0/_index", "docs",
		"aggregations/c/value", "3", "aggregations/m/doc_count", "12", "aggregations/s/max", "11.0", "aggregations/co/after_key/x", "k2")
	if n := len(a.at("aggregations/k/buckets").([]any)); n != 3 {
		t.Errorf("%d buckets", n)
	}
	r.do("GET", "/docs/_search?q=k:k1&df=t&sort=u:desc&size=1", "").want(t, 200, "hits/total/value", "4", "hits/hits/0/_id", "10").clean(t)
	r.do("POST", "/docs/_count", ``).want(t, 200, "count", "12").clean(t)
	r.do("GET", "/_count?q=theirs&df=k", "").want(t, 200, "count", "0").clean(t)
	r.do("POST", "/docs/_count", `{"query":{"term":{"k":"k1"}}}`).want(t, 200, "count", "4").clean(t)
	r.do("POST", "/_msearch", "{}\n{\"query\":{\"match_all\":{}}}\n{\"index\":\"docs\"}\n{\"size\":0}\n{}\n{\"query\":{\"match\":{\"n\":\"theirs\"}}}\n").
		want(t, 200, "responses/0/hits/total/value", "12", "responses/0/hits/hits/0/_index", "docs", "responses/1/hits/total/value", "12", "responses/2/status", "400",
			"responses/2/error/type", "search_phase_execution_exception", "responses/2/error/root_cause/0/type", "query_shard_exception").clean(t)
	for _, lines := range []string{"{\"index\":\"pool-1\"}\n{}\n", "{\"index\":\"*\"}\n{}\n", "{}\n{\"query\":{\"script\":{}}}\n"} {
		r.do("POST", "/docs/_msearch", lines).want(t, 400)
	}
	// Routing of the client's own.
	r.do("PUT", "/docs/_doc/r?routing=x&refresh=true", `{"n":100,"k":"routed"}`).want(t, 201)
	search(`{"query":{"term":{"k":"routed"}}}`, "hits/total/value", "1", "hits/hits/0/_routing", "x")
	r.do("GET", "/docs/_search?routing=x&q=routed&df=k", "").want(t, 200, "hits/total/value", "1", "_shards/total", "1").clean(t)
	// Errors name nothing.
	r.do("POST", "/docs/_search", `{"query":{"match":{"n":"theirs"}}}`).want(t, 400, "error/type", "search_phase_execution_exception").clean(t)
	r.do("POST", "/docs/_search", `{"sort":["t"]}`).want(t, 400).clean(t)
	r.do("POST", "/docs/_search", `{"from":20000}`).want(t, 400).clean(t)
	send(t, u, "GET", "/pool-1/_count", "").want(t, 200, "count", "43")
}

func TestSharedCursors(t *testing.T) {
	r, u := sharing(t)
	r.fill(t)
	seen := map[string]bool{}
	take := func(a reply) int {
		t.Helper()
		a.clean(t)
		hits, _ := a.at("hits/hits").([]any)
		for i := range hits {
			seen[a.str(fmt.Sprintf("hits/hits/%d/_id", i))] = true
		}
		return len(hits)
	}
	a := r.do("POST", "/docs/_search?scroll=1m", `{"size":5,"sort":["_doc"]}`).want(t, 200, "hits/total/value", "12")
	first := a.str("_scroll_id")
	for take(a) > 0 {
		a = r.do("POST", "/_search/scroll", `{"scroll":"1m","scroll_id":"`+a.str("_scroll_id")+`"}`).want(t, 200)
	}
	if len(seen) != 12 {
		t.Errorf("the scroll found %v", seen)
	}
	r.as(other, "POST", "/_search/scroll", `{"scroll":"1m","scroll_id":"`+first+`"}`).want(t, 404)
	r.do("POST", "/_search/scroll?nope=1", `{"scroll_id":"`+first+`"}`).want(t, 400)
	r.do("DELETE", "/_search/scroll", `{"scroll_id":"`+first+`"}`).want(t, 200).clean(t)
	// Both slices of a scroll together are all there is.
	clear(seen)
	for i := range 2 {
		take(r.do("POST", "/docs/_search?scroll=1m", fmt.Sprintf(`{"size":50,"slice":{"id":%d,"max":2}}`, i)).want(t, 200))
	}
	if len(seen) != 12 {
		t.Errorf("the slices found %v", seen)
	}
	pit := r.do("POST", "/docs/_search/point_in_time?keep_alive=1m", "").want(t, 200).clean(t).str("pit_id")
	search := func(id placement.PartitionID, pit, rest string) reply {
		return r.as(id, "POST", "/_search", `{"pit":{"id":"`+pit+`","keep_alive":"1m"}`+rest+`}`)
	}
	a = search(acme, pit, `,"size":7,"sort":["u"]`).want(t, 200, "hits/total/value", "12", "hits/hits/6/_id", "6", "hits/hits/0/_index", "docs").clean(t)
	search(acme, a.str("pit_id"), `,"size":7,"sort":["u"],"search_after":[6]`).want(t, 200, "hits/hits/4/_id", "11").clean(t)
	search(acme, pit, `,"query":{"script":{}}`).want(t, 400)
	search(acme, pit, `,"aggs":{"g":{"global":{}}}`).want(t, 400)
	search(other, pit, ``).want(t, 404)
	// The tenant leaves for an index of its own; what it opened still sees its own
	// documents, and only them, where it was opened.
	sc := r.do("POST", "/docs/_search?scroll=1m", `{"size":5,"sort":["u"]}`).want(t, 200)
	if err := r.store.Remove(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	send(t, u, "PUT", "/solo-1", "")
	r.register(acme, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "solo-1", Logical: "docs"})
	search(acme, pit, `,"size":20,"sort":["u"]`).want(t, 200, "hits/total/value", "12", "hits/hits/11/_id", "11", "hits/hits/0/_index", "docs").clean(t)
	search(acme, pit, `,"query":{"term":{"tenant":"other"}}`).want(t, 400)
	r.do("POST", "/_search/scroll", `{"scroll":"1m","scroll_id":"`+sc.str("_scroll_id")+`"}`).want(t, 200, "hits/hits/0/_id", "5", "hits/total/value", "12").clean(t)
	r.do("DELETE", "/_search/point_in_time", `{"pit_id":"`+pit+`"}`).want(t, 200, "pits/0/successful", true, "pits/0/pit_id", pit)
	send(t, u, "DELETE", "/solo-1", "")
}

func TestSharedByQuery(t *testing.T) {
	r, u := sharing(t)
	r.fill(t)
	r.do("POST", "/docs/_update_by_query?refresh=true", `{"query":{"term":{"k":"k1"}}}`).want(t, 200, "updated", "4", "total", "4").clean(t)
	r.do("POST", "/docs/_update_by_query?conflicts=proceed&refresh=true", ``).want(t, 200, "updated", "12").clean(t)
	for _, c := range [][2]string{
		{"/docs/_update_by_query", `{"script":{"source":"ctx._source.tenant='other'"}}`}, {"/docs/_update_by_query?pipeline=p", `{}`}, {"/docs/_delete_by_query", ``}, {"/docs/_delete_by_query", `{}`},
		{"/docs/_delete_by_query", `{"query":{"script":{}}}`}, {"/docs/_delete_by_query?q=*:*", `{"query":{"term":{"k":"k1"}}}`}, {"/pool-1,docs/_delete_by_query", `{"query":{"match_all":{}}}`},
	} {
		r.do("POST", c[0], c[1]).want(t, 400)
	}
	r.do("POST", "/docs/_delete_by_query?q=k:k2&df=t&refresh=true", ``).want(t, 200, "deleted", "4").clean(t)
	task := r.do("POST", "/docs/_delete_by_query?wait_for_completion=false&refresh=true&slices=2", `{"query":{"match_all":{}}}`).want(t, 200).str("task")
	var end reply
	waitFor(t, "the task ends", func() bool {
		end = r.do("GET", "/_tasks/"+task, "").want(t, 200).clean(t)
		return end.at("completed") == true
	})
	end.want(t, 200, "response/deleted", "8")
	// The typed client for Java reads no task without these.
	if _, ok := end.want(t, 200, "task/node", "-", "task/id", "0", "task/type", "transport").at("task/headers").(map[string]any); !ok {
		t.Errorf("a task without headers: %s", end.raw)
	}
	r.as(other, "GET", "/_tasks/"+task, "").want(t, 404)
	r.do("POST", "/docs/_count", ``).want(t, 200, "count", "0")
	r.as(other, "POST", "/docs/_count", ``).want(t, 200, "count", "30")
	send(t, u, "GET", "/pool-1/_count", `{"query":{"term":{"tenant":"other"}}}`).want(t, 200, "count", "30")
}

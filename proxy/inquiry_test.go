package proxy_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
)

// varies is what differs between two answers to the same question.
var varies = regexp.MustCompile(`"took":\d+|"epoch":"\d+"|"timestamp":"[0-9:]+"|\d{10} [0-9:]{8}`)

// alike sends a request through the proxy, and directly with the physical name in
// the place of INDEX; the answers must differ in that name and in nothing else.
func (r *rig) alike(t *testing.T, u, method, path, body string, headers ...string) reply {
	t.Helper()
	name := func(s, index string) string { return strings.ReplaceAll(s, "INDEX", index) }
	direct := send(t, u, method, name(path, placeA.Index), name(body, placeA.Index), headers...)
	got := r.do(method, name(path, placeA.Logical), name(body, placeA.Logical), headers...)
	want := varies.ReplaceAllString(strings.ReplaceAll(direct.raw, placeA.Index, placeA.Logical), "~")
	have := varies.ReplaceAllString(got.raw, "~")
	if got.status != direct.status || have != want || got.header.Get("Content-Type") != direct.header.Get("Content-Type") {
		t.Errorf("%s %s %s\n direct: %d %s\nthrough: %d %s", method, path, body, direct.status, direct.raw, got.status, got.raw)
	}
	return got
}

// What asks about queries, fields, terms and indices is answered as by the cluster
// itself, with the logical name for the physical one.
func TestInquiries(t *testing.T) {
	r, u := engine(t)
	send(t, u, "PUT", "/foreign/_doc/1?refresh=true", `{"secret":1,"t":"secret"}`)
	r.do("PUT", "/docs/_doc/1?refresh=true", `{"n":1,"t":"alpha beta","index":"docs"}`).want(t, 201)
	send(t, u, "PUT", "/acme-1/_alias/al", `{"filter":{"term":{"n":1}}}`).want(t, 200)
	send(t, u, "PUT", "/foreign/_alias/theirs", "").want(t, 200)
	for _, c := range [][3]string{
		{"GET", "/INDEX/_validate/query", `{"query":{"match":{"n":"x"}}}`}, {"POST", "/INDEX/_validate/query?explain=true", `{"query":{"match":{"n":"x"}}}`},
		{"GET", "/INDEX/_validate/query?rewrite=true&all_shards=true", `{"query":{"terms":{"_index":["INDEX"]}}}`}, {"GET", "/INDEX/_validate/query?explain=true", `{"query":{"nope":{}}}`},
		{"GET", "/INDEX/_validate/query?q=n:x&explain=true", ""}, {"GET", "/INDEX/_explain/1", `{"query":{"match":{"t":"alpha"}}}`}, {"POST", "/INDEX/_explain/1?_source=true&stored_fields=n", `{"query":{"term":{"_index":"INDEX"}}}`},
		{"GET", "/INDEX/_explain/none?q=n:1", ""}, {"GET", "/INDEX/_field_caps?fields=t,n&include_unmapped=true", ""}, {"POST", "/INDEX/_field_caps?fields=n", `{"index_filter":{"term":{"n":1}}}`},
		{"GET", "/INDEX/_termvectors/1?fields=t&term_statistics=true", ""}, {"POST", "/INDEX/_termvectors", `{"doc":{"t":"x","like":{"_index":"foreign"}},"_index":"INDEX"}`}, {"GET", "/INDEX/_termvectors/none", ""},
		{"POST", "/_mtermvectors", `{"docs":[{"_index":"INDEX","_id":"1","fields":["t"]},{"_index":"INDEX","doc":{"t":"x","docs":{"_index":"foreign"}}}]}`},
		{"POST", "/INDEX/_mtermvectors", `{"ids":["1","none"],"parameters":{"fields":["t"],"_index":"INDEX"}}`}, {"GET", "/INDEX/_mtermvectors?ids=1&fields=t", ""},
		{"POST", "/INDEX/_analyze", `{"analyzer":"standard","text":"Foo Bar"}`}, {"GET", "/INDEX/_analyze", `{"field":"t","text":["Foo","bar"],"explain":true}`},
		{"POST", "/INDEX/_analyze", `{"tokenizer":"standard","filter":[{"type":"stop","stopwords":["foo"]},"lowercase"],"text":"foo Bar"}`}, {"GET", "/INDEX/_analyze", ""},
		{"GET", "/INDEX/_stats/docs", ""}, {"GET", "/INDEX/_stats/docs?level=indices", ""}, {"GET", "/INDEX/_mapping/field/n", ""}, {"GET", "/INDEX/_mapping/field/*", ""}, {"GET", "/INDEX/_settings/index.number_of_shards", ""},
		{"POST", "/INDEX/_flush", ""}, {"POST", "/INDEX/_forcemerge?max_num_segments=1", ""}, {"POST", "/INDEX/_cache/clear", ""}, {"HEAD", "/INDEX", ""}, {"HEAD", "/INDEX/_alias/none", ""},
		{"GET", "/_cat/indices/INDEX?format=json", ""}, {"GET", "/_cat/indices/INDEX?format=json&h=i,docs.count,store.size&bytes=b", ""}, {"GET", "/_cat/count/INDEX?format=json", ""},
		{"GET", "/_cat/count/INDEX", `{"query":{"match_none":{}}}`}, {"GET", "/_cat/count/INDEX?v", ""}, {"GET", "/_cat/count/INDEX?q=n:2&h=count", ""}, {"GET", "/_cat/count/INDEX?q=n:1&df=t", ""}, {"GET", "/", ""},
	} {
		r.alike(t, u, c[0], c[1], c[2])
	}
	r.alike(t, u, "GET", "/_cat/indices/INDEX", "", "Accept", "application/json")
	// Without a name it is the tenant's index.
	r.do("GET", "/_validate/query?q=n:1", "").want(t, 200, "valid", true, "_shards/total", "1")
	r.do("GET", "/_field_caps?fields=*", "").want(t, 200, "indices/0", "docs", "indices/1", nil, "fields/secret", nil)
	r.do("POST", "/_analyze", `{"text":"Foo"}`).want(t, 200, "tokens/0/token", "foo")
	r.do("GET", "/_stats", "").want(t, 200, "_all/primaries/docs/count", "1", "indices/docs/primaries/docs/count", "1", "indices/foreign", nil)
	r.do("GET", "/_settings/index.number_of_replicas", "").want(t, 200, "docs/settings/index/number_of_replicas", "0", "foreign", nil)
	r.do("GET", "/_mapping/field/n", "").want(t, 200, "docs/mappings/n/full_name", "n", "foreign", nil)
	r.do("GET", "/_cat/indices?format=json", "").want(t, 200, "0/index", "docs", "1", nil)
	r.do("GET", "/_cat/aliases?format=json", "").want(t, 200, "0/alias", "al", "0/index", "docs", "0/filter", "*", "1", nil)
	r.do("GET", "/_cat/aliases/theirs?format=json", "").want(t, 200, "0", nil)
	r.do("GET", "/_cat/aliases/al?format=json&h=i,idx,alias&s=alias:desc", "").want(t, 200, "0/i", "docs", "0/idx", "docs", "0/alias", "al")
	for path, want := range map[string]string{
		"/_cat/aliases?v":         "alias index filter routing.index routing.search is_write_index\nal    docs  *      -             -              -\n",
		"/_cat/aliases/theirs?v":  "alias index filter routing.index routing.search is_write_index\n",
		"/_cat/indices?h=index,i": "docs docs\n",
	} {
		if a := r.do("GET", path, "").want(t, 200); a.raw != want || a.header.Get("Content-Type") != "text/plain; charset=UTF-8" {
			t.Errorf("%s: %q, want %q", path, a.raw, want)
		}
	}
	// Nothing leads to another index, or to a file of the cluster's.
	for _, c := range [][3]string{
		{"POST", "/docs/_termvectors/1", `{"_index":"foreign"}`}, {"POST", "/docs/_termvectors", `{"\u005findex":"foreign","_id":"1"}`}, {"POST", "/_mtermvectors", `{"docs":[{"_index":"foreign","_id":"1"}]}`},
		{"POST", "/docs/_mtermvectors", `{"ids":["1"],"parameters":{"_index":"foreign"}}`}, {"POST", "/docs/_validate/query", `{"query":{"terms":{"n":{"index":"foreign","id":"1","path":"secret"}}}}`},
		{"POST", "/docs/_explain/1", `{"query":{"terms":{"n":{"index":"foreign","id":"1","path":"secret"}}}}`}, {"POST", "/docs/_field_caps?fields=n", `{"index_filter":{"terms":{"n":{"index":"foreign","id":"1","path":"secret"}}}}`},
		{"GET", "/docs,foreign/_field_caps?fields=*", ""}, {"GET", "/_cat/indices/*", ""}, {"GET", "/_cat/count/_all", ""}, {"GET", "/_cat/indices?help", ""},
	} {
		if a := r.do(c[0], c[1], c[2]).want(t, 400); strings.Contains(a.raw, "secret") {
			t.Errorf("%v: %s", c, a.raw)
		}
	}
	for _, c := range [][3]string{{"GET", "/foreign/_stats", ""}, {"GET", "/foreign/_termvectors/1", ""}, {"GET", "/_cat/count/foreign", ""}, {"GET", "/_cat/indices/foreign", ""}, {"GET", "/acme-1/_field_caps?fields=n", ""}} {
		r.do(c[0], c[1], c[2]).want(t, 404, "error/type", "index_not_found_exception")
	}
	for _, c := range [][3]string{
		{"POST", "/_analyze", `{"tokenizer":"standard","filter":[{"type":"stop","stopwords_path":"opensearch.yml"}],"text":"x"}`},
		{"PUT", "/docs/_mapping", `{"properties":{"q":{"type":"percolator"}}}`}, {"PUT", "/docs/_mapping", `{"dynamic_templates":[{"q":{"mapping":{"type":"perc\u006flator"}}}]}`},
		{"PUT", "/docs/_settings", `{"analysis.filter.f.synonyms_path":"opensearch.yml"}`}, {"PUT", "/docs/_settings", `{"analysis":{"tokenizer":{"x":{"user_dictionary":"x"}}}}`},
	} {
		r.do(c[0], c[1], c[2]).want(t, 403, "error/type", "sluice_not_allowed")
	}
}

// The text of a list is laid out as the cluster itself lays it out.
func TestCatText(t *testing.T) {
	r, u := engine(t)
	whole := placement.PartitionID("whole")
	r.register(whole, placement.Placement{Kind: placement.DedicatedCluster, Cluster: "a"})
	send(t, u, "DELETE", "/a-longer-name", "")
	send(t, u, "PUT", "/a-longer-name?wait_for_active_shards=0", `{"settings":{"number_of_replicas":0}}`)
	send(t, u, "POST", "/a-longer-name/_close", "").want(t, 200)
	for i := range 12 {
		r.do("PUT", "/docs/_doc/"+string(rune('a'+i)), `{"n":1}`).want(t, 201)
	}
	send(t, u, "PUT", "/acme-1/_alias/al", "").want(t, 200)
	r.do("POST", "/docs/_flush", "").want(t, 200)
	for _, path := range []string{
		"/_cat/indices/acme-1,a-longer-name?s=index", "/_cat/indices/acme-1,a-longer-name?v&s=index:desc", "/_cat/indices/a*?v=true&h=index,creation.date,sth,search.query_total,cds,health,pri,memory.total&s=index",
		"/_cat/aliases?v&s=alias", "/_cat/aliases/al?v=false&h=a,i,f", "/_cat/aliases/nosuch?v", "/_cat/indices/acme-1?format=text&bytes=b", "/_cat/indices/nosuch",
	} {
		direct, got := send(t, u, "GET", path, ""), r.as(whole, "GET", path, "")
		if got.raw != direct.raw || got.status != direct.status || got.header.Get("Content-Type") != direct.header.Get("Content-Type") {
			t.Errorf("%s\ndirect:\n%s\nthrough:\n%s", path, direct.raw, got.raw)
		}
	}
	send(t, u, "DELETE", "/a-longer-name", "").want(t, 200)
}

// The same in a shared index, as far as it can be confined.
func TestSharedInquiries(t *testing.T) {
	r, _ := sharing(t)
	for i, k := range []string{"a", "b"} {
		r.do("PUT", "/docs/_doc/"+k+"?refresh=true", `{"n":1,"k":"mine"}`).want(t, 201)
		for range i + 2 {
			r.as(other, "POST", "/docs/_doc?refresh=true", `{"n":1,"k":"theirs"}`).want(t, 201)
		}
	}
	r.do("GET", "/_validate/query", `{"query":{"match":{"n":"x"}}}`).want(t, 200, "valid", false).clean(t)
	r.do("GET", "/docs/_validate/query?q=n:1&df=k", "").want(t, 200, "valid", true, "explanations", nil).clean(t)
	r.do("POST", "/docs/_validate/query", `{"query":{"term":{"tenant":"other"}}}`).want(t, 400, "error/type", "sluice_shared_index")
	r.do("GET", "/docs/_validate/query?rewrite=true", `{"query":{"match_all":{}}}`).want(t, 400, "error/type", "sluice_shared_index")
	r.do("POST", "/docs/_analyze", `{"field":"t","text":"Foo bar"}`).want(t, 200, "tokens/1/token", "bar")
	r.do("POST", "/_analyze", `{"tokenizer":"standard","filter":["lowercase"],"text":["Foo"]}`).want(t, 200, "tokens/0/token", "foo")
	for _, body := range []string{`{"field":"tenant","text":"x"}`, `{"tokenizer":{"type":"standard"},"text":"x"}`, `{"filter":[{"type":"stop","stopwords_path":"x"}],"text":"x"}`, `{"text":"x","explain":true}`, ``} {
		r.do("POST", "/docs/_analyze", body).want(t, 400)
	}
	r.do("GET", "/_cat/count?format=json", "").want(t, 200, "0/count", "2")
	r.as(other, "GET", "/_cat/count/docs?format=json", "").want(t, 200, "0/count", "5")
	r.do("GET", "/_cat/count/docs?format=json&q=k:theirs&df=k", "").want(t, 200, "0/count", "0")
	r.do("GET", "/_cat/count?format=json", `{"query":{"term":{"k":"mine"}}}`).want(t, 200, "0/count", "2")
	if a := r.do("GET", "/_cat/count?h=count", "").want(t, 200); a.raw != "2\n" {
		t.Errorf("%q", a.raw)
	}
	r.do("GET", "/_cat/count?format=json", `{"query":{"term":{"tenant":"other"}}}`).want(t, 400)
	r.do("GET", "/_cat/count/pool-1", "").want(t, 404)
}

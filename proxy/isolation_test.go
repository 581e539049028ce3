package proxy_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/placement"
)

const alone = placement.PartitionID("alone")

// beside is acme in a shared index, full of another tenant's documents that look
// like its own, and the same documents of acme's in an index of its own: whatever
// is asked, both must answer the same. A foreign document, count, bucket, term or
// value is a difference.
func beside(t *testing.T, version string) *rig {
	t.Helper()
	r, u := sharingOn(t, version)
	// One shard, so that what OpenSearch approximates is the same on both sides.
	one := strings.Replace(poolMapping, `"number_of_shards":3`, `"number_of_shards":1`, 1)
	for _, i := range []string{"pool-1", "alone-1"} {
		send(t, u, "DELETE", "/"+i, "")
		send(t, u, "PUT", "/"+i, one).want(t, 200)
	}
	r.register(alone, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "alone-1", Logical: "docs"})
	write := func(id placement.PartitionID, from, to, offset int, mark string) {
		t.Helper()
		var b strings.Builder
		for i := from; i < to; i++ {
			k := fmt.Sprintf("%sk%d", mark, i%5)
			fmt.Fprintf(&b, `{"index":{"_id":"%d"}}`+"\n", i)
			fmt.Fprintf(&b, `{"n":%d,"one":1,"u":%d,"k":"%s","t":"alpha %s word%d","d":"%d-%02d-%02d","f":%d.5,"g":{"lat":%d,"lon":%d},"items":[{"k":"%s","tenant":"x%d","u":%d},{"k":"i%d","u":%d}]}`+"\n",
				offset+i*3%17, offset+i, k, k, i%4, 2020+offset/1000000, i%12+1, i%28+1, offset+i%7, i%60+offset/50000, i%90, k, i%3, 2*(offset+i), i%4, 2*(offset+i)+1)
		}
		r.as(id, "POST", "/docs/_bulk?refresh=true", b.String()).want(t, 200, "errors", false)
	}
	// Interleaved, so that neighbours in a segment are of different tenants.
	for i := 0; i < 60; i += 20 {
		write(other, 2*i, 2*i+20, 1000000, "theirs-")
		write(acme, i, i+20, 0, "")
		write(alone, i, i+20, 0, "")
		write(other, 2*i+20, 2*i+40, 0, "") // just like acme's
	}
	return r
}

// plain is an answer without what differs between any two indices: times, scores,
// which are of the whole index, sequence numbers, and what OpenSearch adds now and
// then: an empty meta of an aggregation, and that it has ended a search early.
func plain(t *testing.T, a reply) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.raw), &v); err != nil {
		t.Fatalf("%s: %v", a.raw, err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range []string{"took", "_score", "max_score", "_seq_no", "_primary_term", "_scroll_id", "pit_id", "creation_time", "_routing", "meta", "terminated_early", "reason", "caused_by", "failed_shards", "phase", "grouped", "root_cause"} {
				delete(v, k)
			}
			if e, ok := v["error"].(map[string]any); ok {
				v["error"] = e["type"]
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(v)
	return v
}

// same asks both and compares.
func (r *rig) same(t *testing.T, method, path, body string) reply {
	t.Helper()
	a, b := r.do(method, path, body).clean(t), r.as(alone, method, path, body)
	if a.status != b.status {
		t.Errorf("%s %s %s\nshared: %d %s\nalone:  %d %s", method, path, body, a.status, a.raw, b.status, b.raw)
		return a
	}
	if a.raw == "" && b.raw == "" {
		return a
	}
	if x, y := plain(t, a), plain(t, b); !reflect.DeepEqual(x, y) {
		t.Errorf("%s %s %s\nshared: %.2000s\nalone:  %.2000s", method, path, body, a.raw, b.raw)
	}
	return a
}

func TestSharedIsLikeAlone(t *testing.T) {
	for _, version := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(version, func(t *testing.T) { isLikeAlone(t, beside(t, version)) })
	}
}

func isLikeAlone(t *testing.T, r *rig) {
	sorted := func(s string) string { return `{"size":100,"sort":["u"],` + s + `}` }
	for _, body := range []string{
		`{"size":100,"sort":["u"]}`, sorted(`"query":{"bool":{"should":[{"match_all":{}}]}}`), sorted(`"query":{"bool":{"must_not":[{"match_none":{}}]}}`),
		sorted(`"query":{"bool":{"should":[{"bool":{"must_not":[{"term":{"k":"k1"}}]}},{"match_all":{}}],"minimum_should_match":"0"}}`),
		sorted(`"query":{"ids":{"values":["1","77","119"]}}`), sorted(`"query":{"terms":{"_id":["2","80"]}}`), sorted(`"query":{"term":{"_id":"100"}}`),
		sorted(`"query":{"query_string":{"query":"*:* OR k:theirs* OR _exists_:n","default_field":"t"}}`), sorted(`"query":{"simple_query_string":{"query":"theirs* | alpha","fields":["t","k"]}}`),
		sorted(`"query":{"multi_match":{"query":"alpha theirs","fields":["t","k*"]}}`), sorted(`"query":{"range":{"n":{"gte":0}}}`), sorted(`"query":{"prefix":{"k":"theirs"}}`),
		sorted(`"query":{"wildcard":{"k":"*"}}`), sorted(`"query":{"regexp":{"k":".*"}}`), sorted(`"query":{"fuzzy":{"k":"k9"}}`), sorted(`"query":{"constant_score":{"filter":{"match_all":{}}}}`),
		sorted(`"query":{"dis_max":{"queries":[{"match_all":{}},{"term":{"k":"theirs-k1"}}]}}`), sorted(`"query":{"boosting":{"positive":{"match_all":{}},"negative":{"match_all":{}},"negative_boost":0.1}}`),
		sorted(`"query":{"nested":{"path":"items","query":{"bool":{"must_not":[{"term":{"items.k":"i1"}}]}}}}`), sorted(`"query":{"function_score":{"query":{"match_all":{}},"functions":[{"weight":2}],"min_score":1}}`),
		sorted(`"query":{"geo_distance":{"distance":"20000km","g":{"lat":0,"lon":0}}}`), sorted(`"query":{"geo_bounding_box":{"g":{"top_left":{"lat":90,"lon":-180},"bottom_right":{"lat":-90,"lon":180}}}}`),
		sorted(`"post_filter":{"bool":{"must_not":[{"term":{"k":"k0"}}]}}`), sorted(`"collapse":{"field":"k"}`), sorted(`"fields":["*"],"docvalue_fields":["n","k"],"_source":false`),
		sorted(`"query":{"match":{"t":"alpha"}},"highlight":{"require_field_match":false,"fields":{"*":{}}}`), sorted(`"_source":{"excludes":["items"]},"search_after":[5]`),
		sorted(`"highlight":{"fields":{"t":{"highlight_query":{"match":{"t":"alpha theirs"}}}}}`), `{"size":5,"sort":[{"items.k":{"order":"asc","nested":{"path":"items"}}},"u"]}`,
		sorted(`"query":{"nested":{"path":"items","query":{"terms":{"items.k":["k1","i2","theirs-k1"]}},"inner_hits":{"sort":["items.k"],"docvalue_fields":["items.k"],"highlight":{"fields":{"items.k":{}}}}}}`),
		sorted(`"collapse":{"field":"k","inner_hits":[{"name":"first","size":2,"sort":["u"],"version":true},{"name":"last","sort":[{"u":"desc"}],"_source":["n","tenant"],"fields":["*"]}]}`),
		sorted(`"collapse":{"field":"k","inner_hits":{"name":"g","size":3,"sort":["u"]}},"query":{"nested":{"path":"items","query":{"match_all":{}},"inner_hits":{"sort":["items.k"],"_source":["items.tenant"]}}}`),
		`{"size":100,"sort":["_id"]}`, `{"size":7,"sort":[{"k":"desc"},{"_id":"desc"}],"search_after":["k3","33"]}`, `{"size":100,"sort":[{"_id":"asc"}],"search_after":["other:1"]}`,
		`{"size":20,"query":{"function_score":{"field_value_factor":{"field":"u"},"query":{"match_all":{}},"boost_mode":"replace"}},"rescore":{"window_size":100,"query":{"rescore_query":{"constant_score":{"filter":{"prefix":{"k":"k"}}}},"query_weight":2}}}`,
		sorted(`"query":{"span_near":{"clauses":[{"span_term":{"t":"alpha"}},{"span_or":{"clauses":[{"span_term":{"t":"word1"}},{"span_term":{"t":"theirs"}}]}}],"slop":3,"in_order":true}}`),
		sorted(`"query":{"span_not":{"include":{"span_term":{"t":"alpha"}},"exclude":{"span_near":{"clauses":[{"span_term":{"t":"alpha"}},{"span_term":{"t":"k2"}}]}}}}`), sorted(`"query":{"span_first":{"match":{"span_term":{"t":"k1"}},"end":2}}`),
		sorted(`"query":{"intervals":{"t":{"all_of":{"ordered":true,"intervals":[{"match":{"query":"alpha"}},{"any_of":{"intervals":[{"match":{"query":"word1"}},{"match":{"query":"theirs"}}]}}]}}}}`),
		sorted(`"query":{"match":{"t":{"query":"alpho","fuzziness":2}}}`), sorted(`"query":{"fuzzy":{"k":{"value":"k","fuzziness":1}}}`), sorted(`"query":{"match_bool_prefix":{"t":"alpha w"}}`), sorted(`"query":{"multi_match":{"query":"wird1 theirz","fields":["t","k"],"fuzziness":1}}`),
		sorted(`"query":{"terms_set":{"k":{"terms":["k1","k2","theirs-k1"],"minimum_should_match_field":"one"}}}`), `{"size":5,"query":{"distance_feature":{"field":"d","origin":"2020-06-01","pivot":"7d"}}}`,
		`{"size":5,"sort":[{"_geo_distance":{"g":{"lat":0,"lon":0},"order":"asc"}},"u"]}`, `{"size":0,"track_total_hits":true,"terminate_after":1000}`, `{"sort":["nope"]}`, `{"query":{"match":{"n":"theirs"}}}`,
	} {
		r.same(t, "POST", "/docs/_search", body)
	}
	sub := `,"aggs":{"m":{"max":{"field":"n"}},"top":{"top_hits":{"size":2,"sort":["u"],"docvalue_fields":["k"],"highlight":{"fields":{"*":{}}}}}}`
	for _, agg := range []string{
		`{"terms":{"field":"k","size":100}` + sub + `}`, `{"terms":{"field":"k","include":".*","exclude":["k1"],"missing":"none"}}`, `{"terms":{"field":"n","include":{"partition":0,"num_partitions":2},"size":50}}`,
		`{"terms":{"field":"t.keyword"}}`, `{"histogram":{"field":"n","interval":5,"min_doc_count":0,"extended_bounds":{"min":-10,"max":30}}}`, `{"date_histogram":{"field":"d","calendar_interval":"month"}` + sub + `}`,
		`{"auto_date_histogram":{"field":"d","buckets":5}}`, `{"range":{"field":"n","ranges":[{"to":5},{"key":"rest","from":5}],"keyed":true}}`, `{"date_range":{"field":"d","ranges":[{"from":"1990-01-01"}]}}`,
		`{"filter":{"bool":{"should":[{"match_all":{}}]}}` + sub + `}`, `{"filters":{"filters":{"all":{"match_all":{}},"foreign":{"prefix":{"k":"theirs"}}},"other_bucket":true}}`, `{"missing":{"field":"nope"}}`, `{"missing":{"field":"n"}}`,
		`{"nested":{"path":"items"},"aggs":{"k":{"terms":{"field":"items.k","size":50},"aggs":{"back":{"reverse_nested":{}` + sub + `}}}}}`, `{"cardinality":{"field":"k"}}`, `{"stats":{"field":"n"}}`, `{"extended_stats":{"field":"u"}}`,
		`{"percentiles":{"field":"n"}}`, `{"percentile_ranks":{"field":"n","values":[5,1000000]}}`, `{"median_absolute_deviation":{"field":"n"}}`, `{"weighted_avg":{"value":{"field":"n"},"weight":{"field":"u"}}}`, `{"value_count":{"field":"k"}}`,
		`{"geo_bounds":{"field":"g"}}`, `{"geo_centroid":{"field":"g"}}`, `{"geohash_grid":{"field":"g","precision":2}}`, `{"geotile_grid":{"field":"g","precision":3}}`,
		`{"composite":{"size":100,"sources":[{"k":{"terms":{"field":"k"}}},{"h":{"histogram":{"field":"n","interval":5}}}]}` + sub + `}`, `{"top_hits":{"size":3,"sort":["u"],"_source":["n"]}}`,
		`{"terms":{"field":"k"},"aggs":{"m":{"sum":{"field":"n"}},"s":{"bucket_sort":{"sort":[{"m":"desc"},{"_key":"asc"}],"size":2}}}}`,
		`{"nested":{"path":"items"},"aggs":{"top":{"top_hits":{"size":20,"sort":["items.k","items.u"]}},"f":{"filter":{"term":{"items.k":"k1"}},"aggs":{"top":{"top_hits":{"size":1,"sort":["items.u"],"_source":["items.tenant"]}}}}}}`,
		`{"rare_terms":{"field":"k","max_doc_count":12}}`, `{"rare_terms":{"field":"n","max_doc_count":3}` + sub + `}`, `{"multi_terms":{"terms":[{"field":"k"},{"field":"n"}],"size":100}` + sub + `}`,
		`{"adjacency_matrix":{"filters":{"a":{"term":{"k":"k1"}},"b":{"range":{"n":{"gte":5}}},"c":{"prefix":{"k":"theirs"}}}}` + sub + `}`,
		`{"filter":{"range":{"n":{"lt":4}}},"aggs":{"s":{"significant_terms":{"field":"k","min_doc_count":1,"size":50}}}}`, `{"terms":{"field":"k"},"aggs":{"s":{"significant_text":{"field":"t","min_doc_count":1,"size":50}}}}`,
		`{"date_histogram":{"field":"d","calendar_interval":"month"},"aggs":{"m":{"sum":{"field":"n"}},"c":{"cumulative_sum":{"buckets_path":"m"}},"d":{"derivative":{"buckets_path":"m"}}}}`,
	} {
		if strings.Contains(agg, "significant") { // alone, the default background counts parts of documents as well
			agg = strings.Replace(agg, `"min_doc_count":1`, `"background_filter":{"range":{"u":{"gte":0}}},"min_doc_count":1`, 1)
		}
		r.same(t, "POST", "/docs/_search", `{"size":0,"aggs":{"a":`+agg+`}}`)
		r.same(t, "POST", "/docs/_search?typed_keys=true", `{"size":0,"query":{"range":{"n":{"gte":3}}},"aggregations":{"a":`+agg+`}}`)
	}
	for _, c := range [][3]string{
		{"GET", "/docs/_doc/1", ""}, {"GET", "/docs/_doc/100", ""}, {"HEAD", "/docs/_doc/100", ""}, {"GET", "/docs/_source/2", ""}, {"GET", "/docs/_source/100", ""}, {"GET", "/docs/_doc/3?_source_includes=k", ""},
		{"POST", "/docs/_mget", `{"ids":["1","100","x"]}`}, {"POST", "/_mget", `{"docs":[{"_id":"1","_source":["n"]},{"_id":"99"}]}`}, {"GET", "/docs/_count", ""}, {"GET", "/docs/_search?filter_path=hits.hits._id,hits.hits.sort&sort=_id&size=70", ""}, {"GET", "/docs/_search?filter_path=-took,-hits.max_score,-**._score&sort=u", ""},
		{"GET", "/docs/_search?filter_path=**.tenant,**._routing&sort=u", ""}, {"POST", "/docs/_search?filter_path=aggregations.*.buckets.key", `{"aggs":{"k":{"terms":{"field":"k"}}}}`}, {"GET", "/docs/_doc/1?filter_path=_source.k,_id", ""}, {"GET", "/docs/_count?filter_path=count", ""},
		{"POST", "/docs/_search?filter_path=**.inner_hits.**._source", `{"sort":["u"],"collapse":{"field":"k","inner_hits":{"name":"g","sort":["u"]}}}`},
		{"POST", "/docs/_search?filter_path=nope", `{"query":{"match":{"n":"theirs"}}}`}, {"POST", "/docs/_count", `{"query":{"prefix":{"k":"theirs"}}}`},
		{"GET", "/docs/_count?q=alpha&df=t", ""}, {"GET", "/docs/_search?q=k:*&df=t&sort=u&size=100", ""}, {"GET", "/docs/_search?q=-k:k1&df=t&sort=u:desc&size=3&_source=n", ""},
		{"POST", "/_msearch", "{}\n{\"size\":0,\"aggs\":{\"k\":{\"terms\":{\"field\":\"k\"}}}}\n{}\n{\"query\":{\"match\":{\"n\":\"x\"}}}\n"}, {"POST", "/docs/_refresh", ""},
		{"DELETE", "/docs/_doc/100", ""}, {"POST", "/docs/_update/100", `{"doc":{"n":1}}`}, {"POST", "/docs/_update/1", `{"doc":{"n":0},"_source":true}`}, {"PUT", "/docs/_create/1", `{}`}, {"PUT", "/docs/_doc/5", `{"n":"theirs"}`},
		{"POST", "/docs/_refresh", ""}, {"POST", "/docs/_update_by_query?refresh=true", `{"query":{"prefix":{"k":"k"}}}`}, {"POST", "/docs/_delete_by_query?refresh=true", `{"query":{"range":{"n":{"gte":14}}}}`}, {"POST", "/docs/_search", `{"size":100,"sort":["u"],"version":true}`},
	} {
		r.same(t, c[0], c[1], c[2])
	}
	r.as(other, "GET", "/docs/_count", "").want(t, 200, "count", "120")
}

// What is known to reach past a tenant, in every place that it can stand in, is
// refused, and the refusal shows nothing.
func TestSharedAttacks(t *testing.T) {
	r := beside(t, engines.OpenSearch3)
	queries := []string{
		`{"terms":{"k":{"index":"docs","id":"1","path":"k"}}}`, `{"terms":{"k":{"index":"pool-1","id":"other:1","path":"k"}}}`, `{"script":{"script":"doc['tenant'].value=='other'"}}`, `{"term":{"tenant":"other"}}`,
		`{"more_like_this":{"fields":["t"],"like":[{"_id":"other:1"}],"min_term_freq":1,"min_doc_freq":1}}`, `{"wrapper":{"query":"eyJtYXRjaF9hbGwiOnt9fQ=="}}`, `{"term":{"_routing":"other:"}}`, `{"prefix":{"_id":"other"}}`,
		`{"has_child":{"type":"x","query":{"match_all":{}}}}`, `{"term":{"_index":"pool-1"}}`, `{"query_string":{"query":"tenant:other"}}`, `{"query_string":{"query":"tenant:other","default_field":"t"}}`, `{"exists":{"field":"_seq_no"}}`,
		`{"script_score":{"query":{"match_all":{}},"script":{"source":"1"}}}`, `{"nested":{"path":"items","query":{"match_all":{}},"inner_hits":{"explain":true}}}`,
		`{"span_multi":{"match":{"prefix":{"k":"their"}}}}`, `{"intervals":{"t":{"wildcard":{"pattern":"their*"}}}}`, `{"match_phrase_prefix":{"t":"alpha their"}}`, `{"prefix":{"k":{"value":"their","rewrite":"top_terms_3"}}}`, `{"geo_shape":{"g":{"indexed_shape":{"index":"pool-1","id":"other:1"}}}}`,
		`{"parent_id":{"type":"x","id":"other:1"}}`, `{"has_parent":{"parent_type":"x","query":{"match_all":{}}}}`, `{"terms_set":{"k":{"terms":["a"],"minimum_should_match_script":{"source":"1"}}}}`, `{"query_string":{"query":"theirz~","default_field":"k"}}`,
		`{"multi_match":{"query":"theirs","fields":["*"]}}`, `{"distance_feature":{"field":"_seq_no","origin":0,"pivot":1}}`, `{"template":{"source":"{}"}}`, `{"percolate":{"field":"q","index":"pool-1","id":"1"}}`,
	}
	var bodies []string
	for _, q := range queries {
		bodies = append(bodies, `{"query":`+q+`}`, `{"query":{"bool":{"should":[{"bool":{"must_not":[`+q+`]}},{"match_all":{}}]}}}`, `{"post_filter":`+q+`}`, `{"aggs":{"a":{"filter":`+q+`}}}`,
			`{"aggs":{"a":{"terms":{"field":"k"},"aggs":{"b":{"filters":{"filters":[`+q+`]}}}}}}`, `{"query":{"function_score":{"functions":[{"filter":`+q+`,"weight":1}]}}}`,
			`{"sort":[{"items.k":{"nested":{"path":"items","filter":`+q+`}}}]}`, `{"highlight":{"fields":{"t":{"highlight_query":`+q+`}}}}`)
	}
	bodies = append(bodies,
		`{"query":{"match_none":{}},"query":{"match_all":{}}}`, `{"aggs":{"g":{"global":{},"aggs":{"k":{"terms":{"field":"k"}}}}}}`, `{"aggs":{"k":{"terms":{"field":"k","min_doc_count":0}}}}`,
		`{"aggs":{"k":{"significant_terms":{"field":"k","min_doc_count":0}}}}`, `{"aggs":{"k":{"sampler":{"shard_size":1000}}}}`, `{"aggs":{"k":{"terms":{"field":"_routing"}}}}`, `{"aggs":{"k":{"cardinality":{"field":"_id"}}}}`,
		`{"aggs":{"k":{"multi_terms":{"terms":[{"field":"k"},{"field":"tenant"}]}}}}`, `{"aggs":{"k":{"composite":{"sources":[{"x":{"terms":{"field":"_index"}}}]}}}}`, `{"aggs":{"k":{"terms":{"field":"k"},"aggs":{"s":{"bucket_script":{"buckets_path":{},"script":"1"}}}}}}`,
		`{"aggs":{"k":{"top_hits":{"stored_fields":["_routing"]}}}}`, `{"aggs":{"k":{"nested":{"path":"items"},"aggs":{"s":{"significant_terms":{"field":"items.k"}}}}}}`, `{"stored_fields":["_routing"]}`, `{"docvalue_fields":["tenant"]}`, `{"sort":[{"_script":{"script":"1","type":"number"}}]}`,
		`{"runtime_mappings":{"x":{"type":"keyword"}}}`, `{"fields":["_id"]}`, `{"stats":["x"],"query":{"term":{"tenant":"other"}}}`, `{"slice":{"field":"_id","id":0,"max":2}}`, `{"search_after":["other:1"],"sort":[{"_routing":"asc"}]}`,
		`{"query":{"bool":{"must":[{"match_all":{}}],"must":[{"match_all":{}}]}}}`, `{"query":{"term":{"k":{"value":"a","value":"b"}}}}`, `{"aggs":{"a":{"terms":{"field":"k","field":"n"}}}}`, `{"\u0071uery":{"match_all":{}},"query":{"match_none":{}}}`,
		`{"query":{"term":{"\u0074enant":"other"}}}`, `{"query":{"ids":{"values":["1"],"\u0076alues":["2"]}}}`, "{\"query\":{\"match_all\":{}},\"query\\u0000\":{}}", "\xef\xbb\xbf{}", strings.Repeat(`{"query":{"bool":{"must":[`, 300)+strings.Repeat(`]}}}`, 300),
		`{"query":{"match_all":{}}}{"query":{"match_all":{}}}`, `{"query":{"match_all":{}},}`, `{'query':{'match_all':{}}}`, `{query:{match_all:{}}}`, `{"query":/**/{"match_all":{}}}`, "{\"query\":{\"term\":{\"k\":\"\xff\"}}}", "---\nquery:\n  match_all: {}\n",
		`{"suggest":{"s":{"text":"their","term":{"field":"k"}}}}`, `{"aggs":{"k":{"terms":{"field":"tenant"}}}}`, `{"aggs":{"k":{"terms":{"field":"_id"}}}}`,
		`{"explain":true}`, `{"profile":true}`, `{"rescore":{"query":{"rescore_query":{"script_score":{"query":{"match_all":{}},"script":"1"}}}}}`, `{"script_fields":{"x":{"script":"params._source"}}}`, `{"aggs":{"a":{"top_hits":{"sort":["_id"]}}}}`, `{"sort":["tenant"]}`, `{"docvalue_fields":["_id"]}`,
		`{"collapse":{"field":"k","inner_hits":{"name":"x","docvalue_fields":["_id"]}}}`, `{"aggs":{"a":{"scripted_metric":{"map_script":"1"}}}}`, `{"derived":{"x":{"type":"keyword","script":"emit(doc['tenant'].value)"}}}`, `{"indices_boost":[{"pool-1":2}]}`)
	clean := func(what string, a reply) {
		t.Helper()
		for _, mark := range []string{"theirs", "acme:", "acme~", "k\":\"k", "1000"} {
			if strings.Contains(a.raw, mark) {
				t.Errorf("%s shows %s: %s", what, mark, a.raw)
			}
		}
	}
	for _, body := range bodies {
		for _, c := range [][2]string{{"/docs/_search", body}, {"/docs/_msearch", "{}\n" + body + "\n"}} {
			a := r.do("POST", c[0], c[1])
			if a.status != 400 {
				t.Errorf("POST %s %s: %d %s", c[0], c[1], a.status, a.raw)
			}
			a.raw = strings.NewReplacer("theirs*", "", "theirz", "", "[theirs]", "").Replace(a.raw) // the client's own words
			clean("POST "+c[0]+" "+c[1], a)
		}
	}
	for _, path := range []string{
		"/pool-1/_search", "/_all/_search", "/*/_search", "/docs,pool-1/_search", "/do*/_search", "/<docs>/_search", "/-docs/_search", "/a:docs/_search", "/docs/_search?q=*", "/docs/_search?explain=true", "/docs/_search?suggest_field=k",
		"/docs/_search?docvalue_fields=_id", "/docs/_search?stored_fields=tenant", "/docs/_search?sort=_id&scroll=1m", "/docs/_search?sort=_routing", "/docs/_search?search_pipeline=x", "/docs/_search?source=%7B%7D", "/docs/_search?format=yaml", "/docs/_search?format=smile", "/docs/_search?format=cbor", "/docs/_search?stats=x", "/docs/_search?rest_cancel=x", "/docs/_search?phase_took=true", "/docs/_search?include_named_queries_score=true",
		"/docs/_doc/1?stored_fields=_routing", "/docs/_doc/1?parent=x", "/docs/_doc/1?_routing=x", "/_search/scroll/_all", "/_cat/count/*", "/_cat/shards", "/_count?index=pool-1", "/docs/_mapping/field/k", "/docs/_search?index=pool-1",
		"/_cat/indices", "/_cat/count/pool-1", "/docs/_field_caps?fields=*", "/docs/_termvectors/1", "/docs/_explain/1", "/docs/_validate/query?explain=true", "/docs/_stats", "/docs/_segments", "/_cluster/state", "/_nodes", "/docs/_search/template", "/_sql", "/_plugins/_sql",
		"/_render/template/x", "/docs/_rank_eval", "/docs/_mapping", "/docs/_settings", "/docs", "/docs/_alias", "/_search/point_in_time/_all", "/_tasks", "/docs/_mtermvectors", "/_render/template", "/_scripts/x", "/_snapshot", "/docs/_recovery",
	} {
		a := r.do("GET", path, "")
		if a.status < 400 || strings.Contains(a.raw, "theirs") || strings.Contains(a.raw, "acme:") || a.header.Get("Warning") != "" {
			t.Errorf("GET %s: %d %s", path, a.status, a.raw)
		}
	}
}

// generator makes requests from a seed.
type generator struct{ *rand.Rand }

func (g generator) pick(s ...string) string { return s[g.IntN(len(s))] }

func (g generator) query(depth int) string {
	sub := func() string { return g.query(depth - 1) }
	if depth > 0 {
		switch g.IntN(7) {
		case 0, 1:
			return fmt.Sprintf(`{"bool":{"%s":[%s,%s],"%s":%s}}`, g.pick("must", "filter"), sub(), sub(), g.pick("must_not", "should"), sub())
		case 2:
			return `{"bool":{"must_not":[` + sub() + `]}}`
		case 3:
			return `{"constant_score":{"filter":` + sub() + `}}`
		case 4:
			return `{"dis_max":{"queries":[` + sub() + `,` + sub() + `]}}`
		case 5:
			return `{"nested":{"path":"items","query":{"bool":{"` + g.pick("must", "must_not") + `":[{"term":{"items.k":"` + g.pick("k1", "i2", "theirs-k1") + `"}}]}}}}`
		}
	}
	id := fmt.Sprint(g.IntN(125))
	word := g.pick("alpha", "alpho", "word1", "wird2", "k1", "theirs", "thears")
	if g.IntN(4) == 0 {
		return g.pick(
			`{"match":{"t":{"query":"`+word+`","fuzziness":"`+g.pick("1", "2", "AUTO")+`"}}}`, `{"fuzzy":{"`+g.pick("k", "t")+`":"`+word+`"}}`, `{"match_bool_prefix":{"t":"alpha `+word[:2]+`"}}`,
			`{"multi_match":{"query":"`+word+`","fields":["t","k"],"fuzziness":1}}`, `{"span_near":{"clauses":[{"span_term":{"t":"alpha"}},{"span_term":{"t":"`+word+`"}}],"slop":`+g.pick("0", "3")+`}}`,
			`{"intervals":{"t":{"all_of":{"intervals":[{"match":{"query":"alpha"}},{"match":{"query":"`+word+`"}}],"max_gaps":`+g.pick("-1", "1")+`}}}}`, `{"simple_query_string":{"query":"+alpha -`+word+`","fields":["t"]}}`,
			`{"prefix":{"t":{"value":"`+word[:1]+`","rewrite":"constant_score"}}}`, `{"boosting":{"positive":{"match":{"t":"`+word+`"}},"negative":{"match_all":{}},"negative_boost":0.5}}`, `{"terms_set":{"t":{"terms":["alpha","`+word+`"],"minimum_should_match_field":"n"}}}`)
	}
	return g.pick(
		`{"match_all":{}}`, `{"match_none":{}}`, `{"term":{"k":"`+g.pick("k1", "k2", "theirs-k1")+`"}}`, `{"terms":{"k":["k3","theirs-k2"]}}`, `{"range":{"n":{"`+g.pick("gte", "lt")+`":`+id+`}}}`,
		`{"range":{"d":{"gte":"2020-0`+fmt.Sprint(1+g.IntN(9))+`-01"}}}`, `{"exists":{"field":"`+g.pick("n", "nope", "items.k")+`"}}`, `{"prefix":{"k":"`+g.pick("k", "t", "theirs")+`"}}`, `{"wildcard":{"k":"*`+id[:1]+`"}}`,
		`{"ids":{"values":["`+id+`","1"]}}`, `{"term":{"_id":"`+id+`"}}`, `{"terms":{"_id":["`+id+`","other:`+id+`"]}}`, `{"match":{"t":"alpha `+g.pick("word1", "theirs", "k2")+`"}}`, `{"match_phrase":{"t":"`+g.pick("alpha k1", "alpha theirs")+`"}}`,
		`{"query_string":{"query":"`+g.pick("k:k1 OR n:[3 TO *]", "theirs* OR word1", "NOT k:k2", "*:*")+`","default_field":"t"}}`, `{"fuzzy":{"k":"k`+id[:1]+`"}}`, `{"regexp":{"k":"k[0-3]"}}`,
		`{"match":{"n":"`+g.pick("3", "theirs")+`"}}`, `{"geo_distance":{"distance":"1`+id+`0km","g":"0,0"}}`)
}

func (g generator) agg(depth int) string {
	field := g.pick("n", "u", "f")
	leaf := g.pick(
		`"stats":{"field":"`+field+`"}`, `"max":{"field":"`+field+`"}`, `"cardinality":{"field":"`+g.pick("k", "n", "items.k")+`"}`, `"value_count":{"field":"`+g.pick("k", "d")+`"}`,
		`"top_hits":{"size":2,"sort":[{"u":"`+g.pick("asc", "desc")+`"}],"_source":["n","k"]}`, `"missing":{"field":"`+g.pick("n", "nope")+`"}`)
	if depth == 0 {
		return "{" + leaf + "}"
	}
	kind := g.pick(
		`"terms":{"field":"`+g.pick("k", "n")+`","size":`+g.pick("2", "100")+`,"order":{"_key":"asc"}}`, `"histogram":{"field":"`+field+`","interval":`+g.pick("3", "10")+`,"min_doc_count":1}`,
		`"date_histogram":{"field":"d","calendar_interval":"`+g.pick("month", "quarter")+`","min_doc_count":1}`, `"filter":`+g.query(1), `"filters":{"filters":{"x":`+g.query(1)+`,"y":`+g.query(0)+`},"other_bucket":true}`,
		`"multi_terms":{"terms":[{"field":"k"},{"field":"`+field+`"}],"size":`+g.pick("3", "200")+`,"order":{"_key":"asc"}}`, `"rare_terms":{"field":"k","max_doc_count":`+g.pick("1", "12", "20")+`}`,
		`"significant_terms":{"field":"k","min_doc_count":1,"size":50,"background_filter":{"range":{"u":{"gte":0}}}}`, `"adjacency_matrix":{"filters":{"x":`+g.query(1)+`,"y":`+g.query(0)+`}}`,
		`"range":{"field":"n","ranges":[{"to":7},{"from":7}]}`, `"composite":{"size":50,"sources":[{"k":{"terms":{"field":"k"}}}]}`)
	return "{" + kind + `,"aggs":{"in":` + g.agg(depth-1) + `}}`
}

// request is a search that sorts by what no two documents share.
func (g generator) request() string {
	query := g.query(3)
	if g.IntN(6) == 0 {
		query = `{"bool":{"must":[` + query + `],"should":[{"nested":{"path":"items","query":` + g.pick(`{"match_all":{}}`, `{"prefix":{"items.k":"k"}}`) + `,"inner_hits":{"sort":["items.k"],"size":2}}}]}}`
	}
	b := `{"size":` + g.pick("0", "5", "200") + `,"track_total_hits":true,"sort":[` + g.pick("", `{"n":"desc"},`, `{"k":"asc"},`) + g.pick(`"u"`, `"_id"`) + `],"query":` + query
	if g.IntN(5) == 0 {
		b += `,"collapse":{"field":"` + g.pick("k", "n") + `","inner_hits":{"name":"in","sort":["u"],"size":` + g.pick("1", "4") + `}}`
	}
	if g.IntN(3) == 0 {
		b += `,"post_filter":` + g.query(1)
	}
	if g.IntN(2) == 0 {
		b += `,"aggs":{"a":` + g.agg(g.IntN(3)) + `,"b":` + g.agg(1) + `}`
	}
	if g.IntN(4) == 0 {
		b += `,"highlight":{"require_field_match":false,"fields":{"` + g.pick("t", "*") + `":{}}}`
	}
	if g.IntN(4) == 0 {
		b += `,"fields":["` + g.pick("*", "k*", "n") + `"],"_source":` + g.pick("false", `["t","items"]`, `{"excludes":["t"]}`)
	}
	return b + "}"
}

// Random searches, by a seed, are answered as if the tenant were alone.
func TestSharedRandomSearches(t *testing.T) {
	const searches = 200
	for seed, version := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(version, func(t *testing.T) {
			r := beside(t, version)
			g := generator{rand.New(rand.NewPCG(20261, uint64(seed)))}
			failed, found := 0, 0
			for i := range searches {
				body := g.request()
				a := r.same(t, "POST", "/docs/_search", body)
				if a.status != 200 {
					failed++
				} else if a.str("hits/total/value") != "0" {
					found++
				}
				if t.Failed() {
					t.Fatalf("search %d of %d: %s", i, seed, body)
				}
			}
			if failed > searches/3 || found < searches/4 {
				t.Errorf("%d of %d searches failed and %d found something: the generator tests little", failed, searches, found)
			}
		})
	}
}

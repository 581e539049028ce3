package shared_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/tenancy/shared"
)

const filter = `"filter":[{"term":{"tenant":"acme"}}]`

func TestSearchIsNarrowed(t *testing.T) {
	x := tenant(t, "acme")
	wrap := func(q string) string { return `{"bool":{"must":[` + q + `],` + filter + `}}` }
	for _, c := range []struct{ body, params, want string }{
		{``, ``, `{"query":` + wrap(`{"match_all":{}}`) + `}`},
		{` {} `, ``, `{"query":` + wrap(`{"match_all":{}}`) + `}`},
		{`{"size":3,"query":{"term":{"k":"v"}},"sort":["n",{"t":{"order":"desc"}},"_doc"]}`, ``,
			`{"size":3,"query":` + wrap(`{"term":{"k":"v"}}`) + `,"sort":["n",{"t":{"order":"desc"}},"_doc"]}`},
		{`{"query":{"ids":{"values":["1",2]}}}`, ``, `{"query":` + wrap(`{"ids":{"values":["acme:1","acme:2"]}}`) + `}`},
		{`{"query":{"bool":{"should":[{"term":{"_id":"1"}},{"term":{"_id":{"value":"x"}}},{"terms":{"_id":["a","b"],"boost":2}}]}}}`, ``,
			`{"query":` + wrap(`{"bool":{"should":[{"term":{"_id":"acme:1"}},{"term":{"_id":{"value":"acme:x"}}},{"terms":{"_id":["acme:a","acme:b"],"boost":2}}]}}`) + `}`},
		{``, `q=a:b&default_operator=AND&df=t&sort=n:desc,k`,
			`{"query":` + wrap(`{"query_string":{"query":"a:b","default_field":"t","default_operator":"AND"}}`) + `,"sort":[{"n":"desc"},"k"]}`},
		{`{"query":{"match":{"t":"x"}},"highlight":{"fields":{"t":{}}}}`, ``,
			`{"query":` + wrap(`{"match":{"t":"x"}}`) + `,"highlight":{"fields":{"t":{}},"highlight_query":{"match":{"t":"x"}}}}`},
		{`{"query":{"ids":{"values":["1"]}},"highlight":{"fields":{"t":{}}}}`, ``,
			`{"query":` + wrap(`{"ids":{"values":["acme:1"]}}`) + `,"highlight":{"fields":{"t":{}},"highlight_query":{"ids":{"values":["acme:1"]}}}}`},
	} {
		params, err := url.ParseQuery(c.params)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Search(shared.Search{Body: []byte(c.body), Parameters: params})
		if err != nil || string(got) != c.want {
			t.Errorf("%s %s:\n got %s, %v\nwant %s", c.body, c.params, got, err, c.want)
		}
		if len(params) != 0 {
			t.Errorf("%s: parameters are left: %v", c.params, params)
		}
	}
}

// Whatever may reach past the tenant is refused, wherever in a body it stands.
func TestSearchRefusals(t *testing.T) {
	x := tenant(t, "acme")
	queries := []string{
		`{}`, `[]`, `{"nope":{}}`, `{"match_all":{},"match_none":{}}`, `{"script":{"script":"1"}}`, `{"script_score":{"query":{"match_all":{}},"script":"1"}}`,
		`{"wrapper":{"query":"e30="}}`, `{"has_child":{"type":"c","query":{"match_all":{}}}}`, `{"has_parent":{}}`, `{"parent_id":{"type":"c","id":"1"}}`,
		`{"more_like_this":{"fields":["t"],"like":[{"_index":"x","_id":"1"}]}}`, `{"percolate":{"field":"q","document":{}}}`, `{"geo_shape":{"g":{"indexed_shape":{"id":"1"}}}}`,
		`{"terms":{"k":{"index":"docs","id":"1","path":"k"}}}`, `{"terms":{"k":["a"],"n":[1]}}`, `{"terms":{"_index":["pool"]}}`, `{"terms":{"tenant":["other"]}}`,
		`{"term":{"tenant":"other"}}`, `{"term":{"tenant.keyword":"other"}}`, `{"term":{"_index":"pool"}}`, `{"term":{"_routing":"other:"}}`, `{"term":{"_id":["a"]}}`,
		`{"term":{"_id":{"value":"a","case_insensitive":true}}}`, `{"term":{"t*":"x"}}`, `{"prefix":{"_id":"oth"}}`, `{"wildcard":{"_id":"*"}}`, `{"range":{"_seq_no":{"gte":0}}}`,
		`{"exists":{"field":"tenant"}}`, `{"exists":{"field":"ten*"}}`, `{"exists":{"field":"_id"}}`, `{"match":{"tenant":"other"}}`, `{"match":{"k":{"query":"x","nope":1}}}`,
		`{"multi_match":{"query":"x"}}`, `{"multi_match":{"query":"x","fields":["*"]}}`, `{"multi_match":{"query":"x","fields":["t","ten*^3"]}}`, `{"multi_match":{"query":"x","fields":[]}}`,
		`{"query_string":{"query":"x"}}`, `{"query_string":{"query":"tenant:other","default_field":"t"}}`, `{"query_string":{"query":"x -(te\\nant : other)","default_field":"t"}}`,
		`{"query_string":{"query":"_index:pool","default_field":"t"}}`, `{"query_string":{"query":"+_id:other*","default_field":"t"}}`, `{"query_string":{"query":"_exists_:tenant","default_field":"t"}}`,
		`{"query_string":{"query":"t*:x","default_field":"t"}}`, `{"query_string":{"query":"\\u0074enant:x","default_field":"t"}}`, `{"query_string":{"query":"x","default_field":"*"}}`,
		`{"query_string":{"query":"x","default_field":"ten","quote_field_suffix":"ant"}}`, `{"simple_query_string":{"query":"x"}}`, `{"simple_query_string":{"query":"x","fields":["tenant"]}}`, `{"nested":{"path":"items","query":{"match_all":{}},"inner_hits":{"explain":true}}}`,
		`{"nested":{"path":"items","query":{"match_all":{}},"inner_hits":{"sort":["_id"]}}}`, `{"nested":{"path":"items","query":{"match_all":{}},"inner_hits":{"script_fields":{}}}}`, `{"nested":{"path":"items","query":{"match_all":{}},"inner_hits":[]}}`,
		`{"nested":{"path":"items","query":{"term":{"tenant":"x"}}}}`, `{"bool":{"must_not":[{"bool":{"filter":{"script":{}}}}]}}`, `{"bool":{"must":"x"}}`, `{"bool":{"nope":[]}}`,
		`{"constant_score":{"filter":{"script":{}}}}`, `{"function_score":{"functions":[{"script_score":{"script":"1"}}]}}`, `{"function_score":{"random_score":{"field":"_seq_no"}}}`,
		`{"function_score":{"gauss":{"tenant":{"origin":1,"scale":1}}}}`, `{"function_score":{"field_value_factor":{"field":"_seq_no"}}}`, `{"dis_max":{"queries":[{"script":{}}]}}`,
		`{"boosting":{"positive":{"match_all":{}},"negative":{"script":{}}}}`, `{"ids":{}}`, `{"ids":{"values":[{"a":1}]}}`, `{"intervals":{"t":{"prefix":{"prefix":"w"}}}}`, `{"intervals":{"t":{"match":{"query":"x","use_field":"tenant"}}}}`, `{"intervals":{"t":{"all_of":{"intervals":[{"fuzzy":{"term":"x"}}]}}}}`,
		`{"intervals":{"t":{"any_of":{"intervals":[],"filter":{"script":{"source":"1"}}}}}}`, `{"intervals":{"t":{"match":{"query":"x","filter":{"after":{"wildcard":{"pattern":"x*"}}}}}}}`,
		`{"span_multi":{"match":{"prefix":{"t":"x"}}}}`, `{"span_near":{"clauses":[{"span_term":{"t":"a"}},{"span_multi":{"match":{"prefix":{"t":"x"}}}}]}}`, `{"span_or":{"clauses":[{"span_term":{"tenant":"x"}}]}}`, `{"span_term":{"_id":"x"}}`,
		`{"field_masking_span":{"field":"tenant","query":{"span_term":{"t":"a"}}}}`, `{"geo_shape":{"g":{"shape":{"type":"point","coordinates":[0,{"x":1}]}}}}`, `{"geo_shape":{"tenant":{"shape":"POINT (0 0)"}}}`, `{"terms_set":{"k":{"terms":["a"],"minimum_should_match_script":{}}}}`,
		`{"distance_feature":{"field":"_seq_no","origin":1,"pivot":1}}`, `{"fuzzy":{"k":{"value":"x","max_expansions":1}}}`, `{"fuzzy":{"k":{"value":"x","rewrite":"top_terms_1"}}}`, `{"prefix":{"k":{"value":"x","rewrite":"scoring_boolean"}}}`,
		`{"wildcard":{"k":{"value":"x*","rewrite":"constant_score_boolean"}}}`, `{"regexp":{"k":{"value":"x.*","rewrite":["constant_score"]}}}`, `{"match":{"t":{"query":"x","fuzziness":1,"max_expansions":1}}}`, `{"match":{"t":{"query":"x","fuzziness":1,"fuzzy_rewrite":"top_terms_1"}}}`,
		`{"match":{"t":{"query":"x","cutoff_frequency":0.1}}}`, `{"match_phrase_prefix":{"t":"x y"}}`, `{"multi_match":{"query":"x","fields":["t"],"type":"phrase_prefix"}}`, `{"multi_match":{"query":"x","fields":["t"],"type":["phrase"]}}`,
		`{"query_string":{"query":"x~","default_field":"t"}}`, `{"query_string":{"query":"a \\"x\\\"~2","default_field":"t"}}`, `{"query_string":{"query":"x","default_field":"t","type":"phrase_prefix"}}`, `{"query_string":{"query":"x*","default_field":"t","rewrite":"top_terms_1"}}`,
		`{"query_string":{"query":"x","default_field":"t","fuzzy_max_expansions":1}}`, `{"query_string":{"query":["tenant:x"],"default_field":"t"}}`, `{"simple_query_string":{"query":"x~1","fields":["t"]}}`, `{"simple_query_string":{"query":"x\"~1","fields":["t"],"flags":"FUZZY"}}`,
		`{"simple_query_string":{"fields":["t"]}}`, `{"geo_distance":{"distance":"1km","tenant":"0,0"}}`,
		`{"match_all":{"boost":{"script":1}}}`, `{"term":{"k":{"value":{"x":1}}}}`, `{"span_term":{"tenant":"x"}}`, `{"pinned":{}}`, `{"hybrid":{}}`, `{"template":{}}`,
	}
	bodies := []string{
		`[]`, `1`, `{"query":{"match_all":{}},"query":{"match_all":{}}}`, `{"query":{"match_all":{}}} {}`, `{"nope":1}`, `{"script_fields":{"x":{"script":"1"}}}`, `{"explain":true}`, `{"profile":true}`,
		`{"suggest":{"s":{"text":"x","term":{"field":"k"}}}}`, `{"rescore":{"query":{"rescore_query":{"script":{}}}}}`, `{"rescore":[{"window_size":1,"learned":{}}]}`, `{"indices_boost":[{"x":1}]}`, `{"runtime_mappings":{}}`, `{"derived":{}}`, `{"ext":{}}`, `{"search_pipeline":{}}`,
		`{"sort":"_id"}`, `{"sort":["tenant"]}`, `{"sort":[{"_id":"asc"}]}`, `{"sort":{"_script":{"script":"1"}}}`, `{"sort":[{"_index":"asc"}]}`, `{"sort":[{"k":{"order":"asc","nope":1}}]}`,
		`{"sort":[{"items.k":{"nested":{"path":"items","filter":{"script":{}}}}}]}`, `{"sort":[["n"]]}`, `{"sort":5}`, `{"sort":[{"_geo_distance":{"tenant":"0,0"}}]}`, `{"sort":"_seq_no"}`,
		`{"collapse":{"field":"tenant"}}`, `{"collapse":{"field":"k","inner_hits":{"name":"x","sort":["_id"]}}}`, `{"collapse":{"field":"k","inner_hits":[{"name":"x","collapse":{"field":"tenant"}}]}}`, `{"fields":["_id"]}`, `{"fields":[{"field":"tenant"}]}`, `{"docvalue_fields":["_id"]}`, `{"stored_fields":["_routing"]}`,
		`{"stored_fields":"tenant"}`, `{"slice":{"id":0,"max":2,"field":"_id"}}`, `{"pit":{"id":"x"}}`, `{"highlight":{"fields":{"tenant":{}}}}`, `{"highlight":{"fields":{"t":{"highlight_query":{"script":{}}}}}}`,
		`{"highlight":{"highlight_query":{"term":{"tenant":"x"}},"fields":{"t":{}}}}`, `{"highlight":{"fields":[{"_id":{}}]}}`, `{"_source":{"includes":{"x":1}}}`, `{"size":{"x":1}}`, `{"search_after":[{"a":1}]}`,
	}
	for _, q := range queries {
		bodies = append(bodies, `{"query":`+q+`}`, `{"post_filter":{"bool":{"must":[`+q+`]}}}`, `{"aggs":{"f":{"filter":`+q+`}}}`)
	}
	for _, a := range []string{
		`{"global":{}}`, `{"significant_terms":{"field":"k","min_doc_count":0}}`, `{"significant_terms":{"field":"k","background_filter":{"term":{"tenant":"other"}}}}`, `{"significant_text":{"field":"tenant"}}`, `{"significant_text":{"field":"t","source_fields":["*"]}}`, `{"significant_text":{"field":"t","source_fields":"tenant"}}`, `{"rare_terms":{"field":"tenant"}}`,
		`{"significant_terms":{"field":"k","script_heuristic":{}}}`, `{"nested":{"path":"items"},"aggs":{"s":{"significant_terms":{"field":"items.k"}}}}`, `{"nested":{"path":"items"},"aggs":{"f":{"filter":{"match_all":{}},"aggs":{"s":{"significant_terms":{"field":"items.k"}}}}}}`,
		`{"nested":{"path":"items"},"aggs":{"b":{"reverse_nested":{"path":"items"},"aggs":{"s":{"significant_terms":{"field":"k"}}}}}}`, `{"scripted_metric":{}}`, `{"children":{"type":"c"}}`, `{"parent":{"type":"c"}}`,
		`{"terms":{"field":"tenant"}}`, `{"terms":{"field":"_id"}}`, `{"terms":{"field":"_index"}}`, `{"terms":{"field":"_routing"}}`, `{"terms":{"field":"k","min_doc_count":0}}`, `{"terms":{"field":"k","min_doc_count":"0"}}`,
		`{"terms":{"field":"k","min_doc_count":0.0}}`, `{"terms":{"field":"k","min_doc_count":-1}}`, `{"terms":{"field":"k","min_doc_count":00}}`, `{"terms":{"script":"1"}}`, `{"avg":{"field":"n","script":"1"}}`, `{"cardinality":{"field":"tenant"}}`,
		`{"cardinality":{"field":"_id"}}`, `{"composite":{"sources":[{"a":{"terms":{"field":"tenant"}}}]}}`, `{"composite":{"sources":[{"a":{"terms":{"script":"1"}}}]}}`, `{"top_hits":{"explain":true}}`,
		`{"top_hits":{"script_fields":{}}}`, `{"top_hits":{"sort":["_id"]}}`, `{"top_hits":{"docvalue_fields":["_id"]}}`, `{"bucket_script":{}}`, `{"bucket_selector":{}}`, `{"date_histogram":{"field":"d","calendar_interval":"1d","keyed":true}}`,
		`{"filters":{"filters":{"hits":{"match_all":{}}}}}`, `{"filters":{"filters":[{"script":{}}]}}`, `{"range":{"field":"n","ranges":[{"key":"hits","to":1}]}}`, `{"missing":{"field":"tenant"}}`, `{"nope":{}}`, `{}`,
		`{"terms":{"field":"k"},"avg":{"field":"n"}}`, `{"terms":{"field":"k"},"meta":{"a":1}}`, `{"terms":{"field":"k"},"aggs":{"g":{"global":{}}}}`,
		`{"top_hits":{},"aggs":{"_x":{"avg":{"field":"n"}}}}`, `{"weighted_avg":{"value":{"field":"n","script":"1"},"weight":{"field":"n"}}}`,
		`{"terms":{"field":"k","order":{"x":{"y":{"z":1}}}}}`, `{"adjacency_matrix":{"filters":{"a":{"script":{}}}}}`, `{"multi_terms":{"terms":[{"field":"k"},{"field":"n","script":"1"}]}}`, `{"multi_terms":{"min_doc_count":0,"terms":[{"field":"k"}]}}`, `{"matrix_stats":{"fields":["n"]}}`, `{"variable_width_histogram":{"field":"n"}}`, `{"top_metrics":{}}`, `{"multi_terms":{"terms":[{"field":"tenant"}]}}`,
	} {
		bodies = append(bodies, `{"aggs":{"a":`+a+`}}`, `{"aggregations":{"o":{"terms":{"field":"k"},"aggregations":{"a":`+a+`}}}}`)
	}
	for _, name := range []string{"hits", "_id", "key", "after_key", "meta", ""} {
		bodies = append(bodies, `{"aggs":{"`+name+`":{"avg":{"field":"n"}}}}`)
	}
	for _, b := range bodies {
		got, err := x.Search(shared.Search{Body: []byte(b)})
		var refused *shared.RefusedError
		if !errors.As(err, &refused) && !errors.Is(err, shared.ErrSyntax) {
			t.Errorf("%s became %s, %v", b, got, err)
		}
	}
	for _, p := range []string{"q=x", "q=tenant:x&df=t", "df=t", "q=_id:x&df=t", "sort=_id", "sort=tenant:asc", "q=x&df=*"} {
		params, err := url.ParseQuery(p)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := x.Search(shared.Search{Parameters: params}); err == nil {
			t.Errorf("%s became %s", p, got)
		}
	}
	if _, err := x.Search(shared.Search{Body: []byte(`{"query":{"match_all":{}}}`), Parameters: url.Values{"q": {"a"}, "df": {"t"}}}); err == nil {
		t.Error("two queries were taken")
	}
	for _, b := range []string{`{"query":{"nested":{"path":"items","query":{"match_all":{}},"inner_hits":{}}}}`, `{"aggs":{"n":{"nested":{"path":"items"},"aggs":{"h":{"top_hits":{}}}}}}`} {
		if got, err := x.Search(shared.Search{Body: []byte(b), Filtered: true}); err == nil {
			t.Errorf("filtered, %s became %s", b, got)
		}
	}
	for _, b := range []string{``, `{}`, `{"query":{"match_all":{}},"script":"1"}`, `{"query":{"match_all":{}},"size":1}`} {
		if got, err := x.DeleteByQuery(shared.Search{Body: []byte(b)}); err == nil {
			t.Errorf("delete by query %s became %s", b, got)
		}
	}
	if got, err := x.UpdateByQuery(shared.Search{}); err != nil || !strings.Contains(string(got), filter) {
		t.Errorf("update by query: %s, %v", got, err)
	}
	for _, h := range []string{`{"index":"pool"}`, `{"index":["docs","x"]}`, `{"index":"docs","nope":1}`, `{"index":"docs","index":"x"}`, `[]`, `{"index":"*"}`} {
		if got, err := x.SearchHeader([]byte(h), shared.Names{Logical: "docs", Physical: "pool"}); err == nil {
			t.Errorf("header %s became %s", h, got)
		}
	}
}

// What a client may ask passes.
func TestSearchTakes(t *testing.T) {
	x := tenant(t, "acme")
	for _, b := range []string{
		`{"query":{"match":{"t":{"query":"a b","operator":"and","fuzziness":"AUTO"}}},"from":0,"size":10,"_source":["n"],"track_total_hits":true}`,
		`{"query":{"bool":{"must":[{"match_phrase":{"t":"x"}}],"filter":{"range":{"n":{"gte":1,"lt":5}}},"must_not":{"exists":{"field":"gone"}},"minimum_should_match":1}}}`,
		`{"query":{"query_string":{"query":"k:a AND (n:[1 TO 5] OR _exists_:d) *:*","default_field":"t"}}}`, `{"query":{"simple_query_string":{"query":"+a -b","fields":["t^2","k*"]}}}`,
		`{"query":{"multi_match":{"query":"x","fields":["t","k"],"type":"best_fields","tie_breaker":0.3}}}`, `{"query":{"nested":{"path":"items","query":{"term":{"items.tenant":"x"}},"score_mode":"avg"}}}`,
		`{"query":{"function_score":{"query":{"match_all":{}},"functions":[{"filter":{"term":{"k":"a"}},"weight":2},{"gauss":{"n":{"origin":1,"scale":2}}}],"boost_mode":"sum"}}}`,
		`{"query":{"geo_distance":{"distance":"1km","g":{"lat":1,"lon":2}}}}`, `{"query":{"wildcard":{"k":{"value":"a*","case_insensitive":true}}}}`, `{"query":{"terms":{"k":["a","b"]}}}`,
		`{"aggs":{"by":{"terms":{"field":"k","size":5,"order":[{"m":"desc"},{"_key":"asc"}],"min_doc_count":2},"aggs":{"m":{"max":{"field":"n"}},"top":{"top_hits":{"size":1,"_source":["n"],"sort":[{"n":"asc"}]}}}}}}`,
		`{"aggs":{"h":{"date_histogram":{"field":"d","calendar_interval":"month","min_doc_count":0}},"r":{"range":{"field":"n","ranges":[{"key":"low","to":5},{"from":5}],"keyed":true}}}}`,
		`{"aggs":{"c":{"composite":{"size":10,"sources":[{"_a":{"terms":{"field":"k","order":"asc"}}}],"after":{"_a":"x"}}}}}`, `{"aggs":{"n":{"nested":{"path":"items"},"aggs":{"b":{"reverse_nested":{},"aggs":{"t":{"top_hits":{}}}}}}}}`,
		`{"aggs":{"f":{"filters":{"filters":{"a":{"term":{"k":"a"}}},"other_bucket":true}},"p":{"percentiles":{"field":"n","percents":[50,99]}},"w":{"sum_bucket":{"buckets_path":"h>m"}}}}`,
		`{"sort":[{"n":{"order":"asc","missing":"_last"}},"_score",{"items.k":{"order":"asc","nested":{"path":"items","filter":{"term":{"items.k":"x"}}}}}],"search_after":[1,2.5,"x"]}`,
		`{"query":{"span_near":{"clauses":[{"span_term":{"t":"a"}},{"span_first":{"match":{"span_term":{"t":{"value":"b"}}},"end":3}}],"slop":1,"in_order":true}}}`,
		`{"query":{"intervals":{"t":{"all_of":{"ordered":true,"intervals":[{"match":{"query":"a b","filter":{"before":{"match":{"query":"c"}}}}},{"any_of":{"intervals":[{"match":{"query":"d"}}]}}]},"boost":2}}}}`,
		`{"query":{"geo_shape":{"g":{"shape":{"type":"envelope","coordinates":[[0,1],[1,0]]},"relation":"within"}}}}`, `{"query":{"query_string":{"query":"\"a b\"~2","default_field":"t"}}}`,
		`{"query":{"nested":{"path":"items","query":{"match_all":{}},"inner_hits":{"name":"x","size":2,"sort":["items.k"],"highlight":{"fields":{"items.k":{}}}}}},"collapse":{"field":"k","inner_hits":[{"name":"y","sort":["n"]}]}}`,
		`{"rescore":[{"window_size":5,"query":{"rescore_query":{"match_phrase":{"t":"a b"}},"query_weight":0.5}}],"sort":[{"_shard_doc":"asc"}]}`,
		`{"aggs":{"m":{"multi_terms":{"terms":[{"field":"k"},{"field":"n"}],"size":2}},"r":{"rare_terms":{"field":"k","max_doc_count":2}},"a":{"adjacency_matrix":{"filters":{"x":{"term":{"k":"a"}}}}}}}`,
		`{"fields":["t*",{"field":"d","format":"yyyy"}],"docvalue_fields":["*"],"stored_fields":["_none_"],"collapse":{"field":"k"},"slice":{"id":0,"max":2},"explain":false,"profile":false}`,
	} {
		got, err := x.Search(shared.Search{Body: []byte(b)})
		if err != nil {
			t.Errorf("%s: %v", b, err)
		} else if !json.Valid(got) || strings.Count(string(got), filter) != 1 {
			t.Errorf("%s became %s", b, got)
		}
	}
}

// What would count the words of all tenants is made to take all, or narrowed.
func TestSearchIsMadeSafe(t *testing.T) {
	x := tenant(t, "acme")
	for _, c := range [][2]string{
		{`{"query":{"match":{"t":{"query":"x","fuzziness":"AUTO"}}}}`, `{"match":{"t":{"query":"x","fuzziness":"AUTO","fuzzy_rewrite":"constant_score"}}}`},
		{`{"query":{"match_bool_prefix":{"t":{"query":"x","fuzziness":1,"fuzzy_rewrite":"constant_score"}}}}`, `{"match_bool_prefix":{"t":{"query":"x","fuzziness":1,"fuzzy_rewrite":"constant_score"}}}`},
		{`{"query":{"multi_match":{"query":"x","fields":["t"],"fuzziness":1}}}`, `"fuzziness":1,"fuzzy_rewrite":"constant_score"}`},
		{`{"query":{"match":{"t":"x"}}}`, `{"match":{"t":"x"}}`}, {`{"query":{"fuzzy":{"k":"x"}}}`, `{"fuzzy":{"k":{"value":"x","rewrite":"constant_score"}}}`},
		{`{"query":{"fuzzy":{"k":{"value":"x"}}}}`, `{"fuzzy":{"k":{"value":"x","rewrite":"constant_score"}}}`},
		{`{"aggs":{"a":{"significant_terms":{"field":"k"}}}}`, `{"significant_terms":{"field":"k","background_filter":{"bool":{"must":[{"match_all":{}}],` + filter + `}}}}`},
		{`{"aggs":{"a":{"significant_text":{"field":"t","background_filter":{"term":{"k":"a"}}}}}}`, `"background_filter":{"bool":{"must":[{"term":{"k":"a"}}],` + filter + `}}`},
	} {
		got, err := x.Search(shared.Search{Body: []byte(c[0])})
		if err != nil || !strings.Contains(string(got), c[1]) {
			t.Errorf("%s became %s, %v", c[0], got, err)
		}
	}
}

// A sort by _id is told of, and what is searched behind gets the prefix.
func TestSearchSortedByID(t *testing.T) {
	x := tenant(t, "acme")
	for _, c := range []struct {
		body, params, want string
		at                 []int
	}{
		{`{"sort":"_id"}`, ``, `"sort":"_id"`, []int{0}}, {`{"sort":["n",{"_id":"desc"}],"search_after":[1,"7"]}`, ``, `"search_after":[1,"acme:7"]`, []int{1}},
		{`{"sort":[{"n":"asc","_id":{"order":"asc"}},"_id"],"search_after":[1,7,"x"]}`, ``, `"search_after":[1,"acme:7","acme:x"]`, []int{1, 2}},
		{`{"search_after":["5"]}`, `sort=_id:asc`, `"search_after":["acme:5"],"sort":[{"_id":"asc"}]`, []int{0}}, {`{"sort":["n"],"search_after":["5"]}`, ``, `"search_after":["5"]`, nil},
	} {
		params, err := url.ParseQuery(c.params)
		if err != nil {
			t.Fatal(err)
		}
		var at []int
		got, err := x.Search(shared.Search{Body: []byte(c.body), Parameters: params, SortID: func(p int) { at = append(at, p) }})
		if err != nil || !strings.Contains(string(got), c.want) || !slices.Equal(at, c.at) {
			t.Errorf("%s became %s, %v, with _id at %v", c.body, got, err, at)
		}
	}
	for _, body := range []string{`{"sort":[{"_id":{"order":"asc","missing":"x"}}]}`, `{"sort":["_id"],"search_after":[null]}`, `{"sort":["_id"],"search_after":[{}]}`, `{"sort":["_id:asc"]}`,
		`{"sort":["_id"],"aggs":{"a":{"top_hits":{"sort":["_id"]}}}}`, `{"sort":["_id",{"items.k":{"nested":{"path":"items","filter":{"nested":{"path":"items","query":{"match_all":{}},"inner_hits":{"sort":["_id"]}}}}}}]}`} {
		if got, err := x.Search(shared.Search{Body: []byte(body), SortID: func(int) {}}); err == nil {
			t.Errorf("%s became %s", body, got)
		}
	}
}

// Whatever is let through is JSON with the filter at its top.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{
		`{"query":{"bool":{"must":[{"term":{"k":"a"}}],"must_not":{"ids":{"values":["1"]}}}}}`, `{"aggs":{"a":{"terms":{"field":"k"},"aggs":{"b":{"top_hits":{}}}}}}`,
		`{"query":{"terms":{"k":{"index":"x","id":"1","path":"k"}}}}`, `{"sort":[{"n":"asc"}],"highlight":{"fields":{"t":{}}}}`, `{"query":{"query_string":{"query":"a:b","fields":["t"]}}}`,
	} {
		f.Add([]byte(s))
	}
	x := tenant(f, "acme")
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := x.Search(shared.Search{Body: b})
		if err != nil {
			return
		}
		var body map[string]json.RawMessage
		var q struct {
			Bool struct {
				Must   []json.RawMessage `json:"must"`
				Filter []json.RawMessage `json:"filter"`
			} `json:"bool"`
		}
		if err := json.Unmarshal(out, &body); err != nil {
			t.Fatalf("%q became %q: %v", b, out, err)
		}
		if err := json.Unmarshal(body["query"], &q); err != nil || len(q.Bool.Must) != 1 || len(q.Bool.Filter) != 1 || string(q.Bool.Filter[0]) != `{"term":{"tenant":"acme"}}` {
			t.Fatalf("%q became %q, which is not narrowed", b, out)
		}
	})
}

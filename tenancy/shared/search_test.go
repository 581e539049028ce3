package shared_test

import (
	"encoding/json"
	"errors"
	"net/url"
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
		`{"query_string":{"query":"x","default_field":"ten","quote_field_suffix":"ant"}}`, `{"simple_query_string":{"query":"x"}}`, `{"simple_query_string":{"query":"x","fields":["tenant"]}}`, `{"nested":{"path":"items","query":{"match_all":{}},"inner_hits":{}}}`,
		`{"nested":{"path":"items","query":{"term":{"tenant":"x"}}}}`, `{"bool":{"must_not":[{"bool":{"filter":{"script":{}}}}]}}`, `{"bool":{"must":"x"}}`, `{"bool":{"nope":[]}}`,
		`{"constant_score":{"filter":{"script":{}}}}`, `{"function_score":{"functions":[{"script_score":{"script":"1"}}]}}`, `{"function_score":{"random_score":{"field":"_seq_no"}}}`,
		`{"function_score":{"gauss":{"tenant":{"origin":1,"scale":1}}}}`, `{"function_score":{"field_value_factor":{"field":"_seq_no"}}}`, `{"dis_max":{"queries":[{"script":{}}]}}`,
		`{"boosting":{"positive":{"match_all":{}},"negative":{"script":{}}}}`, `{"ids":{}}`, `{"ids":{"values":[{"a":1}]}}`, `{"intervals":{"t":{}}}`, `{"geo_distance":{"distance":"1km","tenant":"0,0"}}`,
		`{"match_all":{"boost":{"script":1}}}`, `{"term":{"k":{"value":{"x":1}}}}`, `{"span_term":{"tenant":"x"}}`, `{"pinned":{}}`, `{"hybrid":{}}`, `{"template":{}}`,
	}
	bodies := []string{
		`[]`, `1`, `{"query":{"match_all":{}},"query":{"match_all":{}}}`, `{"query":{"match_all":{}}} {}`, `{"nope":1}`, `{"script_fields":{"x":{"script":"1"}}}`, `{"explain":true}`, `{"profile":true}`,
		`{"suggest":{"s":{"text":"x","term":{"field":"k"}}}}`, `{"rescore":{}}`, `{"indices_boost":[{"x":1}]}`, `{"runtime_mappings":{}}`, `{"derived":{}}`, `{"ext":{}}`, `{"search_pipeline":{}}`,
		`{"sort":"_id"}`, `{"sort":["tenant"]}`, `{"sort":[{"_id":"asc"}]}`, `{"sort":{"_script":{"script":"1"}}}`, `{"sort":[{"_index":"asc"}]}`, `{"sort":[{"k":{"order":"asc","nope":1}}]}`,
		`{"sort":[{"items.k":{"nested":{"path":"items","filter":{"script":{}}}}}]}`, `{"sort":[{"_shard_doc":"asc"}]}`, `{"sort":[{"_geo_distance":{"tenant":"0,0"}}]}`, `{"sort":"_seq_no"}`,
		`{"collapse":{"field":"tenant"}}`, `{"collapse":{"field":"k","inner_hits":{"name":"x"}}}`, `{"fields":["_id"]}`, `{"fields":[{"field":"tenant"}]}`, `{"docvalue_fields":["_id"]}`, `{"stored_fields":["_routing"]}`,
		`{"stored_fields":"tenant"}`, `{"slice":{"id":0,"max":2,"field":"_id"}}`, `{"pit":{"id":"x"}}`, `{"highlight":{"fields":{"tenant":{}}}}`, `{"highlight":{"fields":{"t":{"highlight_query":{"script":{}}}}}}`,
		`{"highlight":{"highlight_query":{"term":{"tenant":"x"}},"fields":{"t":{}}}}`, `{"highlight":{"fields":[{"_id":{}}]}}`, `{"_source":{"includes":{"x":1}}}`, `{"size":{"x":1}}`, `{"search_after":[{"a":1}]}`,
	}
	for _, q := range queries {
		bodies = append(bodies, `{"query":`+q+`}`, `{"post_filter":{"bool":{"must":[`+q+`]}}}`, `{"aggs":{"f":{"filter":`+q+`}}}`)
	}
	for _, a := range []string{
		`{"global":{}}`, `{"significant_terms":{"field":"k"}}`, `{"significant_text":{"field":"t"}}`, `{"rare_terms":{"field":"k"}}`, `{"scripted_metric":{}}`, `{"children":{"type":"c"}}`, `{"parent":{"type":"c"}}`,
		`{"terms":{"field":"tenant"}}`, `{"terms":{"field":"_id"}}`, `{"terms":{"field":"_index"}}`, `{"terms":{"field":"_routing"}}`, `{"terms":{"field":"k","min_doc_count":0}}`, `{"terms":{"field":"k","min_doc_count":"0"}}`,
		`{"terms":{"field":"k","min_doc_count":0.0}}`, `{"terms":{"field":"k","min_doc_count":-1}}`, `{"terms":{"field":"k","min_doc_count":00}}`, `{"terms":{"script":"1"}}`, `{"avg":{"field":"n","script":"1"}}`, `{"cardinality":{"field":"tenant"}}`,
		`{"cardinality":{"field":"_id"}}`, `{"composite":{"sources":[{"a":{"terms":{"field":"tenant"}}}]}}`, `{"composite":{"sources":[{"a":{"terms":{"script":"1"}}}]}}`, `{"top_hits":{"explain":true}}`,
		`{"top_hits":{"script_fields":{}}}`, `{"top_hits":{"sort":["_id"]}}`, `{"top_hits":{"docvalue_fields":["_id"]}}`, `{"bucket_script":{}}`, `{"bucket_selector":{}}`, `{"date_histogram":{"field":"d","calendar_interval":"1d","keyed":true}}`,
		`{"filters":{"filters":{"hits":{"match_all":{}}}}}`, `{"filters":{"filters":[{"script":{}}]}}`, `{"range":{"field":"n","ranges":[{"key":"hits","to":1}]}}`, `{"missing":{"field":"tenant"}}`, `{"nope":{}}`, `{}`,
		`{"terms":{"field":"k"},"avg":{"field":"n"}}`, `{"terms":{"field":"k"},"meta":{"a":1}}`, `{"terms":{"field":"k"},"aggs":{"g":{"global":{}}}}`, `{"nested":{"path":"items"},"aggs":{"h":{"top_hits":{}}}}`,
		`{"nested":{"path":"items"},"aggs":{"f":{"filter":{"match_all":{}},"aggs":{"h":{"top_hits":{}}}}}}`, `{"nested":{"path":"items"},"aggs":{"b":{"reverse_nested":{"path":"items"},"aggs":{"h":{"top_hits":{}}}}}}`, `{"top_hits":{},"aggs":{"_x":{"avg":{"field":"n"}}}}`, `{"weighted_avg":{"value":{"field":"n","script":"1"},"weight":{"field":"n"}}}`,
		`{"terms":{"field":"k","order":{"x":{"y":{"z":1}}}}}`, `{"adjacency_matrix":{}}`, `{"matrix_stats":{"fields":["n"]}}`, `{"variable_width_histogram":{"field":"n"}}`, `{"top_metrics":{}}`, `{"multi_terms":{"terms":[{"field":"tenant"}]}}`,
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

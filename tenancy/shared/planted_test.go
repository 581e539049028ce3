package shared_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// complete is a search with a place for everything that searches are let have.
const complete = `{
	"query":{"bool":{"must":[{"match":{"t":{"query":"a","fuzziness":1}}},{"constant_score":{"filter":{"term":{"k":{"value":"a"}}}}},{"dis_max":{"queries":[{"match_all":{}}]}},
		{"boosting":{"positive":{"match_all":{}},"negative":{"range":{"n":{"gte":1}}},"negative_boost":0.5}},{"span_near":{"clauses":[{"span_term":{"t":"a"}},{"span_not":{"include":{"span_term":{"t":"b"}},"exclude":{"span_term":{"t":"c"}}}},
		{"span_first":{"match":{"span_term":{"t":"a"}},"end":1}},{"span_containing":{"big":{"span_term":{"t":"a"}},"little":{"span_term":{"t":"a"}}}},{"field_masking_span":{"query":{"span_term":{"t":"a"}},"field":"t"}}],"slop":1}}],
		"should":[{"nested":{"path":"items","query":{"exists":{"field":"items.k"}},"inner_hits":{"size":1,"sort":[{"items.k":{"order":"asc","nested":{"path":"items","filter":{"match_all":{}}}}}],"highlight":{"fields":{"items.k":{"highlight_query":{"match_all":{}}}}},
		"docvalue_fields":["items.k"],"fields":[{"field":"items.k","format":"x"}],"stored_fields":["k"]}}},
		{"intervals":{"t":{"all_of":{"intervals":[{"match":{"query":"a","use_field":"t","filter":{"before":{"match":{"query":"b"}}}}}]}}}},{"terms_set":{"k":{"terms":["a"],"minimum_should_match_field":"n"}}},{"geo_shape":{"g":{"shape":{"type":"point","coordinates":[0,0]}}}}],
		"must_not":{"function_score":{"query":{"match_all":{}},"functions":[{"filter":{"match_all":{}},"weight":1},{"gauss":{"n":{"origin":1,"scale":1}}},{"field_value_factor":{"field":"n"}}]}},
		"filter":[{"ids":{"values":["1"]}},{"terms":{"k":["a"]}},{"multi_match":{"query":"a","fields":["t","k"]}},{"query_string":{"query":"a","default_field":"t"}},{"simple_query_string":{"query":"a","fields":["t"]}},{"distance_feature":{"field":"n","origin":1,"pivot":1}}]}},
	"post_filter":{"prefix":{"k":{"value":"a","rewrite":"constant_score"}}},
	"rescore":[{"window_size":5,"query":{"rescore_query":{"match_all":{}}}}],
	"collapse":{"field":"k","inner_hits":[{"name":"x","sort":["n"],"collapse":{"field":"n"},"highlight":{"highlight_query":{"match_all":{}},"fields":{"t":{"matched_fields":["t"]}}}}]},
	"sort":["n",{"k":"asc"},{"items.k":{"order":"asc","nested":{"path":"items","filter":{"match_all":{}},"nested":{"path":"items"}}}}],
	"fields":["k",{"field":"n"}],"docvalue_fields":["k"],"stored_fields":["k"],"highlight":{"fields":{"t":{}}},
	"aggs":{"a":{"terms":{"field":"k"},"aggs":{"b":{"filter":{"match_all":{}},"aggregations":{"c":{"top_hits":{"sort":["n"],"highlight":{"fields":{"t":{}}},"docvalue_fields":["k"]}}}},"d":{"filters":{"filters":{"x":{"match_all":{}}}}},
		"e":{"filters":{"filters":[{"match_all":{}}]}},"f":{"significant_terms":{"field":"k","background_filter":{"match_all":{}}}},"g":{"adjacency_matrix":{"filters":{"x":{"match_all":{}}}}},"h":{"composite":{"sources":[{"x":{"terms":{"field":"k"}}}]}},
		"i":{"multi_terms":{"terms":[{"field":"k"},{"field":"n"}]}},"j":{"weighted_avg":{"value":{"field":"n"},"weight":{"field":"n"}}},"k":{"nested":{"path":"items"},"aggs":{"l":{"reverse_nested":{},"aggs":{"m":{"avg":{"field":"n"}}}}}},
		"n":{"significant_text":{"field":"t","source_fields":["t"]}},"o":{"rare_terms":{"field":"k"}},"p":{"percentiles":{"field":"n"}},"q":{"date_histogram":{"field":"d","calendar_interval":"1d"}}}}}}`

var attackQueries = []string{
	`{"script":{"script":"1"}}`, `{"script_score":{"query":{"match_all":{}},"script":"1"}}`, `{"function_score":{"script_score":{"script":"1"}}}`, `{"wrapper":{"query":"e30="}}`, `{"has_child":{"type":"c","query":{"match_all":{}}}}`,
	`{"has_parent":{"parent_type":"c","query":{"match_all":{}}}}`, `{"parent_id":{"type":"c","id":"1"}}`, `{"more_like_this":{"like":"x"}}`, `{"percolate":{"field":"q","index":"x","id":"1"}}`, `{"terms":{"k":{"index":"x","id":"1","path":"k"}}}`,
	`{"geo_shape":{"g":{"indexed_shape":{"id":"1"}}}}`, `{"term":{"tenant":"other"}}`, `{"term":{"_index":"pool"}}`, `{"exists":{"field":"_routing"}}`, `{"prefix":{"_id":"other"}}`, `{"match_phrase_prefix":{"t":"a"}}`, `{"span_multi":{"match":{"prefix":{"t":"a"}}}}`,
	`{"intervals":{"t":{"fuzzy":{"term":"a"}}}}`, `{"prefix":{"k":{"value":"a","rewrite":"top_terms_1"}}}`, `{"match":{"t":{"query":"a","cutoff_frequency":1}}}`, `{"query_string":{"query":"tenant:other","default_field":"t"}}`, `{"query_string":{"query":"a~","default_field":"t"}}`,
	`{"multi_match":{"query":"a"}}`, `{"simple_query_string":{"query":"a"}}`, `{"match_all":{},"match_none":{}}`, `{"pinned":{"ids":["other:1"],"organic":{"match_all":{}}}}`, `{"neural":{}}`, `{"hybrid":{"queries":[]}}`, `{"template":{}}`,
}

var attackAggs = []string{
	`{"global":{}}`, `{"terms":{"field":"tenant"}}`, `{"terms":{"field":"k","min_doc_count":0}}`, `{"scripted_metric":{}}`, `{"sampler":{}}`, `{"children":{"type":"c"}}`, `{"terms":{"script":"1"}}`, `{"avg":{"field":"n","script":"1"}}`, `{"avg":{"field":"_seq_no"}}`,
	`{"significant_terms":{"field":"k","min_doc_count":0}}`, `{"bucket_script":{}}`, `{"top_hits":{"explain":true}}`, `{"top_hits":{"sort":["_id"]}}`, `{"top_hits":{"script_fields":{}}}`, `{"filter":{"term":{"tenant":"x"}}}`, `{"composite":{"sources":[{"x":{"terms":{"field":"_id"}}}]}}`,
	`{"terms":{"field":"k"},"aggs":{"g":{"global":{}}}}`, `{"matrix_stats":{"fields":["n"]}}`, `{"multi_terms":{"terms":[{"field":"tenant"}]}}`, `{}`,
}

var attackFields = []string{"tenant", "tenant.x", ".tenant", "_index", "_routing", "_seq_no", "_field_names", "_source.tenant", "_id._x", ""}

// place is a value in a JSON tree, and how to put another there.
type place struct {
	value any
	put   func(any)
}

func places(v any, put func(any), out []place) []place {
	out = append(out, place{v, put})
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = places(v[k], func(n any) { v[k] = n }, out)
		}
	case []any:
		for i, x := range v {
			out = places(x, func(n any) { v[i] = n }, out)
		}
	}
	return out
}

func decoded(t testing.TB, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

// Wherever a search may hold a query, an aggregation or the name of a field, and
// there are some hundred such places in the one above, none of the attacks may stand.
func TestPlantedAttacks(t *testing.T) {
	x := tenant(t, "acme")
	root := decoded(t, complete)
	taken := func() (string, bool) {
		b, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		_, err = x.Search(shared.Search{Body: b, SortID: func(int) {}})
		return string(b), err == nil
	}
	if _, ok := taken(); !ok {
		_, err := x.Search(shared.Search{Body: []byte(complete)})
		t.Fatalf("the search itself is refused: %v", err)
	}
	found := map[string]int{}
	for _, p := range places(root, func(any) {}, nil) {
		for _, kind := range []struct {
			name            string
			harmless, other any // what is taken there, and what is not, if it is such a place
			attacks         []any
		}{
			{"query", decoded(t, `{"match_none":{}}`), decoded(t, `{"nope":{}}`), all(t, attackQueries)},
			{"aggregation", decoded(t, `{"max":{"field":"n"}}`), decoded(t, `{"nope":{}}`), all(t, attackAggs)},
			{"field", "some.field", "_nope", words(attackFields)},
		} {
			p.put(kind.harmless)
			_, harmless := taken()
			p.put(kind.other)
			_, other := taken()
			if harmless && !other {
				found[kind.name]++
				for _, a := range kind.attacks {
					p.put(a)
					if body, ok := taken(); ok {
						t.Errorf("taken: %v in %s", a, body)
					}
				}
			}
			p.put(p.value)
		}
	}
	if found["query"] < 40 || found["aggregation"] < 15 || found["field"] < 30 {
		t.Errorf("the test found too few places: %v", found)
	}
}

func all(t *testing.T, texts []string) (out []any) {
	for _, s := range texts {
		out = append(out, decoded(t, s))
	}
	return out
}

func words(s []string) (out []any) {
	for _, w := range s {
		out = append(out, w)
	}
	return out
}

// Whatever a search is made of, each part of what is let through was understood: a
// key that nobody knows, in the place of any other, is refused, unless names are the
// client's own there.
func FuzzPlanted(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint16(seed*37), "script")
	}
	x := tenant(f, "acme")
	f.Fuzz(func(t *testing.T, seed uint64, at uint16, word string) {
		if !json.Valid([]byte(`"`+word+`"`)) || strings.ContainsAny(word, `\`) {
			return
		}
		root := decoded(t, complete)
		ps := places(root, func(any) {}, nil)
		r := rand.New(rand.NewPCG(seed, 1))
		for range 1 + r.IntN(3) {
			p := ps[(int(at)+r.IntN(4))%len(ps)]
			switch r.IntN(4) {
			case 0:
				p.put(decoded(t, attackQueries[r.IntN(len(attackQueries))]))
			case 1:
				p.put(decoded(t, attackAggs[r.IntN(len(attackAggs))]))
			case 2:
				p.put(word)
			default:
				p.put(map[string]any{word: p.value})
			}
		}
		b, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		out, err := x.Search(shared.Search{Body: b})
		if err != nil {
			return
		}
		var q struct {
			Query struct {
				Bool struct {
					Filter []json.RawMessage `json:"filter"`
				} `json:"bool"`
			} `json:"query"`
		}
		if err := json.Unmarshal(out, &q); err != nil || len(q.Query.Bool.Filter) != 1 || string(q.Query.Bool.Filter[0]) != `{"term":{"tenant":"acme"}}` {
			t.Fatalf("%s became %s, which is not narrowed", b, out)
		}
		// What these say cannot be confined, wherever they stand as a key of an object
		// with an object, and no client's name is in the seed.
		for _, never := range []string{`"script":{"script":`, `"script":"1"`, `"wrapper":{"query"`, `"has_child":{"type"`, `"percolate":{"field"`, `"indexed_shape":{"id"`, `"min_doc_count":0`, `"explain":true`, `"script_fields":{`, `"term":{"tenant":"other"}`} {
			if word != "script" && bytes.Contains(out, []byte(never)) {
				t.Fatalf("%s became %s, with %s", b, out, never)
			}
		}
	})
}

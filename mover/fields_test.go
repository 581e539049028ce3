package mover_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
)

// kinds are the kinds of fields that a bare OpenSearch has with the modules that it is
// shipped with: mapping, the value of a document, and a search that finds it and not the
// empty document. A vector needs the k-NN plugin, which is no module, and geo_shape the
// geo module, which the test engines lack.
var kinds = []struct{ name, mapping, value, query string }{
	{"nested", `{"type":"nested","properties":{"a":{"type":"keyword"},"b":{"type":"integer"}}}`, `[{"a":"x","b":1},{"a":"y","b":2}]`,
		`{"nested":{"path":"nested","query":{"bool":{"must":[{"term":{"nested.a":"y"}},{"term":{"nested.b":2}}]}}}}`},
	{"join", `{"type":"join","relations":{"parent":"child"}}`, `"parent"`, `{"has_child":{"type":"child","query":{"match_all":{}}}}`},
	{"geo_point", `{"type":"geo_point"}`, `{"lat":48.1,"lon":11.5}`, `{"geo_distance":{"distance":"1km","geo_point":"48.1,11.5"}}`},
	{"place", `{"properties":{"lon_lat":{"type":"geo_point","ignore_malformed":true}}}`, `{"lon_lat":[11.5,48.1]}`, `{"exists":{"field":"place.lon_lat"}}`},
	{"date_nanos", `{"type":"date_nanos"}`, `"2024-02-29T12:00:00.123456789Z"`, `{"range":{"date_nanos":{"gte":"2024-02-29T12:00:00.123456789Z","lt":"2024-02-29T12:00:00.123456790Z"}}}`},
	{"date", `{"type":"date","format":"yyyy/MM/dd||epoch_second"}`, `"2024/02/29"`, `{"term":{"date":"2024/02/29"}}`},
	{"flat", `{"type":"flat_object"}`, `{"any":{"thing":"x"},"n":1}`, `{"term":{"flat.any.thing":"x"}}`},
	{"alias", `{"type":"alias","path":"keyword"}`, ``, `{"term":{"alias":"K"}}`},
	{"keyword", `{"type":"keyword","normalizer":"low","fields":{"text":{"type":"text","analyzer":"porter"}}}`, `"k"`, `{"match":{"keyword.text":"k"}}`},
	{"text", `{"type":"text","analyzer":"porter","search_analyzer":"standard","term_vector":"with_positions_offsets","copy_to":"copied"}`, `"running dogs"`, `{"match_phrase":{"text":"run dog"}}`},
	{"copied", `{"type":"text"}`, ``, `{"match":{"copied":"running"}}`},
	{"match_only_text", `{"type":"match_only_text"}`, `"some words"`, `{"match":{"match_only_text":"words"}}`},
	{"search_as_you_type", `{"type":"search_as_you_type"}`, `"quick brown"`, `{"multi_match":{"query":"quick bro","type":"bool_prefix","fields":["search_as_you_type","search_as_you_type._2gram"]}}`},
	{"completion", `{"type":"completion"}`, `["sugar","salt"]`, `{"exists":{"field":"completion"}}`},
	{"token_count", `{"type":"token_count","analyzer":"standard"}`, `"a b c"`, `{"term":{"token_count":3}}`},
	{"wildcard", `{"type":"wildcard"}`, `"abcdef"`, `{"wildcard":{"wildcard":"*cde*"}}`},
	{"constant", `{"type":"constant_keyword","value":"c"}`, `"c"`, `{"bool":{"must":[{"term":{"constant":"c"}},{"term":{"keyword":"k"}}]}}`},
	{"long", `{"type":"long"}`, `9007199254740993`, `{"term":{"long":9007199254740993}}`},
	{"unsigned", `{"type":"unsigned_long"}`, `18446744073709551615`, `{"term":{"unsigned":18446744073709551615}}`},
	{"double", `{"type":"double"}`, `0.1`, `{"term":{"double":0.1}}`},
	{"half", `{"type":"half_float"}`, `1.5`, `{"term":{"half":1.5}}`},
	{"scaled", `{"type":"scaled_float","scaling_factor":100}`, `12.34`, `{"term":{"scaled":12.34}}`},
	{"boolean", `{"type":"boolean","null_value":true}`, `null`, `{"term":{"boolean":true}}`},
	{"ip", `{"type":"ip"}`, `"2001:db8::1"`, `{"term":{"ip":"2001:db8::/32"}}`},
	{"binary", `{"type":"binary","doc_values":true}`, `"AQID"`, `{"exists":{"field":"binary"}}`},
	{"span", `{"type":"integer_range"}`, `{"gte":1,"lt":5}`, `{"term":{"span":4}}`},
	{"ip_range", `{"type":"ip_range"}`, `"10.0.0.0/8"`, `{"term":{"ip_range":"10.1.2.3"}}`},
	{"rank_feature", `{"type":"rank_feature"}`, `2.5`, `{"rank_feature":{"field":"rank_feature"}}`},
	{"rank_features", `{"type":"rank_features"}`, `{"a":2.5}`, `{"rank_feature":{"field":"rank_features.a"}}`},
	{"disabled", `{"type":"object","enabled":false}`, `{"a":"2024-01-01","b":[{"c":1},"x"]}`, ``},
	{"templated", ``, `{"t_word":"x y","t_other":1}`, `{"match":{"templated.t_word":"y"}}`},
	{"dynamic", ``, `{"deep":[{"day":"2024-01-01"}]}`, `{"range":{"dynamic.deep.day":{"lt":"2024-01-02"}}}`},
}

// percolator is a module of the 2.x test engine only.
var percolator = struct{ name, mapping, value, query string }{"stored", `{"type":"percolator"}`, `{"match":{"text":"dog"}}`, `{"percolate":{"field":"stored","document":{"text":"dogs"}}}`}

// Every kind of field moves: the mapping and each document are the same at the target,
// and a search of each kind finds the same there. All documents need a routing.
func TestFieldsOfEveryKind(t *testing.T) {
	for _, pair := range [][2]string{{engines.OpenSearch2, engines.OpenSearch2}, {engines.OpenSearch3, engines.OpenSearch3}, {engines.OpenSearch2, engines.OpenSearch3}} {
		t.Run(pair[0]+" to "+pair[1], func(t *testing.T) {
			all := kinds
			if pair == [2]string{engines.OpenSearch2, engines.OpenSearch2} {
				all = append(all[:len(all):len(all)], percolator)
			}
			properties, values := map[string]json.RawMessage{}, map[string]json.RawMessage{}
			for _, k := range all {
				if k.mapping != "" {
					properties[k.name] = json.RawMessage(k.mapping)
				}
				if k.value != "" {
					values[k.name] = json.RawMessage(k.value)
				}
			}
			mapped, err := json.Marshal(properties)
			if err != nil {
				t.Fatal(err)
			}
			full, err := json.Marshal(values)
			if err != nil {
				t.Fatal(err)
			}
			r := newRigOn(t, enginetest.SharedOpenSearch(t, pair[0]), enginetest.SharedOpenSearch(t, pair[1]), `{
				"settings":{"number_of_shards":2,"number_of_replicas":0,"analysis":{
					"analyzer":{"porter":{"tokenizer":"words","filter":["lowercase","porter_stem"]}},
					"tokenizer":{"words":{"type":"pattern","pattern":"\\W+"}},
					"normalizer":{"low":{"type":"custom","filter":["lowercase"]}}}},
				"mappings":{"_routing":{"required":true},"_meta":{"of":"the tenant"},"numeric_detection":true,
					"dynamic_templates":[{"t":{"match":"t_*","mapping":{"type":"text","analyzer":"porter"}}}],
					"properties":`+string(mapped)+`}}`)
			put := func(id, routing, body string) gate.DocRef {
				r.call(r.src, "PUT", "/"+r.a+"/_doc/"+id, "refresh=true&routing="+routing, body, nil)
				return ref(id, routing)
			}
			put("full", "r1", string(full))
			put("empty", "r2", `{}`)
			put("child", "r1", `{"join":{"name":"child","parent":"full"}}`)
			m := r.taken(nil)
			r.copyAll(m)
			r.apply(m, put("full2", "r1", string(full)), put("child2", "r1", `{"join":{"name":"child","parent":"full2"},"dynamic":{"later":[1.5]}}`))
			r.sealed(m)
			r.sameMappings(m, 5)
			r.call(r.dst, "POST", "/"+r.b+"/_refresh", "", "", nil)
			for _, id := range []string{"full", "child", "full2", "child2"} {
				if a, b := r.get(r.src, r.a, id, "r1"), r.get(r.dst, r.b, id, "r1"); !a.Found || string(a.Source) != string(b.Source) || a.Version != b.Version || b.Routing != "r1" {
					t.Errorf("%s: %+v at the source, %+v at the target", id, a, b)
				}
			}
			for _, k := range all {
				if k.query == "" {
					continue
				}
				a, b := r.found(r.src, r.a, k.query), r.found(r.dst, r.b, k.query)
				if d := cmp.Diff(a, b); d != "" || len(a) != 2 {
					t.Errorf("%s: a search finds %v at the source, %v at the target", k.name, a, b)
				}
			}
			if code := r.try(r.dst, "PUT", "/"+r.b+"/_doc/unrouted", `{}`); code != 400 {
				t.Errorf("a document without a routing at the target: %d", code)
			}
		})
	}
}

// found are the ids that a search finds, with their routings.
func (r *rig) found(c *upstream.Client, index, query string) (ids []string) {
	r.t.Helper()
	var ans struct {
		Hits struct {
			Hits []struct {
				ID      string `json:"_id"`
				Routing string `json:"_routing"`
			}
		}
	}
	r.call(c, "POST", "/"+index+"/_search", "", fmt.Sprintf(`{"query":%s,"sort":["_id"]}`, query), &ans)
	for _, h := range ans.Hits.Hits {
		ids = append(ids, h.ID+" "+h.Routing)
	}
	return ids
}

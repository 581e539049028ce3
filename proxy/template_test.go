package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
)

// A search by template is answered as by the cluster itself.
func TestTemplates(t *testing.T) {
	r, u := engine(t)
	for i := range 5 {
		r.do("PUT", fmt.Sprintf("/docs/_doc/%d?refresh=true", i), fmt.Sprintf(`{"n":%d,"t":"word"}`, i)).want(t, 201)
	}
	send(t, u, "PUT", "/foreign/_doc/1?refresh=true", `{"n":1}`)
	const bySize = `{"source":{"size":"{{size}}","query":{"range":{"n":{"gte":"{{from}}"}}},"sort":["n"]},"params":{"size":2,"from":1}`
	text := `{"source":"{\"query\":{\"terms\":{\"n\":{{#toJson}}ns{{/toJson}}}}, \"sort\":[\"n\"] {{#all}}, \"size\":100{{/all}} }","params":{"ns":[1,3],"all":true}}`
	for _, c := range [][3]string{
		{"POST", "/INDEX/_search/template?filter_path=hits.total", text}, {"GET", "/_render/template", bySize + "}"}, {"POST", "/_render/template", text},
		{"POST", "/INDEX/_search/template", `{"source":{"query":{"nope":{}}}}`}, {"POST", "/INDEX/_search/template", `{"source":"{{#toJson}}x"}`},
		{"POST", "/INDEX/_msearch/template", "{}\n" + bySize + "}\n{\"index\":\"INDEX\"}\n" + text + "\n"},
	} {
		r.alike(t, u, c[0], c[1], c[2])
	}
	for _, body := range []string{bySize + "}", bySize + `,"explain":false}`, text, `{"source":{"query":{"term":{"_index":"INDEX"}}}}`} {
		direct := send(t, u, "POST", "/acme-1/_search/template", strings.ReplaceAll(body, "INDEX", "acme-1")).want(t, 200)
		got := r.do("POST", "/docs/_search/template", strings.ReplaceAll(body, "INDEX", "docs")).want(t, 200)
		// The answer is that of a search, which does not repeat its status.
		want := varies.ReplaceAllString(strings.ReplaceAll(strings.TrimSuffix(direct.raw, `,"status":200}`)+"}", "acme-1", "docs"), "~")
		if have := varies.ReplaceAllString(got.raw, "~"); have != want {
			t.Errorf("%s\n direct: %s\nthrough: %s", body, want, have)
		}
	}
	r.do("GET", "/docs/_search/template?typed_keys=true&rest_total_hits_as_int=true", bySize+`,"explain":true}`).want(t, 200, "hits/total", "4", "hits/hits/0/_explanation/value", "1.0", "hits/hits/0/_shard", "[docs][0]")
	a := r.do("POST", "/docs/_search/template", bySize+`,"profile":true}`).want(t, 200, "hits/total/value", "4")
	if a.at("profile/shards") == nil {
		t.Errorf("not profiled: %s", a.raw)
	}
	r.do("POST", "/_search/template", bySize+"}").want(t, 200, "hits/hits/0/_id", "1", "hits/hits/1/_index", "docs")

	// What it becomes is checked as any search is.
	r.do("POST", "/docs/_search/template", `{"source":{"query":{"terms":{"n":{"index":"{{i}}","id":"1","path":"n"}}}},"params":{"i":"foreign"}}`).want(t, 400, "error/type", "sluice_foreign_index")
	r.do("POST", "/foreign/_search/template", bySize+"}").want(t, 404, "error/type", "index_not_found_exception")
	r.do("POST", "/_msearch/template", "{\"index\":\"foreign\"}\n"+text+"\n").want(t, 404, "error/type", "index_not_found_exception")
	r.do("POST", "/docs/_search/template", `{"id":"stored","params":{}}`).want(t, 400, "error/type", "sluice_unsupported")
	r.do("POST", "/docs/_msearch/template", "{}\n{\"id\":\"stored\"}\n").want(t, 400, "error/type", "sluice_unsupported")
	r.do("GET", "/_render/template/stored", "").want(t, 400, "error/type", "sluice_unsupported")
	for _, body := range []string{"", "[]", "null", `{"params":{}}`, `{"source":{},"lang":"x"}`, `{"source":{},"explain":"x"}`, `{"source":"{\"size\":1} , \"x\" "}`, `{"source":"no json"}`} {
		if a := r.do("POST", "/docs/_search/template", body); a.status != 400 {
			t.Errorf("%s: %d %s", body, a.status, a.raw)
		}
	}
	// Tags that the cluster would read a file for are refused, however they are written.
	for _, source := range []string{
		`"{{>log4j2.properties}}"`, `"{\"a\":\"{{ \n > log4j2.properties}}\"}"`, `"\u007b{\u003e log4j2.properties}}"`, `{"a":{"b":["{{>log4j2.properties}}"]}}`, `{"{{<log4j2.properties}}{{/log4j2.properties}}":1}`, `"{{=<% %>=}}<%>log4j2.properties%>"`, `"{{{> x}}}"`,
		`"{{\u00a0>x}}"`, `"{{\u0000>x}}"`, `"{{! {{>x}} }}"`,
	} {
		r.do("POST", "/_render/template", `{"source":`+source+`}`).want(t, 403, "error/type", "sluice_not_allowed")
		r.do("POST", "/docs/_search/template", `{"source":`+source+`}`).want(t, 403, "error/type", "sluice_not_allowed")
		r.do("POST", "/docs/_msearch/template", "{}\n{\"source\":"+source+"}\n").want(t, 403, "error/type", "sluice_not_allowed")
	}
	r.do("POST", "/_render/template", "{\"source\":\"\xc1\xbb\xc1\xbb>x}}\"}").want(t, 400)
	r.do("POST", "/_render/template", `{"source":"{\"a\":\"{{x}}> {{{y}}} {{^z}}={{/z}}\"}","params":{"x":"{{>log4j2.properties}}","y":1}}`).want(t, 200, "template_output/a", "{{>log4j2.properties}}> 1 =")
	r.do("POST", "/docs/_search", `{"suggest":{"s":{"text":"x","phrase":{"field":"t","collate":{"query":{"source":"{{>log4j2.properties}}"}}}}}}`).want(t, 400, "error/type", "sluice_unsupported")
	r.do("POST", "/docs/_msearch/template", strings.Repeat("{}\n{\"source\":{}}\n", 1001)).want(t, 400, "error/type", "sluice_unsupported")

	// A point in time in it leads where that was opened.
	pit := r.do("POST", "/docs/_search/point_in_time?keep_alive=1m", "").want(t, 200).at("pit_id")
	r.do("POST", "/_search/template", fmt.Sprintf(`{"source":{"pit":{"id":"{{pit}}"}},"params":{"pit":%q}}`, pit)).want(t, 200, "hits/total/value", "5", "hits/hits/0/_index", "docs")
}

// In a shared index a template can say whatever it likes: what it becomes is
// confined to its tenant, or refused.
func TestSharedTemplates(t *testing.T) {
	r, _ := sharing(t)
	r.fill(t)
	r.do("POST", "/docs/_search/template", `{"source":{"query":{"query_string":{"query":"{{q}}","default_field":"t"}},"size":50},"params":{"q":"word OR theirs OR *:*"}}`).
		want(t, 200, "hits/total/value", "12", "hits/hits/0/_index", "docs").clean(t)
	r.do("POST", "/_msearch/template", "{}\n{\"source\":{\"query\":{\"match_all\":{}}}}\n{\"index\":\"docs\"}\n{\"source\":\"{\\\"query\\\":{\\\"bool\\\":{\\\"must_not\\\":{\\\"match_none\\\":{}}}}}\"}\n").
		want(t, 200, "responses/0/hits/total/value", "12", "responses/1/hits/total/value", "12", "responses/1/hits/hits/0/_index", "docs").clean(t)
	r.do("POST", "/_render/template", `{"source":{"size":"{{n}}"},"params":{"n":3}}`).want(t, 200, "template_output/size", "3")
	for _, body := range []string{
		`{"source":{"aggs":{"g":{"global":{}}}}}`, `{"source":"{\"aggs\":{\"g\":{\"{{a}}\":{}}}}","params":{"a":"global"}}`, `{"source":{"query":{"match_all":{}}},"explain":true}`,
		`{"source":{"query":{"match_all":{}}},"profile":true}`, `{"source":"{\"size\":1,\"size\":2}"}`, `{"source":{"query":{"term":{"tenant":"other"}}}}`, `{"id":"x"}`, `{"source":"{{#toJson}}"}`,
	} {
		if a := r.do("POST", "/docs/_search/template", body).clean(t); a.status != 400 {
			t.Errorf("%s: %d %s", body, a.status, a.raw)
		}
	}
	r.as(placement.PartitionID("other"), "POST", "/_search/template", `{"source":{}}`).want(t, 200, "hits/total/value", "30")
}

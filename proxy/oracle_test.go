package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// crowd is acme with four documents among hundreds of another tenant's, whose
// words are nearer to whatever acme may ask for than acme's own, on version.
func crowd(t *testing.T, version string) (*rig, string) {
	t.Helper()
	u := enginetest.SharedOpenSearch(t, version).URL()
	send(t, u, "DELETE", "/"+pool.Index, "")
	send(t, u, "PUT", "/"+pool.Index, poolMapping).want(t, 200)
	r := newRig(t, u, u, nil)
	r.register(acme, pool)
	r.register(other, pool)
	r.do("POST", "/docs/_bulk?refresh=true", `{"index":{"_id":"1"}}
{"k":"zebra1","t":"alpha zebra","n":1,"d":"2020-01-01"}
{"index":{"_id":"2"}}
{"k":"zebra2","t":"alpha zobro","n":2,"d":"2020-02-01"}
{"index":{"_id":"3","routing":"x"}}
{"k":"zebra3","t":"beta zebru","n":3,"d":"2020-03-01"}
{"index":{"_id":"4","routing":"y"}}
{"k":"zebra4","t":"beta zabra","n":4,"d":"2020-04-01"}
`).want(t, 200, "errors", false)
	var b strings.Builder
	for i := range 1300 { // more than the clauses that a query may have
		fmt.Fprintf(&b, `{"index":{"_id":"%d","routing":"r%d"}}`+"\n"+`{"k":"zebr%d","t":"alpha zebr%c%c zeb%04d theirs","n":%d,"d":"20%02d-01-01"}`+"\n", i, i%9, i, 'a'+i%26, 'a'+i/26%26, i, i+1000, 30+i%60)
	}
	r.as(other, "POST", "/docs/_bulk?refresh=true", b.String()).want(t, 200, "errors", false)
	return r, u
}

// Nothing that the other tenant has changes what acme is answered: not which of
// its documents it finds, and not whether a request fails.
func TestSharedOracles(t *testing.T) {
	for _, version := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(version, func(t *testing.T) {
			r, u := crowd(t, version)
			for _, c := range []struct{ query, ids string }{
				{`{"fuzzy":{"k":{"value":"zebr11","fuzziness":2}}}`, "1 2 3 4"}, {`{"fuzzy":{"t":"zebro"}}`, "1 2 3"}, {`{"match":{"t":{"query":"zebro","fuzziness":"AUTO"}}}`, "1 2 3"},
				{`{"match":{"t":{"query":"beta zebro","operator":"and","fuzziness":2}}}`, "3 4"}, {`{"multi_match":{"query":"zebro","fields":["t"],"fuzziness":2}}`, "1 2 3 4"}, {`{"match_bool_prefix":{"t":"alpha zeb"}}`, "1 2 3"},
				{`{"match_bool_prefix":{"t":{"query":"zebro be","fuzziness":1,"operator":"and"}}}`, "3"}, {`{"prefix":{"k":"zeb"}}`, "1 2 3 4"}, {`{"prefix":{"t":{"value":"zeb","rewrite":"constant_score"}}}`, "1 3"},
				{`{"wildcard":{"t":"z?b*"}}`, "1 2 3 4"}, {`{"regexp":{"t":"ze.+"}}`, "1 3"}, {`{"query_string":{"query":"ze*","default_field":"t"}}`, "1 3"}, {`{"query_string":{"query":"/z[eo]b.*/ AND beta","default_field":"t"}}`, "3"},
				{`{"query_string":{"query":"z*","default_field":"t","analyze_wildcard":true}}`, "1 2 3 4"}, {`{"simple_query_string":{"query":"ze*","fields":["t"]}}`, "1 3"}, {`{"multi_match":{"query":"alpha zeb","fields":["t"],"type":"bool_prefix"}}`, "1 2 3"},
				{`{"range":{"t":{"gte":"zebb"}}}`, "1 2 3"}, {`{"match":{"t":{"query":"alpha theirs","minimum_should_match":1}}}`, "1 2"},
			} {
				a := r.do("POST", "/docs/_search?filter_path=hits.hits._id,error", `{"sort":["_id"],"query":`+c.query+`}`).want(t, 200).clean(t)
				var ids []string
				for i := 0; a.at(fmt.Sprintf("hits/hits/%d/_id", i)) != nil; i++ {
					ids = append(ids, a.str(fmt.Sprintf("hits/hits/%d/_id", i)))
				}
				if got := strings.Join(ids, " "); got != c.ids {
					t.Errorf("%s finds [%s], want [%s]", c.query, got, c.ids)
				}
			}
			// Which shards have to be asked depends on the largest date of any tenant.
			direct := `{"query":{"bool":{"must":[{"range":{"d":{"gte":"%s"}}}],"filter":[{"term":{"tenant":"acme"}}]}}}`
			for date, skipped := range map[string]string{"2050-01-01": "0", "2150-01-01": "2"} {
				send(t, u, "POST", "/pool-1/_search?pre_filter_shard_size=1", fmt.Sprintf(direct, date)).want(t, 200, "_shards/skipped", skipped)
			}
			for _, body := range []string{`{"query":{"range":{"d":{"gte":"2050-01-01"}}}}`, `{"query":{"range":{"d":{"gte":"2150-01-01"}}}}`, `{"sort":[{"d":"desc"}],"query":{"range":{"d":{"gte":"2150-01-01"}}}}`,
				`{"sort":["n"],"search_after":[5000],"track_total_hits":false}`, `{"sort":["n"],"search_after":[500],"track_total_hits":false}`} {
				r.do("POST", "/docs/_search?pre_filter_shard_size=1", body).want(t, 200, "_shards/skipped", "0", "_shards/total", "3", "hits/hits/0", nil).clean(t)
			}
			// The limits on words that OpenSearch takes of all tenants' are refused, not met.
			for _, query := range []string{
				`{"fuzzy":{"k":{"value":"zebr11","max_expansions":2}}}`, `{"match":{"t":{"query":"zebro","fuzziness":2,"max_expansions":2}}}`, `{"prefix":{"k":{"value":"zeb","rewrite":"scoring_boolean"}}}`, `{"prefix":{"k":{"value":"zeb","rewrite":"top_terms_2"}}}`,
				`{"match_phrase_prefix":{"t":"alpha ze"}}`, `{"query_string":{"query":"zebro~","default_field":"t"}}`, `{"simple_query_string":{"query":"zebro~2","fields":["t"]}}`, `{"intervals":{"t":{"prefix":{"prefix":"ze"}}}}`, `{"span_multi":{"match":{"prefix":{"t":"ze"}}}}`,
			} {
				r.do("POST", "/docs/_search", `{"query":`+query+`}`).want(t, 400, "error/type", "sluice_shared_index").clean(t)
			}
			// A point in time, and a page behind an id.
			pit := r.do("POST", "/docs/_search/point_in_time?keep_alive=1m", "").want(t, 200).str("pit_id")
			r.do("POST", "/_search", `{"pit":{"id":"`+pit+`"},"size":2,"sort":["_id"],"search_after":["1"]}`).want(t, 200, "hits/hits/0/_id", "2", "hits/hits/1/sort/0", "3", "hits/total/value", "4").clean(t)
			r.do("GET", "/docs/_search?sort=_id:desc&size=1", "").want(t, 200, "hits/hits/0/sort/0", "4").clean(t)
			r.do("DELETE", "/_search/point_in_time", `{"pit_id":"`+pit+`","pit_id":"`+pit+`"}`).want(t, 400, "error/type", "parsing_exception")
			r.do("DELETE", "/_search/point_in_time", `{"pit_id":"`+pit+`"}`).want(t, 200)
			r.do("POST", "/docs/_bulk", `{"update":{"_id":"1","_source":{"includes":["k"],"includes":["n"]}}}`+"\n"+`{"doc":{}}`+"\n").want(t, 200, "items/0/update/status", "400", "items/0/update/error/type", "parsing_exception")
		})
	}
}

package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
)

// Sequence numbers start anew on every cluster, so the token of a document that was
// read before its tenant moved may fit another version of it afterwards. It does so
// here, when the cluster is asked directly; through the proxy it fits in no request
// that takes tokens, and the tokens of every answer that shows them fit.
func TestTokensAcrossAMove(t *testing.T) {
	for _, to := range []placement.Placement{placeB, pool} {
		t.Run(string(to.Kind), func(t *testing.T) { tokensAcrossAMove(t, to) })
	}
}

func tokensAcrossAMove(t *testing.T, to placement.Placement) {
	r, u := engine(t)
	send(t, u, "DELETE", "/"+pool.Index, "")
	send(t, u, "PUT", "/"+pool.Index, strings.Replace(poolMapping, `"number_of_shards":3`, `"number_of_shards":1`, 1)).want(t, 200)
	old := r.do("PUT", "/docs/_doc/1", `{"n":1}`).want(t, 201, "_seq_no", "0", "_primary_term", "1")
	// At the target the same sequence number is of a later version.
	path := "/" + to.Index + "/_doc/1?refresh=true"
	later := func(n int) string { return fmt.Sprintf(`{"n":%d}`, n) }
	if to.Kind == placement.SharedIndex {
		path = "/" + to.Index + "/_doc/acme:1?routing=acme:&refresh=true"
		later = func(n int) string { return fmt.Sprintf(`{"n":%d,"tenant":"acme"}`, n) }
	}
	send(t, u, "PUT", path+"&version=7&version_type=external", later(7)).want(t, 201, "_seq_no", "0", "_primary_term", "1")
	for _, op := range []placement.Op{placement.OpBegin, placement.OpCutover, placement.OpComplete} {
		cmd := placement.Command{Op: op, Attempt: placement.Attempt{Move: "m", Number: 1}}
		if op == placement.OpBegin {
			cmd.To = to
		}
		if _, err := r.store.Apply(t.Context(), acme, cmd); err != nil {
			t.Fatal(err)
		}
	}
	token := "if_seq_no=" + old.str("_seq_no") + "&if_primary_term=" + old.str("_primary_term")
	members := `"if_seq_no":` + old.str("_seq_no") + `,"if_primary_term":` + old.str("_primary_term")
	const conflict = "version_conflict_engine_exception"
	r.do("PUT", "/docs/_doc/1?"+token, `{"n":0}`).want(t, 409, "error/type", conflict)
	r.do("POST", "/docs/_update/1?"+token, `{"doc":{"n":0}}`).want(t, 409, "error/type", conflict)
	r.do("POST", "/docs/_update/1", `{"doc":{"n":0},`+members+`}`).want(t, 409, "error/type", conflict)
	r.do("POST", "/docs/_update/1", `{"if_primary_term":"1","if_seq_no":"0","doc":{"n":0,"if_primary_term":5}}`).want(t, 409, "error/type", conflict)
	r.do("POST", "/docs/_update/1", `{"doc":{"t":"`+strings.Repeat("x", 2<<20)+`"},`+members+`}`).want(t, 409, "error/type", conflict)
	r.do("DELETE", "/docs/_doc/1?"+token, "").want(t, 409, "error/type", conflict)
	bulk := r.do("POST", "/docs/_bulk", strings.Join([]string{
		`{"index":{"_id":"1",` + members + `}}`, `{"n":0}`, `{"delete":{"_id":"1",` + members + `}}`, `{"update":{"_id":"1",` + members + `}}`, `{"doc":{"n":0}}`,
		`{"update":{"_id":"1"}}`, `{"doc":{"n":0},` + members + `}`, `{"update":{"_id":"1"}}`, `{"doc":{"if_primary_term":1}}`,
	}, "\n")+"\n").want(t, 200, "errors", true, "items/4/update/status", "200")
	for i, verb := range []string{"index", "delete", "update", "update"} {
		if at := fmt.Sprintf("items/%d/%s/", i, verb); bulk.at(at+"status") != "409" || bulk.at(at+"error/type") != conflict || bulk.at(at+"_id") != "1" {
			t.Errorf("item %d: %s", i, bulk.raw)
		}
	}
	r.do("GET", "/docs/_doc/1", "").want(t, 200, "_source/n", "7", "_source/if_primary_term", "1")
	tokensFit(t, r, to)

	// What would have happened: directly, the old token fits what it was not given for.
	send(t, u, "DELETE", "/"+to.Index, "").want(t, 200)
	send(t, u, "PUT", "/"+to.Index, `{"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`).want(t, 200)
	send(t, u, "PUT", path+"&version=7&version_type=external", later(7)).want(t, 201, "_seq_no", "0")
	send(t, u, "PUT", path+"&"+token, later(0)).want(t, 200, "_version", "8")
}

// tokensFit takes the token of document 1 from each answer that shows it, and writes
// with it by each request that takes one.
func tokensFit(t *testing.T, r *rig, at placement.Placement) {
	t.Helper()
	type shows struct{ method, path, body, at string }
	with := `"seq_no_primary_term":true,"query":{"ids":{"values":["1"]}}`
	sources := []shows{
		{"GET", "/docs/_doc/1", "", ""}, {"POST", "/docs/_mget", `{"ids":["1"]}`, "docs/0/"}, {"POST", "/docs/_search", "{" + with + "}", "hits/hits/0/"}, {"POST", "/docs/_search?scroll=1m", "{" + with + "}", "hits/hits/0/"},
		{"POST", "/_msearch", "{}\n{" + with + "}\n", "responses/0/hits/hits/0/"}, {"POST", "/docs/_search", `{"aggs":{"sort":{"top_hits":{"seq_no_primary_term":true}}}}`, "aggregations/sort/hits/hits/0/"},
		{"POST", "/docs/_update/1", `{"doc":{"m":MANY},"_source":true}`, ""}, {"POST", "/docs/_update/1", `{"doc":{"m":MANY},"_source":true}`, "get/"}, {"PUT", "/docs/_doc/1", `{"n":MANY}`, ""},
		{"POST", "/docs/_bulk", "{\"index\":{\"_id\":\"1\"}}\n{\"n\":MANY}\n", "items/0/index/"},
	}
	if at.Kind == placement.DedicatedIndex {
		sources = append(sources,
			shows{"GET", "/docs/_explain/1?_source=true", `{"query":{"match_all":{}}}`, "get/"},
			shows{"POST", "/docs/_search", `{"aggs":{"hits":{"filter":{"match_all":{}},"aggs":{"fields":{"top_hits":{"seq_no_primary_term":true}}}}}}`, "aggregations/hits/fields/hits/hits/0/"},
			shows{"POST", "/docs/_search", `{` + with + `,"collapse":{"field":"n","inner_hits":{"name":"fields","seq_no_primary_term":true}}}`, "hits/hits/0/inner_hits/fields/hits/hits/0/"})
	}
	many := 0
	token := func(s shows) (seq, term string) {
		t.Helper()
		many++
		r.do("POST", "/docs/_refresh", "").want(t, 200)
		a := r.do(s.method, s.path, strings.ReplaceAll(s.body, "MANY", fmt.Sprint(many))).want(t, 200)
		if seq, term = a.str(s.at+"_seq_no"), a.str(s.at+"_primary_term"); term != fmt.Sprint(1<<32+1) || seq == "" {
			t.Errorf("%s %s shows %s/%s: %s", s.method, s.path, seq, term, a.raw)
		}
		return seq, term
	}
	for _, s := range sources {
		seq, term := token(s)
		r.do("PUT", "/docs/_doc/1?if_seq_no="+seq+"&if_primary_term="+term, `{"n":0}`).want(t, 200, "result", "updated")
	}
	get := sources[0]
	takes := []func(seq, term string) reply{
		func(seq, term string) reply {
			return r.do("POST", "/docs/_update/1?if_seq_no="+seq+"&if_primary_term="+term, `{"doc":{"n":50}}`)
		},
		func(seq, term string) reply {
			return r.do("POST", "/docs/_update/1", `{"doc":{"n":51},"if_seq_no":`+seq+`,"if_primary_term":`+term+`}`)
		},
		func(seq, term string) reply {
			return r.do("POST", "/docs/_update/1", `{"doc":{"t":"`+strings.Repeat("x", 2<<20)+`"},"if_seq_no":"`+seq+`","if_primary_term":"`+term+`"}`)
		},
		func(seq, term string) reply {
			return r.do("POST", "/docs/_bulk", `{"update":{"_id":"1"}}`+"\n"+`{"doc":{"n":52},"if_seq_no":`+seq+`,"if_primary_term":`+term+`}`+"\n").want(t, 200, "errors", false)
		},
		func(seq, term string) reply {
			return r.do("POST", "/docs/_bulk", `{"index":{"_id":"1","if_seq_no":`+seq+`,"if_primary_term":`+term+`}}`+"\n"+`{"n":53}`+"\n").want(t, 200, "errors", false)
		},
		func(seq, term string) reply {
			return r.do("DELETE", "/docs/_doc/1?if_seq_no="+seq+"&if_primary_term="+term, "")
		},
	}
	for i, take := range takes {
		if a := take(token(get)); a.status != 200 {
			t.Errorf("write %d: %d %s", i, a.status, a.raw)
		}
	}
}

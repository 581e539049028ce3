package proxy_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/tenancy"
)

// stored is what the shared index holds of a document.
type stored struct {
	ID      string          `json:"_id"`
	Routing string          `json:"_routing"`
	SeqNo   int64           `json:"_seq_no"`
	Source  json.RawMessage `json:"_source"`
}

// holds reads the whole shared index at the cluster. Every document in it must be
// one tenant's by each of its marks.
func holds(t *testing.T, u string) map[placement.PartitionID]map[string]stored {
	t.Helper()
	send(t, u, "POST", "/pool-1/_refresh", "").want(t, 200)
	a := send(t, u, "POST", "/pool-1/_search", `{"size":10000,"seq_no_primary_term":true}`).want(t, 200)
	var answer struct {
		Hits struct {
			Hits []stored `json:"hits"`
		} `json:"hits"`
	}
	if err := json.Unmarshal([]byte(a.raw), &answer); err != nil {
		t.Fatal(err)
	}
	out := map[placement.PartitionID]map[string]stored{}
	for _, d := range answer.Hits.Hits {
		var source map[string]json.RawMessage
		var owner placement.PartitionID
		if err := json.Unmarshal(d.Source, &source); err != nil || json.Unmarshal(source["tenant"], &owner) != nil {
			t.Fatalf("whose is %s? %s", d.ID, d.Source)
		}
		if !strings.HasPrefix(d.ID, string(owner)+":") || !strings.HasPrefix(d.Routing, string(owner)+":") {
			t.Errorf("a document of %s has the _id %q and the routing %q", owner, d.ID, d.Routing)
		}
		if out[owner] == nil {
			out[owner] = map[string]stored{}
		}
		out[owner][d.ID] = d
	}
	return out
}

// writeAttack is a request that would write to another tenant, or as one, if any of
// its parts did.
func (g generator) writeAttack() (method, path, body string) {
	id := g.pick("1", "2", "only", "other:1", "acme:1", "../other:1", "other~3a1", "a b", "é", "\x00", "x,other:1")
	doc := g.pick(`{"n":1}`, `{"tenant":"other"}`, `{"\u0074enant":"other"}`, `{"tenant.x":"other"}`, `{".tenant":"other"}`, `{"tenant.":"other"}`, `{"n":1,"n":2}`, `{"o":{"tenant":"other"}}`, `{"o":{"a":1,"a":2}}`, `{"tenant ":"other"}`,
		"\xef\xbb\xbf{}", `{"_id":"other:1"}`, `{"_routing":"other:"}`, `{"_index":"pool-1"}`, `{"n":"theirs"}`, `[]`, `null`, `{"tenant":null}`, `{"n":1}{"tenant":"other"}`, "{\"\\u0000tenant\":1}", `{"items":[{"tenant":"other","k":"x"}]}`, "{\"k\":\"\xff\"}")
	if g.IntN(2) == 0 {
		doc = `{"n":1,"k":"k1"}`
	}
	params := url.Values{}
	for range max(g.IntN(4)-1, 0) {
		kv := strings.SplitN(g.pick("routing=x", "routing=other:", "routing=", "routing=other:1,x", "pipeline=evil", "pipeline=_none", "refresh=true", "require_alias=true", "require_alias=false", "op_type=create", "version=9&version_type=external",
			"if_seq_no=0&if_primary_term=1", "_routing=other:", "parent=x", "index=pool-1", "id=other:1", "timeout=5s", "filter_path=-_id", "error_trace=true"), "&", 2)
		for _, p := range kv {
			k, v, _ := strings.Cut(p, "=")
			params.Set(k, v)
		}
	}
	index := g.pick("docs", "docs", "docs", "docs", "pool-1", "docs,pool-1", "_all", "*")
	escaped := url.PathEscape(id)
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	update := func() string {
		return g.pick(`{"doc":`+doc+`}`, `{"doc":`+doc+`,"doc_as_upsert":true}`, `{"doc":{},"upsert":`+doc+`}`, `{"script":"ctx._source.tenant='other'"}`, `{"script":{"source":"ctx._id='other:1'"},"upsert":{}}`, `{"scripted_upsert":true,"upsert":`+doc+`}`,
			`{"doc":{"n":2},"doc":`+doc+`}`, `{"doc":{"n":2},"_source":true}`, `{"n":1}`, `{"upsert":`+doc+`}`)
	}
	switch g.IntN(9) {
	case 0, 1:
		method, path, body = "PUT", "/"+index+"/"+g.pick("_doc", "_create")+"/"+escaped, doc
	case 2:
		method, path, body = "POST", "/"+index+"/_doc", doc
	case 3:
		method, path, body = "POST", "/"+index+"/_update/"+escaped, update()
	case 4:
		method, path = "DELETE", "/"+index+"/_doc/"+escaped
	case 5:
		method, path = "POST", "/"+index+"/"+g.pick("_delete_by_query", "_update_by_query")
		body = g.pick(`{"query":{"match_all":{}}}`, `{"query":{"bool":{"must_not":[{"term":{"k":"k1"}}]}}}`, `{"query":{"term":{"tenant":"other"}}}`, `{"query":{"match_all":{}},"query":{"match_none":{}}}`, `{"query":{"ids":{"values":["other:1","1"]}}}`,
			`{"query":{"match_all":{}},"script":{"source":"ctx._source.tenant='other'"}}`, `{"query":{"match_all":{}},"slice":{"id":0,"max":2}}`)
		for k := range params {
			if k != "routing" && k != "pipeline" && k != "refresh" {
				params.Del(k)
			}
		}
		if params.Get("refresh") == "" && g.IntN(2) == 0 {
			params.Set("slices", "3")
		}
	default:
		method, path = g.pick("POST", "PUT"), "/_bulk"
		if index == "docs" {
			path = "/docs/_bulk"
		}
		for range 1 + g.IntN(4) {
			meta := `"_id":` + quoted(id)
			for range max(g.IntN(4)-1, 0) {
				meta += "," + g.pick(`"_index":`+quoted(index), `"routing":"other:"`, `"routing":"x"`, `"_routing":"other:"`, `"pipeline":"evil"`, `"require_alias":true`, `"op_type":"create"`, `"_id":"other:1"`, `"\u005fid":"other:1"`, `"_type":"_doc"`, `"version":3,"version_type":"external"`,
					`"_source":{"includes":["a"],"includes":["b"]}`, `"parent":"other:1"`)
			}
			switch verb := g.pick("index", "create", "update", "delete"); verb {
			case "delete":
				body += `{"delete":{` + meta + "}}\n"
			case "update":
				body += `{"update":{` + meta + "}}\n" + update() + "\n"
			default:
				body += `{"` + verb + `":{` + meta + "}}\n" + strings.ReplaceAll(doc, "\n", " ") + "\n"
			}
		}
	}
	if len(params) > 0 {
		path += "?" + params.Encode()
	}
	return method, path, body
}

// Whatever one tenant writes, every document stays one tenant's, and not one of
// another tenant's is touched. No answer shows anything of it.
func TestSharedRandomWrites(t *testing.T) {
	r, u := sharing(t)
	send(t, u, "PUT", "/_ingest/pipeline/evil", `{"processors":[{"set":{"field":"tenant","value":"other"}},{"set":{"field":"_id","value":"other:1"}}]}`).want(t, 200)
	defer send(t, u, "DELETE", "/_ingest/pipeline/evil", "")
	r.fill(t)
	before := holds(t, u)
	if len(before[other]) != 30 || len(before[acme]) != 12 {
		t.Fatalf("%d and %d documents", len(before[other]), len(before[acme]))
	}
	const seed, requests = 4242, 500
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	done := 0
	for i := range requests {
		method, path, body := g.writeAttack()
		a := r.do(method, path, body)
		if a.status < 300 {
			done++
		}
		// The client's own words come back; what is left must be clean.
		said := []string{path, ""}
		for _, word := range strings.FieldsFunc(path+" "+body, func(c rune) bool { return strings.ContainsRune(` "{}[]:,&=/?`, c) }) {
			if strings.Contains(word, "pool") || strings.Contains(word, "theirs") {
				said = append(said, word, "")
			}
		}
		a.raw = strings.NewReplacer(append(said, `"other:1"`, "", "other:1]", "", "x,other:1", "", "other:1'", "", "/other:1", "", `"acme:1"`, "")...).Replace(a.raw)
		a.clean(t)
		if t.Failed() {
			t.Fatalf("request %d of seed %d: %s %s %q", i, seed, method, path, body)
		}
	}
	after := holds(t, u)
	if d := cmp.Diff(before[other], after[other]); d != "" || len(after) > 2 {
		t.Errorf("documents of another tenant have changed: %s", d)
	}
	if done < requests/8 {
		t.Errorf("%d of %d requests were carried out: the generator tests little", done, requests)
	}
}

// Tenants with any character in their names, and as long as they may be, each have
// documents of their own, through any instance that knows the key of the cursors.
func TestSharedTenantsOfAnyName(t *testing.T) {
	u := enginetest.SharedOpenSearch(t, engines.OpenSearch3).URL()
	send(t, u, "DELETE", "/"+pool.Index, "")
	send(t, u, "PUT", "/"+pool.Index, poolMapping).want(t, 200)
	r := newRig(t, u, u, nil)
	cfg := tenancy.Default()
	cfg.Header, cfg.PathPrefix = "", "/t/"
	tenants, err := tenancy.New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	var instances []string
	for range 2 {
		p, err := proxy.New(r.gate, r.dir, tenants, &proxy.Options{CursorKeys: [][]byte{[]byte(strings.Repeat("k", 32))}})
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(p)
		defer s.Close()
		instances = append(instances, s.URL)
	}
	names := []placement.PartitionID{"\x00", "\x00\x00", "a\nb", "a\r\n", "\"", `\`, `","tenant":"x`, "a,b", "a, b", ":", "::", "~3a", "%3A", "\u2028", "é", "e\u0301", "*", "?", "{}", "_all", ".", "..", "\x7f", "\U0010ffff", placement.PartitionID(strings.Repeat("z", 255))}
	for i, id := range names {
		r.register(id, pool)
		path := "/t/" + url.PathEscape(string(id))
		path = strings.ReplaceAll(path, ".", "%2E")
		send(t, instances[0], "PUT", path+"/docs/_doc/1", fmt.Sprintf(`{"n":%d}`, i)).want(t, 201, "_id", "1")
		longest := 512
		for longest > 0 && send(t, instances[0], "PUT", path+"/docs/_doc/"+strings.Repeat("i", longest)+"?refresh=true", `{}`).status != 201 {
			longest--
		}
		if longest < 256 {
			t.Errorf("%q may use ids of %d bytes", id, longest)
		}
	}
	for i, id := range names {
		path := strings.ReplaceAll("/t/"+url.PathEscape(string(id)), ".", "%2E")
		send(t, instances[1], "GET", path+"/docs/_doc/1", "").want(t, 200, "_source/n", fmt.Sprint(i))
		a := send(t, instances[0], "POST", path+"/docs/_search?scroll=1m", `{"size":1,"sort":[{"n":{"order":"asc","missing":"_first"}}]}`).want(t, 200, "hits/total/value", "2")
		next := send(t, instances[1], "POST", path+"/_search/scroll", `{"scroll":"1m","scroll_id":"`+a.str("_scroll_id")+`"}`).want(t, 200, "hits/hits/0/_id", "1", "hits/hits/0/_source/n", fmt.Sprint(i))
		neighbour := strings.ReplaceAll("/t/"+url.PathEscape(string(names[(i+1)%len(names)])), ".", "%2E")
		if a := send(t, instances[1], "POST", neighbour+"/_search/scroll", `{"scroll_id":"`+next.str("_scroll_id")+`"}`); a.status != 404 {
			t.Errorf("the neighbour of %q follows its scroll: %d %s", id, a.status, a.raw)
		}
		send(t, instances[1], "DELETE", path+"/_search/scroll", `{"scroll_id":"`+next.str("_scroll_id")+`"}`).want(t, 200)
	}
}

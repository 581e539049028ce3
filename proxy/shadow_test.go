package proxy_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/store"
)

// searched is an answer to a search: hits as ID:SCORE or ID:SCORE:SOURCE.
func searched(total string, extra string, hits ...string) string {
	var out []string
	for _, h := range hits {
		p := append(strings.Split(h, ":"), "1")
		out = append(out, fmt.Sprintf(`{"_index":"docs","_id":%q,"_score":%s,"_source":{"n":%s}}`, p[0], p[1], p[2]))
	}
	return fmt.Sprintf(`{"took":3,"timed_out":false,"_shards":{"total":1,"failed":0},"hits":{"total":%s,"hits":[%s]}%s}`, total, strings.Join(out, ","), extra)
}

func TestShadowCompares(t *testing.T) {
	two, three := `{"value":2,"relation":"eq"}`, `{"value":3,"relation":"eq"}`
	broken := `{"took":1,"_shards":{"total":2,"failed":1},"hits":{"total":{"value":2,"relation":"eq"},"hits":[]}}`
	sorted := func(hits ...string) string {
		var out []string
		for _, h := range hits {
			id, key, _ := strings.Cut(h, ":")
			out = append(out, fmt.Sprintf(`{"_index":"docs","_id":%q,"_score":null,"sort":[%s]}`, id, key))
		}
		return fmt.Sprintf(`{"took":3,"_shards":{"failed":0},"hits":{"total":%s,"hits":[%s]}}`, two, strings.Join(out, ","))
	}
	buckets := func(wrong, n string) string {
		return `,"aggregations":{"k":{"doc_count_error_upper_bound":` + wrong + `,"buckets":[{"key":"x","doc_count":` + n + `,"avg":{"value":2.5}}]}}`
	}
	for name, c := range map[string]struct {
		endpoint, a, b, want string
		parts                []string
		positions            []int
	}{
		"the same":                        {"", searched(two, "", "a:2.0", "b:1.0"), searched(two, "", "a:2.0", "b:1.0"), gate.ShadowEqual, nil, nil},
		"scores within the tolerance":     {"", searched(two, "", "a:2.0", "b:1.0"), searched(two, "", "a:2.01", "b:1.0"), gate.ShadowEqual, nil, nil},
		"other scores, same order":        {"", searched(two, "", "a:2.0", "b:1.0"), searched(two, "", "a:9.0", "b:8.0"), gate.ShadowScores, nil, nil},
		"other order":                     {"", searched(two, "", "a:2.0", "b:1.0"), searched(two, "", "b:2.0", "a:1.0"), gate.ShadowDiffers, []string{"order"}, []int{1, 2}},
		"equal scores may swap":           {"", searched(two, "", "a:1.0", "b:1.0"), searched(two, "", "b:1.0", "a:1.0"), gate.ShadowEqual, nil, nil},
		"another total":                   {"", searched(three, "", "a:1.0", "b:0.5"), searched(two, "", "a:1.0", "b:0.5"), gate.ShadowDiffers, []string{"total"}, nil},
		"a total that is a number":        {"", searched("3", "", "a:1.0"), searched("2", "", "a:1.0"), gate.ShadowDiffers, []string{"total"}, nil},
		"counting ended":                  {"", searched(`{"value":10000,"relation":"gte"}`, "", "a:1.0"), searched(`{"value":10001,"relation":"gte"}`, "", "a:1.0"), gate.ShadowEqual, nil, nil},
		"counting ended on one side":      {"", searched(`{"value":10000,"relation":"gte"}`, "", "a:1.0"), searched(`{"value":10000,"relation":"eq"}`, "", "a:1.0"), gate.ShadowDiffers, []string{"total"}, nil},
		"a hit is missing":                {"", searched(two, "", "a:1.0", "b:0.5"), searched(two, "", "a:1.0"), gate.ShadowDiffers, []string{"hits"}, []int{2}},
		"another hit":                     {"", searched(two, "", "a:1.0", "b:0.5"), searched(two, "", "a:1.0", "c:0.5"), gate.ShadowDiffers, []string{"hits"}, []int{2}},
		"another of the last rank":        {"", searched(three, "", "a:1.0", "b:0.5"), searched(three, "", "a:1.0", "c:0.5"), gate.ShadowEqual, nil, nil},
		"another of a better rank":        {"", searched(three, "", "a:1.0", "b:0.5"), searched(three, "", "c:1.0", "b:0.5"), gate.ShadowDiffers, []string{"hits"}, []int{1}},
		"another document":                {"", searched(two, "", "a:1.0:1.5", "b:0.5"), searched(two, "", "a:1.0:1.501", "b:0.5"), gate.ShadowDiffers, []string{"documents"}, []int{1}},
		"equal sort keys may swap":        {"", sorted("a:7", "b:7"), sorted("b:7", "a:7"), gate.ShadowEqual, nil, nil},
		"near sort keys may not":          {"", sorted("a:1000", "b:1001"), sorted("b:1001", "a:1000"), gate.ShadowDiffers, []string{"order"}, []int{1, 2}},
		"sort keys that are no scalars":   {"", sorted("a:[7]", "b:{}"), sorted("b:{}", "a:[7]"), gate.ShadowDiffers, []string{"order"}, []int{1, 2}},
		"aggregations":                    {"", searched(two, buckets("0", "7")), searched(two, buckets("0", "7")), gate.ShadowEqual, nil, nil},
		"aggregations that differ":        {"", searched(two, buckets("0", "7")), searched(two, buckets("0", "8")), gate.ShadowDiffers, []string{"aggregations"}, nil},
		"aggregations that may be wrong":  {"", searched(two, buckets("3", "7")), searched(two, buckets("0", "8")), gate.ShadowEqual, nil, nil},
		"an aggregation's decimals":       {"", searched(two, `,"aggregations":{"s":{"value":100.0}}`), searched(two, `,"aggregations":{"s":{"value":100.3}}`), gate.ShadowEqual, nil, nil},
		"an aggregation is missing":       {"", searched(two, `,"aggregations":{"s":{"value":1.0}}`), searched(two, ""), gate.ShadowDiffers, []string{"aggregations"}, nil},
		"the source failed in part":       {"", broken, searched(two, ""), gate.ShadowFailedSource, nil, nil},
		"the target failed in part":       {"", searched(two, ""), broken, gate.ShadowFailedTarget, nil, nil},
		"both failed in part":             {"", broken, broken, gate.ShadowFailedSource, nil, nil},
		"a count":                         {"_count", `{"count":3,"_shards":{"failed":0}}`, `{"count":3,"_shards":{"failed":0}}`, gate.ShadowEqual, nil, nil},
		"another count":                   {"_count", `{"count":3,"_shards":{"failed":0}}`, `{"count":2,"_shards":{"failed":0}}`, gate.ShadowDiffers, []string{"total"}, nil},
		"the second of several differs":   {"_msearch", `{"responses":[` + searched(two, "") + `,` + searched(three, "") + `]}`, `{"responses":[` + searched(two, "") + `,` + searched(two, "") + `]}`, gate.ShadowDiffers, []string{"total"}, nil},
		"all refuse the second":           {"_msearch", `{"responses":[` + searched(two, "") + `,{"error":{"type":"x"},"status":400}]}`, `{"responses":[` + searched(two, "") + `,{"error":{"type":"x"},"status":400}]}`, gate.ShadowEqual, nil, nil},
		"the target refuses the second":   {"_msearch", `{"responses":[` + searched(two, "") + `,` + searched(two, "") + `]}`, `{"responses":[` + searched(two, "") + `,{"error":{"type":"x"},"status":400}]}`, gate.ShadowFailedTarget, nil, nil},
		"the target has not answered all": {"_msearch", `{"responses":[` + searched(two, "") + `]}`, `{"responses":[]}`, gate.ShadowFailedTarget, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if c.endpoint == "" {
				c.endpoint = "_search"
			}
			got, err := proxy.CompareShadow(c.endpoint, c.a, c.b)
			if err != nil || got.Outcome != c.want || !slices.Equal(got.Parts, c.parts) || !slices.Equal(got.Positions, c.positions) {
				t.Errorf("%+v, %v; want %s, %v, %v", got, err, c.want, c.parts, c.positions)
			}
			if strings.HasPrefix(name, "the second") && got.Item != 2 {
				t.Errorf("it is search %d of several", got.Item)
			}
		})
	}
}

// shadowRig is a proxy whose tenant moves, the controllers' client of it, and what that calls.
func shadowRig(t *testing.T, a, b string, secret string) (*rig, *gate.Peers, store.Info) {
	t.Helper()
	r := newRigOver(t, a, b, nil, gate.Options{FleetSecret: []byte("a secret of the fleet")})
	srv := httptest.NewServer(r.gate.FleetHandler())
	t.Cleanup(srv.Close)
	return r, gate.NewPeers([]byte(secret), srv.Client()), store.Info{Name: "proxy-1", Address: srv.URL}
}

// Nothing is kept, and nothing costs anything, while nobody asks; then a fair sample,
// within bounds, until it is forgotten.
func TestShadowSamples(t *testing.T) {
	r, peers, info := shadowRig(t, "http://127.0.0.1:1", "http://127.0.0.1:1", "a secret of the fleet")
	ask := func(id placement.PartitionID, move string, n int) gate.ShadowSample {
		t.Helper()
		s, err := peers.Sample(t.Context(), info, id, move, n)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one := proxy.ShadowRequest(r.proxy, acme, "m", "/docs/_search", "", `{"query":{"match_all":{}}}`)
	if n := testing.AllocsPerRun(100, one); n != 0 {
		t.Errorf("a search that nobody asks for costs %v allocations", n)
	}
	ask(other, "m", 10)
	if n := testing.AllocsPerRun(100, one); n != 0 {
		t.Errorf("a search of a tenant that nobody asks for costs %v allocations", n)
	}
	ask(acme, "another move", 10)
	one()
	if got, _, _ := proxy.ShadowKept(r.proxy, acme); len(got) != 0 {
		t.Errorf("kept of another move: %q", got)
	}

	ask(acme, "m", 100)
	for n := range 10_000 {
		proxy.ShadowRequest(r.proxy, acme, "m", "/docs/_search", "", fmt.Sprintf(`{"from":%d}`, n))()
	}
	kept, _, headers := proxy.ShadowKept(r.proxy, acme)
	late := 0
	for _, b := range kept {
		if n, err := strconv.Atoi(strings.Trim(b, `{}":from`)); err != nil {
			t.Fatal(err)
		} else if n >= 5000 {
			late++
		}
	}
	if s := ask(acme, "m", 100); s != (gate.ShadowSample{Kept: 100, Seen: 10_000}) || late < 20 || late > 80 {
		t.Errorf("%+v, %d of the later half", s, late)
	}
	if h := headers[0]; h.Get("Authorization") != "" || h.Get("X-Opaque-Id") != "mine" {
		t.Errorf("headers that are kept: %v", h)
	}

	ask(acme, "large", 1000)
	large := `{"query":{"term":{"k":"` + strings.Repeat("x", proxy.ShadowBody-100) + `"}}}`
	for range 100 {
		proxy.ShadowRequest(r.proxy, acme, "large", "/docs/_search", "", large)()
	}
	kept, bytes, _ := proxy.ShadowKept(r.proxy, acme)
	if len(kept) < 20 || bytes > proxy.ShadowBytes || len(kept)*len(large) > proxy.ShadowBytes {
		t.Errorf("%d large ones are kept, of %d bytes", len(kept), bytes)
	}

	ask(acme, "strange", 1000)
	for _, c := range [][3]string{
		{"/docs/_search", "scroll=1m", ""}, {"/docs/_search", "terminate_after=1", ""}, {"/docs/_search", "filter_path=took", ""}, {"/docs/_search", "sort=_doc", ""},
		{"/_search", "", `{"pit":{"id":"x"}}`}, {"/docs/_search", "", `{"sort":["_doc"]}`}, {"/docs/_search", "", `{"timeout":"1s"}`}, {"/docs/_search", "", large + large},
		{"/_msearch", "", "{}\n{\"terminate_after\":1}\n"}, {"/docs/_validate/query", "", ""}, {"/_mget", "", `{"ids":["1"]}`}, {"/docs/_search", "", "no JSON"},
	} {
		proxy.ShadowRequest(r.proxy, acme, "strange", c[0], c[1], c[2])()
	}
	if kept, _, _ := proxy.ShadowKept(r.proxy, acme); len(kept) != 0 {
		t.Errorf("kept, and cannot be compared: %q", kept)
	}
	for _, c := range [][3]string{{"/docs/_search", "q=x", ""}, {"/docs/_count", "", ""}, {"/_msearch", "", "{}\n{\"size\":1}\n"}} {
		proxy.ShadowRequest(r.proxy, acme, "strange", c[0], c[1], c[2])()
	}
	if kept, _, _ := proxy.ShadowKept(r.proxy, acme); len(kept) != 3 {
		t.Errorf("kept: %q", kept)
	}

	proxy.ShadowExpire(t, r.proxy, acme, false)
	if kept, _, _ := proxy.ShadowKept(r.proxy, acme); len(kept) != 3 {
		t.Error("a sample that is asked for was forgotten")
	}
	proxy.ShadowExpire(t, r.proxy, acme, true)
	one()
	if kept, _, _ := proxy.ShadowKept(r.proxy, acme); len(kept) != 0 {
		t.Error("a sample that nobody asks for any more is kept")
	}
	for n := range proxy.ShadowTenants + 5 {
		ask(placement.PartitionID(fmt.Sprintf("t%d", n)), "m", 1)
	}
	full := placement.PartitionID(fmt.Sprintf("t%d", proxy.ShadowTenants+4))
	proxy.ShadowRequest(r.proxy, full, "m", "/docs/_search", "", "")()
	if kept, _, _ := proxy.ShadowKept(r.proxy, full); len(kept) != 0 {
		t.Error("more tenants are sampled than may be")
	}
	ask("t0", "m", 0)
	ask(full, "m", 1)
	proxy.ShadowRequest(r.proxy, full, "m", "/docs/_search", "", "")()
	if kept, _, _ := proxy.ShadowKept(r.proxy, full); len(kept) != 1 {
		t.Error("a sample that was given up is still in the way")
	}
}

// TestShadowReplays: the searches of a client that moves, on both sides, as it would see them.
func TestShadowReplays(t *testing.T) {
	_, u := engine(t)
	r, peers, info := shadowRig(t, u, u, "a secret of the fleet")
	r.register(acme, placeA)
	for _, i := range []string{placeA.Index, placeB.Index} {
		for n := range 5 {
			send(t, u, "PUT", fmt.Sprintf("/%s/_doc/%d?refresh=true", i, n), fmt.Sprintf(`{"n":%d,"k":"word%d"}`, n, n%2)).want(t, 201)
		}
	}
	send(t, u, "PUT", "/"+placeB.Index+"/_doc/4?refresh=true", `{"n":40,"k":"word0"}`).want(t, 200)
	r.step(placement.OpBegin)
	if s, err := peers.Sample(t.Context(), info, acme, "m", 10); err != nil || s.Kept != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	waitFor(t, "the proxy has heard of the move", func() bool {
		r.do("GET", "/docs/_count", "").want(t, 200)
		s, err := peers.Sample(t.Context(), info, acme, "m", 10)
		return err == nil && s.Kept == 1
	})
	r.do("POST", "/docs/_search", `{"query":{"bool":{"filter":{"match":{"k":"word1"}}}},"aggs":{"s":{"sum":{"field":"n"}}}}`).want(t, 200)
	r.do("POST", "/docs/_search", `{"query":{"match":{"k":"word0"}},"sort":["n"],"aggs":{"s":{"max":{"field":"n"}}}}`).want(t, 200)
	r.do("POST", "/docs/_search?preference=me", `{"query":{"no_such_query":{}}}`).want(t, 400)
	r.do("POST", "/docs/_search/template", `{"source":{"query":{"term":{"n":"{{n}}"}}},"params":{"n":4}}`).want(t, 200)
	r.do("POST", "/_msearch", "{\"index\":\"docs\"}\n{}\n{}\n{\"query\":{\"term\":{\"n\":4}}}\n").want(t, 200)

	all := []int{0, 1, 2, 3, 4, 5, 6, -1}
	got, err := peers.Compare(t.Context(), info, acme, "m", all)
	if err != nil || len(got) != 6 {
		t.Fatalf("%+v, %v", got, err)
	}
	seen := map[string]int{}
	for _, g := range got {
		seen[fmt.Sprintf("%s %s %v %d %d-%d", g.Endpoint, g.Outcome, g.Parts, g.Item, g.Source.Total, g.Target.Total)]++
		if g.Changed || g.Source.Wall <= 0 || g.Target.Wall <= 0 {
			t.Errorf("%+v", g)
		}
	}
	want := map[string]int{
		"_count equal [] 0 5-5": 1, "_search equal [] 0 2-2": 1, "_search differs [documents aggregations] 0 3-3": 1, "_search equal [] 0 -1--1": 1,
		"_search differs [total hits] 0 1-0": 1, "_msearch differs [documents] 1 5-5": 1,
	}
	if d := cmp.Diff(want, seen); d != "" {
		t.Error(d)
	}

	// What changes between two tries is said to.
	send(t, u, "PUT", "/"+placeA.Index+"/_doc/4?refresh=true", `{"n":41,"k":"word0"}`).want(t, 200)
	again, err := peers.Compare(t.Context(), info, acme, "m", all)
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for _, g := range again {
		if g.Changed {
			changed++
		}
	}
	if changed != 3 {
		t.Errorf("%d have changed: %+v", changed, again)
	}

	r.step(placement.OpAbort)
	waitFor(t, "the proxy has heard of the abort", func() bool {
		_, err = peers.Compare(t.Context(), info, acme, "m", []int{0})
		return err != nil
	})
	if _, err := peers.Compare(t.Context(), info, other, "m", []int{0}); err == nil {
		t.Error("of a tenant that nobody asked for")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := peers.Compare(ended, info, acme, "m", []int{0}); err == nil {
		t.Error("after the end")
	}
}

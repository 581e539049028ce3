package proxy_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

// pages follows a scroll to its end and returns the ids of all pages.
func (r *rig) pages(t *testing.T, a reply) (ids []string) {
	t.Helper()
	for {
		a.want(t, 200).clean(t)
		n := 0
		for ; a.at(fmt.Sprintf("hits/hits/%d/_id", n)) != nil; n++ {
			ids = append(ids, a.str(fmt.Sprintf("hits/hits/%d/_id", n)))
			if index := a.str(fmt.Sprintf("hits/hits/%d/_index", n)); index != "docs" {
				t.Errorf("a hit is of index %s", index)
			}
		}
		if n == 0 {
			return ids
		}
		a = r.do("POST", "/_search/scroll", `{"scroll":"5m","scroll_id":"`+a.str("_scroll_id")+`"}`)
	}
}

// A cursor that was opened in a shared index is followed there after the tenant has
// moved to an index of its own, and after it has moved back: it sees the tenant's
// documents, all of them and nothing else, under the client's names. One that was
// opened in the tenant's own index is followed from the shared one.
func TestSharedCursorsAcrossFlips(t *testing.T) {
	for mode, pins := range map[string]*affinity.CursorAffinity{"envelope": nil, "pinned": affinity.NewCursorAffinity(nil)} {
		t.Run(mode, func(t *testing.T) {
			_, u := sharing(t)
			urlB, askedB := counting(t)
			r := newRig(t, u, urlB, &proxy.Options{Pins: pins})
			r.register(acme, pool)
			r.register(other, pool)
			r.fill(t)
			flip := func(to placement.Placement) {
				t.Helper()
				for _, cmd := range []placement.Command{{Op: placement.OpBegin, To: to}, {Op: placement.OpCutover}, {Op: placement.OpComplete}} {
					cmd.Attempt = placement.Attempt{Move: "m", Number: 1}
					if _, err := r.store.Apply(t.Context(), acme, cmd); err != nil {
						t.Fatal(err)
					}
				}
			}
			sc := r.do("POST", "/docs/_search?scroll=5m", `{"size":5,"sort":["u"]}`).want(t, 200, "hits/total/value", "12")
			theirs := r.as(other, "POST", "/docs/_search?scroll=5m", `{"size":5,"sort":["u"]}`).want(t, 200).str("_scroll_id")
			pit := r.do("POST", "/docs/_search/point_in_time?keep_alive=5m", "").want(t, 200).clean(t).str("pit_id")
			theirPIT := r.as(other, "POST", "/docs/_search/point_in_time?keep_alive=5m", "").want(t, 200).str("pit_id")
			if pins != nil && (pins.Len() != 4 || pins.Open(acme)["a"] != 2) {
				t.Errorf("%d are pinned, %v of acme", pins.Len(), pins.Open(acme))
			}
			flip(placeB)
			r.do("GET", "/docs/_doc/1", "").want(t, 404) // served by B by now
			asked := askedB.Load()

			if ids := r.pages(t, sc); len(ids) != 12 || ids[0] != "0" || ids[11] != "11" {
				t.Errorf("the scroll found %v", ids)
			}
			search := func(who placement.PartitionID, pit, rest string) reply {
				return r.as(who, "POST", "/_search", `{"pit":{"id":"`+pit+`","keep_alive":"5m"}`+rest+`}`)
			}
			search(acme, pit, `,"sort":["_id"],"size":2,"search_after":["10"],"aggs":{"k":{"terms":{"field":"k"}}}`).
				want(t, 200, "hits/total/value", "12", "hits/hits/0/_id", "11", "hits/hits/1/sort/0", "2", "hits/hits/0/_index", "docs", "aggregations/k/buckets/0/doc_count", "4", "aggregations/k/buckets/3", nil).clean(t)
			search(acme, pit, `,"fields":["*"],"stored_fields":["*"],"highlight":{"fields":{"*":{}}},"query":{"match":{"t":"word theirs"}}`).want(t, 200, "hits/total/value", "12").clean(t)
			// Where the tenant is now makes no difference to what a cursor may see.
			for _, rest := range []string{`,"query":{"term":{"tenant":"other"}}`, `,"aggs":{"g":{"global":{}}}`, `,"docvalue_fields":["_id"]`, `,"query":{"script":{"script":"true"}}`, `,"explain":true`} {
				search(acme, pit, rest).want(t, 400, "error/type", "sluice_shared_index").clean(t)
			}
			for _, a := range []reply{
				search(acme, theirPIT, ""), search(other, pit, ""), r.do("POST", "/_search/scroll", `{"scroll_id":"`+theirs+`"}`),
				r.do("DELETE", "/_search/point_in_time", `{"pit_id":"`+theirPIT+`"}`), r.do("DELETE", "/_search/scroll", `{"scroll_id":"`+theirs+`"}`),
				search(acme, pit, `,"slice":{"id":0,"max":2},"query":{"match_none":{}}`).want(t, 200, "hits/total/value", "0"),
			} {
				if a.status != 200 {
					a.want(t, 404, "error/type", "search_context_missing_exception").clean(t)
				}
			}
			if askedB.Load() != asked {
				t.Error("the new cluster was asked for cursors of the old one")
			}

			// Of an index of its own, into the shared one.
			own := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "solo-1", Logical: "docs"}
			send(t, u, "DELETE", "/solo-1", "")
			send(t, u, "PUT", "/solo-1", strings.Replace(poolMapping, `"number_of_shards":3`, `"number_of_shards":1`, 1)).want(t, 200)
			flip(own)
			r.do("PUT", "/docs/_doc/7?refresh=true", `{"n":7,"tenant":"mine"}`).want(t, 201)
			solo := r.do("POST", "/docs/_search/point_in_time?keep_alive=5m", "").want(t, 200).str("pit_id")
			flip(pool)
			search(acme, solo, "").want(t, 200, "hits/total/value", "1", "hits/hits/0/_id", "7", "hits/hits/0/_source/tenant", "mine", "hits/hits/0/_index", "docs")
			search(acme, pit, "").want(t, 200, "hits/total/value", "12").clean(t)
			if pins != nil {
				admin := httptest.NewServer(r.proxy.ExplainHandler())
				defer admin.Close()
				send(t, admin.URL, "GET", "/?tenant=acme&path="+url.QueryEscape("/docs/_search"), "").want(t, 200, "pinned_cursors/a", "3")
				send(t, admin.URL, "GET", "/?tenant=other&path=/", "").want(t, 200, "pinned_cursors/a", "2")
			}
			r.do("DELETE", "/_search/point_in_time", `{"pit_id":["`+pit+`","`+solo+`"]}`).want(t, 200, "pits/0/successful", true, "pits/1/successful", true)
			search(acme, pit, "").want(t, 404)
			send(t, u, "DELETE", "/solo-1", "")
		})
	}
}

// With affinity off, which it is unless somebody asks for it, a cluster's own id is
// followed to no cluster, and the answer says what it is.
func TestAffinityOff(t *testing.T) {
	urlA, asked := counting(t)
	r := newRig(t, urlA, urlA, nil)
	r.register(acme, pool)
	for _, a := range []reply{
		r.do("POST", "/_search/scroll", `{"scroll_id":"FGluY2x1ZGVfY29udGV4dF91dWlk"}`), r.do("GET", "/_search/scroll/FGluY2x1ZGVfY29udGV4dF91dWlk", ""),
		r.do("DELETE", "/_search/scroll", `{"scroll_id":["FGluY2x1ZGVfY29udGV4dF91dWlk"]}`), r.do("POST", "/_search", `{"pit":{"id":"FGluY2x1ZGVfY29udGV4dF91dWlk"}}`),
		r.do("DELETE", "/_search/point_in_time", `{"pit_id":["FGluY2x1ZGVfY29udGV4dF91dWlk"]}`),
	} {
		if a.want(t, 400, "error/type", proxy.TypeBadCursor); !strings.Contains(a.str("error/reason"), "was not given out by this service") {
			t.Errorf("%s", a.raw)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("the cluster was asked %d times", asked.Load())
	}
}

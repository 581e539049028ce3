package proxy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

// counting is a cluster that answers nothing of use, and how often it was asked.
func counting(t *testing.T) (string, *atomic.Int64) {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, &asked
}

// fillA puts n documents into acme's index of the real cluster.
func fillA(t *testing.T, u string, n int) {
	t.Helper()
	send(t, u, "DELETE", "/"+placeA.Index, "")
	send(t, u, "PUT", "/"+placeA.Index, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`).want(t, 200)
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"index":{"_id":"%d"}}`+"\n"+`{"n":%d}`+"\n", i, i)
	}
	send(t, u, "POST", "/"+placeA.Index+"/_bulk?refresh=true", b.String()).want(t, 200, "errors", false)
}

// With pinned cursors clients hold the cluster's own ids, and what was opened
// before a flip ends on the old cluster with every document.
func TestPinnedCursorsAcrossAFlip(t *testing.T) {
	u := enginetest.SharedOpenSearch(t, engines.OpenSearch2).URL()
	fillA(t, u, 25)
	urlB, askedB := counting(t)
	reg := prometheus.NewRegistry()
	pins := affinity.NewCursorAffinity(nil)
	r := newRig(t, u, urlB, &proxy.Options{Pins: pins, Registerer: reg})
	r.register(acme, placeA)
	r.register(other, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "other-1", Logical: "docs"})

	sc := r.do("POST", "/docs/_search?scroll=10m", `{"size":10,"sort":["n"]}`).want(t, 200, "hits/hits/0/_index", "docs")
	pit := r.do("POST", "/docs/_search/point_in_time?keep_alive=10m", "").want(t, 200).str("pit_id")
	id := sc.str("_scroll_id")
	for _, text := range []string{id, pit} {
		if e, err := pins.Resolve(text, acme, 0); err != nil || e.Placement != placeA || time.Until(e.Expires) < 9*time.Minute {
			t.Fatalf("%.20q is no pinned id of the cluster: %+v, %v", text, e, err)
		}
	}
	search := func(who placement.PartitionID, after string) reply {
		if after != "" {
			after = `,"search_after":[` + after + `]`
		}
		return r.as(who, "POST", "/_search", `{"size":10,"sort":["n"],"pit":{"id":"`+pit+`","keep_alive":"20m"}`+after+`}`)
	}
	search(acme, "").want(t, 200, "hits/hits/9/_source/n", "9", "pit_id", pit)
	if e, _ := pins.Resolve(pit, acme, 0); time.Until(e.Expires) < 19*time.Minute {
		t.Errorf("the search's keep-alive is not kept: %s", time.Until(e.Expires))
	}
	gauge := func(want float64) {
		t.Helper()
		all, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if f.GetName() != "sluice_proxy_pinned_cursors" {
				continue
			}
			m := f.GetMetric()
			if len(m) != 1 || m[0].GetLabel()[0].GetValue() != "a" || m[0].GetGauge().GetValue() != want {
				t.Errorf("%v, want %v at a", m, want)
			}
			return
		}
		t.Error("the number of cursors is not published")
	}
	gauge(2)

	for _, op := range []placement.Op{placement.OpBegin, placement.OpCutover, placement.OpComplete} {
		r.step(op)
	}
	r.do("GET", "/docs/_doc/1", "").want(t, 404) // served by B by now
	if askedB.Load() != 1 {
		t.Fatalf("B was asked %d times, want once", askedB.Load())
	}

	next := r.do("POST", "/_search/scroll", `{"scroll":"10m","scroll_id":"`+id+`"}`).want(t, 200, "hits/hits/9/_source/n", "19", "hits/hits/0/_index", "docs")
	r.do("GET", "/_search/scroll?scroll=10m&scroll_id="+next.str("_scroll_id"), "").want(t, 200, "hits/hits/4/_source/n", "24")
	search(acme, "9").want(t, 200, "hits/hits/9/_source/n", "19")
	search(acme, "19").want(t, 200, "hits/hits/4/_source/n", "24", "hits/hits/0/_index", "docs")

	// Nobody else follows or closes them, also in the place of the other kind.
	for _, a := range []reply{
		search(other, ""),
		r.as(other, "POST", "/_search/scroll", `{"scroll_id":"`+id+`"}`),
		r.as(other, "DELETE", "/_search/scroll", `{"scroll_id":"`+id+`"}`),
		r.as(other, "DELETE", "/_search/point_in_time", `{"pit_id":["`+pit+`"]}`),
		r.do("POST", "/_search/scroll", `{"scroll_id":"`+pit+`"}`),
	} {
		a.want(t, 404, "error/type", "search_context_missing_exception")
	}
	gauge(2)
	r.do("DELETE", "/_search/point_in_time", `{"pit_id":["`+pit+`"]}`).want(t, 200, "pits/0/successful", true, "pits/0/pit_id", pit)
	r.do("DELETE", "/_search/scroll/"+id, "").want(t, 200, "num_freed", "1")
	gauge(0)
	r.do("POST", "/_search/scroll", `{"scroll_id":"`+id+`"}`).want(t, 404, "error/type", "search_context_missing_exception")
	if askedB.Load() != 1 {
		t.Errorf("B was asked for cursors of A")
	}
}

// An id that is neither pinned nor an envelope goes to no cluster, an envelope of
// another instance is followed, and task ids are envelopes as always.
func TestUnknownRawIDsGoNowhere(t *testing.T) {
	urlA, askedA := counting(t)
	r := newRig(t, urlA, urlA, &proxy.Options{Pins: affinity.NewCursorAffinity(nil)})
	r.register(acme, placeA)
	long := strings.Repeat("F", 10<<10)
	for _, id := range []string{"FGluY2x1ZGVfY29udGV4dF91dWlk", long} {
		for _, a := range []reply{
			r.do("POST", "/_search/scroll", `{"scroll_id":"`+id+`"}`),
			r.do("POST", "/_search", `{"pit":{"id":"`+id+`"}}`),
			r.do("DELETE", "/_search/scroll", `{"scroll_id":["`+id+`"]}`),
			r.do("DELETE", "/_search/point_in_time", `{"pit_id":"`+id+`"}`),
		} {
			a.want(t, 404, "error/type", "search_context_missing_exception")
		}
	}
	r.do("GET", "/_tasks/FGluY2x1ZGVf", "").want(t, 400, "error/type", proxy.TypeBadCursor)
	if askedA.Load() != 0 {
		t.Errorf("the cluster was asked %d times", askedA.Load())
	}
	s, err := affinity.NewSealer([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	text := s.Wrap(affinity.Envelope{Partition: acme, Placement: placeA, Kind: affinity.Scroll, ID: long, Expires: time.Now().Add(time.Minute)})
	r.do("POST", "/_search/scroll", `{"scroll_id":"`+text+`"}`).want(t, 404)
	if askedA.Load() != 1 {
		t.Errorf("the cluster of an envelope was asked %d times", askedA.Load())
	}
}

// A cluster that is gone takes its cursors with it: nothing is sent elsewhere.
func TestCursorOfAClusterThatIsGone(t *testing.T) {
	urlA, asked := counting(t)
	for name, pins := range map[string]*affinity.CursorAffinity{"envelope": nil, "pinned": affinity.NewCursorAffinity(nil)} {
		r := newRig(t, urlA, urlA, &proxy.Options{Pins: pins})
		r.register(acme, placeA)
		e := affinity.Envelope{Partition: acme, Kind: affinity.Scroll, ID: "raw", Expires: time.Now().Add(time.Minute),
			Placement: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "gone", Index: "acme-0", Logical: "docs"}}
		id := "raw"
		if pins != nil {
			pins.Pin(e, 0)
		} else {
			s, err := affinity.NewSealer([]byte(strings.Repeat("k", 32)))
			if err != nil {
				t.Fatal(err)
			}
			id = s.Wrap(e)
		}
		a := r.do("POST", "/_search/scroll", `{"scroll_id":"`+id+`"}`)
		if a.status != 503 || a.str("error/type") != proxy.TypeUnavailable || !strings.Contains(a.raw, "gone") || asked.Load() != 0 {
			t.Errorf("%s: %d %s, the other clusters were asked %d times", name, a.status, a.raw, asked.Load())
		}
	}
}

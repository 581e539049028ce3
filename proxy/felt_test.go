package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// What clients are answered with while their tenant moves is counted for the move's
// receipt, by kind, and what they have asked for themselves is not.
func TestErrorsDuringAMoveAreCounted(t *testing.T) {
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		status := map[string]int{"deny": 403, "none": 404, "clash": 409, "boom": 500, "full": 429}[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]
		switch {
		case strings.HasSuffix(r.URL.Path, "/_bulk"):
			fmt.Fprint(w, `{"took":1,"errors":true,"items":[{"index":{"_id":"1","status":201}},{"index":{"_id":"2","status":403,"error":{"type":"x"}}},{"index":{"_id":"3","status":409,"error":{"type":"y"}}}]}`)
		case status != 0:
			w.WriteHeader(status)
			fmt.Fprint(w, `{"error":{"type":"of_the_cluster","reason":""}}`)
		default:
			fmt.Fprint(w, `{"result":"created"}`)
		}
	}))
	t.Cleanup(cluster.Close)
	secret := []byte("a secret of this test")
	r := newRigOver(t, cluster.URL, cluster.URL, nil, gate.Options{HoldDeadline: 20 * time.Millisecond, FleetSecret: secret})
	r.register(acme, placeA)
	r.register(other, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "other-1", Logical: "docs"})
	fleet := httptest.NewServer(r.gate.FleetHandler())
	t.Cleanup(fleet.Close)
	counted := func() map[string]int {
		t.Helper()
		h, err := gate.NewPeers(secret, nil).Holds(t.Context(), store.Info{Name: "p", Address: fleet.URL}, "m")
		if err != nil {
			t.Fatal(err)
		}
		return h.Errors
	}
	all := func(id placement.PartitionID) {
		t.Helper()
		for doc, want := range map[string]int{"fine": 200, "deny": 403, "none": 404, "clash": 409, "boom": 500, "full": 429} {
			r.as(id, "PUT", "/docs/_doc/"+doc, `{}`).want(t, want)
			r.as(id, "GET", "/docs/_doc/"+doc, "").want(t, want)
		}
		r.as(id, "POST", "/docs/_bulk", strings.Repeat("{\"index\":{\"_id\":\"x\"}}\n{}\n", 3)).want(t, 200)
		r.as(id, "GET", "/elsewhere/_doc/1", "").want(t, 404) // the proxy's own, and the client's doing
	}
	all(acme) // before the move
	if got := counted(); len(got) != 0 {
		t.Errorf("before the move: %v", got)
	}
	r.step(placement.OpBegin)
	all(acme)
	all(other) // does not move
	r.step(placement.OpCutover)
	r.do("PUT", "/docs/_doc/held", `{}`).want(t, 503)
	r.do("POST", "/docs/_bulk", strings.Repeat("{\"index\":{\"_id\":\"x\"}}\n{}\n", 2)).want(t, 503)
	r.step(placement.OpComplete)
	all(acme) // after it
	want := map[string]int{"status_403": 2, "status_500": 2, "status_429": 2, "item_status_403": 1, "sluice_unavailable": 2}
	if diff := cmp.Diff(want, counted()); diff != "" {
		t.Errorf("counted (-want +have):\n%s", diff)
	}
}

package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// A plan is made from one thing, changes nothing, and is what a wave is asked for with.
func TestPlans(t *testing.T) {
	w := operators(t, memstore.New(nil))
	w.cluster("a", "b")
	w.tenant("one", "a")
	w.tenant("two", "a")
	ask := func(path, body string) answer { return w.as("operator", "POST", path, body) }
	w.as("viewer", "POST", "/waves/plan", `{"all_from":"a","to":["b"]}`).fails(api.CodeForbidden)
	for body, field := range map[string]string{
		`{}`: "body.all_from", `{"all_from":"a","rebalance":true}`: "body.all_from", `{"rebalance":true,"to":["b"]}`: "body.to",
		`{"all_from":"a","to":["b"],"among":["b"]}`: "body.among", `{"rebalance":true,"pack":{"index":"pool","tenant_limit":1}}`: "body.pack",
		`{"rebalance":true,"unpack":{"index":"pool"}}`: "body.pack", `{"labels":{"T":"x"},"to":["b"]}`: "body.label",
		`{"all_from":"a","by":"weight"}`: "body.by", `{"items":[{"tenant":"one","to":"b"},{"tenant":"one","to":"b"}]}`: "body.items",
	} {
		if p := ask("/waves/plan", body).fails(api.CodeInvalid); len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Location, field) {
			t.Errorf("%s: %+v", body, p)
		}
	}
	ask("/waves/plan", `{"items":[{"tenant":"nobody","to":"b"}]}`).fails(api.CodeUnknownTenant)
	ask("/waves/plan", `{"all_from":"a","to":["b"]}`).fails(api.CodeClusterUnreachable) // it is asked what its tenants hold
	var p control.WavePlan
	ask("/waves/plan", `{"items":[{"tenant":"two","to":"b","index":"x"},{"tenant":"one","to":"b","kind":"dedicated_cluster"}]}`).is(200, &p)
	if len(p.Items) != 2 || p.Items[0].Partition != "two" || p.Items[0].Index != "x" || p.Items[1].Kind != placement.DedicatedCluster || p.Items[0].From != "a" {
		t.Errorf("%+v", p)
	}
	if n := len(w.log("")); n != 0 {
		t.Errorf("the audit log has %d plans, which change nothing", n)
	}
	var x control.Wave
	ask("/waves", `{"paused":true,"items":[{"tenant":"one","to":"b","kind":"dedicated_cluster"},{"tenant":"two","to":"b","back":"m1"}]}`).is(201, &x)
	var items pageOf[control.WaveItem]
	w.as("viewer", "GET", "/waves/"+x.ID+"/items", "").is(200, &items)
	if len(items.Items) != 2 || items.Items[0].Kind != placement.DedicatedCluster || items.Items[1].Back != "m1" {
		t.Errorf("%+v", items)
	}
	w.as("viewer", "GET", "/waves/w0/rollback", "").fails(api.CodeUnknownWave)
	ask("/waves/w0/rollback", "").fails(api.CodeUnknownWave)
	w.as("viewer", "GET", "/waves/"+x.ID+"/rollback", "").is(200, &p)
	if len(p.Items) != 0 {
		t.Errorf("nobody has moved: %+v", p)
	}
	ask("/waves/"+x.ID+"/rollback", "").fails(api.CodeNoWayBack)
	ask("/waves/"+x.ID+"/resume", "").is(200, nil)
	ask("/waves/"+x.ID+"/rollback", "").fails(api.CodeWaveBusy)
}

// A plan asks all clusters side by side, and one that refuses ends it: whoever hangs before it
// in the list is not waited for.
func TestPlanWaitsForNobodyInVain(t *testing.T) {
	w := operators(t, memstore.New(nil))
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	if _, err := w.s.Clusters().Put(t.Context(), "0", placement.Cluster{Name: "0", Endpoints: []string{hangs.URL}}, 0); err != nil {
		t.Fatal(err)
	}
	asked := make(chan bool)
	refuses := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		close(asked)
		out.WriteHeader(http.StatusForbidden)
	}))
	defer refuses.Close()
	if _, err := w.s.Clusters().Put(t.Context(), "1", placement.Cluster{Name: "1", Endpoints: []string{refuses.URL}}, 0); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w.as("operator", "POST", "/waves/plan", `{"rebalance":true}`).fails(api.CodeClusterUnreachable)
	<-asked
	if took := time.Since(began); took > 15*time.Second { // by itself the other one has 20 s
		t.Errorf("it took %s", took)
	}
}

func TestTrash(t *testing.T) {
	w := operators(t, memstore.New(nil))
	at := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "x", Logical: "x"}
	for _, id := range []string{"m1", "m2"} {
		if _, err := control.TrashRecords(w.s).Put(t.Context(), id, control.Trash{Move: id, Partition: "acme", At: at, Until: time.Now().Add(time.Hour)}, 0); err != nil {
			t.Fatal(err)
		}
	}
	w.viewer = true
	if all, _ := all[control.Trash](w, "/trash", 1); len(all) != 2 || all[0].Move != "m1" {
		t.Errorf("%+v", all)
	}
	var x control.Trash
	w.as("viewer", "GET", "/trash/m2", "").is(200, &x)
	if x.Partition != "acme" || x.At != at {
		t.Errorf("%+v", x)
	}
	w.as("viewer", "GET", "/trash/m3", "").fails(api.CodeNotInTrash)
	w.as("viewer", "POST", "/trash/m1/purge", "").fails(api.CodeForbidden)
	ask := func(path, body string) answer { return w.as("operator", "POST", path, body) }
	ask("/trash/m3/restore", "").fails(api.CodeNotInTrash)
	ask("/trash/m1/restore", `{"writable":true}`).is(200, &x)
	if x.State != control.TrashRestoring || !x.Writable {
		t.Errorf("%+v", x)
	}
	ask("/trash/m2/purge", "").is(200, &x)
	if x.State != control.TrashPurging {
		t.Errorf("%+v", x)
	}
	ask("/trash/m2/restore", "").fails(api.CodeTrashBusy)
	if log := w.log("?target=trash/m1"); len(log) != 1 || log[0].Operation != "restoreTrash" || !strings.Contains(string(log[0].Before), `"acme"`) {
		t.Errorf("%+v", log)
	}
}

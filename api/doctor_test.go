package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/control/checkup"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// Whoever may look is told what is wrong; an admin repairs it, what may lose something
// only by its name; the audit log says what it was and what became of it.
func TestDoctor(t *testing.T) {
	w := operators(t, memstore.New(nil))
	if _, err := control.TenantLabels(w.s).Put(t.Context(), "gh,ost", control.Labels{"a": "b"}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := store.RecordsOf[[]int](w.s, store.SpaceMoves).Put(t.Context(), "m1", []int{7}, 0); err != nil {
		t.Fatal(err)
	}
	var out checkup.Outcome
	codes := func() string {
		var all []string
		for _, f := range out.Findings {
			all = append(all, f.Code+":"+f.Subject.Name)
		}
		return strings.Join(all, " ")
	}
	w.as("viewer", "GET", "/doctor", "").is(200, &out)
	if codes() != "move_corrupt:m1 label_without_tenant:gh,ost" || out.Worst != checkup.Error || !out.Findings[0].ByNaming || !out.Findings[1].Repairable || out.Findings[1].Harm == "" {
		t.Errorf("%+v", out)
	}
	for query, want := range map[string]string{"?only=label_without_tenant": "label_without_tenant:gh,ost", "?only=move_corrupt%3Am1&only=label_without_tenant%3Agh%2Cost": "move_corrupt:m1 label_without_tenant:gh,ost",
		"?only=move_corrupt%3Am2": ""} {
		out = checkup.Outcome{}
		if w.as("viewer", "GET", "/doctor"+query, "").is(200, &out); codes() != want {
			t.Errorf("%s: %s", query, codes())
		}
	}
	if p := w.as("viewer", "GET", "/doctor?only=flip", "").fails(api.CodeInvalid); p.Errors[0].Location != "query.only" {
		t.Errorf("%+v", p)
	}
	for _, role := range []string{"viewer", "operator"} {
		w.as(role, "POST", "/doctor/repair", "").fails(api.CodeForbidden)
	}
	if p := w.as("admin", "POST", "/doctor/repair", `{"only":["flip"]}`).fails(api.CodeInvalid); p.Errors[0].Location != "body.only" {
		t.Errorf("%+v", p)
	}
	out = checkup.Outcome{}
	first := w.as("admin", "POST", "/doctor/repair", "", "Idempotency-Key", "k1").is(200, &out)
	if codes() != "move_corrupt:m1" || len(out.Repaired) != 1 || out.Repaired[0].Code != "label_without_tenant" || out.Repaired[0].Error != "" {
		t.Errorf("%+v", out)
	}
	if again := w.as("admin", "POST", "/doctor/repair", "", "Idempotency-Key", "k1").is(200, nil); again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("by the same key: %v %s", again.header, again.body)
	}
	out = checkup.Outcome{}
	w.as("admin", "POST", "/doctor/repair", `{"only":["move_corrupt:m1"]}`).is(200, &out)
	if codes() != "" || out.Worst != "" || len(out.Repaired) != 1 || !strings.Contains(out.Repaired[0].Result, "[7]") {
		t.Errorf("%+v", out)
	}
	done := w.log("?target=doctor&outcome=done")
	if len(done) != 2 || done[0].Operation != "repairFleet" || !strings.Contains(string(done[0].Before), `"move_corrupt"`) || !strings.Contains(string(done[0].After), `[7]`) || !strings.Contains(string(done[1].Before), `"gh,ost"`) {
		t.Errorf("%+v", done)
	}
	if refused := w.log("?target=doctor&outcome=refused"); len(refused) != 1 || refused[0].Code != api.CodeInvalid {
		t.Errorf("%+v", refused)
	}
}

// A comparison that cannot be made is a problem with its status.
func TestVerifyIsRefused(t *testing.T) {
	w := operators(t, memstore.New(nil))
	w.cluster("a", "b")
	w.tenant("acme", "a")
	ask := func(body string) answer { return w.as("operator", "POST", "/verify", body) }
	w.as("viewer", "POST", "/verify", `{"tenant":"acme"}`).fails(api.CodeForbidden)
	places := `"from":{"cluster":"a","index":"x"},"to":{"cluster":"b","index":"y"}`
	for body, location := range map[string]string{
		`{}`: "body.tenant", `{"tenant":"acme",` + places + `}`: "body.tenant", `{"from":{"cluster":"a","index":"x"}}`: "body.tenant",
		`{"from":{"cluster":"a","index":"X"},"to":{"cluster":"b","index":"y"}}`: "body.placement.index", `{"tenant":"acme","limit":3001}`: "body.limit", `{"tenant":"acme","settle":-1}`: "body.settle",
	} {
		if p := ask(body).fails(api.CodeInvalid); len(p.Errors) == 0 || p.Errors[0].Location != location {
			t.Errorf("%s: %+v", body, p)
		}
	}
	ask(`{"tenant":"nobody"}`).fails(api.CodeUnknownTenant)
	ask(`{"tenant":"acme"}`).fails(api.CodeOneCopy)
	ask(`{"from":{"cluster":"z","index":"x"},"to":{"cluster":"b","index":"y"}}`).fails(api.CodeUnknownCluster)
	ask(`{` + places + `}`).fails(api.CodeClusterUnreachable)
	if n := len(w.log("")); n != 0 {
		t.Errorf("the audit log has %d comparisons, which change nothing", n)
	}
}

// A comparison that takes long is a stream, of which a problem is the last event too; it
// ends with its client, and so makes room for the next one.
func TestVerifyEndsWithItsClient(t *testing.T) {
	defer api.SetFirstWord(10 * time.Millisecond)()
	w := newWorld(t, &api.Options{AdminToken: "t"})
	asked, gone := make(chan bool, 100), make(chan bool, 100)
	fail := make(chan bool)
	cluster := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		asked <- true
		select {
		case <-r.Context().Done():
			gone <- true
		case <-fail:
			out.WriteHeader(http.StatusForbidden)
		}
	}))
	defer cluster.Close()
	for _, name := range []string{"a", "b"} {
		if _, err := w.s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{cluster.URL}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(w.a.Handler())
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	begin := func() *listener {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), "POST", server.URL+api.Prefix+"/verify", bytes.NewReader([]byte(`{"from":{"cluster":"a","index":"x"},"to":{"cluster":"b","index":"y"}}`)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer t")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return newListener(t, resp)
	}
	var all []*listener
	for range 4 {
		l := begin()
		if l.resp.StatusCode != http.StatusOK || l.resp.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("%d %v", l.resp.StatusCode, l.resp.Header)
		}
		<-asked
		all = append(all, l)
	}
	if l := begin(); l.resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the fifth at the same time: %d", l.resp.StatusCode)
	}
	_ = all[0].resp.Body.Close()
	<-gone // what it had asked the cluster
	until(t, "there is room again", func() bool {
		l := begin()
		defer l.resp.Body.Close()
		return l.resp.StatusCode == http.StatusOK
	})
	close(fail)
	var p api.Problem
	if e := all[1].next(); e.kind != "problem" || json.Unmarshal([]byte(e.data), &p) != nil || p.Code != api.CodeClusterUnreachable || p.Instance == "" {
		t.Errorf("%+v", e)
	}
	if e := all[1].next(); e.kind != "" {
		t.Errorf("after the last: %+v", e)
	}
}

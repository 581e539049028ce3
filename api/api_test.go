package api_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// world is an API over a table in memory.
type world struct {
	t *testing.T
	d driver.Driver
	s *store.Store
	a *api.API

	tls    *tls.ConnectionState // of requests; nil: none
	viewer bool                 // it asks as operators' viewer
}

func newWorld(t *testing.T, o *api.Options) *world {
	t.Helper()
	d := memstore.New(nil)
	return worldOver(t, d, o)
}

func worldOver(t *testing.T, d driver.Driver, o *api.Options) *world {
	t.Helper()
	s := store.New(d, nil)
	if o == nil {
		o = &api.Options{}
	}
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	a, err := api.New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return &world{t: t, d: d, s: s, a: a}
}

// answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

// ask sends a request as a client on the same machine does; headers are pairs.
func (w *world) ask(method, path, body string, headers ...string) answer {
	w.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:9282"+api.Prefix+path, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	r.RemoteAddr, r.TLS = "127.0.0.1:5", w.tls
	for i := 0; i+1 < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			r.Host = headers[i+1]
		case "From":
			r.RemoteAddr = headers[i+1]
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	rec := httptest.NewRecorder()
	w.a.Handler().ServeHTTP(rec, r)
	return answer{w.t, rec.Code, rec.Header(), rec.Body.String()}
}

func (w *world) get(path string, headers ...string) answer {
	w.t.Helper()
	if w.viewer {
		headers = append(headers, "Authorization", "Bearer viewer")
	}
	return w.ask("GET", path, "", headers...)
}

// is checks the status and decodes the body.
func (a answer) is(status int, into any) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(a.body), into); err != nil {
			a.t.Fatalf("%v: %s", err, a.body)
		}
	}
	return a
}

// fails checks that it is a problem of the table, as a whole.
func (a answer) fails(code api.Code) api.Problem {
	a.t.Helper()
	var p api.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Code != code || p.Status != a.status || a.header.Get("Content-Type") != "application/problem+json" {
		a.t.Fatalf("want the problem %s: %d %s: %s", code, a.status, a.header.Get("Content-Type"), a.body)
	}
	for _, r := range api.Problems() {
		if r.Code != code {
			continue
		}
		if p.Type != api.TypePrefix+string(code) || p.Status != r.Status || p.Title != r.Meaning || p.Action != r.Action || p.Retryable != r.Retryable ||
			p.Instance != "urn:sluice:request:"+a.header.Get("X-Request-Id") || p.Detail == "" {
			a.t.Errorf("the problem is not that of the table: %s", a.body)
		}
	}
	return p
}

func place(cluster, index string) placement.Placement {
	return placement.Placement{Kind: placement.DedicatedIndex, Cluster: cluster, Index: index, Logical: "docs"}
}

// cluster and tenant put what operations are about into the table.
func (w *world) cluster(names ...string) {
	w.t.Helper()
	for _, n := range names {
		if _, err := w.s.Clusters().Put(w.t.Context(), n, placement.Cluster{Name: n, Endpoints: []string{"http://127.0.0.1:1"}}, 0); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) tenant(id, cluster string) placement.Entry {
	w.t.Helper()
	e, err := w.s.Register(w.t.Context(), placement.PartitionID(id), place(cluster, "i-"+fmt.Sprintf("%x", id)))
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// pageOf is a page as a client decodes it.
type pageOf[T any] struct {
	Items      []T
	Next       string
	Unreadable int
}

// all follows the pages of a list.
func all[T any](w *world, path string, limit int) (items []T, pages int) {
	w.t.Helper()
	query := "?"
	if strings.Contains(path, "?") {
		query = "&"
	}
	for cursor := ""; ; {
		var p pageOf[T]
		at := fmt.Sprintf("%s%slimit=%d", path, query, limit)
		if cursor != "" {
			at += "&cursor=" + url.QueryEscape(cursor)
		}
		w.get(at).is(200, &p)
		if len(p.Items) > limit {
			w.t.Fatalf("a page of %d has %d items", limit, len(p.Items))
		}
		items, pages = append(items, p.Items...), pages+1
		if p.Next == "" {
			return items, pages
		}
		if cursor = p.Next; pages > 10_000 {
			w.t.Fatal("the pages do not end")
		}
	}
}

func TestTenants(t *testing.T) {
	w := newWorld(t, nil)
	w.cluster("a", "b")
	var want []string
	for i := range 57 {
		id := fmt.Sprintf("t-%02d", i)
		want = append(want, id)
		w.tenant(id, []string{"a", "b"}[i%2])
	}
	odd := "z / é?#%2F"
	want = append(want, odd)
	e := w.tenant(odd, "a")
	if _, err := control.ChangeLabels(t.Context(), w.s, "t-05", control.Labels{"tier": "small"}, nil); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{1, 7, 58, 1000} {
		items, pages := all[control.TenantView](w, "/tenants", limit)
		var got []string
		for _, v := range items {
			got = append(got, string(v.Tenant))
			if (string(v.Tenant) == "t-05") != (v.Labels["tier"] == "small") {
				t.Errorf("labels of %s: %v", v.Tenant, v.Labels)
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") || pages != (58+limit-1)/limit {
			t.Errorf("pages of %d: %d of %q", limit, pages, got)
		}
	}
	if items, _ := all[control.TenantView](w, "/tenants?cluster=b", 5); len(items) != 28 {
		t.Errorf("%d on b", len(items))
	}
	if items, _ := all[control.TenantView](w, "/tenants?label=tier%3Dsmall", 1); len(items) != 1 || items[0].Tenant != "t-05" {
		t.Errorf("labelled: %v", items)
	}
	var v control.TenantView
	at := "/tenants/" + url.PathEscape(odd)
	first := w.get(at).is(200, &v)
	if string(v.Tenant) != odd || v.Epoch != e.Epoch || first.header.Get("ETag") != fmt.Sprintf(`"%d"`, e.Epoch) {
		t.Errorf("%+v, %v", v, first.header)
	}
	tag := first.header.Get("ETag")
	if again := w.get(at, "If-None-Match", `"1", W/`+tag); again.status != http.StatusNotModified || again.body != "" || again.header.Get("ETag") != tag {
		t.Errorf("unchanged: %+v", again)
	}
	// Labels are part of what is shown.
	if _, err := control.ChangeLabels(t.Context(), w.s, placement.PartitionID(odd), control.Labels{"a": "b"}, nil); err != nil {
		t.Fatal(err)
	}
	if other := w.get(at, "If-None-Match", tag).is(200, &v); other.header.Get("ETag") == tag || v.Labels["a"] != "b" {
		t.Errorf("labelled: %v", other.header)
	}
	w.get("/tenants/nobody").fails(api.CodeUnknownTenant)
	w.get("/tenants?cursor=%21").fails(api.CodeMalformed)
	w.get("/tenants?cursor=" + "YWJj").fails(api.CodeMalformed)
	w.get("/tenants?label=x").fails(api.CodeInvalid)
	for _, q := range []string{"limit=0", "limit=1001", "limit=x", "limits=1"} {
		if p := w.get("/tenants?" + q).fails(api.CodeInvalid); len(p.Errors) != 1 || p.Errors[0].Message == "" {
			t.Errorf("%s: %+v", q, p)
		}
	}
	// A record that cannot be decoded is counted, and the others are there.
	if _, err := w.d.Write(t.Context(), driver.Write{Key: driver.Key{Space: store.SpaceEntries, Name: "bad"}, Value: []byte("7")}); err != nil {
		t.Fatal(err)
	}
	var p pageOf[control.TenantView]
	if w.get("/tenants?limit=3").is(200, &p); p.Unreadable != 1 || len(p.Items) != 3-1 {
		t.Errorf("%+v", p)
	}
	w.get("/tenants/bad").fails(api.CodeCorruptRecord)
}

func TestClusters(t *testing.T) {
	w := newWorld(t, nil)
	w.cluster("a", "b", "c")
	w.tenant("acme", "b")
	type view struct {
		Name    string
		Tenants *int
	}
	items, pages := all[view](w, "/clusters?tenants=true", 2)
	if len(items) != 3 || pages != 2 || *items[0].Tenants != 0 || *items[1].Tenants != 1 {
		t.Errorf("%+v", items)
	}
	var v view
	if w.get("/clusters/b").is(200, &v); v.Name != "b" || v.Tenants != nil {
		t.Errorf("%+v", v)
	}
	w.get("/clusters/nowhere").fails(api.CodeUnknownCluster)
}

func TestMoves(t *testing.T) {
	w := newWorld(t, nil)
	w.cluster("a", "b")
	var ids []string
	for i := range 12 {
		id := fmt.Sprintf("t-%02d", i)
		w.tenant(id, "a")
		m, err := control.RequestMove(t.Context(), w.s, control.Request{Partition: placement.PartitionID(id), Cluster: "b"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID)
	}
	items, pages := all[control.Move](w, "/moves", 5)
	if len(items) != 12 || pages != 3 {
		t.Fatalf("%d moves in %d pages", len(items), pages)
	}
	for n := 1; n < len(items); n++ {
		if items[n].ID >= items[n-1].ID {
			t.Errorf("not the newest first: %s after %s", items[n].ID, items[n-1].ID)
		}
	}
	if items, _ := all[control.Move](w, "/moves?tenant=t-03", 5); len(items) != 1 || items[0].Partition != "t-03" {
		t.Errorf("of a tenant: %+v", items)
	}
	w.get("/moves/" + ids[0] + "/receipt").fails(api.CodeNoReceipt)
	w.get("/moves/m0").fails(api.CodeUnknownMove)
	// One that has flipped.
	r, err := control.Moves(w.s).Get(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	m := r.Value
	m.Stage, m.CompleteEpoch, m.Receipt = control.StageFlipped, 7, &control.Receipt{Partition: m.Partition, Docs: 42}
	if _, err := control.Moves(w.s).Put(t.Context(), m.ID, m, r.Version); err != nil {
		t.Fatal(err)
	}
	if items, _ := all[control.Move](w, "/moves?active=true", 100); len(items) != 11 {
		t.Errorf("%d are active", len(items))
	}
	var v control.MoveView
	if w.get("/moves/"+m.ID).is(200, &v); v.ID != m.ID || v.Rollback == nil || v.Rollback.Possible {
		t.Errorf("%+v", v)
	}
	var receipt control.Receipt
	if w.get("/moves/"+m.ID+"/receipt").is(200, &receipt); receipt.Docs != 42 {
		t.Errorf("%+v", receipt)
	}
}

func TestWaves(t *testing.T) {
	w := newWorld(t, nil)
	w.cluster("a", "b")
	var waves []control.Wave
	for n := range 2 {
		var items []control.WaveItem
		for i := range 9 {
			id := fmt.Sprintf("t-%d-%d", n, i)
			w.tenant(id, "a")
			items = append(items, control.WaveItem{Partition: placement.PartitionID(id), To: "b"})
		}
		x, err := control.RequestWave(t.Context(), w.s, control.WaveRequest{Items: items, Paused: true})
		if err != nil {
			t.Fatal(err)
		}
		waves = append(waves, x)
	}
	if items, _ := all[control.Wave](w, "/waves", 1); len(items) != 2 || items[0].ID < items[1].ID {
		t.Errorf("%+v", items)
	}
	var v struct {
		Wave   control.Wave
		Counts map[string]int
	}
	if w.get("/waves/"+waves[0].ID).is(200, &v); v.Wave.ID != waves[0].ID || v.Counts["waiting"] != 9 {
		t.Errorf("%+v", v)
	}
	for _, x := range waves {
		items, pages := all[control.WaveItem](w, "/waves/"+x.ID+"/items", 4)
		if len(items) != 9 || pages != 3 || items[8].N != 8 || items[8].Wave != x.ID {
			t.Errorf("%d pages: %+v", pages, items)
		}
		if items, _ := all[control.WaveItem](w, "/waves/"+x.ID+"/items?state=failed", 4); len(items) != 0 {
			t.Errorf("failed: %+v", items)
		}
	}
	w.get("/waves/w0").fails(api.CodeUnknownWave)
	w.get("/waves/w0/items").fails(api.CodeUnknownWave)
	w.get("/waves/" + waves[0].ID + "/items?state=lost").fails(api.CodeInvalid)
}

func TestSessionsAndStore(t *testing.T) {
	w := newWorld(t, &api.Options{Build: "v1", Engine: "memory", Where: "here"})
	ctx := t.Context()
	x, err := w.s.OpenSession(ctx, store.Info{Kind: store.KindProxy, Name: "p1", Build: "v1"}, store.Report{Applied: 3, Pending: []placement.PartitionID{"acme"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Roster().Put(ctx, "gone", store.RosterRecord{Info: store.Info{ID: "gone", Kind: store.KindProxy, Name: "p2"}}, 0); err != nil {
		t.Fatal(err)
	}
	type view struct {
		ID, Name, State string
		Applied         int
		Pending         []string
	}
	items, pages := all[view](w, "/sessions", 1)
	by := map[string]view{}
	for _, v := range items {
		by[v.Name] = v
	}
	if pages != 2 || by["p1"].State != "live" || by["p1"].Applied != 3 || len(by["p1"].Pending) != 1 || by["p2"].State != "vanished" {
		t.Errorf("%+v", items)
	}
	if items, _ := all[view](w, "/sessions?kind=controller", 10); len(items) != 0 {
		t.Errorf("controllers: %+v", items)
	}
	if err := x.Close(ctx, true); err != nil {
		t.Fatal(err)
	}
	var st struct {
		Kind, Where, Error, Build string
		Healthy                   bool
		Epoch                     int
	}
	if w.get("/store").is(200, &st); !st.Healthy || st.Kind != "memory" || st.Where != "here" || st.Build != "v1" || st.Error != "" {
		t.Errorf("%+v", st)
	}
}

// Nobody is let in who is not on this machine, or was sent here by a name of somebody
// else's.
func TestOnlyThisMachine(t *testing.T) {
	w := newWorld(t, nil)
	w.get("/tenants", "Host", "localhost:9282").is(200, nil)
	w.get("/tenants", "Host", "[::1]:9282", "From", "[::1]:5").is(200, nil)
	w.get("/tenants", "From", "10.0.0.7:5").fails(api.CodeUnauthenticated)
	w.get("/tenants", "Host", "rebind.example.com:9282").fails(api.CodeUnauthenticated)
	w.get("/tenants", "Host", "10.0.0.1").fails(api.CodeUnauthenticated)
}

// What is no operation is a problem too, and has the headers of one.
func TestNowhere(t *testing.T) {
	w := newWorld(t, nil)
	w.get("/nothing").fails(api.CodeNotFound)
	a := w.ask("DELETE", "/store", "")
	a.fails(api.CodeMethodNotAllowed)
	if a.header.Get("Allow") != "GET" {
		t.Errorf("%v", a.header)
	}
	if got := w.get("/store", "X-Request-Id", "mine-1").header.Get("X-Request-Id"); got != "mine-1" {
		t.Errorf("the request's id is %q", got)
	}
	if got := w.get("/store", "X-Request-Id", "a\nb").header.Get("X-Request-Id"); got == "a\nb" || len(got) < 20 {
		t.Errorf("the request's id is %q", got)
	}
}

// A store that cannot be read is an error everywhere, but for whoever asks for that.
func TestStoreAway(t *testing.T) {
	w := newWorld(t, nil)
	if err := w.d.(io.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/tenants", "/tenants/acme", "/clusters", "/clusters/a", "/clusters?tenants=true", "/moves", "/moves/m1", "/moves/m1/receipt", "/waves", "/waves/w1", "/waves/w1/items", "/sessions"} {
		w.get(path).fails(api.CodeStoreUnavailable)
	}
	var st struct {
		Healthy bool
		Error   string
	}
	if w.get("/store").is(200, &st); st.Healthy || st.Error == "" {
		t.Errorf("%+v", st)
	}
}

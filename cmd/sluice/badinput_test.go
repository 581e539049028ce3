package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// TestBadInputOnARunningFleet is what a user can do wrong with a fleet that runs,
// on real clusters. Everything is refused with the reason, and changes nothing.
func TestBadInputOnARunningFleet(t *testing.T) {
	t.Parallel()
	old, young := enginetest.LendOpenSearch(t, engines.OpenSearch2), enginetest.LendOpenSearch(t, engines.OpenSearch3)
	p, base, c := startServe(t)
	f := badFleet{t: t, c: c, base: base, old: old.URL(), etcd: c.flags[1]}
	f.c.ok("cluster", "add", "old", old.URL())
	f.c.ok("cluster", "add", "young", young.URL())
	f.c.ok("cluster", "add", "down", "http://127.0.0.1:1", "--no-check")
	for _, tenant := range []string{"acme", "umbrella"} {
		must2xx(t, "", "PUT", old.URL()+"/"+tenant+"-docs", `{"settings":{"number_of_replicas":0}}`)
		f.c.ok("tenant", "add", tenant, "--cluster", "old", "--index", tenant+"-docs", "--as", "docs")
		must2xx(t, tenant, "POST", f.base+"/docs/_bulk?refresh=true", bulkOf("docs", 0, 3000))
	}
	must2xx(t, "", "PUT", young.URL()+"/gamma", `{"settings":{"number_of_replicas":0}}`)
	f.c.ok("tenant", "add", "gamma", "--cluster", "young", "--index", "gamma")
	must2xx(t, "", "PUT", young.URL()+"/taken/_doc/1?refresh=true", `{}`)

	t.Run("moves", f.moves)
	t.Run("bodies", f.bodies)
	t.Run("cursors", f.cursors)
	t.Run("a corrupt entry", f.corrupt)
	if text := must2xx(t, "", "GET", young.URL()+"/_cat/indices?h=index,docs.count&s=index", ""); strings.Join(strings.Fields(text), " ") != "gamma 0 taken 1" {
		t.Errorf("something was left at the target: %s", text)
	}
	if code := p.stop(t); code != exitOK {
		t.Errorf("stopped with %d:\n%s", code, p.log)
	}
}

type badFleet struct {
	t               *testing.T
	c               cli
	base, old, etcd string
}

// moves are refused, or fail before they have begun; the tenant stays as it was.
func (f badFleet) moves(t *testing.T) {
	c := cli{t, f.c.flags}
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"move acme --to young --index taken --dry-run", exitRefused, "cannot be moved to young as things are; nothing was changed"},
		{"move acme --to young --index taken --wait", exitMove, "index taken exists on young with 1 documents, and this move did not create it (choose another target"},
		{"move gamma --to old --wait", exitMove, "to.cluster: old runs 2.19.6, older than 3.9.0 of young (move to a cluster of the same or a newer major version)"},
		{"move acme --to down --wait", exitMove, "to.cluster: cluster down does not answer (check its endpoints and credentials)"},
		{"move acme --to old --index acme-docs", exitRefused, "is at cluster old already; --to must name another cluster"},
		{"move nobody --to young", exitRefused, `unknown tenant "nobody"`},
		{"move acme --to nowhere", exitRefused, `unknown cluster "nowhere": known are down, old, young`},
		{"move acme", exitUsage, "--to"},
		{"move acme --to young --copy-hours 22-6", exitUsage, `--copy-hours: "22-6" must be two times of the day, such as 22:00-06:00, or always`},
		{"move acme --to young --copy-hours 22:00-06:00 --copy-zone Berlin", exitUsage, `--copy-zone: "Berlin" must be a name of the IANA time zone database`},
		{"move acme --to young --copy-zone Europe/Berlin", exitUsage, "--copy-zone: there are no --copy-hours"},
		{"move acme --to young --copy-throttle half", exitUsage, `--copy-throttle: "half" must be auto or off`},
		{"move acme --to young --copy-bytes 0.001", exitUsage, `copy_bytes: "0.001" must be 0 (no limit) or a number of megabytes a second, 0.01 at least`},
		{"wave run --all-from old --to young --copy-hours 1-2", exitUsage, "--copy-hours"},
		{"tenant add new --cluster old --kind odd --index new", exitUsage, `placement.kind: "odd" must be one of`},
	} {
		tenant, _, _ := strings.Cut(strings.TrimPrefix(tt.args, "move "), " ")
		before := f.c.run("tenant", "show", tenant).stdout
		began := time.Now()
		r := c.run(strings.Fields(tt.args)...)
		if r.code != tt.code || !strings.Contains(r.stderr, tt.says) || strings.Contains(r.stderr, "could not be cleaned") {
			t.Errorf("sluice %s: %+v; want code %d and %q", tt.args, r, tt.code, tt.says)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("sluice %s took %s", tt.args, took)
		}
		if after := f.c.run("tenant", "show", tenant).stdout; after != before {
			t.Errorf("sluice %s changed the tenant:\n%s\n%s", tt.args, before, after)
		}
	}
	c.ok("move", "acme", "--to", "young", "--copy-rate", "500", "--copy-hours", "00:00-23:59", "--copy-hours", "23:59-00:00")
	inStage(t, c, "acme", control.StageCopying)
	for _, tt := range [][2]string{
		{"--copy-rate 100 --copy-bytes 20 --copy-hours 00:00-23:59 --copy-hours 23:59-00:00 --copy-zone Europe/Berlin", "copy: 100 documents a second, 20 MB a second, between 00:00-23:59 Europe/Berlin, between 23:59-00:00 Europe/Berlin"},
		{"--copy-bytes 0 --copy-hours always --copy-throttle off", "copy: 100 documents a second, the pressure of the clusters is not heeded"},
		{"--copy-rate 1 --copy-throttle auto", "copy: 1 documents a second"},
	} {
		if out := c.ok(strings.Fields("moves set acme " + tt[0])...); !strings.HasSuffix(strings.TrimSpace(out), tt[1]) {
			t.Errorf("moves set %s: %s", tt[0], out)
		}
	}
	if r := c.run("moves", "set", "acme", "--copy-hours", "always", "--copy-hours", "1:00-2:00"); r.code != exitUsage {
		t.Errorf("always and an hour: %+v", r)
	}
	for _, args := range []string{"move acme --to young", "move acme --to down", "move acme --to young --dry-run"} {
		if r := c.run(strings.Fields(args)...); r.code != exitRefused || !strings.Contains(r.stderr, "moving already") {
			t.Errorf("sluice %s while it moves: %+v", args, r)
		}
	}
	c.ok("moves", "abort", "acme", "--wait")
}

// bodies that are no JSON, or not what the endpoint takes, change nothing.
func (f badFleet) bodies(t *testing.T) {
	must2xx(t, "acme", "PUT", f.base+"/docs/_doc/0?refresh=true", `{"n":0}`)
	before := must2xx(t, "acme", "GET", f.base+"/docs/_doc/0", "")
	for _, tt := range [][3]string{
		{"PUT", "/docs/_doc/0", `{"a":`}, {"PUT", "/docs/_create/new", `hello`}, {"POST", "/docs/_doc", `{"a":`}, {"POST", "/docs/_update/0", `{"doc":`},
		{"POST", "/docs/_bulk", "hello\n"}, {"POST", "/docs/_bulk", `{"index":{}}` + "\n" + `{"a":1}`}, {"POST", "/docs/_bulk", "{\"index\":{}}\n{\"a\":1}\n{\"frob\":{}}\n{}\n"},
		{"POST", "/docs/_bulk", "{\"index\":{\"_id\":\"0\",\"_id\":\"1\"}}\n{}\n"}, {"POST", "/docs/_bulk", ""}, {"POST", "/_bulk", "{\"index\":\n{}\n"},
		{"POST", "/docs/_search", `{"query":`}, {"POST", "/docs/_search", `{} {}`}, {"POST", "/docs/_count", `{"query":`}, {"POST", "/docs/_search?scroll=banana", `{}`},
		{"POST", "/docs/_msearch", "{}\nhello\n"}, {"POST", "/docs/_msearch", "{}\n"}, {"POST", "/docs/_mget", `{"ids":`},
		{"POST", "/docs/_update_by_query", `{"query":`}, {"POST", "/docs/_delete_by_query", `{"query":`},
		{"POST", "/_search/scroll", `{"scroll_id":`}, {"POST", "/_search/scroll", `{}`}, {"DELETE", "/_search/scroll", `hello`},
		{"POST", "/docs/_search/point_in_time?keep_alive=banana", ""}, {"POST", "/_search", `{"pit":{"id":`}, {"DELETE", "/_search/point_in_time", `{"pit_id":`},
		{"PUT", "/docs/_mapping", `{"properties":`}, {"PUT", "/docs/_settings", `{"index":`},
	} {
		status, text := httpDo(t, "acme", tt[0], f.base+tt[1], tt[2])
		var answer struct {
			Error  struct{ Type, Reason string }
			Status int
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusBadRequest || answer.Status != status || answer.Error.Type == "" || answer.Error.Reason == "" {
			t.Errorf("%s %s %q: %d %s", tt[0], tt[1], tt[2], status, text)
		}
	}
	must2xx(t, "acme", "POST", f.base+"/docs/_refresh", "")
	if text := must2xx(t, "acme", "GET", f.base+"/docs/_count", ""); !strings.Contains(text, `"count":3000,`) {
		t.Errorf("documents after all that: %s", text)
	}
	if after := must2xx(t, "acme", "GET", f.base+"/docs/_doc/0", ""); after != before {
		t.Errorf("%s was %s", after, before)
	}
}

// cursors that were changed are told so; those of another tenant do not exist.
// Their own tenant goes on using them.
func (f badFleet) cursors(t *testing.T) {
	var scroll struct {
		ID string `json:"_scroll_id"`
	}
	var pit struct {
		ID string `json:"pit_id"`
	}
	if err := json.Unmarshal([]byte(must2xx(t, "acme", "POST", f.base+"/docs/_search?scroll=5m&size=2", "")), &scroll); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(must2xx(t, "acme", "POST", f.base+"/docs/_search/point_in_time?keep_alive=5m", "")), &pit); err != nil {
		t.Fatal(err)
	}
	changed := func(id string) string {
		b := []byte(id)
		if b[len(b)/2]++; b[len(b)/2] == '9'+1 || b[len(b)/2] == 'Z'+1 || b[len(b)/2] == 'z'+1 || b[len(b)/2] == '-'+1 || b[len(b)/2] == '_'+1 {
			b[len(b)/2] = 'A'
		}
		return string(b)
	}
	uses := func(scrollID, pitID string) [][3]string {
		return [][3]string{
			{"POST", "/_search/scroll", `{"scroll":"5m","scroll_id":"` + scrollID + `"}`}, {"GET", "/_search/scroll/" + scrollID + "?scroll=5m", ""},
			{"POST", "/_search", `{"size":1,"pit":{"id":"` + pitID + `","keep_alive":"5m"}}`},
			{"DELETE", "/_search/scroll", `{"scroll_id":["` + scrollID + `"]}`}, {"DELETE", "/_search/point_in_time", `{"pit_id":["` + pitID + `"]}`},
		}
	}
	for _, u := range uses(changed(scroll.ID), changed(pit.ID)) {
		if status, text := httpDo(t, "acme", u[0], f.base+u[1], u[2]); status != http.StatusBadRequest || !strings.Contains(text, "sluice_bad_cursor") {
			t.Errorf("changed: %v: %d %s", u, status, text)
		}
	}
	for _, u := range uses(scroll.ID, pit.ID) {
		if status, text := httpDo(t, "umbrella", u[0], f.base+u[1], u[2]); status != http.StatusNotFound || !strings.Contains(text, "search_context_missing_exception") {
			t.Errorf("of another tenant: %v: %d %s", u, status, text)
		}
	}
	for _, u := range uses(scroll.ID, pit.ID) {
		must2xx(t, "acme", u[0], f.base+u[1], u[2])
	}
	for _, u := range uses(scroll.ID, pit.ID)[:3] {
		if status, text := httpDo(t, "acme", u[0], f.base+u[1], u[2]); status != http.StatusNotFound {
			t.Errorf("closed: %v: %d %s", u, status, text)
		}
	}
}

// corrupt overwrites a tenant's entry in the store: it is refused by name
// everywhere, kept as it is, and nobody else notices.
func (f badFleet) corrupt(t *testing.T) {
	c := cli{t, f.c.flags}
	kv, err := clientv3.New(clientv3.Config{Endpoints: []string{f.etcd}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer kv.Close()
	const key, garbage = "/sluice/entries/umbrella", `{"v":1,garbage`
	old, err := kv.Get(t.Context(), key)
	if err != nil || len(old.Kvs) != 1 {
		t.Fatalf("%v: %v", old, err)
	}
	if _, err := kv.Put(t.Context(), key, garbage); err != nil {
		t.Fatal(err)
	}
	// What is put past Sluice does not move the table's head: no read barrier covers
	// it, and the proxies know it when their watch brings it.
	becomes := func(want int) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			status, text := httpDo(t, "umbrella", "POST", f.base+"/docs/_refresh", "")
			if status == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("still %d, not %d: %s", status, want, text)
			}
		}
	}
	becomes(http.StatusServiceUnavailable)
	for _, u := range [][3]string{{"GET", "/docs/_count", ""}, {"PUT", "/docs/_doc/x", `{}`}, {"POST", "/docs/_bulk", "{\"index\":{}}\n{}\n"}, {"POST", "/docs/_search", `{}`}} {
		if status, text := httpDo(t, "umbrella", u[0], f.base+u[1], u[2]); status != http.StatusServiceUnavailable || !strings.Contains(text, "sluice_corrupt_entry") {
			t.Errorf("%v: %d %s", u, status, text)
		}
	}
	must2xx(t, "acme", "PUT", f.base+"/docs/_doc/x", `{}`)
	for _, args := range []string{"tenant list", "tenant show umbrella", "move umbrella --to young", "move umbrella --to young --dry-run", "tenant remove umbrella", "tenant add umbrella --cluster old --index z"} {
		r := c.run(strings.Fields(args)...)
		if r.code != exitFailure || !strings.Contains(r.stderr, `record "umbrella" in entries is corrupt`) || !strings.Contains(r.stderr, "put the right value back, or delete its key") {
			t.Errorf("sluice %s: %+v", args, r)
		}
		if args == "tenant list" && !strings.Contains(r.stdout, "acme") {
			t.Errorf("the list leaves out the others: %s", r.stdout)
		}
	}
	c.ok("tenant", "show", "acme")
	if now, err := kv.Get(t.Context(), key); err != nil || len(now.Kvs) != 1 || string(now.Kvs[0].Value) != garbage {
		t.Errorf("the corrupt value was touched: %v, %v", now, err)
	}
	if _, err := kv.Put(t.Context(), key, string(old.Kvs[0].Value)); err != nil {
		t.Fatal(err)
	}
	becomes(http.StatusOK)
	if text := must2xx(t, "umbrella", "GET", f.base+"/docs/_count", ""); !strings.Contains(text, `"count":3000,`) {
		t.Errorf("after it was put right: %s", text)
	}
}

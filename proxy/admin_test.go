package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
)

// The tenant's own index is administered by its logical name, and what a move could
// not follow is refused while there is one.
func TestIndexAdministration(t *testing.T) {
	r, u := engine(t)
	send(t, u, "DELETE", "/foreign", "")
	send(t, u, "PUT", "/foreign", "").want(t, 200)
	r.do("PUT", "/docs/_doc/1?refresh=true", `{"n":1}`).want(t, 201)
	r.do("POST", "/docs/_close", "").want(t, 200, "acknowledged", true, "indices/docs/closed", true)
	r.do("GET", "/docs/_search", "").want(t, 400, "error/type", "index_closed_exception", "error/index", "docs")
	r.do("POST", "/docs/_open", "").want(t, 200, "acknowledged", true)
	waitFor(t, "the index is open", func() bool { return r.do("GET", "/docs/_search", "").status == 200 })
	// Aliases are the operator's: one could take the name that another tenant's index is to have.
	for _, c := range [][3]string{
		{"PUT", "/docs/_alias/x", ""}, {"POST", "/docs/_aliases/x", `{}`}, {"DELETE", "/docs/_alias/x", ""}, {"DELETE", "/docs/_aliases/*", ""},
		{"POST", "/_aliases", `{"actions":[{"add":{"index":"docs","alias":"x"}}]}`}, {"POST", "/_aliases", `{"actions":{"remove_index":{"index":"docs"}}}`},
		{"PUT", "/foreign/_alias/x", ""}, {"POST", "/_aliases", `{"actions":[{"add":{"index":"foreign","alias":"x"}}]}`},
	} {
		r.do(c[0], c[1], c[2]).want(t, 403, "error/type", "sluice_not_allowed")
	}
	send(t, u, "GET", "/_alias/x", "").want(t, 404)
	send(t, u, "PUT", "/acme-1/_alias/given", `{"filter":{"term":{"n":1}}}`).want(t, 200)
	r.do("GET", "/docs/_alias", "").want(t, 200, "docs/aliases/given/filter/term/n", "1")
	r.do("POST", "/_all/_close", "").want(t, 400, "error/type", "sluice_foreign_index")
	r.do("POST", "/foreign/_close", "").want(t, 404)

	r.step(placement.OpBegin)
	r.do("POST", "/docs/_close", "").want(t, 409, "error/type", "sluice_moving")
	r.do("POST", "/docs/_open", "").want(t, 200)
	r.do("PUT", "/docs/_mapping", `{"properties":{"moving":{"type":"keyword"}}}`).want(t, 200)
	r.do("POST", "/docs/_flush", "").want(t, 200)
	r.step(placement.OpCutover)
	waitFor(t, "the changes are in the journal", func() bool {
		sessions, _, err := r.store.Sessions().List(t.Context())
		return err == nil && len(sessions) == 1 && sessions[0].Value.Journals[acme].Head >= 2
	})
	held := make(chan reply, 1)
	go func() { held <- r.do("PUT", "/docs/_mapping", `{"properties":{"late":{"type":"keyword"}}}`) }()
	waitFor(t, "the change is held", func() bool { return r.held() == 1 })
	r.step(placement.OpComplete)
	(<-held).want(t, 200)
	send(t, u, "GET", "/acme-2/_mapping", "").want(t, 200, "acme-2/mappings/properties/late/type", "keyword")
	send(t, u, "GET", "/acme-1/_mapping", "").want(t, 200, "acme-1/mappings/properties/moving/type", "keyword", "acme-1/mappings/properties/late", nil)
}

// A tenant with a cluster of its own has all its names, but for those of moves.
func TestAliases(t *testing.T) {
	r, u := engine(t)
	do := whole(t, r, u, "mine")
	do("PUT", "/mine", `{"settings":{"number_of_replicas":0}}`).want(t, 200)
	do("POST", "/_aliases", `{"actions":[{"add":{"index":"mine","alias":"x","filter":{"term":{"n":1}}}},{"add":{"indices":["mine"],"aliases":["y","z"]}}]}`).want(t, 200)
	do("POST", "/_aliases", `{"actions":[{"remove":{"indices":["mine"],"aliases":["z"]}}]}`).want(t, 200)
	do("GET", "/mine/_alias", "").want(t, 200, "mine/aliases/x/filter/term/n", "1", "mine/aliases/z", nil)
	do("POST", "/_aliases", `{"actions":{"remove":{"index":"mine","alias":"y"}}}`).want(t, 200)
	do("POST", "/_aliases", `{"actions":[{"remove":{"index":"mine","alias":"y","must_exist":true}}]}`).want(t, 404)
	do("PUT", "/mine/_alias/w", "").want(t, 200)
	do("DELETE", "/mine/_aliases/w", "").want(t, 200)
	for _, c := range [][3]string{
		{"PUT", "/mine/_alias/sluice-x", ""}, {"DELETE", "/mine/_alias/sluice-*", ""}, {"POST", "/_aliases", `{"actions":{"add":{"index":"mine","alias":"sluice-x"}}}`},
		{"POST", "/_aliases", `{"actions":[{"add":{"index":"mine","alias":"x"}},{"add":{"index":"mine","aliases":["y","sluic\u0065-x"]}}]}`},
	} {
		do(c[0], c[1], c[2]).want(t, 403, "error/type", "sluice_not_allowed")
	}
	do("POST", "/_aliases", "{\"actions\":[{\"add\":{\"index\":\"mine\",\"alias\":\"sluic\xc1\xa5-x\"}}]}").want(t, 400)
	do("GET", "/mine/_alias", "").want(t, 200, "mine/aliases/sluice-x", nil, "mine/aliases/y", nil)
	do("DELETE", "/mine", "").want(t, 200)
}

// whole is a tenant that has all of cluster a, and no index of the names given.
func whole(t *testing.T, r *rig, u string, indices ...string) func(method, path, body string) reply {
	t.Helper()
	for _, i := range indices {
		send(t, u, "DELETE", "/"+i, "")
	}
	r.register("whole", placement.Placement{Kind: placement.DedicatedCluster, Cluster: "a"})
	return func(method, path, body string) reply {
		t.Helper()
		return r.as("whole", method, path, body)
	}
}

func TestReindex(t *testing.T) {
	r, u := engine(t)
	do := whole(t, r, u, "from", "copy", "copy2")
	do("PUT", "/from", `{"aliases":{"sluice-move-x":{}}}`).want(t, 403, "error/type", "sluice_not_allowed")
	do("PUT", "/from", `{"settings":{"number_of_replicas":0},"aliases":{"alias-of-from":{}}}`).want(t, 200)
	for i := range 6 {
		do("PUT", fmt.Sprintf("/from/_doc/%d?refresh=true", i), fmt.Sprintf(`{"n":%d}`, i)).want(t, 201)
	}
	do("POST", "/_reindex?refresh=true", `{"source":{"index":"from","query":{"range":{"n":{"lt":4}}}},"dest":{"index":"copy"}}`).want(t, 200, "created", "4", "timed_out", false)
	do("GET", "/copy/_count", "").want(t, 200, "count", "4")
	task := do("POST", "/_reindex?wait_for_completion=false&refresh=true", `{"source":{"index":["from"]},"dest":{"index":"copy2"}}`).want(t, 200).str("task")
	waitFor(t, "the copy ends", func() bool { return do("GET", "/_tasks/"+task, "").want(t, 200).at("completed") == true })
	do("GET", "/copy2/_count", "").want(t, 200, "count", "6")
	do("POST", "/_reindex", `{"source":{"index":"from"},"dest":{"index":"copy","op_type":"create"}}`).want(t, 409, "version_conflicts", "4")
	do("POST", "/_reindex", `{"source":{"index":"nosuch"},"dest":{"index":"copy"}}`).want(t, 404, "error/type", "index_not_found_exception")
	do("POST", "/_reindex", `{"source":{"index":"from","r\u0065mote":{"host":"http://127.0.0.1:1"}},"dest":{"index":"copy"}}`).want(t, 403, "error/type", "sluice_not_allowed")
	do("POST", "/_reindex", "{\"source\":{\"\xc1\xb2emote\":{}}}").want(t, 400)
	do("POST", "/_reindex", `{`).want(t, 400)
	r.do("POST", "/_reindex", `{"source":{"index":"docs"},"dest":{"index":"docs"}}`).want(t, 400, "error/type", "sluice_unsupported")
	// It counts as a write whose documents are not known.
	cmd := placement.Command{Op: placement.OpBegin, To: placement.Placement{Kind: placement.DedicatedCluster, Cluster: "b"}, Attempt: placement.Attempt{Move: "m", Number: 1}}
	if _, err := r.store.Apply(t.Context(), "whole", cmd); err != nil {
		t.Fatal(err)
	}
	do("POST", "/_reindex", `{"source":{"index":"from"},"dest":{"index":"copy"}}`).want(t, 200, "updated", "6")
	waitFor(t, "the journal says that it does not know all", func() bool {
		sessions, _, err := r.store.Sessions().List(t.Context())
		return err == nil && len(sessions) == 1 && sessions[0].Value.Journals["whole"].Lost
	})
	do("POST", "/from/_close", "").want(t, 409, "error/type", "sluice_moving")
	do("DELETE", "/from", "").want(t, 409, "error/type", "sluice_moving")
	do("POST", "/_aliases", `{"actions":{"remove_index":{"index":"from"}}}`).want(t, 409, "error/type", "sluice_moving")
	do("PUT", "/_index_template/x", `{}`).want(t, 403)
	do("GET", "/_index_template", "").want(t, 200)
	do("GET", "/_cluster/health", "").want(t, 200, "timed_out", false)
}

// A tenant cancels and slows its own tasks and no others.
func TestTaskControl(t *testing.T) {
	r, u := engine(t)
	send(t, u, "DELETE", "/"+pool.Index, "")
	send(t, u, "PUT", "/"+pool.Index, poolMapping).want(t, 200)
	r.register(other, pool)
	for _, who := range []placement.PartitionID{acme, other} {
		var b strings.Builder
		for i := range 50 {
			fmt.Fprintf(&b, "{\"index\":{\"_id\":\"%d\"}}\n{\"n\":%d}\n", i, i)
		}
		r.as(who, "POST", "/docs/_bulk?refresh=true", b.String()).want(t, 200, "errors", false)
		task := r.as(who, "POST", "/docs/_update_by_query?wait_for_completion=false&requests_per_second=1&scroll_size=1", `{}`).want(t, 200).str("task")
		about := func(a reply) string {
			nodes, _ := a.at("nodes").(map[string]any)
			for n := range nodes {
				return "nodes/" + n + "/tasks/" + task
			}
			t.Fatalf("no task: %s", a.raw)
			return ""
		}
		a := r.as(who, "POST", "/_update_by_query/"+task+"/_rethrottle?requests_per_second=0.5", "").want(t, 200)
		if got := a.at(about(a) + "/status/requests_per_second"); got != "0.5" {
			t.Errorf("requests_per_second is %v: %s", got, a.raw)
		}
		stranger := acme
		if who == acme {
			stranger = other
		}
		r.as(stranger, "POST", "/_tasks/"+task+"/_cancel", "").want(t, 404)
		r.as(stranger, "POST", "/_update_by_query/"+task+"/_rethrottle?requests_per_second=-1", "").want(t, 404)
		r.as(who, "POST", "/_update_by_query/"+task+"/_rethrottle?requests_per_second=x", "").want(t, 400)
		c := r.as(who, "POST", "/_tasks/"+task+"/_cancel", "").want(t, 200)
		if c.at(about(c)+"/cancelled") != true {
			t.Errorf("not cancelled: %s", c.raw)
		}
		for _, x := range []reply{a, c} {
			if strings.Contains(x.raw, "transport_address") || strings.Contains(x.raw, "127.0.0.1") || strings.Contains(x.raw, "acme-1") || strings.Contains(x.raw, "pool-1") {
				t.Errorf("the answer shows the cluster: %s", x.raw)
			}
		}
		waitFor(t, "the task ends", func() bool { return r.as(who, "GET", "/_tasks/"+task, "").want(t, 200).at("completed") == true })
		r.as(who, "POST", "/_tasks/"+task+"/_cancel", "").want(t, 200, "node_failures/0/caused_by/type", "resource_not_found_exception")
		r.as(who, "POST", "/_tasks/abc:1/_cancel", "").want(t, 400, "error/type", "sluice_bad_cursor")
	}
	r.do("POST", "/_tasks/_cancel", "").want(t, 403)
	r.do("GET", "/_tasks", "").want(t, 403)
}

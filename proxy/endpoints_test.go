package proxy_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

var update = flag.Bool("update", false, "write the pages of the manual that are made from code")

const endpointsHead = `# Endpoints

<!-- Made from the table in proxy/endpoints.go by make endpoints-page. -->

What a tenant may call through a proxy, by the kind of its placement. This page is made from the table that the proxy itself looks requests up in.

**yes**: served. **no**: refused with status 400. **operator**: refused with 403; what is to be done is the operator's, at the cluster itself: no
request is passed on for operators. The numbers lead to the reasons below, which are also in the answer. What is in no row is refused
with 400 ` + "`sluice_unsupported`" + `, another method of a row with 405.

In a pattern ` + "`{i}`" + ` is an index. A tenant of a ` + "`dedicated_cluster`" + ` uses the names, patterns and lists of its cluster. One of a ` + "`dedicated_index`" + ` or
` + "`shared_index`" + ` has one index, and names it by its logical name or not at all. One of a ` + "`dedicated_index`" + ` with a pattern (docs/tenants.md) has
any number of them, and uses logical names, patterns and lists of them. Parameters that a shared index is not known to confine are
refused there with ` + "`sluice_shared_index`" + `.

The **role** is the least that a client's credentials must give ([tenants](tenants.md)); with less, a request is refused with 403 ` + "`sluice_role`" + `. Where
two are given, the second is for the second method.

Writes are held for the moment in which a tenant moves, and each goes to one cluster. Changes of indices (create, remove, open, close, mappings, settings,
aliases) are held as well, and taken along. Refreshes, flushes and merges change no document and are not held.

A scroll or point in time is followed where it was opened, also after its tenant has moved, and shows that tenant's documents under its own names even
where they are in an index that was shared, and after their removal from there. Any other old copy is not retired while one is open over it: ` + "`sluice moves`" + ` says how many. By default clients
hold signed ids, which every instance can follow and none has to remember; the cluster's own ids are refused with 400 ` + "`sluice_bad_cursor`" + `. With
` + "`proxy.cursors.affinity: pin`" + ` clients hold the cluster's own ids, and only the instance that gave one out follows it; another one, or one that was
restarted, answers 404 and asks no cluster. ` + "`sluice_proxy_pinned_cursors`" + ` counts those by cluster, and ` + "`/-/explain`" + ` at the admin listener those of a tenant.
Neither kind of id is encrypted: whoever decodes one can read the names of the cluster and of the physical index in it.
`

// page is the manual's page of the table.
func page() string {
	var b strings.Builder
	b.WriteString(endpointsHead)
	var reasons []string
	number := func(why string) int {
		if i := slices.Index(reasons, why); i >= 0 {
			return i + 1
		}
		reasons = append(reasons, why)
		return len(reasons)
	}
	section := ""
	for _, r := range proxy.Endpoints() {
		if r.Section != section {
			section = r.Section
			fmt.Fprintf(&b, "\n## %s\n\n| endpoint | | role | dedicated_cluster | dedicated_index | with a pattern | shared_index |\n| --- | --- | --- | --- | --- | --- | --- |\n", section)
		}
		methods := r.Methods
		if methods == "*" {
			methods = "any"
		}
		fmt.Fprintf(&b, "| %s `%s` | %s | %s |", methods, r.Pattern, r.Does, role(r))
		for _, c := range r.Cells {
			switch {
			case c.Type == "" && c.Note == "":
				b.WriteString(" yes |")
			case c.Type == "":
				fmt.Fprintf(&b, " yes, %s |", c.Note)
			case c.Type == proxy.TypeNotAllowed:
				fmt.Fprintf(&b, " operator (%d) |", number(c.Note))
			default:
				fmt.Fprintf(&b, " no (%d) |", number(c.Note))
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## Reasons\n\n")
	for i, why := range reasons {
		fmt.Fprintf(&b, "%d. %s.\n", i+1, strings.ToUpper(why[:1])+why[1:])
	}
	return b.String()
}

// role is what a row's requests need, for each method if they differ.
func role(r proxy.EndpointRow) string {
	var needs []string
	for _, m := range strings.Fields(r.Methods) {
		if n := r.Needs(m); n != 0 && !slices.Contains(needs, n.String()) {
			needs = append(needs, n.String())
		}
	}
	if len(needs) == 0 {
		return "-"
	}
	return strings.Join(needs, ", ")
}

// The manual's page says what the table says.
func TestEndpointsPage(t *testing.T) { samePage(t, "../docs/endpoints.md", page()) }

// samePage compares a page of the manual with what is made from code, or writes it.
func samePage(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("the manual differs (-want +have); run make endpoints-page:\n%s", diff)
	}
}

// Every cell of the table is what the proxy does: what is refused is refused with
// the cell's code and reason, which says what to do instead, and reaches no cluster.
func TestEveryEndpoint(t *testing.T) {
	var calls atomic.Int64
	u := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		answer(w, 200, `{}`)
	})
	r := newRig(t, u, u, nil)
	tenants := map[placement.Kind]placement.PartitionID{placement.DedicatedCluster: "whole", placement.DedicatedIndex: acme, placement.SharedIndex: other}
	r.register("many", placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "many-*", Logical: "*"})
	r.register("whole", placement.Placement{Kind: placement.DedicatedCluster, Cluster: "b"})
	r.register(acme, placeA)
	r.register(other, pool)
	refused := []string{proxy.TypeUnsupported, proxy.TypeSharedIndex, proxy.TypeNotAllowed}
	cells, sent := 0, 0
	for _, row := range proxy.Endpoints() {
		path := strings.NewReplacer("{i}", "docs", "{id}", "1", "{name}", "x", "/**", "/any/thing").Replace(row.Pattern)
		methods := strings.Fields(strings.ReplaceAll(row.Methods, "*", "GET HEAD POST PUT DELETE"))
		for _, c := range row.Cells {
			for _, m := range methods {
				cells++
				body := "{}"
				switch {
				case m == "GET" || m == "HEAD":
					body = ""
				case strings.HasSuffix(path, "/_delete_by_query"):
					body = `{"query":{"match_all":{}}}`
				}
				before := calls.Load()
				who := tenants[c.Kind]
				if c.Many {
					who = "many"
				}
				a := r.as(who, m, path, body)
				what := fmt.Sprintf("%s %s of %s, a %s", m, path, who, c.Kind)
				if calls.Load() > before {
					sent++
				}
				if c.Type == "" {
					if slices.Contains(refused, a.str("error/type")) && !strings.Contains(c.Note, "_all") || a.status == 405 || a.status == 403 {
						t.Errorf("%s is not served: %d %s", what, a.status, a.raw)
					}
					continue
				}
				status := 400
				if c.Type == proxy.TypeNotAllowed {
					status = 403
				}
				if a.status != status || m != "HEAD" && (a.str("error/type") != c.Type || !strings.Contains(a.str("error/reason"), c.Note)) {
					t.Errorf("%s: %d %s, want %d %s: %s", what, a.status, a.raw, status, c.Type, c.Note)
				}
				if _, instead, _ := strings.Cut(c.Note, "; "); instead == "" {
					t.Errorf("%s: the reason does not say what to do instead: %s", what, c.Note)
				}
				if calls.Load() != before {
					t.Errorf("%s reached a cluster", what)
				}
			}
		}
	}
	if cells < 400 || sent < 150 {
		t.Errorf("%d requests, of which %d reached a cluster: too few to mean anything", cells, sent)
	}
	for _, c := range []struct {
		method, path string
		status       int
		say          string
	}{
		{"GET", "/_nosuch", 400, "docs/endpoints.md"}, {"PUT", "/docs/_nosuch/1", 400, "docs/endpoints.md"}, {"PATCH", "/docs/_doc/1", 405, "only [PUT, POST, DELETE, GET, HEAD]"},
		{"DELETE", "/docs/_search", 405, "only [GET, POST]"},
	} {
		r.do(c.method, c.path, "").want(t, c.status, "error/type", proxy.TypeUnsupported)
		if a := r.do(c.method, c.path, ""); !strings.Contains(a.raw, c.say) {
			t.Errorf("%s %s: %s", c.method, c.path, a.raw)
		}
	}
}

package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// places are the names that a tenant's clients must never see, or that differ by place.
var places = regexp.MustCompile(`"_seq_no":\d+,"_primary_term":\d+,`)

// asClientsSee reads documents as the tenant's clients do; what may differ between two
// places is left out.
func asClientsSee(t *testing.T, tenant, base string, paths ...string) string {
	t.Helper()
	var b strings.Builder
	for _, p := range paths {
		b.WriteString(p + " " + places.ReplaceAllString(must2xx(t, tenant, "GET", base+p, ""), "") + "\n")
	}
	return b.String()
}

// A tenant moves from an index of its own to a cluster of its own, from there to a
// pattern on another, back by a rollback, and to a pattern again; one that shares an index
// moves into the cluster that is empty then. Documents, versions, routings and aliases
// are the same to its clients in every place.
func TestTenantsMoveBetweenKinds(t *testing.T) {
	t.Parallel()
	a, b := enginetest.LendOpenSearch(t, engines.OpenSearch2), enginetest.LendOpenSearch(t, engines.OpenSearch2)
	p, base, c := startServe(t)
	c.ok("cluster", "add", "a", a.URL())
	c.ok("cluster", "add", "b", b.URL())
	must2xx(t, "", "PUT", a.URL()+"/acme-docs", `{"settings":{"number_of_shards":2,"number_of_replicas":0},"mappings":{"properties":{"k":{"type":"keyword"}}}}`)
	// A tenant comes back to it, which waits until the deletions of its retire are forgotten.
	must2xx(t, "", "PUT", a.URL()+"/pool", `{"settings":{"number_of_replicas":0,"gc_deletes":"2s"},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}`)
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	for _, id := range []string{"tiny", "other"} {
		c.ok("tenant", "add", id, "--cluster", "a", "--kind", "shared_index", "--index", "pool", "--partition-field", "tenant", "--as", "docs")
	}
	for _, id := range []string{"acme", "tiny", "other"} {
		served(t, base, id)
	}
	do := func(tenant, method, path, body string) string {
		t.Helper()
		return must2xx(t, tenant, method, base+path, body)
	}
	for _, id := range []string{"acme", "tiny", "other"} {
		do(id, "POST", "/docs/_bulk", bulkOf("docs", 0, 300))
		do(id, "PUT", "/docs/_doc/odd%2Fid?routing=r%201", `{ "k" : "x",  "n": 1.0 }`)
		do(id, "PUT", "/docs/_doc/7", `{"n":70}`)
		do(id, "DELETE", "/docs/_doc/8", "")
		do(id, "POST", "/docs/_refresh", "")
	}
	refused := func(says string, args ...string) {
		t.Helper()
		if r := c.run(args...); r.code == exitOK || !strings.Contains(r.stderr, says) {
			t.Errorf("%v: exit code %d, %s; want it to say %q", args, r.code, r.stderr, says)
		}
	}
	move := func(tenant string, args ...string) {
		t.Helper()
		c.ok(append([]string{"move", tenant, "--wait", "--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off"}, args...)...)
		if out := c.ok("verify", tenant, "--content"); !strings.HasSuffix(out, "the copies are equal\n") {
			t.Errorf("the copies after move %v: %s", args, out)
		}
	}
	retire := func(tenant string) {
		t.Helper()
		if out := c.ok("moves", "retire", inStage(t, c, tenant, control.StageFlipped).ID, "--wait"); !strings.Contains(out, "done") {
			t.Errorf("retire %s: %s", tenant, out)
		}
	}
	paths := []string{"/docs/_doc/1", "/docs/_doc/7", "/docs/_doc/odd%2Fid?routing=r%201", "/docs/_count", "/docs/_search?q=n:70", "/docs/_mapping"}
	took := regexp.MustCompile(`"took":\d+`)
	look := func(tenant string, paths ...string) string {
		t.Helper()
		return took.ReplaceAllString(asClientsSee(t, tenant, base, paths...), `"took":0`)
	}

	// One index: it is called in its cluster what clients call it.
	before := look("acme", paths...)
	move("acme", "--to", "b", "--kind", "dedicated_cluster")
	if now := look("acme", paths...); now != before {
		t.Errorf("in a cluster of its own:\n%s\nwant\n%s", now, before)
	}
	refused("has a cluster since", "moves", "rollback", "acme")
	retire("acme")
	do("acme", "PUT", "/more/_doc/1", `{"m":1}`)
	do("acme", "POST", "/_aliases", `{"actions":[{"add":{"index":"docs","alias":"both"}},{"add":{"index":"more","alias":"both","is_write_index":true}}]}`)
	do("acme", "POST", "/both/_refresh", "")

	// Any number of indices: under a pattern, aliases too.
	refused("must be a pattern with a *", "move", "acme", "--to", "a", "--kind", "dedicated_index")
	refused("2 indices, and the target is a place for one: docs, more", "move", "acme", "--to", "a", "--kind", "dedicated_index", "--index", "acme")
	refused("2 indices, and the target is a place for one: docs, more", "move", "acme", "--to", "a", "--kind", "shared_index", "--index", "pool", "--dry-run")
	paths = append(paths, "/more/_doc/1", "/both/_count", "/docs,more/_count")
	before = look("acme", paths...)
	move("acme", "--to", "a", "--kind", "dedicated_index", "--index", "acme-*")
	if now := look("acme", paths...); now != before {
		t.Errorf("under a pattern:\n%s\nwant\n%s", now, before)
	}
	if text := must2xx(t, "", "GET", a.URL()+"/_cat/indices/acme-*?h=index&s=index", ""); text != "acme-docs\nacme-more\n" {
		t.Errorf("at the cluster: %q", text)
	}
	do("acme", "PUT", "/both/_doc/2", `{"m":2}`)
	do("acme", "DELETE", "/docs/_doc/1", "")
	do("acme", "PUT", "/late/_doc/1", `{"l":1}`)
	do("acme", "POST", "/_refresh", "")
	paths = append(paths[1:], "/more/_doc/2", "/late/_doc/1", "/_count")
	before = look("acme", paths...)

	// Back to the cluster, with what was written since, and once more away.
	c.ok("moves", "rollback", "acme", "--wait", "--pause-budget", "3s", "--cutover-deadline", "4s")
	do("acme", "POST", "/_refresh", "")
	if now := look("acme", paths...); now != before {
		t.Errorf("rolled back:\n%s\nwant\n%s", now, before)
	}
	retire("acme")
	move("acme", "--to", "a", "--kind", "dedicated_index", "--index", "acme.v2-*")
	if now := look("acme", paths...); now != before {
		t.Errorf("under a pattern again:\n%s\nwant\n%s", now, before)
	}
	retire("acme")
	if text := must2xx(t, "", "GET", b.URL()+"/_cat/indices/*,-.*?h=index&expand_wildcards=all", ""); text != "" {
		t.Errorf("left at b: %q", text)
	}

	// From a shared index straight into a cluster, and under a pattern from there.
	paths = []string{"/docs/_doc/1", "/docs/_doc/7", "/docs/_doc/odd%2Fid?routing=r%201", "/docs/_count"}
	before = look("tiny", paths...)
	other := look("other", paths...)
	move("tiny", "--to", "b", "--kind", "dedicated_cluster")
	if now := look("tiny", paths...); now != before {
		t.Errorf("out of a shared index:\n%s\nwant\n%s", now, before)
	}
	if text := must2xx(t, "", "GET", b.URL()+"/docs/_search?q=tenant:tiny", ""); !strings.Contains(text, `"total":{"value":0,`) {
		t.Errorf("the partition field came along: %s", text)
	}
	retire("tiny")
	move("tiny", "--to", "a", "--kind", "dedicated_index", "--index", "tiny-*")
	if now := look("tiny", paths...); now != before {
		t.Errorf("under a pattern:\n%s\nwant\n%s", now, before)
	}
	if now := look("other", paths...); now != other {
		t.Errorf("the neighbour has\n%s\nwant\n%s", now, other)
	}
	// And a pattern into a cluster.
	retire("tiny")
	move("tiny", "--to", "b", "--kind", "dedicated_cluster")
	if now := look("tiny", paths...); now != before {
		t.Errorf("from a pattern into a cluster:\n%s\nwant\n%s", now, before)
	}
	retire("tiny")

	// A cluster in which there is one index, into a place for one, back, and into the
	// shared index again, while clients create another.
	move("tiny", "--to", "a", "--kind", "dedicated_index", "--index", "tiny")
	if now := look("tiny", paths...); now != before {
		t.Errorf("from a cluster into one index:\n%s\nwant\n%s", now, before)
	}
	do("tiny", "PUT", "/docs/_doc/7", `{"n":71}`)
	do("tiny", "POST", "/docs/_refresh", "")
	before = look("tiny", paths...)
	c.ok("moves", "rollback", "tiny", "--wait", "--pause-budget", "3s", "--cutover-deadline", "4s")
	if now := look("tiny", paths...); now != before {
		t.Errorf("back in the cluster:\n%s\nwant\n%s", now, before)
	}
	retire("tiny")
	raceCreations(t, c, base, "tiny", b.URL())
	if now := look("tiny", paths...); now != before {
		t.Errorf("from a cluster into a shared index:\n%s\nwant\n%s", now, before)
	}
	if now := look("other", paths...); now != other {
		t.Errorf("the neighbour has\n%s\nwant\n%s", now, other)
	}
	if out := c.ok("doctor"); !strings.Contains(out, "nothing") {
		t.Logf("doctor: %s", out)
	}
	if code := p.stop(t); code != exitOK {
		t.Errorf("stopped with %d:\n%s", code, p.log)
	}
}

// raceCreations moves a tenant with one index from its cluster into a shared one, while a
// client creates another index, later in each try. Either that index was created, and is
// there, and the move has ended with its name; or it was refused, and the tenant has moved.
func raceCreations(t *testing.T, c cli, base, tenant, cluster string) {
	t.Helper()
	ask := []string{"move", tenant, "--to", "a", "--kind", "shared_index", "--index", "pool", "--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off"}
	for try := range 3 {
		c.ok(ask...)
		// Whoever looks too late finds that it has moved: that is one of the moments, too.
		inStage(t, c, tenant, append([]control.Stage{control.StagePreparing, control.StageCatchingUp, control.StageCutover}[try:], control.StageFlipped)...)
		code, text := httpDo(t, tenant, "PUT", base+"/late/_doc/1", `{"l":1}`)
		m := inStage(t, c, tenant, control.StageFlipped, control.StageAborted, control.StageFailed)
		t.Logf("try %d: %d, %s", try, code, m.Stage)
		if m.Stage == control.StageFlipped {
			if code/100 != 4 || !strings.Contains(text, "late") {
				t.Errorf("it has moved, and a second index was answered with %d %s", code, text)
			}
			if code, _ := httpDo(t, "", "GET", cluster+"/late", ""); code != 404 {
				t.Errorf("the second index at the cluster: %d", code)
			}
			return
		}
		if code != 201 || !strings.Contains(m.Error, "docs, late") {
			t.Errorf("a second index: %d %s; the move is %s: %s", code, text, m.Stage, m.Error)
		}
		must2xx(t, tenant, "GET", base+"/late/_doc/1", "")
		must2xx(t, tenant, "DELETE", base+"/late", "")
	}
	c.ok(append(ask, "--wait")...)
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// TestPatternTenant moves a tenant that has any number of indices under a pattern to
// another pattern, beside other tenants of both clusters, while it creates indices: by
// name, by a document, by a bulk, by a reindex. All arrive under the names that its
// clients use.
func TestPatternTenant(t *testing.T) {
	t.Parallel()
	a, b := enginetest.LendOpenSearch(t, engines.OpenSearch2), enginetest.LendOpenSearch(t, engines.OpenSearch2)
	listen, dir := freeAddress(t), t.TempDir()
	p, base, c := startServe(t, "--api.listen", listen, "--store.etcd.embedded.data_dir", dir)
	byAPI := cli{t, []string{"--api", "http://" + listen, "--api-token-file", filepath.Join(dir, "api.token")}}
	c.ok("cluster", "add", "a", a.URL())
	c.ok("cluster", "add", "b", b.URL())
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-*")
	c.ok("tenant", "add", "zeta", "--cluster", "a", "--index", "zeta-*")
	c.ok("tenant", "add", "beta", "--cluster", "b", "--index", "acme-beta", "--as", "docs")
	for _, tenant := range []string{"acme", "zeta", "beta"} { // until the proxy has heard of its cluster
		served(t, base, tenant)
	}
	do := func(method, path, body string) string {
		t.Helper()
		return must2xx(t, "acme", method, base+path, body)
	}
	do("PUT", "/one", `{"settings":{"number_of_replicas":0}}`)
	do("PUT", "/two", `{"settings":{"number_of_shards":3,"number_of_replicas":0},"mappings":{"properties":{"k":{"type":"keyword"}}}}`)
	do("POST", "/_bulk", bulkOf("one", 0, 3000))
	do("POST", "/two/_bulk?refresh=true", bulkOf("two", 0, 1000))
	must2xx(t, "zeta", "PUT", base+"/one/_doc/1?refresh=true", `{"theirs":1}`)
	must2xx(t, "beta", "PUT", base+"/docs/_doc/1?refresh=true", `{"theirs":1}`)

	for _, r := range []struct {
		args []string
		says string
	}{
		{[]string{"--to", "b"}, `b/acme-beta can have an index in common, and that place belongs to tenant "beta"`},
		{[]string{"--to", "a", "--index", "zeta-more-*"}, `a/zeta-* can have an index in common, and that place belongs to tenant "zeta"`},
		{[]string{"--to", "a", "--index", "acme-v2-*"}, "--index another index there"},
		{[]string{"--to", "b", "--index", "acme"}, "2 indices, and the target is a place for one: one, two"},
	} {
		if got := c.run(append([]string{"move", "acme"}, r.args...)...); got.code == exitOK || !strings.Contains(got.stderr, r.says) {
			t.Errorf("move %v: %+v; want it to say %q", r.args, got, r.says)
		}
	}
	// So slow that it copies until it is told to be fast.
	c.ok("move", "acme", "--to", "b", "--index", "acme.v2-*", "--copy-rate", "10", "--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off")
	inStage(t, c, "acme", control.StageCopying)
	if got := c.run("tenant", "add", "late", "--cluster", "b", "--index", "acme.v2-x"); got.code != exitRefused || !strings.Contains(got.stderr, `tenant "acme"`) {
		t.Errorf("an index where the tenant is going to be: %+v", got)
	}
	do("PUT", "/three", `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"k":{"type":"keyword"}}}}`)
	do("PUT", "/three/_doc/1", `{"k":"x"}`)
	do("PUT", "/four/_doc/1?routing=elsewhere", `{"made":"by a document"}`)
	if text := do("POST", "/_bulk", bulkOf("five", 0, 10)+"{\"delete\":{\"_index\":\"one\",\"_id\":\"7\"}}\n"); !strings.Contains(text, `"errors":false`) {
		t.Error(text)
	}
	if text := do("POST", "/_reindex?refresh=true", `{"source":{"index":"tw*"},"dest":{"index":"six"}}`); !strings.Contains(text, `"created":1000,`) {
		t.Error(text)
	}
	for _, r := range [][2]string{{"DELETE", "/one"}, {"DELETE", "/o*"}, {"POST", "/one/_close"}} {
		if status, text := httpDo(t, "acme", r[0], base+r[1], ""); status != http.StatusConflict || !strings.Contains(text, "sluice_moving") {
			t.Errorf("%v while it moves: %d %s", r, status, text)
		}
	}
	c.ok("moves", "set", "acme", "--copy-rate", "0")
	m := inStage(t, c, "acme", control.StageFlipped)
	if len(m.Indices) != 6 || m.Receipt.Fence != "clean" {
		t.Errorf("indices %+v, fence %s", m.Indices, m.Receipt.Fence)
	}
	do("POST", "/_refresh", "")
	for path, want := range map[string]string{
		"/one/_count": `"count":2999,`, "/two/_count": `"count":1000,`, "/three/_count": `"count":1,`, "/five,f*/_count": `"count":11,`, "/six/_count": `"count":1000,`, "/_count": `"count":5011,`,
		"/four/_doc/1?routing=elsewhere": `"_index":"four","_id":"1","_version":1,`, "/three/_mapping": `{"three":{"mappings":{"properties":{"k":{"type":"keyword"}}}}}`,
		"/_cat/indices?h=index,docs.count&s=index": "five    10\nfour     1\none   2999\nsix   1000\nthree    1\ntwo   1000\n",
	} {
		if text := do("GET", path, ""); !strings.Contains(text, want) {
			t.Errorf("%s after the flip: %s; want %s", path, text, want)
		}
	}
	if text := must2xx(t, "", "GET", b.URL()+"/_cat/indices/*,-.*?h=index&expand_wildcards=all&s=index", ""); text != "acme-beta\nacme.v2-five\nacme.v2-four\nacme.v2-one\nacme.v2-six\nacme.v2-three\nacme.v2-two\n" {
		t.Errorf("at the target: %q", text)
	}
	if text := must2xx(t, "", "GET", b.URL()+"/_alias", ""); strings.Contains(text, "sluice") {
		t.Errorf("aliases of the move are left: %s", text)
	}
	state := filepath.Join(t.TempDir(), "state")
	if out := c.ok("verify", "acme", "--content", "--resume", state); !strings.Contains(out, "10,022 documents of both sides compared, ids, routings, versions and contents: 0 missing, 0 extra, 0 older, 0 newer, 0 with another routing, 0 with another content\nthe copies are equal\n") {
		t.Errorf("verify: %s", out)
	}
	if _, err := os.Stat(state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the state of a comparison that has ended: %v", err)
	}
	must2xx(t, "", "PUT", b.URL()+"/acme.v2-one/_doc/1", `{"n":-1}`)
	must2xx(t, "", "PUT", b.URL()+"/acme.v2-seven/_doc/1", `{}`)
	// As the controller compares them.
	r := byAPI.run("verify", "acme", "--settle", "100ms")
	for _, says := range []string{"newer   one/1: source version 1, target version 2\n", "index acme.v2-seven is only at the target", "0 older, 1 newer", "1 of them were written at the target after the flip"} {
		if r.code != exitDifferent || !strings.Contains(r.stdout, says) || !strings.Contains(r.stderr, "the copies differ in 1 documents and 1 indices") {
			t.Errorf("verify: %+v; want code %d and %q", r, exitDifferent, says)
		}
	}
	var found control.Compared
	r = byAPI.run("verify", "--from", "a/acme-*", "--to", "b/acme.v2-*", "--settle", "0s", "--limit", "0", "-o", "json")
	if err := json.Unmarshal([]byte(r.stdout), &found); err != nil || r.code != exitDifferent || found.Newer != 1 || found.Unlisted != 1 || len(found.Differences) != 0 || found.Scanned != 10_022 {
		t.Errorf("verify of two patterns: %+v, %v", r, err)
	}
	// Interrupted while it looks at what differs again, it keeps which shards were equal.
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		defer interrupt()
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(state); err == nil {
				return
			}
		}
	}()
	var errs bytes.Buffer
	if code := runContext(ctx, append([]string{"verify", "acme", "--settle", "1h", "--resume", state}, byAPI.flags...), io.Discard, &errs); code != exitInterrupted || !strings.Contains(errs.String(), "equal shards are noted in "+state) {
		t.Errorf("interrupted: exit code %d, %s", code, errs.String())
	}
	if st, err := readCompareState(state); err != nil || len(st.Done.Equal) == 0 {
		t.Errorf("the state of a comparison that was interrupted: %+v, %v", st, err)
	}
	if r := byAPI.run("verify", "acme", "--content", "--resume", state); r.code != exitUsage || !strings.Contains(r.stderr, "is what another comparison has saved") {
		t.Errorf("of contents: %+v", r)
	}
	if r := byAPI.run("verify", "acme", "--settle", "0s", "--resume", state); r.code != exitDifferent || !strings.Contains(r.stdout, "10,022 documents") {
		t.Errorf("resumed: %+v", r)
	}
	if _, err := os.Stat(state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the state of a comparison that has ended: %v", err)
	}
	must2xx(t, "", "DELETE", b.URL()+"/acme.v2-seven", "")
	do("DELETE", "/five", "") // it moves no longer
	if out := c.ok("moves", "retire", m.ID, "--wait"); !strings.Contains(out, "done") {
		t.Errorf("retire --wait: %s", out)
	}
	if text := must2xx(t, "", "GET", a.URL()+"/_cat/indices/*,-.*?h=index&expand_wildcards=all", ""); text != "zeta-one\n" {
		t.Errorf("left at the source: %q", text)
	}
	for tenant, path := range map[string]string{"zeta": "/_count", "beta": "/docs/_count"} {
		if text := must2xx(t, tenant, "GET", base+path, ""); !strings.Contains(text, `"count":1,`) {
			t.Errorf("%s has %s", tenant, text)
		}
	}
	if code := p.stop(t); code != exitOK {
		t.Errorf("stopped with %d:\n%s", code, p.log)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// TestShadowReads: one tenant goes to a newer OpenSearch, where somebody has changed a
// document in a way that no comparison of versions sees; its move waits, since a search
// finds it. Another leaves a shared index, and everything is the same.
func TestShadowReads(t *testing.T) {
	t.Parallel()
	a, b := enginetest.LendOpenSearch(t, engines.OpenSearch2), enginetest.LendOpenSearch(t, engines.OpenSearch3)
	p, base, c := startServe(t)
	c.ok("cluster", "add", "a", a.URL())
	c.ok("cluster", "add", "b", b.URL())
	const mapping = `"properties":{"tenant":{"type":"keyword"},"k":{"type":"keyword"},"n":{"type":"integer"},"text":{"type":"text"}}`
	for _, index := range []string{"acme-docs", "pool"} {
		must2xx(t, "", "PUT", a.URL()+"/"+index, `{"settings":{"number_of_shards":2,"number_of_replicas":0},"mappings":{`+mapping+`}}`)
	}
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	for _, tenant := range []string{"tiny", "other"} {
		c.ok("tenant", "add", tenant, "--cluster", "a", "--kind", "shared_index", "--index", "pool", "--partition-field", "tenant", "--as", "docs")
	}
	for _, tenant := range []string{"acme", "tiny", "other"} {
		served(t, base, tenant)
		var bulk strings.Builder
		for n := range 200 {
			fmt.Fprintf(&bulk, "{\"index\":{\"_id\":\"%d\"}}\n{\"k\":\"k%d\",\"n\":%d,\"text\":\"word%d of %s\"}\n", n, n%5, n, n%3, tenant)
		}
		must2xx(t, tenant, "POST", base+"/docs/_bulk?refresh=true", bulk.String())
	}
	const kinds = 5
	search := func(tenant string, kind int) {
		t.Helper()
		switch kind {
		case 0: // the one that finds what was planted
			must2xx(t, tenant, "POST", base+"/docs/_search", `{"query":{"term":{"n":6}}}`)
		case 1:
			must2xx(t, tenant, "POST", base+"/docs/_search", `{"query":{"match":{"text":"word1"}},"size":5,"track_total_hits":true}`)
		case 2:
			must2xx(t, tenant, "POST", base+"/docs/_search", `{"size":3,"sort":[{"n":"desc"}],"query":{"range":{"n":{"gte":20,"lt":200}}},"aggs":{"k":{"terms":{"field":"k"},"aggs":{"s":{"sum":{"field":"n"}}}}}}`)
		case 3:
			must2xx(t, tenant, "POST", base+"/docs/_count", `{"query":{"term":{"k":"k3"}}}`)
		case 4:
			must2xx(t, tenant, "POST", base+"/_msearch", "{\"index\":\"docs\"}\n{\"size\":0}\n{\"index\":\"docs\"}\n{\"query\":{\"term\":{\"k\":\"k4\"}},\"sort\":[\"n\"]}\n")
		}
	}
	bounds := []string{"--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off", "--shadow-time", "5m"}
	c.ok(append([]string{"move", "acme", "--to", "b", "--shadow-reads", "20", "--shadow-max-differences", "3"}, bounds...)...)
	c.ok(append([]string{"move", "tiny", "--to", "b", "--kind", "dedicated_index", "--shadow-reads", "15"}, bounds...)...)
	for _, tenant := range []string{"acme", "tiny"} {
		noted(t, c, tenant, "comparing what a sample") // everything else is ready, verified too
	}
	m := noted(t, c, "acme", "comparing")
	if code, text := httpDo(t, "", "PUT", b.URL()+"/"+m.To.Index+"/_doc/6?version=1&version_type=external_gte", `{"k":"k1","n":-6,"text":"planted"}`); code != 200 {
		t.Fatalf("planting: %d %s", code, text)
	}
	// Nothing that a search finds stays as it is for long, but for the planted one.
	quit := make(chan struct{})
	var writer sync.WaitGroup
	stop := sync.OnceFunc(func() { close(quit); writer.Wait() })
	defer stop()
	writer.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-quit:
				return
			case <-time.After(20 * time.Millisecond):
			}
			if code, text := httpDo(t, "acme", "PUT", fmt.Sprintf("%s/docs/_doc/w%d", base, n%50), fmt.Sprintf(`{"k":"k%d","n":%d}`, n%5, 1000+n)); code/100 != 2 {
				t.Errorf("a write: %d %s", code, text)
				return
			}
		}
	})
	for n := range 4 * kinds {
		search("acme", n%kinds)
	}
	for n := range 3 * kinds {
		search("tiny", n%kinds)
	}

	m = noted(t, c, "acme", "4 of 20 shadow reads differ at the target or fail there, and 3 may")
	r := m.Progress.Shadow
	if m.Settled() || r.Sampled != 20 || r.Seen != 20 || r.Differing != 4 || r.Equal+r.ScoresOnly+r.Unsettled != 16 || r.Source.P95MS <= 0 || r.Target.P50MS <= 0 || r.Silent != 0 || len(r.Examples) != 4 {
		t.Errorf("%s: %+v", m.Stage, r)
	}
	for _, e := range r.Examples {
		if e.Endpoint != "_search" || e.Outcome != gate.ShadowDiffers || fmt.Sprint(e.Parts) != "[total hits]" || e.Source.Total != 1 || e.Target.Total != 0 {
			t.Errorf("example: %+v", e)
		}
	}
	stop()
	if out := c.ok("moves", "set", "acme", "--shadow-max-differences", "4"); !strings.Contains(out, "move "+m.ID) {
		t.Errorf("set: %s", out)
	}
	for _, tenant := range []string{"acme", "tiny"} {
		m := inStage(t, c, tenant, control.StageFlipped)
		s := m.Receipt.Shadow
		if s == nil || !s.Done || tenant == "tiny" && (s.Sampled != 15 || s.Equal+s.ScoresOnly != 15) {
			t.Errorf("receipt of %s: %+v", tenant, s)
		}
		text, raw := c.ok("moves", "show", tenant), c.ok("moves", "show", tenant, "-o", "json")
		if !strings.Contains(text, "shadow reads") || !strings.Contains(text, "at the source, ") || strings.Contains(text, "4 differ") != (tenant == "acme") {
			t.Errorf("show: %s", text)
		}
		for _, secret := range []string{"word1", "planted", "track_total_hits"} {
			if strings.Contains(text+raw, secret) {
				t.Errorf("%q of a search or a document is in the record: %s", secret, raw)
			}
		}
	}
	if log := p.log.String(); strings.Contains(log, "word1") || strings.Contains(log, "track_total_hits") {
		t.Errorf("a search is in the log: %s", log)
	}
	if code := p.stop(t); code != exitOK {
		t.Errorf("stopped with %d:\n%s", code, p.log)
	}
}

// noted waits until the move of a tenant says that it waits for something.
func noted(t *testing.T, c cli, tenant, what string) control.Move {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		var m control.Move
		if err := json.Unmarshal([]byte(c.ok("moves", "show", tenant, "-o", "json")), &m); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(m.Progress.Note, what) {
			return m
		}
		if m.Settled() || time.Now().After(deadline) {
			t.Fatalf("the move is %s and does not say %q: %s %s; %+v", m.Stage, what, m.Error, m.Progress.Note, m.Progress.Shadow)
		}
		time.Sleep(20 * time.Millisecond) // polls the real controller
	}
}

// Without searches a move waits for no longer than it was given.
func TestShadowReadsWithoutSearches(t *testing.T) {
	t.Parallel()
	node := enginetest.LendOpenSearch(t, engines.OpenSearch2)
	p, base, c := startServe(t)
	c.ok("cluster", "add", "a", node.URL())
	must2xx(t, "", "PUT", node.URL()+"/quiet", `{"settings":{"number_of_replicas":0}}`)
	c.ok("tenant", "add", "quiet", "--cluster", "a", "--index", "quiet", "--as", "docs")
	served(t, base, "quiet")
	c.ok("move", "quiet", "--to", "a", "--index", "quiet-2", "--pause-budget", "3s", "--cutover-deadline", "4s", "--copy-throttle", "off",
		"--shadow-reads", "10", "--shadow-time", "1s", "--shadow-max-differences", "0")
	m := inStage(t, c, "quiet", control.StageFlipped)
	if s := m.Receipt.Shadow; s == nil || !s.Done || s.Asked != 10 || s.Sampled != 0 || s.Silent != 0 {
		t.Errorf("%+v", s)
	}
	if out := c.ok("moves", "show", "quiet"); !strings.Contains(out, "no searches came while they were sampled; nothing was compared") {
		t.Error(out)
	}
	if code := p.stop(t); code != exitOK {
		t.Errorf("stopped with %d:\n%s", code, p.log)
	}
}

func TestShadowText(t *testing.T) {
	full := control.ShadowReads{Done: true, Asked: 9, Seen: 1234, Sampled: 9, Equal: 3, ScoresOnly: 1, Differing: 1, Unsettled: 1, FailedSource: 1, FailedTarget: 1, Uncompared: 1, Silent: 2,
		Source: control.ShadowLatency{P50MS: 1.25, P95MS: 3}, Target: control.ShadowLatency{P50MS: 2, P95MS: 4.5}, Examples: []control.ShadowDifference{
			{Proxy: "p1", ShadowResult: gate.ShadowResult{Endpoint: "_msearch", Item: 2, Outcome: gate.ShadowDiffers, Parts: []string{"total", "hits"}, Positions: []int{1, 4},
				Source: gate.ShadowAnswer{Total: 10000, Capped: true}, Target: gate.ShadowAnswer{Total: -1}}},
			{Proxy: "p2", ShadowResult: gate.ShadowResult{Endpoint: "_search", Outcome: gate.ShadowFailedTarget, Target: gate.ShadowAnswer{Failed: "shards_failed"}}},
			{Proxy: "p2", ShadowResult: gate.ShadowResult{Endpoint: "_count", Outcome: gate.ShadowFailedSource, Source: gate.ShadowAnswer{Failed: "timed_out"}}},
		}}
	for want, r := range map[string]*control.ShadowReads{
		"":                                   nil,
		"5 of 9 sampled, of 12,345 searches": {Asked: 9, Sampled: 5, Seen: 12345},
		"no searches came while they were sampled; nothing was compared (1 proxies did not sample)": {Done: true, Asked: 9, Silent: 1},
		`9 of 1,234 searches: 3 equal, 1 equal but for scores, 1 differ, 1 kept changing, 1 failed at the source, 1 failed at the target, 1 not compared
p50 1.2 ms and p95 3.0 ms at the source, 2.0 ms and 4.5 ms at the target
2 proxies did not sample
_msearch, search 2 by p1: total, hits differ; 10,000 or more hits at the source, uncounted at the target; at 1 4
_search by p2: failed at the target: shards_failed
_count by p2: failed at the source: timed_out`: &full,
	} {
		if got := strings.Join(shadowLines(r), "\n"); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

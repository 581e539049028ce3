package main

import (
	"fmt"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// The tenants of the run, by the way in which they are placed.
const (
	tenantWhole  = "whole"  // dedicated_cluster: nothing of a request or an answer changes
	tenantShared = "shared" // shared_index
	tenantReal   = "real"   // as whole, but its cluster is an OpenSearch
	indexWhole   = "docs"
	indexWritten = "written" // of tenantReal: what is written does not change what is read
	indexShared  = "pool"
	field        = "tenant"
	bulkItems    = 100
)

// request is one kind of request, as wrk sends it.
type request struct {
	name         string
	method, path string
	body         string
	connections  []int // at which it is measured; nil: all
	many         bool  // each has another id, of documentsReal
}

// document is a document of about n bytes.
func document(n int) string {
	frame := `{"title":"a document of a tenant","n":42,"tags":["a","b"],"text":""}`
	return strings.TrimSuffix(frame, `"}`) + strings.Repeat("lorem ipsum ", 1+n/12)[:max(n-len(frame), 0)] + `"}`
}

// requests are the kinds of request that are measured.
func requests() []request {
	var bulk strings.Builder
	for i := range bulkItems {
		fmt.Fprintf(&bulk, "{\"index\":{\"_id\":\"%d\"}}\n%s\n", i, document(256))
	}
	return []request{
		{name: "GET", method: "GET", path: "/docs/_doc/1"},
		{name: "PUT 256 B", method: "PUT", path: "/docs/_doc/1", body: document(256)},
		{name: "PUT 4 KB", method: "PUT", path: "/docs/_doc/1", body: document(4096)},
		{name: "search", method: "POST", path: "/docs/_search", body: `{"query":{"match":{"text":"lorem"}},"size":10}`},
		{name: nameBulk, method: "POST", path: "/docs/_bulk", body: bulk.String(), connections: []int{16}},
	}
}

const nameBulk = "_bulk of 100"

// documentsReal is how many documents each index of the OpenSearch has.
const documentsReal = 1000

// requestsReal are those that are measured before an OpenSearch, too. Writes go to
// documents in turn: one document takes one write at a time.
func requestsReal() []request {
	var all []request
	for _, r := range requests() {
		switch r.name {
		case "PUT 256 B":
			r.path, r.many = "/"+indexWritten+"/_doc/", true
		case "GET", "search":
		default:
			continue
		}
		r.connections = []int{16}
		all = append(all, r)
	}
	return all
}

// answers are what the stub says, by method, index and endpoint, as OpenSearch would
// of the documents above.
func answers() (map[string]string, error) {
	t, err := shared.New(placement.PartitionID(tenantShared), field)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, index := range []string{indexWhole, indexShared} {
		id := func(i int) string { return fmt.Sprint(i) }
		source, extra := document(300), ""
		if index == indexShared {
			id = func(i int) string { s, _ := t.ID(fmt.Sprint(i)); return s } // of a number there is always one
			source = fmt.Sprintf(`{%q:%q,`, field, tenantShared) + strings.TrimPrefix(source, "{")
			extra = fmt.Sprintf(`"_routing":%q,`, t.Routing(""))
		}
		written := fmt.Sprintf(`{"_index":%q,"_id":%q,"_version":7,"result":"updated","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":6,"_primary_term":1}`, index, id(1))
		out["GET "+index+" _doc"] = fmt.Sprintf(`{"_index":%q,"_id":%q,"_version":7,"_seq_no":6,"_primary_term":1,%s"found":true,"_source":%s}`, index, id(1), extra, source)
		out["PUT "+index+" _doc"] = written
		var hits, items []string
		for i := range 10 {
			hits = append(hits, fmt.Sprintf(`{"_index":%q,"_id":%q,"_score":1.2,%s"_source":%s}`, index, id(i), extra, source))
		}
		out["POST "+index+" _search"] = `{"took":3,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"total":{"value":10,"relation":"eq"},"max_score":1.2,"hits":[` + strings.Join(hits, ",") + `]}}`
		for i := range bulkItems {
			items = append(items, fmt.Sprintf(`{"index":{"_index":%q,"_id":%q,"_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":%d,"_primary_term":1,"status":201}}`, index, id(i), i))
		}
		out["POST "+index+" _bulk"] = `{"took":5,"errors":false,"items":[` + strings.Join(items, ",") + `]}`
	}
	out["GET "+indexShared+" "] = fmt.Sprintf(`{%q:{"aliases":{},"mappings":{"properties":{%q:{"type":"keyword"},"text":{"type":"text"}}},"settings":{"index":{}}}}`, indexShared, field)
	out["GET  "] = `{"name":"stub","cluster_name":"stub","cluster_uuid":"stub","version":{"distribution":"opensearch","number":"2.19.6"},"tagline":"a stub"}`
	return out, nil
}

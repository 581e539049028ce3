package clients_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opensearch-project/opensearch-go/v4"
	"github.com/opensearch-project/opensearch-go/v4/opensearchapi"
	"github.com/opensearch-project/opensearch-go/v4/opensearchutil"
)

// goCalls are the calls of opensearch-go at one target.
type goCalls struct {
	t   *testing.T
	c   *opensearchapi.Client
	all surface
	out []line
}

func readyGo(_ *testing.T) func(*testing.T, target) []line {
	return func(t *testing.T, to target) []line {
		t.Helper()
		h := http.Header{}
		for k, v := range to.Headers {
			h.Set(k, v)
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		defer transport.CloseIdleConnections()
		c, err := opensearchapi.NewClient(opensearchapi.Config{Client: opensearch.Config{
			Addresses: []string{to.URL}, Header: h, Username: to.User, Password: to.Password, CompressRequestBody: to.Compress, Transport: transport,
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		g := &goCalls{t: t, c: c, all: readSurface(t)}
		for _, part := range []func(context.Context){g.documents, g.bulk, g.search, g.cursors, g.byQuery, g.helpers, g.raw, g.admin} {
			part(t.Context())
		}
		return g.out
	}
}

// did notes what came of a call. R is what the client decodes an answer into.
func did[R any](g *goCalls, name string, r R, err error) R {
	g.t.Helper()
	l := line{Name: name}
	switch a := any(r).(type) {
	case interface{ Inspect() opensearchapi.Inspect }:
		if v := reflect.ValueOf(r); v.Kind() != reflect.Pointer || !v.IsNil() {
			if resp := a.Inspect().Response; resp != nil {
				l.Status = resp.StatusCode
			}
		}
	case *opensearch.Response:
		if a != nil {
			l.Status = a.StatusCode
			_ = a.Body.Close()
		}
	}
	var body any = r
	if _, plain := any(r).(*opensearch.Response); plain {
		body = nil
	}
	if err != nil {
		var detail *opensearch.StructError
		var text *opensearch.StringError
		l.Error = fmt.Sprintf("%T", err)
		switch {
		case errors.As(err, &detail):
			l.Status, body = detail.Status, detail
		case errors.As(err, &text) && json.Valid([]byte(text.Err)):
			l.Status, body = text.Status, json.RawMessage(text.Err)
		default:
			body = map[string]any{"text": err.Error(), "answer": body}
		}
	}
	raw, merr := json.Marshal(body)
	if merr != nil {
		g.t.Fatalf("%s: %v", name, merr)
	}
	l.Body = raw
	g.out = append(g.out, l)
	return r
}

// noted is did for what is made of several answers.
func (g *goCalls) noted(name string, v any, err error) {
	g.t.Helper()
	did(g, name, &v, err)
}

func jsonOf(s string, args ...any) *strings.Reader { return strings.NewReader(fmt.Sprintf(s, args...)) }

func ptr[T any](v T) *T { return &v }

var docs = []string{"docs"}

func (g *goCalls) documents(ctx context.Context) {
	index := func(name, id, body string, p opensearchapi.IndexParams) {
		r, err := g.c.Index(ctx, opensearchapi.IndexReq{Index: "docs", DocumentID: id, Body: strings.NewReader(body), Params: p})
		if name == "index_auto" && r != nil {
			r.ID = fmt.Sprint(len(r.ID))
		}
		did(g, name, r, err)
	}
	get := func(name, id string, p opensearchapi.DocumentGetParams) *opensearchapi.DocumentGetResp {
		r, err := g.c.Document.Get(ctx, opensearchapi.DocumentGetReq{Index: "docs", DocumentID: id, Params: p})
		return did(g, name, r, err)
	}
	update := func(name, id, body string, p opensearchapi.UpdateParams) {
		r, err := g.c.Update(ctx, opensearchapi.UpdateReq{Index: "docs", DocumentID: id, Body: strings.NewReader(body), Params: p})
		did(g, name, r, err)
	}
	info, err := g.c.Info(ctx, nil)
	did(g, "info", info, err)
	ping, err := g.c.Ping(ctx, nil)
	did(g, "ping", ping, err)
	for _, d := range g.all.Documents {
		index("index", d.ID, string(d.Doc), opensearchapi.IndexParams{})
	}
	index("index_refresh", "1", string(g.all.Documents[0].Doc), opensearchapi.IndexParams{Refresh: "true"})
	index("index_auto", "", `{"n":20,"tag":"auto"}`, opensearchapi.IndexParams{})
	index("index_routing", "routed", `{"n":21}`, opensearchapi.IndexParams{Routing: "r1"})
	index("index_external", "ext", `{"n":22}`, opensearchapi.IndexParams{Version: ptr(7), VersionType: "external"})
	index("index_external_old", "ext", `{"n":22}`, opensearchapi.IndexParams{Version: ptr(6), VersionType: "external"})
	index("index_op_create", "1", `{}`, opensearchapi.IndexParams{OpType: "create"})
	index("index_bad_value", "bad", `{"n":"text"}`, opensearchapi.IndexParams{})
	for _, name := range []string{"create", "create_conflict"} {
		r, err := g.c.Document.Create(ctx, opensearchapi.DocumentCreateReq{Index: "docs", DocumentID: "created", Body: jsonOf(`{"n":23}`)})
		did(g, name, r, err)
	}
	for _, d := range g.all.Documents {
		get("get", d.ID, opensearchapi.DocumentGetParams{})
		r, err := g.c.Document.Source(ctx, opensearchapi.DocumentSourceReq{Index: "docs", DocumentID: d.ID})
		did(g, "get_source", r, err)
	}
	get("get_missing", "none", opensearchapi.DocumentGetParams{})
	get("get_routing", "routed", opensearchapi.DocumentGetParams{Routing: "r1"})
	get("get_filtered", "1", opensearchapi.DocumentGetParams{SourceIncludes: []string{"t*", "n"}, Realtime: ptr(true)})
	get("get_stored", "1", opensearchapi.DocumentGetParams{StoredFields: []string{"title"}, Realtime: ptr(false)})
	source, err := g.c.Document.Source(ctx, opensearchapi.DocumentSourceReq{Index: "docs", DocumentID: "none"})
	did(g, "get_source_missing", source, err)
	for name, id := range pairs("exists", "a/b c", "exists_missing", "none") {
		r, err := g.c.Document.Exists(ctx, opensearchapi.DocumentExistsReq{Index: "docs", DocumentID: id})
		did(g, name, r, err)
		r, err = g.c.Document.ExistsSource(ctx, opensearchapi.DocumentExistsSourceReq{Index: "docs", DocumentID: id})
		did(g, "source_"+name, r, err)
	}
	update("update_doc", "created", `{"doc":{"m":1}}`, opensearchapi.UpdateParams{Source: "true"})
	update("update_noop", "created", `{"doc":{"m":1}}`, opensearchapi.UpdateParams{})
	index("index_scripted", "scripted", `{"n":25}`, opensearchapi.IndexParams{})
	update("update_script", "scripted", `{"script":{"source":"ctx._source.n += params.d","params":{"d":4}}}`, opensearchapi.UpdateParams{RetryOnConflict: ptr(2)})
	update("update_upsert", "upserted", `{"doc":{"n":1},"upsert":{"n":30}}`, opensearchapi.UpdateParams{})
	update("update_doc_as_upsert", "upserted2", `{"doc":{"n":31},"doc_as_upsert":true}`, opensearchapi.UpdateParams{})
	update("update_missing", "none", `{"doc":{}}`, opensearchapi.UpdateParams{})
	first := get("token_get", "created", opensearchapi.DocumentGetParams{})
	token := opensearchapi.IndexParams{IfSeqNo: ptr(first.SeqNo), IfPrimaryTerm: ptr(first.PrimaryTerm)}
	index("token_index", "created", `{"n":40}`, token)
	index("token_stale", "created", `{"n":41}`, token)
	second := get("token_get_again", "created", opensearchapi.DocumentGetParams{})
	update("token_update", "created", `{"doc":{"n":42}}`, opensearchapi.UpdateParams{IfSeqNo: ptr(second.SeqNo), IfPrimaryTerm: ptr(second.PrimaryTerm)})
	for _, name := range []string{"delete", "delete_missing"} {
		r, err := g.c.Document.Delete(ctx, opensearchapi.DocumentDeleteReq{Index: "docs", DocumentID: "created"})
		did(g, name, r, err)
	}
	mget, err := g.c.MGet(ctx, opensearchapi.MGetReq{Index: "docs", Body: jsonOf(`{"ids":["1","none","a/b c"]}`)})
	did(g, "mget", mget, err)
	terms, err := g.c.Termvectors(ctx, opensearchapi.TermvectorsReq{Index: "docs", DocumentID: "1", Body: jsonOf(`{"fields":["title"]}`)})
	did(g, "termvectors", terms, err)
	many, err := g.c.MTermvectors(ctx, opensearchapi.MTermvectorsReq{Index: "docs", Body: jsonOf(`{"ids":["1","2"],"parameters":{"fields":["title"]}}`)})
	did(g, "mtermvectors", many, err)
}

// pairs yields names and values in their order.
func pairs(s ...string) func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(s); i += 2 {
			if !yield(s[i], s[i+1]) {
				return
			}
		}
	}
}

func (g *goCalls) bulk(ctx context.Context) {
	bulk := func(name, index, body string) {
		r, err := g.c.Bulk(ctx, opensearchapi.BulkReq{Index: index, Body: strings.NewReader(body), Params: opensearchapi.BulkParams{Refresh: "true"}})
		did(g, name, r, err)
	}
	bulk("bulk", "docs", `{"index":{"_id":"b1"}}
{"n":100}
{"create":{"_id":"b2"}}
{"n":101}
{"update":{"_id":"b1"}}
{"doc":{"m":1}}
{"delete":{"_id":"b2"}}
`)
	bulk("bulk_errors", "", `{"create":{"_index":"docs","_id":"b1"}}
{"n":1}
{"index":{"_index":"docs","_id":"b4"}}
{"n":"text"}
{"delete":{"_index":"docs","_id":"none"}}
`)
	bulk("bulk_script", "docs", `{"update":{"_id":"scripted"}}
{"script":{"source":"ctx._source.n += 1"}}
`)
	bulk("bulk_malformed", "docs", "{\"nope\":{}}\n{}\n")
	r, err := g.c.Document.DeleteByQuery(ctx, opensearchapi.DocumentDeleteByQueryReq{
		Indices: docs, Body: jsonOf(`{"query":{"bool":{"must_not":[{"exists":{"field":"title"}}]}}}`), Params: opensearchapi.DocumentDeleteByQueryParams{Refresh: ptr(true)},
	})
	did(g, "delete_by_query_rest", r, err)
}

func (g *goCalls) search(ctx context.Context) {
	search := func(name string, body []byte, p opensearchapi.SearchParams) {
		r, err := g.c.Search(ctx, &opensearchapi.SearchReq{Indices: docs, Body: bytes.NewReader(body), Params: p})
		did(g, name, r, err)
	}
	for _, name := range slices.Sorted(maps.Keys(g.all.Searches)) {
		search("search_"+name, g.all.Searches[name], opensearchapi.SearchParams{})
	}
	search("search_typed_keys", g.all.Searches["agg_terms"], opensearchapi.SearchParams{TypedKeys: ptr(true)})
	var lines bytes.Buffer
	for _, name := range []string{"match", "agg_terms", "bad_query"} {
		var one bytes.Buffer
		if err := json.Compact(&one, g.all.Searches[name]); err != nil {
			g.t.Fatal(err)
		}
		fmt.Fprintf(&lines, "{\"index\":\"docs\"}\n%s\n", one.Bytes())
	}
	m, err := g.c.MSearch(ctx, opensearchapi.MSearchReq{Body: &lines})
	did(g, "msearch", m, err)
	const template = `{"source":{"query":{"bool":{"filter":{"term":{"tag":"{{t}}"}}}}},"params":{"t":"odd"}}`
	st, err := g.c.SearchTemplate(ctx, opensearchapi.SearchTemplateReq{Indices: docs, Body: strings.NewReader(template)})
	did(g, "search_template", st, err)
	mt, err := g.c.MSearchTemplate(ctx, opensearchapi.MSearchTemplateReq{Indices: docs, Body: jsonOf("{}\n%s\n", template)})
	did(g, "msearch_template", mt, err)
	red := `{"query":{"match":{"title":"red"}}}`
	count, err := g.c.Indices.Count(ctx, &opensearchapi.IndicesCountReq{Indices: docs, Body: strings.NewReader(red)})
	did(g, "count", count, err)
	explain, err := g.c.Document.Explain(ctx, opensearchapi.DocumentExplainReq{Index: "docs", DocumentID: "1", Body: strings.NewReader(red)})
	did(g, "explain", explain, err)
	valid, err := g.c.Indices.ValidateQuery(ctx, opensearchapi.IndicesValidateQueryReq{Indices: docs, Body: strings.NewReader(red)})
	did(g, "validate", valid, err)
	caps, err := g.c.Indices.FieldCaps(ctx, opensearchapi.IndicesFieldCapsReq{Indices: docs, Params: opensearchapi.IndicesFieldCapsParams{Fields: []string{"t*"}}})
	did(g, "field_caps", caps, err)
	words, err := g.c.Indices.Analyze(ctx, opensearchapi.IndicesAnalyzeReq{Index: "docs", Body: opensearchapi.IndicesAnalyzeBody{Analyzer: "standard", Text: []string{"The Quick fox"}}})
	did(g, "analyze", words, err)
}

func (g *goCalls) cursors(ctx context.Context) {
	first, err := g.c.Search(ctx, &opensearchapi.SearchReq{
		Indices: docs, Body: jsonOf(`{"sort":["n"],"size":4}`), Params: opensearchapi.SearchParams{Scroll: time.Minute},
	})
	id := ""
	if did(g, "scroll_open", first, err); err == nil {
		id = *first.ScrollID
	}
	for more := err == nil; more; {
		r, err := g.c.Scroll.Get(ctx, opensearchapi.ScrollGetReq{ScrollID: id, Params: opensearchapi.ScrollGetParams{Scroll: time.Minute}})
		did(g, "scroll_next", r, err)
		if more = err == nil && len(r.Hits.Hits) > 0; more {
			id = *r.ScrollID
		}
	}
	end, err := g.c.Scroll.Delete(ctx, opensearchapi.ScrollDeleteReq{ScrollIDs: []string{id}})
	did(g, "scroll_clear", end, err)
	gone, err := g.c.Scroll.Get(ctx, opensearchapi.ScrollGetReq{ScrollID: id})
	did(g, "scroll_cleared", gone, err)
	pit, err := g.c.PointInTime.Create(ctx, opensearchapi.PointInTimeCreateReq{Indices: docs, Params: opensearchapi.PointInTimeCreateParams{KeepAlive: time.Minute}})
	if did(g, "pit_open", pit, err); err != nil {
		return
	}
	after := ""
	for range 2 {
		r, err := g.c.Search(ctx, &opensearchapi.SearchReq{Body: jsonOf(`{"size":5,"sort":["n"],"pit":{"id":%q,"keep_alive":"1m"}%s}`, pit.PitID, after)})
		did(g, "pit_search", r, err)
		after = `,"search_after":[5]`
	}
	closed, err := g.c.PointInTime.Delete(ctx, opensearchapi.PointInTimeDeleteReq{PitID: []string{pit.PitID}})
	did(g, "pit_close", closed, err)
}

func (g *goCalls) byQuery(ctx context.Context) {
	update := func(name, body string, p opensearchapi.UpdateByQueryParams) *opensearchapi.UpdateByQueryResp {
		r, err := g.c.UpdateByQuery(ctx, opensearchapi.UpdateByQueryReq{Indices: docs, Body: strings.NewReader(body), Params: p})
		return did(g, name, r, err)
	}
	const odd = `{"query":{"term":{"tag":"odd"}}%s}`
	update("update_by_query", fmt.Sprintf(odd, ""), opensearchapi.UpdateByQueryParams{Refresh: ptr(true)})
	update("update_by_query_script", fmt.Sprintf(odd, `,"script":{"source":"ctx._source.seen = true"}`), opensearchapi.UpdateByQueryParams{Conflicts: "proceed"})
	del, err := g.c.Document.DeleteByQuery(ctx, opensearchapi.DocumentDeleteByQueryReq{
		Indices: docs, Body: jsonOf(`{"query":{"term":{"n":5}}}`), Params: opensearchapi.DocumentDeleteByQueryParams{Refresh: ptr(true)},
	})
	did(g, "delete_by_query", del, err)
	re, err := g.c.Reindex(ctx, opensearchapi.ReindexReq{Body: jsonOf(`{"source":{"index":"docs"},"dest":{"index":"docs-copy"}}`), Params: opensearchapi.ReindexParams{Refresh: ptr(true)}})
	did(g, "reindex", re, err)
	started, err := g.c.UpdateByQuery(ctx, opensearchapi.UpdateByQueryReq{
		Indices: docs, Body: jsonOf(`{"query":{"term":{"tag":"thing"}}}`), Params: opensearchapi.UpdateByQueryParams{WaitForCompletion: ptr(false)},
	})
	if err != nil {
		g.noted("by_query_task", nil, err)
		return
	}
	task, err := g.c.Tasks.Get(ctx, opensearchapi.TasksGetReq{TaskID: started.Task, Params: opensearchapi.TasksGetParams{WaitForCompletion: ptr(true)}})
	g.noted("by_query_task", task != nil && task.Completed, err)
}

// helpers runs the client's bulk indexer.
func (g *goCalls) helpers(ctx context.Context) {
	bi, err := opensearchutil.NewBulkIndexer(opensearchutil.BulkIndexerConfig{Client: g.c, Index: "docs", NumWorkers: 2, FlushBytes: 500, Refresh: "true"})
	if err != nil {
		g.t.Fatal(err)
	}
	var mu sync.Mutex
	var failed []string
	for i := range 30 {
		action := cmp.Or(map[int]string{7: "create", 11: "delete"}[i], "index")
		item := opensearchutil.BulkIndexerItem{Action: action, DocumentID: fmt.Sprint("h", i%25), OnFailure: func(_ context.Context, item opensearchutil.BulkIndexerItem, r opensearchapi.BulkRespItem, err error) {
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, fmt.Sprint(item.DocumentID, r.Status, err))
		}}
		if action != "delete" {
			item.Body = strings.NewReader(fmt.Sprintf(`{"n":%d,"tag":"helper"}`, 1000+i))
		}
		if err := bi.Add(ctx, item); err != nil {
			g.t.Fatal(err)
		}
	}
	err = bi.Close(ctx)
	s := bi.Stats()
	g.noted("helpers_bulk", []any{s.NumAdded, s.NumFlushed, s.NumFailed, failed}, err)
}

// raw sends the requests of the common file as they are.
func (g *goCalls) raw(ctx context.Context) {
	for _, r := range g.all.Raw {
		body := cmp.Or(r.Text, string(r.Body))
		req, err := http.NewRequestWithContext(ctx, r.Method, r.Path, strings.NewReader(body))
		if err != nil {
			g.t.Fatal(err)
		}
		if body == "" {
			req.Body = http.NoBody
		} else {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := g.c.Client.Stream(req)
		if err != nil {
			g.noted(r.Name, nil, err)
			continue
		}
		g.out = append(g.out, answerLine(g.t, r.Name, resp))
	}
}

func (g *goCalls) admin(ctx context.Context) {
	c := g.c.Indices
	exists, err := c.Exists(ctx, opensearchapi.IndicesExistsReq{Indices: docs})
	did(g, "indices_exists", exists, err)
	made, err := c.Create(ctx, opensearchapi.IndicesCreateReq{Index: "docs-made", Body: jsonOf(`{"settings":{"number_of_replicas":0}}`)})
	did(g, "indices_create", made, err)
	got, err := c.Get(ctx, opensearchapi.IndicesGetReq{Indices: docs})
	did(g, "indices_get", got, err)
	mapping, err := c.Mapping.Get(ctx, &opensearchapi.MappingGetReq{Indices: docs})
	did(g, "indices_get_mapping", mapping, err)
	put, err := c.Mapping.Put(ctx, opensearchapi.MappingPutReq{Indices: docs, Body: jsonOf(`{"properties":{"extra":{"type":"keyword"}}}`)})
	did(g, "indices_put_mapping", put, err)
	settings, err := c.Settings.Get(ctx, &opensearchapi.SettingsGetReq{Indices: docs})
	did(g, "indices_get_settings", settings, err)
	set, err := c.Settings.Put(ctx, opensearchapi.SettingsPutReq{Indices: docs, Body: jsonOf(`{"index":{"max_result_window":20000}}`)})
	did(g, "indices_put_settings", set, err)
	alias, err := c.Alias.Put(ctx, opensearchapi.AliasPutReq{Indices: docs, Alias: "docs-other"})
	did(g, "indices_put_alias", alias, err)
	aliases, err := g.c.Aliases(ctx, opensearchapi.AliasesReq{Body: jsonOf(`{"actions":[{"remove":{"index":"docs","alias":"docs-other"}}]}`)})
	did(g, "indices_update_aliases", aliases, err)
	refresh, err := c.Refresh(ctx, &opensearchapi.IndicesRefreshReq{Index: docs})
	did(g, "indices_refresh", refresh, err)
	flush, err := c.Flush(ctx, &opensearchapi.IndicesFlushReq{Indices: docs})
	did(g, "indices_flush", flush, err)
	merge, err := c.Forcemerge(ctx, &opensearchapi.IndicesForcemergeReq{Indices: docs, Params: opensearchapi.IndicesForcemergeParams{MaxNumSegments: ptr(1)}})
	did(g, "indices_forcemerge", merge, err)
	closed, err := c.Close(ctx, opensearchapi.IndicesCloseReq{Index: "docs"})
	did(g, "indices_close", closed, err)
	open, err := c.Open(ctx, opensearchapi.IndicesOpenReq{Index: "docs"})
	did(g, "indices_open", open, err)
	cat, err := g.c.Cat.Indices(ctx, &opensearchapi.CatIndicesReq{Indices: docs, Params: opensearchapi.CatIndicesParams{H: []string{"index", "docs.count"}}})
	did(g, "cat_indices", cat, err)
	count, err := g.c.Cat.Count(ctx, &opensearchapi.CatCountReq{Indices: docs, Params: opensearchapi.CatCountParams{H: []string{"count"}}})
	did(g, "cat_count", count, err)
	for _, name := range []string{"docs-made", "docs-copy"} {
		r, err := c.Delete(ctx, opensearchapi.IndicesDeleteReq{Indices: []string{name}})
		did(g, "indices_delete", r, err)
	}
}

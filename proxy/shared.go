package proxy

import (
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// sharing is a tenant at a placement of kind shared_index.
type sharing struct {
	*shared.Tenant
	id    placement.PartitionID
	names shared.Names
}

// sharing returns nil if the placement is not shared. A request asks for it at each step,
// and nearly always of one placement.
func (q *request) sharing(pl placement.Placement) (*sharing, error) {
	if pl.Kind != placement.SharedIndex {
		return nil, nil
	}
	names := shared.Names{Logical: pl.Logical, Physical: pl.Index}
	if s := q.shared; s != nil && s.id == q.tenant && s.names == names && s.Field() == pl.PartitionField {
		return s, nil
	}
	t, err := shared.New(q.tenant, pl.PartitionField)
	if err != nil {
		return nil, err
	}
	q.shared = &sharing{t, q.tenant, names}
	return q.shared, nil
}

// everywhere are the parameters that every endpoint takes.
var everywhere = []string{"pretty", "human", "error_trace", "format", "filter_path"}

// sharedParameters are those that are known to keep a request inside its tenant,
// by endpoint. All others are refused.
var sharedParameters = map[op][]string{
	opInfo:      {},
	opIndex:     append(conditions, "op_type", "version", "version_type"),
	opIndexAuto: append(conditions, "op_type"),
	opCreate:    conditions,
	opUpdate:    append(conditions, "retry_on_conflict", "_source", "_source_includes", "_source_excludes"),
	opDelete:    append(conditions, "version", "version_type"),
	opGet:       gets,
	opSource:    gets,
	opMget:      {"_source", "_source_includes", "_source_excludes", "stored_fields", "preference", "realtime", "refresh", "routing"},
	opBulk:      {"_source", "_source_includes", "_source_excludes", "refresh", "routing", "timeout", "wait_for_active_shards", "pipeline", "require_alias"},
	opRefresh:   {"ignore_unavailable", "allow_no_indices", "expand_wildcards"},
	opSearch: append(searches, "from", "size", "scroll", "sort", "_source", "_source_includes", "_source_excludes", "stored_fields", "docvalue_fields", "explain",
		"track_total_hits", "track_scores", "version", "seq_no_primary_term", "timeout", "rest_total_hits_as_int", "typed_keys", "batched_reduce_size",
		"pre_filter_shard_size", "max_concurrent_shard_requests", "allow_partial_search_results", "ccs_minimize_roundtrips", "request_cache", "search_type"),
	opMsearch: {"typed_keys", "rest_total_hits_as_int", "max_concurrent_searches", "pre_filter_shard_size", "max_concurrent_shard_requests", "search_type", "ccs_minimize_roundtrips"},
	opCount:   append(searches, "min_score"),
	opOpenPIT: {"keep_alive", "routing", "preference", "expand_wildcards", "allow_partial_pit_creation", "ignore_unavailable", "allow_no_indices"},
	opScroll:  {"scroll", "rest_total_hits_as_int"},
	opByQuery: append(searches, "conflicts", "refresh", "scroll", "scroll_size", "search_timeout", "slices", "requests_per_second", "timeout", "wait_for_active_shards",
		"wait_for_completion", "max_docs", "search_type", "request_cache", "pipeline", "sort"),
	opExists:     {"ignore_unavailable", "allow_no_indices", "expand_wildcards", "local", "flat_settings", "include_defaults", "cluster_manager_timeout", "master_timeout"},
	opValidate:   append(searches, "explain", "rewrite", "all_shards"),
	opAnalyze:    {},
	opCat:        {"h", "s", "v", "time", "q", "df", "analyzer", "analyze_wildcard", "default_operator", "lenient"},
	opTask:       {"wait_for_completion", "timeout"},
	opCancelTask: {"wait_for_completion"},
	opRethrottle: {"requests_per_second"},
}

var (
	conditions = []string{"routing", "refresh", "timeout", "wait_for_active_shards", "if_seq_no", "if_primary_term", "pipeline", "require_alias"}
	searches   = []string{"q", "df", "analyzer", "analyze_wildcard", "default_operator", "lenient", "routing", "preference", "terminate_after",
		"ignore_unavailable", "ignore_throttled", "allow_no_indices", "expand_wildcards"}
	gets = []string{"_source", "_source_includes", "_source_excludes", "stored_fields", "preference", "realtime", "refresh", "routing", "version", "version_type"}
)

// parameters checks the query string. What it returns is the request's to change;
// routing is taken out, for whoever knows what it means.
func (s *sharing) parameters(q *request) (query url.Values, routing string, err error) {
	known, ok := sharedParameters[q.op]
	if !ok {
		return nil, "", errShared
	}
	query = url.Values{}
	for name, v := range q.query {
		switch {
		case !slices.Contains(known, name) && !slices.Contains(everywhere, name):
			return nil, "", fail(http.StatusBadRequest, TypeSharedIndex, "parameter [%s] is not known to keep a request inside its tenant, and is not supported in a shared index; leave it out", name)
		case len(v) != 1:
			return nil, "", fail(http.StatusBadRequest, TypeSharedIndex, "parameter [%s] is there %d times", name, len(v))
		case name == "pipeline" && v[0] != "_none" && v[0] != "":
			return nil, "", fail(http.StatusBadRequest, TypeSharedIndex, "ingest pipelines are not supported in a shared index: one could change to whom a document belongs")
		case name == "require_alias" && v[0] != "false":
			return nil, "", fail(http.StatusBadRequest, TypeSharedIndex, "parameter [require_alias] is not supported in a shared index, which has one name; leave it out")
		case (name == "explain" || name == "rewrite" || name == "all_shards") && v[0] != "false":
			return nil, "", fail(http.StatusBadRequest, TypeSharedIndex, "[%s] is not possible in a shared index: it shows what is of all tenants", name)
		case name == "error_trace" || name == "require_alias" || name == "routing":
			continue
		case name == "stored_fields" || name == "docvalue_fields":
			if err := s.FieldNames(v[0]); err != nil {
				return nil, "", err
			}
		}
		query[name] = v
	}
	return query, q.query.Get("routing"), nil
}

// planShared is planWrite for a shared index; it also translates the body.
func (q *request) planShared(t *gate.Ticket, s *sharing, p *payload) (out plan, body *payload, err error) {
	if err := ownIndex(q.index, q.entry.State.From); err != nil {
		return out, nil, err
	}
	query, routing, err := s.parameters(q)
	if err != nil {
		return out, nil, err
	}
	out = plan{method: q.r.Method, query: query}
	if err := q.checkTerm(&out); err != nil {
		return out, nil, err
	}
	id, verb := q.id, "_doc"
	switch q.op {
	case opIndexAuto:
		// The cluster's own id would have no prefix.
		id, out.method = autoID(), http.MethodPut
		out.query.Set("op_type", "create")
	case opCreate:
		verb = "_create"
	case opUpdate:
		verb = "_update"
	}
	phys, err := s.ID(id)
	if err != nil {
		return out, nil, err
	}
	out.path = "/" + escape(s.names.Physical) + "/" + verb + "/" + escape(phys)
	out.query.Set("routing", s.Routing(routing))
	var b []byte
	switch q.op {
	case opDelete: // takes no body
	case opUpdate:
		b, err = s.Update(nil, p.head)
	default:
		b, err = s.Document(make([]byte, 0, len(p.head)+len(s.Field())+64), p.head)
	}
	if err != nil {
		return out, nil, err
	}
	t.Record(gate.DocRef{Index: s.names.Logical, ID: id, Routing: routing})
	return out, bytesPayload(b, "application/json"), nil
}

// inMemory reads what has not been read of a body: where it must be understood, it
// cannot stream.
func (q *request) inMemory(p *payload) (*payload, error) {
	if p.rest == nil {
		return p, nil
	}
	limit := q.p.o.QueryBody
	if q.op == opUpdate { // streams before its tenant's first move, and must not become too large by that
		limit = max(limit, q.p.o.BulkBody)
	}
	rest, err := io.ReadAll(q.keep(http.MaxBytesReader(q.out.ResponseWriter, io.NopCloser(p.rest), max(limit-int64(len(p.head)), 0)), len(p.head)))
	if err != nil {
		return nil, bodyError(err)
	}
	return bytesPayload(append(p.head, rest...), p.mime), nil
}

// translateShared makes an item's line and source for the shared index.
func (s *sharing) translateShared(body []byte, a action, source []byte, routing string) ([]byte, action, error) {
	for _, f := range a.rest {
		if err := shared.Strict(f.raw); err != nil {
			return nil, a, err
		}
		if f.name == "require_alias" && string(f.raw) != "false" {
			return nil, a, fail(http.StatusBadRequest, TypeSharedIndex, "[require_alias] is not supported in a shared index, which has one name; leave it out")
		}
	}
	if a.pipe != "" && a.pipe != "_none" {
		return nil, a, fail(http.StatusBadRequest, TypeSharedIndex, "ingest pipelines are not supported in a shared index: one could change to whom a document belongs")
	}
	if a.id == "" && (a.verb == "index" || a.verb == "create") {
		a.id = autoID()
	}
	up := a
	phys, err := s.ID(a.id)
	if err != nil {
		return nil, a, err
	}
	up.id, up.routing = phys, s.Routing(routing)
	body = up.append(body)
	switch a.verb {
	case "delete":
	case "update":
		if body, err = s.Update(body, source); err == nil {
			body = append(body, '\n')
		}
	default:
		body, err = s.Document(body, source)
	}
	return body, a, err
}
